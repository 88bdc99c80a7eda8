/*
 * Orders that the inbox's own buttons make, signed with the key that it was started with
 * (docs/orders.md). What it may order depends on the organisational units of its certificate:
 * `regulator` all, `inspector` and `platform` all but shelving. A signer belongs to one thread.
 */
#ifndef SY_INBOX_ORDER_H
#define SY_INBOX_ORDER_H

#include "inbox/desk.h"

typedef struct sy_signer sy_signer;
/* PEM files: a certificate with its chain, and its P-256 key. SY_E_USAGE. */
SY_MUST_USE sy_err sy_signer_open(sy_signer **out, const char *cert, const char *key, sy_fail *f);
void sy_signer_close(sy_signer *s);                       /* NULL is allowed */
bool sy_signer_may(const sy_signer *s, const char *kind); /* NULL: may nothing */
const char *sy_signer_name(const sy_signer *s);           /* CN of its certificate */

typedef struct sy_order_want {
    const char *gateway, *kind, *alert; /* kind: acknowledge comment shelve unshelve evidence */
    const char *who, *why, *text;       /* text: of a comment */
    sy_ms now, until;                   /* until: of shelve */
} sy_order_want;
/* The JWS is appended; its id is written. SY_E_DENIED: it may not. */
SY_MUST_USE sy_err sy_order_make(sy_signer *s, const sy_order_want *w, char id[33], sy_buf *jws,
                                 sy_fail *f);

/* What an order that was signed elsewhere says of itself: enough to serve and to show it. The box
 * checks the signature, not the inbox. */
typedef struct sy_order_read {
    json_t *root;
    const char *id, *gateway, *kind, *who, *why, *alert; /* alert: NULL where it is about none */
    char signer[SY_DESK_WHO_MAX + 1];                    /* CN of its certificate, as it says */
} sy_order_read;
/* SY_E_PARSE. Free it in any case. */
SY_MUST_USE sy_err sy_order_parse(sy_span jws, sy_order_read *out, sy_fail *f);
void sy_order_free(sy_order_read *r);

#endif
