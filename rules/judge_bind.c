/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules meet the site: one instance for each point of the driver's quantity at each place of the
 * kind that the rule applies to. What does not fit is listed as not watched, with the reason.
 *
 * Instances are ordered by rule id, then by point, so that nothing depends on the order of files.
 */
#include "rules/judge_bind.h"
#include "rules/judge_core.h"
#include "rules/judge_run.h"

const char *sy_judge__text(sy_judge *j, const char *a, const char *b, const char *c)
{
    if (!a) {
        return NULL;
    }
    size_t na = strlen(a), nb = strlen(b), nc = strlen(c);
    char *t = sy_arena_get(&j->arena, na + nb + nc + 1);
    if (!t) {
        return NULL;
    }
    memcpy(t, a, na);
    memcpy(t + na, b, nb);
    memcpy(t + na + nb, c, nc + 1);
    return t;
}

static bool admits(const sy_axis *axis, const char *const *have, size_t n)
{
    if (axis->any || axis->n == 0) {
        return true;
    }
    for (size_t k = 0; k < axis->n; k++) {
        for (size_t q = 0; q < n; q++) {
            if (have[q] && same_text(axis->names[k].word->id, have[q])) {
                return true;
            }
        }
    }
    return false;
}

static bool applies(const sy_rule *r, const sy_site *site, const sy_site_place *p)
{
    const sy_site_premises *pr = &site->premises[p->premises];
    const char *stage = p->stage ? p->stage : pr->stage;
    return admits(&r->subject, &pr->subject, 1) && admits(&r->stage, &stage, 1) &&
           admits(&r->goods, p->goods, p->n_goods) &&
           (!r->watch_kind || same_text(r->watch_kind->id, p->kind));
}

/* An aggregate across the points of a quantity. */
static bool across(const sy_agg *a, const sy_word *w)
{
    return !a->over && a->kind != SY_AGG_HOURLY_MEAN && a->kind != SY_AGG_DAILY_MEAN &&
           a->of.word == w;
}

static bool sums_up(const sy_expr *e, const sy_word *w)
{
    return e &&
           ((e->kind == SY_EXPR_AGG && across(e->agg, w)) || sums_up(e->a, w) || sums_up(e->b, w));
}

static bool picks(const sy_cond *c, const sy_word *w)
{
    if (c->kind == SY_COND_TEST) {
        return (c->pick != SY_PICK_ONE && c->operand.word == w) || (c->agg && across(c->agg, w));
    }
    for (size_t k = 0; k < c->n_kids; k++) {
        if (picks(c->kids[k], w)) {
            return true;
        }
    }
    return false;
}

/* "any of" the driver's quantity, or an aggregate across it, means all of its points at the
 * place. */
static bool picks_driver(const sy_rule *r)
{
    for (size_t k = 0; k < r->n_alerts; k++) {
        if (picks(r->alerts[k].when, r->watch[0].word)) {
            return true;
        }
    }
    for (size_t k = 0; k < r->n_lets; k++) {
        if (sums_up(r->lets[k].sum, r->watch[0].word)) {
            return true;
        }
    }
    return r->clear && picks(r->clear, r->watch[0].word);
}

static bool watches(const sy_rule *r, const char *quantity, size_t from)
{
    for (size_t k = from; k < r->n_watch; k++) {
        if (same_text(r->watch[k].word->id, quantity)) {
            return true;
        }
    }
    return false;
}

static sy_err slots_of(sy_judge *j, inst *i)
{
    const sy_site *site = j->o.site;
    size_t from = picks_driver(i->rule) ? 0 : 1, n = 1;
    for (int pass = 0; pass < 2; pass++) {
        n = 1;
        for (uint32_t p = 0; p < site->n_points; p++) {
            const sy_site_point *x = &site->points[p];
            if (x->place != i->place || p == i->point || !watches(i->rule, x->quantity, from)) {
                continue;
            }
            if (pass) {
                i->slots[n].point = p;
            }
            n++;
        }
        if (!pass) {
            i->slots = sy_arena_get(&j->arena, n * sizeof *i->slots);
            if (!i->slots) {
                return SY_E_NOMEM;
            }
            i->slots[0].point = i->point;
        }
    }
    i->n_slots = (uint16_t)(n < 60000 ? n : 60000);
    return SY_OK;
}

/* `why` NULL: there was no memory for it. */
static sy_err unwatched(sy_judge *j, const sy_rule *r, uint32_t place, uint32_t point,
                        const char *why)
{
    if (!why) {
        return SY_E_NOMEM;
    }
    sy_err e = sy_judge__grow(j, (void **)&j->unwatched, &j->cap_unwatched, j->n_unwatched + 1,
                              sizeof *j->unwatched);
    if (!e) {
        j->unwatched[j->n_unwatched++] = (sy_unwatched){r, place, point, why};
    }
    return e;
}

static void bounds(const sy_judge *j, inst *i)
{
    const sy_zone *z = j->o.site->premises[j->o.site->places[i->place].premises].zone;
    i->from = i->rule->has_from ? sy_zone_midnight(z, sy_days_of(i->rule->from)) : SY_MS_NONE;
    i->from = later(i->from, j->o.in_force);
    i->end = i->rule->has_to ? sy_zone_midnight(z, sy_days_of(i->rule->to) + 1) : SY_MS_MAX;
}

static sy_err states_of(sy_judge *j, inst *i)
{
    i->cur = sy_arena_get(&j->arena, st_bytes(i));
    i->mid = sy_arena_get(&j->arena, st_bytes(i));
    i->base = sy_arena_get(&j->arena, st_bytes(i));
    if (!i->cur || !i->mid || !i->base) {
        return SY_E_NOMEM;
    }
    i->memos = sy_arena_get(&j->arena, (i->n_samples + 1u) * sizeof *i->memos);
    if (!i->memos) {
        return SY_E_NOMEM;
    }
    sy_judge__windows_forget(i);
    sy_judge__state_init(i, i->cur);
    sy_judge__state_init(i, i->mid);
    sy_judge__state_init(i, i->base);
    return SY_OK;
}

static sy_err instance(sy_judge *j, const sy_rule *r, uint32_t point)
{
    const sy_site *site = j->o.site;
    const sy_site_point *p = &site->points[point];
    const sy_site_premises *pr = &site->premises[site->places[p->place].premises];
    inst i = {.rule = r,
              .place = p->place,
              .point = point,
              .heap_at = SIZE_MAX,
              .wake = SY_MS_MAX,
              .due = SY_MS_MAX,
              .work_t = SY_MS_NONE,
              .takes = 1u << E_VALID};
    if (r->accept_uncertain) {
        i.takes |= 1u << E_UNCERTAIN;
    }
    i.sees = (uint8_t)(i.takes | (r->over_range_above ? 1u << E_OVER : 0));
    const char *why = NULL;
    sy_err e = slots_of(j, &i);
    e = e ? e : sy_judge__compile(j, &i, pr->tiers, pr->n_tiers, &why);
    if (e) {
        return e;
    }
    if (why) {
        return unwatched(j, r, p->place, point, why);
    }
    bounds(j, &i);
    i.subject = sy_judge__text(j, sy_judge__text(j, pr->id, "/", site->places[p->place].id), "/",
                               p->series);
    e = i.subject ? states_of(j, &i) : SY_E_NOMEM;
    e = e ? e : sy_judge__grow(j, (void **)&j->insts, &j->cap_insts, j->n_insts + 1, sizeof i);
    if (e) {
        return e;
    }
    j->insts[j->n_insts++] = i;
    j->max_nodes = i.n_nodes > j->max_nodes ? i.n_nodes : j->max_nodes;
    j->max_slots = i.n_slots > j->max_slots ? i.n_slots : j->max_slots;
    j->max_terms = i.n_terms > j->max_terms ? i.n_terms : j->max_terms;
    j->max_words = i.n_words > j->max_words ? i.n_words : j->max_words;
    return SY_OK;
}

static sy_err rule_on_site(sy_judge *j, const sy_rule *r)
{
    const sy_site *site = j->o.site;
    for (uint32_t place = 0; place < site->n_places; place++) {
        bool any = false;
        if (!of_place(j, place) || !applies(r, site, &site->places[place]) || !r->watch_kind) {
            continue;
        }
        for (uint32_t p = 0; p < site->n_points; p++) {
            any = any || (site->points[p].place == place &&
                          same_text(site->points[p].quantity, r->watch[0].word->id));
        }
        sy_err e =
            any ? SY_OK
                : unwatched(j, r, place, SY_UNWATCHED_PLACE,
                            sy_judge__text(j, "the place has no ", r->watch[0].word->id, ""));
        if (e) {
            return e;
        }
    }
    for (uint32_t p = 0; p < site->n_points; p++) {
        if (of_place(j, site->points[p].place) &&
            same_text(site->points[p].quantity, r->watch[0].word->id) &&
            applies(r, site, &site->places[site->points[p].place])) {
            sy_err e = instance(j, r, p);
            if (e) {
                return e;
            }
        }
    }
    return SY_OK;
}

/* Which instances a point touches, as (instance, slot) pairs grouped by point. */
static sy_err users_of(sy_judge *j)
{
    size_t n = 0;
    for (size_t k = 0; k < j->n_insts; k++) {
        for (uint32_t s = 0; s < j->insts[k].n_slots; s++) {
            j->logs[j->insts[k].slots[s].point].n_inst++;
            n++;
        }
    }
    j->users = sy_arena_get(&j->arena, (n + 1) * 2 * sizeof *j->users);
    if (!j->users) {
        return SY_E_NOMEM;
    }
    uint32_t at = 0;
    for (size_t p = 0; p < j->o.site->n_points; p++) {
        j->logs[p].inst_at = at;
        at += j->logs[p].n_inst;
        j->logs[p].n_inst = 0;
    }
    for (uint32_t k = 0; k < j->n_insts; k++) {
        for (uint32_t s = 0; s < j->insts[k].n_slots; s++) {
            point_log *l = &j->logs[j->insts[k].slots[s].point];
            uint32_t *u = &j->users[(l->inst_at + l->n_inst++) * 2];
            l->sampled = l->sampled || j->insts[k].slots[s].sampled;
            u[0] = k;
            u[1] = s;
        }
    }
    return SY_OK;
}

sy_err sy_judge__bind(sy_judge *j)
{
    const sy_set *set = j->o.set;
    const sy_rule **order = sy_arena_get(&j->arena, (set->n_rules + 1) * sizeof *order);
    sy_err e = SY_OK;
    if (!order) {
        return SY_E_NOMEM;
    }
    for (size_t k = 0; k < set->n_rules; k++) {
        size_t at = k;
        while (at > 0 && text_order(order[at - 1]->id, set->rules[k]->id) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = set->rules[k];
    }
    for (size_t k = 0; k < set->n_rules && !e; k++) {
        e = rule_on_site(j, order[k]);
    }
    return e ? e : users_of(j);
}
