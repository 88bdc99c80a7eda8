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
    for (int p = 0; p < n_points(w); p++) {
        if (c->pick == SY_PICK_ONE && naive_named(w, (int)w->c->driver, &c->operand) &&
            p != (int)w->c->driver) {
            continue;
        }
        if (naive_named(w, p, &c->operand)) {
            int d = naive_silence_length(w, c, p, g),
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

static bool clear_when(world *w, const sy_cond *c, int g, bool clock)
{
    w->level = -1;
    if (naive_calendar_kind(c)) {
        return clock && w->verdict[LEVELS][g] == T;
    }
    if (clock && (w->last_tick || naive_compares(c))) {
        return false;
    }
    int was = g > 0 ? w->was[LEVELS] : U;
    if (naive_has_hold(c)) {
        hold *h = naive_hold_of(w, c, -1);
        return clock ? was == T && naive_just_reached(w, h, g)
                     : naive_value(w, c, g, AT) == T && grew(h) && naive_reached(w, h, g);
    }
    return clock ? was != T && naive_value(w, c, g, PRE) == T : naive_value(w, c, g, AT) == T;
}

/* By default: the condition of the lowest open level known false for that level's D. */
static bool default_clear(world *w, int l, int g, bool clock)
{
    const sy_cond *c = w->rule->alerts[l].when;
    w->level = l;
    if (naive_calendar_kind(c)) {
        return clock && w->verdict[l][g] == F;
    }
    if (naive_silent_kind(c)) {
        return !clock && data_back(w, c, w->opened_at[l], g);
    }
    int d = naive_clear_length(w, c, g);
    if (clock) {
        const hold *h = d > 0 ? naive_hold_of(w, c, 100 + l) : NULL;
        return !w->last_tick && !naive_compares(c) && h && g > 0 && w->was[l] == F &&
               h->counted >= d && h->before < naive_clear_length(w, c, g - 1);
    }
    return naive_value(w, c, g, AT) == F &&
           (d == 0 ||
            (grew(naive_hold_of(w, c, 100 + l)) && naive_hold_of(w, c, 100 + l)->counted >= d));
}

bool naive_clears(world *w, int g, bool clock)
{
    if (w->rule->clear) {
        return clear_when(w, w->rule->clear, g, clock);
    }
    for (int l = 0; l < (int)w->rule->n_alerts; l++) {
        if (w->open[l]) {
            return default_clear(w, l, g, clock);
        }
    }
    return false;
}

static bool inside(const world *w, int l, int g)
{
    return w->inside[l][g + 1] > w->inside[l][g];
}

static bool reaches(world *w, int l, int g, bool clock)
{
    const sy_cond *c = w->rule->alerts[l].when;
    w->level = l;
    if (naive_calendar_kind(c)) {
        return clock && w->verdict[l][g] == T;
    }
    if (naive_silent_kind(c)) {
        return clock && !w->last_tick && naive_value(w, c, g, PRE) == T;
    }
    if (clock && (w->last_tick || naive_compares(c))) {
        return false;
    }
    if (naive_has_hold(c)) {
        hold *h = naive_hold_of(w, c, l);
        return clock ? g > 0 && w->was[l] == T && naive_just_reached(w, h, g)
                     : naive_value(w, c, g, AT) == T && grew(h) && naive_reached(w, h, g);
    }
    if (clock) {
        return g > 0 && w->was[l] != T && naive_value(w, c, g, PRE) == T &&
               !naive_exempt_before(w, l, g) && inside(w, l, g);
    }
    return naive_value(w, c, g, AT) == T && !naive_exempt_at(w, l, g, false) && inside(w, l, g);
}

static int base_of_silence(const world *w, const sy_cond *c, int g)
{
    int bases[NAIVE_POINTS], n = 0, all = 0, need;
    for (int p = 0; p < n_points(w); p++) {
        if (!naive_named(w, p, &c->operand) ||
            (c->pick == SY_PICK_ONE && naive_named(w, (int)w->c->driver, &c->operand) &&
             p != (int)w->c->driver)) {
            continue;
        }
        all++;
        int b = naive_silence_base(w, p, g, false);
        if (!naive_silent_since(w, b, g, naive_silence_length(w, c, p, g))) {
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
    const sy_cond *c = w->rule->alerts[l].when;
    *a = (naive_alert){.onset = g, .raised = g, .cleared = -1, .state = SY_ALERT_ACTIVE};
    w->level = l;
    if (naive_calendar_kind(c)) {
        (void)naive_closes(w, c, g, &a->onset);
        a->counted = g - a->onset;
    } else if (naive_silent_kind(c)) {
        a->onset = base_of_silence(w, c, g);
        a->counted = w->inside[l][g] - w->inside[l][a->onset];
    } else if (c->hold.kind == SY_HOLD_CUMULATIVE) {
        const hold *h = naive_hold_of(w, c, l);
        a->onset = g - naive_ticks(w, &c->hold.window, g);
        a->onset = a->onset < 0 ? 0 : a->onset;
        a->onset = a->onset < w->last_clear ? w->last_clear : a->onset;
        while (a->onset < g && !h->tick[a->onset]) {
            a->onset++;
        }
        a->counted = naive_measured(w, h, g);
    } else if (naive_has_hold(c)) {
        const hold *h = naive_hold_of(w, c, l);
        a->onset = h->first;
        a->counted = h->counted;
        a->unknown = h->unknown;
        a->exempt = h->exempt;
    }
}

/* The opening at g completes the count of this alert's openings. */
static bool escalates(world *w, int g)
{
    const sy_escalate *e = w->rule->escalate;
    int n = w->n_openings, in = 0;
    if (n > 0 && e->apart && g - w->counted_openings[n - 1] < naive_ticks(w, e->apart, g)) {
        return false;
    }
    w->counted_openings[w->n_openings++] = g;
    for (int k = 0; k < w->n_openings; k++) {
        in += w->counted_openings[k] > g - naive_ticks(w, &e->window, g);
    }
    return in >= (int)e->times->value;
}

static bool in_trial(const world *w, int g)
{
    int64_t d = naive_day(w, g);
    return w->rule->has_trial && d >= sy_days_of(w->rule->trial_from) &&
           d <= sy_days_of(w->rule->trial_to);
}

size_t naive_opens(world *w, int g, bool clock, naive_alert *out, size_t n)
{
    bool is_open = n > 0 && out[n - 1].cleared < 0;
    for (int l = 0; l < (int)w->rule->n_alerts; l++) {
        if (w->open[l] || w->blocked[l] || !reaches(w, l, g, clock)) {
            continue;
        }
        if (!is_open) {
            assert_true(n < NAIVE_ALERTS);
            begin(w, l, g, &out[n++]);
            is_open = true;
            out[n - 1].trial = in_trial(w, g);
            if (w->rule->escalate && escalates(w, g)) {
                out[n - 1].level = w->rule->escalate->level;
            }
        }
        w->open[l] = true;
        w->opened_at[l] = g;
        if (w->rule->alerts[l].level > out[n - 1].level) {
            out[n - 1].level = w->rule->alerts[l].level;
        }
    }
    return n;
}

void naive_close_at(world *w, naive_alert *a, int g, sy_alert_state how)
{
    a->cleared = g;
    a->state = how;
    w->last_clear = g;
    for (int l = 0; l < LEVELS; l++) {
        w->open[l] = false;
        w->blocked[l] = true;
    }
}
