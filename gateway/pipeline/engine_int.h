/*
 * The engine's state, shared by engine.c (records) and engine_save.c (snapshots).
 */
#ifndef SY_ENGINE_INT_H
#define SY_ENGINE_INT_H

#include "pipeline/births.h"
#include "pipeline/changes.h"
#include "pipeline/days.h"
#include "pipeline/decode.h"
#include "pipeline/engine.h"
#include "pipeline/group.h"
#include "pipeline/late.h"
#include "pipeline/pipeline.h"
#include "pipeline/quality.h"
#include "pipeline/standing.h"
#include "pipeline/upkeep.h"
#include "pipeline/uplink.h"

typedef struct sy_era { /* one accepted set in force */
    sy_engine *engine;
    sy_config *config;
    sy_registry *devices;
    sy_judge *judge; /* NULL until the log's clock is known */
} sy_era;

struct sy_engine {
    char *data_dir;
    sy_config *(*loaded)(void *ctx, const char *hash_hex);
    void *loaded_ctx;
    void (*seen)(void *ctx, const sy_seen_reading *r); /* NULL: nobody listens */
    void *seen_ctx;
    sy_batch *batch;
    sy_era *now; /* NULL before the first activation */
    bool replay, unsynced, out_of_memory;
    sy_ms clock;                       /* the log's, last known */
    sy_ms start;                       /* last START */
    sy_ms judge_start, judge_in_force; /* as the judge was opened */
    sy_changes changes;
    sy_late late;
    sy_births births;
    void (*rebirth)(void *ctx, const char *node);
    sy_doubts doubts;
    sy_upkeep upkeep;
    sy_days days;
    sy_ms statement_due; /* SY_MS_MAX: none is */
    sy_standings standings;
    sy_groups groups;
    sy_uplink uplink;
    sy_config *before; /* that judged an alert which was acted on later; NULL: none was needed */
    uint64_t seq;      /* of the record in work */
    unsigned told;     /* changes since the judge forgot what is final */
    sy_decoded *early; /* readings before the first mark */
    size_t n_early, cap_early;
    bool early_full; /* said */
};

SY_MUST_USE sy_err sy_engine__era_open(sy_engine *e, const char *hash, sy_era **out, sy_fail *f);
void sy_engine__era_close(sy_era *era);
SY_MUST_USE sy_err sy_engine__judge_open(sy_engine *e, sy_era *era);
/* The log's clock goes on; what is due by it happens: engine_act.c, and statements before it, each
 * with the clock where it is due: engine_days.c. */
SY_MUST_USE sy_err sy_engine__advance_to(sy_engine *e, sy_ms now);
SY_MUST_USE sy_err sy_engine__advance(sy_engine *e, sy_ms now);
/* Maintenance has changed: whoever was raised during it is released with it. */
SY_MUST_USE sy_err sy_engine__maintained(sy_engine *e);
SY_MUST_USE sy_err sy_engine__act(sy_engine *e, const sy_jrec *rec, const sy_act *a);
/* A change is told with the configuration and the judge that it was judged by. */
void sy_engine__tell(sy_engine *e, const sy_config *config, const sy_judge *judge,
                     const sy_change *c);

/* engine_days.c: what a judge says of a day (a sy_judge_options day; ctx is an era); when the next
 * statement is due, after a record. */
void sy_engine__on_day(void *ctx, const sy_judge_day *d);
void sy_engine__statement_due(sy_engine *e);

/* engine_late.c: what the records mean for stretches that may be judged again. */
SY_MUST_USE sy_err sy_engine__turn(sy_engine *e, const sy_jrec *rec, const char *set_hash);
void sy_engine__break(sy_engine *e, const char *why);
void sy_engine__version(sy_engine *e, sy_span start_json);
/* After each record: past states where they are due. */
SY_MUST_USE sy_err sy_engine__keep_past(sy_engine *e, uint64_t seq);

#endif
