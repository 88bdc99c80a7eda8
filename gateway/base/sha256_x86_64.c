/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by the instructions that x86-64 processors have for it (Intel SHA extensions), four
 * rounds a step. The loader asks the resolver once which function the name stands for, so that
 * neither a variable nor a test for each block is needed. The resolver runs before anything is set
 * up: it calls nothing, and no sanitizer looks at it.
 */
#include <cpuid.h>
#include <immintrin.h>

#include "base/hash_int.h"

/* The state is kept as the instructions want it: a, b, e, f and c, d, g, h, from the top down. */
__attribute__((target("sha,sse4.1"))) static void by_instruction(uint32_t h[8],
                                                                 const unsigned char *block)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i w[4];
    __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128((const void *)h), 0xb1);
    __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const void *)(h + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(dcba, hgfe, 8);
    __m128i cdgh = _mm_blend_epi16(hgfe, dcba, 0xf0);
    const __m128i abef_before = abef, cdgh_before = cdgh;
    for (int i = 0; i < 16; i++) {
        __m128i *x = &w[i % 4];
        const __m128i *last = &w[(i + 3) % 4];
        if (i < 4) {
            *x = _mm_shuffle_epi8(_mm_loadu_si128((const void *)(block + (ptrdiff_t)16 * i)), swap);
        } else {
            __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(*x, w[(i + 1) % 4]),
                                        _mm_alignr_epi8(*last, w[(i + 2) % 4], 4));
            *x = _mm_sha256msg2_epu32(sum, *last);
        }
        const void *k = sy_sha256__k + (ptrdiff_t)4 * i;
        __m128i wk = _mm_add_epi32(*x, _mm_loadu_si128(k));
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((void *)h, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((void *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

typedef void compress_fn(uint32_t h[8], const unsigned char *block);

__attribute__((no_sanitize("address", "thread", "undefined"), used)) static compress_fn *
resolve(void)
{
    enum { SSSE3 = 1 << 9, SSE41 = 1 << 19, SHA = 1 << 29 };
    unsigned a, b, c, d, features, most;
    __cpuid(0, most, b, c, d);
    if (most < 7)
        return sy_sha256__plain;
    __cpuid(1, a, b, features, d);
    __cpuid_count(7, 0, a, b, c, d);
    return (features & SSSE3) && (features & SSE41) && (b & SHA) ? by_instruction
                                                                 : sy_sha256__plain;
}

__attribute__((ifunc("resolve"))) void sy_sha256__block(uint32_t h[8], const unsigned char *block);
