/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbedTLS as a client, behind this file.
 *
 * Time: mbedTLS compares with the wall clock, which on a box without a battery is 1970 at boot. Its
 * time flags are replaced in the verify callback by a comparison with the time that the caller
 * gives (the larger of wall clock, log time and build time).
 *
 * Names: 2.28 matches DNS names only, and would send an IP address as server name. So for an
 * address no name is set, and the callback itself looks for it in the certificate.
 */
#include "upstream/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>

#include "base/hash.h"
#include "upstream/tls_files.h"

static const sy_ms session_max = 3600 * 1000;

struct sy_tls {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context rng;
    mbedtls_ssl_config conf;
    mbedtls_ssl_context ssl;
    sy_tls_own own;
    mbedtls_ssl_session session;
    bool have_session, resumed, live;
    unsigned char session_files[32], files[32];
    sy_ms session_at;
    int fd;
    const sy_url *url; /* of the connection being made */
    bool literal;
    sy_ms now;
    bool verified; /* the callback saw the peer's own certificate: a full handshake */
};

/* AEAD with forward secrecy, nothing else. */
static const int suites[] = {SY_MBED_TLS13_SUITES MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                             MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                             MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                             MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                             MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                             MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
                             0};

sy_err sy_tls_open(sy_tls **out, sy_fail *f)
{
    sy_tls *t = calloc(1, sizeof *t);
    if (!t) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for TLS");
    }
    t->fd = -1;
    mbedtls_entropy_init(&t->entropy);
    mbedtls_ctr_drbg_init(&t->rng);
    mbedtls_ssl_session_init(&t->session);
    sy_tls__texts_init(&t->own.good);
    int rc = sy_mbed_start();
    rc = rc ? rc : mbedtls_ctr_drbg_seed(&t->rng, mbedtls_entropy_func, &t->entropy, NULL, 0);
    if (rc != 0) {
        sy_tls_close(t);
        return sy_fail_make(f, SY_E_IO, rc, SY_AT, "no random numbers from the kernel for TLS");
    }
    *out = t;
    return SY_OK;
}

static void end_connection(sy_tls *t)
{
    if (t->live) {
        mbedtls_ssl_free(&t->ssl);
        mbedtls_ssl_config_free(&t->conf);
        sy_tls__set_free(&t->own.set);
        t->live = false;
    }
    if (t->fd >= 0) {
        close(t->fd);
        t->fd = -1;
    }
}

static void forget_session(sy_tls *t)
{
    mbedtls_ssl_session_free(&t->session);
    mbedtls_ssl_session_init(&t->session);
    t->have_session = false;
}

void sy_tls_close(sy_tls *t)
{
    if (!t) {
        return;
    }
    sy_tls_drop(t);
    sy_tls__texts_free(&t->own.good);
    mbedtls_ssl_session_free(&t->session);
    mbedtls_ctr_drbg_free(&t->rng);
    mbedtls_entropy_free(&t->entropy);
    free(t);
}

void sy_tls_drop(sy_tls *t)
{
    if (t->live && t->fd >= 0) {
        (void)mbedtls_ssl_close_notify(&t->ssl); /* non-blocking: if there is no room, so be it */
    }
    end_connection(t);
}

void sy_tls_bootstrap(sy_tls *t)
{
    t->own.unverified = true;
}

int sy_tls_fd(const sy_tls *t)
{
    return t->fd;
}

bool sy_tls_resumed(const sy_tls *t)
{
    return t->resumed;
}

const char *sy_tls_version(const sy_tls *t)
{
    return t->live ? mbedtls_ssl_get_version(&t->ssl) : "";
}

static int bio_send(void *ctx, const unsigned char *p, size_t n)
{
    const sy_tls *t = ctx;
    ssize_t sent = send(t->fd, p, n, MSG_NOSIGNAL);
    if (sent >= 0) {
        return (int)sent;
    }
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
                                             : MBEDTLS_ERR_NET_CONN_RESET;
}

static int bio_recv(void *ctx, unsigned char *p, size_t n)
{
    const sy_tls *t = ctx;
    ssize_t got = recv(t->fd, p, n, 0);
    if (got >= 0) {
        return (int)got;
    }
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
                                             : MBEDTLS_ERR_NET_CONN_RESET;
}

bool sy_tls_names_address(const mbedtls_x509_crt *crt, const char *address)
{
    unsigned char raw[16];
    size_t n = inet_pton(AF_INET, address, raw) == 1    ? 4
               : inet_pton(AF_INET6, address, raw) == 1 ? 16
                                                        : 0;
    for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s && n > 0; s = s->next) {
        if (s->buf.tag == (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7) && s->buf.len == n &&
            memcmp(s->buf.p, raw, n) == 0) {
            return true;
        }
    }
    return false;
}

bool sy_tls_now_is_a_bound(sy_ms now)
{
    const sy_ms day = 86400000;
    return sy_wall_ms() < now - day;
}

static int on_verify(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    sy_tls *t = ctx;
    *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    /* A list that is out of date says what was revoked all the same; refusing everybody for it
     * would silence a box that was away for long. load_crl says so in the log. */
    *flags &= ~(uint32_t)(MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE);
    *flags |= sy_tls__time_of(&crt->valid_to) < t->now ? MBEDTLS_X509_BADCERT_EXPIRED : 0u;
    if (sy_tls__time_of(&crt->valid_from) > t->now && !sy_tls_now_is_a_bound(t->now)) {
        *flags |= MBEDTLS_X509_BADCERT_FUTURE;
    }
    if (depth == 0) {
        t->verified = true;
        if (t->literal && !sy_tls_names_address(crt, t->url->host)) {
            *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
        }
    }
    return 0;
}

static sy_err load(sy_tls *t, const sy_tls_paths *files, sy_fail *f)
{
    sy_sha256 hash;
    sy_err e = sy_tls__load(&t->own, files, t->now, &t->rng, f);
    sy_sha256_init(&hash);
    sy_sha256_add(&hash, t->own.hash, sizeof t->own.hash);
    sy_sha256_add(&hash, t->url->authority, strlen(t->url->authority));
    sy_sha256_end(&hash, t->files);
    return e;
}

static sy_err explain(sy_tls *t, int rc, sy_fail *f)
{
    const char *at = t->url->authority;
    uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl);
    char text[160] = "";
    bool judged = flags != 0 && flags != UINT32_MAX; /* a wrong purpose has a code of its own */
    if (rc == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || judged) {
        int n = mbedtls_x509_crt_verify_info(text, sizeof text, "", flags);
        for (int i = 0; i < n; i++) {
            text[i] = text[i] == '\n' ? ' ' : text[i];
        }
        return sy_fail_make(
            f, SY_E_DENIED, rc, SY_AT,
            "the certificate of %.80s is refused: %s; check tls.ca, the name in the "
            "address and the clock",
            at, text);
    }
    if (rc == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        return sy_fail_make(f, SY_E_PEER, rc, SY_AT,
                            "%.80s refused the TLS handshake by an alert: it may not accept our "
                            "certificate (tls.cert), or want a TLS version or cipher that we lack",
                            at);
    }
    if (rc == MBEDTLS_ERR_SSL_CONN_EOF || rc == MBEDTLS_ERR_NET_CONN_RESET) {
        return sy_fail_make(f, SY_E_IO, rc, SY_AT,
                            "%.80s closed the connection during the TLS handshake", at);
    }
    mbedtls_strerror(rc, text, sizeof text);
    return sy_fail_make(f, SY_E_PEER, rc, SY_AT, "TLS handshake with %.80s failed: %s", at, text);
}

/* rc of a call into mbedTLS: wait where it wants to, else say how it ended. 1: call again. */
static int again(sy_tls *t, int rc, sy_wait *w, sy_err *e)
{
    *e = SY_OK;
    if (rc == MBEDTLS_ERR_SSL_WANT_READ) {
        *e = sy_io_wait(w, t->fd, POLLIN);
    } else if (rc == MBEDTLS_ERR_SSL_WANT_WRITE) {
        *e = sy_io_wait(w, t->fd, POLLOUT);
    } else {
        return 0;
    }
    return *e == SY_OK;
}

static void save_session(sy_tls *t)
{
    forget_session(t);
    t->have_session = mbedtls_ssl_get_session(&t->ssl, &t->session) == 0;
    t->session_at = sy_mono_ms();
    memcpy(t->session_files, t->files, sizeof t->files);
}

static sy_err handshake(sy_tls *t, sy_wait *w, sy_fail *f)
{
    int rc;
    sy_err e;
    do {
        rc = mbedtls_ssl_handshake(&t->ssl);
    } while (again(t, rc, w, &e));
    if (e != SY_OK) {
        return sy_fail_set(f, e, "%.200s did not finish the TLS handshake in time",
                           t->url->authority);
    }
    if (rc != 0) {
        forget_session(t);
        return explain(t, rc, f);
    }
    t->resumed = !t->verified && !t->own.unverified;
    if (!t->resumed && !t->own.unverified) {
        save_session(t);
    }
    return SY_OK;
}

static sy_err configure(sy_tls *t, sy_fail *f)
{
    int rc = mbedtls_ssl_config_defaults(&t->conf, MBEDTLS_SSL_IS_CLIENT,
                                         MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (rc == 0) {
        sy_mbed_tls12(&t->conf);
        sy_mbed_tickets(&t->conf);
        sy_mbed_signatures(&t->conf);
        mbedtls_ssl_conf_ciphersuites(&t->conf, suites);
        mbedtls_ssl_conf_authmode(&t->conf, t->own.unverified ? MBEDTLS_SSL_VERIFY_NONE
                                                              : MBEDTLS_SSL_VERIFY_REQUIRED);
        mbedtls_ssl_conf_ca_chain(&t->conf, &t->own.set.ca,
                                  t->own.set.crl.version ? &t->own.set.crl : NULL);
        mbedtls_ssl_conf_verify(&t->conf, on_verify, t);
        mbedtls_ssl_conf_rng(&t->conf, mbedtls_ctr_drbg_random, &t->rng);
        rc = t->own.set.own.version
                 ? mbedtls_ssl_conf_own_cert(&t->conf, &t->own.set.own, &t->own.set.key)
                 : 0;
    }
    rc = rc ? rc : mbedtls_ssl_setup(&t->ssl, &t->conf);
    rc = rc ? rc : mbedtls_ssl_set_hostname(&t->ssl, t->literal ? NULL : t->url->host);
    if (rc != 0) {
        return sy_fail_make(f, SY_E_NOMEM, rc, SY_AT, "TLS cannot be set up (mbedTLS -0x%04x)",
                            (unsigned)-rc);
    }
    if (t->have_session && (sy_mono_ms() - t->session_at > session_max ||
                            memcmp(t->session_files, t->files, sizeof t->files) != 0)) {
        forget_session(t);
    }
    if (t->have_session && mbedtls_ssl_set_session(&t->ssl, &t->session) != 0) {
        forget_session(t);
    }
    mbedtls_ssl_set_bio(&t->ssl, t, bio_send, bio_recv, NULL);
    return SY_OK;
}

sy_err sy_tls_connect(sy_tls *t, const sy_url *url, const sy_tls_paths *files, sy_ms now,
                      sy_wait *w, sy_fail *f)
{
    unsigned char raw[16];
    sy_tls_drop(t);
    t->url = url;
    t->literal =
        inet_pton(AF_INET, url->host, raw) == 1 || inet_pton(AF_INET6, url->host, raw) == 1;
    t->now = now;
    t->verified = t->resumed = false;
    sy_tls__set_init(&t->own.set);
    mbedtls_ssl_config_init(&t->conf);
    mbedtls_ssl_init(&t->ssl);
    t->live = true;
    sy_err e = load(t, files, f);
    e = e != SY_OK ? e : configure(t, f);
    e = e != SY_OK ? e : sy_io_connect(url->host, url->port, 10000, w, &t->fd, f);
    e = e != SY_OK ? e : handshake(t, w, f);
    if (e != SY_OK) {
        end_connection(t);
    }
    return e;
}

sy_err sy_tls_write(sy_tls *t, const char *bytes, size_t n, sy_wait *w, sy_fail *f)
{
    while (n > 0) {
        sy_err e;
        int rc = mbedtls_ssl_write(&t->ssl, (const unsigned char *)bytes, n);
        if (rc > 0) {
            bytes += rc;
            n -= (size_t)rc;
        } else if (!again(t, rc, w, &e)) {
            return e != SY_OK ? sy_fail_set(f, e, "the request did not go out in time")
                              : sy_fail_make(f, SY_E_IO, rc, SY_AT,
                                             "the connection broke while the request went out");
        }
    }
    return SY_OK;
}

sy_err sy_tls_read(sy_tls *t, char *bytes, size_t size, size_t *got, sy_wait *w, sy_fail *f)
{
    for (;;) {
        sy_err e;
        int rc = mbedtls_ssl_read(&t->ssl, (unsigned char *)bytes, size);
        if (rc >= 0 || rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || rc == MBEDTLS_ERR_SSL_CONN_EOF) {
            *got = rc > 0 ? (size_t)rc : 0;
            return SY_OK;
        }
        if (SY_MBED_IS_TICKET(rc)) {
            save_session(t);
            continue;
        }
        if (!again(t, rc, w, &e)) {
            return e == SY_E_AGAIN ? sy_fail_set(f, e, "no answer in time")
                   : e != SY_OK    ? sy_fail_set(f, e, "ended while waiting for the answer")
                                   : sy_fail_make(f, SY_E_IO, rc, SY_AT,
                                                  "the connection broke while waiting for the answer");
        }
    }
}
