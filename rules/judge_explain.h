/*
 * Looking into a judge: what it watches. Pure; changes nothing.
 */
#ifndef SY_RULES_JUDGE_EXPLAIN_H
#define SY_RULES_JUDGE_EXPLAIN_H

#include "rules/judge.h"

/* One of sy_judge_instances(j), ordered by rule id, then point. */
typedef struct sy_instance {
    const sy_rule *rule;
    const char *subject;   /* premises/place/series */
    uint32_t place, point; /* the driver's */
    size_t n_points;       /* all that it watches, the driver's first */
} sy_instance;
sy_instance sy_judge_instance(const sy_judge *j, size_t k);
uint32_t sy_judge_instance_point(const sy_judge *j, size_t k, size_t n);

#endif
