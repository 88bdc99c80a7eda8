/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain JSON. A configured device says by its map which paths are which records; without a map each
 * scalar member of the top object is a record by its key.
 *
 * A path that leads nowhere in this message gives no record (devices send what has changed); a
 * message in which no path leads anywhere is refused, since then the map is not that of the device.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/json_in.h"
#include "drivers/formats/records.h"

static bool index_step(const char **p, sy_json_step *s)
{
    const char *q = *p;
    size_t index = 0;
    int digits = 0;
    for (; *q >= '0' && *q <= '9' && digits < 6; q++, digits++)
        index = index * 10 + (size_t)(*q - '0');
    if (digits == 0 || *q != ']')
        return false;
    *s = (sy_json_step){.is_index = true, .index = index};
    *p = q + 1;
    return true;
}

static bool quoted_step(const char **p, sy_json_step *s)
{
    char quote = **p;
    const char *from = *p + 1, *to = strchr(from, quote);
    if (!to || to[1] != ']')
        return false;
    *s = (sy_json_step){.key = {from, (size_t)(to - from)}};
    *p = to + 2;
    return true;
}

bool sy_json_path_step(const char **p, sy_json_step *s)
{
    if (**p == '[') {
        ++*p;
        return **p == '\'' || **p == '"' ? quoted_step(p, s) : index_step(p, s);
    }
    if (**p != '.')
        return false;
    const char *from = ++*p;
    *p += strcspn(*p, ".[");
    *s = (sy_json_step){.key = {from, (size_t)(*p - from)}};
    return s->key.n > 0;
}

sy_err sy_json_path_check(const char *path, sy_fail *f)
{
    const char *p = path + 1;
    sy_json_step s;
    int steps = 0;
    bool good = *path == '$';
    while (good && *p && steps++ < 32)
        good = sy_json_path_step(&p, &s);
    return good && *p == '\0'
               ? SY_OK
               : sy_fail_set(f, SY_E_PARSE,
                             "'%s' is no path; write it as $.member, $.list[0], $['odd key']",
                             path);
}

static json_t *walk(json_t *root, const char *path)
{
    const char *p = path + 1;
    sy_json_step s;
    while (root && *p && sy_json_path_step(&p, &s)) {
        if (s.is_index)
            root = json_is_array(root) ? json_array_get(root, s.index) : NULL;
        else
            root = json_is_object(root) ? json_object_getn(root, s.key.p, s.key.n) : NULL;
    }
    return root;
}

static sy_err time_of(json_t *v, const char *path, sy_record *r, sy_fail *f)
{
    double number;
    if (sy_json_time(v, r))
        return SY_OK;
    if (!json_is_number(v) && !json_is_string(v))
        return sy_fail_set(f, SY_E_PARSE,
                           "the time at %s is neither a number nor a text; RFC 3339, epoch seconds "
                           "or milliseconds are read",
                           path);
    if (json_is_string(v) &&
        sy_double_parse((sy_span){json_string_value(v), json_string_length(v)}, &number) != SY_OK)
        return sy_fail_set(f, SY_E_PARSE, "the time at %s is not RFC 3339 with an offset", path);
    return sy_fail_set(f, SY_E_RANGE, "the time at %s is outside 1970 to 9999", path);
}

static sy_err mapped_time(json_t *root, const sy_device *map, sy_record *r, sy_fail *f)
{
    for (size_t i = 0; i < map->n_map; i++) {
        if (strcmp(map->map[i].name, "time") != 0)
            continue;
        json_t *v = walk(root, map->map[i].path);
        return v && !json_is_null(v) ? time_of(v, map->map[i].path, r, f) : SY_OK;
    }
    return SY_OK;
}

/* Once to check, once to give: nothing reaches the sink from a message that is refused. */
static sy_err mapped(json_t *root, const sy_device *map, sy_record_fn sink, void *ctx, sy_fail *f)
{
    sy_record r = {.quality = SY_Q_GOOD};
    sy_err e = mapped_time(root, map, &r, f);
    size_t found = 0;
    for (int pass = 0; e == SY_OK && pass < 2; pass++) {
        for (size_t i = 0; e == SY_OK && i < map->n_map; i++) {
            const sy_map_row *row = &map->map[i];
            if (strcmp(row->name, "time") == 0)
                continue;
            json_t *v = walk(root, row->path);
            if (!v)
                continue;
            r.name = r.local = sy_span_of(row->name);
            if (!sy_json_scalar(v, &r))
                e = sy_fail_set(f, SY_E_PARSE, "the value at %s is not a single value", row->path);
            else if (pass == 0)
                found++;
            else
                e = sink(ctx, &r);
        }
        if (e == SY_OK && found == 0)
            e = sy_fail_set(f, SY_E_PARSE, "none of the paths in the map is in the message");
    }
    return e;
}

static sy_err members(json_t *root, sy_record_fn sink, void *ctx, sy_fail *f)
{
    size_t given = 0;
    if (!json_is_object(root))
        return sy_fail_set(f, SY_E_PARSE, "not a JSON object");
    for (void *it = json_object_iter(root); it; it = json_object_iter_next(root, it)) {
        sy_record r = {.quality = SY_Q_GOOD};
        r.name = r.local = sy_span_of(json_object_iter_key(it));
        if (!sy_json_scalar(json_object_iter_value(it), &r))
            continue;
        sy_err e = sink(ctx, &r);
        if (e != SY_OK)
            return e;
        given++;
    }
    return given > 0 ? SY_OK : sy_fail_set(f, SY_E_PARSE, "no single value in the object");
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    json_t *root;
    sy_err e = sy_json_in(payload, &root, f);
    if (e != SY_OK)
        return e;
    e = map && map->n_map > 0 ? mapped(root, map, sink, ctx, f) : members(root, sink, ctx, f);
    json_decref(root);
    return e;
}

static int probe(sy_span payload)
{
    return sy_json_first(payload) == '{' ? 50 : 0;
}

const sy_format sy_format_json = {"json", 50, decode, probe, NULL};
