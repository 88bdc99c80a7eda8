/*
 * Fields of a record of type ACTION, with tabs between (docs/formats.md). Pure.
 */
#ifndef SY_TABS_H
#define SY_TABS_H

#include "base/reading.h"

/* 9999-12-31T23:59:59.999Z */
#define SY_TABS_LAST ((sy_ms)253402300799999)

/* n fields, borrowed; the last is all that is left. False: there are fewer. */
bool sy_tabs_split(sy_span payload, sy_span *fields, size_t n);
/* A time in epoch milliseconds, digits alone, up to SY_TABS_LAST. */
bool sy_tabs_time(sy_span field, sy_ms *out);

#endif
