/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EST as a client: each question over a connection of its own, since there are three of them in two
 * months.
 */
#include <stdio.h>
#include <stdlib.h>

#include "enrol/enrol_int.h"
#include "enrol/p7.h"
#include "ledger/b64.h"

static const sy_ms ask_ms = 60000;

sy_err sy_est__open(sy_est_client *c, const sy_enrol *o, const char *url, sy_fail *f)
{
    *c = (sy_est_client){.o = o, .trust = "trust.pem"};
    sy_buf_init(&c->ca, sy_heap());
    sy_err e = sy_url_parse(url, &c->url, f);
    size_t n = e == SY_OK ? strlen(c->url.path) : 0;
    while (n > 1 && c->url.path[n - 1] == '/') {
        c->url.path[--n] = 0;
    }
    if (e == SY_OK && (strchr(c->url.path, '?') || n < 2 || n > 900)) {
        return sy_fail_set(f, SY_E_USAGE,
                           "'%.120s' is no address of EST; write https://host/.well-known/est",
                           url);
    }
    return e;
}

void sy_est__close(sy_est_client *c)
{
    explicit_bzero(c->authorization, sizeof c->authorization);
    sy_buf_fini(&c->ca);
}

void sy_est__token(sy_est_client *c, sy_span user_and_token)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_b64_put(&b, user_and_token, SY_B64);
    int n = b.failed || !b.n
                ? -1
                : snprintf(c->authorization, sizeof c->authorization, "Basic %.*s", (int)b.n, b.p);
    if (n < 0 || (size_t)n >= sizeof c->authorization) {
        c->authorization[0] = 0;
    }
    sy_enrol__wipe(&b);
}

/* as: NULL, or the file whose certificate is shown. *status of the answer, its body in `body`. */
static sy_err ask(sy_est_client *c, const char *operation, const char *as, sy_span request,
                  sy_asked *asked, sy_buf *body, sy_fail *f)
{
    char path[1024], ca[SY_ENROL_PATH], own[SY_ENROL_PATH];
    sy_enrol_path(c->o->data, c->trust ? c->trust : "", ca);
    sy_enrol_path(c->o->data, as ? as : "", own);
    snprintf(path, sizeof path, "%.900s/%s", c->url.path, operation);
    const sy_tls_paths files = {c->trust ? ca : NULL, as ? own : NULL, as ? own : NULL, NULL};
    const sy_ask q = {.url = &c->url,
                      .path = path,
                      .method = request.n ? "POST" : "GET",
                      .accept = "application/pkcs7-mime",
                      .type = request.n ? "application/pkcs10" : NULL,
                      .authorization = request.n && c->authorization[0] ? c->authorization : NULL,
                      .body = request,
                      .most = SY_P7_BYTES,
                      .now = c->o->now,
                      .time = ask_ms,
                      .stop_fd = c->o->stop_fd,
                      .bootstrap = !c->trust};
    return sy_ask_send(&q, &files, asked, body, f);
}

static sy_err cacerts(sy_est_client *c, sy_buf *pem, sy_fail *f)
{
    sy_buf body;
    sy_asked asked;
    sy_buf_init(&body, sy_heap());
    sy_err e = ask(c, "cacerts", NULL, (sy_span){NULL, 0}, &asked, &body, f);
    if (e == SY_OK && asked.status != 200) {
        e = sy_fail_set(f, SY_E_PEER,
                        "%.80s has no certificates of a CA at %.80s/cacerts: it answered %u %.60s",
                        c->url.authority, c->url.path, asked.status, asked.note);
    }
    e = e != SY_OK ? e : sy_p7_certs(sy_buf_span(&body), pem, f);
    sy_buf_fini(&body);
    return e;
}

sy_err sy_est__bootstrap(sy_est_client *c, const unsigned char fingerprint[32], sy_fail *f)
{
    sy_buf all, one;
    sy_buf_init(&all, sy_heap());
    sy_buf_init(&one, sy_heap());
    c->trust = NULL;
    sy_err e = cacerts(c, &all, f);
    c->trust = "trust.pem";
    e = e != SY_OK ? e : sy_p7_pick(sy_buf_span(&all), fingerprint, &one, f);
    e = e != SY_OK ? e : sy_enrol__write(c->o, "trust.pem", sy_buf_span(&one), false, f);
    sy_buf_fini(&all);
    sy_buf_fini(&one);
    return e;
}

sy_err sy_est__cacerts(sy_est_client *c, sy_fail *f)
{
    sy_err e = cacerts(c, &c->ca, f);
    if (e == SY_E_DENIED && sy_enrol__has(c->o, "ca.pem")) {
        /* The CA has a new key, of which we heard while the old one still counted. */
        sy_fail unused;
        sy_buf_reset(&c->ca);
        c->trust = "ca.pem";
        if (cacerts(c, &c->ca, &unused) != SY_OK) {
            return e;
        }
        e = SY_OK;
    }
    return e;
}

/* The DER of a PEM request as base64, in its lines. */
static sy_span bare(const sy_buf *pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE REQUEST-----\n",
                      end[] = "-----END CERTIFICATE REQUEST-----";
    const char *from = pem->n ? strstr(pem->p, begin) : NULL;
    const char *to = from ? strstr(from, end) : NULL;
    return to ? (sy_span){from + sizeof begin - 1, (size_t)(to - from) - (sizeof begin - 1)}
              : (sy_span){NULL, 0};
}

static sy_err judge(sy_est_client *c, const char *operation, const sy_asked *a, sy_fail *f)
{
    if (a->status == 200) {
        return SY_OK;
    }
    if (a->status == 202) {
        c->again = a->retry_after;
        return sy_fail_set(f, SY_E_AGAIN,
                           "the authority has taken the request and not decided yet; ask again%s",
                           a->retry_after ? " later" : "");
    }
    bool refused = a->status == 401 || a->status == 403;
    return sy_fail_set(f, refused ? SY_E_DENIED : SY_E_PEER,
                       "%.80s refused %s: it answered %u %.120s", c->url.authority, operation,
                       a->status, a->note);
}

sy_err sy_est__enrol(sy_est_client *c, const char *operation, const char *as, sy_es256 *key,
                     sy_buf *chain, sy_fail *f)
{
    sy_buf csr, body, certs;
    sy_asked asked;
    sy_buf_init(&csr, sy_heap());
    sy_buf_init(&body, sy_heap());
    sy_buf_init(&certs, sy_heap());
    sy_err e = sy_es256_request(key, c->o->gateway, &csr, f);
    e = e != SY_OK ? e : ask(c, operation, as, bare(&csr), &asked, &body, f);
    e = e != SY_OK ? e : judge(c, operation, &asked, f);
    e = e != SY_OK ? e : sy_p7_certs(sy_buf_span(&body), &certs, f);
    if (e == SY_OK) { /* issuers may come along, or with /cacerts */
        sy_buf_span_put(&certs, sy_buf_span(&c->ca));
        e = sy_enrol__chain(c->o, sy_buf_span(&certs), sy_buf_span(&c->ca), key, chain, f);
    }
    sy_buf_fini(&csr);
    sy_buf_fini(&body);
    sy_buf_fini(&certs);
    return e;
}
