/* SPDX-License-Identifier: Apache-2.0 */
/* Reading alerts with what is known of them (facts.c) and the state of their case. */
#include <stdio.h>
#include <stdlib.h>

#include "inbox/db_int.h"

#define LAST_CASE(column)                                                                          \
    "(SELECT c." column                                                                            \
    " FROM cases c WHERE c.source=a.source AND c.alert=a.id ORDER BY seq DESC LIMIT 1)"
#define ALERTS                                                                                     \
    "SELECT a.first_seq, a.last_seq, a.events, a.source, a.id, a.state, a.type, a.sender, a.data," \
    " a.severity, a.received, f.acked, f.shelved, f.acked_who, f.shelved_who, f.grouped,"          \
    " f.unanswered, " LAST_CASE("state") ", " LAST_CASE(                                           \
        "at") " FROM alerts a"                                                                     \
              " LEFT JOIN facts f ON f.source=a.source AND f.id=a.id"

typedef struct alert_reader {
    void (*fn)(void *ctx, const sy_inbox_alert *a);
    void *ctx;
    bool found;
} alert_reader;

static sy_ms time_at(sqlite3_stmt *st, int i)
{
    return sqlite3_column_type(st, i) == SQLITE_NULL ? SY_MS_NONE : sqlite3_column_int64(st, i);
}

static void read_alert(void *ctx, sqlite3_stmt *st)
{
    alert_reader *r = ctx;
    r->found = true;
    r->fn(r->ctx, &(sy_inbox_alert){.first_seq = sqlite3_column_int64(st, 0),
                                    .last_seq = sqlite3_column_int64(st, 1),
                                    .events = sqlite3_column_int64(st, 2),
                                    .source = sy_inbox__column(st, 3),
                                    .id = sy_inbox__column(st, 4),
                                    .state = sy_inbox__column(st, 5),
                                    .type = sy_inbox__column(st, 6),
                                    .sender = sy_inbox__column(st, 7),
                                    .data = sy_inbox__column(st, 8),
                                    .severity = sqlite3_column_int(st, 9),
                                    .received = sqlite3_column_int64(st, 10),
                                    .acked = time_at(st, 11),
                                    .shelved = time_at(st, 12),
                                    .acked_who = sy_inbox__column(st, 13),
                                    .shelved_who = sy_inbox__column(st, 14),
                                    .grouped = sy_inbox__column(st, 15),
                                    .unanswered = sqlite3_column_int(st, 16) != 0,
                                    .case_state = sy_inbox__column(st, 17),
                                    .case_at = time_at(st, 18)});
}

sy_err sy_inbox_db_alerts(sy_inbox_db *d, int64_t after, int max,
                          void (*fn)(void *ctx, const sy_inbox_alert *a), void *ctx, sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        d, ALERTS " WHERE a.first_seq>? ORDER BY a.first_seq LIMIT ?", "ii", after, (int64_t)max);
    return sy_inbox__each(d, st, "reading alerts", read_alert, &(alert_reader){fn, ctx, false}, f);
}

/* A text as a pattern of LIKE that means itself. */
static char *pattern_of(const char *text)
{
    size_t n = strlen(text), k = 0;
    char *out = malloc(2 * n + 3);
    if (out) {
        out[k++] = '%';
        for (size_t i = 0; i < n; i++) {
            if (text[i] == '%' || text[i] == '_' || text[i] == '\\') {
                out[k++] = '\\';
            }
            out[k++] = text[i];
        }
        out[k++] = '%';
        out[k] = 0;
    }
    return out;
}

sy_err sy_inbox_db_newest(sy_inbox_db *d, const sy_inbox_filter *w, int64_t before, int max,
                          void (*fn)(void *ctx, const sy_inbox_alert *a), void *ctx, sy_fail *f)
{
    static const char sql[] = ALERTS
        " WHERE a.last_seq<?1 AND (?2 IS NULL OR f.premises=?2) AND (?3 IS NULL OR f.rule=?3)"
        " AND a.severity>=?4 AND (?5 IS NULL OR f.search LIKE ?5 ESCAPE '\\')"
        " AND CASE ?6 WHEN '' THEN 1"
        "  WHEN 'unacknowledged' THEN f.acked IS NULL AND a.state IN ('active', 'cleared')"
        "   AND a.type NOT LIKE 'steelyard.group.%'"
        "   AND (f.shelved IS NULL OR f.shelved<=?7)"
        "  WHEN 'shelved' THEN f.shelved>?7"
        "  WHEN 'unanswered' THEN f.unanswered<>0 AND f.acked IS NULL"
        "  ELSE a.state=?6 END"
        " AND (?8 IS NULL OR coalesce(" LAST_CASE(
            "state") ", 'new')=?8)"
                     " AND (?10 IS NULL OR a.source=?10) AND (?11 IS NULL OR f.grouped=?11)"
                     " ORDER BY a.last_seq DESC LIMIT ?9";
    char *pattern = w->text && w->text[0] ? pattern_of(w->text) : NULL;
    if (w->text && w->text[0] && !pattern) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a filter");
    }
    int64_t top = before > 0 ? before : INT64_MAX;
    sqlite3_stmt *st =
        sy_inbox__prepare(d, sql, "ississisiss", top, w->premises, w->rule, (int64_t)w->severity,
                          pattern, w->state ? w->state : "", (int64_t)w->now, w->case_state,
                          (int64_t)max, w->source, w->group);
    free(pattern);
    return sy_inbox__each(d, st, "reading alerts", read_alert, &(alert_reader){fn, ctx, false}, f);
}

sy_err sy_inbox_db_alert(sy_inbox_db *d, int64_t first_seq,
                         void (*fn)(void *ctx, const sy_inbox_alert *a), void *ctx, sy_fail *f)
{
    alert_reader r = {fn, ctx, false};
    sqlite3_stmt *st = sy_inbox__prepare(d, ALERTS " WHERE a.first_seq=?", "i", first_seq);
    sy_err e = sy_inbox__each(d, st, "reading alerts", read_alert, &r, f);
    return e == SY_OK && !r.found ? sy_fail_set(f, SY_E_NOTFOUND, "there is no such alert") : e;
}

int64_t sy_inbox_db_find(sy_inbox_db *d, const char *source, const char *alert)
{
    sqlite3_stmt *st = sy_inbox__prepare(d, "SELECT first_seq FROM alerts WHERE source=? AND id=?",
                                         "ss", source, alert);
    int64_t seq = st && sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    sy_inbox__done(d, st);
    return seq;
}

typedef struct choice_reader {
    void (*fn)(void *ctx, const char *id, const char *name);
    void *ctx;
} choice_reader;

static void read_choice(void *ctx, sqlite3_stmt *st)
{
    choice_reader *r = ctx;
    r->fn(r->ctx, sy_inbox__column(st, 0), sy_inbox__column(st, 1));
}

sy_err sy_inbox_db_choices(sy_inbox_db *d, bool rules, int max,
                           void (*fn)(void *ctx, const char *id, const char *name), void *ctx,
                           sy_fail *f)
{
    const char *sql = rules ? "SELECT DISTINCT rule, NULL FROM facts WHERE rule IS NOT NULL"
                              " ORDER BY rule LIMIT ?"
                            : "SELECT premises, max(premises_name) FROM facts WHERE premises IS NOT"
                              " NULL GROUP BY premises ORDER BY 2, 1 LIMIT ?";
    sqlite3_stmt *st = sy_inbox__prepare(d, sql, "i", (int64_t)max);
    return sy_inbox__each(d, st, "reading choices", read_choice, &(choice_reader){fn, ctx}, f);
}
