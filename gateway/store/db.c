/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite at arm's length: connections, statements, and its failures as ours, so that the files that
 * hold the meaning of rows speak of rows only.
 */
#include <errno.h>
#include <math.h>

#include "store/store_int.h"

sy_err sy_store__err(sqlite3 *db, int rc, const char *what, sy_fail *f)
{
    int sys = db ? sqlite3_system_errno(db) : 0;
    sy_err e = SY_E_IO;
    switch (rc & 0xff) {
    case SQLITE_FULL:
        e = SY_E_FULL;
        break;
    case SQLITE_IOERR:
        if (sys == ENOSPC || sys == EDQUOT || sys == EFBIG)
            e = SY_E_FULL;
        break;
    case SQLITE_NOMEM:
        e = SY_E_NOMEM;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        e = SY_E_AGAIN;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        e = SY_E_CORRUPT;
        break;
    case SQLITE_READONLY:
        e = SY_E_DENIED;
        break;
    default:
        break;
    }
    return sy_fail_make(f, e, rc, SY_AT, "store: cannot %s: %s", what,
                        db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

sy_err sy_store__connect(sqlite3 **out, const char *path, int flags, int cache_kib, sy_fail *f)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    char pragma[160];
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(db, 5000);
        sqlite3_snprintf(sizeof pragma, pragma,
                         "PRAGMA cache_size=-%d; PRAGMA temp_store=FILE; PRAGMA mmap_size=0; "
                         "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;",
                         cache_kib);
        rc = sqlite3_exec(db, pragma, NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        *out = db;
        return SY_OK;
    }
    sy_err e = sy_store__err(db, rc, "open", f);
    sqlite3_close(db);
    return e;
}

static void bind_all(sqlite3_stmt *st, const char *types, va_list ap)
{
    for (int i = 1; *types; types++, i++) {
        const sy_span *blob;
        double d;
        switch (*types) {
        case 'i':
            sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
            break;
        case 'd':
            /* SQLite makes NaN a null, and a key may not be null: it is a word of its own. */
            d = va_arg(ap, double);
            if (isnan(d))
                sqlite3_bind_text(st, i, "nan", 3, SQLITE_STATIC);
            else
                sqlite3_bind_double(st, i, d);
            break;
        case 't':
            sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
            break;
        default:
            blob = va_arg(ap, const sy_span *);
            sqlite3_bind_blob64(st, i, blob->n ? blob->p : "", blob->n, SQLITE_STATIC);
            break;
        }
    }
}

void sy_store__bind(sqlite3_stmt *st, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    bind_all(st, types, ap);
    va_end(ap);
}

double sy_store__value(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_TEXT ? NAN : sqlite3_column_double(st, column);
}

/* Damage is remembered, so that somebody does something about it. */
static sy_err met(sy_store *s, sy_err e)
{
    if (e == SY_E_CORRUPT)
        atomic_store(&s->damaged, true);
    return e;
}

sqlite3_stmt *sy_store__get(sy_store *s, sy_sql which, sy_fail *f)
{
    static const char *const sql[SY_SQL_COUNT_] = {
#define SY_SQL_TEXT(name, text) [SY_SQL_##name] = (text),
        SY_SQL_TABLE(SY_SQL_TEXT)
#undef SY_SQL_TEXT
    };
    if (!s->st[which]) {
        sqlite3 *db = s->writer ? s->writer : s->reader;
        int rc =
            sqlite3_prepare_v3(db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, &s->st[which], NULL);
        if (rc != SQLITE_OK) {
            (void)met(s, sy_store__err(db, rc, "prepare a statement", f));
            return NULL;
        }
    }
    return s->st[which];
}

sy_err sy_store__run(sy_store *s, sy_sql which, sy_fail *f, const char *types, ...)
{
    sy_err e = which == SY_SQL_BEGIN || s->begun ? SY_OK : sy_store__in_batch(s, f);
    if (e)
        return e;
    sqlite3_stmt *st = sy_store__get(s, which, f);
    if (!st)
        return SY_E_IO;
    va_list ap;
    va_start(ap, types);
    bind_all(st, types, ap);
    va_end(ap);
    int rc = sqlite3_step(st);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        e = met(s, sy_store__err(s->writer, rc, "write", f));
    sqlite3_reset(st);
    return e;
}

sy_err sy_store__exec(sy_store *s, sy_fail *f, const char *sql, const char *types, ...)
{
    sqlite3_stmt *st = NULL;
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    int rc = sqlite3_prepare_v2(s->writer, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) {
        va_list ap;
        va_start(ap, types);
        bind_all(st, types, ap);
        va_end(ap);
        rc = sqlite3_step(st);
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        e = met(s, sy_store__err(s->writer, rc, "write", f));
    sqlite3_finalize(st);
    return sy_store__fail(s, e);
}

sy_err sy_store__fail(sy_store *s, sy_err e)
{
    (void)met(s, e);
    if (e && !s->failed)
        s->failed = e;
    return e;
}

bool sy_store__owns(const sy_store *s)
{
    return atomic_load(&s->in_batch) && pthread_equal(atomic_load(&s->owner), pthread_self());
}

sy_err sy_store__held(sy_store *s, sy_fail *f)
{
    if (!sy_store__owns(s))
        return sy_fail_set(f, SY_E_USAGE, "store: there is no batch");
    if (s->failed)
        return sy_fail_set(f, s->failed, "store: the batch has failed already");
    return SY_OK;
}

/* The reader's statement of this text, where one waits for its next use. */
static sqlite3_stmt *idle_one(sy_store *s, const char *sql)
{
    for (size_t i = s->n_idle; i-- > 0;) {
        if (strcmp(sqlite3_sql(s->idle[i]), sql) == 0) {
            sqlite3_stmt *st = s->idle[i];
            memmove(&s->idle[i], &s->idle[i + 1], (--s->n_idle - i) * sizeof s->idle[0]);
            return st;
        }
    }
    return NULL;
}

/* Of those that wait the one that was used longest ago makes room. */
static void set_idle(sy_store *s, sqlite3_stmt *st)
{
    if (s->n_idle == SY_IDLE) {
        sqlite3_finalize(s->idle[0]);
        memmove(&s->idle[0], &s->idle[1], (SY_IDLE - 1) * sizeof s->idle[0]);
        s->n_idle--;
    }
    (void)sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
    s->idle[s->n_idle++] = st;
}

sy_err sy_query_begin(sy_query *q, sy_store *s, const char *sql, sy_fail *f)
{
    *q = (sy_query){.s = s, .locked = !sy_store__owns(s) || s->read_only};
    q->db = q->locked ? s->reader : s->writer;
    if (q->locked)
        pthread_mutex_lock(&s->read_mu);
    q->st = q->locked ? idle_one(s, sql) : NULL;
    if (q->st)
        return SY_OK;
    unsigned how = q->locked ? SQLITE_PREPARE_PERSISTENT : 0;
    int rc = sqlite3_prepare_v3(q->db, sql, -1, how, &q->st, NULL);
    if (rc == SQLITE_OK)
        return SY_OK;
    sy_err e = met(s, sy_store__err(q->db, rc, "prepare a query", f));
    sy_query_end(q);
    return e;
}

sy_err sy_query_next(sy_query *q, sy_fail *f)
{
    int rc = sqlite3_step(q->st);
    if (rc == SQLITE_ROW)
        return SY_OK;
    return rc == SQLITE_DONE ? SY_E_NOTFOUND : met(q->s, sy_store__err(q->db, rc, "read", f));
}

void sy_query_end(sy_query *q)
{
    if (q->locked && q->st)
        set_idle(q->s, q->st);
    else
        sqlite3_finalize(q->st);
    if (q->locked)
        pthread_mutex_unlock(&q->s->read_mu);
    *q = (sy_query){0};
}

const char *sy_query_text(const sy_query *q, int column)
{
    return (const char *)sqlite3_column_text(q->st, column);
}

sy_err sy_store__number(sy_store *s, const char *sql, uint64_t *out, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, sql, f);
    if (e)
        return e;
    e = sy_query_next(&q, f);
    if (!e)
        *out = (uint64_t)sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? sy_fail_set(f, SY_E_CORRUPT, "store: a row is missing") : e;
}
