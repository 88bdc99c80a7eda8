/* SPDX-License-Identifier: Apache-2.0 */
/* SenML in JSON (RFC 8428 section 5): names the fields of each record for senml.c. */
#include "drivers/formats/json_in.h"
#include "drivers/formats/senml.h"

static sy_err field(const sy_senml_pack *p, sy_senml_raw *raw, const char *key, json_t *v,
                    sy_fail *f)
{
    sy_senml_field id;
    sy_err e = sy_senml_label(p, sy_span_of(key), &id, f);
    if (e != SY_OK)
        return e == SY_E_NOTFOUND ? SY_OK : e;
    switch (json_typeof(v)) {
    case JSON_STRING:
        return sy_senml_set_text(p, raw, id, (sy_span){json_string_value(v), json_string_length(v)},
                                 f);
    case JSON_REAL:
    case JSON_INTEGER:
        return sy_senml_set_number(p, raw, id, json_number_value(v), f);
    case JSON_TRUE:
    case JSON_FALSE:
        return sy_senml_set_bool(p, raw, id, json_is_true(v), f);
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    return sy_senml_wrong_kind(p, id, f);
}

static sy_err record(sy_senml_pack *p, json_t *object, sy_fail *f)
{
    if (!json_is_object(object))
        return sy_fail_set(f, SY_E_PARSE, "record %zu is not an object", p->read + 1);
    sy_senml_raw raw;
    raw.present = 0;
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        sy_err e = field(p, &raw, json_object_iter_key(it), json_object_iter_value(it), f);
        if (e != SY_OK)
            return e;
    }
    return sy_senml_add(p, &raw, f);
}

sy_err sy_senml_tree(sy_senml_pack *p, sy_span text, json_t **root, sy_fail *f)
{
    sy_err e = sy_json_in(text, root, f);
    if (e != SY_OK)
        return e;
    if (!json_is_array(*root))
        e = sy_fail_set(f, SY_E_PARSE, "SenML is an array of records");
    for (size_t i = 0; e == SY_OK && i < json_array_size(*root); i++)
        e = record(p, json_array_get(*root, i), f);
    return e;
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    (void)map;
    json_t *root = NULL;
    sy_senml_pack p;
    sy_err e = SY_OK;
    sy_senml_init(&p);
    if (!sy_senml_plain(&p, payload)) {
        sy_senml_fini(&p);
        sy_senml_init(&p);
        e = sy_senml_tree(&p, payload, &root, f);
    }
    if (e == SY_OK)
        e = sy_senml_emit(&p, sink, ctx, f);
    sy_senml_fini(&p);
    json_decref(root);
    return e;
}

static int probe(sy_span payload)
{
    if (sy_json_first(payload) != '[')
        return 0;
    return memmem(payload.p, payload.n, "\"n\"", 3) || memmem(payload.p, payload.n, "\"bn\"", 4)
               ? 90
               : 30;
}

const sy_format sy_format_senml_json = {"senml-json", 110, decode, probe, NULL};
