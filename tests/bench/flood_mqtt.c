/* SPDX-License-Identifier: Apache-2.0 */
/* An MQTT 3.1.1 publisher on a bare socket, as cheap as can be, so that a benchmark measures the
 * receiver: flood_mqtt PORT MESSAGES DEVICES WINDOW END_MS [USER PASSWORD]. Topics bench/d0 …,
 * QoS 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench_util.h"

enum { CHUNK = 65536 };

static size_t put_text(unsigned char *out, const char *text)
{
    size_t n = strlen(text) & 0xff;
    out[0] = 0;
    out[1] = (unsigned char)n;
    memcpy(out + 2, text, n);
    return n + 2;
}

/* CONNECT; with a user name and password, or without. */
static size_t greeting(unsigned char *out, const char *user, const char *password)
{
    size_t at = 2;
    at += put_text(out + at, "MQTT");
    out[at++] = 4;
    out[at++] = user ? 0xc2 : 2;
    out[at++] = 0;
    out[at++] = 0;
    at += put_text(out + at, "flood");
    if (user) {
        at += put_text(out + at, user);
        at += put_text(out + at, password);
    }
    out[0] = 0x10;
    out[1] = (unsigned char)(at - 2); /* below 128 */
    return at;
}

static int dial(int port, const char *user, const char *password)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror("connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    unsigned char hello[600], ack[4];
    size_t n = greeting(hello, user, password);
    if (write(fd, hello, n) != (ssize_t)n || read(fd, ack, 4) != 4 || ack[3] != 0) {
        fputs("no CONNACK\n", stderr);
        exit(1);
    }
    return fd;
}

static size_t publish(unsigned char *out, long i, long total, long devices, long end)
{
    char topic[32], text[200];
    size_t tn = (size_t)snprintf(topic, sizeof topic, "bench/d%ld", i % devices);
    size_t pn = (size_t)bench_message(text, sizeof text, i, total, devices, end);
    size_t body = 2 + tn + 2 + pn, at = 0;
    unsigned id = (unsigned)(i % 65535) + 1;
    out[at++] = 0x32;
    if (body > 127) {
        out[at++] = (unsigned char)(body % 128 | 0x80);
        out[at++] = (unsigned char)(body / 128);
    } else {
        out[at++] = (unsigned char)body;
    }
    out[at++] = (unsigned char)(tn >> 8);
    out[at++] = (unsigned char)tn;
    memcpy(out + at, topic, tn);
    at += tn;
    out[at++] = (unsigned char)(id >> 8);
    out[at++] = (unsigned char)id;
    memcpy(out + at, text, pn);
    return at + pn;
}

static void write_all(int fd, const unsigned char *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);
        if (w < 0) {
            perror("write");
            exit(1);
        }
        p += w;
        n -= (size_t)w;
    }
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 8) {
        fputs("usage: flood_mqtt PORT MESSAGES DEVICES WINDOW END_MS [USER PASSWORD]\n", stderr);
        return 2;
    }
    long total = atol(argv[2]), devices = atol(argv[3]), window = atol(argv[4]);
    long end = atol(argv[5]), sent = 0, acked = 0;
    int fd = dial(atoi(argv[1]), argc == 8 ? argv[6] : NULL, argc == 8 ? argv[7] : NULL);
    static unsigned char out[CHUNK + 512], in[CHUNK];
    double start = bench_now();
    while (acked < total) {
        size_t n = 0;
        while (sent < total && sent - acked < window && n < CHUNK)
            n += publish(out + n, sent++, total, devices, end);
        write_all(fd, out, n);
        struct pollfd p = {fd, POLLIN, 0};
        if (poll(&p, 1, 10000) <= 0) {
            fputs("no PUBACK in 10 s\n", stderr);
            return 1;
        }
        /* A PUBACK is four bytes; count bytes, whole or not. */
        static size_t bytes = 0;
        ssize_t got = read(fd, in, sizeof in);
        if (got <= 0) {
            fputs("connection closed\n", stderr);
            return 1;
        }
        bytes += (size_t)got;
        acked = (long)(bytes / 4);
    }
    bench_report(bench_now() - start, total);
    close(fd);
    return 0;
}
