/* SPDX-License-Identifier: Apache-2.0 */
/* A flood by one CoAP device slows that device and nobody else: the shares, the bars, and both in a
 * server that is flooded. */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "coap_harness.h"
#include "drivers/coap/bar.h"
#include "drivers/coap/share.h"

enum { PARTIES = 5 };

/* One window: party p sends n[p] messages. How many of those of party 0 were taken. */
static uint32_t window(sy_coap_share *s, sy_ms *now, bool trouble, const uint32_t *n)
{
    uint32_t taken = 0;
    for (size_t p = 0; p < PARTIES; p++)
        for (uint32_t i = 0; i < n[p]; i++)
            taken += sy_coap_share_take(s, p, PARTIES) && p == 0;
    *now += SY_SHARE_WINDOW_MS;
    assert_true(sy_coap_share_over(s, *now));
    if (trouble)
        sy_coap_share_trouble(s);
    sy_coap_share_turn(s, *now);
    return taken;
}

static void holds_back_who_takes_too_much(void **state)
{
    (void)state;
    sy_coap_share s = {.n = 0};
    sy_ms now = 1000;
    static const uint32_t alone[PARTIES] = {4000}, flood[PARTIES] = {4000, 4},
                          calm[PARTIES] = {100, 4};
    sy_coap_share_turn(&s, now);
    for (int i = 0; i < 10; i++) /* alone it may have all, whatever is dropped */
        assert_int_equal(window(&s, &now, true, alone), 4000);
    for (int i = 0; i < 10; i++) /* and all is well while nothing is dropped */
        assert_int_equal(window(&s, &now, false, flood), 4000);
    assert_int_equal(window(&s, &now, true, flood), 4000);
    assert_int_equal(s.busiest, 0);
    assert_int_equal(window(&s, &now, true, flood), 2002);
    assert_int_equal(window(&s, &now, true, flood), 1001);
    for (int i = 0; i < 10; i++)
        (void)window(&s, &now, true, flood);
    assert_int_equal(window(&s, &now, true, flood), SY_SHARE_LEAST);
    assert_true(s.held_back > 0);
    /* Quiet seconds: twice as much each time, then no limit. */
    for (int i = 0; i < 40; i++)
        (void)window(&s, &now, false, calm);
    assert_int_equal(window(&s, &now, false, calm), 100);
    for (int i = 0; i < 200; i++)
        (void)window(&s, &now, false, calm);
    assert_int_equal(window(&s, &now, false, flood), 4000);
    /* Another configuration. */
    assert_true(sy_coap_share_take(&s, 9, 10));
    sy_coap_share_fini(&s);
}

static sy_coap_peer peer_of(int fd, bool v6)
{
    sy_coap_peer p = {.dtls = 0};
    struct sockaddr_in6 at;
    socklen_t n = sizeof at;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    if (v6) {
        memcpy(p.addr, &at.sin6_addr, 16);
        memcpy(p.port, &at.sin6_port, 2);
    } else {
        p.addr[10] = p.addr[11] = 0xff;
        memcpy(p.addr + 12, &((struct sockaddr_in *)&at)->sin_addr, 4);
        memcpy(p.port, &((struct sockaddr_in *)&at)->sin_port, 2);
    }
    return p;
}

static int bound(bool v6)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, v6 ? (struct sockaddr *)&six : (struct sockaddr *)&four,
                          v6 ? sizeof six : sizeof four),
                     0);
    return fd;
}

static bool gets_through(int from, int to)
{
    char byte;
    struct pollfd p = {.fd = to, .events = POLLIN};
    assert_int_equal(send(from, "x", 1, 0), 1);
    bool there = poll(&p, 1, 0) == 1; /* on loopback it is there when send returns */
    while (recv(to, &byte, 1, MSG_DONTWAIT) > 0)
        ;
    return there;
}

static void bar(sy_coap_bars *b, const sy_coap_peer *p, sy_ms now)
{
    for (int i = 1; i < SY_BAR_AFTER; i++)
        assert_false(sy_coap_bar_above(b, p, now));
    assert_true(sy_coap_bar_above(b, p, now));
    assert_false(sy_coap_bar_above(b, p, now));
}

static void bars_one_peer_before_the_buffer(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        sy_coap_bars b = {.closed = 0};
        int server = bound(v6), noisy = bound(v6), quiet = bound(v6);
        struct sockaddr_in6 at;
        socklen_t n = sizeof at;
        assert_int_equal(getsockname(server, (struct sockaddr *)&at, &n), 0);
        assert_int_equal(connect(noisy, (struct sockaddr *)&at, n), 0);
        assert_int_equal(connect(quiet, (struct sockaddr *)&at, n), 0);
        sy_coap_peer p = peer_of(noisy, v6), q = peer_of(quiet, v6), third = p;
        third.port[0] ^= 1;
        bar(&b, &third, 0);
        bar(&b, &p, 0);
        assert_int_equal(b.closed, 2);
        sy_coap_bar_set(&b, server, true); /* a listener of DTLS: not for it */
        assert_true(gets_through(noisy, server));
        sy_coap_bar_set(&b, server, false);
        assert_false(gets_through(noisy, server));
        assert_true(gets_through(quiet, server));
        assert_int_equal(sy_coap_bar_next(&b), 1000);
        assert_false(sy_coap_bar_turn(&b, 999));
        assert_true(sy_coap_bar_turn(&b, 1000));
        assert_int_equal(sy_coap_bar_next(&b), -1);
        sy_coap_bar_set(&b, server, false);
        assert_true(gets_through(noisy, server));
        bar(&b, &p, 1100);
        assert_int_equal(sy_coap_bar_next(&b), 1100 + 2000); /* twice as long */
        for (unsigned i = 2; i < 20; i++) {
            sy_coap_peer more = q;
            more.port[1] = (unsigned char)i;
            for (int k = 0; k < SY_BAR_AFTER; k++)
                (void)sy_coap_bar_above(&b, &more, 1100);
        }
        assert_int_equal(b.closed, SY_BARS);
        sy_coap_bar_set(&b, server, false);
        assert_false(gets_through(noisy, server));
        close(server);
        close(noisy);
        close(quiet);
    }
}

typedef struct flood {
    int fd;
    bool stop; /* atomic */
} flood;

enum { BATCH = 64 };

/* Without looking at answers, and many to a system call: more than any server can take. */
static void *pour(void *arg)
{
    flood *f = arg;
    datagram d[BATCH];
    struct mmsghdr m[BATCH] = {{.msg_len = 0}};
    struct iovec io[BATCH];
    for (unsigned i = 0; i < BATCH; i++) {
        d[i] = d_begin(H_TYPE_NON, H_POST, i, "flood");
        d_path(&d[i], "num-1");
        d_payload(&d[i], "1", 1);
        io[i] = (struct iovec){d[i].b, d[i].n};
        m[i].msg_hdr = (struct msghdr){.msg_iov = &io[i], .msg_iovlen = 1};
    }
    while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED))
        (void)sendmmsg(f->fd, m, BATCH, 0);
    return NULL;
}

/* As a device does it, but with 200 ms for ACK_TIMEOUT: how often it had to send again. */
static unsigned send_until_answered(int fd, unsigned mid, const char *device)
{
    datagram d = d_begin(H_TYPE_CON, H_POST, mid, "still");
    d_path(&d, device);
    d_payload(&d, "1", 1);
    for (unsigned again = 0; again < 50; again++) {
        d_send(fd, &d);
        reply r;
        do
            r = d_receive(fd, 200);
        while (!r.none && r.mid != mid);
        if (!r.none) {
            assert_int_equal(r.code, 204);
            return again;
        }
    }
    fail_msg("no answer");
    return 0;
}

static void a_flood_costs_the_others_nothing(void **state)
{
    (void)state;
    harness h;
    pthread_t threads[2];
    uint64_t dropped, held_back;
    unsigned again = 0;
    h_start(&h, false, NULL);
    flood f = {.fd = h_socket(&h)};
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pour, &f), 0);
    /* Until it is noticed: the kernel drops what comes, of the quiet one too. */
    for (unsigned i = 0; i < 100; i++) {
        (void)send_until_answered(h.fd, i, "half-2");
        sy_coap_losses(h.server, &dropped, &held_back);
        if (held_back >= SY_BAR_AFTER)
            break;
        poll(NULL, 0, 5);
    }
    assert_true(held_back >= SY_BAR_AFTER);
    for (unsigned i = 0; i < 100; i++)
        again += send_until_answered(h.fd, 1000 + i, "half-2");
    if (again > 10)
        fail_msg("the quiet device sent again %u times in 100", again);
    __atomic_store_n(&f.stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    /* It is let in again without anyone else sending anything. */
    (void)send_until_answered(f.fd, 1, "num-1");
    close(f.fd);
    h_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_back_who_takes_too_much),
        cmocka_unit_test(bars_one_peer_before_the_buffer),
        cmocka_unit_test(a_flood_costs_the_others_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
