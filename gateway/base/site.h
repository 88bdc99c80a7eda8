/*
 * The site: what the box supervises, as plain immutable data. Pure.
 *
 * Built by config/ from the YAML file (or by a scenario), read by rules/ and pipeline/. All
 * pointers live as long as the object that owns the site (an arena). Names of quantities, states,
 * kinds, subjects, goods, stages and schemes are vocabulary ids.
 */
#ifndef SY_SITE_H
#define SY_SITE_H

#include "base/reading.h"

/* A date of the register that something is due by: "calibration", "licence" (vocabulary id). */
typedef struct sy_site_due {
    const char *what;
    int64_t day; /* the last good day: days since 1970-01-01, in the time of the premises */
} sy_site_due;

/* A number that is the device's word for a fault, as it writes it, in its own unit. */
typedef struct sy_site_fault {
    double value;
    double near; /* but not where the last good reading was as near as this; NaN: always */
} sy_site_fault;

typedef struct sy_site_point {
    const char *series;   /* unique; "<device>/<name>" unless given an id */
    const char *device;   /* device id */
    const char *name;     /* name within the device's messages */
    const char *quantity; /* vocabulary id of a quantity or a state */
    const char *unit;     /* unit id (rules/units.h) of a quantity; NULL: none, or a state */
    bool is_state;        /* values are numbers of the state's words, from 0, in vocabulary order */
    sy_ms every;          /* expected interval; 0: not known (reports changes) */
    sy_ms delivery;       /* how long after its time a reading may come */
    double range_lo, range_hi;                /* physical range in the point's unit; NaN: none */
    double accuracy, uncertainty, resolution; /* NaN: not stated */
    const sy_site_fault *faults;
    size_t n_faults;
    sy_ms stuck;             /* unchanged for so long it is stuck; 0: that is not looked at */
    bool stuck_alone;        /* also where the device has no other quantity that moves */
    double rate;             /* most that it changes within rate_per */
    sy_ms rate_per;          /* 0: not stated */
    uint32_t place;          /* index into places */
    const sy_site_due *dues; /* its own; else those of its place, its premises */
    size_t n_dues;
} sy_site_point;

typedef struct sy_site_place {
    const char *id, *kind, *name; /* name may be NULL */
    const char *stage;            /* NULL: that of the premises */
    const char *const *goods;
    size_t n_goods;
    uint32_t premises;
    const sy_site_due *dues;
    size_t n_dues;
} sy_site_place;

typedef struct sy_site_span { /* of a calendar: so long on these days */
    uint8_t days;             /* bit 0 is Monday */
    sy_ms from, to;           /* of the local day, `to` excluded; beyond 24 h: into the next day */
} sy_site_span;
typedef struct sy_site_calendar {
    const char *name; /* vocabulary id */
    const sy_site_span *spans;
    size_t n_spans;
} sy_site_calendar;
typedef struct sy_site_swap { /* a working day moved by order: that day is taken as … */
    int64_t day;              /* days since 1970-01-01 */
    uint8_t as;               /* bit of the weekday that it is taken for; 0: like no day (closed) */
} sy_site_swap;

typedef struct sy_site_tier {
    const char *scheme, *value;
} sy_site_tier;

typedef struct sy_site_premises {
    const char *id, *name, *code; /* code: unified social credit code, may be NULL */
    const char *subject, *stage;  /* may be NULL */
    const sy_site_tier *tiers;
    size_t n_tiers;
    const sy_site_calendar *calendars; /* sorted by name */
    size_t n_calendars;
    const sy_site_swap *swaps; /* ascending by day */
    size_t n_swaps;
    const sy_site_due *dues;
    size_t n_dues;
    const sy_zone *zone;
    sy_ms statement; /* after midnight; below 0: none is made */
} sy_site_premises;

typedef struct sy_site {
    const char *gateway;
    const sy_site_premises *premises;
    size_t n_premises;
    const sy_site_place *places;
    size_t n_places;
    /* Sorted by series id, byte by byte: the index of a point is its rank, which decides between
     * readings of one time. */
    const sy_site_point *points;
    size_t n_points;
} sy_site;

/* The point of a series; false: the site has none of that name. */
bool sy_site_point_of(const sy_site *site, const char *series, uint32_t *point);

#endif
