/*
 * What the codings of LoRaWAN payloads share. Internal to formats/.
 */
#ifndef SY_LORAWAN_H
#define SY_LORAWAN_H

#include "drivers/formats/records.h"

/* Big-endian integers of n bytes, at most 4, at p. */
static inline uint32_t sy_be(const char *p, size_t n)
{
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}
static inline int32_t sy_be_signed(const char *p, size_t n)
{
    uint32_t v = sy_be(p, n), sign = n ? UINT32_C(1) << (8 * n - 1) : 0;
    return (int32_t)((v ^ sign) - sign);
}

#endif
