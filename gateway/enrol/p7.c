/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's PKCS #7 and X.509, bounded. */
#include "enrol/p7.h"

#include <limits.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/hash.h"
#include "ledger/b64.h"

static sy_err no_memory(sy_fail *f)
{
    return sy_fail_set(f, SY_E_NOMEM, "no memory for certificates");
}

static sy_err put_pem(X509 *x, sy_buf *out, sy_fail *f)
{
    char *text = NULL;
    BIO *b = BIO_new(BIO_s_mem());
    if (!b || PEM_write_bio_X509(b, x) != 1) {
        BIO_free(b);
        return no_memory(f);
    }
    long n = BIO_get_mem_data(b, &text);
    sy_buf_put(out, text, (size_t)(n > 0 ? n : 0));
    BIO_free(b);
    return out->failed ? no_memory(f) : SY_OK;
}

/* base64 may be broken into lines, by whatever ends a line. */
static sy_err unwrap(sy_span base64, sy_buf *der, sy_fail *f)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    if (base64.n > SY_P7_BYTES) {
        return sy_fail_set(f, SY_E_PARSE, "the certificates are longer than %d bytes",
                           (int)SY_P7_BYTES);
    }
    for (size_t i = 0; i < base64.n; i++) {
        if (!strchr(" \t\r\n", base64.p[i]) || base64.p[i] == 0) {
            sy_buf_char(&text, base64.p[i]);
        }
    }
    sy_err e = text.failed ? no_memory(f) : sy_b64_get(sy_buf_span(&text), SY_B64, der);
    sy_buf_fini(&text);
    if (e == SY_E_PARSE) {
        return sy_fail_set(f, e, "the certificates are not in base64");
    }
    return e == SY_OK ? SY_OK : no_memory(f);
}

sy_err sy_p7_certs(sy_span base64, sy_buf *pem, sy_fail *f)
{
    sy_buf der;
    sy_buf_init(&der, sy_heap());
    sy_err e = unwrap(base64, &der, f);
    const unsigned char *at = (const unsigned char *)der.p, *end = at + der.n;
    PKCS7 *p7 = e == SY_OK && der.n <= LONG_MAX ? d2i_PKCS7(NULL, &at, (long)der.n) : NULL;
    STACK_OF(X509) *certs = NULL;
    if (p7 && at == end && PKCS7_type_is_signed(p7) && p7->d.sign) {
        certs = p7->d.sign->cert;
    }
    int n = certs ? sk_X509_num(certs) : 0;
    if (e == SY_OK && (n < 1 || n > SY_P7_MOST)) {
        e = sy_fail_set(f, SY_E_PARSE,
                        "this is no PKCS #7 with 1 to %d certificates (RFC 8951, certs-only)",
                        (int)SY_P7_MOST);
    }
    for (int i = 0; i < n && e == SY_OK; i++) {
        e = put_pem(sk_X509_value(certs, i), pem, f);
    }
    PKCS7_free(p7);
    sy_buf_fini(&der);
    ERR_clear_error();
    return e;
}

typedef struct bundle {
    X509 *v[SY_P7_MOST];
    int n;
} bundle;

static void drop(bundle *b)
{
    for (int i = 0; i < b->n; i++) {
        X509_free(b->v[i]);
    }
    b->n = 0;
}

static sy_err read_bundle(sy_span pem, bundle *b, sy_fail *f)
{
    b->n = 0;
    if (pem.n > SY_P7_BYTES) {
        return sy_fail_set(f, SY_E_PARSE, "the certificates are longer than %d bytes",
                           (int)SY_P7_BYTES);
    }
    BIO *in = BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);
    X509 *x = NULL;
    while (in && (x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        if (b->n == SY_P7_MOST) {
            X509_free(x);
            break;
        }
        b->v[b->n++] = x;
    }
    bool more = x != NULL;
    BIO_free(in);
    ERR_clear_error();
    if (b->n == 0 || more) {
        drop(b);
        return sy_fail_set(f, SY_E_PARSE, "there are not 1 to %d certificates in PEM",
                           (int)SY_P7_MOST);
    }
    return SY_OK;
}

static bool is_of(X509 *x, sy_span spki)
{
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    bool same = n > 0 && (size_t)n == spki.n && memcmp(der, spki.p, spki.n) == 0;
    OPENSSL_free(der);
    return same;
}

static X509 *issuer_of(const bundle *b, X509 *x)
{
    for (int i = 0; i < b->n; i++) {
        if (b->v[i] != x && X509_check_issued(b->v[i], x) == X509_V_OK &&
            X509_check_issued(b->v[i], b->v[i]) != X509_V_OK) {
            return b->v[i];
        }
    }
    return NULL;
}

sy_err sy_p7_order(sy_span pem, sy_span spki, sy_buf *out, sy_fail *f)
{
    bundle b;
    sy_err e = read_bundle(pem, &b, f);
    X509 *x = NULL;
    for (int i = 0; i < b.n && !x; i++) {
        x = is_of(b.v[i], spki) ? b.v[i] : NULL;
    }
    if (e == SY_OK && !x) {
        e = sy_fail_set(f, SY_E_DENIED, "none of the certificates is for the key of this box");
    }
    for (int depth = 0; x && e == SY_OK && depth < SY_P7_MOST; depth++) {
        e = put_pem(x, out, f);
        x = issuer_of(&b, x);
    }
    drop(&b);
    ERR_clear_error();
    return e;
}

sy_err sy_p7_pick(sy_span pem, const unsigned char fingerprint[32], sy_buf *out, sy_fail *f)
{
    bundle b;
    bool found = false;
    sy_err e = read_bundle(pem, &b, f);
    for (int i = 0; i < b.n && e == SY_OK && !found; i++) {
        unsigned char *der = NULL, sum[32] = {0};
        int n = i2d_X509(b.v[i], &der);
        sy_sha256 h;
        sy_sha256_init(&h);
        sy_sha256_add(&h, der, n > 0 ? (size_t)n : 0);
        sy_sha256_end(&h, sum);
        OPENSSL_free(der);
        found = n > 0 && memcmp(sum, fingerprint, sizeof sum) == 0;
        e = found ? put_pem(b.v[i], out, f) : SY_OK;
    }
    drop(&b);
    return e != SY_OK || found
               ? e
               : sy_fail_set(f, SY_E_DENIED,
                             "no certificate of this authority has the fingerprint that was given");
}
