/*
 * A TLS 1.2+ client with its certificate, on mbedTLS: one object a destination, at most one
 * connection at a time, one thread.
 *
 * The peer's chain and name are verified. The files are read again at each connection, so that
 * rotating them needs no restart; where the new ones cannot be used, those that worked at the last
 * connection serve on, and the log says so (upstream-files-kept). A session is resumed while the
 * files are the same and it is younger than an hour.
 */
#ifndef SY_TLS_H
#define SY_TLS_H

#include "upstream/http.h"
#include "upstream/io.h"

typedef struct sy_tls_paths {
    const char *ca;
    const char *cert, *key; /* NULL: we show none */
    const char *crl;        /* NULL: none */
} sy_tls_paths;

typedef struct sy_tls sy_tls;
SY_MUST_USE sy_err sy_tls_open(sy_tls **out, sy_fail *f);
void sy_tls_close(sy_tls *t); /* NULL is allowed */

/* The wall clock is more than a day behind `now`, which has passed for certain: so it is later than
 * `now` by nobody knows how much, and a certificate that begins after it may well be valid. */
bool sy_tls_now_is_a_bound(sy_ms now);

/* `now`: the time against which certificates are checked, ms UTC. SY_E_USAGE: our files;
 * SY_E_DENIED: the peer's certificate; SY_E_PEER: it refused us; SY_E_IO, SY_E_AGAIN: the line. */
SY_MUST_USE sy_err sy_tls_connect(sy_tls *t, const sy_url *url, const sy_tls_paths *files,
                                  sy_ms now, sy_wait *w, sy_fail *f);
SY_MUST_USE sy_err sy_tls_write(sy_tls *t, const char *bytes, size_t n, sy_wait *w, sy_fail *f);
/* *got 0: the peer closed. */
SY_MUST_USE sy_err sy_tls_read(sy_tls *t, char *bytes, size_t size, size_t *got, sy_wait *w,
                               sy_fail *f);
/* For RFC 7030, 4.1.1 alone, where the CA's certificates are asked for before any is trusted: from
 * now on peers are not verified (files: none). Nothing that is received counts but what has the
 * fingerprint that a person gave, nothing secret is sent. No configuration leads here. */
void sy_tls_bootstrap(sy_tls *t);
/* End the connection, if there is one. */
void sy_tls_drop(sy_tls *t);
int sy_tls_fd(const sy_tls *t); /* -1: not connected */
bool sy_tls_resumed(const sy_tls *t);
const char *sy_tls_version(const sy_tls *t);

/* SubjectAltName: does the certificate name this IP address (text)? mbedTLS 2.28 compares DNS names
 * only. Exposed for tests. */
struct mbedtls_x509_crt;
bool sy_tls_names_address(const struct mbedtls_x509_crt *crt, const char *address);

#endif
