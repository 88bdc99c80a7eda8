/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking conditions as a whole: holds, calendar windows, levels, sequences, curves.
 */
#include "rules/check.h"

static const sy_span none = {NULL, 0};

static const sy_cond *level_of(const sy_checker *c, sy_alert_level level)
{
    const sy_rule *r = &c->draft->rule;
    for (size_t i = 0; i < r->n_alerts; i++)
        if (r->alerts[i].level == level)
            return r->alerts[i].when;
    return NULL;
}

static unsigned own_windows(const sy_cond *t)
{
    unsigned w = t->portion ? SY_DAYS : 0;
    if (t->agg && t->agg->kind == SY_AGG_HOURLY_MEAN)
        w |= SY_HOURS;
    if (t->agg && t->agg->kind == SY_AGG_DAILY_MEAN)
        w |= SY_DAYS;
    return w;
}

unsigned sy_c_windows(const sy_checker *c, const sy_cond *cond)
{
    unsigned w = cond->kind == SY_COND_TEST    ? own_windows(cond)
                 : cond->kind == SY_COND_LASTS ? c->windows[cond->level]
                                               : 0;
    for (size_t i = 0; i < cond->n_kids; i++)
        w |= sy_c_windows(c, cond->kids[i]);
    return w;
}

void sy_c_find_windows(sy_checker *c)
{
    memset(c->windows, 0, sizeof c->windows);
    for (sy_alert_level l = SY_NOTICE; l <= SY_MAJOR; l++) {
        const sy_cond *cond = level_of(c, l);
        unsigned w = cond ? sy_c_windows(c, cond) : 0;
        c->windows[l] = w;
    }
}

static bool silent(const sy_cond *cond)
{
    bool any = cond->kind == SY_COND_TEST && cond->op == SY_OP_NO_DATA;
    for (size_t i = 0; i < cond->n_kids; i++)
        any |= silent(cond->kids[i]);
    return any;
}

static void readings(sy_checker *c, const sy_cond *cond)
{
    const sy_hold *h = &cond->hold;
    bool plain = cond->kind == SY_COND_TEST && sy_c_compares(cond->op) && !cond->agg &&
                 !cond->let && !cond->portion && cond->pick == SY_PICK_ONE;
    if (!plain)
        (void)sy_c_fail(c, "bad-hold", h->pos,
                        "'in 3 of 5 readings' takes the comparison of one quantity itself",
                        "“达到3/5次读数”只用于一个量本身的比较");
    else if (h->n > h->of || h->of < 2)
        (void)sy_c_fail(c, "bad-hold", h->pos,
                        "of how many readings: 2 at least, and no fewer "
                        "than must satisfy it",
                        "读数总次数至少为2，且不少于应满足的次数");
}

static void hold(sy_checker *c, const sy_cond *cond)
{
    const sy_hold *h = &cond->hold;
    if (h->kind == SY_HOLD_NONE)
        return;
    if (sy_c_windows(c, cond)) {
        (void)sy_c_fail(c, "calendar-hold", h->pos,
                        "an hourly or daily window is judged once, at its close: it has no 'for'",
                        "小时或日时段在结束时判定一次：不能再写持续时间");
        return;
    }
    if (h->kind == SY_HOLD_READINGS) {
        readings(c, cond);
        return;
    }
    sy_check_duration(c, &h->length);
    if (h->kind != SY_HOLD_CUMULATIVE)
        return;
    sy_check_duration(c, &h->window);
    if (silent(cond))
        (void)sy_c_fail(c, "bad-hold", h->pos, "'has no data' takes 'for', not 'cumulative'",
                        "“无数据”只能用“持续”，不能用“累计”");
    else if (sy_c_ms(&h->window) > 0 && sy_c_ms(&h->length) > sy_c_ms(&h->window))
        (void)sy_c_fail(c, "reversed", h->pos, "the window is shorter than the time to be reached",
                        "时段短于须累计的时间");
}

/* LEVEL lasts D: N closes of one kind of window. */
static void lasts(sy_checker *c, const sy_cond *cond)
{
    const sy_cond *lower = level_of(c, cond->level);
    sy_check_duration(c, &cond->length);
    if (!lower && c->draft->broken)
        return;
    if (c->level == 0 || cond->level >= c->level || !lower) {
        (void)sy_c_fail(c, "bad-level", cond->pos,
                        "'lasts' names a lower level of this rule, in an alert",
                        "“连续”须在报警条件中，且指本规则的较低级别");
        return;
    }
    unsigned w = lower->kind == SY_COND_LASTS ? 0 : sy_c_windows(c, lower);
    double length = w == SY_HOURS ? 3600000.0 : 86400000.0;
    if (w != SY_HOURS && w != SY_DAYS) {
        (void)sy_c_fail(c, "bad-level", cond->pos,
                        "'lasts' takes a level that is judged by the hour or by the day, not both",
                        "“连续”只用于按小时或按日判定（不兼有二者）的级别");
        return;
    }
    for (size_t i = 0; i < sy_c_numbers(&cond->length); i++) {
        sy_value one = {.num = sy_c_number(&cond->length, i)};
        double n = sy_c_ms(&one) / length;
        if (n > 0 && n < 1e6 && (n < 1.5 || n - (double)(int64_t)n != 0))
            (void)sy_c_fail(c, "bad-duration", cond->length.pos,
                            "'lasts' takes two or more whole hours or days, as its level is judged",
                            "“连续”须为两个以上整时段（小时或日，依该级别的判定时段）");
    }
}

static void followed(sy_checker *c, const sy_cond *cond)
{
    sy_check_duration(c, &cond->length);
    if (sy_c_windows(c, cond))
        (void)sy_c_fail(
            c, "calendar-hold", cond->pos,
            "an hourly or daily window is judged once, at its close: nothing follows it",
            "小时或日时段在结束时判定一次：不能与“随后”连用");
}

static void curve(sy_checker *c, sy_cond *cond)
{
    bool plain = !cond->agg && !cond->let && cond->pick == SY_PICK_ONE;
    const sy_word *w = NULL;
    if (!plain)
        (void)sy_c_fail(c, "wrong-kind", cond->pos, "'from start of' takes one quantity itself",
                        "“自开始”只用于一个量本身");
    else
        w = sy_c_operand(c, &cond->operand, SY_KIND(SY_W_QUANTITY), false, "quantity", "量");
    cond->state = sy_c_state(c, &cond->curve_state, &cond->state_name);
    for (size_t i = 0; i < cond->n_deadlines; i++) {
        const sy_deadline *d = &cond->deadlines[i];
        sy_measure m = w ? sy_c_measure(w) : (sy_measure){none, none, NULL, 0};
        if (w)
            (void)sy_check_limit(c, &d->limit, &m);
        sy_check_duration(c, &d->within);
        if (i && sy_c_ms(&d->within) > 0 && sy_c_ms(&d->within) <= sy_c_ms(&d[-1].within))
            (void)sy_c_fail(c, "reversed", d->within.pos, "deadlines ascend", "各期限须递增");
    }
}

void sy_check_cond(sy_checker *c, const sy_cond *cond)
{
    sy_cond *made = (sy_cond *)(uintptr_t)cond; /* the arena's, still being made */
    switch (cond->kind) {
    case SY_COND_TEST:
        sy_check_test(c, made);
        break;
    case SY_COND_LASTS:
        lasts(c, cond);
        break;
    case SY_COND_FOLLOWED:
    case SY_COND_NOT_FOLLOWED:
        followed(c, cond);
        break;
    case SY_COND_CURVE:
        curve(c, made);
        break;
    case SY_COND_NOT:
    case SY_COND_AND:
    case SY_COND_OR:
        break;
    }
    for (size_t i = 0; i < cond->n_kids; i++)
        sy_check_cond(c, cond->kids[i]);
    hold(c, cond);
}
