/*
 * A borrowed run of bytes. Pure. Valid until the call returns unless the header that hands it out
 * says more. `p` may be NULL only where `n` is 0.
 */
#ifndef SY_SPAN_H
#define SY_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct sy_span {
    const char *p;
    size_t n;
} sy_span;

static inline sy_span sy_span_of(const char *text)
{
    return (sy_span){text, text ? strlen(text) : 0};
}

static inline bool sy_span_eq(sy_span a, sy_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool sy_span_is(sy_span a, const char *text)
{
    return sy_span_eq(a, sy_span_of(text));
}

#endif
