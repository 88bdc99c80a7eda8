/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C by the instruction of SSE 4.2, eight bytes a step.
 */
#include <string.h>

#include "base/crc32c_int.h"

bool sy_crc32c__has_cpu(void)
{
    return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) uint32_t sy_crc32c__cpu(uint32_t crc, const unsigned char *p,
                                                          size_t n)
{
    uint64_t wide = crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, sizeof v);
        wide = __builtin_ia32_crc32di(wide, v);
    }
    crc = (uint32_t)wide;
    while (n--)
        crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}
