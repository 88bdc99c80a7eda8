/*
 * The two ways to a CRC-32C. Both take and give the running remainder, not inverted. Pure.
 */
#ifndef SY_BASE_CRC32C_INT_H
#define SY_BASE_CRC32C_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t sy_crc32c__table(uint32_t crc, const unsigned char *p, size_t n);
/* crc32c_x86_64.c, or crc32c_other.c where no instruction of the processor is used: the same. */
bool sy_crc32c__has_cpu(void);
uint32_t sy_crc32c__cpu(uint32_t crc, const unsigned char *p, size_t n);

#endif
