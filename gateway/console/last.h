/*
 * The newest reading of a point. Internal to console/.
 */
#ifndef SY_CONSOLE_LAST_H
#define SY_CONSOLE_LAST_H

#include "base/site.h"
#include "store/store.h"

typedef struct sy_last {
    sy_ms t; /* SY_MS_NONE: none within 40 days */
    double value;
    sy_quality quality;
} sy_last;
/* Looks near `now` first: a point that sends is found within a few readings. */
SY_MUST_USE sy_err sy_last_of(sy_store *s, const sy_site_point *p, sy_ms now, sy_last *out,
                              sy_fail *f);

#endif
