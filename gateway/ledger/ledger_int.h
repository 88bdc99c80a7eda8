/*
 * The ledger from within: its files and its state. Internal to ledger/.
 */
#ifndef SY_LEDGER_INT_H
#define SY_LEDGER_INT_H

#include <pthread.h>

#include "ledger/chain.h"
#include "ledger/es256.h"
#include "ledger/ledger.h"
#include "store/heads.h"
#include "store/keep.h"
#include "store/leaves.h"

enum { SY_LEDGER_PATH = 4200 };

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

/* keyfile.c. `recorded`: name of the key that the ledger goes by, "" where it has none yet. A key
 * is made only then. SY_E_NOTFOUND: the ledger's key is missing; SY_E_DENIED: there is another one.
 * Finishes a rotation that was cut short. */
SY_MUST_USE sy_err sy_keyfile_open(const char *key_path, const char *cert_path,
                                   const char *recorded, sy_es256 **out, sy_fail *f);
/* The next key, made where it is missing. */
SY_MUST_USE sy_err sy_keyfile_next(const char *key_path, sy_es256 **out, sy_fail *f);
/* The next key, and its certificate where there is one, become the present ones. */
SY_MUST_USE sy_err sy_keyfile_switch(const char *key_path, const char *cert_path, sy_fail *f);
/* The certificate of this key; out->n 0 where there is none. SY_E_DENIED: it is for another key. */
SY_MUST_USE sy_err sy_keyfile_chain(const char *cert_path, sy_span spki, sy_chain *out, sy_fail *f);
SY_MUST_USE sy_err sy_keyfile_paths(const char *data_dir, const char *key, const char *cert,
                                    char key_path[SY_LEDGER_PATH], char cert_path[SY_LEDGER_PATH],
                                    sy_fail *f);

/* tell.c: what is told upstream of the ledger itself. Part of a batch. */
SY_MUST_USE sy_err sy_ledger__put_event(sy_ledger *l, const sy_event_row *e, bool *added,
                                        sy_fail *f);
SY_MUST_USE sy_err sy_ledger__tell_box(sy_ledger *l, const char *before, uint64_t leaf, sy_ms now,
                                       sy_fail *f);
SY_MUST_USE sy_err sy_ledger__tell_trouble(sy_ledger *l, sy_ms now, sy_fail *f);

/* ledger.c */
SY_MUST_USE sy_err sy_ledger__sign_with(sy_ledger *l, sy_es256 *key, sy_ms now, bool *made,
                                        sy_fail *f);
void sy_ledger__chain_bytes(const sy_chain *c, sy_buf *out);

#endif
