/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed segments of the journal as rows. */
#include "store/segments.h"

#include "store/leaves.h"
#include "store/store_int.h"

#define COLUMNS "first,last,records,raw,stored,begin,end,root,leaf,expired"

sy_err sy_store_segment_put(sy_store *s, const sy_segment_row *row, sy_fail *f)
{
    char root[65];
    sy_buf leaf;
    uint64_t index = 0;
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    sy_digest_hex(&row->root, root);
    sy_buf_init(&leaf, sy_heap());
    sy_buf_printf(&leaf,
                  "{\"leaf\":\"segment\",\"first\":%llu,\"last\":%llu,\"records\":%llu,"
                  "\"root\":\"%s\"}",
                  (unsigned long long)row->first, (unsigned long long)row->last,
                  (unsigned long long)row->records, root);
    e = leaf.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a leaf")
                    : sy_store_leaf(s, sy_buf_span(&leaf), &index, f);
    sy_buf_fini(&leaf);
    sy_span bytes = {(const char *)row->root.b, sizeof row->root.b};
    if (!e)
        e = sy_store__exec(s, f,
                           "INSERT INTO segment(first,last,records,raw,stored,begin,end,root,leaf) "
                           "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
                           "iiiiiiibi", (int64_t)row->first, (int64_t)row->last,
                           (int64_t)row->records, (int64_t)row->raw, (int64_t)row->stored,
                           row->from, row->to, &bytes, (int64_t)index);
    return sy_store__fail(s, e);
}

sy_err sy_store_segment_expire(sy_store *s, uint64_t first, sy_ms now, sy_fail *f)
{
    sy_segment_row row;
    uint64_t index = 0;
    sy_err e = sy_store_segment_get(s, first, &row, f);
    if (!e && row.expired)
        return SY_OK;
    if (!e)
        e = sy_store__expiry(s, "raw", row.leaf, now, &index, f);
    if (!e)
        e = sy_store__exec(s, f, "UPDATE segment SET expired=?2 WHERE first=?1", "ii",
                           (int64_t)first, (int64_t)index);
    return sy_store__fail(s, e);
}

static sy_err read_row(const sy_query *q, sy_segment_row *r, sy_fail *f)
{
    *r = (sy_segment_row){
        .first = (uint64_t)sqlite3_column_int64(q->st, 0),
        .last = (uint64_t)sqlite3_column_int64(q->st, 1),
        .records = (uint64_t)sqlite3_column_int64(q->st, 2),
        .raw = (uint64_t)sqlite3_column_int64(q->st, 3),
        .stored = (uint64_t)sqlite3_column_int64(q->st, 4),
        .from = sqlite3_column_int64(q->st, 5),
        .to = sqlite3_column_int64(q->st, 6),
        .leaf = (uint64_t)sqlite3_column_int64(q->st, 8),
        .expired = sqlite3_column_type(q->st, 9) != SQLITE_NULL,
    };
    if (sqlite3_column_bytes(q->st, 7) != (int)sizeof r->root.b)
        return sy_fail_set(f, SY_E_CORRUPT, "store: the row of segment %016llx is damaged",
                           (unsigned long long)r->first);
    memcpy(r->root.b, sqlite3_column_blob(q->st, 7), sizeof r->root.b);
    return SY_OK;
}

static sy_err one(sy_store *s, const char *sql, uint64_t number, sy_segment_row *row, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, sql, f);
    if (e)
        return e;
    sqlite3_bind_int64(q.st, 1, (int64_t)number);
    e = sy_query_next(&q, f);
    if (!e)
        e = read_row(&q, row, f);
    else if (e == SY_E_NOTFOUND)
        sy_fail_set(f, e, "store: no sealed segment for record %llu", (unsigned long long)number);
    sy_query_end(&q);
    return e;
}

sy_err sy_store_segment_get(sy_store *s, uint64_t first, sy_segment_row *row, sy_fail *f)
{
    return one(s, "SELECT " COLUMNS " FROM segment WHERE first=?1", first, row, f);
}

sy_err sy_store_segment_of(sy_store *s, uint64_t seq, sy_segment_row *row, sy_fail *f)
{
    sy_err e = one(s,
                   "SELECT " COLUMNS " FROM segment WHERE first<=?1 ORDER BY first DESC "
                   "LIMIT 1",
                   seq, row, f);
    return !e && row->last < seq
               ? sy_fail_set(f, SY_E_NOTFOUND, "store: no sealed segment for record %llu",
                             (unsigned long long)seq)
               : e;
}

sy_err sy_store_segments(sy_store *s, bool (*fn)(void *ctx, const sy_segment_row *r), void *ctx,
                         sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(
        &q, s, "SELECT " COLUMNS " FROM segment WHERE expired IS NULL ORDER BY first", f);
    if (e)
        return e;
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        sy_segment_row row;
        e = read_row(&q, &row, f);
        if (e || !fn(ctx, &row))
            break;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}
