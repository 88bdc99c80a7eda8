/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact sums, and elementary functions from additions, multiplications and divisions alone, which
 * IEEE 754 fixes to the bit. The functions are within a few units of the last place.
 */
#include "rules/judge_math.h"

#include <string.h>

static uint64_t bits_of(double v)
{
    uint64_t b;
    memcpy(&b, &v, 8);
    return b;
}

/* 2^k for a normal result. */
static double power_of_two(int k)
{
    uint64_t b = (uint64_t)(k + 1023) << 52;
    double v;
    memcpy(&v, &b, 8);
    return v;
}

sy_i128 sy_judge__fixed(double v, int bits)
{
    uint64_t b = bits_of(v);
    int e = (int)(b >> 52 & 0x7ff);
    uint64_t m = (b & 0xfffffffffffffu) | (e ? (uint64_t)1 << 52 : 0);
    int shift = (e ? e : 1) - 1075 + bits;
    sy_i128 s;
    if (shift >= 0) {
        s = (sy_i128)m << shift;
    } else if (shift < -54) {
        s = 0;
    } else {
        uint64_t half = (uint64_t)1 << (-shift - 1);
        uint64_t rest = m & (2 * half - 1), whole = m >> -shift;
        s = (sy_i128)whole + (rest > half || (rest == half && (whole & 1)));
    }
    return b >> 63 ? -s : s;
}

double sy_judge__unfixed(sy_i128 s, int bits)
{
    sy_u128 u = s < 0 ? -(sy_u128)s : (sy_u128)s;
    int down = 0;
    while (u >> 64) { /* what is shifted out still decides a tie */
        int by = u >> 96 ? 32 : 1;
        sy_u128 lost = u & (((sy_u128)1 << by) - 1);
        u = u >> by | (lost != 0);
        down += by;
    }
    double v = (double)(uint64_t)u * power_of_two(down - bits);
    return s < 0 ? -v : v;
}

double sy_judge__exp(double x)
{
    const double ln2_hi = 6.93147180369123816490e-01, ln2_lo = 1.90821492927058770002e-10;
    if (x != x || x > 709) {
        return x != x ? x : 8.2e307;
    }
    if (x < -700) {
        return 0;
    }
    int k = (int)(x * 1.44269504088896338700 + (x < 0 ? -0.5 : 0.5));
    double r = x - k * ln2_hi - k * ln2_lo, sum = 1;
    for (int n = 14; n > 0; n--) {
        sum = 1 + r * sum / n;
    }
    return sum * power_of_two(k);
}

double sy_judge__ln(double x)
{
    const double ln2_hi = 6.93147180369123816490e-01, ln2_lo = 1.90821492927058770002e-10;
    uint64_t b = bits_of(x);
    int e = (int)(b >> 52) - 1023;
    double m;
    b = (b & 0xfffffffffffffu) | (uint64_t)1023 << 52;
    memcpy(&m, &b, 8);
    if (m > 1.41421356237309504880) {
        m = m / 2;
        e++;
    }
    double s = (m - 1) / (m + 1), q = s * s, sum = 0;
    for (int n = 23; n > 0; n -= 2) {
        sum = sum * q + 1.0 / n;
    }
    return e * ln2_hi + (2 * s * sum + e * ln2_lo);
}

double sy_judge__exp10(double x)
{
    return sy_judge__exp(x * 2.30258509299404568402);
}

double sy_judge__lg(double x)
{
    return sy_judge__ln(x) * 0.434294481903251827651;
}
