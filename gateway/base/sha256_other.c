/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 where no instruction of the processor is used.
 */
#include "base/hash_int.h"

void sy_sha256__block(uint32_t h[8], const unsigned char *block)
{
    sy_sha256__plain(h, block);
}
