/* SPDX-License-Identifier: Apache-2.0 */
/* When the box's line upstream was down. */
#include "pipeline/uplink.h"

#include <math.h>
#include <string.h>

#include "base/box.h"
#include "rules/units.h"

#define HOUR_MS    3600000.0
#define MOST_HOURS 1e6

void sy_uplink_forget(sy_uplink *u)
{
    u->newest = SY_MS_NONE;
    u->n = 0;
}

static const char *quantity_of_uplink(void)
{
    static const char *const names[] = {
#define NAME(name, text, unit, what) text,
        SY_BOX_POINTS(NAME)
#undef NAME
    };
    return names[SY_BOX_UPLINK_DELAY];
}

bool sy_uplink_point(const sy_config *config, uint32_t point)
{
    const sy_site_point *p = &config->site->points[point];
    if (strcmp(p->quantity, quantity_of_uplink()) != 0)
        return false;
    for (size_t i = 0; i < config->n_devices; i++)
        if (strcmp(config->devices[i].id, p->device) == 0)
            return config->devices[i].transport == SY_TRANSPORT_BOX;
    return false;
}

bool sy_uplink_measured(const sy_config *config)
{
    for (uint32_t i = 0; i < config->site->n_points; i++)
        if (sy_uplink_point(config, i))
            return true;
    return false;
}

static void turn(sy_uplink *u, const sy_uplink_turn *x)
{
    if (u->n == SY_UPLINK_TURNS)
        memmove(&u->v[0], &u->v[1], --u->n * sizeof *u->v);
    u->v[u->n++] = *x;
}

void sy_uplink_note(sy_uplink *u, const sy_site_point *point, sy_ms t, double delay)
{
    const sy_unit *from = point->unit ? sy_unit_by_id(point->unit) : NULL;
    const sy_unit *hour = sy_unit_by_id("h");
    if (!from || !sy_unit_convertible(from, hour) || (u->newest != SY_MS_NONE && t < u->newest))
        return;
    double hours = sy_unit_convert(delay, from, hour);
    if (!isfinite(hours) || hours < 0 || hours > MOST_HOURS)
        return;
    sy_ms waits = (sy_ms)(hours * HOUR_MS);
    const sy_uplink_turn x = {t, t - waits, waits > SY_UPLINK_DOWN};
    bool again = t == u->newest;
    u->newest = t;
    if (again && !x.down)
        return;
    if (again && u->n && u->v[u->n - 1].at == t && !u->v[u->n - 1].down)
        u->n--; /* another point said at the same time that it is up */
    if (u->n == 0 || u->v[u->n - 1].down != x.down)
        turn(u, &x);
}

const sy_uplink_turn *sy_uplink_down(const sy_uplink *u, sy_ms at)
{
    for (size_t i = u->n; i-- > 0;)
        if (u->v[i].at <= at)
            return u->v[i].down ? &u->v[i] : NULL;
    return NULL;
}

/* ---- saving: i64 newest, u32 count; i64 at, i64 since, u8 down each ---- */

void sy_uplink_save(const sy_uplink *u, sy_buf *out)
{
    sy_buf_u64(out, (uint64_t)u->newest);
    sy_buf_u32(out, (uint32_t)u->n);
    for (size_t i = 0; i < u->n; i++) {
        sy_buf_u64(out, (uint64_t)u->v[i].at);
        sy_buf_u64(out, (uint64_t)u->v[i].since);
        sy_buf_u8(out, u->v[i].down);
    }
}

sy_err sy_uplink_load(sy_uplink *u, sy_rd *in)
{
    sy_uplink_forget(u);
    sy_ms newest = (sy_ms)sy_rd_u64(in);
    uint32_t n = sy_rd_u32(in);
    if (in->bad || n > SY_UPLINK_TURNS)
        return SY_E_CORRUPT;
    for (uint32_t i = 0; i < n; i++) {
        sy_uplink_turn *x = &u->v[i];
        x->at = (sy_ms)sy_rd_u64(in);
        x->since = (sy_ms)sy_rd_u64(in);
        uint8_t down = sy_rd_u8(in);
        if (in->bad || down > 1 || (i && (x->at < x[-1].at || down == x[-1].down)))
            return SY_E_CORRUPT;
        x->down = down != 0;
    }
    u->newest = newest;
    u->n = n;
    return SY_OK;
}
