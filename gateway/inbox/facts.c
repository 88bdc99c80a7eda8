/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What events say beside the state of an alert: whom and what it concerns, what people did about
 * it, when a gateway was last heard, what came of an order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "inbox/db_int.h"

sy_err sy_inbox__run(sy_inbox_db *d, sqlite3_stmt *st, const char *what, sy_fail *f)
{
    sy_err e = st && sqlite3_step(st) == SQLITE_DONE ? SY_OK : sy_inbox__failed(d, what, f);
    sy_inbox__done(d, st);
    return e;
}

static const char *text_in(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static const char *rule_of(const json_t *data)
{
    const json_t *rule = json_object_get(data, "rule");
    const char *id = text_in(rule, "id"), *plain = json_string_value(rule);
    return id ? id : plain ? plain : text_in(json_object_get(data, "alert"), "rule");
}

static void add_text(sy_buf *b, const json_t *value)
{
    const char *texts[] = {json_string_value(value), text_in(value, "en"), text_in(value, "zh")};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i]) {
            sy_buf_text(b, texts[i]);
            sy_buf_char(b, '\n');
        }
    }
}

/* All that a person may look for. */
static void search_text(sy_buf *b, const sy_cloud *c, const json_t *data)
{
    static const char *const parts[][2] = {
        {"premises", "id"}, {"premises", "name"}, {"premises", "code"}, {"place", "id"},
        {"place", "name"},  {"rule", "id"},       {"rule", "title"},    {"rule", "say"},
        {"rule", "limit"},  {"alert", "message"}, {"alert", "subject"}};
    sy_buf_text(b, c->alert);
    sy_buf_char(b, '\n');
    sy_buf_text(b, c->source);
    sy_buf_char(b, '\n');
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        add_text(b, json_object_get(json_object_get(data, parts[i][0]), parts[i][1]));
    }
    add_text(b, json_object_get(data, "device"));
    add_text(b, json_object_get(data, "series"));
    add_text(b, json_object_get(data, "quantity"));
}

static sy_ms time_in(const json_t *object, const char *name, sy_ms otherwise)
{
    sy_ms t = SY_MS_NONE;
    const char *text = text_in(object, name);
    return text && sy_time_parse(sy_span_of(text), &t) == SY_OK ? t : otherwise;
}

/* What a person did, or what became of that (docs/lifecycle.md). */
static sy_err book_act(sy_inbox_db *d, const sy_cloud *c, sy_ms now, sy_fail *f)
{
    const char *change = strrchr(c->type, '.') + 1;
    const json_t *act = json_object_get(c->data, "act");
    const char *who = text_in(act, "who"), *via = text_in(act, "via"), *sql = NULL;
    sy_ms told = now;
    if (c->time && sy_time_parse(sy_span_of(c->time), &told) != SY_OK) {
        told = now;
    }
    bool by_person = !via || strcmp(via, "clock") != 0;
    if (strcmp(change, "acknowledged") == 0 || (strcmp(change, "unshelved") == 0 && by_person)) {
        sql = "UPDATE facts SET acked=?3, acked_who=?4, unanswered=0 WHERE source=?1 AND id=?2";
    } else if (strcmp(change, "shelved") == 0) {
        sql = "UPDATE facts SET shelved_who=?4 WHERE source=?1 AND id=?2 AND ?3 IS NOT NULL";
    } else if (strcmp(change, "unshelved") == 0 || strcmp(change, "escalated") == 0) {
        /* A shelf that ended by itself, or a worse alert, wants to be acknowledged anew. */
        sql = "UPDATE facts SET acked=NULL, acked_who=NULL, unanswered=0 WHERE source=?1 AND id=?2"
              " AND (?3 IS NOT NULL OR ?4 IS NULL)";
    } else if (strcmp(change, "unanswered") == 0) {
        sql = "UPDATE facts SET unanswered=1 WHERE source=?1 AND id=?2"
              " AND (?3 IS NOT NULL OR ?4 IS NULL)";
    }
    return sql ? sy_inbox__run(d,
                               sy_inbox__prepare(d, sql, "ssis", c->source, c->alert,
                                                 (int64_t)time_in(act, "at", told), who),
                               "an act", f)
               : SY_OK;
}

/* An alert that stands in the place of another stands as that did. */
static sy_err follow(sy_inbox_db *d, const sy_cloud *c, sy_fail *f)
{
    const char *before = text_in(c->data, "replaces");
    return before ? sy_inbox__run(
                        d,
                        sy_inbox__prepare(d,
                                          "UPDATE facts SET (acked, acked_who, shelved_who,"
                                          " unanswered)=(SELECT o.acked, o.acked_who,"
                                          " o.shelved_who, o.unanswered FROM facts o WHERE"
                                          " o.source=?1 AND o.id=?3) WHERE source=?1 AND id=?2 AND"
                                          " EXISTS (SELECT 1 FROM facts o WHERE o.source=?1 AND"
                                          " o.id=?3)",
                                          "sss", c->source, c->alert, before),
                        "an alert's facts", f)
                  : SY_OK;
}

sy_err sy_inbox__facts(sy_inbox_db *d, const sy_cloud *c, const json_t *data, sy_ms now, sy_fail *f)
{
    const json_t *premises = json_object_get(data, "premises");
    const char *id = text_in(premises, "id"), *name = text_in(premises, "name");
    bool shelved = json_is_true(json_object_get(c->data, "shelved"));
    char until[24] = "";
    if (shelved) {
        snprintf(until, sizeof until, "%lld",
                 (long long)time_in(c->data, "shelved_until", INT64_MAX));
    }
    sy_buf search;
    sy_buf_init(&search, sy_heap());
    search_text(&search, c, data);
    sy_err e = search.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for an alert") : SY_OK;
    if (e == SY_OK) {
        e = sy_inbox__run(
            d,
            sy_inbox__prepare(
                d,
                "INSERT INTO facts(source, id, premises, premises_name, rule, search, grouped,"
                " shelved, unanswered) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, CAST(?8 AS INTEGER), 0)"
                " ON CONFLICT(source, id) DO UPDATE SET premises=?3, premises_name=?4, rule=?5,"
                " search=?6, grouped=?7, shelved=CAST(?8 AS INTEGER)",
                "ssssssss", c->source, c->alert, id ? id : name, name ? name : id, rule_of(data),
                search.p, text_in(data, "group"), shelved ? until : NULL),
            "an alert's facts", f);
    }
    sy_buf_fini(&search);
    e = e != SY_OK || strcmp(strrchr(c->type, '.') + 1, "raised") != 0 ? e : follow(d, c, f);
    return e != SY_OK ? e : book_act(d, c, now, f);
}

typedef struct filling {
    sy_inbox_db *d;
    sy_err e;
    sy_fail *f;
} filling;

static void fill_one(void *ctx, sqlite3_stmt *st)
{
    filling *fill = ctx;
    json_t *data = json_loads(sy_inbox__column(st, 2), 0, NULL);
    sy_cloud c = {.source = sy_inbox__column(st, 0),
                  .alert = sy_inbox__column(st, 1),
                  .type = "steelyard.alert.raised"};
    if (fill->e == SY_OK) {
        fill->e = sy_inbox__facts(fill->d, &c, data, 0, fill->f);
    }
    json_decref(data);
}

sy_err sy_inbox__facts_fill(sy_inbox_db *d, sy_fail *f)
{
    filling fill = {d, SY_OK, f};
    if (sqlite3_exec(d->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        return sy_inbox__failed(d, "begin", f);
    }
    sqlite3_stmt *st =
        sy_inbox__prepare(d,
                          "SELECT source, id, data FROM alerts a WHERE NOT EXISTS (SELECT 1 FROM"
                          " facts f WHERE f.source=a.source AND f.id=a.id)",
                          "");
    sy_err e = sy_inbox__each(d, st, "reading alerts", fill_one, &fill, f);
    e = e != SY_OK ? e : fill.e;
    if (e == SY_OK && sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        e = sy_inbox__failed(d, "commit", f);
    }
    if (e != SY_OK) {
        sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return e;
}

/* steelyard.order.done, .refused, .waiting (docs/orders.md). */
static sy_err book_result(sy_inbox_db *d, const sy_cloud *c, int64_t seq, sy_ms now, sy_fail *f)
{
    const json_t *number = json_object_get(c->data, "number");
    return !json_is_integer(number)
               ? SY_OK
               : sy_inbox__run(d,
                               sy_inbox__prepare(
                                   d,
                                   "INSERT INTO results(seq, source, number, id, result, why, at)"
                                   " VALUES(?, ?, ?, ?, ?, ?, ?)",
                                   "isisssi", seq, c->source, (int64_t)json_integer_value(number),
                                   text_in(c->data, "order"), strrchr(c->type, '.') + 1,
                                   text_in(c->data, "reason"), (int64_t)now),
                               "what came of an order", f);
}

/* The newest statement of each premises; one that corrects an older day does not push it out. */
static sy_err book_statement(sy_inbox_db *d, const sy_cloud *c, const char *data, sy_ms now,
                             sy_fail *f)
{
    const char *premises = text_in(json_object_get(c->data, "premises"), "id");
    const char *day = text_in(c->data, "day");
    return !premises || !day
               ? SY_OK
               : sy_inbox__run(
                     d,
                     sy_inbox__prepare(
                         d,
                         "INSERT INTO statements(source, premises, day, at, data) VALUES(?, ?, ?,"
                         " ?, ?) ON CONFLICT(source, premises) DO UPDATE SET day=excluded.day,"
                         " at=excluded.at, data=excluded.data WHERE excluded.day>=day",
                         "sssis", c->source, premises, day, (int64_t)now, data),
                     "a statement", f);
}

/* Once a batch for each gateway: the others of its events say nothing new. */
static sy_err note_gateway(sy_inbox_db *d, const sy_cloud *c, const char *sender, const char *beat,
                           sy_ms now, sy_fail *f)
{
    sqlite3_stmt *st = sy_inbox__prepare(
        d,
        "INSERT INTO gateways(source, sender, heard, beat, beat_at) VALUES(?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT(source) DO UPDATE SET sender=?2, heard=?3, beat=coalesce(?4, beat),"
        " beat_at=iif(?4 IS NULL, beat_at, ?5)",
        "ssisi", c->source, sender, (int64_t)now, beat, (int64_t)now);
    snprintf(d->heard, sizeof d->heard, "%s", c->source);
    return sy_inbox__run(d, st, "a gateway", f);
}

sy_err sy_inbox__heard(sy_inbox_db *d, const sy_cloud *c, int64_t seq, const char *sender,
                       sy_ms now, sy_fail *f)
{
    bool beat = strcmp(c->type, "steelyard.heartbeat") == 0;
    bool statement = strcmp(c->type, "steelyard.statement") == 0;
    char *data = beat || statement ? json_dumps(c->data, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    sy_err e = SY_OK;
    if (beat || strcmp(d->heard, c->source) != 0) {
        e = note_gateway(d, c, sender, beat ? data : NULL, now, f);
    }
    if (e == SY_OK && statement && data) {
        e = book_statement(d, c, data, now, f);
    }
    free(data);
    if (e == SY_OK && strncmp(c->type, "steelyard.order.", 16) == 0) {
        e = book_result(d, c, seq, now, f);
    }
    return e;
}
