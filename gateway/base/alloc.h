/*
 * Memory for code that may not call malloc itself (rules/), and arenas. Pure.
 *
 * A sy_alloc is one function that allocates, resizes and frees, as realloc does, so that the owner
 * decides where memory comes from and tests can make each allocation fail.
 * An arena hands out memory that is freed all at once; it is not thread-safe.
 */
#ifndef SY_ALLOC_H
#define SY_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

typedef struct sy_alloc {
    /* size 0 frees and returns NULL; p NULL allocates; NULL on failure leaves p as it was. */
    void *(*resize)(void *ctx, void *p, size_t size);
    void *ctx;
} sy_alloc;

typedef struct sy_arena_block sy_arena_block;
typedef struct sy_arena {
    sy_alloc alloc;
    sy_arena_block *blocks;
    size_t used_bytes;  /* handed out so far */
    size_t limit_bytes; /* 0: none; beyond it sy_arena_get returns NULL */
} sy_arena;

/* Caller's storage; no memory is taken before the first sy_arena_get. */
void sy_arena_init(sy_arena *a, sy_alloc alloc, size_t limit_bytes);
/* Free everything. The arena may be used again. */
void sy_arena_fini(sy_arena *a);
/* Zeroed memory, aligned for any type, or NULL. */
SY_MUST_USE void *sy_arena_get(sy_arena *a, size_t size);
/* A NUL-terminated copy, or NULL. */
SY_MUST_USE char *sy_arena_text(sy_arena *a, sy_span text);

/* A growing array of `item` bytes each: *data, *cap are the caller's fields. After SY_OK there is
 * room for `need` items; on SY_E_NOMEM nothing changed. Free with alloc.resize(ctx, data, 0). */
SY_MUST_USE sy_err sy_grow(sy_alloc alloc, void **data, size_t *cap, size_t need, size_t item);

#endif
