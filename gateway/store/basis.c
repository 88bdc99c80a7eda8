/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of readings as blobs of zstd, and the events that they belong to. */
#include "store/basis.h"

#include <stdlib.h>
#include <zstd.h>

#include "store/store_int.h"

enum { LEVEL = 6 };

sy_err sy_store_basis_put(sy_store *s, const char *event, uint64_t n, const sy_digest *root,
                          sy_span lines, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    if (lines.n > SY_STORE_BASIS_MAX)
        return sy_fail_set(f, SY_E_RANGE, "store: the basis of event %s is too large", event);
    size_t cap = ZSTD_compressBound(lines.n);
    char *bytes = malloc(cap);
    if (!bytes)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the basis of an alert");
    size_t size = ZSTD_compress(bytes, cap, lines.p, lines.n, LEVEL);
    sy_span hash = {(const char *)root->b, sizeof root->b}, blob = {bytes, size};
    if (ZSTD_isError(size))
        e = sy_fail_set(f, SY_E_NOMEM, "zstd: %s", ZSTD_getErrorName(size));
    else
        e = sy_store__run(s, SY_SQL_BASIS_ADD, f, "tibb", event, (int64_t)n, &hash, &blob);
    free(bytes);
    return sy_store__fail(s, e);
}

static sy_err expand(const char *event, const void *bytes, size_t size, sy_buf *out, sy_fail *f)
{
    unsigned long long n = ZSTD_getFrameContentSize(bytes, size);
    if (n == ZSTD_CONTENTSIZE_ERROR || n == ZSTD_CONTENTSIZE_UNKNOWN || n > SY_STORE_BASIS_MAX)
        return sy_fail_set(f, SY_E_CORRUPT, "store: the basis of event %s is damaged", event);
    char *lines = malloc(n ? (size_t)n : 1);
    if (!lines)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the basis of an alert");
    size_t got = ZSTD_decompress(lines, (size_t)n, bytes, size);
    sy_err e = SY_OK;
    if (ZSTD_isError(got) || got != n)
        e = sy_fail_set(f, SY_E_CORRUPT, "store: the basis of event %s is damaged", event);
    else
        sy_buf_put(out, lines, got);
    free(lines);
    if (!e && out->failed)
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for the basis of an alert");
    return e;
}

sy_err sy_store_basis_get(sy_store *s, const char *event, uint64_t *n, sy_digest *root, sy_buf *out,
                          sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT n,root,lines FROM basis WHERE event=?1", f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", event);
    e = sy_query_next(&q, f);
    if (!e) {
        const void *hash = sqlite3_column_blob(q.st, 1);
        *n = (uint64_t)sqlite3_column_int64(q.st, 0);
        if (!hash || sqlite3_column_bytes(q.st, 1) != (int)sizeof root->b) {
            e = sy_fail_set(f, SY_E_CORRUPT, "store: the basis of event %s is damaged", event);
        } else {
            memcpy(root->b, hash, sizeof root->b);
            const void *blob = sqlite3_column_blob(q.st, 2);
            e = expand(event, blob, (size_t)sqlite3_column_bytes(q.st, 2), out, f);
        }
    }
    sy_query_end(&q);
    return e;
}

sy_err sy_store_events(sy_store *s, const char *alert, bool (*fn)(void *ctx, const sy_event_row *e),
                       void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT id,kind,alert,time,severity,priority,body FROM event "
                              "WHERE ?1 IS NULL OR alert=?1 ORDER BY number",
                              f);
    if (e)
        return e;
    if (alert)
        sy_store__bind(q.st, "t", alert);
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        sy_event_row row = {.id = sy_query_text(&q, 0),
                            .kind = sy_query_text(&q, 1),
                            .alert = sy_query_text(&q, 2),
                            .time = sqlite3_column_int64(q.st, 3),
                            .severity = sqlite3_column_int(q.st, 4),
                            .priority = sqlite3_column_int(q.st, 5)};
        row.body.p = sqlite3_column_blob(q.st, 6);
        row.body.n = (size_t)sqlite3_column_bytes(q.st, 6);
        if (!row.id || !row.kind || !row.body.p) {
            e = sy_fail_set(f, SY_E_CORRUPT, "store: a row of the events is damaged");
            break;
        }
        if (!fn(ctx, &row))
            break;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}
