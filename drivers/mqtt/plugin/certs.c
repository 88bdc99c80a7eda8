/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/mqtt/plugin/certs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "drivers/certificate.h"

enum { MAX_LIST = 4 << 20, MAX_LISTS = 16 };

struct sy_certs {
    char *ca, *crl;
    struct stat seen; /* of the list */
    X509_CRL *lists[MAX_LISTS];
    size_t n_lists;
    int index; /* of OpenSSL's table, -1: none */
    sy_certs_failed_fn failed;
    void *ctx;
};

/* The common name, where it is one line of what a device id may hold. */
static bool common_name(X509 *cert, char out[SY_CERTS_NAME])
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = subject ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
    const X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(subject, at) : NULL;
    const ASN1_STRING *text = entry ? X509_NAME_ENTRY_get_data(entry) : NULL;
    int n = text ? ASN1_STRING_length(text) : 0;
    snprintf(out, SY_CERTS_NAME, "?");
    if (n <= 0 || n >= SY_CERTS_NAME ||
        X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        return false;
    }
    const unsigned char *bytes = ASN1_STRING_get0_data(text);
    for (int i = 0; i < n; i++) {
        if (bytes[i] <= ' ' || bytes[i] >= 0x7f) {
            return false;
        }
    }
    memcpy(out, bytes, (size_t)n);
    out[n] = '\0';
    return out[0] != '@';
}

static void peer_of(const SSL *ssl, char out[SY_CERTS_PEER])
{
    struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof a;
    snprintf(out, SY_CERTS_PEER, "-");
    if (getpeername(SSL_get_fd(ssl), (struct sockaddr *)&a, &n) != 0) {
        return;
    }
    if (a.ss_family == AF_INET) {
        inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr, out, SY_CERTS_PEER);
    } else if (a.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&a)->sin6_addr, out, SY_CERTS_PEER);
    }
}

/* A verification is over. Those without a connection are of mosquitto's own certificate. */
static void on_verified(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
                        void *argp)
{
    (void)ptr;
    (void)data;
    (void)index;
    (void)argl;
    const sy_certs *c = argp;
    X509_STORE_CTX *verified = parent;
    const SSL *ssl = X509_STORE_CTX_get_ex_data(verified, SSL_get_ex_data_X509_STORE_CTX_idx());
    X509 *cert = X509_STORE_CTX_get0_cert(verified);
    int error = X509_STORE_CTX_get_error(verified);
    if (!ssl || !cert || error == X509_V_OK) {
        return;
    }
    char name[SY_CERTS_NAME], peer[SY_CERTS_PEER];
    (void)common_name(cert, name);
    peer_of(ssl, peer);
    c->failed(c->ctx, sy_certificate_word(error), name, peer);
}

static void drop_lists(X509_CRL **lists, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        X509_CRL_free(lists[i]);
    }
}

/* Is the list signed by one of the authorities? */
static bool signed_by(X509_CRL *list, const char *ca)
{
    bool fits = false;
    FILE *file = fopen(ca, "re");
    for (X509 *x; file && !fits && (x = PEM_read_X509(file, NULL, NULL, NULL));) {
        EVP_PKEY *key = X509_get0_pubkey(x);
        fits = key && X509_NAME_cmp(X509_get_subject_name(x), X509_CRL_get_issuer(list)) == 0 &&
               X509_CRL_verify(list, key) == 1;
        X509_free(x);
    }
    if (file) {
        fclose(file);
    }
    return fits;
}

static sy_err read_lists(sy_certs *c, sy_fail *f)
{
    X509_CRL *lists[MAX_LISTS];
    size_t n = 0;
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_file_read(c->crl, MAX_LIST, &text, f);
    BIO *in = e || !text.n ? NULL : BIO_new_mem_buf(text.p, (int)text.n);
    for (X509_CRL *x; in && n < MAX_LISTS && (x = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL));) {
        lists[n++] = x;
        if (!signed_by(x, c->ca)) {
            e = sy_fail_set(f, SY_E_DENIED, "%s: no authority of %s signed it", c->crl, c->ca);
            break;
        }
    }
    BIO_free(in);
    sy_buf_fini(&text);
    if (!e && !n) {
        e = sy_fail_set(f, SY_E_PARSE, "%s: no list of revoked certificates (PEM) in it", c->crl);
    }
    if (e) {
        drop_lists(lists, n);
        return e;
    }
    drop_lists(c->lists, c->n_lists);
    memcpy(c->lists, lists, n * sizeof *lists);
    c->n_lists = n;
    return SY_OK;
}

sy_err sy_certs_open(sy_certs **out, const char *ca, const char *crl, sy_certs_failed_fn failed,
                     void *ctx, sy_fail *f)
{
    sy_certs *c = calloc(1, sizeof *c);
    if (!c) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for certificates");
    }
    c->failed = failed;
    c->ctx = ctx;
    c->index = -1;
    c->ca = strdup(ca ? ca : "");
    c->crl = strdup(crl ? crl : "");
    bool changed;
    sy_err e = c->ca && c->crl ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for certificates");
    if (!e && !sy_certs_refresh(c, &changed, f)) {
        e = f->code;
    }
    if (!e) {
        c->index = X509_STORE_CTX_get_ex_new_index(0, c, NULL, NULL, on_verified);
    }
    if (e || c->index < 0) {
        sy_certs_close(c);
        return e ? e : sy_fail_set(f, SY_E_NOMEM, "OpenSSL does not tell of verifications");
    }
    *out = c;
    return SY_OK;
}

void sy_certs_close(sy_certs *c)
{
    if (!c) {
        return;
    }
    if (c->index >= 0) {
        CRYPTO_free_ex_index(CRYPTO_EX_INDEX_X509_STORE_CTX, c->index);
    }
    drop_lists(c->lists, c->n_lists);
    free(c->ca);
    free(c->crl);
    free(c);
}

bool sy_certs_refresh(sy_certs *c, bool *changed, sy_fail *f)
{
    struct stat st;
    *changed = false;
    if (!c->crl[0]) {
        return true;
    }
    if (stat(c->crl, &st) != 0) {
        bool told = c->n_lists > 0 && c->seen.st_ino == 0;
        memset(&c->seen, 0, sizeof c->seen);
        (void)sy_fail_sys(f, "%s", c->crl);
        return told;
    }
    if (st.st_ino == c->seen.st_ino && st.st_size == c->seen.st_size &&
        st.st_mtim.tv_sec == c->seen.st_mtim.tv_sec &&
        st.st_mtim.tv_nsec == c->seen.st_mtim.tv_nsec) {
        return true;
    }
    c->seen = st;
    if (read_lists(c, f)) {
        return false;
    }
    *changed = true;
    return true;
}

const char *sy_certs_judge(const sy_certs *c, void *x509, char name[SY_CERTS_NAME])
{
    X509 *cert = x509;
    const char *why = common_name(cert, name) ? NULL : "bad-certificate";
    if (!why && X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0) {
        why = "expired-certificate";
    }
    for (size_t i = 0; i < c->n_lists && !why; i++) {
        X509_REVOKED *entry = NULL;
        why = X509_CRL_get0_by_cert(c->lists[i], &entry, cert) == 1 ? "revoked-certificate" : NULL;
    }
    X509_free(cert);
    return why;
}
