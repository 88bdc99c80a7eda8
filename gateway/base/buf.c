/* SPDX-License-Identifier: Apache-2.0 */
/* The growing buffer and the reader of what it wrote. */
#include "base/buf.h"

void sy_buf_init(sy_buf *b, sy_alloc alloc)
{
    *b = (sy_buf){.alloc = alloc};
}

void sy_buf_fini(sy_buf *b)
{
    if (b->p)
        b->alloc.resize(b->alloc.ctx, b->p, 0);
    b->p = NULL;
    b->n = b->cap = 0;
}

static bool make_room(sy_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap *= 2;
    char *p = b->alloc.resize(b->alloc.ctx, b->p, cap);
    if (!p)
        return false;
    b->p = p;
    b->cap = cap;
    return true;
}

void sy_buf_put(sy_buf *b, const void *bytes, size_t n)
{
    if (b->failed)
        return;
    if (n > SIZE_MAX / 4 || (b->n + n + 1 > b->cap && !make_room(b, b->n + n + 1))) {
        b->failed = true;
        return;
    }
    if (n)
        memcpy(b->p + b->n, bytes, n);
    b->n += n;
    b->p[b->n] = 0;
}

void sy_buf_text(sy_buf *b, const char *text)
{
    sy_buf_put(b, text, strlen(text));
}

void sy_buf_span_put(sy_buf *b, sy_span s)
{
    sy_buf_put(b, s.p, s.n);
}

void sy_buf_char(sy_buf *b, char c)
{
    sy_buf_put(b, &c, 1);
}

void sy_buf_int(sy_buf *b, int64_t v)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        digits[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        digits[--at] = '-';
    sy_buf_put(b, digits + at, sizeof digits - at);
}

void sy_buf_json(sy_buf *b, sy_span s)
{
    static const char hex[] = "0123456789abcdef";
    sy_buf_char(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        sy_buf_put(b, s.p + from, i - from);
        from = i + 1;
        if (c == '"' || c == '\\') {
            sy_buf_char(b, '\\');
            sy_buf_char(b, (char)c);
        } else if (c == '\n') {
            sy_buf_text(b, "\\n");
        } else if (c == '\t') {
            sy_buf_text(b, "\\t");
        } else {
            sy_buf_text(b, "\\u00");
            sy_buf_char(b, hex[c >> 4]);
            sy_buf_char(b, hex[c & 15]);
        }
    }
    if (s.n > from)
        sy_buf_put(b, s.p + from, s.n - from);
    sy_buf_char(b, '"');
}

static void put_le(sy_buf *b, uint64_t v, size_t n)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(v >> (8 * i));
    sy_buf_put(b, bytes, n);
}

void sy_buf_u8(sy_buf *b, uint8_t v)
{
    put_le(b, v, 1);
}

void sy_buf_u16(sy_buf *b, uint16_t v)
{
    put_le(b, v, 2);
}

void sy_buf_u32(sy_buf *b, uint32_t v)
{
    put_le(b, v, 4);
}

void sy_buf_u64(sy_buf *b, uint64_t v)
{
    put_le(b, v, 8);
}

void sy_buf_f64(sy_buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_le(b, bits, 8);
}

void sy_buf_blob(sy_buf *b, sy_span s)
{
    if (s.n > UINT32_MAX) {
        b->failed = true;
        return;
    }
    sy_buf_u32(b, (uint32_t)s.n);
    sy_buf_span_put(b, s);
}

sy_rd sy_rd_of(sy_span s)
{
    return (sy_rd){.p = (const unsigned char *)s.p, .n = s.n};
}

static uint64_t get_le(sy_rd *r, size_t n)
{
    if (r->bad || r->n < n) {
        r->bad = true;
        return 0;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)r->p[i] << (8 * i);
    r->p += n;
    r->n -= n;
    return v;
}

uint8_t sy_rd_u8(sy_rd *r)
{
    return (uint8_t)get_le(r, 1);
}

uint16_t sy_rd_u16(sy_rd *r)
{
    return (uint16_t)get_le(r, 2);
}

uint32_t sy_rd_u32(sy_rd *r)
{
    return (uint32_t)get_le(r, 4);
}

uint64_t sy_rd_u64(sy_rd *r)
{
    return get_le(r, 8);
}

double sy_rd_f64(sy_rd *r)
{
    uint64_t bits = get_le(r, 8);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

sy_span sy_rd_blob(sy_rd *r)
{
    uint32_t n = sy_rd_u32(r);
    if (r->bad || r->n < n) {
        r->bad = true;
        return (sy_span){0};
    }
    sy_span s = {(const char *)r->p, n};
    r->p += n;
    r->n -= n;
    return s;
}
