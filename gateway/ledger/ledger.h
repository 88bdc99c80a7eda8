/*
 * The ledger of a running gateway: its key, the box it is in, and heads signed over the store's
 * leaves. docs/ledger.md
 *
 * The key is made at the first start of a data folder. Where a folder that has a ledger lacks its
 * key, or has another one, the ledger is in trouble: leaves are still written, nothing is signed,
 * every destination is told, and no key is made in its place.
 *
 * Any thread. What is part of a batch is called by the thread that holds the store's batch; the
 * ledger's own lock is taken within.
 */
#ifndef SY_LEDGER_H
#define SY_LEDGER_H

#include "ledger/head.h"
#include "store/store.h"

typedef struct sy_ledger sy_ledger;
typedef struct sy_ledger_options {
    sy_store *store;
    const char *data_dir, *gateway;
    const char *key, *cert; /* files; NULL: <data>/ledger/key.pem, cert.pem */
    const char *box;        /* file that names the box; NULL: what the machine says of itself */
    sy_ms interval;         /* between two heads where nothing urgent happens */
    const char *const *destinations; /* who is told of trouble and of another box */
    size_t n_destinations;
} sy_ledger_options;

/* `now`: the time of what is written at once. Blocks for a few synced writes. A ledger in trouble
 * is opened all the same. */
SY_MUST_USE sy_err sy_ledger_open(sy_ledger **out, const sy_ledger_options *o, sy_ms now,
                                  sy_fail *f);
void sy_ledger_close(sy_ledger *l); /* NULL is allowed */
/* Read the certificate again, take the interval and the destinations. */
SY_MUST_USE sy_err sy_ledger_reload(sy_ledger *l, const sy_ledger_options *o, sy_fail *f);

/* ---- in a batch ---- */
/* Append the leaf of an event that the batch has put into the store. */
SY_MUST_USE sy_err sy_ledger_event(sy_ledger *l, const char *event_id, const sy_leaf_event *e,
                                   sy_fail *f);
/* Sign a head where the tree has grown and `urgent`, or the interval has passed. Trouble and a
 * failure to sign are logged and no failure of the batch. *made: there is one. */
SY_MUST_USE sy_err sy_ledger_sign(sy_ledger *l, sy_ms now, bool urgent, bool *made, sy_fail *f);

/* The interval has passed and the tree has grown: a head should be signed, in a durable batch. */
bool sy_ledger_due(sy_ledger *l);
/* The batch in which a head was made is committed. */
void sy_ledger_signed(sy_ledger *l);

/* ---- in a transaction of their own, durable, with a head ---- */
/* An event that is no judgement, with its leaf; an id that is known is not added again. */
SY_MUST_USE sy_err sy_ledger_tell(sy_ledger *l, const sy_event_row *e, sy_ms now, sy_fail *f);
/* What a person did. */
SY_MUST_USE sy_err sy_ledger_action(sy_ledger *l, sy_ms now, const sy_action *a, sy_fail *f);
/* Go over to <key>.next, made where it is missing; both keys sign the leaf. */
SY_MUST_USE sy_err sy_ledger_rotate(sy_ledger *l, sy_ms now, sy_fail *f);

/* {"state","trouble","size","root","head":{"size","time"},"kid","certified","box"}; head null where
 * none was signed yet. state: "signing" or "trouble". */
void sy_ledger_status(sy_ledger *l, sy_buf *json);
/* The same of a store that no gateway runs on: its state is `word`. */
void sy_ledger_state(sy_store *store, const char *word, const char *trouble, sy_buf *json);

#endif
