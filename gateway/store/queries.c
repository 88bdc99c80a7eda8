/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings, read back. A long answer is many short queries, each over a window of time as wide as
 * gives some thousand rows: an open query would hold up the checkpoints of a writing gateway, and
 * its write-ahead log would grow without bound. Windows do not overlap, so that readings that are
 * settled meanwhile come once.
 */
#include <math.h>

#include "store/store_int.h"

enum { FEW_ROWS = 5000, MANY_ROWS = 20000, FIRST_WIDTH_MS = 600000 };

/* ?1: id of a series, null: all. The join is in this order so that each series is sought by key. */
#define SY_COLUMNS "s.series,s.device,s.name,r.t,r.recv,r.value,r.quality"
#define SY_WHERE   " WHERE (?1 IS NULL OR s.id=?1) AND r.t BETWEEN ?2 AND ?3"
static const char rows_sql[] =
    "SELECT " SY_COLUMNS " FROM series s CROSS JOIN reading r ON r.series=s.id" SY_WHERE
    " UNION ALL SELECT " SY_COLUMNS " FROM recent r CROSS JOIN series s ON s.id=r.series" SY_WHERE
    " ORDER BY 4,1,6";
static const char span_sql[] =
    "SELECT min(a),max(b) FROM (SELECT (SELECT min(t) FROM reading WHERE series=s.id) a,"
    " (SELECT max(t) FROM reading WHERE series=s.id) b FROM series s WHERE ?1 IS NULL OR s.id=?1"
    " UNION ALL SELECT min(t),max(t) FROM recent WHERE ?1 IS NULL OR series=?1)";

static void bind_id(const sy_query *q, int64_t id)
{
    if (id)
        sqlite3_bind_int64(q->st, 1, id);
}

static sy_err id_of(sy_store *s, const char *series, int64_t *id, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT id FROM series WHERE series=?1", f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", series);
    e = sy_query_next(&q, f);
    if (!e)
        *id = sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e;
}

/* Narrow [*from, *to] to what there is. SY_E_NOTFOUND: nothing. */
static sy_err narrow(sy_store *s, int64_t id, sy_ms *from, sy_ms *to, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, span_sql, f);
    if (e)
        return e;
    bind_id(&q, id);
    e = sy_query_next(&q, f);
    if (!e && sqlite3_column_type(q.st, 0) == SQLITE_NULL)
        e = SY_E_NOTFOUND;
    if (!e) {
        sy_ms first = sqlite3_column_int64(q.st, 0), last = sqlite3_column_int64(q.st, 1);
        *from = first > *from ? first : *from;
        *to = last < *to ? last : *to;
    }
    sy_query_end(&q);
    return e;
}

typedef struct reader {
    bool (*fn)(void *ctx, const sy_reading_row *r);
    void *ctx;
    int64_t id; /* 0: all series */
    bool ended;
} reader;

/* The rows of one window; *n of them. */
static sy_err read_window(sy_store *s, reader *r, sy_ms from, sy_ms to, size_t *n, sy_fail *f)
{
    sy_query q;
    *n = 0;
    sy_err e = sy_query_begin(&q, s, rows_sql, f);
    if (e)
        return e;
    bind_id(&q, r->id);
    sqlite3_bind_int64(q.st, 2, from);
    sqlite3_bind_int64(q.st, 3, to);
    while (!r->ended && (e = sy_query_next(&q, f)) == SY_OK) {
        const sy_reading_row row = {.series = sy_query_text(&q, 0),
                                    .device = sy_query_text(&q, 1),
                                    .name = sy_query_text(&q, 2),
                                    .t = sqlite3_column_int64(q.st, 3),
                                    .recv = sqlite3_column_int64(q.st, 4),
                                    .value = sy_store__value(q.st, 5),
                                    .quality = (sy_quality)sqlite3_column_int64(q.st, 6)};
        ++*n;
        r->ended = !r->fn(r->ctx, &row);
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_readings(sy_store *s, const char *series, sy_ms from, sy_ms to,
                         bool (*fn)(void *ctx, const sy_reading_row *r), void *ctx, sy_fail *f)
{
    reader r = {.fn = fn, .ctx = ctx};
    sy_err e = series ? id_of(s, series, &r.id, f) : SY_OK;
    if (!e)
        e = narrow(s, r.id, &from, &to, f);
    sy_ms width = FIRST_WIDTH_MS;
    while (!e && !r.ended && from <= to) {
        size_t n;
        /* Unsigned: a time can be as far away as its type allows. */
        uint64_t left = (uint64_t)to - (uint64_t)from;
        sy_ms end = left < (uint64_t)width ? to : from + width - 1;
        e = read_window(s, &r, from, end, &n, f);
        if (n < FEW_ROWS && width < SY_MS_MAX / 4)
            width *= 2;
        else if (n > MANY_ROWS && width > 1)
            width /= 2;
        if (end == to)
            break;
        from = end + 1;
    }
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_figures(sy_store *s, const char *series, sy_ms from, sy_ms to, double *min,
                        double *max, uint64_t *count, sy_fail *f)
{
    int64_t id = 0;
    sy_query q;
    *min = *max = NAN;
    *count = 0;
    sy_err e = id_of(s, series, &id, f);
    if (e)
        return e == SY_E_NOTFOUND ? SY_OK : e;
    e = sy_query_begin(&q, s,
                       "SELECT min(value),max(value),count(*) FROM every_reading "
                       "WHERE series=?1 AND t BETWEEN ?2 AND ?3 AND (quality&3)=0",
                       f);
    if (e)
        return e;
    sy_store__bind(q.st, "iii", id, from, to);
    e = sy_query_next(&q, f);
    if (!e && sqlite3_column_type(q.st, 0) != SQLITE_NULL) {
        *min = sy_store__value(q.st, 0);
        *max = sy_store__value(q.st, 1);
        *count = (uint64_t)sqlite3_column_int64(q.st, 2);
    }
    sy_query_end(&q);
    return e;
}
