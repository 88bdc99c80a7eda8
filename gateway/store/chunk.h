/*
 * The codec of chunks: samples of one series to few bytes and back, bit by bit the same. Pure.
 *
 * Any times, any doubles (signs of zero, payloads of NaN), any qualities, in the given order.
 * docs/formats.md has the bytes. Decoding takes hostile bytes: whatever is not exactly what
 * encoding writes in form is SY_E_CORRUPT.
 */
#ifndef SY_CHUNK_H
#define SY_CHUNK_H

#include "base/os.h"
#include "base/reading.h"

typedef struct sy_sample {
    sy_ms t;
    double value;
    sy_quality quality;
} sy_sample;

enum { SY_CHUNK_MAX = 4096 }; /* samples */

/* Append the chunk of n samples (1 to SY_CHUNK_MAX) to out. SY_E_NOMEM, SY_E_RANGE. */
SY_MUST_USE sy_err sy_chunk_encode(const sy_sample *s, size_t n, sy_buf *out, sy_fail *f);
/* *n samples into out, which has room for cap. SY_E_CORRUPT; SY_E_RANGE: there are more than cap;
 * SY_E_UNSUPPORTED: of a later version; SY_E_NOMEM. */
SY_MUST_USE sy_err sy_chunk_decode(sy_span bytes, sy_sample *out, size_t cap, size_t *n,
                                   sy_fail *f);

#endif
