/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scripted peer: one thread, one connection at a time, blocking calls that look up every 50 ms
 * whether the test is over.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "upstream_rig.h"

enum { IDS_MAX = 1000, TAKEN_MAX = 20000, REQUEST_MAX = 4 * 1024 * 1024 };

struct rig_peer {
    const char *dir;
    int listener;
    unsigned port;
    pthread_t thread;
    atomic_bool stop;
    const char *_Atomic priority;
    atomic_uint requests, connections;
    pthread_mutex_t lock; /* the rest */
    rig_script fn;
    void *script;
    char cert[64], ca[64], client[128];
    char *taken[TAKEN_MAX];
    size_t n_taken;
    unsigned doubled;
    /* of the thread alone */
    gnutls_datum_t ticket_key;
    gnutls_session_t tls;
    int fd;
    bool dead;
    char **ids; /* of the request being answered */
    size_t n_ids;
};

static void load(rig_peer *p, gnutls_certificate_credentials_t *out)
{
    char cert[600], key[600], ca[600];
    pthread_mutex_lock(&p->lock);
    snprintf(cert, sizeof cert, "%s/%s.pem", p->dir, p->cert);
    snprintf(key, sizeof key, "%s/%s.key", p->dir, p->cert);
    snprintf(ca, sizeof ca, "%s/%s.pem", p->dir, p->ca);
    pthread_mutex_unlock(&p->lock);
    gnutls_certificate_allocate_credentials(out);
    gnutls_certificate_set_x509_trust_file(*out, ca, GNUTLS_X509_FMT_PEM);
    if (gnutls_certificate_set_x509_key_file(*out, cert, key, GNUTLS_X509_FMT_PEM) < 0) {
        fprintf(stderr, "peer: cannot load %s\n", cert);
    }
}

static bool on_line(rig_peer *p, int rc)
{
    return !atomic_load(&p->stop) && (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED);
}

static void note_taken(rig_peer *p, char *const *ids, size_t n)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t k = 0; k < p->n_taken && !known; k++) {
            known = strcmp(p->taken[k], ids[i]) == 0;
        }
        p->doubled += known ? 1 : 0;
        if (!known && p->n_taken < TAKEN_MAX) {
            p->taken[p->n_taken++] = strdup(ids[i]);
        }
    }
    pthread_mutex_unlock(&p->lock);
}

void rig_say(rig_peer *p, const char *format, ...)
{
    char text[8192];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (strncmp(text, "HTTP/1.1 2", 10) == 0) {
        note_taken(p, p->ids, p->n_ids); /* before the sender can know it */
    }
    for (int sent = 0; sent < n && !p->dead;) {
        ssize_t rc = gnutls_record_send(p->tls, text + sent, (size_t)(n - sent));
        if (rc > 0) {
            sent += (int)rc;
        } else if (!on_line(p, (int)rc)) {
            p->dead = true;
        }
    }
}

bool rig_answer(rig_peer *p, unsigned status, const char *fields)
{
    rig_say(p, "HTTP/1.1 %u x\r\n%sContent-Length: 2\r\n\r\n{}", status, fields);
    return true;
}

bool rig_ok(rig_peer *p, const rig_request *r)
{
    (void)r;
    return rig_answer(p, 200, "");
}

void rig_reset(rig_peer *p)
{
    struct linger hard = {1, 0};
    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    p->dead = true;
}

/* One whole request; false: the connection is over. */
static bool read_request(rig_peer *p, char *buf, size_t *n, size_t *head_n)
{
    size_t need = 0;
    *n = 0;
    for (;;) {
        ssize_t rc = gnutls_record_recv(p->tls, buf + *n, REQUEST_MAX - *n - 1);
        if (rc <= 0) {
            if (rc < 0 && on_line(p, (int)rc)) {
                continue;
            }
            return false;
        }
        *n += (size_t)rc;
        buf[*n] = 0;
        char *end = need ? NULL : strstr(buf, "\r\n\r\n");
        if (end) {
            const char *length = strstr(buf, "Content-Length: ");
            *head_n = (size_t)(end - buf) + 4;
            need = *head_n + (length ? strtoul(length + 16, NULL, 10) : 0);
        }
        if (need && *n >= need) {
            return true;
        }
    }
}

static bool one_request(rig_peer *p, char *buf, size_t n, size_t head_n, unsigned on_connection)
{
    char *ids[IDS_MAX];
    size_t n_ids = 0;
    json_t *root = json_loadb(buf + head_n, n - head_n, 0, NULL);
    for (size_t i = 0; i < json_array_size(root) && i < IDS_MAX; i++) {
        const char *id = json_string_value(json_object_get(json_array_get(root, i), "id"));
        ids[n_ids++] = strdup(id ? id : "?");
    }
    json_decref(root);
    buf[head_n - 2] = 0;
    pthread_mutex_lock(&p->lock);
    rig_script fn = p->fn;
    void *script = p->script;
    pthread_mutex_unlock(&p->lock);
    rig_request r = {.number = atomic_fetch_add(&p->requests, 1) + 1,
                     .connection = atomic_load(&p->connections),
                     .on_connection = on_connection,
                     .head = buf,
                     .ids = (const char *const *)ids,
                     .n = n_ids,
                     .script = script};
    p->ids = ids;
    p->n_ids = n_ids;
    bool go = fn(p, &r);
    for (size_t i = 0; i < n_ids; i++) {
        free(ids[i]);
    }
    return go && !p->dead;
}

static void note_client(rig_peer *p)
{
    unsigned n = 0;
    size_t size = sizeof p->client;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(p->tls, &n);
    gnutls_x509_crt_t crt;
    if (!chain || gnutls_x509_crt_init(&crt) != 0) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) != 0 ||
        gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, p->client, &size) !=
            0) {
        p->client[0] = 0;
    }
    pthread_mutex_unlock(&p->lock);
    gnutls_x509_crt_deinit(crt);
}

static bool shake_hands(rig_peer *p)
{
    int rc;
    while ((rc = gnutls_handshake(p->tls)) < 0) {
        if (!on_line(p, rc)) {
            gnutls_alert_send_appropriate(p->tls, rc);
            return false;
        }
    }
    /* TLS 1.3 ends before the client's certificate is judged; judge it here for both. */
    unsigned status = 1;
    if (gnutls_certificate_verify_peers2(p->tls, &status) != 0 || status != 0) {
        return false;
    }
    note_client(p);
    return true;
}

static void serve(rig_peer *p, char *buf)
{
    gnutls_certificate_credentials_t credentials;
    struct timeval slice = {0, 50000};
    setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof slice);
    setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &slice, sizeof slice);
    load(p, &credentials);
    gnutls_init(&p->tls, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
    gnutls_priority_set_direct(p->tls, atomic_load(&p->priority), NULL);
    gnutls_session_ticket_enable_server(p->tls, &p->ticket_key);
    gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_certificate_server_set_request(p->tls, GNUTLS_CERT_REQUIRE);
    gnutls_transport_set_int(p->tls, p->fd);
    p->dead = false;
    atomic_fetch_add(&p->connections, 1);
    if (shake_hands(p)) {
        size_t n = 0, head_n = 0;
        unsigned count = 0;
        while (read_request(p, buf, &n, &head_n) && one_request(p, buf, n, head_n, ++count)) {
        }
        if (!p->dead) {
            gnutls_bye(p->tls, GNUTLS_SHUT_WR);
        }
    }
    gnutls_deinit(p->tls);
    gnutls_certificate_free_credentials(credentials);
    close(p->fd);
}

static void *run(void *arg)
{
    rig_peer *p = arg;
    char *buf = malloc(REQUEST_MAX);
    while (buf && !atomic_load(&p->stop)) {
        struct pollfd w = {p->listener, POLLIN, 0};
        if (poll(&w, 1, 50) > 0 && (p->fd = accept(p->listener, NULL, NULL)) >= 0) {
            serve(p, buf);
        }
    }
    free(buf);
    return NULL;
}

rig_peer *rig_peer_start(const char *dir, const char *cert_file, rig_script fn, void *script)
{
    rig_peer *p = calloc(1, sizeof *p);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    assert_non_null(p);
    p->dir = dir;
    p->fn = fn;
    p->script = script;
    snprintf(p->cert, sizeof p->cert, "%s", cert_file);
    snprintf(p->ca, sizeof p->ca, "ca");
    atomic_store(&p->priority, "NORMAL");
    pthread_mutex_init(&p->lock, NULL);
    gnutls_session_ticket_key_generate(&p->ticket_key);
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(p->listener, 16), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&a, &n), 0);
    p->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
    return p;
}

void rig_peer_stop(rig_peer *p)
{
    atomic_store(&p->stop, true);
    pthread_join(p->thread, NULL);
    close(p->listener);
    gnutls_free(p->ticket_key.data);
    for (size_t i = 0; i < p->n_taken; i++) {
        free(p->taken[i]);
    }
    pthread_mutex_destroy(&p->lock);
    free(p);
}

unsigned rig_peer_port(const rig_peer *p)
{
    return p->port;
}

void rig_peer_cert(rig_peer *p, const char *cert_file)
{
    pthread_mutex_lock(&p->lock);
    snprintf(p->cert, sizeof p->cert, "%s", cert_file);
    pthread_mutex_unlock(&p->lock);
}

void rig_peer_ca(rig_peer *p, const char *ca_file)
{
    pthread_mutex_lock(&p->lock);
    snprintf(p->ca, sizeof p->ca, "%s", ca_file);
    pthread_mutex_unlock(&p->lock);
}

void rig_peer_tls12(rig_peer *p)
{
    rig_peer_priority(p, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
}

void rig_peer_priority(rig_peer *p, const char *text)
{
    atomic_store(&p->priority, text);
}

void rig_peer_client(rig_peer *p, char out[128])
{
    pthread_mutex_lock(&p->lock);
    snprintf(out, 128, "%s", p->client);
    pthread_mutex_unlock(&p->lock);
}

void rig_peer_script(rig_peer *p, rig_script fn, void *script)
{
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->script = script;
    pthread_mutex_unlock(&p->lock);
}

unsigned rig_requests(rig_peer *p)
{
    return atomic_load(&p->requests);
}

unsigned rig_connections(rig_peer *p)
{
    return atomic_load(&p->connections);
}

void rig_until_requests(rig_peer *p, unsigned n)
{
    sy_ms end = sy_mono_ms() + 20000;
    while (rig_requests(p) < n) {
        if (sy_mono_ms() > end) {
            fail_msg("%u requests, not %u", rig_requests(p), n);
        }
        rig_nap();
    }
}

char *rig_taken(rig_peer *p, unsigned *doubled)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->n_taken; i++) {
        sy_buf_text(&b, i ? " " : "");
        sy_buf_text(&b, p->taken[i]);
    }
    if (doubled) {
        *doubled = p->doubled;
    }
    pthread_mutex_unlock(&p->lock);
    return b.p ? b.p : strdup("");
}
