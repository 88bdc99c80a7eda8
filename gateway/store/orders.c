/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables `orders` and `in_force`. Few rows, written seldom.
 */
#include "store/orders.h"

#include "store/store_int.h"

const char *sy_order_state_text(sy_order_state s)
{
    static const char *const texts[] = {"taken", "waiting", "done", "refused"};
    return texts[s];
}

sy_err sy_store_order_put(sy_store *s, const sy_order_row *o, sy_fail *f)
{
    return sy_store__exec(
        s, f,
        "INSERT INTO orders(destination,number,id,kind,state,time,due,reason,jws) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT(destination,number) DO UPDATE SET "
        "state=excluded.state,time=excluded.time,due=excluded.due,reason=excluded.reason",
        "tittiiitb", o->destination, o->number, o->id, o->kind, (int64_t)o->state, (int64_t)o->time,
        (int64_t)o->due, o->reason, &o->jws);
}

static sy_err number_of(sy_store *s, const char *sql, const char *destination, const char *id,
                        int64_t *number, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, sql, f);
    if (e)
        return e;
    sy_store__bind(q.st, id ? "tt" : "t", destination, id);
    e = sy_query_next(&q, f);
    if (!e)
        *number = sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e;
}

sy_err sy_store_order_last(sy_store *s, const char *destination, int64_t *number, sy_fail *f)
{
    return number_of(s, "SELECT coalesce(max(number),0) FROM orders WHERE destination=?1",
                     destination, NULL, number, f);
}

sy_err sy_store_order_number(sy_store *s, const char *destination, const char *id, int64_t *number,
                             sy_fail *f)
{
    return number_of(s, "SELECT number FROM orders WHERE destination=?1 AND id=?2", destination, id,
                     number, f);
}

static sy_err blob(sy_query *q, sy_buf *out, sy_fail *f)
{
    sy_err e = sy_query_next(q, f);
    if (!e) {
        sy_buf_put(out, sqlite3_column_blob(q->st, 0), (size_t)sqlite3_column_bytes(q->st, 0));
        if (out->failed)
            e = sy_fail_set(f, SY_E_NOMEM, "no memory for an order");
    }
    sy_query_end(q);
    return e;
}

sy_err sy_store_order_jws(sy_store *s, const char *destination, int64_t number, sy_buf *out,
                          sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(
        &q, s, "SELECT jws FROM orders WHERE destination=?1 AND number=?2 AND id IS NOT NULL", f);
    if (e)
        return e;
    sy_store__bind(q.st, "ti", destination, number);
    return blob(&q, out, f);
}

/* One row after the last one, so that the callback may write. */
static sy_err next_row(sy_store *s, sy_order_state state, sy_arena *arena, sy_order_row *o,
                       sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT destination,number,id,kind,time,due,reason,jws FROM orders "
                              "WHERE state=?1 AND (destination,number)>(?2,?3) "
                              "ORDER BY destination,number LIMIT 1",
                              f);
    if (e)
        return e;
    sy_store__bind(q.st, "iti", (int64_t)state, o->destination, o->number);
    e = sy_query_next(&q, f);
    if (!e) {
        const char *texts[4] = {sy_query_text(&q, 0), sy_query_text(&q, 2), sy_query_text(&q, 3),
                                sy_query_text(&q, 6)};
        const char *kept[4] = {NULL, NULL, NULL, NULL};
        size_t n = (size_t)sqlite3_column_bytes(q.st, 7);
        bool room = true;
        sy_span jws = {n ? sqlite3_column_blob(q.st, 7) : "", n};
        for (size_t i = 0; i < 4; i++) {
            kept[i] = texts[i] ? sy_arena_text(arena, sy_span_of(texts[i])) : NULL;
            room = room && !texts[i] == !kept[i];
        }
        jws.p = sy_arena_text(arena, jws);
        *o = (sy_order_row){.destination = kept[0],
                            .number = sqlite3_column_int64(q.st, 1),
                            .id = kept[1],
                            .kind = kept[2],
                            .state = state,
                            .time = sqlite3_column_int64(q.st, 4),
                            .due = sqlite3_column_int64(q.st, 5),
                            .reason = kept[3],
                            .jws = jws};
        if (!room || !jws.p)
            e = sy_fail_set(f, SY_E_NOMEM, "no memory for an order");
    }
    sy_query_end(&q);
    return e;
}

sy_err sy_store_orders(sy_store *s, sy_order_state state,
                       bool (*fn)(void *ctx, const sy_order_row *o), void *ctx, sy_fail *f)
{
    sy_arena arena;
    sy_order_row o = {.destination = "", .number = 0};
    sy_err e;
    sy_arena_init(&arena, sy_heap(), 64 << 20);
    while ((e = next_row(s, state, &arena, &o, f)) == SY_OK && fn(ctx, &o)) {
    }
    sy_arena_fini(&arena);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_in_force_put(sy_store *s, sy_span text, sy_fail *f)
{
    return sy_store__exec(s, f, "INSERT OR REPLACE INTO in_force(one,text) VALUES(1,?1)", "b",
                          &text);
}

sy_err sy_store_in_force_get(sy_store *s, sy_buf *out, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT text FROM in_force", f);
    return e ? e : blob(&q, out, f);
}
