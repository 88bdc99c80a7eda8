/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of the journal. Fields are written one by one, so that a segment reads the same on every
 * machine. The window is the one way to look at a segment: recovery and readers share it, so that
 * both agree on what a record is.
 *
 * segment header: 0 magic[8] | 8 u32 version | 12 u32 salt | 16 u64 first seq | 24 u32 salt |
 *                 28 u32 CRC-32C of bytes 0..27
 * record:         0 u32 length | 4 u32 checksum | 8 u64 seq | 16 i64 receive time | 24 u32 code |
 *                 28 u8 type | 29 u8 flags | 30 u16 source length | 32 u16 ident length |
 *                 34 u16 zero | 36 source, ident, payload
 * checksum:       CRC-32C, started from the salt, of the body (from 36), then bytes 0..3 and 8..35
 */
#include "intake/jcodec.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "intake/sealed.h"

static const char magic[8] = {'S', 'Y', 'J', 'O', 'U', 'R', 'N', '\n'};
enum { VERSION = 1, SCAN_SHARE = 64 };

_Static_assert(SY_JSEG_HEADER == sizeof magic + 4 + 4 + 8 + 4 + 4, "segment header");
_Static_assert(SY_JREC_HEADER == 4 + 4 + 8 + 8 + 4 + 1 + 1 + 2 + 2 + 2, "record header");

static void put16(unsigned char *p, uint16_t v)
{
    p[0] = (unsigned char)v;
    p[1] = (unsigned char)(v >> 8);
}

static void put32(unsigned char *p, uint32_t v)
{
    put16(p, (uint16_t)v);
    put16(p + 2, (uint16_t)(v >> 16));
}

static void put64(unsigned char *p, uint64_t v)
{
    put32(p, (uint32_t)v);
    put32(p + 4, (uint32_t)(v >> 32));
}

static uint16_t get16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const unsigned char *p)
{
    return (uint64_t)get32(p) | (uint64_t)get32(p + 4) << 32;
}

void sy_jseg_encode(unsigned char out[SY_JSEG_HEADER], uint64_t first, uint32_t salt)
{
    memcpy(out, magic, sizeof magic);
    put32(out + 8, VERSION);
    put32(out + 12, salt);
    put64(out + 16, first);
    put32(out + 24, salt); /* again: without it no record can be told */
    put32(out + 28, sy_crc32c_fast(0, out, 28));
}

bool sy_jseg_decode(const unsigned char in[SY_JSEG_HEADER], uint64_t *first, uint32_t *salt)
{
    if (memcmp(in, magic, sizeof magic) != 0 || get32(in + 8) != VERSION ||
        get32(in + 28) != sy_crc32c_fast(0, in, 28))
        return false;
    *salt = get32(in + 12);
    *first = get64(in + 16);
    return true;
}

size_t sy_jrec_length(const sy_jrec *rec)
{
    if (rec->source.n > UINT16_MAX || rec->ident.n > UINT16_MAX || rec->payload.n > SY_JREC_MAX)
        return 0;
    size_t n = SY_JREC_HEADER + rec->source.n + rec->ident.n + rec->payload.n;
    return n > SY_JREC_MAX ? 0 : n;
}

uint32_t sy_jrec_body_crc(uint32_t salt, const sy_jrec *rec)
{
    uint32_t crc = sy_crc32c_fast(salt, rec->source.p, rec->source.n);
    crc = sy_crc32c_fast(crc, rec->ident.p, rec->ident.n);
    return sy_crc32c_fast(crc, rec->payload.p, rec->payload.n);
}

static uint32_t whole_crc(const unsigned char header[SY_JREC_HEADER], uint32_t body_crc)
{
    return sy_crc32c_fast(sy_crc32c_fast(body_crc, header, 4), header + 8, SY_JREC_HEADER - 8);
}

void sy_jrec_encode(unsigned char out[SY_JREC_HEADER], const sy_jrec *rec, uint32_t body_crc)
{
    put32(out, (uint32_t)sy_jrec_length(rec));
    put64(out + 8, rec->seq);
    put64(out + 16, (uint64_t)rec->recv);
    put32(out + 24, rec->code);
    out[28] = rec->type;
    out[29] = rec->flags;
    put16(out + 30, (uint16_t)rec->source.n);
    put16(out + 32, (uint16_t)rec->ident.n);
    put16(out + 34, 0);
    put32(out + 4, whole_crc(out, body_crc));
}

/* Header fields into *rec; the length, or 0 where they cannot be those of a record. */
static size_t decode_header(const unsigned char *p, sy_jrec *rec)
{
    size_t length = get32(p), source = get16(p + 30), ident = get16(p + 32);
    *rec = (sy_jrec){.seq = get64(p + 8),
                     .recv = (sy_ms)get64(p + 16),
                     .code = get32(p + 24),
                     .type = p[28],
                     .flags = p[29]};
    rec->source.n = source;
    rec->ident.n = ident;
    if (length < SY_JREC_HEADER + source + ident || length > SY_JREC_MAX || get16(p + 34) != 0 ||
        rec->seq == 0)
        return 0;
    rec->payload.n = length - SY_JREC_HEADER - source - ident;
    return length;
}

static bool decode_body(const unsigned char *p, uint32_t salt, size_t length, sy_jrec *rec)
{
    const char *body = (const char *)p + SY_JREC_HEADER;
    rec->source.p = body;
    rec->ident.p = body + rec->source.n;
    rec->payload.p = rec->ident.p + rec->ident.n;
    return whole_crc(p, sy_crc32c_fast(salt, body, length - SY_JREC_HEADER)) == get32(p + 4);
}

void sy_jwin_init(sy_jwin *w)
{
    *w = (sy_jwin){.fd = -1};
}

void sy_jwin_fini(sy_jwin *w)
{
    free(w->buf);
    sy_jwin_init(w);
}

void sy_jwin_set(sy_jwin *w, int fd, uint32_t salt, size_t limit)
{
    w->fd = fd;
    w->sealed = NULL;
    w->salt = salt;
    w->limit = limit;
    w->n = 0;
}

void sy_jwin_sealed(sy_jwin *w, struct sy_sealed *z, uint32_t salt, size_t limit)
{
    sy_jwin_set(w, -1, salt, limit);
    w->sealed = z;
}

static ssize_t read_some(const sy_jwin *w, void *buf, size_t n, size_t off)
{
    return w->sealed ? sy_sealed_read(w->sealed, buf, n, off) : pread(w->fd, buf, n, (off_t)off);
}

static bool refill(sy_jwin *w, size_t off, size_t n)
{
    if (n > w->cap || !w->buf) {
        size_t cap = n > SY_JWINDOW ? n : SY_JWINDOW;
        unsigned char *bigger = realloc(w->buf, cap);
        if (!bigger) {
            errno = ENOMEM;
            return false;
        }
        w->buf = bigger;
        w->cap = cap;
    }
    w->at = off;
    w->n = 0;
    size_t want = w->limit - off < w->cap ? w->limit - off : w->cap;
    while (w->n < want) {
        ssize_t got = read_some(w, w->buf + w->n, want - w->n, off + w->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        w->n += (size_t)got;
    }
    errno = 0;
    return w->n >= n;
}

const unsigned char *sy_jwin_get(sy_jwin *w, size_t off, size_t n)
{
    errno = 0;
    if (off > w->limit || n > w->limit - off)
        return NULL;
    bool inside = off >= w->at && off - w->at <= w->n && n <= w->n - (off - w->at);
    if (!inside && !refill(w, off, n))
        return NULL;
    return w->buf + (off - w->at);
}

sy_jfound sy_jwin_record(sy_jwin *w, size_t off, sy_jrec *rec, size_t *length)
{
    const unsigned char *p = sy_jwin_get(w, off, SY_JREC_HEADER);
    if (!p && errno)
        return SY_JFOUND_IO;
    if (!p) {
        size_t left = off < w->limit ? w->limit - off : 0;
        p = left ? sy_jwin_get(w, off, left) : NULL;
        for (size_t i = 0; p && i < left; i++)
            if (p[i])
                return SY_JFOUND_BAD;
        return SY_JFOUND_END;
    }
    if (get32(p) == 0 && get32(p + 4) == 0)
        return SY_JFOUND_END;
    *length = decode_header(p, rec);
    if (*length == 0)
        return SY_JFOUND_BAD;
    p = sy_jwin_get(w, off, *length);
    if (!p)
        return errno ? SY_JFOUND_IO : SY_JFOUND_BAD;
    return decode_body(p, w->salt, *length, rec) ? SY_JFOUND_RECORD : SY_JFOUND_BAD;
}

bool sy_jwin_header(sy_jwin *w, uint64_t first, uint32_t fallback)
{
    const unsigned char *h = sy_jwin_get(w, 0, SY_JSEG_HEADER);
    uint64_t says;
    uint32_t salt;
    if (h && sy_jseg_decode(h, &says, &salt)) {
        w->salt = salt;
        return says == first;
    }
    const uint32_t tries[] = {h ? get32(h + 12) : fallback, h ? get32(h + 24) : fallback};
    for (size_t i = 0; i < 2; i++) {
        sy_jrec rec;
        size_t length;
        w->salt = tries[i];
        if (sy_jwin_record(w, SY_JSEG_HEADER, &rec, &length) == SY_JFOUND_RECORD)
            return false;
    }
    w->salt = fallback;
    return false;
}

/* The first byte at or behind `off` that is not zero, or the limit. */
static size_t skip_zeros(sy_jwin *w, size_t off)
{
    size_t left = off < w->limit ? w->limit - off : 0;
    while (left > 0) {
        size_t n = left < 4096 ? left : 4096;
        const unsigned char *p = sy_jwin_get(w, off, n);
        if (!p)
            return w->limit;
        if (p[0] || memcmp(p, p + 1, n - 1) != 0)
            break;
        off += n;
        left -= n;
    }
    const unsigned char *p;
    while (off < w->limit && (p = sy_jwin_get(w, off, 1)) && !*p)
        off++;
    return off;
}

bool sy_jwin_find(sy_jwin *w, size_t off, uint64_t min_seq, size_t *found)
{
    /* A segment cannot hold more records than fit: a larger number is no record of it. The budget
     * bounds what bytes made to look like headers can cost. */
    uint64_t max_seq = min_seq + w->limit / SY_JREC_HEADER;
    uint64_t budget = (uint64_t)w->limit * SCAN_SHARE;
    for (; off < w->limit && w->limit - off >= SY_JREC_HEADER; off++) {
        const unsigned char *p = sy_jwin_get(w, off, SY_JREC_HEADER);
        if (!p)
            return false;
        if (get32(p) == 0) {
            off = skip_zeros(w, off + 4) - 4; /* a length has a byte that is not zero */
            continue;
        }
        sy_jrec rec;
        size_t length = decode_header(p, &rec);
        if (length == 0 || length > w->limit - off || rec.seq < min_seq || rec.seq > max_seq)
            continue;
        if (length > budget)
            return false;
        budget -= length;
        p = sy_jwin_get(w, off, length);
        if (p && decode_body(p, w->salt, length, &rec)) {
            *found = off;
            return true;
        }
    }
    return false;
}

bool sy_jwin_dirty(sy_jwin *w, size_t off)
{
    return skip_zeros(w, off) < w->limit;
}
