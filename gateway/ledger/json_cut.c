/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of the values in JSON text. */
#include "ledger/json_cut.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of the value that begins at p, in text known to be valid JSON. */
static const char *value_end(const char *p, const char *end)
{
    int depth = 0;
    bool quoted = false;
    for (; p < end; p++) {
        if (quoted) {
            if (*p == '\\')
                p++;
            else
                quoted = *p != '"';
        } else if (*p == '"') {
            quoted = true;
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if (depth == 0 && (*p == ',' || *p == ']' || blank(*p))) {
            return p;
        } else if (*p == '}' || *p == ']') {
            depth--;
        }
    }
    return end;
}

sy_span sy_json_items(sy_span text, bool array)
{
    while (text.n && blank(*text.p))
        text = (sy_span){text.p + 1, text.n - 1};
    return array && text.n ? (sy_span){text.p + 1, text.n - 1} : text;
}

sy_span sy_json_next(sy_span *rest)
{
    const char *p = rest->p, *end = p + rest->n;
    while (p < end && (blank(*p) || *p == ','))
        p++;
    const char *to = value_end(p, end);
    *rest = (sy_span){to, (size_t)(end - to)};
    return (sy_span){p, (size_t)(to - p)};
}
