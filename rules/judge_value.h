/*
 * What a value of the tree stands for at an instance: the literal of its tier, of its date, or of a
 * local tuning.
 */
#ifndef SY_JUDGE_VALUE_H
#define SY_JUDGE_VALUE_H

#include "rules/judge_build.h"

/* In force each from its time on; the first from SY_MS_NONE. */
typedef struct value_row {
    sy_ms from;
    const sy_num *num;
} value_row;
typedef struct value_rows {
    const value_row *v;
    uint32_t n; /* 0: no memory, b->err says so */
    value_row one;
} value_rows;

void sy_judge__values(build *b, const sy_value *v, value_rows *out);
/* The one number; where it changes by date the rule is not watched, since it stands where it can
 * not change. */
const sy_num *sy_judge__num(build *b, const sy_value *v);
/* Limits of a comparison of the node's point, the guard band of "beyond doubt" added. */
void sy_judge__limits(build *b, const sy_cond *c, node *n);
/* The limit in force at t. */
static inline double limit_at(const dated *d, uint32_t n, sy_ms t)
{
    uint32_t k = n - 1;
    while (k > 0 && d[k].from > t) {
        k--;
    }
    return d[k].v;
}

/* A length that is in force by date: which field of the instance, and its values. */
typedef enum vary_what { V_NODE, V_HOLD, V_CLEAR } vary_what;
/* The length for the field; kept in b->i where it changes by date. */
sy_ms sy_judge__varying(build *b, const sy_value *v, vary_what what, uint32_t index);
/* The lengths in force at t; nothing to do where none change. */
void sy_judge__lengths_at(inst *i, sy_ms t);

#endif
