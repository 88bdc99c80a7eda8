/* SPDX-License-Identifier: Apache-2.0 */
#include "lora_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"

static char line[1 << 16];

static sy_err add(void *ctx, const sy_record *r)
{
    sy_buf *b = ctx;
    if (b->n > 0)
        sy_buf_text(b, "; ");
    sy_buf_span_put(b, r->name);
    if (r->local.n != r->name.n) {
        sy_buf_char(b, '|');
        sy_buf_span_put(b, r->local);
    }
    sy_buf_char(b, '=');
    if (r->kind == SY_REC_NUMBER)
        sy_buf_double(b, r->number);
    else
        sy_buf_span_put(b, r->kind == SY_REC_TEXT ? r->text : sy_span_of("null"));
    if (r->unit.n) {
        sy_buf_char(b, ' ');
        sy_buf_span_put(b, r->unit);
    }
    if (r->has_time) {
        sy_buf_text(b, " @");
        sy_buf_int(b, r->time);
    }
    if (r->quality != SY_Q_GOOD) {
        sy_buf_char(b, ' ');
        sy_quality_text(r->quality, b);
    }
    return SY_OK;
}

const char *lora_decode(const char *format, const char *model, const void *bytes, size_t n)
{
    const sy_device device = {.model = model};
    sy_fail f = {.text = ""};
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    /* A copy of just that size, so that a read beyond the end is seen. */
    char *exact = malloc(n);
    if (n)
        memcpy(exact, bytes, n);
    sy_err e = sy_format_find(sy_span_of(format))
                   ->decode((sy_span){exact, n}, model ? &device : NULL, add, &b, &f);
    if (e)
        snprintf(line, sizeof line, "%s %s", b.n ? "!!" : "!", f.text);
    else
        snprintf(line, sizeof line, "%s", b.n ? b.p : "");
    free(exact);
    sy_buf_fini(&b);
    return line;
}

const char *lora_hex(const char *format, const char *model, const char *text)
{
    static char bytes[8192];
    size_t n = 0;
    for (; *text; text += *text == ' ' ? 1 : 2)
        if (*text != ' ')
            bytes[n++] = (char)(sy_hex_digit(text[0]) << 4 | sy_hex_digit(text[1]));
    return lora_decode(format, model, bytes, n);
}

void lora_part(const char *got, const char *want)
{
    if (!strstr(got, want))
        fail_msg("'%s' is not in '%s'", want, got);
}
