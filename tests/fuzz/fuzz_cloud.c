/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a body of events: each event that is accepted is cut out as a JSON object by itself,
 * equal to the one that was parsed.
 */
#include <stdlib.h>

#include "inbox/cloud.h"
#include "inbox/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    sy_cloud_batch b;
    sy_fail f;
    char text[256];
    size_t k = n < sizeof text ? n : sizeof text - 1;
    memcpy(text, bytes, k);
    text[k] = 0;
    (void)sy_prefers_chinese(text);
    if (sy_cloud_parse((sy_span){(const char *)bytes, n}, &b, &f) != SY_OK)
        return 0;
    for (size_t i = 0; i < b.n; i++) {
        const json_t *whole = json_is_array(b.root) ? json_array_get(b.root, i) : b.root;
        json_t *one = json_loadb(b.v[i].raw.p, b.v[i].raw.n, JSON_REJECT_DUPLICATES, NULL);
        if (!json_equal(one, whole))
            abort();
        json_decref(one);
    }
    sy_cloud_free(&b);
    return 0;
}
