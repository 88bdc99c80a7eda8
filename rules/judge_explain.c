/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a judge watches and why an instance stands as it does, for people. The newest checkpoint not
 * after the instant is judged again up to it, on the scratch state, and what it holds is told.
 */
#include "rules/judge_explain.h"

#include "rules/judge_alert.h"
#include "rules/judge_core.h"
#include "rules/judge_run.h"
#include "rules/judge_value.h"

typedef struct telling {
    run *r;
    sy_ms at;
    const uint8_t *v; /* values of the nodes */
    sy_told_fn fn;
    void *ctx;
} telling;

sy_instance sy_judge_instance(const sy_judge *j, size_t k)
{
    const inst *i = &j->insts[k];
    return (sy_instance){i->rule, i->subject, i->place, i->point, i->n_slots};
}

uint32_t sy_judge_instance_point(const sy_judge *j, size_t k, size_t n)
{
    return j->insts[k].slots[n].point;
}

static void tell(const telling *x, sy_told t)
{
    x->fn(x->ctx, &t);
}

static sy_truth truth(uint8_t v)
{
    return v == TRUE3 ? SY_IS_TRUE : v == FALSE3 ? SY_IS_FALSE : SY_IS_UNKNOWN;
}

static bool is_leaf(const node *n)
{
    return n->kind == N_CMP || n->kind == N_IS || n->kind == N_NODATA;
}

static void tell_point(const telling *x, uint32_t at, int depth)
{
    const inst *i = x->r->i;
    const node *n = &i->nodes[at];
    const slot_state *s = &st_slots(x->r->st)[n->slot];
    sy_told t = {.kind = SY_TOLD_POINT,
                 .depth = depth,
                 .value = truth(x->v[at]),
                 .cond = n->cond,
                 .point = i->slots[n->slot].point,
                 .at = s->t,
                 .reading = s->v,
                 .then = SY_IS_UNKNOWN};
    if (n->kind == N_NODATA) {
        sy_ms base;
        sy_ms due = sy_judge__silent_from(x->r, n, x->at, &base);
        t.at = st_slots(x->r->st)[n->slot].t;
        t.counted = x->at > base ? x->at - base : 0;
        t.needed = n->d;
        t.reached = due <= x->at;
    } else if (s->t != SY_MS_NONE) {
        bool yes = n->kind == N_IS ? s->v == n->a : sy_judge__test(n, s->v, s->t);
        t.then = yes ? SY_IS_TRUE : SY_IS_FALSE;
    }
    if (n->kind == N_CMP) {
        t.has_limits = true;
        t.a = n->dated ? limit_at(n->dated->a, n->dated->n_a, x->at) : n->a;
        t.b = n->dated && n->dated->b ? limit_at(n->dated->b, n->dated->n_b, x->at) : n->b;
    }
    tell(x, t);
}

static void tell_slot(const telling *x, uint32_t slot, int depth)
{
    const slot_state *s = &st_slots(x->r->st)[slot];
    tell(x, (sy_told){.kind = SY_TOLD_WATCH,
                      .depth = depth,
                      .point = x->r->i->slots[slot].point,
                      .at = s->t,
                      .reading = s->v});
}

/* What a sample came to at its last instant: computed again, for the number. */
static void tell_derived(const telling *x, uint32_t at, int depth)
{
    inst *i = x->r->i;
    const node *n = &i->nodes[at];
    const sample *s = &i->samples[n->item];
    const sample_state *last = &st_samples(i, x->r->st)[n->item];
    sy_told t = {.kind = SY_TOLD_DERIVED,
                 .depth = depth,
                 .value = truth(x->v[at]),
                 .cond = n->cond,
                 .at = last->t,
                 .then = SY_IS_UNKNOWN};
    if (s->kind != S_DERIVED) {
        return;
    }
    if (last->t != SY_MS_NONE) {
        i->memos[n->item].u = SY_MS_NONE;
        t.then = truth((uint8_t)sy_judge__sample(x->r, s, last->t, false));
        t.has_limits = true;
        t.reading = x->r->j->terms[s->xa];
        t.a = x->r->j->terms[s->a];
        t.b = s->op == SY_OP_OUTSIDE || s->op == SY_OP_WITHIN ? x->r->j->terms[s->b] : 0;
    }
    tell(x, t);
    for (uint32_t k = 0; k < (uint32_t)s->n_slots + s->n_more; k++) {
        tell_slot(x, i->kids[s->kid + k], depth + 1);
    }
}

static void tell_hold(const telling *x, const sy_cond *c, const measure *m, sy_ms needed,
                      sy_truth inside, int depth)
{
    tell(x, (sy_told){.kind = SY_TOLD_HOLD,
                      .depth = depth,
                      .value = inside,
                      .cond = c,
                      .onset = m->first,
                      .counted = m->counted,
                      .unknown = m->unknown,
                      .exempt = m->exempt,
                      .needed = needed,
                      .reached = m->counted >= needed});
}

/* n: of the hold, or of what a level holds. */
static void tell_cum(const telling *x, const node *n, uint16_t item, const sy_ms length[2],
                     sy_truth inside, int depth)
{
    sy_ms sum = st_cums(x->r->i, x->r->st)[item].sum, needed = length[0];
    tell(x, (sy_told){.kind = SY_TOLD_HOLD,
                      .depth = depth,
                      .value = inside,
                      .cond = n->cond,
                      .onset = SY_MS_NONE,
                      .counted = sum,
                      .needed = needed,
                      .window = length[1],
                      .reached = sum >= needed});
}

static void tell_node(const telling *x, uint32_t at, int depth)
{
    const inst *i = x->r->i;
    const node *n = &i->nodes[at];
    if (n->kind == N_HOLD || n->kind == N_CUM) {
        uint32_t kid = i->kids[n->kid];
        sy_truth inside = truth(x->v[kid]);
        if (n->kind == N_CUM) {
            tell_cum(x, n, n->item, (const sy_ms[2]){n->d, n->gap}, inside, depth);
        } else {
            tell_hold(x, n->cond, &st_measures(i, x->r->st)[n->item], n->d, inside, depth);
        }
        tell_node(x, kid, depth + 1);
        return;
    }
    tell(x, (sy_told){
                .kind = SY_TOLD_COND, .depth = depth, .value = truth(x->v[at]), .cond = n->cond});
    if (is_leaf(n)) {
        tell_point(x, at, depth + 1);
        return;
    }
    if (n->kind == N_SAMPLE) {
        tell_derived(x, at, depth + 1);
        return;
    }
    for (uint32_t k = 0; k < n->n_kids; k++) {
        uint32_t kid = i->kids[n->kid + k];
        if (is_leaf(&i->nodes[kid]) && i->nodes[kid].cond == n->cond) {
            tell_point(x, kid, depth + 1); /* one of "any of" */
        } else {
            tell_node(x, kid, depth + 1);
        }
    }
}

static void tell_root(const telling *x, const root *c, int depth)
{
    const inst *i = x->r->i;
    const node *last = &i->nodes[c->last];
    if (c->cum) {
        tell_cum(x, last, c->item, (const sy_ms[2]){c->hold, c->window}, truth(x->v[c->last]),
                 depth++);
    } else if (c->hold >= 0) {
        tell_hold(x, i->nodes[c->last].cond, &st_measures(i, x->r->st)[c->item], c->hold,
                  truth(x->v[c->last]), depth);
        depth++;
    }
    tell_node(x, c->last, depth);
}

static void tell_excepts(const telling *x, const jlevel *l, const sy_alert_clause *clause)
{
    const sy_site *site = x->r->j->o.site;
    const sy_zone *zone = site->premises[site->places[x->r->i->place].premises].zone;
    for (uint32_t k = 0; k < l->n_excepts && k < clause->n_excepts; k++) {
        const stretch *s = &st_stretches(x->r->i, x->r->st)[l->except + k];
        /* The count starts anew with the first stretch of a day, which may not have come yet. */
        bool counts = s->a != SY_MS_NONE || s->day == sy_zone_day(zone, x->at);
        tell(x, (sy_told){.kind = SY_TOLD_EXCEPT,
                          .depth = 2,
                          .open = s->a != SY_MS_NONE,
                          .at = s->a,
                          .except = &clause->excepts[k],
                          .used = counts ? s->used : 0});
    }
}

static void tell_levels(const telling *x)
{
    const inst *i = x->r->i;
    const level_state *ls = st_levels(i, x->r->st);
    for (uint32_t k = 0; k < i->n_levels; k++) {
        const jlevel *l = &i->levels[k];
        tell(x, (sy_told){.kind = SY_TOLD_LEVEL,
                          .depth = 1,
                          .value = truth(x->v[l->cond.last]),
                          .level = l->severity,
                          .open = ls[k].open != 0,
                          .blocked = ls[k].blocked != 0});
        tell_root(x, &l->cond, 2);
        tell_excepts(x, l, &i->rule->alerts[k]);
    }
}

static void tell_clear(const telling *x)
{
    const inst *i = x->r->i;
    const level_state *ls = st_levels(i, x->r->st);
    if (i->has_clear) {
        tell(x, (sy_told){.kind = SY_TOLD_CLEAR,
                          .depth = 1,
                          .value = truth(x->v[i->clear.last]),
                          .cond = i->nodes[i->clear.last].cond});
        tell_root(x, &i->clear, 2);
        return;
    }
    for (uint32_t k = 0; k < i->n_levels; k++) {
        const jlevel *l = &i->levels[k];
        if (ls[k].open && l->kind != L_SILENCE && l->kind != L_CALENDAR) {
            sy_truth no = truth((uint8_t)(TRUE3 - x->v[l->cond.last]));
            tell(x, (sy_told){.kind = SY_TOLD_CLEAR, .depth = 1, .value = no});
            if (l->fhold > 0) {
                tell_hold(x, NULL, &st_measures(i, x->r->st)[l->fitem], l->fhold, no, 2);
            }
            return;
        }
    }
}

static void tell_points(const telling *x)
{
    for (uint32_t k = 0; k < x->r->i->n_slots; k++) {
        tell_slot(x, k, 1);
    }
}

static void tell_all(const telling *x)
{
    const inst *i = x->r->i;
    const outcome *a = &x->r->st->alert;
    bool open = a->raised != SY_MS_NONE;
    bool in_force = x->at >= i->from && x->at < i->end;
    tell(x, (sy_told){.kind = SY_TOLD_INSTANCE,
                      .value = in_force ? SY_IS_TRUE : SY_IS_FALSE,
                      .open = open,
                      .level = open ? sy_judge__highest(a) : SY_NOTICE,
                      .onset = open ? a->onset : SY_MS_NONE,
                      .raised = a->raised,
                      .counted = a->counted,
                      .unknown = a->unknown,
                      .exempt = a->exempt});
    tell_levels(x);
    tell_clear(x);
    tell_points(x);
}

/* The values of all nodes at the instant; of a stretch, its time so far is measured. */
static const uint8_t *values(run *r, sy_ms at)
{
    const inst *i = r->i;
    if (r->st->t < at) {
        sy_judge__reach(r, at);
        return r->j->seg;
    }
    for (uint32_t k = 0; k <= i->n_levels; k++) {
        const root *c = k < i->n_levels ? &i->levels[k].cond : &i->clear;
        if (k < i->n_levels || i->has_clear) {
            sy_judge__eval_stretch(r, c);
            sy_judge__eval_at(r, c, at);
        }
    }
    return r->j->at;
}

sy_err sy_judge_explain(sy_judge *j, size_t k, sy_ms at, sy_told_fn fn, void *ctx)
{
    inst *i = &j->insts[k];
    const state *from = i->cur->t <= at ? i->cur : i->mid->t <= at ? i->mid : i->base;
    run r = {.j = j, .i = i, .st = j->scratch, .limit = at};
    if (at > j->now || at < j->o.start || from->t > at) {
        return SY_E_RANGE;
    }
    memcpy(j->scratch, from, st_bytes(i));
    i->provisional = true;
    sy_judge__histories_cut(i, from->t);
    sy_judge__steps(&r);
    if (r.err) {
        return r.err;
    }
    telling x = {.r = &r, .at = at, .v = values(&r, at), .fn = fn, .ctx = ctx};
    tell_all(&x);
    return SY_OK;
}
