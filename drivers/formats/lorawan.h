/*
 * What the codings of LoRaWAN payloads share, and the choice among them by a device's model.
 * Internal to formats/.
 *
 * A coding reads the bytes of one uplink into records. It may leave some in the list when it
 * refuses; the caller gives none of them then.
 */
#ifndef SY_LORAWAN_H
#define SY_LORAWAN_H

#include "drivers/formats/records.h"

/* LoRaWAN carries at most 242 bytes; the same devices send up to about 1 KiB over NB-IoT. */
enum { SY_LORA_MAX = 2048 };

/* One uplink: what the network server says about it beside its bytes. */
typedef struct sy_lora {
    sy_span model;  /* of the device; empty: not configured */
    int port;       /* LoRaWAN FPort; -1: not known */
    sy_record like; /* quality and time of the records that have none of their own */
} sy_lora;

typedef sy_err (*sy_lora_fill)(sy_records *l, const sy_lora *u, sy_span bytes, sy_fail *f);
sy_err sy_elsys_fill(sy_records *l, const sy_lora *u, sy_span bytes, sy_fail *f);
sy_err sy_cayenne_fill(sy_records *l, const sy_lora *u, sy_span bytes, sy_fail *f);
sy_err sy_milesight_fill(sy_records *l, const sy_lora *u, sy_span bytes, sy_fail *f);
sy_err sy_dragino_fill(sy_records *l, const sy_lora *u, sy_span bytes, sy_fail *f);

/* The names of the models of a coding, ended by NULL. */
typedef const char *(*sy_lora_models)(size_t i);
const char *sy_elsys_model(size_t i);
const char *sy_cayenne_model(size_t i);
const char *sy_milesight_model(size_t i);
const char *sy_dragino_model(size_t i);

/* The coding of that model, NULL where none knows it. */
sy_lora_fill sy_lora_coding(sy_span model);

/* A payload that is the bytes of an uplink and nothing else: decode of those formats. */
SY_MUST_USE sy_err sy_lora_decode(sy_lora_fill fill, sy_span payload, const sy_device *map,
                                  sy_record_fn sink, void *ctx, sy_fail *f);

/* An integer of n bytes, at most 4, at p; big-endian, little-endian. */
static inline uint32_t sy_be(const char *p, size_t n)
{
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}
static inline uint32_t sy_le(const char *p, size_t n)
{
    uint32_t v = 0;
    for (size_t i = n; i > 0; i--)
        v = v << 8 | (unsigned char)p[i - 1];
    return v;
}
/* The low `bits` of v, at most 32, as a signed number. */
static inline int32_t sy_signed(uint32_t v, unsigned bits)
{
    uint32_t sign = bits ? UINT32_C(1) << (bits - 1) : 0;
    return (int32_t)(((v & (sign | (sign - 1))) ^ sign) - sign);
}
static inline int32_t sy_be_signed(const char *p, size_t n)
{
    return sy_signed(sy_be(p, n), (unsigned)(8 * n));
}

/* A record with a text that lives as long as the list; one without a value, since the device says
 * that its sensor failed. */
void sy_lora_text(sy_records *l, const sy_record *like, sy_span text);
void sy_lora_fault(sy_records *l, const sy_record *like);

#endif
