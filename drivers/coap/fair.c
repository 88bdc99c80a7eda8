/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the shares (share.h) get their signals from: the kernel counts what it dropped for each
 * socket that listens, but libcoap does not tell which those are, so they are looked for by their
 * ports.
 */
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/log.h"
#include "drivers/coap/coap_int.h"

enum { MOST_FDS = 4096, SLOW_MS = 100 };

static bool bound_to(int fd, uint16_t port)
{
    int type = 0;
    socklen_t n = sizeof type;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) != 0 || type != SOCK_DGRAM)
        return false;
    n = sizeof at;
    memset(&at, 0, sizeof at);
    return getsockname(fd, &at.any, &n) == 0 &&
           ((at.any.sa_family == AF_INET && ntohs(at.v4.sin_port) == port) ||
            (at.any.sa_family == AF_INET6 && ntohs(at.v6.sin6_port) == port));
}

void sy_coap__fair_find(sy_coap *c, int *fds)
{
    c->fds = fds;
    for (size_t i = 0; i < c->n_ports; i++) {
        fds[i] = -1;
        for (int fd = 0; fd < MOST_FDS && fds[i] < 0; fd++)
            if (bound_to(fd, c->ports[i]))
                fds[i] = fd;
    }
}

static uint64_t dropped(const sy_coap *c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < c->n_ports; i++) {
        uint32_t v[SK_MEMINFO_VARS] = {0};
        socklen_t n = sizeof v;
        if (c->fds[i] >= 0 && getsockopt(c->fds[i], SOL_SOCKET, SO_MEMINFO, v, &n) == 0)
            sum += v[SK_MEMINFO_DROPS];
    }
    return sum;
}

static void set_bars(const sy_coap *c)
{
    for (size_t i = 0; i < c->n_ports; i++)
        if (c->fds[i] >= 0)
            sy_coap_bar_set(&c->bars, c->fds[i], i >= c->o.n_listen);
}

static void turn(sy_coap *c, const sy_registry *devices, sy_ms now)
{
    sy_coap_share *s = &c->share;
    uint64_t before = c->dropped, after = dropped(c);
    __atomic_store_n(&c->dropped, after, __ATOMIC_RELAXED);
    if (c->bars.closed > 0)
        s->changed = now; /* what is dropped now is theirs, and says nothing */
    else if (after != before)
        sy_coap_share_trouble(s);
    if (sy_coap_bar_turn(&c->bars, now))
        set_bars(c);
    if (sy_coap_share_turn(s, now))
        sy_log(SY_LOG_WARN, "coap-flood", "device=%s dropped=%llu limit=%u",
               s->busiest < devices->n ? devices->devices[s->busiest].id : "strangers",
               (unsigned long long)(after - before), s->limit * (1000 / SY_SHARE_WINDOW_MS));
}

bool sy_coap__fair(sy_coap *c, const sy_registry *devices, const sy_device *d,
                   const sy_coap_peer *peer)
{
    char address[SY_COAP_PEER_TEXT];
    sy_ms now = sy_mono_ms();
    if (sy_coap_share_over(&c->share, now))
        turn(c, devices, now);
    size_t party = d ? (size_t)(d - devices->devices) : devices->n;
    if (sy_coap_share_take(&c->share, party, devices->n + 1))
        return true;
    if (peer && sy_coap_bar_above(&c->bars, peer, now)) {
        set_bars(c);
        sy_coap__peer_text(peer, address);
        sy_log(SY_LOG_WARN, "coap-barred", "device=%s peer=%s", d ? d->id : "strangers", address);
    }
    return false;
}

int sy_coap__fair_wait(const sy_coap *c, sy_ms now)
{
    sy_ms next = sy_coap_bar_next(&c->bars);
    return next < 0 ? -1 : next > now ? (int)(next - now) : 0;
}

void sy_coap__fair_open(sy_coap *c, sy_ms now)
{
    if (sy_coap__fair_wait(c, now) == 0 && sy_coap_bar_turn(&c->bars, now))
        set_bars(c);
}

sy_err sy_coap__submit(sy_coap *c, const sy_message *m, uint64_t *seq, bool *kept, sy_fail *f)
{
    sy_ms began = sy_mono_ms();
    sy_err e = c->intake->submit(c->intake->ctx, m, seq, kept, f);
    if (sy_mono_ms() - began >= SLOW_MS)
        sy_coap_share_trouble(&c->share);
    return e;
}

void sy_coap_losses(const sy_coap *c, uint64_t *dropped_by_kernel, uint64_t *held_back)
{
    *dropped_by_kernel = __atomic_load_n(&c->dropped, __ATOMIC_RELAXED);
    *held_back = __atomic_load_n(&c->share.held_back, __ATOMIC_RELAXED);
}
