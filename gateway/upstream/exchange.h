/*
 * One request to one destination and its answer, over a connection that is kept. One thread.
 */
#ifndef SY_EXCHANGE_H
#define SY_EXCHANGE_H

#include "store/store.h"
#include "upstream/retry.h"
#include "upstream/tls.h"

enum { SY_BATCH_EVENTS = 200, SY_BATCH_BYTES = 1024 * 1024 };

typedef struct sy_exchange_times {
    sy_ms connect, answer, grace;
} sy_exchange_times;

typedef struct sy_exchange sy_exchange;
/* Borrows all texts. */
SY_MUST_USE sy_err sy_exchange_open(sy_exchange **out, const sy_url *url, const sy_tls_paths *files,
                                    sy_exchange_times times, int stop_fd, sy_fail *f);
void sy_exchange_close(sy_exchange *x);

typedef struct sy_reply {
    sy_answer answer;
    unsigned status;
    sy_ms retry_after; /* 0: none */
    char text[512];    /* what to log where the answer is not OK */
} sy_reply;
/* Send items (pointers, so that some may be passed over). `now`: the time for certificates. An
 * error is one of the line or of TLS: nothing is known about the batch. */
SY_MUST_USE sy_err sy_exchange_send(sy_exchange *x, const sy_outbox_item *const *items, size_t n,
                                    sy_ms now, sy_reply *reply, sy_fail *f);
/* Likewise a body that is made already; its hash is the Idempotency-Key. */
SY_MUST_USE sy_err sy_exchange_post(sy_exchange *x, const char *type, sy_span body, sy_ms now,
                                    sy_reply *reply, sy_fail *f);
/* The peer closed, or sent what nobody asked for: the kept connection is dropped. */
void sy_exchange_check(sy_exchange *x);
void sy_exchange_drop(sy_exchange *x);
int sy_exchange_fd(const sy_exchange *x); /* -1: not connected */
/* Connections made, and how many of them resumed a session. */
void sy_exchange_counts(const sy_exchange *x, unsigned *connects, unsigned *resumed);

#endif
