/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard devices adopt: an unknown device becomes one of the configuration. The file is edited
 * as text, with nothing else touched; the result is loaded beside it, must hold all that was there
 * and the new device, and only then replaces it, whole.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/config_file.h"
#include "cli/devices_int.h"
#include "cli/yaml_add.h"

typedef struct adoption {
    const sy_devices_args *a;
    const sy_config *c;
    sy_guess g;
    char path[PATH_MAX]; /* of the file itself, no link */
    sy_buf text, next;
    sy_yaml_edit edits[2];
    size_t n_edits;
    size_t n_points;  /* proposed */
    sy_config *fresh; /* of the new text */
} adoption;

/* The source of the table; two of one name need --transport. */
static sy_err find_source(adoption *x, const json_t *sources, sy_fail *f)
{
    const json_t *found = NULL;
    for (size_t i = 0; i < json_array_size(sources); i++) {
        const json_t *s = json_array_get(sources, i);
        const char *name = json_string_value(json_object_get(s, "source")),
                   *by = json_string_value(json_object_get(s, "transport"));
        if (!name || !by || strcmp(name, x->a->what) != 0 ||
            (x->a->transport && strcmp(by, x->a->transport) != 0))
            continue;
        if (found)
            return sy_fail_set(f, SY_E_USAGE, "%.100s is there by two transports: add --transport",
                               x->a->what);
        found = s;
    }
    if (!found)
        return sy_fail_set(f, SY_E_NOTFOUND,
                           "nothing is pending of %.100s; see steelyard devices pending",
                           x->a->what);
    sy_guess_make(&x->g, x->c, found, sources);
    if (!x->g.format)
        return sy_fail_set(f, SY_E_UNSUPPORTED, "%.100s: %s", x->a->what, x->g.why);
    return SY_OK;
}

static const sy_ynode *item_of(const sy_ynode *list, const char *id, size_t n)
{
    for (size_t i = 0; list && list->kind == SY_Y_LIST && i < list->n; i++) {
        const sy_ynode *v = sy_yaml_get(list->values[i], "id");
        if (v && v->kind == SY_Y_SCALAR && v->text.n == n && memcmp(v->text.p, id, n) == 0)
            return list->values[i];
    }
    return NULL;
}

/* "premises/place" in the file's tree. */
static const sy_ynode *find_place(const sy_ynode *root, const char *where, sy_fail *f)
{
    const char *slash = strchr(where, '/');
    size_t n = slash ? (size_t)(slash - where) : 0;
    const sy_ynode *premises = item_of(sy_yaml_get(root, "premises"), where, n);
    const sy_ynode *place =
        premises ? item_of(sy_yaml_get(premises, "places"), slash + 1, strlen(slash + 1)) : NULL;
    if (!place)
        (void)sy_fail_set(f, SY_E_USAGE,
                          "there is no place %.100s: write PREMISES/PLACE, as the "
                          "configuration has them",
                          where);
    return place;
}

static void on_error(void *ctx, uint32_t at, uint32_t len, const char *code, const char *en,
                     const char *zh)
{
    (void)ctx, (void)at, (void)len, (void)code, (void)en, (void)zh;
}

static sy_err edit_device(adoption *x, const sy_ynode *root, sy_fail *f)
{
    sy_buf device;
    sy_buf_init(&device, sy_heap());
    sy_propose_device(&x->g, x->c, x->a->id, &device);
    const char *items[] = {device.failed ? "" : device.p};
    sy_err e = device.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory")
                             : sy_yaml_add(sy_buf_span(&x->text), root, "devices", items, 1,
                                           &x->edits[x->n_edits++], f);
    sy_buf_fini(&device);
    return e;
}

static sy_err edit_points(adoption *x, const sy_ynode *place, sy_fail *f)
{
    sy_buf points[SY_GUESS_NAMES];
    const char *items[SY_GUESS_NAMES];
    size_t n = 0;
    sy_err e = SY_OK;
    for (size_t i = 0; i < x->g.n_points; i++) {
        if (!x->g.points[i].quantity)
            continue;
        sy_buf_init(&points[n], sy_heap());
        sy_propose_point(&x->g, &x->g.points[i], x->a->id, &points[n]);
        items[n] = points[n].failed ? "" : points[n].p;
        n++;
    }
    x->n_points = n;
    if (n > 0)
        e = sy_yaml_add(sy_buf_span(&x->text), place, "points", items, n, &x->edits[x->n_edits++],
                        f);
    while (n > 0)
        sy_buf_fini(&points[--n]);
    return e;
}

static sy_err make_edits(adoption *x, sy_fail *f)
{
    sy_arena nodes, texts;
    const sy_ynode *root = NULL, *place = NULL;
    sy_arena_init(&nodes, sy_heap(), 0);
    sy_arena_init(&texts, sy_heap(), 0);
    sy_err e = sy_yaml_parse(sy_buf_span(&x->text), &nodes, &texts, on_error, NULL, &root);
    if (e)
        (void)sy_fail_set(f, e, "%s cannot be read", x->path);
    place = e ? NULL : find_place(root, x->a->place, f);
    e = e ? e : place ? SY_OK : SY_E_USAGE;
    e = e ? e : edit_device(x, root, f);
    e = e ? e : edit_points(x, place, f);
    if (e && e != SY_E_USAGE)
        (void)sy_fail_wrap(f, "%s: the device was not added", x->path);
    if (!e)
        sy_yaml_apply(sy_buf_span(&x->text), x->edits, x->n_edits, &x->next);
    sy_arena_fini(&nodes);
    sy_arena_fini(&texts);
    return e;
}

/* The new text as a configuration: all that was, and the device. */
static sy_err check(adoption *x, const char *beside, sy_fail *f)
{
    sy_err e = sy_config_file_load(beside, x->a->data, &x->fresh, f);
    if (e)
        return e;
    const sy_config *c = x->fresh;
    bool fine = c->n_devices == x->c->n_devices + 1 && sy_devices_find(c, x->a->id) &&
                c->site->n_points == x->c->site->n_points + x->n_points &&
                c->site->n_places == x->c->site->n_places;
    for (size_t i = 0; fine && i < x->c->n_devices; i++)
        fine = sy_devices_find(c, x->c->devices[i].id) != NULL;
    return fine ? SY_OK
                : sy_fail_set(f, SY_E_UNSUPPORTED,
                              "%s is written in a way that cannot be added to; add the proposed "
                              "lines by hand",
                              x->path);
}

/* Written beside it and loaded from there, since its rule files are named relative to it. */
static sy_err put_in_place(adoption *x, sy_fail *f)
{
    char beside[PATH_MAX + 16];
    struct stat st;
    snprintf(beside, sizeof beside, "%s.adopt", x->path);
    if (stat(x->path, &st) != 0)
        return sy_fail_sys(f, "%s", x->path);
    sy_err e = sy_file_write(beside, sy_buf_span(&x->next), st.st_mode & 0777, f);
    if (!e && geteuid() == 0 && chown(beside, st.st_uid, st.st_gid) != 0)
        e = sy_fail_sys(f, "%s", beside);
    e = e ? e : check(x, beside, f);
    if (!e && !x->a->dry_run && rename(beside, x->path) != 0)
        e = sy_fail_sys(f, "cannot replace %s", x->path);
    if (e || x->a->dry_run)
        (void)unlink(beside);
    return e;
}

static void show(const adoption *x)
{
    sy_buf diff;
    sy_buf_init(&diff, sy_heap());
    sy_yaml_diff(x->path, sy_buf_span(&x->text), x->edits, x->n_edits, &diff);
    fputs(diff.failed ? "" : diff.p, stdout);
    for (size_t i = 0; i < x->g.n_points; i++)
        if (!x->g.points[i].quantity)
            printf("Not taken: %s (%s%s%s): write its point by hand, with a quantity of the "
                   "vocabulary.\n",
                   x->g.points[i].name, x->g.points[i].value, x->g.points[i].unit[0] ? " " : "",
                   x->g.points[i].unit);
    sy_buf_fini(&diff);
}

/* The credential by the new file, which makes the running gateway read it. */
static sy_err let_in(const adoption *x, sy_fail *f)
{
    char line[400];
    const sy_config *c = x->fresh;
    const sy_device *d = sy_devices_find(c, x->a->id);
    bool needs =
        d && d->credential != SY_CRED_NONE &&
        !(d->credential == SY_CRED_PASSWORD && c->broker && strcmp(c->broker, "managed") != 0);
    sy_err e = needs ? sy_devices_add(c, x->a->id, f) : sy_devices_tell(c->data, "reload", f);
    snprintf(line, sizeof line, "forget %s\t%s", x->g.transport, x->g.source);
    if (!e)
        e = sy_devices_tell(c->data, line, f);
    if (!e)
        puts(
            "What it sent until now was kept aside to be looked at; it is not stored as readings.");
    return e;
}

static sy_err adopt(adoption *x, sy_fail *f)
{
    json_t *sources = NULL;
    sy_err e = sy_pending_load(x->c->data, &sources, f);
    e = e ? e : find_source(x, sources, f);
    json_decref(sources);
    if (!e && sy_devices_find(x->c, x->a->id))
        e = sy_fail_set(f, SY_E_USAGE, "%s: there is a device %s already", x->c->file, x->a->id);
    if (!e && !realpath(x->a->config, x->path))
        e = sy_fail_sys(f, "%s", x->a->config);
    e = e ? e : sy_file_read(x->path, SY_YAML_MAX, &x->text, f);
    e = e ? e : make_edits(x, f);
    if (e)
        return e;
    show(x);
    e = put_in_place(x, f);
    return e || x->a->dry_run ? e : let_in(x, f);
}

int sy_devices_adopt(const sy_config *c, const sy_devices_args *a)
{
    sy_fail f = {0};
    adoption *x = calloc(1, sizeof *x);
    if (!x) {
        fputs("steelyard devices: no memory\n", stderr);
        return 1;
    }
    x->a = a;
    x->c = c;
    sy_buf_init(&x->text, sy_heap());
    sy_buf_init(&x->next, sy_heap());
    sy_err e = adopt(x, &f);
    if (e)
        fprintf(stderr, "steelyard devices: %s\n", f.text);
    for (size_t i = 0; i < x->n_edits; i++)
        sy_buf_fini(&x->edits[i].text);
    if (x->fresh)
        sy_config_unref(x->fresh);
    sy_buf_fini(&x->text);
    sy_buf_fini(&x->next);
    free(x);
    return e == SY_E_USAGE ? 2 : e ? 1 : 0;
}
