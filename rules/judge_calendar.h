/*
 * A calendar of the premises over event time: which instants lie inside.
 *
 * Hours are local wall-clock time of the day on which a span begins; a span may end on the next
 * day. A day that is swapped is taken as another weekday, or as none. The cache alone changes; what
 * is answered depends on the calendar and the arguments.
 */
#ifndef SY_JUDGE_CALENDAR_H
#define SY_JUDGE_CALENDAR_H

#include "base/site.h"

typedef struct calendar {
    const sy_site_calendar *c;
    const sy_site_premises *p;
    sy_ms lo, hi; /* cache: so in [lo, hi) */
    bool inside;
} calendar;

/* False where the premises has no calendar of that name (vocabulary id). */
bool sy_judge__cal_init(calendar *c, const sy_site_premises *p, const char *name);
bool sy_judge__cal_inside(calendar *c, sy_ms t);
/* An instant after t up to which it is as at t; at most about a week on. */
sy_ms sy_judge__cal_next(calendar *c, sy_ms t);
/* The time inside of [from, to). */
sy_ms sy_judge__cal_time(calendar *c, sy_ms from, sy_ms to);
/* The first instant t >= from with `length` inside of [from, t); SY_MS_MAX: not within ten years.
 */
sy_ms sy_judge__cal_reach(calendar *c, sy_ms from, sy_ms length);
/* The instant of a local wall-clock time (ms since 1970-01-01 00:00 local). */
sy_ms sy_judge__local(const sy_zone *z, sy_ms local);

#endif
