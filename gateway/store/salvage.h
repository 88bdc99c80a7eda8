/*
 * A damaged store: found out, and what can be read of it taken over into a new one, whose other
 * rows come from the journal again, read from its first record.
 *
 * What is taken over: the ledger, events and what is still to be sent of them, alerts, holds, and
 * readings that are older than the journal. The ledger's leaves are known by their bytes while the
 * journal is read again up to where the old store was, so that a leaf that comes again keeps its
 * place: heads that were sent stay true, as long as all leaves could be read.
 */
#ifndef SY_SALVAGE_H
#define SY_SALVAGE_H

#include "store/store.h"

typedef struct sy_salvaged {
    uint64_t rows;  /* taken over */
    uint64_t cut;   /* tables that could not be read whole */
    uint64_t until; /* the old store's position; 0: it could not be read */
} sy_salvaged;

/* Look through the whole store of a folder on which no gateway runs. SY_E_CORRUPT, and what is
 * wrong. Blocks for as long as it takes to read it. */
SY_MUST_USE sy_err sy_store_check(const char *data_dir, sy_fail *f);

/* Into a store that was just made. `damaged` is the old one's file. `first`, `last`: what the
 * journal has; readings with a record from `first` on are left to it. */
SY_MUST_USE sy_err sy_store_salvage(sy_store *s, const char *damaged, uint64_t first, uint64_t last,
                                    sy_salvaged *out, sy_fail *f);

/* The position up to which the journal is read again, 0 where that is over. */
SY_MUST_USE sy_err sy_store_rebuilt_to(sy_store *s, uint64_t *seq, sy_fail *f);

/* Leaves under a signed head could not be taken over: nothing may be signed with this store. */
SY_MUST_USE sy_err sy_store_ledger_lost(sy_store *s, bool *lost, sy_fail *f);

/* Since it was opened, a call has met damage. Any thread. */
bool sy_store_damaged(const sy_store *s);
void sy_store_note_damage(sy_store *s); /* whoever uses the store has met some */

#endif
