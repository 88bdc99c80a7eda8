/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zigbee2MQTT: the state of a device as one JSON object, each value by its path. last_seen is when
 * the device was heard (ISO 8601 with offset, or epoch ms, by the setting advanced.last_seen), and
 * a value like the others. Its availability is a word, or {"state": "online"}.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"
#include "drivers/formats/records.h"

/* update.state speaks of firmware; it must not be taken for the state of a switch. */
static bool skip(sy_span path, sy_span key, const json_t *v)
{
    (void)key;
    return sy_span_is(path, "update.state") && json_is_string(v);
}

static sy_err fill(sy_records *l, const json_t *root, sy_fail *f)
{
    sy_record like = {.quality = SY_Q_GOOD};
    if (!json_is_object(root))
        return sy_fail_set(f, SY_E_PARSE, "not a JSON object");
    sy_json_time(json_object_get(root, "last_seen"), &like);
    sy_json_flat(l, &like, (sy_span){"", 0}, root, skip);
    return SY_OK;
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    (void)map;
    sy_record r = {.name = {"availability", 12}, .local = {"availability", 12}};
    if (!sy_span_is(payload, "online") && !sy_span_is(payload, "offline"))
        return sy_json_decode(fill, payload, sink, ctx, f);
    r.kind = SY_REC_TEXT;
    r.text = payload;
    return sink(ctx, &r);
}

static int probe(const json_t *root)
{
    return json_object_get(root, "linkquality") || json_object_get(root, "last_seen") ? 85 : 0;
}

const sy_format sy_format_zigbee2mqtt = {"zigbee2mqtt", 0xffff, decode, NULL, probe};
