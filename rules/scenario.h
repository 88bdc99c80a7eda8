/*
 * Scenarios: run the judge on the readings that a scenario makes and compare. Pure.
 *
 * The judge is the same as live (C3). Ruling 17 says what a scenario's box is.
 */
#ifndef SY_RULES_SCENARIO_H
#define SY_RULES_SCENARIO_H

#include "rules/judge.h"

typedef struct sy_scenario_event {
    sy_ms at;
    bool clear; /* else: alert */
    sy_alert_level level;
} sy_scenario_event;

typedef struct sy_scenario_result {
    const sy_scenario *scenario;
    bool passed;
    const sy_step *failed_step;      /* NULL: an alert that nobody expected */
    const char *en, *zh;             /* the sentence; NULL where it passed */
    const sy_scenario_event *events; /* what happened, in order */
    size_t n_events;
} sy_scenario_result;

/* Run one scenario. Results live in the arena. zone: NULL is UTC; callers pass Asia/Shanghai unless
 * the premises say otherwise. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_scenario_run(const sy_scenario *s, const sy_set *set, const sy_zone *zone,
                                   sy_alloc alloc, sy_arena *arena, sy_scenario_result *out);

#endif
