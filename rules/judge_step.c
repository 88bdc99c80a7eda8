/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance, from one elementary instant to the next.
 *
 * Elementary instants are readings, the ends of exemptions and of held states, completed holds,
 * silence timers, and the bounds of the time in force. Each step takes the open stretch before the
 * instant, then the timers of the instant, then its readings. Clearing is judged before opening.
 */
#include "rules/judge_core.h"
#include "rules/judge_log.h"
#include "rules/judge_run.h"
#include "rules/judge_value.h"

static sy_ms next_reading(run *r)
{
    sy_ms best = SY_MS_MAX;
    for (uint32_t k = 0; k < r->i->n_slots; k++) {
        const point_log *l = &r->j->logs[r->i->slots[k].point];
        uint32_t *n = &r->j->next[k];
        while (*n < l->n && !e_seen(&l->e[l->head + *n], r->i->sees)) {
            ++*n;
        }
        if (*n < l->n) {
            best = sooner(best, e_time(&l->e[l->head + *n]));
        }
    }
    return best;
}

/* When a silence that is not yet due will be; a restart before that puts it off. */
static sy_ms silence_timer(const run *r, const node *n)
{
    sy_ms t = r->st->t, base;
    sy_ms at = t == SY_MS_NONE ? t : t + 1;
    sy_ms due = sy_judge__silent_from(r, n, at, &base);
    for (size_t k = 0; k < r->j->n_restarts; k++) {
        const restart *x = &r->j->restarts[k];
        if (x->off >= at && due > x->off) {
            due = later(due, sy_judge__silent_at(r, n, x->at));
        }
    }
    return due > t ? due : SY_MS_MAX;
}

static sy_ms next_timer(run *r)
{
    sy_ms t = r->st->t, best = SY_MS_MAX;
    const inst *i = r->i;
    if (t == SY_MS_NONE) { /* time begins with the box, or with its first reading */
        return i->timers ? r->j->o.start : SY_MS_MAX;
    }
    if (i->from > t) {
        best = i->from;
    } else if (i->end > t) {
        best = i->end;
    }
    if (!i->timers) {
        return best;
    }
    best = sooner(best, sy_judge__exempt_timer(r));
    if (i->n_closings) {
        best = sooner(best, sy_judge__next_close(r, t));
    }
    if (i->n_varies && i->varies_to > t) {
        best = sooner(best, i->varies_to);
    }
    for (uint32_t k = 0; k < i->n_slots; k++) {
        const slot_state *s = &st_slots(r->st)[k];
        if (i->slots[k].bound && s->t != SY_MS_NONE && s->t + i->slots[k].bound > t) {
            best = sooner(best, s->t + i->slots[k].bound);
        }
    }
    for (uint32_t k = 0; k < i->n_levels; k++) {
        if (i->levels[k].during) {
            best = sooner(best, sy_judge__cal_next(i->levels[k].during, t));
        }
    }
    if (i->has_phrases) {
        best = sooner(best, sy_judge__phrase_timer(r));
    }
    if (!i->has_silence) {
        return best;
    }
    for (uint32_t k = 0; k < i->n_nodes; k++) {
        if (i->nodes[k].kind == N_NODATA) {
            best = sooner(best, silence_timer(r, &i->nodes[k]));
        }
    }
    for (size_t k = 0; k < r->j->n_restarts; k++) {
        sy_ms at = r->j->restarts[k].off > t ? r->j->restarts[k].off : r->j->restarts[k].at;
        if (at > t) {
            best = sooner(best, at);
        }
    }
    return best;
}

static bool in_force(const inst *i, sy_ms t)
{
    return t >= i->from && t < i->end;
}

/* The stretch after t counts for the level. */
static bool inside(const jlevel *l, sy_ms t)
{
    return !l->during || sy_judge__cal_inside(l->during, t);
}

static void eval_stretch(run *r)
{
    for (uint32_t k = 0; k < r->i->n_levels; k++) {
        sy_judge__eval_stretch(r, &r->i->levels[k].cond);
    }
    if (r->i->has_clear) {
        sy_judge__eval_stretch(r, &r->i->clear);
    }
}

/* When the hold that a measure serves completes, if the stretch goes on as it is. */
static sy_ms completes(run *r, const measure *m, tri v, sy_ms d)
{
    return v == TRUE3 && m->counted < d ? r->st->t + (d - m->counted) : SY_MS_MAX;
}

static sy_ms nested_completes(run *r, const root *c, bool counts)
{
    sy_ms best = SY_MS_MAX;
    for (uint32_t k = c->first; k <= c->last; k++) {
        const node *n = &r->i->nodes[k];
        if (n->kind == N_CUM && r->j->seg[r->i->kids[n->kid]] == TRUE3) {
            best = sooner(best, counts ? sy_judge__cum_completes(r, n->item, n->d, n->gap)
                                       : sy_judge__cum_falls(r, n->item, n->d, n->gap));
        }
        if (n->kind == N_HOLD && counts) {
            best = sooner(best, completes(r, &st_measures(r->i, r->st)[n->item],
                                          (tri)r->j->seg[r->i->kids[n->kid]], n->d));
        }
    }
    return best;
}

/* The first completion of a hold that counts at its very instant. */
static sy_ms completion(run *r)
{
    const inst *i = r->i;
    const measure *m = st_measures(i, r->st);
    sy_ms t = r->st->t, best = SY_MS_MAX;
    if (t == SY_MS_NONE || !in_force(i, t)) {
        return best;
    }
    for (uint32_t k = 0; k < i->n_levels; k++) {
        const jlevel *l = &i->levels[k];
        bool counts = sy_judge__counting(r, (int)k, false) == COUNTS;
        tri v = (tri)r->j->seg[l->cond.last];
        if (l->cond.timers) {
            best = sooner(best, nested_completes(r, &l->cond, counts));
        }
        if (l->cond.clocked && l->kind == L_FOR && counts) {
            best = sooner(best, completes(r, &m[l->cond.item], v, l->cond.hold));
        }
        if (l->cond.clocked && l->kind == L_CUM && counts && v == TRUE3) {
            best = sooner(best,
                          sy_judge__cum_completes(r, l->cond.item, l->cond.hold, l->cond.window));
        }
        if (l->cond.clocked && !i->has_clear && l->fhold > 0) {
            best = sooner(best, completes(r, &m[l->fitem], (tri)(TRUE3 - v), l->fhold));
        }
    }
    if (i->has_clear) {
        tri v = (tri)r->j->seg[i->clear.last];
        best = sooner(best, nested_completes(r, &i->clear, true));
        if (i->clear.clocked && i->clear.cum && v == TRUE3) {
            best = sooner(
                best, sy_judge__cum_completes(r, i->clear.item, i->clear.hold, i->clear.window));
        } else if (i->clear.clocked && i->clear.hold >= 0 && !i->clear.cum) {
            best = sooner(best, completes(r, &m[i->clear.item], v, i->clear.hold));
        }
    }
    return best;
}

static void nested_stretch(run *r, const root *c, counting how, sy_ms t)
{
    for (uint32_t k = c->first; c->timers && k <= c->last; k++) {
        const node *n = &r->i->nodes[k];
        if (n->kind == N_CUM) {
            bool counts = how == COUNTS && r->j->seg[r->i->kids[n->kid]] == TRUE3;
            sy_judge__cum_stretch(r, n->item, n->gap, counts, t);
        } else if (n->kind == N_HOLD) {
            sy_judge__measure_stretch(r, &st_measures(r->i, r->st)[n->item],
                                      (tri)r->j->seg[r->i->kids[n->kid]], how, run_limit(n->d), t);
        }
    }
}

/* True where time that an exemption may subtract is known true in the stretch. */
static bool counts(const run *r, const jlevel *l)
{
    if ((l->kind == L_FOR || l->kind == L_CUM) && r->j->seg[l->cond.last] == TRUE3) {
        return true;
    }
    for (uint32_t k = l->cond.first; l->cond.timers && k <= l->cond.last; k++) {
        const node *n = &r->i->nodes[k];
        if ((n->kind == N_HOLD || n->kind == N_CUM) && r->j->seg[r->i->kids[n->kid]] == TRUE3) {
            return true;
        }
    }
    return false;
}

counting sy_judge__counting(run *r, int level, bool use)
{
    const jlevel *l = level < 0 ? NULL : &r->i->levels[level];
    if (!l) {
        return COUNTS;
    }
    if (!inside(l, r->st->t)) {
        return OUTSIDE;
    }
    if (l->n_excepts == 0 || (use && !counts(r, l))) { /* nothing that is subtracted */
        return COUNTS;
    }
    return sy_judge__exempt(r, l, r->st->t, use) ? EXEMPT : COUNTS;
}

static void stretch_to(run *r, sy_ms t)
{
    const inst *i = r->i;
    measure *m = st_measures(i, r->st);
    level_state *ls = st_levels(i, r->st);
    tally_kind worst = T_OUTSIDE;
    if (r->st->t == SY_MS_NONE || !in_force(i, r->st->t)) {
        return;
    }
    for (uint32_t k = 0; k < i->n_levels; k++) {
        const jlevel *l = &i->levels[k];
        tri v = (tri)r->j->seg[l->cond.last];
        counting how = sy_judge__counting(r, (int)k, true);
        tally_kind kind = sy_judge__tally_of(r, k, v, how);
        worst = kind > worst ? kind : worst;
        nested_stretch(r, &l->cond, how, t);
        if (l->kind == L_FOR) {
            sy_judge__measure_stretch(r, &m[l->cond.item], v, how, run_limit(l->cond.hold), t);
        }
        if (l->kind == L_CUM) {
            sy_judge__cum_stretch(r, l->cond.item, l->cond.window, how == COUNTS && v == TRUE3, t);
        }
        if (!i->has_clear && l->kind != L_SILENCE && l->fhold > 0) {
            sy_judge__measure_stretch(r, &m[l->fitem], (tri)(TRUE3 - v), COUNTS,
                                      run_limit(l->fhold), t);
        }
        if (v == FALSE3) {
            ls[k].blocked = 0;
        }
    }
    sy_judge__tally(r, worst, t);
    if (i->has_clear) {
        nested_stretch(r, &i->clear, COUNTS, t);
        if (i->clear.cum) {
            sy_judge__cum_stretch(r, i->clear.item, i->clear.window,
                                  r->j->seg[i->clear.last] == TRUE3, t);
        } else if (i->clear.hold >= 0) {
            sy_judge__measure_stretch(r, &m[i->clear.item], (tri)r->j->seg[i->clear.last], COUNTS,
                                      run_limit(i->clear.hold), t);
        }
    }
}

void sy_judge__reach(run *r, sy_ms t)
{
    eval_stretch(r);
    stretch_to(r, t);
}

/* The driver's reading of the instant belongs to every figure that is being taken. */
static void figures(run *r)
{
    const inst *i = r->i;
    measure *m = st_measures(i, r->st);
    silence *s = st_silences(i, r->st);
    if (!r->driver) {
        return;
    }
    if (r->st->alert.raised != SY_MS_NONE) {
        figs_add(&r->st->alert.figs, r->driver_v);
    }
    for (uint32_t k = 0; k < i->n_measures; k++) {
        if (m[k].first != SY_MS_NONE) {
            figs_add(&m[k].figs, r->driver_v);
        }
    }
    for (uint32_t k = 0; k < i->n_silences; k++) {
        figs_add(&s[k].figs, r->driver_v);
    }
}

/* Silence is counted anew from t: so are the figures that go with it. */
static void silence_anew(run *r, sy_ms t)
{
    silence *s = st_silences(r->i, r->st);
    bool anew = t == r->i->from || t == r->j->o.start;
    for (size_t k = 0; k < r->j->n_restarts; k++) {
        anew = anew || t == r->j->restarts[k].at;
    }
    for (uint32_t k = 0; anew && k < r->i->n_silences; k++) {
        s[k].figs = (figs){0};
        if (r->driver) {
            figs_add(&s[k].figs, r->driver_v);
        }
    }
}

/* The point of the slot has a reading: its silences count from here. */
static void speaks(run *r, uint32_t slot, sy_ms t)
{
    const slot_state *s = &st_slots(r->st)[slot];
    for (uint32_t q = 0; q < r->i->n_nodes; q++) {
        const node *x = &r->i->nodes[q];
        if (x->kind != N_NODATA || x->slot != slot) {
            continue;
        }
        silence *z = &st_silences(r->i, r->st)[x->item];
        if (z->since != SY_MS_NONE && s->t != SY_MS_NONE && t - s->t <= x->gap) {
            z->sum += t - later(s->t, z->since);
        }
        z->figs = (figs){0};
        if (r->driver) {
            figs_add(&z->figs, r->driver_v);
        }
    }
}

/* Take the readings of t into the slots. */
static void take(run *r, sy_ms t)
{
    const inst *i = r->i;
    for (uint32_t k = 0; k < i->n_slots; k++) {
        const point_log *l = &r->j->logs[i->slots[k].point];
        slot_state *s = &st_slots(r->st)[k];
        uint32_t n = r->j->next[k];
        if (n >= l->n || e_time(&l->e[l->head + n]) != t) {
            continue;
        }
        if (i->slots[k].silent) {
            speaks(r, k, t);
        }
        *s = (slot_state){.t = t, .v = e_value(&l->e[l->head + n])};
        r->j->next[k]++;
    }
}

static void look(run *r, sy_ms t)
{
    r->reading = false;
    r->driver = false;
    for (uint32_t k = 0; k < r->i->n_slots; k++) {
        const point_log *l = &r->j->logs[r->i->slots[k].point];
        uint32_t n = r->j->next[k];
        if (n < l->n && e_time(&l->e[l->head + n]) == t) {
            r->reading = true;
            if (k == 0 && e_kind(&l->e[l->head + n]) != E_OVER) {
                r->driver = true;
                r->driver_v = l->e[l->head + n].v;
            }
        }
    }
}

/* At the end of the time in force, what is not a calendar window is not judged any more. */
static bool by_clock(const run *r, const root *c)
{
    return c->clocked && (!r->ending || c->closes);
}

/* Returns true where the alert closed at t. */
static bool timers_at(run *r, sy_ms t)
{
    const inst *i = r->i;
    bool closed = false;
    for (uint32_t k = 0; k < i->n_levels; k++) {
        if (by_clock(r, &i->levels[k].cond)) {
            sy_judge__eval_before(r, &i->levels[k].cond, t);
        }
    }
    if (i->has_clear && by_clock(r, &i->clear)) {
        sy_judge__eval_before(r, &i->clear, t);
    }
    if (r->st->alert.raised != SY_MS_NONE && t >= r->st->tuned && sy_judge__clears_by_clock(r, t)) {
        sy_judge__close_alert(r, t, SY_ALERT_CLEARED);
        r->i->dirty = true;
        closed = true;
    }
    for (uint32_t k = 0; k < i->n_levels; k++) {
        const root *c = &i->levels[k].cond;
        if (c->closes && r->j->at[c->last] == FALSE3) {
            st_levels(i, r->st)[k].blocked = 0;
        }
    }
    if (!closed) {
        sy_judge__open_levels(r, t, true);
    }
    return closed;
}

static void readings_at(run *r, sy_ms t, bool closed)
{
    const inst *i = r->i;
    measure *m = st_measures(i, r->st);
    level_state *ls = st_levels(i, r->st);
    for (uint32_t k = 0; k < i->n_levels; k++) {
        const jlevel *l = &i->levels[k];
        sy_judge__eval_at(r, &l->cond, t);
        tri v = (tri)r->j->at[l->cond.last];
        for (uint32_t q = l->cond.first; l->cond.timers && q <= l->cond.last; q++) {
            const node *n = &i->nodes[q];
            if (n->kind == N_HOLD) {
                sy_judge__measure_at(&m[n->item], (tri)r->j->at[i->kids[n->kid]], run_limit(n->d),
                                     t);
            }
        }
        if (l->kind == L_FOR) {
            sy_judge__measure_at(&m[l->cond.item], v, run_limit(l->cond.hold), t);
        } else if (l->kind == L_BARE && v == TRUE3 && inside(l, t)) {
            (void)sy_judge__exempt(r, l, t, true);
        }
        if (!i->has_clear && l->kind != L_SILENCE && l->fhold > 0) {
            sy_judge__measure_at(&m[l->fitem], (tri)(TRUE3 - v), run_limit(l->fhold), t);
        }
    }
    if (i->has_clear) {
        sy_judge__eval_at(r, &i->clear, t);
        for (uint32_t q = i->clear.first; q <= i->clear.last; q++) {
            const node *n = &i->nodes[q];
            if (n->kind == N_HOLD) {
                sy_judge__measure_at(&m[n->item], (tri)r->j->at[i->kids[n->kid]], run_limit(n->d),
                                     t);
            }
        }
        if (i->clear.hold >= 0 && !i->clear.cum) {
            sy_judge__measure_at(&m[i->clear.item], (tri)r->j->at[i->clear.last],
                                 run_limit(i->clear.hold), t);
        }
    }
    if (r->st->alert.raised != SY_MS_NONE && t >= r->st->tuned && sy_judge__clears_at_reading(r)) {
        sy_judge__close_alert(r, t, SY_ALERT_CLEARED);
        r->i->dirty = true;
        closed = true;
    }
    for (uint32_t k = 0; k < i->n_levels; k++) {
        if (r->j->at[i->levels[k].cond.last] == FALSE3) {
            ls[k].blocked = 0;
        }
    }
    if (!closed) {
        sy_judge__open_levels(r, t, false);
    }
    for (uint32_t k = 0; k < i->n_measures; k++) {
        m[k].grew = 0;
    }
    for (uint32_t k = 0; k < i->n_cums; k++) {
        st_cums(i, r->st)[k].grew = 0;
    }
}

typedef enum moment { AFTER, BEFORE, WITH } moment; /* of an instant's readings */

/* What follows what, through a moment of t: its parts are as they are there. */
static void follows(run *r, sy_ms t, moment m)
{
    uint32_t n = r->i->n_levels + r->i->has_clear;
    for (uint32_t k = 0; k < n; k++) {
        const root *c = k < r->i->n_levels ? &r->i->levels[k].cond : &r->i->clear;
        if (m == BEFORE) {
            sy_judge__eval_before(r, c, t);
        } else if (m == WITH) {
            sy_judge__eval_at(r, c, t);
        }
        sy_judge__follows(r, c, m == AFTER ? r->j->seg : r->j->at, t, m == AFTER);
    }
}

static void step(run *r, sy_ms t)
{
    const inst *i = r->i;
    bool closed = false;
    stretch_to(r, t);
    if (i->n_follows && r->st->t != SY_MS_NONE) { /* nothing begins before time does */
        follows(r, r->st->t, AFTER);
    }
    r->changes = false;
    if (i->n_varies) {
        r->changes = t >= i->varies_to;
        sy_judge__lengths_at(r->i, t);
    }
    look(r, t);
    figures(r);
    if (i->has_silence) {
        silence_anew(r, t);
    }
    if (t == i->end) {
        r->ending = true;
        if (i->n_closings && r->st->t != SY_MS_NONE) {
            (void)timers_at(r, t);
        }
        r->ending = false;
        if (r->st->alert.raised != SY_MS_NONE) {
            sy_judge__close_alert(r, t, SY_ALERT_SUPERSEDED);
            r->i->dirty = true;
        }
    } else if (i->clocked && t >= i->from && r->st->t != SY_MS_NONE) {
        closed = timers_at(r, t);
    }
    if (i->n_follows) {
        follows(r, t, BEFORE);
    }
    if (r->reading) {
        take(r, t);
        if (i->n_samples) {
            sy_judge__samples_at(r, t);
        }
    }
    if (i->n_curves) {
        sy_judge__curves_at(r, t);
    }
    if (r->reading && i->n_follows) { /* with the curves as the readings leave them */
        follows(r, t, WITH);
    }
    if (i->n_excepts) {
        sy_judge__exempt_at(r, t);
    }
    if (r->reading && in_force(i, t)) {
        readings_at(r, t, closed);
    }
    r->st->t = t;
}

void sy_judge__steps(run *r)
{
    const inst *i = r->i;
    for (uint32_t k = 0; k < i->n_slots; k++) {
        r->j->next[k] = sy_judge__log_after(&r->j->logs[i->slots[k].point], r->st->t);
    }
    r->timer = SY_MS_MAX;
    if (i->n_histories) {
        sy_judge__histories_cut(r->i, r->st->t);
    }
    while (r->st->t < i->end) {
        if (i->n_varies) {
            sy_judge__lengths_at(r->i, r->st->t);
        }
        sy_ms reading = next_reading(r);
        if (i->n_follows) {
            eval_stretch(r); /* its timer rests on it */
        }
        sy_ms timer = next_timer(r);
        sy_ms t = sooner(reading, timer);
        if (t <= r->limit || i->timers) { /* what completes rests on it */
            eval_stretch(r);
        }
        if (i->timers) {
            t = sooner(t, completion(r));
        }
        if (t > r->limit) {
            r->timer = i->timers ? sooner(timer, completion(r)) : timer;
            return;
        }
        step(r, t);
        if (r->err) {
            return;
        }
    }
}
