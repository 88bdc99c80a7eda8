/*
 * Records gathered before any is given: nothing reaches a sink unless the whole message is good.
 * Internal to formats/. Texts made here live in the arena until sy_records_fini; others are the
 * caller's.
 */
#ifndef SY_RECORDS_H
#define SY_RECORDS_H

#include <jansson.h>

#include "drivers/formats/format.h"

enum { SY_RECORDS_MAX = 10000, SY_RECORDS_FEW = 24 };

typedef struct sy_records {
    sy_arena arena;
    sy_record *v; /* few, until they are more */
    size_t n, cap;
    size_t max;                    /* of records; SY_RECORDS_MAX unless a format says more */
    sy_err err;                    /* the first failure: no memory, or too many */
    sy_record few[SY_RECORDS_FEW]; /* most messages need no more, and so no memory */
    bool none_is_fine; /* a message that carries no reading by its nature: an event, a setting */
} sy_records;

void sy_records_init(sy_records *l);
void sy_records_fini(sy_records *l);
void sy_records_add(sy_records *l, const sy_record *r);
void sy_records_number(sy_records *l, const sy_record *like, const char *name, double v,
                       const char *unit);
/* A reading that its source could not take: no value, and bad. */
void sy_records_fault(sy_records *l, const sy_record *like, sy_span name);
/* Copies of texts; an empty span where there is no memory (err says so). */
sy_span sy_records_text(sy_records *l, sy_span text);
/* Octets as text, base64url without padding (RFC 4648 section 5). */
SY_MUST_USE sy_err sy_base64url(sy_arena *a, sy_span octets, sy_span *out);
sy_span sy_records_base64url(sy_records *l, sy_span octets);
/* The octets of base64 (with or without padding, either alphabet; white space around is passed
 * over); false: it is none. */
bool sy_records_base64(sy_records *l, sy_span text, sy_span *out);
/* "prefix.key", or the key alone where the prefix is empty. */
sy_span sy_records_join(sy_records *l, sy_span prefix, sy_span key);
/* Give all to the sink. SY_E_PARSE "no reading in the message" where there is none and that is not
 * fine. */
SY_MUST_USE sy_err sy_records_emit(const sy_records *l, sy_record_fn sink, void *ctx, sy_fail *f);

/* Decoding as most formats do it: parse, fill, give. fill: SY_OK, or a refusal with its reason. */
typedef sy_err (*sy_json_fill)(sy_records *l, const json_t *root, sy_fail *f);
SY_MUST_USE sy_err sy_json_decode(sy_json_fill fill, sy_span payload, sy_record_fn sink, void *ctx,
                                  sy_fail *f);
typedef sy_err (*sy_bytes_fill)(sy_records *l, sy_span bytes, sy_fail *f);
SY_MUST_USE sy_err sy_bytes_decode(sy_bytes_fill fill, sy_span payload, sy_record_fn sink,
                                   void *ctx, sy_fail *f);
/* One JSON format: its decode function, named by it, over FILL. */
#define SY_JSON_DECODER(name, fill)                                                                \
    static sy_err name(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,        \
                       sy_fail *f)                                                                 \
    {                                                                                              \
        (void)map;                                                                                 \
        return sy_json_decode(fill, payload, sink, ctx, f);                                        \
    }

/* JSON: kind and value of a record from a scalar; false for an object or array. */
bool sy_json_scalar(const json_t *v, sy_record *r);
/* Each scalar below v as a record like `like`, named by its path from `prefix`, steps joined by
 * dots, items of an array by their index; `local` is the last step that is no index, and what
 * follows it. skip: true for a member that is
 * no reading (its path and value); may be NULL. */
void sy_json_flat(sy_records *l, const sy_record *like, sy_span prefix, const json_t *v,
                  bool (*skip)(sy_span path, sy_span key, const json_t *v));
/* A text member of an object; empty where it is absent or no text. */
sy_span sy_json_text(const json_t *object, const char *key);
/* A time: RFC 3339 with offset, epoch seconds or milliseconds (10^11 s is the year 5138, 10^11 ms
 * 1973). False: none, or one outside 1970 to 9999; the record is as it was. */
bool sy_json_time(const json_t *v, sy_record *r);
/* The same of a number. */
bool sy_record_time(sy_record *r, double number);

#endif
