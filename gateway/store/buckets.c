/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of one series: over a range, or by stretches of equal length. A chunk that lies within
 * one stretch, and of which no quality was amended, gives its own figures; others are decoded.
 */
#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/seal_int.h"

enum { MAX_BUCKETS = 200000 };

typedef struct figures {
    sy_store *s;
    uint32_t id;
    sy_ms from, to;
    uint64_t width; /* of a stretch; 0: one, all of it */
    uint64_t first; /* number of the first stretch */
    sy_chunk_figures *v;
    size_t n;
    sy_amend *amends; /* of the series in the range, oldest first */
    size_t n_amends, cap_amends;
    uint64_t chunks, amended; /* numbers up to which rows count */
    sy_sample *room;
    sy_err damaged;
    sy_fail *f;
} figures;

static sy_err no_memory(sy_fail *f)
{
    return sy_fail_set(f, SY_E_NOMEM, "no memory for figures of readings");
}

/* Stretches are counted from 1970 and numbered from the first that there can be. */
static uint64_t stretch_of(const figures *x, sy_ms t)
{
    if (x->width == 0)
        return 0;
    int64_t w = (int64_t)x->width;
    int64_t n = t / w - (t % w < 0);
    return (uint64_t)n ^ UINT64_C(1) << 63;
}

static void merge(sy_chunk_figures *into, const sy_chunk_figures *x)
{
    if (x->valid == 0)
        return;
    if (into->valid == 0 || x->min < into->min)
        into->min = x->min;
    if (into->valid == 0 || x->max > into->max)
        into->max = x->max;
    into->sum += x->sum;
    into->valid += x->valid;
}

static void add(figures *x, sy_sample one)
{
    if (one.t < x->from || one.t > x->to)
        return;
    sy_chunk_figures of_one;
    sy_chunk_sum(&one, 1, &of_one);
    merge(&x->v[stretch_of(x, one.t) - x->first], &of_one);
}

static sy_err keep_amend(figures *x, const sy_amend *a)
{
    if (sy_grow(sy_heap(), (void **)&x->amends, &x->cap_amends, x->n_amends + 1, sizeof *x->amends))
        return no_memory(x->f);
    x->amends[x->n_amends++] = *a;
    return SY_OK;
}

static void take_run(figures *x, const sy_open *o)
{
    if (o->series != x->id || o->hi < x->from || o->lo > x->to)
        return;
    for (uint32_t i = 0; i < o->n; i++) {
        sy_sample one = {
            .t = sy_open_time(o, i), .value = o->v[i].value, .quality = o->v[i].quality};
        /* A run that is sealed but no row yet may have amended samples. */
        for (size_t k = 0; o->number && k < x->n_amends; k++)
            if (x->amends[k].t == one.t && sy_value_same(x->amends[k].value, one.value))
                one.quality = x->amends[k].quality;
        add(x, one);
    }
}

/* Under the memory's lock. */
static sy_err take_memory(figures *x)
{
    const sy_memory *m = &x->s->memory;
    const sy_series *series = sy_series_of(m, x->id);
    x->chunks = sy_chunk_rows(m);
    x->amended = sy_amend_rows(m);
    for (size_t i = 0; i < m->n_amends; i++)
        if (m->amends[i].series == x->id) {
            sy_err e = keep_amend(x, &m->amends[i]);
            if (e)
                return e;
        }
    for (size_t i = 0; series && i < series->n; i++)
        take_run(x, series->open[i]);
    for (size_t i = 0; i < m->n_sealed; i++)
        take_run(x, m->sealed[i]);
    return SY_OK;
}

static sy_err take_amends(figures *x)
{
    size_t newer = x->n_amends;
    sy_query q;
    if (x->amended == 0)
        return SY_OK;
    sy_err e = sy_query_begin(&q, x->s,
                              "SELECT t,value,quality FROM amended WHERE t BETWEEN ?1 AND ?2 "
                              "AND series=?3 AND number<=?4 ORDER BY number",
                              x->f);
    if (e)
        return e;
    sy_store__bind(q.st, "iiii", x->from, x->to, (int64_t)x->id, (int64_t)x->amended);
    while ((e = sy_query_next(&q, x->f)) == SY_OK) {
        const sy_amend a = {.t = sqlite3_column_int64(q.st, 0),
                            .value = sy_store__value(q.st, 1),
                            .series = x->id,
                            .quality = (sy_quality)sqlite3_column_int64(q.st, 2)};
        e = keep_amend(x, &a);
        if (e)
            break;
    }
    sy_query_end(&q);
    if (e != SY_E_NOTFOUND)
        return e;
    /* Those of memory came first: they are the newest. */
    for (size_t i = 0; i < newer; i++) {
        const sy_amend a = x->amends[i];
        e = keep_amend(x, &a);
        if (e == SY_E_NOMEM)
            return e;
    }
    return SY_OK;
}

static bool is_amended(const figures *x, sy_ms t0, sy_ms t1)
{
    for (size_t i = 0; i < x->n_amends; i++)
        if (x->amends[i].t >= t0 && x->amends[i].t <= t1)
            return true;
    return false;
}

static void take_samples(figures *x, const sy_sample *v, size_t n, bool amended)
{
    for (size_t i = 0; i < n; i++) {
        sy_sample one = v[i];
        for (size_t k = 0; amended && k < x->n_amends; k++)
            if (x->amends[k].t == one.t && sy_value_same(x->amends[k].value, one.value))
                one.quality = x->amends[k].quality;
        add(x, one);
    }
}

static double number_or_nan(const sy_query *q, int column)
{
    return sqlite3_column_type(q->st, column) == SQLITE_NULL ? NAN
                                                             : sqlite3_column_double(q->st, column);
}

/* The chunk that the query stands on: number, t0, t1, valid, min, max, sum, bytes. */
static void take_chunk(figures *x, const sy_query *q)
{
    sy_ms t0 = sqlite3_column_int64(q->st, 1), t1 = sqlite3_column_int64(q->st, 2);
    bool amended = is_amended(x, t0, t1);
    if (!amended && t0 >= x->from && t1 <= x->to && t0 <= t1 &&
        stretch_of(x, t0) == stretch_of(x, t1)) {
        const sy_chunk_figures own = {.valid = (uint64_t)sqlite3_column_int64(q->st, 3),
                                      .min = number_or_nan(q, 4),
                                      .max = number_or_nan(q, 5),
                                      .sum = sqlite3_column_double(q->st, 6)};
        merge(&x->v[stretch_of(x, t0) - x->first], &own);
        return;
    }
    size_t n = 0;
    sy_fail why = {0};
    sy_span bytes = {sqlite3_column_blob(q->st, 7), (size_t)sqlite3_column_bytes(q->st, 7)};
    if (sy_chunk_decode(bytes, x->room, SY_CHUNK_MAX, &n, &why)) {
        long long number = (long long)sqlite3_column_int64(q->st, 0);
        sy_log(SY_LOG_ERROR, "chunk-damaged", "number=%lld error=\"%s\"", number, why.text);
        x->damaged =
            sy_fail_set(x->f, SY_E_CORRUPT, "store: chunk %lld is damaged: %s", number, why.text);
        return;
    }
    take_samples(x, x->room, n, amended);
}

static sy_err take_chunks(figures *x)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, x->s,
                              "SELECT number,t0,t1,valid,min,max,sum,bytes FROM chunk "
                              "WHERE series=?1 AND t1 BETWEEN ?2 AND ?3 AND t0<=?4 AND number<=?5",
                              x->f);
    if (e)
        return e;
    sy_store__bind(q.st, "iiiii", (int64_t)x->id, x->from, sy_reach(x->to), x->to,
                   (int64_t)x->chunks);
    while ((e = sy_query_next(&q, x->f)) == SY_OK)
        take_chunk(x, &q);
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

static void wider(sy_ms lo, sy_ms hi, sy_ms *first, sy_ms *last)
{
    *first = lo < *first ? lo : *first;
    *last = hi > *last ? hi : *last;
}

/* Narrow the range to what there is, so that the stretches are no more than needed. */
static sy_err narrow(figures *x)
{
    const sy_memory *m = &x->s->memory;
    sy_ms first = SY_MS_MAX, last = SY_MS_NONE;
    sy_query q;
    pthread_mutex_lock(&x->s->memory.mu);
    const sy_series *series = sy_series_of(m, x->id);
    for (size_t i = 0; series && i < series->n; i++)
        wider(series->open[i]->lo, series->open[i]->hi, &first, &last);
    for (size_t i = 0; i < m->n_sealed; i++)
        if (m->sealed[i]->series == x->id)
            wider(m->sealed[i]->lo, m->sealed[i]->hi, &first, &last);
    pthread_mutex_unlock(&x->s->memory.mu);
    sy_err e = sy_query_begin(&q, x->s, "SELECT min(t0),max(t1) FROM chunk WHERE series=?1", x->f);
    if (e)
        return e;
    sy_store__bind(q.st, "i", (int64_t)x->id);
    e = sy_query_next(&q, x->f);
    if (!e && sqlite3_column_type(q.st, 0) != SQLITE_NULL)
        wider(sqlite3_column_int64(q.st, 0), sqlite3_column_int64(q.st, 1), &first, &last);
    sy_query_end(&q);
    x->from = first > x->from ? first : x->from;
    x->to = last < x->to ? last : x->to;
    return e;
}

static sy_err make_room(figures *x)
{
    x->first = stretch_of(x, x->from);
    uint64_t n = stretch_of(x, x->to) - x->first + 1;
    if (n > MAX_BUCKETS)
        return sy_fail_set(x->f, SY_E_RANGE,
                           "%llu stretches at once: at most %d; take longer ones, or a shorter "
                           "range",
                           (unsigned long long)n, (int)MAX_BUCKETS);
    x->n = (size_t)n;
    x->v = malloc(x->n * sizeof *x->v);
    x->room = malloc(SY_CHUNK_MAX * sizeof *x->room);
    if (!x->v || !x->room)
        return no_memory(x->f);
    for (size_t i = 0; i < x->n; i++)
        x->v[i] = (sy_chunk_figures){.min = NAN, .max = NAN};
    return SY_OK;
}

/* Fills x->v; x->n stays 0 where there is nothing. */
static sy_err run(figures *x, const char *series)
{
    pthread_mutex_lock(&x->s->memory.mu);
    x->id = sy_series_find(&x->s->memory, series);
    pthread_mutex_unlock(&x->s->memory.mu);
    if (x->id == 0)
        return SY_OK;
    sy_err e = narrow(x);
    if (e || x->from > x->to)
        return e;
    e = make_room(x);
    if (e)
        return e;
    pthread_mutex_lock(&x->s->memory.mu);
    e = take_memory(x);
    pthread_mutex_unlock(&x->s->memory.mu);
    if (!e)
        e = take_amends(x);
    if (!e)
        e = take_chunks(x);
    return e ? e : x->damaged;
}

static void close_figures(figures *x)
{
    free(x->v);
    free(x->amends);
    free(x->room);
}

sy_err sy_store_figures(sy_store *s, const char *series, sy_ms from, sy_ms to, double *min,
                        double *max, uint64_t *count, sy_fail *f)
{
    sy_fail own = {0};
    figures x = {.s = s, .from = from, .to = to, .f = f ? f : &own};
    sy_err e = run(&x, series);
    *min = x.n ? x.v[0].min : NAN;
    *max = x.n ? x.v[0].max : NAN;
    *count = x.n ? x.v[0].valid : 0;
    close_figures(&x);
    return e;
}

sy_err sy_store_buckets(sy_store *s, const char *series, sy_ms from, sy_ms to, sy_ms bucket_ms,
                        bool (*fn)(void *ctx, const sy_bucket *b), void *ctx, sy_fail *f)
{
    sy_fail own = {0};
    figures x = {.s = s, .from = from, .to = to, .width = (uint64_t)bucket_ms, .f = f ? f : &own};
    if (bucket_ms < 1)
        return sy_fail_set(f, SY_E_RANGE, "store: a stretch of less than a millisecond");
    sy_err e = run(&x, series);
    for (size_t i = 0; i < x.n && (!e || e == SY_E_CORRUPT); i++) {
        const sy_chunk_figures *v = &x.v[i];
        int64_t number = (int64_t)((x.first + i) ^ UINT64_C(1) << 63);
        sy_bucket b = {.count = v->valid, .min = v->min, .max = v->max};
        if (v->valid == 0)
            continue;
        /* The first stretch that there can be begins before the first time. */
        if (__builtin_mul_overflow(number, bucket_ms, &b.from))
            b.from = SY_MS_NONE;
        b.mean = v->sum / (double)v->valid;
        if (!fn(ctx, &b))
            break;
    }
    close_figures(&x);
    return e;
}
