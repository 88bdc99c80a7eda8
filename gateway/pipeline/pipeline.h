/*
 * The pipeline: decode → quality → judge → store, on one thread "sy-pipeline", in batches.
 *
 * It reads the journal from the position of the last commit; what happens is a function of the
 * journal alone. A batch ends after SY_BATCH_RECORDS records or SY_BATCH_MS, at once when it
 * carries events or somebody waits for it. At start the judge is rebuilt: newest snapshot, then the
 * journal from there up to the store's position with its output discarded (it is stored already)
 * but for the readings that the store had in memory, then on. A record that was being processed
 * when the process crashed, twice in a row, is quarantined (attempt.h). docs/architecture.md has
 * the order of the log's records at a start.
 */
#ifndef SY_PIPELINE_H
#define SY_PIPELINE_H

#include "base/intake.h"
#include "config/config.h"
#include "intake/journal.h"
#include "ledger/ledger.h"
#include "pipeline/upkeep.h"
#include "store/store.h"

enum { SY_BATCH_RECORDS = 20000, SY_BATCH_READINGS = 60000, SY_BATCH_MS = 500 };
/* A snapshot of the judge and of what is open in the store is written with the first batch after
 * the log has grown by so many times the size of the last one, and at least by so many bytes. */
enum { SY_SNAPSHOT_TIMES = 32, SY_SNAPSHOT_LEAST = 1 << 20 };

/* `code` of START and EPOCH records. */
enum {
    SY_CLOCK_REPLAY = 1,   /* START: the clock moves by MARK alone */
    SY_CLOCK_SYNCED = 2,   /* adjtimex: synchronised */
    SY_CLOCK_UNSYNCED = 4, /* or not; neither bit: no statement */
};

/* A reading as it was taken: converted, with the quality that it is stored with. */
typedef struct sy_seen_reading {
    const sy_site_point *point;
    sy_ms t, recv;
    double value;
    sy_quality quality;
    bool judged;
} sy_seen_reading;

typedef struct sy_pipeline sy_pipeline;
typedef struct sy_pipeline_options {
    sy_journal *journal;
    sy_store *store;
    sy_ledger *ledger; /* NULL: none */
    const char *data_dir;
    bool replay_clock;
    /* On the pipeline's thread, after a commit; with_events: there is something new to send. */
    void (*on_commit)(void *ctx, bool with_events);
    /* On the pipeline's thread: what the gate refused and recognised since the last call, to be
     * counted with the next commit. May be NULL. */
    void (*take_refused)(void *ctx, uint64_t rejected[SY_REJECT_COUNT], uint64_t *duplicates);
    /* Any thread: the set of that hash where the process has it loaded already (a new reference),
     * else NULL: it is read from the accepted texts. May be NULL. */
    sy_config *(*loaded)(void *ctx, const char *hash_hex);
    /* On the pipeline's thread: each reading as it was taken, live; must not wait. May be NULL. */
    void (*on_reading)(void *ctx, const sy_seen_reading *r);
    /* On the pipeline's thread: engine.h, sy_engine_rebirths. May be NULL. */
    void (*rebirth)(void *ctx, const char *node);
    void *ctx;
    int snapshot_records; /* 0: by bytes alone; tests have one after so many records, too */
    int batch_records;    /* 0: SY_BATCH_RECORDS; likewise */
    int batch_ms;         /* 0: SY_BATCH_MS */
} sy_pipeline_options;

/* Blocks while the judge is rebuilt from snapshot and journal up to the stored position. */
SY_MUST_USE sy_err sy_pipeline_start(sy_pipeline **out, const sy_pipeline_options *o, sy_fail *f);
/* Everything up to seq is committed; waits up to timeout_ms (-1: for ever). Any thread. */
bool sy_pipeline_wait(sy_pipeline *p, uint64_t seq, int timeout_ms);
/* Somebody is interested in seq: commit as soon as it is processed. Never blocks; any thread. */
void sy_pipeline_want(sy_pipeline *p, uint64_t seq);
uint64_t sy_pipeline_seq(const sy_pipeline *p); /* last committed; any thread */
/* Maintenance that runs at `now`, appended as a JSON array; how many stretches. Any thread. */
size_t sy_pipeline_upkeep(sy_pipeline *p, sy_ms now, sy_buf *json);
/* Whether it runs for that thing. Any thread. */
bool sy_pipeline_maintains(sy_pipeline *p, sy_upkeep_kind kind, sy_span on, sy_ms now);
/* Finish what is in the journal, write a snapshot, end. NULL is allowed. */
void sy_pipeline_stop(sy_pipeline *p);

#endif
