/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema, and the steps from one version of it to the next: step i brings version i to i + 1,
 * all steps in one transaction, so that an upgrade that is cut short leaves the old version.
 * docs/formats.md says what the columns mean.
 */
#include "store/store_int.h"

enum { APPLICATION_ID = 0x53545944 /* "STYD" */ };

static const char *const steps[] = {
    "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO counter VALUES('journal_seq',0);"
    "CREATE TABLE series(id INTEGER PRIMARY KEY, series TEXT NOT NULL UNIQUE,"
    " device TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL);"
    "CREATE TABLE reading(series INTEGER NOT NULL, t INTEGER NOT NULL, value REAL NOT NULL,"
    " quality INTEGER NOT NULL, recv INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " PRIMARY KEY(series,t,value)) WITHOUT ROWID;"
    "CREATE TABLE recent(number INTEGER PRIMARY KEY, series INTEGER NOT NULL, t INTEGER NOT NULL,"
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
    " set_hash TEXT NOT NULL, bytes BLOB NOT NULL);",
    "ALTER TABLE alert ADD COLUMN trial INTEGER NOT NULL DEFAULT 0;",
    "CREATE TABLE leaf(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE node(level INTEGER NOT NULL, i INTEGER NOT NULL, hash BLOB NOT NULL,"
    " PRIMARY KEY(level,i)) WITHOUT ROWID;",
    "CREATE TABLE head(size INTEGER PRIMARY KEY, time INTEGER NOT NULL, kid TEXT NOT NULL,"
    " text BLOB NOT NULL, signature BLOB NOT NULL);"
    "CREATE TABLE ledger_key(kid TEXT PRIMARY KEY, leaf INTEGER NOT NULL UNIQUE,"
    " time INTEGER NOT NULL, spki BLOB NOT NULL, chain BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE ledger_box(leaf INTEGER PRIMARY KEY, id TEXT NOT NULL, time INTEGER NOT NULL);"
    "CREATE TABLE confirmed(destination TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;"
    "ALTER TABLE event ADD COLUMN leaf INTEGER;",
    ("CREATE TABLE basis(event TEXT PRIMARY KEY, n INTEGER NOT NULL, root BLOB NOT NULL,"
     " lines BLOB NOT NULL);"),
    ("CREATE TABLE segment(first INTEGER PRIMARY KEY, last INTEGER NOT NULL,"
     " records INTEGER NOT NULL, raw INTEGER NOT NULL, stored INTEGER NOT NULL,"
     " begin INTEGER NOT NULL, end INTEGER NOT NULL, root BLOB NOT NULL, leaf INTEGER NOT NULL,"
     " expired INTEGER);"
     "CREATE TABLE hold(alert TEXT PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL,"
     " why TEXT NOT NULL) WITHOUT ROWID;"
     "CREATE TABLE usage(day INTEGER PRIMARY KEY, written INTEGER NOT NULL,"
     " readings INTEGER NOT NULL, device INTEGER NOT NULL, raw INTEGER NOT NULL,"
     " stored INTEGER NOT NULL, alerts INTEGER NOT NULL);"
     "CREATE INDEX event_alert ON event(alert) WHERE alert IS NOT NULL;"
     "CREATE INDEX alert_cleared ON alert(cleared) WHERE cleared IS NOT NULL;"
     "INSERT INTO counter VALUES('bytes_events',(SELECT coalesce(sum(length(body)),0) FROM event)"
     " +(SELECT coalesce(sum(length(lines)),0) FROM basis));"
     "CREATE TRIGGER event_in AFTER INSERT ON event BEGIN"
     " UPDATE counter SET value=value+length(new.body) WHERE name='bytes_events'; END;"
     "CREATE TRIGGER event_out AFTER DELETE ON event BEGIN"
     " UPDATE counter SET value=value-length(old.body) WHERE name='bytes_events';"
     " DELETE FROM basis WHERE event=old.id; END;"
     "CREATE TRIGGER basis_in AFTER INSERT ON basis BEGIN"
     " UPDATE counter SET value=value+length(new.lines) WHERE name='bytes_events'; END;"
     "CREATE TRIGGER basis_out AFTER DELETE ON basis BEGIN"
     " UPDATE counter SET value=value-length(old.lines) WHERE name='bytes_events'; END;"),
    ("CREATE TABLE past(time INTEGER NOT NULL, place TEXT NOT NULL, seq INTEGER NOT NULL,"
     " set_hash TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(time,place)) WITHOUT ROWID;"),
    "CREATE TABLE told(destination TEXT NOT NULL, size INTEGER NOT NULL,"
    " PRIMARY KEY(destination,size)) WITHOUT ROWID;",
    /* Readings as rows become chunks (and the old tables go, see below). */
    ("CREATE TABLE chunk(number INTEGER PRIMARY KEY, series INTEGER NOT NULL,"
     " t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, n INTEGER NOT NULL, valid INTEGER NOT NULL,"
     " min REAL, max REAL, sum REAL NOT NULL, first_seq INTEGER NOT NULL,"
     " last_seq INTEGER NOT NULL, leaf INTEGER NOT NULL, root BLOB NOT NULL, bytes BLOB NOT NULL);"
     "CREATE INDEX chunk_time ON chunk(series,t1,t0,n);"
     "CREATE TABLE amended(number INTEGER PRIMARY KEY, series INTEGER NOT NULL,"
     " t INTEGER NOT NULL, value REAL NOT NULL, quality INTEGER NOT NULL);"
     "CREATE INDEX amended_time ON amended(t,series);"
     "CREATE TABLE open_samples(one INTEGER PRIMARY KEY CHECK(one=1), seq INTEGER NOT NULL,"
     " bytes BLOB NOT NULL);"
     "INSERT INTO counter VALUES('chunks',0),('amended',0);"),
    ("INSERT INTO counter VALUES('bytes_chunks',"
     "(SELECT coalesce(sum(length(bytes)),0) FROM chunk));"
     "CREATE TRIGGER chunk_in AFTER INSERT ON chunk BEGIN"
     " UPDATE counter SET value=value+length(new.bytes) WHERE name='bytes_chunks'; END;"
     "CREATE TRIGGER chunk_out AFTER DELETE ON chunk BEGIN"
     " UPDATE counter SET value=value-length(old.bytes) WHERE name='bytes_chunks'; END;"),
    "CREATE INDEX event_plain ON event(time) WHERE alert IS NULL;",
    "CREATE TABLE firing(destination TEXT NOT NULL, alert TEXT NOT NULL,"
    " number INTEGER NOT NULL, since INTEGER NOT NULL,"
    " PRIMARY KEY(destination,alert)) WITHOUT ROWID;",
    ("CREATE TABLE withheld(destination TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;"
     "CREATE TABLE beat(destination TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;"),
    ("CREATE TABLE orders(destination TEXT NOT NULL, number INTEGER NOT NULL, id TEXT, kind TEXT,"
     " state INTEGER NOT NULL, time INTEGER NOT NULL, due INTEGER NOT NULL, reason TEXT,"
     " jws BLOB NOT NULL, PRIMARY KEY(destination,number)) WITHOUT ROWID;"
     "CREATE UNIQUE INDEX orders_id ON orders(destination,id) WHERE id IS NOT NULL;"
     "CREATE TABLE in_force(one INTEGER PRIMARY KEY CHECK(one=1), text BLOB NOT NULL);"),
    ("CREATE TABLE act(seq INTEGER PRIMARY KEY, alert TEXT NOT NULL, kind TEXT NOT NULL,"
     " time INTEGER NOT NULL, until INTEGER NOT NULL, who TEXT NOT NULL, via TEXT NOT NULL,"
     " why TEXT NOT NULL);"
     "CREATE INDEX act_alert ON act(alert);"
     "CREATE TABLE stand(alert TEXT PRIMARY KEY, seq INTEGER NOT NULL, acknowledged INTEGER,"
     " by TEXT, shelved INTEGER, unanswered INTEGER NOT NULL) WITHOUT ROWID;"),
    ("ALTER TABLE stand ADD COLUMN suppressed INTEGER;"
     "ALTER TABLE stand ADD COLUMN storm TEXT;"),
};
enum { VERSION = sizeof steps / sizeof steps[0] };

/* What a step does beyond its SQL: after step `to - 1`, a function, then more SQL. */
static const struct {
    int to;
    sy_err (*fn)(sy_store *s, sy_fail *f);
    const char *sql;
} further[] = {
    {9, sy_store__rows_to_chunks,
     "DROP VIEW every_reading; DROP TABLE recent; DROP TABLE reading;"},
};

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

static sy_err take_step(sy_store *s, int i, sy_fail *f)
{
    sy_err e = run(s->writer, steps[i], f);
    for (size_t k = 0; k < sizeof further / sizeof further[0] && !e; k++) {
        if (further[k].to != i + 1)
            continue;
        e = further[k].fn(s, f);
        if (!e)
            e = run(s->writer, further[k].sql, f);
    }
    return e;
}

static sy_err step_up(sy_store *s, int version, sy_fail *f)
{
    sy_err e = SY_OK;
    for (int i = version; i < VERSION && !e; i++)
        e = take_step(s, i, f);
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
