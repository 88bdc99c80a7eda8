/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events and what waits of them for each destination. Order is (priority, number); where a later
 * event of an alert is more urgent than earlier ones that still wait, those are lifted to its
 * priority, so that the events of one alert stay in order.
 */
#include <stdlib.h>

#include "store/store_int.h"

static sy_err put_out(sy_store *s, const sy_event_row *e, int64_t number, const char *destination,
                      sy_fail *f)
{
    sy_err err = sy_store__run(s, SY_SQL_OUTBOX_ADD, f, "tiit", destination, number,
                               (int64_t)e->priority, e->alert);
    if (!err && e->alert)
        err = sy_store__run(s, SY_SQL_OUTBOX_LIFT, f, "tti", destination, e->alert,
                            (int64_t)e->priority);
    return err;
}

sy_err sy_store_event(sy_store *s, const sy_event_row *e, const char *const *destinations, size_t n,
                      bool *added, sy_fail *f)
{
    *added = false;
    sy_err err = sy_store__in_batch(s, f);
    if (err)
        return err;
    err = sy_store__run(s, SY_SQL_EVENT_ADD, f, "tttiiib", e->id, e->kind, e->alert, e->time,
                        (int64_t)e->severity, (int64_t)e->priority, &e->body);
    if (err || sqlite3_changes(s->writer) == 0)
        return sy_store__fail(s, err);
    int64_t number = sqlite3_last_insert_rowid(s->writer);
    for (size_t i = 0; i < n && !err; i++)
        err = put_out(s, e, number, destinations[i], f);
    *added = !err;
    return sy_store__fail(s, err);
}

static sy_err copy_item(const sy_query *q, sy_arena *arena, sy_outbox_item *item, sy_fail *f)
{
    size_t n = (size_t)sqlite3_column_bytes(q->st, 3);
    char *body = sy_arena_get(arena, n + 1);
    item->number = sqlite3_column_int64(q->st, 0);
    item->priority = sqlite3_column_int(q->st, 1);
    item->leaf = sqlite3_column_type(q->st, 4) == SQLITE_NULL ? -1 : sqlite3_column_int64(q->st, 4);
    item->id = sy_arena_text(arena, sy_span_of(sy_query_text(q, 2)));
    if (!body || !item->id)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for events to send");
    if (n)
        memcpy(body, sqlite3_column_blob(q->st, 3), n);
    item->body = (sy_span){body, n};
    return SY_OK;
}

sy_err sy_store_outbox(sy_store *s, const char *destination, size_t max, sy_arena *arena,
                       sy_outbox_item **items, size_t *n, sy_fail *f)
{
    sy_query q;
    *n = 0;
    if (max == 0 || max > 10000)
        return sy_fail_set(f, SY_E_RANGE, "store: %zu events at once: 1 to 10000", max);
    *items = sy_arena_get(arena, max * sizeof **items);
    if (!*items)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for events to send");
    sy_err e =
        sy_query_begin(&q, s,
                       "SELECT o.number,o.priority,e.id,e.body,e.leaf FROM outbox o JOIN event e "
                       "ON e.number=o.number WHERE o.destination=?1 "
                       "ORDER BY o.priority,o.number LIMIT ?2",
                       f);
    if (e)
        return e;
    sy_store__bind(q.st, "ti", destination, (int64_t)max);
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        e = copy_item(&q, arena, &(*items)[*n], f);
        if (e)
            break;
        (*n)++;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store__take_out(sy_store *s, const char *destination, int64_t number,
                          const char *refused_why, sy_fail *f)
{
    sy_err e = sy_store__run(s, SY_SQL_OUTBOX_DEL, f, "ti", destination, number);
    if (e || sqlite3_changes(s->writer) == 0)
        return e; /* done before: counted once */
    sy_store_count(s, refused_why ? SY_N_events_refused : SY_N_events_delivered, 1);
    return refused_why
               ? sy_store__run(s, SY_SQL_REFUSED_ADD, f, "tit", destination, number, refused_why)
               : SY_OK;
}

sy_err sy_store_outbox_done(sy_store *s, const char *destination, const int64_t *numbers, size_t n,
                            const char *refused_why, sy_fail *f)
{
    sy_err e = sy_store_begin(s, false, f);
    if (e)
        return e;
    for (size_t i = 0; i < n && !e; i++)
        e = sy_store__take_out(s, destination, numbers[i], refused_why, f);
    if (!e)
        return sy_store__end(s, f);
    sy_store_rollback(s);
    return e;
}

sy_err sy_store_outbox_count(sy_store *s, const char *destination, uint64_t *waiting,
                             uint64_t *refused, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT (SELECT count(*) FROM outbox WHERE destination=?1),"
                              "(SELECT count(*) FROM refused WHERE destination=?1)",
                              f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", destination);
    e = sy_query_next(&q, f);
    if (!e) {
        *waiting = (uint64_t)sqlite3_column_int64(q.st, 0);
        *refused = (uint64_t)sqlite3_column_int64(q.st, 1);
    }
    sy_query_end(&q);
    return e;
}

sy_err sy_store_outbox_since(sy_store *s, const char *destination, sy_ms *since, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT time FROM event WHERE number="
                              "(SELECT min(number) FROM outbox WHERE destination=?1)",
                              f);
    *since = SY_MS_NONE;
    if (e)
        return e;
    sy_store__bind(q.st, "t", destination);
    e = sy_query_next(&q, f);
    if (!e)
        *since = sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}
