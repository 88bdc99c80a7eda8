/*
 * One message of the journal into readings of points: format, device, match, unit, state, time.
 *
 * A function of the record, the configuration in force and the log's clock. Nothing here counts or
 * stores; the caller gets each reading and one sum of what happened.
 */
#ifndef SY_DECODE_H
#define SY_DECODE_H

#include "config/config.h"
#include "drivers/formats/format.h"
#include "intake/journal.h"

/* What births of Sparkplug said (births.h). */
typedef struct sy_births sy_births;

typedef struct sy_decode_env {
    const sy_config *config;
    const sy_registry *devices;
    sy_ms now;         /* the log's clock at the message; SY_MS_NONE: not known yet */
    bool replay_clock; /* the clock is behind the readings until their mark: no `future` */
    bool unsynced;     /* the box's clock was never set */
    sy_births *births; /* moves on with each message of a node; NULL: each is read by itself */
} sy_decode_env;

typedef struct sy_decoded {
    uint32_t point; /* index into site->points */
    sy_ms t;
    double value;
    double raw; /* a quantity as the device wrote it; NaN: none */
    sy_quality quality;
    bool judged; /* false: older than `lateness` */
} sy_decoded;

typedef struct sy_decode_sum {
    uint32_t records, unmatched, refused, retained, future, late, faults;
    uint32_t skipped, gaps; /* Sparkplug: metrics that are no reading; breaks of the sequence */
    const char *ask;        /* the node that is to send its births again; NULL: none */
    char why[160];          /* why the first refused record, or the message, was refused */
} sy_decode_sum;

typedef sy_err (*sy_decoded_fn)(void *ctx, const sy_decoded *r);

/* SY_OK where the message could be read, whatever became of its records. SY_E_NOTFOUND (unknown
 * device), SY_E_PARSE, SY_E_RANGE, SY_E_UNSUPPORTED: the whole message is refused, sum->why says
 * why. A sink's error is passed on; only SY_E_NOMEM is expected. */
SY_MUST_USE sy_err sy_decode(const sy_decode_env *env, const sy_jrec *rec, sy_decoded_fn sink,
                             void *ctx, sy_decode_sum *sum);

/* A record's value as a value of the point (pipeline/value.c): converted to its unit, or the number
 * of its state. SY_E_RANGE and why where the record cannot be a value of this point. */
SY_MUST_USE sy_err sy_decode_value(const sy_config *config, const sy_channel *channel,
                                   const sy_record *rec, double *value, sy_quality *quality,
                                   sy_fail *why);

#endif
