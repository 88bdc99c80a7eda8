/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of HJ 212. The length says where a frame ends; where it is wrong, the CRC before the next
 * end of line does, if what stands there looks like one.
 */
#include "drivers/formats/hj212.h"

#include <stdlib.h>

#include "base/hash.h"

enum { HEAD = 6, TAIL = 4 }; /* "##" and the length; the CRC */

/* Four bits of the register at a time: crc[i] is i after four of its shifts. */
uint16_t sy_hj212_crc(sy_span segment)
{
    static const uint16_t crc[16] = {0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00,
                                     0x2800, 0xe401, 0xa001, 0x6c00, 0x7800, 0xb401,
                                     0x5000, 0x9c01, 0x8801, 0x4400};
    unsigned r = 0xffff;
    for (size_t i = 0; i < segment.n; i++) {
        r = r >> 8 ^ (unsigned char)segment.p[i];
        r = r >> 4 ^ crc[r & 15];
        r = r >> 4 ^ crc[r & 15];
    }
    return (uint16_t)r;
}

int sy_hj212_edition(const sy_hj212_frame *f)
{
    int version = f->flag < 0 ? 0 : f->flag >> 2;
    return version == 0 ? SY_HJ212_2005 : version == 1 ? SY_HJ212_2017 : SY_HJ212_2025;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Four hexadecimal digits; -1. */
static long crc_at(const char *p)
{
    long v = 0;
    for (int i = 0; i < TAIL; i++) {
        int d = sy_hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

static const char *find(const char *p, const char *end, const char *what, size_t n)
{
    return end - p >= (ptrdiff_t)n ? memmem(p, (size_t)(end - p), what, n) : NULL;
}

static bool named(sy_span key, const char *name)
{
    return key.n == strlen(name) && strncasecmp(key.p, name, key.n) == 0;
}

static int small(sy_span text)
{
    int v = 0;
    for (size_t i = 0; i < text.n && i < 5; i++) {
        if (!is_digit(text.p[i]))
            return -1;
        v = v * 10 + (text.p[i] - '0');
    }
    return text.n ? v : -1;
}

static void field(sy_hj212_frame *f, sy_span pair)
{
    const char *eq = memchr(pair.p, '=', pair.n);
    if (!eq)
        return;
    sy_span key = {pair.p, (size_t)(eq - pair.p)};
    sy_span value = {eq + 1, pair.n - key.n - 1};
    if (named(key, "QN"))
        f->qn = value;
    else if (named(key, "ST"))
        f->st = value;
    else if (named(key, "CN"))
        f->cn = value;
    else if (named(key, "PW"))
        f->pw = value;
    else if (named(key, "MN"))
        f->mn = value;
    else if (named(key, "Flag"))
        f->flag = small(value);
    else if (named(key, "PNUM"))
        f->pnum = small(value);
    else if (named(key, "PNO"))
        f->pno = small(value);
}

/* The head up to CP; a comma between its fields is seen, too. */
static void split(sy_hj212_frame *f)
{
    const char *p = f->segment.p, *end = p + f->segment.n;
    const char *open = find(p, end, "&&", 2);
    const char *head_end = open ? open : end;
    while (p < head_end) {
        const char *to = p;
        while (to < head_end && *to != ';' && *to != ',')
            to++;
        field(f, (sy_span){p, (size_t)(to - p)});
        p = to + 1;
    }
    if (!open)
        return;
    const char *from = open + 2, *close = find(from, end, "&&", 2);
    f->data = (sy_span){from, (size_t)((close ? close : end) - from)};
}

static size_t line_end(const char *p, const char *end)
{
    size_t n = 0;
    while (n < 2 && p + n < end && (p[n] == '\r' || p[n] == '\n'))
        n++;
    return n;
}

/* Where the first end of line is, asked for ever later places: the bytes are looked through once.
 */
typedef struct lines {
    const char *end;
    const char *eol; /* the first that is not before what was last asked for; NULL: not yet asked */
} lines;

static const char *eol_from(lines *l, const char *from)
{
    if (!l->eol || l->eol < from) {
        l->eol = from;
        while (l->eol < l->end && *l->eol != '\r' && *l->eol != '\n')
            l->eol++;
    }
    return l->eol; /* the end: there is none */
}

static bool head_at(const char *p, const char *end)
{
    return end - p >= HEAD && p[0] == '#' && p[1] == '#' && is_digit(p[2]) && is_digit(p[3]) &&
           is_digit(p[4]) && is_digit(p[5]);
}

static bool has_head(sy_span s)
{
    const char *p = s.p, *end = s.p + s.n;
    for (; (p = find(p, end, "##", 2)); p++)
        if (head_at(p, end))
            return true;
    return false;
}

/* The frame whose head is at p; false: that is none. SY_E_NOTFOUND in *e: not whole yet. */
static bool frame_at(const char *p, lines *l, sy_hj212_frame *out, sy_err *e)
{
    const char *end = l->end, *from = p + HEAD;
    size_t length = (size_t)strtoul((char[]){p[2], p[3], p[4], p[5], 0}, NULL, 10);
    size_t room = (size_t)(end - from);
    const char *at = from + (room >= length + TAIL ? length : 0);
    bool fits = room >= length + TAIL;
    if (fits && crc_at(at) >= 0 &&
        (at + TAIL == end || line_end(at + TAIL, end) ||
         crc_at(at) == sy_hj212_crc((sy_span){from, length}))) {
        out->length_good = true;
    } else {
        /* The end of the line, not further than a frame may be long. */
        const char *eol = eol_from(l, from);
        bool ended = eol < end && eol - from < SY_HJ212_MAX + TAIL + 2;
        if (!ended && !fits && room < SY_HJ212_MAX + TAIL) {
            *e = SY_E_NOTFOUND;
            return false;
        }
        if (!ended || eol - from < TAIL + 1 || crc_at(eol - TAIL) < 0)
            return false; /* noise that looks like a head */
        at = eol - TAIL;
        sy_span line = {from, (size_t)(at - from)};
        if (crc_at(at) != sy_hj212_crc(line) && has_head(line))
            return false; /* a frame that was cut off, and a later one behind it */
    }
    out->segment = (sy_span){from, (size_t)(at - from)};
    out->crc_good = crc_at(at) == sy_hj212_crc(out->segment);
    out->size = (size_t)(at + TAIL - p) + line_end(at + TAIL, end);
    return true;
}

sy_err sy_hj212_next(sy_span bytes, sy_hj212_frame *out, size_t *skip)
{
    const char *end = bytes.p + bytes.n, *p = bytes.p;
    lines l = {.end = end};
    sy_err e = SY_OK;
    *out = (sy_hj212_frame){.flag = -1, .pnum = -1, .pno = -1};
    *skip = 0;
    for (; (p = find(p, end, "##", 2)); p++) {
        *skip = (size_t)(p - bytes.p);
        if (end - p < HEAD)
            return SY_E_NOTFOUND;
        if (head_at(p, end) && frame_at(p, &l, out, &e)) {
            split(out);
            return SY_OK;
        }
        if (e)
            return e;
    }
    /* The first "#" of the next head may be the last byte here. */
    *skip = bytes.n && end[-1] == '#' ? bytes.n - 1 : bytes.n;
    return SY_E_NOTFOUND;
}
