/*
 * The original records of an alert's readings: found in the sealed segments of the journal by
 * decoding what came in about their time, with the set that judged.
 */
#ifndef SY_EVIDENCE_ORIGINALS_H
#define SY_EVIDENCE_ORIGINALS_H

#include "ledger/evidence.h"
#include "store/store.h"

/* Add to e, whose events are there already. Segments that are gone, and records that are not sealed
 * yet, are left out. */
SY_MUST_USE sy_err sy_evidence_originals(sy_evidence *e, sy_store *s, const char *data, sy_fail *f);

#endif
