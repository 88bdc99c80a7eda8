/*
 * The maker of mutants, between its two files: the tokens of a rule, and the list that grows.
 */
#ifndef SY_RULES_MUTATE_INT_H
#define SY_RULES_MUTATE_INT_H

#include "rules/lex.h"
#include "rules/mutate.h"

typedef struct sy_mutate {
    sy_arena *arena;
    sy_norm norm;
    sy_lexicon lexicon;
    sy_token *t; /* from the id to `end`, then one of kind END */
    size_t n;
    char *text;     /* the rule's bytes, to be blanked where tuning is bounded */
    uint32_t begin; /* offset of text in the source */
    sy_mutant *v;
    size_t n_v, cap_v;
    bool nomem;
} sy_mutate;

/* mutate_steps.c: every mutant of the tokens, into v. */
void sy_mutate__steps(sy_mutate *m);

#endif
