/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener: sockets, the thread, who may connect, and how long a connection stays.
 *
 * One epoll, level-triggered. A round gives each connection that is ready one turn; then, where
 * acknowledgements wait for the sync, one sync for all of them; then the answers go out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "drivers/hj212/hj212_int.h"
#include "drivers/listen.h"

enum { EVENTS = 64, BACKLOG = 64, LOOK_MS = 5000, KIND_LISTENER = 1 << 16, KIND_WAKE = 1 << 17 };

void sy_hj212__peer(const unsigned char addr[16], char out[SY_HJ212__PEER])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool v4 = memcmp(addr, mapped, sizeof mapped) == 0;
    if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + 12 : addr, out, SY_HJ212__PEER))
        out[0] = '\0';
}

void sy_hj212__refuse(sy_hj212 *h, const unsigned char addr[16], const sy_refusal *r)
{
    char peer[SY_HJ212__PEER];
    sy_refusal told = *r;
    sy_hj212__peer(addr, peer);
    told.transport = SY_TRANSPORT_HJ212;
    told.peer = peer;
    sy_intake_refuse(h->intake, &told);
}

/* ---- connections ---- */

static void watch(sy_hj212 *h, sy_hj212__conn *c)
{
    bool reads = c->until == 0 && !c->full, writes = c->n_out > c->held;
    struct epoll_event want = {.events = (reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u),
                               .data = {.u32 = (uint32_t)(c - h->conns)}};
    if (want.events == c->watched)
        return;
    c->watched = want.events;
    if (epoll_ctl(h->ep, EPOLL_CTL_MOD, c->fd, &want) != 0)
        sy_log(SY_LOG_WARN, "hj212-epoll", "errno=%d", errno);
}

static void hang_up(sy_hj212 *h, sy_hj212__conn *c)
{
    close(c->fd); /* leaves the epoll by itself */
    c->fd = -1;
    __atomic_fetch_sub(&h->connections, 1, __ATOMIC_RELAXED);
}

/* Answers that may go, go; then what the epoll is to wait for. */
static void settle(sy_hj212 *h, sy_hj212__conn *c, bool open)
{
    if (!sy_hj212__flush(c) || !open) {
        hang_up(h, c);
        return;
    }
    watch(h, c);
}

static void address_of(const struct sockaddr_storage *from, unsigned char addr[16])
{
    memset(addr, 0, 16);
    if (from->ss_family == AF_INET) {
        addr[10] = addr[11] = 0xff;
        memcpy(addr + 12, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    } else {
        memcpy(addr, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
    }
}

/* A place for a connection of this address, or why there is none. */
static sy_hj212__conn *place(sy_hj212 *h, const unsigned char addr[16], sy_refusal *why)
{
    sy_hj212__conn *empty = NULL;
    size_t same = 0;
    for (size_t i = 0; i < SY_HJ212__CONNECTIONS; i++) {
        sy_hj212__conn *c = &h->conns[i];
        if (c->fd < 0)
            empty = empty ? empty : c;
        else
            same += memcmp(c->addr, addr, 16) == 0;
    }
    why->reason = "too-many-connections";
    if (!sy_hj212__anybody(h, addr)) {
        why->reason = "wrong-address";
        why->detail = "no device may send from this address";
    } else if (same >= SY_HJ212__OF_ONE) {
        why->detail = "too many connections from one address";
    } else if (!empty) {
        why->detail = "too many connections";
    }
    return why->detail ? NULL : empty;
}

static bool admit(sy_hj212 *h, int fd, const struct sockaddr_storage *from)
{
    unsigned char addr[16];
    char host[SY_HJ212__PEER];
    sy_refusal why = {.why = SY_REJECT_NOT_ALLOWED};
    int on = 1;
    address_of(from, addr);
    sy_hj212__conn *c = place(h, addr, &why);
    if (!c) {
        sy_hj212__peer(addr, host);
        why.who = sy_span_of(host);
        sy_hj212__refuse(h, addr, &why);
        return false;
    }
    struct epoll_event want = {.events = EPOLLIN, .data = {.u32 = (uint32_t)(c - h->conns)}};
    if (epoll_ctl(h->ep, EPOLL_CTL_ADD, fd, &want) != 0) {
        sy_log(SY_LOG_WARN, "hj212-epoll", "errno=%d", errno);
        return false;
    }
    memset(c, 0, offsetof(sy_hj212__conn, in));
    memcpy(c->addr, addr, sizeof addr);
    c->fd = fd;
    c->watched = want.events;
    c->since = c->heard = sy_mono_ms();
    __atomic_fetch_add(&h->connections, 1, __ATOMIC_RELAXED);
    /* A peer that is gone without a word, and answers that go out at once. */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return true;
}

static void accept_some(sy_hj212 *h, int listener)
{
    for (int i = 0; i < BACKLOG; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t n = sizeof from;
        int fd = accept4(listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                sy_log(SY_LOG_WARN, "hj212-accept", "errno=%d", errno);
            return;
        }
        if (!admit(h, fd, &from))
            close(fd);
    }
}

static bool stays(const sy_hj212__conn *c, sy_ms now)
{
    return now - c->heard < SY_HJ212__IDLE_MS &&
           (c->mn[0] || now - c->since < SY_HJ212__STRANGER_MS);
}

/* ---- rounds ---- */

/* Everything up to the highest of this round is synced, or none of its answers goes out. */
static void sync_round(sy_hj212 *h)
{
    sy_fail why = {.text = ""};
    bool synced =
        h->unsynced == 0 || h->intake->wait_synced(h->intake->ctx, h->unsynced, &why) == SY_OK;
    h->unsynced = 0;
    for (size_t i = 0; i < SY_HJ212__CONNECTIONS; i++) {
        sy_hj212__conn *c = &h->conns[i];
        if (c->fd >= 0 && c->held && !synced)
            c->n_out -= c->held; /* the devices send again */
        c->held = 0;
    }
}

/* Those that waited, be it for a time or for their own answers to be read. */
static void take_up(sy_hj212 *h, bool turned[SY_HJ212__CONNECTIONS], bool *open, sy_ms now)
{
    for (size_t i = 0; i < SY_HJ212__CONNECTIONS; i++) {
        sy_hj212__conn *c = &h->conns[i];
        bool due = c->fd >= 0 && c->until != 0 && now >= c->until;
        if (c->fd < 0 || turned[i] || (!due && !(c->full && c->until == 0)))
            continue;
        c->until = due ? 0 : c->until;
        turned[i] = true;
        open[i] = sy_hj212__turn(h, c, false, now);
    }
}

static void round_of(sy_hj212 *h, const struct epoll_event *events, int n)
{
    bool turned[SY_HJ212__CONNECTIONS] = {false}, open[SY_HJ212__CONNECTIONS];
    sy_ms now = sy_mono_ms();
    for (int i = 0; i < n; i++) {
        uint32_t which = events[i].data.u32;
        uint64_t count;
        if (which == KIND_WAKE) {
            if (read(h->wake, &count, sizeof count) < 0 && errno != EAGAIN)
                sy_log(SY_LOG_WARN, "hj212-wake", "errno=%d", errno);
        } else if (which >= KIND_LISTENER) {
            accept_some(h, h->listeners[which - KIND_LISTENER]);
        } else if (h->conns[which].fd >= 0 && !turned[which]) {
            turned[which] = true;
            bool gone = (events[i].events & (EPOLLHUP | EPOLLERR)) != 0;
            open[which] = sy_hj212__flush(&h->conns[which]) &&
                          sy_hj212__turn(h, &h->conns[which], events[i].events & EPOLLIN, now) &&
                          !gone;
        }
    }
    take_up(h, turned, open, now);
    sync_round(h);
    for (size_t i = 0; i < SY_HJ212__CONNECTIONS; i++) {
        sy_hj212__conn *c = &h->conns[i];
        if (c->fd >= 0 && turned[i])
            settle(h, c, open[i]);
        if (c->fd >= 0 && !stays(c, now))
            hang_up(h, c);
    }
}

/* Until somebody who waits for a time is due. */
static int patience(const sy_hj212 *h)
{
    sy_ms now = sy_mono_ms(), least = LOOK_MS;
    for (size_t i = 0; i < SY_HJ212__CONNECTIONS; i++) {
        const sy_hj212__conn *c = &h->conns[i];
        if (c->fd >= 0 && c->full && !c->until && c->n_out + SY_HJ212__ANSWER <= SY_HJ212__OUT)
            return 0; /* its answers went out, and it has more frames */
        if (c->fd >= 0 && c->until)
            least = c->until - now < least ? c->until - now : least;
    }
    return least > 0 ? (int)least : 0;
}

static void *run(void *arg)
{
    sy_hj212 *h = arg;
    struct epoll_event events[EVENTS];
    sy_thread_name("sy-hj212");
    while (!__atomic_load_n(&h->stopping, __ATOMIC_ACQUIRE)) {
        int n = epoll_wait(h->ep, events, EVENTS, patience(h));
        if (n < 0 && errno != EINTR)
            sy_log(SY_LOG_ERROR, "hj212-epoll", "errno=%d", errno);
        round_of(h, events, n > 0 ? n : 0);
    }
    return NULL;
}

/* ---- start and stop ---- */

static uint16_t bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a;
    socklen_t n = sizeof a;
    memset(&a, 0, sizeof a);
    if (getsockname(fd, &a.any, &n) != 0)
        return 0;
    return ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

static sy_err listen_on(sy_hj212 *h, const char *text, sy_fail *f)
{
    struct addrinfo *list = NULL;
    int on = 1, buffer = 32768; /* of the kernel, for each connection */
    sy_err e = sy_listen_resolve(text, SOCK_STREAM, 9212, &list, f);
    if (e)
        return e;
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event want = {.events = EPOLLIN,
                               .data = {.u32 = KIND_LISTENER + (uint32_t)h->n_listeners}};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) != 0 ||
        bind(fd, list->ai_addr, list->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
        epoll_ctl(h->ep, EPOLL_CTL_ADD, fd, &want) != 0) {
        e = sy_fail_sys(f, "cannot listen on %s for HJ 212", text);
        if (fd >= 0)
            close(fd);
    } else {
        h->ports[h->n_listeners] = bound_port(fd);
        h->listeners[h->n_listeners++] = fd;
    }
    freeaddrinfo(list);
    return e;
}

static sy_err start_thread(sy_hj212 *h, sy_fail *f)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&h->thread, NULL, run, h);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    h->started = rc == 0;
    errno = rc;
    return rc ? sy_fail_sys(f, "cannot start the HJ 212 thread") : SY_OK;
}

static void release(sy_hj212 *h)
{
    for (size_t i = 0; h->conns && i < SY_HJ212__CONNECTIONS; i++)
        if (h->conns[i].fd >= 0)
            close(h->conns[i].fd);
    for (size_t i = 0; i < h->n_listeners; i++)
        close(h->listeners[i]);
    if (h->wake >= 0)
        close(h->wake);
    if (h->ep >= 0)
        close(h->ep);
    free(h->conns);
    free(h->listeners);
    free(h->ports);
    free(h);
}

static sy_err open_all(sy_hj212 *h, const char *const *listen, size_t n, sy_fail *f)
{
    struct epoll_event want = {.events = EPOLLIN, .data = {.u32 = KIND_WAKE}};
    if (!h->conns || !h->listeners || !h->ports)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for HJ 212");
    for (size_t i = 0; i < SY_HJ212__CONNECTIONS; i++)
        h->conns[i].fd = -1;
    h->ep = epoll_create1(EPOLL_CLOEXEC);
    h->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (h->ep < 0 || h->wake < 0 || epoll_ctl(h->ep, EPOLL_CTL_ADD, h->wake, &want) != 0)
        return sy_fail_sys(f, "cannot wait for HJ 212");
    sy_err e = SY_OK;
    for (size_t i = 0; i < n && !e; i++)
        e = listen_on(h, listen[i], f);
    return e ? e : start_thread(h, f);
}

sy_err sy_hj212_start(sy_hj212 **out, const char *const *listen, size_t n, const sy_intake *intake,
                      sy_registry_slot *devices, sy_fail *f)
{
    sy_hj212 *h = calloc(1, sizeof *h);
    if (!h)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for HJ 212");
    h->intake = intake;
    h->devices = devices;
    h->ep = h->wake = -1;
    h->conns = calloc(SY_HJ212__CONNECTIONS, sizeof *h->conns);
    h->listeners = calloc(n ? n : 1, sizeof *h->listeners);
    h->ports = calloc(n ? n : 1, sizeof *h->ports);
    sy_err e = open_all(h, listen, n, f);
    if (e) {
        release(h);
        return e;
    }
    *out = h;
    return SY_OK;
}

uint16_t sy_hj212_port(const sy_hj212 *h, size_t i)
{
    return i < h->n_listeners ? h->ports[i] : 0;
}

unsigned sy_hj212_connections(const sy_hj212 *h)
{
    return __atomic_load_n(&h->connections, __ATOMIC_RELAXED);
}

void sy_hj212_stop(sy_hj212 *h)
{
    uint64_t one = 1;
    if (!h)
        return;
    __atomic_store_n(&h->stopping, true, __ATOMIC_RELEASE);
    if (write(h->wake, &one, sizeof one) < 0 && errno != EAGAIN)
        sy_log(SY_LOG_WARN, "hj212-wake", "errno=%d", errno);
    pthread_join(h->thread, NULL);
    release(h);
}
