/*
 * Mutants: a rule with one step of its judgement changed, to see whether its scenarios notice.
 * Pure.
 *
 * A mutant is made in the text, at a token, and loaded again: what the parser can read can be
 * changed. Changed are the clauses that are judged (missing after, set, let, count, alert, clear,
 * escalate):
 *   - each number by one step of its last written digit, up and down (the bounds of a tunable one
 *     aside), and the date of a dated limit by a day;
 *   - comparisons, and and or, any of and all of, followed by and not followed by, hourly and daily
 *     mean, highest and lowest, levels, values of states, neighbouring rows of a table of tiers;
 *   - dropped: not, a hold, an exemption, during, beyond doubt, while others move.
 * What no scenario can tell is left alone: the dates in force (day 1 of a scenario is the first of
 * them), the grades of quality, whom to tell.
 */
#ifndef SY_RULES_MUTATE_H
#define SY_RULES_MUTATE_H

#include "rules/scenario.h"

typedef struct sy_mutant_edit { /* bytes [at, at + n) of the source become `text` */
    uint32_t at, n;
    const char *text;
} sy_mutant_edit;
typedef struct sy_mutant {
    sy_pos pos;      /* what is changed, in the source of the rule */
    const char *was; /* as written */
    const char *is;  /* instead; "" where it is dropped */
    sy_mutant_edit e[2];
    size_t n_e; /* ascending, apart from each other */
} sy_mutant;
typedef struct sy_mutants {
    const sy_set *set;
    const sy_rule *rule;
    sy_span text; /* of the rule, from its id to its end; bounds of tuning blanked */
    uint32_t at;  /* where that begins in the source */
    const sy_mutant *v;
    size_t n;
} sy_mutants;

/* All mutants of a rule of the set, in the order of its text; memory from the arena. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_mutants_of(const sy_set *set, const sy_rule *rule, sy_arena *arena,
                                 sy_mutants *out);

typedef enum sy_mutant_fate {
    SY_MUTANT_CAUGHT,   /* a scenario fails */
    SY_MUTANT_SURVIVES, /* all pass */
    SY_MUTANT_REFUSED   /* the language does not allow it: a hold of 0, a limit out of order … */
} sy_mutant_fate;
typedef struct sy_mutant_result {
    sy_mutant_fate fate;
    const sy_scenario *by; /* CAUGHT: the scenario that failed first */
    const char *code;      /* REFUSED: of the first error, a constant */
} sy_mutant_result;

/* Run the rule's scenarios on one mutant, `first` (or NULL) before the others. zone as for
 * sy_scenario_run. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_mutant_try(const sy_mutants *m, const sy_mutant *mutant, const sy_zone *zone,
                                 const sy_scenario *first, sy_alloc alloc, sy_mutant_result *out);

#endif
