/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CoAP server: endpoints, the thread, start and stop.
 *
 * libcoap has no locks, so every call into it is on the thread "sy-coap", save for making the
 * context before that thread runs and freeing it after it has ended. libcoap's own epoll carries
 * our eventfd as well: one wait for datagrams, timers, syncs and the end. Sessions are cheap over
 * UDP and 45 KB each over DTLS, and each new peer costs a walk over the idle ones: both are
 * bounded.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "drivers/coap/blocks.h"
#include "drivers/coap/watch.h"
#include "drivers/listen.h"

enum {
    IDLE_SESSIONS = 200,
    IDLE_SECONDS = 120,
    HANDSHAKES = 100,
    EVENTS = 64,
    MOST_READS = 16,
    LIBRARY_LOG = 3
};

/* A peer can bring about most of these lines, so they are for whoever looks for them. */
static void library_log(coap_log_t level, const char *message)
{
    char text[200];
    size_t n = strcspn(message, "\r\n");
    (void)level;
    sy_log(SY_LOG_DEBUG, "coap-library", "msg=%s",
           sy_logq((sy_span){message, n}, text, sizeof text));
}

static sy_err listen_address(const char *listen, coap_address_t *out, sy_fail *f)
{
    struct addrinfo *list = NULL;
    sy_err e = sy_listen_resolve(listen, SOCK_DGRAM, 5683, &list, f);
    if (e)
        return e;
    coap_address_init(out);
    if (list->ai_addrlen <= sizeof out->addr) {
        out->size = list->ai_addrlen;
        memcpy(&out->addr, list->ai_addr, list->ai_addrlen);
    }
    freeaddrinfo(list);
    return SY_OK;
}

/* libcoap binds with SO_REUSEADDR, which for UDP would share a port with whoever has it; a socket
 * without it tells. */
static sy_err port_is_free(const char *listen, const coap_address_t *address, sy_fail *f)
{
    sy_err e = SY_OK;
    int fd = socket(address->addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &address->addr.sa, address->size) != 0)
        e = sy_fail_sys(f, "cannot listen on %s for CoAP", listen);
    if (fd >= 0)
        close(fd);
    return e;
}

/* The text is "127.0.0.1:5683 UDP", after the bind. */
static uint16_t bound_port(const coap_endpoint_t *endpoint)
{
    const char *colon = strrchr(coap_endpoint_str(endpoint), ':');
    return colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

static sy_err listen_on(sy_coap *c, const char *const *listen, size_t n, coap_proto_t proto,
                        sy_fail *f)
{
    for (size_t i = 0; i < n; i++) {
        coap_address_t address;
        sy_err e = listen_address(listen[i], &address, f);
        if (e == SY_OK)
            e = port_is_free(listen[i], &address, f);
        if (e != SY_OK)
            return e;
        coap_endpoint_t *endpoint = coap_new_endpoint(c->ctx, &address, proto);
        if (!endpoint)
            return sy_fail_set(f, SY_E_IO, "cannot listen on %s for CoAP", listen[i]);
        c->ports[c->n_ports++] = bound_port(endpoint);
    }
    return SY_OK;
}

static void handle_all(sy_coap *c, coap_resource_t *resource, coap_method_handler_t handler)
{
    static const coap_request_t methods[] = {
        COAP_REQUEST_GET,   COAP_REQUEST_POST,  COAP_REQUEST_PUT,   COAP_REQUEST_DELETE,
        COAP_REQUEST_FETCH, COAP_REQUEST_PATCH, COAP_REQUEST_IPATCH};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        coap_register_request_handler(resource, methods[i], handler);
    coap_resource_set_userdata(resource, c);
    coap_add_resource(c->ctx, resource);
}

static sy_err add_handlers(sy_coap *c, sy_fail *f)
{
    coap_resource_t *any = coap_resource_unknown_init2(sy_coap__handle, 0);
    coap_resource_t *core = coap_resource_init(coap_make_str_const(".well-known/core"), 0);
    if (any)
        handle_all(c, any, sy_coap__handle);
    if (core)
        handle_all(c, core, sy_coap__core);
    return any && core ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for the CoAP server");
}

static sy_err open_context(sy_coap *c, sy_fail *f)
{
    coap_startup();
    coap_set_log_handler(library_log);
    coap_set_log_level((coap_log_t)LIBRARY_LOG);
    coap_dtls_set_log_level((coap_log_t)LIBRARY_LOG);
    c->ctx = coap_new_context(NULL);
    if (!c->ctx)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the CoAP server");
    coap_context_set_block_mode(c->ctx, 0); /* never the library's reassembly */
    coap_context_set_max_idle_sessions(c->ctx, IDLE_SESSIONS);
    coap_context_set_session_timeout(c->ctx, IDLE_SECONDS);
    coap_context_set_max_handshake_sessions(c->ctx, HANDSHAKES);
    coap_set_app_data(c->ctx, c);
    coap_register_event_handler(c->ctx, sy_coap__shake_event);
    sy_err e = add_handlers(c, f);
    if (e == SY_OK)
        e = sy_coap__keys_open(c, f);
    if (e == SY_OK)
        e = listen_on(c, c->o.listen, c->o.n_listen, COAP_PROTO_UDP, f);
    if (e == SY_OK)
        e = listen_on(c, c->o.dtls_listen, c->o.n_dtls_listen, COAP_PROTO_DTLS, f);
    if (e != SY_OK)
        return e;
    int *fds = calloc(c->n_ports + 1, sizeof *fds);
    if (!fds)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the CoAP server");
    sy_coap__fair_find(c, fds);
    int ep = coap_context_get_coap_fd(c->ctx);
    struct epoll_event want = {.events = EPOLLIN, .data = {.ptr = c}};
    c->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (c->wake < 0 || ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, c->wake, &want) != 0)
        return sy_fail_sys(f, "cannot wait for CoAP messages");
    return SY_OK;
}

/* Our own event and that of the observed devices are taken out of the list; the rest is that of
 * libcoap's servers. */
static size_t without_ours(sy_coap *c, struct epoll_event *events, size_t n, bool *observed)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t count;
        if (events[i].data.ptr == c->watches)
            *observed = true;
        else if (events[i].data.ptr != c)
            events[kept++] = events[i];
        else if (read(c->wake, &count, sizeof count) < 0 && errno != EAGAIN)
            sy_log(SY_LOG_WARN, "coap-wake", "errno=%d", errno);
    }
    return kept;
}

/* libcoap reads one datagram for an event and then sets its timer: two system calls of overhead for
 * each. An event that is listed several times is read as often, and a read of an empty socket is
 * harmless, so while each read gives a request the list is made longer. */
static size_t repeated(struct epoll_event *events, size_t n, size_t times)
{
    size_t all = n;
    for (; times > 1 && all + n <= EVENTS; times--, all += n)
        memcpy(events + all, events, n * sizeof *events);
    return all;
}

static int sooner(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* -1: as long as nothing comes. */
static int wait_ms(const sy_coap *c)
{
    if (c->n_shakes == 0 && c->watches->n == 0 && c->bars.closed == 0)
        return -1;
    sy_ms now = sy_mono_ms();
    return sooner(sooner(sy_coap__shake_wait(c, now), sy_coap__observe_wait(c, now)),
                  sy_coap__fair_wait(c, now));
}

static void take_reload(sy_coap *c)
{
    sy_fail f;
    sy_coap__keys_reload(c);
    if (sy_coap__observe_set(c, &f) != SY_OK)
        sy_log_fail(SY_LOG_ERROR, "observe-failed", &f);
    if (sy_coap__panels_set(c, &f) != SY_OK)
        sy_log_fail(SY_LOG_ERROR, "panels-failed", &f);
}

static void *run(void *arg)
{
    sy_coap *c = arg;
    int ep = coap_context_get_coap_fd(c->ctx);
    struct epoll_event events[EVENTS];
    size_t times = 1;
    coap_tick_t now;
    sy_thread_name("sy-coap");
    coap_ticks(&now);
    coap_io_prepare_epoll(c->ctx, now); /* sets its timer; coap_io_do_epoll does so again */
    while (!__atomic_load_n(&c->stopping, __ATOMIC_ACQUIRE)) {
        bool observed = false;
        int n = epoll_wait(ep, events, EVENTS, wait_ms(c));
        size_t theirs = n > 0 ? without_ours(c, events, (size_t)n, &observed) : 0;
        size_t all = repeated(events, theirs, times);
        c->handled = 0;
        if (all > 0)
            coap_io_do_epoll(c->ctx, events, all);
        if (c->handled < all)
            times = 1;
        else if (times < MOST_READS)
            times *= 2;
        if (c->late_n > 0)
            sy_coap__late_send(c);
        if (c->n_shakes > 0)
            sy_coap__shake_late(c, sy_mono_ms());
        if (c->bars.closed > 0)
            sy_coap__fair_open(c, sy_mono_ms());
        if (__atomic_exchange_n(&c->reload, false, __ATOMIC_ACQ_REL))
            take_reload(c);
        if (__atomic_exchange_n(&c->alerts.changed, false, __ATOMIC_ACQ_REL))
            sy_coap__panels_tell(c);
        if (c->watches->n > 0 || observed)
            sy_coap__observe_run(c, observed);
    }
    return NULL;
}

static void release(sy_coap *c)
{
    for (; c->late_n > 0; c->late_n--) {
        coap_session_release(c->late[c->late_first].session);
        c->late_first = (c->late_first + 1) % SY_COAP_LATE;
    }
    sy_coap__observe_close(c);
    if (c->ctx)
        coap_free_context(c->ctx);
    if (c->wake >= 0)
        close(c->wake);
    sy_coap__panels_fini(c);
    sy_coap__psk_close(c->psk);
    sy_coap__cert_close(c->cert);
    sy_coap__files_fini(&c->next);
    pthread_mutex_destroy(&c->lock);
    sy_coap__blocks_close(c->blocks);
    free(c->answers);
    free(c->late);
    free(c->ports);
    free(c->fds);
    sy_coap_share_fini(&c->share);
    free(c);
}

static sy_err start_thread(sy_coap *c, sy_fail *f)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&c->thread, NULL, run, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? SY_OK
                   : sy_fail_make(f, SY_E_IO, rc, SY_AT, "cannot start the CoAP thread: %s",
                                  strerror(rc));
}

sy_err sy_coap_start(sy_coap **out, const sy_coap_options *o, const sy_intake *intake,
                     sy_registry_slot *devices, sy_fail *f)
{
    sy_coap *c = calloc(1, sizeof *c);
    if (!c)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the CoAP server");
    c->o = *o;
    c->intake = intake;
    c->devices = devices;
    c->wake = -1;
    pthread_mutex_init(&c->lock, NULL);
    c->watches = sy_coap__observe_open();
    c->ports = calloc(o->n_listen + o->n_dtls_listen + 1, sizeof *c->ports);
    c->blocks = sy_coap__blocks_open(o->max_payload);
    c->answers = calloc(1, sizeof *c->answers);
    c->late = intake->strict ? calloc(SY_COAP_LATE, sizeof *c->late) : NULL;
    sy_err e = SY_OK;
    if (!c->watches || !c->ports || !c->blocks || !c->answers || (intake->strict && !c->late))
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for the CoAP server");
    if (e == SY_OK)
        e = open_context(c, f);
    if (e == SY_OK)
        e = sy_coap__observe_set(c, f);
    if (e == SY_OK)
        e = sy_coap__panels_set(c, f);
    if (e == SY_OK)
        e = start_thread(c, f);
    if (e != SY_OK) {
        release(c);
        return e;
    }
    *out = c;
    return SY_OK;
}

uint16_t sy_coap_port(const sy_coap *c, size_t i)
{
    return i < c->n_ports ? c->ports[i] : 0;
}

void sy_coap__wake(sy_coap *c)
{
    uint64_t one = 1;
    if (write(c->wake, &one, sizeof one) < 0 && errno != EAGAIN)
        sy_log(SY_LOG_WARN, "coap-wake", "errno=%d", errno);
}

void sy_coap_synced(sy_coap *c, uint64_t seq)
{
    if (!c->intake->strict)
        return;
    uint64_t before = __atomic_load_n(&c->synced, __ATOMIC_RELAXED);
    while (seq > before && !__atomic_compare_exchange_n(&c->synced, &before, seq, true,
                                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        ;
    sy_coap__wake(c);
}

void sy_coap_reload(sy_coap *c, const sy_coap_files *files)
{
    sy_coap_files copy = sy_coap__files_copy(files);
    pthread_mutex_lock(&c->lock);
    sy_coap__files_fini(&c->next);
    c->next = copy;
    pthread_mutex_unlock(&c->lock);
    __atomic_store_n(&c->reload, true, __ATOMIC_RELEASE);
    sy_coap__wake(c);
}

void sy_coap_stop(sy_coap *c)
{
    if (!c)
        return;
    __atomic_store_n(&c->stopping, true, __ATOMIC_RELEASE);
    sy_coap__wake(c);
    pthread_join(c->thread, NULL);
    release(c);
}
