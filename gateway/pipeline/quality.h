/*
 * Quality at the door: what makes a reading doubtful that its device sent as good. A function of
 * the readings so far, in the order of the log, and of the configuration; part of the engine's
 * state. What is found here is stored with the reading and is not looked at again: neither when a
 * place is judged again nor when the configuration says something else later.
 *
 *   fault         a number of the point's `faults`: bad, device-fault; it is no measurement, so it
 *                 is not over the range either
 *   spike         further from the last good reading than `rate` allows for the time between
 *                 (at least for one `rate_per`): uncertain, spike. The next reading that agrees
 *                 with it (by the same rate) is good and the new level, so no reading waits.
 *   stuck         equal for `stuck` and longer, while other quantities of its device have moved
 *                 SY_DOUBT_MOVES times by more than their resolution (or where `stuck_alone` and
 *                 the device has no other): uncertain, stuck. A gap of more than three intervals
 *                 and a quarter of `stuck` begins anew.
 *   uncalibrated  from the day after the last good day of its calibration: the bit alone
 *
 * Spike and stuck are looked for in readings of quantities that are newer than all before. One that
 * comes out of order has neither, unless it repeats one that had: what was doubtful stays so.
 * Memory: bounded by the number of points. One thread.
 */
#ifndef SY_QUALITY_H
#define SY_QUALITY_H

#include "pipeline/decode.h"

enum { SY_DOUBT_MOVES = 3, SY_DOUBT_SPIKES = 4 };

typedef struct sy_doubt { /* of one point; newest SY_MS_NONE: no reading yet */
    sy_ms newest, since;  /* time of the newest reading, and of the first of those equal to it */
    sy_ms stuck_from;     /* of the first of these that is marked; SY_MS_NONE: none */
    sy_ms good_t, jump_t; /* SY_MS_NONE: none */
    double value;         /* of the newest */
    double level;         /* from which a move is measured */
    double good, jump;    /* the last good reading; one that may be a spike or a new level */
    uint32_t moves;       /* of its device at `since` */
    uint8_t n_spikes;     /* of the newest SY_DOUBT_SPIKES spikes */
    struct {
        sy_ms t;
        double value;
    } spikes[SY_DOUBT_SPIKES];
} sy_doubt;

typedef struct sy_doubts {
    const sy_site *site; /* borrowed */
    sy_doubt *points;    /* by point */
    sy_ms *overdue;      /* by point: from here on it is uncalibrated; SY_MS_MAX: never */
    uint32_t *device_of; /* by point */
    uint32_t *moves;     /* by device: how often its quantities have moved */
    uint32_t *points_of; /* by device: how many quantities it has */
    bool *watched;       /* by device: what is stuck is looked for */
    const char **devices;
    size_t n_devices;
} sy_doubts;

/* From here on the point is uncalibrated; SY_MS_MAX: never. */
sy_ms sy_calibrated_until(const sy_site *site, const sy_site_point *p);

void sy_doubts_init(sy_doubts *d);
void sy_doubts_fini(sy_doubts *d);
/* Another site is in force, which outlives it. A point that measures the same as before keeps what
 * is known of it. */
SY_MUST_USE sy_err sy_doubts_site(sy_doubts *d, const sy_site *site);
/* The quality of a reading as it is stored and judged. */
sy_quality sy_doubts_mark(sy_doubts *d, const sy_decoded *r);
/* The clock was set back: what comes next is older than what is known. */
void sy_doubts_forget(sy_doubts *d);

void sy_doubts_save(const sy_doubts *d, sy_buf *out);
/* Into one that has its site. SY_E_CORRUPT. */
SY_MUST_USE sy_err sy_doubts_load(sy_doubts *d, sy_rd *in);

#endif
