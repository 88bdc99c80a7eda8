/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From rows to chunks. Each series is read in the order of time and put as if it came so, which
 * seals all but its last runs; those are saved as open samples. Part of the transaction of all
 * steps: an upgrade that is cut short leaves the rows.
 */
#include "store/seal_int.h"

static sy_err put_row(sy_store *s, sqlite3_stmt *st, sy_fail *f)
{
    sy_put put;
    double value = sy_store__value(st, 2);
    sy_quality quality = (sy_quality)sqlite3_column_int64(st, 3);
    /* The log's clock stands still: nothing is idle, so that runs are as long as can be. */
    return sy_store_reading(s, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), value,
                            quality, 0, (uint64_t)sqlite3_column_int64(st, 4), &put, f);
}

/* What is sealed is rows of this transaction and is not taken back one by one. */
static sy_err write_rows(sy_store *s, sy_fail *f)
{
    if (!sy_seal_must_write(s)) {
        sy_memory_settle(&s->memory, false);
        return SY_OK;
    }
    sy_err e = sy_seal_write(s, f);
    if (!e)
        sy_memory_settle(&s->memory, true);
    s->chunks_written = s->amends_written = 0;
    return e;
}

static sy_err put_rows(sy_store *s, sy_fail *f)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->writer,
                                "SELECT series,t,value,quality,seq FROM every_reading "
                                "ORDER BY series,t,value",
                                -1, &st, NULL);
    sy_err e = SY_OK;
    if (rc != SQLITE_OK)
        return sy_store__err(s->writer, rc, "read old readings", f);
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        e = put_row(s, st, f);
        if (!e)
            e = write_rows(s, f);
    }
    if (!e && rc != SQLITE_DONE)
        e = sy_store__err(s->writer, rc, "read old readings", f);
    sqlite3_finalize(st);
    return e;
}

sy_err sy_store__rows_to_chunks(sy_store *s, sy_fail *f)
{
    sqlite3_stmt *st = NULL;
    uint64_t position = 0;
    int rc = sqlite3_prepare_v2(s->writer, "SELECT value FROM counter WHERE name='journal_seq'", -1,
                                &st, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
        position = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    if (rc != SQLITE_ROW)
        return sy_store__err(s->writer, rc, "read the position", f);
    sy_err e = sy_store__load_series(s, f);
    if (!e)
        e = put_rows(s, f);
    if (!e)
        e = sy_store__save_open(s, position, f);
    return e;
}
