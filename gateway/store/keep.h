/*
 * What is kept for how long: holds on alerts, what expires, and what the keeping costs.
 *
 * Whatever expires leaves {"leaf":"expiry",…} with the index and hash of the leaf that it had, in
 * the transaction that deletes it. A held alert stays, with its events and what it rests on. An
 * event that waits for a destination stays, and so does its alert; so does an alert that is open.
 * Writing: in a batch, unless a call says otherwise. Reading: any thread.
 */
#ifndef SY_KEEP_H
#define SY_KEEP_H

#include "store/store.h"

typedef struct sy_hold_row {
    const char *alert, *who, *why;
    sy_ms time;
    sy_ms from,
        to; /* what the alert rests on lies within; `to` SY_MS_MAX: it is open. Reading only */
} sy_hold_row;
/* SY_E_NOTFOUND: no such alert. SY_E_EXISTS: it is held already. */
SY_MUST_USE sy_err sy_store_hold(sy_store *s, const sy_hold_row *h, sy_fail *f);
/* SY_E_NOTFOUND: it is not held. */
SY_MUST_USE sy_err sy_store_release(sy_store *s, const char *alert, sy_fail *f);
/* By alert. Texts are borrowed until the callback returns; false ends it. */
SY_MUST_USE sy_err sy_store_holds(sy_store *s, bool (*fn)(void *ctx, const sy_hold_row *h),
                                  void *ctx, sy_fail *f);

/* A stretch of time: from `from` on, before `before`. */
typedef struct sy_stretch {
    sy_ms from, before;
} sy_stretch;

/* Up to max alerts that were cleared within `of`, oldest first, with their events; then as many
 * events without an alert of then. *n: rows of both that went. */
SY_MUST_USE sy_err sy_store_expire_alerts(sy_store *s, sy_stretch of, size_t max, sy_ms now,
                                          size_t *n, sy_fail *f);

/* Up to max chunks of readings that ended within `of`, the oldest first, at most one a series:
 * *n of them; ask again while it is not 0. */
SY_MUST_USE sy_err sy_store_expire_readings(sy_store *s, sy_stretch of, size_t max, sy_ms now,
                                            size_t *n, sy_fail *f);
/* The last time in the oldest chunk; SY_MS_NONE: there is none. */
SY_MUST_USE sy_err sy_store_oldest_reading(sy_store *s, sy_ms *time, sy_fail *f);
/* The journal's records that held readings came from: stretches, which may overlap. */
SY_MUST_USE sy_err sy_store_held_records(sy_store *s,
                                         bool (*fn)(void *ctx, uint64_t first, uint64_t last),
                                         void *ctx, sy_fail *f);

/* Bytes by what they are for, kept up with every write. */
typedef struct sy_store_bytes {
    uint64_t file;     /* store.db and its WAL, free pages included */
    uint64_t free;     /* free pages: they are used again */
    uint64_t readings; /* chunks */
    uint64_t alerts;   /* events and what they rest on */
    uint64_t ledger;   /* leaves and nodes */
} sy_store_bytes;
SY_MUST_USE sy_err sy_store_sizes(sy_store *s, const char *data_dir, sy_store_bytes *out,
                                  sy_fail *f);
/* The oldest time of what would expire next of the class "alerts", the cleared ones and the events
 * without one; SY_MS_NONE: there is none. */
SY_MUST_USE sy_err sy_store_oldest_alert(sy_store *s, sy_ms *time, sy_fail *f);

/* A day of the box (days since 1970): totals at its last look, so that the difference between two
 * days is what a day costs. The newest SY_USAGE_DAYS are kept. */
enum { SY_USAGE_DAYS = 60 };
typedef struct sy_usage {
    int64_t day;
    uint64_t written, readings;   /* bytes written by our own count, readings stored */
    uint64_t device;              /* bytes that the system says were written for us */
    uint64_t raw, stored, alerts; /* bytes on disk: the journal, store.db in use, of it alerts */
} sy_usage;
SY_MUST_USE sy_err sy_store_usage_put(sy_store *s, const sy_usage *u, sy_fail *f);
/* The newest max days, oldest first; *n of them. */
SY_MUST_USE sy_err sy_store_usage(sy_store *s, sy_usage *out, size_t max, size_t *n, sy_fail *f);

/* Commit a batch of what is no part of the log: the journal's position stays as it is. */
SY_MUST_USE sy_err sy_store_done(sy_store *s, sy_fail *f);

/* A number by name that outlives the process; 0 where it was never set. */
SY_MUST_USE sy_err sy_store_note_put(sy_store *s, const char *name, int64_t value, sy_fail *f);
SY_MUST_USE sy_err sy_store_note_get(sy_store *s, const char *name, int64_t *value, sy_fail *f);

/* The position of the judge's newest snapshot; 0: there is none. */
SY_MUST_USE sy_err sy_store_snapshot_seq(sy_store *s, uint64_t *seq, sy_fail *f);

#endif
