/* SPDX-License-Identifier: Apache-2.0 */
/* Writing an order: what was written is read again, so that nothing is signed that no box takes. */
#include <jansson.h>
#include <stdlib.h>

#include "orders/order.h"

static void put_time(json_t *object, const char *name, sy_ms t, sy_ms none)
{
    char text[25];
    sy_time_text(t == none ? 0 : t, text);
    json_object_set_new(object, name, t == none ? json_null() : json_string(text));
}

static void put(json_t *object, const char *name, const char *text)
{
    if (text)
        json_object_set_new(object, name, json_string(text));
}

static json_t *pairs_of(const sy_order *o)
{
    json_t *all = o->kind == SY_ORDER_PACK ? json_array() : json_object();
    for (size_t i = 0; i < o->n_pairs; i++) {
        if (o->kind != SY_ORDER_PACK) {
            put(all, o->pairs[i].name, o->pairs[i].value);
            continue;
        }
        json_t *file = json_object();
        put(file, "name", o->pairs[i].name);
        put(file, "text", o->pairs[i].value);
        json_array_append_new(all, file);
    }
    return all;
}

static json_t *body_of(const sy_order *o)
{
    json_t *body = json_object();
    put(body, "alert", o->alert);
    put(body, "series", o->series);
    put(body, "calibrated", o->calibrated);
    put(body, "premises", o->premises);
    put(body, "name", o->name);
    if (o->name)
        json_object_set_new(body, "version", json_integer(o->version));
    if (o->has_uncertainty)
        json_object_set_new(body, "uncertainty", json_real(o->uncertainty));
    if (o->kind == SY_ORDER_SHELVE)
        put_time(body, "until", o->until, SY_MS_NONE);
    if (o->kind == SY_ORDER_PACK)
        put_time(body, "effective", o->effective, SY_MS_NONE);
    if (o->n_pairs)
        json_object_set_new(body, o->kind == SY_ORDER_PACK ? "files" : "tiers", pairs_of(o));
    put(body, "text", o->text);
    return body;
}

sy_err sy_order_write(const sy_order *o, sy_buf *out, sy_fail *f)
{
    sy_order again;
    json_t *root = json_object();
    put(root, "id", o->id);
    put(root, "gateway", o->gateway);
    put(root, "kind", sy_order_kind_text(o->kind));
    put_time(root, "issued", o->issued, SY_MS_NONE);
    put_time(root, "expires", o->expires, SY_MS_MAX);
    put(root, "who", o->who);
    put(root, "why", o->why);
    json_object_set_new(root, "body", body_of(o));
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (!text)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for an order");
    sy_err e = sy_order_read(sy_span_of(text), &again, f);
    if (!e) {
        sy_order_free(&again);
        sy_buf_text(out, text);
        e = out->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for an order") : SY_OK;
    }
    free(text);
    return e;
}
