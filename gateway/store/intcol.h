/*
 * A column of integers in few bytes: what a chunk keeps times and scaled values with. Pure.
 *
 * The integers are predicted from those before them, what remains is divided by its greatest common
 * divisor, and written plane by plane (all lowest bytes, then all second bytes …), by zstd where
 * that is smaller. Arithmetic is modulo 2^64, so that any integers come back.
 */
#ifndef SY_INTCOL_H
#define SY_INTCOL_H

#include "base/os.h"

/* Append the column of n integers; n is not written. `work` has room for 4 × n integers. */
SY_MUST_USE sy_err sy_intcol_encode(const int64_t *x, size_t n, int64_t *work, sy_buf *out);
/* Read it from the front of *in, which moves behind it. SY_E_CORRUPT, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_intcol_decode(sy_span *in, int64_t *x, size_t n);

/* Planes of n integers alone, each of `width` bytes; likewise. */
SY_MUST_USE sy_err sy_planes_encode(const uint64_t *x, size_t n, unsigned width, sy_buf *out);
SY_MUST_USE sy_err sy_planes_decode(sy_span *in, uint64_t *x, size_t n, unsigned width);

/* Numbers of 7 bits a byte, lowest first, the top bit set on all but the last (LEB128). */
void sy_varint_put(sy_buf *out, uint64_t v);
bool sy_varint_get(sy_span *in, uint64_t *v);
static inline uint64_t sy_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}
static inline int64_t sy_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

#endif
