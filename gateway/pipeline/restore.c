/* SPDX-License-Identifier: Apache-2.0 */
/* From the newest snapshot on: the engine, the records that are to be skipped, the reader. */
#include "pipeline/restore.h"

#include <stdlib.h>

#include "base/log.h"

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

bool sy_restore_is_quarantined(const sy_restore *r, uint64_t seq)
{
    return r->n_quarantined &&
           bsearch(&seq, r->quarantined, r->n_quarantined, sizeof *r->quarantined, by_number);
}

static sy_err note_quarantine(sy_restore *r, sy_span payload, sy_fail *f)
{
    uint64_t seq = 0;
    for (size_t i = 0; i < payload.n && payload.p[i] >= '0' && payload.p[i] <= '9'; i++)
        seq = seq * 10 + (uint64_t)(payload.p[i] - '0');
    if (sy_grow(sy_heap(), (void **)&r->quarantined, &r->cap_quarantined, r->n_quarantined + 1,
                sizeof *r->quarantined))
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    r->quarantined[r->n_quarantined++] = seq;
    return SY_OK;
}

static sy_err open_reader(const sy_restore *r, uint64_t from, sy_jreader **out, sy_fail *f)
{
    sy_buf dir;
    if (r->journal)
        return sy_jreader_open(out, r->journal, NULL, from, f);
    sy_buf_init(&dir, sy_heap());
    sy_buf_printf(&dir, "%s/journal", r->data_dir);
    sy_err err = dir.failed ? sy_fail_set(f, SY_E_NOMEM, "out of memory")
                            : sy_jreader_open(out, NULL, dir.p, from, f);
    sy_buf_fini(&dir);
    return err;
}

/* A quarantine is written after the record it is about, so the part of the log that will be read
 * again is searched before. */
static sy_err find_quarantined(sy_restore *r, sy_fail *f)
{
    sy_jreader *reader = NULL;
    sy_err err = open_reader(r, r->from + 1, &reader, f);
    while (!err) {
        sy_jrec rec;
        err = sy_jreader_next(reader, &rec, f);
        if (!err && rec.type == SY_J_QUARANTINE)
            err = note_quarantine(r, rec.payload, f);
        else if (err == SY_E_CORRUPT)
            err = SY_OK; /* reported when it is read for good */
    }
    sy_jreader_close(reader);
    if (r->n_quarantined)
        qsort(r->quarantined, r->n_quarantined, sizeof *r->quarantined, by_number);
    return err == SY_E_AGAIN ? SY_OK : err;
}

static sy_err fresh_engine(sy_restore *r, sy_fail *f)
{
    sy_engine_close(r->engine);
    r->engine = NULL;
    r->from = 0;
    sy_err err = sy_engine_open(&r->engine, r->data_dir, r->batch, f);
    if (!err)
        sy_engine_share(r->engine, r->loaded, r->ctx);
    return err;
}

/* The log goes back to its first record. */
static bool is_whole(const sy_restore *r)
{
    sy_jreader *reader = NULL;
    sy_jrec rec = {0};
    sy_err err = open_reader(r, 1, &reader, NULL);
    if (!err)
        err = sy_jreader_next(reader, &rec, NULL);
    sy_jreader_close(reader);
    return !err && rec.seq == 1;
}

static sy_err load_snapshot(sy_restore *r, uint64_t position, sy_fail *f)
{
    sy_buf bytes;
    char hash[65] = "";
    sy_fail why = {0};
    sy_err err = fresh_engine(r, f);
    if (err)
        return err;
    sy_buf_init(&bytes, sy_heap());
    uint64_t at = 0, open = sy_store_open_seq(r->store);
    err = sy_store_snapshot_get(r->store, &at, hash, &bytes, &why);
    if (!err && at > position)
        err = sy_fail_set(&why, SY_E_UNSUPPORTED, "the judge's snapshot is ahead of the log");
    if (!err && at > open) {
        if (is_whole(r))
            err = sy_fail_set(&why, SY_E_UNSUPPORTED, "the open samples were not saved with it");
        else
            sy_log(SY_LOG_ERROR, "open-samples-lost", "after=%llu to=%llu",
                   (unsigned long long)open, (unsigned long long)at);
    }
    if (!err)
        err = sy_engine_load(r->engine, hash, sy_buf_span(&bytes), &why);
    sy_buf_fini(&bytes);
    if (!err) {
        r->from = at;
        return SY_OK;
    }
    if (err == SY_E_NOTFOUND)
        return SY_OK;
    sy_log_fail(SY_LOG_WARN, "snapshot-unusable", &why);
    r->anew = true;
    return fresh_engine(r, f);
}

sy_err sy_restore_open(sy_restore *r, uint64_t position, sy_fail *f)
{
    sy_err err = load_snapshot(r, position, f);
    if (!err)
        err = find_quarantined(r, f);
    if (!err)
        err = open_reader(r, r->from + 1, &r->reader, f);
    return err;
}

void sy_restore_fini(sy_restore *r)
{
    sy_jreader_close(r->reader);
    sy_engine_close(r->engine);
    free(r->quarantined);
    r->reader = NULL;
    r->engine = NULL;
    r->quarantined = NULL;
}

static sy_err again(sy_restore *r, uint64_t last, sy_fail *f)
{
    return sy_batch_again(r->batch, r->store, sy_engine_site(r->engine), last, f);
}

static sy_err take_one(sy_restore *r, const sy_jrec *rec, uint64_t last, sy_fail *f)
{
    sy_err err = SY_OK;
    if (r->batch->n_readings >= 60000 || sy_engine_switches(r->engine, rec))
        err = again(r, last, f);
    if (err)
        return err;
    if (!sy_restore_is_quarantined(r, rec->seq))
        return sy_engine_record(r->engine, rec, f);
    sy_engine_skip(r->engine, rec);
    return SY_OK;
}

static sy_err take_all(sy_restore *r, sy_fail *f)
{
    uint64_t last = r->from;
    for (;;) {
        sy_jrec rec;
        sy_err err = sy_jreader_next(r->reader, &rec, f);
        if (err == SY_E_AGAIN)
            return again(r, last, f);
        if (err == SY_E_CORRUPT) {
            sy_log_fail(SY_LOG_ERROR, "journal-read-failed", f);
            continue;
        }
        if (!err)
            err = take_one(r, &rec, last, f);
        if (err)
            return err;
        last = rec.seq;
    }
}

/* Nothing comes after the saved open samples, as after a clean end; or there is no journal. */
static bool is_all_saved(const sy_restore *r)
{
    sy_jreader *reader = NULL;
    sy_jrec rec;
    sy_err err = open_reader(r, sy_store_open_seq(r->store) + 1, &reader, NULL);
    if (!err)
        err = sy_jreader_next(reader, &rec, NULL);
    sy_jreader_close(reader);
    return err == SY_E_AGAIN || err == SY_E_NOTFOUND;
}

sy_err sy_restore_readings(sy_store *s, const char *data_dir, sy_fail *f)
{
    sy_batch batch;
    sy_restore r = {.store = s, .data_dir = data_dir, .batch = &batch};
    if (is_all_saved(&r))
        return SY_OK;
    sy_batch_init(&batch);
    batch.discard = true;
    batch.known = sy_store_open_seq(s);
    sy_err err = sy_store_go_on(s, f);
    if (!err)
        err = sy_restore_open(&r, UINT64_MAX, f);
    if (!err)
        err = take_all(&r, f);
    sy_restore_fini(&r);
    sy_batch_fini(&batch);
    return err;
}
