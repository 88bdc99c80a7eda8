/*
 * The small nodes of the tree: numbers, names, texts, values, aggregates, sums. Pure. See
 * rules/tree.h.
 */
#ifndef SY_RULES_TREE_EXPR_H
#define SY_RULES_TREE_EXPR_H

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
    const sy_unit *time; /* "K/h", "°C·min": the unit of time, else NULL */
    int time_power;      /* -1: per time, 1: times time, 0: none */
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

/* set NAME = literal, set NAME by TIER: rows, or set NAME from DATE literal; from … */
typedef struct sy_set_row {
    int value; /* index into the tier's values; -1: otherwise */
    const sy_num *num;
} sy_set_row;
typedef struct sy_set_date {
    sy_date from; /* 00:00 of the premises; ascending. Before the first one: that one */
    const sy_num *num;
} sy_set_date;
typedef struct sy_setdef {
    sy_span name;
    const sy_num *num;   /* plain, else NULL */
    const sy_word *tier; /* by, else NULL; resolved */
    const sy_set_row *rows;
    size_t n_rows;
    const sy_set_date *dates; /* from, else NULL */
    size_t n_dates;
    int order; /* @1, @2 … in the judgement hash */
    bool used;
    sy_pos pos;
} sy_setdef;

/* A value: a literal, a name of set, or (as a limit only) a name of let. Exactly one is not NULL.
 */
typedef struct sy_value {
    const sy_num *num;
    const sy_setdef *set;
    const struct sy_letdef *let;
    sy_pos pos;
} sy_value;

/* An aggregate of a quantity: over time, over a calendar window, or over the points of the place.
 */
typedef enum sy_agg_kind {
    SY_AGG_MEAN,
    SY_AGG_HOURLY_MEAN, /* calendar windows */
    SY_AGG_DAILY_MEAN,
    SY_AGG_KINETIC, /* mean kinetic temperature; in the unit of the quantity */
    SY_AGG_HIGHEST,
    SY_AGG_LOWEST,
    SY_AGG_SPREAD, /* a difference: of °C in K */
    SY_AGG_RATE,   /* a difference per time */
    SY_AGG_TOTAL,
    SY_AGG_SOUND_LEVEL, /* 10 lg mean 10^(L/10) */
    SY_AGG_PERCENTILE,
    SY_AGG_MEDIAN
} sy_agg_kind;
typedef struct sy_agg {
    sy_agg_kind kind;
    const sy_num *rank;   /* PERCENTILE: 1 to 99, no unit */
    sy_name of;           /* a quantity of the watch list */
    const sy_value *over; /* NULL: calendar kinds, or across the points of the place */
    sy_name while_state;  /* only readings at which the state was known so; text.n 0: all */
    int while_value;      /* number of the state's value */
    sy_name while_name;
    const sy_value
        *valid; /* at least that part of the expected readings (daily: hours); NULL: 75 % */
    sy_pos pos;
} sy_agg;

/* Sums: what let gives a name to. */
typedef enum sy_expr_kind {
    SY_EXPR_VALUE,    /* a literal or a name of set */
    SY_EXPR_QUANTITY, /* a quantity of the watch list, or a member of a watched event */
    SY_EXPR_LET,      /* an earlier let */
    SY_EXPR_AGG,      /* not of a calendar window */
    SY_EXPR_TABLE,    /* table of NAME (x y; x y …), linear between, the end values beyond */
    SY_EXPR_ADD,
    SY_EXPR_SUB,
    SY_EXPR_MUL,
    SY_EXPR_DIV
} sy_expr_kind;
typedef struct sy_table_row {
    const sy_num *x, *y; /* x ascending */
} sy_table_row;
typedef struct sy_expr {
    sy_expr_kind kind;
    const struct sy_expr *a, *b; /* ADD SUB MUL DIV */
    sy_value value;              /* VALUE */
    sy_name name;                /* QUANTITY; TABLE: its x */
    const struct sy_letdef *let; /* LET */
    const sy_agg *agg;           /* AGG */
    const sy_table_row *rows;    /* TABLE */
    size_t n_rows;
    const sy_unit *unit; /* of the result; NULL: none. Children convert to it for ADD and SUB */
    sy_pos pos;
} sy_expr;
typedef struct sy_letdef {
    sy_span name;
    const sy_expr *sum;
    int order; /* @1, @2 … among the names of set and let */
    bool used;
    sy_pos pos;
} sy_letdef;

typedef enum sy_op {
    SY_OP_ABOVE,
    SY_OP_BELOW,
    SY_OP_AT_LEAST,
    SY_OP_AT_MOST,
    SY_OP_OUTSIDE,
    SY_OP_WITHIN,
    SY_OP_IS,
    SY_OP_NO_DATA,
    SY_OP_STUCK,          /* stuck for D [while others move]: a is D */
    SY_OP_EXPOSURE_ABOVE, /* exposure above a more than b in any window */
    SY_OP_EXPOSURE_BELOW,
    SY_OP_DUE_WITHIN, /* a date word: due within a */
    SY_OP_OVERDUE
} sy_op;

/* T, share of EVENT above 25 % [, counted at least 4]: judged at the close of each day. */
typedef struct sy_portion {
    sy_name event; /* of the watch list, with a `count` clause */
    sy_op op;      /* ABOVE or AT_LEAST */
    sy_value share;
    const sy_num *counted; /* NULL: 1 */
    sy_pos pos;
} sy_portion;

typedef enum sy_pick { SY_PICK_ONE, SY_PICK_ANY, SY_PICK_ALL, SY_PICK_COUNT } sy_pick;

#endif
