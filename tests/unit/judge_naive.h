/*
 * A second judge, for tests: written from the sentences of the reference, second by second over the
 * whole set of readings, with nothing kept between calls. Slow, and structured unlike the first.
 */
#ifndef JUDGE_NAIVE_H
#define JUDGE_NAIVE_H

#include "rules/judge.h"

enum { NAIVE_POINTS = 8, NAIVE_SECONDS = 2400, NAIVE_ALERTS = 512 };

typedef struct naive_reading {
    uint32_t point;
    int at; /* seconds since t0 */
    double value;
    sy_quality quality;
} naive_reading;

typedef struct naive_alert {
    int onset, raised, cleared; /* -1: open */
    sy_alert_state state;
    sy_alert_level level;
    double min, max;
    int count, counted, unknown, exempt;
} naive_alert;

typedef struct naive_case {
    const sy_rule *rule;
    const sy_site *site; /* one place; units as the rule's; no tiers; zone UTC */
    uint32_t driver;     /* point */
    sy_ms t0;            /* the box starts here; readings and holds on whole seconds */
    const naive_reading *readings;
    size_t n;
    int now; /* readings after this are not looked at */
} naive_case;

/* The alerts of the driver's instance, in order of raising; the number of them. */
size_t naive_judge(const naive_case *c, naive_alert out[NAIVE_ALERTS]);

#endif
