/*
 * CoAP intake (RFC 7252, libcoap): POST or PUT /r/<device>, confirmable or not.
 *
 * 2.04 after the message is kept (balanced: at once in the handler; strict: late piggyback when it
 * is synced). 4.00 malformed, 4.01 no credential, 4.03 not from there, 4.04 unknown device, 4.13
 * too large (with Size1), 4.15 unknown content format, 5.03 while nothing can be kept; each with a
 * diagnostic payload. A retransmission is recognised by (peer, message id, token), the message's
 * ident: submit says that it is kept already, also after a restart, and it is answered alike; the
 * answers of block-wise transfers are cached per session. Block1 (RFC 7959) is put together here,
 * never by the library. Every coap_* call is on the thread "sy-coap".
 */
#ifndef SY_COAP_H
#define SY_COAP_H

#include "base/intake.h"
#include "drivers/registry.h"

typedef struct sy_coap sy_coap;
typedef struct sy_coap_options {
    const char *const *listen;      /* "127.0.0.1:5683"; port 0: a free one */
    size_t n_listen;
    const char *const *dtls_listen; /* PSK */
    size_t n_dtls_listen;
    const char *psk_file;           /* lines "identity:hex key" */
    size_t max_payload;
} sy_coap_options;

SY_MUST_USE sy_err sy_coap_start(sy_coap **out, const sy_coap_options *o, const sy_intake *intake,
                                 sy_registry_slot *devices, sy_fail *f);
/* The port of listener i (0-based over listen, then dtls_listen). */
uint16_t sy_coap_port(const sy_coap *c, size_t i);
/* strict: everything up to seq is synced; any thread. */
void sy_coap_synced(sy_coap *c, uint64_t seq);
void sy_coap_stop(sy_coap *c);

#endif
