/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of integers. Three predictions are tried, the shortest is kept: a straight line (a clock
 * with jitter; values that stay within a band), the step before (a slow drift), the change of the
 * step (a clock that drifts).
 */
#include "store/intcol.h"

#include <stdlib.h>
#include <zstd.h>

enum { LEVEL = 12, PACKED = 0x80, LINE = 0, STEP = 1, CHANGE = 2, ORDERS = 3 };

void sy_varint_put(sy_buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        sy_buf_u8(out, (uint8_t)(v | 0x80));
    sy_buf_u8(out, (uint8_t)v);
}

bool sy_varint_get(sy_span *in, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 64 && in->n > 0; shift += 7) {
        uint8_t byte = (uint8_t)*in->p;
        in->p++;
        in->n--;
        if (shift == 63 && byte > 1)
            return false;
        *v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return byte != 0 || shift == 0; /* one form a number */
    }
    return false;
}

static sy_err put_packed(const char *raw, size_t n, sy_buf *out)
{
    size_t bound = ZSTD_compressBound(n);
    char *packed = malloc(bound);
    if (!packed)
        return SY_E_NOMEM;
    size_t size = ZSTD_compress(packed, bound, raw, n, LEVEL);
    if (ZSTD_isError(size) || size + 2 >= n) {
        sy_buf_u8(out, 0);
        sy_buf_put(out, raw, n);
    } else {
        sy_buf_u8(out, PACKED);
        sy_varint_put(out, size);
        sy_buf_put(out, packed, size);
    }
    free(packed);
    return out->failed ? SY_E_NOMEM : SY_OK;
}

sy_err sy_planes_encode(const uint64_t *x, size_t n, unsigned width, sy_buf *out)
{
    char *raw = malloc(n * width + 1);
    if (!raw)
        return SY_E_NOMEM;
    for (unsigned plane = 0; plane < width; plane++)
        for (size_t i = 0; i < n; i++)
            raw[plane * n + i] = (char)(x[i] >> 8 * plane & 0xff);
    sy_err e = put_packed(raw, n * width, out);
    free(raw);
    return e;
}

sy_err sy_planes_decode(sy_span *in, uint64_t *x, size_t n, unsigned width)
{
    size_t size = n * width;
    uint64_t packed = 0;
    const char *raw;
    char *room = NULL;
    if (in->n == 0 || (*in->p != 0 && (uint8_t)*in->p != PACKED))
        return SY_E_CORRUPT;
    bool is_packed = *in->p != 0;
    *in = (sy_span){in->p + 1, in->n - 1};
    if (is_packed) {
        if (!sy_varint_get(in, &packed) || packed > in->n)
            return SY_E_CORRUPT;
        room = malloc(size + 1);
        if (!room)
            return SY_E_NOMEM;
        if (ZSTD_decompress(room, size, in->p, (size_t)packed) != size) {
            free(room);
            return SY_E_CORRUPT;
        }
        raw = room;
        *in = (sy_span){in->p + packed, in->n - (size_t)packed};
    } else {
        if (in->n < size)
            return SY_E_CORRUPT;
        raw = in->p;
        *in = (sy_span){in->p + size, in->n - size};
    }
    for (size_t i = 0; i < n; i++) {
        x[i] = 0;
        for (unsigned plane = 0; plane < width; plane++)
            x[i] |= (uint64_t)(uint8_t)raw[plane * n + i] << 8 * plane;
    }
    free(room);
    return SY_OK;
}

static int64_t add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t less(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t times(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The middle one of the steps. */
static int64_t usual_step(const int64_t *x, size_t n, int64_t *work)
{
    if (n < 2)
        return 0;
    for (size_t i = 1; i < n; i++)
        work[i - 1] = less(x[i], x[i - 1]);
    qsort(work, n - 1, sizeof *work, compare);
    return work[(n - 1) / 2];
}

/* What element i should be, from the first, the usual step and those before it. */
static int64_t predicted(const int64_t *x, size_t i, int order, int64_t first, int64_t step)
{
    if (i == 0)
        return first;
    if (order == LINE)
        return add(first, times((int64_t)i, step));
    if (order == STEP || i == 1)
        return add(x[i - 1], step);
    return add(x[i - 1], less(x[i - 1], x[i - 2]));
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;
}

static uint64_t divisor(const int64_t *r, size_t n)
{
    uint64_t g = 0;
    for (size_t i = 0; i < n && g != 1; i++)
        for (uint64_t b = magnitude(r[i]); b;) {
            uint64_t rest = g % b;
            g = b;
            b = rest;
        }
    /* The smallest integer divided by itself would not come back. */
    return g == 0 || g > INT64_MAX ? 1 : g;
}

static sy_err encode_order(const int64_t *x, size_t n, int order, int64_t step, int64_t *work,
                           sy_buf *out)
{
    for (size_t i = 0; i < n; i++)
        work[i] = less(x[i], predicted(x, i, order, x[0], step));
    uint64_t g = divisor(work, n), most = 0;
    uint64_t *u = (uint64_t *)(work + n);
    for (size_t i = 0; i < n; i++) {
        u[i] = sy_zigzag(work[i] / (int64_t)g);
        most |= u[i];
    }
    unsigned width = 0;
    while (most) {
        width++;
        most >>= 8;
    }
    sy_buf_u8(out, (uint8_t)(order << 4 | (int)width));
    sy_varint_put(out, sy_zigzag(x[0]));
    sy_varint_put(out, sy_zigzag(step));
    sy_varint_put(out, g);
    return width ? sy_planes_encode(u, n, width, out) : out->failed ? SY_E_NOMEM : SY_OK;
}

sy_err sy_intcol_encode(const int64_t *x, size_t n, int64_t *work, sy_buf *out)
{
    sy_buf tries[ORDERS];
    sy_err e = SY_OK;
    int best = -1;
    int64_t step = usual_step(x, n, work);
    for (int order = 0; order < ORDERS; order++)
        sy_buf_init(&tries[order], sy_heap());
    for (int order = 0; order < ORDERS && !e; order++) {
        e = encode_order(x, n, order, step, work, &tries[order]);
        if (!e && (best < 0 || tries[order].n < tries[best].n))
            best = order;
        if (!e && order == LINE && (tries[0].p[0] & 0xf) == 0)
            break; /* nothing remains */
    }
    if (!e)
        sy_buf_put(out, tries[best].p, tries[best].n);
    for (int order = 0; order < ORDERS; order++)
        sy_buf_fini(&tries[order]);
    return e ? e : out->failed ? SY_E_NOMEM : SY_OK;
}

sy_err sy_intcol_decode(sy_span *in, int64_t *x, size_t n)
{
    uint64_t first, step, g;
    if (in->n == 0)
        return SY_E_CORRUPT;
    unsigned head = (uint8_t)*in->p, width = head & 0xf;
    int order = (int)(head >> 4);
    *in = (sy_span){in->p + 1, in->n - 1};
    if (order >= ORDERS || width > 8 || !sy_varint_get(in, &first) || !sy_varint_get(in, &step) ||
        !sy_varint_get(in, &g) || g == 0 || g > INT64_MAX)
        return SY_E_CORRUPT;
    uint64_t *u = (uint64_t *)x;
    if (width) {
        sy_err e = sy_planes_decode(in, u, n, width);
        if (e)
            return e;
    } else {
        memset(u, 0, n * sizeof *u);
    }
    for (size_t i = 0; i < n; i++) {
        int64_t rest = times(sy_unzigzag(u[i]), (int64_t)g);
        x[i] = add(predicted(x, i, order, sy_unzigzag(first), sy_unzigzag(step)), rest);
    }
    return SY_OK;
}
