/* SPDX-License-Identifier: Apache-2.0 */
/* The pollers, what they hand to the main thread, and the files that follow the store. */
#include "run/orders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "run/orders_int.h"

/* ---- on the poller ---- */

/* The main thread executes it, or the service ends. */
static sy_err hand_over(sy_orders *o, sy_job *j, sy_fail *f)
{
    uint64_t one = 1;
    pthread_mutex_lock(&o->lock);
    sy_job **end = &o->first;
    while (*end)
        end = &(*end)->next;
    if (!o->stopping)
        *end = j;
    (void)!write(o->s->wake_fd, &one, sizeof one);
    while (!j->done && (j->running || !o->stopping))
        pthread_cond_wait(&o->cond, &o->lock);
    for (sy_job **p = &o->first; *p; p = &(*p)->next)
        if (*p == j) {
            *p = j->next;
            break;
        }
    bool done = j->done;
    pthread_mutex_unlock(&o->lock);
    if (!done)
        return sy_fail_set(f, SY_E_CLOSED, "the gateway ends");
    *f = j->why;
    return j->err;
}

static sy_err take(void *ctx, sy_down *d, const sy_down_order *in, sy_fail *f)
{
    sy_orders *o = ctx;
    sy_job j = {.destination = in->name, .number = in->number, .jws = in->jws, .now = in->now};
    sy_buf_init(&j.report, sy_heap());
    sy_err e = sy_orders__prove(o, &j, f);
    if (!e && j.permitted) {
        sy_order_kind k = j.order.kind;
        if (k == SY_ORDER_EVIDENCE)
            e = sy_orders__evidence(o, &j, d, in->stop_fd, f);
        else if (k == SY_ORDER_PACK || k == SY_ORDER_TUNE || k == SY_ORDER_ROLLBACK)
            e = sy_orders__prepare(o, &j, in->stop_fd, f);
    }
    e = e ? e : hand_over(o, &j, f);
    if (j.known)
        sy_order_free(&j.order);
    sy_order_free(&j.older);
    sy_buf_fini(&j.report);
    return e;
}

static sy_err after(void *ctx, const char *name, int64_t *number, sy_fail *f)
{
    return sy_store_order_last(((sy_orders *)ctx)->s->store, name, number, f);
}

/* ---- on the main thread ---- */

void sy_orders_turn(sy_orders *o)
{
    for (;;) {
        pthread_mutex_lock(&o->lock);
        sy_job *j = o->first;
        if (j) {
            o->first = j->next;
            j->running = true;
        }
        pthread_mutex_unlock(&o->lock);
        if (!j)
            break;
        j->next = NULL;
        sy_orders__execute(o, j);
        pthread_mutex_lock(&o->lock);
        j->done = true;
        pthread_cond_broadcast(&o->cond);
        pthread_mutex_unlock(&o->lock);
    }
    sy_orders__execute_due(o);
}

static sy_down_setup setup_of(sy_orders *o, const sy_config *c, const sy_destination *d)
{
    return (sy_down_setup){.name = d->name,
                           .url = d->orders,
                           .gateway = c->id,
                           .files = {d->tls.ca, d->tls.cert, d->tls.key, d->tls.crl},
                           .poll = d->poll,
                           .ctx = o,
                           .after = after,
                           .take = take};
}

static sy_down *find_same(sy_orders *o, const sy_down_setup *setup)
{
    for (size_t i = 0; i < o->n; i++) {
        sy_down *d = o->downs[i];
        if (d && sy_down_same(d, setup)) {
            o->downs[i] = NULL;
            return d;
        }
    }
    return NULL;
}

/* Jobs are executed while a poller is waited for, since it may wait for one. */
static void stop_all(sy_orders *o, sy_down **v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i])
            sy_down_ask_stop(v[i]);
    for (size_t i = 0; i < n; i++)
        if (v[i]) {
            pthread_mutex_lock(&o->lock);
            bool before = o->stopping;
            o->stopping = true;
            pthread_cond_broadcast(&o->cond);
            pthread_mutex_unlock(&o->lock);
            sy_down_stop(v[i]);
            pthread_mutex_lock(&o->lock);
            o->stopping = before;
            pthread_mutex_unlock(&o->lock);
        }
    free(v);
}

void sy_orders_reload(sy_orders *o, const sy_config *c)
{
    sy_down **fresh = calloc(c->n_destinations + 1, sizeof(sy_down *));
    size_t n = 0;
    sy_fail f = {0};
    if (!fresh) {
        sy_log(SY_LOG_ERROR, "orders-reload-failed", "msg=\"out of memory\"");
        return;
    }
    for (size_t i = 0; i < c->n_destinations; i++) {
        if (!c->destinations[i].orders)
            continue;
        sy_down_setup setup = setup_of(o, c, &c->destinations[i]);
        if ((fresh[n] = find_same(o, &setup)) != NULL)
            sy_down_kick(fresh[n++]);
        else if (sy_down_start(&fresh[n], &setup, &f) == SY_OK)
            sy_down_log_time(fresh[n++], o->log_time);
        else
            sy_log_fail(SY_LOG_ERROR, "orders-reload-failed", &f);
    }
    sy_down **old = o->downs;
    size_t old_n = o->n;
    o->downs = fresh;
    o->n = n;
    stop_all(o, old, old_n);
}

void sy_orders_log_time(sy_orders *o, sy_ms t)
{
    o->log_time = t;
    for (size_t i = 0; i < o->n; i++)
        sy_down_log_time(o->downs[i], t);
}

/* What the process before us was at when it ended is refused: it may be why. */
static bool interrupted(void *ctx, const sy_order_row *row)
{
    sy_orders *o = ctx;
    sy_fail f = {0};
    sy_job j = {.destination = row->destination, .number = row->number};
    sy_buf_init(&j.report, sy_heap());
    if (sy_orders__again(o->s->store, row->destination, row->number, &j.order, &f) == SY_OK)
        j.known = j.permitted = true;
    snprintf(j.refused, sizeof j.refused,
             "the gateway ended while it executed this order; what ran before runs");
    if (sy_orders__finish(o, &j, SY_ORDER_REFUSED, SY_MS_NONE, NULL, &f))
        sy_log_fail(SY_LOG_ERROR, "order-failed", &f);
    if (j.known)
        sy_order_free(&j.order);
    sy_buf_fini(&j.report);
    return f.code == SY_OK;
}

sy_err sy_orders_open(sy_orders **out, sy_service *s, sy_fail *f)
{
    sy_orders *o = calloc(1, sizeof *o);
    if (!o)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for orders");
    o->s = s;
    o->due = SY_MS_NONE; /* the first turn looks */
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->cond, NULL);
    sy_err e = sy_store_orders(s->store, SY_ORDER_TAKEN, interrupted, o, f);
    if (e) {
        sy_orders_close(o);
        return e;
    }
    sy_orders_reload(o, s->config);
    *out = o;
    return SY_OK;
}

void sy_orders_close(sy_orders *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    o->stopping = true;
    pthread_cond_broadcast(&o->cond);
    pthread_mutex_unlock(&o->lock);
    stop_all(o, o->downs, o->n);
    pthread_cond_destroy(&o->cond);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

/* ---- the files ---- */

static sy_err mend_pack(sy_service *s, const sy_force_pack *p, bool *mended, sy_fail *f)
{
    sy_order order;
    if (p->version == 0)
        return SY_OK;
    sy_err e = sy_orders__again(s->store, p->from, p->number, &order, f);
    if (e)
        return e;
    const sy_order_pair one = {"tuning.rules", order.text};
    bool tune = order.kind == SY_ORDER_TUNE;
    e = sy_orders__write_files(s->data, p->name, p->version, tune ? &one : order.pairs,
                               tune ? 1 : order.n_pairs, mended, f);
    sy_order_free(&order);
    return e;
}

sy_err sy_orders_mend(sy_service *s, bool *mended, sy_fail *f)
{
    char path[4300];
    sy_buf text, have;
    sy_force *force = NULL;
    sy_force_pack p;
    *mended = false;
    sy_buf_init(&text, sy_heap());
    sy_buf_init(&have, sy_heap());
    snprintf(path, sizeof path, "%s/packs/in-force.json", s->data);
    sy_err e = sy_store_in_force_get(s->store, &text, f);
    bool none = e == SY_E_NOTFOUND;
    e = none ? SY_OK : e;
    bool there = sy_file_read(path, 1 << 20, &have, NULL) == SY_OK || access(path, F_OK) == 0;
    if (!e && none && there) {
        *mended = true;
        e = unlink(path) == 0 ? SY_OK : sy_fail_sys(f, "%s: cannot remove", path);
    } else if (!e && !none && !sy_span_eq(sy_buf_span(&text), sy_buf_span(&have))) {
        *mended = true;
        snprintf(path, sizeof path, "%s/packs", s->data);
        e = sy_dir_make(path, f);
        snprintf(path, sizeof path, "%s/packs/in-force.json", s->data);
        e = e ? e : sy_file_write(path, sy_buf_span(&text), 0600, f);
    }
    e = e ? e : sy_force_open(&force, sy_buf_span(&text), f);
    for (size_t i = 0; !e && sy_force_at(force, i, &p); i++)
        e = mend_pack(s, &p, mended, f);
    if (!e && *mended)
        sy_log(SY_LOG_WARN, "orders-mended",
               "data=%s msg=\"files of packs were not as ordered; they are again\"", s->data);
    sy_force_close(force);
    sy_buf_fini(&text);
    sy_buf_fini(&have);
    return e;
}

void sy_orders_status(sy_orders *o, sy_buf *json)
{
    sy_force *force = NULL;
    sy_force_pack p;
    sy_fail f;
    bool first = true;
    sy_buf_text(json, "{\"in_force\":[");
    if (sy_orders__force(o->s, &force, &f) == SY_OK)
        for (size_t i = 0; sy_force_at(force, i, &p); i++) {
            if (p.version == 0)
                continue;
            sy_buf_text(json, first ? "{\"name\":" : ",{\"name\":");
            sy_buf_json(json, sy_span_of(p.name));
            sy_buf_printf(json,
                          ",\"kind\":\"%s\",\"version\":%lld,\"from\":", p.tuning ? "tune" : "pack",
                          (long long)p.version);
            sy_buf_json(json, sy_span_of(p.from));
            sy_buf_char(json, '}');
            first = false;
        }
    sy_buf_char(json, ']');
    if (force)
        sy_force_rest(force, json);
    sy_force_close(force);
    sy_buf_text(json, ",\"polls\":[");
    for (size_t i = 0; i < o->n; i++) {
        sy_buf_text(json, i ? "," : "");
        sy_down_status(o->downs[i], json);
    }
    sy_buf_text(json, "]}");
}
