/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking units up in the generated table, and converting between them.
 */
#include "rules/units.h"

#include "rules/text.h"
#include "rules/units_table.h"

const sy_unit *sy_unit_find(sy_span spelling)
{
    size_t lo = 0, hi = sy_unit_texts_n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = sy_text_order(spelling, sy_span_of(sy_unit_texts[mid]));
        if (c == 0)
            return &sy_units[sy_unit_rows[mid]];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

const sy_unit *sy_unit_longest(sy_span text, size_t *len)
{
    const sy_unit *found = NULL;
    *len = 0;
    for (size_t i = 0; i < sy_unit_texts_n; i++) {
        size_t n = strlen(sy_unit_texts[i]);
        if (n > *len && n <= text.n && memcmp(text.p, sy_unit_texts[i], n) == 0) {
            found = &sy_units[sy_unit_rows[i]];
            *len = n;
        }
    }
    return found;
}

const sy_unit *sy_unit_by_id(const char *id)
{
    /* The first byte tells most of them apart: this is asked for every reading. */
    for (size_t i = 0; i < sy_units_n; i++)
        if (sy_units[i].id[0] == id[0] && sy_span_is(sy_span_of(id), sy_units[i].id))
            return &sy_units[i];
    return NULL;
}

static bool tagged(const sy_unit *u, const char *tag)
{
    return u && sy_span_is(sy_span_of(u->tag), tag);
}

const sy_unit *sy_unit_difference(const sy_unit *u)
{
    return tagged(u, "temperature") ? sy_unit_by_id("K") : u;
}

bool sy_unit_split(const sy_unit *u, const sy_unit **of, const sy_unit **time)
{
    size_t n = strlen(u->id), at = n;
    while (at > 0 && u->id[at - 1] != '/')
        at--;
    if (at < 2)
        return false;
    *of = sy_unit_find((sy_span){u->id, at - 1});
    *time = sy_unit_find((sy_span){u->id + at, n - at});
    return *of && tagged(*time, "time");
}

/* What devices write that is no spelling of a rule: RFC 8428 section 12.1, RFC 8798, and letters
 * that mean one unit alone in a device's message. */
static const char *const of_devices[][2] = {
    {"%EL", "%"},   {"/100", "%"},  {"/1000", "permille"}, {"C", "degC"},    {"Celsius", "degC"},
    {"F", "degF"},  {"lat", "deg"}, {"lon", "deg"},        {"lux", "lx"},    {"kpa", "kPa"},
    {"hpa", "hPa"}, {"%rh", "%RH"}, {"percent", "%"},      {"dBA", "dB(A)"}, {"l/h", "L/h"},
};

const sy_unit *sy_unit_of_device(sy_span text)
{
    for (size_t i = 0; i < sy_units_n; i++)
        if (sy_units[i].senml && text.n > 0 && sy_units[i].senml[0] == text.p[0] &&
            sy_span_is(text, sy_units[i].senml))
            return &sy_units[i];
    for (size_t i = 0; i < sizeof of_devices / sizeof of_devices[0] && text.n > 0; i++)
        if (of_devices[i][0][0] == text.p[0] && sy_span_is(text, of_devices[i][0]))
            return sy_unit_by_id(of_devices[i][1]);
    return sy_unit_find(text);
}

double sy_unit_convert(double value, const sy_unit *from, const sy_unit *to)
{
    if (from == to)
        return value;
    double base = value * from->factor;
    base = base + from->offset;
    return (base - to->offset) / to->factor;
}

const char *const *sy_unit_spellings(size_t *n)
{
    *n = sy_unit_texts_n;
    return sy_unit_texts;
}
