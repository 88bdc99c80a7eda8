/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telemetry of gateways and platforms over MQTT. ThingsBoard: {k: v}, {ts, values {}}, an array of
 * these, or by device {"devA": [{ts, values}]}; values that are objects or lists are named by their
 * path. Devtank OSM: {UNIX, NAME, VALUES {"TEMP": "23.5", "TEMP_min": …}}. Meters of EdgeLogger:
 * {batch [{device_id, metrics {…: {data_type, unit, value {…}}}}]}.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

static const sy_span none = {"", 0};

/* The time of an object of telemetry, beside its values. */
static void time_of(const json_t *item, sy_record *like)
{
    if (!sy_json_time(json_object_get(item, "ts"), like))
        sy_json_time(json_object_get(item, "timestamp"), like);
}

static void telemetry(sy_records *l, const json_t *item, sy_span device, const sy_record *outer)
{
    sy_record like = *outer;
    const json_t *values = json_object_get(item, "values");
    const char *key;
    json_t *v;
    like.device = device;
    time_of(item, &like);
    json_object_foreach((json_t *)(json_is_object(values) ? values : item), key, v)
    {
        sy_json_flat(l, &like, sy_span_of(key), v, NULL);
    }
}

static void metrics(sy_records *l, const json_t *root, const json_t *values)
{
    sy_record like = {.quality = SY_Q_GOOD};
    const char *key;
    json_t *v;
    sy_json_time(json_object_get(root, "UNIX"), &like);
    json_object_foreach((json_t *)values, key, v)
    {
        sy_record r = like;
        r.name = r.local = sy_span_of(key);
        if (!sy_json_scalar(v, &r))
            continue;
        if (r.kind == SY_REC_TEXT && sy_double_parse(r.text, &r.number) == SY_OK)
            r.kind = SY_REC_NUMBER;
        sy_records_add(l, &r);
    }
}

/* The names of the wrapping (value) are no part of a reading's name. */
static bool wrapping(sy_span path, sy_span key, const json_t *v)
{
    (void)path;
    (void)v;
    return sy_span_is(key, "data_type") || sy_span_is(key, "unit");
}

static sy_span unwrapped(sy_records *l, sy_span name)
{
    char *p = sy_arena_text(&l->arena, name);
    if (!p) {
        l->err = SY_E_NOMEM;
        return name;
    }
    for (char *at; (at = strstr(p, ".value")) && (at[6] == '.' || at[6] == '\0');)
        memmove(at, at + 6, strlen(at + 6) + 1);
    return sy_span_of(p);
}

static void meters(sy_records *l, const json_t *batch)
{
    size_t i;
    json_t *item;
    json_array_foreach(batch, i, item)
    {
        sy_record like = {.quality = SY_Q_GOOD, .device = sy_json_text(item, "device_id")};
        size_t from = l->n;
        sy_json_flat(l, &like, none, json_object_get(item, "metrics"), wrapping);
        for (; from < l->n && !l->err; from++)
            l->v[from].name = l->v[from].local = unwrapped(l, l->v[from].name);
    }
}

/* A member of the top object: a device's list of telemetry, or a value. */
static void member(sy_records *l, const sy_record *like, sy_span key, const json_t *v)
{
    size_t i;
    json_t *item;
    if (!json_is_object(json_array_get(v, 0))) {
        sy_json_flat(l, like, key, v, NULL);
        return;
    }
    json_array_foreach(v, i, item)
    {
        if (json_is_object(item))
            telemetry(l, item, key, like);
    }
}

static sy_err fill(sy_records *l, const json_t *root, sy_fail *f)
{
    sy_record like = {.quality = SY_Q_GOOD};
    const char *key;
    json_t *v, *item;
    size_t i;
    const json_t *values = json_object_get(root, "VALUES"), *batch = json_object_get(root, "batch");
    if (json_is_object(values)) {
        metrics(l, root, values);
    } else if (json_object_get(json_array_get(batch, 0), "metrics")) {
        meters(l, batch);
    } else if (json_is_array(root)) {
        json_array_foreach(root, i, item)
        {
            telemetry(l, item, none, &like);
        }
    } else if (!json_is_object(root)) {
        return sy_fail_set(f, SY_E_PARSE, "neither a JSON object nor an array");
    } else if (json_is_object(json_object_get(root, "values"))) {
        telemetry(l, root, none, &like);
    } else {
        time_of(root, &like);
        json_object_foreach((json_t *)root, key, v)
        {
            member(l, &like, sy_span_of(key), v);
        }
    }
    return SY_OK;
}

SY_JSON_DECODER(decode, fill)

static bool has_two(const json_t *root, const char *first, const char *second)
{
    const json_t *object = json_is_array(root) ? json_array_get(root, 0) : root;
    return json_object_get(object, first) && json_object_get(object, second);
}

static int probe(const json_t *root)
{
    if (has_two(root, "ts", "values") || has_two(root, "UNIX", "VALUES"))
        return 85;
    const json_t *first = json_object_iter_value(json_object_iter((json_t *)root));
    return json_object_get(json_array_get(first, 0), "values") ? 85 : 0;
}

const sy_format sy_format_thingsboard = {"generic_mqtt", 0xffff, decode, NULL, probe};
