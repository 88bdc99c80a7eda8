/* SPDX-License-Identifier: Apache-2.0 */
/* The CoAP server seen by libcoap's own client: block-wise bodies, DTLS with pre-shared keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coap_harness.h"

enum { BODY = 20000 };

/* The client's output; it ends with status 0 whatever happened, so the text is what counts. */
static char *post(harness *h, const char *options, const char *scheme, int port, const char *device)
{
    char command[400];
    snprintf(command, sizeof command,
             "timeout 20 coap-client-openssl -v 6 -B 3 -m post %s %s://127.0.0.1:%u/r/%s 2>&1",
             options, scheme, sy_coap_port(h->server, (size_t)port), device);
    return h_shell(command);
}

static void sends_bodies_block_by_block(void **state)
{
    (void)state;
    harness h;
    h_start(&h, false, NULL);
    char *body = malloc(40000), options[200];
    int n = sprintf(body, "[{\"n\":\"long\",\"vs\":\"");
    memset(body + n, 'x', (size_t)(BODY - n));
    strcpy(body + BODY, "\"}]");
    char *path = h_file(&h, "body", body, strlen(body));
    static const int sizes[] = {1024, 64};
    for (size_t i = 0; i < 2; i++) {
        snprintf(options, sizeof options, "-b %d -t 110 -f %s", sizes[i], path);
        char *out = post(&h, options, "coap", 0, "sen-1");
        h_wait_kept(&h, i + 1);
        assert_true(sy_span_is(h.kept[i].m.payload, body));
        free(out);
    }
    free(path);
    memset(body, ' ', 40000);
    path = h_file(&h, "large", body, 40000);
    snprintf(options, sizeof options, "-b 1024 -t 110 -f %s", path);
    char *out = post(&h, options, "coap", 0, "sen-1");
    assert_non_null(strstr(out, "4.13"));
    assert_int_equal(h.n_kept, 2);
    free(out);
    free(path);
    free(body);
    h_stop(&h);
}

static void tells_the_reason(void **state)
{
    (void)state;
    harness h;
    h_start(&h, false, NULL);
    char *out = post(&h, "-e nonsense", "coap", 0, "num-1");
    assert_non_null(strstr(out, "4.00"));
    assert_non_null(strstr(out, "not a decimal number"));
    free(out);
    h_stop(&h);
}

#define KEY_1 "736563726574"   /* "secret" */
#define KEY_2 "616e6f74686572" /* "another" */

static void knows_a_device_by_its_key(void **state)
{
    (void)state;
    harness h;
    h_start(&h, false, "# keys\npsk-1:" KEY_1 "\r\n\npsk-2:" KEY_2 "\n");
    free(post(&h, "-u psk-1 -k secret -e 21.5", "coaps", 1, "psk-1"));
    h_wait_kept(&h, 1);
    assert_int_equal(h.kept[0].m.flags, SY_MSG_PROMISE);
    char *out = post(&h, "-u psk-2 -k another -e 21.5", "coaps", 1, "psk-1");
    assert_non_null(strstr(out, "4.03"));
    assert_non_null(strstr(out, "another device"));
    free(out);
    assert_int_equal(h_rejected(&h, SY_REJECT_NOT_ALLOWED), 1);
    /* A device without a credential is not spoken for by another that has one. */
    out = post(&h, "-u psk-2 -k another -e 21.5", "coaps", 1, "num-1");
    assert_non_null(strstr(out, "4.03"));
    free(out);
    out = post(&h, "-u psk-1 -k wrong -e 21.5", "coaps", 1, "psk-1");
    assert_null(strstr(out, "c:2.04"));
    free(out);
    assert_int_equal(h.n_kept, 1);
    h_stop(&h);
}

static void reads_a_changed_file_of_keys(void **state)
{
    (void)state;
    harness h;
    h_start(&h, false, "psk-1:" KEY_1 "\n");
    free(post(&h, "-u psk-2 -k another -e 1", "coaps", 1, "psk-2"));
    assert_int_equal(h.n_kept, 0);
    assert_int_equal(h_rejected(&h, SY_REJECT_NOT_ALLOWED), 1);
    static const char more[] = "psk-1:" KEY_1 "\npsk-2:" KEY_2 "\n";
    free(h_file(&h, "psk", more, sizeof more - 1));
    free(post(&h, "-u psk-2 -k another -e 1", "coaps", 1, "psk-2"));
    h_wait_kept(&h, 1);
    static const char broken[] = "psk-1 without a key\n";
    free(h_file(&h, "psk", broken, sizeof broken - 1));
    free(post(&h, "-u psk-2 -k another -e 2", "coaps", 1, "psk-2"));
    h_wait_kept(&h, 2);
    h_stop(&h);
}

static void refuses_a_bad_start(void **state)
{
    (void)state;
    harness h;
    sy_coap *c = NULL;
    sy_fail f;
    h_start(&h, false, NULL);
    static const char *const bad[] = {"127.0.0.1", "localhost:5683", "127.0.0.1:port", ":1"};
    for (size_t i = 0; i < 4; i++) {
        sy_coap_options o = {.listen = &bad[i], .n_listen = 1, .max_payload = 1024};
        assert_int_equal(sy_coap_start(&c, &o, &h.intake, h.devices, &f), SY_E_USAGE);
        assert_non_null(strstr(f.text, bad[i]));
    }
    char taken[32], *path = h_file(&h, "keys", "psk-1:0x00\n", 11);
    const char *listen[] = {taken};
    snprintf(taken, sizeof taken, "127.0.0.1:%u", sy_coap_port(h.server, 0));
    sy_coap_options o = {.listen = listen, .n_listen = 1, .max_payload = 1024};
    assert_int_equal(sy_coap_start(&c, &o, &h.intake, h.devices, &f), SY_E_IO);
    o = (sy_coap_options){.dtls_listen = listen, .n_dtls_listen = 1, .files = {.psk = path}};
    assert_int_equal(sy_coap_start(&c, &o, &h.intake, h.devices, &f), SY_E_USAGE);
    assert_non_null(strstr(f.text, "keys:1: write a key as"));
    o.files.psk = NULL;
    assert_int_equal(sy_coap_start(&c, &o, &h.intake, h.devices, &f), SY_E_USAGE);
    assert_null(c);
    free(path);
    h_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_bodies_block_by_block),
        cmocka_unit_test(tells_the_reason),
        cmocka_unit_test(knows_a_device_by_its_key),
        cmocka_unit_test(reads_a_changed_file_of_keys),
        cmocka_unit_test(refuses_a_bad_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
