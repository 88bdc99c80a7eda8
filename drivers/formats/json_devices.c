/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that publish their state as one JSON object: Zigbee2MQTT, Tasmota (tele/…/SENSOR, STATE)
 * and Shelly (status of generation 1, components of generations 2 and 3). Each scalar is a record
 * by its path. What is known to be no measurement (network, memory, firmware) is left out only
 * where it would be taken for one: a point is matched by name, so the rest does no harm.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

static bool begins(sy_span s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && memcmp(s.p, with, n) == 0;
}

static bool has_one(const json_t *root, const char *const *keys, size_t n)
{
    bool found = false;
    for (size_t i = 0; i < n && !found; i++)
        found = json_object_get(root, keys[i]) != NULL;
    return found;
}

static sy_err not_an_object(sy_fail *f)
{
    return sy_fail_set(f, SY_E_PARSE, "not a JSON object");
}

/* Zigbee2MQTT: last_seen is when the device was heard (ISO 8601 with offset, or epoch ms, by its
 * setting advanced.last_seen); `update` speaks of firmware. */
static bool zigbee_skip(sy_span path, sy_span key, const json_t *v)
{
    (void)key;
    (void)v;
    return sy_span_is(path, "update") || sy_span_is(path, "update_available");
}

static sy_err zigbee_fill(sy_records *l, const json_t *root, sy_fail *f)
{
    sy_record like = {.quality = SY_Q_GOOD};
    if (!json_is_object(root))
        return not_an_object(f);
    sy_json_time(json_object_get(root, "last_seen"), &like);
    sy_json_flat(l, &like, (sy_span){"", 0}, root, zigbee_skip);
    return SY_OK;
}

static int zigbee_probe(const json_t *root)
{
    static const char *const keys[] = {"linkquality", "last_seen"};
    return has_one(root, keys, 2) ? 85 : 0;
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

static sy_err tasmota_fill(sy_records *l, const json_t *root, sy_fail *f)
{
    sy_record like = {.quality = SY_Q_GOOD};
    if (!json_is_object(root))
        return not_an_object(f);
    if (!sy_json_time(json_object_get(root, "Epoch"), &like))
        sy_json_time(json_object_get(root, "Time"), &like);
    sy_json_flat(l, &like, (sy_span){"", 0}, root, tasmota_skip);
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].kind == SY_REC_NUMBER)
            l->v[i].unit = tasmota_unit(root, l->v[i].local);
    return SY_OK;
}

static int tasmota_probe(const json_t *root)
{
    return json_object_get(root, "Time") ? 80 : 0;
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

static sy_err shelly_fill(sy_records *l, const json_t *root, sy_fail *f)
{
    sy_record like = {.quality = SY_Q_GOOD};
    if (!json_is_object(root))
        return not_an_object(f);
    /* The notification of generation 2 and 3 wraps the same components. */
    const json_t *params = json_object_get(root, "params");
    const json_t *body = json_is_object(params) ? params : root;
    const json_t *sys = json_object_get(body, "sys");
    const json_t *time = json_object_get(body, "ts");
    time = time ? time : json_object_get(body, "unixtime");
    sy_json_time(time ? time : json_object_get(sys, "unixtime"), &like);
    if (like.has_time && like.time == 0)
        like.has_time = false; /* a clock that was never set */
    sy_json_flat(l, &like, (sy_span){"", 0}, body, shelly_skip);
    l->none_is_fine = json_is_object(sys); /* a box that measures nothing tells its state, too */
    return SY_OK;
}

static int shelly_probe(const json_t *root)
{
    static const char *const keys[] = {"wifi_sta",   "sys",  "switch:0", "temperature:0",
                                       "humidity:0", "em:0", "pm1:0"};
    return has_one(root, keys, sizeof keys / sizeof keys[0]) ? 85 : 0;
}

SY_JSON_DECODER(zigbee_decode, zigbee_fill)
SY_JSON_DECODER(tasmota_decode, tasmota_fill)
SY_JSON_DECODER(shelly_decode, shelly_fill)

const sy_format sy_format_zigbee2mqtt = {"zigbee2mqtt", 0xffff, zigbee_decode, NULL, zigbee_probe};
const sy_format sy_format_tasmota = {"tasmota", 0xffff, tasmota_decode, NULL, tasmota_probe};
const sy_format sy_format_shelly = {"shelly", 0xffff, shelly_decode, NULL, shelly_probe};
