/*
 * Devices that are servers: the gateway observes a resource of each (RFC 7641).
 *
 * Everything here is on the CoAP thread, in a libcoap context of its own, since keys of a client
 * and of a server do not go together in one; only the report is for any thread. A blocked append
 * blocks this thread, servers and clients alike.
 *
 * A notification is acknowledged after the intake has it (strict: after the sync). One that is
 * older than what came before (section 3.4) is acknowledged and left. A resource is asked for
 * again, by the same token, before its Max-Age is over, and when it has been silent for much longer
 * than it used to be: that tells a server that has restarted, and a registration that was lost. A
 * server that does not answer is tried again after 1 s to 5 min.
 */
#ifndef SY_COAP_WATCH_H
#define SY_COAP_WATCH_H

#include "drivers/coap/coap_int.h"
#include "drivers/coap/url.h"

typedef enum sy_watch_state {
    SY_WATCH_IDLE,   /* nothing is under way; it is tried at `due` */
    SY_WATCH_ASKING, /* a registration is out */
    SY_WATCH_LIVE    /* answered; asked again at `due` */
} sy_watch_state;

/* A representation that comes block by block (RFC 7959). */
typedef struct sy_watch_body {
    bool live;
    sy_buf bytes;
    uint8_t token[8];
    uint8_t etag[8];
    size_t n_etag;
    unsigned szx;
    bool confirmable; /* the notification waits for its acknowledgement */
    coap_mid_t mid;   /* of it */
    uint16_t content_format;
    sy_coap_ident ident;
} sy_watch_body;

typedef struct sy_watch {
    sy_coap *c;
    char *id, *text; /* device; its URL as configured */
    sy_coap_url url;
    coap_session_t *session; /* NULL between attempts */
    uint8_t token[8];
    int state;     /* atomic; sy_watch_state */
    bool broken;   /* the session is given up as soon as no callback of it runs */
    char why[100]; /* the last failure; written under sy_coap.lock */
    sy_ms due;
    unsigned failures;
    bool ordered; /* order, order_at: of the newest notification */
    uint32_t order;
    sy_ms order_at;
    sy_ms last, interval; /* when the last one came; how far apart they are, 0: not known */
    sy_ms max_age;
    sy_watch_body body;
    uint64_t kept, stale, asked, restarts; /* atomic */
} sy_watch;

struct sy_coap_watches {
    coap_context_t *ctx;
    sy_watch **v; /* changed under sy_coap.lock */
    size_t n;
};

/* Is a notification numbered b, `elapsed` after the one numbered a, the newer one? */
bool sy_watch__newer(uint32_t a, uint32_t b, sy_ms elapsed);

/* One resource. NULL: no memory. */
sy_watch *sy_watch__open(sy_coap *c, const sy_device *d);
/* Says to the server that nobody listens any more. */
void sy_watch__close(sy_watch *w);
/* What is due now. */
void sy_watch__act(sy_watch *w, coap_context_t *ctx, sy_ms now);

/* libcoap's callbacks for the context. */
coap_response_t sy_watch__answered(coap_session_t *session, const coap_pdu_t *sent,
                                   const coap_pdu_t *got, const coap_mid_t mid);
void sy_watch__lost(coap_session_t *session, const coap_pdu_t *sent,
                    const coap_nack_reason_t reason, const coap_mid_t mid);
int sy_watch__event(coap_session_t *session, const coap_event_t event);

/* A GET of the resource; observe: 0 register, 1 deregister, -1 neither; block: which, -1 none. */
bool sy_watch__get(sy_watch *w, int observe, int block);
/* The rest of a body. */
void sy_watch__body_begin(sy_watch *w, const coap_pdu_t *got, const coap_block_b_t *block);
void sy_watch__body_more(sy_watch *w, const coap_pdu_t *got);
void sy_watch__body_drop(sy_watch *w);
/* Hand a whole representation to the intake. ACK: acknowledge it now; LATER: once *seq is synced;
 * NOT: it is not kept. */
typedef enum sy_watch_kept { SY_WATCH_ACK, SY_WATCH_LATER, SY_WATCH_NOT } sy_watch_kept;
sy_watch_kept sy_watch__keep(sy_watch *w, const sy_message *m, uint64_t *seq);
/* Ask for it again soon: something of it did not get through. */
void sy_watch__again(sy_watch *w, sy_ms in);

#endif
