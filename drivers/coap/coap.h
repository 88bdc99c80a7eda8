/*
 * CoAP intake (RFC 7252, libcoap): POST or PUT /r/<device>, confirmable or not.
 *
 * 2.04 after the message is kept (balanced: at once in the handler; strict: late piggyback when it
 * is synced, without an empty ACK before it). Refused with a reason in plain English as payload,
 * and counted by the intake: 4.00 malformed, 4.01 no credential, 4.03 not from there or speaks for
 * another, 4.04 unknown device or path, 4.05 method, 4.08 a block that is not the next, 4.13 too
 * large (with Size1), 4.15 not the format of the device; 5.03 while nothing can be kept.
 * Non-confirmable requests get no answer, save for the blocks of a transfer.
 *
 * A retransmission is recognised by (peer, message id, token), the message's ident: submit says
 * that it is kept already, also after a restart, and it is answered alike; the answers to last
 * blocks are remembered for 247 s. Block1 (RFC 7959) is put together here, never by the library.
 *
 * Panels (devices with `panel`) observe /alerts/<device> (RFC 7641): what is active at their
 * premises; a POST to it acknowledges. Who may is as for /r/<device>.
 *
 * Devices that are servers are observed (drivers/coap/watch.h).
 *
 * A flood by one device slows that device (drivers/coap/share.h); an append that blocks holds up
 * all.
 *
 * Every coap_* call is on the thread "sy-coap", which is also the one that calls the intake.
 */
#ifndef SY_COAP_H
#define SY_COAP_H

#include "base/intake.h"
#include "drivers/registry.h"

typedef struct sy_coap sy_coap;
/* By what devices are known over DTLS; each may be NULL. */
typedef struct sy_coap_files {
    const char *psk; /* lines "identity:hex key"; a change counts at the next handshake */
    /* PEM, all three or none: whom devices' certificates must come from (and revocation lists),
     * own certificate with its chain, its key. Read at the start and at a reload. */
    const char *ca, *cert, *key;
} sy_coap_files;
typedef struct sy_coap_options {
    const char *const *listen; /* "127.0.0.1:5683"; port 0: a free one */
    size_t n_listen;
    const char *const *dtls_listen; /* PSK and certificates side by side */
    size_t n_dtls_listen;
    sy_coap_files files;
    size_t max_payload;
    sy_ms handshake; /* how long one may take before it counts as refused; 0: 5 s */
} sy_coap_options;

SY_MUST_USE sy_err sy_coap_start(sy_coap **out, const sy_coap_options *o, const sy_intake *intake,
                                 sy_registry_slot *devices, sy_fail *f);
/* The port of listener i (0-based over listen, then dtls_listen). */
uint16_t sy_coap_port(const sy_coap *c, size_t i);
/* strict: everything up to seq is synced. Any thread, not after sy_coap_stop. */
void sy_coap_synced(sy_coap *c, uint64_t seq);
/* Read the files again, from where they are now, and the devices. What cannot be read is logged and
 * leaves what was. Sessions that stand stay. Any thread, not after sy_coap_stop. */
void sy_coap_reload(sy_coap *c, const sy_coap_files *files);
/* What panels of these premises are shown, as JSON (50) and CBOR (60); those that observe it are
 * told where it is another. Copied. Any thread, not after sy_coap_stop. */
SY_MUST_USE sy_err sy_coap_show(sy_coap *c, const char *premises, sy_span json, sy_span cbor,
                                sy_fail *f);
/* What the kernel dropped of what came, and what was dropped because one sent too much. Any thread.
 */
void sy_coap_losses(const sy_coap *c, uint64_t *dropped, uint64_t *held_back);
/* The observed devices and how they do, as a JSON array. Any thread, not after sy_coap_stop. */
void sy_coap_report(sy_coap *c, sy_buf *json);
/* What waits for its sync is not answered any more: the device sends it again. NULL is allowed. */
void sy_coap_stop(sy_coap *c);

#endif
