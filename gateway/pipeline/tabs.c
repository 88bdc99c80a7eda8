/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a record, and a time in one. */
#include "pipeline/tabs.h"

bool sy_tabs_split(sy_span payload, sy_span *fields, size_t n)
{
    sy_span rest = payload;
    for (size_t i = 0; i < n; i++) {
        const char *tab = rest.n && i + 1 < n ? memchr(rest.p, '\t', rest.n) : NULL;
        if (i + 1 < n && !tab)
            return false;
        fields[i] = (sy_span){rest.p, tab ? (size_t)(tab - rest.p) : rest.n};
        rest = tab ? (sy_span){tab + 1, rest.n - fields[i].n - 1} : (sy_span){NULL, 0};
    }
    return true;
}

bool sy_tabs_time(sy_span field, sy_ms *out)
{
    sy_ms v = 0;
    for (size_t i = 0; i < field.n && v <= SY_TABS_LAST; i++) {
        if (field.p[i] < '0' || field.p[i] > '9')
            return false;
        v = v * 10 + (field.p[i] - '0');
    }
    *out = v;
    return field.n > 0 && v <= SY_TABS_LAST;
}
