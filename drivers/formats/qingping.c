/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Qingping: the JSON of its MQTT devices (sensorData or sensor_data: a list of {name: {value, unit,
 * status}, timestamp: {value}}), the same as the developer platform pushes it (payload: info, data
 * or events), and the binary frames of its LoRaWAN, NB-IoT and Wi-Fi loggers.
 *
 * status of a value: 0 normal, 1 abnormal, 2 initialising, or the words abnormal, preparing,
 * initing, sampling, idle; that of the battery speaks of charging. A message of a device without
 * sensor data (settings, heartbeat, binding) has no reading and is no fault.
 *
 * Frame: 0x01, command, length, data, CRC-16 of Modbus; numbers big-endian; sent as it is or in
 * base64. Command 0x41 reports (data 0: history, 1: real time), 0x44 an event. A group of six bytes
 * is temperature and humidity in 12 bits each (tenths, temperature plus 500), pressure (hundredths
 * of kPa), battery.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"
#include "drivers/formats/lorawan.h"

static sy_quality judged(const json_t *status)
{
    sy_span word = {"", 0};
    if (json_is_string(status))
        word = (sy_span){json_string_value(status), json_string_length(status)};
    double code = json_is_number(status) ? json_number_value(status) : 0;
    if (code == 1 || sy_span_is(word, "abnormal") || sy_span_is(word, "1"))
        return SY_Q_BAD | SY_Q_DEVICE_FAULT;
    if (code == 2 || sy_span_is(word, "preparing") || sy_span_is(word, "initing") ||
        sy_span_is(word, "2"))
        return SY_Q_UNCERTAIN;
    return SY_Q_GOOD;
}

static void item(sy_records *l, const json_t *data, const json_t *sent, sy_span device)
{
    sy_record like = {.quality = SY_Q_GOOD, .device = device};
    const char *key;
    json_t *v;
    if (!sy_json_time(json_object_get(json_object_get(data, "timestamp"), "value"), &like))
        sy_json_time(sent, &like);
    json_object_foreach((json_t *)data, key, v)
    {
        const json_t *value = json_object_get(v, "value");
        sy_record r = like;
        if (strcmp(key, "timestamp") == 0 || !value || !sy_json_scalar(value, &r))
            continue;
        r.name = r.local = sy_span_of(key);
        r.unit = sy_json_text(v, "unit");
        if (strcmp(key, "battery") != 0)
            r.quality = judged(json_object_get(v, "status"));
        sy_records_add(l, &r);
    }
}

static void items(sy_records *l, const json_t *list, const json_t *sent, sy_span device)
{
    size_t i;
    json_t *data;
    json_array_foreach(list, i, data)
    {
        const json_t *inner = json_object_get(data, "data"); /* of an event */
        item(l, json_is_object(inner) ? inner : data, sent, device);
    }
}

static sy_err fill(sy_records *l, const json_t *root, sy_fail *f)
{
    static const char *const lists[] = {"sensorData", "sensor_data"};
    const json_t *pushed = json_object_get(root, "payload");
    const json_t *sent = json_object_get(root, "timestamp");
    for (size_t i = 0; i < 2; i++) {
        json_t *list = json_object_get(root, lists[i]);
        if (json_is_object(list))
            item(l, list, sent, (sy_span){"", 0});
        items(l, list, sent, (sy_span){"", 0});
    }
    if (json_is_object(pushed)) {
        sy_span mac = sy_json_text(json_object_get(pushed, "info"), "mac");
        items(l, json_object_get(pushed, "data"), sent, mac);
        items(l, json_object_get(pushed, "events"), sent, mac);
    }
    l->none_is_fine = pushed || json_object_get(root, "type") || json_object_get(root, "mac");
    return l->n || l->none_is_fine ? SY_OK : sy_fail_set(f, SY_E_PARSE, "Qingping: no sensorData");
}

static uint16_t crc(sy_span s)
{
    unsigned c = 0xffff;
    for (size_t i = 0; i < s.n; i++) {
        c ^= (unsigned char)s.p[i];
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xa001 : c >> 1;
    }
    return (uint16_t)c;
}

/* The data of a frame; false where it is none. Makers write the CRC in either order. */
static bool frame(sy_span bytes, unsigned *command, sy_span *data)
{
    if (bytes.n < 5 || bytes.p[0] != 1 || (unsigned char)bytes.p[2] + 5u != bytes.n)
        return false;
    uint16_t want = crc((sy_span){bytes.p, bytes.n - 2});
    uint16_t is = (uint16_t)sy_be(bytes.p + bytes.n - 2, 2);
    *command = (unsigned char)bytes.p[1];
    *data = (sy_span){bytes.p + 3, bytes.n - 5};
    return is == want || is == (uint16_t)(want << 8 | want >> 8);
}

static void group(sy_records *l, const char *p, double t)
{
    sy_record like = {.quality = SY_Q_GOOD};
    uint32_t both = sy_be(p, 3);
    sy_record_time(&like, t);
    sy_records_number(l, &like, "temperature", ((double)(both >> 12) - 500) / 10, "Cel");
    sy_records_number(l, &like, "humidity", (double)(both & 0xfff) / 10, "%RH");
    sy_records_number(l, &like, "pressure", (double)sy_be(p + 3, 2) / 100, "kPa");
    sy_records_number(l, &like, "battery", (double)sy_be(p + 5, 1), "%");
}

static sy_err fill_frame(sy_records *l, sy_span bytes, sy_fail *f)
{
    unsigned command;
    sy_span d;
    if (!frame(bytes, &command, &d))
        return sy_fail_set(f, SY_E_PARSE, "Qingping: neither JSON nor a frame with a right CRC");
    l->none_is_fine = true;
    if (command == 0x41 && d.n >= 7 && d.p[0] == 0) {
        double t = sy_be(d.p + 1, 4), interval = sy_be(d.p + 5, 2);
        if ((d.n - 7) % 6 != 0)
            return sy_fail_set(f, SY_E_PARSE, "Qingping: a group of readings is cut short");
        for (size_t i = 0; i < (d.n - 7) / 6; i++)
            group(l, d.p + 7 + 6 * i, t + (double)i * interval);
        return SY_OK;
    }
    if (command == 0x41 && d.n >= 11 && d.p[0] == 1)
        group(l, d.p + 5, sy_be(d.p + 1, 4));
    else if (command == 0x44 && d.n >= 11)
        group(l, d.p + 5, sy_be(d.p + 1, 4));
    else if (command == 0x41 || command == 0x44)
        return sy_fail_set(f, SY_E_PARSE, "Qingping: the report is cut short");
    return SY_OK;
}

static sy_err fill_bytes(sy_records *l, sy_span bytes, sy_fail *f)
{
    unsigned command;
    sy_span d, plain;
    if (!frame(bytes, &command, &d) && sy_records_base64(l, bytes, &plain))
        return fill_frame(l, plain, f);
    return fill_frame(l, bytes, f);
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    (void)map;
    return sy_json_first(payload) == '{' ? sy_json_decode(fill, payload, sink, ctx, f)
                                         : sy_bytes_decode(fill_bytes, payload, sink, ctx, f);
}

static int probe(sy_span payload)
{
    unsigned command;
    sy_span d;
    return frame(payload, &command, &d) && (command == 0x41 || command == 0x44) && d.n >= 11 ? 80
                                                                                             : 0;
}

static int probe_json(const json_t *root)
{
    const json_t *first = json_array_get(json_object_get(root, "sensor_data"), 0);
    const json_t *pushed = json_object_get(root, "payload");
    if (json_is_array(json_object_get(root, "sensorData")) ||
        (json_object_get(pushed, "info") && json_object_get(root, "signature")))
        return 90;
    return first ? 85 : 0;
}

/* Frames are found by their bytes, JSON by its members. */
const sy_format sy_format_qingping = {"qingping", 0xffff, decode, probe, probe_json};
