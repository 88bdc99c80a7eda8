/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place where JSON text is parsed. The nesting is counted before jansson sees the text:
 * its own bound is a matter of stack, ours of what a device may say.
 */
#include "drivers/formats/json_in.h"

enum { DEPTH = 32 };

char sy_json_first(sy_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!memchr(" \t\r\n", text.p[i], 4))
            return text.p[i];
    return 0;
}

/* Most messages have fewer brackets than may be open at once: they need no closer look. */
static bool few_brackets(sy_span text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += (text.p[i] & 0xdf) == '['; /* of "{", too */
    return n <= DEPTH;
}

static bool shallow(sy_span text)
{
    size_t depth = 0;
    if (few_brackets(text))
        return true;
    bool quoted = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{') && ++depth > DEPTH)
            return false;
        else if (!quoted && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return true;
}

sy_err sy_json_in(sy_span text, json_t **out, sy_fail *f)
{
    if (text.n == 0)
        return sy_fail_set(f, SY_E_PARSE, "the message is empty");
    if (!shallow(text))
        return sy_fail_set(f, SY_E_RANGE, "nested more than %d deep", DEPTH);
    json_error_t e;
    /* Integers as such are read faster; one that is too large for them makes all of them reals. */
    *out = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &e);
    if (!*out && json_error_code(&e) == json_error_numeric_overflow)
        *out = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &e);
    if (*out)
        return SY_OK;
    char *near = strstr(e.text, " near '"); /* what follows is the payload's own bytes */
    if (near)
        *near = '\0';
    return sy_fail_set(f, json_error_code(&e) == json_error_out_of_memory ? SY_E_NOMEM : SY_E_PARSE,
                       "JSON, line %d, column %d: %s", e.line, e.column, e.text);
}
