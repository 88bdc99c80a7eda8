/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of ledgers, for the page and its API. */
#include "inbox/db_int.h"

typedef struct ledger_reader {
    void (*fn)(void *ctx, const sy_inbox_ledger *l);
    void *ctx;
} ledger_reader;

static void read_ledger(void *ctx, sqlite3_stmt *st)
{
    const ledger_reader *r = ctx;
    r->fn(r->ctx, &(sy_inbox_ledger){.source = sy_inbox__column(st, 0),
                                     .size = sqlite3_column_int64(st, 1),
                                     .root = sy_inbox__column(st, 2),
                                     .time = sqlite3_column_int64(st, 3),
                                     .box = sy_inbox__column(st, 4),
                                     .kid = sy_inbox__column(st, 5),
                                     .certified = sqlite3_column_int(st, 6) != 0,
                                     .received = sqlite3_column_int64(st, 7),
                                     .heads = sqlite3_column_int64(st, 8)});
}

sy_err sy_inbox_db_ledgers(sy_inbox_db *d, void (*fn)(void *ctx, const sy_inbox_ledger *l),
                           void *ctx, sy_fail *f)
{
    return sy_inbox__each(
        d,
        sy_inbox__prepare(d,
                          "SELECT h.source, size, lower(hex(root)), time, box, kid, certified,"
                          " received, n FROM heads h JOIN (SELECT source, max(seq) AS seq,"
                          " count(*) AS n FROM heads GROUP BY source) l ON l.seq=h.seq"
                          " ORDER BY h.source",
                          ""),
        "reading ledgers", read_ledger, &(ledger_reader){fn, ctx}, f);
}

typedef struct text_reader {
    void (*fn)(void *ctx, const char *text);
    void *ctx;
} text_reader;

static void read_text(void *ctx, sqlite3_stmt *st)
{
    const text_reader *r = ctx;
    r->fn(r->ctx, sy_inbox__column(st, 0));
}

sy_err sy_inbox_db_heads(sy_inbox_db *d, const char *source, int64_t after, int max,
                         void (*fn)(void *ctx, const char *json), void *ctx, sy_fail *f)
{
    return sy_inbox__each(d,
                          sy_inbox__prepare(d,
                                            "SELECT signed FROM heads WHERE source=? AND size>?"
                                            " ORDER BY size, seq LIMIT ?",
                                            "sii", source, after, (int64_t)max),
                          "reading heads", read_text, &(text_reader){fn, ctx}, f);
}

typedef struct flag_reader {
    void (*fn)(void *ctx, const sy_inbox_flag *g);
    void *ctx;
} flag_reader;

static void read_flag(void *ctx, sqlite3_stmt *st)
{
    const flag_reader *r = ctx;
    r->fn(r->ctx, &(sy_inbox_flag){.seq = sqlite3_column_int64(st, 0),
                                   .source = sy_inbox__column(st, 1),
                                   .kind = sy_inbox__column(st, 2),
                                   .text = sy_inbox__column(st, 3),
                                   .received = sqlite3_column_int64(st, 4)});
}

sy_err sy_inbox_db_flags(sy_inbox_db *d, int max, void (*fn)(void *ctx, const sy_inbox_flag *g),
                         void *ctx, sy_fail *f)
{
    return sy_inbox__each(d,
                          sy_inbox__prepare(d,
                                            "SELECT seq, source, kind, text, received FROM flags"
                                            " ORDER BY seq DESC LIMIT ?",
                                            "i", (int64_t)max),
                          "reading flags", read_flag, &(flag_reader){fn, ctx}, f);
}
