/*
 * The tree of a rule set: what the parser makes, the checker completes, the judge reads. Pure.
 *
 * Nodes live in the set's arena and never change after sy_set_load. Every node carries its place.
 * A name that the checker resolved points at its sy_word, sy_setdef or sy_unit; after a load
 * without errors no such pointer is NULL where the comment says "resolved".
 */
#ifndef SY_RULES_TREE_H
#define SY_RULES_TREE_H

#include "rules/tree_cond.h"

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
    sy_name during; /* a calendar: only time inside counts; text.n 0: always */
    sy_pos pos;
} sy_alert_clause;

typedef struct sy_count_clause { /* count EVENT daily only when C */
    sy_name event;
    const sy_cond *when;
    sy_pos pos;
} sy_count_clause;

typedef struct sy_escalate { /* escalate to LEVEL when this alert opens at least N times in any W */
    sy_alert_level level;
    const sy_num *times;
    sy_value window;
    const sy_value *apart; /* NULL: every opening counts */
    sy_pos pos;
} sy_escalate;

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
        sy_text clause;   /* en and zh NULL where not given */
        bool verify;      /* "clause verify": nobody has checked it against the official text */
        sy_origin origin; /* LAW or POLICY */
        sy_pos pos;
    } * bases;
    size_t n_bases;
    sy_axis subject, goods, stage;
    bool has_from, has_to;
    sy_date from, to;          /* 00:00 of the premises; `to` inclusive */
    const sy_word *watch_kind; /* place kind; NULL: "each point" */
    const sy_name *watch;      /* the first is the driver */
    size_t n_watch;
    const sy_value *missing_after; /* NULL: three expected intervals */
    sy_setdef *sets;
    size_t n_sets;
    sy_letdef *lets;
    size_t n_lets;
    const sy_count_clause *counts;
    size_t n_counts;
    const sy_alert_clause *alerts; /* ascending by level */
    size_t n_alerts;
    const sy_cond *clear;        /* NULL: the default */
    const sy_escalate *escalate; /* NULL: none */
    bool has_trial;              /* judged and recorded from … to, both inclusive; not told */
    sy_date trial_from, trial_to;
    bool accept_uncertain, over_range_above;
    const sy_tell *tells;
    size_t n_tells;
    sy_text say; /* en and zh NULL where not given */
    unsigned char judgement_hash[32], text_hash[32];
    char judgement_hex[65];
    sy_pos pos;
} sy_rule;

/* Scenarios */
typedef struct sy_when { /* [date | day N] hh:mm[:ss] */
    bool has_date;
    sy_date date;
    int32_t day; /* 1 where neither is written, after "to" that of "from" */
    bool has_day;
    sy_ms of_day; /* 0 to 24 h */
    sy_pos pos;
} sy_when;
typedef enum sy_fact_kind {
    SY_FACT_IS,
    SY_FACT_EVERY,
    SY_FACT_UNCERTAINTY,
    SY_FACT_CALENDAR, /* service-hours 08:00 to 20:00: every day */
    SY_FACT_DATE      /* calibration due 2026-05-01 */
} sy_fact_kind;
typedef struct sy_fact {
    sy_fact_kind kind;
    sy_name name; /* tier, state, quantity, calendar or date */
    int value;    /* IS */
    const sy_num *num;
    sy_ms from, to; /* CALENDAR: times of the day */
    sy_date date;   /* DATE */
    sy_pos pos;
} sy_fact;
typedef struct sy_assign { /* temperature 5.0 °C · door open · temperature has no data · refuel (…)
                            */
    sy_name name;
    bool no_data;
    int state;                       /* state names */
    const sy_num *num;               /* quantities, in the unit written */
    const struct sy_assign *members; /* an event: its members, each a quantity */
    size_t n_members;
    sy_pos pos;
} sy_assign;
typedef enum sy_step_kind {
    SY_STEP_GIVEN,
    SY_STEP_FROM,
    SY_STEP_AT,
    SY_STEP_NO_ALERT_UNTIL,
    SY_STEP_ALERT_AT,
    SY_STEP_CLEAR_AT
} sy_step_kind;
typedef struct sy_step {
    sy_step_kind kind;
    const sy_fact *facts;
    size_t n_facts;
    sy_when at, to; /* AT, NO_ALERT_UNTIL, ALERT_AT, CLEAR_AT use at */
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

typedef struct sy_tuning { /* tune RULE: NAME = literal at ID reason "…" [until DATE] */
    sy_span rule_id;
    const sy_rule *rule;  /* resolved: the rule of the set with this id, highest version */
    sy_name name;         /* text only */
    const sy_setdef *set; /* resolved; tunable, not dated */
    const sy_num *num;    /* within the bounds of every row that it replaces */
    sy_span at;           /* premises, place ("premises/place" or a place's id) or series */
    sy_text reason;
    bool has_until;
    sy_date until; /* inclusive, in the time of the premises */
    sy_pos pos;
} sy_tuning;

typedef struct sy_set {
    const sy_rule *const *rules; /* in source order */
    size_t n_rules;
    const sy_scenario *const *scenarios;
    size_t n_scenarios;
    const sy_tuning *const *tunings;
    size_t n_tunings;
    const sy_vocab *vocab;
    unsigned char hash[32]; /* over the judgement and text hashes, sorted */
} sy_set;

/* Parse and check a set of texts. All memory from `arena`; sources, vocab and arena outlive the
 * set. Every error of every file is in diags. SY_E_PARSE where there are errors (*out is NULL),
 * SY_E_NOMEM. Bounds: 1 MiB a file, nesting 32, 10,000 nodes a rule. */
SY_MUST_USE sy_err sy_set_load(const sy_source *sources, size_t n, const sy_vocab *vocab,
                               sy_arena *arena, sy_diags *diags, const sy_set **out);

/* The literal that a value stands for at a premises (its tiers decide "set … by"), of "set … from"
 * the first one; NULL for a name of let, otherwise never in a checked tree. tiers may be NULL with
 * n 0: the "otherwise" row, or the first row. */
const sy_num *sy_value_num(const sy_value *v, const sy_site_tier *tiers, size_t n);

#endif
