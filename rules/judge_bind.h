/*
 * From rules and a site to instances: binding, compiling, and how names and texts are compared and
 * made there.
 */
#ifndef SY_JUDGE_BIND_H
#define SY_JUDGE_BIND_H

#include "rules/judge_core.h"

static inline bool same_text(const char *a, const char *b)
{
    return sy_span_eq(sy_span_of(a), sy_span_of(b));
}
/* Byte by byte, as strcmp. */
static inline int text_order(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

sy_err sy_judge__bind(sy_judge *j);
sy_err sy_judge__compile(sy_judge *j, inst *i, const sy_site_tier *tiers, size_t n_tiers,
                         const char **why);
void sy_judge__state_init(const inst *i, state *s);
sy_ms sy_judge__duration(const sy_num *n);
/* A formatted English text in the arena, or NULL; `a` may be NULL, for there was no memory. */
const char *sy_judge__text(sy_judge *j, const char *a, const char *b, const char *c);

#endif
