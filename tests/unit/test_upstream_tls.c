/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may receive: certificates that must not be accepted, the time that they are checked against,
 * and what the log says then.
 */
#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>

#include "upstream_rig.h"

static const char *const by_address[] = {"127.0.0.1", NULL};

/* Nothing gets out to this certificate, the error says why; with the good one all is delivered. */
static void refused(void **state, const char *cert, const char *error)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, cert, rig_ok, NULL);
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_error(sender, error);
    assert_int_equal(rig_requests(p), 0);
    assert_int_equal(rig_waiting(s, NULL), 3);
    rig_peer_cert(p, "server");
    rig_until_waiting(s, 0);
    rig_until_error(sender, "\"last_error\":\"\"");
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

static void wrong_ca(void **state)
{
    rig_other_ca(*state, "other");
    refused(state, "other-server", "not correctly signed by the trusted CA");
}

static void wrong_address(void **state)
{
    static const char *const names[] = {"127.0.0.2", "127.0.0.1.example", NULL};
    sy_ms now = sy_wall_ms();
    rig_cert(*state, "bad", SY_CERT_SERVER, names, now - RIG_DAY, now + RIG_DAY);
    refused(state, "bad", "does not match with the expected CN");
}

static void no_names_at_all(void **state)
{
    sy_ms now = sy_wall_ms();
    rig_cert(*state, "bad", SY_CERT_SERVER, NULL, now - RIG_DAY, now + RIG_DAY);
    refused(state, "bad", "does not match with the expected CN");
}

static void expired(void **state)
{
    sy_ms now = sy_wall_ms();
    rig_cert(*state, "bad", SY_CERT_SERVER, by_address, now - 9 * RIG_DAY, now - 60000);
    refused(state, "bad", "validity has expired");
}

static void not_yet_valid(void **state)
{
    sy_ms now = sy_wall_ms();
    rig_cert(*state, "bad", SY_CERT_SERVER, by_address, now + 3600000, now + RIG_DAY);
    refused(state, "bad", "in the future");
}

static void a_client_is_no_server(void **state)
{
    sy_ms now = sy_wall_ms();
    rig_cert(*state, "bad", SY_CERT_CLIENT, by_address, now - RIG_DAY, now + RIG_DAY);
    refused(state, "bad", "extendedKeyUsage");
}

static void by_name(void **state)
{
    static const char *const other[] = {"example.org", "127.0.0.1", NULL};
    char url[64];
    sy_ms now = sy_wall_ms();
    rig_cert(*state, "bad", SY_CERT_SERVER, other, now - RIG_DAY, now + RIG_DAY);
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "bad", rig_ok, NULL);
    rig_events(s, 1, 3, 1);
    snprintf(url, sizeof url, "https://localhost:%u/events", rig_peer_port(p));
    sy_sender *sender = rig_sender(s, *state, url, &rig_times);
    rig_until_error(sender, "does not match with the expected CN");
    assert_int_equal(rig_requests(p), 0);
    rig_peer_cert(p, "server");
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

/* A box whose wall clock is behind (1970 at boot) goes by the log's clock: what is in the future
 * for the wall is valid then. */
static void the_log_s_clock_counts(void **state)
{
    sy_ms now = sy_wall_ms();
    rig_cert(*state, "later", SY_CERT_SERVER, by_address, now + RIG_DAY, now + 3 * RIG_DAY);
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "later", rig_ok, NULL);
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_error(sender, "in the future");
    sy_sender_log_time(sender, now + 9 * RIG_DAY); /* it is wrong for a while */
    sy_sender_kick(sender);
    rig_until_error(sender, "validity has expired");
    sy_sender_log_time(sender, now + 2 * RIG_DAY);
    sy_sender_kick(sender);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

static void the_build_s_time_counts(void **state)
{
    char text[64];
    const char *url = text;
    sy_fail f;
    sy_sender *sender = NULL;
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", rig_ok, NULL);
    rig_events(s, 1, 3, 1);
    snprintf(text, sizeof text, "https://127.0.0.1:%u/events", rig_peer_port(p));
    sy_sender_setup o = {.name = "county",
                         .egress = {SY_EGRESS_ALL, 0},
                         .road = &sy_road_https,
                         .urls = &url,
                         .n_urls = 1,
                         .files = {.ca = rig_path(*state, "ca.pem"),
                                   .cert = rig_path(*state, "client.pem"),
                                   .key = rig_path(*state, "client.key")},
                         .store = s,
                         .times = rig_times,
                         .build_time = sy_wall_ms() + 5 * RIG_DAY};
    assert_int_equal(sy_sender_start(&sender, &o, &f), SY_OK);
    rig_until_error(sender, "validity has expired");
    assert_int_equal(rig_requests(p), 0);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

static void the_peer_refuses_our_certificate(void **state)
{
    rig_other_ca(*state, "other");
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", rig_ok, NULL);
    rig_peer_ca(p, "other");
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_error(sender, "closed");
    assert_int_equal(rig_requests(p), 0);
    rig_peer_ca(p, "ca");
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

static void copy_file(const char *dir, const char *from, const char *to)
{
    sy_buf b;
    sy_fail f;
    sy_buf_init(&b, sy_heap());
    assert_int_equal(sy_file_read(rig_path(dir, from), 100000, &b, &f), SY_OK);
    assert_int_equal(sy_file_write(rig_path(dir, to), sy_buf_span(&b), 0600, &f), SY_OK);
    sy_buf_fini(&b);
}

/* Our own files: each mistake is named; mended, it goes on without a restart. */
static void our_own_files(void **state)
{
    static const struct {
        const char *file, *with, *error;
    } mistakes[] = {
        {"client.key", "server.key", "does not belong to the certificate"},
        {"client.key", "client.pem", "is no private key"},
        {"client.pem", "client.key", "is no certificate"},
        {"ca.pem", "ca.key", "is no certificate"},
        {"ca.pem", NULL, "tls.ca"},
    };
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", rig_ok, NULL);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        copy_file(*state, mistakes[i].file, "kept");
        if (mistakes[i].with) {
            copy_file(*state, mistakes[i].with, mistakes[i].file);
        } else {
            assert_int_equal(remove(rig_path(*state, mistakes[i].file)), 0);
        }
        rig_events(s, (int)i + 1, 1, 1);
        sy_sender *sender = rig_sender_to(s, *state, p);
        rig_until_error(sender, mistakes[i].error);
        copy_file(*state, "kept", mistakes[i].file);
        rig_until_waiting(s, 0);
        sy_sender_stop(sender);
    }
    rig_peer_stop(p);
    sy_store_close(s);
}

/* A list of the rig's CA that revokes what the file has, as crl.pem. It is out of date `age` days
 * ago, which changes nothing. */
static void revoke(const char *dir, const char *file, int age)
{
    gnutls_x509_crl_t crl;
    gnutls_x509_crt_t certs[2];
    gnutls_x509_privkey_t key;
    gnutls_datum_t data, pem;
    const char *const names[] = {"ca.pem", file};
    time_t now = time(NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(gnutls_load_file(rig_path(dir, names[i]), &data), 0);
        assert_int_equal(gnutls_x509_crt_init(&certs[i]), 0);
        assert_int_equal(gnutls_x509_crt_import(certs[i], &data, GNUTLS_X509_FMT_PEM), 0);
        gnutls_free(data.data);
    }
    assert_int_equal(gnutls_load_file(rig_path(dir, "ca.key"), &data), 0);
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_privkey_import(key, &data, GNUTLS_X509_FMT_PEM), 0);
    gnutls_free(data.data);
    assert_int_equal(gnutls_x509_crl_init(&crl), 0);
    assert_int_equal(gnutls_x509_crl_set_version(crl, 2), 0);
    assert_int_equal(gnutls_x509_crl_set_this_update(crl, now - (age + 1) * 86400), 0);
    assert_int_equal(gnutls_x509_crl_set_next_update(crl, now - age * 86400), 0);
    assert_int_equal(gnutls_x509_crl_set_crt(crl, certs[1], now - (age + 1) * 86400), 0);
    assert_int_equal(gnutls_x509_crl_set_number(crl, "\1", 1), 0);
    assert_int_equal(gnutls_x509_crl_sign2(crl, certs[0], key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem), 0);
    sy_fail f;
    assert_int_equal(sy_file_write(rig_path(dir, "crl.pem"),
                                   (sy_span){(const char *)pem.data, pem.size}, 0600, &f),
                     SY_OK);
    gnutls_free(pem.data);
    gnutls_x509_crl_deinit(crl);
    gnutls_x509_privkey_deinit(key);
    gnutls_x509_crt_deinit(certs[0]);
    gnutls_x509_crt_deinit(certs[1]);
}

static void a_revoked_peer_gets_nothing(void **state)
{
    static const char *const names[] = {"127.0.0.1", NULL};
    sy_fail f;
    char text[64];
    const char *url = text;
    sy_sender *sender = NULL;
    sy_store *s = rig_store(*state);
    sy_ms now = sy_wall_ms();
    rig_cert(*state, "second", SY_CERT_SERVER, names, now - RIG_DAY, now + RIG_DAY);
    rig_peer *p = rig_peer_start(*state, "server", rig_ok, NULL);
    rig_events(s, 1, 3, 1);
    revoke(*state, "server.pem", -1);
    snprintf(text, sizeof text, "https://127.0.0.1:%u/events", rig_peer_port(p));
    sy_sender_setup o = {.name = "county",
                         .egress = {SY_EGRESS_ALL, 0},
                         .road = &sy_road_https,
                         .urls = &url,
                         .n_urls = 1,
                         .files = {.ca = rig_path(*state, "ca.pem"),
                                   .cert = rig_path(*state, "client.pem"),
                                   .key = rig_path(*state, "client.key"),
                                   .crl = rig_path(*state, "crl.pem")},
                         .store = s,
                         .times = rig_times};
    assert_int_equal(sy_sender_start(&sender, &o, &f), SY_OK);
    rig_until_error(sender, "revoked");
    revoke(*state, "server.pem", 3);
    sy_sender_kick(sender);
    rig_until_error(sender, "revoked");
    assert_int_equal(rig_requests(p), 0);
    rig_peer_cert(p, "second");
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(wrong_ca),
        ROW(a_revoked_peer_gets_nothing),
        ROW(wrong_address),
        ROW(no_names_at_all),
        ROW(expired),
        ROW(not_yet_valid),
        ROW(a_client_is_no_server),
        ROW(by_name),
        ROW(the_log_s_clock_counts),
        ROW(the_build_s_time_counts),
        ROW(the_peer_refuses_our_certificate),
        ROW(our_own_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
