/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an order does, on the main thread.
 *
 * What is in force changes by putting the set that runs in force again with other orders: the
 * configuration file is not read for it, so that an order neither puts in force what somebody is
 * just editing, nor fails for it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "run/orders_int.h"

static void refuse(sy_job *j, const char *why)
{
    snprintf(j->refused, sizeof j->refused, "%s", why);
}

/* ---- acts ---- */

static sy_err act(sy_orders *o, sy_job *j, sy_fail *f)
{
    static const sy_act_kind kinds[] = {[SY_ORDER_ACKNOWLEDGE] = SY_ACT_ACKNOWLEDGE,
                                        [SY_ORDER_COMMENT] = SY_ACT_COMMENT,
                                        [SY_ORDER_SHELVE] = SY_ACT_SHELVE,
                                        [SY_ORDER_UNSHELVE] = SY_ACT_UNSHELVE};
    const sy_order *order = &j->order;
    char via[SY_ORDER_NAME + 8];
    uint64_t seq = 0;
    snprintf(via, sizeof via, "order/%.64s", order->id);
    const sy_act a = {.kind = kinds[order->kind],
                      .alert = sy_span_of(order->alert),
                      .until = order->kind == SY_ORDER_SHELVE ? order->until : 0,
                      .who = sy_span_of(order->who),
                      .via = sy_span_of(via),
                      .why =
                          sy_span_of(order->kind == SY_ORDER_COMMENT ? order->text : order->why)};
    sy_err e = sy_service__act(o->s, &a, false, &seq, f);
    if (e == SY_E_EXISTS) { /* it is as was ordered */
        refuse(j, f->text);
        return sy_orders__finish(o, j, SY_ORDER_DONE, SY_MS_NONE, NULL, f);
    }
    if (e == SY_E_NOMEM || e == SY_E_IO || e == SY_E_AGAIN || e == SY_E_FULL || e == SY_E_CLOSED)
        return e;
    if (e)
        refuse(j, f->text);
    return sy_orders__finish(o, j, e ? SY_ORDER_REFUSED : SY_ORDER_DONE, SY_MS_NONE, NULL, f);
}

/* ---- what is in force ---- */

static sy_err load(sy_orders *o, const sy_force *force, sy_job *j, sy_config **out, sy_fail *f)
{
    char path[4300];
    sy_buf text;
    sy_arena arena;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_findings findings = {.arena = &arena};
    sy_buf_init(&text, sy_heap());
    snprintf(path, sizeof path, "%s/packs", o->s->data);
    sy_err e = sy_force_text(force, &text, f);
    e = e ? e : sy_dir_make(path, f);
    snprintf(path, sizeof path, "%s/packs/next.json", o->s->data);
    e = e ? e : sy_file_write(path, sy_buf_span(&text), 0600, f);
    if (!e) {
        e = sy_config_load_ordered(o->s->config, o->s->data, path, &findings, out, f);
        remove(path);
        if (e == SY_E_USAGE && !j->report.n) {
            sy_buf_text(&j->report, "{\"findings\":");
            sy_findings_json(&findings, &j->report);
            sy_buf_text(&j->report, ",\"impact\":null}");
        }
    }
    sy_buf_fini(&text);
    sy_arena_fini(&arena);
    return e;
}

static sy_err refused(sy_orders *o, sy_job *j, sy_fail *f)
{
    return sy_orders__finish(o, j, SY_ORDER_REFUSED, SY_MS_NONE, NULL, f);
}

/* Put in force what the job makes of what is there. */
static sy_err put_in_force(sy_orders *o, sy_job *j, sy_force *force, sy_fail *f)
{
    sy_config *next = NULL;
    sy_err e = sy_orders__change(force, j, f);
    e = e ? e : load(o, force, j, &next, f);
    if (e == SY_E_USAGE) {
        snprintf(j->refused, sizeof j->refused, "%.380s", f->text);
        return refused(o, j, f);
    }
    if (!e) /* what ends the process from here on does so once */
        e = sy_orders__finish(o, j, SY_ORDER_TAKEN, SY_MS_NONE, NULL, f);
    if (!e) {
        e = sy_service__take(o->s, next, f);
        next = NULL;
    }
    e = e ? e : sy_orders__finish(o, j, SY_ORDER_DONE, SY_MS_NONE, force, f);
    sy_config_unref(next);
    return e;
}

static bool has_premises(const sy_config *c, const char *id)
{
    for (size_t i = 0; i < c->site->n_premises; i++)
        if (strcmp(c->site->premises[i].id, id) == 0)
            return true;
    return false;
}

static bool has_series(const sy_config *c, const char *series)
{
    for (size_t i = 0; i < c->site->n_points; i++)
        if (strcmp(c->site->points[i].series, series) == 0)
            return true;
    return false;
}

/* ---- packs that wait ---- */

typedef struct waiting {
    sy_order_row v[64];
    size_t n;
    sy_arena arena;
    sy_ms before; /* due at or before */
    sy_ms next;   /* the earliest of the others */
} waiting;

static bool collect(void *ctx, const sy_order_row *row)
{
    waiting *w = ctx;
    if (row->due > w->before) {
        w->next = row->due < w->next ? row->due : w->next;
    } else if (w->n < sizeof w->v / sizeof *w->v) {
        sy_order_row *to = &w->v[w->n];
        *to = *row;
        to->destination = sy_arena_text(&w->arena, sy_span_of(row->destination));
        to->jws = (sy_span){NULL, 0};
        w->n += to->destination != NULL;
    }
    return true;
}

static sy_err each_waiting(sy_orders *o, waiting *w, sy_ms before, sy_fail *f)
{
    *w = (waiting){.before = before, .next = SY_MS_MAX};
    sy_arena_init(&w->arena, sy_heap(), 0);
    return sy_store_orders(o->s->store, SY_ORDER_WAITING, collect, w, f);
}

static bool job_of(sy_orders *o, const sy_order_row *row, sy_job *j, sy_fail *f)
{
    *j = (sy_job){.destination = row->destination, .number = row->number, .brought = row->number};
    sy_buf_init(&j->report, sy_heap());
    if (sy_orders__again(o->s->store, row->destination, row->number, &j->order, f) != SY_OK)
        return false;
    j->known = j->permitted = true;
    j->files = j->order.pairs;
    j->n_files = j->order.n_pairs;
    return true;
}

static void job_free(sy_job *j)
{
    if (j->known)
        sy_order_free(&j->order);
    sy_buf_fini(&j->report);
}

static void execute_one(sy_orders *o, const sy_order_row *row)
{
    sy_job j;
    sy_fail f = {0};
    sy_force *force = NULL;
    sy_force_pack had;
    bool changed = false;
    sy_err e = job_of(o, row, &j, &f) ? SY_OK : f.code;
    e = e ? e : sy_orders__force(o->s, &force, &f);
    e = e ? e
          : sy_orders__write_files(o->s->data, j.order.name, j.order.version, j.files, j.n_files,
                                   &changed, &f);
    if (!e && sy_force_find(force, j.order.name, &had) && had.version > j.order.version) {
        refuse(&j, "a newer version is in force already");
        e = refused(o, &j, &f);
    } else if (!e) {
        e = put_in_force(o, &j, force, &f);
    }
    if (e)
        sy_log_fail(SY_LOG_ERROR, "order-failed", &f);
    sy_force_close(force);
    job_free(&j);
}

void sy_orders__execute_due(sy_orders *o)
{
    waiting w;
    sy_fail f = {0};
    sy_ms now = sy_journal_now(o->s->journal);
    if (now == SY_MS_NONE || o->due > now)
        return;
    if (each_waiting(o, &w, now, &f))
        sy_log_fail(SY_LOG_ERROR, "order-failed", &f);
    o->due = w.next;
    for (size_t i = 0; i < w.n; i++)
        execute_one(o, &w.v[i]);
    sy_arena_fini(&w.arena);
}

/* A rollback takes back what waits of its name, too. */
static void take_back(sy_orders *o, const char *name, const char *by)
{
    waiting w;
    sy_fail f = {0};
    if (each_waiting(o, &w, SY_MS_MAX, &f))
        sy_log_fail(SY_LOG_ERROR, "order-failed", &f);
    for (size_t i = 0; i < w.n; i++) {
        sy_job j;
        if (job_of(o, &w.v[i], &j, &f) && strcmp(j.order.name, name) == 0) {
            snprintf(j.refused, sizeof j.refused, "taken back by order %s", by);
            if (refused(o, &j, &f))
                sy_log_fail(SY_LOG_ERROR, "order-failed", &f);
        }
        job_free(&j);
    }
    sy_arena_fini(&w.arena);
}

static sy_err change(sy_orders *o, sy_job *j, sy_fail *f)
{
    sy_force *force = NULL;
    sy_ms now = sy_journal_now(o->s->journal);
    sy_order_kind k = j->order.kind;
    bool pack = k == SY_ORDER_PACK || k == SY_ORDER_TUNE || k == SY_ORDER_ROLLBACK;
    if (k == SY_ORDER_TIERS_OF && !has_premises(o->s->config, j->order.premises))
        refuse(j, "there are no such premises here");
    if (k == SY_ORDER_CALIBRATION && !has_series(o->s->config, j->order.series))
        refuse(j, "there is no such point here");
    if (j->refused[0])
        return refused(o, j, f);
    sy_err e = sy_orders__force(o->s, &force, f);
    bool fits = !e && (!pack || sy_orders__newer(force, j));
    if (!e && !fits) {
        e = refused(o, j, f);
    } else if (!e && k == SY_ORDER_PACK && j->order.effective != SY_MS_NONE &&
               (now == SY_MS_NONE || j->order.effective > now)) {
        e = sy_force_note(force, j->order.name, j->destination, false, j->order.version, f);
        e = e ? e : sy_orders__finish(o, j, SY_ORDER_WAITING, j->order.effective, force, f);
        if (!e && j->order.effective < o->due)
            o->due = j->order.effective;
    } else if (!e) {
        e = put_in_force(o, j, force, f);
        if (!e && k == SY_ORDER_ROLLBACK && !j->refused[0])
            take_back(o, j->order.name, j->order.id);
    }
    sy_force_close(force);
    return e;
}

void sy_orders__execute(sy_orders *o, sy_job *j)
{
    sy_err e = SY_OK;
    if (j->refused[0]) {
        e = refused(o, j, &j->why);
    } else {
        switch (j->order.kind) {
        case SY_ORDER_ACKNOWLEDGE:
        case SY_ORDER_COMMENT:
        case SY_ORDER_SHELVE:
        case SY_ORDER_UNSHELVE:
            e = act(o, j, &j->why);
            break;
        case SY_ORDER_EVIDENCE:
            e = sy_orders__finish(o, j, SY_ORDER_DONE, SY_MS_NONE, NULL, &j->why);
            break;
        case SY_ORDER_CALIBRATION:
        case SY_ORDER_TIERS_OF:
        case SY_ORDER_TUNE:
        case SY_ORDER_PACK:
        case SY_ORDER_ROLLBACK:
            e = change(o, j, &j->why);
            break;
        case SY_ORDER_KINDS:
            break;
        }
    }
    j->err = e;
}
