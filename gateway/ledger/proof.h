/*
 * A proof that a leaf stands in a ledger: the leaf, its place and path, the signed head of the
 * tree, the key and the certificates that bind it to a gateway. It needs no access to the gateway.
 *
 * As JSON: {"leaf":text,"index":N,"size":N,"path":[hex …],"head":text,"signature":base64url,
 * "key":base64,"chain":[base64 …]}; leaf and head are strings, whose bytes are what is hashed and
 * signed. Everything is hostile until it is checked.
 */
#ifndef SY_PROOF_H
#define SY_PROOF_H

#include "ledger/chain.h"
#include "ledger/es256.h"
#include "ledger/head.h"

enum { SY_PROOF_BYTES = 262144 }; /* as JSON, at most */

/* A head with its signature, its key and the key's certificates. */
typedef struct sy_signed_head {
    sy_buf text;
    uint8_t signature[SY_SIGNATURE_BYTES];
    sy_buf spki;
    sy_chain chain;
} sy_signed_head;
void sy_signed_head_init(sy_signed_head *h);
void sy_signed_head_free(sy_signed_head *h);
/* The members "head", "signature", "key" and "chain" of a JSON object (of jansson). SY_E_PARSE. */
struct json_t;
SY_MUST_USE sy_err sy_signed_head_take(const struct json_t *object, sy_signed_head *out,
                                       sy_fail *f);
/* "head":…,"signature":…,"key":…,"chain":[…], members without braces. */
void sy_signed_head_json(const sy_signed_head *h, sy_buf *out);

typedef struct sy_proof {
    sy_buf leaf;
    uint64_t index, size;
    sy_merkle_proof path;
    sy_signed_head head;
} sy_proof;
void sy_proof_init(sy_proof *p);
void sy_proof_free(sy_proof *p);
void sy_proof_json(const sy_proof *p, sy_buf *out);
/* Into a proof that was just initialised. SY_E_PARSE. */
SY_MUST_USE sy_err sy_proof_read(sy_span json, sy_proof *out, sy_fail *f);
/* Proofs under one head end in the same bytes. Of a proof that can be read: these (borrowed), the
 * last four members; false where its members stand in another order. */
SY_MUST_USE bool sy_proof_tail(sy_span json, sy_span *tail);
/* One that ends in the tail of another that was read: all but its head, which is that of the other
 * and is not read again; out->head stays empty. SY_E_NOTFOUND: it ends otherwise. */
SY_MUST_USE sy_err sy_proof_read_front(sy_span json, sy_span tail, sy_proof *out, sy_fail *f);

/* What each check found. ca NULL or empty: certification is not asked for. */
typedef struct sy_proof_facts {
    sy_head head; /* borrowed from the proof's head */
    bool signature_holds, leaf_included, certified;
} sy_proof_facts;
/* The head is well formed and its key signed it, and (with ca) an authority's certificate binds the
 * key to the head's gateway, at the head's time. SY_E_DENIED, SY_E_PARSE and why; facts tell how
 * far it came. */
SY_MUST_USE sy_err sy_signed_head_check(const sy_signed_head *h, sy_span ca, sy_proof_facts *facts,
                                        sy_fail *f);
/* The leaf stands at its index in the tree of this head. SY_E_DENIED. */
SY_MUST_USE sy_err sy_proof_included(const sy_proof *p, const sy_head *head, sy_fail *f);
/* Both: the head, and that the leaf stands at its index in the head's tree. */
SY_MUST_USE sy_err sy_proof_check(const sy_proof *p, sy_span ca, sy_proof_facts *facts, sy_fail *f);

/* The proof that travels in an event as its last member, `,"steelyardproof":"<base64url>"}`. add:
 * event is one JSON object; proof is JSON. cut: *body takes the event's own bytes (appended),
 * *proof the JSON (appended); SY_E_NOTFOUND where there is none (*body takes the event as it is),
 * SY_E_PARSE where it is not base64url. */
void sy_proof_add(sy_span event, sy_span proof, sy_buf *out);
SY_MUST_USE sy_err sy_proof_cut(sy_span event, sy_buf *body, sy_buf *proof, sy_fail *f);

#endif
