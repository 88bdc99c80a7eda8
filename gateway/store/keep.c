/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds, what expires, and what keeping costs. Statements here run seldom, so none is kept
 * prepared.
 *
 * Pages that a DELETE frees are used again by what comes next; the file does not shrink. To move
 * pages to its end and cut it would write them once more, for room that the next days fill.
 */
#include "store/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "store/leaves.h"
#include "store/store_int.h"

sy_err sy_store_done(sy_store *s, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    if (!e)
        return sy_store__end(s, f);
    sy_store_rollback(s);
    return e;
}

sy_err sy_store__expiry(sy_store *s, const char *class, uint64_t of, sy_ms now, uint64_t *index,
                        sy_fail *f)
{
    sy_buf b;
    char hash[65];
    sy_buf_init(&b, sy_heap());
    sy_err e = sy_store_leaf_get(s, of, &b, f);
    if (!e) {
        sy_digest digest = sy_merkle_leaf(sy_buf_span(&b));
        sy_digest_hex(&digest, hash);
        sy_buf_reset(&b);
        sy_buf_printf(
            &b, "{\"leaf\":\"expiry\",\"time\":%lld,\"class\":\"%s\",\"of\":%llu,\"hash\":\"%s\"}",
            (long long)now, class, (unsigned long long)of, hash);
        e = b.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a leaf")
                     : sy_store_leaf(s, sy_buf_span(&b), index, f);
    }
    sy_buf_fini(&b);
    return sy_store__fail(s, e);
}

/* The first number of the first row; SY_E_NOTFOUND: there is no row, or it is null. */
static sy_err number(sy_store *s, const char *sql, const char *text, int64_t *out, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, sql, f);
    if (e)
        return e;
    if (text)
        sqlite3_bind_text(q.st, 1, text, -1, SQLITE_STATIC);
    e = sy_query_next(&q, f);
    if (!e && sqlite3_column_type(q.st, 0) == SQLITE_NULL)
        e = SY_E_NOTFOUND;
    if (!e)
        *out = sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e;
}

sy_err sy_store_hold(sy_store *s, const sy_hold_row *h, sy_fail *f)
{
    int64_t one = 0;
    sy_err e = sy_store__in_batch(s, f);
    if (!e)
        e = number(s, "SELECT 1 FROM alert WHERE id=?1", h->alert, &one, f);
    if (e == SY_E_NOTFOUND)
        return sy_fail_set(f, e, "there is no alert %.100s", h->alert);
    if (!e)
        e = number(s, "SELECT 1 FROM hold WHERE alert=?1", h->alert, &one, f);
    if (!e)
        return sy_fail_set(f, SY_E_EXISTS, "the alert %.100s is held already", h->alert);
    if (e != SY_E_NOTFOUND)
        return e;
    return sy_store__exec(s, f, "INSERT INTO hold(alert,time,who,why) VALUES(?1,?2,?3,?4)", "titt",
                          h->alert, h->time, h->who, h->why);
}

sy_err sy_store_release(sy_store *s, const char *alert, sy_fail *f)
{
    sy_err e = sy_store__exec(s, f, "DELETE FROM hold WHERE alert=?1", "t", alert);
    if (!e && sqlite3_changes(s->writer) == 0)
        e = sy_fail_set(f, SY_E_NOTFOUND, "the alert %.100s is not held", alert);
    return e;
}

sy_err sy_store_holds(sy_store *s, bool (*fn)(void *ctx, const sy_hold_row *h), void *ctx,
                      sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT h.alert,h.who,h.why,h.time,a.onset-" SY_HOLD_MARGIN_MS
                              ",a.cleared+" SY_HOLD_MARGIN_MS
                              " FROM hold h LEFT JOIN alert a ON a.id=h.alert ORDER BY h.alert",
                              f);
    if (e)
        return e;
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        sy_hold_row row = {.alert = sy_query_text(&q, 0),
                           .who = sy_query_text(&q, 1),
                           .why = sy_query_text(&q, 2),
                           .time = sqlite3_column_int64(q.st, 3),
                           .from = sqlite3_column_int64(q.st, 4),
                           .to = SY_MS_MAX};
        if (sqlite3_column_type(q.st, 5) != SQLITE_NULL)
            row.to = sqlite3_column_int64(q.st, 5);
        if (!row.alert || !row.who || !row.why) {
            e = sy_fail_set(f, SY_E_CORRUPT, "store: a row of the holds is damaged");
            break;
        }
        if (!fn(ctx, &row))
            break;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

/* One event: its expiry leaf where it has a leaf, and all that hangs on it. */
static sy_err expire_event(sy_store *s, int64_t event, int64_t leaf, sy_ms now, sy_fail *f)
{
    uint64_t index;
    sy_err e = SY_OK;
    if (leaf >= 0)
        e = sy_store__expiry(s, "alerts", (uint64_t)leaf, now, &index, f);
    if (!e)
        e = sy_store__exec(s, f, "DELETE FROM refused WHERE number=?1", "i", event);
    if (!e)
        e = sy_store__exec(s, f, "DELETE FROM event WHERE number=?1", "i", event);
    return e;
}

/* Numbers of the rows that a statement gives, two a row; free(*v). */
static sy_err pairs(sy_store *s, const char *sql, const char *text, int64_t at, int64_t most,
                    int64_t **v, size_t *n, sy_fail *f)
{
    sy_query q;
    size_t cap = 0;
    void *list = NULL;
    *n = 0;
    *v = NULL;
    sy_err e = sy_query_begin(&q, s, sql, f);
    if (e)
        return e;
    if (text) {
        sqlite3_bind_text(q.st, 1, text, -1, SQLITE_STATIC);
    } else {
        sqlite3_bind_int64(q.st, 1, at);
        sqlite3_bind_int64(q.st, 2, most);
    }
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        if (sy_grow(sy_heap(), &list, &cap, 2 * *n + 2, sizeof **v)) {
            e = sy_fail_set(f, SY_E_NOMEM, "no memory for what expires");
            break;
        }
        int64_t *pair = (int64_t *)list + 2 * *n;
        pair[0] = sqlite3_column_int64(q.st, 0);
        pair[1] = sqlite3_column_type(q.st, 1) == SQLITE_NULL ? -1 : sqlite3_column_int64(q.st, 1);
        ++*n;
    }
    sy_query_end(&q);
    *v = list;
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

static sy_err expire_events(sy_store *s, const char *sql, const char *text, int64_t at,
                            int64_t most, sy_ms now, size_t *n, sy_fail *f)
{
    int64_t *v;
    size_t found;
    sy_err e = pairs(s, sql, text, at, most, &v, &found, f);
    for (size_t i = 0; i < found && !e; i++) {
        e = expire_event(s, v[2 * i], v[2 * i + 1], now, f);
        *n += !e;
    }
    free(v);
    return e;
}

static sy_err expire_alert(sy_store *s, const char *id, sy_ms now, size_t *n, sy_fail *f)
{
    sy_err e =
        expire_events(s, "SELECT number,leaf FROM event WHERE alert=?1", id, 0, 0, now, n, f);
    if (!e)
        e = sy_store__exec(s, f, "DELETE FROM alert WHERE id=?1", "t", id);
    if (!e)
        e = sy_store__exec(s, f, "DELETE FROM act WHERE alert=?1", "t", id);
    if (!e) /* what was done about its group goes with the last member */
        e = sy_store__exec(s, f,
                           "DELETE FROM act WHERE alert=(SELECT storm FROM stand WHERE alert=?1) "
                           "AND NOT EXISTS(SELECT 1 FROM stand x WHERE x.storm=act.alert AND "
                           "x.alert<>?1)",
                           "t", id);
    if (!e)
        e = sy_store__exec(s, f, "DELETE FROM stand WHERE alert=?1", "t", id);
    *n += !e;
    return e;
}

sy_err sy_store_expire_alerts(sy_store *s, sy_stretch of, size_t max, sy_ms now, size_t *n,
                              sy_fail *f)
{
    sy_query q;
    sy_arena arena;
    const char **ids = NULL;
    size_t found = 0;
    *n = 0;
    sy_err e = sy_store__in_batch(s, f);
    if (e || max == 0)
        return e;
    sy_arena_init(&arena, sy_heap(), 0);
    ids = sy_arena_get(&arena, max * sizeof *ids);
    e = ids ? sy_query_begin(
                  &q, s,
                  "SELECT id FROM alert a WHERE cleared>=?3 AND cleared<?1 AND NOT EXISTS "
                  "(SELECT 1 FROM hold h WHERE h.alert=a.id) AND NOT EXISTS "
                  "(SELECT 1 FROM event e JOIN outbox o ON o.number=e.number "
                  "WHERE e.alert=a.id) ORDER BY cleared LIMIT ?2",
                  f)
            : sy_fail_set(f, SY_E_NOMEM, "no memory for what expires");
    if (e)
        goto end;
    sy_store__bind(q.st, "iii", of.before, (int64_t)max, of.from);
    while (found < max && (e = sy_query_next(&q, f)) == SY_OK) {
        ids[found] = sy_arena_text(&arena, sy_span_of(sy_query_text(&q, 0)));
        if (!ids[found++])
            e = sy_fail_set(f, SY_E_NOMEM, "no memory for what expires");
        if (e)
            break;
    }
    sy_query_end(&q);
    e = e == SY_E_NOTFOUND ? SY_OK : e;
    for (size_t i = 0; i < found && !e; i++)
        e = expire_alert(s, ids[i], now, n, f);
    char sql[256];
    sqlite3_snprintf(sizeof sql, sql,
                     "SELECT number,leaf FROM event e WHERE alert IS NULL AND time>=%lld AND "
                     "time<?1 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.number=e.number) "
                     "ORDER BY time LIMIT ?2",
                     (long long)of.from);
    if (!e)
        e = expire_events(s, sql, NULL, of.before, (int64_t)max, now, n, f);
end:
    sy_arena_fini(&arena);
    return sy_store__fail(s, e);
}

sy_err sy_store_oldest_alert(sy_store *s, sy_ms *time, sy_fail *f)
{
    sy_ms plain = SY_MS_NONE;
    *time = SY_MS_NONE;
    sy_err e = number(s,
                      "SELECT min(cleared) FROM alert a WHERE cleared IS NOT NULL AND NOT EXISTS "
                      "(SELECT 1 FROM hold h WHERE h.alert=a.id)",
                      NULL, time, f);
    if (!e || e == SY_E_NOTFOUND)
        e = number(s, "SELECT min(time) FROM event WHERE alert IS NULL", NULL, &plain, f);
    if (!e && (*time == SY_MS_NONE || plain < *time))
        *time = plain;
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

static uint64_t file_bytes(const char *dir, const char *name)
{
    char path[4200];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

sy_err sy_store_sizes(sy_store *s, const char *data_dir, sy_store_bytes *out, sy_fail *f)
{
    int64_t page = 0, empty = 0, events = 0, leaves = 0, chunks = 0;
    sy_err e = number(s, "PRAGMA page_size", NULL, &page, f);
    if (!e)
        e = number(s, "PRAGMA freelist_count", NULL, &empty, f);
    if (!e)
        e = number(s, "SELECT value FROM counter WHERE name='bytes_events'", NULL, &events, f);
    if (!e)
        e = number(s, "SELECT value FROM counter WHERE name='bytes_chunks'", NULL, &chunks, f);
    if (!e)
        e = number(s, "SELECT coalesce(max(n)+1,0) FROM leaf", NULL, &leaves, f);
    if (e)
        return e;
    enum { LEAF_BYTES = 320 }; /* a leaf, its two nodes and what SQLite puts around them */
    *out = (sy_store_bytes){
        .file = file_bytes(data_dir, "store.db") + file_bytes(data_dir, "store.db-wal"),
        .free = (uint64_t)(page * empty),
        .readings = (uint64_t)chunks,
        .alerts = (uint64_t)events,
        .ledger = (uint64_t)leaves * LEAF_BYTES,
    };
    return SY_OK;
}

sy_err sy_store_usage_put(sy_store *s, const sy_usage *u, sy_fail *f)
{
    sy_err e = sy_store__exec(
        s, f,
        "INSERT OR REPLACE INTO usage(day,written,readings,device,raw,stored,alerts) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7)",
        "iiiiiii", u->day, (int64_t)u->written, (int64_t)u->readings, (int64_t)u->device,
        (int64_t)u->raw, (int64_t)u->stored, (int64_t)u->alerts);
    return e ? e
             : sy_store__exec(s, f,
                              "DELETE FROM usage WHERE day NOT IN "
                              "(SELECT day FROM usage ORDER BY day DESC LIMIT ?1)",
                              "i", (int64_t)SY_USAGE_DAYS);
}

sy_err sy_store_usage(sy_store *s, sy_usage *out, size_t max, size_t *n, sy_fail *f)
{
    sy_query q;
    *n = 0;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT * FROM (SELECT day,written,readings,device,raw,stored,alerts "
                              "FROM usage ORDER BY day DESC LIMIT ?1) ORDER BY day",
                              f);
    if (e)
        return e;
    sqlite3_bind_int64(q.st, 1, (int64_t)max);
    while (*n < max && (e = sy_query_next(&q, f)) == SY_OK) {
        int64_t v[7];
        for (int i = 0; i < 7; i++)
            v[i] = sqlite3_column_int64(q.st, i);
        out[(*n)++] = (sy_usage){v[0],           (uint64_t)v[1], (uint64_t)v[2], (uint64_t)v[3],
                                 (uint64_t)v[4], (uint64_t)v[5], (uint64_t)v[6]};
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_note_put(sy_store *s, const char *name, int64_t value, sy_fail *f)
{
    return sy_store__exec(s, f, "INSERT OR REPLACE INTO counter(name,value) VALUES(?1,?2)", "ti",
                          name, value);
}

sy_err sy_store_note_get(sy_store *s, const char *name, int64_t *value, sy_fail *f)
{
    *value = 0;
    sy_err e = number(s, "SELECT value FROM counter WHERE name=?1", name, value, f);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_snapshot_seq(sy_store *s, uint64_t *seq, sy_fail *f)
{
    int64_t at = 0;
    sy_err e = number(s, "SELECT seq FROM snapshot", NULL, &at, f);
    *seq = (uint64_t)at;
    return e == SY_E_NOTFOUND ? SY_OK : e;
}
