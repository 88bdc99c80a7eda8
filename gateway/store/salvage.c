/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Row by row, each table by itself: from the front up to the first page that cannot be read, then
 * from the back down to it. Rows, not pages, so that what comes out is a sound data base whatever
 * went in; what is implausible in a row, whoever reads it refuses.
 */
#include "store/salvage.h"

#include <stdio.h>

#include "base/merkle.h"

#include "store/store_int.h"

/* What the journal gives again, or what only belongs to rows that it gives again. */
static const char tables[] =
    "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' AND name NOT IN"
    " ('counter','snapshot','open_samples','past','known_leaf','node') ORDER BY rowid";

enum { COLUMNS = 64 };

sy_err sy_store_check(const char *data_dir, sy_fail *f)
{
    char path[4200];
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    snprintf(path, sizeof path, "%s/store.db", data_dir);
    sy_err e = sy_store__connect(&db, path, SQLITE_OPEN_READWRITE, 2048, f);
    if (e)
        return e;
    int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    if (!said)
        e = sy_store__err(db, rc, "look through the data base", f);
    else if (strcmp(said, "ok") != 0)
        e = sy_fail_set(f, SY_E_CORRUPT, "%s: %s", path, said);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return e;
}

typedef struct copy {
    sy_store *s;
    sqlite3 *from;
    uint64_t first;
    sy_salvaged *sum;
    sy_fail *f;
} copy;

/* Names of the columns that the old table has, quoted, and as many '?'. False: it has none. */
static bool columns_of(const copy *c, const char *table, sy_buf *names, sy_buf *marks,
                       const char **seq)
{
    sqlite3_stmt *st = NULL;
    char sql[128];
    int n = 0;
    *seq = NULL;
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA table_info(%Q)", table);
    if (sqlite3_prepare_v2(c->from, sql, -1, &st, NULL) == SQLITE_OK) {
        for (; n < COLUMNS && sqlite3_step(st) == SQLITE_ROW; n++) {
            const char *name = (const char *)sqlite3_column_text(st, 1);
            name = name ? name : "";
            sy_buf_printf(names, "%s\"%s\"", n ? "," : "", name);
            sy_buf_text(marks, n ? ",?" : "?");
            if (strcmp(name, "last_seq") == 0)
                *seq = "last_seq";
            else if (strcmp(name, "seq") == 0)
                *seq = "seq";
        }
    }
    sqlite3_finalize(st);
    return n > 0 && !names->failed && !marks->failed;
}

/* Rows of one direction; true: it came to the end. */
static bool copy_rows(copy *c, sqlite3_stmt *put, const char *sql, sy_err *e)
{
    sqlite3_stmt *get = NULL;
    int rc = sqlite3_prepare_v2(c->from, sql, -1, &get, NULL);
    int n = sqlite3_column_count(get);
    while (rc == SQLITE_OK && !*e && (rc = sqlite3_step(get)) == SQLITE_ROW) {
        for (int i = 0; i < n; i++)
            sqlite3_bind_value(put, i + 1, sqlite3_column_value(get, i));
        int done = sqlite3_step(put);
        sqlite3_reset(put);
        if (done == SQLITE_DONE)
            c->sum->rows += (uint64_t)sqlite3_changes(c->s->writer);
        else if ((done & 0xff) != SQLITE_CONSTRAINT)
            *e = sy_store__err(c->s->writer, done, "take over a row", c->f);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(get);
    return rc == SQLITE_DONE;
}

static sy_err copy_table(copy *c, const char *table)
{
    sy_buf names, marks, sql;
    const char *seq;
    sqlite3_stmt *put = NULL;
    sy_err e = SY_OK;
    sy_buf_init(&names, sy_heap());
    sy_buf_init(&marks, sy_heap());
    sy_buf_init(&sql, sy_heap());
    if (!columns_of(c, table, &names, &marks, &seq))
        goto done; /* a table that came with a later version */
    sy_buf_printf(&sql, "INSERT OR IGNORE INTO \"%s\"(%s) VALUES(%s)", table, names.p, marks.p);
    int rc = sql.failed ? SQLITE_NOMEM : sqlite3_prepare_v2(c->s->writer, sql.p, -1, &put, NULL);
    if (rc != SQLITE_OK) {
        e = sy_store__err(c->s->writer, rc, "take over a table", c->f);
        goto done;
    }
    char where[96] = "";
    if (strcmp(table, "chunk") == 0) /* what the journal gives again of one is recognised */
        snprintf(where, sizeof where, " WHERE first_seq<%llu", (unsigned long long)c->first);
    else if (seq)
        snprintf(where, sizeof where, " WHERE %s<%llu", seq, (unsigned long long)c->first);
    sy_buf_reset(&sql);
    sy_buf_printf(&sql, "SELECT %s FROM \"%s\" NOT INDEXED%s", names.p, table, where);
    if (!copy_rows(c, put, sql.p, &e) && !e) {
        c->sum->cut++;
        sy_buf_text(&sql, " ORDER BY rowid DESC"); /* no row, where it has no rowid */
        (void)copy_rows(c, put, sql.p, &e);
    }
done:
    sqlite3_finalize(put);
    sy_buf_fini(&sql);
    sy_buf_fini(&marks);
    sy_buf_fini(&names);
    return e;
}

static sy_err copy_all(copy *c)
{
    sqlite3_stmt *st = NULL;
    sy_err e = SY_OK;
    int rc = sqlite3_prepare_v2(c->s->writer, tables, -1, &st, NULL);
    while (rc == SQLITE_OK && !e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        e = copy_table(c, (const char *)sqlite3_column_text(st, 0));
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    return !e && rc != SQLITE_DONE ? sy_store__err(c->s->writer, rc, "take over", c->f) : e;
}

/* What speaks of an event whose row was lost: the event comes again, under a number of its own. */
static sy_err drop_orphans(sy_store *s, sy_fail *f)
{
    static const char *const sql[] = {
        "DELETE FROM outbox WHERE number NOT IN (SELECT number FROM event)",
        "DELETE FROM refused WHERE number NOT IN (SELECT number FROM event)",
        "DELETE FROM basis WHERE event NOT IN (SELECT id FROM event)",
        ("DELETE FROM amended WHERE NOT EXISTS(SELECT 1 FROM chunk WHERE "
         "chunk.series=amended.series"
         " AND amended.t BETWEEN t0 AND t1)")};
    sy_err e = SY_OK;
    for (size_t i = 0; i < sizeof sql / sizeof *sql && !e; i++)
        e = sy_store__exec(s, f, sql[i], "");
    return e;
}

/* The subtrees over the leaves, anew. Leaves behind a missing one are no use: *n are left. */
static sy_err make_nodes(sy_store *s, uint64_t *n, sy_fail *f)
{
    sy_query q;
    sy_digest left[64] = {{{0}}};
    sy_err e = sy_query_begin(&q, s, "SELECT n,bytes FROM leaf ORDER BY n", f);
    if (e)
        return e;
    for (*n = 0; (e = sy_query_next(&q, f)) == SY_OK; ++*n) {
        if ((uint64_t)sqlite3_column_int64(q.st, 0) != *n)
            break;
        sy_digest h = sy_merkle_leaf(
            (sy_span){sqlite3_column_blob(q.st, 1), (size_t)sqlite3_column_bytes(q.st, 1)});
        for (unsigned level = 0; !e; level++) {
            sy_span bytes = {(const char *)h.b, sizeof h.b};
            e = sy_store__run(s, SY_SQL_NODE_ADD, f, "iib", (int64_t)level, (int64_t)(*n >> level),
                              &bytes);
            if (!(*n >> level & 1)) {
                left[level] = h;
                break;
            }
            h = sy_merkle_node(&left[level], &h);
        }
        if (e)
            break;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

/* Where leaves were lost under a head that was signed, nothing may be signed any more: a second
 * head over as many leaves would be a fork. */
static sy_err mend_ledger(sy_store *s, sy_fail *f)
{
    uint64_t n = 0;
    sy_err e = make_nodes(s, &n, f);
    if (!e)
        e = sy_store__exec(s, f, "DELETE FROM leaf WHERE n>=?1", "i", (int64_t)n);
    if (!e)
        e = sy_store__exec(s, f,
                           "INSERT OR REPLACE INTO counter SELECT 'ledger_lost',1 WHERE ?1=0 OR"
                           " ?1<(SELECT coalesce(max(size),0) FROM head)",
                           "i", (int64_t)n);
    return e;
}

/* While the journal is read again: leaves by their hash. */
static sy_err know_leaves(sy_store *s, uint64_t until, sy_fail *f)
{
    sy_err e = sy_store__exec(
        s, f, "CREATE TABLE IF NOT EXISTS known_leaf(hash BLOB PRIMARY KEY, n INTEGER NOT NULL)",
        "");
    if (!e)
        e = sy_store__exec(
            s, f, "INSERT OR IGNORE INTO known_leaf SELECT hash,i FROM node WHERE level=0", "");
    if (!e)
        e = sy_store__exec(s, f, "INSERT OR REPLACE INTO counter VALUES('rebuilt_to',?1)", "i",
                           (int64_t)until);
    return e;
}

/* The old store's position; what cannot be read is 0. */
static uint64_t old_position(sqlite3 *db)
{
    sqlite3_stmt *st = NULL;
    uint64_t seq = 0;
    if (sqlite3_prepare_v2(db, "SELECT value FROM counter WHERE name='journal_seq'", -1, &st,
                           NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int64(st, 0) > 0)
        seq = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return seq;
}

sy_err sy_store_salvage(sy_store *s, const char *damaged, uint64_t first, uint64_t last,
                        sy_salvaged *out, sy_fail *f)
{
    copy c = {.s = s, .first = first, .sum = out, .f = f};
    *out = (sy_salvaged){0};
    sy_fail why = {0};
    sy_err e = sy_store_begin(s, true, f);
    if (e)
        return e;
    e = sy_store__in_batch(s, f);
    /* A data base that does not open at all gives nothing. */
    if (!e && sy_store__connect(&c.from, damaged, SQLITE_OPEN_READWRITE, 2048, &why) == SY_OK) {
        out->until = old_position(c.from);
        e = copy_all(&c);
        sqlite3_close(c.from);
    }
    if (!e)
        e = drop_orphans(s, f);
    if (!e)
        e = mend_ledger(s, f);
    if (!e)
        e = know_leaves(s, out->until > last ? out->until : last, f);
    if (!e)
        e = sy_store__take_over(s, f);
    if (!e)
        e = sy_store_commit(s, 0, f);
    else
        sy_store_rollback(s);
    if (!e)
        e = sy_store__load_series(s, f);
    if (!e)
        s->known_leaves = true;
    return e;
}

static sy_err counter(sy_store *s, const char *name, uint64_t *value, sy_fail *f)
{
    sy_query q;
    *value = 0;
    sy_err e = sy_query_begin(&q, s, "SELECT value FROM counter WHERE name=?1", f);
    if (e)
        return e;
    sqlite3_bind_text(q.st, 1, name, -1, SQLITE_STATIC);
    e = sy_query_next(&q, f);
    if (!e)
        *value = (uint64_t)sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_rebuilt_to(sy_store *s, uint64_t *seq, sy_fail *f)
{
    return counter(s, "rebuilt_to", seq, f);
}

sy_err sy_store_ledger_lost(sy_store *s, bool *lost, sy_fail *f)
{
    uint64_t value = 0;
    sy_err e = counter(s, "ledger_lost", &value, f);
    *lost = value != 0;
    return e;
}

sy_err sy_store__known_leaves(sy_store *s, sy_fail *f)
{
    static const char over[] =
        "DROP TABLE IF EXISTS known_leaf; DELETE FROM counter WHERE name='rebuilt_to';";
    uint64_t until = 0, position = 0;
    sy_err e = sy_store_rebuilt_to(s, &until, f);
    if (!e && until)
        e = sy_store_position(s, &position, f);
    if (e || !until)
        return e;
    s->known_leaves = position < until;
    int rc = s->known_leaves ? SQLITE_OK : sqlite3_exec(s->writer, over, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SY_OK : sy_store__err(s->writer, rc, "open", f);
}

void sy_store_note_damage(sy_store *s)
{
    atomic_store(&s->damaged, true);
}

bool sy_store_damaged(const sy_store *s)
{
    return atomic_load(&s->damaged);
}
