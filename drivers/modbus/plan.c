/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests a device gets, and when: no clock, no line. */
#include <stdlib.h>

#include "drivers/modbus/bus.h"

enum { HOLD_TIMEOUTS = 5, HOLD_MAX_MS = 60000 };

static int gap_of(const sy_mb_map *map, unsigned level)
{
    return level == 0 ? map->gap : level == 1 ? 0 : -1;
}

sy_err sy_mb_unit__plan(sy_mb_unit *u)
{
    const sy_mb_map *map = u->device->modbus->map;
    sy_mb_read *reads = calloc(map->n ? map->n : 1, sizeof *reads);
    u->asks = calloc(map->n ? map->n : 1, sizeof *u->asks);
    if (!reads || !u->asks) {
        free(reads);
        return SY_E_NOMEM;
    }
    u->n_asks = sy_mb_plan(map, map->gap, reads);
    for (size_t i = 0; i < u->n_asks; i++)
        u->asks[i].read = reads[i];
    free(reads);
    return SY_OK;
}

/* The rows of the map that the request reads. */
static sy_mb_map rows_of(const sy_mb_map *map, const sy_mb_read *r)
{
    sy_mb_map part = *map;
    size_t i = 0;
    while (i < map->n &&
           ((uint8_t)map->rows[i].table != r->function || map->rows[i].address < r->start))
        i++;
    part.rows = map->rows + i;
    part.n = 0;
    while (i + part.n < map->n && (uint8_t)part.rows[part.n].table == r->function &&
           part.rows[part.n].address < r->start + r->count)
        part.n++;
    return part;
}

bool sy_mb_unit__split(sy_mb_unit *u, size_t k)
{
    sy_mb_read parts[SY_MB_ROWS_MAX];
    sy_mb_ask whole = u->asks[k];
    sy_mb_map rows = rows_of(u->device->modbus->map, &whole.read);
    size_t n = 1;
    unsigned level = whole.level;
    while (n == 1 && level < 2 && rows.n > 1)
        n = sy_mb_plan(&rows, gap_of(&rows, ++level), parts);
    /* Rows may lie within each other: then there may be more parts than the plan has room for. */
    if (n == 1 || u->n_asks + n - 1 > u->device->modbus->map->n)
        return false;
    memmove(&u->asks[k + n], &u->asks[k + 1], (u->n_asks - k - 1) * sizeof *u->asks);
    for (size_t i = 0; i < n; i++)
        u->asks[k + i] = (sy_mb_ask){parts[i], (uint8_t)level};
    u->n_asks += n - 1;
    return true;
}

uint64_t sy_mb_unit__next(sy_mb_unit *u, sy_ms now)
{
    const sy_mb_device *m = u->device->modbus;
    sy_ms from = now;
    if (u->silent) {
        unsigned doubled = u->silent - 1 < 10 ? u->silent - 1 : 10;
        sy_ms hold = (HOLD_TIMEOUTS * m->timeout) << doubled;
        from += hold < HOLD_MAX_MS ? hold : HOLD_MAX_MS;
    }
    u->due += m->poll;
    if (u->due > from)
        return 0;
    uint64_t missed = (uint64_t)((from - u->due) / m->poll) + 1;
    u->due += (sy_ms)missed * m->poll;
    return missed;
}
