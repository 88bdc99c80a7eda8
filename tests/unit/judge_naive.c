/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge: one pass walks the ticks and the tree of the rule itself. Numbers, readings,
 * windows, calendar, phrases, signals, exempt stretches, holds and levels have a file each
 * (judge_naive_world.h).
 */
#include "judge_naive.h"
#include "judge_naive_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A condition that is known false for a time by default clears. */
static bool clears_by_default(const world *w, const sy_cond *c, int g)
{
    return !w->rule->clear && !naive_silent_kind(c) && !naive_calendar_kind(c) &&
           naive_clear_length(w, c, g) > 0;
}

static void pass_level(world *w, int l, int g)
{
    const sy_cond *c = w->rule->alerts[l].when;
    pending list[MEASURES];
    w->level = l;
    int x = naive_value(w, c, g, AFTER);
    bool outside = w->inside[l][g + 1] == w->inside[l][g];
    bool matters = (naive_has_hold(c) && x == T) || naive_nested_counts(w, c, g, true);
    bool exempt = matters && !outside && naive_exempt_at(w, l, g, true);
    int n = naive_gather(w, c, g, AFTER, true, list, 0);
    for (int k = 0; k < n; k++) {
        naive_count_tick(w, &list[k], g, exempt, outside);
    }
    if (naive_has_hold(c)) {
        pending p = {naive_hold_of(w, c, l), x, naive_ticks(w, &c->hold.length, g)};
        naive_count_tick(w, &p, g, exempt, outside);
    }
    if (clears_by_default(w, c, g)) {
        pending p = {naive_hold_of(w, c, 100 + l), 2 - x, naive_clear_length(w, c, g)};
        naive_count_tick(w, &p, g, false, false);
    }
    if (x == F) {
        w->blocked[l] = false;
    }
}

/* The stretch (g, g+1). */
static void pass_tick(world *w, int g)
{
    const sy_rule *r = w->rule;
    pending list[MEASURES];
    naive_follow_moment(w, g, AFTER);
    naive_verdicts(w, g + 1);
    for (int l = 0; l < (int)r->n_alerts; l++) {
        w->level = l;
        w->was[l] = naive_value(w, r->alerts[l].when, g, AFTER);
    }
    w->level = -1;
    w->was[LEVELS] = r->clear ? naive_value(w, r->clear, g, AFTER) : U;
    if (g < w->from || g >= w->to) {
        return;
    }
    for (int l = 0; l < (int)r->n_alerts; l++) {
        pass_level(w, l, g);
    }
    if (r->clear) {
        w->level = -1;
        int x = naive_value(w, r->clear, g, AFTER);
        int n = naive_gather(w, r->clear, g, AFTER, true, list, 0);
        for (int k = 0; k < n; k++) {
            naive_count_tick(w, &list[k], g, false, false);
        }
        if (naive_has_hold(r->clear)) {
            pending p = {naive_hold_of(w, r->clear, -1), x,
                         naive_ticks(w, &r->clear->hold.length, g)};
            naive_count_tick(w, &p, g, false, false);
        }
    }
}

static void level_at_readings(world *w, int l, int g)
{
    const sy_cond *c = w->rule->alerts[l].when;
    pending list[MEASURES];
    w->level = l;
    int x = naive_value(w, c, g, AT), k = naive_gather(w, c, g, AT, true, list, 0);
    bool outside = w->inside[l][g + 1] == w->inside[l][g];
    for (int q = 0; q < k; q++) {
        naive_count_instant(w, &list[q], g);
    }
    if (naive_has_hold(c)) {
        pending p = {naive_hold_of(w, c, l), x, naive_ticks(w, &c->hold.length, g)};
        naive_count_instant(w, &p, g);
    } else if (!naive_silent_kind(c) && x == T && !outside) {
        (void)naive_exempt_at(w, l, g, true);
    }
    if (clears_by_default(w, c, g)) {
        pending p = {naive_hold_of(w, c, 100 + l), 2 - x, naive_clear_length(w, c, g)};
        naive_count_instant(w, &p, g);
    }
}

static size_t at_readings(world *w, int g, bool closed, naive_alert *out, size_t n)
{
    const sy_rule *r = w->rule;
    pending list[MEASURES];
    naive_follow_moment(w, g, AT);
    for (int l = 0; l < (int)r->n_alerts; l++) {
        level_at_readings(w, l, g);
    }
    if (r->clear) {
        w->level = -1;
        int x = naive_value(w, r->clear, g, AT);
        int k = naive_gather(w, r->clear, g, AT, true, list, 0);
        for (int q = 0; q < k; q++) {
            naive_count_instant(w, &list[q], g);
        }
        if (naive_has_hold(r->clear)) {
            pending p = {naive_hold_of(w, r->clear, -1), x,
                         naive_ticks(w, &r->clear->hold.length, g)};
            naive_count_instant(w, &p, g);
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
    for (int p = 0; p < n_points(w); p++) {
        if (w->mine[p] && !isnan(w->v[p][g])) {
            return true;
        }
    }
    return false;
}

static bool whole_place(const sy_agg *a, const sy_word *word)
{
    return a && !a->over && a->kind != SY_AGG_HOURLY_MEAN && a->kind != SY_AGG_DAILY_MEAN &&
           a->of.word == word;
}

static bool sums_all(const sy_expr *e, const sy_word *word)
{
    switch (e->kind) {
    case SY_EXPR_AGG:
        return whole_place(e->agg, word);
    case SY_EXPR_LET:
        return sums_all(e->let->sum, word);
    case SY_EXPR_ADD:
    case SY_EXPR_SUB:
    case SY_EXPR_MUL:
    case SY_EXPR_DIV:
        return sums_all(e->a, word) || sums_all(e->b, word);
    case SY_EXPR_VALUE:
    case SY_EXPR_QUANTITY:
    case SY_EXPR_TABLE:
    default:
        return false;
    }
}

/* All points of the driver's quantity matter to the condition. */
static bool picked(const sy_cond *c, const sy_word *word)
{
    bool any =
        c->kind == SY_COND_TEST &&
        ((c->pick != SY_PICK_ONE && c->operand.word == word) || whole_place(c->agg, word) ||
         (c->let && sums_all(c->let->sum, word)) || (c->a.let && sums_all(c->a.let->sum, word)) ||
         (c->b.let && sums_all(c->b.let->sum, word)));
    for (size_t k = 0; k < c->n_kids; k++) {
        any = any || picked(c->kids[k], word);
    }
    return any;
}

static void find_points(world *w)
{
    const sy_rule *r = w->rule;
    bool all = r->clear && picked(r->clear, r->watch[0].word);
    for (size_t k = 0; k < r->n_alerts; k++) {
        all = all || picked(r->alerts[k].when, r->watch[0].word);
    }
    for (size_t k = 0; k < r->n_lets; k++) {
        all = all || sums_all(r->lets[k].sum, r->watch[0].word);
    }
    for (int p = 0; p < n_points(w); p++) {
        for (size_t k = all ? 0 : 1; k < r->n_watch; k++) {
            w->mine[p] = w->mine[p] || naive_named(w, p, &r->watch[k]);
        }
    }
    w->mine[w->c->driver] = true;
}

static void figures(const world *w, naive_alert *a)
{
    int end = a->cleared < 0 ? w->c->now : a->cleared;
    const sy_site_point *p = point(w, (int)w->c->driver);
    const sy_word *word = w->rule->watch[0].word;
    (void)p;
    for (int g = a->onset < 0 ? 0 : a->onset; g <= end; g++) {
        double x = w->d[w->c->driver][g];
        if (isnan(x)) {
            continue;
        }
        a->min = a->count == 0 ? x : fmin(a->min, x);
        a->max = a->count == 0 ? x : fmax(a->max, x);
        a->count++;
    }
    if (word->kind != SY_W_QUANTITY) {
        a->min = a->max = NAN;
    }
}

static int local_midnight(const world *w, bool has, sy_date d, int plus, int otherwise)
{
    sy_ms t = has ? sy_zone_midnight(naive_premises(w)->zone, sy_days_of(d) + plus) : 0;
    return has ? naive_tick_of(w, t) : otherwise;
}

static void tables_of_rule(world *w)
{
    naive_free_tables(w);
    w->n_holds = w->n_follows = w->n_clauses = 0;
    memset(w->verdict, -1, sizeof w->verdict);
    naive_tabulate(w);
    find_points(w);
    naive_calendars(w);
    naive_find_stretches(w);
}

static void begin_version(world *w, int k)
{
    const naive_version *v = &w->c->versions[k];
    bool same = k > 0 && memcmp(v->rule->judgement_hash, w->rule->judgement_hash, 32) == 0;
    w->set = v->set;
    if (same) { /* texts or tunings alone: what is counted goes on */
        return;
    }
    w->rule = v->rule;
    w->force_from = local_midnight(w, v->rule->has_from, v->rule->from, 0, NEVER);
    w->to = local_midnight(w, v->rule->has_to, v->rule->to, 1, -NEVER);
    if (k > 0 && w->force_from < v->from) {
        w->force_from = v->from;
    }
    w->from = w->force_from < 0 ? 0 : w->force_from;
    tables_of_rule(w);
    for (int g = 0; k > 0 && g < v->from; g++) { /* what the readings before say */
        naive_follow_moment(w, g, PRE);
        if (reading_at(w, g)) {
            naive_follow_moment(w, g, AT);
        }
        naive_follow_moment(w, g, AFTER);
    }
    for (int l = 0; k > 0 && l < (int)v->rule->n_alerts; l++) {
        w->level = l;
        w->blocked[l] = false;
        w->opened_at[l] = v->from; /* data that ends a silence counts anew */
        w->was[l] = naive_value(w, v->rule->alerts[l].when, v->from - 1, AFTER);
    }
    w->level = -1;
    w->was[LEVELS] =
        k > 0 && w->rule->clear ? naive_value(w, w->rule->clear, v->from - 1, AFTER) : U;
}

static size_t by_the_clock(world *w, int g, bool *closed, naive_alert *out, size_t n)
{
    if (n > 0 && out[n - 1].cleared < 0 && naive_clears(w, g, true)) {
        naive_close_at(w, &out[n - 1], g, SY_ALERT_CLEARED);
        *closed = true;
    }
    for (int l = 0; l < (int)w->rule->n_alerts; l++) {
        if (w->verdict[l][g] == F) {
            w->blocked[l] = false;
        }
    }
    return *closed ? n : naive_opens(w, g, true, out, n);
}

size_t naive_judge(const naive_case *c, naive_alert out[NAIVE_ALERTS])
{
    world *w = calloc(1, sizeof *w);
    size_t n = 0;
    int version = 0;
    assert_non_null(w);
    w->c = c;
    w->last_clear = NEVER;
    for (int l = 0; l <= LEVELS; l++) {
        w->verdict[l][0] = -1;
    }
    begin_version(w, 0);
    for (int g = 0; g <= c->now && g <= w->to; g++) {
        bool closed = false;
        if (g > 0) {
            pass_tick(w, g - 1);
        }
        if (version + 1 < c->n_versions && c->versions[version + 1].from == g) {
            begin_version(w, ++version);
        }
        if (g < w->from) {
            naive_follow_moment(w, g, PRE);
            if (reading_at(w, g)) {
                naive_follow_moment(w, g, AT);
            }
            continue;
        }
        if (g == w->to) {
            w->last_tick = true; /* only windows that close with the rule */
        }
        naive_follow_moment(w, g, PRE);
        n = by_the_clock(w, g, &closed, out, n);
        if (g == w->to) {
            if (n > 0 && out[n - 1].cleared < 0) {
                naive_close_at(w, &out[n - 1], g, SY_ALERT_SUPERSEDED);
            }
            break;
        }
        if (reading_at(w, g)) {
            n = at_readings(w, g, closed, out, n);
        }
    }
    for (size_t k = 0; k < n; k++) {
        figures(w, &out[k]);
    }
    naive_free_tables(w);
    free(w);
    return n;
}
