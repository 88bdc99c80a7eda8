/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X.509 over DTLS (RFC 7252 section 9.1.3.3; RFC 5280).
 *
 * libcoap reads our certificate and key at each ClientHello, and would keep for ever each authority
 * that it has once been given. So it gets the first two as text, and the authorities go into a
 * store of our own, which is set for each handshake: what a reload takes out of the file is trusted
 * no more. OpenSSL checks chain, purpose and dates; the callback here says whose certificate it was
 * that did not pass, and lets in only who is a device with a certificate.
 */
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "drivers/certificate.h"
#include "drivers/coap/coap_int.h"

enum { MAX_PEM = 1 << 20, DEPTH = 4 };

struct sy_coap_cert {
    sy_buf cert_pem, key_pem;
    STACK_OF(X509) * chain; /* our own, its first is our certificate */
    X509_STORE *trusted;
};

/* ---- names ---- */

static bool text_is(const ASN1_STRING *s, const char *id)
{
    size_t n = strlen(id);
    return (size_t)ASN1_STRING_length(s) == n && memcmp(ASN1_STRING_get0_data(s), id, n) == 0;
}

/* urn:dev:…:<id> (RFC 9039) */
static bool urn_is(const ASN1_STRING *s, const char *id)
{
    static const char urn[] = "urn:dev:";
    sy_span t = {(const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)};
    if (t.n <= sizeof urn - 1 || memcmp(t.p, urn, sizeof urn - 1) != 0)
        return false;
    const char *colon = memrchr(t.p, ':', t.n);
    size_t at = (size_t)(colon - t.p) + 1;
    return sy_span_is((sy_span){t.p + at, t.n - at}, id);
}

static bool alternative_is(const X509 *x, const char *id)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        found = (g->type == GEN_DNS && text_is(g->d.dNSName, id)) ||
                (g->type == GEN_URI && urn_is(g->d.uniformResourceIdentifier, id));
    }
    GENERAL_NAMES_free(names);
    return found;
}

/* Is the certificate that of this device: a common name, a dNSName or a urn:dev of it? */
static bool is_of(const X509 *x, const char *id)
{
    const X509_NAME *subject = X509_get_subject_name(x);
    int at = -1;
    while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
        if (text_is(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), id))
            return true;
    return alternative_is(x, id);
}

/* What the certificate says of itself, for the log: nothing of it is proven. */
static sy_span claimed(const X509 *x, char *buf, size_t size)
{
    int n = x ? X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, buf, (int)size)
              : -1;
    return n > 0 ? (sy_span){buf, strlen(buf)} : sy_span_of("?");
}

static const sy_device *device_of(const sy_registry *r, const X509 *x)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->devices[i].credential == SY_CRED_CERTIFICATE && is_of(x, r->devices[i].id))
            return &r->devices[i];
    return NULL;
}

/* ---- the handshake ---- */

static int judge(int good, X509_STORE_CTX *ctx)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    const coap_session_t *session = SSL_get_app_data(ssl);
    sy_coap *c = coap_get_app_data(coap_session_get_context(session));
    const X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    char why[160], name[65];
    sy_span who = claimed(leaf, name, sizeof name);
    int error = X509_STORE_CTX_get_error(ctx);
    if (!good) {
        snprintf(why, sizeof why, "the certificate is refused: %s",
                 X509_verify_cert_error_string(error));
        sy_coap__shake_refuse(c, session, sy_certificate_word(error), who, why);
        return 0;
    }
    if (X509_STORE_CTX_get_error_depth(ctx) > 0)
        return 1;
    sy_registry *devices = sy_registry_slot_get(c->devices);
    bool known = device_of(devices, leaf) != NULL;
    bool by_other = sy_registry_by_id(devices, who) != NULL;
    sy_registry_unref(devices);
    if (known)
        return 1;
    sy_coap__shake_refuse(c, session, by_other ? "not-by-certificate" : "unknown-device", who,
                          "no device of this name has a certificate in the configuration");
    X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

/* libcoap calls this for each ClientHello, after it has set up its own; 0 refuses. */
static int set_up(void *tls, coap_dtls_pki_t *setup)
{
    SSL *ssl = tls;
    const sy_coap *c = setup->cn_call_back_arg;
    if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE)
        return 1; /* by pre-shared key */
    const sy_coap_cert *cert = c->cert;
    if (!c->by_cert)
        return 0;
    SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, judge);
    SSL_set_verify_depth(ssl, DEPTH);
    SSL_clear_chain_certs(ssl);
    for (int i = 1; i < sk_X509_num(cert->chain); i++)
        SSL_add1_chain_cert(ssl, sk_X509_value(cert->chain, i));
    /* A session that is taken up again would not be asked for its certificate. */
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(SSL_get_SSL_CTX(ssl), SSL_SESS_CACHE_OFF);
    return SSL_set1_verify_cert_store(ssl, cert->trusted) == 1;
}

/* ---- the files ---- */

static sy_err refused(sy_fail *f, const char *file, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *why = ERR_reason_error_string(code);
    sy_err e =
        sy_fail_set(f, SY_E_USAGE, "%s: %s%s%s", file, what, why ? ": " : "", why ? why : "");
    ERR_clear_error();
    return e;
}

/* The certificates and revocation lists of a PEM file. */
static STACK_OF(X509_INFO) * read_pem(sy_span text)
{
    BIO *in = BIO_new_mem_buf(text.p, (int)text.n);
    STACK_OF(X509_INFO) *infos = in ? PEM_X509_INFO_read_bio(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    return infos;
}

static void free_pem(STACK_OF(X509_INFO) * infos)
{
    sk_X509_INFO_pop_free(infos, X509_INFO_free);
}

static sy_err read_trusted(sy_coap_cert *t, const char *file, sy_fail *f)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_file_read(file, MAX_PEM, &text, f);
    STACK_OF(X509_INFO) *infos = e ? NULL : read_pem(sy_buf_span(&text));
    size_t authorities = 0, lists = 0;
    sy_buf_fini(&text);
    t->trusted = X509_STORE_new();
    for (int i = 0; t->trusted && i < sk_X509_INFO_num(infos); i++) {
        const X509_INFO *x = sk_X509_INFO_value(infos, i);
        authorities += x->x509 && X509_STORE_add_cert(t->trusted, x->x509) == 1;
        lists += x->crl && X509_STORE_add_crl(t->trusted, x->crl) == 1;
    }
    free_pem(infos);
    if (!e && authorities == 0)
        e = refused(f, file, "no certificate of an authority is in it (PEM)");
    if (!e && lists > 0)
        X509_STORE_set_flags(t->trusted, X509_V_FLAG_CRL_CHECK);
    ERR_clear_error();
    return e;
}

static sy_err read_own(sy_coap_cert *t, const sy_coap_files *files, sy_fail *f)
{
    sy_err e = sy_file_read(files->cert, MAX_PEM, &t->cert_pem, f);
    e = e ? e : sy_file_read(files->key, MAX_PEM, &t->key_pem, f);
    if (e)
        return e;
    STACK_OF(X509_INFO) *infos = read_pem(sy_buf_span(&t->cert_pem));
    t->chain = sk_X509_new_null();
    for (int i = 0; t->chain && i < sk_X509_INFO_num(infos); i++) {
        X509 *x = sk_X509_INFO_value(infos, i)->x509;
        if (x && X509_up_ref(x) && !sk_X509_push(t->chain, x))
            X509_free(x);
    }
    free_pem(infos);
    if (sk_X509_num(t->chain) < 1)
        return refused(f, files->cert, "no certificate is in it (PEM)");
    sy_span key_text = sy_buf_span(&t->key_pem);
    BIO *in = BIO_new_mem_buf(key_text.p, (int)key_text.n);
    char none[] = ""; /* a key with a passphrase is refused, not asked for on a terminal */
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, none) : NULL;
    BIO_free(in);
    if (!key)
        e = refused(f, files->key, "no private key without a passphrase is in it (PEM)");
    else if (X509_check_private_key(sk_X509_value(t->chain, 0), key) != 1)
        e = refused(f, files->key, "it is not the key of the certificate");
    EVP_PKEY_free(key);
    return e;
}

void sy_coap__cert_close(sy_coap_cert *t)
{
    if (!t)
        return;
    sk_X509_pop_free(t->chain, X509_free);
    X509_STORE_free(t->trusted);
    sy_buf_fini(&t->cert_pem);
    sy_buf_fini(&t->key_pem);
    free(t);
}

sy_err sy_coap__cert_open(sy_coap_cert **out, const sy_coap_files *files, sy_fail *f)
{
    sy_coap_cert *t = calloc(1, sizeof *t);
    if (!t)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the certificates");
    sy_buf_init(&t->cert_pem, sy_heap());
    sy_buf_init(&t->key_pem, sy_heap());
    sy_err e = read_trusted(t, files->ca, f);
    e = e ? e : read_own(t, files, f);
    if (e) {
        sy_coap__cert_close(t);
        return e;
    }
    *out = t;
    return SY_OK;
}

bool sy_coap__cert_use(sy_coap *c)
{
    coap_dtls_pki_t setup;
    sy_span cert = sy_buf_span(&c->cert->cert_pem), key = sy_buf_span(&c->cert->key_pem);
    memset(&setup, 0, sizeof setup);
    setup.version = COAP_DTLS_PKI_SETUP_VERSION;
    setup.verify_peer_cert = 1;
    setup.check_common_ca = 1;
    setup.additional_tls_setup_call_back = set_up;
    setup.cn_call_back_arg = c;
    setup.pki_key.key_type = COAP_PKI_KEY_PEM_BUF;
    setup.pki_key.key.pem_buf.public_cert = (const uint8_t *)cert.p;
    setup.pki_key.key.pem_buf.public_cert_len = cert.n;
    setup.pki_key.key.pem_buf.private_key = (const uint8_t *)key.p;
    setup.pki_key.key.pem_buf.private_key_len = key.n;
    return coap_context_set_pki(c->ctx, &setup) == 1;
}

/* ---- a session ---- */

sy_cert_says sy_coap__cert_of(const coap_session_t *session, const char *id)
{
    coap_tls_library_t library;
    const SSL *ssl = coap_session_get_tls(session, &library);
    const X509 *x =
        ssl && library == COAP_TLS_LIBRARY_OPENSSL ? SSL_get0_peer_certificate(ssl) : NULL;
    if (!x)
        return SY_CERT_NONE;
    if (!is_of(x, id))
        return SY_CERT_OTHER;
    return X509_cmp_time(X509_get0_notAfter(x), NULL) < 0 ? SY_CERT_EXPIRED : SY_CERT_OWN;
}

void sy_coap__tls_reason(char *out, size_t size)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(out, size, "the DTLS handshake failed%s%s", why ? ": " : "", why ? why : "");
    ERR_clear_error(); /* else the next session that reads finds it */
}
