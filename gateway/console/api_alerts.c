/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts: the list, one with everything, and what people do about it. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "console/api.h"
#include "pipeline/act.h"
#include "pipeline/members.h"
#include "rules/judge.h"
#include "rules/tree_expr.h"
#include "store/acts.h"
#include "store/browse.h"

static void put_both(sy_buf *b, const char *name, const char *en, const char *zh)
{
    sy_member_key(b, name);
    sy_buf_char(b, '{');
    sy_member_text(b, "en", en ? en : zh);
    sy_member_text(b, "zh", zh ? zh : en);
    sy_buf_char(b, '}');
}

static const char *state_word(int state)
{
    static const char *const words[] = {[SY_ALERT_ACTIVE] = "active",
                                        [SY_ALERT_CLEARED] = "cleared",
                                        [SY_ALERT_SUPERSEDED] = "superseded",
                                        [SY_ALERT_WITHDRAWN] = "withdrawn"};
    return state >= 0 && (size_t)state < sizeof words / sizeof words[0] ? words[state] : NULL;
}

typedef struct listing {
    sy_request *r;
    sy_buf b;
    sy_arena arena;
    size_t n;
    sy_err e;
    sy_fail f;
    bool open_end; /* the object of the last row is to be gone on with */
} listing;

/* Members of the row, the brace open. */
static void put_row(listing *l, const sy_alert_row *a, const sy_stand *stand)
{
    sy_buf *b = &l->b;
    sy_buf_text(b, l->n++ ? ",\n{" : "{");
    sy_member_text(b, "id", a->id);
    sy_member_text(b, "rule", a->rule);
    sy_member_int(b, "version", a->version);
    sy_member_text(b, "subject", a->subject);
    sy_member_text(b, "series", a->series);
    sy_member_text(b, "severity", sy_alert_level_text((sy_alert_level)a->severity, SY_EN));
    sy_member_text(b, "state", state_word(a->state));
    sy_member_time(b, "onset", a->onset);
    sy_member_time(b, "raised", a->raised);
    sy_member_time(b, "cleared", a->cleared);
    sy_member_number(b, "min", a->driver_is_state ? NAN : a->min);
    sy_member_number(b, "max", a->driver_is_state ? NAN : a->max);
    sy_member_int(b, "count", (int64_t)a->count);
    put_both(b, "message", a->message_en, a->message_zh);
    sy_member_text(b, "replaces", a->replaces);
    sy_member_truth(b, "trial", a->trial);
    sy_member_time(b, "acknowledged", stand->at.acknowledged);
    sy_member_text(b, "acknowledged_by", stand->at.by);
    sy_member_time(b, "shelved_until", stand->at.shelved);
    sy_member_truth(b, "unanswered", stand->at.unanswered);
}

static bool take_row(void *ctx, const sy_alert_row *a)
{
    listing *l = ctx;
    sy_stand stand;
    l->e = sy_store_stand_get(l->r->console->store, a->id, &l->arena, &stand, &l->f);
    if (l->e) {
        return false;
    }
    put_row(l, a, &stand);
    if (!l->open_end) {
        sy_buf_char(&l->b, '}');
    }
    return !l->b.failed;
}

static void begin(listing *l, sy_request *r, bool open_end)
{
    *l = (listing){.r = r, .open_end = open_end};
    sy_buf_init(&l->b, sy_heap());
    sy_arena_init(&l->arena, sy_heap(), 0);
}

static enum MHD_Result end(listing *l, sy_err e)
{
    e = e ? e : l->e;
    enum MHD_Result queued =
        e ? sy_answer_fail(l->r, &l->f) : sy_answer_json(l->r, MHD_HTTP_OK, &l->b);
    sy_arena_fini(&l->arena);
    sy_buf_fini(&l->b);
    return queued;
}

enum MHD_Result sy_api_alerts(sy_request *r)
{
    listing l;
    const char *state = sy_request_arg(r, "state");
    sy_browse o = {.rule = sy_request_arg(r, "rule")};
    bool open = state && strcmp(state, "active") == 0;
    if ((state && !open && strcmp(state, "all") != 0) ||
        !sy_request_number(r, "limit", 1, 1000, 200, &o.max) ||
        !sy_request_time(r, "before", SY_MS_MAX, &o.before)) {
        return sy_answer_error(r, MHD_HTTP_BAD_REQUEST, "bad-request",
                               "state is active or all, limit 1 to 1000, before a time");
    }
    o.open = open;
    begin(&l, r, false);
    sy_buf_char(&l.b, '[');
    sy_err e = sy_store_alerts_newest(r->console->store, &o, take_row, &l, &l.f);
    sy_buf_text(&l.b, "]\n");
    return end(&l, e);
}

static bool take_act(void *ctx, const sy_act_row *a)
{
    sy_buf *b = ctx;
    sy_buf_text(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    sy_member_text(b, "kind", a->kind);
    sy_member_time(b, "at", a->time);
    sy_member_text(b, "who", a->who);
    sy_member_text(b, "via", a->via);
    sy_member_text(b, "why", a->why);
    sy_member_time(b, "until", a->until > 0 ? a->until : SY_MS_NONE);
    sy_buf_char(b, '}');
    return !b->failed;
}

static bool take_event(void *ctx, sy_span body)
{
    sy_buf *b = ctx;
    sy_buf_text(b, b->p[b->n - 1] == '[' ? "" : ",\n");
    sy_buf_span_put(b, body);
    return !b->failed;
}

enum MHD_Result sy_api_alert(sy_request *r)
{
    listing l;
    begin(&l, r, true);
    sy_store *s = r->console->store;
    sy_err e = sy_store_alert_get(s, r->part[0], take_row, &l, &l.f);
    e = e ? e : l.e;
    if (!e) {
        sy_buf_text(&l.b, ",\"actions\":[");
        e = sy_store_acts(s, r->part[0], take_act, &l.b, &l.f);
    }
    if (!e) {
        sy_buf_text(&l.b, "],\"events\":[");
        e = sy_store_alert_events(s, r->part[0], take_event, &l.b, &l.f);
    }
    sy_buf_text(&l.b, "]}\n");
    return end(&l, e);
}

static enum MHD_Result do_act(sy_request *r, sy_act_kind kind, const json_t *body)
{
    const char *why = json_string_value(json_object_get(body, "why"));
    json_int_t minutes = json_integer_value(json_object_get(body, "minutes"));
    sy_buf line;
    sy_fail f;
    if ((why && strpbrk(why, "\t\n\r")) ||
        (kind == SY_ACT_SHELVE && (minutes < 1 || minutes > SY_ACT_SHELVE_DAYS * 1440))) {
        return sy_answer_error(r, MHD_HTTP_BAD_REQUEST, "bad-request",
                               "why is one line; a shelf has minutes, 1 to 10080");
    }
    sy_buf_init(&line, sy_heap());
    sy_buf_printf(&line, "act %s\t%s\t", sy_act_word(kind), r->part[0]);
    if (kind == SY_ACT_SHELVE) {
        sy_buf_printf(&line, "+%lld", (long long)minutes * 60000);
    } else {
        sy_buf_char(&line, '0');
    }
    sy_buf_printf(&line, "\t%s\tconsole\t%s", r->user, why ? why : "");
    sy_err e = sy_request_do(r, &line, &f);
    sy_buf_fini(&line);
    return e ? sy_answer_fail(r, &f) : sy_api_alert(r);
}

enum MHD_Result sy_api_act(sy_request *r)
{
    sy_act_kind kind;
    if (!sy_act_kind_of(sy_span_of(r->part[1]), &kind)) {
        return sy_answer_error(r, MHD_HTTP_NOT_FOUND, "not-found",
                               "acknowledge, shelve, unshelve or comment");
    }
    unsigned need = kind == SY_ACT_SHELVE || kind == SY_ACT_UNSHELVE ? (unsigned)SY_MAY_SHELVE
                                                                     : (unsigned)SY_MAY_ANSWER;
    if ((sy_role_may(r->role) & need) == 0) {
        return sy_answer_error(r, MHD_HTTP_FORBIDDEN, "not-allowed", "your role may not do that");
    }
    json_t *body = json_loadb(r->body.p ? r->body.p : "", r->body.n, JSON_REJECT_DUPLICATES, NULL);
    enum MHD_Result queued =
        json_is_object(body)
            ? do_act(r, kind, body)
            : sy_answer_error(r, MHD_HTTP_BAD_REQUEST, "bad-request", "a JSON object is needed");
    json_decref(body);
    return queued;
}
