/*
 * A CoAP client that posts many messages at once: what devices do, for `steelyard replay`.
 *
 * Confirmable POST /r/<device>, several in flight (NSTART raised; RFC 7252 4.7 asks for 1 across a
 * shared network, here it is the box's own loopback). One thread at a time.
 */
#ifndef SY_COAP_SEND_H
#define SY_COAP_SEND_H

#include "base/os.h"

typedef struct sy_coap_out {
    const char *device;
    uint16_t content_format;
    sy_span payload;
    /* Out: */
    uint16_t code;   /* 204, 404 …; 0: no answer */
    char reason[96]; /* the diagnostic payload of a refusal */
} sy_coap_out;

typedef struct sy_coap_sender sy_coap_sender;
/* `address` is "host:port" of the CoAP endpoint, an IP address. */
SY_MUST_USE sy_err sy_coap_sender_open(sy_coap_sender **out, const char *address, sy_fail *f);
/* Send those of v whose code is not yet 2.xx, and wait for every answer or the end of its
 * retransmissions. */
SY_MUST_USE sy_err sy_coap_sender_send(sy_coap_sender *s, sy_coap_out *v, size_t n, sy_fail *f);
void sy_coap_sender_close(sy_coap_sender *s);

#endif
