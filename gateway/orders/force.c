/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text is JSON with sorted members, so that the same orders give the same bytes and the set's
 * hash does not depend on how they were reached.
 */
#include "orders/force.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/hash.h"

struct sy_force {
    json_t *root; /* {"packs": [], "tiers": [], "calibrations": []} */
};

static const char *const lists[] = {"packs", "tiers", "calibrations"};

sy_err sy_force_open(sy_force **out, sy_span text, sy_fail *f)
{
    json_error_t why;
    sy_force *p = calloc(1, sizeof *p);
    if (!p)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for what is in force");
    p->root = text.n ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why) : json_object();
    bool good = json_is_object(p->root);
    for (size_t i = 0; good && i < 3; i++) {
        const json_t *list = json_object_get(p->root, lists[i]);
        good =
            list ? json_is_array(list) : json_object_set_new(p->root, lists[i], json_array()) == 0;
    }
    if (!good) {
        sy_force_close(p);
        return sy_fail_set(f, SY_E_PARSE, "what is in force by order cannot be read");
    }
    *out = p;
    return SY_OK;
}

void sy_force_close(sy_force *p)
{
    if (!p)
        return;
    json_decref(p->root);
    free(p);
}

sy_err sy_force_text(const sy_force *p, sy_buf *out, sy_fail *f)
{
    char *text = json_dumps(p->root, JSON_INDENT(1) | JSON_SORT_KEYS);
    if (text) {
        sy_buf_text(out, text);
        sy_buf_char(out, '\n');
    }
    free(text);
    return text && !out->failed ? SY_OK
                                : sy_fail_set(f, SY_E_NOMEM, "no memory for what is in force");
}

/* The item of a list whose member `key` is this; *at its place, the end where there is none. */
static json_t *find(json_t *list, const char *key, const char *value, size_t *at)
{
    for (*at = 0; *at < json_array_size(list); ++*at) {
        json_t *item = json_array_get(list, *at);
        const char *have = json_string_value(json_object_get(item, key));
        if (have && strcmp(have, value) == 0)
            return item;
    }
    return NULL;
}

bool sy_force_at(const sy_force *p, size_t i, sy_force_pack *out)
{
    const json_t *item = json_array_get(json_object_get(p->root, "packs"), i);
    const char *kind = json_string_value(json_object_get(item, "kind"));
    *out = (sy_force_pack){
        .name = json_string_value(json_object_get(item, "name")),
        .from = json_string_value(json_object_get(item, "from")),
        .tuning = kind && strcmp(kind, "tune") == 0,
        .version = json_integer_value(json_object_get(item, "version")),
        .highest = json_integer_value(json_object_get(item, "highest")),
        .number = json_integer_value(json_object_get(item, "number")),
    };
    return out->name && out->from;
}

void sy_force_rest(const sy_force *p, sy_buf *json)
{
    for (size_t i = 1; i < 3; i++) {
        char *text = json_dumps(json_object_get(p->root, lists[i]), JSON_COMPACT | JSON_SORT_KEYS);
        sy_buf_printf(json, ",\"%s\":", lists[i]);
        sy_buf_text(json, text ? text : "null");
        free(text);
    }
}

bool sy_force_find(const sy_force *p, const char *name, sy_force_pack *out)
{
    size_t at;
    return find(json_object_get(p->root, "packs"), "name", name, &at) && sy_force_at(p, at, out);
}

static void put_hash(json_t *file, const char *text)
{
    unsigned char sum[32];
    char hex[65];
    sy_sha256 h;
    sy_sha256_init(&h);
    sy_sha256_add(&h, text, strlen(text));
    sy_sha256_end(&h, sum);
    sy_hex(sum, 32, hex);
    json_object_set_new(file, "sha256", json_string(hex));
}

static int by_member(const void *a, const void *b, void *key)
{
    json_t *const *x = a, *const *y = b;
    return strcmp(json_string_value(json_object_get(*x, key)),
                  json_string_value(json_object_get(*y, key)));
}

/* Put in the place of the one of this name, the list in the order of names. Takes the item. */
static sy_err put(json_t *list, const char *key, json_t *item, sy_fail *f)
{
    size_t at, n;
    const char *value = json_string_value(json_object_get(item, key));
    sy_err e = value ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for what is in force");
    if (!e && find(list, key, value, &at))
        json_array_remove(list, at);
    if (!e)
        json_array_append(list, item);
    json_decref(item);
    n = json_array_size(list);
    json_t **v = e ? NULL : malloc((n + 1) * sizeof(json_t *));
    if (!v)
        return e ? e : sy_fail_set(f, SY_E_NOMEM, "no memory for what is in force");
    for (size_t i = 0; i < n; i++)
        v[i] = json_incref(json_array_get(list, i));
    qsort_r(v, n, sizeof(json_t *), by_member, (void *)(uintptr_t)key);
    json_array_clear(list);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, v[i]);
    free(v);
    return SY_OK;
}

sy_err sy_force_put(sy_force *p, const sy_force_pack *pack, const sy_order_pair *files, size_t n,
                    sy_fail *f)
{
    sy_force_pack had;
    json_t *list = json_array(), *item = json_object();
    int64_t highest = pack->version;
    if (sy_force_find(p, pack->name, &had) && had.highest > highest)
        highest = had.highest;
    for (size_t i = 0; i < n; i++) {
        json_t *file = json_object();
        json_object_set_new(file, "name", json_string(files[i].name));
        put_hash(file, files[i].value);
        json_array_append_new(list, file);
    }
    json_object_set_new(item, "name", json_string(pack->name));
    json_object_set_new(item, "kind", json_string(pack->tuning ? "tune" : "pack"));
    json_object_set_new(item, "from", json_string(pack->from));
    json_object_set_new(item, "version", json_integer(pack->version));
    json_object_set_new(item, "highest", json_integer(highest));
    json_object_set_new(item, "number", json_integer(pack->number));
    json_object_set_new(item, "files", list);
    return put(json_object_get(p->root, "packs"), "name", item, f);
}

sy_err sy_force_note(sy_force *p, const char *name, const char *from, bool tuning, int64_t highest,
                     sy_fail *f)
{
    size_t at;
    sy_force_pack none = {.name = name, .from = from, .tuning = tuning};
    json_t *list = json_object_get(p->root, "packs");
    sy_err e = find(list, "name", name, &at) ? SY_OK : sy_force_put(p, &none, NULL, 0, f);
    json_t *item = e ? NULL : find(list, "name", name, &at);
    if (item && json_integer_value(json_object_get(item, "highest")) < highest)
        json_object_set_new(item, "highest", json_integer(highest));
    return e;
}

sy_err sy_force_tiers(sy_force *p, const sy_order *o, sy_fail *f)
{
    size_t at;
    json_t *list = json_object_get(p->root, "tiers");
    const json_t *had = find(list, "premises", o->premises, &at);
    json_t *item = had ? json_deep_copy(had) : json_object();
    if (!had) {
        json_object_set_new(item, "premises", json_string(o->premises));
        json_object_set_new(item, "tiers", json_object());
    }
    for (size_t i = 0; i < o->n_pairs; i++)
        json_object_set_new(json_object_get(item, "tiers"), o->pairs[i].name,
                            json_string(o->pairs[i].value));
    return put(list, "premises", item, f);
}

sy_err sy_force_calibration(sy_force *p, const sy_order *o, sy_fail *f)
{
    json_t *item = json_object();
    json_object_set_new(item, "series", json_string(o->series));
    json_object_set_new(item, "calibrated", json_string(o->calibrated));
    if (o->has_uncertainty)
        json_object_set_new(item, "uncertainty", json_real(o->uncertainty));
    return put(json_object_get(p->root, "calibrations"), "series", item, f);
}
