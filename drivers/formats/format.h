/*
 * Formats: bytes in, records out. No I/O, no clock, no global. One file a format; each has a
 * fuzzer.
 *
 * A record is what the message says; which point it is, its unit conversion, quality and time
 * policy are the pipeline's. All output is borrowed until the sink returns.
 * Bounds: 64 KiB a message (the caller's limit), 10,000 records, nesting 32.
 */
#ifndef SY_FORMAT_H
#define SY_FORMAT_H

#include "drivers/registry.h"

typedef enum sy_record_kind { SY_REC_NUMBER, SY_REC_BOOL, SY_REC_TEXT, SY_REC_NULL } sy_record_kind;

typedef struct sy_record {
    sy_span name;   /* resolved name (SenML: base name + name), or the map's name; may be empty */
    sy_span local;  /* the part after the base name, or another name that the format knows for it;
                       equals name where there is none */
    sy_span device; /* who measured it, where the sender speaks for devices behind it; else empty */
    sy_span period; /* what a value is taken over, "hour": of a point of that name only; or empty */
    sy_record_kind kind;
    double number; /* NUMBER; BOOL as 0 or 1 */
    sy_span text;  /* TEXT: UTF-8 */
    sy_span unit;  /* as the message says; empty: none */
    bool has_time;
    bool time_relative; /* has_time: milliseconds relative to reception (SenML below 2^28 s) */
    sy_ms time;
    double time_s; /* as written, epoch seconds, for `decode` */
    sy_quality quality;
} sy_record;

typedef sy_err (*sy_record_fn)(void *ctx, const sy_record *r);

struct json_t;
typedef struct sy_format {
    const char *name;        /* "senml-json", "senml-cbor", "json", "number" */
    uint16_t content_format; /* CoAP Content-Format (110, 112, 50, 0), 0xffff: none */
    /* Decode. map is the configured device, or NULL; its map is for "json" (without one that gives
     * each top-level scalar by its key), its model for the formats that have models. Nothing
     * reaches the sink unless the whole message is good. SY_E_PARSE, SY_E_RANGE, SY_E_UNSUPPORTED
     * with a reason; a sink's error is passed on. */
    sy_err (*decode)(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f);
    /* How surely the bytes are of this format, 0 to 100, for finding it. NULL: never found. */
    int (*probe)(sy_span payload);
    /* The same of JSON: of the parsed text, which is parsed once for all of them. */
    int (*probe_json)(const struct json_t *root);
} sy_format;

/* All formats, ended by NULL. */
extern const sy_format *const sy_formats[];
/* By its name, or by its name after "lorawan_". */
const sy_format *sy_format_find(sy_span name);
/* The models that a format knows: how many, and the first `room` of their names. 0: it has none. */
size_t sy_format_models(sy_span format, const char **names, size_t room);
/* The model that a message of a LoRaWAN network server names, in its profile or version; NULL: none
 * that is known. For proposing a configuration. */
const char *sy_format_model_said(sy_span payload);
const sy_format *sy_format_by_content(uint16_t content_format);
/* The likeliest format of these bytes, or NULL. */
const sy_format *sy_format_probe(sy_span payload);

/* Is this a path of a "json" map: "$.a.b[0]", "$['odd key']"? For the check of a configuration. */
SY_MUST_USE sy_err sy_json_path_check(const char *path, sy_fail *f);

#endif
