/*
 * Sparkplug B (Eclipse Sparkplug 3.0): topics (section 4), and payloads (section 6) of which births
 * are known. Pure; what is known from births is the caller's. Internal to drivers/ and pipeline/.
 *
 * An edge node is one device of ours, named "GROUP/NODE"; what is behind it (a Sparkplug device)
 * stands in a record's `device`. Arrays, data sets, templates, bytes and files are no readings.
 */
#ifndef SY_SPARKPLUG_H
#define SY_SPARKPLUG_H

#include "drivers/formats/format.h"

typedef enum sy_spb_kind {
    SY_SPB_NONE, /* no topic of a node's own: commands, STATE, or no Sparkplug */
    SY_SPB_NBIRTH,
    SY_SPB_NDATA,
    SY_SPB_NDEATH,
    SY_SPB_DBIRTH,
    SY_SPB_DDATA,
    SY_SPB_DDEATH,
} sy_spb_kind;
typedef struct sy_spb_topic {
    sy_spb_kind kind;
    sy_span group, node, device; /* device: of the D kinds alone */
} sy_spb_topic;
sy_spb_topic sy_spb_topic_of(sy_span topic);
/* "GROUP/NODE": two parts without blank ends, '+', '#', control characters; at most 128 bytes. */
bool sy_spb_node_valid(sy_span node);
/* The i-th topic that a node of this name writes, "/#" at the end of those with a device; false
 * behind the last. */
enum { SY_SPB_TOPIC = 160 };
bool sy_spb_topic_at(const char *node, size_t i, char out[SY_SPB_TOPIC]);
/* Its commands: "spBv1.0/GROUP/NCMD/NODE", or DCMD and "/#". False where it is too long. */
bool sy_spb_command(const char *node, bool of_devices, char out[SY_SPB_TOPIC]);

/* What a birth says of a metric. */
typedef struct sy_spb_metric {
    sy_span name, unit;
    uint32_t datatype;
    bool has_alias;
    uint64_t alias;
} sy_spb_metric;

typedef struct sy_spb_births {
    void *ctx;
    /* What is known of a metric that a message names so; NULL: nothing. */
    const sy_spb_metric *(*by_alias)(void *ctx, uint64_t alias);
    const sy_spb_metric *(*by_name)(void *ctx, sy_span name);
    /* Each metric of a birth, before its record is given. SY_E_FULL: too many, go on without. */
    sy_err (*learn)(void *ctx, const sy_spb_metric *m);
} sy_spb_births;

typedef struct sy_spb sy_spb; /* a payload */
SY_MUST_USE sy_err sy_spb_open(sy_spb **out, sy_span payload, sy_fail *f);
void sy_spb_close(sy_spb *s);
bool sy_spb_seq(const sy_spb *s, uint64_t *seq);
bool sy_spb_bdseq(const sy_spb *s, uint64_t *bdseq); /* the metric of that name */

typedef struct sy_spb_count {
    uint32_t unknown; /* metrics by an alias that no birth explained */
    uint32_t skipped; /* of kinds that are no reading */
} sy_spb_count;
/* The records; birth: its metrics are learnt. bdSeq and the "Node Control/", "Device Control/"
 * metrics are not given. `device` is that of the topic. */
SY_MUST_USE sy_err sy_spb_records(const sy_spb *s, sy_span device, bool birth,
                                  const sy_spb_births *births, sy_spb_count *count,
                                  sy_record_fn sink, void *ctx, sy_fail *f);

/* The payload of a request to send all births again (section 6.4.22, NCMD). */
void sy_spb_rebirth(sy_ms now, sy_buf *out);

#endif
