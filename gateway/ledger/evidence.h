/*
 * The evidence of an alert: its events word for word with their proofs, what they rest on, and the
 * original records, as one JSON object, and as one HTML page that shows it to people and carries
 * the JSON inside. docs/evidence.md
 *
 * Nothing is in it that is not proven by what is in it: there is one spelling of each page for what
 * it says, so that a verifier writes the page again from the JSON and compares every byte
 * (sy_verify_evidence), and no field of the JSON escapes a check. Pure but for the JSON library.
 * Everything that is read is hostile.
 */
#ifndef SY_EVIDENCE_H
#define SY_EVIDENCE_H

#include "ledger/proof.h"

enum { SY_EVIDENCE_BYTES = 64 << 20, SY_EVIDENCE_EVENTS = 1000, SY_EVIDENCE_ORIGINALS = 100000 };

typedef struct sy_evidence_event {
    sy_buf body;    /* the event as the gateway keeps it */
    sy_buf basis;   /* lines with their line ends (docs/formats.md); empty: none */
    bool has_proof; /* false: the ledger has signed no head over it yet */
    sy_proof proof;
} sy_evidence_event;

/* A record of the journal, and where it stands in its sealed segment. */
typedef struct sy_evidence_original {
    sy_buf record; /* its very bytes */
    uint64_t index, records;
    sy_merkle_proof path;
    size_t segment; /* index in segments */
} sy_evidence_original;

typedef struct sy_evidence {
    bool zh;
    char alert[33];
    sy_evidence_event *events;
    size_t n_events, cap_events;
    sy_proof *segments; /* leaves of the sealed segments that the originals are in */
    size_t n_segments, cap_segments;
    sy_evidence_original *originals;
    size_t n_originals, cap_originals;
} sy_evidence;
void sy_evidence_init(sy_evidence *e);
void sy_evidence_free(sy_evidence *e);
/* Another one, initialised; NULL: no memory, or too many. */
sy_evidence_event *sy_evidence_add_event(sy_evidence *e);
sy_proof *sy_evidence_add_segment(sy_evidence *e);
sy_evidence_original *sy_evidence_add_original(sy_evidence *e);

void sy_evidence_json(const sy_evidence *e, sy_buf *out);
/* Into evidence that was just initialised. SY_E_PARSE, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_evidence_read(sy_span json, sy_evidence *out, sy_fail *f);

/* The whole HTML file. SY_E_NOMEM; SY_E_PARSE where a body or a line is no JSON. */
SY_MUST_USE sy_err sy_evidence_page(const sy_evidence *e, sy_buf *out, sy_fail *f);
/* The JSON inside a file that sy_evidence_page has written; borrowed. SY_E_PARSE. */
SY_MUST_USE sy_err sy_evidence_cut(sy_span file, sy_span *json, sy_fail *f);

#endif
