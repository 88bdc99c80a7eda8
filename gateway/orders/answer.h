/*
 * What a receiver answers to the question for orders (docs/orders.md). Hostile: at most
 * SY_ANSWER_ORDERS of them, ascending. Pure but for memory.
 */
#ifndef SY_ANSWER_H
#define SY_ANSWER_H

#include "base/os.h"

enum { SY_ANSWER_ORDERS = 100, SY_ANSWER_BYTES = 2 << 20 };

/* Give each order above `after` to fn, whose false ends it. The whole is checked before the first
 * is given. *next: the largest number that the receiver says it has. SY_E_PARSE, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_answer_orders(sy_span json, int64_t after,
                                    bool (*fn)(void *ctx, int64_t number, sy_span jws), void *ctx,
                                    int64_t *next, sy_fail *f);

#endif
