/* SPDX-License-Identifier: Apache-2.0 */
/* Who sends: address, network, the identity of a message. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "drivers/coap/coap_int.h"

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void sy_coap__peer(const coap_session_t *session, sy_coap_peer *out)
{
    const coap_address_t *a = coap_session_get_addr_remote(session);
    *out = (sy_coap_peer){.dtls = coap_session_get_proto(session) == COAP_PROTO_DTLS};
    if (a->addr.sa.sa_family == AF_INET) {
        memcpy(out->addr, mapped, sizeof mapped);
        memcpy(out->addr + 12, &a->addr.sin.sin_addr, 4);
        memcpy(out->port, &a->addr.sin.sin_port, 2);
    } else {
        memcpy(out->addr, &a->addr.sin6.sin6_addr, 16);
        memcpy(out->port, &a->addr.sin6.sin6_port, 2);
    }
}

void sy_coap__peer_text(const sy_coap_peer *peer, char out[SY_COAP_PEER_TEXT])
{
    bool v4 = memcmp(peer->addr, mapped, sizeof mapped) == 0;
    if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? peer->addr + 12 : peer->addr, out,
                   SY_COAP_PEER_TEXT))
        out[0] = '\0';
}

bool sy_coap__from(const sy_coap_peer *peer, const sy_device *d)
{
    return sy_device_from(d, peer->addr);
}

void sy_coap__ident(const sy_coap_peer *peer, const coap_pdu_t *request,
                    const coap_block_b_t *block, sy_coap_ident *out)
{
    coap_bin_const_t token = coap_pdu_get_token(request);
    unsigned mid = (unsigned)coap_pdu_get_mid(request) & 0xffffu;
    size_t n = 0;
    memcpy(out->bytes, peer->addr, 16);
    memcpy(out->bytes + 16, peer->port, 2);
    n = 18;
    out->bytes[n++] = peer->dtls;
    out->bytes[n++] = (unsigned char)(mid >> 8);
    out->bytes[n++] = (unsigned char)(mid & 0xff);
    size_t t = token.length < 8 ? token.length : 8;
    if (t > 0)
        memcpy(out->bytes + n, token.s, t);
    n += t;
    if (block) {
        size_t at = (size_t)block->num << (block->szx + 4);
        for (int shift = 24; shift >= 0; shift -= 8)
            out->bytes[n++] = (unsigned char)(at >> shift & 0xff);
    }
    out->n = n;
}
