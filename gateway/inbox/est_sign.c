/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS #10 in, X.509 and PKCS #7 out, by GnuTLS. */
#include "inbox/est_sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <gnutls/pkcs7.h>

#include "ledger/b64.h"

enum { CSR_MAX = 16384 };

static sy_err foreign(sy_fail *f, sy_err code, int rc, const char *what)
{
    return sy_fail_make(f, code, rc, SY_AT, "%s: %s", what, gnutls_strerror(rc));
}

static gnutls_datum_t datum(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
}

sy_err sy_est_ca_load(sy_est_ca *ca, const char *crt_pem, const char *key_pem, sy_fail *f)
{
    const gnutls_datum_t crt = datum(crt_pem), key = datum(key_pem);
    unsigned char a[64], b[64];
    size_t na = sizeof a, nb = sizeof b;
    unsigned critical = 0;
    int rc = gnutls_x509_crt_init(&ca->crt);
    rc = rc ? rc : gnutls_x509_privkey_init(&ca->key);
    rc = rc ? rc : gnutls_x509_crt_import(ca->crt, &crt, GNUTLS_X509_FMT_PEM);
    if (rc) {
        return foreign(f, SY_E_USAGE, rc, "--est-ca is no certificate in PEM");
    }
    rc = gnutls_x509_privkey_import(ca->key, &key, GNUTLS_X509_FMT_PEM);
    if (rc) {
        return foreign(f, SY_E_USAGE, rc, "--est-ca-key is no private key in PEM");
    }
    rc = gnutls_x509_crt_get_key_id(ca->crt, GNUTLS_KEYID_USE_SHA256, a, &na);
    rc = rc ? rc : gnutls_x509_privkey_get_key_id(ca->key, GNUTLS_KEYID_USE_SHA256, b, &nb);
    if (rc || na != nb || memcmp(a, b, na) != 0) {
        return sy_fail_set(f, SY_E_USAGE, "--est-ca and --est-ca-key do not belong together");
    }
    return gnutls_x509_crt_get_ca_status(ca->crt, &critical) > 0
               ? SY_OK
               : sy_fail_set(f, SY_E_USAGE, "--est-ca may not sign: it is no CA's certificate");
}

void sy_est_ca_free(sy_est_ca *ca)
{
    if (ca->crt) {
        gnutls_x509_crt_deinit(ca->crt);
    }
    if (ca->key) {
        gnutls_x509_privkey_deinit(ca->key);
    }
    *ca = (sy_est_ca){NULL, NULL};
}

static bool strong(gnutls_x509_crq_t crq)
{
    unsigned bits = 0;
    int pk = gnutls_x509_crq_get_pk_algorithm(crq, &bits);
    return (pk == GNUTLS_PK_ECDSA && bits >= 256) || (pk == GNUTLS_PK_RSA && bits >= 2048);
}

static bool name_fits(sy_est_csr *c)
{
    size_t n = sizeof c->cn;
    if (gnutls_x509_crq_get_dn_by_oid(c->crq, GNUTLS_OID_X520_COMMON_NAME, 0, 0, c->cn, &n) != 0 ||
        strlen(c->cn) != n || n == 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)c->cn[i] <= ' ' || c->cn[i] == 127 || strchr(",=+<>#;\"\\:", c->cn[i])) {
            return false;
        }
    }
    return true;
}

static sy_err read_der(sy_span base64, sy_buf *der, sy_fail *f)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    for (size_t i = 0; base64.n <= CSR_MAX && i < base64.n; i++) {
        if (!strchr(" \t\r\n", base64.p[i]) || base64.p[i] == 0) {
            sy_buf_char(&text, base64.p[i]);
        }
    }
    sy_err e = base64.n > CSR_MAX || text.failed ? SY_E_PARSE
                                                 : sy_b64_get(sy_buf_span(&text), SY_B64, der);
    sy_buf_fini(&text);
    return e != SY_OK || der->n == 0 ? sy_fail_set(f, SY_E_PARSE, "the request is not in base64")
                                     : SY_OK;
}

sy_err sy_est_csr_read(sy_est_csr *c, sy_span base64, sy_fail *f)
{
    sy_buf der;
    unsigned char id[SY_EST_KID / 2];
    size_t n = sizeof id;
    *c = (sy_est_csr){0};
    sy_buf_init(&der, sy_heap());
    sy_err e = read_der(base64, &der, f);
    const gnutls_datum_t d = {(unsigned char *)der.p, (unsigned)der.n};
    int rc = e == SY_OK ? gnutls_x509_crq_init(&c->crq) : 0;
    rc = rc || e != SY_OK ? rc : gnutls_x509_crq_import(c->crq, &d, GNUTLS_X509_FMT_DER);
    if (e == SY_OK && rc) {
        e = foreign(f, SY_E_PARSE, rc, "this is no PKCS #10 request");
    }
    if (e == SY_OK && gnutls_x509_crq_verify(c->crq, 0) != 0) {
        e = sy_fail_set(f, SY_E_PARSE, "the request is not signed by its own key");
    }
    if (e == SY_OK && !strong(c->crq)) {
        e = sy_fail_set(f, SY_E_PARSE,
                        "the key of the request is too weak; make it ECDSA P-256, or RSA of 2048 "
                        "bits");
    }
    if (e == SY_OK && !name_fits(c)) {
        e = sy_fail_set(f, SY_E_PARSE, "the request needs the gateway's id as its CN");
    }
    if (e == SY_OK && gnutls_x509_crq_get_key_id(c->crq, GNUTLS_KEYID_USE_SHA256, id, &n) == 0) {
        sy_hex(id, sizeof id, c->kid);
    }
    sy_buf_fini(&der);
    return e;
}

void sy_est_csr_free(sy_est_csr *c)
{
    if (c->crq) {
        gnutls_x509_crq_deinit(c->crq);
        c->crq = NULL;
    }
}

static int sign(const sy_est_ca *ca, const sy_est_csr *csr, sy_ms lifetime, gnutls_x509_crt_t crt)
{
    unsigned char serial[16], id[64];
    size_t n = sizeof id;
    time_t now = (time_t)(sy_wall_ms() / 1000), end = now + (time_t)(lifetime / 1000),
           last = gnutls_x509_crt_get_expiration_time(ca->crt);
    time_t back = (time_t)(lifetime / 1000 / 10);
    back = back < 300 ? back : 300; /* clocks of boxes differ a little */
    sy_random(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
    int rc = gnutls_x509_crt_set_version(crt, 3);
    rc = rc ? rc : gnutls_x509_crt_set_crq(crt, csr->crq);
    rc = rc ? rc : gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
    rc = rc ? rc : gnutls_x509_crt_set_activation_time(crt, now - back);
    rc = rc ? rc : gnutls_x509_crt_set_expiration_time(crt, end < last ? end : last);
    rc = rc ? rc : gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
    rc = rc ? rc : gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    rc = rc ? rc : gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
    rc = rc ? rc : gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &n);
    rc = rc ? rc : gnutls_x509_crt_set_subject_key_id(crt, id, n);
    n = sizeof id;
    if (!rc && gnutls_x509_crt_get_subject_key_id(ca->crt, id, &n, NULL) == 0) {
        rc = gnutls_x509_crt_set_authority_key_id(crt, id, n);
    }
    return rc ? rc : gnutls_x509_crt_sign2(crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0);
}

sy_err sy_est_issue(const sy_est_ca *ca, const sy_est_csr *csr, sy_ms lifetime, sy_buf *base64,
                    sy_fail *f)
{
    gnutls_pkcs7_t p7 = NULL;
    gnutls_x509_crt_t crt = NULL;
    gnutls_datum_t der = {NULL, 0};
    int rc = gnutls_pkcs7_init(&p7);
    if (csr && !rc) {
        rc = gnutls_x509_crt_init(&crt);
        rc = rc ? rc : sign(ca, csr, lifetime, crt);
        rc = rc ? rc : gnutls_pkcs7_set_crt(p7, crt);
    }
    rc = rc ? rc : gnutls_pkcs7_set_crt(p7, ca->crt);
    rc = rc ? rc : gnutls_pkcs7_export2(p7, GNUTLS_X509_FMT_DER, &der);
    if (!rc) {
        sy_b64_put(base64, (sy_span){(const char *)der.data, der.size}, SY_B64);
    }
    gnutls_free(der.data);
    if (crt) {
        gnutls_x509_crt_deinit(crt);
    }
    if (p7) {
        gnutls_pkcs7_deinit(p7);
    }
    return rc               ? foreign(f, SY_E_IO, rc, "a certificate could not be made")
           : base64->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a certificate")
                            : SY_OK;
}
