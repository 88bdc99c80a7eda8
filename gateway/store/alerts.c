/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts as they stand, and the judge's newest snapshot. Absent numbers are nulls: min and max of
 * an alert without readings, cleared of an open one.
 */
#include <math.h>

#include "store/store_int.h"

/* Columns in the order of the table; the schema, ALERT_PUT and read_row share it. */
enum {
    ID,
    RULE,
    PACK,
    SUBJECT,
    SERIES,
    VERSION,
    SEVERITY,
    STATE,
    ONSET,
    RAISED,
    CLEARED,
    MIN,
    MAX,
    COUNT,
    COUNTED,
    UNKNOWN,
    EXEMPT,
    DRIVER_IS_STATE,
    MESSAGE_EN,
    MESSAGE_ZH,
    REPLACES,
    HASH,
    TRIAL
};

static void bind_number(sqlite3_stmt *st, int column, double v)
{
    if (!isnan(v))
        sqlite3_bind_double(st, column + 1, v);
}

sy_err sy_store_alert(sy_store *s, const sy_alert_row *a, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    sqlite3_stmt *st = sy_store__get(s, SY_SQL_ALERT_PUT, f);
    if (!st)
        return sy_store__fail(s, SY_E_IO);
    sqlite3_clear_bindings(st);
    sy_store__bind(st, "tttttiiiii", a->id, a->rule, a->pack, a->subject, a->series, a->version,
                   (int64_t)a->severity, (int64_t)a->state, a->onset, a->raised);
    if (a->cleared != SY_MS_NONE)
        sqlite3_bind_int64(st, CLEARED + 1, a->cleared);
    bind_number(st, MIN, a->min);
    bind_number(st, MAX, a->max);
    sqlite3_bind_int64(st, COUNT + 1, (int64_t)a->count);
    sqlite3_bind_int64(st, COUNTED + 1, a->counted);
    sqlite3_bind_int64(st, UNKNOWN + 1, a->unknown);
    sqlite3_bind_int64(st, EXEMPT + 1, a->exempt);
    sqlite3_bind_int64(st, DRIVER_IS_STATE + 1, a->driver_is_state);
    sqlite3_bind_text(st, MESSAGE_EN + 1, a->message_en, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, MESSAGE_ZH + 1, a->message_zh, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, REPLACES + 1, a->replaces, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, HASH + 1, a->judgement_hash, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, TRIAL + 1, a->trial);
    int rc = sqlite3_step(st);
    if (rc != SQLITE_DONE)
        e = sy_store__err(s->writer, rc, "write an alert", f);
    sqlite3_reset(st);
    return sy_store__fail(s, e);
}

static double number_of(const sy_query *q, int column)
{
    return sqlite3_column_type(q->st, column) == SQLITE_NULL ? NAN
                                                             : sqlite3_column_double(q->st, column);
}

sy_alert_row sy_store__alert_row(const sy_query *q)
{
    bool open = sqlite3_column_type(q->st, CLEARED) == SQLITE_NULL;
    return (sy_alert_row){
        .id = sy_query_text(q, ID),
        .rule = sy_query_text(q, RULE),
        .pack = sy_query_text(q, PACK),
        .subject = sy_query_text(q, SUBJECT),
        .series = sy_query_text(q, SERIES),
        .version = sqlite3_column_int64(q->st, VERSION),
        .severity = sqlite3_column_int(q->st, SEVERITY),
        .state = sqlite3_column_int(q->st, STATE),
        .onset = sqlite3_column_int64(q->st, ONSET),
        .raised = sqlite3_column_int64(q->st, RAISED),
        .cleared = open ? SY_MS_NONE : sqlite3_column_int64(q->st, CLEARED),
        .min = number_of(q, MIN),
        .max = number_of(q, MAX),
        .count = (uint64_t)sqlite3_column_int64(q->st, COUNT),
        .counted = sqlite3_column_int64(q->st, COUNTED),
        .unknown = sqlite3_column_int64(q->st, UNKNOWN),
        .exempt = sqlite3_column_int64(q->st, EXEMPT),
        .driver_is_state = sqlite3_column_int(q->st, DRIVER_IS_STATE) != 0,
        .message_en = sy_query_text(q, MESSAGE_EN),
        .message_zh = sy_query_text(q, MESSAGE_ZH),
        .replaces = sy_query_text(q, REPLACES),
        .judgement_hash = sy_query_text(q, HASH),
        .trial = sqlite3_column_int(q->st, TRIAL) != 0,
    };
}

sy_err sy_store__alert_rows(sy_query *q, bool (*fn)(void *ctx, const sy_alert_row *a), void *ctx,
                            sy_fail *f)
{
    sy_err e;
    while ((e = sy_query_next(q, f)) == SY_OK) {
        sy_alert_row row = sy_store__alert_row(q);
        if (!fn(ctx, &row))
            break;
    }
    sy_query_end(q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_alerts(sy_store *s, bool (*fn)(void *ctx, const sy_alert_row *a), void *ctx,
                       sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT * FROM alert ORDER BY raised,rule,subject,id", f);
    return e ? e : sy_store__alert_rows(&q, fn, ctx, f);
}

sy_err sy_store_snapshot_put(sy_store *s, uint64_t seq, const char *set_hash, sy_span bytes,
                             sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    e = sy_store__run(s, SY_SQL_SNAPSHOT_PUT, f, "itb", (int64_t)seq, set_hash, &bytes);
    if (!e)
        e = sy_store__save_open(s, seq, f);
    return sy_store__fail(s, e);
}

sy_err sy_store_snapshot_get(sy_store *s, uint64_t *seq, char set_hash[65], sy_buf *out, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT seq,set_hash,bytes FROM snapshot", f);
    if (e)
        return e;
    e = sy_query_next(&q, f);
    if (!e) {
        const char *hash = sy_query_text(&q, 1);
        size_t n = hash ? strnlen(hash, 65) : 65;
        if (n > 64)
            e = sy_fail_set(f, SY_E_CORRUPT, "store: the snapshot has no hash");
        else
            memcpy(set_hash, hash, n + 1);
        *seq = (uint64_t)sqlite3_column_int64(q.st, 0);
        sy_buf_put(out, sqlite3_column_blob(q.st, 2), (size_t)sqlite3_column_bytes(q.st, 2));
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? sy_fail_set(f, e, "store: there is no snapshot yet") : e;
}
