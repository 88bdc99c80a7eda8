/*
 * Sparkplug (Eclipse Sparkplug 3.0, sections 4 to 6): what the births of edge nodes said, whether
 * nodes and the devices behind them are there, and which last values a death makes stale.
 *
 * A function of the records so far (C3), part of the engine's snapshot. Bounds: a node's metrics
 * take at most 1 MiB and have at most 256 devices; what is beyond stays unknown and is counted.
 * A death (NDEATH whose bdSeq is that of the birth, DDEATH) gives the last value of each point
 * once more, at the time of reception, uncertain and device-fault: the value is the last that is
 * known, and its sensor is not there (STALE). A birth makes them good again, at the time of
 * reception where its own is older.
 * A node is to be asked for its births when it sends data without a birth, an alias that no birth
 * explains, or a sequence number that is not the next; at most every SY_BIRTHS_ASK_MS of the log's
 * clock. One thread.
 */
#ifndef SY_BIRTHS_H
#define SY_BIRTHS_H

#include "pipeline/decode.h"

enum { SY_BIRTHS_ASK_MS = 5000 };

typedef struct sy_birth_node sy_birth_node;
struct sy_births {
    sy_birth_node **nodes; /* sorted by the device's id */
    size_t n, cap;
};
void sy_births_init(sy_births *b);
void sy_births_fini(sy_births *b);

/* One message of a device that is a node; its records go to the sink. */
typedef struct sy_births_sum {
    uint32_t unknown, skipped, gaps; /* gaps: the sequence number was not the next */
    bool ask;                        /* ask the node for its births */
    bool refresh;                    /* a birth: its records are the values of now */
    const char *died;                /* a death: "" of the node, else of that device; else NULL */
} sy_births_sum;
SY_MUST_USE sy_err sy_births_message(sy_births *b, const sy_device *d, const sy_jrec *rec,
                                     sy_ms now, sy_record_fn sink, void *ctx, sy_births_sum *sum,
                                     sy_fail *f);

/* A reading of the node's point was given: its last value, where it is not older. *t moves to `now`
 * where a birth says that a stale value is there again. */
SY_MUST_USE sy_err sy_births_reading(sy_births *b, const sy_device *d, const sy_site_point *point,
                                     sy_span device, bool birth, sy_ms now, sy_decoded *r);
/* The last value of a point that the death of `died` makes stale, once. */
bool sy_births_stale(sy_births *b, const sy_device *d, const sy_site_point *point, const char *died,
                     sy_ms now, double *value);

/* Forget the nodes that are none of these devices'. */
void sy_births_keep(sy_births *b, const sy_registry *devices);

/* Little endian: u32 nodes; of each, by device id: id blob, node name blob, u8 bits (1 born, 2
 * bdSeq known, 4 seq known), u64 bdSeq, u8 seq, i64 asked, u32 scopes (of each: device blob, u8
 * alive, u32 metrics, of each name blob, unit blob, u32 datatype, u8 has alias, u64 alias), u32
 * last values (of each: series, quantity, unit, device blobs, f64 value, i64 time, u8 stale). */
void sy_births_save(const sy_births *b, sy_buf *out);
SY_MUST_USE sy_err sy_births_load(sy_births *b, sy_rd *in);

#endif
