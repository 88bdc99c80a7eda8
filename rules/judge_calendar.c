/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calendars: spans of local days, looked up around an instant and remembered, since the next
 * question is nearly always about the same stretch.
 */
#include "rules/judge_calendar.h"

#include "rules/judge_state.h"

enum { AHEAD_DAYS = 8, YEARS_TEN = 3660 };

sy_ms sy_judge__local(const sy_zone *z, sy_ms local)
{
    sy_ms t = local - sy_zone_offset(z, local);
    return local - sy_zone_offset(z, t);
}

bool sy_judge__cal_init(calendar *c, const sy_site_premises *p, const char *name)
{
    for (size_t k = 0; k < p->n_calendars; k++) {
        if (sy_span_eq(sy_span_of(p->calendars[k].name), sy_span_of(name))) {
            *c = (calendar){.c = &p->calendars[k], .p = p, .lo = SY_MS_MAX};
            return true;
        }
    }
    return false;
}

/* The bit of the weekday that a local day is taken for. */
static unsigned weekday(const calendar *c, int64_t day)
{
    for (size_t k = 0; k < c->p->n_swaps; k++) {
        if (c->p->swaps[k].day == day) {
            return c->p->swaps[k].as;
        }
    }
    return 1u << ((day % 7 + 10) % 7); /* 1970-01-01 is a Thursday, bit 3 */
}

/* The spans that begin on the day: t inside one makes it inside, up to *hi; else *hi is the
 * beginning of the next. */
static void look_at_day(const calendar *c, int64_t day, sy_ms t, bool *inside, sy_ms *hi)
{
    unsigned bit = weekday(c, day);
    for (size_t k = 0; k < c->c->n_spans; k++) {
        const sy_site_span *s = &c->c->spans[k];
        if (!(s->days & bit)) {
            continue;
        }
        sy_ms from = sy_judge__local(c->p->zone, day * DAY_MS + s->from);
        sy_ms to = sy_judge__local(c->p->zone, day * DAY_MS + s->to);
        if (from <= t && t < to) {
            *hi = *inside ? later(*hi, to) : to;
            *inside = true;
        } else if (!*inside && from > t && from < to) {
            *hi = sooner(*hi, from);
        }
    }
}

static void find(calendar *c, sy_ms t)
{
    int64_t day = sy_zone_day(c->p->zone, t);
    bool inside = false;
    sy_ms hi = sy_zone_midnight(c->p->zone, day + AHEAD_DAYS);
    for (int64_t d = day - 2; d <= day + 1; d++) {
        look_at_day(c, d, t, &inside, &hi);
    }
    sy_ms horizon = sy_zone_midnight(c->p->zone, day + 1);
    for (int64_t d = day + 2; !inside && hi > horizon && d < day + AHEAD_DAYS; d++) {
        look_at_day(c, d, t, &inside, &hi);
    }
    c->lo = t;
    c->hi = hi;
    c->inside = inside;
}

bool sy_judge__cal_inside(calendar *c, sy_ms t)
{
    if (t < c->lo || t >= c->hi) {
        find(c, t);
    }
    return c->inside;
}

sy_ms sy_judge__cal_next(calendar *c, sy_ms t)
{
    if (t < c->lo || t >= c->hi) {
        find(c, t);
    }
    return c->hi;
}

sy_ms sy_judge__cal_time(calendar *c, sy_ms from, sy_ms to)
{
    sy_ms sum = 0;
    while (from < to) {
        bool in = sy_judge__cal_inside(c, from);
        sy_ms next = sooner(c->hi, to);
        sum += in ? next - from : 0;
        from = next;
    }
    return sum;
}

sy_ms sy_judge__cal_reach(calendar *c, sy_ms from, sy_ms length)
{
    sy_ms end = from + (sy_ms)YEARS_TEN * DAY_MS;
    while (length > 0) {
        if (from >= end) {
            return SY_MS_MAX;
        }
        bool in = sy_judge__cal_inside(c, from);
        sy_ms next = c->hi;
        if (in && next - from >= length) {
            return from + length;
        }
        length -= in ? next - from : 0;
        from = next;
    }
    return from;
}
