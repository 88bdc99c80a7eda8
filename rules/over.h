/*
 * A set in which some texts take the place of others: what an authority orders, over what a
 * deployer wrote. Pure; as sy_set_load.
 */
#ifndef SY_RULES_OVER_H
#define SY_RULES_OVER_H

#include "rules/tree.h"

/* Texts from n_base on take the place of what stands before: a rule there whose id they have is not
 * loaded, in any version, nor are its scenarios; tunings stay. */
typedef struct sy_set_texts {
    const sy_source *v;
    size_t n, n_base;
} sy_set_texts;
SY_MUST_USE sy_err sy_set_load_over(const sy_set_texts *texts, const sy_vocab *vocab,
                                    sy_arena *arena, sy_diags *diags, const sy_set **out);

#endif
