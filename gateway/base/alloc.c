/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: blocks that double in size up to 64 KiB, freed together. */
#include "base/alloc.h"

#include <stdalign.h>

struct sy_arena_block {
    sy_arena_block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

enum { FIRST_BLOCK = 1024, LARGEST_BLOCK = 65536 };

void sy_arena_init(sy_arena *a, sy_alloc alloc, size_t limit_bytes)
{
    *a = (sy_arena){.alloc = alloc, .limit_bytes = limit_bytes};
}

void sy_arena_fini(sy_arena *a)
{
    sy_arena_block *b = a->blocks;
    while (b) {
        sy_arena_block *next = b->next;
        a->alloc.resize(a->alloc.ctx, b, 0);
        b = next;
    }
    a->blocks = NULL;
    a->used_bytes = 0;
}

static sy_arena_block *add_block(sy_arena *a, size_t need)
{
    size_t size = a->blocks ? a->blocks->size * 2 : FIRST_BLOCK;
    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (size < need)
        size = need;
    sy_arena_block *b = a->alloc.resize(a->alloc.ctx, NULL, sizeof *b + size);
    if (!b)
        return NULL;
    b->size = size;
    b->used = 0;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *sy_arena_get(sy_arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + align - 1) / align * align;
    if (size == 0)
        size = align;
    if (a->limit_bytes && size > a->limit_bytes - a->used_bytes)
        return NULL;
    sy_arena_block *b = a->blocks;
    if (!b || b->size - b->used < size) {
        b = add_block(a, size);
        if (!b)
            return NULL;
    }
    void *p = b->bytes + b->used;
    b->used += size;
    a->used_bytes += size;
    memset(p, 0, size);
    return p;
}

char *sy_arena_text(sy_arena *a, sy_span text)
{
    char *p = sy_arena_get(a, text.n + 1);
    if (p && text.n)
        memcpy(p, text.p, text.n);
    return p;
}

sy_err sy_grow(sy_alloc alloc, void **data, size_t *cap, size_t need, size_t item)
{
    if (need <= *cap)
        return SY_OK;
    size_t want = *cap ? *cap : 8;
    while (want < need) {
        if (want > SIZE_MAX / 2)
            return SY_E_NOMEM;
        want *= 2;
    }
    if (item && want > SIZE_MAX / 2 / item)
        return SY_E_NOMEM;
    void *p = alloc.resize(alloc.ctx, *data, want * item);
    if (!p)
        return SY_E_NOMEM;
    *data = p;
    *cap = want;
    return SY_OK;
}
