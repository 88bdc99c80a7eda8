/* SPDX-License-Identifier: Apache-2.0 */
/* Register maps for `decode`: by name, or the one that ships that fits the frame. */
#include "cli/decode_map.h"

#include "drivers/formats/modbus.h"

static sy_err take(sy_decode_map *m, const char *name, sy_fail *f)
{
    sy_decode_map_close(m);
    sy_err err = sy_config_map(name, &m->owner, &m->modbus.map, f);
    if (err)
        return err;
    m->device.id = "";
    m->device.modbus = &m->modbus;
    m->found = true;
    return SY_OK;
}

sy_err sy_decode_map_open(sy_decode_map *m, const char *name, const sy_format *format,
                          sy_span bytes, sy_fail *f)
{
    bool frame = strcmp(format->name, "modbus") == 0;
    memset(m, 0, sizeof *m);
    if (!frame && strcmp(format->name, "modbus-poll") != 0)
        return name ? sy_fail_set(f, SY_E_USAGE, "a register map is for the formats of Modbus")
                    : SY_OK;
    if (name)
        return take(m, name, f);
    for (size_t i = 0; frame && sy_config_map_name(i); i++) {
        sy_err err = take(m, sy_config_map_name(i), f);
        if (err)
            return err;
        m->guessed = sy_modbus_fits(m->modbus.map, bytes, true);
        if (m->guessed)
            return SY_OK;
    }
    m->found = false;
    return SY_OK;
}

void sy_decode_map_close(sy_decode_map *m)
{
    sy_config_unref(m->owner);
    m->owner = NULL;
    m->found = false;
}
