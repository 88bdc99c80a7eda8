/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario is a small site with one place, a list of readings, and what must come of them.
 *
 * The judge is told everything and then the time of the last expectation: what it makes of a set of
 * readings does not depend on how they came. What happened is read from what it has judged.
 */
#include "rules/scenario.h"

#include "rules/judge_alert.h"
#include "rules/judge_bind.h"
#include "rules/scenario_int.h"

enum { READINGS_MAX = 1000000 };
#define DEFAULT_DAY ((sy_date){2026, 1, 1})

static sy_ms instant(const box *b, const sy_when *w, int64_t day)
{
    if (w->has_date) {
        day = sy_days_of(w->date);
    } else if (w->has_day) {
        day = b->day1 + w->day - 1;
    }
    sy_ms local = day * DAY_MS + w->of_day;
    sy_ms t = local - sy_zone_offset(b->zone, local);
    return local - sy_zone_offset(b->zone, t);
}

/* `to` without a date is on the day of `from`. */
static sy_ms end_of(const box *b, const sy_step *s)
{
    int64_t day = b->day1;
    if (s->at.has_date) {
        day = sy_days_of(s->at.date);
    } else if (s->at.has_day) {
        day = b->day1 + s->at.day - 1;
    }
    return instant(b, &s->to, day);
}

static bool expects(const sy_step *s)
{
    return s->kind == SY_STEP_NO_ALERT_UNTIL || s->kind == SY_STEP_ALERT_AT ||
           s->kind == SY_STEP_CLEAR_AT;
}

static void find_bounds(box *b)
{
    sy_ms data = SY_MS_NONE;
    b->start = SY_MS_MAX;
    b->last = SY_MS_NONE;
    for (size_t k = 0; k < b->s->n_steps; k++) {
        const sy_step *s = &b->s->steps[k];
        sy_ms t = s->kind == SY_STEP_GIVEN ? 0 : instant(b, &s->at, b->day1);
        if (expects(s)) {
            b->last = later(b->last, t);
        } else if (s->kind != SY_STEP_GIVEN) {
            b->start = sooner(b->start, t);
            data = later(data, s->kind == SY_STEP_FROM ? end_of(b, s) : t);
        }
    }
    if (b->start == SY_MS_MAX) {
        b->start = instant(b, &(sy_when){.day = 1}, b->day1);
    }
    if (b->last == SY_MS_NONE) {
        b->last = later(data, b->start);
    }
}

static sy_err feed(box *b, const sy_word *w, sy_ms t, double v)
{
    sy_verdict verdict;
    uint32_t p = sy_scenario__point(b, w);
    if (p == UINT32_MAX || t > b->last || b->too_many) {
        return SY_OK;
    }
    if (++b->fed > READINGS_MAX) {
        b->too_many = true;
        return SY_OK;
    }
    return sy_judge_reading(b->j, p, t, v, SY_Q_GOOD, &verdict);
}

/* "temperature has no data" removes the reading of that time. */
static bool removed(const box *b, const sy_word *w, sy_ms t)
{
    for (size_t k = 0; k < b->s->n_steps; k++) {
        const sy_step *s = &b->s->steps[k];
        for (size_t q = 0; q < s->n_assigns; q++) {
            if (!s->assigns[q].no_data || s->assigns[q].name.word != w) {
                continue;
            }
            sy_ms from = instant(b, &s->at, b->day1);
            if (s->kind == SY_STEP_AT ? t == from
                                      : t >= from && t <= end_of(b, s) &&
                                            (t - from) % sy_judge__duration(s->every) == 0) {
                return true;
            }
        }
    }
    return false;
}

static double number_of(const sy_assign *a)
{
    const sy_unit *to = a->name.word->unit;
    return to && a->num->unit && a->num->unit != to
               ? sy_unit_convert(a->num->value, a->num->unit, to)
               : a->num->value;
}

/* Its members first: the event is there once they are. */
static sy_err feed_event(box *b, const sy_assign *a, sy_ms t)
{
    sy_err e = SY_OK;
    for (size_t k = 0; k < a->n_members && !e; k++) {
        e = feed(b, a->members[k].name.word, t, number_of(&a->members[k]));
    }
    return e ? e : feed(b, a->name.word, t, 1);
}

static sy_err feed_step(box *b, const sy_step *s)
{
    sy_ms from = instant(b, &s->at, b->day1);
    sy_ms to = s->kind == SY_STEP_FROM ? end_of(b, s) : from;
    sy_ms every = s->kind == SY_STEP_FROM ? sy_judge__duration(s->every) : 1;
    for (sy_ms t = from; t <= to && t <= b->last && !b->too_many; t += later(every, 1)) {
        for (size_t q = 0; q < s->n_assigns; q++) {
            const sy_assign *a = &s->assigns[q];
            if (a->no_data || removed(b, a->name.word, t)) {
                continue;
            }
            sy_err e = a->n_members
                           ? feed_event(b, a, t)
                           : feed(b, a->name.word, t, a->num ? number_of(a) : (double)a->state);
            if (e) {
                return e;
            }
        }
    }
    return SY_OK;
}

static sy_err feed_all(box *b)
{
    for (size_t k = 0; k < b->s->n_steps; k++) {
        const sy_step *s = &b->s->steps[k];
        sy_err e = SY_OK;
        for (size_t q = 0; s->kind == SY_STEP_GIVEN && q < s->n_facts && !e; q++) {
            const sy_fact *f = &s->facts[q];
            if (f->kind == SY_FACT_IS && f->name.word->kind == SY_W_STATE) {
                e = feed(b, f->name.word, b->start, (double)f->value);
            }
        }
        if (!e && (s->kind == SY_STEP_FROM || s->kind == SY_STEP_AT)) {
            e = feed_step(b, s);
        }
        if (e) {
            return e;
        }
    }
    return SY_OK;
}

static sy_err run_box(box *b)
{
    sy_err e = feed_all(b);
    e = e ? e : sy_judge_advance(b->j, b->last);
    return e ? e : sy_judge_finish(b->j);
}

/* What happened up to the last expectation, in order. */
static sy_err events_of(box *b, sy_scenario_result *out)
{
    size_t n = 0;
    sy_scenario_event *v = NULL;
    for (int pass = 0; pass < 2; pass++) {
        n = 0;
        for (size_t k = 0; k < b->j->n_insts; k++) {
            const inst *i = &b->j->insts[k];
            for (size_t q = 0; q < i->n_recs; q++) {
                const outcome *o = &i->recs[q].work;
                if (!i->recs[q].has_work) {
                    continue;
                }
                for (int l = 0; l < LEVELS; l++) {
                    if (o->level_at[l] != SY_MS_NONE) {
                        if (v) {
                            v[n] =
                                (sy_scenario_event){o->level_at[l], false, (sy_alert_level)(l + 1)};
                        }
                        n++;
                    }
                }
                if (o->cleared != SY_MS_NONE) {
                    if (v) {
                        v[n] = (sy_scenario_event){o->cleared, true, sy_judge__highest(o)};
                    }
                    n++;
                }
            }
        }
        v = v ? v : sy_arena_get(b->arena, (n + 1) * sizeof *v);
        if (!v) {
            return SY_E_NOMEM;
        }
    }
    for (size_t k = 1; k < n; k++) { /* nearly in order already */
        sy_scenario_event x = v[k];
        size_t at = k;
        for (; at > 0 && v[at - 1].at > x.at; at--) {
            v[at] = v[at - 1];
        }
        v[at] = x;
    }
    out->events = v;
    out->n_events = n;
    return SY_OK;
}

static void fail(sy_scenario_result *out, const sy_step *step, const char *en, const char *zh)
{
    out->passed = false;
    out->failed_step = step;
    out->en = en;
    out->zh = zh;
}

static bool happened(const sy_scenario_result *r, const sy_step *s, sy_ms at)
{
    for (size_t k = 0; k < r->n_events; k++) {
        const sy_scenario_event *e = &r->events[k];
        if (e->at == at && e->clear == (s->kind == SY_STEP_CLEAR_AT) &&
            (e->clear || e->level == s->level)) {
            return true;
        }
    }
    return false;
}

static bool expected(const box *b, const sy_scenario_event *e)
{
    for (size_t k = 0; k < b->s->n_steps; k++) {
        const sy_step *s = &b->s->steps[k];
        if (s->kind == SY_STEP_ALERT_AT && s->level == e->level &&
            instant(b, &s->at, b->day1) == e->at) {
            return true;
        }
    }
    return false;
}

/* The quiet time that an alert nobody expected breaks, if one was asked for. */
static const sy_step *quiet_at(const box *b, sy_ms at)
{
    for (size_t k = 0; k < b->s->n_steps; k++) {
        const sy_step *s = &b->s->steps[k];
        if (s->kind == SY_STEP_NO_ALERT_UNTIL && at <= instant(b, &s->at, b->day1)) {
            return s;
        }
    }
    return NULL;
}

static void compare(const box *b, sy_scenario_result *out)
{
    out->passed = true;
    for (size_t k = 0; k < out->n_events; k++) {
        const sy_scenario_event *e = &out->events[k];
        if (!e->clear && !expected(b, e)) {
            fail(out, quiet_at(b, e->at), "an alert that is not expected", "出现了未预期的报警");
            return;
        }
    }
    for (size_t k = 0; k < b->s->n_steps; k++) {
        const sy_step *s = &b->s->steps[k];
        if (s->kind == SY_STEP_ALERT_AT && !happened(out, s, instant(b, &s->at, b->day1))) {
            fail(out, s, "the expected alert is not raised at that time",
                 "预期的报警未在该时刻发生");
            return;
        }
        if (s->kind == SY_STEP_CLEAR_AT && !happened(out, s, instant(b, &s->at, b->day1))) {
            fail(out, s, "the alert is not cleared at that time", "报警未在该时刻解除");
            return;
        }
    }
}

sy_err sy_scenario_run(const sy_scenario *s, const sy_set *set, const sy_zone *zone, sy_alloc alloc,
                       sy_arena *arena, sy_scenario_result *out)
{
    const sy_rule *const rules[1] = {s->rule};
    sy_set one = *set;
    one.rules = rules;
    one.n_rules = 1;
    box b = {.s = s, .zone = zone, .arena = arena};
    b.day1 = sy_days_of(s->rule->has_from ? s->rule->from : DEFAULT_DAY);
    *out = (sy_scenario_result){.scenario = s};
    find_bounds(&b);
    sy_err e = sy_scenario__site(&b);
    sy_judge_options o = {
        .set = &one, .site = &b.site, .start = b.start, .in_force = SY_MS_NONE, .alloc = alloc};
    e = e ? e : sy_judge_open(&b.j, &o);
    e = e ? e : run_box(&b);
    e = e ? e : events_of(&b, out);
    if (!e && b.too_many) {
        fail(out, NULL, "the scenario makes more than a million readings",
             "情景产生的读数超过一百万");
    } else if (!e && b.j->n_insts == 0) {
        fail(out, NULL, b.j->n_unwatched ? b.j->unwatched[0].why : "the rule watches nothing here",
             "规则在此情景中没有监测对象");
        out->en = b.j->n_unwatched ? sy_arena_text(arena, sy_span_of(out->en)) : out->en;
    } else if (!e) {
        compare(&b, out);
    }
    sy_judge_close(b.j);
    return e;
}
