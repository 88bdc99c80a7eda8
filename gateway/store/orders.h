/*
 * Orders that came down, and what is in force by them (docs/orders.md). Part of the store; the
 * calls that write belong to its batch (store.h), the others are for any thread.
 *
 * A row is by destination and number, so that nothing is asked for twice; by id where the signature
 * held, so that nothing is executed twice. The JWS of what was proven is kept: what an order
 * brought can be made again from it, and shown to whoever asks by what right a rule runs.
 */
#ifndef SY_STORE_ORDERS_H
#define SY_STORE_ORDERS_H

#include "store/store.h"

typedef enum sy_order_state {
    SY_ORDER_TAKEN,   /* proven, not yet executed */
    SY_ORDER_WAITING, /* for its date */
    SY_ORDER_DONE,
    SY_ORDER_REFUSED
} sy_order_state;
const char *sy_order_state_text(sy_order_state s); /* "taken" … */

typedef struct sy_order_row {
    const char *destination;
    int64_t number;
    const char *id, *kind; /* NULL: not proven */
    sy_order_state state;
    sy_ms time;         /* of the last change */
    sy_ms due;          /* WAITING: its date; else SY_MS_NONE */
    const char *reason; /* why it was refused, or NULL */
    sy_span jws;        /* empty where it was not proven */
} sy_order_row;

/* A new row, or what became of one: of a row that is there, state, time, due and reason are taken.
 */
SY_MUST_USE sy_err sy_store_order_put(sy_store *s, const sy_order_row *o, sy_fail *f);
/* The largest number of a destination; 0: none. */
SY_MUST_USE sy_err sy_store_order_last(sy_store *s, const char *destination, int64_t *number,
                                       sy_fail *f);
/* The number that a proven order of this id has; SY_E_NOTFOUND. */
SY_MUST_USE sy_err sy_store_order_number(sy_store *s, const char *destination, const char *id,
                                         int64_t *number, sy_fail *f);
/* The rows of a state, by destination and number, as they are now: the callback may change them.
 * False ends it. */
SY_MUST_USE sy_err sy_store_orders(sy_store *s, sy_order_state state,
                                   bool (*fn)(void *ctx, const sy_order_row *o), void *ctx,
                                   sy_fail *f);
/* Append the JWS of one. SY_E_NOTFOUND. */
SY_MUST_USE sy_err sy_store_order_jws(sy_store *s, const char *destination, int64_t number,
                                      sy_buf *out, sy_fail *f);

/* What is in force by order: one text, as <data>/packs/in-force.json has it. SY_E_NOTFOUND: nothing
 * was ordered yet. */
SY_MUST_USE sy_err sy_store_in_force_put(sy_store *s, sy_span text, sy_fail *f);
SY_MUST_USE sy_err sy_store_in_force_get(sy_store *s, sy_buf *out, sy_fail *f);

#endif
