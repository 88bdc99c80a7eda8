/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks. Values that are decimals (what sensors send: 4.5, -18.25) are kept as integers and a
 * power of ten: m / 10^e is the nearest double to the decimal, since m and 10^e are exact, so it is
 * the very double that reading the text gave. The few that are none (NaN, -0, converted units)
 * stand beside them with their bits; where they are not few, all are kept by their bits, each
 * against the one before.
 */
#include "store/chunk.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "store/intcol.h"

enum {
    VERSION = 1,
    HEAD = 5,         /* version and checksum */
    MOST_DIGITS = 15, /* after the point */
    DECIMAL = 0,      /* codings of values */
    BITS = 1,         /* bits against those before */
    BITS_ALONE = 2,   /* bits as they are */
    SAME_QUALITY = 0, /* codings of qualities */
    QUALITY_RUNS = 1,
};

static const double tens[MOST_DIGITS + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                             1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

typedef struct room { /* for one chunk's columns */
    int64_t *x;
    int64_t *work;
    uint64_t *bits;
    bool *odd; /* not a decimal */
} room;

static bool room_make(room *r, size_t n)
{
    char *p = malloc(n * (sizeof *r->x * 5 + sizeof *r->bits + sizeof *r->odd));
    r->x = (int64_t *)(void *)p;
    if (!p)
        return false;
    r->work = r->x + n;
    r->bits = (uint64_t *)(r->work + 4 * n);
    r->odd = (bool *)(r->bits + n);
    return true;
}

static uint64_t bits_of(double v)
{
    uint64_t b;
    memcpy(&b, &v, sizeof b);
    return b;
}

static double of_bits(uint64_t b)
{
    double v;
    memcpy(&v, &b, sizeof v);
    return v;
}

/* v is m / 10^e to the bit. */
static bool is_scaled(double v, int e, int64_t *m)
{
    double scaled = v * tens[e];
    if (!(fabs(scaled) < 9007199254740992.0))
        return false;
    *m = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    return bits_of((double)*m / tens[e]) == bits_of(v);
}

/* The fewest digits after the point that v has, -1: it is no decimal of so many. */
static int digits_of(double v)
{
    int64_t m;
    for (int e = 0; e <= MOST_DIGITS; e++)
        if (is_scaled(v, e, &m))
            return e;
    return -1;
}

/* The power of ten for most of the values; odd[] marks those that it does not fit. False: too many.
 */
static bool find_scale(const sy_sample *s, size_t n, room *r, int *scale, size_t *n_odd)
{
    size_t of[MOST_DIGITS + 1] = {0};
    *n_odd = 0;
    for (size_t i = 0; i < n; i++) {
        int e = digits_of(s[i].value);
        if (e >= 0)
            of[e]++;
        else
            ++*n_odd;
        if (*n_odd > n / 8 + 1)
            return false;
    }
    /* The smallest scale that leaves few out: a value like 0.1 + 0.2 must not make all others long.
     */
    size_t left = *n_odd;
    *scale = MOST_DIGITS;
    while (*scale > 0 && left + of[*scale] <= n / 32)
        left += of[(*scale)--];
    *n_odd = 0;
    for (size_t i = 0; i < n; i++) {
        r->odd[i] = !is_scaled(s[i].value, *scale, &r->x[i]);
        if (r->odd[i])
            r->x[i] = i ? r->x[i - 1] : 0;
        *n_odd += r->odd[i];
    }
    return *n_odd <= n / 8 + 1;
}

static sy_err put_decimal(const sy_sample *s, size_t n, room *r, sy_buf *out)
{
    int scale;
    size_t n_odd;
    if (!find_scale(s, n, r, &scale, &n_odd))
        return SY_E_UNSUPPORTED;
    sy_buf_u8(out, DECIMAL);
    sy_buf_u8(out, (uint8_t)scale);
    sy_varint_put(out, n_odd);
    size_t last = 0;
    for (size_t i = 0; i < n; i++) {
        if (!r->odd[i])
            continue;
        sy_varint_put(out, i - last);
        sy_buf_u64(out, bits_of(s[i].value));
        last = i;
    }
    return sy_intcol_encode(r->x, n, r->work, out);
}

static sy_err put_bits(const sy_sample *s, size_t n, room *r, bool alone, sy_buf *out)
{
    uint64_t before = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t b = bits_of(s[i].value);
        r->bits[i] = alone ? b : b ^ before;
        before = b;
    }
    sy_buf_u8(out, alone ? BITS_ALONE : BITS);
    return sy_planes_encode(r->bits, n, 8, out);
}

/* The shortest of the codings. */
static sy_err put_values(const sy_sample *s, size_t n, room *r, sy_buf *out)
{
    sy_buf a, b;
    sy_buf_init(&a, sy_heap());
    sy_buf_init(&b, sy_heap());
    sy_err e = put_decimal(s, n, r, &a);
    if (e == SY_E_UNSUPPORTED) {
        sy_buf_reset(&a);
        e = put_bits(s, n, r, false, &a);
        if (!e)
            e = put_bits(s, n, r, true, &b);
        if (!e && b.n < a.n) {
            sy_buf swap = a;
            a = b;
            b = swap;
        }
    }
    if (!e)
        sy_buf_put(out, a.p, a.n);
    sy_buf_fini(&a);
    sy_buf_fini(&b);
    return e;
}

static void put_qualities(const sy_sample *s, size_t n, sy_buf *out)
{
    size_t run = 0;
    while (run < n && s[run].quality == s[0].quality)
        run++;
    sy_buf_u8(out, run == n ? SAME_QUALITY : QUALITY_RUNS);
    for (size_t i = 0; i < n; i += run) {
        for (run = 1; i + run < n && s[i + run].quality == s[i].quality;)
            run++;
        sy_varint_put(out, s[i].quality);
        if (run < n)
            sy_varint_put(out, run);
    }
}

sy_err sy_chunk_encode(const sy_sample *s, size_t n, sy_buf *out, sy_fail *f)
{
    room r;
    sy_buf body;
    if (n == 0 || n > SY_CHUNK_MAX)
        return sy_fail_set(f, SY_E_RANGE, "a chunk of %zu samples", n);
    if (!room_make(&r, n))
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a chunk");
    sy_buf_init(&body, sy_heap());
    sy_varint_put(&body, n);
    for (size_t i = 0; i < n; i++)
        r.x[i] = s[i].t;
    sy_err e = sy_intcol_encode(r.x, n, r.work, &body);
    put_qualities(s, n, &body);
    if (!e)
        e = put_values(s, n, &r, &body);
    if (!e) {
        sy_buf_u8(out, VERSION);
        sy_buf_u32(out, sy_crc32c(0, body.p, body.n));
        sy_buf_put(out, body.p, body.n);
    }
    if (!e && (body.failed || out->failed))
        e = SY_E_NOMEM;
    sy_buf_fini(&body);
    free(r.x);
    return e ? sy_fail_set(f, e, "no memory for a chunk") : SY_OK;
}

static bool get_qualities(sy_span *in, sy_sample *out, size_t n)
{
    uint64_t quality, run;
    if (in->n == 0 || (uint8_t)*in->p > QUALITY_RUNS)
        return false;
    bool same = *in->p == SAME_QUALITY;
    *in = (sy_span){in->p + 1, in->n - 1};
    for (size_t i = 0; i < n; i += (size_t)run) {
        run = n;
        if (!sy_varint_get(in, &quality) || quality > UINT32_MAX)
            return false;
        if (!same && (!sy_varint_get(in, &run) || run == 0 || run > n - i))
            return false;
        for (uint64_t k = 0; k < run; k++)
            out[i + k].quality = (sy_quality)quality;
    }
    return true;
}

static uint64_t u64_at(const char *p)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)(uint8_t)p[i] << 8 * i;
    return v;
}

static sy_err get_decimal(sy_span *in, sy_sample *out, size_t n, room *r)
{
    uint64_t n_odd, skip;
    if (in->n == 0 || (uint8_t)*in->p > MOST_DIGITS)
        return SY_E_CORRUPT;
    int scale = (uint8_t)*in->p;
    *in = (sy_span){in->p + 1, in->n - 1};
    if (!sy_varint_get(in, &n_odd) || n_odd > n)
        return SY_E_CORRUPT;
    memset(r->odd, 0, n * sizeof *r->odd);
    size_t at = 0;
    for (uint64_t k = 0; k < n_odd; k++) {
        if (!sy_varint_get(in, &skip) || skip >= n - at || (k && skip == 0) || in->n < 8)
            return SY_E_CORRUPT;
        at += (size_t)skip;
        r->odd[at] = true;
        out[at].value = of_bits(u64_at(in->p));
        *in = (sy_span){in->p + 8, in->n - 8};
    }
    sy_err e = sy_intcol_decode(in, r->x, n);
    for (size_t i = 0; i < n && !e; i++)
        if (!r->odd[i])
            out[i].value = (double)r->x[i] / tens[scale];
    return e;
}

static sy_err get_values(sy_span *in, sy_sample *out, size_t n, room *r)
{
    if (in->n == 0)
        return SY_E_CORRUPT;
    uint8_t coding = (uint8_t)*in->p;
    *in = (sy_span){in->p + 1, in->n - 1};
    if (coding == DECIMAL)
        return get_decimal(in, out, n, r);
    if (coding > BITS_ALONE)
        return SY_E_CORRUPT;
    sy_err e = sy_planes_decode(in, r->bits, n, 8);
    uint64_t before = 0;
    for (size_t i = 0; i < n && !e; i++) {
        before = coding == BITS ? before ^ r->bits[i] : r->bits[i];
        out[i].value = of_bits(before);
    }
    return e;
}

static sy_err get_body(sy_span in, sy_sample *out, size_t cap, size_t *n)
{
    uint64_t count;
    room r;
    if (!sy_varint_get(&in, &count) || count == 0 || count > SY_CHUNK_MAX)
        return SY_E_CORRUPT;
    if (count > cap)
        return SY_E_RANGE;
    if (!room_make(&r, (size_t)count))
        return SY_E_NOMEM;
    sy_err e = sy_intcol_decode(&in, r.x, (size_t)count);
    for (size_t i = 0; i < count && !e; i++)
        out[i].t = r.x[i];
    if (!e && !get_qualities(&in, out, (size_t)count))
        e = SY_E_CORRUPT;
    if (!e)
        e = get_values(&in, out, (size_t)count, &r);
    free(r.x);
    if (!e && in.n > 0)
        e = SY_E_CORRUPT;
    *n = (size_t)count;
    return e;
}

static uint32_t u32_at(const char *p)
{
    return (uint32_t)u64_at((char[]){p[0], p[1], p[2], p[3], 0, 0, 0, 0});
}

sy_err sy_chunk_decode(sy_span bytes, sy_sample *out, size_t cap, size_t *n, sy_fail *f)
{
    *n = 0;
    if (bytes.n > HEAD && (uint8_t)*bytes.p > VERSION)
        return sy_fail_set(f, SY_E_UNSUPPORTED, "a chunk of version %u, this program knows %d",
                           (uint8_t)*bytes.p, (int)VERSION);
    if (bytes.n <= HEAD || *bytes.p != VERSION ||
        u32_at(bytes.p + 1) != sy_crc32c(0, bytes.p + HEAD, bytes.n - HEAD))
        return sy_fail_set(f, SY_E_CORRUPT, "a chunk whose checksum does not fit");
    sy_err e = get_body((sy_span){bytes.p + HEAD, bytes.n - HEAD}, out, cap, n);
    if (!e)
        return SY_OK;
    *n = 0;
    if (e == SY_E_RANGE)
        return sy_fail_set(f, e, "a chunk of more than %zu samples", cap);
    return e == SY_E_NOMEM ? sy_fail_set(f, e, "no memory for a chunk")
                           : sy_fail_set(f, e, "a chunk that is not well formed");
}
