/* SPDX-License-Identifier: Apache-2.0 */
/* Events in the order of their numbers, which is that of their transactions. */
#include "store/follow.h"

#include "store/store_int.h"

static sy_err each(sy_query *q, sy_change_row_fn fn, void *ctx, sy_fail *f)
{
    sy_err e;
    while ((e = sy_query_next(q, f)) == SY_OK) {
        sy_change_row r = {sqlite3_column_int64(q->st, 0),
                           sqlite3_column_type(q->st, 1) == SQLITE_NULL ? NULL
                                                                        : sy_query_text(q, 1),
                           {sqlite3_column_blob(q->st, 2), (size_t)sqlite3_column_bytes(q->st, 2)}};
        if (!fn(ctx, &r))
            break;
    }
    sy_query_end(q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

static sy_err newest(sy_store *s, int64_t *last, sy_fail *f)
{
    sy_query q;
    *last = 0;
    sy_err e = sy_query_begin(&q, s, "SELECT ifnull(max(number),0) FROM event", f);
    if (e)
        return e;
    e = sy_query_next(&q, f);
    if (!e)
        *last = sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e;
}

sy_err sy_store_active_events(sy_store *s, int64_t *last, sy_change_row_fn fn, void *ctx,
                              sy_fail *f)
{
    sy_query q;
    sy_err e = newest(s, last, f);
    if (!e)
        e = sy_query_begin(&q, s,
                           "SELECT e.number,e.alert,e.body FROM alert a JOIN event e "
                           "ON e.alert=a.id WHERE a.cleared IS NULL AND a.state=0 AND a.trial=0 "
                           "AND e.number<=?1 ORDER BY e.number",
                           f);
    if (e)
        return e;
    sy_store__bind(q.st, "i", *last);
    return each(&q, fn, ctx, f);
}

sy_err sy_store_events_after(sy_store *s, int64_t after, sy_change_row_fn fn, void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(
        &q, s, "SELECT number,alert,body FROM event WHERE number>?1 ORDER BY number", f);
    if (e)
        return e;
    sy_store__bind(q.st, "i", after);
    return each(&q, fn, ctx, f);
}
