/*
 * The files of a TLS client, internal to tls.c: read together at each connection. A set that cannot
 * be used (a file is missing, half written, a key that fits no certificate) does not end a client
 * that has a working one: the last good texts stay in memory and serve on, with a line in the log.
 */
#ifndef SY_TLS_FILES_H
#define SY_TLS_FILES_H

#include "ledger/mbed_compat.h"
#include "upstream/tls.h"

/* In the order of sy_tls_paths. */
enum { SY_TLS_CA, SY_TLS_CERT, SY_TLS_KEY, SY_TLS_CRL, SY_TLS_FILES };

typedef struct sy_tls_set {
    mbedtls_x509_crt ca, own;
    mbedtls_x509_crl crl;
    mbedtls_pk_context key;
} sy_tls_set;
void sy_tls__set_init(sy_tls_set *s);
void sy_tls__set_free(sy_tls_set *s);

typedef struct sy_tls_texts {
    sy_buf v[SY_TLS_FILES]; /* PEM with its NUL; n 0: no such file is named */
    char *paths;            /* what they were read from */
    bool have;
} sy_tls_texts;
void sy_tls__texts_init(sy_tls_texts *t);
void sy_tls__texts_free(sy_tls_texts *t); /* clears them */

typedef struct sy_tls_own {
    sy_tls_set set;         /* of the present connection */
    sy_tls_texts good;      /* that worked at the last one */
    bool unverified;        /* no CA is needed: sy_tls_bootstrap */
    unsigned char hash[32]; /* of the texts in use */
} sy_tls_own;
/* Into an initialised, empty set; what worked before is `good` and what works now becomes it.
 * SY_E_USAGE and which file, where nothing worked before. */
SY_MUST_USE sy_err sy_tls__load(sy_tls_own *o, const sy_tls_paths *files, sy_ms now,
                                mbedtls_ctr_drbg_context *rng, sy_fail *f);

sy_ms sy_tls__time_of(const mbedtls_x509_time *t);

#endif
