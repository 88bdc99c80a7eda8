/*
 * Maintenance that a person announced: so long, readings of a place, a device or a point are
 * uncertain and carry the bit `maintenance`. It begins with its record in the log, counts by event
 * time in [from, until), and ends by itself. Part of the engine's state, a function of the log.
 *
 * Bounds: SY_UPKEEPS stretches. One that has ended is kept for late readings, until it is older
 * than any reading that is judged, or room is needed.
 * One thread, but for sy_upkeep_parse: any.
 */
#ifndef SY_UPKEEP_H
#define SY_UPKEEP_H

#include "base/os.h"
#include "base/site.h"

enum { SY_UPKEEPS = 256, SY_UPKEEP_TEXT = 256, SY_UPKEEP_MOST_DAYS = 31 };

typedef enum sy_upkeep_kind { SY_UPKEEP_PLACE, SY_UPKEEP_DEVICE, SY_UPKEEP_POINT } sy_upkeep_kind;
const char *sy_upkeep_kind_name(sy_upkeep_kind k); /* "place", "device", "point" */

/* What a record of type ACTION says (docs/formats.md). Texts are borrowed. */
typedef struct sy_upkeep_act {
    bool start; /* else: end */
    sy_upkeep_kind kind;
    sy_span on; /* "premises/place", a device's id, a series */
    sy_ms until;
    sy_span who, why;
} sy_upkeep_act;
void sy_upkeep_text(const sy_upkeep_act *a, sy_buf *out);
/* SY_E_PARSE: it is no such record. */
SY_MUST_USE sy_err sy_upkeep_parse(sy_span payload, sy_upkeep_act *out);
/* What `on` means in a site: "place:x", "device:x", "point:x" or x alone, where one thing alone has
 * that name; a place is "premises/place", or its id where no other has it. SY_E_NOTFOUND and
 * SY_E_RANGE (several), with a reason. *on: in the record's spelling, into out. */
SY_MUST_USE sy_err sy_upkeep_find(const sy_site *site, const char *on, sy_upkeep_kind *kind,
                                  sy_buf *out, sy_fail *f);

typedef struct sy_upkeep_stretch {
    sy_upkeep_kind kind;
    sy_ms from, until;
    char *on, *who, *why; /* one allocation, at `on` */
    uint32_t index;       /* of the place or the point in the site; UINT32_MAX: not in it */
} sy_upkeep_stretch;

typedef struct sy_upkeep {
    sy_upkeep_stretch *v; /* in the order in which they came */
    size_t n;
} sy_upkeep;

void sy_upkeep_fini(sy_upkeep *u);
/* Another site is in force. */
void sy_upkeep_site(sy_upkeep *u, const sy_site *site);
/* Take a record at the log's clock `now`. A start cuts what runs for the same thing short. What
 * ended before `since` may be forgotten. SY_E_FULL: too many at once; SY_E_NOTFOUND: an end, and
 * nothing runs. */
SY_MUST_USE sy_err sy_upkeep_take(sy_upkeep *u, const sy_site *site, const sy_upkeep_act *a,
                                  sy_ms now, sy_ms since);
bool sy_upkeep_covers(const sy_upkeep *u, const sy_site *site, uint32_t point, sy_ms t);
/* Until when it is so, where it is so at t; SY_MS_NONE where it is not. */
sy_ms sy_upkeep_until(const sy_upkeep *u, const sy_site *site, uint32_t point, sy_ms t);
/* The clock was set back by that much (negative): what runs keeps what remains of it. */
void sy_upkeep_move(sy_upkeep *u, sy_ms now, sy_ms by);
/* One stretch as JSON: {"kind","on","from","until","who","why"}. */
void sy_upkeep_json(const sy_upkeep_stretch *s, sy_buf *out);

void sy_upkeep_save(const sy_upkeep *u, sy_buf *out);
/* SY_E_CORRUPT, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_upkeep_load(sy_upkeep *u, const sy_site *site, sy_rd *in);

#endif
