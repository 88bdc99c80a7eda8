/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uplinks as LoRaWAN network servers publish them: ChirpStack v4 (event/up: `object`) and The
 * Things Stack v3 (uplink_message: decoded_payload). The network server's decoder has named the
 * values; other events (join, ack, status) carry no readings, save the battery of a ChirpStack
 * status. A device with a codec of ours sends `data`, which that format reads: docs say how.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"
#include "drivers/formats/records.h"

static sy_err give(sy_records *l, const json_t *object, const sy_record *like, sy_record_fn sink,
                   void *ctx, sy_fail *f)
{
    sy_json_flat(l, like, (sy_span){"", 0}, object, NULL);
    return sy_records_emit(l, sink, ctx, f);
}

static sy_err chirpstack_records(sy_records *l, const json_t *root, sy_record_fn sink, void *ctx,
                                 sy_fail *f)
{
    sy_record like = {.quality = SY_Q_GOOD};
    const json_t *object = json_object_get(root, "object");
    const json_t *battery = json_object_get(root, "batteryLevel");
    sy_json_time(json_object_get(root, "time"), &like);
    if (json_is_number(battery)) {
        sy_records_number(l, &like, "batteryLevel", json_number_value(battery), "%");
        if (json_is_number(json_object_get(root, "margin")))
            sy_records_number(l, &like, "margin",
                              json_number_value(json_object_get(root, "margin")), "dB");
        return sy_records_emit(l, sink, ctx, f);
    }
    if (!json_is_object(object))
        return sy_fail_set(f, SY_E_UNSUPPORTED,
                           "ChirpStack: an event without a decoded object; give the device's "
                           "profile a codec");
    return give(l, object, &like, sink, ctx, f);
}

static sy_err tts_records(sy_records *l, const json_t *root, sy_record_fn sink, void *ctx,
                          sy_fail *f)
{
    sy_record like = {.quality = SY_Q_GOOD};
    const json_t *uplink = json_object_get(root, "uplink_message");
    const json_t *object = json_object_get(uplink, "decoded_payload");
    if (!json_is_object(object))
        return sy_fail_set(f, SY_E_UNSUPPORTED,
                           "The Things Stack: an event without a decoded payload; give the device "
                           "a payload formatter");
    if (!sy_json_time(json_object_get(uplink, "received_at"), &like))
        sy_json_time(json_object_get(root, "received_at"), &like);
    return give(l, object, &like, sink, ctx, f);
}

typedef sy_err (*records_fn)(sy_records *l, const json_t *root, sy_record_fn sink, void *ctx,
                             sy_fail *f);

static sy_err with(records_fn fn, sy_span payload, sy_record_fn sink, void *ctx, sy_fail *f)
{
    json_t *root;
    sy_records l;
    sy_err e = sy_json_in(payload, &root, f);
    if (e)
        return e;
    sy_records_init(&l);
    e = fn(&l, root, sink, ctx, f);
    sy_records_fini(&l);
    json_decref(root);
    return e;
}

static sy_err chirpstack_decode(sy_span p, const sy_device *map, sy_record_fn sink, void *ctx,
                                sy_fail *f)
{
    (void)map;
    return with(chirpstack_records, p, sink, ctx, f);
}

static sy_err tts_decode(sy_span p, const sy_device *map, sy_record_fn sink, void *ctx, sy_fail *f)
{
    (void)map;
    return with(tts_records, p, sink, ctx, f);
}

static int probe_key(sy_span payload, const char *key)
{
    json_t *root;
    sy_fail f;
    if (sy_json_first(payload) != '{' || sy_json_in(payload, &root, &f) != SY_OK)
        return 0;
    int sure = json_is_object(json_object_get(root, key)) ? 95 : 0;
    json_decref(root);
    return sure;
}

static int chirpstack_probe(sy_span payload)
{
    return probe_key(payload, "deviceInfo");
}

static int tts_probe(sy_span payload)
{
    return probe_key(payload, "end_device_ids");
}

const sy_format sy_format_chirpstack = {"chirpstack", 0xffff, chirpstack_decode, chirpstack_probe};
const sy_format sy_format_tts = {"tts", 0xffff, tts_decode, tts_probe};
