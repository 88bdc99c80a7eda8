/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gateways and platforms that publish readings of several devices or times in one JSON message:
 * EMQX Neuron (values, tags or ECP format), ThingsBoard telemetry, OPC UA PubSub (Part 14,
 * ua-data).
 */
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

static bool has_all(const json_t *root, const char *const *keys, size_t n)
{
    const json_t *object = json_is_array(root) ? json_array_get(root, 0) : root;
    bool all = json_is_object(object);
    for (size_t i = 0; i < n && all; i++)
        all = json_object_get(object, keys[i]) != NULL;
    return all;
}

static void put(sy_records *l, const sy_record *like, sy_span device, sy_span name, const json_t *v)
{
    sy_record r = *like;
    r.name = r.local = name;
    r.device = device;
    if (sy_json_scalar(v, &r))
        sy_records_add(l, &r);
}

/* A reading that the source could not take: no value, and bad. */
static void put_fault(sy_records *l, const sy_record *like, sy_span name)
{
    sy_record r = *like;
    r.name = r.local = name;
    r.kind = SY_REC_NULL;
    r.quality = sy_quality_worsen(r.quality, SY_Q_BAD, SY_Q_DEVICE_FAULT);
    sy_records_add(l, &r);
}

/* Neuron: {timestamp, node, group, values {}, errors {}} or {…, tags [{name, value | error}]}. */
static sy_err neuron_fill(sy_records *l, const json_t *root, sy_fail *f)
{
    sy_record like = {.quality = SY_Q_GOOD};
    const char *key;
    json_t *v;
    size_t i;
    const sy_span none = {"", 0};
    if (!json_object_get(root, "values") && !json_object_get(root, "tags"))
        return sy_fail_set(f, SY_E_PARSE, "Neuron: neither values nor tags");
    sy_json_time(json_object_get(root, "timestamp"), &like);
    json_object_foreach(json_object_get(root, "values"), key, v)
    {
        put(l, &like, none, sy_span_of(key), v);
    }
    json_object_foreach(json_object_get(root, "errors"), key, v)
    {
        put_fault(l, &like, sy_span_of(key));
    }
    json_array_foreach(json_object_get(root, "tags"), i, v)
    {
        sy_span name = sy_json_text(v, "name");
        const json_t *value = json_object_get(v, "value");
        if (name.n == 0)
            return sy_fail_set(f, SY_E_PARSE, "Neuron: tag %zu has no name", i);
        if (value)
            put(l, &like, none, name, value);
        else
            put_fault(l, &like, name);
    }
    return SY_OK;
}

SY_JSON_DECODER(neuron_decode, neuron_fill)

static int neuron_probe(const json_t *root)
{
    static const char *const keys[] = {"timestamp", "node", "group"};
    return has_all(root, keys, 3) ? 90 : 0;
}

/* ThingsBoard: {k: v}, {ts, values {}}, an array of these, or by device {"devA": [{ts, values}]}.
 * Devtank OSM: {UNIX, NAME, VALUES {"TEMP": "23.5", "TEMP_min": …}}. */
static void telemetry(sy_records *l, const json_t *item, sy_span device, const sy_record *outer)
{
    sy_record like = *outer;
    const json_t *values = json_object_get(item, "values");
    const char *key;
    json_t *v;
    if (json_is_object(values))
        sy_json_time(json_object_get(item, "ts"), &like);
    json_object_foreach((json_t *)(json_is_object(values) ? values : item), key, v)
    {
        put(l, &like, device, sy_span_of(key), v);
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

/* Meters of EdgeLogger: {batch [{device_id, metrics {…: {data_type, unit, value {…}}}}]}. The names
 * of the wrapping (value) are no part of a reading's name. */
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
        sy_json_flat(l, &like, (sy_span){"", 0}, json_object_get(item, "metrics"), wrapping);
        for (; from < l->n && !l->err; from++)
            l->v[from].name = l->v[from].local = unwrapped(l, l->v[from].name);
    }
}

static sy_err thingsboard_fill(sy_records *l, const json_t *root, sy_fail *f)
{
    const sy_record like = {.quality = SY_Q_GOOD};
    const sy_span none = {"", 0};
    const char *key;
    json_t *v, *item;
    size_t i;
    const json_t *values = json_object_get(root, "VALUES");
    if (json_is_object(values)) {
        metrics(l, root, values);
        return SY_OK;
    }
    if (json_is_array(json_object_get(root, "batch"))) {
        meters(l, json_object_get(root, "batch"));
        return SY_OK;
    }
    if (json_is_array(root)) {
        json_array_foreach(root, i, item)
        {
            telemetry(l, item, none, &like);
        }
        return SY_OK;
    }
    if (!json_is_object(root))
        return sy_fail_set(f, SY_E_PARSE, "neither a JSON object nor an array");
    if (json_is_object(json_object_get(root, "values"))) {
        telemetry(l, root, none, &like);
        return SY_OK;
    }
    json_object_foreach((json_t *)root, key, v)
    {
        if (json_is_array(v)) {
            json_array_foreach(v, i, item)
            {
                telemetry(l, item, sy_span_of(key), &like);
            }
        } else {
            put(l, &like, none, sy_span_of(key), v);
        }
    }
    return SY_OK;
}

SY_JSON_DECODER(thingsboard_decode, thingsboard_fill)

static int thingsboard_probe(const json_t *root)
{
    static const char *const one[] = {"ts", "values"};
    static const char *const osm[] = {"UNIX", "VALUES"};
    if (has_all(root, one, 2) || has_all(root, osm, 2))
        return 85;
    const json_t *first = json_object_iter_value(json_object_iter((json_t *)root));
    return json_object_get(json_array_get(first, 0), "values") ? 85 : 0;
}

/* OPC UA Part 14, section 7.2.3: DataSetMessages with a Payload of DataValues {Value,
 * SourceTimestamp, StatusCode}, or of bare values. The two top bits of a status code are its
 * severity (Part 4, section 7.39). */
static void ua_value(sy_records *l, const sy_record *like, sy_span name, const json_t *v)
{
    sy_record r = *like;
    const json_t *value = json_object_get(v, "Value"), *status = json_object_get(v, "StatusCode");
    if (!json_is_object(v)) {
        put(l, like, (sy_span){"", 0}, name, v);
        return;
    }
    if (json_is_object(status))
        status = json_object_get(status, "Code");
    sy_json_time(json_object_get(v, "SourceTimestamp"), &r);
    uint32_t severity =
        json_is_number(status) ? (uint32_t)((uint64_t)json_number_value(status) >> 30 & 3) : 0;
    if (severity >= 2 || (!value && status)) {
        put_fault(l, &r, name);
        return;
    }
    if (severity == 1)
        r.quality = sy_quality_worsen(r.quality, SY_Q_UNCERTAIN, 0);
    if (json_is_object(value) && json_object_get(value, "Body"))
        value = json_object_get(value, "Body");
    if (value)
        put(l, &r, (sy_span){"", 0}, name, value);
}

static sy_err opcua_fill(sy_records *l, const json_t *root, sy_fail *f)
{
    json_t *messages = json_object_get(root, "Messages"), *item, *v;
    size_t i;
    const char *key;
    if (!json_is_array(messages))
        return sy_fail_set(f, SY_E_PARSE, "OPC UA: no Messages");
    json_array_foreach(messages, i, item)
    {
        sy_record like = {.quality = SY_Q_GOOD};
        sy_json_time(json_object_get(item, "Timestamp"), &like);
        json_object_foreach(json_object_get(item, "Payload"), key, v)
        {
            ua_value(l, &like, sy_span_of(key), v);
        }
    }
    return SY_OK;
}

SY_JSON_DECODER(opcua_decode, opcua_fill)

static int opcua_probe(const json_t *root)
{
    static const char *const keys[] = {"MessageType", "Messages"};
    return has_all(root, keys, 2) ? 90 : 0;
}

const sy_format sy_format_neuron = {"neuron", 0xffff, neuron_decode, NULL, neuron_probe};
const sy_format sy_format_thingsboard = {"generic_mqtt", 0xffff, thingsboard_decode, NULL,
                                         thingsboard_probe};
const sy_format sy_format_opcua = {"opcua", 0xffff, opcua_decode, NULL, opcua_probe};
