/*
 * Whether the box's own line upstream is down, from the readings of `uplink-delay` that the box has
 * of itself (a device with `transport: box`): when it went down, and when it was up again. Part of
 * the engine's state, a function of the log. One thread.
 *
 * Turns are kept, not only the last reading, so that a clock that takes large steps finds what was
 * so at the time that it judges.
 */
#ifndef SY_UPLINK_H
#define SY_UPLINK_H

#include "base/buf.h"
#include "config/config.h"

/* What waits for longer than that is not on its way: the line is down. */
#define SY_UPLINK_DOWN ((sy_ms)60000)
/* That it is lost shows with the next event, at the latest the heartbeat of 5 min. */
#define SY_UPLINK_WITHIN ((sy_ms)360000)
enum { SY_UPLINK_TURNS = 32 };

typedef struct sy_uplink_turn {
    sy_ms at;    /* time of the first reading that says so */
    sy_ms since; /* since when the oldest event waited then */
    bool down;
} sy_uplink_turn;
typedef struct sy_uplink {
    sy_ms newest; /* reading; SY_MS_NONE: there was none */
    size_t n;
    sy_uplink_turn v[SY_UPLINK_TURNS]; /* by time; the oldest are forgotten */
} sy_uplink;

/* Nothing is known: at the beginning, after a start of the box, when its clock was set back. */
void sy_uplink_forget(sy_uplink *u);
/* The point is what the box measures of its uplink, or of a destination. */
bool sy_uplink_point(const sy_config *config, uint32_t point);
bool sy_uplink_measured(const sy_config *config); /* there is such a point */
/* A reading of such a point, in its unit. Of several points with one time the worst counts;
 * readings that are older than the newest do not. */
void sy_uplink_note(sy_uplink *u, const sy_site_point *point, sy_ms t, double delay);
/* The turn in force at that time, if it says that the line is down; NULL: it is up, or that is not
 * known. */
const sy_uplink_turn *sy_uplink_down(const sy_uplink *u, sy_ms at);

void sy_uplink_save(const sy_uplink *u, sy_buf *out);
SY_MUST_USE sy_err sy_uplink_load(sy_uplink *u, sy_rd *in); /* SY_E_CORRUPT */

#endif
