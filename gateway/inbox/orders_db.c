/* SPDX-License-Identifier: Apache-2.0 */
/* Orders to gateways, and the evidence that came for them. */
#include <stdio.h>

#include "inbox/db_int.h"
#include "inbox/desk.h"

sy_err sy_desk_order_add(sy_inbox_db *d, const sy_desk_order *o, int64_t *number, sy_fail *f)
{
    sqlite3_stmt *st =
        sy_inbox__prepare(d,
                          "INSERT INTO orders(source, id, kind, alert, who, why, signer, jws, at)"
                          " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                          "ssssssssi", o->source, o->id, o->kind, o->alert, o->who, o->why,
                          o->signer, o->jws, (int64_t)o->at);
    int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
    sy_err e = rc == SQLITE_DONE ? SY_OK
               : (rc & 0xff) == SQLITE_CONSTRAINT
                   ? sy_fail_set(f, SY_E_EXISTS, "there is an order with this id")
                   : sy_inbox__failed(d, "an order", f);
    sy_inbox__done(d, st);
    if (e == SY_OK) {
        *number = sqlite3_last_insert_rowid(d->db);
    }
    return e;
}

#define LAST_RESULT(column)                                                                        \
    "(SELECT r." column                                                                            \
    " FROM results r WHERE r.number=o.seq AND (r.source=o.source OR o.source='*')"                 \
    " AND (r.id IS NULL OR r.id=o.id) ORDER BY seq DESC LIMIT 1)"

typedef struct order_reader {
    void (*fn)(void *ctx, const sy_desk_order *o);
    void *ctx;
} order_reader;

static void read_order(void *ctx, sqlite3_stmt *st)
{
    order_reader *r = ctx;
    bool told = sqlite3_column_type(st, 11) != SQLITE_NULL;
    r->fn(r->ctx, &(sy_desk_order){.seq = sqlite3_column_int64(st, 0),
                                   .source = sy_inbox__column(st, 1),
                                   .id = sy_inbox__column(st, 2),
                                   .kind = sy_inbox__column(st, 3),
                                   .alert = sy_inbox__column(st, 4),
                                   .who = sy_inbox__column(st, 5),
                                   .why = sy_inbox__column(st, 6),
                                   .signer = sy_inbox__column(st, 7),
                                   .jws = sy_inbox__column(st, 8),
                                   .at = sqlite3_column_int64(st, 9),
                                   .asked = sqlite3_column_int(st, 10) != 0,
                                   .result = sy_inbox__column(st, 11),
                                   .result_why = sy_inbox__column(st, 12),
                                   .result_at = told ? sqlite3_column_int64(st, 13) : SY_MS_NONE});
}

sy_err sy_desk_orders(sy_inbox_db *d, const char *source, const char *alert, int64_t after, int max,
                      void (*fn)(void *ctx, const sy_desk_order *o), void *ctx, sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        d,
        "SELECT o.seq, o.source, o.id, o.kind, o.alert, o.who, o.why, o.signer, o.jws,"
        " o.at, coalesce((SELECT max(asked) FROM gateways g WHERE o.source IN (g.source, '*')), 0)"
        ">=o.seq,"
        " " LAST_RESULT("result") ", " LAST_RESULT("why") ", " LAST_RESULT(
            "at") " FROM orders o WHERE o.seq>?1 AND (?2 IS NULL OR"
                  " (o.source=?2 AND (?3 IS NULL OR o.alert=?3))) ORDER BY o.seq LIMIT ?4",
        "issi", after, source, alert, (int64_t)max);
    return sy_inbox__each(d, st, "reading orders", read_order, &(order_reader){fn, ctx}, f);
}

static sy_err note_asked(sy_inbox_db *d, const char *source, int64_t after, sy_ms now, sy_fail *f)
{
    return sy_inbox__run(
        d,
        sy_inbox__prepare(d,
                          "INSERT INTO gateways(source, asked, asked_at) VALUES(?1, ?2, ?3)"
                          " ON CONFLICT(source) DO UPDATE SET asked=?2, asked_at=?3",
                          "sii", source, after, (int64_t)now),
        "a gateway", f);
}

sy_err sy_desk_serve(sy_inbox_db *d, const char *source, int64_t after, sy_ms now, sy_buf *out,
                     sy_fail *f)
{
    sy_err e = note_asked(d, source, after, now, f);
    if (e != SY_OK) {
        return e;
    }
    sqlite3_stmt *st = sy_inbox__prepare(
        d,
        "SELECT seq, jws, (SELECT max(seq) FROM orders WHERE source IN (?1, '*')) FROM orders"
        " WHERE source IN (?1, '*') AND seq>?2 ORDER BY seq LIMIT ?3",
        "sii", source, after, (int64_t)SY_DESK_ORDERS_MAX);
    int64_t next = after;
    int rc = SQLITE_ERROR, n = 0;
    size_t begin = out->n;
    sy_buf_text(out, "{\"orders\":[");
    while (st && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        size_t size = (size_t)sqlite3_column_bytes(st, 1) + 64;
        next = sqlite3_column_int64(st, 2);
        if (n > 0 && out->n - begin + size > SY_DESK_ANSWER_MAX - 64) {
            rc = SQLITE_DONE;
            break;
        }
        sy_buf_printf(out, "%s{\"number\":%lld,\"order\":", n++ ? ",\n" : "\n",
                      (long long)sqlite3_column_int64(st, 0));
        sy_buf_json(out, sy_span_of(sy_inbox__column(st, 1)));
        sy_buf_char(out, '}');
    }
    e = rc == SQLITE_DONE ? SY_OK : sy_inbox__failed(d, "reading orders", f);
    sy_inbox__done(d, st);
    sy_buf_printf(out, "],\"next\":%lld}\n", (long long)next);
    return e;
}

sy_err sy_desk_evidence_wanted(sy_inbox_db *d, const char *source, const char *alert,
                               const char *order, char id[65], sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        d,
        "SELECT o.id, EXISTS(SELECT 1 FROM evidence e WHERE e.source=o.source AND e.alert=o.alert"
        " AND e.order_id=o.id) FROM orders o WHERE o.source=?1 AND o.alert=?2 AND"
        " o.kind='evidence' AND (?3 IS NULL OR o.id=?3) ORDER BY o.seq DESC LIMIT 1",
        "sss", source, alert, order);
    sy_err e = SY_OK;
    if (!st || sqlite3_step(st) != SQLITE_ROW) {
        e = sy_fail_set(f, SY_E_NOTFOUND, "no evidence was asked for with such an order");
    } else if (sqlite3_column_int(st, 1)) {
        e = sy_fail_set(f, SY_E_EXISTS, "the evidence for this order is there");
    } else {
        snprintf(id, 65, "%s", sy_inbox__column(st, 0));
    }
    sy_inbox__done(d, st);
    return e;
}

sy_err sy_desk_evidence_add(sy_inbox_db *d, const sy_desk_evidence *e, sy_fail *f)
{
    return sy_inbox__run(
        d,
        sy_inbox__prepare(d,
                          "INSERT INTO evidence(source, alert, order_id, size, sha256, proven,"
                          " findings, at) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                          "sssisisi", e->source, e->alert, e->order, e->size, e->sha256,
                          (int64_t)e->proven, e->findings, (int64_t)e->at),
        "evidence", f);
}

typedef struct evidence_reader {
    void (*fn)(void *ctx, const sy_desk_evidence *e);
    void *ctx;
} evidence_reader;

static void read_evidence(void *ctx, sqlite3_stmt *st)
{
    evidence_reader *r = ctx;
    r->fn(r->ctx, &(sy_desk_evidence){.seq = sqlite3_column_int64(st, 0),
                                      .source = sy_inbox__column(st, 1),
                                      .alert = sy_inbox__column(st, 2),
                                      .order = sy_inbox__column(st, 3),
                                      .size = sqlite3_column_int64(st, 4),
                                      .sha256 = sy_inbox__column(st, 5),
                                      .proven = sqlite3_column_int(st, 6) != 0,
                                      .findings = sy_inbox__column(st, 7),
                                      .at = sqlite3_column_int64(st, 8)});
}

sy_err sy_desk_evidences(sy_inbox_db *d, const char *source, const char *alert, int64_t after,
                         void (*fn)(void *ctx, const sy_desk_evidence *e), void *ctx, sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        d,
        "SELECT seq, source, alert, order_id, size, sha256, proven, findings, at FROM evidence"
        " WHERE (?1 IS NULL AND seq>?3) OR (source=?1 AND alert=?2) ORDER BY seq LIMIT 1000",
        "ssi", source, alert, after);
    return sy_inbox__each(d, st, "reading evidence", read_evidence, &(evidence_reader){fn, ctx}, f);
}
