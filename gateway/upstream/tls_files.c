/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates, keys and lists of revoked certificates from PEM files into mbedTLS, all or nothing.
 */
#include "upstream/tls_files.h"

#include <stdlib.h>

#include <mbedtls/platform_util.h>

#include "base/hash.h"
#include "base/log.h"

enum { FILE_MAX = 262144 };

static const char *const keys[SY_TLS_FILES] = {"ca", "cert", "key", "crl"};

void sy_tls__set_init(sy_tls_set *s)
{
    mbedtls_x509_crt_init(&s->ca);
    mbedtls_x509_crt_init(&s->own);
    mbedtls_x509_crl_init(&s->crl);
    mbedtls_pk_init(&s->key);
}

void sy_tls__set_free(sy_tls_set *s)
{
    mbedtls_x509_crt_free(&s->ca);
    mbedtls_x509_crt_free(&s->own);
    mbedtls_x509_crl_free(&s->crl);
    mbedtls_pk_free(&s->key);
}

void sy_tls__texts_init(sy_tls_texts *t)
{
    for (int i = 0; i < SY_TLS_FILES; i++) {
        sy_buf_init(&t->v[i], sy_heap());
    }
    t->paths = NULL;
    t->have = false;
}

void sy_tls__texts_free(sy_tls_texts *t)
{
    for (int i = 0; i < SY_TLS_FILES; i++) {
        if (t->v[i].p) {
            mbedtls_platform_zeroize(t->v[i].p, t->v[i].cap);
        }
        sy_buf_fini(&t->v[i]);
    }
    free(t->paths);
    t->paths = NULL;
    t->have = false;
}

sy_ms sy_tls__time_of(const mbedtls_x509_time *t)
{
    int64_t days = sy_days_of((sy_date){t->year, (uint8_t)t->mon, (uint8_t)t->day});
    return (((days * 24 + t->hour) * 60 + t->min) * 60 + t->sec) * 1000;
}

static const char *path_of(const sy_tls_paths *files, int which)
{
    return which == SY_TLS_CA     ? files->ca
           : which == SY_TLS_CERT ? files->cert
           : which == SY_TLS_KEY  ? files->key
                                  : files->crl;
}

/* The four paths as one text, to tell whether texts are of these files. */
static char *paths_of(const sy_tls_paths *files)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    for (int i = 0; i < SY_TLS_FILES; i++) {
        const char *path = path_of(files, i);
        sy_buf_text(&b, path ? path : "");
        sy_buf_char(&b, '\n');
    }
    char *text = b.failed ? NULL : strdup(b.p);
    sy_buf_fini(&b);
    return text;
}

static sy_err read_texts(const sy_tls_paths *files, bool ca, sy_tls_texts *out, sy_fail *f)
{
    bool needed[SY_TLS_FILES] = {ca, files->cert != NULL, files->cert != NULL, files->crl != NULL};
    for (int i = 0; i < SY_TLS_FILES; i++) {
        if (!needed[i]) {
            continue;
        }
        const char *path = path_of(files, i);
        if (!path) {
            return sy_fail_set(f, SY_E_USAGE, "tls.%s of the destination is not given", keys[i]);
        }
        sy_err e = sy_file_read(path, FILE_MAX, &out->v[i], f);
        if (e != SY_OK) {
            return sy_fail_wrap(f, "tls.%s", keys[i]);
        }
        sy_buf_char(&out->v[i], 0); /* mbedTLS wants the NUL counted */
        if (out->v[i].failed) {
            return sy_fail_set(f, SY_E_NOMEM, "no memory for %s", path);
        }
    }
    return SY_OK;
}

static sy_err bad_file(sy_fail *f, int rc, const char *path, const char *what)
{
    char text[96] = "";
    if (rc < 0) {
        mbedtls_strerror(rc, text, sizeof text);
    }
    return sy_fail_make(f, SY_E_USAGE, rc, SY_AT, "%.160s is no %s in PEM: %s", path, what,
                        rc > 0 ? "part of it cannot be read" : text);
}

static sy_err parse_own(sy_tls_set *s, const sy_tls_texts *t, const sy_tls_paths *files,
                        mbedtls_ctr_drbg_context *rng, sy_fail *f)
{
    const sy_buf *cert = &t->v[SY_TLS_CERT], *key = &t->v[SY_TLS_KEY];
    int rc = mbedtls_x509_crt_parse(&s->own, (const unsigned char *)cert->p, cert->n);
    if (rc != 0) {
        return bad_file(f, rc, files->cert, "certificate");
    }
    rc = sy_mbed_pk_parse(&s->key, (const unsigned char *)key->p, key->n, rng);
    if (rc != 0) {
        return bad_file(f, rc, files->key, "private key without a password");
    }
    if (sy_mbed_pk_pair(&s->own.pk, &s->key, rng) != 0) {
        return sy_fail_set(f, SY_E_USAGE,
                           "the key %.120s does not belong to the certificate %.120s", files->key,
                           files->cert);
    }
    return SY_OK;
}

static sy_err parse_crl(sy_tls_set *s, const sy_tls_texts *t, const char *path, sy_ms now,
                        sy_fail *f)
{
    const sy_buf *b = &t->v[SY_TLS_CRL];
    int rc = mbedtls_x509_crl_parse(&s->crl, (const unsigned char *)b->p, b->n);
    if (rc != 0) {
        return bad_file(f, rc, path, "list of revoked certificates");
    }
    for (const mbedtls_x509_crl *l = &s->crl; l; l = l->next) {
        if (l->next_update.year && sy_tls__time_of(&l->next_update) < now) {
            sy_log(SY_LOG_WARN, "upstream-crl-old",
                   "file=%s msg=\"a list of revoked certificates "
                   "is out of date; put a newer one there\"",
                   path);
        }
    }
    return SY_OK;
}

static sy_err parse(sy_tls_set *s, const sy_tls_texts *t, const sy_tls_paths *files, sy_ms now,
                    mbedtls_ctr_drbg_context *rng, sy_fail *f)
{
    const sy_buf *ca = &t->v[SY_TLS_CA];
    sy_err e = SY_OK;
    int rc = ca->n ? mbedtls_x509_crt_parse(&s->ca, (const unsigned char *)ca->p, ca->n) : 0;
    if (rc != 0) {
        e = bad_file(f, rc, files->ca, "certificate");
    }
    e = e != SY_OK || !files->cert ? e : parse_own(s, t, files, rng, f);
    return e != SY_OK || !files->crl ? e : parse_crl(s, t, files->crl, now, f);
}

sy_err sy_tls__load(sy_tls_own *o, const sy_tls_paths *files, sy_ms now,
                    mbedtls_ctr_drbg_context *rng, sy_fail *f)
{
    sy_tls_texts fresh;
    sy_sha256 h;
    sy_tls__texts_init(&fresh);
    fresh.paths = paths_of(files);
    sy_err e = fresh.paths ? read_texts(files, !o->unverified, &fresh, f)
                           : sy_fail_set(f, SY_E_NOMEM, "no memory for certificates");
    e = e != SY_OK ? e : parse(&o->set, &fresh, files, now, rng, f);
    if (e == SY_OK) {
        sy_tls_texts before = o->good;
        fresh.have = true;
        o->good = fresh;
        fresh = before;
    } else if (o->good.have && fresh.paths && strcmp(o->good.paths, fresh.paths) == 0) {
        sy_fail why = *f;
        sy_tls__set_free(&o->set);
        sy_tls__set_init(&o->set);
        e = parse(&o->set, &o->good, files, now, rng, f);
        sy_log_fail(SY_LOG_WARN, "upstream-files-kept", &why);
    }
    sy_sha256_init(&h);
    for (int i = 0; e == SY_OK && i < SY_TLS_FILES; i++) {
        sy_sha256_add(&h, o->good.v[i].p, o->good.v[i].n);
    }
    sy_sha256_end(&h, o->hash);
    sy_tls__texts_free(&fresh);
    return e;
}
