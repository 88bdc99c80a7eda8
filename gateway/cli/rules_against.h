/*
 * Two lists of alerts, of the same readings judged by an old and a new set of rules: which are
 * gained, lost, moved.
 *
 * Two alerts are one where rule and subject are equal and they overlap in time, taken in order;
 * it moved where onset, raised, cleared or severity differ.
 */
#ifndef SY_CLI_RULES_AGAINST_H
#define SY_CLI_RULES_AGAINST_H

#include "cli/alert_json.h"

typedef struct sy_past { /* alerts, with copies of their texts */
    sy_arena arena;
    sy_alert_view *v;
    size_t n, cap;
    bool failed; /* memory ran out */
} sy_past;

void sy_past_init(sy_past *p);
void sy_past_fini(sy_past *p);
void sy_past_add(sy_past *p, const sy_alert_view *a);

/* Compare, and write the table with the differences below it, or JSON. Sorts both lists.
 * SY_E_NOMEM. */
SY_MUST_USE sy_err sy_against_put(sy_past *was, sy_past *now, bool json, sy_lang lang, sy_buf *out);

#endif
