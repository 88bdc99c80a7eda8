/*
 * Merkle trees (RFC 6962 section 2.1, RFC 9162 section 2.1) over SHA-256. Pure, no allocation.
 *
 * The hash of a leaf is SHA-256(0x00 || bytes), of a node SHA-256(0x01 || left || right), of the
 * empty tree SHA-256 of nothing. A tree of n leaves splits at the largest power of two below n.
 * Proofs need only complete subtrees, which never change once they are there: they are asked from
 * the caller, who keeps them (store/leaves.c) or computes them.
 */
#ifndef SY_MERKLE_H
#define SY_MERKLE_H

#include "base/err.h"
#include "base/span.h"

typedef struct sy_digest {
    uint8_t b[32];
} sy_digest;

enum { SY_MERKLE_DEPTH = 64 }; /* longest path; a consistency proof has one more at most */
typedef struct sy_merkle_proof {
    size_t n;
    sy_digest path[SY_MERKLE_DEPTH + 1];
} sy_merkle_proof;

sy_digest sy_merkle_leaf(sy_span bytes);
sy_digest sy_merkle_node(const sy_digest *left, const sy_digest *right);

/* A tree that only grows, by its complete subtrees: full[l] is set where bit l of n is. */
typedef struct sy_merkle {
    uint64_t n;
    sy_digest full[SY_MERKLE_DEPTH];
} sy_merkle;
void sy_merkle_init(sy_merkle *m);
void sy_merkle_add(sy_merkle *m, const sy_digest *leaf);
sy_digest sy_merkle_root(const sy_merkle *m);

/* The hash of the complete subtree over the leaves [index << level, (index + 1) << level). */
typedef sy_err (*sy_merkle_get)(void *ctx, unsigned level, uint64_t index, sy_digest *out);
/* The root of the first n leaves. An error of get is passed on. */
SY_MUST_USE sy_err sy_merkle_root_of(sy_merkle_get get, void *ctx, uint64_t n, sy_digest *out);
/* The inclusion path of leaf `index` in the tree of n leaves; SY_E_RANGE: index >= n. */
SY_MUST_USE sy_err sy_merkle_inclusion(sy_merkle_get get, void *ctx, uint64_t index, uint64_t n,
                                       sy_merkle_proof *out);
/* The proof that the tree of n leaves continues that of m; empty for m = 0 and m = n; SY_E_RANGE:
 * m > n. */
SY_MUST_USE sy_err sy_merkle_consistency(sy_merkle_get get, void *ctx, uint64_t m, uint64_t n,
                                         sy_merkle_proof *out);

/* RFC 9162 section 2.1.3.2: `leaf` is leaf `index` of the tree of n leaves with that root. */
bool sy_merkle_included(const sy_digest *leaf, uint64_t index, uint64_t n,
                        const sy_merkle_proof *proof, const sy_digest *root);
/* RFC 9162 section 2.1.4.2, and the trivial cases: an empty tree is continued by every tree, a tree
 * by itself; their proofs are empty. */
bool sy_merkle_consistent(uint64_t m, const sy_digest *root_m, uint64_t n, const sy_digest *root_n,
                          const sy_merkle_proof *proof);

static inline bool sy_digest_equal(const sy_digest *a, const sy_digest *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}
/* 64 lower-case hex digits and a NUL; and back, SY_E_PARSE for anything else. */
void sy_digest_hex(const sy_digest *d, char out[65]);
SY_MUST_USE sy_err sy_digest_parse(sy_span hex, sy_digest *out);

#endif
