/* SPDX-License-Identifier: Apache-2.0 */
/* The CoAP server seen by a device that speaks in raw datagrams: each answer, each repetition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "coap_harness.h"

#define SENML "[{\"n\":\"temperature\",\"v\":21.5}]"

static void keeps_and_answers(void **state)
{
    (void)state;
    harness h;
    h_start(&h, false, NULL);
    reply r = d_post(h.fd, 1, "num-1", "21.5");
    assert_int_equal(r.code, 204);
    assert_string_equal(r.text, "");
    assert_int_equal(r.block1, -1);
    assert_int_equal(d_post(h.fd, 2, "sen-1", SENML).code, 204);
    assert_int_equal(d_post(h.fd, 3, "door-1", "{\"contact\":true,\"ts\":1700000000}").code, 204);
    datagram put = d_begin(H_TYPE_CON, H_PUT, 4, "");
    d_path(&put, "num-1");
    d_option_uint(&put, 12, 0);
    d_payload(&put, "-3", 2);
    assert_int_equal(d_exchange(h.fd, &put).code, 204);
    assert_int_equal(d_post(h.fd, 5, "half-2", "1").code, 204);
    h_wait_kept(&h, 5);
    const sy_message *m = &h.kept[0].m;
    assert_int_equal(m->transport, SY_TRANSPORT_COAP);
    assert_int_equal(m->flags, SY_MSG_PROMISE | SY_MSG_UNAUTHENTICATED);
    assert_int_equal(m->content_format, 0xffff);
    assert_true(sy_span_is(m->source, "num-1"));
    assert_true(sy_span_is(m->payload, "21.5"));
    assert_true(m->ident.n > 20 && m->ident.n <= 64);
    assert_int_equal(h.kept[3].m.content_format, 0);
    assert_false(sy_span_eq(h.kept[0].m.ident, h.kept[1].m.ident));
    h_stop(&h);
}

typedef struct refusal {
    const char *device, *text;
    int content_format; /* -1: none */
    int code;
    sy_reject why;
    const char *says;
} refusal;

static const refusal refusals[] = {
    {"num-1", "", -1, 400, SY_REJECT_MALFORMED, "the message is empty"},
    {"num-1", "12x", -1, 400, SY_REJECT_MALFORMED, "not a decimal number"},
    {"num-1", "1e400", -1, 400, SY_REJECT_MALFORMED, "too large"},
    {"sen-1", "[{\"n\":\"t\",\"v\":", -1, 400, SY_REJECT_MALFORMED, "JSON, line 1"},
    {"sen-1", "[{\"n\":\"t\",\"v\":\"1\"}]", -1, 400, SY_REJECT_MALFORMED, "'v' must be a number"},
    {"door-1", "{\"other\":1}", -1, 400, SY_REJECT_MALFORMED, "none of the paths"},
    {"nobody", "1", -1, 404, SY_REJECT_UNKNOWN_DEVICE, "no such device"},
    {"far-1", "1", -1, 403, SY_REJECT_NOT_ALLOWED, "from this address"},
    {"half-1", "1", -1, 403, SY_REJECT_NOT_ALLOWED, "from this address"},
    {"six-1", "1", -1, 403, SY_REJECT_NOT_ALLOWED, "from this address"},
    {"nowhere-1", "1", -1, 403, SY_REJECT_NOT_ALLOWED, "from this address"},
    {"psk-1", "1", -1, 401, SY_REJECT_NOT_ALLOWED, "needs a credential"},
    {"mqtt-1", "1", -1, 403, SY_REJECT_NOT_ALLOWED, "not configured for CoAP"},
    {"sen-1", SENML, 50, 415, SY_REJECT_FORMAT, "senml-json, Content-Format 110, not 50"},
    {"num-1", "1", 60, 415, SY_REJECT_FORMAT, "Content-Format 0, not 60"},
    {"odd-1", "1", -1, 415, SY_REJECT_FORMAT, "not known here"},
};

static void refuses_with_a_reason(void **state)
{
    (void)state;
    harness h;
    size_t counted[SY_REJECT_COUNT] = {0};
    h_start(&h, false, NULL);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const refusal *x = &refusals[i];
        datagram d = d_begin(H_TYPE_CON, H_POST, (unsigned)i + 1, "t");
        d_path(&d, x->device);
        if (x->content_format >= 0)
            d_option_uint(&d, 12, (unsigned)x->content_format);
        if (*x->text)
            d_payload(&d, x->text, strlen(x->text));
        reply r = d_exchange(h.fd, &d);
        assert_int_equal(r.type, H_TYPE_ACK);
        if (r.code != x->code || !strstr(r.text, x->says))
            fail_msg("%s '%s': %d %s", x->device, x->text, r.code, r.text);
        counted[x->why]++;
        assert_int_equal(h_rejected(&h, x->why), counted[x->why]);
        assert_string_equal(h.detail, r.text);
    }
    assert_int_equal(h.submits, 0);
    h_stop(&h);
}

static void knows_its_paths_and_methods(void **state)
{
    (void)state;
    harness h;
    h_start(&h, false, NULL);
    for (int method = 1; method <= 7; method++) {
        datagram d = d_begin(H_TYPE_CON, method, 100u + (unsigned)method, "t");
        d_path(&d, "num-1");
        d_option(&d, 12, "", 0); /* text/plain: FETCH needs a Content-Format (RFC 8132, 2.3.1) */
        d_payload(&d, "1", 1);
        assert_int_equal(d_exchange(h.fd, &d).code,
                         method == H_POST || method == H_PUT ? 204 : 405);
    }
    static const char *const paths[][3] = {
        {"x", "num-1", NULL}, {"r", NULL, NULL}, {"r", "num-1", "more"}, {NULL, NULL, NULL}};
    for (unsigned i = 0; i < 4; i++) {
        datagram d = d_begin(H_TYPE_CON, H_POST, 200 + i, "t");
        for (int k = 0; k < 3 && paths[i][k]; k++)
            d_option(&d, 11, paths[i][k], strlen(paths[i][k]));
        d_payload(&d, "1", 1);
        reply r = d_exchange(h.fd, &d);
        assert_int_equal(r.code, 404);
        assert_non_null(strstr(r.text, "/r/<device>"));
    }
    datagram get = d_begin(H_TYPE_CON, 1, 210, "t");
    d_option(&get, 11, "x", 1);
    assert_int_equal(d_exchange(h.fd, &get).code, 404);
    assert_int_equal(h.submits, 2);
    assert_int_equal(h_rejected(&h, SY_REJECT_UNKNOWN_DEVICE), 5);
    assert_int_equal(h_rejected(&h, SY_REJECT_MALFORMED), 5);
    h_stop(&h);
}

static reply core(harness *h, int method, const char *query, unsigned mid)
{
    datagram d = d_begin(H_TYPE_CON, method, mid, "w");
    d_option(&d, 11, ".well-known", 11);
    d_option(&d, 11, "core", 4);
    if (method == 5) /* text/plain: FETCH needs a Content-Format (RFC 8132, 2.3.1) */
        d_option(&d, 12, "", 0);
    if (query)
        d_option(&d, 15, query, strlen(query));
    return d_exchange(h->fd, &d);
}

static void lists_where_readings_go(void **state)
{
    (void)state;
    harness h;
    h_start(&h, false, NULL);
    reply all = core(&h, 1, NULL, 99);
    assert_int_equal(strncmp(all.text, "</r>;ct=\"0 50 ", 14), 0);
    assert_non_null(strstr(all.text, " 110 112 ") ? all.text : strstr(all.text, " 110 112\""));
    assert_non_null(strstr(all.text, "\";rt=\"steelyard.readings\""));
    static const struct {
        const char *query;
        bool there;
    } filters[] = {{NULL, true},         {"rt=steelyard.readings", true},
                   {"rt=steel*", true},  {"ct=110", true},
                   {"href=/r", true},    {"href=/*", true},
                   {"rt=steel", false},  {"ct=11", false},
                   {"if=sensor", false}, {"=", false},
                   {"rt=", false},       {"rt=*", true}};
    for (unsigned i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        reply r = core(&h, 1, filters[i].query, i);
        assert_int_equal(r.code, 205);
        assert_string_equal(r.text, filters[i].there ? all.text : "");
    }
    for (int method = 2; method <= 7; method++)
        assert_int_equal(core(&h, method, NULL, 100u + (unsigned)method).code, 405);
    assert_int_equal(h.submits, 0);
    h_stop(&h);
}

static void answers_a_retransmission_alike(void **state)
{
    (void)state;
    harness h;
    h_start(&h, false, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(d_post(h.fd, 7, "num-1", "21.5").code, 204);
    h_wait_submits(&h, 3);
    assert_int_equal(h.n_kept, 1);
    assert_int_equal(d_post(h.fd, 8, "num-1", "21.5").code, 204);
    int other = h_socket(&h);
    assert_int_equal(d_post(other, 8, "num-1", "21.5").code, 204);
    assert_int_equal(h.n_kept, 3);
    close(other);
    h_stop(&h);
}

static void takes_what_needs_no_answer(void **state)
{
    (void)state;
    harness h;
    h_start(&h, false, NULL);
    datagram good = d_begin(H_TYPE_NON, H_POST, 1, "n");
    d_path(&good, "num-1");
    d_payload(&good, "4", 1);
    d_send(h.fd, &good);
    datagram bad = d_begin(H_TYPE_NON, H_POST, 2, "n");
    d_path(&bad, "nobody");
    d_send(h.fd, &bad);
    /* The answer to the third is the first that comes. */
    assert_int_equal(d_post(h.fd, 3, "num-1", "5").code, 204);
    h_wait_kept(&h, 2);
    assert_int_equal(h.kept[0].m.flags, SY_MSG_UNAUTHENTICATED);
    assert_int_equal(h_rejected(&h, SY_REJECT_UNKNOWN_DEVICE), 1);
    h_stop(&h);
}

static void says_when_nothing_can_be_kept(void **state)
{
    (void)state;
    harness h;
    h_start(&h, false, NULL);
    h.answer = SY_E_FULL;
    reply r = d_post(h.fd, 1, "num-1", "4");
    assert_int_equal(r.code, 503);
    assert_non_null(strstr(r.text, "nothing can be kept"));
    h.answer = SY_E_CLOSED;
    assert_int_equal(d_post(h.fd, 2, "num-1", "4").code, 503);
    h.answer = SY_OK;
    assert_int_equal(d_post(h.fd, 1, "num-1", "4").code, 204);
    h_stop(&h);
}

static void strict_waits_for_the_sync(void **state)
{
    (void)state;
    harness h;
    h_start(&h, true, NULL);
    datagram d = d_begin(H_TYPE_CON, H_POST, 1, "s1");
    d_path(&d, "num-1");
    d_payload(&d, "4", 1);
    d_send(h.fd, &d);
    h_wait_submits(&h, 1);
    datagram bad = d_begin(H_TYPE_CON, H_POST, 2, "s2");
    d_path(&bad, "nobody");
    reply r = d_exchange(h.fd, &bad); /* overtakes: no empty ACK came before it */
    assert_int_equal(r.code, 404);
    d_send(h.fd, &d);
    h_wait_submits(&h, 2);
    sy_coap_synced(h.server, 1);
    for (int i = 0; i < 2; i++) { /* one for each datagram */
        r = d_receive(h.fd, 5000);
        assert_int_equal(r.type, H_TYPE_ACK);
        assert_int_equal(r.code, 204);
        assert_int_equal(r.mid, 1);
        assert_string_equal(r.token, "s1");
    }
    assert_int_equal(d_exchange(h.fd, &d).code, 204); /* synced already */
    assert_int_equal(h.n_kept, 1);
    assert_int_equal(h.kept[0].m.flags, SY_MSG_PROMISE | SY_MSG_UNAUTHENTICATED);
    datagram open = d_begin(H_TYPE_CON, H_POST, 9, "s9");
    d_path(&open, "num-1");
    d_payload(&open, "5", 1);
    d_send(h.fd, &open);
    h_wait_kept(&h, 2);
    h_stop(&h); /* with an answer outstanding */
}

static uint32_t rnd(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

/* As a device does: what the flood pushed out of the socket's buffer is sent again. */
static void still_answers(int fd, unsigned mid)
{
    datagram d = d_begin(H_TYPE_CON, H_POST, mid, "still");
    reply r = {.none = true};
    d_path(&d, "num-1");
    d_payload(&d, "1", 1);
    for (int i = 0; i < 10 && (r.none || r.mid != mid); i++) {
        d_send(fd, &d);
        r = d_receive(fd, 1000);
    }
    assert_false(r.none);
    assert_int_equal(r.code, 204);
    assert_int_equal(r.mid, mid);
}

static void drain(int fd)
{
    while (!d_receive(fd, 0).none)
        ;
}

/* Random bytes, and good requests with a few bytes turned, cut or lengthened. */
static void survives_hostile_datagrams(void **state)
{
    (void)state;
    harness h;
    uint32_t seed = 0x5eed;
    h_start(&h, false, NULL);
    int noisy = h_socket(&h);
    for (unsigned i = 0; i < 6000; i++) {
        datagram d = d_begin((int)(rnd(&seed) % 4), (int)(rnd(&seed) % 8), i, "fuzz");
        d_path(&d, rnd(&seed) % 2 ? "num-1" : "sen-1");
        d_option_uint(&d, 27, rnd(&seed) & 0xffff);
        d_payload(&d, SENML, rnd(&seed) % sizeof SENML);
        if (i % 3 == 0)
            for (size_t k = 0; k < d.n; k++)
                d.b[k] = (unsigned char)rnd(&seed);
        else
            for (unsigned k = rnd(&seed) % 6; k > 0; k--)
                d.b[rnd(&seed) % d.n] = (unsigned char)rnd(&seed);
        d.n -= rnd(&seed) % 4 == 0 ? rnd(&seed) % d.n : 0;
        (void)send(noisy, d.b, d.n, 0);
        if (i % 500 == 499) {
            drain(noisy);
            still_answers(h.fd, 20000 + i);
        }
    }
    close(noisy);
    h_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_and_answers),
        cmocka_unit_test(refuses_with_a_reason),
        cmocka_unit_test(knows_its_paths_and_methods),
        cmocka_unit_test(lists_where_readings_go),
        cmocka_unit_test(answers_a_retransmission_alike),
        cmocka_unit_test(takes_what_needs_no_answer),
        cmocka_unit_test(says_when_nothing_can_be_kept),
        cmocka_unit_test(strict_waits_for_the_sync),
        cmocka_unit_test(survives_hostile_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
