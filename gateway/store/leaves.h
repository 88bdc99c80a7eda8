/*
 * The leaves of the ledger and the complete subtrees over them, as rows of the store.
 *
 * A leaf is appended in the writer's batch, so that it and what it speaks of are one transaction;
 * it never changes and never goes. One node is stored a leaf, so that a root or a proof at any size
 * costs O(log n) reads. What the bytes of a leaf say, heads and signatures: gateway/ledger.
 * Reading: any thread; the thread that holds the batch sees its own leaves.
 */
#ifndef SY_LEAVES_H
#define SY_LEAVES_H

#include "base/merkle.h"
#include "store/store.h"

/* In a batch. *index counts from 0. */
SY_MUST_USE sy_err sy_store_leaf(sy_store *s, sy_span leaf, uint64_t *index, sy_fail *f);
/* How many there are. */
SY_MUST_USE sy_err sy_store_leaves(sy_store *s, uint64_t *n, sy_fail *f);
/* Append the bytes of a leaf to out. SY_E_NOTFOUND. */
SY_MUST_USE sy_err sy_store_leaf_get(sy_store *s, uint64_t index, sy_buf *out, sy_fail *f);
/* The root of the first n leaves; SY_E_RANGE: there are not so many. */
SY_MUST_USE sy_err sy_store_root(sy_store *s, uint64_t n, sy_digest *out, sy_fail *f);
/* Proofs (base/merkle.h). SY_E_RANGE likewise. */
SY_MUST_USE sy_err sy_store_inclusion(sy_store *s, uint64_t index, uint64_t n, sy_merkle_proof *out,
                                      sy_fail *f);
SY_MUST_USE sy_err sy_store_consistency(sy_store *s, uint64_t m, uint64_t n, sy_merkle_proof *out,
                                        sy_fail *f);

#endif
