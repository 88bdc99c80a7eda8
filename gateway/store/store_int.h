/*
 * The store from within: connections, statements, who may write. Internal to store/.
 *
 * Two connections. The writer's is locked from begin to commit, so that a batch is one transaction
 * whoever else wants to write. The reader's sees what is committed and never waits for a batch;
 * only the thread that holds the batch reads through the writer's, and so sees its own rows.
 */
#ifndef SY_STORE_INT_H
#define SY_STORE_INT_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "store/open_int.h"

/* X(NAME, text): the statements that are kept prepared on the writer's connection. */
#define SY_SQL_TABLE(X)                                                                            \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(COUNT, "UPDATE counter SET value=value+?2 WHERE name=?1")                                    \
    X(POSITION, "UPDATE counter SET value=max(value,?1) WHERE name='journal_seq'")                 \
    X(SERIES_ADD, "INSERT INTO series(series,device,name,unit) VALUES(?1,?2,?3,?4)")               \
    X(SERIES_SET, "UPDATE series SET device=?2,name=?3,unit=?4 WHERE id=?1")                       \
    X(CHUNK_ADD, "INSERT INTO chunk VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)")       \
    X(CHUNK_ROOT, "SELECT root FROM chunk WHERE number=?1 AND series=?2")                          \
    X(CHUNKS_SET, "UPDATE counter SET value=max(value,?1) WHERE name='chunks'")                    \
    X(CHUNKS_AT, "SELECT number,bytes FROM chunk WHERE series=?1 AND t1 BETWEEN ?2 AND ?3 "        \
                 "AND t0<=?2 AND number<=?4")                                                      \
    X(CHUNKS_RANGE, "SELECT min(t0),max(t1) FROM chunk WHERE series=?1 AND t1 BETWEEN ?2 AND ?3 "  \
                    "AND number<=?4")                                                              \
    X(AMEND_ADD, "INSERT INTO amended VALUES(?1,?2,?3,?4,?5)")                                     \
    X(AMENDS_SET, "UPDATE counter SET value=max(value,?1) WHERE name='amended'")                   \
    X(AMENDS_AT, "SELECT value,quality FROM amended WHERE t=?1 AND series=?2 AND number<=?3 "      \
                 "ORDER BY number")                                                                \
    X(OPEN_PUT, "INSERT OR REPLACE INTO open_samples(one,seq,bytes) VALUES(1,?1,?2)")              \
    X(ALERT_PUT,                                                                                   \
      "INSERT OR REPLACE INTO alert VALUES"                                                        \
      "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23)")      \
    X(EVENT_ADD, "INSERT OR IGNORE INTO event(id,kind,alert,time,severity,priority,body) "         \
                 "VALUES(?1,?2,?3,?4,?5,?6,?7)")                                                   \
    X(OUTBOX_ADD, "INSERT INTO outbox(destination,number,priority,alert) VALUES(?1,?2,?3,?4)")     \
    X(OUTBOX_LIFT, "UPDATE outbox INDEXED BY outbox_alert SET priority=?3 "                        \
                   "WHERE destination=?1 AND alert=?2 AND priority>?3")                            \
    X(OUTBOX_DEL, "DELETE FROM outbox WHERE destination=?1 AND number=?2")                         \
    X(REFUSED_ADD, "INSERT OR REPLACE INTO refused(destination,number,why) VALUES(?1,?2,?3)")      \
    X(LEAF_ADD, "INSERT INTO leaf(n,bytes) VALUES(?1,?2)")                                         \
    X(NODE_ADD, "INSERT INTO node(level,i,hash) VALUES(?1,?2,?3)")                                 \
    X(HEAD_ADD, "INSERT INTO head(size,time,kid,text,signature) VALUES(?1,?2,?3,?4,?5)")           \
    X(KEY_ADD, "INSERT INTO ledger_key(kid,leaf,time,spki,chain) VALUES(?1,?2,?3,?4,?5)")          \
    X(KEY_CHAIN, "UPDATE ledger_key SET chain=?2 WHERE kid=?1")                                    \
    X(BOX_ADD, "INSERT INTO ledger_box(leaf,id,time) VALUES(?1,?2,?3)")                            \
    X(EVENT_LEAF, "UPDATE event SET leaf=?2 WHERE id=?1")                                          \
    X(TOLD_ADD, "INSERT OR IGNORE INTO told(destination,size) VALUES(?1,?2)")                      \
    X(TOLD_DEL, "DELETE FROM told WHERE destination=?1 AND size<=?2")                              \
    X(CONFIRM, "INSERT INTO confirmed(destination,size) VALUES(?1,?2) "                            \
               "ON CONFLICT(destination) DO UPDATE SET size=max(size,excluded.size)")              \
    X(BASIS_ADD, "INSERT OR IGNORE INTO basis(event,n,root,lines) VALUES(?1,?2,?3,?4)")            \
    X(SNAPSHOT_PUT, "INSERT OR REPLACE INTO snapshot(one,seq,set_hash,bytes) VALUES(1,?1,?2,?3)")  \
    X(PAST_PUT, "INSERT OR REPLACE INTO past(time,place,seq,set_hash,bytes) "                      \
                "VALUES(?1,?2,?3,?4,?5)")                                                          \
    X(PAST_FORGET, "DELETE FROM past WHERE time<?1")
typedef enum sy_sql {
#define SY_SQL_ENUM(name, text) SY_SQL_##name,
    SY_SQL_TABLE(SY_SQL_ENUM)
#undef SY_SQL_ENUM
        SY_SQL_COUNT_
} sy_sql;

enum { SY_IDLE = 32 };

struct sy_store {
    bool read_only;
    sqlite3 *writer, *reader;
    sqlite3_stmt *st[SY_SQL_COUNT_];
    sqlite3_stmt *idle[SY_IDLE]; /* of the reader, for their next use, under read_mu */
    size_t n_idle;
    pthread_mutex_t write_mu, read_mu; /* read_mu is recursive: a row's callback may ask again */
    _Atomic bool in_batch;
    _Atomic pthread_t owner; /* of the batch */
    bool full_sync;
    atomic_bool damaged; /* a call has met SQLITE_CORRUPT */
    bool known_leaves;   /* a store made again: leaves may come a second time (salvage.h) */
    sy_err failed;       /* the batch's first failure: it can only be rolled back */
    uint64_t add[SY_N_COUNTERS];
    uint64_t written; /* bytes since open that no commit has counted yet */
    int wal_done;     /* frames of the present WAL that a checkpoint has moved */
    bool goes_on;     /* read only, and takes batches in memory (sy_store_go_on) */
    bool begun;       /* the batch's transaction is open: something is written */
    bool durable;     /* as the batch was begun */
    bool due;         /* the batch is to be written whether or not it has rows */
    sy_memory memory;
    /* Under memory.mu: what light commits did (sy_store_commit). */
    uint64_t total[SY_N_COUNTERS];   /* of all commits */
    uint64_t pending[SY_N_COUNTERS]; /* and what of it no row says yet */
    uint64_t position, open_seq;
    uint64_t saved_bytes; /* of the last save of open samples */
    sy_ms commit_every;
    sy_ms written_at; /* monotonic, of the last commit that was written */
    bool is_pending;
    /* Of sealed and amends, in this batch; rows_written: all of them. */
    size_t chunks_written, amends_written;
    bool rows_written;
    /* Numbers up to these are rows: made again from the log, they are not written again. */
    uint64_t disk_chunks, disk_amended;
    uint64_t chunks_differ; /* of these, made again and found to be others than their rows */
    struct sy_seal_room *seal;
};

/* A failure of SQLite as ours. Full disks in all their forms are SY_E_FULL. */
sy_err sy_store__err(sqlite3 *db, int rc, const char *what, sy_fail *f);
SY_MUST_USE sy_err sy_store__connect(sqlite3 **out, const char *path, int flags, int cache_kib,
                                     sy_fail *f);
/* Make or check the schema; SY_E_UNSUPPORTED where it is newer than ours. */
SY_MUST_USE sy_err sy_store__migrate(sy_store *s, sy_fail *f);
SY_MUST_USE sy_err sy_store__check_version(sqlite3 *db, sy_fail *f);

/* Bind by letters: i int64_t, d double, t const char * or NULL, b const sy_span *. */
void sy_store__bind(sqlite3_stmt *st, const char *types, ...);
/* A reading's value: NaN is kept as a word. */
double sy_store__value(sqlite3_stmt *st, int column);
/* A kept statement of the writer, reset, or NULL with *f filled. Only while the batch is ours. */
sqlite3_stmt *sy_store__get(sy_store *s, sy_sql which, sy_fail *f);
/* Run a kept statement that gives no rows; opens the batch's transaction. */
SY_MUST_USE sy_err sy_store__run(sy_store *s, sy_sql which, sy_fail *f, const char *types, ...);
/* Likewise a statement that is not kept, for what is written seldom. */
SY_MUST_USE sy_err sy_store__exec(sy_store *s, sy_fail *f, const char *sql, const char *types, ...);
/* What a held alert rests on: a day around it, for what its rule looked at and what came of it. */
#define SY_HOLD_MARGIN_MS "86400000"
/* In a batch: what had the leaf `of` expires at `now`; *index of the leaf that says so. `class`:
 * raw, readings, alerts. */
SY_MUST_USE sy_err sy_store__expiry(sy_store *s, const char *class, uint64_t of, sy_ms now,
                                    uint64_t *index, sy_fail *f);
/* At open: whether leaves may come again; where that is over, what was kept for it goes. */
SY_MUST_USE sy_err sy_store__known_leaves(sy_store *s, sy_fail *f);
/* Remember that the batch has failed; gives e. */
sy_err sy_store__fail(sy_store *s, sy_err e);
/* SY_OK where this thread holds a batch that is still good. */
SY_MUST_USE sy_err sy_store__held(sy_store *s, sy_fail *f);
/* And its transaction is open: before a write that sy_store__run does not make. */
SY_MUST_USE sy_err sy_store__in_batch(sy_store *s, sy_fail *f);
bool sy_store__owns(const sy_store *s);

/* Write the counters and commit, or roll back where that fails; the batch ends either way. */
SY_MUST_USE sy_err sy_store__end(sy_store *s, sy_fail *f);

/* series.c: fill the memory of series from the table. */
SY_MUST_USE sy_err sy_store__load_series(sy_store *s, sy_fail *f);
/* state.c: what is saved of memory, read at open and written in a batch; `seq`: readings of records
 * up to it are in. */
SY_MUST_USE sy_err sy_store__load_open(sy_store *s, sy_fail *f);
SY_MUST_USE sy_err sy_store__save_open(sy_store *s, uint64_t seq, sy_fail *f);
/* In a batch that took over chunks: nothing is open, and numbers go on behind theirs. */
SY_MUST_USE sy_err sy_store__take_over(sy_store *s, sy_fail *f);
/* upgrade.c: the rows of schema 3 and before become chunks. In a batch. */
SY_MUST_USE sy_err sy_store__rows_to_chunks(sy_store *s, sy_fail *f);

/* The last t1 that a chunk can have which holds t: chunks are within one stretch. */
static inline sy_ms sy_reach(sy_ms t)
{
    return t > SY_MS_MAX - SY_STRETCH_MS ? SY_MS_MAX : t + SY_STRETCH_MS;
}
/* Chunks and amendments up to these numbers are rows that belong to what is in memory. */
static inline uint64_t sy_chunk_rows(const sy_memory *m)
{
    return m->chunks - m->n_sealed;
}
static inline uint64_t sy_amend_rows(const sy_memory *m)
{
    return m->amended - m->n_amends;
}

/* outbox.c: an event leaves the outbox of a destination: delivered, or refused and why. In a batch.
 */
SY_MUST_USE sy_err sy_store__take_out(sy_store *s, const char *destination, int64_t number,
                                      const char *refused_why, sy_fail *f);

/* A query: the right connection, locked, and a fresh statement. end always follows a good begin. */
typedef struct sy_query {
    sy_store *s;
    sqlite3 *db;
    sqlite3_stmt *st;
    bool locked;
} sy_query;
SY_MUST_USE sy_err sy_query_begin(sy_query *q, sy_store *s, const char *sql, sy_fail *f);
/* SY_OK and a row, SY_E_NOTFOUND at the end. */
SY_MUST_USE sy_err sy_query_next(sy_query *q, sy_fail *f);
void sy_query_end(sy_query *q);
/* The number that a query of one row and one column gives; SY_E_CORRUPT where there is no row. */
SY_MUST_USE sy_err sy_store__number(sy_store *s, const char *sql, uint64_t *out, sy_fail *f);
/* Text of a column, NULL where it is null; borrowed until the next step. */
const char *sy_query_text(const sy_query *q, int column);

/* alerts.c: a row of `SELECT * FROM alert`; each of them, and the end of the query. */
sy_alert_row sy_store__alert_row(const sy_query *q);
SY_MUST_USE sy_err sy_store__alert_rows(sy_query *q, bool (*fn)(void *ctx, const sy_alert_row *a),
                                        void *ctx, sy_fail *f);

#endif
