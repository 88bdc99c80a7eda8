/* SPDX-License-Identifier: Apache-2.0 */
#include "format_harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static sy_err add(void *ctx, const sy_record *r)
{
    sy_buf *b = ctx;
    if (b->n > 0)
        sy_buf_text(b, "; ");
    sy_buf_span_put(b, r->name);
    sy_buf_char(b, '|');
    sy_buf_span_put(b, r->local);
    sy_buf_char(b, '|');
    if (r->kind == SY_REC_NUMBER)
        sy_buf_double(b, r->number);
    else if (r->kind == SY_REC_TEXT)
        sy_buf_json(b, r->text);
    else
        sy_buf_text(b, r->kind == SY_REC_NULL ? "null" : r->number != 0 ? "true" : "false");
    sy_buf_char(b, '|');
    sy_buf_span_put(b, r->unit);
    sy_buf_char(b, '|');
    if (r->has_time && r->time_relative)
        sy_buf_char(b, '+');
    if (r->has_time)
        sy_buf_int(b, r->time);
    else
        sy_buf_char(b, '-');
    assert_int_equal(r->quality, SY_Q_GOOD);
    return SY_OK;
}

const char *f_decode(const char *format, sy_span payload, const sy_device *map)
{
    static char line[1 << 20];
    sy_fail f = {.text = ""};
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    /* A copy of just that size, so that a read beyond the end is seen. */
    char *exact = malloc(payload.n);
    if (payload.n > 0)
        memcpy(exact, payload.p, payload.n);
    const sy_format *found = sy_format_find(sy_span_of(format));
    assert_non_null(found);
    sy_err e = found->decode((sy_span){exact, payload.n}, map, add, &b, &f);
    if (e != SY_OK)
        snprintf(line, sizeof line, "%s %s", b.n > 0 ? "!!" : "!", f.text);
    else
        snprintf(line, sizeof line, "%s", b.p ? b.p : "");
    free(exact);
    sy_buf_fini(&b);
    return line;
}

const char *f_text(const char *format, const char *payload)
{
    return f_decode(format, sy_span_of(payload), NULL);
}

const char *f_hex(const char *format, const char *hex)
{
    static char bytes[4096];
    size_t n = 0;
    for (unsigned byte; *hex; hex += *hex == ' ' ? 1 : 2) {
        if (*hex == ' ')
            continue;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        bytes[n++] = (char)byte;
    }
    return f_decode(format, (sy_span){bytes, n}, NULL);
}

const char *f_shared(void)
{
    static char path[512];
    const char *named = getenv("SY_SHARED"), *source = getenv("SY_SOURCE_DIR");
    if (named)
        snprintf(path, sizeof path, "%s", named);
    else
        snprintf(path, sizeof path, "%s/../shared", source ? source : ".");
    return access(path, R_OK) == 0 ? path : NULL;
}

void f_same(const char *got, const char *want)
{
    assert_string_equal(got, want);
}

void f_refused(const char *got, const char *says)
{
    if (strncmp(got, "! ", 2) != 0 || !strstr(got, says))
        fail_msg("wanted a refusal with '%s', got '%s'", says, got);
}
