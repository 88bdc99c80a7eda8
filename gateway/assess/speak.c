/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS as it is spoken: a connection to each listener of this machine that has TLS over TCP, once
 * offering TLS 1.1 and older alone, which must fail, and once with all; what is agreed on is shown.
 * Certificates are not checked here (keys.c looks at the files).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "assess/assess_int.h"

/* The address of a listener as text, "tcp [::]:443" or "tcp 0.0.0.0:443"; all become loopback. */
static int dial(const sy_listener *x)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)x->port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)x->port)};
    const struct timeval limit = {.tv_sec = 2};
    char host[80];
    bool six = strchr(x->at, '[') != NULL;
    if (sscanf(x->at, six ? "tcp [%79[^]]" : "tcp %79[^:]", host) != 1) {
        return -1;
    }
    bool any = strcmp(host, "::") == 0 || strcmp(host, "0.0.0.0") == 0;
    if (inet_pton(six ? AF_INET6 : AF_INET, any ? (six ? "::1" : "127.0.0.1") : host,
                  six ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1) {
        return -1;
    }
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    if (fd >= 0 && connect(fd, six ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4,
                           six ? sizeof v6 : sizeof v4) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* True: agreed, with what in `out`. */
static bool shake(const sy_listener *x, bool old, char *out, size_t size)
{
    bool agreed = false;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *s = NULL;
    int fd = ctx ? dial(x) : -1;
    if (fd >= 0) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        if (old) { /* Debian's OpenSSL does not even offer it at its usual level */
            SSL_CTX_set_security_level(ctx, 0);
            SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
            SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
        }
        s = SSL_new(ctx);
    }
    if (s && SSL_set_fd(s, fd) == 1 && SSL_connect(s) == 1) {
        agreed = true;
        snprintf(out, size, "%s %s", SSL_get_version(s), SSL_get_cipher_name(s));
    }
    SSL_free(s);
    SSL_CTX_free(ctx);
    if (fd >= 0) {
        close(fd);
    }
    return agreed;
}

void sy_look_speak(sy_look *l)
{
    char what[128];
    for (size_t i = 0; l->status && i < l->listeners.n; i++) {
        const sy_listener *x = &l->listeners.v[i];
        if (x->udp || !x->tls) {
            continue;
        }
        if (shake(x, true, what, sizeof what)) {
            sy_assess__add(l->a, SY_ASSESS_TLS_OLD, x->at, "%s", what);
        } else if (shake(x, false, what, sizeof what)) {
            sy_assess__add(l->a, SY_ASSESS_TLS_NOW, x->at, "%s", what);
        }
    }
}
