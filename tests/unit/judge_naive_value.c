/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's signals: the tree of a condition is walked as the parser left it, at an instant
 * or in the stretch after it.
 */
#include "judge_naive_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

int naive_silence_base(const world *w, int p, int g, bool with_g)
{
    int last = with_g ? w->prev[p][g] : (g > 0 ? w->prev[p][g - 1] : NEVER);
    int base = last > 0 ? last : 0;
    return base > w->from ? base : w->from;
}

int naive_silence_length(const world *w, const sy_cond *c, int p, int g)
{
    return c->hold.kind == SY_HOLD_FOR ? naive_ticks(w, &c->hold.length, g) : naive_missing(w, p);
}

/* Time inside `during` since base, up to g. */
bool naive_silent_since(const world *w, int base, int g, int length)
{
    int inside = g <= base ? 0 : g - base;
    if (inside > 0 && naive_during(w)) {
        inside = w->inside[w->level][g] - w->inside[w->level][base];
    }
    return inside >= length;
}

static int between(const world *w, const table *t, int g, int when)
{
    if (when == AT && t->at[g] >= 0) {
        return t->at[g];
    }
    int a = when == AFTER ? g : g - 1, b = when == AFTER ? g + 1 : g;
    while (a >= 0 && t->at[a] < 0 && b - a <= t->gap) {
        a--;
    }
    while (b <= w->c->now && t->at[b] < 0 && b - a <= t->gap) {
        b++;
    }
    if (a < 0 || b > w->c->now || t->at[a] < 0 || t->at[b] < 0 || b - a > t->gap) {
        return U;
    }
    return t->at[a] == t->at[b] ? t->at[a] : U;
}

static int state_leaf(const world *w, const sy_cond *c, int p, int g, int when)
{
    int last = when == PRE ? (g > 0 ? w->prev[p][g - 1] : NEVER) : w->prev[p][g];
    int bound = (int)(3 * point(w, p)->every / w->c->tick);
    if (last == NEVER || (bound && (when == AFTER ? g >= last + bound : g > last + bound))) {
        return U;
    }
    return w->v[p][last] == c->state ? T : F;
}

static int leaf(world *w, const sy_cond *c, int p, int g, int when)
{
    if (c->op == SY_OP_NO_DATA) {
        int base = naive_silence_base(w, p, g, when != PRE);
        return naive_silent_since(w, base, g, naive_silence_length(w, c, p, g)) ? T : F;
    }
    if (c->op == SY_OP_IS) {
        return state_leaf(w, c, p, g, when);
    }
    return between(w, naive_table(w, c, p), g, when);
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
    memset(h, 0, sizeof *h);
    h->c = c;
    h->slot = slot;
    h->first = h->unknown_since = NEVER;
    return h;
}

static int need_of(const sy_cond *c, int n)
{
    return c->pick == SY_PICK_ALL ? n : c->pick == SY_PICK_COUNT ? (int)c->pick_n : 1;
}

static int test(world *w, const sy_cond *c, int g, int when)
{
    int yes = 0, no = 0, n = 0;
    if (c->op == SY_OP_DUE_WITHIN || c->op == SY_OP_OVERDUE) {
        return naive_due(w, c, g, when);
    }
    if (c->agg || c->let) {
        return between(w, naive_table(w, c, -1), g, when);
    }
    if (c->pick == SY_PICK_ONE && naive_named(w, (int)w->c->driver, &c->operand)) {
        return leaf(w, c, (int)w->c->driver, g, when);
    }
    for (int p = 0; p < n_points(w); p++) {
        if (naive_named(w, p, &c->operand)) {
            int x = leaf(w, c, p, g, when);
            yes += x == T;
            no += x == F;
            n++;
        }
    }
    int need = need_of(c, n);
    return yes >= need ? T : (n - no < need ? F : U);
}

int naive_value(world *w, const sy_cond *c, int g, int when)
{
    int yes = 0, no = 0, n = 0;
    if (naive_calendar_kind(c) && when != CLOSE) {
        return U;
    }
    if (when == CLOSE && !naive_calendar_kind(c)) { /* taken just before */
        return g > 0 ? naive_value(w, c, g - 1, AFTER) : U;
    }
    switch (c->kind) {
    case SY_COND_TEST:
        return when == CLOSE ? naive_close(w, c, g) : test(w, c, g, when);
    case SY_COND_LASTS:
        return naive_close(w, c, g);
    case SY_COND_FOLLOWED:
    case SY_COND_NOT_FOLLOWED:
        return naive_followed(w, c);
    case SY_COND_CURVE:
        return naive_curve(w, c, g, when);
    case SY_COND_NOT:
        return 2 - naive_held_value(w, c->kids[0], g, when);
    case SY_COND_AND:
    case SY_COND_OR:
    default:
        break;
    }
    for (size_t k = 0; k < c->n_kids; k++, n++) {
        int x = naive_held_value(w, c->kids[k], g, when);
        yes += x == T;
        no += x == F;
    }
    int need = c->kind == SY_COND_OR ? 1 : n;
    return yes >= need ? T : (n - no < need ? F : U);
}

bool naive_has_hold(const sy_cond *c)
{
    return c->hold.kind == SY_HOLD_CUMULATIVE ||
           (c->hold.kind == SY_HOLD_FOR && !(c->kind == SY_COND_TEST && c->op == SY_OP_NO_DATA));
}

int naive_held_value(world *w, const sy_cond *c, int g, int when)
{
    if (!naive_has_hold(c)) {
        return naive_value(w, c, g, when);
    }
    if (when == CLOSE) {
        return g > 0 ? naive_held_value(w, c, g - 1, AFTER) : U;
    }
    int x = naive_value(w, c, g, when);
    const hold *h = naive_hold_of(w, c, w->level);
    if (c->hold.kind == SY_HOLD_FOR) {
        bool again = x == T && naive_gap_resets(w, h, g, naive_ticks(w, &c->hold.length, g));
        return !again && naive_reached(w, h, g) ? x : F;
    }
    if (x != T) {
        return x;
    }
    bool enough = naive_reached(w, h, g);
    if (when == AFTER && enough) { /* inside the stretch: what leaves, and nothing comes */
        int window = naive_ticks(w, &c->hold.window, g), leaves = g - window;
        bool comes = !naive_exempt_at(w, w->level, g, false) &&
                     (w->level < 0 || w->inside[w->level][g + 1] > w->inside[w->level][g]);
        enough = comes || leaves < 0 || !h->tick[leaves] ||
                 naive_measured(w, h, g) > naive_ticks(w, &c->hold.length, g);
    }
    return enough ? T : F;
}

bool naive_silent_kind(const sy_cond *c)
{
    return c->kind == SY_COND_TEST && c->op == SY_OP_NO_DATA;
}

bool naive_compares(const sy_cond *c)
{
    if (c->kind == SY_COND_CURVE) {
        return true;
    }
    if (c->kind == SY_COND_TEST) {
        return c->op != SY_OP_IS && c->op != SY_OP_NO_DATA && c->op != SY_OP_DUE_WITHIN &&
               c->op != SY_OP_OVERDUE;
    }
    for (size_t k = 0; k < c->n_kids; k++) {
        if (naive_compares(c->kids[k])) {
            return true;
        }
    }
    return false;
}
