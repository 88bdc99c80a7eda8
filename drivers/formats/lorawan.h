/*
 * LoRaWAN application payloads: bytes of an uplink to records, by the maker's coding. Internal to
 * formats/. No device is asked: what the bytes mean is in them (types and channels).
 */
#ifndef SY_LORAWAN_H
#define SY_LORAWAN_H

#include "drivers/formats/records.h"

/* SY_E_PARSE where the bytes are not of that coding; nothing need be taken from `l` then. */
SY_MUST_USE sy_err sy_elsys_fill(sy_records *l, sy_span bytes, const sy_record *like, sy_fail *f);
SY_MUST_USE sy_err sy_cayenne_fill(sy_records *l, sy_span bytes, const sy_record *like, sy_fail *f);

/* Big-endian integers at p. */
static inline uint32_t sy_be(const char *p, size_t n)
{
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}
static inline int32_t sy_be_signed(const char *p, size_t n)
{
    uint32_t v = sy_be(p, n);
    uint32_t top = n < 4 ? 1u << (8 * n) : 0;
    return (v >> (8 * n - 1) & 1) && top ? (int32_t)(v - top) : (int32_t)v;
}

#endif
