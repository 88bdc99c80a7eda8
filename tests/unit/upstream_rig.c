/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, store and sender of the rig; the peer is in upstream_peer.c. */
#include "upstream_rig.h"

#include <dirent.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

const sy_sender_times rig_times = {
    .backoff_base = 40,
    .backoff_cap = 200,
    .idle = 60000,
    .recheck = 60000,
    .exchange = {.connect = 3000, .answer = 1000, .grace = 500},
};

static sy_certs *issuer; /* of the folder in use; the tests run one after the other */

const char *rig_path(const char *dir, const char *name)
{
    static char buffers[8][512];
    static unsigned next;
    char *b = buffers[next++ % 8];
    snprintf(b, sizeof buffers[0], "%s/%s", dir, name);
    return b;
}

static void make(const char *dir, const char *file, sy_certs *by, const sy_cert_spec *spec)
{
    char name[64];
    sy_buf cert, key;
    sy_fail f = {0};
    sy_buf_init(&cert, sy_heap());
    sy_buf_init(&key, sy_heap());
    if (sy_certs_make(by, spec, &cert, &key, &f) != SY_OK) {
        fail_msg("%s", f.text);
    }
    snprintf(name, sizeof name, "%s.pem", file);
    assert_int_equal(sy_file_write(rig_path(dir, name), sy_buf_span(&cert), 0600, &f), SY_OK);
    snprintf(name, sizeof name, "%s.key", file);
    assert_int_equal(sy_file_write(rig_path(dir, name), sy_buf_span(&key), 0600, &f), SY_OK);
    sy_buf_fini(&cert);
    sy_buf_fini(&key);
}

void rig_cert(const char *dir, const char *file, sy_cert_use use, const char *const *names,
              sy_ms from, sy_ms to)
{
    char name[96];
    snprintf(name, sizeof name, "CN=%s", names && names[0] ? names[0] : file);
    make(dir, file, issuer, &(sy_cert_spec){name, use, names, from, to});
}

void rig_other_ca(const char *dir, const char *file)
{
    sy_certs *other = NULL;
    sy_fail f;
    static const char *const names[] = {"127.0.0.1", NULL};
    char client[64], server[64];
    sy_ms now = sy_wall_ms();
    assert_int_equal(sy_certs_open(&other, &f), SY_OK);
    make(dir, file, other,
         &(sy_cert_spec){"CN=another CA", SY_CERT_CA, NULL, now - RIG_DAY, now + RIG_DAY});
    snprintf(client, sizeof client, "%s-client", file);
    make(dir, client, other,
         &(sy_cert_spec){"CN=stranger", SY_CERT_CLIENT, NULL, now - RIG_DAY, now + RIG_DAY});
    snprintf(server, sizeof server, "%s-server", file);
    make(dir, server, other,
         &(sy_cert_spec){"CN=127.0.0.1", SY_CERT_SERVER, names, now - RIG_DAY, now + RIG_DAY});
    sy_certs_close(other);
}

static gnutls_x509_crt_t load(const char *dir, const char *name)
{
    gnutls_x509_crt_t crt = NULL;
    gnutls_datum_t data;
    assert_int_equal(gnutls_load_file(rig_path(dir, name), &data), 0);
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM), 0);
    gnutls_free(data.data);
    return crt;
}

void rig_revoke(const char *dir, const char *file)
{
    gnutls_x509_crl_t crl;
    gnutls_x509_privkey_t key;
    gnutls_datum_t data, pem;
    sy_fail f;
    time_t now = time(NULL) - 3600;
    gnutls_x509_crt_t ca = load(dir, "ca.pem"), crt = load(dir, file);
    assert_int_equal(gnutls_load_file(rig_path(dir, "ca.key"), &data), 0);
    gnutls_x509_privkey_init(&key);
    assert_int_equal(gnutls_x509_privkey_import(key, &data, GNUTLS_X509_FMT_PEM), 0);
    gnutls_free(data.data);
    gnutls_x509_crl_init(&crl);
    gnutls_x509_crl_set_version(crl, 2);
    gnutls_x509_crl_set_this_update(crl, now);
    gnutls_x509_crl_set_next_update(crl, now + 86400);
    gnutls_x509_crl_set_number(crl, "\1", 1);
    assert_int_equal(gnutls_x509_crl_set_crt(crl, crt, now), 0);
    assert_int_equal(gnutls_x509_crl_sign2(crl, ca, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem), 0);
    assert_int_equal(
        sy_file_write(rig_path(dir, "crl.pem"), (sy_span){(char *)pem.data, pem.size}, 0600, &f),
        SY_OK);
    gnutls_free(pem.data);
    gnutls_x509_crl_deinit(crl);
    gnutls_x509_privkey_deinit(key);
    gnutls_x509_crt_deinit(ca);
    gnutls_x509_crt_deinit(crt);
}

int rig_setup(void **state)
{
    static const char *const names[] = {"localhost", "127.0.0.1", NULL};
    sy_fail f;
    sy_ms now = sy_wall_ms();
    char *dir = strdup("/tmp/sy-up-XXXXXX");
    if (!dir || !mkdtemp(dir) || sy_certs_open(&issuer, &f) != SY_OK) {
        return -1;
    }
    make(dir, "ca", issuer,
         &(sy_cert_spec){"CN=rig CA", SY_CERT_CA, NULL, now - 100 * (sy_ms)RIG_DAY,
                         now + 1000 * (sy_ms)RIG_DAY});
    rig_cert(dir, "server", SY_CERT_SERVER, names, now - RIG_DAY, now + RIG_DAY);
    rig_cert(dir, "client", SY_CERT_CLIENT, NULL, now - RIG_DAY, now + RIG_DAY);
    *state = dir;
    return 0;
}

int rig_teardown(void **state)
{
    char *dir = *state;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] != '.') {
            unlink(rig_path(dir, e->d_name));
        }
    }
    if (d) {
        closedir(d);
    }
    rmdir(dir);
    free(dir);
    sy_certs_close(issuer);
    issuer = NULL;
    return 0;
}

sy_store *rig_store(const char *dir)
{
    sy_store *s = NULL;
    sy_fail f = {0};
    if (sy_store_open(&s, dir, false, &f) != SY_OK) {
        fail_msg("%s", f.text);
    }
    return s;
}

static void add(sy_store *s, const char *id, const char *alert, size_t extra)
{
    static const char *const to[] = {"county"};
    sy_buf b;
    sy_fail f = {0};
    bool added = false;
    sy_buf_init(&b, sy_heap());
    sy_buf_printf(
        &b,
        "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/steelyard/rig\","
        "\"type\":\"steelyard.alert.raised\",\"data\":{\"alert\":{\"id\":\"%s\"},\"x\":\"",
        id, alert);
    for (size_t i = 0; i < extra; i++) {
        sy_buf_char(&b, 'x');
    }
    sy_buf_text(&b, "\"}}");
    sy_event_row row = {
        .id = id, .kind = "raised", .alert = alert, .time = 1, .body = sy_buf_span(&b)};
    if (sy_store_event(s, &row, to, 1, &added, &f) != SY_OK || !added) {
        fail_msg("event %s: %s", id, f.text);
    }
    sy_buf_fini(&b);
}

void rig_events(sy_store *s, int first, int n, int alerts)
{
    sy_fail f = {0};
    assert_int_equal(sy_store_begin(s, false, &f), SY_OK);
    for (int i = first; i < first + n; i++) {
        char id[16], alert[16];
        snprintf(id, sizeof id, "e%d", i);
        snprintf(alert, sizeof alert, "a%d", i % alerts);
        add(s, id, alert, 0);
    }
    assert_int_equal(sy_store_commit(s, (uint64_t)(first + n), &f), SY_OK);
}

void rig_one_event(sy_store *s, const char *id, const char *alert, size_t extra_bytes)
{
    sy_fail f = {0};
    uint64_t position = 0;
    assert_int_equal(sy_store_position(s, &position, &f), SY_OK);
    assert_int_equal(sy_store_begin(s, false, &f), SY_OK);
    add(s, id, alert, extra_bytes);
    assert_int_equal(sy_store_commit(s, position + 1, &f), SY_OK);
}

uint64_t rig_waiting(sy_store *s, uint64_t *refused)
{
    uint64_t waiting = 0, aside = 0;
    sy_fail f = {0};
    assert_int_equal(sy_store_outbox_count(s, "county", &waiting, &aside, &f), SY_OK);
    if (refused) {
        *refused = aside;
    }
    return waiting;
}

void rig_nap(void)
{
    nanosleep(&(struct timespec){0, 3000000}, NULL);
}

void rig_until_waiting(sy_store *s, uint64_t n)
{
    sy_ms end = sy_mono_ms() + 20000;
    uint64_t waiting;
    while ((waiting = rig_waiting(s, NULL)) != n) {
        if (sy_mono_ms() > end) {
            fail_msg("%llu events wait, not %llu", (unsigned long long)waiting,
                     (unsigned long long)n);
        }
        rig_nap();
    }
}

sy_sender *rig_sender(sy_store *s, const char *dir, const char *url, const sy_sender_times *times)
{
    sy_sender *sender = NULL;
    sy_fail f = {0};
    sy_sender_setup o = {.name = "county",
                         .egress = {SY_EGRESS_ALL, 0},
                         .road = &sy_road_https,
                         .urls = &url,
                         .n_urls = 1,
                         .files = {.ca = rig_path(dir, "ca.pem"),
                                   .cert = rig_path(dir, "client.pem"),
                                   .key = rig_path(dir, "client.key")},
                         .store = s,
                         .times = *times};
    if (sy_sender_start(&sender, &o, &f) != SY_OK) {
        fail_msg("%s", f.text);
    }
    return sender;
}

sy_sender *rig_sender_to(sy_store *s, const char *dir, const rig_peer *p)
{
    return rig_sender_timed(s, dir, p, &rig_times);
}

sy_sender *rig_sender_timed(sy_store *s, const char *dir, const rig_peer *p,
                            const sy_sender_times *times)
{
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u/events", rig_peer_port(p));
    return rig_sender(s, dir, url, times);
}

void rig_until_error(sy_sender *s, const char *text)
{
    sy_ms end = sy_mono_ms() + 20000;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    for (;;) {
        sy_buf_reset(&b);
        sy_sender_status(s, &b);
        if (strstr(b.p, text)) {
            break;
        }
        if (sy_mono_ms() > end) {
            fail_msg("no error '%s' in %s", text, b.p);
        }
        rig_nap();
    }
    sy_buf_fini(&b);
}
