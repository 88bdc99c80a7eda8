/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents: list of alerts, one alert with its history, list of events.
 */
#include "inbox/desk_view.h"

#include <stdio.h>

enum { PAGE_ALERTS = 50, PAGE_EVENTS = 200 };

void sy_view_open(const sy_view *v, bool refresh)
{
    sy_buf_printf(v->out, "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">",
                  v->zh ? "zh-CN" : "en");
    sy_view_raw(v, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                   "<meta name=\"color-scheme\" content=\"light dark\">");
    sy_view_raw(v, refresh ? "<meta http-equiv=\"refresh\" content=\"30\">" : "");
    sy_view_raw(v, "<link rel=\"stylesheet\" href=\"/style.css\"><title>");
    sy_view_word(v, SY_W_TITLE);
    sy_view_raw(v, " – ");
    sy_view_word(v, SY_W_INBOX);
    sy_view_raw(v, "</title></head><body>\n");
}

/* `at` is the page's own address, for the link to the other language. */
void sy_view_close(const sy_view *v, const char *at)
{
    sy_inbox_counts counts;
    sy_fail f;
    sy_view_raw(v, "<footer><p>");
    if (sy_inbox_db_counts(v->db, &counts, &f) == SY_OK) {
        sy_view_raw(v, "<a href=\"/events");
        sy_view_lang(v, true);
        sy_buf_printf(v->out, "\">%lld ", (long long)counts.events);
        sy_view_word(v, SY_W_EVENTS);
        sy_view_raw(v, "</a> · <a href=\"/ledger");
        sy_view_lang(v, true);
        sy_view_raw(v, "\">");
        sy_view_word(v, SY_W_LEDGERS);
        sy_buf_printf(v->out, counts.flags ? " (%lld)</a> · " : "</a> · ", (long long)counts.flags);
    }
    sy_view_zone(v);
    sy_buf_printf(v->out,
                  " · <a href=\"%s%clang=%s\" lang=\"%s\">%s</a></p></footer></body></html>\n", at,
                  strchr(at, '?') ? '&' : '?', v->zh ? "en" : "zh", v->zh ? "en" : "zh-CN",
                  v->zh ? "English" : "中文");
}

void sy_view_back(const sy_view *v)
{
    sy_view_raw(v, "<nav><a href=\"/");
    sy_view_lang(v, true);
    sy_view_raw(v, "\">‹ ");
    sy_view_word(v, SY_W_BACK);
    sy_view_raw(v, "</a></nav>");
}

static void tab(const sy_view *v, const char *href, sy_word_id w, int64_t count, bool here)
{
    sy_buf_printf(v->out, "<a%s href=\"%s", here ? " aria-current=\"page\"" : "", href);
    sy_view_lang(v, !strchr(href, '?'));
    sy_view_raw(v, "\">");
    sy_view_word(v, w);
    sy_buf_printf(v->out, " %lld</a>", (long long)count);
}

typedef struct cards {
    const sy_view *v;
    int64_t last;
    int n;
} cards;

static void add_card(void *ctx, const sy_inbox_alert *a)
{
    cards *c = ctx;
    c->last = a->last_seq;
    c->n++;
    sy_view_card(c->v, a);
}

static void levels(const sy_view *v, const sy_inbox_counts *counts)
{
    sy_view_raw(v, "<p class=\"sum\">");
    for (int i = 4; i >= 0; i--) {
        if (counts->active[i] > 0) {
            sy_buf_printf(v->out, "<span class=\"l%d\"><span class=\"level\">", i);
            sy_view_word(v, (sy_word_id)(SY_W_LEVEL_0 + i));
            sy_buf_printf(v->out, "</span> %lld</span> ", (long long)counts->active[i]);
        }
    }
    sy_view_raw(v, "</p>");
}

static void warn_of_flags(const sy_view *v, const sy_inbox_counts *counts)
{
    if (counts->flags == 0) {
        return;
    }
    sy_view_raw(v, "<p class=\"sum\"><span class=\"l4\"><a href=\"/ledger");
    sy_view_lang(v, true);
    sy_view_raw(v, "\">");
    sy_view_word(v, SY_W_FLAGS);
    sy_buf_printf(v->out, " %lld</a></span></p>", (long long)counts->flags);
}

/* The head of the list: how many there are, what is in doubt, the filter. */
static void head(const sy_view *v, const sy_inbox_filter *w, const sy_inbox_counts *counts,
                 bool active)
{
    int64_t open = 0;
    for (int i = 0; i < 5; i++) {
        open += counts->active[i];
    }
    sy_view_raw(v, "<header><h1>");
    sy_view_word(v, SY_W_TITLE);
    sy_view_raw(v, "</h1><nav>");
    tab(v, "/", SY_W_ALL, counts->alerts, !sy_filter_set(w));
    tab(v, "/?state=active", SY_W_ACTIVE_NOW, open, active);
    sy_view_raw(v, "<a href=\"/gateways");
    sy_view_lang(v, true);
    sy_view_raw(v, "\">");
    sy_view_word(v, SY_W_GATEWAYS);
    sy_view_raw(v, "</a></nav>");
    levels(v, counts);
    warn_of_flags(v, counts);
}

static bool is_active_alone(const sy_inbox_filter *w)
{
    sy_inbox_filter rest = *w;
    rest.state = NULL;
    return w->state && strcmp(w->state, "active") == 0 && !sy_filter_set(&rest);
}

sy_err sy_view_list(const sy_view *v, const sy_inbox_filter *w, int64_t before, sy_fail *f)
{
    bool active = is_active_alone(w);
    sy_inbox_counts counts;
    sy_err e = sy_inbox_db_counts(v->db, &counts, f);
    if (e != SY_OK) {
        return e;
    }
    sy_view_open(v, before == 0 && !sy_filter_set(w));
    head(v, w, &counts, active);
    e = sy_view_filter(v, w, f);
    sy_view_raw(v, "</header><main>\n");
    cards c = {v, 0, 0};
    e = e != SY_OK ? e : sy_inbox_db_newest(v->db, w, before, PAGE_ALERTS, add_card, &c, f);
    if (e == SY_OK && c.n == 0) {
        sy_view_raw(v, "<p class=\"empty\">");
        sy_view_word(v, active ? SY_W_NONE_ACTIVE : sy_filter_set(w) ? SY_W_NO_MATCH : SY_W_NONE);
        sy_view_raw(v, "</p>");
    }
    sy_view_raw(v, "</main>");
    if (c.n == PAGE_ALERTS) {
        sy_buf_printf(v->out, "<nav class=\"more\"><a href=\"/?before=%lld", (long long)c.last);
        sy_view_filter_link(v, w);
        sy_view_lang(v, false);
        sy_view_raw(v, "\">");
        sy_view_word(v, SY_W_OLDER);
        sy_view_raw(v, " ›</a></nav>");
    }
    sy_view_close(v, active ? "/?state=active" : "/");
    return e;
}

static void add_history(void *ctx, const sy_inbox_event *e)
{
    const sy_view *v = ctx;
    sy_ms at = SY_MS_NONE;
    json_t *event = json_loads(e->body, 0, NULL);
    json_t *data = json_object_get(event, "data");
    const char *severity =
        json_string_value(json_object_get(json_object_get(data, "alert"), "severity"));
    if (e->time && sy_time_parse(sy_span_of(e->time), &at) != SY_OK) {
        at = SY_MS_NONE;
    }
    sy_view_raw(v, "<li><b>");
    sy_view_text(v, sy_word_change(e->type, v->zh));
    sy_view_raw(v, "</b> ");
    sy_view_time(v, at);
    sy_view_act(v, data);
    static const char *const names[] = {"", "notice", "warning", "serious", "major"};
    for (int i = 1; severity && i < 5; i++) {
        if (strcmp(severity, names[i]) == 0) {
            sy_view_raw(v, " · ");
            sy_view_word(v, (sy_word_id)(SY_W_LEVEL_0 + i));
        }
    }
    if (sy_view_late(data)) {
        sy_view_raw(v, " · ");
        sy_view_word(v, SY_W_LATE);
    }
    sy_view_raw(v, "<br><span class=\"id\">");
    sy_view_word(v, SY_W_RECEIVED);
    sy_view_raw(v, " ");
    sy_view_time(v, e->received);
    sy_view_raw(v, " · ");
    sy_view_text(v, e->id);
    sy_view_verdict(v, e->proof);
    sy_view_raw(v, "</span></li>\n");
    json_decref(event);
}

typedef struct one {
    const sy_view *v;
    sy_err e;
    sy_fail *f;
} one;

static void show_one(void *ctx, const sy_inbox_alert *a)
{
    one *o = ctx;
    json_t *data = json_loads(a->data, 0, NULL);
    sy_view_alert(o->v, a);
    o->e = sy_view_desk(o->v, a, data, o->f);
    sy_view_details(o->v, a, data);
    json_decref(data);
    sy_view_raw(o->v, "<section><h2>");
    sy_view_word(o->v, SY_W_HISTORY);
    sy_view_raw(o->v, "</h2><ol>\n");
    o->e = o->e != SY_OK ? o->e
                         : sy_inbox_db_events(o->v->db, a->source, a->id, 0, PAGE_EVENTS,
                                              add_history, (void *)(uintptr_t)o->v, o->f);
    sy_view_raw(o->v, "</ol></section>");
}

sy_err sy_view_one(const sy_view *v, int64_t first_seq, sy_fail *f)
{
    char at[48];
    one o = {v, SY_OK, f};
    sy_view_open(v, false);
    sy_view_back(v);
    sy_view_raw(v, "<main>");
    sy_err e = sy_inbox_db_alert(v->db, first_seq, show_one, &o, f);
    sy_view_raw(v, "</main>");
    snprintf(at, sizeof at, "/alert/%lld", (long long)first_seq);
    sy_view_close(v, at);
    return e != SY_OK ? e : o.e;
}

typedef struct events {
    const sy_view *v;
    int64_t last;
    int n;
} events;

static void add_event(void *ctx, const sy_inbox_event *e)
{
    events *l = ctx;
    const sy_view *v = l->v;
    l->last = e->seq;
    l->n++;
    sy_view_raw(v, "<li><b>");
    sy_view_text(v, e->type);
    sy_view_raw(v, "</b> ");
    sy_view_text(v, e->subject);
    sy_view_raw(v, "<br><span class=\"id\">");
    sy_view_word(v, SY_W_RECEIVED);
    sy_view_raw(v, " ");
    sy_view_time(v, e->received);
    sy_view_raw(v, " · ");
    sy_view_text(v, e->source);
    sy_view_raw(v, " · ");
    sy_view_text(v, e->id);
    sy_view_raw(v, "</span></li>\n");
}

sy_err sy_view_events(const sy_view *v, int64_t after, sy_fail *f)
{
    events l = {v, 0, 0};
    sy_view_open(v, false);
    sy_view_back(v);
    sy_view_raw(v, "<main><section><h1>");
    sy_view_word(v, SY_W_OTHER);
    sy_view_raw(v, "</h1><ol>\n");
    sy_err e = sy_inbox_db_events(v->db, NULL, NULL, after, PAGE_EVENTS, add_event, &l, f);
    sy_view_raw(v, "</ol></section></main>");
    if (l.n == PAGE_EVENTS) {
        sy_buf_printf(v->out, "<nav class=\"more\"><a href=\"/events?after=%lld",
                      (long long)l.last);
        sy_view_lang(v, false);
        sy_view_raw(v, "\">");
        sy_view_word(v, SY_W_NEXT);
        sy_view_raw(v, " ›</a></nav>");
    }
    sy_view_close(v, "/events");
    return e;
}

void sy_view_refusal(const sy_view *v, sy_word_id w, const char *more)
{
    sy_view_open(v, false);
    sy_view_back(v);
    sy_view_raw(v, "<main><section><p><b>");
    sy_view_word(v, w);
    sy_view_raw(v, "</b></p>");
    if (more) {
        sy_view_raw(v, "<p class=\"id\">");
        sy_view_text(v, more);
        sy_view_raw(v, "</p>");
    }
    sy_view_raw(v, "</section></main></body></html>\n");
}

void sy_view_message(const sy_view *v, sy_word_id w)
{
    sy_view_open(v, false);
    sy_view_back(v);
    sy_view_raw(v, "<main><p class=\"empty\">");
    sy_view_word(v, w);
    sy_view_raw(v, "</p></main></body></html>\n");
}
