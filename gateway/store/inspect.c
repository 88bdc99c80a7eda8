/* SPDX-License-Identifier: Apache-2.0 */
/* What a verifier asks: single events, all leaves, stored subtrees, SQLite's own check. */
#include "store/basis.h"

#include <math.h>
#include <stdlib.h>

#include "store/chunk.h"
#include "store/seal_int.h"
#include "store/store_int.h"

sy_err sy_store_event_get(sy_store *s, const char *id, sy_buf *body, uint64_t *leaf, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT body,leaf FROM event WHERE id=?1", f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", id);
    e = sy_query_next(&q, f);
    if (!e) {
        bool none = sqlite3_column_type(q.st, 1) != SQLITE_INTEGER;
        *leaf = none ? SY_NO_LEAF : (uint64_t)sqlite3_column_int64(q.st, 1);
        sy_buf_put(body, sqlite3_column_blob(q.st, 0), (size_t)sqlite3_column_bytes(q.st, 0));
        if (body->failed)
            e = sy_fail_set(f, SY_E_NOMEM, "no memory for an event");
    }
    sy_query_end(&q);
    return e;
}

sy_err sy_store_inspect(sy_store *s, void (*fn)(void *ctx, const char *line), void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "PRAGMA integrity_check(100)", f);
    if (e)
        return e;
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        const char *line = sy_query_text(&q, 0);
        if (line && strcmp(line, "ok") != 0)
            fn(ctx, line);
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_each_leaf(sy_store *s, bool (*fn)(void *ctx, uint64_t index, sy_span leaf),
                          void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT n,bytes FROM leaf ORDER BY n", f);
    if (e)
        return e;
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        const void *bytes = sqlite3_column_blob(q.st, 1);
        const sy_span leaf = {bytes, (size_t)sqlite3_column_bytes(q.st, 1)};
        if (!fn(ctx, (uint64_t)sqlite3_column_int64(q.st, 0), leaf))
            break;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_node(sy_store *s, unsigned level, uint64_t index, sy_digest *out, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT hash FROM node WHERE level=?1 AND i=?2", f);
    if (e)
        return e;
    sy_store__bind(q.st, "ii", (int64_t)level, (int64_t)index);
    e = sy_query_next(&q, f);
    if (!e) {
        const void *hash = sqlite3_column_blob(q.st, 0);
        if (hash && sqlite3_column_bytes(q.st, 0) == (int)sizeof out->b)
            memcpy(out->b, hash, sizeof out->b);
        else
            e = sy_fail_set(f, SY_E_CORRUPT, "store: a subtree of the ledger is damaged");
    }
    sy_query_end(&q);
    return e;
}

sy_err sy_store_loose(sy_store *s, uint64_t *events, uint64_t *nodes, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT (SELECT count(*) FROM event WHERE leaf IS NULL),"
                              "(SELECT count(*) FROM node)",
                              f);
    if (e)
        return e;
    e = sy_query_next(&q, f);
    if (!e) {
        *events = (uint64_t)sqlite3_column_int64(q.st, 0);
        *nodes = (uint64_t)sqlite3_column_int64(q.st, 1);
    }
    sy_query_end(&q);
    return e;
}

static bool same_number(const sy_query *q, int column, double x)
{
    return isnan(x) ? sqlite3_column_type(q->st, column) == SQLITE_NULL
                    : sqlite3_column_double(q->st, column) == x;
}

/* Columns: number, series, t0, t1, n, first_seq, last_seq, leaf, root, bytes, valid, min, max, sum
 */
static void look_at(const sy_query *q, sy_sample *room, sy_chunk_fact *c)
{
    size_t n = 0;
    sy_chunk_figures x;
    const sy_span bytes = {sqlite3_column_blob(q->st, 9), (size_t)sqlite3_column_bytes(q->st, 9)};
    const void *root = sqlite3_column_blob(q->st, 8);
    *c = (sy_chunk_fact){.series = sy_query_text(q, 1),
                         .number = sqlite3_column_int64(q->st, 0),
                         .from = sqlite3_column_int64(q->st, 2),
                         .to = sqlite3_column_int64(q->st, 3),
                         .n = (uint64_t)sqlite3_column_int64(q->st, 4),
                         .first_seq = (uint64_t)sqlite3_column_int64(q->st, 5),
                         .last_seq = (uint64_t)sqlite3_column_int64(q->st, 6),
                         .leaf = (uint64_t)sqlite3_column_int64(q->st, 7)};
    if (!c->series || sy_chunk_decode(bytes, room, SY_CHUNK_MAX, &n, NULL) || n == 0)
        return;
    c->root = sy_chunk_root(room, n);
    sy_chunk_sum(room, n, &x);
    c->sound = n == c->n && room[0].t == c->from && room[n - 1].t == c->to && root &&
               sqlite3_column_bytes(q->st, 8) == (int)sizeof c->root.b &&
               memcmp(root, c->root.b, sizeof c->root.b) == 0 &&
               (uint64_t)sqlite3_column_int64(q->st, 10) == x.valid && same_number(q, 11, x.min) &&
               same_number(q, 12, x.max) && same_number(q, 13, x.sum);
}

sy_err sy_store_each_chunk(sy_store *s, bool (*fn)(void *ctx, const sy_chunk_fact *c), void *ctx,
                           sy_fail *f)
{
    sy_query q;
    sy_sample *room = calloc(SY_CHUNK_MAX, sizeof *room);
    if (!room)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a chunk");
    sy_err e =
        sy_query_begin(&q, s,
                       "SELECT c.number,s.series,c.t0,c.t1,c.n,c.first_seq,c.last_seq,c.leaf,"
                       "c.root,c.bytes,c.valid,c.min,c.max,c.sum FROM chunk c "
                       "LEFT JOIN series s ON s.id=c.series ORDER BY c.number",
                       f);
    bool more = true;
    while (!e && more && (e = sy_query_next(&q, f)) == SY_OK) {
        sy_chunk_fact c;
        look_at(&q, room, &c);
        more = fn(ctx, &c);
    }
    if (e == SY_OK || e == SY_E_NOTFOUND) {
        sy_query_end(&q);
        e = SY_OK;
    }
    free(room);
    return e;
}
