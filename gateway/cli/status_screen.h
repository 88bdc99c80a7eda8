/*
 * `steelyard status` on a terminal: what the gateway says, in tables that fit, with the readings of
 * the last day as sparklines, and while it is watched how many readings came.
 */
#ifndef SY_CLI_STATUS_SCREEN_H
#define SY_CLI_STATUS_SCREEN_H

#include <jansson.h>

#include "cli/term.h"

typedef struct sy_status_trend { /* zeroed at first */
    double rate[SY_SPARK];       /* readings a second, between two looks */
    size_t n;
    double stored;
    sy_ms at;
} sy_status_trend;
/* Note a look, at the monotonic time `now`. */
void sy_status_note(sy_status_trend *trend, const json_t *status, sy_ms now);

/* trend NULL: there is none. */
void sy_status_screen(const json_t *status, const sy_status_trend *trend, const sy_term *t,
                      sy_buf *out);
/* The readings of the day before the status's time, a line a series, at most so many. */
void sy_status_series(const char *data, const json_t *status, const sy_term *t, size_t lines,
                      sy_buf *out);

#endif
