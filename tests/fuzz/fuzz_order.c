/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an order, as an answer with orders, as what is in force. An order that is read is
 * written again as one that says the same.
 */
#include <stdlib.h>

#include "orders/answer.h"
#include "orders/force.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void as_order(sy_span text)
{
    sy_order o, again;
    sy_fail f = {0};
    sy_buf out, on;
    if (sy_order_read(text, &o, &f) != SY_OK)
        return;
    sy_buf_init(&out, sy_heap());
    sy_buf_init(&on, sy_heap());
    (void)!sy_order_check(&o, "gw-1", SY_ROLE_REGULATOR, 0, &f);
    sy_order_on(&o, &on);
    require(on.n > 0);
    if (sy_order_write(&o, &out, &f) == SY_OK) {
        require(sy_order_read(sy_buf_span(&out), &again, &f) == SY_OK);
        require(again.kind == o.kind && again.n_pairs == o.n_pairs && again.version == o.version);
        require(strcmp(again.who, o.who) == 0);
        sy_order_free(&again);
    }
    sy_order_free(&o);
    sy_buf_fini(&out);
    sy_buf_fini(&on);
}

static bool each(void *ctx, int64_t number, sy_span jws)
{
    int64_t *last = ctx;
    (void)jws;
    require(number > *last);
    *last = number;
    return true;
}

static void as_force(sy_span text)
{
    sy_force *p;
    sy_force_pack pack;
    sy_fail f = {0};
    sy_buf out;
    if (sy_force_open(&p, text, &f) != SY_OK)
        return;
    sy_buf_init(&out, sy_heap());
    for (size_t i = 0; sy_force_at(p, i, &pack); i++)
        require(pack.name && pack.from);
    (void)!sy_force_text(p, &out, &f);
    sy_buf_fini(&out);
    sy_force_close(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const sy_span all = {(const char *)bytes, n};
    int64_t last = 5, next = 0;
    sy_fail f = {0};
    as_order(all);
    (void)!sy_answer_orders(all, 5, each, &last, &next, &f);
    as_force(all);
    return 0;
}
