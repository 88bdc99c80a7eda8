/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of an order: its row, an action in the ledger, an event to the destination that it
 * came from, and what is in force by order, in one durable transaction.
 */
#include <stdio.h>

#include "base/log.h"
#include "base/utf8.h"
#include "run/orders_int.h"
#include "store/keep.h"
#include "store/leaves.h"

static void put_text(sy_buf *b, const char *name, const char *text)
{
    sy_buf_printf(b, ",\"%s\":", name);
    if (text && text[0])
        sy_buf_json(b, sy_span_of(text));
    else
        sy_buf_text(b, "null");
}

static void put_body(const sy_service *s, const sy_job *j, const char *id, const char *state,
                     sy_ms now, sy_buf *b)
{
    char time[25];
    bool known = j->known;
    sy_time_text(now, time);
    sy_buf_text(b, "{\"specversion\":\"1.0\",\"id\":");
    sy_buf_json(b, sy_span_of(id));
    sy_buf_text(b, ",\"source\":\"/steelyard/");
    sy_buf_text(b, s->config->id);
    sy_buf_printf(b, "\",\"type\":\"steelyard.order.%s\",\"time\":\"%s\"", state, time);
    sy_buf_printf(b, ",\"datacontenttype\":\"application/json\",\"data\":{\"number\":%lld",
                  (long long)j->number);
    put_text(b, "order", known ? j->order.id : NULL);
    put_text(b, "kind", known ? sy_order_kind_text(j->order.kind) : NULL);
    put_text(b, "who", known ? j->order.who : NULL);
    put_text(b, "why", known ? j->order.why : NULL);
    put_text(b, "signer", known ? j->signer : NULL);
    put_text(b, "result", state);
    put_text(b, "reason", j->refused);
    sy_buf_text(b, ",\"report\":");
    if (j->report.n && !j->report.failed && j->report.n <= SY_REPORT_BYTES)
        sy_buf_span_put(b, sy_buf_span(&j->report));
    else
        sy_buf_text(b, "null");
    sy_buf_text(b, "}}");
}

static sy_err put_event(sy_orders *o, const sy_job *j, const char *state, sy_ms now, sy_fail *f)
{
    char id[200], kind[32];
    bool added = false;
    sy_buf body;
    snprintf(id, sizeof id, "order/%.128s/%lld/%s", j->destination, (long long)j->number, state);
    snprintf(kind, sizeof kind, "order-%s", state);
    sy_buf_init(&body, sy_heap());
    put_body(o->s, j, id, state, now, &body);
    const sy_event_row e = {.id = id,
                            .kind = kind,
                            .time = now,
                            .severity = (int)SY_NOTICE,
                            .priority = 2,
                            .body = sy_buf_span(&body)};
    sy_err err = body.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for an event")
                             : sy_store_event(o->s->store, &e, &j->destination, 1, &added, f);
    if (!err && added) {
        const sy_leaf_event leaf = {.id = sy_span_of(id), .body = e.body};
        sy_store_count(o->s->store, SY_N_events_queued, 1);
        err = sy_ledger_event(o->s->ledger, id, &leaf, f);
    }
    sy_buf_fini(&body);
    return err;
}

/* The ledger says who ordered what, and by which order; of one that was not proven only that. */
static sy_err put_action(sy_orders *o, const sy_job *j, const char *state, sy_ms now, sy_fail *f)
{
    char what[64], why[800];
    uint64_t index;
    sy_buf on, leaf;
    sy_buf_init(&on, sy_heap());
    sy_buf_init(&leaf, sy_heap());
    if (j->known)
        sy_order_on(&j->order, &on);
    else
        sy_buf_printf(&on, "%s/%lld", j->destination, (long long)j->number);
    snprintf(what, sizeof what, "order/%s/%s",
             j->known ? sy_order_kind_text(j->order.kind) : "unknown", state);
    if (j->known)
        snprintf(why, sizeof why, "order %s, signed by %s: %s", j->order.id, j->signer,
                 j->order.why);
    else
        snprintf(why, sizeof why, "%s", j->refused);
    const sy_action a = {.who = j->known ? j->order.who : "unknown",
                         .what = what,
                         .on = on.failed || !on.n ? "?" : on.p,
                         .why = why};
    sy_leaf_action_text(now, &a, &leaf);
    sy_err e = leaf.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a leaf")
                           : sy_store_leaf(o->s->store, sy_buf_span(&leaf), &index, f);
    sy_buf_fini(&on);
    sy_buf_fini(&leaf);
    return e;
}

static sy_err put_row(sy_orders *o, const sy_job *j, sy_order_state state, sy_ms due, sy_ms now,
                      sy_fail *f)
{
    const sy_order_row row = {.destination = j->destination,
                              .number = j->number,
                              .id = j->permitted ? j->order.id : NULL,
                              .kind = j->permitted ? sy_order_kind_text(j->order.kind) : NULL,
                              .state = state,
                              .time = now,
                              .due = due,
                              .reason = j->refused[0] ? j->refused : NULL,
                              .jws = j->permitted ? j->jws : (sy_span){"", 0}};
    return sy_store_order_put(o->s->store, &row, f);
}

static sy_err put_all(sy_orders *o, const sy_job *j, sy_order_state state, sy_ms due,
                      const sy_buf *text, sy_fail *f)
{
    sy_ms now = sy_service__now(o->s);
    bool made = false;
    const char *word = sy_order_state_text(state);
    sy_err e = sy_store_begin(o->s->store, true, f);
    if (e)
        return e;
    e = put_row(o, j, state, due, now, f);
    if (!e && text)
        e = sy_store_in_force_put(o->s->store, sy_buf_span(text), f);
    if (!e && state != SY_ORDER_TAKEN)
        e = put_action(o, j, word, now, f);
    if (!e && state != SY_ORDER_TAKEN)
        e = put_event(o, j, word, now, f);
    if (!e && state != SY_ORDER_TAKEN)
        e = sy_ledger_sign(o->s->ledger, now, true, &made, f);
    if (!e)
        e = sy_store_done(o->s->store, f);
    else
        sy_store_rollback(o->s->store);
    if (!e && made)
        sy_ledger_signed(o->s->ledger);
    return e;
}

static void tell(const sy_job *j, sy_order_state state)
{
    char why[900];
    const char *kind = j->known ? sy_order_kind_text(j->order.kind) : "unknown";
    const char *id = j->known ? j->order.id : "-";
    long long number = (long long)j->number;
    sy_logq(sy_span_of(j->refused), why, sizeof why);
    if (state == SY_ORDER_REFUSED)
        sy_log(SY_LOG_WARN, "order-refused", "destination=%s number=%lld kind=%s order=%s msg=%s",
               j->destination, number, kind, id, why);
    else if (state == SY_ORDER_WAITING)
        sy_log(SY_LOG_INFO, "order-waits", "destination=%s number=%lld kind=%s order=%s",
               j->destination, number, kind, id);
    else
        sy_log(SY_LOG_INFO, "order-done", "destination=%s number=%lld kind=%s order=%s msg=%s",
               j->destination, number, kind, id, why);
}

/* Reasons quote what others wrote, and are cut to length: what is no UTF-8 then is '?'. */
static void clean(char *text)
{
    size_t n = strlen(text), at;
    while ((at = sy_utf8_check((sy_span){text, n})) < n)
        text[at] = '?';
}

sy_err sy_orders__finish(sy_orders *o, sy_job *j, sy_order_state state, sy_ms due,
                         const sy_force *force, sy_fail *f)
{
    char path[4300];
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    clean(j->refused);
    sy_err e = force ? sy_force_text(force, &text, f) : SY_OK;
    e = e ? e : put_all(o, j, state, due, force ? &text : NULL, f);
    if (!e && force) { /* a crash here is mended at the next start */
        sy_fail why = {0};
        snprintf(path, sizeof path, "%s/packs", o->s->data);
        sy_err written = sy_dir_make(path, &why);
        snprintf(path, sizeof path, "%s/packs/in-force.json", o->s->data);
        written = written ? written : sy_file_write(path, sy_buf_span(&text), 0600, &why);
        if (written)
            sy_log_fail(SY_LOG_ERROR, "orders-not-noted", &why);
    }
    if (!e && state != SY_ORDER_TAKEN) {
        tell(j, state);
        if (o->s->upstream)
            sy_upstream_wake(o->s->upstream);
    }
    sy_buf_fini(&text);
    return e;
}
