/*
 * What must hold for any bytes: a decoder ends, reads nothing beyond them, gives texts that are
 * UTF-8 and numbers that are finite; where it refuses it has given nothing and says why.
 */
#ifndef SY_FORMAT_FUZZ_H
#define SY_FORMAT_FUZZ_H

#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "drivers/formats/format.h"

static inline void require(bool holds)
{
    if (!holds)
        abort();
}

static inline sy_err checked_record(void *ctx, const sy_record *r)
{
    ++*(size_t *)ctx;
    require(sy_utf8_check(r->name) == r->name.n && sy_utf8_check(r->unit) == r->unit.n);
    require(sy_utf8_check(r->local) == r->local.n && sy_utf8_check(r->device) == r->device.n);
    require(r->kind != SY_REC_TEXT || sy_utf8_check(r->text) == r->text.n);
    require(r->kind != SY_REC_NUMBER || isfinite(r->number));
    require(!r->has_time || isfinite(r->time_s));
    return SY_OK;
}

static inline int fuzz_format(const char *name, const uint8_t *bytes, size_t n,
                              const sy_device *map)
{
    size_t given = 0;
    sy_fail f = {.text = ""};
    sy_span payload = {(const char *)bytes, n};
    const sy_format *format = sy_format_find(sy_span_of(name));
    int sure = format->probe ? format->probe(payload) : 0;
    require(sure >= 0 && sure <= 100);
    sy_format_probe(payload);
    sy_err e = format->decode(payload, map, checked_record, &given, &f);
    /* A join or a setting is a message without readings. */
    require(e == SY_OK || (given == 0 && f.text[0] != '\0'));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif
