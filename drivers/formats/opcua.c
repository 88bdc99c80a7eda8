/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OPC UA PubSub in JSON (Part 14, section 7.2.5), as publishers send it: a network message with
 * Messages (one or a list), a list of network messages, a data set message alone, or a data set of
 * values; and the older samples {NodeId, DisplayName, Value {…}}, one or a list. Delta frames have
 * what changed, keep-alives and metadata nothing.
 *
 * A field is a DataValue {Value, SourceTimestamp, StatusCode}, a variant {Type, Body} or {UaType,
 * Value}, or the bare value; what is structured is named by its path. The two top bits of a status
 * code are its severity (Part 4, section 7.39); it is a number, {Code, Symbol} or the symbol.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

/* 0 good, 1 uncertain, 2 and 3 bad. */
static uint32_t severity(const json_t *status)
{
    sy_span symbol = sy_json_text(status, "Symbol");
    if (json_is_object(status)) {
        const json_t *code = json_object_get(status, "Code");
        status = code ? code : json_object_get(status, "StatusCode");
    } else if (json_is_string(status)) {
        symbol = (sy_span){json_string_value(status), json_string_length(status)};
    }
    double code = json_is_number(status) ? json_number_value(status) : 0;
    if (code >= 0 && code <= 4294967295.0 && code > 0)
        return (uint32_t)code >> 30;
    return symbol.n >= 3 && memcmp(symbol.p, "Bad", 3) == 0         ? 2
           : symbol.n >= 9 && memcmp(symbol.p, "Uncertain", 9) == 0 ? 1
                                                                    : 0;
}

/* A variant's own value: {Type, Body}, {UaType, Value}, an extension object inside it. */
static const json_t *unwrapped(const json_t *v)
{
    for (int depth = 0; json_is_object(v) && depth < 4; depth++) {
        const json_t *body = json_object_get(v, "Body");
        if (!body && json_object_get(v, "UaType"))
            body = json_object_get(v, "Value");
        if (!body)
            break;
        v = body;
    }
    return v;
}

static bool is_data_value(const json_t *v)
{
    return json_object_get(v, "Value") || json_object_get(v, "StatusCode") ||
           json_object_get(v, "SourceTimestamp");
}

static void field(sy_records *l, const sy_record *like, sy_span name, const json_t *v)
{
    sy_record r = *like;
    v = unwrapped(v);
    if (!is_data_value(v)) {
        sy_json_flat(l, like, name, v, NULL);
        return;
    }
    const json_t *status = json_object_get(v, "StatusCode");
    const json_t *value = json_object_get(v, "Value");
    if (!status)
        status = json_object_get(v, "Status");
    if (!sy_json_time(json_object_get(v, "SourceTimestamp"), &r))
        sy_json_time(json_object_get(v, "ServerTimestamp"), &r);
    uint32_t how = severity(status);
    if (how >= 2 || !value) {
        sy_records_fault(l, &r, name);
        return;
    }
    if (how == 1)
        r.quality = sy_quality_worsen(r.quality, SY_Q_UNCERTAIN, 0);
    sy_json_flat(l, &r, name, unwrapped(value), NULL);
}

static void fields(sy_records *l, const sy_record *like, const json_t *payload)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)payload, key, v)
    {
        field(l, like, sy_span_of(key), v);
    }
}

/* The name of a sample's node: what is shown of it, else the identifier in its id. */
static sy_span node_name(const json_t *sample)
{
    sy_span name = sy_json_text(sample, "DisplayName"), id = sy_json_text(sample, "NodeId");
    const char *at = id.n ? memrchr(id.p, ';', id.n) : NULL;
    if (name.n)
        return name;
    if (at && id.p + id.n - at > 3 && at[2] == '=')
        return (sy_span){at + 3, (size_t)(id.p + id.n - at) - 3};
    return id;
}

static bool data_set_message(sy_records *l, const json_t *m)
{
    sy_record like = {.quality = SY_Q_GOOD};
    const json_t *payload = json_object_get(m, "Payload");
    sy_json_time(json_object_get(m, "Timestamp"), &like);
    if (json_is_object(payload))
        fields(l, &like, payload);
    else if (json_object_get(m, "NodeId") && json_object_get(m, "Value"))
        field(l, &like, node_name(m), json_object_get(m, "Value"));
    else
        return json_object_get(m, "MessageType") != NULL; /* a keep-alive */
    return true;
}

static bool network_message(sy_records *l, const json_t *m)
{
    const json_t *messages = json_object_get(m, "Messages");
    size_t i;
    json_t *item;
    if (!messages)
        return data_set_message(l, m);
    if (json_is_object(messages))
        return data_set_message(l, messages);
    bool all = json_is_array(messages);
    json_array_foreach(messages, i, item)
    {
        all = data_set_message(l, item) && all;
    }
    return all;
}

/* A data set without any header: every member is a field, and at least one a DataValue. */
static bool data_set(sy_records *l, const json_t *set)
{
    const json_t *first = json_object_iter_value(json_object_iter((json_t *)set));
    const sy_record like = {.quality = SY_Q_GOOD};
    if (!is_data_value(first))
        return false;
    fields(l, &like, set);
    return true;
}

static sy_err fill(sy_records *l, const json_t *root, sy_fail *f)
{
    const json_t *body = json_object_get(root, "body");
    size_t i;
    json_t *item;
    bool good = true;
    root = body ? body : root; /* as an IoT hub hands it on */
    if (json_is_array(root)) {
        json_array_foreach(root, i, item)
        {
            good = good && (network_message(l, item) || data_set(l, item));
        }
    } else {
        good = network_message(l, root) || data_set(l, root);
    }
    l->none_is_fine = good;
    return good ? SY_OK
                : sy_fail_set(f, SY_E_PARSE, "OPC UA: no Messages, no Payload and no samples");
}

SY_JSON_DECODER(decode, fill)

static int probe(const json_t *root)
{
    const json_t *m = json_is_array(root) ? json_array_get(root, 0) : root;
    if ((json_object_get(m, "MessageType") &&
         (json_object_get(m, "Messages") || json_object_get(m, "Payload"))) ||
        (json_object_get(m, "Payload") && json_object_get(m, "DataSetWriterId")))
        return 90;
    return json_object_get(m, "NodeId") && json_object_get(json_object_get(m, "Value"), "Value")
               ? 90
               : 0;
}

const sy_format sy_format_opcua = {"opcua", 0xffff, decode, NULL, probe};
