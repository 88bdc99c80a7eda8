/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge: one pass walks the seconds and the tree of the rule itself. Signals, exempt
 * stretches, holds and levels have a file each (judge_naive_world.h).
 */
#include "judge_naive.h"
#include "judge_naive_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The stretch (g, g+1). */
static void pass_second(world *w, int g)
{
    const sy_rule *r = w->c->rule;
    pending list[MEASURES];
    for (int l = 0; l < (int)r->n_alerts; l++) {
        w->level = l;
        w->was[l] = naive_value(w, r->alerts[l].when, g, AFTER);
    }
    w->level = -1;
    w->was[4] = r->clear ? naive_value(w, r->clear, g, AFTER) : U;
    if (g < w->from || g >= w->to) {
        return;
    }
    for (int l = 0; l < (int)r->n_alerts; l++) {
        const sy_cond *c = r->alerts[l].when;
        w->level = l;
        int x = naive_value(w, c, g, AFTER);
        bool matters = (naive_has_hold(c) && x == T) || naive_nested_counts(w, c, g, true);
        bool exempt = matters && naive_exempt_at(w, l, g, true);
        int n = naive_gather(w, c, g, AFTER, true, list, 0);
        for (int k = 0; k < n; k++) {
            naive_count_second(list[k].h, list[k].x, g, list[k].length, exempt);
        }
        if (naive_has_hold(c)) {
            naive_count_second(naive_hold_of(w, c, l), x, g, naive_sec(&c->hold.length), exempt);
        }
        if (!r->clear && !naive_silent_kind(c) && naive_clear_length(c) > 0) {
            naive_count_second(naive_hold_of(w, c, 100 + l), 2 - x, g, naive_clear_length(c),
                               false);
        }
        if (x == F) {
            w->blocked[l] = false;
        }
    }
    if (r->clear) {
        w->level = -1;
        int x = naive_value(w, r->clear, g, AFTER);
        int n = naive_gather(w, r->clear, g, AFTER, true, list, 0);
        for (int k = 0; k < n; k++) {
            naive_count_second(list[k].h, list[k].x, g, list[k].length, false);
        }
        if (naive_has_hold(r->clear)) {
            naive_count_second(naive_hold_of(w, r->clear, -1), x, g,
                               naive_sec(&r->clear->hold.length), false);
        }
    }
}

static size_t at_readings(world *w, int g, bool closed, naive_alert *out, size_t n)
{
    const sy_rule *r = w->c->rule;
    pending list[MEASURES];
    for (int l = 0; l < (int)r->n_alerts; l++) {
        const sy_cond *c = r->alerts[l].when;
        w->level = l;
        int x = naive_value(w, c, g, AT), k = naive_gather(w, c, g, AT, true, list, 0);
        for (int q = 0; q < k; q++) {
            naive_count_instant(list[q].h, list[q].x, g, list[q].length);
        }
        if (naive_has_hold(c)) {
            naive_count_instant(naive_hold_of(w, c, l), x, g, naive_sec(&c->hold.length));
        } else if (!naive_silent_kind(c) && x == T) {
            (void)naive_exempt_at(w, l, g, true);
        }
        if (!r->clear && !naive_silent_kind(c) && naive_clear_length(c) > 0) {
            naive_count_instant(naive_hold_of(w, c, 100 + l), 2 - x, g, naive_clear_length(c));
        }
    }
    if (r->clear) {
        w->level = -1;
        int x = naive_value(w, r->clear, g, AT);
        int k = naive_gather(w, r->clear, g, AT, true, list, 0);
        for (int q = 0; q < k; q++) {
            naive_count_instant(list[q].h, list[q].x, g, list[q].length);
        }
        if (naive_has_hold(r->clear)) {
            naive_count_instant(naive_hold_of(w, r->clear, -1), x, g,
                                naive_sec(&r->clear->hold.length));
        }
    }
    if (n > 0 && out[n - 1].cleared < 0 && naive_clears(w, g, false)) {
        naive_close_at(w, &out[n - 1], g, SY_ALERT_CLEARED);
        closed = true;
    }
    for (int l = 0; l < (int)r->n_alerts; l++) {
        w->level = l;
        if (naive_value(w, r->alerts[l].when, g, AT) == F) {
            w->blocked[l] = false;
        }
    }
    n = closed ? n : naive_opens(w, g, false, out, n);
    for (int k = 0; k < w->n_holds; k++) {
        w->holds[k].total_at_reading = w->holds[k].total;
    }
    return n;
}

static bool reading_at(const world *w, int g)
{
    for (int p = 0; p < (int)w->c->site->n_points; p++) {
        if (w->mine[p] && !isnan(w->v[p][g])) {
            return true;
        }
    }
    return false;
}

static bool picked(const sy_cond *c, const sy_word *word)
{
    bool any = c->kind == SY_COND_TEST && c->pick != SY_PICK_ONE && c->operand.word == word;
    for (size_t k = 0; k < c->n_kids; k++) {
        any = any || picked(c->kids[k], word);
    }
    return any;
}

static void find_points(world *w)
{
    const sy_rule *r = w->c->rule;
    bool all = r->clear && picked(r->clear, r->watch[0].word);
    for (size_t k = 0; k < r->n_alerts; k++) {
        all = all || picked(r->alerts[k].when, r->watch[0].word);
    }
    for (int p = 0; p < (int)w->c->site->n_points; p++) {
        for (size_t k = all ? 0 : 1; k < r->n_watch; k++) {
            w->mine[p] = w->mine[p] || naive_named(w, p, &r->watch[k]);
        }
    }
    w->mine[w->c->driver] = true;
}

static void figures(const world *w, naive_alert *a)
{
    int end = a->cleared < 0 ? w->c->now : a->cleared;
    for (int g = a->onset; g <= end; g++) {
        double x = g >= 0 ? w->v[w->c->driver][g] : NAN;
        if (isnan(x)) {
            continue;
        }
        a->min = a->count == 0 ? x : fmin(a->min, x);
        a->max = a->count == 0 ? x : fmax(a->max, x);
        a->count++;
    }
}

static int relative(const world *w, bool has, sy_date d, int plus, int otherwise)
{
    return has ? (int)((sy_days_of(d) + plus) * 86400 - w->c->t0 / 1000) : otherwise;
}

size_t naive_judge(const naive_case *c, naive_alert out[NAIVE_ALERTS])
{
    world *w = calloc(1, sizeof *w);
    size_t n = 0;
    assert_non_null(w);
    w->c = c;
    w->from = relative(w, c->rule->has_from, c->rule->from, 0, 0);
    w->to = relative(w, c->rule->has_to, c->rule->to, 1, -NEVER);
    w->from = w->from < 0 ? 0 : w->from;
    naive_tabulate(w);
    find_points(w);
    naive_find_stretches(w);
    for (int g = 0; g <= c->now && g <= w->to; g++) {
        bool closed = false;
        if (g > 0) {
            pass_second(w, g - 1);
        }
        if (g == w->to) {
            if (n > 0 && out[n - 1].cleared < 0) {
                naive_close_at(w, &out[n - 1], g, SY_ALERT_SUPERSEDED);
            }
            break;
        }
        if (g < w->from) {
            continue;
        }
        if (n > 0 && out[n - 1].cleared < 0 && naive_clears(w, g, true)) {
            naive_close_at(w, &out[n - 1], g, SY_ALERT_CLEARED);
            closed = true;
        }
        n = closed ? n : naive_opens(w, g, true, out, n);
        if (reading_at(w, g)) {
            n = at_readings(w, g, closed, out, n);
        }
    }
    for (size_t k = 0; k < n; k++) {
        figures(w, &out[k]);
    }
    free(w);
    return n;
}
