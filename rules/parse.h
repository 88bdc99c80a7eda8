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
    SY_C_ALERT,
    SY_C_CLEAR,
    SY_C_TELL,
    SY_C_SAY,
    SY_C_KINDS
} sy_clause;
typedef struct sy_clause_ref {
    sy_clause kind;
    uint32_t index; /* of the bases, sets, alerts, tells */
    sy_pos pos;
} sy_clause_ref;

typedef struct sy_list { /* growing array in the arena; items move when it grows */
    void *v;
    size_t n, cap;
} sy_list;

typedef struct sy_local { /* a name that the rule declares */
    bool later;           /* by let or set … from: refused already, no further errors about it */
    sy_setdef *set;
} sy_local;

/* A rule while it is made: the tree, its clauses in source order, its own names. */
typedef struct sy_draft {
    sy_rule rule;
    sy_pos watch_pos;
    sy_list order; /* of sy_clause_ref */
    sy_list bases, alerts, tells;
    sy_span names[SY_MAX_LOCALS];
    sy_local locals[SY_MAX_LOCALS];
    size_t n_locals, n_sets;
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
    sy_draft *draft;             /* the rule that is read; NULL in a scenario */
    sy_list *drafts, *scenarios; /* of sy_draft * and sy_scenario * */
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
/* "'…' is not judged yet": en and zh are the phrase. Returns false. */
bool sy_p_later(sy_parser *p, sy_pos pos, const char *en, const char *zh);
void *sy_p_get(sy_parser *p, size_t size); /* zeroed, or NULL with nomem */
/* A new zeroed item at the end of a list, or NULL with nomem. */
void *sy_p_add(sy_parser *p, sy_list *l, size_t item);
bool sy_p_level(sy_parser *p, sy_alert_level *out); /* passes a level if it is there */

/* parse_value.c */
bool sy_p_text(sy_parser *p, sy_text *out);
bool sy_p_name(sy_parser *p, sy_name *out, const char *en, const char *zh);
bool sy_p_names(sy_parser *p, const sy_name **out, size_t *n, const char *en, const char *zh);
bool sy_p_count(sy_parser *p, const sy_num **out); /* a bare number */
bool sy_p_literal(sy_parser *p, const sy_num **out);
bool sy_p_value(sy_parser *p, sy_value *out);
/* "value to value": unit and mark of the second serve both. */
bool sy_p_range(sy_parser *p, sy_value *a, sy_value *b);
bool sy_p_marks(sy_parser *p, sy_num *n); /* an optional mark */
bool sy_p_date(sy_parser *p, sy_date *out);

/* parse_clause.c: the clause at the token; its keyword is still to be passed. */
bool sy_p_clause(sy_parser *p);

/* parse_cond.c */
sy_cond *sy_p_cond(sy_parser *p);
bool sy_p_hold(sy_parser *p, sy_cond *c);

/* parse_later.c: what is recognised and refused. */
bool sy_p_later_clause(sy_parser *p);
/* An aggregate before or after a name, and what may follow it. *aggregate: one was seen. */
bool sy_p_later_aggregate(sy_parser *p, bool *aggregate);
/* A phrase that is not judged yet, if one stands here: reported. */
bool sy_p_later_phrase(sy_parser *p);
bool sy_p_later_after_test(sy_parser *p);
sy_local *sy_p_declare(sy_parser *p, sy_span *name);

/* parse_scenario.c */
bool sy_p_scenario(sy_parser *p);

#endif
