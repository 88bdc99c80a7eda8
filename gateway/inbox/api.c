/* SPDX-License-Identifier: Apache-2.0 */
/* The page's data as JSON, row by row, oldest first. */
#include "inbox/api.h"

enum { API_ROWS = 5000 };

typedef struct items {
    sy_buf *b;
    int n;
    sy_ms now;
} items;

static void open_item(items *i, int64_t seq)
{
    sy_buf_printf(i->b, "%s{\"seq\":%lld", i->n++ ? ",\n" : "\n", (long long)seq);
}

static void field(sy_buf *b, const char *name, const char *text)
{
    sy_buf_printf(b, ",\"%s\":", name);
    if (text) {
        sy_buf_json(b, sy_span_of(text));
    } else {
        sy_buf_text(b, "null");
    }
}

static void time_field(sy_buf *b, const char *name, sy_ms t)
{
    char text[25];
    if (t != SY_MS_NONE && t != INT64_MAX) {
        sy_time_text(t, text);
    }
    field(b, name, t != SY_MS_NONE && t != INT64_MAX ? text : NULL);
}

static void event(void *ctx, const sy_inbox_event *e)
{
    items *i = ctx;
    sy_buf *b = i->b;
    open_item(i, e->seq);
    field(b, "source", e->source);
    field(b, "id", e->id);
    field(b, "type", e->type);
    field(b, "alert", e->alert);
    field(b, "sender", e->sender);
    time_field(b, "received", e->received);
    field(b, "proof", e->proof);
    field(b, "signature", !e->jws ? "none" : e->certified ? "certified" : "uncertified");
    sy_buf_text(b, ",\"event\":");
    sy_buf_text(b, e->body);
    sy_buf_char(b, '}');
}

static void alert(void *ctx, const sy_inbox_alert *a)
{
    static const char *const levels[] = {NULL, "notice", "warning", "serious", "major"};
    items *i = ctx;
    sy_buf *b = i->b;
    open_item(i, a->first_seq);
    sy_buf_printf(b, ",\"events\":%lld", (long long)a->events);
    field(b, "source", a->source);
    field(b, "id", a->id);
    field(b, "state", a->state);
    field(b, "severity", levels[a->severity]);
    field(b, "type", a->type);
    field(b, "sender", a->sender);
    time_field(b, "received", a->received);
    time_field(b, "acknowledged", a->acked);
    field(b, "acknowledged_by", a->acked_who);
    bool shelved = a->shelved != SY_MS_NONE && a->shelved > i->now;
    time_field(b, "shelved_until", shelved ? a->shelved : SY_MS_NONE);
    field(b, "shelved_by", shelved ? a->shelved_who : NULL);
    sy_buf_printf(b, ",\"unanswered\":%s", a->unanswered ? "true" : "false");
    field(b, "group", a->grouped);
    field(b, "case", a->case_state ? a->case_state : "new");
    sy_buf_text(b, ",\"data\":");
    sy_buf_text(b, a->data);
    sy_buf_char(b, '}');
}

static void ledger(void *ctx, const sy_inbox_ledger *l)
{
    items *i = ctx;
    sy_buf_printf(i->b, "%s{\"size\":%lld,\"heads\":%lld,\"certified\":%s", i->n++ ? ",\n" : "\n",
                  (long long)l->size, (long long)l->heads, l->certified ? "true" : "false");
    field(i->b, "source", l->source);
    field(i->b, "root", l->root);
    field(i->b, "box", l->box);
    field(i->b, "kid", l->kid);
    time_field(i->b, "time", l->time);
    time_field(i->b, "received", l->received);
    sy_buf_char(i->b, '}');
}

static void flag(void *ctx, const sy_inbox_flag *g)
{
    items *i = ctx;
    open_item(i, g->seq);
    field(i->b, "source", g->source);
    field(i->b, "kind", g->kind);
    field(i->b, "text", g->text);
    time_field(i->b, "received", g->received);
    sy_buf_char(i->b, '}');
}

static sy_err ledgers(sy_inbox_db *db, items *i, sy_fail *f)
{
    sy_buf_text(i->b, "{\"ledgers\":[");
    sy_err e = sy_inbox_db_ledgers(db, ledger, i, f);
    sy_buf_text(i->b, "\n],\"flags\":[");
    i->n = 0;
    e = e != SY_OK ? e : sy_inbox_db_flags(db, API_ROWS, flag, i, f);
    sy_buf_text(i->b, "\n]}\n");
    return e;
}

static void head(void *ctx, const char *json)
{
    items *i = ctx;
    sy_buf_text(i->b, i->n++ ? ",\n" : "\n");
    sy_buf_text(i->b, json);
}

static void step(void *ctx, const sy_desk_step *s)
{
    items *i = ctx;
    open_item(i, s->seq);
    field(i->b, "source", s->source);
    field(i->b, "alert", s->alert);
    field(i->b, "state", s->state);
    field(i->b, "outcome", s->outcome);
    field(i->b, "who", s->who);
    field(i->b, "why", s->why);
    time_field(i->b, "at", s->at);
    sy_buf_char(i->b, '}');
}

static void order(void *ctx, const sy_desk_order *o)
{
    items *i = ctx;
    open_item(i, o->seq);
    field(i->b, "source", o->source);
    field(i->b, "id", o->id);
    field(i->b, "kind", o->kind);
    field(i->b, "alert", o->alert);
    field(i->b, "who", o->who);
    field(i->b, "why", o->why);
    field(i->b, "signer", o->signer);
    time_field(i->b, "at", o->at);
    sy_buf_printf(i->b, ",\"fetched\":%s", o->asked ? "true" : "false");
    field(i->b, "result", o->result);
    field(i->b, "reason", o->result_why);
    time_field(i->b, "result_at", o->result_at);
    field(i->b, "order", o->jws);
    sy_buf_char(i->b, '}');
}

static void evidence(void *ctx, const sy_desk_evidence *e)
{
    items *i = ctx;
    open_item(i, e->seq);
    field(i->b, "source", e->source);
    field(i->b, "alert", e->alert);
    field(i->b, "order", e->order);
    field(i->b, "sha256", e->sha256);
    sy_buf_printf(i->b, ",\"size\":%lld,\"proven\":%s", (long long)e->size,
                  e->proven ? "true" : "false");
    time_field(i->b, "at", e->at);
    sy_buf_text(i->b, ",\"findings\":");
    sy_buf_text(i->b, e->findings);
    sy_buf_char(i->b, '}');
}

static void gateway(void *ctx, const sy_desk_gateway *g)
{
    items *i = ctx;
    sy_ms patience = sy_gateway_patience(g->beat);
    bool silent = g->heard == SY_MS_NONE || i->now - g->heard > patience;
    sy_buf_printf(i->b, "%s{\"silent\":%s,\"active\":%lld,\"orders_open\":%lld",
                  i->n++ ? ",\n" : "\n", silent ? "true" : "false", (long long)g->active,
                  (long long)g->orders_open);
    field(i->b, "source", g->source);
    field(i->b, "sender", g->sender);
    time_field(i->b, "heard", g->heard);
    time_field(i->b, "heartbeat_at", g->beat_at);
    time_field(i->b, "asked_at", g->asked_at);
    sy_buf_text(i->b, ",\"heartbeat\":");
    sy_buf_text(i->b, g->beat ? g->beat : "null");
    sy_buf_text(i->b, ",\"statements\":");
    sy_buf_text(i->b, g->statements ? g->statements : "[]");
    sy_buf_char(i->b, '}');
}

static sy_err rows(const sy_api_ask *a, items *i, sy_fail *f)
{
    const char *what = a->what;
    int max = a->limit > API_ROWS ? API_ROWS : (int)a->limit;
    if (strcmp(what, "alerts") == 0) {
        return sy_inbox_db_alerts(a->db, a->after, max, alert, i, f);
    }
    if (strcmp(what, "events") == 0) {
        return sy_inbox_db_events(a->db, NULL, NULL, a->after, max, event, i, f);
    }
    if (strcmp(what, "heads") == 0) {
        return sy_inbox_db_heads(a->db, a->source ? a->source : "", a->after, max, head, i, f);
    }
    if (strcmp(what, "orders") == 0) {
        return sy_desk_orders(a->db, a->source, NULL, a->after, max, order, i, f);
    }
    if (strcmp(what, "cases") == 0) {
        return sy_desk_cases(a->db, NULL, NULL, a->after, max, step, i, f);
    }
    if (strcmp(what, "evidence") == 0) {
        return sy_desk_evidences(a->db, NULL, NULL, a->after, evidence, i, f);
    }
    return strcmp(what, "gateways") == 0 ? sy_desk_gateways(a->db, API_ROWS, gateway, i, f)
                                         : sy_fail_set(f, SY_E_NOTFOUND, "there is no such list");
}

sy_err sy_api_answer(const sy_api_ask *a, sy_buf *out, sy_fail *f)
{
    items i = {out, 0, sy_wall_ms()};
    if (strcmp(a->what, "ledger") == 0) {
        return ledgers(a->db, &i, f);
    }
    sy_buf_char(out, '[');
    sy_err e = rows(a, &i, f);
    sy_buf_text(out, "\n]\n");
    return e;
}
