/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings that came lately. Keyed by (series, time) at once, a batch would touch a page for each
 * series: with a thousand series 5 to 10 KB of flash a reading. So a reading first goes to the end
 * of the table `recent`, and when there are SETTLE_ROWS of them, all move to `reading` in the order
 * of its key, in one batch. What is needed to find a duplicate among them is in memory, and is read
 * from the table again after a restart or a rolled back batch.
 */
#include <stdlib.h>

#include "store/store_int.h"

enum { SETTLE_ROWS = 32768, SLOTS = 65536 };

sy_recent *sy_recent_open(void)
{
    return calloc(1, sizeof(sy_recent));
}

void sy_recent_close(sy_recent *r)
{
    if (!r)
        return;
    free(r->rows);
    free(r->slots);
    free(r->newest);
    free(r);
}

void sy_recent_forget(sy_recent *r)
{
    r->loaded = false;
    r->n = 0;
    r->newest_n = 0;
    if (r->slots)
        memset(r->slots, 0, SLOTS * sizeof *r->slots);
}

static uint32_t slot_of(uint32_t series, sy_ms t)
{
    uint64_t h = ((uint64_t)t ^ (uint64_t)series << 40) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 48) & (SLOTS - 1);
}

static sy_err keep(sy_recent *r, const sy_recent_row *row, sy_fail *f)
{
    if (sy_grow(sy_heap(), (void **)&r->rows, &r->cap, r->n + 1, sizeof *r->rows))
        return sy_fail_set(f, SY_E_NOMEM, "no memory for recent readings");
    uint32_t *slot = &r->slots[slot_of(row->series, row->t)];
    r->rows[r->n] = *row;
    r->rows[r->n].older = *slot;
    *slot = (uint32_t)++r->n;
    return SY_OK;
}

static sy_err newest_slot(sy_recent *r, int64_t series, struct sy_newest **out, sy_fail *f)
{
    size_t need = (size_t)series;
    if (need > r->newest_n) {
        if (sy_grow(sy_heap(), (void **)&r->newest, &r->newest_cap, need, sizeof *r->newest))
            return sy_fail_set(f, SY_E_NOMEM, "no memory for the store's series");
        while (r->newest_n < need)
            r->newest[r->newest_n++] = (struct sy_newest){.t = SY_MS_NONE};
    }
    *out = &r->newest[need - 1];
    return SY_OK;
}

static sy_err load_row(sy_recent *r, sqlite3_stmt *st, sy_fail *f)
{
    sy_recent_row row = {.series = (uint32_t)sqlite3_column_int64(st, 1),
                         .t = sqlite3_column_int64(st, 2),
                         .value = sy_store__value(st, 3),
                         .quality = (sy_quality)sqlite3_column_int64(st, 4)};
    if (sqlite3_column_int64(st, 0) != (int64_t)r->n + 1 || row.series == 0)
        return sy_fail_set(f, SY_E_CORRUPT, "store: recent readings are not in order");
    struct sy_newest *newest = NULL;
    sy_err e = newest_slot(r, row.series, &newest, f);
    if (!e && row.t > newest->t)
        newest->t = row.t;
    return e ? e : keep(r, &row, f);
}

static sy_err load(sy_store *s, sy_fail *f)
{
    sy_recent *r = s->recent;
    sy_recent_forget(r);
    if (!r->slots)
        r->slots = calloc(SLOTS, sizeof *r->slots);
    if (!r->slots)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for recent readings");
    sqlite3_stmt *st = sy_store__get(s, SY_SQL_RECENT_ALL, f);
    if (!st)
        return SY_E_IO;
    int rc = SQLITE_DONE;
    sy_err e = SY_OK;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW)
        e = load_row(r, st, f);
    if (!e && rc != SQLITE_DONE)
        e = sy_store__err(s->writer, rc, "read recent readings", f);
    sqlite3_reset(st);
    r->loaded = !e;
    return e;
}

/* Take the settled readings of a series into account. */
static sy_err look_up(sy_store *s, int64_t series, struct sy_newest *newest, sy_fail *f)
{
    sqlite3_stmt *st = sy_store__get(s, SY_SQL_NEWEST, f);
    if (!st)
        return SY_E_IO;
    sy_store__bind(st, "i", series);
    int rc = sqlite3_step(st);
    sy_err e = rc == SQLITE_ROW ? SY_OK : sy_store__err(s->writer, rc, "read a series", f);
    if (!e && sqlite3_column_type(st, 0) != SQLITE_NULL && sqlite3_column_int64(st, 0) > newest->t)
        newest->t = sqlite3_column_int64(st, 0);
    newest->settled = !e;
    sqlite3_reset(st);
    return e;
}

sy_err sy_recent_newest(sy_store *s, int64_t series, sy_ms **newest, sy_fail *f)
{
    struct sy_newest *slot = NULL;
    sy_err e = s->recent->loaded ? SY_OK : load(s, f);
    if (!e)
        e = newest_slot(s->recent, series, &slot, f);
    if (!e && !slot->settled)
        e = look_up(s, series, slot, f);
    if (!e)
        *newest = &slot->t;
    return e;
}

sy_err sy_recent_add(sy_store *s, const sy_recent_row *row, sy_ms recv, uint64_t seq, sy_fail *f)
{
    sy_err e = sy_store__run(s, SY_SQL_RECENT_ADD, f, "iiidiii", (int64_t)s->recent->n + 1,
                             (int64_t)row->series, row->t, row->value, (int64_t)row->quality, recv,
                             (int64_t)seq);
    return e ? e : keep(s->recent, row, f);
}

uint32_t sy_recent_find(const sy_recent *r, int64_t series, sy_ms t, uint32_t from)
{
    uint32_t i = from ? r->rows[from - 1].older : r->slots[slot_of((uint32_t)series, t)];
    while (i && (r->rows[i - 1].series != series || r->rows[i - 1].t != t))
        i = r->rows[i - 1].older;
    return i;
}

sy_err sy_recent_set(sy_store *s, uint32_t at, sy_quality q, sy_fail *f)
{
    s->recent->rows[at - 1].quality = q;
    return sy_store__run(s, SY_SQL_RECENT_SET, f, "ii", (int64_t)at, (int64_t)q);
}

sy_err sy_recent_settle(sy_store *s, sy_fail *f)
{
    sy_recent *r = s->recent;
    if (!r->loaded || r->n < SETTLE_ROWS)
        return SY_OK;
    sy_err e = sy_store__run(s, SY_SQL_SETTLE, f, "");
    if (!e)
        e = sy_store__run(s, SY_SQL_RECENT_CLEAR, f, "");
    if (e)
        return e;
    r->n = 0;
    memset(r->slots, 0, SLOTS * sizeof *r->slots);
    return SY_OK;
}
