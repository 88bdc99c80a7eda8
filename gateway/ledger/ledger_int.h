/*
 * The ledger from within: its files and its state. Internal to ledger/.
 */
#ifndef SY_LEDGER_INT_H
#define SY_LEDGER_INT_H

#include <pthread.h>

#include "ledger/ledger.h"
#include "ledger/ledger_files.h"
#include "ledger/restored.h"
#include "store/heads.h"
#include "store/keep.h"
#include "store/leaves.h"

struct sy_ledger {
    pthread_mutex_t lock; /* of all below */
    sy_store *store;
    char *gateway, box[65];
    char key_path[SY_LEDGER_PATH], cert_path[SY_LEDGER_PATH];
    sy_es256 *key;     /* NULL while there is trouble */
    sy_chain chain;    /* n 0: nobody has certified the key */
    char trouble[320]; /* "": none */
    sy_ms interval;
    sy_ms signed_at;      /* monotonic */
    uint64_t signed_size; /* of the newest head */
    char **destinations;
    size_t n_destinations;
};

/* tell.c: what is told upstream of the ledger itself. Part of a batch. */
SY_MUST_USE sy_err sy_ledger__put_event(sy_ledger *l, const sy_event_row *e, bool *added,
                                        sy_fail *f);
SY_MUST_USE sy_err sy_ledger__tell_box(sy_ledger *l, const char *before, uint64_t leaf, sy_ms now,
                                       sy_fail *f);
SY_MUST_USE sy_err sy_ledger__tell_restored(sy_ledger *l, const sy_restored *r, sy_ms now,
                                            sy_fail *f);
SY_MUST_USE sy_err sy_ledger__tell_trouble(sy_ledger *l, sy_ms now, sy_fail *f);

/* ledger.c */
SY_MUST_USE sy_err sy_ledger__sign_with(sy_ledger *l, sy_es256 *key, sy_ms now, bool *made,
                                        sy_fail *f);
void sy_ledger__chain_bytes(const sy_chain *c, sy_buf *out);

#endif
