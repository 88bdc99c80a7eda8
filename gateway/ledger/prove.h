/*
 * Proofs out of a store: what the sender and `evidence` put beside an event. They need no key. Any
 * thread.
 */
#ifndef SY_PROVE_H
#define SY_PROVE_H

#include "ledger/proof.h"
#include "store/store.h"

/* The newest signed head, its key and certificates, into a head that was just initialised.
 * SY_E_NOTFOUND: none was signed yet. */
SY_MUST_USE sy_err sy_prove_head(sy_store *s, sy_signed_head *out, sy_head *head, sy_fail *f);
/* A leaf under the newest signed head. SY_E_NOTFOUND: no head covers it yet. */
SY_MUST_USE sy_err sy_prove_leaf(sy_store *s, uint64_t index, sy_proof *out, sy_fail *f);

/* The size of the newest signed head, 0: none. */
SY_MUST_USE sy_err sy_prove_newest(sy_store *s, uint64_t *size, sy_fail *f);

/* The event that tells a destination of the head of this size, with proofs that the ledger
 * continues the head that the destination has confirmed, and those that it was told since (the
 * oldest and the newest 32): it may have received any of them. */
typedef struct sy_head_event {
    sy_buf id, body;
    uint64_t size;
} sy_head_event;
void sy_head_event_init(sy_head_event *e);
void sy_head_event_free(sy_head_event *e);
SY_MUST_USE sy_err sy_prove_event(sy_store *s, const char *destination, uint64_t size,
                                  sy_head_event *out, sy_fail *f);

#endif
