/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's clock. Pure arithmetic over a source of wall and monotonic time, so that every step,
 * drift and reboot is a table in a test.
 */
#include "intake/clock.h"

static sy_ms system_wall(void *ctx)
{
    (void)ctx;
    return sy_wall_ms();
}

static sy_ms system_mono(void *ctx)
{
    (void)ctx;
    return sy_mono_ms();
}

static bool system_synced(void *ctx)
{
    (void)ctx;
    return sy_clock_synced();
}

sy_clock_source sy_clock_system(void)
{
    return (sy_clock_source){system_wall, system_mono, system_synced, NULL};
}

void sy_clock_init(sy_clock *c, sy_clock_source source, bool replay, sy_ms last)
{
    *c = (sy_clock){.source = source, .replay = replay, .last = last};
    if (replay)
        return;
    c->last_mono = c->checked = source.mono(source.ctx);
    c->offset = source.wall(source.ctx) - c->last_mono;
    c->was_synced = source.synced(source.ctx);
    if (last == SY_MS_NONE)
        c->last = c->offset + c->last_mono;
}

bool sy_clock_now(sy_clock *c, sy_ms *now, sy_ms *old)
{
    *now = *old = c->last;
    if (c->replay)
        return false;
    sy_ms mono = c->source.mono(c->source.ctx), wall = c->source.wall(c->source.ctx);
    sy_ms value = c->last + (mono - c->last_mono), ahead = wall - value;
    if (mono - c->checked >= SY_CLOCK_CHECK_MS) {
        c->checked = mono;
        c->was_synced = c->was_synced || c->source.synced(c->source.ctx);
    }
    /* Somebody set the clock back while we ran, or it is known to be right: believe it. */
    bool stepped = wall - mono < c->offset - SY_CLOCK_SLACK_MS;
    bool epoch = false;
    *old = value;
    c->offset = wall - mono;
    if (ahead > 0) {
        epoch = c->was_synced && ahead >= SY_CLOCK_JUMP_MS;
        value = wall;
    } else if (ahead < -SY_CLOCK_SLACK_MS && (stepped || c->source.synced(c->source.ctx))) {
        epoch = true;
        value = wall;
    }
    c->last = *now = value;
    c->last_mono = mono;
    return epoch;
}

sy_ms sy_clock_mark(sy_clock *c, sy_ms mark)
{
    if (mark > c->last)
        c->last = mark;
    return c->last;
}
