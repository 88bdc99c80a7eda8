/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much memory a judge takes, now and at most: what is compiled, states and checkpoints, the
 * logs as far back as windows look, and what windows keep beside them, with room to grow. It
 * follows from the rules and the expected intervals of the points; a point without one is counted
 * with a reading a minute. Alerts, which stay until they are forgotten, are not in it.
 */
#include "rules/judge_core.h"

/* A log is pruned up to the older checkpoint, which lies two redo stretches back at most, and its
 * memory is twice what it holds where it is moved to the front. */
enum { REDO_STRETCHES = 4, SLACK = 2, AT_LEAST = 32, MINUTE = 60000 };

static size_t readings_in(const sy_judge *j, uint32_t point, sy_ms time)
{
    sy_ms every = j->o.site->points[point].every;
    return (size_t)(time / (every > 0 ? every : MINUTE)) + AT_LEAST;
}

static size_t log_bytes(const sy_judge *j, uint32_t point)
{
    const point_log *l = &j->logs[point];
    sy_ms back = 0;
    for (uint32_t k = 0; k < l->n_inst; k++) {
        const uint32_t *u = &j->users[(l->inst_at + k) * 2];
        const jslot *s = &j->insts[u[0]].slots[u[1]];
        back = later(back, later(s->keep, 0) + s->wait);
    }
    back += REDO_STRETCHES * SY_JUDGE_REDO;
    return SLACK * readings_in(j, point, back) * sizeof *l->e;
}

static size_t window_bytes(const sy_judge *j, const inst *i, const window *w)
{
    size_t n = readings_in(j, i->slots[w->slot].point, w->length);
    switch ((sy_agg_kind)w->agg) {
    case SY_AGG_HIGHEST:
    case SY_AGG_LOWEST:
        return SLACK * n * sizeof *w->high.e;
    case SY_AGG_SPREAD:
        return 2 * SLACK * n * sizeof *w->high.e;
    case SY_AGG_PERCENTILE:
    case SY_AGG_MEDIAN:
        return SLACK * n * sizeof *w->order.node;
    case SY_AGG_MEAN:
    case SY_AGG_HOURLY_MEAN:
    case SY_AGG_DAILY_MEAN:
    case SY_AGG_KINETIC:
    case SY_AGG_RATE:
    case SY_AGG_TOTAL:
    case SY_AGG_SOUND_LEVEL:
    default:
        return 0;
    }
}

size_t sy_judge_bytes(const sy_judge *j)
{
    return sizeof *j + j->arena.used_bytes + j->bytes;
}

size_t sy_judge_bytes_at_most(const sy_judge *j)
{
    size_t sum = sizeof *j + j->arena.used_bytes + j->cap_insts * sizeof *j->insts;
    for (uint32_t p = 0; p < j->o.site->n_points; p++) {
        sum += j->logs[p].n_inst ? log_bytes(j, p) : 0;
    }
    for (size_t k = 0; k < j->n_insts; k++) {
        const inst *i = &j->insts[k];
        for (uint32_t w = 0; w < i->n_windows; w++) {
            sum += window_bytes(j, i, &i->windows[w]);
        }
        for (uint32_t h = 0; h < i->n_histories; h++) { /* a span ends at a reading */
            sum += SLACK * readings_in(j, i->point, i->horizons[h]) * sizeof(span);
        }
    }
    return sum;
}
