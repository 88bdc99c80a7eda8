/* SPDX-License-Identifier: Apache-2.0 */
/* A line to slaves that do not do what they should: silence, garbage, an answer to another request,
 * one that drips in, one that comes late, a connection that ends. Nothing of it is ever taken for
 * the answer, and none holds the line longer than the time-out. */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/modbus/link.h"
#include "modbus_fake.h"

enum { TIMEOUT_MS = 150, SLACK_MS = 2000 };

static sy_mb_link *start(fake *k, fake_act what)
{
    sy_fail f;
    sy_mb_link *l = NULL;
    fake_start(k, what);
    assert_int_equal(sy_mb_link_open(&l, k->address, &f), SY_OK);
    assert_int_equal(sy_mb_link_connect(l, 1000, &f), SY_OK);
    return l;
}

static void finish(fake *k, sy_mb_link *l)
{
    sy_mb_link_close(l);
    fake_stop(k);
}

static bool good(int fd, uint8_t *request)
{
    return fake_answer(fd, request, 0x1234);
}

static bool silent(int fd, uint8_t *request)
{
    (void)fd, (void)request;
    return true;
}

static bool closes(int fd, uint8_t *request)
{
    (void)fd, (void)request;
    return false;
}

static bool garbage(int fd, uint8_t *request)
{
    (void)request;
    return write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28) == 28;
}

static bool of_another(int fd, uint8_t *request)
{
    request[1]++; /* the transaction */
    return fake_answer(fd, request, 0x6666);
}

static bool too_few(int fd, uint8_t *request)
{
    request[11]--;
    return fake_answer(fd, request, 0x6666);
}

static bool other_function(int fd, uint8_t *request)
{
    request[7] = 4;
    return fake_answer(fd, request, 0x6666);
}

static bool refuses(int fd, uint8_t *request)
{
    const uint8_t a[] = {request[0], request[1], 0, 0, 0, 3, request[6], 0x83, 2};
    return write(fd, a, sizeof a) == sizeof a;
}

/* A byte whenever the other end has waited for a third of its time, and never all. */
static bool drips(int fd, uint8_t *request)
{
    const uint8_t a[] = {request[0], request[1], 0, 0, 0, 7, request[6], 3, 4, 0, 1, 0, 2};
    for (size_t i = 0; i < sizeof a; i++) {
        struct pollfd gone = {.fd = fd, .events = POLLIN};
        if (send(fd, &a[i], 1, MSG_NOSIGNAL) != 1 || poll(&gone, 1, TIMEOUT_MS / 3) > 0)
            return false;
    }
    return true;
}

static sy_mb_result ask(sy_mb_link *l, sy_mb_answer *a)
{
    const sy_mb_read r = {SY_MB_HOLDING, 7, 2};
    sy_ms began = sy_mono_ms();
    memset(a, 0, sizeof *a);
    sy_mb_result result = sy_mb_link_ask(l, 9, &r, TIMEOUT_MS, a);
    assert_true(sy_mono_ms() - began < TIMEOUT_MS + SLACK_MS);
    return result;
}

static void test_good(void **state)
{
    (void)state;
    fake k;
    sy_mb_answer a;
    sy_mb_link *l = start(&k, good);
    assert_int_equal(ask(l, &a), SY_MB_ANSWERED);
    assert_int_equal(a.n, 6);
    assert_memory_equal(a.pdu, "\3\4\x12\x34\x12\x34", 6);
    finish(&k, l);
}

static void one(fake_act what, sy_mb_result want, bool stays)
{
    fake k;
    sy_mb_answer a;
    sy_mb_link *l = start(&k, what);
    assert_int_equal(ask(l, &a), want);
    assert_int_equal(a.n, 0);
    assert_true(want == SY_MB_REFUSED ? a.exception == 2 : a.why[0] != '\0');
    assert_int_equal(sy_mb_link_connected(l), stays);
    finish(&k, l);
}

static void test_bad(void **state)
{
    (void)state;
    one(refuses, SY_MB_REFUSED, true);
    one(silent, SY_MB_SILENT, false);
    one(closes, SY_MB_BROKEN, false);
    one(of_another, SY_MB_GARBLED, false);
    one(too_few, SY_MB_GARBLED, false);
    one(other_function, SY_MB_GARBLED, false);
    one(drips, SY_MB_SILENT, false);
}

static void test_garbage(void **state)
{
    (void)state;
    fake k;
    sy_mb_answer a;
    sy_mb_link *l = start(&k, garbage);
    assert_int_not_equal(ask(l, &a), SY_MB_ANSWERED);
    assert_int_equal(a.n, 0);
    assert_false(sy_mb_link_connected(l));
    finish(&k, l);
}

/* The late answer to a first request must not become that of a second one. */
static void test_late(void **state)
{
    (void)state;
    fake k;
    sy_mb_answer a;
    sy_fail f;
    sy_mb_link *l = start(&k, silent);
    assert_int_equal(ask(l, &a), SY_MB_SILENT);
    assert_false(sy_mb_link_connected(l)); /* so it has no way to come */
    assert_int_equal(sy_mb_link_connect(l, 1000, &f), SY_OK);
    assert_int_equal(ask(l, &a), SY_MB_SILENT);
    finish(&k, l);
}

static void test_nobody(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    char address[64];
    sy_fail f = {0};
    sy_mb_link *l = NULL;
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound, and nobody listens */
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    snprintf(address, sizeof address, "127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(sy_mb_link_open(&l, address, &f), SY_OK);
    assert_int_equal(sy_mb_link_connect(l, TIMEOUT_MS, &f), SY_E_IO);
    assert_non_null(strstr(f.text, "refused"));
    sy_mb_link_close(l);
    assert_int_equal(sy_mb_link_open(&l, "/dev/sy-no-such-line,9600,8N1", &f), SY_OK);
    assert_int_equal(sy_mb_link_connect(l, TIMEOUT_MS, &f), SY_E_IO);
    assert_non_null(strstr(f.text, "No such file"));
    sy_mb_link_close(l);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good), cmocka_unit_test(test_bad),    cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_late), cmocka_unit_test(test_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
