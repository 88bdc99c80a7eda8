/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series by name and by number. All of them are in memory: there are thousands at most, and each
 * reading that is read back needs the texts of its own.
 */
#include <stdlib.h>

#include "store/store_int.h"

enum { MAX_SERIES = 1 << 24 };

static size_t place_of(const sy_memory *m, const char *series, bool *there)
{
    size_t lo = 0, hi = m->n_order;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(m->series[m->order[mid] - 1].series, series);
        if (order == 0) {
            *there = true;
            return mid;
        }
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *there = false;
    return lo;
}

uint32_t sy_series_find(const sy_memory *m, const char *series)
{
    bool there;
    size_t i = place_of(m, series, &there);
    return there ? m->order[i] : 0;
}

/* The same text where it is the same, so that a reload costs no memory. */
static const char *keep(sy_memory *m, const char *old, const char *text)
{
    return old && strcmp(old, text) == 0 ? old : sy_arena_text(&m->names, sy_span_of(text));
}

static sy_err rename_one(sy_memory *m, uint32_t id, const char *device, const char *name,
                         const char *unit)
{
    sy_series *s = &m->series[id - 1];
    if (sy_grow(sy_heap(), (void **)&m->undo, &m->cap_undo, m->n_undo + 1, sizeof *m->undo))
        return SY_E_NOMEM;
    const char *d = keep(m, s->device, device), *p = keep(m, s->name, name);
    const char *u = keep(m, s->unit, unit);
    if (!d || !p || !u)
        return SY_E_NOMEM;
    m->undo[m->n_undo++] = (sy_undo){.kind = SY_UNDO_NAMES, .n = id, .names = *s};
    s->device = d;
    s->name = p;
    s->unit = u;
    return SY_OK;
}

static sy_err add(sy_memory *m, uint32_t id, const char *series, const char *device,
                  const char *name, const char *unit)
{
    bool there;
    size_t at = place_of(m, series, &there);
    sy_series one = {.series = keep(m, NULL, series),
                     .device = keep(m, NULL, device),
                     .name = keep(m, NULL, name),
                     .unit = keep(m, NULL, unit)};
    if (!one.series || !one.device || !one.name || !one.unit ||
        sy_grow(sy_heap(), (void **)&m->series, &m->cap_series, id, sizeof *m->series) ||
        sy_grow(sy_heap(), (void **)&m->order, &m->cap_order, m->n_order + 1, sizeof *m->order))
        return SY_E_NOMEM;
    while (m->n_series < id)
        m->series[m->n_series++] = (sy_series){0};
    m->series[id - 1] = one;
    memmove(m->order + at + 1, m->order + at, (m->n_order - at) * sizeof *m->order);
    m->order[at] = id;
    m->n_order++;
    return SY_OK;
}

sy_err sy_series_set(sy_memory *m, uint32_t id, const char *series, const char *device,
                     const char *name, const char *unit, sy_fail *f)
{
    if (id == 0 || id > MAX_SERIES)
        return sy_fail_set(f, SY_E_RANGE, "store: series number %u: there are at most %d", id,
                           (int)MAX_SERIES);
    pthread_mutex_lock(&m->mu);
    sy_err e = sy_series_of(m, id) ? rename_one(m, id, device, name, unit)
                                   : add(m, id, series, device, name, unit);
    pthread_mutex_unlock(&m->mu);
    return e ? sy_fail_set(f, e, "no memory for the store's series") : SY_OK;
}

static const char *text_of(const sy_query *q, int column)
{
    const char *text = sy_query_text(q, column);
    return text ? text : "";
}

sy_err sy_store__load_series(sy_store *s, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT id,series,device,name,unit FROM series", f);
    if (e)
        return e;
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        int64_t id = sqlite3_column_int64(q.st, 0);
        if (id < 1 || id > MAX_SERIES) {
            e = sy_fail_set(f, SY_E_CORRUPT, "store: series number %lld is none of ours",
                            (long long)id);
            break;
        }
        e = sy_series_set(&s->memory, (uint32_t)id, text_of(&q, 1), text_of(&q, 2), text_of(&q, 3),
                          text_of(&q, 4), f);
        if (e)
            break;
    }
    sy_query_end(&q);
    s->memory.shown = s->memory.n_series;
    s->memory.n_undo = 0;
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_series(sy_store *s, const char *series, const char *device, const char *name,
                       const char *unit, int64_t *id, sy_fail *f)
{
    sy_err e = sy_store__held(s, f);
    if (e)
        return e;
    if (!unit)
        unit = "";
    uint32_t known = sy_series_find(&s->memory, series);
    const sy_series *have = known ? &s->memory.series[known - 1] : NULL;
    if (have && strcmp(have->device, device) == 0 && strcmp(have->name, name) == 0 &&
        strcmp(have->unit, unit) == 0) {
        *id = known;
        return SY_OK;
    }
    int64_t number = known;
    if (s->read_only) {
        number = known ? known : (int64_t)s->memory.n_series + 1;
    } else {
        e = sy_store__in_batch(s, f);
        if (!e && known)
            e = sy_store__run(s, SY_SQL_SERIES_SET, f, "ittt", number, device, name, unit);
        else if (!e)
            e = sy_store__run(s, SY_SQL_SERIES_ADD, f, "tttt", series, device, name, unit);
        if (!e && !known)
            number = sqlite3_last_insert_rowid(s->writer);
    }
    if (!e)
        e = sy_series_set(&s->memory, (uint32_t)number, series, device, name, unit, f);
    if (!e)
        *id = number;
    return sy_store__fail(s, e);
}
