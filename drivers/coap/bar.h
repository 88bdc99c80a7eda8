/*
 * Peers that send so far above their share that the kernel has to drop what others send: they are
 * barred before the socket's buffer, by a filter on the listening sockets (classic BPF, which needs
 * no privilege), for 1 s at first, twice as long each time, at most 64 s. A peer is an address and
 * a port; a bar on plain CoAP does not touch DTLS, whose peers nobody else can play, nor the other
 * way round. At most SY_BARS at once; while one stands, what the sockets drop is no sign of
 * trouble.
 *
 * Not thread-safe: the CoAP thread's.
 */
#ifndef SY_COAP_BAR_H
#define SY_COAP_BAR_H

#include "drivers/coap/peer.h"

enum { SY_BARS = 8, SY_BAR_AFTER = 100 /* messages above the share in one window */ };

typedef struct sy_coap_bar {
    sy_coap_peer peer;
    bool used, closed;
    uint32_t above; /* messages above the share in this window */
    unsigned times; /* it was barred so often */
    sy_ms until;    /* closed: when it opens; else when it is forgotten */
} sy_coap_bar;

typedef struct sy_coap_bars {
    sy_coap_bar v[SY_BARS];
    size_t closed;
} sy_coap_bars;

/* One message above its share. True where the peer is barred from here on: set the filter. */
bool sy_coap_bar_above(sy_coap_bars *b, const sy_coap_peer *peer, sy_ms now);
/* When the first of those that are closed opens; -1: none is. */
sy_ms sy_coap_bar_next(const sy_coap_bars *b);
/* A window is over. True where somebody is let in again: set the filter. */
bool sy_coap_bar_turn(sy_coap_bars *b, sy_ms now);
/* Put the filter of those that are closed now on a listening socket. */
void sy_coap_bar_set(const sy_coap_bars *b, int fd, bool dtls);

#endif
