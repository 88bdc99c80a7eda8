/*
 * What pages show of alerts: the newest ones, one by its id, its events. Any thread, as the store;
 * rows are borrowed until the callback returns, false ends the query.
 */
#ifndef SY_BROWSE_H
#define SY_BROWSE_H

#include "store/store.h"

typedef struct sy_browse {
    bool open;        /* only those that are active */
    sy_ms before;     /* raised before this; SY_MS_MAX: from the newest on */
    int64_t max;      /* rows at most */
    const char *rule; /* only of this rule; NULL: all */
} sy_browse;
/* Newest first, by when they were raised. */
SY_MUST_USE sy_err sy_store_alerts_newest(sy_store *s, const sy_browse *b,
                                          bool (*fn)(void *ctx, const sy_alert_row *a), void *ctx,
                                          sy_fail *f);
/* SY_E_NOTFOUND. */
SY_MUST_USE sy_err sy_store_alert_get(sy_store *s, const char *id,
                                      bool (*fn)(void *ctx, const sy_alert_row *a), void *ctx,
                                      sy_fail *f);
/* The CloudEvents objects of an alert, oldest first. */
SY_MUST_USE sy_err sy_store_alert_events(sy_store *s, const char *alert,
                                         bool (*fn)(void *ctx, sy_span body), void *ctx,
                                         sy_fail *f);

#endif
