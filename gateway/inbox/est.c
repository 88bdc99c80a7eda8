/* SPDX-License-Identifier: Apache-2.0 */
/* Who may have a certificate, and the answers of EST. */
#include "inbox/est.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "inbox/est_sign.h"
#include "ledger/b64.h"
#include "web/peer.h"

enum { TOKENS_MAX = 1 << 20, USED_MAX = 8 << 20, TOKEN_LEAST = 8 };

struct sy_est {
    sy_est_ca ca;
    char *tokens, *used; /* paths; tokens may be NULL */
    sy_ms lifetime, grace;
};

const char *const sy_est_types[] = {"application/pkcs10", NULL};

sy_err sy_est_open(sy_est **out, const sy_est_options *o, sy_fail *f)
{
    sy_est *e = calloc(1, sizeof *e);
    if (!e) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for EST");
    }
    e->lifetime = o->lifetime;
    e->grace = o->grace;
    e->tokens = o->tokens ? strdup(o->tokens) : NULL;
    bool good = asprintf(&e->used, "%s/est-used", o->data) > 0 && (e->tokens || !o->tokens);
    sy_err err = good ? sy_est_ca_load(&e->ca, o->ca, o->key, f)
                      : sy_fail_set(f, SY_E_NOMEM, "no memory for EST");
    if (err != SY_OK) {
        sy_est_close(e);
        return err;
    }
    *out = e;
    return SY_OK;
}

void sy_est_close(sy_est *e)
{
    if (e) {
        sy_est_ca_free(&e->ca);
        free(e->tokens);
        free(e->used);
        free(e);
    }
}

static enum MHD_Result certs(const sy_web_request *r, const sy_est_csr *csr)
{
    sy_buf b;
    sy_fail f;
    sy_buf_init(&b, sy_heap());
    if (sy_est_issue(&r->est->ca, csr, r->est->lifetime, &b, &f) != SY_OK) {
        sy_log_fail(SY_LOG_ERROR, "inbox-est-failed", &f);
        sy_buf_fini(&b);
        return sy_web_refuse(r->connection, MHD_HTTP_SERVICE_UNAVAILABLE, f.text);
    }
    if (csr) {
        sy_log(SY_LOG_INFO, "inbox-est-issued", "gateway=%s kid=%.16s", csr->cn, csr->kid);
    }
    enum MHD_Result queued = sy_web_answer(
        r->connection, MHD_HTTP_OK,
        csr ? "application/pkcs7-mime; smime-type=certs-only" : "application/pkcs7-mime", &b);
    sy_buf_fini(&b);
    return queued;
}

static enum MHD_Result unauthorized(const sy_web_request *r)
{
    static const char text[] = "{\"error\":\"the gateway's id and a token of the list are needed, "
                               "or its certificate\"}\n";
    struct MHD_Response *a = MHD_create_response_from_buffer(
        sizeof text - 1, (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (!a) {
        return MHD_NO;
    }
    MHD_add_response_header(a, "Content-Type", "application/json");
    MHD_add_response_header(a, "WWW-Authenticate", "Basic realm=\"est\"");
    enum MHD_Result queued = MHD_queue_response(r->connection, MHD_HTTP_UNAUTHORIZED, a);
    MHD_destroy_response(a);
    return queued;
}

/* ---- tokens ---- */

static void hash_of(sy_span text, char hex[65])
{
    unsigned char sum[32];
    sy_sha256 h;
    sy_sha256_init(&h);
    sy_sha256_add(&h, text.p, text.n);
    sy_sha256_end(&h, sum);
    sy_hex(sum, sizeof sum, hex);
}

/* "<gateway> <token>" is a line of the list: compared as hashes, so that time tells nothing. */
static bool listed(const sy_est *e, const char *gateway, sy_span token)
{
    sy_buf list;
    sy_fail f;
    char want[65], have[65];
    bool found = false;
    size_t id = strlen(gateway);
    sy_buf_init(&list, sy_heap());
    if (e->tokens && sy_file_read(e->tokens, TOKENS_MAX, &list, &f) != SY_OK) {
        sy_log_fail(SY_LOG_ERROR, "inbox-est-failed", &f);
    }
    hash_of(token, want);
    const char *line = list.n ? list.p : "";
    for (size_t n; *line; line += n + (line[n] == '\n')) {
        n = strcspn(line, "\n");
        if (n > id + 1 && strncmp(line, gateway, id) == 0 && line[id] == ' ') {
            size_t k = n - id - 1;
            hash_of((sy_span){line + id + 1, k - (line[n - 1] == '\r')}, have);
            found = found || strcmp(have, want) == 0;
        }
    }
    if (list.p) {
        explicit_bzero(list.p, list.cap);
    }
    sy_buf_fini(&list);
    return found && token.n >= TOKEN_LEAST;
}

/* A token is used up by the key that it certified. */
static bool take(const sy_est *e, const char *gateway, sy_span token, const char *kid)
{
    sy_buf used, pair;
    sy_fail f;
    char hex[65];
    sy_buf_init(&used, sy_heap());
    sy_buf_init(&pair, sy_heap());
    sy_buf_printf(&pair, "%s %.*s", gateway, (int)token.n, token.p);
    hash_of(sy_buf_span(&pair), hex);
    sy_err err = sy_file_read(e->used, USED_MAX, &used, &f);
    const char *at = err == SY_OK && used.n ? strstr(used.p, hex) : NULL;
    bool good = at && strncmp(at + 65, kid, strlen(kid)) == 0;
    if (!at && !pair.failed && (err == SY_OK || err == SY_E_NOTFOUND || !used.n)) {
        sy_buf_printf(&used, "%s %s\n", hex, kid);
        good = !used.failed && sy_file_write(e->used, sy_buf_span(&used), 0600, &f) == SY_OK;
    }
    sy_buf_fini(&used);
    sy_buf_fini(&pair);
    return good;
}

/* By HTTP Basic (RFC 7617). */
static bool by_token(const sy_web_request *r, const sy_est_csr *csr)
{
    static const char basic[] = "Basic ";
    const char *field =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Authorization");
    sy_buf plain;
    size_t id = strlen(csr->cn);
    sy_buf_init(&plain, sy_heap());
    bool good = field && strlen(field) < 1024 && strncmp(field, basic, sizeof basic - 1) == 0 &&
                sy_b64_get(sy_span_of(field + sizeof basic - 1), SY_B64, &plain) == SY_OK &&
                !plain.failed && plain.n > id + 1 && memcmp(plain.p, csr->cn, id) == 0 &&
                plain.p[id] == ':';
    if (good) {
        const sy_span token = {plain.p + id + 1, plain.n - id - 1};
        good = listed(r->est, csr->cn, token) && take(r->est, csr->cn, token, csr->kid);
    }
    if (plain.p) {
        explicit_bzero(plain.p, plain.cap);
    }
    sy_buf_fini(&plain);
    return good;
}

/* ---- certificates ---- */

/* The present certificate: of the CA for clients, or one that is good but for its end. */
static bool by_certificate(const sy_web_request *r, const sy_est_csr *csr, bool expired_too)
{
    gnutls_x509_crt_t crt;
    unsigned wrong = 0;
    char cn[SY_EST_CN + 1];
    if (!sy_web_certificate(r->connection, &crt, &wrong)) {
        return false;
    }
    bool good =
        sy_web_subject(crt, GNUTLS_OID_X520_COMMON_NAME, cn, sizeof cn) && strcmp(cn, csr->cn) == 0;
    if (good && wrong != 0) {
        sy_ms end = (sy_ms)gnutls_x509_crt_get_expiration_time(crt) * 1000;
        good = expired_too && wrong == (GNUTLS_CERT_INVALID | GNUTLS_CERT_EXPIRED) &&
               sy_wall_ms() - end <= r->est->grace;
    }
    gnutls_x509_crt_deinit(crt);
    return good;
}

static enum MHD_Result not_here(const sy_web_request *r)
{
    return sy_web_refuse(r->connection, MHD_HTTP_NOT_FOUND,
                         "this inbox certifies nobody: it was started without --est-ca");
}

enum MHD_Result sy_est_cacerts(const sy_web_request *r)
{
    return r->est ? certs(r, NULL) : not_here(r);
}

static enum MHD_Result answer(const sy_web_request *r, bool again)
{
    sy_est_csr csr;
    sy_fail f;
    enum MHD_Result queued;
    if (!r->est) {
        return not_here(r);
    }
    if (sy_est_csr_read(&csr, r->body, &f) != SY_OK) {
        queued = sy_web_refuse(r->connection, MHD_HTTP_BAD_REQUEST, f.text);
    } else if (by_certificate(r, &csr, again) || (!again && by_token(r, &csr))) {
        queued = certs(r, &csr);
    } else {
        sy_log(SY_LOG_WARN, "inbox-est-refused", "gateway=%s kid=%.16s again=%d", csr.cn, csr.kid,
               again);
        queued = again ? sy_web_refuse(r->connection, MHD_HTTP_FORBIDDEN,
                                       "the certificate that is to be renewed must be shown, and "
                                       "name the same gateway")
                       : unauthorized(r);
    }
    sy_est_csr_free(&csr);
    return queued;
}

enum MHD_Result sy_est_enrol(const sy_web_request *r)
{
    return answer(r, false);
}

enum MHD_Result sy_est_reenrol(const sy_web_request *r)
{
    return answer(r, true);
}
