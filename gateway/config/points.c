/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points: sorted by series (the index of a point is its rank), each tied to its device as a
 * channel.
 */
#include <stdio.h>
#include <stdlib.h>

#include "config/config_int.h"
#include "drivers/modbus/map.h"

static const char *series_of(sy_loader *l, const sy_site_point *p)
{
    char text[520];
    if (p->series)
        return p->series;
    if (!p->device || !p->name)
        return NULL;
    int n = snprintf(text, sizeof text, "%s/%s", p->device, p->name);
    return n > 0 && (size_t)n < sizeof text ? sy_cfg_copy(l, (sy_span){text, (size_t)n}) : NULL;
}

static int by_series(const void *a, const void *b)
{
    const sy_raw_point *x = a, *y = b;
    int c = strcmp(x->p.series, y->p.series);
    return c ? c : (x->node->at > y->node->at) - (x->node->at < y->node->at);
}

static void unknown_device(sy_loader *l, const sy_raw_point *r)
{
    size_t n = l->c->n_devices;
    const char **ids = malloc((n ? n : 1) * sizeof *ids);
    for (size_t i = 0; ids && i < n; i++)
        ids[i] = l->by_id[i]->id;
    const sy_ynode *at = sy_yaml_get(r->node, "device");
    sy_cfg_error(l, at, "unknown-device", ids ? sy_nearest(sy_span_of(r->p.device), ids, n) : NULL,
                 "no device '%s' in the section 'devices'", "“devices”一节中没有设备“%s”",
                 r->p.device);
    free(ids);
}

static void check_mapped(sy_loader *l, const sy_device *d, const sy_raw_point *r)
{
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < d->n_map; i++) {
        if (strcmp(d->map[i].name, r->p.name) == 0)
            return;
        if (n < 64)
            names[n++] = d->map[i].name;
    }
    if (d->n_map)
        sy_cfg_error(l, sy_yaml_get(r->node, "name"), "unmapped",
                     sy_nearest(sy_span_of(r->p.name), names, n),
                     "the map of device '%s' has no '%s'", "设备“%s”的 map 中没有“%s”", d->id,
                     r->p.name);
}

/* A point of a device of modbus is a row of its map, and comes as often as it is asked. */
static void check_polled(sy_loader *l, const sy_device *d, const sy_raw_point *r)
{
    const char *names[64];
    const sy_mb_map *map = d->modbus->map;
    size_t i = 0;
    if (r->p.every && d->modbus->poll > r->p.every)
        sy_cfg_warn(l, r->every, "polled-less", NULL,
                    "device '%s' is asked every %lld ms, less often than its point is expected",
                    "设备“%s”每 %lld 毫秒轮询一次，比测点的预期间隔更长", d->id,
                    (long long)d->modbus->poll);
    while (i < map->n && strcmp(map->rows[i].name, r->p.name) != 0) {
        if (i < 64)
            names[i] = map->rows[i].name;
        i++;
    }
    if (i == map->n && map->n) /* a map that is wrong was told */
        sy_cfg_error(l, sy_yaml_get(r->node, "name"), "unmapped",
                     sy_nearest(sy_span_of(r->p.name), names, i < 64 ? i : 64),
                     "the registers of device '%s' have no '%s'", "设备“%s”的寄存器中没有“%s”",
                     d->id, r->p.name);
}

/* The points of each device, in two passes: count, then fill. */
static void make_channels(sy_loader *l)
{
    size_t n = l->c->n_devices;
    sy_channel *all = sy_cfg_get(l, (l->n_raw + 1) * sizeof *all);
    sy_channel **next = sy_cfg_get(l, (n + 1) * sizeof *next);
    sy_cfg_unique *names = sy_cfg_get(l, (l->n_raw + 1) * sizeof *names);
    if (l->nomem)
        return;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < l->n_raw; i++) {
            const sy_raw_point *r = &l->raw_points[i];
            const sy_device *d = r->p.device ? sy_cfg_device(l, r->p.device) : NULL;
            if (!d || !r->p.name)
                continue;
            size_t k = (size_t)(d - l->devices);
            if (pass)
                *next[k]++ = (sy_channel){(uint32_t)i, r->p.name, r->states, r->n_states};
            else
                l->devices[k].n_channels++;
        }
        for (size_t k = 0, at = 0; k < n && pass == 0; at += l->devices[k++].n_channels) {
            next[k] = all + at;
            l->devices[k].channels = all + at;
        }
    }
    for (size_t k = 0; k < n; k++) {
        const sy_device *d = &l->devices[k];
        size_t m = 0;
        for (size_t i = 0; i < d->n_channels; i++) {
            const sy_ynode *at = l->raw_points[d->channels[i].point].node;
            names[m++] = (sy_cfg_unique){d->channels[i].name, sy_yaml_get(at, "name")};
        }
        sy_cfg_check_unique(l, names, m, "within its device, the name", "同一设备内的名称");
        if (d->n_channels == 0 && *d->id && !d->panel)
            sy_cfg_warn(l, sy_cfg_device_node(l, k), "no-points", NULL,
                        "the device '%s' has no point: what it sends is not kept as readings",
                        "设备“%s”没有测点：其数据不会存为读数", d->id);
    }
}

void sy_cfg_points(sy_loader *l, sy_site *site)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n_raw; i++) { /* incomplete ones were reported: leave them out */
        sy_raw_point *r = &l->raw_points[i];
        r->p.series = series_of(l, &r->p);
        if (r->p.series)
            l->raw_points[n++] = *r;
    }
    l->n_raw = n;
    sy_site_point *points = sy_cfg_get(l, (n + 1) * sizeof *points);
    sy_cfg_unique *series = sy_cfg_get(l, (n + 1) * sizeof *series);
    if (!points || !series)
        return;
    if (n)
        qsort(l->raw_points, n, sizeof *l->raw_points, by_series);
    for (size_t i = 0; i < n; i++) {
        sy_raw_point *r = &l->raw_points[i];
        const sy_device *d = r->p.device ? sy_cfg_device(l, r->p.device) : NULL;
        if (d && d->transport == SY_TRANSPORT_BOX && !r->every)
            r->p.every = d->poll;
        const sy_ynode *id = sy_yaml_get(r->node, "id");
        points[i] = r->p;
        series[i] = (sy_cfg_unique){r->p.series, id ? id : sy_yaml_get(r->node, "name")};
        if (r->p.device && !d)
            unknown_device(l, r);
        else if (d && r->p.name && d->transport == SY_TRANSPORT_BOX)
            sy_cfg_check_box(l, r);
        else if (d && r->p.name && d->modbus)
            check_polled(l, d, r);
        else if (d && r->p.name)
            check_mapped(l, d, r);
    }
    sy_cfg_check_unique(l, series, n, "the series", "序列");
    site->points = points;
    site->n_points = n;
    make_channels(l);
}
