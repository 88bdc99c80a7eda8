/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's signals: leaves are tabulated for every second and the stretch after it from
 * the whole stream; the tree of a condition is walked as the parser left it.
 */
#include "judge_naive_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int seconds(const sy_num *n)
{
    return (int)lround(sy_unit_convert(n->value, n->unit, sy_unit_by_id("s")));
}

int naive_sec(const sy_value *v)
{
    return seconds(sy_value_num(v, NULL, 0));
}

int naive_missing(const world *w, int p)
{
    const sy_value *m = w->c->rule->missing_after;
    return m ? naive_sec(m) : (int)(3 * point(w, p)->every / 1000);
}

void naive_tabulate(world *w)
{
    const naive_case *c = w->c;
    int np = (int)c->site->n_points;
    for (int p = 0; p < np; p++) {
        bool good[NAIVE_SECONDS + 1] = {false}, clash[NAIVE_SECONDS + 1] = {false};
        for (int g = 0; g <= c->now; g++) {
            w->v[p][g] = NAN;
        }
        for (size_t k = 0; k < c->n; k++) {
            const naive_reading *r = &c->readings[k];
            if ((int)r->point != p || r->at > c->now || (r->quality & SY_Q_GRADE) == SY_Q_BAD) {
                continue;
            }
            clash[r->at] = clash[r->at] || (!isnan(w->v[p][r->at]) && r->value != w->v[p][r->at]);
            good[r->at] = good[r->at] || (r->quality & SY_Q_GRADE) == SY_Q_GOOD;
            w->v[p][r->at] = r->value;
        }
        for (int g = 0; g <= c->now; g++) {
            w->v[p][g] = good[g] && !clash[g] ? w->v[p][g] : NAN;
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
    return strcmp(point(w, p)->quantity, n->word->id) == 0;
}

static bool close_to(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

static int compare(const sy_cond *c, double x)
{
    double a = sy_value_num(&c->a, NULL, 0)->value;
    double b = c->b.num || c->b.set ? sy_value_num(&c->b, NULL, 0)->value : 0;
    bool lo = x < a && !close_to(x, a), hi = x > a && !close_to(x, a);
    bool out = lo || (x > b && !close_to(x, b));
    switch (c->op) {
    case SY_OP_ABOVE:
        return hi ? T : F;
    case SY_OP_BELOW:
        return lo ? T : F;
    case SY_OP_AT_LEAST:
        return lo ? F : T;
    case SY_OP_AT_MOST:
        return hi ? F : T;
    case SY_OP_OUTSIDE:
        return out ? T : F;
    case SY_OP_WITHIN:
        return out ? F : T;
    case SY_OP_IS:
    case SY_OP_NO_DATA:
    case SY_OP_STUCK:
    case SY_OP_EXPOSURE_ABOVE:
    case SY_OP_EXPOSURE_BELOW:
    case SY_OP_DUE_WITHIN:
    case SY_OP_OVERDUE:
    default:
        fail();
        return F;
    }
}

int naive_silence_base(const world *w, int p, int g, bool with_g)
{
    int last = with_g ? w->prev[p][g] : (g > 0 ? w->prev[p][g - 1] : NEVER);
    int base = last > 0 ? last : 0;
    return base > w->from ? base : w->from;
}

int naive_silence_length(const world *w, const sy_cond *c, int p)
{
    return c->hold.kind == SY_HOLD_FOR ? naive_sec(&c->hold.length) : naive_missing(w, p);
}

static int leaf(const world *w, const sy_cond *c, int p, int g, int when)
{
    if (c->op == SY_OP_NO_DATA) {
        return g >= naive_silence_base(w, p, g, when != PRE) + naive_silence_length(w, c, p) ? T
                                                                                             : F;
    }
    if (c->op == SY_OP_IS) {
        int last = when == PRE ? (g > 0 ? w->prev[p][g - 1] : NEVER) : w->prev[p][g];
        int bound = (int)(3 * point(w, p)->every / 1000);
        if (last == NEVER || (bound && (when == AFTER ? g >= last + bound : g > last + bound))) {
            return U;
        }
        return w->v[p][last] == c->state ? T : F;
    }
    if (when == AT && !isnan(w->v[p][g])) {
        return compare(c, w->v[p][g]);
    }
    int a = when == AFTER ? w->prev[p][g] : (g > 0 ? w->prev[p][g - 1] : NEVER);
    int b = when == AFTER ? (g < w->c->now ? w->next[p][g + 1] : -NEVER) : w->next[p][g];
    if (a == NEVER || b == -NEVER || b - a > naive_missing(w, p)) {
        return U;
    }
    int x = compare(c, w->v[p][a]);
    return x == compare(c, w->v[p][b]) ? x : U;
}

hold *naive_hold_of(world *w, const sy_cond *c, int slot)
{
    for (int k = 0; k < w->n_holds; k++) {
        if (w->holds[k].c == c && w->holds[k].slot == slot) {
            return &w->holds[k];
        }
    }
    hold *h = &w->holds[w->n_holds++];
    assert_true(w->n_holds < MEASURES);
    *h = (hold){.c = c, .slot = slot, .first = NEVER, .unknown_since = NEVER};
    return h;
}

static int value(world *w, const sy_cond *c, int g, int when, bool outermost);

int naive_value(world *w, const sy_cond *c, int g, int when)
{
    int yes = 0, no = 0, n = 0, need;
    if (c->kind == SY_COND_NOT) {
        return 2 - value(w, c->kids[0], g, when, false);
    }
    if (c->kind != SY_COND_TEST) {
        for (size_t k = 0; k < c->n_kids; k++, n++) {
            int x = value(w, c->kids[k], g, when, false);
            yes += x == T;
            no += x == F;
        }
        need = c->kind == SY_COND_OR ? 1 : n;
    } else {
        if (c->pick == SY_PICK_ONE && naive_named(w, (int)w->c->driver, &c->operand)) {
            return leaf(w, c, (int)w->c->driver, g, when);
        }
        for (int p = 0; p < (int)w->c->site->n_points; p++) {
            if (naive_named(w, p, &c->operand)) {
                int x = leaf(w, c, p, g, when);
                yes += x == T;
                no += x == F;
                n++;
            }
        }
        need = c->pick == SY_PICK_ALL ? n : c->pick == SY_PICK_COUNT ? (int)c->pick_n : 1;
    }
    return yes >= need ? T : (n - no < need ? F : U);
}

bool naive_has_hold(const sy_cond *c)
{
    return c->hold.kind == SY_HOLD_FOR && !(c->kind == SY_COND_TEST && c->op == SY_OP_NO_DATA);
}

static int value(world *w, const sy_cond *c, int g, int when, bool outermost)
{
    int x = naive_value(w, c, g, when);
    if (outermost || !naive_has_hold(c)) {
        return x;
    }
    return naive_hold_of(w, c, w->level)->counted >= naive_sec(&c->hold.length) ? x : F;
}

bool naive_silent_kind(const sy_cond *c)
{
    return c->kind == SY_COND_TEST && c->op == SY_OP_NO_DATA;
}

bool naive_compares(const sy_cond *c)
{
    if (c->kind == SY_COND_TEST) {
        return c->op != SY_OP_IS && c->op != SY_OP_NO_DATA;
    }
    for (size_t k = 0; k < c->n_kids; k++) {
        if (naive_compares(c->kids[k])) {
            return true;
        }
    }
    return false;
}
