/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/changes.h"

#include <stdlib.h>

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(elt) ((elt)->lost = true)
#include <uthash.h>

typedef struct sy_changes_entry {
    char id[33];
    bool lost, known;
    uint8_t levels;
    uint64_t n;
    sy_ms told; /* the log's clock at the last change */
    UT_hash_handle hh;
} entry;

void sy_changes_fini(sy_changes *c)
{
    entry *e = c->by_id;
    HASH_CLEAR(hh, c->by_id); /* the table; the entries stay a list */
    while (e) {
        entry *next = e->hh.next;
        free(e);
        e = next;
    }
}

static entry *find(sy_changes *c, const char *id)
{
    entry *e = NULL;
    HASH_FIND_STR(c->by_id, id, e);
    return e;
}

static entry *add(sy_changes *c, const char *id)
{
    entry *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    memcpy(e->id, id, strnlen(id, sizeof e->id - 1));
    HASH_ADD_STR(c->by_id, id, e);
    if (e->lost) {
        free(e);
        return NULL;
    }
    return e;
}

uint64_t sy_changes_next(sy_changes *c, const char *id, sy_alert_level level, sy_ms now,
                         unsigned *levels)
{
    entry *e = find(c, id);
    if (!e)
        e = add(c, id);
    if (!e)
        return 0;
    e->levels |= (uint8_t)(1u << level);
    *levels = e->levels;
    e->told = now;
    return ++e->n;
}

static void know(void *ctx, const sy_alert *a)
{
    entry *e = find(ctx, a->id);
    if (e)
        e->known = true;
}

sy_err sy_changes_prune(sy_changes *c, const sy_judge *j, sy_ms since)
{
    sy_err err = sy_judge_alerts(j, know, c);
    if (err)
        return err; /* an alert that is not known would begin to count anew */
    entry *e, *next;
    HASH_ITER(hh, c->by_id, e, next)
    {
        if (!e->known && e->told < since) {
            /* The analyzer does not see that the table goes with the last entry only. */
            HASH_DEL(c->by_id, e); // NOLINT(clang-analyzer-unix.Malloc)
            free(e);
        } else {
            e->known = false;
        }
    }
    return SY_OK;
}

static int by_id(const entry *a, const entry *b)
{
    return strcmp(a->id, b->id);
}

void sy_changes_save(sy_changes *c, sy_buf *out)
{
    HASH_SORT(c->by_id, by_id);
    sy_buf_u32(out, (uint32_t)HASH_COUNT(c->by_id));
    for (entry *e = c->by_id; e; e = e->hh.next) {
        sy_buf_blob(out, sy_span_of(e->id));
        sy_buf_u64(out, e->n);
        sy_buf_u8(out, e->levels);
        sy_buf_u64(out, (uint64_t)e->told);
    }
}

sy_err sy_changes_load(sy_changes *c, sy_rd *in)
{
    uint32_t n = sy_rd_u32(in);
    for (uint32_t i = 0; i < n && !in->bad; i++) {
        sy_span id = sy_rd_blob(in);
        uint64_t number = sy_rd_u64(in);
        uint8_t levels = sy_rd_u8(in);
        sy_ms told = (sy_ms)sy_rd_u64(in);
        char text[33] = "";
        if (in->bad || id.n >= sizeof text)
            return SY_E_CORRUPT;
        memcpy(text, id.p, id.n);
        entry *e = find(c, text);
        if (e)
            return SY_E_CORRUPT;
        e = add(c, text);
        if (!e)
            return SY_E_NOMEM;
        e->n = number;
        e->levels = levels;
        e->told = told;
    }
    return in->bad ? SY_E_CORRUPT : SY_OK;
}
