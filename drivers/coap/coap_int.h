/*
 * Inside drivers/coap/: who a request comes from, block-wise bodies, PSK keys. All of it is used on
 * the CoAP thread alone.
 */
#ifndef SY_COAP_INT_H
#define SY_COAP_INT_H

#include <pthread.h>

#include <coap3/coap.h>

#include "drivers/coap/alerts.h"
#include "drivers/coap/bar.h"
#include "drivers/coap/coap.h"
#include "drivers/coap/share.h"
#include "drivers/formats/format.h"

void sy_coap__peer(const coap_session_t *session, sy_coap_peer *out);
/* Its address as text. */
enum { SY_COAP_PEER_TEXT = 64 };
void sy_coap__peer_text(const sy_coap_peer *peer, char out[SY_COAP_PEER_TEXT]);
/* Is the address in the network that the device may send from? */
bool sy_coap__from(const sy_coap_peer *peer, const sy_device *d);

/* The identity of a message: peer, message id, token; of one block of a body also where it begins
 * (NULL: the message is whole). */
typedef struct sy_coap_ident {
    unsigned char bytes[36];
    size_t n;
} sy_coap_ident;
void sy_coap__ident(const sy_coap_peer *peer, const coap_pdu_t *request,
                    const coap_block_b_t *block, sy_coap_ident *out);

typedef struct sy_coap_blocks sy_coap_blocks;   /* blocks.h */
typedef struct sy_coap_answers sy_coap_answers; /* blocks.h */

/* Keys by identity, from the file; read again when the file has changed. */
typedef struct sy_coap_psk sy_coap_psk;
SY_MUST_USE sy_err sy_coap__psk_open(sy_coap_psk **out, const char *file, sy_fail *f);
void sy_coap__psk_close(sy_coap_psk *p);
/* The key, borrowed until the next call, or NULL. */
const coap_bin_const_t *sy_coap__psk_find(sy_coap_psk *p, sy_span identity);

/* Authorities, own certificate and key, as the files say; a former one stays in use until it is
 * replaced. Needs OpenSSL, which libcoap is built on. */
typedef struct sy_coap_cert sy_coap_cert;
SY_MUST_USE sy_err sy_coap__cert_open(sy_coap_cert **out, const sy_coap_files *files, sy_fail *f);
void sy_coap__cert_close(sy_coap_cert *t);
/* Hand c->cert to libcoap; what it had before may be closed then. */
SY_MUST_USE bool sy_coap__cert_use(sy_coap *c);
typedef enum sy_cert_says {
    SY_CERT_NONE,
    SY_CERT_OWN,
    SY_CERT_OTHER,
    SY_CERT_EXPIRED
} sy_cert_says;
/* What the certificate of this session says of a device; NONE: it has none. */
sy_cert_says sy_coap__cert_of(const coap_session_t *session, const char *id);
/* Why OpenSSL broke off; empties its list of errors. */
void sy_coap__tls_reason(char *out, size_t size);

/* Keys and certificates for the DTLS listeners. What of them cannot be used at the start is an
 * error for pre-shared keys, and a logged line for certificates: a renewal that went wrong must not
 * keep the gateway from starting. */
SY_MUST_USE sy_err sy_coap__keys_open(sy_coap *c, sy_fail *f);
/* Take c->next. */
void sy_coap__keys_reload(sy_coap *c);
sy_coap_files sy_coap__files_copy(const sy_coap_files *files);
void sy_coap__files_fini(sy_coap_files *files);

/* A DTLS handshake under way, named by its identity as soon as that is known. */
enum { SY_SHAKES = 128 };
typedef struct sy_coap_shake {
    const coap_session_t *session; /* to know it by: it may be gone */
    sy_coap_peer peer;
    sy_ms until;
    bool told;  /* that it is refused */
    bool named; /* who is the identity that it came with, not its address */
    char who[65];
} sy_coap_shake;
void sy_coap__shake_named(sy_coap *c, const coap_session_t *session, sy_span name);
/* Counts the peer of a handshake as refused: a word of docs/devices.md, its name, and why. */
void sy_coap__shake_refuse(sy_coap *c, const coap_session_t *session, const char *reason,
                           sy_span who, const char *detail);
void sy_coap__shake_done(sy_coap *c, const coap_session_t *session);
int sy_coap__shake_event(coap_session_t *session, const coap_event_t event);
/* Milliseconds until one is late, -1: none will be; tell of those that are. */
int sy_coap__shake_wait(const sy_coap *c, sy_ms now);
void sy_coap__shake_late(sy_coap *c, sy_ms now);

typedef struct sy_coap_watches sy_coap_watches;

/* A confirmable request whose acknowledgement waits for the sync. */
typedef struct sy_coap_late {
    uint64_t seq;
    coap_session_t *session; /* a reference */
    coap_mid_t mid;
    uint8_t token[8];
    uint8_t n_token;
    bool empty;      /* of a notification: an acknowledgement and nothing else */
    uint8_t n_block; /* Block1 option to echo; 0xff: none */
    uint8_t block[3];
} sy_coap_late;
enum { SY_COAP_LATE = 8192 };

struct sy_coap {
    sy_coap_options o;
    const sy_intake *intake;
    sy_registry_slot *devices;
    coap_context_t *ctx;
    uint16_t *ports;
    size_t n_ports;
    sy_coap_blocks *blocks;
    sy_coap_answers *answers;
    sy_coap_psk *psk;
    sy_coap_cert *cert; /* what libcoap has; NULL: never had any */
    bool by_cert;       /* cert is in force */
    bool by_psk;        /* libcoap asks for pre-shared keys */
    uint8_t unused[32];
    sy_coap_shake shakes[SY_SHAKES];
    size_t n_shakes;
    sy_coap_late *late; /* ring, in order of seq */
    size_t late_first, late_n;
    size_t handled;  /* requests since the last wait */
    uint64_t synced; /* atomic */
    bool stopping;   /* atomic */
    sy_coap_watches *watches;
    sy_coap_alerts alerts;
    sy_coap_share share;
    sy_coap_bars bars;
    int *fds;             /* of the listeners, to ask for what was dropped; -1: not found */
    uint64_t dropped;     /* atomic */
    int wake;             /* eventfd */
    pthread_mutex_t lock; /* over next, the list of watches, and what is shown */
    sy_coap_files next;   /* files of a reload, ours */
    bool reload;          /* atomic: take them */
    pthread_t thread;
};

/* fds: room for one a port; remembered. */
void sy_coap__fair_find(sy_coap *c, int *fds);
/* May the device (NULL: a stranger) have one more message? No: it is dropped without an answer, and
 * the peer, if it listens to none of it, barred (NULL: never). */
bool sy_coap__fair(sy_coap *c, const sy_registry *devices, const sy_device *d,
                   const sy_coap_peer *peer);
/* Milliseconds until a bar is to be lifted, -1: none stands; lift those. */
int sy_coap__fair_wait(const sy_coap *c, sy_ms now);
void sy_coap__fair_open(sy_coap *c, sy_ms now);
/* The intake's submit, watched for how long it blocks. */
SY_MUST_USE sy_err sy_coap__submit(sy_coap *c, const sy_message *m, uint64_t *seq, bool *kept,
                                   sy_fail *f);

/* Acknowledge a notification once seq, with which the intake answered, is synced. */
void sy_coap__late_add(sy_coap *c, coap_session_t *session, coap_mid_t mid, uint64_t seq);
/* Does a message of these flags that the intake has as seq wait for the sync? */
bool sy_coap__waits(const sy_coap *c, uint64_t seq, unsigned flags);
/* Can the payload be decoded? Nothing of it is kept. */
SY_MUST_USE sy_err sy_coap__decodes(const sy_format *format, sy_span body, const sy_device *d,
                                    sy_fail *f);

/* Observed devices (watch.h): the list as the devices in force say, how long until one is due (-1:
 * none), what came and what is due. */
sy_coap_watches *sy_coap__observe_open(void); /* NULL: no memory */
SY_MUST_USE sy_err sy_coap__observe_set(sy_coap *c, sy_fail *f);
int sy_coap__observe_wait(const sy_coap *c, sy_ms now);
void sy_coap__observe_run(sy_coap *c, bool woken);
void sy_coap__observe_close(sy_coap *c);

/* May whoever sends this speak as the device? Else the answer is made. */
bool sy_coap__admits(sy_coap *c, coap_session_t *session, const coap_pdu_t *pdu, const sy_device *d,
                     coap_pdu_t *response);
/* An answer without options, with a reason. */
void sy_coap__reason(coap_pdu_t *response, int dotted, const char *text);
void sy_coap__wake(sy_coap *c);

/* Answer to any method on any path. */
void sy_coap__handle(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *pdu,
                     const coap_string_t *query, coap_pdu_t *response);
/* Answer to /.well-known/core. */
void sy_coap__core(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *pdu,
                   const coap_string_t *query, coap_pdu_t *response);
/* Acknowledge what is synced now. */
void sy_coap__late_send(sy_coap *c);

#endif
