/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's alerts: when a level is reached, when the alert clears.
 */
#include "judge_naive_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Data time of p since s: between readings at most missing-after apart. */
static int data_time(const world *w, int p, int since, int g, int gap)
{
    int sum = 0;
    for (int k = since + 1; k <= g; k++) {
        if (isnan(w->v[p][k]) || k == 0) {
            continue;
        }
        int a = w->prev[p][k - 1];
        if (a != NEVER && k - a <= gap) {
            sum += k - (a > since ? a : since);
        }
    }
    return sum;
}

static bool data_back(const world *w, const sy_cond *c, int since, int g)
{
    int n = 0, back = 0, need;
    for (int p = 0; p < (int)w->c->site->n_points; p++) {
        if (c->pick == SY_PICK_ONE && naive_named(w, (int)w->c->driver, &c->operand) &&
            p != (int)w->c->driver) {
            continue;
        }
        if (naive_named(w, p, &c->operand)) {
            int d = naive_silence_length(w, c, p),
                gap = naive_missing(w, p) ? naive_missing(w, p) : d;
            back += data_time(w, p, since, g, gap) >= d;
            n++;
        }
    }
    need = c->pick == SY_PICK_ALL ? n : c->pick == SY_PICK_COUNT ? (int)c->pick_n : 1;
    return n - back < need;
}

static bool grew(const hold *h)
{
    return h->total > h->total_at_reading;
}

bool naive_clears(world *w, int g, bool clock)
{
    const sy_rule *r = w->c->rule;
    if (r->clear) {
        const sy_cond *c = r->clear;
        w->level = -1;
        if (clock && naive_compares(c)) {
            return false;
        }
        int was = g > 0 ? w->was[4] : U;
        if (naive_has_hold(c)) {
            hold *h = naive_hold_of(w, c, -1);
            int d = naive_sec(&c->hold.length);
            return clock ? was == T && h->counted == d
                         : naive_value(w, c, g, AT) == T && grew(h) && h->counted >= d;
        }
        return clock ? was != T && naive_value(w, c, g, PRE) == T : naive_value(w, c, g, AT) == T;
    }
    for (int l = 0; l < (int)r->n_alerts; l++) {
        if (!w->open[l]) {
            continue;
        }
        const sy_cond *c = r->alerts[l].when;
        w->level = l;
        if (naive_silent_kind(c)) {
            return !clock && data_back(w, c, w->opened_at[l], g);
        }
        int d = naive_clear_length(c);
        if (clock) {
            return !naive_compares(c) && d > 0 && g > 0 && w->was[l] == F &&
                   naive_hold_of(w, c, 100 + l)->counted == d;
        }
        return naive_value(w, c, g, AT) == F &&
               (d == 0 ||
                (grew(naive_hold_of(w, c, 100 + l)) && naive_hold_of(w, c, 100 + l)->counted >= d));
    }
    return false;
}

static bool reaches(world *w, int l, int g, bool clock)
{
    const sy_cond *c = w->c->rule->alerts[l].when;
    w->level = l;
    if (naive_silent_kind(c)) {
        return clock && naive_value(w, c, g, PRE) == T;
    }
    if (clock && naive_compares(c)) {
        return false;
    }
    if (naive_has_hold(c)) {
        hold *h = naive_hold_of(w, c, l);
        int d = naive_sec(&c->hold.length);
        return clock ? g > 0 && w->was[l] == T && h->counted == d
                     : naive_value(w, c, g, AT) == T && grew(h) && h->counted >= d;
    }
    if (clock) {
        return g > 0 && w->was[l] != T && naive_value(w, c, g, PRE) == T &&
               !naive_exempt_before(w, l, g);
    }
    return naive_value(w, c, g, AT) == T && !naive_exempt_at(w, l, g, false);
}

static int base_of_silence(const world *w, const sy_cond *c, int g)
{
    int bases[NAIVE_POINTS], n = 0, all = 0, need;
    for (int p = 0; p < (int)w->c->site->n_points; p++) {
        if (!naive_named(w, p, &c->operand) ||
            (c->pick == SY_PICK_ONE && naive_named(w, (int)w->c->driver, &c->operand) &&
             p != (int)w->c->driver)) {
            continue;
        }
        all++;
        int b = naive_silence_base(w, p, g, false);
        if (g < b + naive_silence_length(w, c, p)) {
            continue;
        }
        int k = n++;
        for (; k > 0 && bases[k - 1] > b; k--) {
            bases[k] = bases[k - 1];
        }
        bases[k] = b;
    }
    need = c->pick == SY_PICK_ALL ? all : c->pick == SY_PICK_COUNT ? (int)c->pick_n : 1;
    return bases[need - 1];
}

static void begin(world *w, int l, int g, naive_alert *a)
{
    const sy_cond *c = w->c->rule->alerts[l].when;
    *a = (naive_alert){.onset = g, .raised = g, .cleared = -1, .state = SY_ALERT_ACTIVE};
    if (naive_silent_kind(c)) {
        a->onset = base_of_silence(w, c, g);
        a->counted = g - a->onset;
    } else if (naive_has_hold(c)) {
        hold *h = naive_hold_of(w, c, l);
        a->onset = h->first;
        a->counted = h->counted;
        a->unknown = h->unknown;
        a->exempt = h->exempt;
    }
}

size_t naive_opens(world *w, int g, bool clock, naive_alert *out, size_t n)
{
    bool is_open = n > 0 && out[n - 1].cleared < 0;
    for (int l = 0; l < (int)w->c->rule->n_alerts; l++) {
        if (w->open[l] || w->blocked[l] || !reaches(w, l, g, clock)) {
            continue;
        }
        if (!is_open) {
            assert_true(n < NAIVE_ALERTS);
            begin(w, l, g, &out[n++]);
            is_open = true;
        }
        w->open[l] = true;
        w->opened_at[l] = g;
        if (w->c->rule->alerts[l].level > out[n - 1].level) {
            out[n - 1].level = w->c->rule->alerts[l].level;
        }
    }
    return n;
}

void naive_close_at(world *w, naive_alert *a, int g, sy_alert_state how)
{
    a->cleared = g;
    a->state = how;
    for (int l = 0; l < 4; l++) {
        w->open[l] = false;
        w->blocked[l] = true;
    }
}
