/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The box as a device: it is measured by the gateway itself, so it has neither topic nor
 * credential.
 */
#include "base/box.h"
#include "config/config_int.h"
#include "config/keys.h"

static const char uplink[] = "uplink-delay/";

void sy_cfg_device_box(sy_loader *l, const sy_cfg_cell *c, sy_device *d)
{
    enum { POLL_MS = 60000 };
    static const struct {
        int cell;
        const char *name;
    } keys[] = {{DV_TOPIC, "topic"}, {DV_FORMAT, "format"},         {DV_MODEL, "model"},
                {DV_MAP, "map"},     {DV_CREDENTIAL, "credential"}, {DV_FROM, "from"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (c[keys[i].cell].node)
            sy_cfg_error(l, c[keys[i].cell].node, "not-here", NULL,
                         "'%s' is not for the box, which measures itself",
                         "“%s”不用于 box：网关自身测量", keys[i].name);
    for (size_t i = 0; i < l->c->n_devices; i++)
        if (&l->devices[i] != d && l->devices[i].transport == SY_TRANSPORT_BOX)
            sy_cfg_error(l, c[DV_TRANSPORT].node, "duplicate", NULL,
                         "there is one box: '%s' is it already", "只能有一个 box：已有“%s”",
                         l->devices[i].id);
    d->format = "senml-json";
    d->credential = SY_CRED_NONE;
    d->poll = c[DV_POLL].set ? c[DV_POLL].ms : POLL_MS;
}

void sy_cfg_check_box(sy_loader *l, const sy_raw_point *r)
{
    static const char *const names[] = {
#define NAME(name, text, unit, what) text,
        SY_BOX_POINTS(NAME)
#undef NAME
    };
    for (size_t i = 0; i < SY_BOX_N; i++)
        if (strcmp(names[i], r->p.name) == 0)
            return;
    if (strncmp(r->p.name, uplink, sizeof uplink - 1) != 0)
        sy_cfg_error(l, sy_yaml_get(r->node, "name"), "unmapped",
                     sy_nearest(sy_span_of(r->p.name), names, SY_BOX_N), "the box has no '%s'",
                     "box 没有“%s”", r->p.name);
}
