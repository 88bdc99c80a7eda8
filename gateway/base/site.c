/* SPDX-License-Identifier: Apache-2.0 */
#include "base/site.h"

#include <string.h>

bool sy_site_point_of(const sy_site *site, const char *series, uint32_t *point)
{
    size_t lo = 0, hi = site->n_points;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(site->points[mid].series, series);
        if (order == 0) {
            *point = (uint32_t)mid;
            return true;
        }
        *(order < 0 ? &lo : &hi) = order < 0 ? mid + 1 : mid;
    }
    return false;
}
