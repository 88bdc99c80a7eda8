/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See past.h. A place has a row at nearly each time that is there at all, and there are some dozens
 * of times; so a place is found by stepping through the times, each step two look-ups by key.
 */
#include "store/past.h"

#include <stdlib.h>
#include <zstd.h>

#include "store/store_int.h"

enum { LEVEL = 3, MOST_BYTES = 1 << 28 };

static sy_err pack(sy_span bytes, sy_buf *out, sy_fail *f)
{
    size_t room = ZSTD_compressBound(bytes.n);
    char *to = malloc(room);
    size_t n = to ? ZSTD_compress(to, room, bytes.p, bytes.n, LEVEL) : 0;
    if (to && !ZSTD_isError(n))
        sy_buf_put(out, to, n);
    free(to);
    return n == 0 || ZSTD_isError(n) || out->failed
               ? sy_fail_set(f, SY_E_NOMEM, "no memory for a past state")
               : SY_OK;
}

static sy_err unpack(sy_span bytes, sy_buf *out, sy_fail *f)
{
    unsigned long long n = ZSTD_getFrameContentSize(bytes.p, bytes.n);
    if (n == ZSTD_CONTENTSIZE_UNKNOWN || n == ZSTD_CONTENTSIZE_ERROR || n > MOST_BYTES)
        return sy_fail_set(f, SY_E_CORRUPT, "store: a past state is damaged");
    char *to = malloc(n + 1);
    if (!to)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a past state");
    size_t got = ZSTD_decompress(to, n, bytes.p, bytes.n);
    if (!ZSTD_isError(got))
        sy_buf_put(out, to, got);
    free(to);
    if (ZSTD_isError(got) || got != n)
        return sy_fail_set(f, SY_E_CORRUPT, "store: a past state is damaged");
    return out->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a past state") : SY_OK;
}

sy_err sy_store_past_put(sy_store *s, const sy_past *p, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    sy_buf packed;
    sy_buf_init(&packed, sy_heap());
    e = pack(p->bytes, &packed, f);
    const sy_span bytes = sy_buf_span(&packed);
    if (!e)
        e = sy_store__run(s, SY_SQL_PAST_PUT, f, "ititb", p->time, p->place, (int64_t)p->seq,
                          p->set_hash, &bytes);
    sy_buf_fini(&packed);
    return sy_store__fail(s, e);
}

sy_err sy_store_past_forget(sy_store *s, sy_ms before, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    return sy_store__fail(s, sy_store__run(s, SY_SQL_PAST_FORGET, f, "i", before));
}

/* The nearest time in one direction; SY_E_NOTFOUND. */
static sy_err time_of(sy_store *s, const char *sql, sy_ms from, sy_ms *time, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, sql, f);
    if (e)
        return e;
    sy_store__bind(q.st, "i", from);
    e = sy_query_next(&q, f);
    if (!e && sqlite3_column_type(q.st, 0) == SQLITE_NULL)
        e = SY_E_NOTFOUND;
    if (!e)
        *time = sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e;
}

static sy_err row_at(sy_store *s, const char *place, sy_ms time, sy_past_at *at, sy_buf *bytes,
                     sy_fail *f)
{
    sy_query q;
    sy_err e =
        sy_query_begin(&q, s, "SELECT seq,set_hash,bytes FROM past WHERE time=?1 AND place=?2", f);
    if (e)
        return e;
    sy_store__bind(q.st, "it", time, place);
    e = sy_query_next(&q, f);
    if (!e) {
        const char *hash = sy_query_text(&q, 1);
        size_t n = hash ? strnlen(hash, 65) : 65;
        *at = (sy_past_at){.time = time, .seq = (uint64_t)sqlite3_column_int64(q.st, 0)};
        if (n > 64)
            e = sy_fail_set(f, SY_E_CORRUPT, "store: a past state has no hash");
        else
            memcpy(at->set_hash, hash, n);
        sy_span packed = {sqlite3_column_blob(q.st, 2), (size_t)sqlite3_column_bytes(q.st, 2)};
        if (!e && bytes)
            e = unpack(packed, bytes, f);
    }
    sy_query_end(&q);
    return e;
}

static sy_err step(sy_store *s, const char *sql, int by, const char *place, sy_ms time,
                   sy_past_at *at, sy_buf *bytes, sy_fail *f)
{
    sy_err e = SY_OK;
    for (sy_ms there; !(e = time_of(s, sql, time, &there, f)); time = there + by)
        if ((e = row_at(s, place, there, at, bytes, f)) != SY_E_NOTFOUND)
            return e;
    if (e == SY_E_NOTFOUND)
        return sy_fail_set(f, e, "store: there is no past state of %s", place);
    return e;
}

sy_err sy_store_past_get(sy_store *s, const char *place, sy_ms time, sy_past_at *at, sy_buf *bytes,
                         sy_fail *f)
{
    return step(s, "SELECT max(time) FROM past WHERE time<=?1", -1, place, time, at, bytes, f);
}

sy_err sy_store_past_next(sy_store *s, const char *place, sy_ms time, sy_past_at *at, sy_fail *f)
{
    return step(s, "SELECT min(time) FROM past WHERE time>=?1", 1, place, time + 1, at, NULL, f);
}
