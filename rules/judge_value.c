/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values by tier, by date and by local tuning. Limits keep all their rows, since each reading is
 * compared with the value of its own date; of lengths the one in force is written into the compiled
 * instance before it is judged, and the instants at which one changes are elementary.
 */
#include "rules/judge_value.h"

#include "rules/judge_core.h"

static const sy_zone *zone_of(const build *b)
{
    const sy_site *site = b->j->o.site;
    return site->premises[site->places[b->i->place].premises].zone;
}

/* How near a tuning is to the instance: 3 series, 2 place, 1 premises, 0 not here. */
static int nearness(const build *b, sy_span at)
{
    const sy_site *site = b->j->o.site;
    const sy_site_place *place = &site->places[b->i->place];
    const sy_site_premises *premises = &site->premises[place->premises];
    size_t n = strlen(premises->id);
    if (sy_span_is(at, site->points[b->i->point].series)) {
        return 3;
    }
    if (sy_span_is(at, place->id)) {
        return 2;
    }
    if (at.n > n && at.p[n] == '/' && memcmp(at.p, premises->id, n) == 0 &&
        sy_span_is((sy_span){at.p + n + 1, at.n - n - 1}, place->id)) {
        return 2;
    }
    return sy_span_is(at, premises->id) ? 1 : 0;
}

static const sy_tuning *tuning_of(const build *b, const sy_setdef *set)
{
    const sy_tuning *best = NULL;
    int rank = 1;
    for (size_t k = 0; k < b->j->o.set->n_tunings; k++) {
        const sy_tuning *t = b->j->o.set->tunings[k];
        int near = t->set == set ? nearness(b, t->at) : 0;
        if (near >= rank) {
            best = t;
            rank = near;
        }
    }
    return best;
}

static void several(build *b, value_rows *out, size_t n, value_row **rows)
{
    *rows = sy_arena_get(&b->j->arena, n * sizeof **rows);
    if (!*rows) {
        b->err = SY_E_NOMEM;
        out->n = 0;
        return;
    }
    out->v = *rows;
    out->n = (uint32_t)n;
}

void sy_judge__values(build *b, const sy_value *v, value_rows *out)
{
    const sy_tuning *t = v->set ? tuning_of(b, v->set) : NULL;
    value_row *rows;
    if (v->set && v->set->dates) {
        several(b, out, v->set->n_dates, &rows);
        for (uint32_t k = 0; k < out->n; k++) {
            const sy_set_date *d = &v->set->dates[k];
            sy_ms from = sy_zone_midnight(zone_of(b), sy_days_of(d->from));
            rows[k] = (value_row){k ? from : SY_MS_NONE, d->num};
        }
        return;
    }
    const sy_num *plain = t && !t->has_until ? t->num : sy_value_num(v, b->tiers, b->n_tiers);
    if (t && t->has_until) {
        several(b, out, 2, &rows);
        if (out->n) {
            rows[0] = (value_row){SY_MS_NONE, t->num};
            rows[1] = (value_row){sy_zone_midnight(zone_of(b), sy_days_of(t->until) + 1), plain};
        }
        return;
    }
    *out = (value_rows){.n = 1, .one = {SY_MS_NONE, plain}};
    out->v = &out->one;
}

const sy_num *sy_judge__num(build *b, const sy_value *v)
{
    static const sy_num nothing = {0};
    value_rows r;
    sy_judge__values(b, v, &r);
    if (r.n > 1) {
        b->why = "a value that changes by date stands where it cannot change";
    }
    return r.n ? r.v[0].num : &nothing;
}

/* ---- limits ---- */

/* The expanded uncertainty of the node's point as a difference in the unit of the limit. */
static double guard(build *b, const node *n, const sy_num *limit)
{
    const double two_by_root_three = 1.1547005383792515;
    const sy_site_point *p = &b->j->o.site->points[b->i->slots[n->slot].point];
    double u = p->uncertainty;
    if (u != u) {
        u = two_by_root_three * p->accuracy;
    }
    if (u != u) {
        sy_judge__refuse(b, "", p->series,
                         " has neither uncertainty nor accuracy: nothing is beyond doubt there");
        return 0;
    }
    return n->from && limit->unit ? u * n->from->factor / limit->unit->factor : u;
}

/* One limit: its rows in the unit of the first, moved by the guard band; `unit` converts readings.
 */
static const dated *limit_rows(build *b, const sy_value *v, const node *n, double side,
                               const sy_unit **unit, uint32_t *n_rows)
{
    value_rows r;
    sy_judge__values(b, v, &r);
    dated *d = r.n ? sy_arena_get(&b->j->arena, r.n * sizeof *d) : NULL;
    if (!d) {
        b->err = SY_E_NOMEM;
        return NULL;
    }
    const sy_num *first = r.v[0].num;
    double band = side != 0 ? side * guard(b, n, first) : 0;
    *unit = sy_judge__into(b, n, first);
    for (uint32_t k = 0; k < r.n; k++) {
        const sy_num *x = r.v[k].num;
        double y = x->unit && first->unit && x->unit != first->unit
                       ? sy_unit_convert(x->value, x->unit, first->unit)
                       : x->value;
        d[k] = (dated){r.v[k].from, side != 0 ? y + band : y};
    }
    *n_rows = r.n;
    return d;
}

void sy_judge__limits(build *b, const sy_cond *c, node *n)
{
    bool two = c->op == SY_OP_OUTSIDE || c->op == SY_OP_WITHIN;
    double low = c->op == SY_OP_BELOW || c->op == SY_OP_AT_MOST || c->op == SY_OP_OUTSIDE ? -1 : 1;
    double side = c->beyond_doubt ? low : 0;
    uint32_t na = 0, nb = 0;
    const dated *a = limit_rows(b, &c->a, n, side, &n->ua, &na), *d = NULL;
    if (two && !b->err) {
        d = limit_rows(b, &c->b, n, -side, &n->ub, &nb);
    }
    if (b->err) {
        return;
    }
    n->a = a[0].v;
    n->b = d ? d[0].v : 0;
    if (na > 1 || nb > 1) {
        limits *l = sy_arena_get(&b->j->arena, sizeof *l);
        if (!l) {
            b->err = SY_E_NOMEM;
            return;
        }
        *l = (limits){.a = a, .b = d, .n_a = na, .n_b = nb};
        n->dated = l;
    }
}

/* ---- lengths ---- */

sy_ms sy_judge__varying(build *b, const sy_value *v, vary_what what, uint32_t index)
{
    value_rows r;
    sy_judge__values(b, v, &r);
    if (r.n == 0) {
        return 0;
    }
    if (r.n > 1) {
        dated *d = sy_arena_get(&b->j->arena, r.n * sizeof *d);
        sy_err e = d ? sy_grow(b->j->o.alloc, (void **)&b->varies, &b->cap_varies, b->n_varies + 1,
                               sizeof *b->varies)
                     : SY_E_NOMEM;
        if (e) {
            b->err = e;
            return 0;
        }
        for (uint32_t k = 0; k < r.n; k++) {
            d[k] = (dated){r.v[k].from, (double)sy_judge__duration(r.v[k].num)};
        }
        b->varies[b->n_varies++] =
            (vary){.what = (uint8_t)what, .index = index, .rows = d, .n = r.n};
    }
    return sy_judge__duration(r.v[0].num);
}

static void set_length(inst *i, const vary *v, sy_ms d)
{
    switch ((vary_what)v->what) {
    case V_NODE:
        i->nodes[v->index].d = d;
        break;
    case V_HOLD:
        i->levels[v->index].cond.hold = d;
        break;
    case V_CLEAR:
    default:
        i->clear.hold = d;
    }
}

/* By default a level clears after the time that it holds for, or the longest hold inside. */
static void clears_after(const inst *i, jlevel *l)
{
    l->fhold = later(l->cond.hold, 0);
    for (uint32_t k = l->cond.first; l->cond.hold < 0 && k <= l->cond.last; k++) {
        if (i->nodes[k].kind == N_HOLD || i->nodes[k].kind == N_CUM) {
            l->fhold = later(l->fhold, i->nodes[k].d);
        }
    }
}

void sy_judge__lengths_at(inst *i, sy_ms t)
{
    if (i->n_varies == 0 || (t >= i->varies_from && t < i->varies_to)) {
        return;
    }
    i->varies_from = SY_MS_NONE;
    i->varies_to = SY_MS_MAX;
    for (uint32_t k = 0; k < i->n_varies; k++) {
        const vary *v = &i->varies[k];
        set_length(i, v, (sy_ms)limit_at(v->rows, v->n, t));
        for (uint32_t q = 1; q < v->n; q++) {
            if (v->rows[q].from <= t) {
                i->varies_from = later(i->varies_from, v->rows[q].from);
            } else {
                i->varies_to = sooner(i->varies_to, v->rows[q].from);
            }
        }
    }
    for (uint32_t k = 0; k < i->n_levels; k++) {
        if (i->levels[k].kind != L_CALENDAR) {
            clears_after(i, &i->levels[k]);
        }
    }
}
