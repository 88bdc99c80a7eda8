/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page's listener: plain HTTP on loopback. A browser could be led here by a name that an
 * attacker points to 127.0.0.1, so requests for another host are refused; what is posted passes the
 * guard of form.h.
 */
#include "inbox/post.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "inbox/api.h"

enum { CONNECTIONS_MAX = 64, CONNECTION_MEMORY = 32 * 1024, IDLE_S = 30, API_ROWS = 1000 };
enum { FILTER_TEXT = 200 };

struct sy_page {
    struct MHD_Daemon *daemon;
    sy_page_options o;
    sy_guard guard;
};

typedef struct request {
    sy_buf body;
    size_t max; /* longest body of a POST; 0: it only looks */
    bool too_long;
} request;

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

static sy_view view_of(sy_page *p, struct MHD_Connection *c, const sy_visitor *visitor, sy_buf *b)
{
    const char *lang = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "lang");
    bool forced = lang && (strcmp(lang, "zh") == 0 || strcmp(lang, "en") == 0);
    const char *accepts = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept-Language");
    return (sy_view){.out = b,
                     .db = p->o.reader,
                     .zh = forced ? lang[0] == 'z' : sy_prefers_chinese(accepts),
                     .forced = forced,
                     .zone = p->o.zone,
                     .now = sy_wall_ms(),
                     .visitor = visitor,
                     .signer = p->o.signer};
}

/* NULL where it is empty, too long or no text. */
static const char *filter_text(struct MHD_Connection *c, const char *name)
{
    const char *text = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
    size_t n = text ? strlen(text) : 0;
    return n > 0 && n <= FILTER_TEXT && sy_utf8_check((sy_span){text, n}) == n ? text : NULL;
}

static sy_inbox_filter filter_of(struct MHD_Connection *c)
{
    int64_t severity = argument(c, "severity", 0);
    return (sy_inbox_filter){.premises = filter_text(c, "premises"),
                             .rule = filter_text(c, "rule"),
                             .state = filter_text(c, "state"),
                             .text = filter_text(c, "text"),
                             .case_state = filter_text(c, "case"),
                             .group = filter_text(c, "group"),
                             .severity = severity >= 1 && severity <= 4 ? (int)severity : 0,
                             .now = sy_wall_ms()};
}

static sy_err html(struct MHD_Connection *c, const sy_view *v, const char *url, sy_fail *f)
{
    if (strcmp(url, "/") == 0) {
        sy_inbox_filter filter = filter_of(c);
        return sy_view_list(v, &filter, argument(c, "before", 0), f);
    }
    if (strcmp(url, "/ledger") == 0) {
        return sy_view_ledgers(v, f);
    }
    if (strcmp(url, "/gateways") == 0) {
        return sy_view_gateways(v, f);
    }
    if (strcmp(url, "/events") == 0) {
        return sy_view_events(v, argument(c, "after", 0), f);
    }
    int64_t seq = strncmp(url, "/alert/", 7) == 0 ? number_of(url + 7) : -1;
    return seq > 0 ? sy_view_one(v, seq, f) : sy_fail_set(f, SY_E_NOTFOUND, "no such page");
}

static enum MHD_Result json(sy_page *p, struct MHD_Connection *c, const char *what, sy_buf *b)
{
    sy_fail f;
    sy_api_ask ask = {.db = p->o.reader,
                      .what = what,
                      .source = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "source"),
                      .after = argument(c, "after", 0),
                      .limit = argument(c, "limit", API_ROWS)};
    sy_err e = sy_api_answer(&ask, b, &f);
    if (e == SY_OK) {
        return sy_web_answer(c, MHD_HTTP_OK, api_type, b);
    }
    if (e != SY_E_NOTFOUND) {
        sy_log_fail(SY_LOG_ERROR, "inbox-page", &f);
    }
    return sy_web_refuse(c, e == SY_E_NOTFOUND ? MHD_HTTP_NOT_FOUND : MHD_HTTP_SERVICE_UNAVAILABLE,
                         f.text);
}

typedef struct file_of {
    int64_t seq;
    char path[4300], name[128];
    bool found;
} file_of;

static void note_file(void *ctx, const sy_desk_evidence *e)
{
    file_of *file = ctx;
    if (e->seq == file->seq) {
        file->found = true;
        snprintf(file->path + strlen(file->path), 80, "/evidence/%.64s.html", e->sha256);
        snprintf(file->name, sizeof file->name, "attachment; filename=\"evidence-%.40s.html\"",
                 e->alert);
    }
}

/* A file of evidence; it is downloaded and never opened here, since a gateway wrote it. */
static enum MHD_Result file(sy_page *p, struct MHD_Connection *c, const char *text)
{
    sy_fail f;
    struct stat st;
    file_of of = {.seq = number_of(text)};
    snprintf(of.path, 4096, "%s", sy_inbox_db_folder(p->o.reader));
    sy_err e = of.seq > 0
                   ? sy_desk_evidences(p->o.reader, NULL, NULL, of.seq - 1, note_file, &of, &f)
                   : SY_OK;
    int fd = e == SY_OK && of.found ? open(of.path, O_RDONLY | O_CLOEXEC) : -1;
    struct MHD_Response *r =
        fd >= 0 && fstat(fd, &st) == 0 ? MHD_create_response_from_fd((size_t)st.st_size, fd) : NULL;
    if (!r) {
        if (fd >= 0) {
            close(fd);
        }
        return sy_web_refuse(c, MHD_HTTP_NOT_FOUND, "there is no such file");
    }
    MHD_add_response_header(r, "Content-Type", "text/html; charset=utf-8");
    MHD_add_response_header(r, "Content-Disposition", of.name);
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(r, "Content-Security-Policy", "sandbox; default-src 'none'");
    enum MHD_Result queued = MHD_queue_response(c, MHD_HTTP_OK, r);
    MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result show(sy_page *p, struct MHD_Connection *c, const char *url, sy_buf *b)
{
    sy_fail f;
    sy_visitor visitor;
    sy_guard_visitor(&p->guard, c, &visitor);
    sy_view v = view_of(p, c, &visitor, b);
    sy_err e = html(c, &v, url, &f);
    unsigned status = MHD_HTTP_OK;
    if (e != SY_OK) {
        bool missing = e == SY_E_NOTFOUND;
        if (!missing) {
            sy_log_fail(SY_LOG_ERROR, "inbox-page", &f);
        }
        sy_buf_reset(b);
        sy_view_message(&v, missing ? SY_W_NOT_FOUND : SY_W_BROKEN);
        status = missing ? MHD_HTTP_NOT_FOUND : MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    sy_buf cookie;
    sy_buf_init(&cookie, sy_heap());
    if (visitor.fresh) {
        sy_guard_cookie(&p->guard, &visitor, &cookie);
    }
    const sy_web_field fields[] = {{"Set-Cookie", cookie.failed ? NULL : cookie.p}, {NULL, NULL}};
    enum MHD_Result queued = sy_web_send(c, status, html_type, b, fields);
    sy_buf_fini(&cookie);
    return queued;
}

static enum MHD_Result route(sy_page *p, struct MHD_Connection *c, const char *url, sy_buf *b)
{
    if (strcmp(url, "/style.css") == 0) {
        sy_buf_text(b, sy_view_style);
        return sy_web_answer(c, MHD_HTTP_OK, "text/css; charset=utf-8", b);
    }
    if (strncmp(url, "/api/", 5) == 0) {
        return json(p, c, url + 5, b);
    }
    if (strncmp(url, "/evidence/", 10) == 0) {
        return file(p, c, url + 10);
    }
    return show(p, c, url, b);
}

static enum MHD_Result read_only(sy_page *p, struct MHD_Connection *c, const char *url)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    enum MHD_Result queued = route(p, c, url, &b);
    sy_buf_fini(&b);
    return queued;
}

static enum MHD_Result wait_for_body(size_t max, void **state)
{
    request *r = calloc(1, sizeof *r);
    if (!r) {
        return MHD_NO;
    }
    r->max = max;
    sy_buf_init(&r->body, sy_heap());
    *state = r;
    return MHD_YES;
}

/* The head of a POST is there. */
static enum MHD_Result begin(struct MHD_Connection *c, const char *url, void **state)
{
    size_t max = sy_post_max(url);
    const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
    if (max == 0) {
        return sy_web_refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "this page can only be read");
    }
    if (length && strtoull(length, NULL, 10) > max) {
        return sy_web_refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
    }
    return wait_for_body(max, state);
}

static enum MHD_Result finish(sy_page *p, struct MHD_Connection *c, const char *url,
                              const request *r)
{
    sy_visitor visitor;
    sy_buf b;
    if (r->too_long) {
        return sy_web_refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
    }
    if (r->body.failed) {
        return sy_web_refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory; try again");
    }
    sy_guard_visitor(&p->guard, c, &visitor);
    sy_buf_init(&b, sy_heap());
    sy_view v = view_of(p, c, &visitor, &b);
    sy_post post = {.connection = c,
                    .url = url,
                    .body = sy_buf_span(&r->body),
                    .guard = &p->guard,
                    .view = &v,
                    .desk = p->o.desk,
                    .signer = p->o.signer};
    enum MHD_Result queued = sy_post_answer(&post);
    sy_buf_fini(&b);
    return queued;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **state)
{
    request *r = *state;
    (void)version;
    if (!r) {
        if (!own_host(c)) {
            return sy_web_refuse(c, MHD_HTTP_MISDIRECTED_REQUEST,
                                 "this page answers to localhost, 127.0.0.1 and [::1] only");
        }
        if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
            /* What is answered before the whole request is there ends the connection. */
            return wait_for_body(0, state);
        }
        return strcmp(method, "POST") == 0
                   ? begin(c, url, state)
                   : sy_web_refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET, HEAD and POST");
    }
    if (r->max == 0) {
        return *upload_n > 0 ? MHD_NO : read_only(cls, c, url);
    }
    if (*upload_n > 0) {
        r->too_long = r->too_long || r->body.n + *upload_n > r->max;
        if (!r->too_long) {
            sy_buf_put(&r->body, upload, *upload_n);
        }
        *upload_n = 0;
        return MHD_YES;
    }
    return finish(cls, c, url, r);
}

static void on_end(void *cls, struct MHD_Connection *c, void **state,
                   enum MHD_RequestTerminationCode why)
{
    request *r = *state;
    (void)cls, (void)c, (void)why;
    if (r) {
        sy_buf_fini(&r->body);
        free(r);
        *state = NULL;
    }
}

sy_err sy_page_start(sy_page **out, const sy_page_options *o, sy_fail *f)
{
    sy_page *p = calloc(1, sizeof *p);
    if (!p) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the page");
    }
    p->o = *o;
    p->guard = (sy_guard){.origin = o->origin, .user_header = o->user_header};
    sy_random(p->guard.key, sizeof p->guard.key);
    unsigned v6 = o->address.ss_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0u;
    p->daemon = MHD_start_daemon(
        (unsigned)MHD_USE_EPOLL_INTERNAL_THREAD | (unsigned)MHD_USE_ITC |
            (unsigned)MHD_USE_ERROR_LOG | v6,
        0, NULL, NULL, on_request, p, MHD_OPTION_EXTERNAL_LOGGER, sy_web_log, NULL,
        MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&p->o.address, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, on_end, p,
        MHD_OPTION_END);
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
        explicit_bzero(&p->guard, sizeof p->guard);
        free(p);
    }
}

unsigned sy_page_port(const sy_page *p)
{
    return sy_web_port(p->daemon);
}
