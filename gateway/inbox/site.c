/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page's listener: plain HTTP on loopback, reading only. A browser could be led here by a name
 * that an attacker points to 127.0.0.1, so requests for another host are refused.
 */
#include "inbox/web.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "inbox/view.h"

enum { CONNECTIONS_MAX = 64, CONNECTION_MEMORY = 32 * 1024, IDLE_S = 30, API_ROWS = 5000 };

struct sy_page {
    struct MHD_Daemon *daemon;
    sy_inbox_db *db;
    const sy_zone *zone;
};

static const char html_type[] = "text/html; charset=utf-8";
static const char api_type[] = "application/json";

static bool own_host(struct MHD_Connection *c)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
    for (size_t i = 0; host && i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (strncasecmp(host, names[i], n) == 0 && (host[n] == 0 || host[n] == ':')) {
            return true;
        }
    }
    return false;
}

/* A whole number in an argument or a path; -1: none. */
static int64_t number_of(const char *text)
{
    size_t n = text ? strlen(text) : 0;
    return n > 0 && n <= 18 && strspn(text, "0123456789") == n ? strtoll(text, NULL, 10) : -1;
}

static int64_t argument(struct MHD_Connection *c, const char *name, int64_t otherwise)
{
    int64_t n = number_of(MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name));
    return n >= 0 ? n : otherwise;
}

static void field(sy_buf *b, const char *name, const char *text)
{
    sy_buf_text(b, ",\"");
    sy_buf_text(b, name);
    sy_buf_text(b, "\":");
    if (text) {
        sy_buf_json(b, sy_span_of(text));
    } else {
        sy_buf_text(b, "null");
    }
}

static void time_field(sy_buf *b, const char *name, sy_ms t)
{
    char text[25];
    sy_time_text(t, text);
    field(b, name, text);
}

static void api_event(void *ctx, const sy_inbox_event *e)
{
    sy_buf *b = ctx;
    sy_buf_text(b, b->n > 1 ? ",\n" : "\n");
    sy_buf_printf(b, "{\"seq\":%lld", (long long)e->seq);
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

static void api_alert(void *ctx, const sy_inbox_alert *a)
{
    static const char *const levels[] = {NULL, "notice", "warning", "serious", "major"};
    sy_buf *b = ctx;
    sy_buf_text(b, b->n > 1 ? ",\n" : "\n");
    sy_buf_printf(b, "{\"seq\":%lld,\"events\":%lld", (long long)a->first_seq,
                  (long long)a->events);
    field(b, "source", a->source);
    field(b, "id", a->id);
    field(b, "state", a->state);
    field(b, "severity", levels[a->severity]);
    field(b, "type", a->type);
    field(b, "sender", a->sender);
    time_field(b, "received", a->received);
    sy_buf_text(b, ",\"data\":");
    sy_buf_text(b, a->data);
    sy_buf_char(b, '}');
}

static sy_err api(sy_page *p, struct MHD_Connection *c, bool alerts, sy_buf *b, sy_fail *f)
{
    int64_t after = argument(c, "after", 0), limit = argument(c, "limit", 1000);
    int max = limit > API_ROWS ? API_ROWS : (int)limit;
    sy_buf_char(b, '[');
    sy_err e = alerts ? sy_inbox_db_alerts(p->db, after, max, api_alert, b, f)
                      : sy_inbox_db_events(p->db, NULL, NULL, after, max, api_event, b, f);
    sy_buf_text(b, "\n]\n");
    return e;
}

typedef struct items {
    sy_buf *b;
    size_t n;
} items;

static void api_ledger(void *ctx, const sy_inbox_ledger *l)
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

static void api_flag(void *ctx, const sy_inbox_flag *g)
{
    items *i = ctx;
    sy_buf_printf(i->b, "%s{\"seq\":%lld", i->n++ ? ",\n" : "\n", (long long)g->seq);
    field(i->b, "source", g->source);
    field(i->b, "kind", g->kind);
    field(i->b, "text", g->text);
    time_field(i->b, "received", g->received);
    sy_buf_char(i->b, '}');
}

static sy_err api_ledgers(sy_page *p, sy_buf *b, sy_fail *f)
{
    items i = {b, 0};
    sy_buf_text(b, "{\"ledgers\":[");
    sy_err e = sy_inbox_db_ledgers(p->db, api_ledger, &i, f);
    sy_buf_text(b, "\n],\"flags\":[");
    i.n = 0;
    e = e != SY_OK ? e : sy_inbox_db_flags(p->db, API_ROWS, api_flag, &i, f);
    sy_buf_text(b, "\n]}\n");
    return e;
}

static void api_head(void *ctx, const char *json)
{
    items *i = ctx;
    sy_buf_text(i->b, i->n++ ? ",\n" : "\n");
    sy_buf_text(i->b, json);
}

static sy_err api_heads(sy_page *p, struct MHD_Connection *c, sy_buf *b, sy_fail *f)
{
    items i = {b, 0};
    const char *source = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "source");
    int64_t limit = argument(c, "limit", API_ROWS);
    sy_buf_char(b, '[');
    sy_err e = sy_inbox_db_heads(p->db, source ? source : "", argument(c, "after", 0),
                                 limit > API_ROWS ? API_ROWS : (int)limit, api_head, &i, f);
    sy_buf_text(b, "\n]\n");
    return e;
}

static sy_view view_of(sy_page *p, struct MHD_Connection *c, sy_buf *b)
{
    const char *lang = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "lang");
    bool forced = lang && (strcmp(lang, "zh") == 0 || strcmp(lang, "en") == 0);
    const char *accepts = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept-Language");
    return (sy_view){.out = b,
                     .db = p->db,
                     .zh = forced ? lang[0] == 'z' : sy_prefers_chinese(accepts),
                     .forced = forced,
                     .zone = p->zone,
                     .now = sy_wall_ms()};
}

static sy_err html(sy_page *p, struct MHD_Connection *c, const char *url, sy_buf *b, sy_fail *f)
{
    sy_view v = view_of(p, c, b);
    if (strcmp(url, "/") == 0) {
        const char *state = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "state");
        return sy_view_list(&v, state && strcmp(state, "active") == 0, argument(c, "before", 0), f);
    }
    if (strcmp(url, "/ledger") == 0) {
        return sy_view_ledgers(&v, f);
    }
    if (strcmp(url, "/events") == 0) {
        return sy_view_events(&v, argument(c, "after", 0), f);
    }
    int64_t seq = strncmp(url, "/alert/", 7) == 0 ? number_of(url + 7) : -1;
    return seq > 0 ? sy_view_one(&v, seq, f) : sy_fail_set(f, SY_E_NOTFOUND, "no such page");
}

static enum MHD_Result route(sy_page *p, struct MHD_Connection *c, const char *url, sy_buf *b)
{
    sy_fail f;
    if (strcmp(url, "/style.css") == 0) {
        sy_buf_text(b, sy_view_style);
        return sy_web_answer(c, MHD_HTTP_OK, "text/css; charset=utf-8", b);
    }
    bool alerts = strcmp(url, "/api/alerts") == 0, events = strcmp(url, "/api/events") == 0;
    bool ledgers = strcmp(url, "/api/ledger") == 0, heads = strcmp(url, "/api/heads") == 0;
    bool json = alerts || events || ledgers || heads;
    sy_err e = ledgers ? api_ledgers(p, b, &f)
               : heads ? api_heads(p, c, b, &f)
               : json  ? api(p, c, alerts, b, &f)
                       : html(p, c, url, b, &f);
    if (e == SY_OK) {
        return sy_web_answer(c, MHD_HTTP_OK, json ? api_type : html_type, b);
    }
    bool missing = e == SY_E_NOTFOUND;
    if (!missing) {
        sy_log_fail(SY_LOG_ERROR, "inbox-page", &f);
    }
    if (json) {
        return sy_web_refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, f.text);
    }
    sy_buf_reset(b);
    sy_view v = view_of(p, c, b);
    sy_view_message(&v, missing ? SY_W_NOT_FOUND : SY_W_BROKEN);
    return sy_web_answer(c, missing ? MHD_HTTP_NOT_FOUND : MHD_HTTP_SERVICE_UNAVAILABLE, html_type,
                         b);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **state)
{
    (void)version, (void)upload, (void)upload_n, (void)state;
    if (!own_host(c)) {
        return sy_web_refuse(c, MHD_HTTP_MISDIRECTED_REQUEST,
                             "this page answers to localhost, 127.0.0.1 and [::1] only");
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return sy_web_refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "this page can only be read");
    }
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    enum MHD_Result queued = route(cls, c, url, &b);
    sy_buf_fini(&b);
    return queued;
}

sy_err sy_page_start(sy_page **out, const struct sockaddr_storage *address, sy_inbox_db *db,
                     const sy_zone *zone, sy_fail *f)
{
    sy_page *p = calloc(1, sizeof *p);
    if (!p) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the page");
    }
    p->db = db;
    p->zone = zone;
    unsigned v6 = address->ss_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0u;
    p->daemon = MHD_start_daemon(
        (unsigned)MHD_USE_EPOLL_INTERNAL_THREAD | (unsigned)MHD_USE_ITC |
            (unsigned)MHD_USE_ERROR_LOG | v6,
        0, NULL, NULL, on_request, p, MHD_OPTION_EXTERNAL_LOGGER, sy_web_log, NULL,
        MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)address, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);
    if (!p->daemon) {
        free(p);
        return sy_fail_sys(f, "the page's listener cannot start: is the port taken?");
    }
    *out = p;
    return SY_OK;
}

void sy_page_stop(sy_page *p)
{
    if (p) {
        MHD_stop_daemon(p->daemon);
        free(p);
    }
}

unsigned sy_page_port(const sy_page *p)
{
    return sy_web_port(p->daemon);
}
