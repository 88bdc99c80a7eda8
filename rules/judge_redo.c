/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an instance is judged, and judged again.
 *
 * Comparisons between two readings are known only when the second is there (or cannot come any more
 * within the missing-after): up to that frontier `cur` is advanced. A reading behind it restores
 * the newest checkpoint that does not rest on what the reading changes, and the stretch is judged
 * again from the logs. Two checkpoints are swapped as time passes, so that each reading is judged
 * about once, and a redo goes back at most about twice SY_JUDGE_REDO.
 *
 * Where clocked levels share an instance with comparisons, what lies beyond the frontier is judged
 * on a scratch copy, unknown where it is unknown, so that a silence is told in time.
 */
#include "rules/judge_alert.h"
#include "rules/judge_core.h"
#include "rules/judge_log.h"
#include "rules/judge_run.h"

/* The latest reading of the slot's point decides about the time after it, once the next is there.
 */
static sy_ms awaits(const sy_judge *j, const jslot *s, unsigned kinds, sy_ms *wake)
{
    const entry *e = sy_judge__log_prev(&j->logs[s->point], j->now + 1, kinds);
    if (!e || j->now - e_time(e) > s->wait) {
        return j->now;
    }
    *wake = sooner(*wake, e_time(e) + s->wait + 1);
    return e_time(e);
}

static sy_ms frontier(const sy_judge *j, const inst *i, sy_ms *wake)
{
    sy_ms f = j->now;
    for (uint32_t k = 0; k < i->n_slots; k++) {
        const jslot *s = &i->slots[k];
        if (s->cmp) {
            f = sooner(f, awaits(j, s, i->sees, wake));
        }
        if (s->sampled && i->takes != i->sees) { /* samples pass over what is over range */
            f = sooner(f, awaits(j, s, i->takes, wake));
        }
    }
    return i->n_excepts ? sooner(f, sy_judge__exempt_frontier(j, i, j->now, wake)) : f;
}

/* The earliest valid reading after t. */
static sy_ms reading_after(const sy_judge *j, const inst *i, sy_ms t)
{
    sy_ms best = SY_MS_MAX;
    for (uint32_t k = 0; k < i->n_slots; k++) {
        const entry *e = sy_judge__log_next(&j->logs[i->slots[k].point], t, i->sees);
        if (e) {
            best = sooner(best, e_time(e));
        }
    }
    return best;
}

/* No reading that is still accepted can change what is at or before this. */
static sy_ms settled(const sy_judge *j, const inst *i)
{
    sy_ms best = SY_MS_MAX;
    for (uint32_t k = 0; k < i->n_slots; k++) {
        uint32_t p = i->slots[k].point;
        sy_ms t = sooner(sy_judge__log_newest(&j->logs[p]), j->now);
        t = t == SY_MS_NONE ? t : t - SY_JUDGE_REDO;
        if (i->n_slots > 1) { /* a point that fell silent must not hold up the others for ever */
            sy_ms delivery = later(j->o.site->points[p].delivery, SY_JUDGE_REDO);
            t = later(t, j->now - delivery);
        }
        best = sooner(best, t);
    }
    return best == SY_MS_NONE ? best : best - i->reach - 1;
}

static void rotate(sy_judge *j, inst *i)
{
    if (i->cur->t == i->mid->t || i->mid->t > settled(j, i)) {
        return;
    }
    state *old = i->base;
    i->base = i->mid;
    i->mid = old;
    memcpy(i->mid, i->cur, st_bytes(i));
    for (uint32_t k = 0; k < i->n_histories; k++) {
        sy_judge__hist_trim(&i->histories[k], sy_judge__history_needed(i, k, i->base->t));
    }
}

static void sync_open(inst *i, const state *s)
{
    i->work_t = s->t;
    if (s->alert.raised != SY_MS_NONE) {
        sy_judge__rec_set(i, &s->alert);
    }
}

static sy_err beyond(sy_judge *j, inst *i, run *r)
{
    memcpy(j->scratch, i->cur, st_bytes(i));
    *r = (run){.j = j, .i = i, .st = j->scratch, .limit = j->now};
    i->provisional = true;
    i->dirty = true;
    sy_judge__steps(r);
    sync_open(i, j->scratch);
    return r->err;
}

sy_err sy_judge__run(sy_judge *j, inst *i)
{
    sy_ms wake = SY_MS_MAX;
    sy_ms f = frontier(j, i, &wake);
    sy_ms reading;
    sy_err e;
    run r = {.j = j, .i = i, .st = i->cur, .limit = f};
    if (i->provisional) {
        sy_judge__rec_restore(i);
        i->provisional = false;
    }
    sy_judge__steps(&r);
    sync_open(i, i->cur);
    e = r.err;
    reading = reading_after(j, i, f);
    bool pending = f < j->now && sooner(reading, r.timer) <= j->now;
    if (!e && pending && (i->mixed || j->finished)) {
        e = beyond(j, i, &r);
    }
    wake = pending ? wake : SY_MS_MAX;
    wake = sooner(wake, reading <= j->now ? reading_after(j, i, j->now) : reading);
    if (r.timer > j->now && (i->timers || r.st->alert.raised != SY_MS_NONE)) {
        wake = sooner(wake, r.timer);
    }
    rotate(j, i);
    if (!e && (i->dirty || i->due <= j->now)) {
        e = sy_judge__publish(j, i);
    }
    sy_judge__settle(i);
    sy_judge__wake(j, i, sooner(wake, i->due));
    return e;
}

/* The latest instant up to which a state does not rest on what a reading at t changes. */
static sy_ms unaffected(const sy_judge *j, const inst *i, uint32_t slot, sy_ms t)
{
    const jslot *s = &i->slots[slot];
    const entry *p = s->cmp || s->exc ? sy_judge__log_prev(&j->logs[s->point], t, i->sees) : NULL;
    sy_ms need = t - 1;
    if (p && s->cmp && t - e_time(p) <= s->wait) {
        need = sooner(need, e_time(p));
    }
    if (p && s->exc) {
        sy_ms off = s->bound && e_time(p) + s->bound < t ? e_time(p) + s->bound : e_time(p);
        if (t - e_time(p) < FLUTTER_MS || t - off < FLUTTER_MS) {
            need = sooner(need, t - FLUTTER_MS);
        }
    }
    return s->sampled ? sooner(need, sy_judge__samples_before(j, i, slot, t)) : need;
}

sy_err sy_judge__touch(sy_judge *j, inst *i, uint32_t slot_at, sy_ms t, bool *judged)
{
    sy_ms need;
    *judged = true;
    if (t > j->now) {
        if (t < i->wake) {
            sy_judge__wake(j, i, t);
        }
        return SY_OK;
    }
    need = unaffected(j, i, slot_at, t);
    if (i->cur->t > need) {
        if (i->mid->t <= need) {
            memcpy(i->cur, i->mid, st_bytes(i));
        } else if (i->base->t <= need) {
            memcpy(i->cur, i->base, st_bytes(i));
            memcpy(i->mid, i->base, st_bytes(i));
        } else {
            *judged = false;
            return SY_OK;
        }
        sy_judge__rec_restore(i);
    }
    return sy_judge__run(j, i);
}
