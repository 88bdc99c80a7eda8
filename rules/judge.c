/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge's face: readings and the clock in, alerts out.
 *
 * Only instances that a reading touches are visited; what waits for the clock (readings ahead of
 * it, timers, delayed publication) lies in a heap by (time, instance).
 */
#include "rules/judge_alert.h"
#include "rules/judge_bind.h"
#include "rules/judge_core.h"
#include "rules/judge_log.h"
#include "rules/judge_run.h"

static const sy_ms time_max = (sy_ms)1 << 59;

static bool earlier(const sy_judge *j, uint32_t a, uint32_t b)
{
    sy_ms x = j->insts[a].wake, y = j->insts[b].wake;
    return x != y ? x < y : a < b;
}

static void put(sy_judge *j, size_t at, uint32_t who)
{
    j->heap[at] = who;
    j->insts[who].heap_at = at;
}

static void up(sy_judge *j, size_t at)
{
    uint32_t who = j->heap[at];
    while (at > 0 && earlier(j, who, j->heap[(at - 1) / 2])) {
        put(j, at, j->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(j, at, who);
}

static void down(sy_judge *j, size_t at)
{
    uint32_t who = j->heap[at];
    for (;;) {
        size_t kid = 2 * at + 1;
        if (kid >= j->n_heap) {
            break;
        }
        if (kid + 1 < j->n_heap && earlier(j, j->heap[kid + 1], j->heap[kid])) {
            kid++;
        }
        if (!earlier(j, j->heap[kid], who)) {
            break;
        }
        put(j, at, j->heap[kid]);
        at = kid;
    }
    put(j, at, who);
}

void sy_judge__wake(sy_judge *j, inst *i, sy_ms t)
{
    uint32_t who = (uint32_t)(i - j->insts);
    size_t at = i->heap_at;
    if (t == i->wake && (at != SIZE_MAX || t == SY_MS_MAX)) {
        return;
    }
    i->wake = t;
    if (t == SY_MS_MAX) {
        if (at != SIZE_MAX) {
            uint32_t last = j->heap[--j->n_heap];
            i->heap_at = SIZE_MAX;
            if (last != who) {
                put(j, at, last);
                up(j, at);
                down(j, j->insts[last].heap_at);
            }
        }
        return;
    }
    if (at == SIZE_MAX) {
        at = j->n_heap++;
        put(j, at, who);
    }
    up(j, at);
    down(j, i->heap_at);
}

sy_err sy_judge__grow(sy_judge *j, void **data, size_t *cap, size_t need, size_t item)
{
    size_t was = *cap;
    sy_err e = sy_grow(j->o.alloc, data, cap, need, item);
    j->bytes += (*cap - was) * item;
    return e;
}

static sy_err tables(sy_judge *j)
{
    j->heap = sy_arena_get(&j->arena, (j->n_insts + 1) * sizeof *j->heap);
    j->seg = sy_arena_get(&j->arena, j->max_nodes + 1);
    j->at = sy_arena_get(&j->arena, j->max_nodes + 1);
    j->next = sy_arena_get(&j->arena, (j->max_slots + 1) * sizeof *j->next);
    j->terms = sy_arena_get(&j->arena, (j->max_terms + 1) * sizeof *j->terms);
    j->order = sy_arena_get(&j->arena, (j->max_slots + 1) * sizeof *j->order);
    j->scratch = sy_arena_get(&j->arena, sizeof(state) + (size_t)j->max_words * 8);
    return j->heap && j->seg && j->at && j->next && j->terms && j->order && j->scratch ? SY_OK
                                                                                       : SY_E_NOMEM;
}

sy_err sy_judge_open(sy_judge **out, const sy_judge_options *o)
{
    sy_err e;
    sy_judge *j = o->alloc.resize(o->alloc.ctx, NULL, sizeof *j);
    if (!j) {
        return SY_E_NOMEM;
    }
    *j = (sy_judge){.o = *o, .now = o->start};
    sy_arena_init(&j->arena, o->alloc, 0);
    j->logs = sy_arena_get(&j->arena, (o->site->n_points + 1) * sizeof *j->logs);
    e = j->logs ? sy_judge__bind(j) : SY_E_NOMEM;
    e = e ? e : tables(j);
    for (size_t k = 0; k < j->n_insts && !e; k++) {
        e = sy_judge__run(j, &j->insts[k]);
    }
    if (e) {
        sy_judge_close(j);
        return e;
    }
    *out = j;
    return SY_OK;
}

void sy_judge_close(sy_judge *j)
{
    if (!j) {
        return;
    }
    sy_alloc a = j->o.alloc;
    for (size_t k = 0; k < j->n_insts; k++) {
        sy_judge__windows_free(j, &j->insts[k]);
        a.resize(a.ctx, j->insts[k].recs, 0);
        for (uint32_t h = 0; h < j->insts[k].n_histories; h++) {
            a.resize(a.ctx, j->insts[k].histories[h].v, 0);
        }
    }
    for (size_t k = 0; j->logs && k < j->o.site->n_points; k++) {
        a.resize(a.ctx, j->logs[k].e, 0);
    }
    a.resize(a.ctx, j->insts, 0);
    a.resize(a.ctx, j->unwatched, 0);
    a.resize(a.ctx, j->restarts, 0);
    a.resize(a.ctx, j->changes, 0);
    sy_arena_fini(&j->arena);
    a.resize(a.ctx, j, 0);
}

static bool too_late(const sy_judge *j, const point_log *l, sy_ms t)
{
    sy_ms ref = sooner(sy_judge__log_newest(l), j->now);
    return t > time_max || t < -time_max || (ref != SY_MS_NONE && t < ref - SY_JUDGE_REDO);
}

/* What is summed up beside the states follows the log. */
static sy_err disturb_all(sy_judge *j, const point_log *l, sy_ms t, const added *what)
{
    for (uint32_t k = 0; k < l->n_inst; k++) {
        const uint32_t *u = &j->users[(l->inst_at + k) * 2];
        sy_err e = sy_judge__windows_disturb(j, &j->insts[u[0]], u[1], t, what);
        if (e) {
            return e;
        }
    }
    return SY_OK;
}

/* Judge the instances that see what changed at t. */
static sy_err touch_all(sy_judge *j, const point_log *l, sy_ms t, added *what)
{
    unsigned changed = (1u << what->was) | (1u << what->is);
    bool all = true;
    for (uint32_t k = 0; k < l->n_inst; k++) {
        const uint32_t *u = &j->users[(l->inst_at + k) * 2];
        bool judged;
        if (!(j->insts[u[0]].sees & changed)) {
            continue;
        }
        sy_err e = sy_judge__touch(j, &j->insts[u[0]], u[1], t, &judged);
        if (e) {
            return e;
        }
        all = all && judged;
    }
    if (!all) {
        what->verdict = SY_READING_LATE;
    }
    return SY_OK;
}

/* Later than in the normal course. */
static bool behind(const sy_judge *j, uint32_t point, sy_ms t)
{
    sy_ms delivery = j->o.site->points[point].delivery;
    return j->now != SY_MS_NONE && t < j->now - later(delivery, SY_JUDGE_REDO);
}

/* Out of range and not known to be below it. */
static bool over_range(const sy_site_point *p, double value, sy_quality quality)
{
    return (quality & SY_Q_GRADE) >= SY_Q_BAD && (quality & SY_Q_OUT_OF_RANGE) &&
           !(value < p->range_lo);
}

sy_err sy_judge_reading(sy_judge *j, uint32_t point, sy_ms t, double value, sy_quality quality,
                        sy_verdict *verdict)
{
    point_log *l = &j->logs[point];
    int kind = sy_quality_valid(quality) ? E_VALID : E_UNCERTAIN;
    added what;
    sy_err e;
    *verdict = SY_READING_TAKEN;
    if (too_late(j, l, t)) {
        *verdict = SY_READING_LATE;
        return SY_OK;
    }
    if (over_range(&j->o.site->points[point], value, quality)) {
        kind = E_OVER;
        value = 0;
    } else if ((quality & SY_Q_GRADE) >= SY_Q_BAD || value - value != 0) {
        return SY_OK; /* bad readings are set aside before conflicts are sought */
    }
    value = value == 0 ? 0 : value; /* one zero */
    e = sy_judge__log_add(j, l, t, value, kind, &what);
    if (!e && l->sampled && what.was != what.is) {
        e = disturb_all(j, l, t, &what);
    }
    if (!e && what.was != what.is) {
        j->late = behind(j, point, t);
        e = touch_all(j, l, t, &what);
    }
    *verdict = e ? *verdict : what.verdict;
    if (!e && l->n % 16 == 0) {
        sy_judge__log_prune(j, point);
    }
    sy_judge__emit(j);
    j->late = false;
    return e;
}

sy_err sy_judge_advance(sy_judge *j, sy_ms now)
{
    sy_err e = SY_OK;
    if (now <= j->now) {
        return SY_OK;
    }
    j->now = now;
    while (!e && j->n_heap > 0 && j->insts[j->heap[0]].wake <= now) {
        e = sy_judge__run(j, &j->insts[j->heap[0]]);
    }
    sy_judge__emit(j);
    return e;
}

sy_err sy_judge_finish(sy_judge *j)
{
    sy_err e = SY_OK;
    j->finished = true;
    for (size_t k = 0; k < j->n_insts && !e; k++) {
        j->insts[k].dirty = true;
        e = sy_judge__run(j, &j->insts[k]);
    }
    sy_judge__emit(j);
    return e;
}

sy_ms sy_judge_deadline(const sy_judge *j)
{
    return j->n_heap ? j->insts[j->heap[0]].wake : SY_MS_MAX;
}

sy_err sy_judge_restarted(sy_judge *j, sy_ms at)
{
    enum { RESTARTS = 64 };
    sy_err e;
    if (j->n_restarts == RESTARTS) { /* later ones count for everything after them */
        memmove(j->restarts, j->restarts + 1, (RESTARTS - 1) * sizeof *j->restarts);
        j->n_restarts--;
    }
    e = sy_judge__grow(j, (void **)&j->restarts, &j->cap_restarts, j->n_restarts + 1,
                       sizeof *j->restarts);
    if (e) {
        return e;
    }
    j->restarts[j->n_restarts++] = (restart){.off = j->now, .at = later(at, j->now)};
    for (size_t k = 0; k < j->n_insts && !e; k++) {
        e = j->insts[k].has_silence ? sy_judge__run(j, &j->insts[k]) : SY_OK;
    }
    sy_judge__emit(j);
    return e;
}

/* What is told of a rec now; an open one with its driver's readings up to the clock. */
static sy_alert shown(const sy_judge *j, const inst *i, const rec *r, char replaces[33])
{
    outcome o = r->pub;
    if (r->has_work && o.state == SY_ALERT_ACTIVE) {
        const point_log *l = &j->logs[i->point];
        o.figs = r->work.figs;
        for (uint32_t k = sy_judge__log_after(l, i->work_t); k < l->n; k++) {
            const entry *e = &l->e[l->head + k];
            if (e_time(e) <= j->now && e_seen(e, i->takes)) {
                figs_add(&o.figs, e->v);
            }
        }
    }
    return sy_judge__view(j, i, &o, r->replaces, sy_judge__highest(&o), replaces);
}

typedef struct listed {
    const inst *i;
    const rec *r;
} listed;

static bool after(const listed *a, const listed *b)
{
    if (a->r->pub.raised != b->r->pub.raised) {
        return a->r->pub.raised > b->r->pub.raised;
    }
    int c = text_order(a->i->rule->id, b->i->rule->id);
    c = c ? c : text_order(a->i->subject, b->i->subject);
    return c ? c > 0 : a->r->pub.onset > b->r->pub.onset;
}

static void merge(listed *v, listed *tmp, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t at = 0; at < n; at += 2 * width) {
            size_t a = at, ae = at + width < n ? at + width : n;
            size_t b = ae, be = at + 2 * width < n ? at + 2 * width : n;
            for (size_t k = at; k < be; k++) {
                bool right = a == ae || (b < be && after(&v[a], &v[b]));
                tmp[k] = right ? v[b++] : v[a++];
            }
        }
        memcpy(v, tmp, n * sizeof *v);
    }
}

sy_err sy_judge_alerts(const sy_judge *j, void (*fn)(void *ctx, const sy_alert *a), void *ctx)
{
    sy_alloc al = j->o.alloc;
    listed *v = NULL;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t at = 0;
        for (size_t k = 0; k < j->n_insts; k++) {
            for (size_t q = 0; q < j->insts[k].n_recs; q++) {
                if (j->insts[k].recs[q].has_pub) {
                    if (v) {
                        v[at] = (listed){&j->insts[k], &j->insts[k].recs[q]};
                    }
                    at++;
                }
            }
        }
        n = at;
        if (n == 0) {
            return SY_OK;
        }
        v = v ? v : al.resize(al.ctx, NULL, 2 * n * sizeof *v);
        if (!v) {
            return SY_E_NOMEM;
        }
    }
    merge(v, v + n, n);
    for (size_t k = 0; k < n; k++) {
        char replaces[33];
        sy_alert a = shown(j, v[k].i, v[k].r, replaces);
        fn(ctx, &a);
    }
    al.resize(al.ctx, v, 0);
    return SY_OK;
}

void sy_judge_forget(sy_judge *j)
{
    for (size_t k = 0; k < j->n_insts; k++) {
        inst *i = &j->insts[k];
        if (i->live > 0) {
            i->n_recs -= i->live;
            memmove(i->recs, i->recs + i->live, i->n_recs * sizeof *i->recs);
            i->live = 0;
        }
    }
}

void sy_judge_unwatched(const sy_judge *j, void (*fn)(void *ctx, const sy_unwatched *u), void *ctx)
{
    for (size_t k = 0; k < j->n_unwatched; k++) {
        fn(ctx, &j->unwatched[k]);
    }
}

size_t sy_judge_instances(const sy_judge *j)
{
    return j->n_insts;
}
