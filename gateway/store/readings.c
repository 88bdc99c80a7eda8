/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series and readings. A reading newer than all of its series is the common case and costs one
 * insert at the end of `recent`; only others are looked for first. Two values of one time make each
 * other uncertain; bad readings are no party to that.
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

static bool equal(double a, double b)
{
    return !(a < b || a > b) && isnan(a) == isnan(b);
}

/* What is there at a time already. */
typedef struct at_time {
    bool known, other;  /* the same value; another one that is not bad */
    sy_quality quality; /* of the same value */
    uint32_t at;        /* and its place among the recent ones, 0: settled */
} at_time;

static void note(at_time *a, double have, sy_quality q, uint32_t at, double value)
{
    if (equal(have, value)) {
        a->known = true;
        a->quality = q;
        a->at = at;
    } else if ((q & SY_Q_GRADE) < SY_Q_BAD) {
        a->other = true;
    }
}

static sy_err look_at(sy_store *s, int64_t series, sy_ms t, double value, at_time *a, sy_fail *f)
{
    *a = (at_time){0};
    for (uint32_t i = 0; (i = sy_recent_find(s->recent, series, t, i));)
        note(a, s->recent->rows[i - 1].value, s->recent->rows[i - 1].quality, i, value);
    sqlite3_stmt *st = sy_store__get(s, SY_SQL_READING_AT, f);
    if (!st)
        return SY_E_IO;
    sy_store__bind(st, "ii", series, t);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        note(a, sy_store__value(st, 0), (sy_quality)sqlite3_column_int64(st, 1), 0, value);
    sy_err e = rc == SQLITE_DONE ? SY_OK : sy_store__err(s->writer, rc, "read readings", f);
    sqlite3_reset(st);
    return e;
}

/* Everything at that time that is not bad contradicts something else there. */
static sy_err mark_conflict(sy_store *s, int64_t series, sy_ms t, sy_fail *f)
{
    sy_err e = SY_OK;
    for (uint32_t i = 0; !e && (i = sy_recent_find(s->recent, series, t, i));) {
        sy_quality q = s->recent->rows[i - 1].quality;
        if ((q & SY_Q_GRADE) < SY_Q_BAD)
            e = sy_recent_set(s, i, sy_quality_worsen(q, SY_Q_UNCERTAIN, SY_Q_CONFLICT), f);
    }
    if (e)
        return e;
    return sy_store__run(s, SY_SQL_CONFLICT, f, "iiiii", series, t, (int64_t)SY_Q_CONFLICT,
                         (int64_t)SY_Q_UNCERTAIN, (int64_t)SY_Q_BAD);
}

/* A reading at a time that may hold one already. */
static sy_err put_among(sy_store *s, const sy_recent_row *row, sy_ms recv, uint64_t seq,
                        sy_put *put, sy_fail *f)
{
    at_time a;
    sy_err e = look_at(s, row->series, row->t, row->value, &a, f);
    sy_quality grade = row->quality & SY_Q_GRADE;
    bool better = a.known && grade < (a.quality & SY_Q_GRADE) && !(a.quality & SY_Q_CONFLICT);
    *put = a.known ? SY_PUT_DUPLICATE : SY_PUT_NEW;
    if (e || (a.known && !better))
        return e;
    if (!better)
        e = sy_recent_add(s, row, recv, seq, f);
    else if (a.at)
        e = sy_recent_set(s, a.at, row->quality, f);
    else
        e = sy_store__run(s, SY_SQL_READING_SET, f, "iidi", (int64_t)row->series, row->t,
                          row->value, (int64_t)row->quality);
    if (e || !a.other || grade == SY_Q_BAD)
        return e;
    if (!a.known)
        *put = SY_PUT_CONFLICT;
    return mark_conflict(s, row->series, row->t, f);
}

sy_err sy_store_reading(sy_store *s, int64_t series, sy_ms t, double value, sy_quality q,
                        sy_ms recv, uint64_t seq, sy_put *put, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    if (series < 1 || series > UINT32_MAX)
        return sy_fail_set(f, SY_E_RANGE, "store: no such series");
    sy_ms *newest = NULL;
    const sy_recent_row row = {.t = t, .value = value, .series = (uint32_t)series, .quality = q};
    e = sy_recent_newest(s, series, &newest, f);
    if (!e && t > *newest) {
        *put = SY_PUT_NEW;
        e = sy_recent_add(s, &row, recv, seq, f);
        if (!e)
            *newest = t;
    } else if (!e) {
        e = put_among(s, &row, recv, seq, put, f);
    }
    return sy_store__fail(s, e);
}
