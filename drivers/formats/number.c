/* SPDX-License-Identifier: Apache-2.0 */
/* A bare decimal number, as the weakest devices send it; white space around it is passed over. */
#include "drivers/formats/all.h"

static sy_span trimmed(sy_span s)
{
    while (s.n > 0 && memchr(" \t\r\n", s.p[0], 4))
        s = (sy_span){s.p + 1, s.n - 1};
    while (s.n > 0 && memchr(" \t\r\n", s.p[s.n - 1], 4))
        s.n--;
    return s;
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    (void)map;
    sy_span text = trimmed(payload);
    sy_record r = {.name = {"", 0}, .local = {"", 0}, .kind = SY_REC_NUMBER};
    if (text.n == 0)
        return sy_fail_set(f, SY_E_PARSE, "the message is empty");
    sy_err e = sy_double_parse(text, &r.number);
    if (e == SY_E_RANGE)
        return sy_fail_set(f, e, "the number is too large");
    if (e != SY_OK)
        return sy_fail_set(f, e, "not a decimal number");
    return sink(ctx, &r);
}

static int probe(sy_span payload)
{
    double d;
    return sy_double_parse(trimmed(payload), &d) == SY_OK ? 80 : 0;
}

const sy_format sy_format_number = {"number", 0, decode, probe, NULL};
