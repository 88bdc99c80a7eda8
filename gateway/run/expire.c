/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What expires: by class, the oldest first, by time or for want of room, unless it is held. Rows
 * and their expiry leaves are one durable transaction; a file goes after it, and a crash in between
 * is mended by the next start.
 */
#include <stdlib.h>

#include "base/log.h"
#include "run/keeper_int.h"

enum { AT_ONCE = 64, BATCHES = 32 };
#define LATE_MARGIN_MS ((sy_ms)2 * 86400000)

typedef struct stretch {
    sy_ms from, to;
} stretch;
typedef struct records {
    uint64_t first, last;
} records;

typedef struct plan {
    sy_ms now, least; /* what is younger than `least` stays whatever the bytes say */
    sy_keeping keeping;
    uint64_t disk;
    stretch *held;
    size_t n_held, cap_held;
    records *held_records; /* that held readings came from */
    size_t n_records, cap_records;
    sy_segment_row *rows;
    size_t n_rows, cap_rows;
    bool failed;
} plan;

static bool add_hold(void *ctx, const sy_hold_row *h)
{
    plan *p = ctx;
    p->failed = p->failed || sy_grow(sy_heap(), (void **)&p->held, &p->cap_held, p->n_held + 1,
                                     sizeof *p->held) != SY_OK;
    if (!p->failed)
        p->held[p->n_held++] = (stretch){h->from, h->to};
    return !p->failed;
}

static bool add_records(void *ctx, uint64_t first, uint64_t last)
{
    plan *p = ctx;
    records *z = p->n_records ? &p->held_records[p->n_records - 1] : NULL;
    if (z && first <= z->last + 1 && last + 1 >= z->first) {
        z->first = first < z->first ? first : z->first;
        z->last = last > z->last ? last : z->last;
        return true;
    }
    p->failed = p->failed || sy_grow(sy_heap(), (void **)&p->held_records, &p->cap_records,
                                     p->n_records + 1, sizeof *p->held_records) != SY_OK;
    if (!p->failed)
        p->held_records[p->n_records++] = (records){first, last};
    return !p->failed;
}

static bool add_row(void *ctx, const sy_segment_row *r)
{
    plan *p = ctx;
    p->failed = p->failed || sy_grow(sy_heap(), (void **)&p->rows, &p->cap_rows, p->n_rows + 1,
                                     sizeof *p->rows) != SY_OK;
    if (!p->failed)
        p->rows[p->n_rows++] = *r;
    return !p->failed;
}

/* What has no time may be of any. */
static bool is_held(const plan *p, sy_ms from, sy_ms to)
{
    if (to == SY_MS_NONE)
        return p->n_held > 0;
    for (size_t i = 0; i < p->n_held; i++)
        if (from <= p->held[i].to && to >= p->held[i].from)
            return true;
    return false;
}

static bool is_segment_held(const plan *p, const sy_segment_row *r)
{
    for (size_t i = 0; i < p->n_records; i++)
        if (r->first <= p->held_records[i].last && r->last >= p->held_records[i].first)
            return true;
    return is_held(p, r->from, r->to);
}

static uint64_t limit_of(const plan *p, const sy_keep_limit *l)
{
    if (l->bytes)
        return l->bytes;
    return p->disk ? (uint64_t)((double)p->disk * l->share) : UINT64_MAX;
}

/* When the last of its records came; where they have no time, not later than what follows. */
static sy_ms ends(const plan *p, size_t i)
{
    while (i < p->n_rows && p->rows[i].to == SY_MS_NONE)
        i++;
    return i < p->n_rows ? p->rows[i].to : p->now;
}

/* What bears a date from before the year 2000 was stamped by a box whose clock was wrong (one
 * without a battery boots in 1970): its age is not known, so that it goes for want of room alone.
 */
#define NO_AGE_BEFORE ((sy_ms)946684800000)

static bool is_old(sy_ms t, sy_ms before)
{
    return t < before && t >= NO_AGE_BEFORE;
}

/* Which rows go: AT_ONCE at most, oldest first; their places in p->rows. */
static size_t choose(const plan *p, uint64_t judged, size_t chosen[AT_ONCE])
{
    uint64_t total = 0, limit = limit_of(p, &p->keeping.raw);
    size_t n = 0;
    for (size_t i = 0; i < p->n_rows; i++)
        total += p->rows[i].stored;
    for (size_t i = 0; i < p->n_rows && n < AT_ONCE; i++) {
        const sy_segment_row *r = &p->rows[i];
        sy_ms end = ends(p, i);
        bool old = is_old(end, p->now - p->keeping.raw.time);
        if (!old && total <= limit) {
            if (end < NO_AGE_BEFORE)
                continue; /* those after it may be old */
            break;
        }
        /* What the judge would be rebuilt from stays. */
        if (r->last > judged || is_segment_held(p, r))
            continue;
        chosen[n++] = i;
        total -= r->stored;
    }
    return n;
}

static sy_err mark_expired(sy_keeper *k, const plan *p, const size_t *chosen, size_t n, sy_fail *f)
{
    sy_err e = sy_store_begin(k->o.store, true, f);
    if (e)
        return e;
    for (size_t i = 0; i < n && !e; i++)
        e = sy_store_segment_expire(k->o.store, p->rows[chosen[i]].first, p->now, f);
    if (!e)
        return sy_store_done(k->o.store, f);
    sy_store_rollback(k->o.store);
    return e;
}

static sy_err expire_raw(sy_keeper *k, plan *p, sy_fail *f)
{
    size_t chosen[AT_ONCE];
    uint64_t judged = 0;
    sy_err e = sy_store_segments(k->o.store, add_row, p, f);
    if (!e && p->failed)
        e = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    if (!e)
        e = sy_store_snapshot_seq(k->o.store, &judged, f);
    if (!e && p->n_held)
        e = sy_store_held_records(k->o.store, add_records, p, f);
    if (!e && p->failed)
        e = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    size_t n = e ? 0 : choose(p, judged, chosen);
    if (!e && n)
        e = mark_expired(k, p, chosen, n, f);
    for (size_t i = 0; i < n && !e; i++) {
        const sy_segment_file file = {.kind = SY_SEG_SEALED, .first = p->rows[chosen[i]].first};
        e = sy_sealed_remove(k->dir, &file, f);
    }
    if (e || n == 0)
        return e;
    pthread_mutex_lock(&k->mu);
    k->figures.expired_raw += n;
    pthread_mutex_unlock(&k->mu);
    sy_log(SY_LOG_INFO, "segments-expired", "count=%zu first=%llu last=%llu", n,
           (unsigned long long)p->rows[chosen[0]].first,
           (unsigned long long)p->rows[chosen[n - 1]].last);
    return SY_OK;
}

/* What was set aside has no times of its own: it goes when what came after it is old enough. */
static sy_err expire_damaged(sy_keeper *k, const plan *p, const sy_segment_file *files, size_t n,
                             sy_fail *f)
{
    sy_err e = SY_OK;
    for (size_t i = 0; i < n && !e; i++) {
        size_t r = 0;
        while (r < p->n_rows && p->rows[r].first <= files[i].first)
            r++;
        if (files[i].kind != SY_SEG_DAMAGED || r == p->n_rows)
            continue;
        sy_ms from = p->rows[r].from;
        if (!is_old(from, p->now - p->keeping.raw.time) || is_held(p, from, from))
            continue;
        e = sy_sealed_remove(k->dir, &files[i], f);
        if (!e)
            sy_log(SY_LOG_INFO, "damaged-expired", "first=%llu",
                   (unsigned long long)files[i].first);
    }
    return e;
}

static sy_stretch goes(const plan *p, sy_ms time, bool over)
{
    return over ? (sy_stretch){SY_MS_NONE, p->now - p->least}
                : (sy_stretch){NO_AGE_BEFORE, p->now - time};
}

static sy_err expire_alerts_within(sy_keeper *k, sy_ms now, sy_stretch of, size_t *n, sy_fail *f)
{
    sy_err e = sy_store_begin(k->o.store, true, f);
    if (e)
        return e;
    e = sy_store_expire_alerts(k->o.store, of, AT_ONCE, now, n, f);
    if (!e && *n)
        return sy_store_done(k->o.store, f);
    sy_store_rollback(k->o.store);
    return e;
}

static sy_err expire_alerts(sy_keeper *k, const plan *p, sy_fail *f)
{
    sy_err e = SY_OK;
    size_t total = 0;
    for (int i = 0; i < BATCHES && !e && !sy_keeper__stopping(k); i++) {
        sy_store_bytes b = {0};
        sy_ms oldest = SY_MS_NONE;
        size_t n = 0;
        e = sy_store_sizes(k->o.store, k->o.data, &b, f);
        if (!e)
            e = sy_store_oldest_alert(k->o.store, &oldest, f);
        bool over = !e && b.alerts > limit_of(p, &p->keeping.alerts);
        sy_stretch of = goes(p, p->keeping.alerts.time, over);
        if (e || oldest == SY_MS_NONE || oldest >= of.before)
            break;
        e = expire_alerts_within(k, p->now, of, &n, f);
        total += e ? 0 : n;
        if (n == 0)
            break;
    }
    if (total) {
        sy_log(SY_LOG_INFO, "alerts-expired", "rows=%zu", total);
        pthread_mutex_lock(&k->mu);
        k->figures.expired_alerts += total;
        pthread_mutex_unlock(&k->mu);
    }
    return e;
}

static sy_err expire_readings_within(sy_keeper *k, sy_ms now, sy_stretch of, size_t *n, sy_fail *f)
{
    sy_err e = sy_store_begin(k->o.store, true, f);
    if (e)
        return e;
    e = sy_store_expire_readings(k->o.store, of, AT_ONCE, now, n, f);
    if (!e && *n)
        return sy_store_done(k->o.store, f);
    sy_store_rollback(k->o.store);
    return e;
}

static sy_err expire_readings(sy_keeper *k, const plan *p, sy_fail *f)
{
    sy_err e = SY_OK;
    size_t total = 0;
    for (int i = 0; i < BATCHES && !e && !sy_keeper__stopping(k); i++) {
        sy_store_bytes b = {0};
        sy_ms oldest;
        size_t n = 0;
        e = sy_store_sizes(k->o.store, k->o.data, &b, f);
        if (!e)
            e = sy_store_oldest_reading(k->o.store, &oldest, f);
        bool over = !e && b.readings > limit_of(p, &p->keeping.readings);
        sy_stretch of = goes(p, p->keeping.readings.time, over);
        if (e || oldest == SY_MS_NONE || oldest >= of.before)
            break;
        e = expire_readings_within(k, p->now, of, &n, f);
        total += e ? 0 : n;
        if (n == 0)
            break;
    }
    if (total) {
        sy_log(SY_LOG_INFO, "readings-expired", "chunks=%zu", total);
        pthread_mutex_lock(&k->mu);
        k->figures.expired_readings += total;
        pthread_mutex_unlock(&k->mu);
    }
    return e;
}

sy_err sy_keeper__expire(sy_keeper *k, const sy_segment_file *files, size_t n, sy_fail *f)
{
    uint64_t free_bytes;
    plan p = {.now = sy_keeper__now(k)};
    if (p.now == SY_MS_NONE)
        return SY_OK;
    pthread_mutex_lock(&k->mu);
    p.keeping = k->keeping;
    p.least = k->lateness + LATE_MARGIN_MS;
    pthread_mutex_unlock(&k->mu);
    p.disk = sy_keeper__disk(k->o.data, &free_bytes);
    sy_err e = sy_store_holds(k->o.store, add_hold, &p, f);
    if (!e && p.failed)
        e = sy_fail_set(f, SY_E_NOMEM, "out of memory");
    if (!e)
        e = expire_raw(k, &p, f);
    if (!e)
        e = expire_damaged(k, &p, files, n, f);
    if (!e)
        e = expire_alerts(k, &p, f);
    if (!e)
        e = expire_readings(k, &p, f);
    free(p.held);
    free(p.held_records);
    free(p.rows);
    return e;
}
