/*
 * The engine: what the log's records mean. A state (configuration in force, judge, clock, counts of
 * changes) and one function that takes the next record; its output goes into a batch.
 *
 * Invariants:
 *  1. The state and the output are a function of the records so far, and of nothing else; the store
 *     is never asked. (The texts of an activation are found by their hash, so they are part of it.)
 *  2. A snapshot taken after record n and loaded elsewhere goes on with n + 1 as the original does.
 *  3. The judge's clock never goes backward. It is advanced to a record's time before the record is
 *     taken, so that a tick only says earlier what the next record would say anyway.
 *  4. Without a clock (before the first mark of a replay) readings wait for the first mark, and the
 *     box's start is the first of them.
 * One thread.
 */
#ifndef SY_ENGINE_H
#define SY_ENGINE_H

#include "intake/journal.h"
#include "pipeline/batch.h"
#include "pipeline/pipeline.h"
#include "pipeline/upkeep.h"

typedef struct sy_engine sy_engine;

SY_MUST_USE sy_err sy_engine_open(sy_engine **out, const char *data_dir, sy_batch *batch,
                                  sy_fail *f);
void sy_engine_close(sy_engine *e);
/* Where a set may be had that is loaded already: pipeline.h, `loaded`. */
void sy_engine_share(sy_engine *e, sy_config *(*loaded)(void *ctx, const char *hash_hex),
                     void *ctx);
/* Who is told that a Sparkplug node ("GROUP/NODE") is to send its births again; not while output is
 * discarded, nor with the replay clock. ctx is that of sy_engine_share. */
void sy_engine_rebirths(sy_engine *e, void (*rebirth)(void *ctx, const char *node));

/* Told of each reading as it was taken, where its batch is not discarded; it must not wait. */
void sy_engine_listen(sy_engine *e, void (*seen)(void *ctx, const sy_seen_reading *r), void *ctx);

/* The record changes the site: commit what the batch holds first. */
bool sy_engine_switches(const sy_engine *e, const sy_jrec *rec);
/* Take one record. Bad input is counted and logged, SY_OK. SY_E_NOMEM: the state is no longer
 * sound, end the process. */
SY_MUST_USE sy_err sy_engine_record(sy_engine *e, const sy_jrec *rec, sy_fail *f);
/* Skip a record: counted as refused. */
void sy_engine_skip(sy_engine *e, const sy_jrec *rec);

/* When the judge wants a tick; SY_MS_MAX: not. */
sy_ms sy_engine_deadline(const sy_engine *e);
/* Maintenance that was announced. */
const sy_upkeep *sy_engine_upkeep(const sy_engine *e);
/* The site in force, NULL before the first activation. */
const sy_site *sy_engine_site(const sy_engine *e);

/* The state as bytes, with the hash of the set in force. SY_E_AGAIN: it cannot be saved now (no
 * judge yet). Drops what can no longer change. */
SY_MUST_USE sy_err sy_engine_save(sy_engine *e, sy_buf *out, const char **set_hash);
/* Into an engine that was just opened. Any failure: open another one and read the whole log. */
SY_MUST_USE sy_err sy_engine_load(sy_engine *e, const char *set_hash, sy_span bytes, sy_fail *f);

#endif
