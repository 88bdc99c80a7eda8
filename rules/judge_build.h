/*
 * Compiling a rule for one instance: what the files that do it share. Each function does nothing
 * once b->err or b->why is set.
 */
#ifndef SY_JUDGE_BUILD_H
#define SY_JUDGE_BUILD_H

#include "rules/judge_bind.h"
#include "rules/judge_term.h"

enum { WORDS_MAX = 60000, NODES_MAX = 60000 };

typedef struct build {
    sy_judge *j;
    inst *i;
    const sy_site_tier *tiers;
    size_t n_tiers;
    const char *why; /* not watched, because */
    sy_err err;
    node *nodes;
    size_t n, cap;
    uint16_t *kids;
    size_t n_kids, cap_kids;
    int16_t level;
    sy_ms longest; /* hold inside the condition */
    sample *samples;
    size_t n_samples, cap_samples;
    term *terms;
    size_t n_terms, cap_terms;
    window *windows;
    size_t n_windows, cap_windows;
    uint16_t *let_terms; /* by order of the let: its term, UINT16_MAX: none yet */
} build;

static inline bool going(const build *b)
{
    return !b->err && !b->why;
}

/* judge_compile.c */
const sy_num *sy_judge__num(const build *b, const sy_value *v);
sy_ms sy_judge__length(const build *b, const sy_value *v);
/* Not watched, for a reason that is put together. */
void sy_judge__refuse(build *b, const char *a, const char *name, const char *c);
uint16_t sy_judge__node(build *b, node n);
uint32_t sy_judge__kids(build *b, const uint16_t *kids, size_t n);
bool sy_judge__is_word(const build *b, uint32_t slot, const sy_word *w);
/* The rule's missing-after, else three expected intervals of the point; 0: neither. */
sy_ms sy_judge__missing(const build *b, uint32_t slot);
/* The one slot that a name alone means: the driver, or the only point of that name at the place. */
uint16_t sy_judge__slot(build *b, const sy_word *w);

/* judge_derive.c: a comparison of a let, of an aggregate, or with a let; slot of a plain operand */
uint16_t sy_judge__derived_node(build *b, const sy_cond *c, uint16_t slot);
/* A sample over these slots, complete but for what its kind needs. */
uint16_t sy_judge__sample_node(build *b, const sample *s, const uint16_t *slots);

#endif
