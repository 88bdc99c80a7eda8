/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the tables, taken apart (the notation is in lorawan_table.h). */
#include "drivers/formats/lorawan_table.h"

#include "base/hash.h"

bool sy_lt_line(const char **table, sy_span *key, sy_span *items)
{
    const char *line = *table, *end = line ? strchr(line, '\n') : NULL;
    if (!end || end - line < 6)
        return false;
    *key = (sy_span){line, 4};
    *items = (sy_span){line + 5, (size_t)(end - line) - 5};
    *table = end + 1;
    return true;
}

static sy_span rest_of(sy_span s, size_t n)
{
    return (sy_span){s.p + n, s.n - n};
}

bool sy_lt_next(sy_span *items, sy_span *item)
{
    size_t n = 0, depth = 0;
    if (items->n == 0)
        return false;
    if (items->p[0] == '%')
        n = items->n;
    for (; n < items->n && (depth > 0 || items->p[n] != ';'); n++) {
        depth += items->p[n] == '<';
        depth -= depth > 0 && items->p[n] == '>';
    }
    *item = (sy_span){items->p, n};
    *items = rest_of(*items, n < items->n ? n + 1 : n);
    return true;
}

bool sy_lt_group(sy_span item, sy_span *condition, sy_span *items)
{
    const char *colon = item.n > 2 ? memchr(item.p, ':', item.n) : NULL;
    if (!colon || item.p[0] != '<' || item.p[item.n - 1] != '>')
        return false;
    *condition = (sy_span){item.p + 1, (size_t)(colon - item.p) - 1};
    *items = (sy_span){colon + 1, (size_t)(item.p + item.n - 1 - colon) - 1};
    return condition->n > 0;
}

/* Up to the first of these characters. */
static sy_span until(sy_span *s, const char *stops)
{
    size_t n = 0;
    while (n < s->n && !strchr(stops, s->p[n]))
        n++;
    sy_span taken = {s->p, n};
    *s = rest_of(*s, n);
    return taken;
}

static bool number(sy_span *s, int base, uint32_t *out)
{
    size_t n = 0;
    uint64_t v = 0;
    for (; n < s->n && n < 10; n++) {
        int d = sy_hex_digit(s->p[n]);
        if (d < 0 || d >= base)
            break;
        v = v * (unsigned)base + (unsigned)d;
    }
    *s = rest_of(*s, n);
    *out = (uint32_t)v;
    return n > 0 && v <= UINT32_MAX;
}

static bool mark(sy_span *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = rest_of(*s, 1);
    return true;
}

static bool type_of(sy_span *s, sy_lt_item *out)
{
    uint32_t width = 0, bits;
    if (s->n == 0 || !strchr("uiUIWf@cnPQhraLmpwxtdv", s->p[0]))
        return false;
    out->kind = s->p[0];
    *s = rest_of(*s, 1);
    if (out->kind == 'c' || out->kind == 'n')
        return true;
    if (!number(s, 10, &width) || width > 64)
        return false;
    out->width = width;
    if (out->kind == '@') {
        if (!mark(s, '.') || !number(s, 10, &bits) || bits == 0 || width + bits > 32)
            return false;
        out->shift = width;
        out->bits = bits;
        out->width = 0;
        out->negative = mark(s, 's');
        return true;
    }
    return !strchr("uiUIWfP", out->kind) || (width >= 1 && width <= 4);
}

sy_err sy_lt_item_parse(sy_span text, sy_lt_item *out)
{
    uint32_t n;
    *out = (sy_lt_item){.divisor = 1};
    out->name = until(&text, ":");
    if (!mark(&text, ':') || !type_of(&text, out))
        return SY_E_PARSE;
    if (mark(&text, '/')) {
        if (!number(&text, 10, &n) || n == 0)
            return SY_E_PARSE;
        out->divisor = n;
    }
    for (int sign = 1; sign >= -1; sign -= 2)
        if (mark(&text, sign > 0 ? '+' : '-')) {
            if (!number(&text, 10, &n))
                return SY_E_PARSE;
            out->plus = sign * (double)n;
        }
    if (mark(&text, ' '))
        out->unit = until(&text, "{!~");
    if (mark(&text, '{')) {
        out->words = until(&text, "}");
        if (out->words.n == 0 || !mark(&text, '}'))
            return SY_E_PARSE;
    }
    out->faults = until(&text, "~");
    if (out->faults.n && out->faults.p[0] != '!')
        return SY_E_PARSE;
    if (mark(&text, '~'))
        out->status = text;
    return SY_OK;
}

sy_span sy_lt_word(sy_span list, uint32_t value, char between, int base)
{
    sy_span other = {"", 0};
    const char stops[] = {between, '\0'};
    for (uint32_t at = 0; list.n > 0; at++) {
        sy_span one = until(&list, stops), text = one;
        uint32_t code = at;
        bool any = one.n > 1 && one.p[0] == '*' && one.p[1] == '=';
        if (any)
            other = rest_of(one, 2);
        else if (!number(&text, base, &code) || !mark(&text, '='))
            code = at, text = one;
        if (!any && one.n > 0 && code == value)
            return text;
        mark(&list, between);
    }
    return other;
}
