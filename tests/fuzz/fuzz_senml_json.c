/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as senml-json. */
#include "format_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    return fuzz_format("senml-json", bytes, n, NULL);
}
