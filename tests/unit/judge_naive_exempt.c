/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's exempt time: stretches are merged beforehand, from the whole stream; what a day
 * has used up is counted anew each time it is asked.
 */
#include "judge_naive_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool state_on(const world *w, const sy_except *x, int g)
{
    for (int p = 0; p < n_points(w); p++) {
        int last = w->prev[p][g], bound = (int)(3 * point(w, p)->every / w->c->tick);
        if (naive_named(w, p, &x->state) && last != NEVER && w->v[p][last] == x->value &&
            (!bound || g < last + bound)) {
            return true;
        }
    }
    return false;
}

void naive_find_stretches(world *w)
{
    for (int l = 0; l < (int)w->rule->n_alerts; l++) {
        const sy_alert_clause *a = &w->rule->alerts[l];
        for (size_t k = 0; k < a->n_excepts; k++) {
            used *u = &w->clauses[w->n_clauses++];
            assert_true(w->n_clauses < CLAUSES);
            u->level = l;
            u->times = (int)a->excepts[k].times->value;
            u->each = naive_ticks(w, &a->excepts[k].each, 0);
            for (int g = 0; g <= w->c->now; g++) {
                if (!state_on(w, &a->excepts[k], g)) {
                    continue;
                }
                if (u->n > 0 && (g - u->to[u->n - 1]) * w->c->tick < 5000) {
                    u->to[u->n - 1] = g + 1; /* it went on, or only fluttered */
                } else {
                    assert_true(u->n < STRETCHES);
                    u->from[u->n] = g;
                    u->to[u->n++] = g + 1;
                }
            }
            for (int q = 0; q < u->n; q++) {
                int end = u->from[q] + naive_ticks(w, &a->excepts[k].each, 0);
                u->to[q] = u->to[q] < end ? u->to[q] : end;
            }
        }
    }
}

bool naive_exempt_at(world *w, int level, int g, bool use)
{
    bool any = false;
    for (int k = 0; k < w->n_clauses; k++) {
        used *u = &w->clauses[k];
        for (int q = 0; u->level == level && q < u->n; q++) {
            int spent = 0;
            if (g < u->from[q] || g >= u->to[q]) {
                continue;
            }
            for (int e = 0; e < q; e++) {
                spent += u->used[e] && naive_day(w, u->from[e]) == naive_day(w, u->from[q]);
            }
            if (u->used[q] || spent < u->times) {
                any = true;
                u->used[q] = u->used[q] || use;
            }
        }
    }
    return any;
}

bool naive_exempt_before(world *w, int level, int g)
{
    bool any = false;
    for (int k = 0; k < w->n_clauses; k++) {
        used *u = &w->clauses[k];
        for (int q = 0; u->level == level && q < u->n; q++) {
            int end = u->from[q] + u->each, spent = 0;
            if (g <= u->from[q] || g > u->to[q] || g >= end) {
                continue;
            }
            for (int e = 0; e < q; e++) {
                spent += u->used[e] && naive_day(w, u->from[e]) == naive_day(w, u->from[q]);
            }
            any = any || u->used[q] || spent < u->times;
        }
    }
    return any;
}
