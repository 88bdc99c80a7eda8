/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Home Assistant MQTT discovery: one entity (homeassistant/sensor/…/config) or a device with
 * several (components). Keys may be abbreviated; "~" in a topic stands for the base topic. A
 * template is plain where it names one member of the JSON message, with filters that leave it what
 * it is: {{ value_json.temperature }}, {{ value_json['a b'].c | float | round(1) }}.
 *
 * As a format it gives what is announced as texts: name, unique_id, state_topic, unit,
 * device_class, value_template, base, and path, null where it says nothing.
 */
#include "drivers/formats/ha_discovery.h"

#include <stdio.h>

#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"
#include "drivers/formats/records.h"

static const json_t *either(const json_t *o, const char *key, const char *abbreviated)
{
    const json_t *v = json_object_get(o, key);
    return v ? v : json_object_get(o, abbreviated);
}

static sy_span text_of(const json_t *o, const char *key, const char *abbreviated)
{
    const json_t *v = either(o, key, abbreviated);
    return json_is_string(v) ? (sy_span){json_string_value(v), json_string_length(v)}
                             : (sy_span){"", 0};
}

static sy_span skip_blanks(sy_span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\n' || s.p[0] == '\r'))
        s = (sy_span){s.p + 1, s.n - 1};
    return s;
}

static bool takes(sy_span *s, const char *word)
{
    size_t n = strlen(word);
    if (s->n < n || memcmp(s->p, word, n) != 0)
        return false;
    *s = (sy_span){s->p + n, s->n - n};
    return true;
}

static bool in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t name_length(sy_span s)
{
    size_t n = 0;
    while (n < s.n && in_name(s.p[n]))
        n++;
    return n;
}

/* ".a", "['a b']", "[0]" behind value_json, as a path. */
static bool member(sy_span *s, sy_buf *path)
{
    if (takes(s, ".")) {
        size_t n = name_length(*s);
        sy_buf_char(path, '.');
        sy_buf_put(path, s->p, n);
        *s = (sy_span){s->p + n, s->n - n};
        return n > 0;
    }
    if (!takes(s, "["))
        return false;
    const char *end = s->n ? memchr(s->p, ']', s->n) : NULL;
    if (!end)
        return false;
    sy_buf_char(path, '[');
    sy_buf_put(path, s->p, (size_t)(end - s->p) + 1);
    *s = (sy_span){end + 1, s->n - (size_t)(end - s->p) - 1};
    return true;
}

/* "| float", "| round(1)": what does not make another value of it. */
static bool harmless(sy_span *s)
{
    static const char *const filters[] = {"float",      "round",   "int",
                                          "is_defined", "default", "string"};
    *s = skip_blanks(*s);
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        sy_span rest = *s;
        if (!takes(&rest, filters[i]) || name_length(rest))
            continue;
        if (takes(&rest, "(")) {
            const char *end = rest.n ? memchr(rest.p, ')', rest.n) : NULL;
            if (!end)
                return false;
            rest = (sy_span){end + 1, rest.n - (size_t)(end - rest.p) - 1};
        }
        *s = skip_blanks(rest);
        return true;
    }
    return false;
}

/* The path of a plain template, in path; empty where it is none. */
static void path_of(sy_span s, sy_buf *path)
{
    sy_buf_reset(path);
    s = skip_blanks(s);
    if (s.n == 0) {
        sy_buf_char(path, '$');
        return;
    }
    bool plain = takes(&s, "{{");
    takes(&s, "-");
    s = skip_blanks(s);
    plain = plain && takes(&s, "value");
    if (plain)
        sy_buf_char(path, '$');
    if (plain && takes(&s, "_json"))
        do {
            plain = member(&s, path);
        } while (plain && s.n && (s.p[0] == '.' || s.p[0] == '['));
    s = skip_blanks(s);
    while (plain && takes(&s, "|"))
        plain = harmless(&s);
    takes(&s, "-");
    plain = plain && takes(&s, "}}") && skip_blanks(s).n == 0 && !path->failed;
    sy_buf_char(path, '\0');
    if (!plain || sy_json_path_check(path->p, NULL) != SY_OK)
        sy_buf_reset(path);
    else
        path->n--;
}

/* The topic with "~" at its begin or end replaced. */
static sy_span topic_of(sy_arena *a, sy_span topic, sy_span base)
{
    bool before = topic.n && topic.p[0] == '~', after = topic.n && topic.p[topic.n - 1] == '~';
    char *copy = base.n && (before || after) ? sy_arena_get(a, topic.n + base.n) : NULL;
    if (!copy)
        return topic;
    if (before)
        memcpy(copy, base.p, base.n);
    memcpy(copy + (before ? base.n : 0), topic.p + before, topic.n - 1);
    if (!before)
        memcpy(copy + topic.n - 1, base.p, base.n);
    return (sy_span){copy, topic.n - 1 + base.n};
}

/* A value as JSON text. */
static sy_span spelled(sy_arena *a, const json_t *v)
{
    if (json_is_boolean(v))
        return sy_span_of(json_is_true(v) ? "true" : "false");
    if (!json_is_string(v) && !json_is_number(v))
        return (sy_span){"", 0};
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    if (json_is_number(v))
        sy_buf_double(&b, json_number_value(v));
    else
        sy_buf_json(&b, (sy_span){json_string_value(v), json_string_length(v)});
    char *copy = b.failed ? NULL : sy_arena_text(a, sy_buf_span(&b));
    sy_buf_fini(&b);
    return sy_span_of(copy ? copy : "");
}

typedef struct reading {
    sy_arena arena;
    sy_buf path;
    const json_t *root;
    sy_ha_fn fn;
    void *ctx;
} reading;

static sy_err entity(reading *r, const json_t *o, sy_span component)
{
    const json_t *device = either(r->root, "device", "dev");
    const json_t *ids = either(device, "identifiers", "ids");
    sy_span own = text_of(o, "~", "base"), base = own.n ? own : text_of(r->root, "~", "base");
    sy_span topic = text_of(o, "state_topic", "stat_t");
    sy_ha_entity e = {.component = component, .base = base};
    e.name = text_of(o, "name", "name");
    e.unique_id = text_of(o, "unique_id", "uniq_id");
    e.state_topic =
        topic_of(&r->arena, topic.n ? topic : text_of(r->root, "state_topic", "stat_t"), base);
    e.unit = text_of(o, "unit_of_measurement", "unit_of_meas");
    e.device_class = text_of(o, "device_class", "dev_cla");
    e.value_template = text_of(o, "value_template", "val_tpl");
    e.device_name = text_of(device, "name", "name");
    e.device_model = text_of(device, "model", "mdl");
    const json_t *id = json_is_array(ids) ? json_array_get(ids, 0) : ids;
    if (json_is_string(id))
        e.device_id = (sy_span){json_string_value(id), json_string_length(id)};
    e.payload_on = spelled(&r->arena, either(o, "payload_on", "pl_on"));
    e.payload_off = spelled(&r->arena, either(o, "payload_off", "pl_off"));
    path_of(e.value_template, &r->path);
    e.path = sy_buf_span(&r->path);
    return r->fn(r->ctx, &e);
}

static bool announces(const json_t *o)
{
    static const char *const keys[] = {"state_topic", "stat_t",  "command_topic",  "cmd_t",
                                       "unique_id",   "uniq_id", "value_template", "val_tpl",
                                       "topic",       "t"};
    bool found = false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        found = found || json_is_string(json_object_get(o, keys[i]));
    return found;
}

static sy_err entities(reading *r, sy_fail *f)
{
    json_t *several = json_object_get(r->root, "components"), *o;
    const char *key;
    sy_err e = SY_OK;
    if (!several)
        several = json_object_get(r->root, "cmps");
    if (!json_is_object(several) && !announces(r->root))
        return sy_fail_set(f, SY_E_PARSE,
                           "no announcement: neither a state_topic, a unique_id nor components");
    if (!json_is_object(several))
        return entity(r, r->root, (sy_span){"", 0});
    json_object_foreach(several, key, o)
    {
        e = e ? e : entity(r, o, sy_span_of(key));
    }
    return e;
}

sy_err sy_ha_read(sy_span payload, sy_ha_fn fn, void *ctx, sy_fail *f)
{
    json_t *root;
    sy_err e = sy_json_in(payload, &root, f);
    if (e)
        return e;
    reading r = {.root = root, .fn = fn, .ctx = ctx};
    sy_arena_init(&r.arena, sy_heap(), 0);
    sy_buf_init(&r.path, sy_heap());
    e = json_is_object(root) ? entities(&r, f) : sy_fail_set(f, SY_E_PARSE, "not a JSON object");
    sy_buf_fini(&r.path);
    sy_arena_fini(&r.arena);
    json_decref(root);
    return e;
}

static sy_err told(void *ctx, const sy_ha_entity *e)
{
    sy_records *l = ctx;
    const struct {
        const char *name;
        sy_span text;
    } rows[] = {{"name", e->name},
                {"unique_id", e->unique_id},
                {"state_topic", e->state_topic},
                {"unit", e->unit},
                {"device_class", e->device_class},
                {"value_template", e->value_template},
                {"base", e->base},
                {"path", e->path}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sy_record r = {.kind = rows[i].text.n ? SY_REC_TEXT : SY_REC_NULL};
        r.text = sy_records_text(l, rows[i].text);
        r.local = sy_span_of(rows[i].name);
        r.name = sy_records_join(l, sy_records_text(l, e->component), r.local);
        sy_records_add(l, &r);
    }
    return SY_OK;
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    (void)map;
    sy_records l;
    sy_records_init(&l);
    sy_err e = sy_ha_read(payload, told, &l, f);
    e = e ? e : sy_records_emit(&l, sink, ctx, f);
    sy_records_fini(&l);
    return e;
}

static int probe_json(const json_t *root)
{
    bool device = either(root, "device", "dev") != NULL;
    return device && (announces(root) || either(root, "components", "cmps")) ? 88 : 0;
}

const sy_format sy_format_ha_discovery = {"ha_discovery", 0xffff, decode, NULL, probe_json};
