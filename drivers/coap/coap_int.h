/*
 * Inside drivers/coap/: who a request comes from, block-wise bodies, PSK keys. All of it is used on
 * the CoAP thread alone.
 */
#ifndef SY_COAP_INT_H
#define SY_COAP_INT_H

#include <pthread.h>

#include <coap3/coap.h>

#include "drivers/coap/coap.h"

/* A peer: address (IPv4 mapped into IPv6), port, and whether it came over DTLS. */
typedef struct sy_coap_peer {
    unsigned char addr[16];
    unsigned char port[2];
    unsigned char dtls;
} sy_coap_peer;

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

/*
 * Block1 (RFC 7959) put together. A transfer is known by peer, device and Request-Tag (RFC 9175);
 * within that by its token, or, since a client may use a new token for each block, by being the
 * only one that waits for this offset: where two do, the block is refused rather than guessed.
 * At most BLOCK_TRANSFERS at once, BLOCK_PER_DEVICE of one device (the stalest gives way), none
 * older than BLOCK_AGE_MS since its last block.
 */
enum { SY_BLOCK_TRANSFERS = 64, SY_BLOCK_PER_DEVICE = 4, SY_BLOCK_AGE_MS = 120000 };

typedef struct sy_coap_blocks sy_coap_blocks;
typedef enum sy_block_result {
    SY_BLOCK_MORE,  /* kept; go on */
    SY_BLOCK_WHOLE, /* *body is the whole, until the next call */
    SY_BLOCK_GAP,   /* 4.08: not what comes next */
    SY_BLOCK_LARGE, /* 4.13 */
    SY_BLOCK_SIZE,  /* 4.00: not as long as its block size says */
    SY_BLOCK_BUSY   /* 5.03: no room for another transfer */
} sy_block_result;

typedef struct sy_block_key {
    sy_coap_peer peer;
    sy_span device;
    sy_span tag, token; /* at most 8 bytes each */
} sy_block_key;

sy_coap_blocks *sy_coap__blocks_open(size_t max_body); /* NULL: no memory */
void sy_coap__blocks_close(sy_coap_blocks *b);
sy_block_result sy_coap__blocks_add(sy_coap_blocks *b, const sy_block_key *key,
                                    const coap_block_b_t *block, sy_span bytes, sy_ms now,
                                    sy_span *body);

/* What was answered to the last block of a transfer, for its retransmission. */
enum { SY_ANSWERS = 128, SY_ANSWER_AGE_MS = 247000, SY_ANSWER_TEXT = 320 };
typedef struct sy_coap_answer {
    sy_coap_ident ident;
    sy_ms at;
    coap_pdu_code_t code;
    uint64_t seq; /* waits for this to be synced; 0: does not */
    char text[SY_ANSWER_TEXT];
} sy_coap_answer;
typedef struct sy_coap_answers {
    sy_coap_answer ring[SY_ANSWERS];
    size_t next;
} sy_coap_answers;
void sy_coap__answer_keep(sy_coap_answers *a, const sy_coap_answer *answer);
const sy_coap_answer *sy_coap__answer_find(const sy_coap_answers *a, const sy_coap_ident *ident,
                                           sy_ms now);

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
    const coap_session_t *session;
    sy_ms until;
    bool told; /* that it is refused */
    char who[65];
} sy_coap_shake;
void sy_coap__shake_named(sy_coap *c, const coap_session_t *session, sy_span name);
void sy_coap__shake_told(sy_coap *c, const coap_session_t *session);
void sy_coap__shake_done(sy_coap *c, const coap_session_t *session);
int sy_coap__shake_event(coap_session_t *session, const coap_event_t event);
/* Milliseconds until one is late, -1: none will be; tell of those that are. */
int sy_coap__shake_wait(const sy_coap *c, sy_ms now);
void sy_coap__shake_late(sy_coap *c, sy_ms now);

/* A confirmable request whose acknowledgement waits for the sync. */
typedef struct sy_coap_late {
    uint64_t seq;
    coap_session_t *session; /* a reference */
    coap_mid_t mid;
    uint8_t token[8];
    uint8_t n_token;
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
    size_t handled;       /* requests since the last wait */
    uint64_t synced;      /* atomic */
    bool stopping;        /* atomic */
    int wake;             /* eventfd */
    pthread_mutex_t lock; /* over next */
    sy_coap_files next;   /* files of a reload, ours */
    bool reload;          /* atomic: take them */
    pthread_t thread;
};

/* Answer to any method on any path. */
void sy_coap__handle(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *pdu,
                     const coap_string_t *query, coap_pdu_t *response);
/* Answer to /.well-known/core. */
void sy_coap__core(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *pdu,
                   const coap_string_t *query, coap_pdu_t *response);
/* Acknowledge what is synced now. */
void sy_coap__late_send(sy_coap *c);

#endif
