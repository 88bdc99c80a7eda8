/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway says that its ledger goes on from a backup (docs/ledger.md, "Backup and restore"). What
 * it had told over more entries is lost there: the gap is flagged with its reason, for good, and
 * heads are compared with what is left from then on.
 */
#include <stdio.h>

#include "base/utf8.h"
#include "inbox/db_int.h"

enum { WORDS = 160 };

/* What is known of the source: its newest head, and the last row of heads. */
typedef struct known {
    int64_t size, time, seq, other; /* other: heads of the restored size with another root */
} known;

static void read_known(void *ctx, sqlite3_stmt *st)
{
    known *k = ctx;
    k->size = sqlite3_column_int64(st, 0);
    k->time = sqlite3_column_int64(st, 1);
    k->seq = sqlite3_column_int64(st, 2);
}

static void read_other(void *ctx, sqlite3_stmt *st)
{
    ((known *)ctx)->other = sqlite3_column_int64(st, 0);
}

static sy_err look(sy_inbox_db *d, const char *source, int64_t leaves, const sy_digest *root,
                   known *k, sy_fail *f)
{
    *k = (known){.size = 0};
    sy_err e = sy_inbox__each(
        d,
        sy_inbox__prepare(d,
                          "SELECT size, time, (SELECT max(seq) FROM heads WHERE source=?1)"
                          " FROM live WHERE source=?1 ORDER BY size DESC LIMIT 1",
                          "s", source),
        "reading heads", read_known, k, f);
    if (e != SY_OK) {
        return e;
    }
    sqlite3_stmt *st = sy_inbox__prepare(
        d, "SELECT count(*) FROM live WHERE source=? AND size=? AND root<>?", "si", source, leaves);
    if (st) {
        sqlite3_bind_blob(st, 3, root->b, sizeof root->b, SQLITE_TRANSIENT);
    }
    return sy_inbox__each(d, st, "reading heads", read_other, k, f);
}

static sy_err run(sy_inbox_db *d, sqlite3_stmt *st, sy_fail *f)
{
    sy_err e = st && sqlite3_step(st) == SQLITE_DONE ? SY_OK : sy_inbox__failed(d, "a restore", f);
    sy_inbox__done(d, st);
    return e;
}

static sy_err give_up(sy_inbox_db *d, const char *source, int64_t leaves, int64_t upto, sy_fail *f)
{
    sy_err e = run(d,
                   sy_inbox__prepare(d,
                                     "INSERT OR IGNORE INTO restored(source, upto, size)"
                                     " VALUES(?, ?, ?)",
                                     "sii", source, upto, leaves),
                   f);
    return e != SY_OK ? e
                      : run(d,
                            sy_inbox__prepare(d,
                                              "UPDATE told SET kept=3 WHERE source=? AND size>?"
                                              " AND kept=0",
                                              "si", source, leaves),
                            f);
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

static sy_err tell(sy_inbox_db *d, const sy_cloud *c, int64_t leaves, const known *k, sy_ms now,
                   sy_fail *f)
{
    char text[3 * WORDS + 320], last[25];
    sy_time_text(k->time, last);
    int n = snprintf(text, sizeof text, "to %lld entries, by a backup of %.25s; ",
                     (long long)leaves, text_of(c->data, "backup"));
    size_t at = n > 0 ? (size_t)n : 0;
    if (k->size > leaves) {
        n = snprintf(text + at, sizeof text - at,
                     "%lld entries that were known here are lost there (up to %lld, signed until "
                     "%s)",
                     (long long)(k->size - leaves), (long long)k->size, last);
    } else {
        n = snprintf(text + at, sizeof text - at, "nothing that was known here is lost");
    }
    at += n > 0 ? (size_t)n : 0;
    (void)snprintf(text + at, sizeof text - at, "; %.*s: %.*s", (int)WORDS, text_of(c->data, "who"),
                   (int)WORDS, text_of(c->data, "why"));
    const sy_span whole = {text, strlen(text)};
    text[sy_utf8_check(whole)] = '\0'; /* cut at a whole letter */
    return sy_inbox__flag(d, c->source, "restored", text, now, f);
}

sy_err sy_inbox__book_restored(sy_inbox_db *d, const sy_cloud *c, const sy_head *under, sy_ms now,
                               sy_fail *f)
{
    const json_t *leaves = json_object_get(c->data, "leaves");
    const int64_t n = json_integer_value(leaves);
    sy_digest root;
    known k;
    if (!json_is_integer(leaves) || n <= 0 || (uint64_t)n >= under->size ||
        sy_digest_parse(sy_span_of(text_of(c->data, "root")), &root) != SY_OK) {
        return sy_inbox__flag(d, c->source, "bad-head",
                              "an event says that the ledger was restored, and not to where", now,
                              f);
    }
    sy_err e = look(d, c->source, n, &root, &k, f);
    if (e == SY_OK && k.other > 0) {
        char text[WORDS];
        (void)snprintf(text, sizeof text,
                       "it says that it goes on from %lld entries, but those were others",
                       (long long)n);
        return sy_inbox__flag(d, c->source, "inconsistent", text, now, f);
    }
    e = e != SY_OK ? e : give_up(d, c->source, n, k.seq, f);
    return e != SY_OK ? e : tell(d, c, n, &k, now, f);
}
