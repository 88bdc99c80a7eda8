/*
 * Compiling a rule's conditions for one instance: what is under way, and what the files that make
 * kinds of nodes share.
 */
#ifndef SY_JUDGE_BUILD_H
#define SY_JUDGE_BUILD_H

#include "rules/judge_bind.h"
#include "rules/judge_close.h"

enum { WORDS_MAX = 60000, NODES_MAX = 60000 };

enum { SHARES_MAX = 16 };
typedef struct share_of { /* its conditions are compiled behind the levels */
    uint16_t closing;
    const sy_cond *cond;
} share_of;

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
    const sy_cond *cond; /* that nodes are being made of */
    sy_ms longest;       /* hold inside the condition */
    sample *samples;
    size_t n_samples, cap_samples;
    term *terms;
    size_t n_terms, cap_terms;
    window *windows;
    size_t n_windows, cap_windows;
    uint16_t *let_terms; /* of each let its term; UINT16_MAX: none yet */
    closing *closings;
    size_t n_closings, cap_closings;
    share_of shares[SHARES_MAX];
    size_t n_shares;
    bool in_let;    /* `during` does not act there */
    uint16_t event; /* slot of the event whose conditions are compiled; UINT16_MAX: none */
    vary *varies;
    size_t n_varies, cap_varies;
    sy_ms *horizons; /* of the cumulative holds: their windows */
    size_t cap_horizons;
} build;

static inline bool going(const build *b)
{
    return !b->err && !b->why;
}

/* Not watched, for a reason that is put together. */
void sy_judge__refuse(build *b, const char *a, const char *name, const char *c);
/* Its number, or 0 with b->why or b->err set. */
uint16_t sy_judge__add_node(build *b, node n);
/* The place of the first of them in the kids. */
uint32_t sy_judge__add_kids(build *b, const uint16_t *kids, size_t n);
/* The point of the slot has this quantity or state. */
bool sy_judge__is_word(const build *b, uint32_t slot, const sy_word *w);
/* A length; one that changes by date is refused (judge_value.h for one that may). */
sy_ms sy_judge__length_of(build *b, const sy_value *v);
/* The unit into which a reading of the node's point is converted for this limit; NULL: none. */
const sy_unit *sy_judge__into(build *b, const node *n, const sy_num *limit);
/* The rule's missing-after, else three expected intervals of the point; 0: neither. */
sy_ms sy_judge__missing(build *b, uint32_t slot);
/* The one slot that a name alone means: the driver, or the only point of that name at the place. */
uint16_t sy_judge__slot(build *b, const sy_word *w);

uint16_t sy_judge__cond_node(build *b, const sy_cond *c);
/* The point of the slot is on the device of the event that is being compiled. */
bool sy_judge__on_device(const build *b, uint16_t slot);

/* judge_layout.c: of the state; what moves the instance. */
void sy_judge__layout(build *b);
void sy_judge__figure_out(build *b);

/* judge_close_build.c: leaves of calendar windows, and what they need once all levels are there. */
bool sy_judge__is_close(const sy_cond *c);
uint16_t sy_judge__close_node(build *b, const sy_cond *c);
void sy_judge__closes_build(build *b);

/* judge_derive.c: which readings an aggregate takes; how many of them make it known. */
void sy_judge__filter(build *b, const sy_agg *a, window *w);
/* judge_derive.c: a comparison of a let, of an aggregate, or with a let; slot of a plain operand */
uint16_t sy_judge__derived_node(build *b, const sy_cond *c, uint16_t slot);
/* judge_phrase_build.c: stuck and exposure of a slot; a date; deadlines; what follows what. */
uint16_t sy_judge__phrase_leaf(build *b, const sy_cond *c, uint16_t slot);
uint16_t sy_judge__due_node(build *b, const sy_cond *c);
uint16_t sy_judge__curve_node(build *b, const sy_cond *c);
uint16_t sy_judge__follow_node(build *b, const sy_cond *c, const uint16_t kids[2]);
/* A sample over these slots, complete but for what its kind needs. */
uint16_t sy_judge__sample_node(build *b, const sample *s, const uint16_t *slots);

#endif
