/* SPDX-License-Identifier: Apache-2.0 */
#include "orders/answer.h"

#include <jansson.h>

#define NUMBER_MAX ((json_int_t)9007199254740991)

static bool is_number(const json_t *v, json_int_t least)
{
    return json_is_integer(v) && json_integer_value(v) >= least &&
           json_integer_value(v) <= NUMBER_MAX;
}

static bool is_good(const json_t *orders)
{
    json_int_t last = 0;
    for (size_t i = 0; i < json_array_size(orders); i++) {
        const json_t *o = json_array_get(orders, i), *number = json_object_get(o, "number");
        if (!is_number(number, last + 1) || !json_is_string(json_object_get(o, "order")))
            return false;
        last = json_integer_value(number);
    }
    return json_is_array(orders) && json_array_size(orders) <= SY_ANSWER_ORDERS;
}

sy_err sy_answer_orders(sy_span json, int64_t after,
                        bool (*fn)(void *ctx, int64_t number, sy_span jws), void *ctx,
                        int64_t *next, sy_fail *f)
{
    json_error_t why;
    json_t *root = json_loadb(json.p ? json.p : "", json.n, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return sy_fail_set(f, SY_E_PARSE, "the answer is no valid JSON: %.100s", why.text);
    const json_t *orders = json_object_get(root, "orders"), *n = json_object_get(root, "next");
    sy_err e = SY_OK;
    if (!is_good(orders) || !is_number(n, 0))
        e = sy_fail_set(f, SY_E_PARSE,
                        "the answer has no 'orders' (at most %d, their numbers ascending) or no "
                        "'next'",
                        (int)SY_ANSWER_ORDERS);
    for (size_t i = 0; !e && i < json_array_size(orders); i++) {
        const json_t *o = json_array_get(orders, i), *text = json_object_get(o, "order");
        int64_t number = json_integer_value(json_object_get(o, "number"));
        const sy_span jws = {json_string_value(text), json_string_length(text)};
        if (number > after && !fn(ctx, number, jws))
            break;
    }
    if (!e)
        *next = json_integer_value(n);
    json_decref(root);
    return e;
}
