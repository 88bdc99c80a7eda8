/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of open samples in memory, and taking back what a batch did to them. */
#include "store/open_int.h"

#include <math.h>
#include <stdlib.h>

static sy_err no_memory(sy_fail *f)
{
    return sy_fail_set(f, SY_E_NOMEM, "no memory for open samples");
}

bool sy_value_same(double a, double b)
{
    return !(a < b || a > b) && isnan(a) == isnan(b);
}

int sy_value_order(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

/* Times counted from the first that there is, so that no sum overflows. */
static uint64_t since_first(sy_ms t)
{
    return (uint64_t)t ^ UINT64_C(1) << 63;
}

/* Stretches of different series begin at different hours, so that they do not all end at once. */
static uint64_t shift_of(uint32_t series)
{
    return series % SY_STRETCH_HOURS;
}

uint64_t sy_stretch_of(uint32_t series, sy_ms t)
{
    return (since_first(t) / SY_HOUR_MS + shift_of(series)) / SY_STRETCH_HOURS;
}

sy_ms sy_open_time(const sy_open *o, uint32_t i)
{
    return (sy_ms)((o->base + o->v[i].dt) ^ UINT64_C(1) << 63);
}

void sy_memory_init(sy_memory *m)
{
    memset(m, 0, sizeof *m);
    pthread_mutex_init(&m->mu, NULL);
    sy_arena_init(&m->names, sy_heap(), 0);
    m->hour = INT64_MIN;
}

static void free_run(sy_open *o)
{
    if (o) {
        free(o->v);
        free(o->row);
    }
    free(o);
}

void sy_memory_clear(sy_memory *m)
{
    for (size_t i = 0; i < m->n_series; i++) {
        for (size_t k = 0; k < m->series[i].n; k++)
            free_run(m->series[i].open[k]);
        m->series[i].n = 0;
    }
    for (size_t i = 0; i < m->n_sealed; i++)
        free_run(m->sealed[i]);
    m->n_sealed = m->n_amends = m->n_undo = 0;
    m->chunks = m->amended = 0;
    m->hour = INT64_MIN;
    m->dirty = false;
}

void sy_memory_fini(sy_memory *m)
{
    sy_memory_clear(m);
    for (size_t i = 0; i < m->n_series; i++)
        free(m->series[i].open);
    free(m->series);
    free(m->order);
    free(m->sealed);
    free(m->amends);
    free(m->undo);
    sy_arena_fini(&m->names);
    pthread_mutex_destroy(&m->mu);
}

/* Where in its series a run of that stretch is, or would be. */
static size_t place_of(const sy_series *s, uint64_t stretch)
{
    size_t i = 0;
    while (i < s->n && s->open[i]->stretch < stretch)
        i++;
    return i;
}

/* There is room. */
static void link_run(sy_series *s, sy_open *o)
{
    size_t i = place_of(s, o->stretch);
    memmove(s->open + i + 1, s->open + i, (s->n - i) * sizeof(sy_open *));
    s->open[i] = o;
    s->n++;
}

static void unlink_run(sy_series *s, const sy_open *o)
{
    size_t i = place_of(s, o->stretch);
    memmove(s->open + i, s->open + i + 1, (s->n - i - 1) * sizeof(sy_open *));
    s->n--;
}

sy_open *sy_open_find(const sy_memory *m, uint32_t series, sy_ms t)
{
    const sy_series *s = &m->series[series - 1];
    uint64_t stretch = sy_stretch_of(series, t);
    size_t i = place_of(s, stretch);
    return i < s->n && s->open[i]->stretch == stretch ? s->open[i] : NULL;
}

static sy_err remember(sy_memory *m, sy_undo **out, sy_fail *f)
{
    if (sy_grow(sy_heap(), (void **)&m->undo, &m->cap_undo, m->n_undo + 1, sizeof *m->undo))
        return no_memory(f);
    *out = &m->undo[m->n_undo];
    memset(*out, 0, sizeof **out);
    return SY_OK;
}

/* Before the batch's first change to a run. */
static sy_err touch(sy_memory *m, sy_open *o, bool made, sy_fail *f)
{
    sy_undo *u = NULL;
    if (o->batch == m->batch && !made)
        return SY_OK;
    sy_err e = remember(m, &u, f);
    if (e)
        return e;
    *u = (sy_undo){.kind = SY_UNDO_RUN, .made = made, .run = *o, .open = o};
    m->n_undo++;
    o->batch = m->batch;
    return SY_OK;
}

sy_err sy_open_make(sy_memory *m, uint32_t series, sy_ms t, sy_open **out, sy_fail *f)
{
    sy_series *s = &m->series[series - 1];
    sy_open *o = calloc(1, sizeof *o);
    if (!o || sy_grow(sy_heap(), (void **)&s->open, &s->cap, s->n + 1, sizeof(sy_open *))) {
        free(o);
        return no_memory(f);
    }
    o->series = series;
    o->stretch = sy_stretch_of(series, t);
    uint64_t hours = o->stretch * SY_STRETCH_HOURS, shift = shift_of(series);
    o->base = (hours > shift ? hours - shift : 0) * (uint64_t)SY_HOUR_MS;
    o->lo = o->sealed_lo = SY_MS_MAX;
    o->hi = o->sealed_hi = SY_MS_NONE;
    sy_err e = touch(m, o, true, f);
    if (e) {
        free(o);
        return e;
    }
    link_run(s, o);
    *out = o;
    return SY_OK;
}

/* Room for one more; small steps, since there are thousands of runs. */
static bool room(sy_open *o)
{
    enum { LEAST = 8 };
    if (o->n < o->cap)
        return true;
    uint32_t cap = o->cap < LEAST ? LEAST : o->cap + o->cap / 4;
    if (cap > SY_SEAL_N)
        cap = SY_SEAL_N > o->n ? SY_SEAL_N : o->n + 1;
    sy_open_sample *v = realloc(o->v, cap * sizeof *v);
    if (!v)
        return false;
    o->v = v;
    o->cap = cap;
    return true;
}

sy_err sy_open_add(sy_memory *m, sy_open *o, const sy_sample *x, sy_ms recv, uint64_t seq,
                   sy_fail *f)
{
    if (!room(o))
        return no_memory(f);
    sy_err e = touch(m, o, false, f);
    if (e)
        return e;
    o->v[o->n].dt = (uint32_t)(since_first(x->t) - o->base);
    o->v[o->n].quality = x->quality;
    o->v[o->n].value = x->value;
    if (o->n == 0 || seq < o->first_seq)
        o->first_seq = seq;
    if (o->n == 0 || seq > o->last_seq)
        o->last_seq = seq;
    o->lo = x->t < o->lo ? x->t : o->lo;
    o->hi = x->t > o->hi ? x->t : o->hi;
    o->touched = recv;
    o->n++;
    m->dirty = true;
    return SY_OK;
}

sy_err sy_open_set(sy_memory *m, sy_open *o, uint32_t at, sy_quality q, sy_fail *f)
{
    sy_undo *u = NULL;
    if (o->v[at].quality == q)
        return SY_OK;
    sy_err e = remember(m, &u, f);
    if (e)
        return e;
    *u = (sy_undo){.kind = SY_UNDO_QUALITY, .n = at, .quality = o->v[at].quality, .open = o};
    m->n_undo++;
    o->v[at].quality = q;
    m->dirty = true;
    return SY_OK;
}

sy_err sy_open_seal(sy_memory *m, sy_open *o, sy_fail *f)
{
    if (sy_grow(sy_heap(), (void **)&m->sealed, &m->cap_sealed, m->n_sealed + 1, sizeof(sy_open *)))
        return no_memory(f);
    sy_err e = touch(m, o, false, f);
    if (e)
        return e;
    unlink_run(&m->series[o->series - 1], o);
    o->number = ++m->chunks;
    m->sealed[m->n_sealed++] = o;
    m->dirty = true;
    return SY_OK;
}

sy_err sy_amend_add(sy_memory *m, const sy_amend *a, sy_fail *f)
{
    if (sy_grow(sy_heap(), (void **)&m->amends, &m->cap_amends, m->n_amends + 1, sizeof *m->amends))
        return no_memory(f);
    m->amends[m->n_amends++] = *a;
    m->amended++;
    m->dirty = true;
    return SY_OK;
}

static void set_before(sy_memory *m)
{
    m->before.n_series = m->n_series;
    m->before.n_sealed = m->n_sealed;
    m->before.n_amends = m->n_amends;
    m->before.chunks = m->chunks;
    m->before.amended = m->amended;
    m->before.hour = m->hour;
    m->before.dirty = m->dirty;
}

void sy_memory_begin(sy_memory *m)
{
    m->batch++;
    m->n_undo = 0;
    set_before(m);
}

static void undo_run(sy_memory *m, const sy_undo *u)
{
    sy_open *o = u->open;
    sy_series *s = &m->series[o->series - 1];
    bool sealed = o->number > m->before.chunks;
    if (u->made) {
        if (!sealed)
            unlink_run(s, o);
        free_run(o);
        return;
    }
    o->n = u->run.n;
    o->lo = u->run.lo;
    o->hi = u->run.hi;
    o->touched = u->run.touched;
    o->first_seq = u->run.first_seq;
    o->last_seq = u->run.last_seq;
    if (sealed) {
        o->number = 0;
        free(o->row);
        o->row = NULL;
        link_run(s, o); /* its place is still there: rooms never shrink */
    }
}

static void forget_series(sy_memory *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->n_order; i++)
        if (m->order[i] <= m->before.n_series)
            m->order[kept++] = m->order[i];
    m->n_order = kept;
    for (size_t i = m->before.n_series; i < m->n_series; i++)
        free(m->series[i].open);
    m->n_series = m->before.n_series;
}

void sy_memory_undo(sy_memory *m)
{
    pthread_mutex_lock(&m->mu);
    while (m->n_undo) {
        const sy_undo *u = &m->undo[--m->n_undo];
        switch (u->kind) {
        case SY_UNDO_RUN:
            undo_run(m, u);
            break;
        case SY_UNDO_QUALITY:
            u->open->v[u->n].quality = u->quality;
            break;
        case SY_UNDO_NAMES:
            m->series[u->n - 1].device = u->names.device;
            m->series[u->n - 1].name = u->names.name;
            m->series[u->n - 1].unit = u->names.unit;
            break;
        }
    }
    forget_series(m);
    m->n_sealed = m->before.n_sealed;
    m->n_amends = m->before.n_amends;
    m->chunks = m->before.chunks;
    m->amended = m->before.amended;
    m->hour = m->before.hour;
    m->dirty = m->before.dirty;
    pthread_mutex_unlock(&m->mu);
}

void sy_memory_settle(sy_memory *m, bool rows)
{
    m->n_undo = 0;
    m->shown = m->n_series;
    if (rows) {
        for (size_t i = 0; i < m->n_sealed; i++)
            free_run(m->sealed[i]);
        m->n_sealed = m->n_amends = 0;
    }
    set_before(m);
}
