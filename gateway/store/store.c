/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's life and its batches. The journal is the durable copy of readings, so a batch need
 * not be synced: after a power cut the position that comes back belongs to the rows that come back.
 * Only a batch with events is (nothing leaves the box that is not durable in it).
 *
 * We checkpoint by ourselves, after a commit, so that the bytes written can be counted: WAL frames
 * as the pager writes them, and pages that a checkpoint moves.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "store/seal_int.h"

enum {
    WRITER_CACHE_KIB = 2048,
    READER_CACHE_KIB = 512,
    PAGE = 4096,
    FRAME = PAGE + 24,
    CHECKPOINT_FRAMES = 2000, /* 8 MB of WAL */
    WAL_LIMIT_BYTES = 16 * 1024 * 1024,
    EVERY_MS = 30000, /* how long counters and position wait for something that must be written */
};

const char *sy_counter_name(sy_counter c)
{
    static const char *const names[SY_N_COUNTERS] = {
#define SY_COUNTER_NAME(name, text) [SY_N_##name] = #name,
        SY_COUNTER_TABLE(SY_COUNTER_NAME)
#undef SY_COUNTER_NAME
    };
    return c < SY_N_COUNTERS ? names[c] : "";
}

/* Pages that a checkpoint writes: each once, however many frames it has; at most all of them. */
static uint64_t pages_at_most(sqlite3 *db, int frames)
{
    sqlite3_stmt *st = NULL;
    int pages = frames;
    if (sqlite3_prepare_v2(db, "PRAGMA page_count", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0) < frames)
        pages = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return (uint64_t)pages;
}

/* After each commit; `frames` are in the WAL now. */
static int on_commit(void *ctx, sqlite3 *db, const char *name, int frames)
{
    sy_store *s = ctx;
    if (frames < s->wal_done)
        s->wal_done = 0; /* the WAL began anew */
    if (frames < CHECKPOINT_FRAMES)
        return SQLITE_OK;
    int in_wal = 0, moved = 0;
    int rc = sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);
    if (rc == SQLITE_OK && moved > s->wal_done) {
        s->written += pages_at_most(db, moved - s->wal_done) * PAGE;
        s->wal_done = moved;
    }
    /* A checkpoint that fails (a full disk) is tried again after the next commit. */
    return SQLITE_OK;
}

static sy_err open_writer(sy_store *s, const char *path, sy_fail *f)
{
    sy_err e = sy_store__connect(&s->writer, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                 WRITER_CACHE_KIB, f);
    if (!e)
        e = sy_store__migrate(s, f);
    if (e)
        return e;
    char pragma[96];
    sqlite3_snprintf(sizeof pragma, pragma,
                     "PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=%d",
                     (int)WAL_LIMIT_BYTES);
    int rc = sqlite3_exec(s->writer, pragma, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return sy_store__err(s->writer, rc, "open", f);
    s->full_sync = false; /* a migration's batch was durable */
    sqlite3_wal_hook(s->writer, on_commit, s);
    return SY_OK;
}

static sy_err open_both(sy_store *s, const char *dir, sy_fail *f)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/store.db", dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return sy_fail_set(f, SY_E_RANGE, "store: the folder's name is too long");
    if (s->read_only && access(path, R_OK) != 0)
        return sy_fail_make(f, errno == ENOENT ? SY_E_NOTFOUND : SY_E_DENIED, errno, SY_AT,
                            "no store to read at %s: is this the gateway's data folder?", path);
    sy_err e = s->read_only ? SY_OK : sy_dir_make(dir, f);
    if (!e && !s->read_only)
        e = open_writer(s, path, f);
    if (!e)
        e = sy_store__connect(&s->reader, path, SQLITE_OPEN_READONLY, READER_CACHE_KIB, f);
    if (!e)
        e = sy_store__check_version(s->reader, f);
    if (!e)
        e = sy_store__load_series(s, f);
    if (!e)
        e = sy_store__load_open(s, f);
    return e ? sy_fail_wrap(f, "%s", path) : SY_OK;
}

sy_err sy_store_open(sy_store **out, const char *data_dir, bool read_only, sy_fail *f)
{
    sy_fail own = {0};
    sy_store *s = calloc(1, sizeof *s);
    if (!s)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the store");
    s->read_only = read_only;
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&s->read_mu, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pthread_mutex_init(&s->write_mu, NULL);
    sy_memory_init(&s->memory);
    s->seal = sy_seal_room_open();
    s->written_at = sy_mono_ms();
    s->commit_every = EVERY_MS;
    sy_err e = s->seal ? open_both(s, data_dir, f ? f : &own)
                       : sy_fail_set(f, SY_E_NOMEM, "no memory for the store");
    if (!e && !read_only)
        e = sy_store__known_leaves(s, f);
    if (e) {
        s->read_only = true; /* there is nothing to save */
        sy_store_close(s);
        return e;
    }
    *out = s;
    return SY_OK;
}

/* What only memory has, so that the next start need not read the log again. */
static void save_at_close(sy_store *s)
{
    sy_fail why = {0};
    if (s->read_only || !(s->memory.dirty || s->is_pending))
        return;
    sy_err e = sy_store_begin(s, true, &why);
    if (!e)
        e = sy_store__in_batch(s, &why);
    if (!e)
        e = sy_store__save_open(s, s->open_seq, &why);
    if (!e)
        e = sy_store_commit(s, s->position, &why);
    sy_store_rollback(s);
    if (e)
        sy_log_fail(SY_LOG_WARN, "open-samples-not-saved", &why);
}

void sy_store_close(sy_store *s)
{
    if (!s)
        return;
    sy_store_rollback(s);
    save_at_close(s);
    for (int i = 0; i < SY_SQL_COUNT_; i++)
        sqlite3_finalize(s->st[i]);
    for (size_t i = 0; i < s->n_idle; i++)
        sqlite3_finalize(s->idle[i]);
    sqlite3_close(s->reader);
    sqlite3_close(s->writer);
    pthread_mutex_destroy(&s->read_mu);
    pthread_mutex_destroy(&s->write_mu);
    sy_memory_fini(&s->memory);
    sy_seal_room_close(s->seal);
    free(s);
}

static void forget_batch(sy_store *s)
{
    memset(s->add, 0, sizeof s->add);
    sy_memory_undo(&s->memory);
}

static void leave(sy_store *s)
{
    s->failed = SY_OK;
    s->begun = s->rows_written = false;
    s->chunks_written = s->amends_written = 0;
    atomic_store(&s->in_batch, false);
    pthread_mutex_unlock(&s->write_mu);
}

sy_err sy_store_begin(sy_store *s, bool durable, sy_fail *f)
{
    if (s->read_only && !s->goes_on)
        return sy_fail_set(f, SY_E_DENIED, "store: it was opened to read only");
    if (sy_store__owns(s))
        return sy_fail_set(f, SY_E_USAGE, "store: a batch is open already");
    pthread_mutex_lock(&s->write_mu);
    atomic_store(&s->owner, pthread_self());
    atomic_store(&s->in_batch, true);
    s->durable = durable;
    s->due = durable || sy_mono_ms() - s->written_at >= s->commit_every;
    sy_memory_begin(&s->memory);
    return SY_OK;
}

/* The transaction, at the batch's first write. */
static sy_err begin_writing(sy_store *s, sy_fail *f)
{
    sy_err e = SY_OK;
    if (s->durable != s->full_sync) {
        /* It takes effect when it is prepared, so it is no kept statement. */
        const char *pragma = s->durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL";
        int rc = sqlite3_exec(s->writer, pragma, NULL, NULL, NULL);
        if (rc != SQLITE_OK)
            e = sy_store__err(s->writer, rc, "begin a batch", f);
        else
            s->full_sync = s->durable;
    }
    if (!e)
        e = sy_store__run(s, SY_SQL_BEGIN, f, "");
    s->begun = !e;
    return sy_store__fail(s, e);
}

sy_err sy_store__in_batch(sy_store *s, sy_fail *f)
{
    sy_err e = sy_store__held(s, f);
    if (e || s->begun)
        return e;
    if (s->read_only)
        return sy_fail_set(f, SY_E_DENIED, "store: it was opened to read only");
    return begin_writing(s, f);
}

void sy_store_commit_every(sy_store *s, sy_ms ms)
{
    s->commit_every = ms;
}

bool sy_store_writes(const sy_store *s)
{
    return s->begun || s->due || sy_seal_must_write(s);
}

static sy_err write_counters(sy_store *s, bool pending, sy_fail *f)
{
    sy_err e = SY_OK;
    for (int c = 0; c < SY_N_COUNTERS && !e; c++) {
        uint64_t add = s->add[c] + (pending ? s->pending[c] : 0);
        if (add)
            e = sy_store__run(s, SY_SQL_COUNT, f, "ti", sy_counter_name((sy_counter)c),
                              (int64_t)add);
    }
    return e;
}

/* Pages that this commit wrote to the WAL. */
static uint64_t pages_written(sy_store *s)
{
    int now = 0, high = 0;
    if (sqlite3_db_status(s->writer, SQLITE_DBSTATUS_CACHE_WRITE, &now, &high, 1) != SQLITE_OK)
        return 0;
    return (uint64_t)now;
}

/* What the batch did is there for everybody. `pending`: what light commits did is written, too. */
static void show(sy_store *s, bool written, bool pending)
{
    pthread_mutex_lock(&s->memory.mu);
    for (int c = 0; c < SY_N_COUNTERS; c++) {
        s->total[c] += s->add[c];
        if (!written)
            s->pending[c] += s->add[c];
        else if (pending)
            s->pending[c] = 0;
    }
    memset(s->add, 0, sizeof s->add);
    bool rows = written && s->rows_written && s->chunks_written == s->memory.n_sealed &&
                s->amends_written == s->memory.n_amends;
    if (s->disk_chunks < s->memory.chunks && rows)
        s->disk_chunks = s->memory.chunks;
    if (s->disk_amended < s->memory.amended && rows)
        s->disk_amended = s->memory.amended;
    sy_memory_settle(&s->memory, rows);
    if (!written)
        s->is_pending = true;
    else if (pending)
        s->is_pending = false;
    if (written && pending)
        s->written_at = sy_mono_ms();
    pthread_mutex_unlock(&s->memory.mu);
}

static sy_err end(sy_store *s, bool pending, sy_fail *f)
{
    uint64_t counted = s->written;
    s->add[SY_N_bytes_written] += counted;
    sy_err e = write_counters(s, pending, f);
    if (!e)
        e = sy_store__run(s, SY_SQL_COMMIT, f, "");
    if (e)
        return e;
    show(s, true, pending);
    s->written -= counted;
    s->written += pages_written(s) * FRAME;
    return SY_OK;
}

/* COMMIT, or ROLLBACK where it fails; the batch ends either way. */
sy_err sy_store__end(sy_store *s, sy_fail *f)
{
    sy_err e = end(s, false, f);
    if (e)
        sy_store_rollback(s);
    else
        leave(s);
    return e;
}

sy_err sy_store_commit(sy_store *s, uint64_t journal_seq, sy_fail *f)
{
    sy_err e = sy_store__held(s, f);
    bool light = !e && !sy_store_writes(s);
    if (!e && !light && !s->read_only) {
        e = sy_store__in_batch(s, f);
        if (!e && (s->due || sy_seal_must_write(s)))
            e = sy_seal_write(s, f);
        if (!e)
            e = sy_store__run(s, SY_SQL_POSITION, f, "i", (int64_t)journal_seq);
        if (!e)
            e = end(s, true, f);
    } else if (!e) {
        show(s, false, false);
    }
    if (!e) {
        pthread_mutex_lock(&s->memory.mu);
        s->position = journal_seq > s->position ? journal_seq : s->position;
        s->open_seq = journal_seq > s->open_seq ? journal_seq : s->open_seq;
        pthread_mutex_unlock(&s->memory.mu);
    }
    if (e)
        sy_store_rollback(s);
    else
        leave(s);
    return e;
}

void sy_store_rollback(sy_store *s)
{
    if (!sy_store__owns(s))
        return;
    /* A full disk has rolled back by itself. */
    if (s->begun && !sqlite3_get_autocommit(s->writer) &&
        sqlite3_exec(s->writer, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
        sy_log(SY_LOG_ERROR, "store-rollback", "msg=\"%s\"", sqlite3_errmsg(s->writer));
    forget_batch(s);
    if (s->writer)
        s->written += pages_written(s) * FRAME;
    leave(s);
}

void sy_store_count(sy_store *s, sy_counter c, uint64_t add)
{
    if (c < SY_N_COUNTERS && sy_store__owns(s))
        s->add[c] += add;
}

static sy_err read_counters(sy_store *s, uint64_t out[SY_N_COUNTERS], sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT name,value FROM counter", f);
    if (e)
        return e;
    memset(out, 0, SY_N_COUNTERS * sizeof *out);
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        const char *name = sy_query_text(&q, 0);
        uint64_t value = (uint64_t)sqlite3_column_int64(q.st, 1);
        for (int c = 0; name && c < SY_N_COUNTERS; c++)
            if (strcmp(name, sy_counter_name((sy_counter)c)) == 0)
                out[c] = value;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_counters(sy_store *s, uint64_t out[SY_N_COUNTERS], sy_fail *f)
{
    if (s->read_only)
        return read_counters(s, out, f);
    bool own = sy_store__owns(s);
    pthread_mutex_lock(&s->memory.mu);
    for (int c = 0; c < SY_N_COUNTERS; c++)
        out[c] = s->total[c] + (own ? s->add[c] : 0);
    pthread_mutex_unlock(&s->memory.mu);
    return SY_OK;
}

static sy_err position_on_disk(sy_store *s, uint64_t *journal_seq, sy_fail *f)
{
    return sy_store__number(s, "SELECT value FROM counter WHERE name='journal_seq'", journal_seq,
                            f);
}

sy_err sy_store_position(sy_store *s, uint64_t *journal_seq, sy_fail *f)
{
    if (s->read_only)
        return position_on_disk(s, journal_seq, f);
    pthread_mutex_lock(&s->memory.mu);
    *journal_seq = s->position;
    pthread_mutex_unlock(&s->memory.mu);
    return SY_OK;
}

uint64_t sy_store_open_seq(sy_store *s)
{
    pthread_mutex_lock(&s->memory.mu);
    uint64_t seq = s->open_seq;
    pthread_mutex_unlock(&s->memory.mu);
    return seq;
}

sy_err sy_store_series_count(sy_store *s, uint64_t *n, sy_fail *f)
{
    return sy_store__number(s, "SELECT count(*) FROM series", n, f);
}
