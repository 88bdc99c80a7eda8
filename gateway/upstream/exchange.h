/*
 * One request to one destination and its answer, over a connection that is kept. One thread.
 */
#ifndef SY_EXCHANGE_H
#define SY_EXCHANGE_H

#include "upstream/road.h"

typedef struct sy_exchange sy_exchange;
/* Borrows the texts of the setup, but for the address. */
SY_MUST_USE sy_err sy_exchange_open(sy_exchange **out, const sy_road_setup *o, sy_fail *f);
void sy_exchange_close(sy_exchange *x); /* NULL is allowed */
/* Another address from now on. */
SY_MUST_USE sy_err sy_exchange_turn(sy_exchange *x, const char *url, sy_fail *f);

/* Send items. An error is one of the line or of TLS: nothing is known about the batch. */
SY_MUST_USE sy_err sy_exchange_send(sy_exchange *x, const sy_batch *b, sy_reply *reply, sy_fail *f);
/* Likewise a body that is made already; its hash is the Idempotency-Key. `now`: the time for
 * certificates. */
SY_MUST_USE sy_err sy_exchange_post(sy_exchange *x, const char *type, sy_span body, sy_ms now,
                                    sy_reply *reply, sy_fail *f);
/* The peer closed, or sent what nobody asked for: the kept connection is dropped. */
void sy_exchange_check(sy_exchange *x);
void sy_exchange_drop(sy_exchange *x);
int sy_exchange_fd(const sy_exchange *x); /* -1: not connected */
/* Connections made, and how many of them resumed a session. */
void sy_exchange_counts(const sy_exchange *x, unsigned *connects, unsigned *resumed);
const char *sy_exchange_peer(const sy_exchange *x); /* host:port */

#endif
