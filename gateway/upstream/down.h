/*
 * What comes down: thread "sy-down-<name>" asks the receiver of one destination for orders, over
 * the same mutual TLS as the events go up, and gives each to `take` (docs/orders.md). One request a
 * poll; after failures up to twice as long with full jitter; Retry-After is obeyed.
 *
 * start, stop, same, kick: one thread. log_time, status: any.
 */
#ifndef SY_DOWN_H
#define SY_DOWN_H

#include "upstream/tls.h"

typedef struct sy_down sy_down;

typedef struct sy_down_order {
    const char *name; /* of the destination */
    int64_t number;
    sy_span jws;
    sy_ms now;   /* the time against which certificates are checked */
    int stop_fd; /* readable: end */
} sy_down_order;

typedef struct sy_down_setup {
    const char *name, *url, *gateway;
    sy_tls_paths files;
    sy_ms poll;
    void *ctx;
    /* The largest number that was taken; on the thread. */
    sy_err (*after)(void *ctx, const char *name, int64_t *number, sy_fail *f);
    /* Take one; on the thread, may block. An error: not taken, it is asked for again. */
    sy_err (*take)(void *ctx, sy_down *d, const sy_down_order *o, sy_fail *f);
} sy_down_setup;

/* Copies the texts. */
SY_MUST_USE sy_err sy_down_start(sy_down **out, const sy_down_setup *o, sy_fail *f);
void sy_down_ask_stop(sy_down *d);
void sy_down_stop(sy_down *d); /* NULL is allowed */
bool sy_down_same(const sy_down *d, const sy_down_setup *o);
void sy_down_kick(sy_down *d); /* ask at once */
void sy_down_log_time(sy_down *d, sy_ms t);
/* {"name","asked","last_error"}; asked: answers that were had since the start. */
void sy_down_status(sy_down *d, sy_buf *json);

/* Within take: send a file up, to <url>/evidence/<alert>?order=<order>. 409 is as good as 2xx:
 * the receiver has it. SY_E_DENIED: it is not taken, for good. Any other error: it may be tried
 * again. */
SY_MUST_USE sy_err sy_down_put(sy_down *d, const char *alert, const char *order, sy_span file,
                               sy_fail *f);

#endif
