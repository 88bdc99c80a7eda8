/*
 * The events of alerts in the order in which they were written, for those who follow what is
 * active. Any thread, as the store.
 */
#ifndef SY_FOLLOW_H
#define SY_FOLLOW_H

#include "store/store.h"

typedef struct sy_change_row {
    int64_t number;    /* of the event; ascending */
    const char *alert; /* NULL: it belongs to none */
    sy_span body;      /* the CloudEvents object */
} sy_change_row;
/* Borrowed until it returns; false ends the query. */
typedef bool (*sy_change_row_fn)(void *ctx, const sy_change_row *r);

/* Every event of the alerts that are active (none of a rule on trial), up to the newest event,
 * whose number is *last (0: there is none). */
SY_MUST_USE sy_err sy_store_active_events(sy_store *s, int64_t *last, sy_change_row_fn fn,
                                          void *ctx, sy_fail *f);
/* Every event above that number. */
SY_MUST_USE sy_err sy_store_events_after(sy_store *s, int64_t after, sy_change_row_fn fn, void *ctx,
                                         sy_fail *f);

#endif
