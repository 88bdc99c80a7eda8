/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings, read back. A long answer is many windows of time, each as wide as gives some ten
 * thousand rows, and more where many series are asked for, so that a chunk is not decoded for a
 * handful of samples at a time: what is open is copied, the chunks that reach into the window are
 * decoded, all is sorted. So neither memory nor a lock nor an open transaction of the data base
 * lasts for the whole answer. Windows do not overlap, so that each reading comes once, sealed
 * meanwhile or not.
 */
#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/store_int.h"

enum { MANY_ROWS = 65536, MOST_ROWS = 524288, ROWS_A_SERIES = 256, FIRST_WIDTH_MS = 600000 };

/* A series that is asked for; its texts stay as long as the store. */
typedef struct asked {
    uint32_t id;
    const char *series, *device, *name;
} asked;

typedef struct row {
    sy_ms t;
    double value;
    sy_quality quality;
    uint32_t at; /* index of its series among those that are asked for: they are in order */
} row;

typedef struct part { /* a chunk that reaches into the window */
    int64_t number;
    uint32_t at;
} part;

typedef struct reader {
    sy_store *s;
    asked *asked;
    uint32_t *at_of; /* by id - 1; n_asked: not asked for */
    uint32_t n_asked, n_ids;
    row *rows;
    part *parts;
    size_t n_rows, cap_rows, n_parts, cap_parts;
    double expected; /* rows in the parts */
    size_t many;     /* rows that a window is to have at most */
    uint64_t chunks; /* number up to which rows belong to the window */
    sy_sample *room;
    sy_err damaged; /* the first chunk that could not be decoded, told in the end */
    sy_fail *f;
} reader;

static sy_err no_memory(sy_fail *f)
{
    return sy_fail_set(f, SY_E_NOMEM, "no memory to read readings");
}

/* The series to read, by name. Other threads do not see those that are not committed. */
static sy_err ask(reader *r, const char *series)
{
    const sy_memory *m = &r->s->memory;
    uint32_t n = (uint32_t)m->n_order;
    size_t shown = sy_store__owns(r->s) ? m->n_series : m->shown;
    r->n_ids = (uint32_t)m->n_series;
    r->asked = calloc(n + 1, sizeof *r->asked);
    r->at_of = malloc((r->n_ids + 1) * sizeof *r->at_of);
    r->room = malloc(SY_CHUNK_MAX * sizeof *r->room);
    if (!r->asked || !r->at_of || !r->room)
        return no_memory(r->f);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = m->order[i];
        const sy_series *x = &m->series[id - 1];
        if (id <= shown && (!series || strcmp(x->series, series) == 0))
            r->asked[r->n_asked++] = (asked){id, x->series, x->device, x->name};
    }
    r->many = (size_t)r->n_asked * ROWS_A_SERIES;
    r->many = r->many < MANY_ROWS ? MANY_ROWS : r->many > MOST_ROWS ? MOST_ROWS : r->many;
    for (uint32_t i = 0; i < r->n_ids; i++)
        r->at_of[i] = r->n_asked;
    for (uint32_t i = 0; i < r->n_asked; i++)
        r->at_of[r->asked[i].id - 1] = i;
    return SY_OK;
}

static void close_reader(reader *r)
{
    free(r->asked);
    free(r->at_of);
    free(r->rows);
    free(r->parts);
    free(r->room);
}

static sy_err add_row(reader *r, uint32_t at, sy_ms t, double value, sy_quality q)
{
    if (r->n_rows == r->cap_rows &&
        sy_grow(sy_heap(), (void **)&r->rows, &r->cap_rows, r->n_rows + 1, sizeof *r->rows))
        return no_memory(r->f);
    r->rows[r->n_rows++] = (row){t, value, q, at};
    return SY_OK;
}

static sy_err copy_run(reader *r, const sy_open *o, sy_ms from, sy_ms to)
{
    uint32_t at = o->series <= r->n_ids ? r->at_of[o->series - 1] : r->n_asked;
    sy_err e = SY_OK;
    if (at == r->n_asked || o->hi < from || o->lo > to)
        return SY_OK;
    for (uint32_t i = 0; i < o->n && !e; i++) {
        sy_ms t = sy_open_time(o, i);
        if (t >= from && t <= to)
            e = add_row(r, at, t, o->v[i].value, o->v[i].quality);
    }
    return e;
}

/* What is in memory, and the numbers that go with it. */
static sy_err copy_open(reader *r, sy_ms from, sy_ms to)
{
    sy_memory *m = &r->s->memory;
    sy_err e = SY_OK;
    pthread_mutex_lock(&m->mu);
    r->chunks = sy_chunk_rows(m);
    for (uint32_t i = 0; i < r->n_asked && !e; i++) {
        const sy_series *x = &m->series[r->asked[i].id - 1];
        for (size_t k = 0; k < x->n && !e; k++)
            e = copy_run(r, x->open[k], from, to);
    }
    for (size_t i = 0; i < m->n_sealed && !e; i++)
        e = copy_run(r, m->sealed[i], from, to);
    pthread_mutex_unlock(&m->mu);
    return e;
}

/* How much of [t0, t1] is within the window. */
static double share(sy_ms t0, sy_ms t1, sy_ms from, sy_ms to)
{
    sy_ms lo = t0 > from ? t0 : from, hi = t1 < to ? t1 : to;
    double all = (double)((uint64_t)t1 - (uint64_t)t0) + 1;
    return ((double)((uint64_t)hi - (uint64_t)lo) + 1) / all;
}

static sy_err parts_of(reader *r, sy_query *q, uint32_t at, sy_ms from, sy_ms to)
{
    sy_err e = SY_OK;
    sqlite3_reset(q->st);
    sy_store__bind(q->st, "iiiii", (int64_t)r->asked[at].id, from, sy_reach(to), to,
                   (int64_t)r->chunks);
    /* What is too much already need not be counted; a window of one instant is read as it is. */
    while ((from == to || r->expected < 8.0 * (double)r->many) &&
           (e = sy_query_next(q, r->f)) == SY_OK) {
        sy_ms t0 = sqlite3_column_int64(q->st, 1), t1 = sqlite3_column_int64(q->st, 2);
        if (t0 > t1)
            continue; /* no row of ours */
        if (sy_grow(sy_heap(), (void **)&r->parts, &r->cap_parts, r->n_parts + 1, sizeof *r->parts))
            return no_memory(r->f);
        r->parts[r->n_parts++] = (part){sqlite3_column_int64(q->st, 0), at};
        r->expected += 1 + (double)sqlite3_column_int64(q->st, 3) * share(t0, t1, from, to);
    }
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

/* The chunks that reach into the window, as far as they are few enough. */
static sy_err find_parts(reader *r, sy_ms from, sy_ms to)
{
    sy_query q;
    r->n_parts = 0;
    r->expected = (double)r->n_rows;
    sy_err e = sy_query_begin(&q, r->s,
                              "SELECT number,t0,t1,n FROM chunk WHERE series=?1 AND "
                              "t1 BETWEEN ?2 AND ?3 AND t0<=?4 AND number<=?5",
                              r->f);
    if (e)
        return e;
    for (uint32_t i = 0; i < r->n_asked && !e; i++)
        e = parts_of(r, &q, i, from, to);
    sy_query_end(&q);
    return e;
}

static void damaged(reader *r, int64_t number, const char *why)
{
    sy_log(SY_LOG_ERROR, "chunk-damaged", "number=%lld error=\"%s\"", (long long)number, why);
    if (!r->damaged)
        r->damaged = sy_fail_set(r->f, SY_E_CORRUPT, "store: chunk %lld is damaged: %s",
                                 (long long)number, why);
}

static sy_err decode_parts(reader *r, sy_ms from, sy_ms to)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, r->s, "SELECT bytes FROM chunk WHERE number=?1", r->f);
    if (e)
        return e;
    for (size_t i = 0; i < r->n_parts && !e; i++) {
        sqlite3_reset(q.st);
        sy_store__bind(q.st, "i", r->parts[i].number);
        e = sy_query_next(&q, r->f);
        if (e == SY_E_NOTFOUND) {
            e = SY_OK; /* expired meanwhile */
            continue;
        }
        size_t n = 0;
        sy_fail why = {0};
        sy_span bytes = {sqlite3_column_blob(q.st, 0), (size_t)sqlite3_column_bytes(q.st, 0)};
        if (!e && sy_chunk_decode(bytes, r->room, SY_CHUNK_MAX, &n, &why)) {
            damaged(r, r->parts[i].number, why.text);
            continue;
        }
        for (size_t k = 0; k < n && !e; k++)
            if (r->room[k].t >= from && r->room[k].t <= to)
                e = add_row(r, r->parts[i].at, r->room[k].t, r->room[k].value, r->room[k].quality);
    }
    sy_query_end(&q);
    return e;
}

static int by_time(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return sy_value_order(x->value, y->value);
}

static void amend(reader *r, uint32_t series, sy_ms t, double value, sy_quality q)
{
    if (series == 0 || series > r->n_ids || r->at_of[series - 1] == r->n_asked || !r->n_rows)
        return;
    const row key = {.t = t, .value = value, .at = r->at_of[series - 1]};
    row *found = bsearch(&key, r->rows, r->n_rows, sizeof *r->rows, by_time);
    if (found)
        found->quality = q;
}

/* What is made after the rows were read may be laid over as well: it is about the same readings. */
static sy_err lay_over(reader *r, sy_ms from, sy_ms to)
{
    sy_memory *m = &r->s->memory;
    sy_query q;
    pthread_mutex_lock(&m->mu);
    uint64_t rows = sy_amend_rows(m);
    size_t n = m->n_amends;
    sy_amend *copy = n ? malloc(n * sizeof *copy) : NULL;
    if (copy)
        memcpy(copy, m->amends, n * sizeof *copy);
    pthread_mutex_unlock(&m->mu);
    sy_err e = n && !copy ? no_memory(r->f) : SY_OK;
    if (!e && rows > 0) {
        e = sy_query_begin(&q, r->s,
                           "SELECT series,t,value,quality FROM amended WHERE t BETWEEN ?1 AND ?2 "
                           "AND number<=?3 ORDER BY number",
                           r->f);
        if (!e) {
            sy_store__bind(q.st, "iii", from, to, (int64_t)rows);
            while ((e = sy_query_next(&q, r->f)) == SY_OK)
                amend(r, (uint32_t)sqlite3_column_int64(q.st, 0), sqlite3_column_int64(q.st, 1),
                      sy_store__value(q.st, 2), (sy_quality)sqlite3_column_int64(q.st, 3));
            sy_query_end(&q);
        }
    }
    for (size_t i = 0; i < n && copy; i++)
        if (copy[i].t >= from && copy[i].t <= to)
            amend(r, copy[i].series, copy[i].t, copy[i].value, copy[i].quality);
    free(copy);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

/* The rows of [from, *to], sorted; *to comes nearer where they would be too many. */
static sy_err read_window(reader *r, sy_ms from, sy_ms *to)
{
    sy_err e;
    for (;;) {
        r->n_rows = 0;
        e = copy_open(r, from, *to);
        if (!e)
            e = find_parts(r, from, *to);
        if (e || r->expected <= 2.0 * (double)r->many || *to == from)
            break;
        *to = from + (sy_ms)(((uint64_t)*to - (uint64_t)from) / 4);
    }
    if (!e)
        e = decode_parts(r, from, *to);
    if (!e && r->n_rows > 1)
        qsort(r->rows, r->n_rows, sizeof *r->rows, by_time);
    return e ? e : lay_over(r, from, *to);
}

/* Narrow [*from, *to] to what there is; *from > *to: nothing. */
static sy_err narrow(reader *r, sy_ms *from, sy_ms *to)
{
    sy_memory *m = &r->s->memory;
    sy_ms lo = SY_MS_MAX, hi = SY_MS_NONE;
    sy_query q;
    pthread_mutex_lock(&m->mu);
    for (uint32_t i = 0; i < r->n_asked; i++) {
        const sy_series *x = &m->series[r->asked[i].id - 1];
        for (size_t k = 0; k < x->n; k++) {
            lo = x->open[k]->lo < lo ? x->open[k]->lo : lo;
            hi = x->open[k]->hi > hi ? x->open[k]->hi : hi;
        }
    }
    for (size_t i = 0; i < m->n_sealed; i++) {
        lo = m->sealed[i]->lo < lo ? m->sealed[i]->lo : lo;
        hi = m->sealed[i]->hi > hi ? m->sealed[i]->hi : hi;
    }
    pthread_mutex_unlock(&m->mu);
    sy_err e = sy_query_begin(&q, r->s,
                              "SELECT min(t0),max(t1) FROM chunk WHERE series=?1 AND t1>=?2", r->f);
    if (e)
        return e;
    for (uint32_t i = 0; i < r->n_asked && !e; i++) {
        sqlite3_reset(q.st);
        sy_store__bind(q.st, "ii", (int64_t)r->asked[i].id, *from);
        e = sy_query_next(&q, r->f);
        if (e || sqlite3_column_type(q.st, 0) == SQLITE_NULL)
            continue;
        sy_ms t0 = sqlite3_column_int64(q.st, 0), t1 = sqlite3_column_int64(q.st, 1);
        lo = t0 < lo ? t0 : lo;
        hi = t1 > hi ? t1 : hi;
    }
    sy_query_end(&q);
    *from = lo > *from ? lo : *from;
    *to = hi < *to ? hi : *to;
    return e;
}

static bool give(const reader *r, bool (*fn)(void *ctx, const sy_reading_row *row), void *ctx)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        const row *x = &r->rows[i];
        const asked *a = &r->asked[x->at];
        const sy_reading_row one = {.series = a->series,
                                    .device = a->device,
                                    .name = a->name,
                                    .t = x->t,
                                    .value = x->value,
                                    .quality = x->quality};
        if (!fn(ctx, &one))
            return false;
    }
    return true;
}

sy_err sy_store_readings(sy_store *s, const char *series, sy_ms from, sy_ms to,
                         bool (*fn)(void *ctx, const sy_reading_row *r), void *ctx, sy_fail *f)
{
    sy_fail own = {0};
    reader r = {.s = s, .f = f ? f : &own};
    sy_ms width = FIRST_WIDTH_MS;
    pthread_mutex_lock(&s->memory.mu);
    sy_err e = ask(&r, series);
    pthread_mutex_unlock(&s->memory.mu);
    if (!e && r.n_asked)
        e = narrow(&r, &from, &to);
    while (!e && r.n_asked && from <= to) {
        /* Unsigned: a time can be as far away as its type allows. */
        uint64_t left = (uint64_t)to - (uint64_t)from;
        sy_ms end = left < (uint64_t)width ? to : from + width - 1;
        e = read_window(&r, from, &end);
        if (e || !give(&r, fn, ctx) || end == to)
            break;
        width = end - from + 1;
        if (r.n_rows < r.many / 2 && width < SY_MS_MAX / 4)
            width *= 2;
        else if (r.n_rows > r.many && width > 1)
            width /= 2;
        from = end + 1;
    }
    close_reader(&r);
    return e ? e : r.damaged;
}
