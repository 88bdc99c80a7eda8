/* SPDX-License-Identifier: Apache-2.0 */
/* See bar.h. */
#include "drivers/coap/bar.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "base/log.h"

enum {
    FIRST_MS = 1000,
    DOUBLED = 6, /* times at most */
    FORGOTTEN_MS = 60000,
    V4_SOURCE = 12, /* in the header of IPv4, of IPv6 */
    V6_SOURCE = 8,
    INSNS = SY_BARS * 11 + 1
};

static bool same(const sy_coap_peer *a, const sy_coap_peer *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Its place, or that of one who matters less; NULL where all are barred. */
static sy_coap_bar *place(sy_coap_bars *b, const sy_coap_peer *peer)
{
    sy_coap_bar *room = NULL;
    for (size_t i = 0; i < SY_BARS; i++) {
        sy_coap_bar *x = &b->v[i];
        if (x->used && same(&x->peer, peer))
            return x;
        if (!x->closed && (!room || !x->used || (room->used && x->above < room->above)))
            room = x;
    }
    if (room)
        *room = (sy_coap_bar){.peer = *peer, .used = true};
    return room;
}

bool sy_coap_bar_above(sy_coap_bars *b, const sy_coap_peer *peer, sy_ms now)
{
    sy_coap_bar *x = place(b, peer);
    if (!x || x->closed || ++x->above < SY_BAR_AFTER)
        return false;
    x->closed = true;
    x->until = now + ((sy_ms)FIRST_MS << (x->times < DOUBLED ? x->times : DOUBLED));
    x->times++;
    b->closed++;
    return true;
}

sy_ms sy_coap_bar_next(const sy_coap_bars *b)
{
    sy_ms next = -1;
    for (size_t i = 0; i < SY_BARS; i++)
        if (b->v[i].closed && (next < 0 || b->v[i].until < next))
            next = b->v[i].until;
    return next;
}

bool sy_coap_bar_turn(sy_coap_bars *b, sy_ms now)
{
    bool opened = false;
    for (size_t i = 0; i < SY_BARS; i++) {
        sy_coap_bar *x = &b->v[i];
        x->above = 0;
        if (!x->used || x->until > now)
            continue;
        if (x->closed) {
            x->closed = false;
            x->until = now + FORGOTTEN_MS;
            b->closed--;
            opened = true;
        } else if (x->until > 0) {
            *x = (sy_coap_bar){.used = false};
        }
    }
    return opened;
}

static uint32_t word(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return ntohl(v);
}

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Drop what comes from the peer. The filter of a UDP socket sees the UDP header first; the IP
 * header is reached by SKF_NET_OFF. */
static size_t drop(struct sock_filter *f, const sy_coap_peer *p)
{
    bool v4 = memcmp(p->addr, mapped, sizeof mapped) == 0;
    size_t words = v4 ? 1 : 4, n = 0;
    const unsigned char *addr = v4 ? p->addr + 12 : p->addr;
    uint32_t at = (uint32_t)SKF_NET_OFF + (v4 ? V4_SOURCE : V6_SOURCE);
    uint32_t port = (uint32_t)p->port[0] << 8 | p->port[1];
    f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0);
    f[n++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, (uint8_t)(2 * words + 1));
    for (size_t i = 0; i < words; i++) {
        f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + (uint32_t)(4 * i));
        f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word(addr + 4 * i), 0,
                                              (uint8_t)(2 * (words - 1 - i) + 1));
    }
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    return n;
}

void sy_coap_bar_set(const sy_coap_bars *b, int fd, bool dtls)
{
    struct sock_filter f[INSNS];
    size_t n = 0;
    int none = 0;
    for (size_t i = 0; i < SY_BARS; i++)
        if (b->v[i].closed && (b->v[i].peer.dtls != 0) == dtls)
            n += drop(f + n, &b->v[i].peer);
    if (n == 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none);
        return;
    }
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffffffffu);
    struct sock_fprog program = {.len = (unsigned short)n, .filter = f};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
        sy_log(SY_LOG_WARN, "coap-bar-failed", "errno=%d", errno);
}
