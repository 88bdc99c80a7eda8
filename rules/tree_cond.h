/*
 * Conditions, as nodes of the tree. Pure. See rules/tree.h.
 */
#ifndef SY_RULES_TREE_COND_H
#define SY_RULES_TREE_COND_H

#include "rules/tree_expr.h"

typedef enum sy_hold_kind {
    SY_HOLD_NONE,
    SY_HOLD_FOR,
    SY_HOLD_CUMULATIVE,
    SY_HOLD_READINGS /* in N of M readings; of a TEST of one quantity only */
} sy_hold_kind;
typedef struct sy_hold {
    sy_hold_kind kind;
    sy_value length, window; /* window: cumulative only */
    uint32_t n, of;          /* READINGS: of at most 64 */
    sy_pos pos;
} sy_hold;

typedef enum sy_cond_kind {
    SY_COND_TEST,
    SY_COND_NOT,
    SY_COND_AND,
    SY_COND_OR,
    SY_COND_LASTS,        /* LEVEL lasts D: of a lower level of the rule */
    SY_COND_FOLLOWED,     /* A followed by B within D */
    SY_COND_NOT_FOLLOWED, /* A not followed by B within D */
    SY_COND_CURVE         /* X from start of STATE VALUE: at most V within D, … : is late */
} sy_cond_kind;
typedef struct sy_deadline { /* of a CURVE */
    sy_op op;                /* AT_MOST, BELOW, AT_LEAST, ABOVE */
    sy_value limit, within;  /* within: ascending */
} sy_deadline;
typedef struct sy_cond {
    sy_cond_kind kind;
    /* NOT: 1; AND, OR: 2 or more; FOLLOWED: A, B; parentheses leave no node */
    const struct sy_cond *const *kids;
    size_t n_kids;
    /* TEST, and the operand of CURVE: exactly one of operand, agg, let */
    sy_pick pick;
    uint32_t pick_n;             /* COUNT: "2 of" */
    sy_name operand;             /* quantity, state or date, resolved; of the rule's watch names */
    const sy_agg *agg;           /* else NULL */
    const struct sy_letdef *let; /* else NULL */
    sy_op op;
    bool beyond_doubt;
    bool others_move; /* STUCK */
    sy_value a, b;    /* b: outside, within, exposure. Units convert to the operand's. */
    sy_value window;  /* exposure */
    int state;        /* IS: number of the state's value; CURVE: of its state */
    sy_name state_name;
    const sy_portion *portion; /* else NULL */
    sy_alert_level level;      /* LASTS */
    sy_value length;           /* LASTS, FOLLOWED, NOT_FOLLOWED: the time */
    sy_name curve_state;       /* CURVE */
    const sy_deadline *deadlines;
    size_t n_deadlines;
    /* any kind: a hold on this node */
    sy_hold hold;
    sy_pos pos;
} sy_cond;

#endif
