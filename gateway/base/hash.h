/*
 * SHA-256 (FIPS 180-4) and CRC-32C (RFC 3720 appendix B.4, Castagnoli, reflected). Pure.
 */
#ifndef SY_HASH_H
#define SY_HASH_H

#include "base/span.h"

typedef struct sy_sha256 {
    uint32_t h[8];
    uint64_t total;
    unsigned char block[64];
    size_t fill;
} sy_sha256;

void sy_sha256_init(sy_sha256 *s);
void sy_sha256_add(sy_sha256 *s, const void *bytes, size_t n);
void sy_sha256_end(sy_sha256 *s, unsigned char out[32]);
/* n bytes as 2n lower-case hex digits and a NUL. */
void sy_hex(const unsigned char *bytes, size_t n, char *out);
/* The value of a hexadecimal digit of either case, -1 for anything else. */
int sy_hex_digit(char c);

/* Continue a CRC: start with 0. */
uint32_t sy_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
