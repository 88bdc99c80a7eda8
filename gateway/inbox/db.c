/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite behind this file. WAL with synchronous FULL: a commit is on the disk when it returns,
 * which is what the answer 200 promises.
 */
#include "inbox/db_int.h"
#include "inbox/signed.h"

#include <stdio.h>
#include <stdlib.h>

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    "PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=4000;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS events(seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL,"
    " id TEXT NOT NULL, type TEXT NOT NULL, subject TEXT, time TEXT, sender TEXT NOT NULL,"
    " received INTEGER NOT NULL, alert TEXT, body TEXT NOT NULL, UNIQUE(source, id));"
    "CREATE INDEX IF NOT EXISTS events_alert ON events(source, alert, seq);"
    "CREATE TABLE IF NOT EXISTS alerts(source TEXT NOT NULL, id TEXT NOT NULL,"
    " first_seq INTEGER NOT NULL UNIQUE, last_seq INTEGER NOT NULL UNIQUE, events INTEGER NOT NULL,"
    " state TEXT NOT NULL, severity INTEGER NOT NULL, type TEXT NOT NULL, sender TEXT NOT NULL,"
    " received INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY(source, id)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS alerts_state ON alerts(state, last_seq);" SY_INBOX_LEDGER_SCHEMA
    "COMMIT;";
static const char desk_schema[] =
    "BEGIN IMMEDIATE;" SY_INBOX_DESK_SCHEMA "PRAGMA user_version=3; COMMIT;";

#define EVENT_COLUMNS                                                                              \
    "seq, source, id, type, subject, time, sender, received, alert, body,"                         \
    " (SELECT verdict FROM proofs p WHERE p.seq=events.seq),"                                      \
    " (SELECT jws FROM signatures g WHERE g.seq=events.seq),"                                      \
    " (SELECT certified FROM signatures g WHERE g.seq=events.seq)"

sy_err sy_inbox__failed(sy_inbox_db *d, const char *what, sy_fail *f)
{
    int rc = sqlite3_errcode(d->db);
    sy_err code = rc == SQLITE_FULL                             ? SY_E_FULL
                  : rc == SQLITE_BUSY                           ? SY_E_AGAIN
                  : rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB ? SY_E_CORRUPT
                  : rc == SQLITE_NOMEM                          ? SY_E_NOMEM
                                                                : SY_E_IO;
    return sy_fail_make(f, code, rc, SY_AT, "the inbox's store: %s: %s", what,
                        sqlite3_errmsg(d->db));
}

sy_err sy_inbox_db_open(sy_inbox_db **out, const char *folder, bool writer, sy_fail *f)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/inbox.db", folder);
    if (n < 0 || (size_t)n >= sizeof path) {
        return sy_fail_set(f, SY_E_USAGE, "the name of the data folder is too long");
    }
    sy_inbox_db *d = calloc(1, sizeof *d);
    if (!d) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the inbox's store");
    }
    sy_buf_init(&d->ca, sy_heap());
    sy_buf_init(&d->crl, sy_heap());
    sy_proof_init(&d->seen);
    sy_buf_init(&d->seen_tail, sy_heap());
    d->folder = strdup(folder);
    sy_jws_init(&d->jws);
    sy_buf_init(&d->bare, sy_heap());
    sy_buf_init(&d->certified_source, sy_heap());
    sy_buf_init(&d->certified_sender, sy_heap());
    int flags = writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE;
    sy_err e = d->folder ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for the inbox's store");
    if (e == SY_OK &&
        sqlite3_open_v2(path, &d->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        e = sy_inbox__failed(d, path, f);
    }
    if (e == SY_OK) {
        sqlite3_busy_timeout(d->db, 5000);
        const char *sql = writer ? schema : "PRAGMA query_only=ON;";
        e = sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK ? SY_OK
                                                                    : sy_inbox__failed(d, path, f);
    }
    if (e == SY_OK && writer && sqlite3_exec(d->db, desk_schema, NULL, NULL, NULL) != SQLITE_OK) {
        e = sy_inbox__failed(d, path, f);
    }
    e = e == SY_OK && writer ? sy_inbox__facts_fill(d, f) : e;
    e = e == SY_OK && writer ? sy_dir_sync(folder, f) : e;
    if (e != SY_OK) {
        sy_inbox_db_close(d);
        return e;
    }
    *out = d;
    return SY_OK;
}

sy_err sy_inbox_db_ca(sy_inbox_db *d, sy_span pem, sy_span crl, sy_fail *f)
{
    sy_buf_reset(&d->ca);
    sy_buf_reset(&d->crl);
    sy_buf_reset(&d->seen_tail);
    d->signer_holds = false;
    sy_buf_span_put(&d->ca, pem);
    sy_buf_span_put(&d->crl, crl);
    return d->ca.failed || d->crl.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for the CA")
                                         : SY_OK;
}

void sy_inbox_db_close(sy_inbox_db *d)
{
    if (d) {
        for (size_t i = 0; i < d->n_idle; i++) {
            sqlite3_finalize(d->idle[i]);
        }
        sqlite3_close(d->db);
        free(d->folder);
        sy_buf_fini(&d->ca);
        sy_buf_fini(&d->crl);
        sy_proof_free(&d->seen);
        sy_buf_fini(&d->seen_tail);
        sy_jws_free(&d->jws);
        sy_buf_fini(&d->bare);
        sy_buf_fini(&d->certified_source);
        sy_buf_fini(&d->certified_sender);
        free(d);
    }
}

const char *sy_inbox_db_folder(const sy_inbox_db *d)
{
    return d->folder;
}

/* The statement of this text, where one waits for its next use. */
static sqlite3_stmt *idle_one(sy_inbox_db *d, const char *sql)
{
    for (size_t i = d->n_idle; i-- > 0;) {
        if (strcmp(sqlite3_sql(d->idle[i]), sql) == 0) {
            sqlite3_stmt *st = d->idle[i];
            memmove(&d->idle[i], &d->idle[i + 1], (--d->n_idle - i) * sizeof d->idle[0]);
            return st;
        }
    }
    return NULL;
}

/* Prepare and bind: s text (NULL allowed), i int64. */
sqlite3_stmt *sy_inbox__prepare(sy_inbox_db *d, const char *sql, const char *kinds, ...)
{
    sqlite3_stmt *st = idle_one(d, sql);
    if (!st &&
        sqlite3_prepare_v3(d->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK) {
        return NULL;
    }
    va_list args;
    va_start(args, kinds);
    for (int i = 0; kinds[i]; i++) {
        if (kinds[i] == 's') {
            const char *text = va_arg(args, const char *);
            sqlite3_bind_text(st, i + 1, text, -1, SQLITE_TRANSIENT);
        } else {
            sqlite3_bind_int64(st, i + 1, va_arg(args, int64_t));
        }
    }
    va_end(args);
    return st;
}

void sy_inbox__done(sy_inbox_db *d, sqlite3_stmt *st)
{
    if (!st) {
        return;
    }
    if (d->n_idle == SY_INBOX_IDLE) {
        sqlite3_finalize(d->idle[0]);
        memmove(&d->idle[0], &d->idle[1], (SY_INBOX_IDLE - 1) * sizeof d->idle[0]);
        d->n_idle--;
    }
    (void)sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
    d->idle[d->n_idle++] = st;
}

const char *sy_inbox__column(sqlite3_stmt *st, int i)
{
    return (const char *)sqlite3_column_text(st, i);
}

static int severity_of(const json_t *data)
{
    static const char *const levels[] = {"", "notice", "warning", "serious", "major"};
    const json_t *alert = json_object_get(data, "alert");
    const char *text =
        json_string_value(json_object_get(json_is_object(alert) ? alert : data, "severity"));
    for (int i = 1; text && i < 5; i++) {
        if (strcmp(text, levels[i]) == 0) {
            return i;
        }
    }
    return 0;
}

/* What the event says, else what its type means, else what was. */
static const char *state_of(const sy_cloud *c, const char *before)
{
    static const char *const states[] = {"active", "cleared", "superseded", "withdrawn"};
    const json_t *alert = json_object_get(c->data, "alert");
    const char *said =
        json_string_value(json_object_get(json_is_object(alert) ? alert : c->data, "state"));
    const char *type = strrchr(c->type, '.') + 1;
    for (size_t i = 0; i < 4; i++) {
        if (said && strcmp(said, states[i]) == 0) {
            return states[i];
        }
    }
    for (size_t i = 1; i < 4; i++) {
        if (strcmp(type, states[i]) == 0) {
            return states[i];
        }
    }
    bool begins = strcmp(type, "raised") == 0 || strcmp(type, "escalated") == 0;
    return before && !begins ? before : "active";
}

/* The alert after this event: what the event does not say stays as it was. */
static sy_err apply(sy_inbox_db *d, const sy_cloud *c, int64_t seq, const char *sender, sy_ms now,
                    sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        d, "SELECT data, state FROM alerts WHERE source=? AND id=?", "ss", c->source, c->alert);
    json_t *data = NULL;
    char before[24] = "";
    if (st && sqlite3_step(st) == SQLITE_ROW) {
        data = json_loads(sy_inbox__column(st, 0), 0, NULL);
        snprintf(before, sizeof before, "%s", sy_inbox__column(st, 1));
    }
    sy_inbox__done(d, st);
    data = data ? data : json_object();
    /* Members that each event has only where they apply. */
    static const char *const passing[] = {"act",        "shelved",          "shelved_until",
                                          "suppressed", "suppressed_until", "group"};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        json_object_del(data, passing[i]);
    }
    char *text = NULL;
    if (json_object_update(data, c->data) == 0) {
        text = json_dumps(data, JSON_COMPACT);
    }
    sy_err e = text ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for an alert");
    if (e == SY_OK) {
        st = sy_inbox__prepare(
            d,
            "INSERT INTO alerts(first_seq, last_seq, events, source, id, state, type, sender,"
            " data, severity, received) VALUES(?1, ?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            " ON CONFLICT(source, id) DO UPDATE SET last_seq=?1, events=events+1, state=?4,"
            " type=?5, sender=?6, data=?7, severity=?8, received=?9",
            "issssssii", seq, c->source, c->alert, state_of(c, before[0] ? before : NULL), c->type,
            sender, text, (int64_t)severity_of(data), (int64_t)now);
        e = st && sqlite3_step(st) == SQLITE_DONE ? SY_OK : sy_inbox__failed(d, "an alert", f);
        sy_inbox__done(d, st);
    }
    e = e != SY_OK ? e : sy_inbox__facts(d, c, data, now, f);
    free(text);
    json_decref(data);
    return e;
}

static sy_err add_one(sy_inbox_db *d, const sy_cloud *c, const char *sender, sy_ms now,
                      const sy_signature *sign, bool *added, sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        d,
        "INSERT INTO events(source, id, type, subject, time, sender, received, alert, body)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(source, id) DO NOTHING",
        "ssssssis", c->source, c->id, c->type, c->subject, c->time, sender, (int64_t)now, c->alert);
    if (st) {
        sqlite3_bind_text64(st, 9, c->raw.p, c->raw.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    sy_err e = st && sqlite3_step(st) == SQLITE_DONE ? SY_OK : sy_inbox__failed(d, "an event", f);
    *added = e == SY_OK && sqlite3_changes(d->db) > 0;
    sy_inbox__done(d, st);
    int64_t seq = sqlite3_last_insert_rowid(d->db);
    if (*added) {
        e = sy_inbox__book_event(d, c, seq, sign->state == SY_SIGN_CERTIFIED, now, f);
        e = e != SY_OK ? e : sy_inbox__book_signature(d, c, seq, sender, sign, now, f);
        e = e != SY_OK ? e : sy_inbox__heard(d, c, seq, sender, now, f);
    }
    return e == SY_OK && *added && c->alert ? apply(d, c, seq, sender, now, f) : e;
}

/* Heads of a ledger come every few minutes and are no news: they are kept apart from the events. */
static bool is_head(const sy_cloud *c)
{
    return strcmp(c->type, "steelyard.head") == 0;
}

static sy_err take_one(sy_inbox_db *d, sy_cloud *c, const sy_inbox_sender *from, sy_ms now,
                       sy_inbox_counted *out, sy_fail *f)
{
    sy_signature sign;
    bool added = false;
    sy_err e = sy_inbox__signature(d, c, from, now, &sign, f);
    if (e == SY_OK && sign.state == SY_SIGN_REFUSED) {
        memcpy(c->refused, sign.why, sizeof c->refused);
        out->refused++;
        return SY_OK;
    }
    if (e == SY_OK && is_head(c)) {
        e = sy_inbox__book_head(d, c, now, &added, f);
        e = e != SY_OK ? e : sy_inbox__heard(d, c, 0, from->subject, now, f);
        if (e == SY_OK && added) {
            e = sy_inbox__book_signature(d, c, 0, from->subject, &sign, now, f);
        }
    } else if (e == SY_OK) {
        e = add_one(d, c, from->subject, now, &sign, &added, f);
    }
    out->stored += added ? 1 : 0;
    out->known += added ? 0 : 1;
    return e;
}

sy_err sy_inbox_db_add(sy_inbox_db *d, sy_cloud_batch *b, const sy_inbox_sender *from, sy_ms now,
                       sy_inbox_counted *out, sy_fail *f)
{
    *out = (sy_inbox_counted){0};
    d->heard[0] = 0;
    if (sqlite3_exec(d->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        return sy_inbox__failed(d, "begin", f);
    }
    sy_err e = SY_OK;
    for (size_t i = 0; i < b->n && e == SY_OK; i++) {
        e = take_one(d, &b->v[i], from, now, out, f);
    }
    if (e == SY_OK && sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        e = sy_inbox__failed(d, "commit", f);
    }
    if (e != SY_OK) {
        sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL); /* an error means it is done already */
        sy_buf_reset(&d->certified_source);                /* what was seen in it may be gone */
        d->seen_noted = false;
    }
    return e;
}

/* Takes the statement; fn for each of its rows. */
sy_err sy_inbox__each(sy_inbox_db *d, sqlite3_stmt *st, const char *what,
                      void (*fn)(void *ctx, sqlite3_stmt *row), void *ctx, sy_fail *f)
{
    int rc = SQLITE_ERROR;
    while (st && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        fn(ctx, st);
    }
    sy_err e = rc == SQLITE_DONE ? SY_OK : sy_inbox__failed(d, what, f);
    sy_inbox__done(d, st);
    return e;
}

typedef struct event_reader {
    void (*fn)(void *ctx, const sy_inbox_event *e);
    void *ctx;
} event_reader;

static void read_event(void *ctx, sqlite3_stmt *st)
{
    const event_reader *r = ctx;
    r->fn(r->ctx, &(sy_inbox_event){.seq = sqlite3_column_int64(st, 0),
                                    .source = sy_inbox__column(st, 1),
                                    .id = sy_inbox__column(st, 2),
                                    .type = sy_inbox__column(st, 3),
                                    .subject = sy_inbox__column(st, 4),
                                    .time = sy_inbox__column(st, 5),
                                    .sender = sy_inbox__column(st, 6),
                                    .received = sqlite3_column_int64(st, 7),
                                    .alert = sy_inbox__column(st, 8),
                                    .body = sy_inbox__column(st, 9),
                                    .proof = sy_inbox__column(st, 10),
                                    .jws = sy_inbox__column(st, 11),
                                    .certified = sqlite3_column_int(st, 12) != 0});
}

sy_err sy_inbox_db_events(sy_inbox_db *d, const char *source, const char *alert, int64_t after,
                          int max, void (*fn)(void *ctx, const sy_inbox_event *e), void *ctx,
                          sy_fail *f)
{
    sqlite3_stmt *st = source
                           ? sy_inbox__prepare(d,
                                               "SELECT " EVENT_COLUMNS
                                               " FROM events WHERE seq>? AND source=? AND alert=?"
                                               " ORDER BY seq LIMIT ?",
                                               "issi", after, source, alert, (int64_t)max)
                           : sy_inbox__prepare(d,
                                               "SELECT " EVENT_COLUMNS
                                               " FROM events WHERE seq>? ORDER BY seq LIMIT ?",
                                               "ii", after, (int64_t)max);
    return sy_inbox__each(d, st, "reading events", read_event, &(event_reader){fn, ctx}, f);
}

static void count_severity(void *ctx, sqlite3_stmt *st)
{
    sy_inbox_counts *c = ctx;
    int severity = sqlite3_column_int(st, 0);
    c->active[severity >= 0 && severity < 5 ? severity : 0] = sqlite3_column_int64(st, 1);
}

static void count_rows(void *ctx, sqlite3_stmt *st)
{
    sy_inbox_counts *c = ctx;
    c->events = sqlite3_column_int64(st, 0);
    c->alerts = sqlite3_column_int64(st, 1);
    c->flags = sqlite3_column_int64(st, 2);
}

sy_err sy_inbox_db_counts(sy_inbox_db *d, sy_inbox_counts *out, sy_fail *f)
{
    *out = (sy_inbox_counts){0};
    sqlite3_stmt *st =
        sy_inbox__prepare(d,
                          "SELECT severity, count(*) FROM alerts WHERE state='active'"
                          " GROUP BY severity",
                          "");
    sy_err e = sy_inbox__each(d, st, "counting", count_severity, out, f);
    if (e == SY_OK) {
        st = sy_inbox__prepare(d,
                               "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM "
                               "alerts), (SELECT count(*) FROM flags)",
                               "");
        e = sy_inbox__each(d, st, "counting", count_rows, out, f);
    }
    return e;
}
