/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's holds: how a tick, or the instant of a reading, moves what each of them has
 * counted.
 */
#include "judge_naive_world.h"

int naive_measured(const world *w, const hold *h, int g)
{
    int sum = 0;
    if (h->c->hold.kind != SY_HOLD_CUMULATIVE) {
        return h->counted;
    }
    for (int k = g - naive_ticks(w, &h->c->hold.window, g); k < g; k++) {
        sum += k >= 0 && h->tick[k];
    }
    return sum;
}

bool naive_reached(const world *w, const hold *h, int g)
{
    return naive_measured(w, h, g) >= naive_ticks(w, &h->c->hold.length, g);
}

bool naive_just_reached(const world *w, const hold *h, int g)
{
    int before = h->c->hold.kind == SY_HOLD_CUMULATIVE ? naive_measured(w, h, g - 1) : h->before;
    return naive_reached(w, h, g) && before < naive_ticks(w, &h->c->hold.length, g - 1);
}

static void forget(hold *h)
{
    h->counted = h->unknown = h->exempt = 0;
    h->first = h->unknown_since = NEVER;
}

bool naive_gap_resets(const world *w, const hold *h, int g, int length)
{
    int day = (int)(86400000 / w->c->tick), limit = length > day ? length : day;
    return h->unknown_since != NEVER && g - h->unknown_since > limit;
}

static void known_from(const world *w, hold *h, int g, int length)
{
    if (naive_gap_resets(w, h, g, length)) {
        forget(h);
    }
    h->unknown_since = NEVER;
}

void naive_count_tick(const world *w, const pending *p, int g, bool exempt, bool outside)
{
    hold *h = p->h;
    h->before = h->counted;
    if (p->x == F) {
        forget(h);
    } else if (p->x == U) {
        h->unknown_since = h->unknown_since == NEVER ? g : h->unknown_since;
        h->unknown += h->first != NEVER && !outside;
    } else {
        known_from(w, h, g, p->length);
        if (exempt && !outside) {
            h->exempt += h->first != NEVER;
        } else if (!outside) {
            h->first = h->first == NEVER ? g : h->first;
            h->counted++;
            h->total++;
            h->tick[g] = true;
        }
    }
}

void naive_count_instant(const world *w, const pending *p, int g)
{
    hold *h = p->h;
    if (p->x == F) {
        forget(h);
    } else if (p->x == T) {
        known_from(w, h, g, p->length);
    } else if (h->unknown_since == NEVER) {
        h->unknown_since = g;
    }
}

bool naive_nested_counts(world *w, const sy_cond *c, int g, bool outermost)
{
    if (!outermost && naive_has_hold(c) && naive_value(w, c, g, AFTER) == T) {
        return true;
    }
    for (size_t k = 0; k < c->n_kids; k++) {
        if (naive_nested_counts(w, c->kids[k], g, false)) {
            return true;
        }
    }
    return false;
}

int naive_gather(world *w, const sy_cond *c, int g, int when, bool outermost, pending *list, int n)
{
    for (size_t k = 0; k < c->n_kids; k++) {
        n = naive_gather(w, c->kids[k], g, when, false, list, n);
    }
    if (!outermost && naive_has_hold(c)) {
        list[n++] = (pending){naive_hold_of(w, c, w->level), naive_value(w, c, g, when),
                              naive_ticks(w, &c->hold.length, g)};
    }
    return n;
}

static int longest(const world *w, const sy_cond *c, int g, bool outermost)
{
    int best = !outermost && naive_has_hold(c) ? naive_ticks(w, &c->hold.length, g) : 0;
    for (size_t k = 0; k < c->n_kids; k++) {
        int x = longest(w, c->kids[k], g, false);
        best = x > best ? x : best;
    }
    return best;
}

int naive_clear_length(const world *w, const sy_cond *c, int g)
{
    return naive_has_hold(c) ? naive_ticks(w, &c->hold.length, g) : longest(w, c, g, true);
}
