/*
 * What rules watch on a site: found first, then shown as text or JSON.
 */
#ifndef SY_CLI_RULES_COVER_H
#define SY_CLI_RULES_COVER_H

#include "base/os.h"
#include "rules/judge_explain.h"

typedef struct sy_cover_gap { /* a place that a rule applies to and does not watch, or blindly */
    uint32_t place;
    uint32_t point;  /* SY_UNWATCHED_PLACE: of the place as a whole */
    const char *why; /* English */
} sy_cover_gap;
typedef struct sy_cover_rule {
    const sy_rule *rule;
    size_t instances, bytes;
    bool *places; /* by place: watched there */
    sy_cover_gap *gaps;
    size_t n_gaps, cap_gaps;
} sy_cover_rule;
typedef struct sy_cover_cell { /* subject × goods × stage, NULL: none stated */
    const char *subject, *goods, *stage;
    size_t places;
    bool *rules; /* by rule: watches a place of this cell */
    size_t n_rules;
} sy_cover_cell;
typedef struct sy_cover {
    sy_arena arena;
    const sy_site *site;
    sy_cover_rule *rules; /* in the order of the set */
    size_t n_rules;
    sy_cover_cell *cells; /* in the order of the places */
    size_t n_cells, cap_cells;
    bool *places, *points; /* watched by some rule */
    size_t bases, verify;  /* of all rules; those marked "clause verify" */
} sy_cover;

/* Close it in any case. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_cover_find(sy_cover *c, const sy_set *set, const sy_site *site);
void sy_cover_close(sy_cover *c);
void sy_cover_text(const sy_cover *c, sy_lang lang, sy_buf *out);
void sy_cover_json(const sy_cover *c, sy_buf *out);

#endif
