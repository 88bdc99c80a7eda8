/*
 * The parser's own state, shared by its files and the checker. Pure; private to the front end.
 *
 * One function a production of the grammar. A function that returns false (or NULL) has reported
 * the error or set p->nomem; the clause is dropped and reading goes on at the next one, so that all
 * errors of all files come out at once. The parser knows words, not meaning: names are resolved to
 * their words where the lexer knows them, everything else is the checker's (check.h).
 */
#ifndef SY_RULES_PARSE_H
#define SY_RULES_PARSE_H

#include "rules/lex.h"

enum { SY_MAX_NESTING = 32, SY_MAX_NODES = 10000, SY_MAX_LOCALS = 32, SY_MAX_RULES = 10000 };

typedef enum sy_clause {
    SY_C_BASIS,
    SY_C_APPLIES,
    SY_C_EFFECTIVE,
    SY_C_WATCH,
    SY_C_MISSING,
    SY_C_SET,
    SY_C_LET,
    SY_C_COUNT,
    SY_C_ALERT,
    SY_C_CLEAR,
    SY_C_ESCALATE,
    SY_C_TRIAL,
    SY_C_ACCEPT_UNCERTAIN,
    SY_C_OVER_RANGE,
    SY_C_TELL,
    SY_C_SAY,
    SY_C_KINDS
} sy_clause;
typedef struct sy_clause_ref {
    sy_clause kind;
    uint32_t index; /* of the bases, sets, lets, counts, alerts, tells */
    sy_pos pos;
} sy_clause_ref;

typedef struct sy_list { /* growing array in the arena; items move when it grows */
    void *v;
    size_t n, cap;
} sy_list;

typedef struct sy_local { /* a name that the rule declares */
    sy_setdef *set;       /* neither: its declaration had an error; no further errors about it */
    sy_letdef *let;
    bool open; /* its sum is being read */
} sy_local;

/* A rule while it is made: the tree, its clauses in source order, its own names. */
typedef struct sy_draft {
    sy_rule rule;
    sy_pos watch_pos;
    sy_list order; /* of sy_clause_ref */
    sy_list bases, counts, alerts, tells;
    sy_span names[SY_MAX_LOCALS];
    sy_local locals[SY_MAX_LOCALS];
    size_t n_locals;
    size_t nodes;
    bool broken; /* had an error */
    bool twin;   /* a translation of an earlier rule: its texts went there */
} sy_draft;

typedef struct sy_parser {
    sy_lexer lex;
    sy_token tok; /* the one that is looked at */
    size_t last;  /* the end of the one before */
    sy_arena *arena;
    sy_diags *diags;
    const sy_vocab *vocab;
    sy_draft *draft;                       /* the rule that is read; NULL in a scenario */
    sy_list *drafts, *scenarios, *tunings; /* of sy_draft *, sy_scenario *, sy_tuning * */
    int depth;
    bool nomem;
    bool stop; /* too much: what follows is not read */
} sy_parser;

/* parse.c */
void sy_parse(sy_parser *p);
void sy_p_next(sy_parser *p);
sy_pos sy_p_pos(const sy_parser *p);             /* of the token */
sy_pos sy_p_to(const sy_parser *p, sy_pos from); /* from there to before the token */
bool sy_p_kw(const sy_parser *p, sy_kw k);
bool sy_p_take(sy_parser *p, sy_kw k); /* passes it if it is there */
bool sy_p_need(sy_parser *p, sy_kw k); /* or an error */
bool sy_p_sign(const sy_parser *p, char c);
bool sy_p_take_sign(sy_parser *p, char c);
bool sy_p_need_sign(sy_parser *p, char c);
/* Report at a place; returns false. %1 and %2 stand for a and b. */
bool sy_p_fail(sy_parser *p, const char *code, sy_pos pos, const char *en, const char *zh,
               const char *near, sy_span a, sy_span b);
/* "expected …, found …" with the nearest keyword; returns false. Inside a clause that breaks off at
 * its line's end the place is that end, otherwise the token. */
bool sy_p_expected(sy_parser *p, const char *en, const char *zh);
/* The same for what should begin something: always at the token. */
bool sy_p_unexpected(sy_parser *p, const char *en, const char *zh);
/* The keyword nearest to the token's text, or NULL. */
const char *sy_p_near_keyword(sy_parser *p);
void *sy_p_get(sy_parser *p, size_t size); /* zeroed, or NULL with nomem */
/* A new zeroed item at the end of a list, or NULL with nomem. */
void *sy_p_add(sy_parser *p, sy_list *l, size_t item);
bool sy_p_level(sy_parser *p, sy_alert_level *out); /* passes a level if it is there */

/* parse_value.c */
bool sy_p_text(sy_parser *p, sy_text *out);
bool sy_p_name(sy_parser *p, sy_name *out, const char *en, const char *zh);
bool sy_p_names(sy_parser *p, const sy_name **out, size_t *n, const char *en, const char *zh);
bool sy_p_count(sy_parser *p, const sy_num **out); /* a bare number */
/* A whole number from lo to hi. */
bool sy_p_whole(sy_parser *p, uint32_t lo, uint32_t hi, uint32_t *out);
bool sy_p_amount(sy_parser *p, sy_num *n); /* [-] num [unit], no mark */
bool sy_p_literal(sy_parser *p, const sy_num **out);
bool sy_p_value(sy_parser *p, sy_value *out);
/* The same where a name of `let` may stand too. */
bool sy_p_limit(sy_parser *p, sy_value *out);
/* "limit to limit": unit and mark of the second serve both. */
bool sy_p_range(sy_parser *p, sy_value *a, sy_value *b);
/* The mark, and where `unit` the unit, of b serve a where it has none. */
bool sy_p_share_mark(sy_parser *p, sy_value *a, const sy_value *b, bool unit);
bool sy_p_marks(sy_parser *p, sy_num *n); /* an optional mark */
/* The mark after the last of `nums` (sy_num *) holds for those without one. */
void sy_p_spread_mark(const sy_list *nums);
bool sy_p_date(sy_parser *p, sy_date *out);
/* The name of the rule's own that the token is, or NULL. */
sy_local *sy_p_local(sy_parser *p);

/* parse_declare.c: names that a rule declares, and what they stand for. */
bool sy_p_set(sy_parser *p, uint32_t *index);
bool sy_p_let(sy_parser *p, uint32_t *index);

/* parse_clause.c: the clause at the token; its keyword is still to be passed. */
bool sy_p_clause(sy_parser *p);

/* parse_agg.c */
bool sy_p_is_agg(const sy_parser *p);
/* An aggregate, if one stands before or after the name; *name is filled in either case. *agg stays
 * NULL where there is none. */
bool sy_p_measured(sy_parser *p, sy_name *name, const sy_agg **agg);
/* name "is" name, or without "is" where `is` is false. */
bool sy_p_state(sy_parser *p, bool is, sy_name *state, sy_name *value);

/* parse_cond.c */
sy_cond *sy_p_cond(sy_parser *p);
/* parse_test.c: an operand and what is asked of it, its hold not included. */
bool sy_p_test(sy_parser *p, sy_cond *c);
/* "within" value, or 在…内 */
bool sy_p_in_time(sy_parser *p, sy_value *out);

/* parse_scenario.c */
bool sy_p_scenario(sy_parser *p);
bool sy_p_tuning(sy_parser *p);

#endif
