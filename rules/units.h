/*
 * Units as types: a constant table generated at build time from UDUNITS-2 (tools/gen_units.c) with
 * tags of our own for what is no plain dimension. Pure.
 *
 * base = value * factor + offset. Two units convert when their tags are equal. "temperature" and
 * "temperature-difference" are different tags (degC and K): a difference of degC is written K.
 */
#ifndef SY_RULES_UNITS_H
#define SY_RULES_UNITS_H

#include "base/span.h"

typedef struct sy_unit {
    const char *id;  /* "degC", "mg/m3", "%RH", "min" … */
    const char *tag; /* "temperature", "mass-concentration", "relative-humidity", "time" … */
    double factor, offset;
    const char *en, *zh; /* how fmt writes it: "°C", "℃"; "min", "分钟" */
    const char *senml;   /* name in the SenML registry (RFC 8428 12.1, RFC 8798), or NULL */
} sy_unit;

/* The unit with exactly this spelling (any of its spellings), or NULL. */
const sy_unit *sy_unit_find(sy_span spelling);
/* The unit whose spelling is the longest prefix of text, and that length; NULL if none. */
const sy_unit *sy_unit_longest(sy_span text, size_t *len);
/* By id. */
const sy_unit *sy_unit_by_id(const char *id);
/* The unit of a difference of two values in `u`: of temperatures K, otherwise u; NULL for NULL. */
const sy_unit *sy_unit_difference(const sy_unit *u);
/* A unit such as "K/h" or "L/min" as its two parts, where the second is a unit of time. */
bool sy_unit_split(const sy_unit *u, const sy_unit **of, const sy_unit **time);
/* By a unit of a device's message: SenML names first, what only devices write, then spellings. */
const sy_unit *sy_unit_of_device(sy_span text);
static inline bool sy_unit_convertible(const sy_unit *a, const sy_unit *b)
{
    return a && b && sy_span_eq(sy_span_of(a->tag), sy_span_of(b->tag));
}
/* value in `from` as a value in `to`. The same unit gives the same value, bit for bit; otherwise
 * one multiplication and addition each way, rounded to 1e-9 relative by the comparison, not here.
 * Never called for units that do not convert. */
double sy_unit_convert(double value, const sy_unit *from, const sy_unit *to);
/* Every spelling, for "did you mean". */
const char *const *sy_unit_spellings(size_t *n);

#endif
