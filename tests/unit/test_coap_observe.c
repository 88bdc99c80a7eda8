/* SPDX-License-Identifier: Apache-2.0 */
/* Observed devices: the test is the server, in raw datagrams. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "coap_harness.h"
#include "drivers/coap/url.h"
#include "drivers/coap/watch.h"

enum { GET = 1, CONTENT = 0x45, NOT_FOUND = 0x84, OBSERVE = 6, MAX_AGE = 14, BLOCK2 = 23, RST = 3 };

typedef struct peer {
    harness h;
    int fd;
    uint16_t port;
    struct sockaddr_in from; /* the gateway, as it was heard last */
    char url[64];
    sy_device device;
    reply ask; /* the registration */
} peer;

static int listen_at(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static reply heard(peer *p, int timeout_ms)
{
    unsigned char b[2048];
    socklen_t size = sizeof p->from;
    struct pollfd w = {.fd = p->fd, .events = POLLIN};
    if (poll(&w, 1, timeout_ms) != 1)
        return (reply){.none = true};
    ssize_t n = recvfrom(p->fd, b, sizeof b, 0, (struct sockaddr *)&p->from, &size);
    assert_true(n >= 4);
    return d_parse(b, (size_t)n);
}

static void say(peer *p, const datagram *d)
{
    assert_int_equal(sendto(p->fd, d->b, d->n, 0, (struct sockaddr *)&p->from, sizeof p->from),
                     (ssize_t)d->n);
}

/* The next request, which must be this one. */
static reply asked(peer *p, int observe, int block2)
{
    reply r = heard(p, 5000);
    assert_false(r.none);
    if (r.code != GET || r.observe != observe || r.block2 != block2)
        fail_msg("type %d code %d observe %d block2 %d", r.type, r.code, r.observe, r.block2);
    assert_string_equal(r.path, "/temp?u=C");
    assert_int_equal(r.n_token, 8);
    return r;
}

static void begin(peer *p, bool strict, const char *format)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    *p = (peer){.fd = listen_at(0)};
    assert_int_equal(getsockname(p->fd, (struct sockaddr *)&at, &size), 0);
    p->port = ntohs(at.sin_port);
    snprintf(p->url, sizeof p->url, "coap://127.0.0.1:%u/temp?u=C", p->port);
    p->device = (sy_device){
        .id = "srv-1", .transport = SY_TRANSPORT_COAP, .format = format, .observe = p->url};
    h_begin(&p->h, strict);
    h_devices(&p->h, &p->device, 1);
    h_serve(&p->h, NULL);
    p->ask = asked(p, 0, -1);
    assert_int_equal(p->ask.type, H_TYPE_CON);
}

static void end(peer *p)
{
    h_stop(&p->h);
    close(p->fd);
}

static datagram content(const reply *to, int type, unsigned mid, int observe)
{
    char token[9] = "";
    memcpy(token, to->token, 8);
    datagram d = d_begin(type, CONTENT, mid, "");
    d.b[0] |= 8;
    memcpy(d.b + 4, token, 8);
    d.n += 8;
    if (observe >= 0)
        d_option_uint(&d, OBSERVE, (unsigned)observe);
    return d;
}

static datagram notification(const peer *p, int type, unsigned mid, int observe, const char *text)
{
    datagram d = content(&p->ask, type, mid, observe);
    d_payload(&d, text, strlen(text));
    return d;
}

static void answer(peer *p, int observe, const char *text)
{
    datagram d = notification(p, H_TYPE_ACK, p->ask.mid, observe, text);
    say(p, &d);
}

static void is_ack(reply r, unsigned mid)
{
    assert_false(r.none);
    if (r.type != H_TYPE_ACK || r.code != 0 || r.mid != mid)
        fail_msg("not the acknowledgement of %u: type %d code %d mid %u", mid, r.type, r.code,
                 r.mid);
}

static void reported(peer *p, const char *what)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    for (int i = 0; i < 500; i++) {
        sy_buf_reset(&b);
        sy_coap_report(p->h.server, &b);
        if (strstr(b.p, what))
            break;
        poll(NULL, 0, 10);
    }
    if (!strstr(b.p, what))
        fail_msg("%s not in %s", what, b.p);
    sy_buf_fini(&b);
}

static void keeps_notifications_once(void **state)
{
    (void)state;
    peer p;
    begin(&p, false, "number");
    answer(&p, 5, "21.5");
    h_wait_kept(&p.h, 1);
    const sy_message *m = &p.h.kept[0].m;
    assert_int_equal(m->transport, SY_TRANSPORT_COAP);
    assert_int_equal(m->flags, SY_MSG_UNAUTHENTICATED);
    assert_true(sy_span_is(m->source, "srv-1") && sy_span_is(m->payload, "21.5"));
    datagram d = notification(&p, H_TYPE_CON, 100, 6, "22");
    say(&p, &d);
    is_ack(heard(&p, 5000), 100);
    h_wait_kept(&p.h, 2);
    assert_int_equal(p.h.kept[1].m.flags, SY_MSG_PROMISE | SY_MSG_UNAUTHENTICATED);
    say(&p, &d); /* sent again, as if the acknowledgement had been lost */
    datagram non = notification(&p, H_TYPE_NON, 101, 7, "23");
    say(&p, &non);
    h_wait_kept(&p.h, 3);
    assert_int_equal(p.h.kept[2].m.flags, SY_MSG_UNAUTHENTICATED);
    datagram old = notification(&p, H_TYPE_CON, 102, 4, "19");
    say(&p, &old);
    is_ack(heard(&p, 5000), 102);
    reported(&p, "\"state\":\"live\",\"kept\":3,\"stale\":1,\"asked\":1,\"restarts\":0");
    datagram other = notification(&p, H_TYPE_CON, 103, 8, "24");
    other.b[4] ^= 0xff;
    say(&p, &other);
    reply r = heard(&p, 5000);
    assert_int_equal(r.type, RST);
    assert_int_equal(r.mid, 103);
    assert_int_equal(p.h.n_kept, 3);
    /* Wrong ones are acknowledged, since they would only come again. */
    datagram bad = notification(&p, H_TYPE_CON, 104, 9, "none");
    say(&p, &bad);
    is_ack(heard(&p, 5000), 104);
    h_wait_rejected(&p.h, SY_REJECT_MALFORMED, 1);
    assert_string_equal(p.h.refused, "srv-1");
    end(&p);
}

static void says_farewell(void **state)
{
    (void)state;
    peer p;
    begin(&p, false, "number");
    answer(&p, 5, "21.5");
    h_wait_kept(&p.h, 1);
    h_devices(&p.h, &p.device, 0);
    sy_coap_reload(p.h.server, &(sy_coap_files){.psk = NULL});
    reply r = asked(&p, 1, -1);
    assert_memory_equal(r.token, p.ask.token, 8);
    h_devices(&p.h, &p.device, 1);
    sy_coap_reload(p.h.server, &(sy_coap_files){.psk = NULL});
    p.ask = asked(&p, 0, -1);
    answer(&p, 5, "21.5");
    h_wait_kept(&p.h, 2);
    h_stop(&p.h);
    r = asked(&p, 1, -1);
    assert_memory_equal(r.token, p.ask.token, 8);
    close(p.fd);
}

static void strict_acknowledges_after_the_sync(void **state)
{
    (void)state;
    peer p;
    begin(&p, true, "number");
    answer(&p, 5, "21.5");
    h_wait_kept(&p.h, 1);
    datagram d = notification(&p, H_TYPE_CON, 100, 6, "22");
    say(&p, &d);
    h_wait_kept(&p.h, 2);
    assert_true(heard(&p, 50).none);
    sy_coap_synced(p.h.server, 1);
    assert_true(heard(&p, 50).none);
    sy_coap_synced(p.h.server, 2);
    is_ack(heard(&p, 5000), 100);
    end(&p);
}

static void does_not_acknowledge_what_is_not_kept(void **state)
{
    (void)state;
    peer p;
    begin(&p, false, "number");
    answer(&p, 5, "21.5");
    h_wait_kept(&p.h, 1);
    p.h.answer = SY_E_FULL;
    datagram d = notification(&p, H_TYPE_CON, 100, 6, "22");
    say(&p, &d);
    h_wait_submits(&p.h, 2);
    p.h.answer = SY_OK;
    reply r = asked(&p, 0, -1); /* for the value of now, by the same token */
    assert_memory_equal(r.token, p.ask.token, 8);
    p.ask = r;
    answer(&p, 6, "22");
    h_wait_kept(&p.h, 2);
    end(&p);
}

#define SENML "[{\"n\":\"t\",\"v\":1},{\"n\":\"u\",\"v\":22}]"

static datagram block(const reply *to, int type, unsigned mid, int observe, unsigned number)
{
    size_t at = number * 16, n = strlen(SENML) - at;
    datagram d = content(to, type, mid, -1);
    d_option(&d, 4, "e", 1);
    if (observe >= 0)
        d_option_uint(&d, OBSERVE, (unsigned)observe);
    d_option_uint(&d, BLOCK2, number << 4 | (n > 16 ? 8 : 0));
    d_payload(&d, &SENML[at], n > 16 ? 16 : n);
    return d;
}

static void asks_for_the_other_blocks(void **state)
{
    (void)state;
    peer p;
    begin(&p, false, "senml-json");
    answer(&p, 5, SENML);
    h_wait_kept(&p.h, 1);
    datagram d = block(&p.ask, H_TYPE_CON, 100, 6, 0);
    say(&p, &d);
    for (unsigned i = 1; i < 3; i++) {
        reply r = asked(&p, -1, (int)i << 4);
        assert_memory_not_equal(r.token, p.ask.token, 8);
        d = block(&r, H_TYPE_ACK, r.mid, -1, i);
        say(&p, &d);
    }
    is_ack(heard(&p, 5000), 100);
    h_wait_kept(&p.h, 2);
    assert_true(sy_span_is(p.h.kept[1].m.payload, SENML));
    assert_int_equal(p.h.kept[1].m.flags, SY_MSG_PROMISE | SY_MSG_UNAUTHENTICATED);
    /* Another ETag: it has changed meanwhile, and is asked for from the beginning. */
    d = block(&p.ask, H_TYPE_CON, 101, 7, 0);
    say(&p, &d);
    reply r = asked(&p, -1, 1 << 4);
    d = block(&r, H_TYPE_ACK, r.mid, -1, 1);
    d.b[13] = 'f';
    say(&p, &d);
    p.ask = asked(&p, 0, -1);
    assert_int_equal(p.h.n_kept, 2);
    end(&p);
}

static void asks_again_before_it_is_too_old(void **state)
{
    (void)state;
    peer p;
    begin(&p, false, "number");
    for (int i = 0; i < 2; i++) {
        datagram d = content(&p.ask, H_TYPE_ACK, p.ask.mid, 90 - i * 40);
        d_option_uint(&d, MAX_AGE, 1);
        d_payload(&d, "1", 1);
        sy_ms at = sy_mono_ms();
        say(&p, &d);
        reply r = asked(&p, 0, -1);
        assert_true(sy_mono_ms() - at < 1000);
        assert_memory_equal(r.token, p.ask.token, 8);
        p.ask = r;
    }
    /* Its numbers fell back: it had started anew. */
    reported(&p, "\"kept\":2,\"stale\":0,\"asked\":3,\"restarts\":1");
    end(&p);
}

static void comes_back_to_a_dead_server(void **state)
{
    (void)state;
    peer p;
    begin(&p, false, "number");
    datagram d = d_begin(H_TYPE_ACK, NOT_FOUND, p.ask.mid, "");
    d.b[0] |= 8;
    memcpy(d.b + 4, p.ask.token, 8);
    d.n += 8;
    say(&p, &d);
    reported(&p, "\"state\":\"waiting\"");
    close(p.fd);
    reported(&p, "\"asked\":2"); /* the port is closed: the kernel says so */
    reported(&p, "\"state\":\"waiting\"");
    p.fd = listen_at(p.port);
    p.ask = asked(&p, 0, -1);
    answer(&p, 1, "4");
    h_wait_kept(&p.h, 1);
    end(&p);
}

static void survives_a_hostile_server(void **state)
{
    (void)state;
    peer p;
    uint32_t seed = 77;
    begin(&p, false, "senml-json");
    for (unsigned i = 0; i < 3000; i++) {
        datagram d = block(&p.ask, (int)(i % 4), i, (int)i, i % 3);
        for (unsigned k = i % 5; k > 0; k--) {
            seed = seed * 1664525 + 1013904223;
            /* behind the token: else it is one answer that ends it all */
            d.b[12 + (seed >> 8) % (d.n - 12)] = (unsigned char)(seed >> 16);
        }
        say(&p, &d);
        if (i % 50 == 0)
            while (!heard(&p, 0).none)
                ;
    }
    assert_int_equal(d_post(p.h.fd, 1, "nobody", "4").code, 404);
    end(&p);
}

static void knows_which_is_newer(void **state)
{
    (void)state;
    assert_true(sy_watch__newer(1, 2, 0));
    assert_false(sy_watch__newer(2, 1, 0));
    assert_false(sy_watch__newer(2, 2, 0));
    assert_false(sy_watch__newer(2, 1, 128000));
    assert_true(sy_watch__newer(2, 1, 128001));
    assert_true(sy_watch__newer(0xffffff, 0, 0));
    assert_false(sy_watch__newer(0, 0xffffff, 0));
    assert_true(sy_watch__newer(0, (1u << 23) - 1, 0));
    assert_false(sy_watch__newer(0, 1u << 23, 0));
}

static void reads_addresses(void **state)
{
    (void)state;
    sy_coap_url u;
    assert_true(sy_coap_url_parse(sy_span_of("coap://10.0.0.9/a/b%20c?x=1&y"), &u));
    assert_true(!u.tls && !u.v6 && u.port == 5683);
    assert_string_equal(u.host, "10.0.0.9");
    assert_string_equal(u.path, "a/b%20c");
    assert_string_equal(u.query, "x=1&y");
    assert_true(sy_coap_url_parse(sy_span_of("coaps://[fd00::9]:7"), &u));
    assert_true(u.tls && u.v6 && u.port == 7 && !u.path[0] && !u.query[0]);
    assert_true(sy_coap_url_parse(sy_span_of("coaps://1.2.3.4?q"), &u));
    assert_int_equal(u.port, 5684);
    static const char *const bad[] = {"",
                                      "http://1.2.3.4/",
                                      "coap://",
                                      "coap://name/a",
                                      "coap://1.2.3/a",
                                      "coap://[::1",
                                      "coap://1.2.3.4:",
                                      "coap://1.2.3.4:0",
                                      "coap://1.2.3.4:65536",
                                      "coap://1.2.3.4:5x",
                                      "coap://1.2.3.4/a b",
                                      "coap://1.2.3.4/a%2",
                                      "coap://1.2.3.4/a%zz",
                                      "coap://1.2.3.4/a#b",
                                      "coap://[1.2.3.4]/",
                                      "coap://1.2.3.4:99999999999999/"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (sy_coap_url_parse(sy_span_of(bad[i]), &u))
            fail_msg("'%s' was taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_notifications_once),
        cmocka_unit_test(says_farewell),
        cmocka_unit_test(strict_acknowledges_after_the_sync),
        cmocka_unit_test(does_not_acknowledge_what_is_not_kept),
        cmocka_unit_test(asks_for_the_other_blocks),
        cmocka_unit_test(asks_again_before_it_is_too_old),
        cmocka_unit_test(comes_back_to_a_dead_server),
        cmocka_unit_test(survives_a_hostile_server),
        cmocka_unit_test(knows_which_is_newer),
        cmocka_unit_test(reads_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
