/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C where no instruction of the processor is used.
 */
#include "base/crc32c_int.h"

bool sy_crc32c__has_cpu(void)
{
    return false;
}

uint32_t sy_crc32c__cpu(uint32_t crc, const unsigned char *p, size_t n)
{
    return sy_crc32c__table(crc, p, n);
}
