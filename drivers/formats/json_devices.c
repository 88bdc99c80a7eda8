/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that publish their state as one JSON object: Zigbee2MQTT, Tasmota (tele/…/SENSOR, STATE)
 * and Shelly (status of generation 1, components of generations 2 and 3). Each scalar is a record
 * by its path. What is known to be no measurement (network, memory, firmware) is left out only
 * where it would be taken for one: a point is matched by name, so the rest does no harm.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"
#include "drivers/formats/records.h"

typedef bool (*skip_fn)(sy_span path, sy_span key, const json_t *v);

static bool begins(sy_span s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && memcmp(s.p, with, n) == 0;
}

static sy_err object_of(sy_span payload, json_t **root, sy_fail *f)
{
    sy_err e = sy_json_in(payload, root, f);
    if (!e && !json_is_object(*root)) {
        json_decref(*root);
        e = sy_fail_set(f, SY_E_PARSE, "not a JSON object");
    }
    return e;
}

static sy_err give(json_t *root, const sy_record *like, skip_fn skip, sy_record_fn sink, void *ctx,
                   sy_fail *f)
{
    sy_records l;
    sy_records_init(&l);
    sy_json_flat(&l, like, (sy_span){"", 0}, root, skip);
    sy_err e = sy_records_emit(&l, sink, ctx, f);
    sy_records_fini(&l);
    return e;
}

/* Parse only for a probe: nothing else tells JSON of one kind from another. */
static int probe_keys(sy_span payload, const char *const *keys, size_t n, int sure)
{
    json_t *root;
    sy_fail f;
    if (sy_json_first(payload) != '{' || object_of(payload, &root, &f) != SY_OK)
        return 0;
    int found = 0;
    for (size_t i = 0; i < n; i++)
        found += json_object_get(root, keys[i]) != NULL;
    json_decref(root);
    return found ? sure : 0;
}

/* Zigbee2MQTT: last_seen is when the device was heard (ISO 8601 with offset, or epoch ms, by its
 * setting advanced.last_seen); `update` speaks of firmware. */
static bool zigbee_skip(sy_span path, sy_span key, const json_t *v)
{
    (void)key;
    (void)v;
    return sy_span_is(path, "update") || sy_span_is(path, "update_available");
}

static sy_err zigbee_decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                            sy_fail *f)
{
    (void)map;
    json_t *root;
    sy_err e = object_of(payload, &root, f);
    if (e)
        return e;
    sy_record like = {.quality = SY_Q_GOOD};
    sy_json_time(json_object_get(root, "last_seen"), &like);
    e = give(root, &like, zigbee_skip, sink, ctx, f);
    json_decref(root);
    return e;
}

static int zigbee_probe(sy_span payload)
{
    static const char *const keys[] = {"linkquality", "last_seen"};
    return probe_keys(payload, keys, 2, 85);
}

/* Tasmota: Time is local and without offset unless the device was told otherwise (Time with an
 * offset is taken); the units of all sensors stand at the top (TempUnit, PressureUnit …). */
static bool tasmota_skip(sy_span path, sy_span key, const json_t *v)
{
    (void)v;
    return sy_span_is(path, "Time") || sy_span_is(key, "Id") ||
           (path.n == key.n && path.n > 4 && memcmp(path.p + path.n - 4, "Unit", 4) == 0);
}

static sy_span tasmota_unit(const json_t *root, sy_span local)
{
    static const struct {
        const char *name, *key, *alone; /* what the unit is without the key: Tasmota's own */
    } units[] = {
        {"Temperature", "TempUnit", NULL},
        {"DewPoint", "TempUnit", NULL},
        {"Pressure", "PressureUnit", NULL},
        {"SeaPressure", "PressureUnit", NULL},
        {"Speed", "SpeedUnit", NULL},
        {"Humidity", NULL, "%"},
        {"Illuminance", NULL, "lx"},
        {"CarbonDioxide", NULL, "ppm"},
        {"eCO2", NULL, "ppm"},
        {"Voltage", NULL, "V"},
        {"Current", NULL, "A"},
        {"Power", NULL, "W"},
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (sy_span_is(local, units[i].name))
            return units[i].key ? sy_json_text(root, units[i].key) : sy_span_of(units[i].alone);
    return (sy_span){"", 0};
}

static sy_err tasmota_decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                             sy_fail *f)
{
    (void)map;
    json_t *root;
    sy_err e = object_of(payload, &root, f);
    if (e)
        return e;
    sy_record like = {.quality = SY_Q_GOOD};
    sy_records l;
    if (!sy_json_time(json_object_get(root, "Epoch"), &like))
        sy_json_time(json_object_get(root, "Time"), &like);
    sy_records_init(&l);
    sy_json_flat(&l, &like, (sy_span){"", 0}, root, tasmota_skip);
    for (size_t i = 0; i < l.n; i++)
        if (l.v[i].kind == SY_REC_NUMBER)
            l.v[i].unit = tasmota_unit(root, l.v[i].local);
    e = sy_records_emit(&l, sink, ctx, f);
    sy_records_fini(&l);
    json_decref(root);
    return e;
}

static int tasmota_probe(sy_span payload)
{
    static const char *const keys[] = {"Time"};
    return probe_keys(payload, keys, 1, 80);
}

/* Shelly: what the box tells of itself (cloud, wifi, firmware) is no measurement. A meter that says
 * is_valid false has no reading; unixtime and ts are the message's time. */
static bool shelly_skip(sy_span path, sy_span key, const json_t *v)
{
    static const char *const parts[] = {
        "actions_stats",  "ble", "cloud", "mqtt",     "update", "wifi_sta", "wifi",   "ws",
        "script:",        "sys", "time",  "unixtime", "ts",     "mac",      "serial", "has_update",
        "cfg_changed_cnt"};
    (void)key;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        bool open = parts[i][strlen(parts[i]) - 1] == ':';
        if (open ? begins(path, parts[i]) : sy_span_is(path, parts[i]))
            return true;
    }
    return json_is_false(json_object_get(v, "is_valid"));
}

static sy_err shelly_decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                            sy_fail *f)
{
    (void)map;
    json_t *root;
    sy_err e = object_of(payload, &root, f);
    if (e)
        return e;
    sy_record like = {.quality = SY_Q_GOOD};
    /* The notification of generation 2 and 3 wraps the same components. */
    const json_t *params = json_object_get(root, "params");
    const json_t *body = json_is_object(params) ? params : root;
    const json_t *sys = json_object_get(body, "sys");
    const json_t *time = json_object_get(body, "ts");
    time = time ? time : json_object_get(body, "unixtime");
    sy_json_time(time ? time : json_object_get(sys, "unixtime"), &like);
    if (like.has_time && like.time == 0)
        like.has_time = false; /* a clock that was never set */
    e = give((json_t *)body, &like, shelly_skip, sink, ctx, f);
    json_decref(root);
    return e;
}

static int shelly_probe(sy_span payload)
{
    static const char *const keys[] = {"wifi_sta",   "sys",  "switch:0", "temperature:0",
                                       "humidity:0", "em:0", "pm1:0"};
    return probe_keys(payload, keys, sizeof keys / sizeof keys[0], 85);
}

const sy_format sy_format_zigbee2mqtt = {"zigbee2mqtt", 0xffff, zigbee_decode, zigbee_probe};
const sy_format sy_format_tasmota = {"tasmota", 0xffff, tasmota_decode, tasmota_probe};
const sy_format sy_format_shelly = {"shelly", 0xffff, shelly_decode, shelly_probe};
