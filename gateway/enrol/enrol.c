/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of things. The key is on the disk before anybody hears of it. The new certificate of
 * TLS is used once, to have the ledger's key certified, before it takes the place of the old one.
 */
#include "enrol/enrol.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "enrol/enrol_int.h"
#include "ledger/chain.h"

/* The certificate in a chain ends then. */
static sy_ms end_of(sy_span pem)
{
    sy_chain chain;
    sy_subject who;
    sy_fail unused;
    sy_chain_init(&chain);
    bool good = sy_chain_read_pem(pem, &chain, &unused) == SY_OK &&
                sy_chain_subject(&chain, &who, &unused) == SY_OK;
    sy_chain_free(&chain);
    return good ? who.to : 0;
}

/* By the new certificate. SY_E_PEER, SY_E_DENIED of the ledger's key alone do not count against it:
 * that the server answered at all says that it works. */
static sy_err certify_ledger(sy_est_client *c, sy_enrol_done *done, sy_fail *f)
{
    sy_es256 *key = NULL;
    sy_buf chain;
    sy_fail why = {0};
    sy_buf_init(&chain, sy_heap());
    sy_err e = sy_enrol__ledger_key(c->o, &key, &why);
    if (e == SY_OK) {
        c->authorization[0] = 0;
        e = sy_est__enrol(c, "simpleenroll", "next.pem", key, &chain, &why);
        bool line = e == SY_E_IO || (e == SY_E_AGAIN && !c->again) || e == SY_E_CLOSED;
        if (line) {
            *f = why;
        } else if (e == SY_OK) {
            e = sy_enrol__ledger_cert(c->o, sy_buf_span(&chain), &why);
        }
        if (line) {
            sy_es256_close(key);
            sy_buf_fini(&chain);
            return sy_fail_wrap(f, "the new certificate could not be used");
        }
    }
    done->ledger = e == SY_OK;
    if (e != SY_OK) {
        snprintf(done->ledger_why, sizeof done->ledger_why, "%s", why.text);
    }
    sy_es256_close(key);
    sy_buf_fini(&chain);
    return SY_OK;
}

/* operation and as: how the TLS key is certified. */
static sy_err certify(sy_est_client *c, const char *operation, const char *as, sy_enrol_done *done,
                      sy_fail *f)
{
    sy_es256 *key = NULL;
    sy_buf chain;
    sy_buf_init(&chain, sy_heap());
    sy_err e = sy_enrol__next_key(c->o, &key, f);
    e = e != SY_OK ? e : sy_est__enrol(c, operation, as, key, &chain, f);
    done->again = e == SY_E_AGAIN ? c->again : 0;
    e = e != SY_OK ? e : sy_enrol__put_next(c->o, key, sy_buf_span(&chain), f);
    e = e != SY_OK ? e : certify_ledger(c, done, f);
    e = e != SY_OK ? e : sy_enrol__write(c->o, "ca.pem", sy_buf_span(&c->ca), false, f);
    e = e != SY_OK ? e : sy_enrol__switch(c->o, f);
    if (e == SY_OK) {
        done->until = end_of(sy_buf_span(&chain));
    }
    sy_es256_close(key);
    sy_buf_fini(&chain);
    return e;
}

static sy_err take_trust(sy_est_client *c, const sy_enrol_from *from, sy_fail *f)
{
    sy_buf pem;
    sy_buf_init(&pem, sy_heap());
    sy_err e = SY_OK;
    if (from->ca) {
        e = sy_file_read(from->ca, SY_ENROL_FILE, &pem, f);
        e = e != SY_OK ? e : sy_enrol__write(c->o, "trust.pem", sy_buf_span(&pem), false, f);
    } else if (from->fingerprint) {
        e = sy_est__bootstrap(c, from->fingerprint, f);
    } else if (!sy_enrol__has(c->o, "trust.pem")) {
        e = sy_fail_set(f, SY_E_USAGE,
                        "whom does the authority's server come from? give --ca FILE, or "
                        "--fingerprint with the SHA-256 of the CA's certificate");
    }
    sy_buf_fini(&pem);
    return e;
}

static sy_err keep_from(const sy_enrol *o, const sy_enrol_from *from, sy_span token, sy_fail *f)
{
    sy_err e = sy_enrol__write(o, "url", sy_span_of(from->url), false, f);
    if (e == SY_OK && from->keep_token && token.n) {
        e = sy_enrol__write(o, "token", token, true, f);
    }
    return e;
}

sy_err sy_enrol_ask(const sy_enrol *o, const sy_enrol_from *from, sy_enrol_done *done, sy_fail *f)
{
    sy_est_client c;
    sy_buf token;
    int lock = -1;
    *done = (sy_enrol_done){0};
    sy_buf_init(&token, sy_heap());
    if (from->token) {
        sy_buf_printf(&token, "%s:%s", from->user, from->token);
    }
    sy_err e = sy_est__open(&c, o, from->url, f);
    e = e != SY_OK ? e : sy_enrol__lock(o, &lock, f);
    e = e != SY_OK ? e : take_trust(&c, from, f);
    e = e != SY_OK ? e : sy_est__cacerts(&c, f);
    if (e == SY_OK && !from->token && !sy_enrol__has(o, "gateway.pem")) {
        e = sy_fail_set(f, SY_E_USAGE,
                        "there is no certificate yet to ask with; give --token-file FILE");
    }
    sy_est__token(&c, sy_buf_span(&token));
    e = e != SY_OK ? e : keep_from(o, from, sy_buf_span(&token), f);
    e = e != SY_OK ? e
                   : certify(&c, from->token ? "simpleenroll" : "simplereenroll",
                             from->token ? NULL : "gateway.pem", done, f);
    sy_enrol__wipe(&token);
    sy_est__close(&c);
    if (lock >= 0) {
        close(lock);
    }
    return e;
}

static sy_err renew(const sy_enrol *o, const char *url, sy_enrol_done *done, sy_fail *f)
{
    sy_est_client c;
    sy_buf token;
    sy_buf_init(&token, sy_heap());
    sy_err e = sy_est__open(&c, o, url, f);
    e = e != SY_OK ? e : sy_est__cacerts(&c, f);
    if (e == SY_OK) {
        e = certify(&c, "simplereenroll", "gateway.pem", done, f);
        sy_fail unused;
        bool again = e != SY_OK && e != SY_E_CLOSED && e != SY_E_AGAIN;
        if (again && sy_enrol__has(o, "token") &&
            sy_enrol__read(o, "token", &token, &unused) == SY_OK) {
            sy_log_fail(SY_LOG_WARN, "enrol-by-token", f);
            sy_est__token(&c, sy_buf_span(&token));
            e = certify(&c, "simpleenroll", NULL, done, f);
        }
    }
    sy_enrol__wipe(&token);
    sy_est__close(&c);
    return e;
}

sy_err sy_enrol_renew(const sy_enrol *o, sy_enrol_done *done, sy_fail *f)
{
    sy_buf url;
    int lock = -1;
    *done = (sy_enrol_done){0};
    if (!sy_enrol__has(o, "url") || !sy_enrol__has(o, "gateway.pem")) {
        return sy_fail_set(f, SY_E_NOTFOUND,
                           "nothing was enrolled here by EST; see steelyard enrol --help");
    }
    sy_buf_init(&url, sy_heap());
    sy_err e = sy_enrol__lock(o, &lock, f);
    e = e != SY_OK ? e : sy_enrol__read(o, "url", &url, f);
    e = e != SY_OK || url.n ? e : sy_fail_set(f, SY_E_PARSE, "enrolled/url is empty");
    e = e != SY_OK ? e : renew(o, url.p, done, f);
    sy_buf_fini(&url);
    if (lock >= 0) {
        close(lock);
    }
    return e;
}

sy_err sy_enrol_request(const sy_enrol *o, sy_buf *tls, sy_buf *ledger, sy_enrol_done *done,
                        sy_fail *f)
{
    sy_es256 *key = NULL, *second = NULL;
    int lock = -1;
    sy_fail why = {0};
    *done = (sy_enrol_done){0};
    sy_err e = sy_enrol__lock(o, &lock, f);
    e = e != SY_OK ? e : sy_enrol__next_key(o, &key, f);
    e = e != SY_OK ? e : sy_es256_request(key, o->gateway, tls, f);
    if (e == SY_OK) {
        done->ledger = sy_enrol__ledger_key(o, &second, &why) == SY_OK &&
                       sy_es256_request(second, o->gateway, ledger, &why) == SY_OK;
        snprintf(done->ledger_why, sizeof done->ledger_why, "%s", why.text);
    }
    sy_es256_close(key);
    sy_es256_close(second);
    if (lock >= 0) {
        close(lock);
    }
    return e;
}

/* The chain in place of the key that it is for. SY_E_DENIED: it is for another, or not to be
 * trusted. */
static sy_err place(const sy_enrol *o, sy_span pem, sy_span ca, bool *ledger, sy_fail *f)
{
    sy_es256 *tls = NULL, *second = NULL;
    sy_buf chain;
    sy_fail why = {0};
    sy_buf_init(&chain, sy_heap());
    *ledger = false;
    sy_err e = sy_enrol__next_key(o, &tls, f);
    e = e != SY_OK ? e : sy_enrol__chain(o, pem, ca, tls, &chain, f);
    if (e == SY_OK) {
        e = sy_enrol__put_next(o, tls, sy_buf_span(&chain), f);
        e = e != SY_OK ? e : sy_enrol__write(o, "ca.pem", ca, false, f);
        e = e != SY_OK ? e : sy_enrol__switch(o, f);
    } else if (!chain.n && sy_enrol__ledger_key(o, &second, &why) == SY_OK) {
        e = sy_enrol__chain(o, pem, ca, second, &chain, f);
        e = e != SY_OK ? e : sy_enrol__ledger_cert(o, sy_buf_span(&chain), f);
        *ledger = e == SY_OK;
    }
    sy_es256_close(tls);
    sy_es256_close(second);
    sy_buf_fini(&chain);
    return e;
}

sy_err sy_enrol_install(const sy_enrol *o, sy_span pem, sy_span ca, bool *ledger, sy_fail *f)
{
    sy_buf own;
    int lock = -1;
    sy_buf_init(&own, sy_heap());
    sy_err e = sy_enrol__lock(o, &lock, f);
    if (e == SY_OK && ca.n == 0) {
        e = sy_enrol__has(o, "ca.pem")
                ? sy_enrol__read(o, "ca.pem", &own, f)
                : sy_fail_set(f, SY_E_USAGE, "whom must the certificate come from? give --ca FILE");
    }
    e = e != SY_OK ? e : place(o, pem, ca.n ? ca : sy_buf_span(&own), ledger, f);
    sy_buf_fini(&own);
    if (lock >= 0) {
        close(lock);
    }
    return e;
}
