/*
 * Rows about the journal's sealed segments: what each holds, its root, its leaf in the ledger, and
 * whether it has expired. A row stays when its file goes, so that the folder can be told apart from
 * one that lost a file. Writing: in a batch. Reading: any thread.
 */
#ifndef SY_SEGMENTS_H
#define SY_SEGMENTS_H

#include "base/merkle.h"
#include "store/store.h"

typedef struct sy_segment_row {
    uint64_t first, last, records; /* numbers of its records, and how many */
    uint64_t raw, stored;          /* bytes of the records; size of the file */
    sy_ms from, to;                /* smallest and largest receive time; SY_MS_NONE: none */
    sy_digest root;
    uint64_t leaf; /* its index in the ledger; given by put */
    bool expired;
} sy_segment_row;

/* The row and its leaf {"leaf":"segment","first":…,"last":…,"records":…,"root":"…"}. */
SY_MUST_USE sy_err sy_store_segment_put(sy_store *s, const sy_segment_row *row, sy_fail *f);
/* It expires at `now`: an expiry leaf, and the row says so. */
SY_MUST_USE sy_err sy_store_segment_expire(sy_store *s, uint64_t first, sy_ms now, sy_fail *f);
/* The segment that begins with that record. SY_E_NOTFOUND. */
SY_MUST_USE sy_err sy_store_segment_get(sy_store *s, uint64_t first, sy_segment_row *row,
                                        sy_fail *f);
/* The segment that holds record `seq`. SY_E_NOTFOUND: it is not sealed yet. */
SY_MUST_USE sy_err sy_store_segment_of(sy_store *s, uint64_t seq, sy_segment_row *row, sy_fail *f);
/* Those that have not expired, in order. A callback that returns false ends it. */
SY_MUST_USE sy_err sy_store_segments(sy_store *s, bool (*fn)(void *ctx, const sy_segment_row *r),
                                     void *ctx, sy_fail *f);

#endif
