/* SPDX-License-Identifier: Apache-2.0 */
/* Stretches that grow until one holds a reading; of a slow point the last holds a few thousand. */
#include "console/last.h"

static bool keep(void *ctx, const sy_reading_row *r)
{
    *(sy_last *)ctx = (sy_last){r->t, r->value, r->quality};
    return true;
}

sy_err sy_last_of(sy_store *s, const sy_site_point *p, sy_ms now, sy_last *out, sy_fail *f)
{
    static const sy_ms lengths[] = {10 * 60000, 26 * 3600000, (sy_ms)40 * 86400000};
    enum { AHEAD_MS = 3600000 }; /* a clock may be ahead of ours */
    *out = (sy_last){.t = SY_MS_NONE};
    sy_err e = SY_OK;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0] && !e && out->t == SY_MS_NONE; i++) {
        e = sy_store_readings(s, p->series, now - lengths[i], now + AHEAD_MS, keep, out, f);
    }
    return e;
}
