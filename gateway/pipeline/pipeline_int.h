/*
 * The pipeline's object, shared by pipeline.c (start, rebuild, the public calls) and loop.c (the
 * thread). Fields without a note belong to the pipeline's thread.
 */
#ifndef SY_PIPELINE_INT_H
#define SY_PIPELINE_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "pipeline/attempt.h"
#include "pipeline/pipeline.h"
#include "pipeline/redo.h"
#include "pipeline/restore.h"

struct sy_pipeline {
    sy_pipeline_options o;
    sy_restore restored; /* owns engine and reader */
    sy_engine *engine;
    sy_batch batch;
    sy_attempt attempt;
    sy_jreader *reader;
    uint64_t last;                      /* last record taken */
    uint64_t n_records;                 /* in the batch */
    uint64_t since_snapshot;            /* records */
    uint64_t log_bytes, snapshot_bytes; /* of the log since the last one, and of that one */
    bool must_snapshot;                 /* with the next commit */
    bool redoing;                       /* a commit that is not the last of its record */
    bool new_events;                    /* committed, and not published yet */
    sy_ms batch_began, refused_at;      /* monotonic */
    sy_ms ticked;                       /* the deadline that was ticked for last */
    uint64_t journal_bytes;             /* counted so far */
    bool gave_up;                       /* a commit failed while stopping: end */

    pthread_t thread;
    bool thread_runs; /* owner of the pipeline */
    atomic_bool stopping;
    atomic_uint_fast64_t committed, wanted;
    pthread_mutex_t mu; /* for `done` and `upkeep` */
    pthread_cond_t done;
    sy_upkeep upkeep; /* the engine's, for others to look at */
};

/* Take one record of the log: skip it, or let the engine have it. */
SY_MUST_USE sy_err sy_pipeline__take(sy_pipeline *p, const sy_jrec *rec, sy_fail *f);
void *sy_pipeline__main(void *arg);
/* The engine's maintenance may have changed. */
SY_MUST_USE sy_err sy_pipeline__show_upkeep(sy_pipeline *p, sy_fail *f);

#endif
