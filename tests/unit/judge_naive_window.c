/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's derived quantities: sums of what a window holds, aggregates, and lets. A value
 * is NAN where it is unknown.
 */
#include "judge_naive_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

__extension__ typedef __int128 big;

static const double two60 = 1152921504606846976.0, two40 = 1099511627776.0;

/* Exact: to a multiple of 2^-60, then integers. */
static big fixed(double x)
{
    return (big)rint(x * two60); /* the mode is to nearest, ties to even */
}

static double sum_of(const naive_list *l)
{
    big s = 0;
    for (int k = 0; k < l->n; k++) {
        s += fixed(l->x[k]);
    }
    return (double)s / two60;
}

double naive_mean(const naive_list *l)
{
    return sum_of(l) / l->n;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What needs no times: of n ≥ 1 values. */
static double figure(const sy_agg *a, naive_list *l)
{
    int n = l->n;
    if (a->kind == SY_AGG_MEAN || a->kind == SY_AGG_HOURLY_MEAN || a->kind == SY_AGG_DAILY_MEAN) {
        return naive_mean(l);
    }
    if (a->kind == SY_AGG_TOTAL) {
        return sum_of(l);
    }
    qsort(l->x, (size_t)n, sizeof l->x[0], ascending);
    if (a->kind == SY_AGG_PERCENTILE) {
        int rank = (int)a->rank->value;
        return l->x[(rank * n + 99) / 100 - 1];
    }
    if (a->kind == SY_AGG_MEDIAN) {
        naive_list two = {.x = {l->x[(n - 1) / 2], l->x[n / 2]}, .n = 2};
        return n % 2 ? l->x[n / 2] : naive_mean(&two);
    }
    return a->kind == SY_AGG_LOWEST    ? l->x[0]
           : a->kind == SY_AGG_HIGHEST ? l->x[n - 1]
                                       : l->x[n - 1] - l->x[0];
}

static double percentage(const world *w, const sy_agg *a)
{
    return a->valid ? naive_num(w, a->valid, 0)->value : 75;
}

/* The state was known so: its latest reading at or before. */
static bool stood(const world *w, const sy_agg *a, int g)
{
    return a->while_state.text.n == 0 ||
           naive_state_at(w, naive_point_of(w, &a->while_state), g) == a->while_value;
}

void naive_take(const world *w, const sy_agg *a, const sy_name *during, int p, int from, int to,
                naive_list *l)
{
    l->n = 0;
    for (int g = from < 0 ? 0 : from; g < to && g <= w->c->now; g++) {
        double x = w->d[p][g];
        if (!isnan(x) && fabs(x) < two40 && stood(w, a, g) &&
            (!during || naive_inside(w, during, g))) {
            l->x[l->n] = x;
            l->at[l->n++] = g;
        }
    }
}

static double rate(const naive_list *l, sy_ms tick)
{
    int k = l->n - 1;
    return k < 1 ? NAN : (l->x[k] - l->x[0]) / (double)((l->at[k] - l->at[0]) * tick);
}

/* Weighed by the time for which each reading is held: to the next one, at most `missing`. */
static double energy(const world *w, const sy_agg *a, int p, const naive_list *l, int length)
{
    const double heat = 83144 / 8.314462618;
    const sy_unit *kelvin = sy_unit_by_id("kelvin");
    int missing = naive_missing(w, p);
    sy_ms held = 0;
    big sum = 0;
    for (int k = 0; k + 1 < l->n; k++) {
        int d = l->at[k + 1] - l->at[k];
        sy_ms ms = (d < missing ? d : missing) * w->c->tick;
        double e;
        if (a->kind == SY_AGG_SOUND_LEVEL) {
            e = pow(10, l->x[k] / 10 - 6);
        } else {
            double t = sy_unit_convert(l->x[k], naive_unit(w, p), kelvin);
            e = t > 0 ? exp(heat * (1 / 273.15 - 1 / t)) : 0;
        }
        e = fmin(e, two40);
        sum += (big)rint(e * two40) * ms;
        held += ms;
    }
    if (held == 0 || (double)held * 100 < percentage(w, a) * (double)(length * w->c->tick)) {
        return NAN;
    }
    double mean = (double)sum / two40 / (double)held;
    if (a->kind == SY_AGG_SOUND_LEVEL) {
        return 10 * (log10(mean) + 6);
    }
    return sy_unit_convert(1 / (1 / 273.15 - log(mean) / heat), kelvin, naive_unit(w, p));
}

double naive_over(const world *w, const sy_agg *a, const sy_name *during, int p, int g)
{
    static naive_list l;
    int length = naive_ticks(w, a->over, g);
    sy_ms every = point(w, p)->every;
    int counts = during ? naive_inside_ticks(w, during, g - length, g) : length;
    naive_take(w, a, during, p, g - length + 1, g + 1, &l);
    if (a->kind == SY_AGG_KINETIC || a->kind == SY_AGG_SOUND_LEVEL) {
        return energy(w, a, p, &l, counts);
    }
    if (every > 0) {
        sy_ms expected = counts * w->c->tick / every;
        if (l.n * 100.0 < percentage(w, a) * (double)expected) {
            return NAN;
        }
    }
    if (l.n == 0) {
        return NAN;
    }
    return a->kind == SY_AGG_RATE ? rate(&l, w->c->tick) : figure(a, &l);
}

static int latest(const world *w, int p, int g)
{
    int last = g, missing = naive_missing(w, p);
    while (last >= 0 && isnan(w->d[p][last])) {
        last--;
    }
    return last >= 0 && (missing == 0 || g - last <= missing) ? last : NEVER;
}

static double across(const world *w, const sy_agg *a, int g, const sy_unit *unit)
{
    static naive_list l;
    l.n = 0;
    for (int p = 0; p < n_points(w); p++) {
        if (!naive_named(w, p, &a->of)) {
            continue;
        }
        int last = latest(w, p, g);
        if (last == NEVER || fabs(w->d[p][last]) >= two40) {
            return NAN;
        }
        double x = w->d[p][last];
        l.x[l.n++] = unit ? sy_unit_convert(x, naive_unit(w, p), unit) : x;
    }
    return figure(a, &l);
}

naive_quantity naive_agg_at(const world *w, const sy_agg *a, const sy_name *during, int g)
{
    naive_quantity q = {NAN, NULL,
                        a->kind == SY_AGG_SPREAD ? DIFFERENCE
                        : a->kind == SY_AGG_RATE ? RATE
                                                 : PLAIN};
    if (a->over) {
        int p = naive_point_of(w, &a->of);
        q.unit = naive_unit(w, p);
        q.x = naive_over(w, a, during, p, g);
        return q;
    }
    for (int p = n_points(w) - 1; p >= 0; p--) {
        q.unit = naive_named(w, p, &a->of) ? naive_unit(w, p) : q.unit;
    }
    q.unit = naive_named(w, (int)w->c->driver, &a->of) ? naive_unit(w, (int)w->c->driver) : q.unit;
    q.x = across(w, a, g, q.unit);
    return q;
}

static double in_unit(double x, const sy_unit *from, const sy_unit *to)
{
    return from && to && from != to ? sy_unit_convert(x, from, to) : x;
}

static double table_of(const sy_expr *e, double x)
{
    const sy_table_row *r = e->rows;
    if (isnan(x) || x <= r[0].x->value) {
        return isnan(x) ? NAN : r[0].y->value;
    }
    for (size_t k = 1; k < e->n_rows; k++) {
        double x0 = r[k - 1].x->value, x1 = r[k].x->value;
        double y0 = r[k - 1].y->value, y1 = r[k].y->value;
        if (x <= x1) {
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0);
        }
    }
    return r[e->n_rows - 1].y->value;
}

static bool member(const world *w, const sy_name *n)
{
    for (size_t k = 0; k < w->rule->n_watch; k++) {
        const sy_word *e = w->rule->watch[k].word;
        for (size_t m = 0; e->kind == SY_W_EVENT && m < e->n_members; m++) {
            if (e->members[m] == n->word) {
                return true;
            }
        }
    }
    return false;
}

static double eval(const world *w, const sy_expr *e, int g, bool exact);

static double named(const world *w, const sy_name *n, int g, bool exact, const sy_unit *to)
{
    int p = naive_point_of(w, n), last = latest(w, p, g);
    if (last == NEVER || (exact && member(w, n) && last != g)) {
        return NAN;
    }
    return in_unit(w->d[p][last], naive_unit(w, p), to);
}

static double agg_in(const world *w, const sy_expr *e, int g)
{
    int u = g;
    if (e->agg->over) {
        u = latest(w, naive_point_of(w, &e->agg->of), g);
        if (u == NEVER) {
            return NAN;
        }
    }
    naive_quantity q = naive_agg_at(w, e->agg, naive_during(w), u);
    if (q.kind == PLAIN) {
        return in_unit(q.x, q.unit, e->unit);
    }
    return q.unit && e->unit ? q.x * q.unit->factor / e->unit->factor : q.x;
}

static double eval(const world *w, const sy_expr *e, int g, bool exact)
{
    double a, b;
    switch (e->kind) {
    case SY_EXPR_VALUE: {
        const sy_num *n = naive_num(w, &e->value, g);
        return in_unit(n->value, n->unit, e->unit);
    }
    case SY_EXPR_QUANTITY:
        return named(w, &e->name, g, exact, e->unit);
    case SY_EXPR_LET:
        return in_unit(eval(w, e->let->sum, g, exact), e->let->sum->unit, e->unit);
    case SY_EXPR_AGG:
        return agg_in(w, e, g);
    case SY_EXPR_TABLE:
        return table_of(e, named(w, &e->name, g, exact, e->rows[0].x->unit));
    case SY_EXPR_ADD:
    case SY_EXPR_SUB:
    case SY_EXPR_MUL:
    case SY_EXPR_DIV:
    default:
        break;
    }
    a = eval(w, e->a, g, exact);
    b = eval(w, e->b, g, exact);
    if (e->kind == SY_EXPR_ADD || e->kind == SY_EXPR_SUB) {
        a = in_unit(a, e->a->unit, e->unit);
        b = in_unit(b, e->b->unit, e->unit);
        a = e->kind == SY_EXPR_ADD ? a + b : a - b;
    } else {
        b = e->unit ? b : in_unit(b, e->b->unit, e->a->unit); /* a quotient of one kind */
        a = e->kind == SY_EXPR_MUL ? a * b : b == 0 ? NAN : a / b;
    }
    return isfinite(a) ? a : NAN;
}

naive_quantity naive_let_at(const world *w, const sy_letdef *l, int g, bool exact)
{
    return (naive_quantity){eval(w, l->sum, g, exact), l->sum->unit, PLAIN};
}

void naive_made_of_agg(const world *w, const sy_agg *a, bool *points)
{
    for (int p = 0; !a->over && p < n_points(w); p++) {
        points[p] = points[p] || naive_named(w, p, &a->of);
    }
    if (a->over) {
        points[naive_point_of(w, &a->of)] = true;
    }
}

void naive_made_of(const world *w, const sy_expr *e, bool *points)
{
    if (e->kind == SY_EXPR_QUANTITY || e->kind == SY_EXPR_TABLE) {
        points[naive_point_of(w, &e->name)] = true;
    } else if (e->kind == SY_EXPR_AGG) {
        naive_made_of_agg(w, e->agg, points);
    } else if (e->kind == SY_EXPR_LET) {
        naive_made_of(w, e->let->sum, points);
    } else if (e->kind != SY_EXPR_VALUE) {
        naive_made_of(w, e->a, points);
        naive_made_of(w, e->b, points);
    }
}
