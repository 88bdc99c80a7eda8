/* SPDX-License-Identifier: Apache-2.0 */
/* Heads, keys, boxes and confirmations as rows. */
#include "store/heads.h"

#include "store/store_int.h"

static sy_err put(sy_store *s, sy_err written)
{
    return written ? sy_store__fail(s, written) : SY_OK;
}

static sy_span blob(const sy_query *q, int column)
{
    return (sy_span){sqlite3_column_blob(q->st, column),
                     (size_t)sqlite3_column_bytes(q->st, column)};
}

static const char *text(const sy_query *q, int column)
{
    const char *t = sy_query_text(q, column);
    return t ? t : "";
}

sy_err sy_store_head_put(sy_store *s, const sy_head_row *h, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    return e ? e
             : put(s, sy_store__run(s, SY_SQL_HEAD_ADD, f, "iitbb", (int64_t)h->size, h->time,
                                    h->kid, &h->text, &h->signature));
}

sy_err sy_store_heads(sy_store *s, uint64_t from, uint64_t to, int max, bool down, sy_head_fn fn,
                      void *ctx, sy_fail *f)
{
    static const char up[] = "SELECT size,time,kid,text,signature FROM head "
                             "WHERE size>=?1 AND size<=?2 ORDER BY size LIMIT ?3";
    static const char falling[] = "SELECT size,time,kid,text,signature FROM head "
                                  "WHERE size>=?1 AND size<=?2 ORDER BY size DESC LIMIT ?3";
    sy_query q;
    if (from > INT64_MAX || from > to)
        return SY_OK;
    sy_err e = sy_query_begin(&q, s, down ? falling : up, f);
    if (e)
        return e;
    sy_store__bind(q.st, "iii", (int64_t)from, to > INT64_MAX ? INT64_MAX : (int64_t)to,
                   (int64_t)max);
    while ((e = sy_query_next(&q, f)) == SY_OK) {
        const sy_head_row row = {(uint64_t)sqlite3_column_int64(q.st, 0),
                                 sqlite3_column_int64(q.st, 1), text(&q, 2), blob(&q, 3),
                                 blob(&q, 4)};
        fn(ctx, &row);
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_key_put(sy_store *s, const sy_key_row *k, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    return e ? e
             : put(s, sy_store__run(s, SY_SQL_KEY_ADD, f, "tiibb", k->kid, (int64_t)k->leaf,
                                    k->time, &k->spki, &k->chain));
}

sy_err sy_store_key_chain(sy_store *s, const char *kid, sy_span chain, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    return e ? e : put(s, sy_store__run(s, SY_SQL_KEY_CHAIN, f, "tb", kid, &chain));
}

sy_err sy_store_key(sy_store *s, const char *kid, void (*fn)(void *ctx, const sy_key_row *k),
                    void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s,
                              "SELECT kid,leaf,time,spki,chain FROM ledger_key "
                              "WHERE ?1 IS NULL OR kid=?1 ORDER BY leaf DESC LIMIT 1",
                              f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", kid);
    e = sy_query_next(&q, f);
    if (!e) {
        const sy_key_row row = {text(&q, 0), (uint64_t)sqlite3_column_int64(q.st, 1),
                                sqlite3_column_int64(q.st, 2), blob(&q, 3), blob(&q, 4)};
        fn(ctx, &row);
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? sy_fail_set(f, e, "store: the ledger has no such key") : e;
}

sy_err sy_store_box(sy_store *s, char id[65], sy_fail *f)
{
    sy_query q;
    id[0] = 0;
    sy_err e = sy_query_begin(&q, s, "SELECT id FROM ledger_box ORDER BY leaf DESC LIMIT 1", f);
    if (e)
        return e;
    e = sy_query_next(&q, f);
    if (!e) {
        size_t n = strnlen(text(&q, 0), 64);
        memcpy(id, text(&q, 0), n);
        id[n] = 0;
    }
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_box_put(sy_store *s, const char *id, sy_ms time, uint64_t leaf, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    return e ? e : put(s, sy_store__run(s, SY_SQL_BOX_ADD, f, "iti", (int64_t)leaf, id, time));
}

sy_err sy_store_event_leaf(sy_store *s, const char *id, uint64_t leaf, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    return e ? e : put(s, sy_store__run(s, SY_SQL_EVENT_LEAF, f, "ti", id, (int64_t)leaf));
}

sy_err sy_store_confirmed(sy_store *s, const char *destination, uint64_t *size, sy_fail *f)
{
    sy_query q;
    *size = 0;
    sy_err e = sy_query_begin(&q, s, "SELECT size FROM confirmed WHERE destination=?1", f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", destination);
    e = sy_query_next(&q, f);
    if (!e)
        *size = (uint64_t)sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_tell(sy_store *s, const char *destination, uint64_t size, sy_fail *f)
{
    sy_err e = sy_store_begin(s, true, f);
    if (e)
        return e;
    e = sy_store__run(s, SY_SQL_TOLD_ADD, f, "ti", destination, (int64_t)size);
    if (!e)
        return sy_store__end(s, f);
    sy_store_rollback(s);
    return e;
}

sy_err sy_store_told_put(sy_store *s, const char *destination, uint64_t size, sy_fail *f)
{
    sy_err e = sy_store__in_batch(s, f);
    return e ? e : put(s, sy_store__run(s, SY_SQL_TOLD_ADD, f, "ti", destination, (int64_t)size));
}

sy_err sy_store_told(sy_store *s, const char *destination, void (*fn)(void *ctx, uint64_t size),
                     void *ctx, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT size FROM told WHERE destination=?1 ORDER BY size", f);
    if (e)
        return e;
    sy_store__bind(q.st, "t", destination);
    while ((e = sy_query_next(&q, f)) == SY_OK)
        fn(ctx, (uint64_t)sqlite3_column_int64(q.st, 0));
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_confirm(sy_store *s, const char *destination, uint64_t size, sy_fail *f)
{
    sy_err e = sy_store_begin(s, false, f);
    if (e)
        return e;
    e = sy_store__run(s, SY_SQL_CONFIRM, f, "ti", destination, (int64_t)size);
    e = e ? e : sy_store__run(s, SY_SQL_TOLD_DEL, f, "ti", destination, (int64_t)size);
    if (!e)
        return sy_store__end(s, f);
    sy_store_rollback(s);
    return e;
}
