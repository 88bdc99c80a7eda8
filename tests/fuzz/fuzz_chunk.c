/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a chunk (with a checksum that fits, else the rest would never be seen): refused, or
 * samples that come back from their own chunk. And any bytes as samples: they come back bit by bit.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "store/chunk.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void there_and_back(const sy_sample *s, size_t n)
{
    static sy_sample back[SY_CHUNK_MAX];
    sy_fail f;
    sy_buf out;
    size_t got = 0;
    sy_buf_init(&out, sy_heap());
    require(sy_chunk_encode(s, n, &out, &f) == SY_OK);
    require(sy_chunk_decode(sy_buf_span(&out), back, SY_CHUNK_MAX, &got, &f) == SY_OK);
    require(got == n);
    for (size_t i = 0; i < n; i++)
        require(back[i].t == s[i].t && back[i].quality == s[i].quality &&
                memcmp(&back[i].value, &s[i].value, sizeof s[i].value) == 0);
    sy_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static sy_sample samples[SY_CHUNK_MAX];
    sy_fail f;
    size_t got = 0;
    if (n == 0)
        return 0;
    if (bytes[0] & 1) {
        char *chunk = malloc(n + 4);
        uint32_t crc = sy_crc32c(0, bytes + 1, n - 1);
        require(chunk != NULL);
        chunk[0] = (char)bytes[0];
        memcpy(chunk + 1, &crc, 4);
        memcpy(chunk + 5, bytes + 1, n - 1);
        if (sy_chunk_decode((sy_span){chunk, n + 4}, samples, SY_CHUNK_MAX, &got, &f) == SY_OK)
            there_and_back(samples, got);
        else
            require(got == 0 && f.text[0] != '\0');
        free(chunk);
        return 0;
    }
    size_t count = (n - 1) / 20;
    for (size_t i = 0; i < count && i < SY_CHUNK_MAX; i++) {
        memcpy(&samples[i].t, bytes + 1 + 20 * i, 8);
        memcpy(&samples[i].value, bytes + 9 + 20 * i, 8);
        memcpy(&samples[i].quality, bytes + 17 + 20 * i, 4);
    }
    if (count)
        there_and_back(samples, count < SY_CHUNK_MAX ? count : SY_CHUNK_MAX);
    return 0;
}
