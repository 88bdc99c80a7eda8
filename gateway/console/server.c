/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the library's callbacks to a handler: everything that is refused is refused here, before a
 * byte of the body is kept.
 */
#include "console/server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/utf8.h"
#include "console/account.h"
#include "console/asset.h"
#include "console/jobs.h"

static bool safe(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* ---- the path ---- */

/* One part of the path, up to '/' or the end; the library has decoded it, so that a name with a
 * slash in it is an argument of the query instead. False: too long, not UTF-8, a control character.
 */
static bool take_part(const char **at, char out[SY_REQUEST_PART])
{
    size_t n = strcspn(*at, "/");
    if (n == 0 || n >= SY_REQUEST_PART || sy_utf8_check((sy_span){*at, n}) != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)(*at)[i] < ' ') {
            return false;
        }
    }
    memcpy(out, *at, n);
    out[n] = 0;
    *at += n;
    return true;
}

static bool fits(const char *pattern, sy_request *r)
{
    size_t parts = 0;
    const char *path = r->path;
    while (*pattern && *path) {
        if (pattern[0] == '{' && pattern[1] == '}') {
            if (parts == SY_REQUEST_PARTS || !take_part(&path, r->part[parts++])) {
                return false;
            }
            pattern += 2;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return !*pattern && !*path;
}

/* *found: some route has this path, with another method. */
static const sy_route *find_route(sy_request *r, bool *found)
{
    const char *method = strcmp(r->method, "HEAD") == 0 ? "GET" : r->method;
    *found = false;
    for (const sy_route *x = sy_console_routes; x->method; x++) {
        if (!fits(x->path, r)) {
            continue;
        }
        *found = true;
        if (strcmp(x->method, method) == 0) {
            return x;
        }
    }
    return NULL;
}

/* ---- who asks, and from where ---- */

static void note_peer(sy_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = info ? info->client_addr : NULL;
    snprintf(r->peer, sizeof r->peer, "?");
    if (a && a->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
        inet_ntop(AF_INET, &v4->sin_addr, r->peer, sizeof r->peer);
        r->loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    } else if (a && a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)a;
        inet_ntop(AF_INET6, &v6->sin6_addr, r->peer, sizeof r->peer);
        r->loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
}

/* Without TLS a browser could be led here by a name that an attacker points to 127.0.0.1. */
static bool own_host(const sy_request *r)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *host = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Host");
    for (size_t i = 0; host && i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (strncasecmp(host, names[i], n) == 0 && (host[n] == 0 || host[n] == ':')) {
            return true;
        }
    }
    return r->console->tls;
}

/* A change comes from our own page: its origin is the host that was asked (RFC 6454), it has a
 * header that no other page can set without being asked, and a session's own token. */
static bool own_page(const sy_request *r)
{
    const char *origin = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Origin");
    const char *host = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Host");
    const char *guard = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "X-Steelyard-Token");
    if (origin) {
        const char *name = strstr(origin, "://");
        if (!name || !host || strcasecmp(name + 3, host) != 0) {
            return false;
        }
    }
    if (!guard) {
        return false;
    }
    return !r->session[0] || sy_sessions_guarded(r->console->sessions, r->session, guard);
}

static bool is_json(const sy_request *r)
{
    const char *type = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Content-Type");
    size_t n = strlen("application/json");
    return type && strncasecmp(type, "application/json", n) == 0 &&
           (!type[n] || type[n] == ';' || type[n] == ' ');
}

static bool asks_chinese(const sy_request *r)
{
    const char *lang = sy_request_arg(r, "lang");
    if (!lang) {
        lang = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Accept-Language");
    }
    return lang && strncasecmp(lang, "zh", 2) == 0;
}

/* ---- static files ---- */

static enum MHD_Result answer_asset(sy_request *r)
{
    const char *path = strcmp(r->path, "/") == 0 ? "/index.html" : r->path;
    const char *have = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "If-None-Match");
    for (size_t i = 0; i < sy_assets_count; i++) {
        const sy_asset *a = &sy_assets[i];
        if (strcmp(a->path, path) != 0) {
            continue;
        }
        bool same = have && strstr(have, a->tag) != NULL;
        struct MHD_Response *response = MHD_create_response_from_buffer(
            same ? 0 : a->bytes.n, (void *)(uintptr_t)a->bytes.p, MHD_RESPMEM_PERSISTENT);
        if (!response) {
            return MHD_NO;
        }
        sy_answer_heads(r, response);
        MHD_add_response_header(response, "Content-Type", a->type);
        MHD_add_response_header(response, "ETag", a->tag);
        MHD_add_response_header(response, "Cache-Control", "no-cache");
        enum MHD_Result queued =
            MHD_queue_response(r->mhd, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
        MHD_destroy_response(response);
        return queued;
    }
    return sy_answer_error(r, MHD_HTTP_NOT_FOUND, "not-found", "there is no such page");
}

/* ---- a request's life ---- */

typedef struct verdict { /* status 0: go on */
    unsigned status;
    const char *code, *text;
} verdict;

static verdict judge_body(const sy_request *r)
{
    const char *length = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Content-Length");
    const char *coding = MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, "Transfer-Encoding");
    if ((length && strtoull(length, NULL, 10) > r->route->body_most) ||
        (coding && r->route->body_most == 0)) {
        return (verdict){MHD_HTTP_CONTENT_TOO_LARGE, "too-large", "the body is too long"};
    }
    if (r->route->body_most && !is_json(r)) {
        return (verdict){MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "bad-type",
                         "the body must be application/json"};
    }
    return (verdict){0, NULL, NULL};
}

static verdict judge(sy_request *r)
{
    if (r->route->may && !r->user[0]) {
        return (verdict){MHD_HTTP_UNAUTHORIZED, "sign-in", "sign in first"};
    }
    if (r->route->may && (r->route->may & ~sy_role_may(r->role)) != 0) {
        return (verdict){MHD_HTTP_FORBIDDEN, "not-allowed", "your role may not do that"};
    }
    if (!safe(r->method) && !own_page(r)) {
        return (verdict){MHD_HTTP_FORBIDDEN, "foreign-request",
                         "the request does not come from a page of this console"};
    }
    return judge_body(r);
}

static enum MHD_Result refuse(sy_request *r, unsigned status, const char *code, const char *text)
{
    atomic_fetch_add(&r->console->refused, 1);
    return sy_answer_error(r, status, code, text);
}

/* The head is there: an answer, or MHD_YES without one where the body is wanted. *done tells. */
static enum MHD_Result begin(sy_request *r, bool *done)
{
    bool found;
    sy_fail f;
    *done = true;
    atomic_fetch_add(&r->console->requests, 1);
    note_peer(r);
    if (!own_host(r)) {
        return refuse(r, MHD_HTTP_FORBIDDEN, "foreign-host", "ask by the name localhost");
    }
    r->zh = asks_chinese(r);
    r->route = find_route(r, &found);
    if (!r->route && found) {
        return refuse(r, MHD_HTTP_METHOD_NOT_ALLOWED, "bad-method", "not by this method");
    }
    if (!r->route && safe(r->method)) {
        return answer_asset(r);
    }
    if (!r->route) {
        return refuse(r, MHD_HTTP_NOT_FOUND, "not-found", "there is no such address");
    }
    if (sy_account_of(r, &f)) {
        return sy_answer_fail(r, &f);
    }
    verdict v = judge(r);
    if (v.status) {
        return refuse(r, v.status, v.code, v.text);
    }
    *done = false;
    return MHD_YES;
}

enum MHD_Result sy_console__request(void *cls, struct MHD_Connection *c, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_n, void **state)
{
    sy_request *r = *state;
    bool done = false;
    enum MHD_Result answered = MHD_YES;
    (void)version;
    if (!r) {
        r = calloc(1, sizeof *r);
        if (!r) {
            return MHD_NO;
        }
        r->console = cls;
        r->mhd = c;
        r->path = url;
        r->method = method;
        sy_buf_init(&r->body, sy_heap());
        *state = r;
        /* What is answered before its body is read ends the connection; without one, only when the
         * whole of it is there. */
        r->early = !safe(method);
        return r->early ? begin(r, &done) : MHD_YES;
    }
    if (!r->early) {
        if (*upload_n > 0) {
            return MHD_NO; /* a body that nobody asked for */
        }
        r->early = true;
        answered = begin(r, &done);
    }
    if (done || !r->route) {
        return answered; /* answered by its head */
    }
    if (*upload_n > 0) {
        if (r->body.n + *upload_n > r->route->body_most) {
            r->too_long = true;
        } else {
            sy_buf_put(&r->body, upload, *upload_n);
        }
        *upload_n = 0;
        return MHD_YES;
    }
    if (r->too_long) {
        return refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, "too-large", "the body is too long");
    }
    if (r->body.failed) {
        return sy_answer_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "no-memory", "no memory");
    }
    return r->route->handler(r);
}

void sy_console__ended(void *cls, struct MHD_Connection *c, void **state,
                       enum MHD_RequestTerminationCode why)
{
    sy_request *r = *state;
    (void)cls, (void)c, (void)why;
    if (r) {
        sy_job_free(r->job);
        sy_buf_fini(&r->body);
        free(r);
        *state = NULL;
    }
}
