/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uplinks as LoRaWAN network servers publish them: ChirpStack v4 (event/up: `object`) and The
 * Things Stack v3 (uplink_message: decoded_payload). The network server's decoder has named the
 * values; other events (join, ack, status) carry no readings, save the battery of a ChirpStack
 * status. A device with a codec of ours sends `data`, which that format reads: docs say how.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

static sy_err chirpstack_fill(sy_records *l, const json_t *root, sy_fail *f)
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
        return SY_OK;
    }
    if (!json_is_object(object))
        return sy_fail_set(f, SY_E_UNSUPPORTED,
                           "ChirpStack: an event without a decoded object; give the device's "
                           "profile a codec");
    sy_json_flat(l, &like, (sy_span){"", 0}, object, NULL);
    return SY_OK;
}

static sy_err tts_fill(sy_records *l, const json_t *root, sy_fail *f)
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
    sy_json_flat(l, &like, (sy_span){"", 0}, object, NULL);
    return SY_OK;
}

SY_JSON_DECODER(chirpstack_decode, chirpstack_fill)
SY_JSON_DECODER(tts_decode, tts_fill)

static int chirpstack_probe(const json_t *root)
{
    return json_is_object(json_object_get(root, "deviceInfo")) ? 95 : 0;
}

static int tts_probe(const json_t *root)
{
    return json_is_object(json_object_get(root, "end_device_ids")) ? 95 : 0;
}

const sy_format sy_format_chirpstack = {"chirpstack", 0xffff, chirpstack_decode, NULL,
                                        chirpstack_probe};
const sy_format sy_format_tts = {"tts", 0xffff, tts_decode, NULL, tts_probe};
