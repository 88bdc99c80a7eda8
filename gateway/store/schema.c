/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema, and the steps from one version of it to the next: step i brings version i to i + 1,
 * all steps in one transaction, so that an upgrade that is cut short leaves the old version.
 * docs/formats.md says what the columns mean.
 */
#include "store/store_int.h"

enum { APPLICATION_ID = 0x53545944 /* "STYD" */ };

typedef struct step {
    const char *sql;
    sy_err (*then)(sy_store *s, sy_fail *f); /* or NULL */
    const char *at_last;                     /* SQL after it, or NULL */
} step;

static const step steps[] = {
    {.sql =
         "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
         "INSERT INTO counter VALUES('journal_seq',0);"
         "CREATE TABLE series(id INTEGER PRIMARY KEY, series TEXT NOT NULL UNIQUE,"
         " device TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL);"
         "CREATE TABLE reading(series INTEGER NOT NULL, t INTEGER NOT NULL, value REAL NOT NULL,"
         " quality INTEGER NOT NULL, recv INTEGER NOT NULL, seq INTEGER NOT NULL,"
         " PRIMARY KEY(series,t,value)) WITHOUT ROWID;"
         "CREATE TABLE recent(number INTEGER PRIMARY KEY, series INTEGER NOT NULL, t INTEGER NOT "
         "NULL,"
         " value REAL NOT NULL, quality INTEGER NOT NULL, recv INTEGER NOT NULL,"
         " seq INTEGER NOT NULL);"
         "CREATE VIEW every_reading AS SELECT series,t,value,quality,recv,seq FROM reading"
         " UNION ALL SELECT series,t,value,quality,recv,seq FROM recent;"
         "CREATE TABLE alert(id TEXT PRIMARY KEY, rule TEXT NOT NULL, pack TEXT,"
         " subject TEXT NOT NULL, series TEXT NOT NULL, version INTEGER NOT NULL,"
         " severity INTEGER NOT NULL, state INTEGER NOT NULL, onset INTEGER NOT NULL,"
         " raised INTEGER NOT NULL, cleared INTEGER, min REAL, max REAL, count INTEGER NOT NULL,"
         " counted INTEGER NOT NULL, unknown INTEGER NOT NULL, exempt INTEGER NOT NULL,"
         " driver_is_state INTEGER NOT NULL, message_en TEXT, message_zh TEXT, replaces TEXT,"
         " judgement_hash TEXT) WITHOUT ROWID;"
         "CREATE TABLE event(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
         " kind TEXT NOT NULL, alert TEXT, time INTEGER NOT NULL, severity INTEGER NOT NULL,"
         " priority INTEGER NOT NULL, body BLOB NOT NULL);"
         "CREATE TABLE outbox(destination TEXT NOT NULL, number INTEGER NOT NULL,"
         " priority INTEGER NOT NULL, alert TEXT, PRIMARY KEY(destination,number)) WITHOUT ROWID;"
         "CREATE INDEX outbox_order ON outbox(destination,priority,number);"
         "CREATE INDEX outbox_alert ON outbox(destination,alert) WHERE alert IS NOT NULL;"
         "CREATE TABLE refused(destination TEXT NOT NULL, number INTEGER NOT NULL,"
         " why TEXT NOT NULL, PRIMARY KEY(destination,number)) WITHOUT ROWID;"
         "CREATE TABLE snapshot(one INTEGER PRIMARY KEY CHECK(one=1), seq INTEGER NOT NULL,"
         " set_hash TEXT NOT NULL, bytes BLOB NOT NULL);"},
    {.sql = "ALTER TABLE alert ADD COLUMN trial INTEGER NOT NULL DEFAULT 0;"},
    {.sql = "CREATE TABLE leaf(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
            "CREATE TABLE node(level INTEGER NOT NULL, i INTEGER NOT NULL, hash BLOB NOT NULL,"
            " PRIMARY KEY(level,i)) WITHOUT ROWID;"},
    {.sql = "CREATE TABLE head(size INTEGER PRIMARY KEY, time INTEGER NOT NULL, kid TEXT NOT NULL,"
            " text BLOB NOT NULL, signature BLOB NOT NULL);"
            "CREATE TABLE ledger_key(kid TEXT PRIMARY KEY, leaf INTEGER NOT NULL UNIQUE,"
            " time INTEGER NOT NULL, spki BLOB NOT NULL, chain BLOB NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE ledger_box(leaf INTEGER PRIMARY KEY, id TEXT NOT NULL, time INTEGER NOT "
            "NULL);"
            "CREATE TABLE confirmed(destination TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT "
            "ROWID;"
            "ALTER TABLE event ADD COLUMN leaf INTEGER;"},
    {.sql = "CREATE TABLE basis(event TEXT PRIMARY KEY, n INTEGER NOT NULL, root BLOB NOT NULL,"
            " lines BLOB NOT NULL);"},
    /* Readings as rows become chunks. */
    {.sql = "CREATE TABLE chunk(number INTEGER PRIMARY KEY, series INTEGER NOT NULL, t0 INTEGER "
            "NOT NULL,"
            " t1 INTEGER NOT NULL, n INTEGER NOT NULL, valid INTEGER NOT NULL, min REAL, max REAL,"
            " sum REAL NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,"
            " leaf INTEGER NOT NULL, root BLOB NOT NULL, bytes BLOB NOT NULL);"
            "CREATE INDEX chunk_time ON chunk(series,t1,t0,n);"
            "CREATE TABLE amended(number INTEGER PRIMARY KEY, series INTEGER NOT NULL, t INTEGER "
            "NOT NULL,"
            " value REAL NOT NULL, quality INTEGER NOT NULL);"
            "CREATE INDEX amended_time ON amended(t,series);"
            "CREATE TABLE open_samples(one INTEGER PRIMARY KEY CHECK(one=1), seq INTEGER NOT NULL,"
            " bytes BLOB NOT NULL);"
            "INSERT INTO counter VALUES('chunks',0),('amended',0);",
     .then = sy_store__rows_to_chunks,
     .at_last = "DROP VIEW every_reading; DROP TABLE recent; DROP TABLE reading;"},
};
enum { VERSION = sizeof steps / sizeof steps[0] };

static sy_err run(sqlite3 *db, const char *sql, sy_fail *f)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SY_OK : sy_store__err(db, rc, "prepare the data base", f);
}

static sy_err number_of(sqlite3 *db, const char *pragma, int *out, sy_fail *f)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, pragma, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    sy_err e = rc == SQLITE_ROW ? SY_OK : sy_store__err(db, rc, "read the data base", f);
    if (!e)
        *out = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return e;
}

static sy_err version_of(sqlite3 *db, int *version, sy_fail *f)
{
    int id = 0;
    sy_err e = number_of(db, "PRAGMA user_version", version, f);
    if (!e)
        e = number_of(db, "PRAGMA application_id", &id, f);
    if (e)
        return e;
    if (*version > VERSION)
        return sy_fail_set(f, SY_E_UNSUPPORTED,
                           "store: its schema is version %d, this program knows up to %d: "
                           "use the newer program that wrote it",
                           *version, (int)VERSION);
    if (*version > 0 && id != APPLICATION_ID)
        return sy_fail_set(f, SY_E_CORRUPT, "store: the data base is not one of this program");
    return SY_OK;
}

sy_err sy_store__check_version(sqlite3 *db, sy_fail *f)
{
    int version = 0;
    sy_err e = version_of(db, &version, f);
    if (!e && version == 0)
        e = sy_fail_set(f, SY_E_NOTFOUND, "store: the data base is empty: no gateway ran here yet");
    else if (!e && version < VERSION)
        e = sy_fail_set(f, SY_E_UNSUPPORTED,
                        "store: its schema is version %d, of an older program: start the gateway "
                        "once, which brings it to %d",
                        version, (int)VERSION);
    return e;
}

static sy_err take_step(sy_store *s, const step *x, sy_fail *f)
{
    sy_err e = run(s->writer, x->sql, f);
    if (!e && x->then)
        e = x->then(s, f);
    if (!e && x->at_last)
        e = run(s->writer, x->at_last, f);
    return e;
}

static sy_err step_up(sy_store *s, int version, sy_fail *f)
{
    sy_err e = SY_OK;
    for (int i = version; i < VERSION && !e; i++)
        e = take_step(s, &steps[i], f);
    char text[96];
    sqlite3_snprintf(sizeof text, text, "PRAGMA user_version=%d; PRAGMA application_id=%d;",
                     (int)VERSION, (int)APPLICATION_ID);
    if (!e)
        e = run(s->writer, text, f);
    for (int c = 0; c < SY_N_COUNTERS && !e; c++) {
        char insert[128];
        sqlite3_snprintf(sizeof insert, insert, "INSERT OR IGNORE INTO counter VALUES(%Q,0);",
                         sy_counter_name((sy_counter)c));
        e = run(s->writer, insert, f);
    }
    return e;
}

/* Nothing to do: so that a start writes nothing, and needs no room on a full disk. */
static bool is_current(sy_store *s)
{
    int version = 0, known = 0;
    sqlite3_stmt *st = NULL;
    if (version_of(s->writer, &version, NULL) || version != VERSION ||
        sqlite3_prepare_v2(s->writer, "SELECT 1 FROM counter WHERE name=?1", -1, &st, NULL))
        return false;
    for (int c = 0; c < SY_N_COUNTERS; c++) {
        sy_store__bind(st, "t", sy_counter_name((sy_counter)c));
        known += sqlite3_step(st) == SQLITE_ROW;
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    return known == SY_N_COUNTERS;
}

sy_err sy_store__migrate(sy_store *s, sy_fail *f)
{
    int version = 0;
    sy_err e = run(s->writer, "PRAGMA journal_mode=WAL", f);
    if (e || is_current(s))
        return e;
    e = sy_store_begin(s, true, f);
    if (e)
        return e;
    e = sy_store__in_batch(s, f);
    if (!e)
        e = version_of(s->writer, &version, f);
    if (!e)
        e = step_up(s, version, f);
    if (!e)
        return sy_store__end(s, f);
    sy_store_rollback(s);
    return e;
}
