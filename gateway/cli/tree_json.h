/*
 * The tree of a rule set as JSON (docs/rules-tree.schema.json). Every member is always there, null
 * where the text says nothing; names are ids of the vocabulary, numbers exact decimals.
 */
#ifndef SY_CLI_TREE_JSON_H
#define SY_CLI_TREE_JSON_H

#include "base/os.h"
#include "rules/tree.h"

/* JSON as it is written; commas are put where they belong. */
typedef struct sy_tree_out {
    sy_buf *out;
    bool more; /* a comma comes before the next value */
} sy_tree_out;

void sy_tree_open(sy_tree_out *w, char bracket);
void sy_tree_close(sy_tree_out *w, char bracket);
void sy_tree_key(sy_tree_out *w, const char *key);
void sy_tree_span(sy_tree_out *w, sy_span text);    /* null where text.p is NULL */
void sy_tree_string(sy_tree_out *w, const char *s); /* null where it is NULL */
void sy_tree_bool(sy_tree_out *w, bool b);
void sy_tree_int(sy_tree_out *w, int64_t v);

/* Small nodes. */
void sy_tree_text(sy_tree_out *w, const sy_text *t);
void sy_tree_name(sy_tree_out *w, const sy_name *n);
void sy_tree_names(sy_tree_out *w, const sy_name *v, size_t n);
void sy_tree_date(sy_tree_out *w, bool there, sy_date d);
void sy_tree_num(sy_tree_out *w, const sy_num *n);     /* null where it is NULL */
void sy_tree_value(sy_tree_out *w, const sy_value *v); /* null where it is NULL or empty */
void sy_tree_agg(sy_tree_out *w, const sy_agg *a);
void sy_tree_sum(sy_tree_out *w, const sy_expr *e);
const char *sy_tree_level(sy_alert_level l); /* NULL: none */
const char *sy_tree_op(sy_op op);
/* The member "place" of a node. */
void sy_tree_place(sy_tree_out *w, sy_pos pos);

/* tree_cond.c; null where it is NULL */
void sy_tree_cond(sy_tree_out *w, const sy_cond *c);
/* tree_scenario.c */
void sy_tree_scenario(sy_tree_out *w, const sy_scenario *s);
void sy_tree_tuning(sy_tree_out *w, const sy_tuning *t);
/* tree_rule.c */
void sy_tree_rule(sy_tree_out *w, const sy_rule *r);

#endif
