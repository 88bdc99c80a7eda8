/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and certificates: who may read them, their strength, their dates, and whether they fit.
 * X.509 and PEM are OpenSSL's. No key's content leaves this file.
 */
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assess/assess_int.h"
#include "enrol/enrol.h"
#include "ledger/ledger_files.h"

enum { FILE_MOST = 1 << 20, SECURITY_BITS = 112, PSK_LEAST = 16, CERTS_MOST = 64 };
static const sy_ms day = 86400000, soon_days = 30;

void sy_look_secret(sy_look *l, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        sy_assess__add(l->a, SY_ASSESS_KEY_UNREADABLE, path, "%s", "");
        return;
    }
    unsigned mode = st.st_mode & 0777;
    sy_assess__add(l->a,
                   mode & 027   ? SY_ASSESS_KEY_OPEN
                   : mode & 040 ? SY_ASSESS_KEY_GROUP
                                : SY_ASSESS_KEY_MODE,
                   path, "%04o, uid %u", mode, (unsigned)st.st_uid);
}

static sy_ms time_of(const ASN1_TIME *t)
{
    struct tm tm;
    return ASN1_TIME_to_tm(t, &tm) == 1 ? (sy_ms)timegm(&tm) * 1000 : 0;
}

static void strength(sy_look *l, const char *path, const EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_security_bits(key);
    sy_assess__add(l->a, bits < SECURITY_BITS ? SY_ASSESS_KEY_WEAK : SY_ASSESS_KEY_STRONG, path,
                   "%s %d", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
}

static bool is_demo(X509 *x)
{
    char text[512];
    X509_NAME_oneline(X509_get_issuer_name(x), text, sizeof text);
    return strstr(text, "Steelyard demonstration CA") != NULL;
}

/* Dates, key and signature of one certificate. */
static void look_certificate(sy_look *l, const char *path, X509 *x)
{
    char until[25] = "", name[256] = "";
    int digest = NID_undef;
    sy_ms from = time_of(X509_get0_notBefore(x)), to = time_of(X509_get0_notAfter(x));
    const EVP_PKEY *key = X509_get0_pubkey(x);
    sy_time_text(to, until);
    X509_NAME_oneline(X509_get_subject_name(x), name, sizeof name);
    sy_assess__add(l->a,
                   to < l->a->now                     ? SY_ASSESS_CERT_ENDED
                   : from > l->a->now                 ? SY_ASSESS_CERT_EARLY
                   : to < l->a->now + soon_days * day ? SY_ASSESS_CERT_SOON
                                                      : SY_ASSESS_CERT_GOOD,
                   path, "%.200s, %s", name, until);
    if (X509_get_signature_info(x, &digest, NULL, NULL, NULL) == 1 &&
        (digest == NID_md5 || digest == NID_sha1) && !X509_self_signed(x, 0)) {
        sy_assess__add(l->a, SY_ASSESS_CERT_DIGEST, path, "%s", OBJ_nid2sn(digest));
    }
    if (key) {
        strength(l, path, key);
    }
    if (is_demo(x)) {
        sy_assess__add(l->a, SY_ASSESS_DEMO_KEY, path, "%.200s", name);
    }
}

static BIO *open_file(sy_look *l, const char *path, sy_buf *text)
{
    sy_buf_init(text, sy_heap());
    if (sy_file_read(path, FILE_MOST, text, NULL) != SY_OK) {
        sy_assess__add(l->a, SY_ASSESS_KEY_UNREADABLE, path, "%s", "");
        return NULL;
    }
    return BIO_new_mem_buf(text->n ? text->p : "", (int)text->n);
}

static void close_file(BIO *bio, sy_buf *text)
{
    BIO_free(bio);
    if (text->p) {
        explicit_bzero(text->p, text->cap);
    }
    sy_buf_fini(text);
}

/* Every certificate of a file; the first, owned, NULL: there is none. */
static X509 *look_certificates(sy_look *l, const char *path)
{
    sy_buf text;
    X509 *first = NULL;
    BIO *bio = open_file(l, path, &text);
    for (size_t i = 0; bio && i < CERTS_MOST; i++) {
        X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (!x) {
            break;
        }
        look_certificate(l, path, x);
        if (first) {
            X509_free(x);
        } else {
            first = x;
        }
    }
    if (bio && !first) {
        sy_assess__add(l->a, SY_ASSESS_CERT_BROKEN, path, "%s", "");
    }
    close_file(bio, &text);
    return first;
}

static int no_password(char *out, int size, int writing, void *ctx)
{
    (void)out, (void)size, (void)writing, (void)ctx;
    return -1;
}

static EVP_PKEY *look_key(sy_look *l, const char *path)
{
    sy_buf text;
    EVP_PKEY *key = NULL;
    sy_look_secret(l, path);
    BIO *bio = open_file(l, path, &text);
    if (bio) {
        key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    }
    close_file(bio, &text);
    return key;
}

/* A certificate and its key; either may be NULL. */
static void look_pair(sy_look *l, const char *cert, const char *key)
{
    X509 *x = cert ? look_certificates(l, cert) : NULL;
    EVP_PKEY *k = key ? look_key(l, key) : NULL;
    if (k && !x) {
        strength(l, key, k);
    }
    if (x && k && X509_check_private_key(x, k) != 1) {
        sy_assess__add(l->a, SY_ASSESS_CERT_STRANGE, cert, "%s", key);
    }
    X509_free(x);
    EVP_PKEY_free(k);
}

static void look_tls(sy_look *l, const sy_tls_files *t)
{
    if (t->cert || t->key) {
        look_pair(l, t->cert, t->key);
    }
    if (t->ca) {
        X509_free(look_certificates(l, t->ca));
    }
}

static void look_ledger(sy_look *l)
{
    char key[SY_LEDGER_PATH], cert[SY_LEDGER_PATH];
    if (sy_keyfile_paths(l->c->data, l->c->ledger_key, l->c->ledger_cert, key, cert, NULL) !=
        SY_OK) {
        return;
    }
    bool certified = access(cert, F_OK) == 0;
    if (access(key, F_OK) == 0 || certified) {
        look_pair(l, certified ? cert : NULL, key);
    }
    sy_assess__add(l->a, certified ? SY_ASSESS_LEDGER_CERTIFIED : SY_ASSESS_LEDGER_UNCERTIFIED,
                   cert, "%s", "");
}

/* Lines "identity:hex key": how long the shortest key is. */
static void look_psk(sy_look *l)
{
    sy_buf text;
    const char *path = l->c->psk_file;
    if (!path || access(path, F_OK) != 0) {
        return;
    }
    sy_look_secret(l, path);
    BIO *bio = open_file(l, path, &text);
    for (size_t at = 0; bio && at < text.n;) {
        const char *line = text.p + at, *end = memchr(line, '\n', text.n - at);
        size_t n = end ? (size_t)(end - line) : text.n - at;
        const char *colon = n ? memrchr(line, ':', n) : NULL;
        size_t digits = colon ? n - (size_t)(colon - line) - 1 : 0;
        if (colon && digits < 2 * PSK_LEAST) {
            char who[65];
            snprintf(who, sizeof who, "%.*s", (int)(colon - line < 64 ? colon - line : 64), line);
            sy_assess__add(l->a, SY_ASSESS_PSK_SHORT, who, "%zu", digits / 2);
        }
        at += n + 1;
    }
    close_file(bio, &text);
}

/* Files that several parts name are looked at once. */
static bool same(const sy_tls_files *a, const sy_tls_files *b)
{
    const char *const x[] = {a->ca, a->cert, a->key}, *const y[] = {b->ca, b->cert, b->key};
    for (size_t i = 0; i < 3; i++) {
        if (x[i] != y[i] && (!x[i] || !y[i] || strcmp(x[i], y[i]) != 0)) {
            return false;
        }
    }
    return true;
}

static void look_destinations(sy_look *l)
{
    const sy_config *c = l->c;
    for (size_t i = 0; i < c->n_destinations; i++) {
        const sy_destination *d = &c->destinations[i];
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++) {
            seen = same(&c->destinations[k].tls, &d->tls);
        }
        if (!seen) {
            look_tls(l, &d->tls);
        }
        if (d->authority.ca) {
            X509_free(look_certificates(l, d->authority.ca));
        }
        if (d->password_file) {
            sy_look_secret(l, d->password_file);
        }
        if (d->secret) {
            sy_look_secret(l, d->secret);
        }
    }
}

void sy_look_keys(sy_look *l)
{
    const sy_config *c = l->c;
    char enrolled[SY_ENROL_PATH];
    const char *const names[] = {"gateway.pem", "next.key", "token"};
    look_destinations(l);
    look_tls(l, &c->mqtt_tls);
    look_tls(l, &c->dtls);
    look_tls(l, &c->console_tls);
    if (c->cert_ca && (!c->mqtt_tls.ca || strcmp(c->cert_ca, c->mqtt_tls.ca) != 0)) {
        X509_free(look_certificates(l, c->cert_ca));
    }
    look_ledger(l);
    look_psk(l);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sy_enrol_path(c->data, names[i], enrolled);
        if (access(enrolled, F_OK) == 0 && i == 0) {
            look_pair(l, enrolled, enrolled);
        } else if (access(enrolled, F_OK) == 0) {
            sy_look_secret(l, enrolled);
        }
    }
}
