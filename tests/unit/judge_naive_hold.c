/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's holds: how a second, or the instant of a reading, moves what each of them has
 * counted.
 */
#include "judge_naive_world.h"

static void forget(hold *h)
{
    h->counted = h->unknown = h->exempt = 0;
    h->first = h->unknown_since = NEVER;
}

static void known_from(hold *h, int g, int length)
{
    int limit = length > 86400 ? length : 86400;
    if (h->unknown_since != NEVER && g - h->unknown_since > limit) {
        forget(h);
    }
    h->unknown_since = NEVER;
}

void naive_count_second(hold *h, int x, int g, int length, bool exempt)
{
    if (x == F) {
        forget(h);
    } else if (x == U) {
        h->unknown_since = h->unknown_since == NEVER ? g : h->unknown_since;
        h->unknown += h->first != NEVER;
    } else {
        known_from(h, g, length);
        if (exempt) {
            h->exempt += h->first != NEVER;
        } else {
            h->first = h->first == NEVER ? g : h->first;
            h->counted++;
            h->total++;
        }
    }
}

void naive_count_instant(hold *h, int x, int g, int length)
{
    if (x == F) {
        forget(h);
    } else if (x == T) {
        known_from(h, g, length);
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
                              naive_sec(&c->hold.length)};
    }
    return n;
}

static int longest(const sy_cond *c, bool outermost)
{
    int best = !outermost && naive_has_hold(c) ? naive_sec(&c->hold.length) : 0;
    for (size_t k = 0; k < c->n_kids; k++) {
        int x = longest(c->kids[k], false);
        best = x > best ? x : best;
    }
    return best;
}

int naive_clear_length(const sy_cond *c)
{
    return naive_has_hold(c) ? naive_sec(&c->hold.length) : longest(c, true);
}
