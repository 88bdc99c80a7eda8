/*
 * Diagnostics: what is wrong with a text, where, and what to do. Pure.
 *
 * All errors of a set are reported at once. A message exists in English and Chinese; the caller
 * chooses at printing.
 */
#ifndef SY_RULES_DIAG_H
#define SY_RULES_DIAG_H

#include "base/alloc.h"
#include "base/buf.h"

typedef enum sy_lang { SY_EN, SY_ZH } sy_lang;
typedef enum sy_severity { SY_DIAG_ERROR, SY_DIAG_WARNING, SY_DIAG_NOTE } sy_severity;

/* A source text, UTF-8, borrowed for as long as the tree made from it lives. */
typedef struct sy_source {
    const char *name; /* as shown to people */
    sy_span text;
} sy_source;

/* A place in a source: byte offset and length of what is meant. */
typedef struct sy_pos {
    const sy_source *source; /* NULL: the whole set */
    uint32_t at, len;
} sy_pos;

typedef struct sy_diag {
    sy_severity severity;
    const char *code; /* stable, for --json: "unknown-name", "unit-mismatch", "not-yet" … */
    sy_pos pos;
    const char *en, *zh; /* the sentence */
    const char *near;    /* the nearest known word, or NULL */
} sy_diag;

typedef struct sy_diags {
    sy_arena *arena;
    sy_diag *v;
    size_t n, cap;
    size_t errors;
    bool failed; /* memory ran out while reporting; counts as an error */
} sy_diags;

void sy_diags_init(sy_diags *d, sy_arena *arena);
void sy_diags_fini(sy_diags *d);
/* en and zh are copied. At most 200 are kept, the rest only counted. */
void sy_diag_add(sy_diags *d, sy_severity s, const char *code, sy_pos pos, const char *en,
                 const char *zh, const char *near);
/* 1-based line and column (column in characters). */
void sy_pos_line(sy_pos pos, uint32_t *line, uint32_t *column);
/* name:line:col: error: text, then the line with a caret and the nearest word. */
void sy_diag_print(const sy_diag *d, sy_lang lang, sy_buf *out);
/* The word of the list nearest to `word` by edit distance, at most a third of it away, or NULL. */
const char *sy_nearest(sy_span word, const char *const *words, size_t n);

#endif
