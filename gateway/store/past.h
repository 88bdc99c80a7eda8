/*
 * States of the judge from some time ago, a place each: from where a stretch that readings came
 * late for is judged again (pipeline/redo.h). Part of the store; the calls that write belong to its
 * batch (store.h).
 *
 * A moment is one time for many places, so rows are keyed by (time, place): those of a day lie
 * together, which spares flash.
 */
#ifndef SY_STORE_PAST_H
#define SY_STORE_PAST_H

#include "store/store.h"

typedef struct sy_past {
    const char *place;    /* "premises/place" */
    sy_ms time;           /* of the log's clock */
    uint64_t seq;         /* the record that it stands behind */
    const char *set_hash; /* in force then */
    sy_span bytes;        /* of sy_judge_save_place */
} sy_past;

/* In the batch. One of the same time and place is replaced. */
SY_MUST_USE sy_err sy_store_past_put(sy_store *s, const sy_past *p, sy_fail *f);
/* In the batch: forget those before a time (SY_MS_MAX: all). */
SY_MUST_USE sy_err sy_store_past_forget(sy_store *s, sy_ms before, sy_fail *f);

typedef struct sy_past_at {
    sy_ms time;
    uint64_t seq;
    char set_hash[65];
} sy_past_at;
/* The newest of a place at or before `time`; its bytes are appended. SY_E_NOTFOUND: none. */
SY_MUST_USE sy_err sy_store_past_get(sy_store *s, const char *place, sy_ms time, sy_past_at *at,
                                     sy_buf *bytes, sy_fail *f);
/* The first of a place after `time`. SY_E_NOTFOUND: none. */
SY_MUST_USE sy_err sy_store_past_next(sy_store *s, const char *place, sy_ms time, sy_past_at *at,
                                      sy_fail *f);

#endif
