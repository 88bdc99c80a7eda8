/*
 * Who gets how much of the CoAP thread. While all is well nobody is held back. When the kernel had
 * to drop datagrams, or an append blocked, and more than one party has been sending, each may only
 * have so many messages in a window: an even part of what was taken, halved for as long as the
 * trouble lasts, doubled with each quiet second. What is above that is dropped without an answer:
 * who sends confirmable requests slows down by that (RFC 7252 section 4.2).
 *
 * A party is a device that has proved itself, or all strangers together, so that nobody uses up the
 * part of another. Not thread-safe: the CoAP thread's.
 */
#ifndef SY_COAP_SHARE_H
#define SY_COAP_SHARE_H

#include "base/os.h"

enum { SY_SHARE_WINDOW_MS = 100, SY_SHARE_LEAST = 16 };

typedef struct sy_coap_share {
    uint32_t *count; /* of each party in this window */
    size_t n;
    size_t busiest;
    uint32_t taken, active; /* in this window: messages, parties */
    uint32_t limit;         /* of a party and window; 0: none */
    bool trouble;
    sy_ms window, changed, shared; /* when it began; when limit changed; when it was last shared */
    uint64_t held_back;            /* atomic */
} sy_coap_share;

void sy_coap_share_fini(sy_coap_share *s);
/* Has the window ended? Then tell of trouble, if there was any, and turn. */
bool sy_coap_share_over(const sy_coap_share *s, sy_ms now);
void sy_coap_share_trouble(sy_coap_share *s);
/* True where a limit came into force that was not there before; s->busiest is why. */
bool sy_coap_share_turn(sy_coap_share *s, sy_ms now);
/* May this party have one more? */
bool sy_coap_share_take(sy_coap_share *s, size_t party, size_t parties);

#endif
