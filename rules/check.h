/*
 * The checker: meaning. It completes what the parser made (values of states, resolved rules) and
 * reports what a rule or scenario gets wrong beyond its form. Pure; private to the front end.
 */
#ifndef SY_RULES_CHECK_H
#define SY_RULES_CHECK_H

#include "rules/parse.h"

typedef struct sy_checker {
    sy_diags *diags;
    sy_arena *arena;
    const sy_vocab *vocab;
    const sy_draft *draft; /* the rule under check; NULL in a scenario */
} sy_checker;

void sy_check_rule(sy_checker *c, sy_draft *d);
void sy_check_scenario(sy_checker *c, sy_scenario *s, sy_draft *const *drafts, size_t n);
/* Warnings that need the whole set. */
void sy_check_cover(sy_checker *c, const sy_draft *d, sy_scenario *const *scenarios, size_t n);

/* check_cond.c */
void sy_check_cond(sy_checker *c, const sy_cond *cond, bool alert);
void sy_check_duration(sy_checker *c, const sy_value *v);
void sy_check_duration_num(sy_checker *c, const sy_num *n, sy_pos pos);
/* The unit of a number for a quantity. */
bool sy_check_unit(sy_checker *c, const sy_num *n, const sy_word *quantity, sy_pos pos);
/* A mark [tunable a to b]: a <= value <= b, units that fit. */
void sy_check_tunable(sy_checker *c, const sy_num *n);

void sy_c_say(sy_checker *c, sy_severity s, const char *code, sy_pos pos, const char *en,
              const char *zh, const char *near, sy_span a, sy_span b);
/* Kinds of words as a set. */
#define SY_KIND(k) (1u << (k))
/* The name's word if it has one of the kinds; else an error: unknown, or of another kind. en and zh
 * say what was expected. */
const sy_word *sy_c_word(sy_checker *c, const sy_name *name, unsigned kinds, const char *en,
                         const char *zh);
/* The value of a state, or -1 with an error. */
int sy_c_state_value(sy_checker *c, const sy_word *state, const sy_name *value);
bool sy_c_watched(const sy_rule *r, const sy_word *w);

#endif
