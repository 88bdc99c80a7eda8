/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C where no instruction of the processor is used.
 */
#include "base/os.h"

uint32_t sy_crc32c_fast(uint32_t crc, const void *bytes, size_t n)
{
    return sy_crc32c(crc, bytes, n);
}
