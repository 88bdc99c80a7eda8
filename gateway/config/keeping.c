/* SPDX-License-Identifier: Apache-2.0 */
/* What of the gateway section is about keeping: segments, retention, the card. */
#include "config/config_int.h"
#include "config/keys.h"

#define DAY  ((sy_ms)86400000)
#define YEAR (366 * DAY)

static const size_t default_segment = (size_t)16 << 20;

/* One class. `least`: what may not be undercut. */
static sy_keep_limit limit(sy_loader *l, const sy_cfg_cell *cell, sy_keep_limit missing,
                           sy_ms least)
{
    sy_cfg_cell k[KP_N];
    if (!cell->set || !sy_cfg_read(l, cell->node, SY_S_KEEP, k))
        return missing;
    if (k[KP_TIME].set) {
        missing.time = k[KP_TIME].ms;
        if (missing.time < least)
            sy_cfg_error(
                l, k[KP_TIME].node, "out-of-range", NULL,
                "'time' must be at least %lld days here: 'lateness' and 2 days, since what "
                "comes late is judged with what is kept",
                "此处“time”至少须为 %lld 天，即 lateness 加 2 "
                "天：迟到的读数要与所保存的读数一并判定",
                (long long)((least + DAY - 1) / DAY));
        if (missing.time < 1)
            sy_cfg_error(l, k[KP_TIME].node, "out-of-range", NULL, "'time' must be more than 0",
                         "“time”须大于 0");
    }
    if (k[KP_BYTES].set) {
        missing.bytes = (uint64_t)k[KP_BYTES].lo;
        if (missing.bytes == 0)
            sy_cfg_error(l, k[KP_BYTES].node, "out-of-range", NULL, "'bytes' must be more than 0",
                         "“bytes”须大于 0");
    }
    return missing;
}

void sy_cfg_keeping(sy_loader *l, const sy_cfg_cell *gateway)
{
    sy_config *c = l->c;
    sy_cfg_cell r[RE_N] = {0}, f[FL_N] = {0};
    c->segment = gateway[GW_SEGMENT].set ? (size_t)gateway[GW_SEGMENT].lo : default_segment;
    if (c->segment / 2 < c->max_payload)
        sy_cfg_error(l, gateway[GW_SEGMENT].node, "out-of-range", NULL,
                     "'segment' must be at least twice 'max-payload'",
                     "“segment”至少须为“max-payload”的两倍");
    if (gateway[GW_RETENTION].set && !sy_cfg_read(l, gateway[GW_RETENTION].node, SY_S_RETENTION, r))
        return;
    if (gateway[GW_FLASH].set && !sy_cfg_read(l, gateway[GW_FLASH].node, SY_S_FLASH, f))
        return;
    sy_ms least = c->lateness + 2 * DAY;
    c->keeping = (sy_keeping){
        .raw = limit(l, &r[RE_RAW], (sy_keep_limit){.time = 5 * YEAR, .share = 0.25}, 0),
        .readings =
            limit(l, &r[RE_READINGS], (sy_keep_limit){.time = 6 * YEAR, .share = 0.25}, least),
        .alerts = limit(l, &r[RE_ALERTS], (sy_keep_limit){.time = 10 * YEAR, .share = 0.1}, least),
        .flash_bytes = f[FL_BYTES].set ? (uint64_t)f[FL_BYTES].lo : 0,
        .flash_cycles = f[FL_CYCLES].set ? (uint64_t)f[FL_CYCLES].lo : 3000,
    };
}
