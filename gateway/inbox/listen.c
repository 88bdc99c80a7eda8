/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events' listener and its routes. One thread: a commit to the disk is what each request waits
 * for anyway.
 *
 * libmicrohttpd asks for a client certificate but does not require one, so each request checks it
 * before a byte of its body is read.
 */
#include "inbox/routes.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "inbox/est.h"
#include "ledger/evidence.h"
#include "web/peer.h"

enum { CONNECTIONS_MAX = 256, CONNECTION_MEMORY = 64 * 1024, IDLE_S = 90 };

struct sy_listen {
    struct MHD_Daemon *daemon;
    gnutls_x509_crl_t *crls;
    unsigned n_crls;
    sy_inbox_db *db;
    const struct sy_est *est;
};

static const char *const evidence_types[] = {"text/html", NULL};
static const sy_route routes[] = {
    {"POST", "/events", sy_take_types, SY_CLOUD_BODY_MAX, sy_take_events, NULL},
    {"GET", "/.well-known/est/cacerts", NULL, 0, sy_est_cacerts, NULL},
    {"POST", "/.well-known/est/simpleenroll", sy_est_types, 16384, sy_est_enrol, NULL},
    {"POST", "/.well-known/est/simplereenroll", sy_est_types, 16384, sy_est_reenrol, NULL},
    {"GET", "/orders", NULL, 0, sy_serve_orders, NULL},
    {"PUT", "/orders/evidence/", evidence_types, SY_EVIDENCE_BYTES, sy_take_evidence,
     sy_may_send_evidence},
};

typedef struct request {
    const sy_route *route;
    sy_buf body;
    bool too_long;
    char sender[SY_WEB_SENDER], name[SY_WEB_NAME + 1];
} request;

enum MHD_Result sy_web_answer(struct MHD_Connection *c, unsigned status, const char *type,
                              const sy_buf *body)
{
    return sy_web_send(c, status, type, body, NULL);
}

enum MHD_Result sy_web_send(struct MHD_Connection *c, unsigned status, const char *type,
                            const sy_buf *body, const sy_web_field *fields)
{
    bool good = !body->failed;
    struct MHD_Response *r = MHD_create_response_from_buffer(
        good ? body->n : 0, good && body->n ? body->p : (void *)(uintptr_t) "",
        MHD_RESPMEM_MUST_COPY);
    if (!r) {
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", type);
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    /* With "no-referrer" a browser would send forms with "Origin: null". */
    MHD_add_response_header(r, "Referrer-Policy", "same-origin");
    MHD_add_response_header(r, "Content-Security-Policy",
                            "default-src 'none'; style-src 'self'; base-uri 'none'; "
                            "form-action 'self'; frame-ancestors 'none'");
    for (; fields && fields->name; fields++) {
        if (fields->value) {
            MHD_add_response_header(r, fields->name, fields->value);
        }
    }
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(r, "Allow", "GET, HEAD, POST");
    }
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        MHD_add_response_header(r, "Retry-After", "5");
    }
    enum MHD_Result queued =
        MHD_queue_response(c, good ? status : MHD_HTTP_INTERNAL_SERVER_ERROR, r);
    MHD_destroy_response(r);
    return queued;
}

enum MHD_Result sy_web_refuse(struct MHD_Connection *c, unsigned status, const char *text)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_text(&b, "{\"error\":");
    sy_buf_json(&b, sy_span_of(text));
    sy_buf_text(&b, "}\n");
    enum MHD_Result queued = sy_web_answer(c, status, "application/json", &b);
    sy_buf_fini(&b);
    return queued;
}

/* The subject of the client's certificate, if it is one that our CA signed for clients; and the
 * name that stands for it, "" where there is none. */
static bool who(struct MHD_Connection *c, char out[SY_WEB_SENDER], char cn[SY_WEB_NAME + 1])
{
    gnutls_x509_crt_t crt;
    gnutls_datum_t name = {NULL, 0};
    unsigned wrong = 0;
    if (!sy_web_certificate(c, &crt, &wrong)) {
        return false;
    }
    bool good = wrong == 0 && gnutls_x509_crt_get_dn3(crt, &name, 0) == 0 && name.size > 0 &&
                name.size < SY_WEB_SENDER;
    if (good) {
        memcpy(out, name.data, name.size);
        out[name.size] = 0;
        (void)sy_web_subject(crt, GNUTLS_OID_X520_COMMON_NAME, cn, SY_WEB_NAME + 1);
    }
    gnutls_free(name.data);
    gnutls_x509_crt_deinit(crt);
    return good;
}

/* Any certificate that the client shows is on a list of revoked ones. */
static bool revoked(const sy_listen *l, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t session = info ? (gnutls_session_t)info->tls_session : NULL;
    unsigned n = 0;
    bool found = false;
    const gnutls_datum_t *chain =
        session && l->n_crls ? gnutls_certificate_get_peers(session, &n) : NULL;
    for (unsigned i = 0; chain && i < n && !found; i++) {
        gnutls_x509_crt_t crt = NULL;
        found = gnutls_x509_crt_init(&crt) != 0 ||
                gnutls_x509_crt_import(crt, &chain[i], GNUTLS_X509_FMT_DER) != 0 ||
                gnutls_x509_crt_check_revocation(crt, l->crls, l->n_crls) != 0;
        if (crt) {
            gnutls_x509_crt_deinit(crt);
        }
    }
    return found;
}

static bool type_fits(struct MHD_Connection *c, const char *const *types)
{
    const char *type = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type");
    for (size_t i = 0; type && types && types[i]; i++) {
        size_t n = strlen(types[i]);
        if (strncasecmp(type, types[i], n) == 0 && (!type[n] || type[n] == ';' || type[n] == ' ')) {
            return true;
        }
    }
    return !types;
}

static enum MHD_Result refuse_peer(struct MHD_Connection *c)
{
    sy_log(SY_LOG_WARN, "inbox-peer-refused", "msg=\"no client certificate of the given CA\"");
    return sy_web_refuse(c, MHD_HTTP_FORBIDDEN,
                         "a client certificate signed by the CA of this inbox is required");
}

static enum MHD_Result refuse_length(struct MHD_Connection *c, const sy_route *route)
{
    char text[80];
    snprintf(text, sizeof text, "the body is larger than %zu KiB", route->body_max / 1024);
    return sy_web_refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, text);
}

/* Who has no certificate yet asks for one; these handlers look themselves who it is. */
static bool is_est(const sy_route *r)
{
    return strncmp(r->path, "/.well-known/est/", 17) == 0;
}

static bool leads(const sy_route *r, const char *url)
{
    size_t n = strlen(r->path);
    return r->path[n - 1] == '/' ? strncmp(url, r->path, n) == 0 : strcmp(url, r->path) == 0;
}

/* *known: the path leads somewhere, by another method. */
static const sy_route *route_of(const char *url, const char *method, bool *known)
{
    *known = false;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (leads(&routes[i], url)) {
            *known = true;
            if (strcmp(method, routes[i].method) == 0) {
                return &routes[i];
            }
        }
    }
    return NULL;
}

static sy_web_request ask(const sy_listen *l, struct MHD_Connection *c, const char *url,
                          const sy_route *route)
{
    return (sy_web_request){.connection = c,
                            .method = route->method,
                            .url = url,
                            .rest = url + strlen(route->path),
                            .db = l->db,
                            .est = l->est};
}

/* The head of a request is there. */
static enum MHD_Result begin(const sy_listen *l, struct MHD_Connection *c, const char *url,
                             const char *method, void **state)
{
    char sender[SY_WEB_SENDER] = "", name[SY_WEB_NAME + 1] = "";
    bool known = false;
    const sy_route *route = route_of(url, method, &known);
    if (revoked(l, c) || (!(route && is_est(route)) && !who(c, sender, name))) {
        return refuse_peer(c);
    }
    if (!route) {
        return known ? sy_web_refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED,
                                     "not by this method: events by POST, orders by GET")
                     : sy_web_refuse(c, MHD_HTTP_NOT_FOUND,
                                     "events are taken at /events, orders are at /orders");
    }
    const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
    if (length && strtoull(length, NULL, 10) > route->body_max) {
        return refuse_length(c, route);
    }
    if (!type_fits(c, route->types)) {
        return sy_web_refuse(c, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                             route->body_max > SY_CLOUD_BODY_MAX
                                 ? "the body must be text/html"
                                 : "the body must be application/cloudevents-batch+json or "
                                   "application/cloudevents+json");
    }
    const char *why = "";
    sy_web_request asks = ask(l, c, url, route);
    asks.sender = sender;
    asks.name = name;
    unsigned status = route->may ? route->may(&asks, &why) : 0;
    if (status != 0) {
        return sy_web_refuse(c, status, why);
    }
    request *r = calloc(1, sizeof *r);
    if (!r) {
        return MHD_NO;
    }
    r->route = route;
    sy_buf_init(&r->body, sy_heap());
    memcpy(r->sender, sender, sizeof sender);
    memcpy(r->name, name, sizeof name);
    *state = r;
    return MHD_YES;
}

static enum MHD_Result finish(sy_listen *l, struct MHD_Connection *c, const char *url,
                              const request *r)
{
    if (r->too_long) {
        return refuse_length(c, r->route);
    }
    if (r->body.failed) {
        return sy_web_refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory; try again");
    }
    sy_web_request asks = ask(l, c, url, r->route);
    asks.sender = r->sender;
    asks.name = r->name;
    asks.body = sy_buf_span(&r->body);
    return r->route->handle(&asks);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **state)
{
    request *r = *state;
    (void)version;
    if (!r) {
        return begin(cls, c, url, method, state);
    }
    if (*upload_n > 0) {
        if (r->body.n + *upload_n > r->route->body_max) {
            if (r->body.n + *upload_n > 2 * r->route->body_max + 4096) {
                return MHD_NO; /* it goes on and on: close */
            }
            r->too_long = true;
        }
        sy_buf_put(&r->body, upload, *upload_n);
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

static sy_err read_crls(sy_listen *l, sy_span pem, sy_fail *f)
{
    const gnutls_datum_t data = {(unsigned char *)(uintptr_t)pem.p, (unsigned)pem.n};
    if (pem.n &&
        gnutls_x509_crl_list_import2(&l->crls, &l->n_crls, &data, GNUTLS_X509_FMT_PEM, 0) < 0)
        return sy_fail_set(f, SY_E_USAGE, "--crl: there is no list of revoked certificates in it");
    return SY_OK;
}

static void release(sy_listen *l)
{
    for (unsigned i = 0; i < l->n_crls; i++)
        gnutls_x509_crl_deinit(l->crls[i]);
    gnutls_free(l->crls);
    free(l);
}

sy_err sy_listen_start(sy_listen **out, const sy_listen_options *o, sy_fail *f)
{
    sy_listen *l = calloc(1, sizeof *l);
    if (!l) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the inbox");
    }
    l->db = o->db;
    l->est = o->est;
    sy_err e = read_crls(l, o->crl, f);
    if (e != SY_OK) {
        release(l);
        return e;
    }
    unsigned v6 = o->address.ss_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0u;
    l->daemon = MHD_start_daemon(
        (unsigned)MHD_USE_EPOLL_INTERNAL_THREAD | (unsigned)MHD_USE_TLS | (unsigned)MHD_USE_ITC |
            (unsigned)MHD_USE_ERROR_LOG | v6,
        0, NULL, NULL, on_request, l, MHD_OPTION_EXTERNAL_LOGGER, sy_web_log, NULL,
        MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&o->address, MHD_OPTION_HTTPS_MEM_CERT,
        o->cert, MHD_OPTION_HTTPS_MEM_KEY, o->key, MHD_OPTION_HTTPS_MEM_TRUST, o->client_ca,
        MHD_OPTION_HTTPS_PRIORITIES, "SECURE128:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3",
        MHD_OPTION_NOTIFY_COMPLETED, on_end, l, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
    if (!l->daemon) {
        release(l);
        return sy_fail_sys(f, "the events' listener cannot start: is the port taken, do --cert and "
                              "--key belong together?");
    }
    *out = l;
    return SY_OK;
}

void sy_listen_stop(sy_listen *l)
{
    if (l) {
        MHD_stop_daemon(l->daemon);
        release(l);
    }
}

unsigned sy_listen_port(const sy_listen *l)
{
    return sy_web_port(l->daemon);
}
