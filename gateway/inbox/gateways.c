/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of the gateways: silence means trouble. A gateway that told no heartbeat for longer than
 * it promised is shown first of all as silent, whatever it said last.
 */
#include <math.h>

#include "inbox/desk_view.h"

enum { GATEWAYS = 2000, GATEWAY_ROWS = 100 };

sy_ms sy_gateway_patience(const char *beat)
{
    enum { USUAL_MS = 5 * 60 * 1000, LONGEST_MS = 86400 * 1000 };
    json_t *data = beat ? json_loads(beat, 0, NULL) : NULL;
    const json_t *every = json_object_get(data, "interval_ms");
    double ms = json_is_number(every) ? json_number_value(every) : USUAL_MS;
    json_decref(data);
    ms = ms >= 1000 && ms <= LONGEST_MS ? ms : USUAL_MS;
    return (sy_ms)(2.5 * ms);
}

/* A value of what a gateway said, as text. */
static void value(const sy_view *v, const json_t *value)
{
    if (json_is_string(value)) {
        sy_ms t = sy_view_when(value);
        if (t != SY_MS_NONE) {
            sy_view_time(v, t);
        } else {
            sy_view_text(v, json_string_value(value));
        }
    } else if (json_is_number(value)) {
        sy_view_number(v, json_number_value(value), NULL);
    } else {
        sy_view_text(v, json_is_true(value) ? "✓" : json_is_false(value) ? "✗" : "–");
    }
}

/* What a gateway said, member by member; what is deeper than two levels is in /api/gateways. */
static void members(const sy_view *v, const json_t *object, bool inner)
{
    const char *name;
    json_t *one;
    sy_view_raw(v, inner ? "<span class=\"said\">" : "<dl>");
    json_object_foreach((json_t *)(uintptr_t)object, name, one)
    {
        if (inner && (json_is_object(one) || json_is_array(one))) {
            continue;
        }
        sy_view_raw(v, inner ? "" : "<dt>");
        sy_view_text(v, name);
        sy_view_raw(v, inner ? " " : "</dt><dd>");
        if (json_is_object(one)) {
            members(v, one, true);
        } else if (json_is_array(one)) {
            for (size_t i = 0; i < json_array_size(one) && i < GATEWAY_ROWS; i++) {
                const json_t *row = json_array_get(one, i);
                sy_view_raw(v, i ? "<br>" : "");
                if (json_is_object(row)) {
                    members(v, row, true);
                } else {
                    value(v, row);
                }
            }
        } else {
            value(v, one);
        }
        sy_view_raw(v, inner ? " · " : "</dd>");
    }
    sy_view_raw(v, inner ? "</span>" : "</dl>");
}

static void said(const sy_view *v, sy_word_id w, const char *json, sy_ms at)
{
    json_t *data = json ? json_loads(json, 0, NULL) : NULL;
    if (!json_is_object(data)) {
        json_decref(data);
        return;
    }
    sy_view_raw(v, "<details><summary>");
    sy_view_word(v, w);
    sy_view_raw(v, " ");
    sy_view_time(v, at);
    sy_view_raw(v, "</summary>");
    members(v, data, false);
    sy_view_raw(v, "</details>");
    json_decref(data);
}

static void mark(const sy_view *v, const char *kind, sy_word_id w)
{
    sy_buf_printf(v->out, " <span class=\"mark%s\">", kind);
    sy_view_word(v, w);
    sy_view_raw(v, "</span>");
}

/* The statement of yesterday should have come: of one premises at least it is two days old. */
static bool is_missing(const sy_view *v, const json_t *list)
{
    enum { DAY_MS = 86400000, GRACE_MS = 4 * 3600000 };
    bool missing = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *data = json_object_get(json_array_get(list, i), "data");
        sy_ms to = sy_view_when(json_object_get(data, "to"));
        bool live = !sy_view_replay(data);
        missing = missing || (live && to != SY_MS_NONE && v->now - to > DAY_MS + GRACE_MS);
    }
    return missing;
}

static void time_of_row(const sy_view *v, const json_t *row)
{
    static const struct {
        const char *member;
        sy_word_id word;
    } parts[] = {{"in_order_ms", SY_W_V_IN_ORDER},
                 {"breach_ms", SY_W_V_IN_BREACH},
                 {"unknown_ms", SY_W_V_NOT_KNOWN},
                 {"exempt_ms", SY_W_EXEMPT}};
    bool first = true;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        double ms = json_number_value(json_object_get(row, parts[i].member));
        if (ms > 0 && ms < 1e12) {
            sy_view_raw(v, first ? "" : " · ");
            sy_view_word(v, parts[i].word);
            sy_view_raw(v, " ");
            sy_view_duration(v, (sy_ms)ms);
            first = false;
        }
    }
}

static void rules_of(const sy_view *v, const json_t *rules)
{
    sy_view_raw(v, "<ul>");
    for (size_t i = 0; i < json_array_size(rules) && i < GATEWAY_ROWS; i++) {
        const json_t *row = json_array_get(rules, i);
        sy_view_raw(v, "<li><b>");
        sy_view_text(v, json_string_value(json_object_get(row, "rule")));
        sy_view_raw(v, "</b> ");
        sy_view_text(v, json_string_value(json_object_get(row, "series")));
        sy_view_raw(v, "<br>");
        time_of_row(v, row);
        sy_view_raw(v, "</li>");
    }
    sy_view_raw(v, "</ul>");
}

/* The statement of one premises for a day: the verdict, then what it rests on. */
static void one_statement(const sy_view *v, const json_t *data)
{
    const json_t *premises = json_object_get(data, "premises");
    const char *name = json_string_value(json_object_get(premises, "name"));
    const char *verdict = json_string_value(json_object_get(data, "verdict"));
    bool breach = verdict && strcmp(verdict, "in-breach") == 0;
    bool order = verdict && strcmp(verdict, "in-order") == 0;
    const json_t *expected = json_object_get(data, "sensors_expected");
    const json_t *heard = json_object_get(data, "sensors_heard");
    sy_view_raw(v, "<details><summary>");
    sy_view_text(v, name ? name : json_string_value(json_object_get(premises, "id")));
    sy_view_raw(v, " ");
    sy_view_text(v, json_string_value(json_object_get(data, "day")));
    mark(v, order ? " fine" : " loud",
         order    ? SY_W_V_IN_ORDER
         : breach ? SY_W_V_IN_BREACH
                  : SY_W_V_NOT_KNOWN);
    sy_view_raw(v, "</summary><p>");
    if (json_is_integer(expected) && json_is_integer(heard)) {
        sy_view_word(v, SY_W_SENSORS);
        sy_buf_printf(v->out, " %lld/%lld · ", (long long)json_integer_value(heard),
                      (long long)json_integer_value(expected));
    }
    time_of_row(v, json_object_get(data, "total"));
    sy_view_raw(v, "</p>");
    rules_of(v, json_object_get(data, "rules"));
    sy_view_raw(v, "</details>");
}

static void statements(const sy_view *v, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && i < GATEWAY_ROWS; i++) {
        if (i == 0) {
            sy_view_raw(v, "<p><b>");
            sy_view_word(v, SY_W_STATEMENT);
            sy_view_raw(v, "</b></p>");
        }
        one_statement(v, json_object_get(json_array_get(list, i), "data"));
    }
}

typedef struct list {
    const sy_view *v;
    bool silent; /* show these, or the others */
    int n;
} list;

static void counts(const sy_view *v, const sy_desk_gateway *g)
{
    if (g->active > 0) {
        sy_buf_printf(v->out, " <span class=\"mark\">%lld ", (long long)g->active);
        sy_view_word(v, SY_W_ACTIVE_NOW);
        sy_view_raw(v, "</span>");
    }
    if (g->orders_open > 0) {
        sy_buf_printf(v->out, " <span class=\"mark\">%lld ", (long long)g->orders_open);
        sy_view_word(v, SY_W_ORDERS_OPEN);
        sy_view_raw(v, "</span>");
    }
}

static void add_gateway(void *ctx, const sy_desk_gateway *g)
{
    list *l = ctx;
    const sy_view *v = l->v;
    bool silent = g->heard == SY_MS_NONE || v->now - g->heard > sy_gateway_patience(g->beat);
    if (silent != l->silent) {
        return;
    }
    l->n++;
    json_t *list_of_statements = g->statements ? json_loads(g->statements, 0, NULL) : NULL;
    sy_view_raw(v, silent ? "<article class=\"l4 open\"><p class=\"tags\">"
                          : "<article class=\"l0\"><p class=\"tags\">");
    sy_view_raw(v, silent ? "<span class=\"level\">" : "<span class=\"mark fine\">");
    sy_view_word(v, silent ? SY_W_SILENT : SY_W_IN_TOUCH);
    sy_view_raw(v, "</span>");
    counts(v, g);
    if (!g->beat) {
        mark(v, "", SY_W_NO_BEAT);
    }
    if (is_missing(v, list_of_statements)) {
        mark(v, " loud", SY_W_NO_STATEMENT);
    }
    sy_view_raw(v, "</p><h2>");
    sy_view_text(v, g->source);
    sy_view_raw(v, "</h2><p>");
    sy_view_word(v, SY_W_HEARD);
    sy_view_raw(v, " ");
    sy_view_time(v, g->heard);
    if (g->asked_at != SY_MS_NONE) {
        sy_view_raw(v, " · ");
        sy_view_word(v, SY_W_ASKED);
        sy_view_raw(v, " ");
        sy_view_time(v, g->asked_at);
    }
    sy_view_raw(v, "</p>");
    said(v, SY_W_BEAT, g->beat, g->beat_at);
    statements(v, list_of_statements);
    json_decref(list_of_statements);
    sy_view_raw(v, "<p class=\"id\">");
    sy_view_text(v, g->sender);
    sy_view_raw(v, "</p></article>\n");
}

sy_err sy_view_gateways(const sy_view *v, sy_fail *f)
{
    list silent = {v, true, 0}, others = {v, false, 0};
    sy_view_open(v, true);
    sy_view_back(v);
    sy_view_raw(v, "<main><h1>");
    sy_view_word(v, SY_W_GATEWAYS);
    sy_view_raw(v, "</h1>\n");
    sy_err e = sy_desk_gateways(v->db, GATEWAYS, add_gateway, &silent, f);
    e = e != SY_OK ? e : sy_desk_gateways(v->db, GATEWAYS, add_gateway, &others, f);
    if (silent.n + others.n == 0) {
        sy_view_raw(v, "<p class=\"empty\">");
        sy_view_word(v, SY_W_NO_GATEWAY);
        sy_view_raw(v, "</p>");
    }
    sy_view_raw(v, "</main>");
    sy_view_close(v, "/gateways");
    return e;
}
