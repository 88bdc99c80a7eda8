/*
 * A scenario's box: its small site, shared by the files of scenarios.
 */
#ifndef SY_SCENARIO_INT_H
#define SY_SCENARIO_INT_H

#include "rules/judge_core.h"
#include "rules/scenario.h"

typedef struct box {
    const sy_scenario *s;
    const sy_zone *zone;
    sy_arena *arena;
    sy_judge *j;
    int64_t day1;
    sy_ms start, last;
    sy_site site;
    sy_site_point *points;
    sy_site_premises premises;
    sy_site_place place;
    size_t fed;
    bool too_many;
} box;

/* The site that a scenario means: one premises with its tiers, calendars and dates, one place, a
 * point of each name that the rule watches and of each member of an event. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_scenario__site(box *b);
uint32_t sy_scenario__point(const box *b, const sy_word *w); /* UINT32_MAX: none */

#endif
