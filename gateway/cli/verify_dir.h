/*
 * Verifying a data folder: the ledger leaf by leaf, its signed heads, and all that leaves speak of
 * and that is still there. docs/evidence.md says what is covered and what is not.
 */
#ifndef SY_VERIFY_DIR_H
#define SY_VERIFY_DIR_H

#include "ledger/verify.h"
#include "store/store.h"

/* What is broken is told through c. heads: a file of events of type steelyard.head, or NULL.
 * SY_E_*: the folder could not be gone through. */
SY_MUST_USE sy_err sy_verify_dir(const char *data, const char *heads, sy_check *c, sy_fail *f);

/* ---- between the files ---- */
typedef struct sy_verify_count {
    uint64_t events, readings, segments, records, chunks, samples, sets, expired, others;
} sy_verify_count;
enum {
    SY_LEAF_GONE = 1, /* an expiry leaf speaks of it */
    SY_LEAF_FOUND = 2 /* a chunk that is there, whole, was found for it */
};
/* The ledger goes on from a backup: heads over more leaves than `leaf`, signed up to `time`, are of
 * what was lost then. */
typedef struct sy_verify_restore {
    uint64_t leaf, heads, most; /* so many of them were met; the leaves under the largest */
    sy_ms time;
} sy_verify_restore;
enum { SY_VERIFY_RESTORES = 64 };
typedef struct sy_verifying {
    sy_check *c;
    sy_store *store;
    const char *data;
    sy_digest *hashes; /* of the leaves */
    uint8_t *gone;     /* SY_LEAF_GONE, SY_LEAF_FOUND */
    uint64_t n, cap;
    char last_set[65]; /* that was looked at */
    sy_verify_count count;
    sy_verify_restore restores[SY_VERIFY_RESTORES];
    size_t n_restores;
    sy_err err;
    sy_fail *f;
} sy_verifying;

/* What a leaf speaks of is there, and is what it says. */
void sy_verify_thing(sy_verifying *v, uint64_t index, sy_span leaf);
/* Sealed chunks: each is what its leaf says. Before sy_verify_thing, which tells what is missing.
 */
void sy_verify_chunks(sy_verifying *v);
/* Segments of the journal that are not sealed yet: their own checksums. */
void sy_verify_journal(sy_verifying *v);
/* Alerts as they stand are what their newest events say. */
void sy_verify_alerts(sy_verifying *v);
/* verify_heads.c: the leaf o of what a person did; a restore is told and kept in mind. */
struct json_t;
void sy_verify_action(sy_verifying *v, uint64_t index, const struct json_t *o);
/* Heads that were received earlier: the ledger continues them, but for what a restore lost. */
void sy_verify_heads_file(sy_verifying *v, const char *path);

#endif
