/* SPDX-License-Identifier: Apache-2.0 */
#include "store/queue.h"

#include "store/store_int.h"

static sy_err end_of(sy_store *s, sy_err e, sy_fail *f)
{
    if (!e)
        return sy_store__end(s, f);
    sy_store_rollback(s);
    return e;
}

sy_err sy_store_withhold(sy_store *s, const char *destination, const int64_t *numbers, size_t n,
                         sy_fail *f)
{
    sy_err e = sy_store_begin(s, false, f);
    if (e)
        return e;
    uint64_t gone = 0;
    for (size_t i = 0; i < n && !e; i++) {
        e = sy_store__run(s, SY_SQL_OUTBOX_DEL, f, "ti", destination, numbers[i]);
        gone += !e && sqlite3_changes(s->writer) > 0;
    }
    if (!e && gone) {
        sy_store_count(s, SY_N_events_withheld, gone);
        e = sy_store__exec(s, f,
                           "INSERT INTO withheld(destination,n) VALUES(?1,?2) "
                           "ON CONFLICT(destination) DO UPDATE SET n=n+excluded.n",
                           "ti", destination, (int64_t)gone);
    }
    return end_of(s, e, f);
}

sy_err sy_store_heartbeat(sy_store *s, const char *destination, const sy_event_row *e, sy_fail *f)
{
    bool added = false;
    sy_err err = sy_store_begin(s, false, f);
    if (err)
        return err;
    err = sy_store__exec(s, f,
                         "DELETE FROM event WHERE number IN (SELECT number FROM beat "
                         "WHERE destination=?1)",
                         "t", destination);
    if (!err)
        err = sy_store__exec(s, f,
                             "DELETE FROM outbox WHERE destination=?1 AND number IN (SELECT number "
                             "FROM beat WHERE destination=?1)",
                             "t", destination);
    if (!err)
        err = sy_store__exec(s, f,
                             "DELETE FROM refused WHERE destination=?1 AND number IN (SELECT "
                             "number FROM beat WHERE destination=?1)",
                             "t", destination);
    if (!err)
        err = sy_store_event(s, e, &destination, 1, &added, f);
    if (!err && added)
        err = sy_store__exec(s, f,
                             "INSERT OR REPLACE INTO beat(destination,number) "
                             "SELECT ?1,number FROM event WHERE id=?2",
                             "tt", destination, e->id);
    if (!err && added)
        sy_store_count(s, SY_N_events_queued, 1);
    return end_of(s, err, f);
}

sy_err sy_store_outbox_expire(sy_store *s, const char *destination, sy_ms before, uint64_t *n,
                              sy_fail *f)
{
    *n = 0;
    sy_err e = sy_store_begin(s, false, f);
    if (e)
        return e;
    e = sy_store__exec(s, f,
                       "DELETE FROM outbox WHERE destination=?1 AND priority=3 AND alert IS NULL "
                       "AND number IN (SELECT number FROM event WHERE time<?2)",
                       "ti", destination, before);
    *n = e ? 0 : (uint64_t)sqlite3_changes(s->writer);
    if (*n)
        sy_store_count(s, SY_N_events_expired, *n);
    return end_of(s, e, f);
}

sy_err sy_store_waiting(sy_store *s, const char *destination,
                        bool (*fn)(void *ctx, const sy_waiting_row *r), void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e =
        sy_query_begin(&q, s,
                       "SELECT e.kind,e.alert IS NOT NULL,count(*),min(e.time) FROM outbox o "
                       "JOIN event e ON e.number=o.number WHERE o.destination=?1 "
                       "GROUP BY 1,2 ORDER BY 1,2",
                       f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", destination);
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        sy_waiting_row r = {.kind = sy_query_text(&q, 0),
                            .of_alert = sqlite3_column_int(q.st, 1) != 0,
                            .n = (uint64_t)sqlite3_column_int64(q.st, 2),
                            .since = sqlite3_column_int64(q.st, 3)};
        if (!fn(ctx, &r))
            break;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_withheld(sy_store *s, const char *destination, uint64_t *n, sy_fail *f)
{
    sy_query q;
    *n = 0;
    sy_err e = sy_query_begin(&q, s, "SELECT n FROM withheld WHERE destination=?1", f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", destination);
    e = sy_query_next(&q, f);
    if (!e)
        *n = (uint64_t)sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_outbox_upto(sy_store *s, const char *destination, uint64_t most, uint64_t *n,
                            sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(
        &q, s, "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE destination=?1 LIMIT ?2)", f);
    if (e)
        return e;
    sy_store__bind(q.st, "ti", destination, (int64_t)most);
    e = sy_query_next(&q, f);
    if (!e)
        *n = (uint64_t)sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e;
}

sy_err sy_store_outboxes(sy_store *s, bool (*fn)(void *ctx, const char *destination), void *ctx,
                         sy_fail *f)
{
    sy_query q;
    sy_err e =
        sy_query_begin(&q, s,
                       "SELECT destination FROM outbox UNION SELECT destination FROM refused "
                       "UNION SELECT destination FROM withheld ORDER BY 1",
                       f);
    if (e)
        return e;
    while ((e = sy_query_next(&q, f)) == SY_OK)
        if (!fn(ctx, sy_query_text(&q, 0)))
            break;
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_refused(sy_store *s, bool (*fn)(void *ctx, const sy_refused_row *r), void *ctx,
                        sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT r.destination,e.id,e.kind,r.why,e.time,e.body FROM refused r "
                              "JOIN event e ON e.number=r.number ORDER BY r.destination,r.number",
                              f);
    if (e)
        return e;
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        sy_refused_row r = {.destination = sy_query_text(&q, 0),
                            .id = sy_query_text(&q, 1),
                            .kind = sy_query_text(&q, 2),
                            .why = sy_query_text(&q, 3),
                            .time = sqlite3_column_int64(q.st, 4)};
        r.body = (sy_span){sqlite3_column_blob(q.st, 5), (size_t)sqlite3_column_bytes(q.st, 5)};
        if (!fn(ctx, &r))
            break;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_retry(sy_store *s, const char *id, uint64_t *n, sy_fail *f)
{
    *n = 0;
    sy_err e = sy_store_begin(s, true, f);
    if (e)
        return e;
    e = sy_store__exec(s, f,
                       "INSERT OR IGNORE INTO outbox(destination,number,priority,alert) "
                       "SELECT r.destination,e.number,e.priority,e.alert FROM refused r "
                       "JOIN event e ON e.number=r.number WHERE e.id=?1",
                       "t", id);
    *n = e ? 0 : (uint64_t)sqlite3_changes(s->writer);
    if (!e)
        e = sy_store__exec(
            s, f, "DELETE FROM refused WHERE number=(SELECT number FROM event WHERE id=?1)", "t",
            id);
    if (!e && *n == 0)
        e = sy_fail_set(f, SY_E_NOTFOUND, "no destination has refused the event '%.100s'", id);
    return end_of(s, e, f);
}

sy_err sy_store_newest_event(sy_store *s, const char *kind, bool of_alert, sy_buf *out, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT body FROM event WHERE kind=?1 AND (alert IS NOT NULL)=?2 "
                              "ORDER BY number DESC LIMIT 1",
                              f);
    if (e)
        return e;
    sy_store__bind(q.st, "ti", kind, (int64_t)of_alert);
    e = sy_query_next(&q, f);
    if (!e)
        sy_buf_put(out, sqlite3_column_blob(q.st, 0), (size_t)sqlite3_column_bytes(q.st, 0));
    sy_query_end(&q);
    return e;
}

sy_err sy_store_active(sy_store *s, uint64_t by_level[8], sy_fail *f)
{
    sy_query q;
    memset(by_level, 0, 8 * sizeof *by_level);
    sy_err e = sy_query_begin(&q, s,
                              "SELECT severity,count(*) FROM alert WHERE cleared IS NULL AND "
                              "state=0 AND trial=0 GROUP BY severity",
                              f);
    if (e)
        return e;
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        int level = sqlite3_column_int(q.st, 0);
        if (level >= 0 && level < 8)
            by_level[level] = (uint64_t)sqlite3_column_int64(q.st, 1);
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}
