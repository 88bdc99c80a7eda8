/*
 * UTF-8 (RFC 3629). Pure.
 */
#ifndef SY_UTF8_H
#define SY_UTF8_H

#include "base/span.h"

/* Decode one character at text (n bytes left): its length 1 to 4 and *cp, or 0 where the bytes are
 * not well formed (overlong, surrogate, beyond U+10FFFF, truncated). */
size_t sy_utf8_next(const char *text, size_t n, uint32_t *cp);
/* The offset of the first malformed byte, or s.n where all is well. */
size_t sy_utf8_check(sy_span s);
/* Encode; returns the length 1 to 4, 0 for what is no character. */
size_t sy_utf8_put(uint32_t cp, char out[4]);
/* Columns that the text takes on a terminal: wide East Asian characters count 2. */
size_t sy_utf8_width(sy_span s);

#endif
