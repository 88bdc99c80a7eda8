/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calendar windows at their closes. A window is scanned once, when it closes, so that each reading
 * is looked at once, and a late one is seen when the close is judged again.
 *
 * A local hour ends at the next full hour of the wall clock, or where the offset of the zone
 * changes.
 */
#include "rules/judge_core.h"
#include "rules/judge_run.h"

enum { HOUR_MS = 3600000 };

static const sy_zone *zone_of(const run *r)
{
    const sy_site *site = r->j->o.site;
    return site->premises[site->places[r->i->place].premises].zone;
}

/* The offset's change at or before t, and the next one after it. */
static void steps_around(const sy_zone *z, sy_ms t, sy_ms *before, sy_ms *after)
{
    size_t lo = 0, hi = z ? z->n : 0;
    while (lo < hi) {
        size_t m = lo + (hi - lo) / 2;
        if (z->steps[m].from > t) {
            hi = m;
        } else {
            lo = m + 1;
        }
    }
    *before = lo > 0 ? z->steps[lo - 1].from : SY_MS_NONE;
    *after = z && lo < z->n ? z->steps[lo].from : SY_MS_MAX;
}

/* The local hour, or day, that t lies in: [*start, result). */
static sy_ms window_around(const sy_zone *z, bool daily, sy_ms t, sy_ms *start)
{
    if (daily) {
        int64_t day = sy_zone_day(z, t);
        *start = sy_zone_midnight(z, day);
        return sy_zone_midnight(z, day + 1);
    }
    sy_ms before, after, in = (t + sy_zone_offset(z, t)) % HOUR_MS;
    in = in < 0 ? in + HOUR_MS : in;
    steps_around(z, t, &before, &after);
    *start = later(t - in, before);
    return sooner(t - in + HOUR_MS, after);
}

sy_ms sy_judge__next_close(const run *r, sy_ms t)
{
    sy_ms start, best = SY_MS_MAX;
    for (uint32_t k = 0; k < r->i->n_closings; k++) {
        best = sooner(best, window_around(zone_of(r), r->i->closings[k].daily, t, &start));
    }
    return best;
}

/* A window that does not lie wholly in the time in force is none. */
bool sy_judge__closes_at(const run *r, const closing *c, sy_ms t, sy_ms *start)
{
    return window_around(zone_of(r), c->daily, t - 1, start) == t && *start >= r->i->from &&
           t <= r->i->end;
}

bool sy_judge__any_closes_at(const run *r, const root *c, sy_ms t)
{
    sy_ms start;
    for (uint32_t k = c->first; k <= c->last; k++) {
        const node *n = &r->i->nodes[k];
        if (n->kind == N_CLOSE && sy_judge__closes_at(r, &r->i->closings[n->item], t, &start)) {
            return true;
        }
    }
    return false;
}

static const point_log *log_of(const run *r, uint32_t slot)
{
    return &r->j->logs[r->i->slots[slot].point];
}

/* The mean of what counts in [from, to), known where enough of it is there. */
static bool mean(run *r, window *w, double valid, sy_ms from, sy_ms to, double *out)
{
    const point_log *l = log_of(r, w->slot);
    sy_ms inside = w->during ? sy_judge__cal_time(w->during, from, to) : to - from;
    int64_t n = 0, expected = w->every ? inside / w->every : 0;
    sy_i128 sum = 0;
    for (uint32_t k = sy_judge__log_after(l, from - 1); k < l->n; k++) {
        const entry *e = &l->e[l->head + k];
        if (e_time(e) >= to) {
            break;
        }
        if (sy_judge__counts(r, w, e)) {
            sum += sy_judge__fixed(e->v, SUM_BITS);
            n++;
        }
    }
    if (n < 1 || expected < 1 || (double)n * 100 < valid * (double)expected) {
        return false;
    }
    *out = sy_judge__unfixed(sum, SUM_BITS) / (double)n;
    return true;
}

/* The mean of the means of the hours of [from, to) that are known. */
static bool daily_mean(run *r, window *w, sy_ms from, sy_ms to, double *out)
{
    int64_t n = 0, hours = 0;
    sy_i128 sum = 0;
    while (from < to) {
        sy_ms start, end = sooner(window_around(zone_of(r), false, from, &start), to);
        double x;
        if (mean(r, w, 75, from, end, &x)) {
            sum += sy_judge__fixed(x, SUM_BITS);
            n++;
        }
        hours++;
        from = end;
    }
    if (n < 1 || (double)n * 100 < w->valid * (double)hours) {
        return false;
    }
    *out = sy_judge__unfixed(sum, SUM_BITS) / (double)n;
    return true;
}

/* A leaf at an event: what the members say at exactly its time, of others the latest. */
static tri event_leaf(run *r, const node *n, sy_ms t)
{
    const jslot *s = &r->i->slots[n->slot];
    if (n->kind == N_SAMPLE) {
        return sy_judge__sample(r, &r->i->samples[n->item], t, true);
    }
    const entry *e = sy_judge__latest(r, n->slot, t, n->kind == N_IS ? s->bound : s->missing);
    if (!e || (s->member && e_time(e) != t)) {
        return UNKNOWN3;
    }
    return sy_judge__test(n, e->v, t) ? TRUE3 : FALSE3;
}

static tri at_event(run *r, const root *c, sy_ms t)
{
    uint8_t *v = r->j->at;
    for (uint32_t k = c->first; k <= c->last; k++) {
        const node *n = &r->i->nodes[k];
        bool leaf = n->kind == N_CMP || n->kind == N_IS || n->kind == N_SAMPLE;
        v[k] = (uint8_t)(leaf ? event_leaf(r, n, t) : sy_judge__inner(r, n, v, t));
    }
    return (tri)v[c->last];
}

/* The part of the counted events of [from, to) that is bad, in per cent. */
static bool share(run *r, const closing *c, sy_ms from, sy_ms to, double *out)
{
    const point_log *l = log_of(r, c->event);
    double counted = 0, bad = 0;
    for (uint32_t k = sy_judge__log_after(l, from - 1); k < l->n; k++) {
        const entry *e = &l->e[l->head + k];
        if (e_time(e) >= to) {
            break;
        }
        bool taken = e_seen(e, r->i->takes) &&
                     (!c->what.during || sy_judge__cal_inside(c->what.during, e_time(e)));
        if (!taken || (c->counts && at_event(r, &c->only_when, e_time(e)) != TRUE3)) {
            continue;
        }
        tri v = at_event(r, &c->test, e_time(e));
        counted += v != UNKNOWN3;
        bad += v == TRUE3;
    }
    if (counted < 1 || counted < c->counted) {
        return false;
    }
    *out = 100 * bad / counted;
    return true;
}

/* The driver's readings of [from, to) join the figures. */
static void add_figures(const run *r, figs *f, sy_ms from, sy_ms to)
{
    const point_log *l = log_of(r, 0);
    for (uint32_t k = sy_judge__log_after(l, from - 1); k < l->n; k++) {
        const entry *e = &l->e[l->head + k];
        if (e_time(e) >= to) {
            break;
        }
        if (e_seen(e, r->i->takes)) {
            figs_add(f, e->v);
        }
    }
}

/* The verdict on [from, to) joins the run. */
static void join(const run *r, run_state *s, tri v, sy_ms from, sy_ms to)
{
    if (v == TRUE3 && s->n++ == 0) {
        s->onset = s->to = from;
    }
    s->unknown = v == UNKNOWN3 ? s->unknown + 1 : 0;
    if (v == FALSE3 || s->unknown == 2) {
        *s = (run_state){.onset = SY_MS_NONE, .to = SY_MS_NONE};
    }
    if (s->n > 0) {
        add_figures(r, &s->figs, s->to, to);
        s->to = to;
    }
    s->last = to;
}

/* The close may be looked at more than once. */
static tri lasts(run *r, const closing *c, sy_ms from, sy_ms to)
{
    run_state *s = &st_runs(r->i, r->st)[c->item];
    tri v = (tri)r->j->at[r->i->levels[c->level].cond.last];
    if (s->last != to) {
        join(r, s, v, from, to);
    }
    if (v == UNKNOWN3) {
        return UNKNOWN3;
    }
    return v == TRUE3 && s->n >= c->times ? TRUE3 : FALSE3;
}

tri sy_judge__close(run *r, const node *n, sy_ms t)
{
    closing *c = &r->i->closings[n->item];
    sy_ms from;
    double v = 0;
    bool known = false;
    if (!sy_judge__closes_at(r, c, t, &from)) {
        return UNKNOWN3;
    }
    switch ((close_kind)c->kind) {
    case C_LASTS:
        return lasts(r, c, from, t);
    case C_SHARE:
        known = share(r, c, from, t, &v);
        break;
    case C_DAILY:
        known = daily_mean(r, &c->what, from, t, &v);
        break;
    case C_HOURLY:
    default:
        known = mean(r, &c->what, c->what.valid, from, t, &v);
        break;
    }
    if (!known) {
        return UNKNOWN3;
    }
    return sy_judge__test(n, v, from) ? TRUE3 : FALSE3;
}

/* From the earliest start of the windows that close at t. */
void sy_judge__close_outcome(run *r, const jlevel *l, sy_ms t, outcome *o)
{
    const run_state *began = NULL;
    for (uint32_t k = l->cond.first; k <= l->cond.last; k++) {
        const node *n = &r->i->nodes[k];
        sy_ms start;
        if (n->kind != N_CLOSE || !sy_judge__closes_at(r, &r->i->closings[n->item], t, &start)) {
            continue;
        }
        const closing *c = &r->i->closings[n->item];
        const run_state *s = c->kind == C_LASTS ? &st_runs(r->i, r->st)[c->item] : NULL;
        bool longer = s && s->n > 0;
        start = longer ? s->onset : start;
        if (start < o->onset) {
            o->onset = start;
            began = longer ? s : NULL;
        }
    }
    o->counted = t - o->onset;
    o->figs = began ? began->figs : (figs){0};
    add_figures(r, &o->figs, began ? began->to : o->onset, t + 1);
}
