/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uplinks as LoRaWAN network servers publish them: ChirpStack v4 (event/up) and The Things Stack v3
 * (uplink_message). The bytes of a device whose model is configured are read by our own coding of
 * that model; else the network server's decoder has named the values (`object`, decoded_payload);
 * else the model may be in what the server says of the device (deviceProfileName, version_ids).
 * Bytes that nothing reads are a text, so that the message is not lost for an unknown device.
 * Other events (join, ack, location) carry no readings, save the battery of a ChirpStack status.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"
#include "drivers/formats/lorawan.h"

typedef struct uplink {
    const json_t *bytes;  /* base64 */
    const json_t *object; /* decoded by the server */
    const json_t *port;
    const char *said; /* the model by what the server says; NULL: none that is known */
    sy_record like;
} uplink;

static sy_err by_model(sy_records *l, const uplink *u, sy_span model, const char *server,
                       sy_fail *f)
{
    sy_span bytes = {"", 0};
    sy_span text = {json_string_value(u->bytes), json_string_length(u->bytes)};
    sy_lora_fill fill = sy_lora_coding(model);
    if (!fill)
        return sy_fail_set(f, SY_E_UNSUPPORTED, "%s: no coding of ours knows the model '%.*s'",
                           server, model.n < 40 ? (int)model.n : 40, model.p);
    if (text.n > 0 && !sy_records_base64(l, text, &bytes))
        return sy_fail_set(f, SY_E_PARSE, "%s: the payload is not base64", server);
    if (bytes.n > SY_LORA_MAX)
        return sy_fail_set(f, SY_E_RANGE, "%s: %zu bytes are no LoRaWAN payload", server, bytes.n);
    double port = json_is_number(u->port) ? json_number_value(u->port) : -1;
    const sy_lora lora = {
        .model = model, .port = port >= 0 && port <= 255 ? (int)port : -1, .like = u->like};
    /* FPort 0 carries commands of the network only, and a device may send nothing. */
    if (bytes.n == 0 || lora.port == 0) {
        l->none_is_fine = true;
        return SY_OK;
    }
    return fill(l, &lora, bytes, f);
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* The longest model that is a word of a name such as "Milesight EM300-TH (shop)". */
static const char *model_in(const json_t *name)
{
    char text[128];
    const char *names[512], *best = NULL;
    size_t n = json_is_string(name) ? json_string_length(name) : 0;
    if (n == 0 || n >= sizeof text)
        return NULL;
    memcpy(text, json_string_value(name), n);
    text[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] + 'a' - 'A');
    size_t all = sy_format_models(sy_span_of("tts"), names, sizeof names / sizeof *names);
    for (size_t i = 0; i < all && i < sizeof names / sizeof *names; i++) {
        const char *at = strstr(text, names[i]);
        size_t len = strlen(names[i]);
        if (at && !in_word(at[len]) && (at == text || !in_word(at[-1])) &&
            (!best || len > strlen(best)))
            best = names[i];
    }
    return best;
}

static const char *model_said(const json_t *root)
{
    const json_t *info = json_object_get(root, "deviceInfo");
    const json_t *up = json_object_get(root, "uplink_message");
    const char *model = model_in(json_object_get(info, "deviceProfileName"));
    return model ? model
                 : model_in(json_object_get(json_object_get(up, "version_ids"), "model_id"));
}

const char *sy_format_model_said(sy_span payload)
{
    json_t *root;
    if (sy_json_in(payload, &root, NULL) != SY_OK)
        return NULL;
    const char *model = model_said(root);
    json_decref(root);
    return model;
}

static sy_err fill_uplink(sy_records *l, const uplink *u, const sy_device *map, const char *server,
                          sy_fail *f)
{
    sy_span model = sy_span_of(map && map->model ? map->model : "");
    if (model.n > 0 && json_is_string(u->bytes))
        return by_model(l, u, model, server, f);
    if (json_is_object(u->object)) {
        sy_json_flat(l, &u->like, (sy_span){"", 0}, u->object, NULL);
    } else if (json_is_string(u->bytes) && u->said) {
        return by_model(l, u, sy_span_of(u->said), server, f);
    } else if (json_is_string(u->bytes)) {
        sy_record r = u->like;
        r.name = r.local = sy_span_of("data");
        r.kind = SY_REC_TEXT;
        r.text = (sy_span){json_string_value(u->bytes), json_string_length(u->bytes)};
        sy_records_add(l, &r);
    }
    l->none_is_fine = true;
    return SY_OK;
}

static sy_err chirpstack_fill(sy_records *l, const json_t *root, const sy_device *map, sy_fail *f)
{
    uplink u = {.like = {.quality = SY_Q_GOOD}};
    const json_t *battery = json_object_get(root, "batteryLevel");
    sy_json_time(json_object_get(root, "time"), &u.like);
    if (json_is_number(battery)) {
        sy_records_number(l, &u.like, "batteryLevel", json_number_value(battery), "%");
        if (json_is_number(json_object_get(root, "margin")))
            sy_records_number(l, &u.like, "margin",
                              json_number_value(json_object_get(root, "margin")), "dB");
        return SY_OK;
    }
    u.bytes = json_object_get(root, "data");
    u.object = json_object_get(root, "object");
    u.port = json_object_get(root, "fPort");
    u.said = u.object ? NULL : model_said(root);
    return fill_uplink(l, &u, map, "ChirpStack", f);
}

static sy_err tts_fill(sy_records *l, const json_t *root, const sy_device *map, sy_fail *f)
{
    uplink u = {.like = {.quality = SY_Q_GOOD}};
    const json_t *up = json_object_get(root, "uplink_message");
    if (!sy_json_time(json_object_get(up, "received_at"), &u.like))
        sy_json_time(json_object_get(root, "received_at"), &u.like);
    u.bytes = json_object_get(up, "frm_payload");
    u.object = json_object_get(up, "decoded_payload");
    u.port = json_object_get(up, "f_port");
    u.said = u.object ? NULL : model_said(root);
    return fill_uplink(l, &u, map, "The Things Stack", f);
}

typedef sy_err (*server_fill)(sy_records *l, const json_t *root, const sy_device *map, sy_fail *f);

static sy_err decode(server_fill fill, sy_span payload, const sy_device *map, sy_record_fn sink,
                     void *ctx, sy_fail *f)
{
    json_t *root;
    sy_records l;
    sy_err e = sy_json_in(payload, &root, f);
    if (e)
        return e;
    sy_records_init(&l);
    e = fill(&l, root, map, f);
    if (!e)
        e = sy_records_emit(&l, sink, ctx, f);
    sy_records_fini(&l);
    json_decref(root);
    return e;
}

static sy_err chirpstack_decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                                sy_fail *f)
{
    return decode(chirpstack_fill, payload, map, sink, ctx, f);
}

static sy_err tts_decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                         sy_fail *f)
{
    return decode(tts_fill, payload, map, sink, ctx, f);
}

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
