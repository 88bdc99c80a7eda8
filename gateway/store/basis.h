/*
 * The canonical lists of readings that alerts rest on (docs/formats.md, "Basis"), compressed, one
 * an event; and the events of an alert. Reading: any thread, as the store.
 */
#ifndef SY_STORE_BASIS_H
#define SY_STORE_BASIS_H

#include "base/merkle.h"
#include "store/store.h"

enum { SY_STORE_BASIS_MAX = 64 << 20 }; /* bytes of the lines of an event */

/* In a batch: n lines, each with a line end, and their root. An event that has one keeps it. */
SY_MUST_USE sy_err sy_store_basis_put(sy_store *s, const char *event, uint64_t n,
                                      const sy_digest *root, sy_span lines, sy_fail *f);
/* The lines, appended to out. SY_E_NOTFOUND: the event has none. SY_E_CORRUPT. */
SY_MUST_USE sy_err sy_store_basis_get(sy_store *s, const char *event, uint64_t *n, sy_digest *root,
                                      sy_buf *out, sy_fail *f);

/* Events in the order in which they were made; alert NULL: all. Borrowed until the call returns; a
 * callback that returns false ends it. */
SY_MUST_USE sy_err sy_store_events(sy_store *s, const char *alert,
                                   bool (*fn)(void *ctx, const sy_event_row *e), void *ctx,
                                   sy_fail *f);

#endif
