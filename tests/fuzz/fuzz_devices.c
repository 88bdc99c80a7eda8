/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of devices and gateways: the first byte says which, the others are the payload. */
#include "format_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    size_t formats = 0;
    while (sy_formats[formats])
        formats++;
    return n == 0 ? 0 : fuzz_format(sy_formats[bytes[0] % formats]->name, bytes + 1, n - 1, NULL);
}
