/*
 * The engine as the newest snapshot has it, and the log to be read again from there: what a start
 * of the pipeline and a tool that reads a data folder without a gateway have in common. One thread.
 */
#ifndef SY_RESTORE_H
#define SY_RESTORE_H

#include "pipeline/engine.h"

typedef struct sy_restore {
    /* Given. */
    sy_store *store;
    const char *data_dir;
    sy_journal *journal; /* NULL: the log is read from the folder */
    sy_batch *batch;
    sy_config *(*loaded)(void *ctx, const char *hash_hex); /* may be NULL */
    void *ctx;
    /* Made; the caller closes what he takes. */
    sy_engine *engine;
    sy_jreader *reader;    /* stands at from + 1 */
    uint64_t from;         /* record of the snapshot; 0: none */
    bool anew;             /* there was a snapshot, and it was of no use */
    uint64_t *quarantined; /* ascending */
    size_t n_quarantined, cap_quarantined;
} sy_restore;

/* Uses no snapshot of a record after `position`. The store's open samples may be older than the
 * snapshot (they were damaged): then the whole log is read, where it is still there. On failure
 * nothing has to be closed but by sy_restore_fini. */
SY_MUST_USE sy_err sy_restore_open(sy_restore *r, uint64_t position, sy_fail *f);
bool sy_restore_is_quarantined(const sy_restore *r, uint64_t seq);
/* Closes what is there still. */
void sy_restore_fini(sy_restore *r);

/* For a tool: put what no chunk holds yet, as far as the log goes, into a store that was opened to
 * read only. No gateway runs on the folder. */
SY_MUST_USE sy_err sy_restore_readings(sy_store *s, const char *data_dir, sy_fail *f);

#endif
