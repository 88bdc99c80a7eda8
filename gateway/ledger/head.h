/*
 * The canonical texts of the ledger: heads and leaves, written and read. What is signed and hashed
 * is the text itself, byte for byte; there is one spelling of each, and reading refuses any other.
 * Pure but for sy_fail. docs/ledger.md
 */
#ifndef SY_HEAD_H
#define SY_HEAD_H

#include "base/merkle.h"
#include "base/os.h"

/* What a signed head says: the ledger had these leaves then. Texts are borrowed. */
typedef struct sy_head {
    sy_span gateway, box, kid;
    uint64_t size;
    sy_digest root;
    sy_ms time;
} sy_head;

void sy_head_text(const sy_head *h, sy_buf *out);
/* SY_E_PARSE: no head, or one of another hash or signature algorithm. Borrows from text. */
SY_MUST_USE sy_err sy_head_read(sy_span text, sy_head *out, sy_fail *f);

/* The leaf of an event: its id, the hash of its body, the Merkle root over the readings that made
 * it (readings false: it has none), and the set that judged (empty: it is no judgement). */
typedef struct sy_leaf_event {
    sy_span id, body, set;
    bool readings;
    uint64_t n;
    sy_digest root;
} sy_leaf_event;
void sy_leaf_event_text(const sy_leaf_event *e, sy_buf *out);
/* The leaf is the one of an event of this id with this very body. */
bool sy_leaf_is_event(sy_span leaf, sy_span id, sy_span body);
/* Likewise for an event of which something was taken out: `original` is the hash of its whole text
 * (64 digits, lower-case hex; anything else is false). */
bool sy_leaf_is_redacted(sy_span leaf, sy_span id, const char *original);

void sy_leaf_activation_text(uint64_t seq, const char *set, sy_buf *out);
void sy_leaf_clock_text(uint64_t seq, sy_ms old, sy_ms now, sy_buf *out);
void sy_leaf_box_text(sy_ms time, const char *id, const char *before, sy_buf *out);

/* Who did what to which thing, and why: plain texts. */
typedef struct sy_action {
    const char *who, *what, *on, *why;
} sy_action;
void sy_leaf_action_text(sy_ms time, const sy_action *a, sy_buf *out);

/* A key that signs from here on. What both keys sign is the leaf without its signatures:
 * sy_leaf_key_text with new_signature NULL. before NULL: the first key, signed by itself alone. */
typedef struct sy_leaf_key {
    sy_ms time;
    const char *kid, *before;
    sy_span spki;
    const uint8_t *new_signature, *old_signature;
} sy_leaf_key;
void sy_leaf_key_text(const sy_leaf_key *k, sy_buf *out);

#endif
