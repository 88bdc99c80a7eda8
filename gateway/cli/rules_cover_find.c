/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each rule is bound to the site by a judge of its own, so that what it watches, what it needs and
 * what it does not watch are known rule by rule.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/rules_cover.h"

typedef struct finding {
    sy_cover *c;
    sy_cover_rule *r;
    bool failed;
} finding;

static void add_gap(finding *x, uint32_t place, uint32_t point, const char *why)
{
    sy_cover *c = x->c;
    sy_cover_rule *r = x->r;
    const char *text = sy_arena_text(&c->arena, sy_span_of(why));
    if (!text ||
        sy_grow(sy_heap(), (void **)&r->gaps, &r->cap_gaps, r->n_gaps + 1, sizeof *r->gaps)) {
        x->failed = true;
        return;
    }
    size_t at = r->n_gaps++;
    for (; at > 0 && r->gaps[at - 1].place > place; at--) {
        r->gaps[at] = r->gaps[at - 1];
    }
    r->gaps[at] = (sy_cover_gap){place, point, text};
}

static void unwatched(void *ctx, const sy_unwatched *u)
{
    add_gap(ctx, u->place, u->point, u->why);
}

static sy_ms duration(const sy_num *n)
{
    const sy_unit *ms = sy_unit_by_id("ms");
    return n->unit && sy_unit_convertible(n->unit, ms)
               ? (sy_ms)(sy_unit_convert(n->value, n->unit, ms) + 0.5)
               : 0;
}

/* Time between readings further apart than `missing after` never counts. */
static void blind(finding *x, const sy_instance *i)
{
    const sy_site *site = x->c->site;
    const sy_site_premises *p = &site->premises[site->places[i->place].premises];
    sy_ms every = site->points[i->point].every;
    if (!i->rule->missing_after || every == 0) {
        return;
    }
    sy_ms missing = duration(sy_value_num(i->rule->missing_after, p->tiers, p->n_tiers));
    if (missing * 2 < every * 3) {
        char why[200];
        (void)snprintf(why, sizeof why,
                       "blind for %s: a reading is expected every %lld s, data is missing after "
                       "%lld s",
                       site->points[i->point].series, (long long)(every / 1000),
                       (long long)(missing / 1000));
        add_gap(x, i->place, SY_UNWATCHED_PLACE, why);
    }
}

static void take(finding *x, const sy_judge *j)
{
    sy_cover *c = x->c;
    x->r->instances = sy_judge_instances(j);
    x->r->bytes = x->r->instances ? sy_judge_bytes(j) : 0;
    for (size_t k = 0; k < x->r->instances; k++) {
        sy_instance i = sy_judge_instance(j, k);
        x->r->places[i.place] = c->places[i.place] = true;
        for (size_t q = 0; q < i.n_points; q++) {
            c->points[sy_judge_instance_point(j, k, q)] = true;
        }
        blind(x, &i);
    }
    sy_judge_unwatched(j, unwatched, x);
}

static sy_err bind(sy_cover *c, const sy_set *set, size_t k)
{
    sy_judge *j;
    sy_set one = *set;
    finding x = {.c = c, .r = &c->rules[k]};
    x.r->rule = set->rules[k];
    x.r->places = sy_arena_get(&c->arena, c->site->n_places + 1);
    one.rules = &set->rules[k];
    one.n_rules = 1;
    sy_judge_options o = {
        .set = &one, .site = c->site, .start = 0, .in_force = SY_MS_NONE, .alloc = sy_heap()};
    sy_err e = x.r->places ? sy_judge_open(&j, &o) : SY_E_NOMEM;
    if (e) {
        return e;
    }
    take(&x, j);
    sy_judge_close(j);
    for (size_t b = 0; b < x.r->rule->n_bases; b++) {
        c->bases++;
        c->verify += x.r->rule->bases[b].verify;
    }
    return x.failed ? SY_E_NOMEM : SY_OK;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool names(const sy_axis *a, const char *id)
{
    for (size_t k = 0; k < a->n; k++) {
        if (id && strcmp(a->names[k].word->id, id) == 0) {
            return true;
        }
    }
    return a->any || a->n == 0 || !id;
}

/* A place of the cell (subject, goods, stage). */
static sy_err cell(sy_cover *c, uint32_t place, const char *goods)
{
    const sy_site_place *p = &c->site->places[place];
    const sy_site_premises *pr = &c->site->premises[p->premises];
    const char *stage = p->stage ? p->stage : pr->stage;
    size_t k = 0;
    while (k < c->n_cells && !(same(c->cells[k].subject, pr->subject) &&
                               same(c->cells[k].goods, goods) && same(c->cells[k].stage, stage))) {
        k++;
    }
    if (k == c->n_cells) {
        bool *rules = sy_arena_get(&c->arena, c->n_rules + 1);
        if (!rules ||
            sy_grow(sy_heap(), (void **)&c->cells, &c->cap_cells, k + 1, sizeof *c->cells)) {
            return SY_E_NOMEM;
        }
        c->cells[c->n_cells++] =
            (sy_cover_cell){.subject = pr->subject, .goods = goods, .stage = stage, .rules = rules};
    }
    c->cells[k].places++;
    for (size_t r = 0; r < c->n_rules; r++) {
        if (c->rules[r].places[place] && names(&c->rules[r].rule->goods, goods) &&
            !c->cells[k].rules[r]) {
            c->cells[k].rules[r] = true;
            c->cells[k].n_rules++;
        }
    }
    return SY_OK;
}

sy_err sy_cover_find(sy_cover *c, const sy_set *set, const sy_site *site)
{
    *c = (sy_cover){.site = site, .n_rules = set->n_rules};
    sy_arena_init(&c->arena, sy_heap(), 0);
    c->rules = sy_arena_get(&c->arena, (set->n_rules + 1) * sizeof *c->rules);
    c->places = sy_arena_get(&c->arena, site->n_places + 1);
    c->points = sy_arena_get(&c->arena, site->n_points + 1);
    sy_err e = c->rules && c->places && c->points ? SY_OK : SY_E_NOMEM;
    for (size_t k = 0; k < set->n_rules && !e; k++) {
        e = bind(c, set, k);
    }
    for (uint32_t p = 0; p < site->n_places && !e; p++) {
        if (site->places[p].n_goods == 0) {
            e = cell(c, p, NULL);
        }
        for (size_t g = 0; g < site->places[p].n_goods && !e; g++) {
            e = cell(c, p, site->places[p].goods[g]);
        }
    }
    return e;
}

void sy_cover_close(sy_cover *c)
{
    for (size_t k = 0; c->rules && k < c->n_rules; k++) {
        free(c->rules[k].gaps);
    }
    free(c->cells);
    sy_arena_fini(&c->arena);
}
