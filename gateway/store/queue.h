/*
 * The outbox beyond sending: what is not owed, what is refused and tried again, heartbeats of which
 * the newest is enough, notices that are of no use any more, and what waits. Any thread, as the
 * store; a call that writes is a transaction of its own, unless it says otherwise.
 */
#ifndef SY_QUEUE_H
#define SY_QUEUE_H

#include "store/store.h"

/* The destination's policy does not let these leave: they leave its outbox, counted. */
SY_MUST_USE sy_err sy_store_withhold(sy_store *s, const char *destination, const int64_t *numbers,
                                     size_t n, sy_fail *f);

/* A heartbeat for one destination, in place of those before it, whether or not these were sent. Not
 * synced: what a power cut takes the next one replaces. */
SY_MUST_USE sy_err sy_store_heartbeat(sy_store *s, const char *destination, const sy_event_row *e,
                                      sy_fail *f);

/* Notices of a passing state (priority 3) that wait since before then are dropped, counted: *n. */
SY_MUST_USE sy_err sy_store_outbox_expire(sy_store *s, const char *destination, sy_ms before,
                                          uint64_t *n, sy_fail *f);

/* What waits for a destination, by kind of event. */
typedef struct sy_waiting_row {
    const char *kind;
    bool of_alert; /* the events belong to alerts */
    uint64_t n;
    sy_ms since; /* the time of the oldest */
} sy_waiting_row;
SY_MUST_USE sy_err sy_store_waiting(sy_store *s, const char *destination,
                                    bool (*fn)(void *ctx, const sy_waiting_row *r), void *ctx,
                                    sy_fail *f);
/* What was withheld from the destination so far. */
SY_MUST_USE sy_err sy_store_withheld(sy_store *s, const char *destination, uint64_t *n, sy_fail *f);
/* How many wait for it, counted up to `most`: cheap however many there are. */
SY_MUST_USE sy_err sy_store_outbox_upto(sy_store *s, const char *destination, uint64_t most,
                                        uint64_t *n, sy_fail *f);
/* Every destination that has something in the outbox, or had something set aside or withheld. */
SY_MUST_USE sy_err sy_store_outboxes(sy_store *s, bool (*fn)(void *ctx, const char *destination),
                                     void *ctx, sy_fail *f);

/* What a destination refused for good. */
typedef struct sy_refused_row {
    const char *destination, *id, *kind, *why;
    sy_ms time;
    sy_span body;
} sy_refused_row;
SY_MUST_USE sy_err sy_store_refused(sy_store *s, bool (*fn)(void *ctx, const sy_refused_row *r),
                                    void *ctx, sy_fail *f);
/* Put the event back into the outbox of every destination that refused it. SY_E_NOTFOUND: none
 * did. */
SY_MUST_USE sy_err sy_store_retry(sy_store *s, const char *id, uint64_t *n, sy_fail *f);

/* The newest event of a kind that begins so, for an example of it. Appends to out; SY_E_NOTFOUND.
 */
SY_MUST_USE sy_err sy_store_newest_event(sy_store *s, const char *kind, bool of_alert, sy_buf *out,
                                         sy_fail *f);
/* Alerts that are active now, by severity (index sy_alert_level), without those of rules on trial.
 */
SY_MUST_USE sy_err sy_store_active(sy_store *s, uint64_t by_level[8], sy_fail *f);

#endif
