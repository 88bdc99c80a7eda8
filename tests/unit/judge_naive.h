/*
 * A second judge, for tests: written from the sentences of the reference, tick by tick over the
 * whole set of readings, with nothing kept between calls. Slow, and structured unlike the first.
 */
#ifndef JUDGE_NAIVE_H
#define JUDGE_NAIVE_H

#include "rules/judge.h"

enum { NAIVE_POINTS = 12, NAIVE_TICKS = 3600, NAIVE_ALERTS = 1024, NAIVE_RULES = 3 };
enum { NAIVE_READINGS = 6000 };

typedef struct naive_reading {
    uint32_t point;
    int at; /* ticks since t0 */
    double value;
    sy_quality quality;
} naive_reading;

typedef struct naive_alert {
    int onset, raised, cleared; /* ticks; -1: open. onset may lie before t0 */
    sy_alert_state state;
    sy_alert_level level;
    double min, max;
    int count, counted, unknown, exempt;
    bool trial;
} naive_alert;

/* A rule in force from a tick on. The first from the start of the box. */
typedef struct naive_version {
    const sy_set *set; /* its tunings */
    const sy_rule *rule;
    int from;
} naive_version;

typedef struct naive_case {
    naive_version versions[NAIVE_RULES]; /* of one rule id, ascending by from */
    int n_versions;
    const sy_site *site;
    uint32_t driver; /* point */
    sy_ms t0, tick;  /* the box starts at t0; readings, holds, windows on whole ticks */
    const naive_reading *readings;
    size_t n;
    int now; /* readings after this are not looked at */
} naive_case;

/* The alerts of the driver's instance, in order of raising; the number of them. */
size_t naive_judge(const naive_case *c, naive_alert out[NAIVE_ALERTS]);

#endif
