/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels of an alert: when one is reached, what the alert is then, and when it clears.
 *
 * A level is judged at readings; one whose condition is made of what holds (states, silence) by the
 * clock too, at the very instant. Levels are states of one alert: its id and onset are those of the
 * lowest level at its opening, its severity the highest reached.
 */
#include "rules/judge_alert.h"
#include "rules/judge_core.h"
#include "rules/judge_run.h"

void sy_judge__close_alert(run *r, sy_ms t, sy_alert_state how)
{
    level_state *ls = st_levels(r->i, r->st);
    outcome *a = &r->st->alert;
    a->cleared = t;
    a->state = how;
    sy_judge__rec_set(r->i, a);
    *a = (outcome){.raised = SY_MS_NONE};
    for (uint32_t k = 0; k < r->i->n_levels; k++) {
        ls[k] = (level_state){.blocked = 1};
    }
    for (uint32_t k = 0; k < r->i->n_silences; k++) {
        st_silences(r->i, r->st)[k].since = SY_MS_NONE;
        st_silences(r->i, r->st)[k].sum = 0;
    }
    for (uint32_t k = 0; k < r->i->n_cums; k++) {
        st_cums(r->i, r->st)[k].since = t;
    }
}

/* The silence leaves of a level: their node is the root, or the root's kids. */
static uint32_t leaves(const inst *i, const jlevel *l, const uint16_t **kids)
{
    const node *n = &i->nodes[l->cond.last];
    if (n->kind == N_THRESH) {
        *kids = i->kids + n->kid;
        return n->n_kids;
    }
    *kids = NULL;
    return 1;
}

static const node *leaf(const inst *i, const jlevel *l, const uint16_t *kids, uint32_t k)
{
    return &i->nodes[kids ? kids[k] : l->cond.last];
}

static uint32_t needed(const inst *i, const jlevel *l)
{
    const node *n = &i->nodes[l->cond.last];
    return n->kind == N_THRESH ? n->k : 1;
}

/* Silence clears once so many points have had data for their time that it cannot be true. */
static bool data_is_back(const run *r, const jlevel *l)
{
    const uint16_t *kids;
    uint32_t n = leaves(r->i, l, &kids), back = 0;
    for (uint32_t k = 0; k < n; k++) {
        const node *x = leaf(r->i, l, kids, k);
        back += st_silences(r->i, r->st)[x->item].sum >= x->d;
    }
    return n - back < needed(r->i, l);
}

static bool default_clear(const run *r)
{
    const inst *i = r->i;
    const level_state *ls = st_levels(i, r->st);
    for (uint32_t k = 0; k < i->n_levels; k++) {
        const jlevel *l = &i->levels[k];
        if (!ls[k].open) {
            continue;
        }
        if (l->kind == L_SILENCE) {
            return data_is_back(r, l);
        }
        if (l->kind == L_CALENDAR) {
            return false;
        }
        const measure *m = &st_measures(i, r->st)[l->fitem];
        return r->j->at[l->cond.last] == FALSE3 &&
               (l->fhold == 0 || (m->grew && m->counted >= l->fhold));
    }
    return false;
}

bool sy_judge__clears_at_reading(const run *r)
{
    const inst *i = r->i;
    if (!i->has_clear) {
        return default_clear(r);
    }
    if (i->clear.cum) {
        const cum *c = &st_cums(i, r->st)[i->clear.item];
        return r->j->at[i->clear.last] == TRUE3 && c->grew && c->sum >= i->clear.hold;
    }
    const measure *m = &st_measures(i, r->st)[i->clear.item];
    return r->j->at[i->clear.last] == TRUE3 &&
           (i->clear.hold < 0 || (m->grew && m->counted >= i->clear.hold));
}

/* A hold over what holds, completed by the stretch that ends now. */
static bool just_completed(const run *r, const measure *m, sy_ms d, sy_ms t)
{
    return m->counted >= d && (r->changes || m->counted - (t - r->st->t) < d);
}

static bool just_summed(const run *r, uint16_t item, sy_ms d)
{
    const cum *c = &st_cums(r->i, r->st)[item];
    return c->sum >= d && (r->changes || c->was < d);
}

bool sy_judge__clears_by_clock(const run *r, sy_ms t)
{
    const inst *i = r->i;
    const measure *m = st_measures(i, r->st);
    const level_state *ls = st_levels(i, r->st);
    if (i->has_clear) {
        const root *c = &i->clear;
        tri was = (tri)r->j->seg[c->last];
        if (!c->clocked || (r->ending && !c->closes)) {
            return false;
        }
        if (c->cum) {
            return was == TRUE3 && just_summed(r, c->item, c->hold);
        }
        return c->hold >= 0 ? was == TRUE3 && just_completed(r, &m[c->item], c->hold, t)
                            : was != TRUE3 && r->j->at[c->last] == TRUE3;
    }
    for (uint32_t k = 0; k < i->n_levels; k++) {
        const jlevel *l = &i->levels[k];
        if (ls[k].open && l->kind == L_CALENDAR) {
            return r->j->at[l->cond.last] == FALSE3;
        }
        if (ls[k].open) {
            return l->cond.clocked && !r->ending && l->kind != L_SILENCE && l->fhold > 0 &&
                   r->j->seg[l->cond.last] == FALSE3 &&
                   just_completed(r, &m[l->fitem], l->fhold, t);
        }
    }
    return false;
}

/* The level is reached at t: by its clock, or by a reading. */
static bool reached(run *r, const jlevel *l, sy_ms t, bool by_clock)
{
    const measure *m = st_measures(r->i, r->st);
    tri was = (tri)r->j->seg[l->cond.last], is = (tri)r->j->at[l->cond.last];
    if (r->ending && l->kind != L_CALENDAR) {
        return false;
    }
    if (l->kind == L_SILENCE || l->kind == L_CALENDAR) {
        return by_clock && is == TRUE3;
    }
    if (by_clock && !l->cond.clocked) {
        return false;
    }
    if (l->kind == L_CUM) {
        const cum *c = &st_cums(r->i, r->st)[l->cond.item];
        return by_clock ? was == TRUE3 && just_summed(r, l->cond.item, l->cond.hold)
                        : is == TRUE3 && c->grew && c->sum >= l->cond.hold;
    }
    if (l->kind == L_FOR) {
        return by_clock
                   ? was == TRUE3 && just_completed(r, &m[l->cond.item], l->cond.hold, t)
                   : is == TRUE3 && m[l->cond.item].grew && m[l->cond.item].counted >= l->cond.hold;
    }
    return is == TRUE3 && !(by_clock && was == TRUE3) &&
           (!l->during || sy_judge__cal_inside(l->during, t)) && !sy_judge__exempt(r, l, t, false);
}

/* The silence that raised: since the k-th earliest of the points' last readings. */
static void silence_outcome(const run *r, const jlevel *l, sy_ms t, outcome *o)
{
    const uint16_t *kids;
    uint32_t n = leaves(r->i, l, &kids);
    for (uint32_t k = 0; k < n; k++) {
        const node *x = leaf(r->i, l, kids, k);
        sy_ms base, other;
        uint32_t before = 0;
        if (sy_judge__silent_from(r, x, t, &base) > t) {
            continue;
        }
        for (uint32_t q = 0; q < n; q++) {
            const node *y = leaf(r->i, l, kids, q);
            bool silent = sy_judge__silent_from(r, y, t, &other) <= t;
            before += silent && (other < base || (other == base && q < k));
        }
        if (before == needed(r->i, l) - 1) {
            o->onset = base;
            o->figs = st_silences(r->i, r->st)[x->item].figs;
        }
    }
    o->counted =
        l->during ? sy_judge__cal_time(l->during, o->onset, t) : t - o->onset; /* inside alone */
}

static outcome outcome_of(run *r, const jlevel *l, sy_ms t)
{
    outcome o = {.onset = t, .raised = t, .cleared = SY_MS_NONE, .state = SY_ALERT_ACTIVE};
    for (int k = 0; k < LEVELS; k++) {
        o.level_at[k] = SY_MS_NONE;
    }
    if (l->kind == L_FOR) {
        const measure *m = &st_measures(r->i, r->st)[l->cond.item];
        o.onset = m->first;
        o.counted = m->counted;
        o.unknown = m->unknown;
        o.exempt = m->exempt;
        o.figs = m->figs;
    } else if (l->kind == L_SILENCE) {
        silence_outcome(r, l, t, &o);
    } else if (l->kind == L_CALENDAR) {
        sy_judge__close_outcome(r, l, t, &o);
    } else if (l->kind == L_CUM) {
        sy_judge__cum_outcome(r, l->cond.item, l->cond.window, t, &o);
    } else if (r->driver) {
        figs_add(&o.figs, r->driver_v);
    }
    return o;
}

void sy_judge__open_levels(run *r, sy_ms t, bool by_clock)
{
    const inst *i = r->i;
    level_state *ls = st_levels(i, r->st);
    outcome *a = &r->st->alert;
    bool was_open = a->raised != SY_MS_NONE;
    int highest = -1;
    for (uint32_t k = 0; k < i->n_levels && t >= r->st->tuned; k++) {
        const jlevel *l = &i->levels[k];
        if (ls[k].open || ls[k].blocked || !reached(r, l, t, by_clock)) {
            continue;
        }
        if (a->raised == SY_MS_NONE) {
            *a = outcome_of(r, l, t);
        }
        ls[k].open = 1;
        highest = (int)l->severity - 1;
        const uint16_t *kids;
        for (uint32_t q = 0; l->kind == L_SILENCE && q < leaves(i, l, &kids); q++) {
            silence *s = &st_silences(i, r->st)[leaf(i, l, kids, q)->item];
            s->since = t;
            s->sum = 0;
        }
    }
    if (highest < 0) {
        return;
    }
    if (!was_open && i->escalation.times && sy_judge__opening_counts(r, t)) {
        highest = highest > (int)i->escalation.level - 1 ? highest : (int)i->escalation.level - 1;
    }
    for (int k = highest; k < LEVELS; k++) {
        if (a->level_at[k] != SY_MS_NONE) {
            return; /* as high already */
        }
    }
    a->level_at[highest] = t;
    r->i->dirty = true;
    if (was_open) {
        sy_judge__rec_set(r->i, a);
    } else {
        r->err = sy_judge__rec_open(r->j, r->i, a);
    }
}
