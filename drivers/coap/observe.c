/* SPDX-License-Identifier: Apache-2.0 */
/* The observed devices all together: their context, the list as the configuration has it, the wait.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "base/utf8.h"
#include "drivers/coap/watch.h"

sy_coap_watches *sy_coap__observe_open(void)
{
    return calloc(1, sizeof(sy_coap_watches));
}

static sy_err open_context(sy_coap *c, sy_coap_watches *o, sy_fail *f)
{
    o->ctx = coap_new_context(NULL);
    if (!o->ctx)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the CoAP client");
    coap_context_set_block_mode(o->ctx, 0);
    coap_register_response_handler(o->ctx, sy_watch__answered);
    coap_register_nack_handler(o->ctx, sy_watch__lost);
    coap_register_event_handler(o->ctx, sy_watch__event);
    struct epoll_event want = {.events = EPOLLIN, .data = {.ptr = o}};
    int inner = coap_context_get_coap_fd(o->ctx);
    if (inner < 0 || epoll_ctl(coap_context_get_coap_fd(c->ctx), EPOLL_CTL_ADD, inner, &want) != 0)
        return sy_fail_sys(f, "cannot wait for observed devices");
    return SY_OK;
}

static bool same(const sy_watch *w, const sy_device *d)
{
    return strcmp(w->id, d->id) == 0 && strcmp(w->text, d->observe) == 0;
}

/* The watch of the device out of the former list, else a new one. */
static sy_watch *watch_of(sy_coap *c, sy_coap_watches *o, const sy_device *d)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->v[i] && same(o->v[i], d)) {
            sy_watch *w = o->v[i];
            o->v[i] = NULL;
            return w;
        }
    return sy_watch__open(c, d);
}

static size_t observed(const sy_registry *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += r->devices[i].observe != NULL;
    return n;
}

sy_err sy_coap__observe_set(sy_coap *c, sy_fail *f)
{
    sy_coap_watches *o = c->watches;
    sy_registry *devices = sy_registry_slot_get(c->devices);
    size_t want = observed(devices), n = 0;
    sy_watch **v = want ? calloc(want, sizeof(sy_watch *)) : NULL;
    sy_err e = want && !v ? sy_fail_set(f, SY_E_NOMEM, "no memory for the CoAP client") : SY_OK;
    if (!e && want && !o->ctx)
        e = open_context(c, o, f);
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; !e && v && i < devices->n; i++) {
        if (!devices->devices[i].observe || devices->devices[i].revoked)
            continue;
        v[n] = watch_of(c, o, &devices->devices[i]);
        if (v[n])
            n++;
        else
            sy_log(SY_LOG_ERROR, "observe-lost", "device=%s msg=\"no memory, or no such address\"",
                   devices->devices[i].id);
    }
    if (!e) {
        sy_watch **before = o->v;
        size_t n_before = o->n;
        o->v = v;
        o->n = n;
        v = before;
        n = n_before;
    }
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; !e && i < n; i++)
        if (v[i])
            sy_watch__close(v[i]);
    free(v);
    sy_registry_unref(devices);
    return e;
}

int sy_coap__observe_wait(const sy_coap *c, sy_ms now)
{
    const sy_coap_watches *o = c->watches;
    sy_ms first = -1;
    for (size_t i = 0; i < o->n; i++)
        if (first < 0 || o->v[i]->due < first)
            first = o->v[i]->due;
    return first < 0 ? -1 : first > now ? (int)(first - now) : 0;
}

/* What came, then what is due; then again what that has brought, since only here does libcoap set
 * its timer for what was sent. */
void sy_coap__observe_run(sy_coap *c, bool woken)
{
    sy_coap_watches *o = c->watches;
    sy_ms now = sy_mono_ms();
    bool acted = false;
    if (!o->ctx)
        return;
    if (woken)
        coap_io_process(o->ctx, COAP_IO_NO_WAIT);
    for (size_t i = 0; i < o->n; i++) {
        if (!o->v[i]->broken && o->v[i]->due > now)
            continue;
        sy_watch__act(o->v[i], o->ctx, now);
        acted = true;
    }
    if (acted)
        coap_io_process(o->ctx, COAP_IO_NO_WAIT);
}

void sy_coap__observe_close(sy_coap *c)
{
    sy_coap_watches *o = c->watches;
    if (!o)
        return;
    for (size_t i = 0; i < o->n; i++)
        sy_watch__close(o->v[i]);
    if (o->ctx)
        coap_free_context(o->ctx);
    free(o->v);
    free(o);
    c->watches = NULL;
}

void sy_coap_report(sy_coap *c, sy_buf *json)
{
    static const char *const states[] = {"waiting", "asking", "live"};
    pthread_mutex_lock(&c->lock);
    sy_buf_char(json, '[');
    for (size_t i = 0; i < c->watches->n; i++) {
        const sy_watch *w = c->watches->v[i];
        int state = __atomic_load_n(&w->state, __ATOMIC_RELAXED);
        sy_buf_text(json, i ? ",{\"device\":" : "{\"device\":");
        sy_buf_json(json, sy_span_of(w->id));
        sy_buf_text(json, ",\"url\":");
        sy_buf_json(json, sy_span_of(w->text));
        sy_buf_printf(json,
                      ",\"state\":\"%s\",\"kept\":%llu,\"stale\":%llu,\"asked\":%llu,"
                      "\"restarts\":%llu,\"last_error\":",
                      states[state],
                      (unsigned long long)__atomic_load_n(&w->kept, __ATOMIC_RELAXED),
                      (unsigned long long)__atomic_load_n(&w->stale, __ATOMIC_RELAXED),
                      (unsigned long long)__atomic_load_n(&w->asked, __ATOMIC_RELAXED),
                      (unsigned long long)__atomic_load_n(&w->restarts, __ATOMIC_RELAXED));
        if (w->why[0])
            sy_buf_json(json, (sy_span){w->why, sy_utf8_check(sy_span_of(w->why))});
        else
            sy_buf_text(json, "null");
        sy_buf_char(json, '}');
    }
    sy_buf_char(json, ']');
    pthread_mutex_unlock(&c->lock);
}
