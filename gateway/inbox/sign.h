/*
 * Orders that the inbox's own buttons make, signed with the key that it was started with
 * (docs/orders.md). What it may order depends on the organisational units of its certificate:
 * `regulator` all, `inspector` and `platform` all but shelving. A signer belongs to one thread.
 */
#ifndef SY_INBOX_SIGN_H
#define SY_INBOX_SIGN_H

#include "inbox/desk.h"
#include "ledger/chain.h"
#include "orders/order.h"

typedef struct sy_pen sy_pen;
/* PEM files: a certificate with its chain, and its P-256 key. SY_E_USAGE. */
SY_MUST_USE sy_err sy_pen_open(sy_pen **out, const char *cert, const char *key, sy_fail *f);
void sy_pen_close(sy_pen *s);                         /* NULL is allowed */
bool sy_pen_may(const sy_pen *s, sy_order_kind kind); /* NULL: may nothing */
const char *sy_pen_name(const sy_pen *s);             /* CN of its certificate */

/* The JWS is appended. id, gateway, kind, alert, who, why, text, until of the order are given, the
 * rest is filled in. SY_E_DENIED: it may not. SY_E_PARSE: it is no order that a box would take. */
SY_MUST_USE sy_err sy_pen_order(sy_pen *s, sy_order *o, sy_ms now, sy_buf *jws, sy_fail *f);

/* What an order that was signed elsewhere says of itself: enough to serve and to show it. The box
 * checks who may sign, not the inbox. SY_E_PARSE. Free it where it returns SY_OK. */
SY_MUST_USE sy_err sy_signed_read(sy_span jws, sy_order *out, char signer[SY_SUBJECT_TEXT + 1],
                                  sy_fail *f);

#endif
