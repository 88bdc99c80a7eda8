/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's calendar: hours and days of the premises, means and portions of them, lasts,
 * and what lies inside `during`.
 */
#include "judge_naive_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const sy_ms hour = 3600000, day = 86400000;

/* The bit of the weekday that the local day is taken for. */
static unsigned weekday(const sy_site_premises *s, int64_t d)
{
    for (size_t k = 0; k < s->n_swaps; k++) {
        if (s->swaps[k].day == d) {
            return s->swaps[k].as;
        }
    }
    return 1u << (((d + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

static bool in_spans(const sy_site_premises *s, const sy_site_calendar *c, int64_t d, sy_ms of_day)
{
    for (size_t k = 0; k < c->n_spans; k++) {
        const sy_site_span *x = &c->spans[k];
        if ((x->days & weekday(s, d)) != 0 && x->from <= of_day && of_day < x->to) {
            return true;
        }
    }
    return false;
}

bool naive_inside(const world *w, const sy_name *calendar, int g)
{
    const sy_site_premises *s = naive_premises(w);
    sy_ms local = naive_time(w, g) + sy_zone_offset(s->zone, naive_time(w, g));
    int64_t d = naive_day(w, g);
    for (size_t k = 0; k < s->n_calendars; k++) {
        if (strcmp(s->calendars[k].name, calendar->word->id) == 0) {
            return in_spans(s, &s->calendars[k], d, local - d * day) ||
                   in_spans(s, &s->calendars[k], d - 1, local - (d - 1) * day);
        }
    }
    fail_msg("%s", "no such calendar");
    return false;
}

int naive_inside_ticks(const world *w, const sy_name *calendar, int from, int to)
{
    int n = 0;
    for (int g = from; g < to; g++) {
        n += naive_inside(w, calendar, g);
    }
    return n;
}

void naive_calendars(world *w)
{
    for (int l = 0; l < (int)w->rule->n_alerts; l++) {
        const sy_name *c = &w->rule->alerts[l].during;
        w->inside[l][0] = 0;
        for (int g = 0; g <= w->c->now; g++) {
            w->inside[l][g + 1] =
                w->inside[l][g] + (c->text.n == 0 || naive_inside(w, c, g) ? 1 : 0);
        }
    }
}

const sy_name *naive_during(const world *w)
{
    const sy_name *c = w->level >= 0 ? &w->rule->alerts[w->level].during : NULL;
    return c && c->text.n > 0 ? c : NULL;
}

static bool calendar_leaf(const sy_cond *c)
{
    return c->kind == SY_COND_LASTS ||
           (c->kind == SY_COND_TEST &&
            (c->portion || (c->agg && (c->agg->kind == SY_AGG_HOURLY_MEAN ||
                                       c->agg->kind == SY_AGG_DAILY_MEAN))));
}

bool naive_calendar_kind(const sy_cond *c)
{
    bool any = calendar_leaf(c);
    for (size_t k = 0; k < c->n_kids; k++) {
        any = any || naive_calendar_kind(c->kids[k]);
    }
    return any;
}

/* The window of `length` (an hour or a day) that closes at g: its start, or NEVER. */
static int window_start(const world *w, sy_ms length, int g)
{
    const sy_zone *z = naive_premises(w)->zone;
    sy_ms t = naive_time(w, g);
    if (length == hour) {
        return (t + sy_zone_offset(z, t)) % hour == 0 ? naive_tick_of(w, t - hour) : NEVER;
    }
    int64_t d = sy_zone_day(z, t - 1);
    return sy_zone_day(z, t) != d ? naive_tick_of(w, sy_zone_midnight(z, d)) : NEVER;
}

static bool judged(const world *w, int start, int g)
{
    return start != NEVER && start >= w->force_from && g <= w->to;
}

static int lower_level(const world *w, sy_alert_level level)
{
    for (int l = 0; l < (int)w->rule->n_alerts; l++) {
        if (w->rule->alerts[l].level == level) {
            return l;
        }
    }
    fail_msg("%s", "no such level");
    return 0;
}

/* The length of the windows of a tree; 0: none. */
static sy_ms window_length(const world *w, const sy_cond *c)
{
    sy_ms best = 0;
    if (c->kind == SY_COND_LASTS) {
        return window_length(w, w->rule->alerts[lower_level(w, c->level)].when);
    }
    if (calendar_leaf(c)) {
        return c->agg && c->agg->kind == SY_AGG_HOURLY_MEAN ? hour : day;
    }
    for (size_t k = 0; k < c->n_kids; k++) {
        sy_ms x = window_length(w, c->kids[k]);
        best = x > best ? x : best;
    }
    return best;
}

static double hourly(const world *w, const sy_agg *a, double percent, int start)
{
    static naive_list l;
    const sy_name *during = naive_during(w);
    int p = naive_point_of(w, &a->of), end = start + (int)(hour / w->c->tick);
    int ticks = during ? naive_inside_ticks(w, during, start, end) : end - start;
    sy_ms every = point(w, p)->every, expected = every ? ticks * w->c->tick / every : 0;
    naive_take(w, a, during, p, start, end, &l);
    return expected > 0 && l.n > 0 && l.n * 100.0 >= percent * (double)expected ? naive_mean(&l)
                                                                                : NAN;
}

static double daily(const world *w, const sy_agg *a, double percent, int start, int g)
{
    static naive_list l;
    int step = (int)(hour / w->c->tick), hours = (g - start) / step;
    l.n = 0;
    for (int h = start; h < g; h += step) {
        double x = hourly(w, a, 75, h);
        if (!isnan(x)) {
            l.x[l.n++] = x;
        }
    }
    return l.n > 0 && l.n * 100.0 >= percent * hours ? naive_mean(&l) : NAN;
}

static int mean_closes(const world *w, const sy_cond *c, int start, int g)
{
    const sy_agg *a = c->agg;
    double percent = a->valid ? naive_num(w, a->valid, start)->value : 75;
    naive_quantity q = {0, naive_unit(w, naive_point_of(w, &a->of)), PLAIN};
    q.x = a->kind == SY_AGG_HOURLY_MEAN ? hourly(w, a, percent, start)
                                        : daily(w, a, percent, start, g);
    return naive_compare(w, c, q, start, 0);
}

/* A condition at an event: members are those of its very instant. */
static int at_event(const world *w, const sy_cond *c, int g, int limits)
{
    int yes = 0, no = 0, n = 0;
    if (c->kind == SY_COND_NOT) {
        return 2 - at_event(w, c->kids[0], g, limits);
    }
    if (c->kind == SY_COND_AND || c->kind == SY_COND_OR) {
        for (size_t k = 0; k < c->n_kids; k++, n++) {
            int x = at_event(w, c->kids[k], g, limits);
            yes += x == T;
            no += x == F;
        }
        int need = c->kind == SY_COND_OR ? 1 : n;
        return yes >= need ? T : n - no < need ? F : U;
    }
    assert_true(c->kind == SY_COND_TEST);
    if (c->let) {
        return naive_compare(w, c, naive_let_at(w, c->let, g, true), limits, 0);
    }
    int p = naive_point_of(w, &c->operand);
    if (c->op == SY_OP_IS) {
        int s = naive_state_at(w, p, g);
        return s < 0 ? U : s == c->state ? T : F;
    }
    return naive_compare(w, c, (naive_quantity){w->d[p][g], naive_unit(w, p), PLAIN}, limits, 0);
}

static int portion_closes(const world *w, const sy_cond *c, int start, int g)
{
    const sy_portion *s = c->portion;
    const sy_cond *counts = NULL;
    const sy_name *during = naive_during(w);
    int counted = 0, bad = 0;
    for (size_t k = 0; k < w->rule->n_counts; k++) {
        if (w->rule->counts[k].event.word == s->event.word) {
            counts = w->rule->counts[k].when;
        }
    }
    for (int e = start < 0 ? 0 : start; e < g; e++) {
        for (int p = 0; p < n_points(w); p++) {
            if (!naive_named(w, p, &s->event) || isnan(w->d[p][e]) ||
                (during && !naive_inside(w, during, e))) {
                continue;
            }
            int in = counts ? at_event(w, counts, e, start) : T;
            int x = at_event(w, c, e, start);
            if (in == T && x != U) {
                counted++;
                bad += x == T;
            }
        }
    }
    int least = s->counted && s->counted->value > 1 ? (int)s->counted->value : 1;
    if (counted < least) {
        return U;
    }
    const sy_num *limit = naive_num(w, &s->share, start);
    double share = (double)bad / counted;
    share = limit->unit ? sy_unit_convert(share, sy_unit_by_id("ratio"), limit->unit) : share;
    bool same = naive_close_to(share, limit->value);
    return s->op == SY_OP_ABOVE ? (share > limit->value && !same ? T : F)
                                : (share >= limit->value || same ? T : F);
}

/* The run of true closes of the lower level that ends at g: its length and where it began. */
static int run_of(const world *w, int lower, sy_ms length, int g, int *start)
{
    int n = 0, unknown = 0, from = NEVER;
    for (int k = 1; k <= g; k++) {
        int begin = window_start(w, length, k);
        if (begin == NEVER) {
            continue;
        }
        int x = w->verdict[lower][k];
        if (x == T) {
            from = n == 0 ? begin : from;
            n++;
            unknown = 0;
        } else if (x == F || ++unknown == 2) {
            n = unknown = 0;
        }
    }
    *start = from;
    return n;
}

static int lasts_closes(const world *w, const sy_cond *c, int g)
{
    int lower = lower_level(w, c->level), start;
    sy_ms length = window_length(w, w->rule->alerts[lower].when);
    if (window_start(w, length, g) == NEVER) {
        return U;
    }
    int x = w->verdict[lower][g];
    int need = (int)(naive_ms(w, &c->length, g) / (double)length + 0.5);
    int n = run_of(w, lower, length, g, &start);
    return x == T ? (n >= need ? T : F) : x == F ? F : U;
}

int naive_close(world *w, const sy_cond *c, int g)
{
    if (c->kind == SY_COND_LASTS) {
        return lasts_closes(w, c, g);
    }
    int start = window_start(w, window_length(w, c), g);
    if (!judged(w, start, g)) {
        return U;
    }
    return c->portion ? portion_closes(w, c, start, g) : mean_closes(w, c, start, g);
}

bool naive_closes(const world *w, const sy_cond *c, int g, int *start)
{
    bool any = false;
    if (c->kind == SY_COND_LASTS) {
        int lower = lower_level(w, c->level), first;
        sy_ms length = window_length(w, w->rule->alerts[lower].when);
        int own = window_start(w, length, g);
        if (!judged(w, own, g)) {
            return false;
        }
        first = run_of(w, lower, length, g, &first) > 0 ? first : own;
        *start = first < *start ? first : *start;
        return true;
    }
    if (calendar_leaf(c)) {
        int s = window_start(w, window_length(w, c), g);
        if (!judged(w, s, g)) {
            return false;
        }
        *start = s < *start ? s : *start;
        return true;
    }
    for (size_t k = 0; k < c->n_kids; k++) {
        any = naive_closes(w, c->kids[k], g, start) || any;
    }
    return any;
}

void naive_verdicts(world *w, int g)
{
    for (int l = 0; l <= (int)w->rule->n_alerts; l++) {
        bool clear = l == (int)w->rule->n_alerts;
        const sy_cond *c = clear ? w->rule->clear : w->rule->alerts[l].when;
        int slot = clear ? LEVELS : l, start = g;
        w->verdict[slot][g] = -1;
        w->level = clear ? -1 : l;
        if (c && naive_calendar_kind(c) && naive_closes(w, c, g, &start)) {
            w->verdict[slot][g] = (signed char)naive_value(w, c, g, CLOSE);
        }
    }
}
