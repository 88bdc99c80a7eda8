/*
 * What the ledger adds to a batch: the signature and the proof in each event, and the newest head
 * for a destination that does not know it. One thread.
 */
#ifndef SY_PROOFS_H
#define SY_PROOFS_H

#include "ledger/signer.h"
#include "store/store.h"

/* Put the box's signature over the event's text into its body, in the arena. Where there is no key
 * it goes without: alerts are never kept back for that. */
void sy_proofs_sign(sy_signer *signer, sy_outbox_item *item, sy_arena *arena);

/* Put the proof of the event's leaf into its body, in the arena. An event that has none, or whose
 * leaf no head covers (the key is missing), stays as it is: alerts are never kept back for that. */
void sy_proofs_add(sy_store *s, sy_outbox_item *item, sy_arena *arena);

/* The event of the newest head where the destination has not confirmed it: true. *telling: the size
 * of the head that was told and not answered, which is told again until it is; 0: none, a newer one
 * is chosen, and noted durably before it is told. The item's number is that of no row: the size of
 * the head, negative. Failures are logged, and there is none then. */
bool sy_proofs_head(sy_store *s, const char *destination, uint64_t *telling, sy_outbox_item *item,
                    sy_arena *arena);
static inline bool sy_proofs_is_head(int64_t number)
{
    return number < 0;
}
/* The destination has taken these: note the head among them. */
SY_MUST_USE sy_err sy_proofs_taken(sy_store *s, const char *destination, const int64_t *numbers,
                                   size_t n, sy_fail *f);

#endif
