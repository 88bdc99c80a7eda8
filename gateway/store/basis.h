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

/* The body of an event, appended to out, and its leaf, SY_NO_LEAF: none. SY_E_NOTFOUND. */
#define SY_NO_LEAF UINT64_MAX
SY_MUST_USE sy_err sy_store_event_get(sy_store *s, const char *id, sy_buf *body, uint64_t *leaf,
                                      sy_fail *f);

/* ---- for a verifier ---- */
/* SQLite's own check of the file: a line for each thing that is damaged, up to a hundred. */
SY_MUST_USE sy_err sy_store_inspect(sy_store *s, void (*fn)(void *ctx, const char *line), void *ctx,
                                    sy_fail *f);
/* Leaves in order. Borrowed; a callback that returns false ends it. */
SY_MUST_USE sy_err sy_store_each_leaf(sy_store *s,
                                      bool (*fn)(void *ctx, uint64_t index, sy_span leaf),
                                      void *ctx, sy_fail *f);
/* A stored subtree. SY_E_NOTFOUND, SY_E_CORRUPT. */
SY_MUST_USE sy_err sy_store_node(sy_store *s, unsigned level, uint64_t index, sy_digest *out,
                                 sy_fail *f);
/* Sealed chunks in the order of sealing, decoded. Borrowed; a callback that returns false ends it.
 */
typedef struct sy_chunk_fact {
    const char *series;
    int64_t number;
    sy_ms from, to;
    uint64_t n, first_seq, last_seq, leaf;
    sy_digest root; /* made anew from the samples */
    bool sound;     /* it decodes, and root and figures are stored as they are */
} sy_chunk_fact;
SY_MUST_USE sy_err sy_store_each_chunk(sy_store *s, bool (*fn)(void *ctx, const sy_chunk_fact *c),
                                       void *ctx, sy_fail *f);
/* Events that have no leaf, and subtrees that are stored. */
SY_MUST_USE sy_err sy_store_loose(sy_store *s, uint64_t *events, uint64_t *nodes, sy_fail *f);

#endif
