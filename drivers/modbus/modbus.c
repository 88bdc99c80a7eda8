/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of Modbus: one for each address in the registry. */
#include "drivers/modbus/modbus.h"

#include <stdlib.h>

#include "base/log.h"
#include "drivers/modbus/bus.h"

enum { BUSES_MAX = 64 };

struct sy_modbus {
    const sy_intake *intake;
    sy_registry_slot *devices;
    sy_bus *buses[BUSES_MAX];
    size_t n;
    unsigned number; /* of the next thread */
};

/* The line of a device that is to be asked, else NULL. */
static const char *line_of(const sy_device *d)
{
    return sy_bus_asks(d) ? d->modbus->address : NULL;
}

static bool has_line(const sy_registry *r, const char *address)
{
    for (size_t i = 0; i < r->n; i++)
        if (line_of(&r->devices[i]) && strcmp(line_of(&r->devices[i]), address) == 0)
            return true;
    return false;
}

static sy_bus *find(const sy_modbus *m, const char *address)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->buses[i]->address, address) == 0)
            return m->buses[i];
    return NULL;
}

/* Lines that nobody is on any more; all are told first, then waited for. */
static void end_unused(sy_modbus *m, const sy_registry *r)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++)
        if (!has_line(r, m->buses[i]->address))
            sy_bus_end(m->buses[i]);
    for (size_t i = 0; i < m->n; i++) {
        sy_bus *b = m->buses[i];
        if (has_line(r, b->address))
            m->buses[n++] = b;
        else
            sy_bus_stop(b);
    }
    m->n = n;
}

static sy_err open_missing(sy_modbus *m, sy_registry *r, sy_fail *f)
{
    for (size_t i = 0; i < r->n; i++) {
        const char *address = line_of(&r->devices[i]);
        if (!address || find(m, address))
            continue;
        if (m->n == BUSES_MAX)
            return sy_fail_set(f, SY_E_RANGE, "more than %d lines of modbus", (int)BUSES_MAX);
        sy_bus *b = NULL;
        sy_err err = sy_bus_start(&b, address, m->number++, m->intake, sy_registry_ref(r), f);
        if (err)
            return err;
        m->buses[m->n++] = b;
    }
    return SY_OK;
}

sy_err sy_modbus_start(sy_modbus **out, const sy_intake *intake, sy_registry_slot *devices,
                       sy_fail *f)
{
    sy_modbus *m = calloc(1, sizeof *m);
    if (!m)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for modbus");
    m->intake = intake;
    m->devices = devices;
    sy_registry *r = sy_registry_slot_get(devices);
    sy_err err = open_missing(m, r, f);
    sy_registry_unref(r);
    if (err)
        sy_modbus_stop(m);
    else
        *out = m;
    return err;
}

void sy_modbus_reload(sy_modbus *m)
{
    sy_fail f = {0};
    sy_registry *r = sy_registry_slot_get(m->devices);
    end_unused(m, r);
    for (size_t i = 0; i < m->n; i++)
        sy_bus_set(m->buses[i], sy_registry_ref(r));
    if (open_missing(m, r, &f))
        sy_log_fail(SY_LOG_ERROR, "modbus-reload-failed", &f);
    sy_registry_unref(r);
}

void sy_modbus_status(sy_modbus *m, sy_buf *json)
{
    sy_buf_text(json, "{\"lines\":[");
    for (size_t i = 0; i < m->n; i++) {
        if (i)
            sy_buf_char(json, ',');
        sy_bus_status(m->buses[i], json);
    }
    sy_buf_text(json, "]}");
}

void sy_modbus_stop(sy_modbus *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++)
        sy_bus_end(m->buses[i]);
    for (size_t i = 0; i < m->n; i++)
        sy_bus_stop(m->buses[i]);
    free(m);
}
