/*
 * The basis of an event: the canonical list of the readings that made the change (C5).
 *
 * Lines of JSON (docs/formats.md, "Basis"): a head (the rule as it is written, premises, place), a
 * line a point (unit, interval, device, calibration), after it its readings in order. Their Merkle
 * root and number go into the event's leaf. What is read when is planned where the judge tells the
 * change (sy_basis_plan_make); the readings are taken from the store in the batch that stores the
 * event, so that the list is a function of the log up to that record.
 */
#ifndef SY_BASIS_H
#define SY_BASIS_H

#include "base/merkle.h"
#include "pipeline/event.h"
#include "store/store.h"

/* Readings listed at most, over all points of an event; of what is more, the newest. */
enum { SY_BASIS_POINTS = 256, SY_BASIS_READINGS = 20000 };

typedef struct sy_basis_series {
    const char *series, *line; /* the point's line without its last members */
    sy_ms from, to, before, after;
} sy_basis_series;
typedef struct sy_basis_plan { /* n 0: the event has no basis */
    const char *head;
    const sy_basis_series *v;
    size_t n;
} sy_basis_plan;

/* For a change that e->judge has told. Texts live in the arena. SY_E_NOMEM. */
SY_MUST_USE sy_err sy_basis_plan_make(const sy_event_of *e, sy_arena *a, sy_basis_plan *out);

typedef struct sy_basis_sum {
    uint64_t n; /* lines; 0: the event has none */
    sy_digest root;
} sy_basis_sum;
/* In a batch that holds the readings: list them, keep the lines, and give their sum. */
SY_MUST_USE sy_err sy_basis_put(sy_store *s, const char *event, const sy_basis_plan *p,
                                sy_basis_sum *out, sy_fail *f);

#endif
