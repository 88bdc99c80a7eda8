/*
 * The small nodes of the tree: numbers, names, texts, values, conditions. Pure. See rules/tree.h.
 */
#ifndef SY_RULES_TREE_COND_H
#define SY_RULES_TREE_COND_H

#include "base/site.h"
#include "rules/vocab.h"

typedef enum sy_level_of_alert {
    SY_NOTICE = 1,
    SY_WARNING,
    SY_SERIOUS,
    SY_MAJOR
} sy_alert_level; /* also the order; 0 is none */
const char *sy_alert_level_text(sy_alert_level l, sy_lang lang);

typedef enum sy_origin {
    SY_ORIGIN_NONE,
    SY_ORIGIN_LAW,
    SY_ORIGIN_POLICY,
    SY_ORIGIN_TUNABLE
} sy_origin;

/* An exact decimal mant * 10^exp10 without trailing zeros in mant, in `unit`; `value` is the
 * nearest double. At most 15 significant digits. */
typedef struct sy_num {
    int64_t mant;
    int32_t exp10;
    double value;
    const sy_unit *unit; /* NULL: none written */
    sy_origin origin;    /* NONE only where the text has no mark; means policy */
    const struct sy_num *tune_lo, *tune_hi;
    sy_pos pos;
} sy_num;

typedef struct sy_name {
    sy_span text;        /* as written */
    const sy_word *word; /* resolved */
    sy_pos pos;
} sy_name;

typedef struct sy_text { /* "…" / “…” */
    const char *en, *zh; /* either may be NULL, not both */
    sy_pos pos;
} sy_text;

/* set NAME = literal, or set NAME by TIER: rows */
typedef struct sy_set_row {
    int value; /* index into the tier's values; -1: otherwise */
    const sy_num *num;
} sy_set_row;
typedef struct sy_setdef {
    sy_span name;
    const sy_num *num;   /* plain, else NULL */
    const sy_word *tier; /* by, else NULL; resolved */
    const sy_set_row *rows;
    size_t n_rows;
    int order; /* @1, @2 … in the judgement hash */
    bool used;
    sy_pos pos;
} sy_setdef;

/* A value: a literal, or a name of set. Exactly one is not NULL. */
typedef struct sy_value {
    const sy_num *num;
    const sy_setdef *set;
    sy_pos pos;
} sy_value;

typedef enum sy_pick { SY_PICK_ONE, SY_PICK_ANY, SY_PICK_ALL, SY_PICK_COUNT } sy_pick;
typedef enum sy_op {
    SY_OP_ABOVE,
    SY_OP_BELOW,
    SY_OP_AT_LEAST,
    SY_OP_AT_MOST,
    SY_OP_OUTSIDE,
    SY_OP_WITHIN,
    SY_OP_IS,
    SY_OP_NO_DATA
} sy_op;
typedef enum sy_hold_kind { SY_HOLD_NONE, SY_HOLD_FOR, SY_HOLD_CUMULATIVE } sy_hold_kind;
typedef struct sy_hold {
    sy_hold_kind kind;
    sy_value length, window; /* window: cumulative only */
    sy_pos pos;
} sy_hold;

typedef enum sy_cond_kind { SY_COND_TEST, SY_COND_NOT, SY_COND_AND, SY_COND_OR } sy_cond_kind;
typedef struct sy_cond {
    sy_cond_kind kind;
    const struct sy_cond *const *kids; /* NOT: 1; AND, OR: 2 or more; parentheses leave no node */
    size_t n_kids;
    /* TEST */
    sy_pick pick;
    uint32_t pick_n; /* COUNT: "2 of" */
    sy_name operand; /* quantity or state, resolved; one of the rule's watch names */
    sy_op op;
    sy_value a, b; /* b: outside, within. Units convert to the operand's. */
    int state;     /* IS: number of the state's value */
    sy_name state_name;
    /* any kind: a hold on this node */
    sy_hold hold;
    sy_pos pos;
} sy_cond;

#endif
