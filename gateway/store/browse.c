/* SPDX-License-Identifier: Apache-2.0 */
/* The same rows as the whole list (alerts.c), by other conditions. */
#include "store/browse.h"

#include "store/store_int.h"

sy_err sy_store_alerts_newest(sy_store *s, const sy_browse *b,
                              bool (*fn)(void *ctx, const sy_alert_row *a), void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT * FROM alert WHERE raised<?1 AND (?2=0 OR state=0) "
                              "AND (?3 IS NULL OR rule=?3) ORDER BY raised DESC,id LIMIT ?4",
                              f);
    if (e)
        return e;
    sy_store__bind(q.st, "iiti", b->before, (int64_t)b->open, b->rule, b->max);
    return sy_store__alert_rows(&q, fn, ctx, f);
}

sy_err sy_store_alert_get(sy_store *s, const char *id, bool (*fn)(void *ctx, const sy_alert_row *a),
                          void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT * FROM alert WHERE id=?1", f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", id);
    e = sy_query_next(&q, f);
    if (e) {
        sy_query_end(&q);
        return e == SY_E_NOTFOUND ? sy_fail_set(f, e, "there is no alert %.64s", id) : e;
    }
    sy_alert_row row = sy_store__alert_row(&q);
    fn(ctx, &row);
    sy_query_end(&q);
    return SY_OK;
}

sy_err sy_store_alert_events(sy_store *s, const char *alert, bool (*fn)(void *ctx, sy_span body),
                             void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT body FROM event WHERE alert=?1 ORDER BY number", f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", alert);
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        sy_span body = {sqlite3_column_blob(q.st, 0), (size_t)sqlite3_column_bytes(q.st, 0)};
        if (!fn(ctx, body))
            break;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}
