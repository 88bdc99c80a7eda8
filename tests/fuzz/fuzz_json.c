/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as plain JSON, with a map and without; up to the first NUL also as a path of a map. */
#include "format_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const sy_map_row rows[] = {{"a", "$.a[0]"}, {"time", "$.t"}, {"b", "$['b'].c"}};
    static const sy_device device = {.map = rows, .n_map = 3};
    char path[64] = "";
    sy_fail f;
    memcpy(path, bytes, n < sizeof path ? n : sizeof path - 1);
    if (sy_json_path_check(path, &f) == SY_OK) {
        sy_map_row row = {"x", path};
        sy_device odd = {.map = &row, .n_map = 1};
        fuzz_format("json", (const uint8_t *)"{\"a\":[1]}", 9, &odd);
    }
    fuzz_format("json", bytes, n, &device);
    return fuzz_format("json", bytes, n, NULL);
}
