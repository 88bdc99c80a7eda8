/*
 * Upstream: one sender thread a destination ("sy-up-<name>") that empties its outbox.
 *
 * https: CloudEvents 1.0 JSON batches (application/cloudevents-batch+json), POST over HTTP/1.1 on
 * mbedTLS with a client certificate; chain and name are always verified; keep-alive, session
 * resumption; exponential back-off with full jitter, Retry-After; nothing is sent that is not
 * synced (the pipeline commits durable batches; C6). 2xx confirms the whole batch; 408, 425, 429,
 * 5xx and network errors are tried again; 400, 409, 413, 422 are tried in halves down to one event,
 * and an event that is refused alone, while the destination takes others, is set aside, counted and
 * logged; any other answer means that the destination does not take us: nothing is set aside.
 * Certificates are read again at each new connection. Each event carries the signature of
 * the box (JWS) and the proof of the ledger, and the newest head follows until it is confirmed
 * (proofs.h). docs/upstream.md
 */
#ifndef SY_UPSTREAM_H
#define SY_UPSTREAM_H

#include "config/config.h"
#include "store/store.h"

typedef struct sy_upstream sy_upstream;
/* data: the data folder, where the key that signs events lies unless it is configured; copied. */
SY_MUST_USE sy_err sy_upstream_start(sy_upstream **out, const sy_config *c, const char *data,
                                     sy_store *s, sy_fail *f);
/* There may be something new to send. Any thread; never blocks. */
void sy_upstream_wake(sy_upstream *u);
/* The log's clock says t now: certificates are checked against the larger of wall clock, log
 * time and build time. Any thread. Not for --clock replay. */
void sy_upstream_log_time(sy_upstream *u, sy_ms t);
/* New destinations; senders of unchanged ones go on. */
SY_MUST_USE sy_err sy_upstream_reload(sy_upstream *u, const sy_config *c, sy_fail *f);
/* Ends within 2 s; what is not confirmed stays in the outbox. */
void sy_upstream_stop(sy_upstream *u);
/* State for `status`, JSON array of {name, connected, waiting, refused, connects, resumed,
 * last_error}. */
void sy_upstream_status(sy_upstream *u, sy_buf *json);

#endif
