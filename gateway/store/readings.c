/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series and readings. A reading newer than all of its series is the common case and costs one
 * insert; only others are looked for first. Two values of one time make each other uncertain; bad
 * readings are no party to that.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "store/store_int.h"

static sy_err add_series(sy_store *s, const char *series, const char *device, const char *name,
                         const char *unit, int64_t *id, sy_fail *f)
{
    sy_err e = sy_store__run(s, SY_SQL_SERIES_ADD, f, "tttt", series, device, name, unit);
    if (!e)
        *id = sqlite3_last_insert_rowid(s->writer);
    return e;
}

static bool same(const unsigned char *have, const char *want)
{
    return have && strcmp((const char *)have, want) == 0;
}

sy_err sy_store_series(sy_store *s, const char *series, const char *device, const char *name,
                       const char *unit, int64_t *id, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    sqlite3_stmt *st = sy_store__get(s, SY_SQL_SERIES_FIND, f);
    if (!st)
        return sy_store__fail(s, SY_E_IO);
    if (!unit)
        unit = "";
    sy_store__bind(st, "t", series);
    int rc = sqlite3_step(st);
    bool changed = false;
    if (rc == SQLITE_ROW) {
        *id = sqlite3_column_int64(st, 0);
        changed = !same(sqlite3_column_text(st, 1), device) ||
                  !same(sqlite3_column_text(st, 2), name) ||
                  !same(sqlite3_column_text(st, 3), unit);
    } else if (rc != SQLITE_DONE) {
        e = sy_store__err(s->writer, rc, "read a series", f);
    }
    sqlite3_reset(st);
    if (rc == SQLITE_DONE)
        e = add_series(s, series, device, name, unit, id, f);
    else if (changed)
        e = sy_store__run(s, SY_SQL_SERIES_SET, f, "ittt", *id, device, name, unit);
    return sy_store__fail(s, e);
}

/* Time of the newest reading of a series, SY_MS_NONE where there is none: a slot to keep up. */
static sy_err newest_of(sy_store *s, int64_t series, sy_ms **out, sy_fail *f)
{
    size_t i = (size_t)series - 1;
    if (i >= s->newest_n) {
        if (sy_grow(sy_heap(), (void **)&s->newest, &s->newest_cap, i + 1, sizeof *s->newest))
            return sy_fail_set(f, SY_E_NOMEM, "no memory for the store's series");
        while (s->newest_n <= i)
            s->newest[s->newest_n++] = SY_MS_MAX;
    }
    *out = &s->newest[i];
    if (s->newest[i] != SY_MS_MAX)
        return SY_OK;
    sqlite3_stmt *st = sy_store__get(s, SY_SQL_NEWEST, f);
    if (!st)
        return SY_E_IO;
    sy_store__bind(st, "i", series);
    int rc = sqlite3_step(st);
    sy_err e = SY_OK;
    if (rc != SQLITE_ROW)
        e = sy_store__err(s->writer, rc, "read a series", f);
    else
        s->newest[i] =
            sqlite3_column_type(st, 0) == SQLITE_NULL ? SY_MS_NONE : sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return e;
}

static double value_of(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_TEXT ? NAN : sqlite3_column_double(st, column);
}

static bool equal(double a, double b)
{
    return !(a < b || a > b) && isnan(a) == isnan(b);
}

/* What is there at a time already. */
typedef struct at_time {
    bool known, other;  /* the same value; another one that is not bad */
    sy_quality quality; /* of the same value */
} at_time;

static sy_err look_at(sy_store *s, int64_t series, sy_ms t, double value, at_time *a, sy_fail *f)
{
    *a = (at_time){0};
    sqlite3_stmt *st = sy_store__get(s, SY_SQL_READING_AT, f);
    if (!st)
        return SY_E_IO;
    sy_store__bind(st, "ii", series, t);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        sy_quality q = (sy_quality)sqlite3_column_int64(st, 1);
        if (equal(value_of(st, 0), value)) {
            a->known = true;
            a->quality = q;
        } else if ((q & SY_Q_GRADE) < SY_Q_BAD) {
            a->other = true;
        }
    }
    sy_err e = rc == SQLITE_DONE ? SY_OK : sy_store__err(s->writer, rc, "read readings", f);
    sqlite3_reset(st);
    return e;
}

static sy_err add_reading(sy_store *s, int64_t series, sy_ms t, double value, sy_quality q,
                          sy_ms recv, uint64_t seq, sy_fail *f)
{
    return sy_store__run(s, SY_SQL_READING_ADD, f, "iidiii", series, t, value, (int64_t)q, recv,
                         (int64_t)seq);
}

/* A reading at a time that may hold one already. */
static sy_err put_among(sy_store *s, int64_t series, sy_ms t, double value, sy_quality q,
                        sy_ms recv, uint64_t seq, sy_put *put, sy_fail *f)
{
    at_time a;
    sy_err e = look_at(s, series, t, value, &a, f);
    bool better =
        a.known && (q & SY_Q_GRADE) < (a.quality & SY_Q_GRADE) && !(a.quality & SY_Q_CONFLICT);
    if (e || (a.known && !better)) {
        *put = SY_PUT_DUPLICATE;
        return e;
    }
    *put = a.known ? SY_PUT_DUPLICATE : SY_PUT_NEW;
    if (better)
        e = sy_store__run(s, SY_SQL_READING_SET, f, "iidi", series, t, value, (int64_t)q);
    else
        e = add_reading(s, series, t, value, q, recv, seq, f);
    if (e || !a.other || (q & SY_Q_GRADE) == SY_Q_BAD)
        return e;
    if (!a.known)
        *put = SY_PUT_CONFLICT;
    return sy_store__run(s, SY_SQL_CONFLICT, f, "iiiii", series, t, (int64_t)SY_Q_CONFLICT,
                         (int64_t)SY_Q_UNCERTAIN, (int64_t)SY_Q_BAD);
}

sy_err sy_store_reading(sy_store *s, int64_t series, sy_ms t, double value, sy_quality q,
                        sy_ms recv, uint64_t seq, sy_put *put, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    if (series < 1 || t == SY_MS_MAX)
        return sy_fail_set(f, SY_E_RANGE, "store: no such series or time");
    sy_ms *newest = NULL;
    e = newest_of(s, series, &newest, f);
    if (!e && t > *newest) {
        *put = SY_PUT_NEW;
        e = add_reading(s, series, t, value, q, recv, seq, f);
        if (!e)
            *newest = t;
    } else if (!e) {
        e = put_among(s, series, t, value, q, recv, seq, put, f);
    }
    return sy_store__fail(s, e);
}

static const char by_series[] =
    "SELECT s.series,s.device,s.name,r.t,r.recv,r.value,r.quality FROM series s JOIN reading r "
    "ON r.series=s.id WHERE s.series=?1 AND r.t BETWEEN ?2 AND ?3 ORDER BY r.t,r.value";
static const char all_series[] =
    "SELECT s.series,s.device,s.name,r.t,r.recv,r.value,r.quality FROM series s JOIN reading r "
    "ON r.series=s.id WHERE ?1 IS NULL AND r.t BETWEEN ?2 AND ?3 ORDER BY r.t,s.series,r.value";

sy_err sy_store_readings(sy_store *s, const char *series, sy_ms from, sy_ms to,
                         bool (*fn)(void *ctx, const sy_reading_row *r), void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, series ? by_series : all_series, f);
    if (e)
        return e;
    sy_store__bind(q.st, "tii", series, from, to);
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        sy_reading_row r = {.series = sy_query_text(&q, 0),
                            .device = sy_query_text(&q, 1),
                            .name = sy_query_text(&q, 2),
                            .t = sqlite3_column_int64(q.st, 3),
                            .recv = sqlite3_column_int64(q.st, 4),
                            .value = value_of(q.st, 5),
                            .quality = (sy_quality)sqlite3_column_int64(q.st, 6)};
        if (!fn(ctx, &r))
            break;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_figures(sy_store *s, const char *series, sy_ms from, sy_ms to, double *min,
                        double *max, uint64_t *count, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(
        &q, s,
        "SELECT min(value),max(value),count(*) FROM reading WHERE "
        "series=(SELECT id FROM series WHERE series=?1) AND t BETWEEN ?2 AND ?3 AND (quality&3)=0",
        f);
    if (e)
        return e;
    sy_store__bind(q.st, "tii", series, from, to);
    e = sy_query_next(&q, f);
    if (!e) {
        bool none = sqlite3_column_type(q.st, 0) == SQLITE_NULL;
        *min = none ? NAN : value_of(q.st, 0);
        *max = none ? NAN : value_of(q.st, 1);
        *count = (uint64_t)sqlite3_column_int64(q.st, 2);
    }
    sy_query_end(&q);
    return e;
}
