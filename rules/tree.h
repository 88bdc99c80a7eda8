/*
 * The tree of a rule set: what the parser makes, the checker completes, the judge reads. Pure.
 *
 * Nodes live in the set's arena and never change after sy_set_load. Every node carries its place.
 * A name that the checker resolved points at its sy_word, sy_setdef or sy_unit; after a load
 * without errors no such pointer is NULL where the comment says "resolved".
 */
#ifndef SY_RULES_TREE_H
#define SY_RULES_TREE_H

#include "base/site.h"
#include "rules/vocab.h"

typedef enum sy_level_of_alert {
    SY_NOTICE = 1, SY_WARNING, SY_SERIOUS, SY_MAJOR
} sy_alert_level; /* also the order; 0 is none */
const char *sy_alert_level_text(sy_alert_level l, sy_lang lang);

typedef enum sy_origin { SY_ORIGIN_NONE, SY_ORIGIN_LAW, SY_ORIGIN_POLICY, SY_ORIGIN_TUNABLE } sy_origin;

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
    sy_span text; /* as written */
    const sy_word *word; /* resolved */
    sy_pos pos;
} sy_name;

typedef struct sy_text { /* "…" / “…” */
    const char *en, *zh; /* either may be NULL, not both */
    sy_pos pos;
} sy_text;

/* set NAME = literal, or set NAME by TIER: rows */
typedef struct sy_set_row {
    int value;       /* index into the tier's values; -1: otherwise */
    const sy_num *num;
} sy_set_row;
typedef struct sy_setdef {
    sy_span name;
    const sy_num *num;     /* plain, else NULL */
    const sy_word *tier;   /* by, else NULL; resolved */
    const sy_set_row *rows;
    size_t n_rows;
    int order;             /* @1, @2 … in the judgement hash */
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
    SY_OP_ABOVE, SY_OP_BELOW, SY_OP_AT_LEAST, SY_OP_AT_MOST, SY_OP_OUTSIDE, SY_OP_WITHIN,
    SY_OP_IS, SY_OP_NO_DATA
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
    uint32_t pick_n;  /* COUNT: "2 of" */
    sy_name operand;  /* quantity or state, resolved; one of the rule's watch names */
    sy_op op;
    sy_value a, b;    /* b: outside, within. Units convert to the operand's. */
    int state;        /* IS: number of the state's value */
    sy_name state_name;
    /* any kind: a hold on this node */
    sy_hold hold;
    sy_pos pos;
} sy_cond;

typedef struct sy_except { /* except while STATE VALUE, each at most D, daily at most N times */
    sy_name state;
    int value;
    sy_name value_name;
    sy_value each;
    const sy_num *times;
    sy_pos pos;
} sy_except;

typedef struct sy_alert_clause {
    sy_alert_level level;
    const sy_cond *when;
    const sy_except *excepts;
    size_t n_excepts;
    sy_pos pos;
} sy_alert_clause;

typedef struct sy_tell {
    sy_alert_level level; /* 0: all levels without a clause of their own */
    const sy_name *recipients;
    size_t n_recipients;
    const sy_value *respond_within; /* NULL: not stated */
    sy_pos pos;
} sy_tell;

typedef struct sy_axis { /* any: all is true; a clause that is absent is any */
    bool any;
    const sy_name *names;
    size_t n;
} sy_axis;

typedef struct sy_rule {
    const char *id;
    const sy_num *version;
    sy_text title;
    struct sy_basis {
        sy_text text;
        sy_text clause;     /* en and zh NULL where not given */
        bool verify;        /* "clause verify": nobody has checked it against the official text */
        sy_origin origin;   /* LAW or POLICY */
        sy_pos pos;
    } *bases;
    size_t n_bases;
    sy_axis subject, goods, stage;
    bool has_from, has_to;
    sy_date from, to;       /* 00:00 of the premises; `to` inclusive */
    const sy_word *watch_kind; /* place kind; NULL: "each point" */
    const sy_name *watch;   /* the first is the driver */
    size_t n_watch;
    const sy_value *missing_after; /* NULL: three expected intervals */
    sy_setdef *sets;
    size_t n_sets;
    const sy_alert_clause *alerts; /* ascending by level */
    size_t n_alerts;
    const sy_cond *clear;   /* NULL: the default */
    const sy_tell *tells;
    size_t n_tells;
    sy_text say;            /* en and zh NULL where not given */
    unsigned char judgement_hash[32], text_hash[32];
    char judgement_hex[65];
    sy_pos pos;
} sy_rule;

/* Scenarios */
typedef struct sy_when { /* [date | day N] hh:mm[:ss] */
    bool has_date;
    sy_date date;
    int32_t day;      /* 1 where neither is written */
    bool has_day;
    sy_ms of_day;     /* 0 to 24 h */
    sy_pos pos;
} sy_when;
typedef enum sy_fact_kind { SY_FACT_IS, SY_FACT_EVERY, SY_FACT_UNCERTAINTY } sy_fact_kind;
typedef struct sy_fact {
    sy_fact_kind kind;
    sy_name name;     /* tier, state or quantity */
    int value;        /* IS */
    const sy_num *num;
    sy_pos pos;
} sy_fact;
typedef struct sy_assign { /* temperature 5.0 °C · door open · temperature has no data */
    sy_name name;
    bool no_data;
    int state;        /* state names */
    const sy_num *num;/* quantities, in the unit written */
    sy_pos pos;
} sy_assign;
typedef enum sy_step_kind {
    SY_STEP_GIVEN, SY_STEP_FROM, SY_STEP_AT, SY_STEP_NO_ALERT_UNTIL, SY_STEP_ALERT_AT,
    SY_STEP_CLEAR_AT
} sy_step_kind;
typedef struct sy_step {
    sy_step_kind kind;
    const sy_fact *facts;
    size_t n_facts;
    sy_when at, to;   /* AT, NO_ALERT_UNTIL, ALERT_AT, CLEAR_AT use at */
    const sy_num *every;
    const sy_assign *assigns;
    size_t n_assigns;
    sy_alert_level level;
    sy_pos pos;
} sy_step;
typedef struct sy_scenario {
    sy_text title;
    sy_span rule_id;
    const sy_rule *rule; /* resolved */
    const sy_step *steps;
    size_t n_steps;
    sy_pos pos;
} sy_scenario;

typedef struct sy_set {
    const sy_rule *const *rules; /* in source order */
    size_t n_rules;
    const sy_scenario *const *scenarios;
    size_t n_scenarios;
    const sy_vocab *vocab;
    unsigned char hash[32]; /* over the judgement and text hashes, sorted */
} sy_set;

/* Parse and check a set of texts. All memory from `arena`; sources, vocab and arena outlive the
 * set. Every error of every file is in diags. SY_E_PARSE where there are errors (*out is NULL),
 * SY_E_NOMEM. A phrase of the language that is not judged yet is an error that names it
 * (code "not-yet"). Bounds: 1 MiB a file, nesting 32, 10,000 nodes a rule. */
SY_MUST_USE sy_err sy_set_load(const sy_source *sources, size_t n, const sy_vocab *vocab,
                               sy_arena *arena, sy_diags *diags, const sy_set **out);

/* The literal that a value stands for at a premises (its tiers decide "set … by"); never NULL for
 * a checked tree. tiers may be NULL with n 0: the "otherwise" row, or the first row. */
const sy_num *sy_value_num(const sy_value *v, const sy_site_tier *tiers, size_t n);

#endif
