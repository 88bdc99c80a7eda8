/*
 * What a judge tells of an instance, as text or JSON: the writers behind `rules explain`.
 */
#ifndef SY_CLI_RULES_EXPLAIN_H
#define SY_CLI_RULES_EXPLAIN_H

#include "cli/rules_rows.h"
#include "rules/judge_explain.h"

typedef struct sy_explain_out {
    const sy_rows *rows; /* readings with their quality, whatever the judge took of them */
    const sy_site *site;
    const sy_vocab *vocab;
    sy_instance of;
    sy_ms at;
    sy_lang lang;
    sy_buf *out;
    int depth; /* JSON: objects that are open */
    bool more; /* JSON: a comma comes before the next object at this depth */
} sy_explain_out;

/* Both are sy_told_fn with a sy_explain_out. */
void sy_explain_text(void *ctx, const sy_told *t);
void sy_explain_json(void *ctx, const sy_told *t);
/* After the last one of an instance. */
void sy_explain_json_end(sy_explain_out *x);

/* Shared by both: the text of the rule that a condition stands in, blanks drawn together. */
void sy_explain_source(sy_buf *out, sy_pos pos);
/* A reading in the point's unit, or the state's word. */
void sy_explain_value(const sy_explain_out *x, uint32_t point, double v);
/* The latest row of a point up to the instant, or NULL. */
const sy_row *sy_explain_row(const sy_explain_out *x, uint32_t point);
/* A limit or length of the rule as it holds here: number, unit, origin, and its name. */
void sy_explain_limit(const sy_explain_out *x, const sy_value *v);

#endif
