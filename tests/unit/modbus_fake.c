/* SPDX-License-Identifier: Apache-2.0 */
/* See modbus_fake.h. */
#include "modbus_fake.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static bool readable(const fake *k, int fd)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = k->stop[0], .events = POLLIN}};
    return poll(p, 2, -1) > 0 && !p[1].revents;
}

static void serve(const fake *k, int fd)
{
    uint8_t request[FAKE_ASKED];
    size_t had = 0;
    while (readable(k, fd)) {
        ssize_t n = read(fd, request + had, FAKE_ASKED - had);
        if (n <= 0)
            return;
        had += (size_t)n;
        if (had < FAKE_ASKED)
            continue;
        had = 0;
        if (!k->act(fd, request))
            return;
    }
}

static void *run(void *arg)
{
    const fake *k = arg;
    while (readable(k, k->listener)) {
        int fd = accept(k->listener, NULL, NULL);
        if (fd >= 0) {
            serve(k, fd);
            close(fd);
        }
    }
    return NULL;
}

void fake_start(fake *k, fake_act act)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    k->act = act;
    k->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(k->listener, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(k->listener, 4), 0);
    assert_int_equal(getsockname(k->listener, (struct sockaddr *)&at, &n), 0);
    assert_int_equal(pipe(k->stop), 0);
    snprintf(k->address, sizeof k->address, "127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&k->thread, NULL, run, k), 0);
}

void fake_stop(fake *k)
{
    close(k->stop[1]);
    pthread_join(k->thread, NULL);
    close(k->stop[0]);
    close(k->listener);
}

bool fake_answer(int fd, const uint8_t *request, uint16_t value)
{
    uint8_t a[300];
    unsigned count = request[11], n = 9 + 2 * count;
    memcpy(a, request, 8);
    a[4] = 0;
    a[5] = (uint8_t)(n - 6);
    a[8] = (uint8_t)(2 * count);
    for (unsigned i = 0; i < count; i++) {
        a[9 + 2 * i] = (uint8_t)(value >> 8);
        a[10 + 2 * i] = (uint8_t)value;
    }
    return send(fd, a, n, MSG_NOSIGNAL) == (ssize_t)n;
}
