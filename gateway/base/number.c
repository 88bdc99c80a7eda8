/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text and back, without the locale. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"

void sy_buf_printf(sy_buf *b, const char *fmt, ...)
{
    char small[256];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
    } else if ((size_t)n < sizeof small) {
        sy_buf_put(b, small, (size_t)n);
    } else {
        char *big = malloc((size_t)n + 1);
        if (big) {
            vsnprintf(big, (size_t)n + 1, fmt, again);
            sy_buf_put(b, big, (size_t)n);
            free(big);
        } else {
            b->failed = true;
        }
    }
    va_end(again);
}

/* The process never calls setlocale for LC_NUMERIC, so printf and strtod see the "C" locale; a
 * library that does would show up here as a comma, which is put right. */
static void point(char *text)
{
    for (; *text; text++)
        if (*text == ',')
            *text = '.';
}

/* "1e+20" for large integers would be shortest too; plain digits read better up to 2^53. */
void sy_buf_double(sy_buf *b, double v)
{
    char text[40];
    if (!isfinite(v)) {
        sy_buf_text(b, "null");
        return;
    }
    if (v == 0) {
        sy_buf_text(b, "0");
        return;
    }
    if (fabs(v) < 9007199254740992.0 && v == floor(v)) {
        sy_buf_int(b, (int64_t)v);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    point(text);
    sy_buf_text(b, text);
}

static bool decimal(sy_span t)
{
    size_t i = 0, digits = 0;
    if (i < t.n && (t.p[i] == '-' || t.p[i] == '+'))
        i++;
    for (; i < t.n && t.p[i] >= '0' && t.p[i] <= '9'; i++)
        digits++;
    if (i < t.n && t.p[i] == '.')
        for (i++; i < t.n && t.p[i] >= '0' && t.p[i] <= '9'; i++)
            digits++;
    if (digits == 0)
        return false;
    if (i < t.n && (t.p[i] == 'e' || t.p[i] == 'E')) {
        i++;
        if (i < t.n && (t.p[i] == '-' || t.p[i] == '+'))
            i++;
        size_t from = i;
        while (i < t.n && t.p[i] >= '0' && t.p[i] <= '9')
            i++;
        if (i == from)
            return false;
    }
    return i == t.n;
}

sy_err sy_double_parse(sy_span text, double *out)
{
    char copy[64];
    if (text.n == 0 || text.n >= sizeof copy || !decimal(text))
        return SY_E_PARSE;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    double v = strtod(copy, NULL);
    if (!isfinite(v))
        return SY_E_RANGE;
    *out = v;
    return SY_OK;
}

sy_err sy_duration_parse(sy_span text, sy_ms *out)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1},       {"s", 1000},        {"min", 60000},   {"h", 3600000},
                 {"d", 86400000}, {"days", 86400000}, {"day", 86400000}};
    size_t n = 0;
    while (n < text.n && ((text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '.'))
        n++;
    double v;
    if (sy_double_parse((sy_span){text.p, n}, &v) != SY_OK)
        return SY_E_PARSE;
    while (n < text.n && text.p[n] == ' ')
        n++;
    sy_span unit = {text.p + n, text.n - n};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!sy_span_is(unit, units[i].unit))
            continue;
        double ms = v * units[i].ms;
        if (ms > 1e15)
            return SY_E_RANGE;
        *out = (sy_ms)(ms + 0.5);
        return SY_OK;
    }
    return SY_E_PARSE;
}
