/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's readings, and for each test a table of what it says at the instants at which it
 * has a value of its own: readings, or those of what a derived quantity is made of.
 */
#include "judge_naive_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All readings of p at one tick: bad ones set aside; of different values none is valid. */
static double valid_at(const world *w, int p, int g, bool *any)
{
    const naive_case *c = w->c;
    double x = NAN;
    bool good = false, clash = false;
    for (int k = w->first_at[g]; k >= 0; k = w->same_at[k]) {
        const naive_reading *r = &c->readings[k];
        if ((int)r->point != p || (r->quality & SY_Q_GRADE) == SY_Q_BAD) {
            continue;
        }
        clash = clash || (*any && r->value != x);
        good = good || (r->quality & SY_Q_GRADE) == SY_Q_GOOD || w->rule->accept_uncertain;
        x = r->value;
        *any = true;
    }
    return good && !clash ? x : NAN;
}

static bool over_range_at(const world *w, int p, int g)
{
    for (int k = w->first_at[g]; w->rule->over_range_above && k >= 0; k = w->same_at[k]) {
        const naive_reading *r = &w->c->readings[k];
        if ((int)r->point == p && (r->quality & SY_Q_GRADE) == SY_Q_BAD &&
            (r->quality & SY_Q_OUT_OF_RANGE) != 0 && !(r->value < point(w, p)->range_lo)) {
            return true;
        }
    }
    return false;
}

void naive_tabulate(world *w)
{
    const naive_case *c = w->c;
    for (int g = 0; g <= c->now; g++) {
        w->first_at[g] = -1;
    }
    for (int k = 0; k < (int)c->n; k++) {
        assert_true(k < NAIVE_READINGS);
        if (c->readings[k].at <= c->now) {
            w->same_at[k] = w->first_at[c->readings[k].at];
            w->first_at[c->readings[k].at] = k;
        }
    }
    for (int p = 0; p < n_points(w); p++) {
        for (int g = 0; g <= c->now; g++) {
            w->v[p][g] = w->d[p][g] = NAN;
        }
        for (size_t k = 0; k < c->n; k++) { /* only ticks that have readings */
            int g = c->readings[k].at;
            bool any = false;
            if ((int)c->readings[k].point != p || g > c->now) {
                continue;
            }
            w->d[p][g] = w->v[p][g] = valid_at(w, p, g, &any);
            if (!any && over_range_at(w, p, g)) {
                w->v[p][g] = INFINITY;
            }
        }
        int last = NEVER;
        for (int g = 0; g <= c->now; g++) {
            last = isnan(w->v[p][g]) ? last : g;
            w->prev[p][g] = last;
        }
        last = -NEVER;
        for (int g = c->now; g >= 0; g--) {
            last = isnan(w->v[p][g]) ? last : g;
            w->next[p][g] = last;
        }
    }
}

bool naive_named(const world *w, int p, const sy_name *n)
{
    return n->word && strcmp(point(w, p)->quantity, n->word->id) == 0 &&
           point(w, p)->place == point(w, (int)w->c->driver)->place;
}

int naive_point_of(const world *w, const sy_name *n)
{
    if (naive_named(w, (int)w->c->driver, n)) {
        return (int)w->c->driver;
    }
    for (int p = 0; p < n_points(w); p++) {
        if (naive_named(w, p, n)) {
            return p;
        }
    }
    fail_msg("%s", "no such point");
    return -1;
}

int naive_missing(const world *w, int p)
{
    const sy_value *m = w->rule->missing_after;
    return m ? naive_ticks(w, m, 0) : (int)(3 * point(w, p)->every / w->c->tick);
}

int naive_state_at(const world *w, int p, int g)
{
    int last = w->prev[p][g], bound = (int)(3 * point(w, p)->every / w->c->tick);
    return last == NEVER || (bound && g > last + bound) ? -1 : (int)w->v[p][last];
}

static double uncertainty(const world *w, int p)
{
    const sy_site_point *s = point(w, p);
    return isnan(s->uncertainty) ? 2 * s->accuracy / sqrt(3) : s->uncertainty;
}

/* A test of one point, at its readings. */
static void fill_plain(world *w, const sy_cond *c, table *t)
{
    int p = t->p;
    bool window =
        c->op == SY_OP_STUCK || c->op == SY_OP_EXPOSURE_ABOVE || c->op == SY_OP_EXPOSURE_BELOW;
    t->gap = naive_missing(w, p);
    for (int g = 0; g <= w->c->now; g++) {
        double x = window ? w->d[p][g] : w->v[p][g];
        if (isnan(x)) {
            continue;
        }
        if (c->op == SY_OP_STUCK) {
            t->at[g] = (signed char)naive_stuck(w, c, p, g);
        } else if (window) {
            t->at[g] = (signed char)naive_exposure(w, c, p, g);
        } else {
            t->at[g] =
                (signed char)naive_compare(w, c, (naive_quantity){x, naive_unit(w, p), PLAIN}, g,
                                           c->beyond_doubt ? uncertainty(w, p) : 0);
        }
    }
}

/* A test of a derived quantity, or of a quantity against a let. */
static void fill_derived(world *w, const sy_cond *c, table *t)
{
    bool of[NAIVE_POINTS] = {false};
    int p = c->agg || c->let ? -1 : t->p;
    if (p >= 0) {
        of[p] = true;
    }
    if (c->agg) {
        naive_made_of_agg(w, c->agg, of);
    }
    if (c->let) {
        naive_made_of(w, c->let->sum, of);
    }
    if (c->a.let) {
        naive_made_of(w, c->a.let->sum, of);
    }
    if (c->b.let) {
        naive_made_of(w, c->b.let->sum, of);
    }
    t->gap = 0;
    for (int q = 0; q < n_points(w); q++) {
        t->gap = of[q] && naive_missing(w, q) > t->gap ? naive_missing(w, q) : t->gap;
    }
    for (int g = 0; g <= w->c->now; g++) {
        bool instant = false;
        for (int q = 0; q < n_points(w); q++) {
            instant = instant || (of[q] && !isnan(w->d[q][g]));
        }
        if (!instant) {
            continue;
        }
        naive_quantity x = {NAN, NULL, PLAIN};
        if (c->agg) {
            x = naive_agg_at(w, c->agg, naive_during(w), g);
        } else if (c->let) {
            x = naive_let_at(w, c->let, g, false);
        } else {
            int last = g;
            while (last >= 0 && isnan(w->d[p][last])) {
                last--;
            }
            if (last >= 0 && (naive_missing(w, p) == 0 || g - last <= naive_missing(w, p))) {
                x = (naive_quantity){w->d[p][last], naive_unit(w, p), PLAIN};
            }
        }
        t->at[g] = (signed char)naive_compare(w, c, x, g, 0);
    }
}

const table *naive_table(world *w, const sy_cond *c, int p)
{
    for (int k = 0; k < w->n_tables; k++) {
        if (w->tables[k]->c == c && w->tables[k]->p == p) {
            return w->tables[k];
        }
    }
    assert_true(w->n_tables < TABLES);
    table *t = malloc(sizeof *t);
    assert_non_null(t);
    w->tables[w->n_tables++] = t;
    t->c = c;
    t->p = p;
    for (int g = 0; g <= NAIVE_TICKS; g++) {
        t->at[g] = -1;
    }
    if (c->agg || c->let || c->a.let || c->b.let) {
        fill_derived(w, c, t);
    } else {
        fill_plain(w, c, t);
    }
    if (c->hold.kind == SY_HOLD_READINGS) {
        naive_n_of_m(w, c, t);
    }
    return t;
}

void naive_free_tables(world *w)
{
    while (w->n_tables > 0) {
        free(w->tables[--w->n_tables]);
    }
}
