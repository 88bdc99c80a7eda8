/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasmota: tele/…/SENSOR and STATE, stat/…/STATUS8 and 10 (inside StatusSNS), ZbReceived. Each
 * value by its path; those of several phases or sensors by their index. Time is local and without
 * offset unless the device was told otherwise (a Time with an offset is taken, and Epoch). The
 * units that are a setting of the device stand at the top (TempUnit, PressureUnit, SpeedUnit); the
 * others are Tasmota's own.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

static bool skip(sy_span path, sy_span key, const json_t *v)
{
    bool unit = path.n == key.n && path.n > 4 && memcmp(path.p + path.n - 4, "Unit", 4) == 0;
    return json_is_string(v) && (sy_span_is(path, "Time") || sy_span_is(key, "Id") || unit);
}

/* The letters that a setting of the device has for it. */
static sy_span setting(const json_t *root, const char *key)
{
    sy_span text = sy_json_text(root, key);
    return sy_span_is(text, "C")   ? (sy_span){"Cel", 3}
           : sy_span_is(text, "F") ? (sy_span){"degF", 4}
                                   : text;
}

/* "Temperature1", "Power.0" are a Temperature, a Power. */
static sy_span bare(sy_span local)
{
    while (local.n && ((local.p[local.n - 1] >= '0' && local.p[local.n - 1] <= '9') ||
                       local.p[local.n - 1] == '.'))
        local.n--;
    return local;
}

typedef struct units_of_device {
    sy_span temperature, pressure, speed;
} units_of_device;

static sy_span unit_of(const units_of_device *d, sy_span local)
{
    static const struct {
        const char *name, *unit;
    } units[] = {
        {"ApparentPower", "VA"}, {"CarbonDioxide", "ppm"}, {"Current", "A"},
        {"Frequency", "Hz"},     {"Humidity", "%RH"},      {"Illuminance", "lx"},
        {"Power", "W"},          {"ReactivePower", "var"}, {"Today", "kWh"},
        {"Total", "kWh"},        {"TVOC", "ppb"},          {"Voltage", "V"},
        {"Yesterday", "kWh"},    {"eCO2", "ppm"},
    };
    local = bare(local);
    if (sy_span_is(local, "Temperature") || sy_span_is(local, "DewPoint"))
        return d->temperature;
    if (sy_span_is(local, "Pressure") || sy_span_is(local, "SeaPressure"))
        return d->pressure;
    if (sy_span_is(local, "Speed"))
        return d->speed;
    for (size_t i = 0; i < sizeof units / sizeof units[0] && local.n; i++)
        if (units[i].name[0] == local.p[0] && sy_span_is(local, units[i].name))
            return sy_span_of(units[i].unit);
    return (sy_span){"", 0};
}

static sy_err fill(sy_records *l, const json_t *root, sy_fail *f)
{
    sy_record like = {.quality = SY_Q_GOOD};
    if (!json_is_object(root))
        return sy_fail_set(f, SY_E_PARSE, "not a JSON object");
    const json_t *inner = json_object_get(root, "StatusSNS");
    root = json_is_object(inner) ? inner : root;
    if (!sy_json_time(json_object_get(root, "Epoch"), &like))
        sy_json_time(json_object_get(root, "Time"), &like);
    sy_json_flat(l, &like, (sy_span){"", 0}, root, skip);
    const units_of_device d = {setting(root, "TempUnit"), setting(root, "PressureUnit"),
                               setting(root, "SpeedUnit")};
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].kind == SY_REC_NUMBER)
            l->v[i].unit = unit_of(&d, l->v[i].local);
    l->none_is_fine = json_object_get(root, "Time") != NULL;
    return SY_OK;
}

SY_JSON_DECODER(decode, fill)

static int probe(const json_t *root)
{
    return json_object_get(root, "Time") || json_object_get(root, "StatusSNS") ? 80
           : json_object_get(root, "ZbReceived")                               ? 80
                                                                               : 0;
}

const sy_format sy_format_tasmota = {"tasmota", 0xffff, decode, NULL, probe};
