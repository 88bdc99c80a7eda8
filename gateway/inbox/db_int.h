/*
 * The inbox's store from within: rows of events (db.c) and what is known of ledgers (proven.c).
 * Internal to inbox/.
 */
#ifndef SY_INBOX_DB_INT_H
#define SY_INBOX_DB_INT_H

#include <sqlite3.h>

#include "inbox/db.h"
#include "ledger/head.h"
#include "ledger/jws.h"
#include "ledger/proof.h"

/* signatures: what came with each event. certified: gateways that have signed by a certified key,
 * and who delivered such events first.
 * proofs: what was made of each event's. heads: each head once, however it came. told: heads that a
 * sender of that gateway told by themselves, for one destination; kept 0: not yet shown to be in a
 * later one, 1: shown, 2: not shown when it should have been, 3: given up at a restore. flags: what
 * is wrong, or was admitted. restored: heads with seq up to `upto` and over more than `size` leaves
 * are of a history that was given up; `live` is the others. */
#define SY_INBOX_LEDGER_SCHEMA                                                                     \
    "CREATE TABLE IF NOT EXISTS proofs(seq INTEGER PRIMARY KEY, verdict TEXT NOT NULL,"            \
    " proof BLOB NOT NULL);"                                                                       \
    "CREATE TABLE IF NOT EXISTS heads(seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT "     \
    "NULL,"                                                                                        \
    " size INTEGER NOT NULL, root BLOB NOT NULL, time INTEGER NOT NULL, box TEXT NOT NULL,"        \
    " kid TEXT NOT NULL, certified INTEGER NOT NULL, received INTEGER NOT NULL,"                   \
    " signed TEXT NOT NULL, UNIQUE(source, size, root));"                                          \
    "CREATE TABLE IF NOT EXISTS told(source TEXT NOT NULL, destination TEXT NOT NULL,"             \
    " size INTEGER NOT NULL, root BLOB NOT NULL, kept INTEGER NOT NULL,"                           \
    " PRIMARY KEY(source, destination, size, root)) WITHOUT ROWID;"                                \
    "CREATE TABLE IF NOT EXISTS flags(seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT "     \
    "NULL,"                                                                                        \
    " kind TEXT NOT NULL, text TEXT NOT NULL, received INTEGER NOT NULL,"                          \
    " UNIQUE(source, kind, text));"                                                                \
    "CREATE TABLE IF NOT EXISTS signatures(seq INTEGER PRIMARY KEY, certified INTEGER NOT NULL,"   \
    " jws TEXT NOT NULL);"                                                                         \
    "CREATE TABLE IF NOT EXISTS certified(source TEXT NOT NULL, sender TEXT NOT NULL,"             \
    " since INTEGER NOT NULL, PRIMARY KEY(source, sender)) WITHOUT ROWID;"                         \
    "CREATE TABLE IF NOT EXISTS restored(source TEXT NOT NULL, upto INTEGER NOT NULL,"             \
    " size INTEGER NOT NULL, PRIMARY KEY(source, upto, size)) WITHOUT ROWID;"                      \
    "CREATE VIEW IF NOT EXISTS live AS SELECT seq, source, size, root, time, box, kid FROM heads " \
    "h"                                                                                            \
    " WHERE NOT EXISTS (SELECT 1 FROM restored r WHERE r.source=h.source AND r.upto>=h.seq"        \
    " AND r.size<h.size);"

/* facts: of each alert what is filtered by and what people did, made from its events. gateways:
 * when each was last heard, its newest heartbeat, and after which order it asked last.
 * statements: the newest of each premises. results: what a gateway told about an order, by its
 * number, which is its seq (source "*": to every gateway). cases, orders and evidence are only ever
 * added to. */
#define SY_INBOX_DESK_SCHEMA                                                                       \
    "CREATE TABLE IF NOT EXISTS facts(source TEXT NOT NULL, id TEXT NOT NULL, premises TEXT,"      \
    " premises_name TEXT, rule TEXT, search TEXT NOT NULL, acked INTEGER, acked_who TEXT,"         \
    " shelved INTEGER, shelved_who TEXT, unanswered INTEGER NOT NULL, grouped TEXT,"               \
    " PRIMARY KEY(source, id)) WITHOUT ROWID;"                                                     \
    "CREATE TABLE IF NOT EXISTS gateways(source TEXT PRIMARY KEY, sender TEXT, heard INTEGER,"     \
    " beat TEXT, beat_at INTEGER, asked INTEGER, asked_at INTEGER) WITHOUT ROWID;"                 \
    "CREATE TABLE IF NOT EXISTS statements(source TEXT NOT NULL, premises TEXT NOT NULL,"          \
    " day TEXT NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY(source, premises))"  \
    " WITHOUT ROWID;"                                                                              \
    "CREATE TABLE IF NOT EXISTS cases(seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT "     \
    "NULL,"                                                                                        \
    " alert TEXT NOT NULL, state TEXT NOT NULL, outcome TEXT, why TEXT, who TEXT NOT NULL,"        \
    " at INTEGER NOT NULL);"                                                                       \
    "CREATE INDEX IF NOT EXISTS cases_alert ON cases(source, alert, seq);"                         \
    "CREATE TABLE IF NOT EXISTS orders(seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT "    \
    "NULL,"                                                                                        \
    " id TEXT NOT NULL, kind TEXT NOT NULL, alert TEXT, who TEXT NOT NULL, why TEXT,"              \
    " signer TEXT NOT NULL, jws TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE(source, id));"          \
    "CREATE INDEX IF NOT EXISTS orders_alert ON orders(source, alert, seq);"                       \
    "CREATE TABLE IF NOT EXISTS results(seq INTEGER PRIMARY KEY, source TEXT NOT NULL,"            \
    " number INTEGER NOT NULL, id TEXT, result TEXT NOT NULL, why TEXT, at INTEGER NOT NULL);"     \
    "CREATE INDEX IF NOT EXISTS results_order ON results(number, source, seq);"                    \
    "CREATE TABLE IF NOT EXISTS evidence(seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT "  \
    "NULL,"                                                                                        \
    " alert TEXT NOT NULL, order_id TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,"   \
    " proven INTEGER NOT NULL, findings TEXT NOT NULL, at INTEGER NOT NULL,"                       \
    " UNIQUE(source, alert, order_id));" SY_INBOX_KEEP("cases") SY_INBOX_KEEP("orders")            \
        SY_INBOX_KEEP("evidence")
#define SY_INBOX_KEEP(table)                                                                       \
    "CREATE TRIGGER IF NOT EXISTS " table "_stay BEFORE UPDATE ON " table                          \
    " BEGIN SELECT RAISE(ABORT, '" table " are only added to'); END;"                              \
    "CREATE TRIGGER IF NOT EXISTS " table "_kept BEFORE DELETE ON " table                          \
    " BEGIN SELECT RAISE(ABORT, '" table " are only added to'); END;"

enum { SY_INBOX_GATEWAY = 512, SY_INBOX_IDLE = 48 };

struct sy_inbox_db {
    sqlite3 *db;
    char *folder;
    sqlite3_stmt *idle[SY_INBOX_IDLE]; /* prepared, and not in use */
    size_t n_idle;
    sy_buf ca, crl;
    /* The proof that held last, and the bytes of its head: the events of a batch stand under one.
     * noted: that head is among the heads. */
    sy_proof seen;
    sy_buf seen_tail; /* empty: none */
    bool seen_certified, seen_noted;
    /* The signature that was read last, and whether its certificates held, for which gateway, and
     * when: the events of a gateway come with the same ones. */
    sy_jws jws;
    bool signer_holds;
    char signer_gateway[SY_INBOX_GATEWAY];
    sy_ms signer_checked;
    sy_buf bare; /* the key that the last signature without certificates named */
    char heard[SY_INBOX_GATEWAY + 16]; /* the source that was noted last in this batch */
    /* Who was seen last to deliver signed events of a gateway. */
    sy_buf certified_source, certified_sender;
};

sy_err sy_inbox__failed(sy_inbox_db *d, const char *what, sy_fail *f);
/* Prepare and bind: s text (NULL allowed), i int64. NULL where it fails. */
sqlite3_stmt *sy_inbox__prepare(sy_inbox_db *d, const char *sql, const char *kinds, ...);
/* What prepare gave, and it is done with: kept for its next use. NULL is allowed. */
void sy_inbox__done(sy_inbox_db *d, sqlite3_stmt *st);
const char *sy_inbox__column(sqlite3_stmt *st, int i);
/* Takes the statement; fn for each of its rows. */
SY_MUST_USE sy_err sy_inbox__each(sy_inbox_db *d, sqlite3_stmt *st, const char *what,
                                  void (*fn)(void *ctx, sqlite3_stmt *row), void *ctx, sy_fail *f);

/* What is found wrong, or admitted: kept for good, once, and logged. */
SY_MUST_USE sy_err sy_inbox__flag(sy_inbox_db *d, const char *source, const char *kind,
                                  const char *text, sy_ms now, sy_fail *f);

/* restored.c, within the transaction of a batch: an event steelyard.ledger.restored whose proof
 * holds. What was told over more leaves is given up from here on. */
SY_MUST_USE sy_err sy_inbox__book_restored(sy_inbox_db *d, const sy_cloud *c, const sy_head *under,
                                           sy_ms now, sy_fail *f);

/* proven.c, within the transaction of a batch: the proof of an event that was just stored
 * (signed_by_it: its signature is by the gateway's certified key); a head
 * that was told by itself (*added: it is new). What is wrong is flagged, and no failure. */
SY_MUST_USE sy_err sy_inbox__book_event(sy_inbox_db *d, const sy_cloud *c, int64_t seq,
                                        bool signed_by_it, sy_ms now, sy_fail *f);
SY_MUST_USE sy_err sy_inbox__book_head(sy_inbox_db *d, const sy_cloud *c, sy_ms now, bool *added,
                                       sy_fail *f);

/* facts.c, within the transaction of a batch: the alert of this event, whose data (all events
 * together) is given; and what a gateway said that is not about an alert. fill: alerts from before
 * there were facts. */
SY_MUST_USE sy_err sy_inbox__facts(sy_inbox_db *d, const sy_cloud *c, const json_t *data, sy_ms now,
                                   sy_fail *f);
SY_MUST_USE sy_err sy_inbox__facts_fill(sy_inbox_db *d, sy_fail *f);
SY_MUST_USE sy_err sy_inbox__heard(sy_inbox_db *d, const sy_cloud *c, int64_t seq,
                                   const char *sender, sy_ms now, sy_fail *f);
/* One statement without rows; takes it. */
SY_MUST_USE sy_err sy_inbox__run(sy_inbox_db *d, sqlite3_stmt *st, const char *what, sy_fail *f);

#endif
