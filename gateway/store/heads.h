/*
 * What the ledger keeps beside its leaves, as rows of the store: signed heads, the keys that signed
 * them, the boxes that the card was in, and which head each destination has confirmed.
 *
 * Any thread; what is put is part of the writer's batch unless it says otherwise. Rows are borrowed
 * until the callback returns.
 */
#ifndef SY_HEADS_H
#define SY_HEADS_H

#include "store/store.h"

enum { SY_HEAD_SIGNATURE_BYTES = 64 };

typedef struct sy_head_row {
    uint64_t size; /* leaves under it; one head a size */
    sy_ms time;
    const char *kid;
    sy_span text, signature; /* the very bytes that are signed */
} sy_head_row;
SY_MUST_USE sy_err sy_store_head_put(sy_store *s, const sy_head_row *h, sy_fail *f);
typedef void (*sy_head_fn)(void *ctx, const sy_head_row *h);
/* The heads of these sizes, [from, to], ascending, at most max of them; or from the largest down.
 * Nothing found is no failure. */
SY_MUST_USE sy_err sy_store_heads(sy_store *s, uint64_t from, uint64_t to, int max, bool down,
                                  sy_head_fn fn, void *ctx, sy_fail *f);

typedef struct sy_key_row {
    const char *kid;
    uint64_t leaf; /* where the ledger says that it signs from here on */
    sy_ms time;
    sy_span spki, chain; /* certificates: u32 length and DER, each; empty: none */
} sy_key_row;
SY_MUST_USE sy_err sy_store_key_put(sy_store *s, const sy_key_row *k, sy_fail *f);
SY_MUST_USE sy_err sy_store_key_chain(sy_store *s, const char *kid, sy_span chain, sy_fail *f);
/* The key of that name, or (kid NULL) the one that signs now. SY_E_NOTFOUND. */
SY_MUST_USE sy_err sy_store_key(sy_store *s, const char *kid,
                                void (*fn)(void *ctx, const sy_key_row *k), void *ctx, sy_fail *f);

/* The box that the data folder was last used in; "" where it never was. */
SY_MUST_USE sy_err sy_store_box(sy_store *s, char id[65], sy_fail *f);
SY_MUST_USE sy_err sy_store_box_put(sy_store *s, const char *id, sy_ms time, uint64_t leaf,
                                    sy_fail *f);

/* The leaf of an event, by its id. */
SY_MUST_USE sy_err sy_store_event_leaf(sy_store *s, const char *id, uint64_t leaf, sy_fail *f);

/* The size of the newest head that a destination has confirmed, 0: none. */
SY_MUST_USE sy_err sy_store_confirmed(sy_store *s, const char *destination, uint64_t *size,
                                      sy_fail *f);
/* A head is about to be told to a destination, which may receive it whether or not its answer comes
 * back: durable when it returns. Those that it has not confirmed, ascending. */
SY_MUST_USE sy_err sy_store_tell(sy_store *s, const char *destination, uint64_t size, sy_fail *f);
/* The same within a batch. */
SY_MUST_USE sy_err sy_store_told_put(sy_store *s, const char *destination, uint64_t size,
                                     sy_fail *f);
SY_MUST_USE sy_err sy_store_told(sy_store *s, const char *destination,
                                 void (*fn)(void *ctx, uint64_t size), void *ctx, sy_fail *f);
/* In a transaction of its own; a smaller size than the known one changes nothing. */
SY_MUST_USE sy_err sy_store_confirm(sy_store *s, const char *destination, uint64_t size,
                                    sy_fail *f);

#endif
