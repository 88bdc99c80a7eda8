/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 after RFC 3629: shortest form only, no surrogates, at most U+10FFFF. */
#include "base/utf8.h"

static bool tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

size_t sy_utf8_next(const char *text, size_t n, uint32_t *cp)
{
    const unsigned char *p = (const unsigned char *)text;
    if (n == 0)
        return 0;
    if (p[0] < 0x80) {
        *cp = p[0];
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf && n >= 2 && tail(p[1])) {
        *cp = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
        return 2;
    }
    if ((p[0] & 0xf0) == 0xe0 && n >= 3 && tail(p[1]) && tail(p[2])) {
        uint32_t c = (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
        if (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))
            return 0;
        *cp = c;
        return 3;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4 && n >= 4 && tail(p[1]) && tail(p[2]) && tail(p[3])) {
        uint32_t c = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
                     (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
        if (c < 0x10000 || c > 0x10ffff)
            return 0;
        *cp = c;
        return 4;
    }
    return 0;
}

size_t sy_utf8_check(sy_span s)
{
    size_t at = 0;
    while (at < s.n) {
        uint32_t cp;
        size_t n = sy_utf8_next(s.p + at, s.n - at, &cp);
        if (n == 0)
            break;
        at += n;
    }
    return at;
}

size_t sy_utf8_put(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp >= 0xd800 && cp <= 0xdfff)
        return 0;
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    if (cp > 0x10ffff)
        return 0;
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

/* The blocks that Unicode's East Asian Width (UAX 11) calls wide or full-width, coarsely. */
static bool wide(uint32_t c)
{
    return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf && c != 0x303f) ||
           (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
           (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
           (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x20000 && c <= 0x3fffd);
}

size_t sy_utf8_width(sy_span s)
{
    size_t at = 0, columns = 0;
    while (at < s.n) {
        uint32_t cp;
        size_t n = sy_utf8_next(s.p + at, s.n - at, &cp);
        if (n == 0) {
            n = 1;
            cp = '?';
        }
        columns += wide(cp) ? 2 : 1;
        at += n;
    }
    return columns;
}
