/*
 * Sites made for rules, and readings made for their points, for benchmarks and comparisons: each
 * rule has a premises of its own that it applies to, with so many places, each with one point of
 * every name that the rule watches. Values wander around the rule's own limits. Needs nothing but
 * the C library. Not for tests of meaning: nobody says what the alerts should be.
 */
#ifndef SY_RULE_SITE_H
#define SY_RULE_SITE_H

#include "rules/judge.h"

typedef struct rule_site {
    sy_arena arena;
    sy_vocab vocab;
    const sy_set *set;
    const sy_zone *zone; /* Asia/Shanghai */
    sy_site site;
    const sy_word **words; /* of the points */
    double *centre, *at;
    uint64_t seed;
} rule_site;

/* Load rule files; errors are printed. */
SY_MUST_USE sy_err rule_site_load(rule_site *w, char **paths, size_t n);
/* A site for these rules of the set, `copies` places each. SY_E_NOMEM. */
SY_MUST_USE sy_err rule_site_make(rule_site *w, const sy_rule *const *rules, size_t n,
                                  size_t copies);
uint64_t rule_site_draw(rule_site *w);
double rule_site_value(rule_site *w, size_t point); /* the next value of a point */
bool rule_site_is_event(const rule_site *w, size_t point);

#endif
