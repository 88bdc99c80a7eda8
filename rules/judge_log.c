/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a point: its readings by event time, as far back as something may still be judged
 * again. One entry a time: what is not bad is remembered with whether it is valid, so that a second
 * value of the same time makes both uncertain, whichever came first (rulings 15); what is bad for
 * being above the range is remembered for the rules that count it as above.
 *
 * In-order readings are appended; entries are 16 bytes, since there are many.
 */
#include "rules/judge_log.h"
#include "rules/judge_core.h"

/* What is asked for is nearly always near the end: the search widens from there. */
uint32_t sy_judge__log_after(const point_log *l, sy_ms t)
{
    uint32_t lo = 0, hi, step = 1;
    if (l->n == 0 || e_time(&l->e[l->head + l->n - 1]) <= t) {
        return l->n;
    }
    const entry *e = l->e + l->head;
    for (hi = l->n - 1; hi >= step && e_time(&e[hi - step]) > t; step *= 2) {
        hi -= step;
    }
    if (hi >= step) {
        lo = hi - step + 1;
    }
    while (lo < hi) {
        uint32_t m = lo + (hi - lo) / 2;
        if (e_time(&e[m]) > t) {
            hi = m;
        } else {
            lo = m + 1;
        }
    }
    return lo;
}

const entry *sy_judge__log_prev(const point_log *l, sy_ms t, unsigned sees)
{
    uint32_t k = sy_judge__log_after(l, t - 1);
    while (k > 0) {
        const entry *e = &l->e[l->head + --k];
        if (e_seen(e, sees)) {
            return e;
        }
    }
    return NULL;
}

const entry *sy_judge__log_next(const point_log *l, sy_ms t, unsigned sees)
{
    for (uint32_t k = sy_judge__log_after(l, t); k < l->n; k++) {
        const entry *e = &l->e[l->head + k];
        if (e_seen(e, sees)) {
            return e;
        }
    }
    return NULL;
}

sy_ms sy_judge__log_newest(const point_log *l)
{
    return l->n ? e_time(&l->e[l->head + l->n - 1]) : SY_MS_NONE;
}

static sy_err room(sy_judge *j, point_log *l)
{
    if (l->head + l->n < l->cap) {
        return SY_OK;
    }
    if (l->head >= 8 && l->head >= l->n / 2) {
        memmove(l->e, l->e + l->head, l->n * sizeof *l->e);
        l->head = 0;
        return SY_OK;
    }
    size_t cap = l->cap + l->cap / 2 + 8;
    entry *e = j->o.alloc.resize(j->o.alloc.ctx, l->e, cap * sizeof *e);
    if (!e) {
        return SY_E_NOMEM;
    }
    j->bytes += (cap - l->cap) * sizeof *e;
    l->e = e;
    l->cap = (uint32_t)cap;
    return SY_OK;
}

/* The same time again. A bad reading is set aside beside any other. */
static sy_verdict meet(entry *e, double v, int kind)
{
    int was = e_kind(e);
    if (kind == E_OVER) {
        return was == E_OVER ? SY_READING_DUPLICATE : SY_READING_TAKEN;
    }
    if (was == E_CONFLICT) {
        return SY_READING_CONFLICT;
    }
    if (was == E_OVER) {
        *e = (entry){.key = (e->key & ~(int64_t)3) | kind, .v = v};
        return SY_READING_TAKEN;
    }
    if (e->v != v) {
        e->key = (e->key & ~(int64_t)3) | E_CONFLICT;
        return SY_READING_CONFLICT;
    }
    if (kind == E_VALID &&
        was != E_VALID) { /* a good and an uncertain one of equal value are good */
        e->key |= E_VALID;
        return SY_READING_TAKEN;
    }
    return SY_READING_DUPLICATE;
}

sy_err sy_judge__log_add(sy_judge *j, point_log *l, sy_ms t, double v, int kind, added *what)
{
    uint32_t k = sy_judge__log_after(l, t);
    *what = (added){.was = E_ABSENT, .is = kind, .verdict = SY_READING_TAKEN};
    if (k > 0 && e_time(&l->e[l->head + k - 1]) == t) {
        entry *e = &l->e[l->head + k - 1];
        what->was = e_kind(e);
        what->verdict = meet(e, v, kind);
        what->is = e_kind(e);
        return SY_OK;
    }
    sy_err e = room(j, l);
    if (e) {
        return e;
    }
    entry *at = l->e + l->head + k;
    memmove(at + 1, at, (l->n - k) * sizeof *at);
    *at = (entry){.key = t * 4 + kind, .v = v};
    l->n++;
    return SY_OK;
}

/* What an instance may still look at lies after this; a window at its point's latest reading. */
static sy_ms needed_from(const point_log *l, const inst *i, uint32_t slot)
{
    sy_ms t = i->base->t, keep = i->slots[slot].keep;
    if (keep == 0 || t == SY_MS_NONE) {
        return t;
    }
    const entry *e = sy_judge__log_prev(l, t + 1, i->takes);
    return (e ? e_time(e) : t) - keep - 1;
}

/* What no checkpoint needs and no late reading may meet goes; the newest of these stays, so that
 * the predecessor of a late reading is known. */
void sy_judge__log_prune(sy_judge *j, uint32_t point)
{
    point_log *l = &j->logs[point];
    sy_ms newest = sy_judge__log_newest(l);
    sy_ms cut = sooner(newest, j->now);
    if (cut == SY_MS_NONE) {
        return;
    }
    cut -= SY_JUDGE_REDO + 1;
    for (uint32_t k = 0; k < l->n_inst; k++) {
        const uint32_t *u = &j->users[(l->inst_at + k) * 2];
        cut = sooner(cut, needed_from(l, &j->insts[u[0]], u[1]));
    }
    uint32_t n = sy_judge__log_after(l, cut);
    while (n > 0 && !e_valid(&l->e[l->head + n - 1])) {
        n--;
    }
    if (n > 1) {
        l->head += n - 1;
        l->n -= n - 1;
        l->gone += n - 1;
    }
}
