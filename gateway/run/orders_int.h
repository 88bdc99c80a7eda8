/*
 * Orders from within: pollers and hand-over (orders.c), proof (orders_prove.c), packs
 * (orders_packs.c), what an order does (orders_do.c), what becomes of it (orders_tell.c).
 */
#ifndef SY_RUN_ORDERS_INT_H
#define SY_RUN_ORDERS_INT_H

#include "orders/force.h"
#include "run/orders.h"
#include "run/service_int.h"
#include "store/orders.h"
#include "upstream/down.h"

enum { SY_REPORT_BYTES = 256 * 1024, SY_PACK_BYTES = 1 << 20 };

/* One order on its way: made by the poller, executed by the main thread. */
typedef struct sy_job {
    const char *destination;
    int64_t number;
    sy_span jws;
    sy_ms now;      /* of the poller: for certificates and `expires` */
    bool known;     /* the signature holds: the order may be told on */
    bool permitted; /* and it may be executed */
    sy_order order; /* known */
    char signer[132];
    char refused[400]; /* why; "" so far fine */
    sy_buf report;     /* JSON, or empty */
    /* pack, tune, rollback: what is to be in force, and the order that brought it. */
    const sy_order_pair *files;
    size_t n_files;
    int64_t brought;
    bool tuning;
    sy_order older; /* rollback: owns the files */
    bool running;   /* the main thread has it, under the lock */
    bool done;
    sy_err err; /* not taken: ask again */
    sy_fail why;
    struct sy_job *next;
} sy_job;

struct sy_orders {
    struct sy_service *s;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    sy_job *first;
    bool stopping;
    sy_down **downs; /* the main thread's, but for status */
    size_t n;
    sy_ms due; /* the earliest date that an order waits for; SY_MS_MAX: none */
    sy_ms log_time;
};

/* orders_prove.c, on the poller: fills known, permitted, order, signer, refused. An error: the
 * order cannot be looked at now. */
SY_MUST_USE sy_err sy_orders__prove(sy_orders *o, sy_job *j, sy_fail *f);

/* orders_packs.c */
/* On the poller: files on the disk, tried by another process; refused and report are filled. */
SY_MUST_USE sy_err sy_orders__prepare(sy_orders *o, sy_job *j, int stop_fd, sy_fail *f);
SY_MUST_USE sy_err sy_orders__evidence(sy_orders *o, sy_job *j, sy_down *d, int stop_fd,
                                       sy_fail *f);
/* May this version be put in force? Else `refused` says why not. */
bool sy_orders__newer(const sy_force *force, sy_job *j);
SY_MUST_USE sy_err sy_orders__force(const struct sy_service *s, sy_force **out, sy_fail *f);
/* What job j makes of what is in force. */
SY_MUST_USE sy_err sy_orders__change(sy_force *force, const sy_job *j, sy_fail *f);
/* The order of a row again, from its JWS. Free it. */
SY_MUST_USE sy_err sy_orders__again(sy_store *s, const char *destination, int64_t number,
                                    sy_order *out, sy_fail *f);
SY_MUST_USE sy_err sy_orders__write_files(const char *data, const char *name, int64_t version,
                                          const sy_order_pair *files, size_t n, bool *changed,
                                          sy_fail *f);

/* orders_do.c, on the main thread. */
void sy_orders__execute(sy_orders *o, sy_job *j);
void sy_orders__execute_due(sy_orders *o);

/* orders_tell.c, on the main thread: row, action, event, and what is in force, in one transaction.
 * force NULL: as it is. */
SY_MUST_USE sy_err sy_orders__finish(sy_orders *o, sy_job *j, sy_order_state state, sy_ms due,
                                     const sy_force *force, sy_fail *f);

#endif
