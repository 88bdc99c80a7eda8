/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receivers whose certificate or protocol is too weak to be trusted, and certificates that are
 * replaced while the sender runs. The peers are GnuTLS, so that both ends are not one
 * implementation.
 */
#include <gnutls/x509.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "upstream_rig.h"

/* ---- certificates that the product cannot make ---- */

typedef struct weak {
    gnutls_pk_algorithm_t pk;
    unsigned bits;
    gnutls_digest_algorithm_t hash;
    bool self; /* signed by itself */
} weak;

static void load(const char *dir, const char *name, gnutls_datum_t *out)
{
    assert_int_equal(gnutls_load_file(rig_path(dir, name), out), 0);
}

static void keep(const char *dir, const char *name, gnutls_datum_t *pem)
{
    sy_fail f;
    assert_int_equal(
        sy_file_write(rig_path(dir, name), (sy_span){(const char *)pem->data, pem->size}, 0600, &f),
        SY_OK);
    gnutls_free(pem->data);
}

/* bad.pem and bad.key, for 127.0.0.1, by the rig's CA. */
static void make_weak(const char *dir, const weak *w)
{
    gnutls_x509_crt_t crt, ca;
    gnutls_x509_privkey_t key, ca_key;
    gnutls_datum_t data;
    static const unsigned char address[] = {127, 0, 0, 1};
    time_t now = time(NULL);
    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_init(&ca_key);
    gnutls_x509_crt_init(&crt);
    gnutls_x509_crt_init(&ca);
    assert_int_equal(gnutls_x509_privkey_generate(key, w->pk, w->bits, 0), 0);
    load(dir, "ca.pem", &data);
    assert_int_equal(gnutls_x509_crt_import(ca, &data, GNUTLS_X509_FMT_PEM), 0);
    gnutls_free(data.data);
    load(dir, "ca.key", &data);
    assert_int_equal(gnutls_x509_privkey_import(ca_key, &data, GNUTLS_X509_FMT_PEM), 0);
    gnutls_free(data.data);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\x11", 1);
    gnutls_x509_crt_set_activation_time(crt, now - 3600);
    gnutls_x509_crt_set_expiration_time(crt, now + 86400);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_x509_crt_set_dn(crt, "CN=127.0.0.1", NULL);
    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT);
    gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, sizeof address,
                                         GNUTLS_FSAN_SET);
    assert_int_equal(
        gnutls_x509_crt_sign2(crt, w->self ? crt : ca, w->self ? key : ca_key, w->hash, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &data), 0);
    keep(dir, "bad.pem", &data);
    assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &data), 0);
    keep(dir, "bad.key", &data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_crt_deinit(ca);
    gnutls_x509_privkey_deinit(key);
    gnutls_x509_privkey_deinit(ca_key);
}

/* Nothing gets out to such a peer, the error says why; with a good one all is delivered. */
static void refused(void **state, const weak *w, const char *priority, const char *error)
{
    sy_store *s = rig_store(*state);
    if (w) {
        make_weak(*state, w);
    }
    rig_peer *p = rig_peer_start(*state, w ? "bad" : "server", rig_ok, NULL);
    rig_peer_priority(p, priority);
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_error(sender, error);
    assert_int_equal(rig_requests(p), 0);
    assert_int_equal(rig_waiting(s, NULL), 3);
    rig_peer_cert(p, "server");
    rig_peer_priority(p, "NORMAL");
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

/* TLS 1.2, since GnuTLS itself will not sign with so short a key in 1.3. */
static const char all_sizes[] = "NORMAL:%VERIFY_ALLOW_BROKEN:-VERS-ALL:+VERS-TLS1.2";

static void a_short_key(void **state)
{
    refused(state, &(weak){GNUTLS_PK_RSA, 1024, GNUTLS_DIG_SHA256, false}, all_sizes,
            "unacceptable key");
}

static void signed_with_sha1(void **state)
{
    refused(state, &(weak){GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA1, false}, all_sizes,
            "unacceptable hash");
}

static void signed_by_itself(void **state)
{
    refused(state,
            &(weak){GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                    GNUTLS_DIG_SHA256, true},
            "NORMAL", "not correctly signed by the trusted CA");
}

/* That it is the key and the hash which are refused: the same with good ones is taken. */
static void the_same_but_strong(void **state)
{
    make_weak(*state, &(weak){GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA256, false});
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "bad", rig_ok, NULL);
    rig_peer_priority(p, all_sizes);
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

static void tls_1_0(void **state)
{
    refused(state, NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.0", "the TLS handshake");
}

static void tls_1_1(void **state)
{
    refused(state, NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.1", "the TLS handshake");
}

/* A receiver that takes nothing older than TLS 1.3: mbedTLS 2.28 has none, and that is said. */
static void tls_1_3_alone(void **state)
{
    static const char newest[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
#if MBEDTLS_VERSION_NUMBER < 0x03060000
    refused(state, NULL, newest, "want a TLS version");
#else
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", rig_ok, NULL);
    rig_peer_priority(p, newest);
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
#endif
}

static void no_forward_secrecy(void **state)
{
    refused(state, &(weak){GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA256, false},
            "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", "the TLS handshake");
}

static void without_a_client_certificate(void **state)
{
    char text[64];
    const char *url = text;
    sy_fail f;
    sy_sender *sender = NULL;
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", rig_ok, NULL);
    rig_peer_tls12(p); /* in 1.3 the client's handshake is over before the peer can refuse it */
    rig_events(s, 1, 3, 1);
    snprintf(text, sizeof text, "https://127.0.0.1:%u/events", rig_peer_port(p));
    sy_sender_setup o = {.name = "county",
                         .urls = &url,
                         .n_urls = 1,
                         .egress = {SY_EGRESS_ALL, 0},
                         .road = &sy_road_https,
                         .files = {.ca = rig_path(*state, "ca.pem")},
                         .store = s,
                         .times = rig_times};
    assert_int_equal(sy_sender_start(&sender, &o, &f), SY_OK);
    rig_until_error(sender, "the TLS handshake");
    assert_int_equal(rig_requests(p), 0);
    assert_int_equal(rig_waiting(s, NULL), 3);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

/* ---- files that change while it runs ---- */

static void copy(const char *dir, const char *from, const char *to)
{
    sy_buf b;
    sy_fail f;
    sy_buf_init(&b, sy_heap());
    assert_int_equal(sy_file_read(rig_path(dir, from), 100000, &b, &f), SY_OK);
    assert_int_equal(sy_file_write(rig_path(dir, to), sy_buf_span(&b), 0600, &f), SY_OK);
    sy_buf_fini(&b);
}

/* Events that are delivered over a new connection, and by whom. */
static void deliver(sy_store *s, sy_sender *sender, rig_peer *p, int first, const char *as)
{
    char client[128];
    unsigned before = rig_connections(p);
    sy_sender_kick(sender);
    rig_events(s, first, 3, 1);
    sy_sender_wake(sender);
    rig_until_waiting(s, 0);
    rig_peer_client(p, client);
    assert_string_equal(client, as);
    assert_true(rig_connections(p) > before);
}

static void replaced_while_it_runs(void **state)
{
    const char *dir = *state;
    sy_ms now = sy_wall_ms();
    sy_store *s = rig_store(dir);
    rig_peer *p = rig_peer_start(dir, "server", rig_ok, NULL);
    rig_cert(dir, "second", SY_CERT_CLIENT, NULL, now - RIG_DAY, now + RIG_DAY);
    sy_sender *sender = rig_sender_to(s, dir, p);
    deliver(s, sender, p, 1, "client");
    /* half of a rotation: the pair does not fit, so the old one serves on */
    copy(dir, "client.pem", "kept.pem");
    copy(dir, "second.pem", "client.pem");
    deliver(s, sender, p, 4, "client");
    copy(dir, "second.key", "client.key");
    deliver(s, sender, p, 7, "second");
    /* rubbish, nothing, and a CA that is gone */
    copy(dir, "ca.key", "client.pem");
    deliver(s, sender, p, 10, "second");
    assert_int_equal(unlink(rig_path(dir, "client.key")), 0);
    deliver(s, sender, p, 13, "second");
    copy(dir, "second.pem", "client.pem");
    copy(dir, "second.key", "client.key");
    copy(dir, "ca.pem", "kept.pem");
    assert_int_equal(unlink(rig_path(dir, "ca.pem")), 0);
    rig_peer_ca(p, "kept");
    deliver(s, sender, p, 16, "second");
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_short_key),
        ROW(signed_with_sha1),
        ROW(signed_by_itself),
        ROW(the_same_but_strong),
        ROW(tls_1_0),
        ROW(tls_1_1),
        ROW(tls_1_3_alone),
        ROW(no_forward_secrecy),
        ROW(without_a_client_certificate),
        ROW(replaced_while_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
