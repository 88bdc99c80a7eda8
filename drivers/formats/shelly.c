/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shelly: the status of generation 1, the components of generations 2 to 4 ("switch:0", "em:0",
 * "temperature:100" …), one component alone (status/switch:0), a notification (params), the answer
 * to a call (result). Each value by its path. What the box tells of itself (cloud, wifi, firmware)
 * is no measurement; unixtime and ts are the message's time.
 *
 * A meter that says is_valid false (generation 1) has a bad value; so has a component whose errors
 * name its sensor (generation 2: read, out_of_range, power_meter_failure).
 */
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

static bool begins(sy_span s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && memcmp(s.p, with, n) == 0;
}

static bool ends(sy_span s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && memcmp(s.p + s.n - n, with, n) == 0;
}

/* A part of the box that measures nothing. */
static bool of_the_box(sy_span key)
{
    static const char *const parts[] = {
        "actions_stats",   "ble", "cloud", "mqtt",     "update", "wifi_sta",   "wifi",
        "script:",         "sys", "time",  "unixtime", "ts",     "mac",        "serial",
        "cfg_changed_cnt", "ws",  "knx",   "matter",   "bthome", "has_update", "modbus"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        bool open = parts[i][strlen(parts[i]) - 1] == ':';
        if (parts[i][0] == key.p[0] && (open ? begins(key, parts[i]) : sy_span_is(key, parts[i])))
            return true;
    }
    return false;
}

static sy_quality quality_of(const json_t *component)
{
    const json_t *errors = json_object_get(component, "errors");
    sy_quality q = SY_Q_GOOD;
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const char *e = json_string_value(json_array_get(errors, i));
        if (e && strcmp(e, "out_of_range") == 0)
            q = sy_quality_worsen(q, SY_Q_BAD, SY_Q_OUT_OF_RANGE);
        else if (e && (strcmp(e, "read") == 0 || strcmp(e, "power_meter_failure") == 0))
            q = sy_quality_worsen(q, SY_Q_BAD, SY_Q_DEVICE_FAULT);
    }
    return q;
}

/* Units by the end of a path. Totals of generation 1 are watt-minutes ("meters") or Wh. */
static const char *unit_of(sy_span path)
{
    static const struct {
        const char *end, *unit;
    } units[] = {
        {"tC", "Cel"},          {"tF", "degF"},
        {"current_C", "Cel"},   {"target_C", "Cel"},
        {"rh", "%RH"},          {"power", "W"},
        {"aprt_power", "VA"},   {"voltage", "V"},
        {"current", "A"},       {"freq", "Hz"},
        {"lux", "lx"},          {"percent", "%"},
        {"energy.total", "Wh"}, {"total_act_energy", "Wh"},
        {"total_act", "Wh"},    {"ppm", "ppm"},
        {"battery", "%"},       {"rssi", "dBm"},
        {"bat.value", "%"},
    };
    /* "apower", "a_act_power", "n_current": the last word counts, and aprt_power before power. */
    if (ends(path, "aprt_power"))
        return "VA";
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (ends(path, units[i].end))
            return units[i].unit;
    return "";
}

/* The records of an object that says is_valid false are all those around that have its path. */
static void mark_invalid(sy_records *l, size_t at)
{
    sy_span parent = {l->v[at].name.p, l->v[at].name.n - l->v[at].local.n};
    size_t from = at, to = at + 1;
    while (from > 0 && l->v[from - 1].name.n > parent.n &&
           memcmp(l->v[from - 1].name.p, parent.p, parent.n) == 0)
        from--;
    while (to < l->n && l->v[to].name.n > parent.n &&
           memcmp(l->v[to].name.p, parent.p, parent.n) == 0)
        to++;
    for (; from < to; from++)
        if (l->v[from].kind != SY_REC_BOOL)
            l->v[from].quality = sy_quality_worsen(l->v[from].quality, SY_Q_BAD, SY_Q_DEVICE_FAULT);
}

static void told(sy_records *l, const json_t *body)
{
    sy_span tmp = sy_json_text(json_object_get(body, "tmp"), "units");
    for (size_t i = 0; i < l->n; i++) {
        sy_record *r = &l->v[i];
        if (r->kind == SY_REC_NUMBER)
            r->unit = sy_span_of(sy_span_is(r->name, "tmp.value")
                                     ? (sy_span_is(tmp, "F") ? "degF" : "Cel")
                                 : sy_span_is(r->name, "hum.value") ? "%RH"
                                                                    : unit_of(r->name));
        if (r->kind == SY_REC_BOOL && r->number == 0 && sy_span_is(r->local, "is_valid"))
            mark_invalid(l, i);
    }
}

static void time_of(const json_t *body, sy_record *like)
{
    const json_t *time = json_object_get(body, "ts");
    time = time ? time : json_object_get(body, "unixtime");
    sy_json_time(time ? time : json_object_get(json_object_get(body, "sys"), "unixtime"), like);
    if (like->has_time && like->time == 0)
        like->has_time = false; /* a clock that was never set */
}

static sy_err fill(sy_records *l, const json_t *root, sy_fail *f)
{
    const json_t *params = json_object_get(root, "params");
    const json_t *result = json_object_get(root, "result");
    const json_t *body = json_is_object(params) ? params : json_is_object(result) ? result : root;
    sy_record like = {.quality = SY_Q_GOOD};
    const char *key;
    json_t *v;
    if (!json_is_object(root))
        return sy_fail_set(f, SY_E_PARSE, "not a JSON object");
    time_of(body, &like);
    sy_quality own = quality_of(body); /* of one component alone */
    json_object_foreach((json_t *)body, key, v)
    {
        sy_span name = sy_span_of(key);
        if (name.n && of_the_box(name))
            continue;
        like.quality = own | quality_of(v);
        sy_json_flat(l, &like, name, v, NULL);
    }
    told(l, body);
    l->none_is_fine = json_object_get(body, "sys") || params || json_object_get(root, "dst");
    return SY_OK;
}

SY_JSON_DECODER(decode, fill)

static int probe(const json_t *root)
{
    static const char *const keys[] = {"wifi_sta",   "sys",     "switch:0", "temperature:0",
                                       "humidity:0", "em:0",    "pm1:0",    "em1:0",
                                       "cover:0",    "input:0", "light:0",  "devicepower:0"};
    const json_t *params = json_object_get(root, "params");
    sy_span method = sy_json_text(root, "method");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_object_get(root, keys[i]) || json_object_get(params, keys[i]))
            return 85;
    return params && begins(method, "Notify") ? 85 : 0;
}

const sy_format sy_format_shelly = {"shelly", 0xffff, decode, NULL, probe};
