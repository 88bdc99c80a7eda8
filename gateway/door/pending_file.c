/* SPDX-License-Identifier: Apache-2.0 */
/* The file of pending sources, read with nothing taken on trust. */
#include <jansson.h>

#include "door/pending.h"
#include "door/refused.h"

static void take_text(const json_t *o, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(o, key));
    sy_door__plain(sy_span_of(text), out, size);
}

static sy_ms take_ms(const json_t *o, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(o, key));
    return v > 0 && v < SY_MS_MAX / 4 ? (sy_ms)v : 0;
}

static bool take_transport(const json_t *o, sy_transport *out)
{
    const char *text = json_string_value(json_object_get(o, "transport"));
    for (int t = SY_TRANSPORT_MQTT; t <= SY_TRANSPORT_BOX && text; t++) {
        *out = (sy_transport)t;
        if (strcmp(sy_transport_name(*out), text) == 0)
            return true;
    }
    return false;
}

static void read_message(const json_t *o, const sy_door__reader *to)
{
    char bytes[SY_PENDING_MESSAGE];
    const char *hex = json_string_value(json_object_get(o, "payload"));
    const json_t *format = json_object_get(o, "content_format");
    size_t n = hex ? json_string_length(json_object_get(o, "payload")) : 1;
    if (n % 2 || n / 2 > sizeof bytes)
        return;
    for (size_t i = 0; i < n; i += 2) {
        int high = sy_hex_digit(hex[i]), low = sy_hex_digit(hex[i + 1]);
        if (high < 0 || low < 0)
            return;
        bytes[i / 2] = (char)(high << 4 | low);
    }
    json_int_t number = json_is_integer(format) ? json_integer_value(format) : 0xffff;
    to->message(to->ctx, take_ms(o, "at"),
                (uint16_t)(number >= 0 && number < 0xffff ? number : 0xffff),
                (sy_span){bytes, n / 2});
}

/* The newest first, as it was written; so from the end. */
static void read_source(const json_t *o, const sy_door__reader *to)
{
    sy_door__source s = {.first = take_ms(o, "first"), .last = take_ms(o, "last")};
    const json_t *messages = json_object_get(o, "messages");
    take_text(o, "source", s.source, sizeof s.source);
    take_text(o, "client", s.client, sizeof s.client);
    take_text(o, "peer", s.peer, sizeof s.peer);
    json_int_t count = json_integer_value(json_object_get(o, "count"));
    s.count = count > 0 ? (uint64_t)count : 0;
    if (!take_transport(o, &s.transport) || !s.source[0])
        return;
    to->source(to->ctx, &s);
    for (size_t i = 0; i < json_array_size(messages) && i < SY_PENDING_MESSAGES; i++)
        read_message(json_array_get(messages, i), to);
}

sy_err sy_door__read(sy_span text, const sy_door__reader *to, sy_fail *f)
{
    json_error_t why;
    json_t *root = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &why);
    const json_t *list = json_object_get(root, "sources");
    if (!json_is_array(list)) {
        json_decref(root);
        return sy_fail_set(f, SY_E_PARSE, "the file of pending devices is no list of sources");
    }
    size_t n = json_array_size(list);
    for (size_t i = n < SY_PENDING_SOURCES ? n : SY_PENDING_SOURCES; i-- > 0;)
        read_source(json_array_get(list, i), to);
    json_decref(root);
    return SY_OK;
}
