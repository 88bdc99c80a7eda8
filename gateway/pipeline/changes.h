/*
 * How many changes of each alert were told, and which levels it has reached: what gives events
 * their numbers. Part of the engine's state, so it is saved in a canonical order.
 */
#ifndef SY_CHANGES_H
#define SY_CHANGES_H

#include "rules/judge.h"

struct sy_changes_entry;
typedef struct sy_changes {
    struct sy_changes_entry *by_id;
} sy_changes;

void sy_changes_fini(sy_changes *c);
/* The number of the next change, at the log's clock `now`, from 1, and the levels with this one; 0:
 * out of memory. */
uint64_t sy_changes_next(sy_changes *c, const char *id, sy_alert_level level, sy_ms now,
                         unsigned *levels);
/* Keep the alerts that the judge still knows, and those that changed since then. */
SY_MUST_USE sy_err sy_changes_prune(sy_changes *c, const sy_judge *j, sy_ms since);
void sy_changes_save(sy_changes *c, sy_buf *out);
SY_MUST_USE sy_err sy_changes_load(sy_changes *c, sy_rd *in);

#endif
