/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unified social credit code (GB 32100-2015): 18 characters of 31, weights 3^i mod 31, the last
 * one makes the weighted sum a multiple of 31.
 */
#include "config/config.h"

bool sy_uscc_valid(sy_span code)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    unsigned sum = 0, weight = 1;
    if (code.n != 18)
        return false;
    for (size_t i = 0; i < 18; i++) {
        const char *c = code.p[i] ? strchr(alphabet, code.p[i]) : NULL;
        if (!c)
            return false;
        if (i == 17)
            return (unsigned)(c - alphabet) == (31 - sum % 31) % 31;
        sum += (unsigned)(c - alphabet) * weight;
        weight = weight * 3 % 31;
    }
    return false;
}
