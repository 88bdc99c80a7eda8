/*
 * Verification: what stands, what is broken, said line by line. Needs nothing but the bytes and the
 * authority's certificate. Pure but for the libraries below; everything that is read is hostile.
 */
#ifndef SY_VERIFY_H
#define SY_VERIFY_H

#include <jansson.h>

#include "ledger/evidence.h"

typedef enum sy_finding_kind {
    SY_FOUND_FINE,
    SY_FOUND_NOTE,  /* neither: something that was not there to be checked */
    SY_FOUND_BROKEN /* damage, or no proof; the text names the thing */
} sy_finding_kind;

/* What a verification tells. */
typedef struct sy_check {
    bool zh;
    sy_span ca; /* PEM; empty: certificates are not asked for, and that is told */
    void (*tell)(void *ctx, sy_finding_kind kind, const char *text);
    void *ctx;
    uint64_t fine, broken;
} sy_check;
/* A line in the reader's language; both formats take the same arguments. */
void sy_check_say(sy_check *c, sy_finding_kind kind, const char *en, const char *zh, ...)
    __attribute__((format(printf, 3, 5), format(printf, 4, 5)));

/* An evidence file: each event's leaf, path, head, certificates, body, readings; the records; and
 * that the page shows this and nothing else. Whether anything is broken is in c->broken. SY_E_PARSE
 * where the bytes are no evidence at all, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_verify_evidence(sy_span file, sy_check *c, sy_fail *f);
/* An event as it was received, with its proof inside, or an array of them. */
SY_MUST_USE sy_err sy_verify_events(sy_span file, sy_check *c, sy_fail *f);

/* The Merkle root over the lines, and how many there are; false: the last has no end. */
bool sy_verify_lines(sy_span lines, uint64_t *n, sy_digest *root);
/* The leaf is that of the event with this body and these lines: false and which part does not fit,
 * "body", "list of readings". */
bool sy_verify_leaf(sy_span leaf, sy_span id, sy_span body, sy_span lines, const char **part);
/* The event's source is that gateway. */
bool sy_verify_source(const json_t *event, sy_span gateway);
/* That word in the reader's language. */
const char *sy_verify_part(const sy_check *c, const char *part);

#endif
