/* SPDX-License-Identifier: Apache-2.0 */
/* A CoAP client on a bare UDP socket: flood_coap PORT MESSAGES DEVICES WINDOW END_MS. Confirmable
 * POST /r/d<N>, a window of outstanding requests, retransmission after 200 ms.
 *
 * It looks for answers every 100 us, not at each: a sender that is woken by every answer drives the
 * server it measures from its core, and what is seen is the scheduler. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench_util.h"

enum { WINDOW_MAX = 1024 };

typedef struct slot {
    long message; /* -1: free */
    double sent;
    size_t n;
    unsigned char bytes[256];
} slot;

static size_t request(unsigned char *out, long i, long total, long devices, long end)
{
    char device[16], text[200];
    size_t dn = (size_t)snprintf(device, sizeof device, "d%ld", i % devices);
    size_t pn = (size_t)bench_message(text, sizeof text, i, total, devices, end);
    size_t at = 0;
    unsigned mid = (unsigned)(i & 0xffff);
    out[at++] = 0x42;
    out[at++] = 0x02;
    for (int k = 0; k < 2; k++) { /* message id, then the same as token */
        out[at++] = (unsigned char)(mid >> 8);
        out[at++] = (unsigned char)mid;
    }
    out[at++] = 0xb1;
    out[at++] = 'r';
    out[at++] = (unsigned char)dn;
    memcpy(out + at, device, dn);
    at += dn;
    out[at++] = 0x11;
    out[at++] = 110;
    out[at++] = 0xff;
    memcpy(out + at, text, pn);
    return at + pn;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("usage: flood_coap PORT MESSAGES DEVICES WINDOW END_MS\n", stderr);
        return 2;
    }
    long total = atol(argv[2]), devices = atol(argv[3]), window = atol(argv[4]);
    long end = atol(argv[5]), next = 0, acked = 0, again = 0, refused = 0;
    static slot slots[WINDOW_MAX];
    if (window < 1 || window > WINDOW_MAX || 65536 % window != 0) {
        fputs("WINDOW must divide 65536 and be at most 1024\n", stderr);
        return 2;
    }
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)atoi(argv[1])),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror("connect");
        return 1;
    }
    for (long i = 0; i < window; i++)
        slots[i].message = -1;
    double start = bench_now(), progress = start;
    while (acked < total) {
        while (next < total && slots[next % window].message < 0) {
            slot *s = &slots[next % window];
            s->n = request(s->bytes, next, total, devices, end);
            s->message = next++;
            s->sent = bench_now();
            if (send(fd, s->bytes, s->n, 0) < 0 && errno != ECONNREFUSED) {
                perror("send");
                return 1;
            }
        }
        struct timespec turn = {.tv_nsec = 100000};
        (void)ppoll(NULL, 0, &turn, NULL);
        bool ready = false;
        unsigned char in[512];
        ssize_t n;
        while ((n = recv(fd, in, sizeof in, MSG_DONTWAIT)) >= 4) {
            ready = true;
            long mid = in[2] << 8 | in[3];
            slot *s = &slots[mid % window];
            if (s->message >= 0 && (s->message & 0xffff) == mid && in[1] != 0) {
                refused += in[1] >> 5 != 2;
                s->message = -1;
                acked++;
                progress = bench_now();
            }
        }
        double now = bench_now();
        if (!ready)
            for (long i = 0; i < window; i++)
                if (slots[i].message >= 0 && now - slots[i].sent > 0.2) {
                    slots[i].sent = now;
                    again++;
                    (void)!send(fd, slots[i].bytes, slots[i].n, 0);
                }
        if (now - progress > 10) {
            fputs("no answer in 10 s\n", stderr);
            return 1;
        }
    }
    if (refused || again)
        fprintf(stderr, "refused %ld, sent again %ld\n", refused, again);
    bench_report(bench_now() - start, total);
    close(fd);
    return refused != 0;
}
