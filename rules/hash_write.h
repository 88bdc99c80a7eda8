/*
 * Writing the canonical text of a rule into its hash. Pure; private to hash.c and hash_cond.c.
 */
#ifndef SY_RULES_HASH_WRITE_H
#define SY_RULES_HASH_WRITE_H

#include "base/hash.h"
#include "rules/tree.h"

typedef struct sy_hash_writer {
    sy_sha256 sha;
} sy_hash_writer;

void sy_w(sy_hash_writer *w, const char *text);
void sy_w_int(sy_hash_writer *w, int64_t v);
void sy_w_amount(sy_hash_writer *w, const sy_num *n); /* number and unit, no mark */
void sy_w_num(sy_hash_writer *w, const sy_num *n);
void sy_w_value(sy_hash_writer *w, const sy_value *v); /* nothing for an absent one */
void sy_w_names(sy_hash_writer *w, const sy_name *names, size_t n);
void sy_w_sum(sy_hash_writer *w, const sy_expr *e);
void sy_w_cond(sy_hash_writer *w, const sy_cond *c);

#endif
