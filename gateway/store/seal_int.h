/*
 * Runs into chunks, and samples of chunks found again (seal.c). Internal to store/.
 */
#ifndef SY_SEAL_INT_H
#define SY_SEAL_INT_H

#include "base/merkle.h"
#include "store/store_int.h"

/* Figures of the valid finite samples, and the root of the tree over the lines of a chunk. */
typedef struct sy_chunk_figures {
    uint64_t valid;
    double min, max, sum; /* NaN, NaN, 0 where there are none */
} sy_chunk_figures;
void sy_chunk_sum(const sy_sample *v, size_t n, sy_chunk_figures *out);
sy_digest sy_chunk_root(const sy_sample *v, size_t n);
/* The rest in a batch and under memory.mu. */
struct sy_seal_room *sy_seal_room_open(void);
void sy_seal_room_close(struct sy_seal_room *r);
/* Make a run a chunk. */
SY_MUST_USE sy_err sy_seal(sy_store *s, sy_open *o, sy_fail *f);
/* Seal what was not added to for long, once an hour of the log's clock. */
SY_MUST_USE sy_err sy_seal_idle(sy_store *s, sy_ms now, sy_fail *f);
/* Make room for one more run of a series. */
SY_MUST_USE sy_err sy_seal_for_room(sy_store *s, uint32_t series, sy_fail *f);
/* Times of the chunks of the stretch of t; *lo > *hi: none. */
SY_MUST_USE sy_err sy_sealed_range(sy_store *s, uint32_t series, sy_ms t, sy_ms *lo, sy_ms *hi,
                                   sy_fail *f);
/* A sample that is there at a time, in a run or sealed (run NULL). */
typedef struct sy_hit {
    sy_open *run;
    uint32_t at;
    double value;
    sy_quality quality;
} sy_hit;
/* All of them; borrowed until the next call. `sealed`: look at chunks too. */
SY_MUST_USE sy_err sy_hits(sy_store *s, uint32_t series, sy_ms t, sy_open *run, bool sealed,
                           sy_hit **hits, size_t *n, sy_fail *f);
/* Rows of what is sealed and amended in memory alone; in a batch. Not with every commit: a row
 * each costs a dozen pages, many together little more. */
SY_MUST_USE sy_err sy_seal_write(sy_store *s, sy_fail *f);
/* There is so much that the next commit has to. */
bool sy_seal_must_write(const sy_store *s);

#endif
