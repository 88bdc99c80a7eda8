/* SPDX-License-Identifier: Apache-2.0 */
/* Cases, and what is known of the gateways. */
#include "inbox/db_int.h"
#include "inbox/desk.h"

static const char *const states[] = {"new", "notified", "replied", "reviewed", "closed"};

const char *sy_case_text(sy_case_state s)
{
    return states[s];
}

sy_case_state sy_case_of(const char *text)
{
    int i = 0;
    while (text && i < SY_CASE_STATES && strcmp(text, states[i]) != 0) {
        i++;
    }
    return (sy_case_state)i;
}

bool sy_case_may(sy_case_state from, sy_case_state to)
{
    return to < SY_CASE_STATES && (to > from || (from == SY_CASE_CLOSED && to == SY_CASE_NEW));
}

const char *sy_case_outcome(unsigned i)
{
    static const char *const outcomes[] = {"false-alarm", "rectified", "inspection", "filed"};
    return i < sizeof outcomes / sizeof outcomes[0] ? outcomes[i] : NULL;
}

static bool outcome_known(const char *text)
{
    bool known = false;
    for (unsigned i = 0; text && sy_case_outcome(i); i++) {
        known = known || strcmp(text, sy_case_outcome(i)) == 0;
    }
    return known;
}

static sy_case_state state_now(sy_inbox_db *d, const sy_desk_step *s)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        d, "SELECT state FROM cases WHERE source=? AND alert=? ORDER BY seq DESC LIMIT 1", "ss",
        s->source, s->alert);
    sy_case_state now =
        st && sqlite3_step(st) == SQLITE_ROW ? sy_case_of(sy_inbox__column(st, 0)) : SY_CASE_NEW;
    sy_inbox__done(d, st);
    return now;
}

static sy_err check_step(sy_inbox_db *d, const sy_desk_step *s, sy_fail *f)
{
    sy_case_state from = state_now(d, s), to = sy_case_of(s->state);
    bool reason = s->why && s->why[0];
    if (sy_inbox_db_find(d, s->source, s->alert) == 0) {
        return sy_fail_set(f, SY_E_NOTFOUND, "there is no such alert");
    }
    if (!sy_case_may(from, to)) {
        return sy_fail_set(f, SY_E_RANGE, "a case that is %s cannot become %.20s",
                           from < SY_CASE_STATES ? states[from] : "?", s->state);
    }
    if (to == SY_CASE_CLOSED && (!reason || !outcome_known(s->outcome))) {
        return sy_fail_set(f, SY_E_RANGE, "closing a case needs an outcome and a reason");
    }
    if (to == SY_CASE_NEW && !reason) {
        return sy_fail_set(f, SY_E_RANGE, "opening a case again needs a reason");
    }
    return s->who && s->who[0] ? SY_OK : sy_fail_set(f, SY_E_RANGE, "who does it is not said");
}

sy_err sy_desk_case_add(sy_inbox_db *d, const sy_desk_step *s, sy_fail *f)
{
    if (sqlite3_exec(d->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        return sy_inbox__failed(d, "begin", f);
    }
    bool closes = s->state && strcmp(s->state, "closed") == 0;
    sy_err e = check_step(d, s, f);
    if (e == SY_OK) {
        e = sy_inbox__run(
            d,
            sy_inbox__prepare(d,
                              "INSERT INTO cases(source, alert, state, outcome, why,"
                              " who, at) VALUES(?, ?, ?, ?, ?, ?, ?)",
                              "ssssssi", s->source, s->alert, s->state, closes ? s->outcome : NULL,
                              s->why && s->why[0] ? s->why : NULL, s->who, (int64_t)s->at),
            "a case", f);
    }
    if (e == SY_OK && sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        e = sy_inbox__failed(d, "commit", f);
    }
    if (e != SY_OK) {
        sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return e;
}

typedef struct step_reader {
    void (*fn)(void *ctx, const sy_desk_step *s);
    void *ctx;
} step_reader;

static void read_step(void *ctx, sqlite3_stmt *st)
{
    step_reader *r = ctx;
    r->fn(r->ctx, &(sy_desk_step){.seq = sqlite3_column_int64(st, 0),
                                  .source = sy_inbox__column(st, 1),
                                  .alert = sy_inbox__column(st, 2),
                                  .state = sy_inbox__column(st, 3),
                                  .outcome = sy_inbox__column(st, 4),
                                  .why = sy_inbox__column(st, 5),
                                  .who = sy_inbox__column(st, 6),
                                  .at = sqlite3_column_int64(st, 7)});
}

sy_err sy_desk_cases(sy_inbox_db *d, const char *source, const char *alert, int64_t after, int max,
                     void (*fn)(void *ctx, const sy_desk_step *s), void *ctx, sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        d,
        "SELECT seq, source, alert, state, outcome, why, who, at FROM cases WHERE seq>?1"
        " AND (?2 IS NULL OR (source=?2 AND alert=?3)) ORDER BY seq LIMIT ?4",
        "issi", after, source, alert, (int64_t)max);
    return sy_inbox__each(d, st, "reading cases", read_step, &(step_reader){fn, ctx}, f);
}

typedef struct gateway_reader {
    void (*fn)(void *ctx, const sy_desk_gateway *g);
    void *ctx;
} gateway_reader;

static sy_ms time_at(sqlite3_stmt *st, int i)
{
    return sqlite3_column_type(st, i) == SQLITE_NULL ? SY_MS_NONE : sqlite3_column_int64(st, i);
}

static void read_gateway(void *ctx, sqlite3_stmt *st)
{
    gateway_reader *r = ctx;
    r->fn(r->ctx, &(sy_desk_gateway){.source = sy_inbox__column(st, 0),
                                     .sender = sy_inbox__column(st, 1),
                                     .beat = sy_inbox__column(st, 2),
                                     .statements = sy_inbox__column(st, 3),
                                     .heard = time_at(st, 4),
                                     .beat_at = time_at(st, 5),
                                     .asked_at = time_at(st, 6),
                                     .active = sqlite3_column_int64(st, 7),
                                     .orders_open = sqlite3_column_int64(st, 8)});
}

sy_err sy_desk_gateways(sy_inbox_db *d, int max, void (*fn)(void *ctx, const sy_desk_gateway *g),
                        void *ctx, sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        d,
        "SELECT source, sender, beat, (SELECT json_group_array(json_object('at', s.at, 'data',"
        " json(s.data))) FROM statements s WHERE s.source=g.source), heard, beat_at, asked_at,"
        " (SELECT count(*) FROM alerts a WHERE a.source=g.source AND a.state='active'),"
        " (SELECT count(*) FROM orders o WHERE o.source IN (g.source, '*') AND o.seq>"
        " coalesce(g.asked, 0))"
        " FROM gateways g ORDER BY source LIMIT ?",
        "i", (int64_t)max);
    return sy_inbox__each(d, st, "reading gateways", read_gateway, &(gateway_reader){fn, ctx}, f);
}
