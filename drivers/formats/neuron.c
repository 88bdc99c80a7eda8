/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What EMQX Neuron uploads: {timestamp, node, group} with values {} and errors {}, or tags [{name,
 * value | error}] (tags and ECP format), or a custom format, whose members have names of their own
 * and may be nested: a list of {name, value} or {name, error}, an object whose name ends in
 * "values" or, of faults, has "error" in it. States of its nodes
 * and answers to requests may have no reading. An error is a tag that could not be read: bad,
 * without a value.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/records.h"

enum { DEPTH = 8 };

static bool contains(const char *key, const char *word)
{
    return strstr(key, word) != NULL;
}

static bool is_values(const char *key)
{
    size_t n = strlen(key);
    return n >= 6 && strcmp(key + n - 6, "values") == 0;
}

static void tag(sy_records *l, const sy_record *like, const json_t *item)
{
    sy_span name = sy_json_text(item, "name");
    const json_t *value = json_object_get(item, "value");
    if (name.n && value)
        sy_json_flat(l, like, name, value, NULL);
    else if (name.n)
        sy_records_fault(l, like, name);
}

static void of_object(sy_records *l, const sy_record *like, const json_t *object, bool faults)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)object, key, v)
    {
        if (faults)
            sy_records_fault(l, like, sy_span_of(key));
        else
            sy_json_flat(l, like, sy_span_of(key), v, NULL);
    }
}

/* The nesting is bounded by DEPTH. */
// NOLINTNEXTLINE(misc-no-recursion)
static void walk(sy_records *l, const sy_record *like, const json_t *object, int depth)
{
    const char *key;
    json_t *v, *item;
    size_t i;
    json_object_foreach((json_t *)object, key, v)
    {
        if (json_is_array(v)) {
            json_array_foreach(v, i, item)
            {
                tag(l, like, item);
            }
        } else if (json_is_object(v) && contains(key, "error")) {
            of_object(l, like, v, true);
        } else if (json_is_object(v) && is_values(key)) {
            of_object(l, like, v, false);
        } else if (json_is_object(v) && depth < DEPTH) {
            walk(l, like, v, depth + 1);
        }
    }
}

static bool speaks(const json_t *root)
{
    return json_object_get(root, "values") || json_object_get(root, "tags") ||
           json_object_get(root, "timestamp") || json_object_get(root, "uuid");
}

static sy_err fill(sy_records *l, const json_t *root, sy_fail *f)
{
    sy_record like = {.quality = SY_Q_GOOD};
    if (!speaks(root))
        return sy_fail_set(f, SY_E_PARSE, "Neuron: neither values nor tags");
    sy_json_time(json_object_get(root, "timestamp"), &like);
    walk(l, &like, root, 0);
    l->none_is_fine = json_object_get(root, "states") || json_object_get(root, "uuid");
    return SY_OK;
}

SY_JSON_DECODER(decode, fill)

static int probe(const json_t *root)
{
    return json_object_get(root, "timestamp") && json_object_get(root, "node") &&
                   json_object_get(root, "group")
               ? 90
               : 0;
}

const sy_format sy_format_neuron = {"neuron", 0xffff, decode, NULL, probe};
