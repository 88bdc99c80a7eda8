/*
 * The two hashes of a rule (rules-language, principle 2). Pure; private to the front end.
 */
#ifndef SY_RULES_HASH_H
#define SY_RULES_HASH_H

#include "rules/parse.h"

/* Fill in judgement_hash and judgement_hex of a checked rule, its alerts still in source order. */
void sy_hash_judgement(sy_draft *d);
/* Fill in text_hash. */
void sy_hash_texts(sy_rule *r);
/* The hash of a set over its rules' hashes, sorted; false: out of memory. */
bool sy_hash_set(sy_set *s, sy_arena *arena);

#endif
