/*
 * The pipeline: decode → quality → judge → store, on one thread "sy-pipeline", in batches.
 *
 * It reads the journal from the position of the last commit; what happens is a function of the
 * journal alone. A batch ends after SY_BATCH_RECORDS records or SY_BATCH_MS, at once when it
 * carries events. At start the judge is rebuilt: newest snapshot, then the journal from there up to
 * the store's position with its output discarded (it is stored already), then on.
 */
#ifndef SY_PIPELINE_H
#define SY_PIPELINE_H

#include "config/config.h"
#include "intake/journal.h"
#include "store/store.h"

enum { SY_BATCH_RECORDS = 20000, SY_BATCH_MS = 500 };

typedef struct sy_pipeline sy_pipeline;
typedef struct sy_pipeline_options {
    sy_journal *journal;
    sy_store *store;
    const char *data_dir;
    bool replay_clock;
    void (*on_events)(void *ctx); /* a batch with events was committed */
    void *ctx;
} sy_pipeline_options;

SY_MUST_USE sy_err sy_pipeline_start(sy_pipeline **out, const sy_pipeline_options *o, sy_fail *f);
/* Everything up to seq is committed; waits up to timeout_ms (-1: for ever). */
bool sy_pipeline_wait(sy_pipeline *p, uint64_t seq, int timeout_ms);
uint64_t sy_pipeline_seq(const sy_pipeline *p); /* last committed */
/* Finish what is in the journal, write a snapshot, end. */
void sy_pipeline_stop(sy_pipeline *p);

/* The event JSON of an alert change (CloudEvents 1.0), used by pipeline and tests. */
#endif
