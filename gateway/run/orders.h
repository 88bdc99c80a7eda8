/*
 * Orders from upstream, executed (docs/orders.md). A poller for each destination that has `orders`
 * (upstream/down.h) proves and prepares one on its own thread: signature, role, time; a pack is
 * written to the disk and judged by a process of its own. What changes the box (the set in force,
 * acts, the rows of the orders) happens on the main thread alone, which is asked for it and
 * answers.
 *
 * An order is recorded as taken before it changes what is in force. If the process ends in between,
 * the next start refuses it, so that a pack that brings the box down does so once.
 *
 * The store says what is in force by order; the files under <data>/packs follow it. What somebody
 * changed there is put right at each start and each reload, and said.
 */
#ifndef SY_RUN_ORDERS_H
#define SY_RUN_ORDERS_H

#include "config/config.h"

struct sy_service;
typedef struct sy_orders sy_orders;

/* After the store is open, before the configuration is put in force: the files are as the store
 * says, and the configuration has them. */
SY_MUST_USE sy_err sy_orders_mend(struct sy_service *s, bool *mended, sy_fail *f);
/* After all that an order may touch is open. */
SY_MUST_USE sy_err sy_orders_open(sy_orders **out, struct sy_service *s, sy_fail *f);
void sy_orders_close(sy_orders *o); /* NULL is allowed */
/* The main thread: execute what is asked for and what is due. */
void sy_orders_turn(sy_orders *o);
/* Another configuration is in force. */
void sy_orders_reload(sy_orders *o, const sy_config *c);
void sy_orders_log_time(sy_orders *o, sy_ms t);
/* {"in_force":[…],"waiting":n,"polls":[…]} */
void sy_orders_status(sy_orders *o, sy_buf *json);

#endif
