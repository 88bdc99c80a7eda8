/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events' listener. One thread: a commit to the disk is what each request waits for anyway.
 *
 * libmicrohttpd asks for a client certificate but does not require one, so each request checks it
 * before a byte of its body is read.
 */
#include "inbox/web.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"

enum { CONNECTIONS_MAX = 256, CONNECTION_MEMORY = 64 * 1024, IDLE_S = 90, SENDER_MAX = 512 };

struct sy_listen {
    struct MHD_Daemon *daemon;
    sy_inbox_db *db;
};

typedef struct request {
    sy_buf body;
    bool too_long;
    char sender[SENDER_MAX];
} request;

enum MHD_Result sy_web_answer(struct MHD_Connection *c, unsigned status, const char *type,
                              const sy_buf *body)
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
    MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(r, "Content-Security-Policy",
                            "default-src 'none'; style-src 'self'; base-uri 'none'; "
                            "form-action 'none'; frame-ancestors 'none'");
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

/* The subject of the client's certificate, if it is one that our CA signed for clients. */
static bool who(struct MHD_Connection *c, char out[SENDER_MAX])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t session = info ? (gnutls_session_t)info->tls_session : NULL;
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned status = 0, n = 0;
    if (!session || gnutls_certificate_verify_peers(session, &purpose, 1, &status) != 0 ||
        status != 0) {
        return false;
    }
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
    gnutls_x509_crt_t crt = NULL;
    gnutls_datum_t name = {NULL, 0};
    bool good = chain && n > 0 && gnutls_x509_crt_init(&crt) == 0 &&
                gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
                gnutls_x509_crt_get_dn3(crt, &name, 0) == 0 && name.size > 0 &&
                name.size < SENDER_MAX;
    if (good) {
        memcpy(out, name.data, name.size);
        out[name.size] = 0;
    }
    gnutls_free(name.data);
    if (crt) {
        gnutls_x509_crt_deinit(crt);
    }
    return good;
}

static bool type_fits(struct MHD_Connection *c)
{
    static const char *const types[] = {"application/cloudevents-batch+json",
                                        "application/cloudevents+json", "application/json"};
    const char *type = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type");
    for (size_t i = 0; type && i < sizeof types / sizeof types[0]; i++) {
        size_t n = strlen(types[i]);
        if (strncasecmp(type, types[i], n) == 0 && (!type[n] || type[n] == ';' || type[n] == ' ')) {
            return true;
        }
    }
    return false;
}

static enum MHD_Result refuse_peer(struct MHD_Connection *c)
{
    sy_log(SY_LOG_WARN, "inbox-peer-refused", "msg=\"no client certificate of the given CA\"");
    return sy_web_refuse(c, MHD_HTTP_FORBIDDEN,
                         "a client certificate signed by the CA of this inbox is required");
}

/* The head of a request is there. */
static enum MHD_Result begin(struct MHD_Connection *c, const char *url, const char *method,
                             void **state)
{
    char sender[SENDER_MAX];
    if (!who(c, sender)) {
        return refuse_peer(c);
    }
    if (strcmp(url, "/events") != 0) {
        return sy_web_refuse(c, MHD_HTTP_NOT_FOUND, "events are taken at /events");
    }
    if (strcmp(method, "POST") != 0) {
        return sy_web_refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "events are taken by POST");
    }
    const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
    if (length && strtoull(length, NULL, 10) > SY_CLOUD_BODY_MAX) {
        return sy_web_refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 1 MiB");
    }
    if (!type_fits(c)) {
        return sy_web_refuse(c, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                             "the body must be application/cloudevents-batch+json or "
                             "application/cloudevents+json");
    }
    request *r = calloc(1, sizeof *r);
    if (!r) {
        return MHD_NO;
    }
    sy_buf_init(&r->body, sy_heap());
    memcpy(r->sender, sender, sizeof sender);
    *state = r;
    return MHD_YES;
}

static enum MHD_Result finish(sy_listen *l, struct MHD_Connection *c, const request *r)
{
    sy_cloud_batch batch;
    sy_fail f;
    size_t stored = 0, known = 0;
    if (r->too_long) {
        return sy_web_refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 1 MiB");
    }
    if (r->body.failed) {
        return sy_web_refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory; try again");
    }
    sy_err e = sy_cloud_parse(sy_buf_span(&r->body), &batch, &f);
    if (e == SY_E_PARSE) {
        sy_log_fail(SY_LOG_WARN, "inbox-malformed", &f);
        return sy_web_refuse(c, MHD_HTTP_BAD_REQUEST, f.text);
    }
    if (e == SY_OK) {
        e = sy_inbox_db_add(l->db, &batch, r->sender, sy_wall_ms(), &stored, &known, &f);
        sy_cloud_free(&batch);
    }
    if (e != SY_OK) {
        sy_log_fail(SY_LOG_ERROR, "inbox-store", &f);
        return sy_web_refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE,
                             "the events could not be stored; try again");
    }
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_printf(&b, "{\"stored\":%zu,\"known\":%zu}\n", stored, known);
    enum MHD_Result queued = sy_web_answer(c, MHD_HTTP_OK, "application/json", &b);
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
        return begin(c, url, method, state);
    }
    if (*upload_n > 0) {
        if (r->body.n + *upload_n > SY_CLOUD_BODY_MAX) {
            if (r->body.n + *upload_n > 2 * (size_t)SY_CLOUD_BODY_MAX) {
                return MHD_NO; /* it goes on and on: close */
            }
            r->too_long = true;
        }
        sy_buf_put(&r->body, upload, *upload_n);
        *upload_n = 0;
        return MHD_YES;
    }
    return finish(cls, c, r);
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

sy_err sy_listen_start(sy_listen **out, const sy_listen_options *o, sy_fail *f)
{
    sy_listen *l = calloc(1, sizeof *l);
    if (!l) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the inbox");
    }
    l->db = o->db;
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
        free(l);
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
        free(l);
    }
}

unsigned sy_listen_port(const sy_listen *l)
{
    return sy_web_port(l->daemon);
}
