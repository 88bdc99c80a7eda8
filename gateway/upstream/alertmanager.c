/* SPDX-License-Identifier: Apache-2.0 */
/* One CloudEvent as an object "postableAlert". */
#include "upstream/alertmanager.h"

#include <jansson.h>
#include <stdio.h>

enum { SINGLE_MS = 3600 * 1000 };

static json_t *parse(sy_span event, sy_fail *f)
{
    json_t *root = json_loadb(event.p, event.n, 0, NULL);
    if (json_is_object(root) && json_is_string(json_object_get(root, "type")))
        return root;
    json_decref(root);
    sy_fail_set(f, SY_E_PARSE, "an event in the outbox is no CloudEvents object");
    return NULL;
}

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const json_t *data_of(const json_t *root)
{
    return json_object_get(root, "data");
}

static const json_t *alert_of(const json_t *root)
{
    return json_object_get(data_of(root), "alert");
}

/* A shelved alert does not, unless it has just become more severe. */
static bool fires(const json_t *root)
{
    const char *state = text(alert_of(root), "state"), *change = text(data_of(root), "change");
    bool shelved = json_is_true(json_object_get(data_of(root), "shelved"));
    return state && strcmp(state, "active") == 0 &&
           (!shelved || (change && strcmp(change, "escalated") == 0));
}

sy_err sy_am_read(sy_span event, sy_am_event *out, sy_fail *f)
{
    json_t *root = parse(event, f);
    if (!root)
        return SY_E_PARSE;
    const json_t *alert = alert_of(root);
    const char *id = text(alert, "id"), *severity = text(alert, "severity");
    snprintf(out->alert, sizeof out->alert, "%s", id ? id : "");
    snprintf(out->severity, sizeof out->severity, "%s", severity ? severity : "");
    out->firing = fires(root);
    json_decref(root);
    return SY_OK;
}

/* A member of labels or annotations; Alertmanager has no use for empty ones. */
static void put(sy_buf *b, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    if (b->n && b->p[b->n - 1] != '{')
        sy_buf_char(b, ',');
    sy_buf_json(b, sy_span_of(name));
    sy_buf_char(b, ':');
    sy_buf_json(b, sy_span_of(value));
}

static void put_both(sy_buf *b, const char *en, const char *zh, const json_t *both)
{
    put(b, en, text(both, "en"));
    put(b, zh, text(both, "zh"));
}

static void put_number(sy_buf *b, const char *name, const json_t *value)
{
    char digits[32];
    if (json_is_integer(value)) {
        snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(value));
        put(b, name, digits);
    } else if (json_is_real(value)) {
        sy_buf n;
        sy_buf_init(&n, b->alloc);
        sy_buf_double(&n, json_real_value(value));
        sy_buf_char(&n, 0);
        put(b, name, n.failed ? NULL : n.p);
        sy_buf_fini(&n);
    }
}

static const char *gateway_of(const json_t *root)
{
    const char *source = text(root, "source"), *slash = source ? strrchr(source, '/') : NULL;
    return slash ? slash + 1 : source;
}

static void labels(sy_buf *b, const json_t *root)
{
    const json_t *data = data_of(root), *alert = alert_of(root);
    const char *rule = text(alert, "rule"), *severity = text(alert, "severity");
    sy_buf_text(b, "\"labels\":{");
    put(b, "alertname", rule ? rule : text(root, "type"));
    put(b, "severity", severity ? severity : "warning");
    put(b, "gateway", gateway_of(root));
    put(b, "premises", text(json_object_get(data, "premises"), "id"));
    put(b, "place", text(json_object_get(data, "place"), "id"));
    put(b, "device", text(data, "device"));
    put(b, "series", text(data, "series"));
    put(b, "alert", text(alert, "id"));
    sy_buf_char(b, '}');
}

/* The bases of a rule, one a line. */
static void put_bases(sy_buf *b, const char *name, const char *lang, const json_t *bases)
{
    sy_buf lines;
    sy_buf_init(&lines, b->alloc);
    for (size_t i = 0; i < json_array_size(bases); i++) {
        const json_t *basis = json_array_get(bases, i);
        const char *words = text(json_object_get(basis, "text"), lang);
        const char *clause = text(json_object_get(basis, "clause"), lang);
        if (words) {
            sy_buf_text(&lines, lines.n ? "\n" : "");
            sy_buf_printf(&lines, "%s%s%s", words, clause ? ", " : "", clause ? clause : "");
        }
    }
    sy_buf_char(&lines, 0);
    put(b, name, lines.failed ? NULL : lines.p);
    b->failed = b->failed || lines.failed;
    sy_buf_fini(&lines);
}

static void annotations(sy_buf *b, const json_t *root)
{
    const json_t *data = data_of(root), *alert = alert_of(root);
    const json_t *rule = json_object_get(data, "rule");
    sy_buf_text(b, "\"annotations\":{");
    put_both(b, "summary", "summary_zh", json_object_get(rule, "title"));
    put_both(b, "description", "description_zh", json_object_get(rule, "say"));
    put_both(b, "limit", "limit_zh", json_object_get(rule, "limit"));
    put_bases(b, "basis", "en", json_object_get(rule, "basis"));
    put_bases(b, "basis_zh", "zh", json_object_get(rule, "basis"));
    put(b, "premises_name", text(json_object_get(data, "premises"), "name"));
    put(b, "premises_code", text(json_object_get(data, "premises"), "code"));
    put(b, "place_name", text(json_object_get(data, "place"), "name"));
    put(b, "quantity", text(data, "quantity"));
    put(b, "unit", text(data, "unit"));
    put(b, "onset", text(alert, "onset"));
    put_number(b, "min", json_object_get(alert, "min"));
    put_number(b, "max", json_object_get(alert, "max"));
    put_number(b, "readings", json_object_get(alert, "count"));
    put_number(b, "rule_version", json_object_get(rule, "version"));
    put(b, "change", text(data, "change"));
    put(b, "reason", text(data, "reason"));
    put(b, "replaces", text(data, "replaces"));
    put(b, "event", text(root, "id"));
    if (!alert) {
        char *whole = json_dumps(data, JSON_COMPACT);
        put(b, "summary", text(root, "type"));
        put(b, "description", whole);
        free(whole);
    }
    sy_buf_char(b, '}');
}

/* When it began and ended. Texts of events are RFC 3339 in UTC with milliseconds, as it wants. */
static void times(sy_buf *b, const json_t *root, const sy_am_say *say)
{
    const json_t *alert = alert_of(root);
    const char *at = text(root, "time");
    const char *begin = text(alert, "raised"), *end = text(alert, "cleared");
    char ahead[25];
    begin = begin ? begin : at;
    end = end ? end : at;
    if (fires(root) || !alert || say->is_over) {
        sy_ms until = say->is_over ? 0 : alert ? say->keep : SINGLE_MS;
        sy_time_text(say->now + until, ahead);
        end = ahead;
    }
    /* Of equal width, so that the texts order as the times do: an end before the begin is refused.
     */
    if (begin && end && strcmp(end, begin) < 0)
        end = begin;
    sy_buf_char(b, ',');
    sy_buf_text(b, "\"startsAt\":");
    sy_buf_json(b, sy_span_of(begin ? begin : ahead));
    sy_buf_text(b, ",\"endsAt\":");
    sy_buf_json(b, sy_span_of(end ? end : ahead));
}

sy_err sy_am_write(sy_buf *out, sy_span event, const sy_am_say *say, sy_fail *f)
{
    json_t *root = parse(event, f);
    if (!root)
        return SY_E_PARSE;
    if (out->n && out->p[out->n - 1] == '}')
        sy_buf_char(out, ',');
    sy_buf_char(out, '{');
    labels(out, root);
    sy_buf_char(out, ',');
    annotations(out, root);
    times(out, root, say);
    sy_buf_char(out, '}');
    json_decref(root);
    return out->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for alerts to send") : SY_OK;
}
