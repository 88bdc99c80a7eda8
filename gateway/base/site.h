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
    uint32_t place;                           /* index into places */
} sy_site_point;

typedef struct sy_site_place {
    const char *id, *kind, *name; /* name may be NULL */
    const char *stage;            /* NULL: that of the premises */
    const char *const *goods;
    size_t n_goods;
    uint32_t premises;
} sy_site_place;

typedef struct sy_site_tier {
    const char *scheme, *value;
} sy_site_tier;

typedef struct sy_site_premises {
    const char *id, *name, *code; /* code: unified social credit code, may be NULL */
    const char *subject, *stage;  /* may be NULL */
    const sy_site_tier *tiers;
    size_t n_tiers;
    const sy_zone *zone;
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

#endif
