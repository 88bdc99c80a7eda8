/*
 * Numbers that are the same on every processor: exact sums of readings, and the four functions that
 * the rules need. No libm.
 *
 * A sum is a 128-bit integer of multiples of 2^-60 (time-weighted: of 2^-40, times milliseconds),
 * so that neither the order nor what left a window matters.
 */
#ifndef SY_JUDGE_MATH_H
#define SY_JUDGE_MATH_H

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef __int128 sy_i128;
__extension__ typedef unsigned __int128 sy_u128;

enum { SUM_BITS = 60, WEIGHT_BITS = 40 };

/* Small enough for a sum: below 2^40 in size. */
static inline bool sy_judge__summable(double v)
{
    return v < 1099511627776.0 && v > -1099511627776.0;
}
/* The nearest multiple of 2^-bits, ties to even, as that multiple. `v` is summable. */
sy_i128 sy_judge__fixed(double v, int bits);
/* The nearest double to s * 2^-bits. */
double sy_judge__unfixed(sy_i128 s, int bits);

double sy_judge__exp(double x);
double sy_judge__ln(double x); /* of x > 0 */
double sy_judge__exp10(double x);
double sy_judge__lg(double x); /* of x > 0 */

#endif
