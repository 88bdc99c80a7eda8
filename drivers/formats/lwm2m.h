/*
 * OMA LwM2M: what its codings share. Internal to formats/.
 *
 * A record's name is its path as the message writes it ("/3303/0/5700"). Its `local` is what the
 * registry calls it: "temperature" for the value of object 3303, "temperature.1" for its instance
 * 1, "device.battery-level", "device.error-code.0" for one item of a resource of several.
 */
#ifndef SY_LWM2M_H
#define SY_LWM2M_H

#include "drivers/formats/records.h"

/* Where a name's first number stands: what is not said is not known. */
typedef enum sy_lwm2m_level {
    SY_LWM2M_OBJECT,
    SY_LWM2M_INSTANCE,
    SY_LWM2M_RESOURCE
} sy_lwm2m_level;

enum { SY_LWM2M_UNKNOWN = -1 };

/* Appendix C of the LwM2M core specification; UNKNOWN: not in our table. */
typedef enum sy_lwm2m_kind {
    SY_LWM2M_KIND_UNKNOWN,
    SY_LWM2M_KIND_STRING,
    SY_LWM2M_KIND_INTEGER,
    SY_LWM2M_KIND_FLOAT,
    SY_LWM2M_KIND_BOOLEAN,
    SY_LWM2M_KIND_OPAQUE,
    SY_LWM2M_KIND_TIME,
    SY_LWM2M_KIND_OBJLNK,
} sy_lwm2m_kind;

/* A path: object, instance, resource, item (of a resource of several); UNKNOWN where not said. */
typedef struct sy_lwm2m_path {
    int32_t id[4];
} sy_lwm2m_path;

/* False: no path of at most four numbers up to 65535 parted by "/" (one more may lead or end). */
bool sy_lwm2m_path_of(sy_span text, sy_lwm2m_level first, sy_lwm2m_path *out);
sy_lwm2m_kind sy_lwm2m_kind_of(const sy_lwm2m_path *p);
/* Local names and units of all records; and what an instance says about its own values in the same
 * message: unit (5701), time (5518), quality (6042). Texts live in the arena. */
SY_MUST_USE sy_err sy_lwm2m_finish(sy_arena *a, sy_record *v, size_t n, sy_lwm2m_level first);

/* TLV (content format 11542). base: where the sender's answers stand in its tree ("/3303/0"), empty
 * where that is not known; names are then relative and kinds of low ids are guessed. */
SY_MUST_USE sy_err sy_lwm2m_tlv(sy_records *l, sy_span bytes, sy_span base, sy_lwm2m_level *first,
                                sy_fail *f);
/* The structure alone: all bytes are TLVs, nested as they may be. */
bool sy_lwm2m_is_tlv(sy_span bytes);

#endif
