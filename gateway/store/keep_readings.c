/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks of readings that expire, and those that are held. A chunk goes whole, when its last
 * reading is old enough. Each series is asked for its oldest by the index, so that a look costs the
 * same in a store of any size.
 */
#include <stdlib.h>

#include "store/keep.h"
#include "store/leaves.h"
#include "store/store_int.h"

/* A chunk lies within one stretch of 14 days (open_int.h): which may hold time t is told by t1. */
#define STRETCH_MS "1209600000"
#define HELD                                                                                       \
    "(SELECT 1 FROM hold h JOIN alert a ON a.id=h.alert WHERE t1>=a.onset-" SY_HOLD_MARGIN_MS      \
    " AND t0<=coalesce(a.cleared+" SY_HOLD_MARGIN_MS ",t0))"

typedef struct chunk_row {
    int64_t number, series, leaf; /* leaf -1: none */
    sy_ms t1;
} chunk_row;

static sy_err find_old(sy_store *s, sy_stretch of, size_t max, chunk_row **rows, size_t *n,
                       sy_fail *f)
{
    sy_query q;
    size_t cap = 0;
    void *list = NULL;
    *n = 0;
    *rows = NULL;
    sy_err e = sy_query_begin(
        &q, s,
        "SELECT c.number,c.series,c.t1,c.leaf FROM series s JOIN chunk c ON c.number="
        "(SELECT number FROM chunk WHERE series=s.id AND t1>=?3 AND t1<?1 AND NOT EXISTS " HELD
        " ORDER BY t1 LIMIT 1) ORDER BY c.t1 LIMIT ?2",
        f);
    if (e)
        return e;
    sy_store__bind(q.st, "iii", of.before, (int64_t)max, of.from);
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        if (sy_grow(sy_heap(), &list, &cap, *n + 1, sizeof **rows)) {
            e = sy_fail_set(f, SY_E_NOMEM, "no memory for what expires");
            break;
        }
        bool leaf = sqlite3_column_type(q.st, 3) != SQLITE_NULL;
        ((chunk_row *)list)[(*n)++] = (chunk_row){
            .number = sqlite3_column_int64(q.st, 0),
            .series = sqlite3_column_int64(q.st, 1),
            .t1 = sqlite3_column_int64(q.st, 2),
            .leaf = leaf ? sqlite3_column_int64(q.st, 3) : -1,
        };
    }
    sy_query_end(&q);
    *rows = list;
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

static sy_err expire_chunk(sy_store *s, const chunk_row *c, sy_ms now, sy_fail *f)
{
    uint64_t index;
    sy_err e = SY_OK;
    if (c->leaf >= 0)
        e = sy_store__expiry(s, "readings", (uint64_t)c->leaf, now, &index, f);
    if (!e)
        e = sy_store__exec(s, f, "DELETE FROM chunk WHERE number=?1", "i", c->number);
    /* Amendments of samples that no chunk holds any more. */
    if (!e)
        e = sy_store__exec(s, f,
                           "DELETE FROM amended WHERE series=?1 AND t<=?2 AND NOT EXISTS "
                           "(SELECT 1 FROM chunk c WHERE c.series=?1 AND c.t1>=amended.t AND "
                           "c.t0<=amended.t)",
                           "ii", c->series, c->t1);
    return e;
}

sy_err sy_store_expire_readings(sy_store *s, sy_stretch of, size_t max, sy_ms now, size_t *n,
                                sy_fail *f)
{
    chunk_row *rows = NULL;
    size_t found = 0;
    *n = 0;
    sy_err e = sy_store__in_batch(s, f);
    if (!e)
        e = find_old(s, of, max, &rows, &found, f);
    for (size_t i = 0; i < found && !e; i++) {
        e = expire_chunk(s, &rows[i], now, f);
        *n += !e;
    }
    free(rows);
    return sy_store__fail(s, e);
}

sy_err sy_store_held_records(sy_store *s, bool (*fn)(void *ctx, uint64_t first, uint64_t last),
                             void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(
        &q, s,
        "SELECT c.first_seq,c.last_seq FROM hold h JOIN alert a ON a.id=h.alert JOIN series s "
        "JOIN chunk c ON c.series=s.id AND c.t1>=a.onset-" SY_HOLD_MARGIN_MS
        " AND c.t1<=coalesce(a.cleared+" SY_HOLD_MARGIN_MS "+" STRETCH_MS ",c.t1)"
        " AND c.t0<=coalesce(a.cleared+" SY_HOLD_MARGIN_MS ",c.t0)",
        f);
    if (e)
        return e;
    while ((e = sy_query_next(&q, f)) == SY_OK)
        if (!fn(ctx, (uint64_t)sqlite3_column_int64(q.st, 0),
                (uint64_t)sqlite3_column_int64(q.st, 1)))
            break;
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_oldest_reading(sy_store *s, sy_ms *time, sy_fail *f)
{
    sy_query q;
    *time = SY_MS_NONE;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT min((SELECT min(t1) FROM chunk WHERE series=s.id)) "
                              "FROM series s",
                              f);
    if (e)
        return e;
    e = sy_query_next(&q, f);
    if (!e && sqlite3_column_type(q.st, 0) != SQLITE_NULL)
        *time = sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}
