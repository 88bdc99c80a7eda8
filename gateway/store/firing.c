/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table firing: in one transaction with the outbox, so that a crash forgets neither.
 */
#include "store/firing.h"

#include "store/store_int.h"

#define COLUMNS                                                                                    \
    "SELECT r.alert,r.number,r.since,e.body,"                                                      \
    "a.state IS NOT 0 AND e.kind<>'group-raised' AND NOT EXISTS(SELECT 1 FROM outbox o WHERE "     \
    "o.destination=r.destination "                                                                 \
    "AND o.alert=r.alert) FROM firing r JOIN event e ON e.number=r.number "                        \
    "LEFT JOIN alert a ON a.id=r.alert WHERE r.destination=?1 AND "

static sy_err note(sy_store *s, const char *destination, const sy_told *t, sy_ms now, sy_fail *f)
{
    if (!t->alert)
        return SY_OK;
    return t->firing
               ? sy_store__exec(s, f,
                                "INSERT INTO firing(destination,alert,number,since) "
                                "VALUES(?1,?2,?3,?4) ON CONFLICT(destination,alert) DO UPDATE SET "
                                "number=max(number,excluded.number)",
                                "ttii", destination, t->alert, t->number, now)
               : sy_store__exec(s, f, "DELETE FROM firing WHERE destination=?1 AND alert=?2", "tt",
                                destination, t->alert);
}

sy_err sy_store_firing_done(sy_store *s, const char *destination, const sy_told *v, size_t n,
                            sy_ms now, sy_fail *f)
{
    sy_err e = sy_store_begin(s, false, f);
    if (e)
        return e;
    for (size_t i = 0; i < n && !e; i++) {
        e = sy_store__take_out(s, destination, v[i].number, NULL, f);
        e = e ? e : note(s, destination, &v[i], now, f);
    }
    if (!e)
        return sy_store__end(s, f);
    sy_store_rollback(s);
    return e;
}

sy_err sy_store_firing_over(sy_store *s, const char *destination, const char *alert, sy_fail *f)
{
    const sy_told over = {.alert = alert, .firing = false};
    sy_err e = sy_store_begin(s, false, f);
    if (e)
        return e;
    e = note(s, destination, &over, 0, f);
    if (!e)
        return sy_store__end(s, f);
    sy_store_rollback(s);
    return e;
}

static sy_err copy(const sy_query *q, sy_arena *arena, sy_firing *to, sy_fail *f)
{
    size_t n = (size_t)sqlite3_column_bytes(q->st, 3);
    char *body = sy_arena_get(arena, n + 1);
    to->alert = sy_arena_text(arena, sy_span_of(sy_query_text(q, 0)));
    if (!body || !to->alert)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for alerts to tell again");
    if (n)
        memcpy(body, sqlite3_column_blob(q->st, 3), n);
    to->body = (sy_span){body, n};
    to->number = sqlite3_column_int64(q->st, 1);
    to->since = sqlite3_column_int64(q->st, 2);
    to->over = sqlite3_column_int(q->st, 4) != 0;
    return SY_OK;
}

sy_err sy_store_firing(sy_store *s, const char *destination, const char *after, size_t max,
                       sy_arena *arena, sy_firing **v, size_t *n, sy_fail *f)
{
    sy_query q;
    *n = 0;
    *v = sy_arena_get(arena, max * sizeof **v);
    if (!*v)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for alerts to tell again");
    sy_err e = sy_query_begin(&q, s, COLUMNS "r.alert>?2 ORDER BY r.alert LIMIT ?3", f);
    if (e)
        return e;
    sy_store__bind(q.st, "tti", destination, after, (int64_t)max);
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        e = copy(&q, arena, &(*v)[*n], f);
        if (e)
            break;
        (*n)++;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_firing_of(sy_store *s, const char *destination, const char *alert, sy_arena *arena,
                          sy_firing *out, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, COLUMNS "r.alert=?2", f);
    if (e)
        return e;
    sy_store__bind(q.st, "tt", destination, alert);
    e = sy_query_next(&q, f);
    e = e ? e : copy(&q, arena, out, f);
    sy_query_end(&q);
    return e;
}
