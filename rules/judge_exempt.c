/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exempt time: of each stretch in which a named state is known, the first "each at most", so many
 * times a day.
 *
 * A contact that leaves the state for less than FLUTTER_MS does not end the stretch. That is only
 * known afterwards, so the frontier stays before such an instant until the clock has passed it by
 * that much; then the log says whether the state returns.
 */
#include "rules/judge_core.h"
#include "rules/judge_log.h"
#include "rules/judge_run.h"

/* When the state that ended at `close` is back soon enough, or SY_MS_MAX. */
static sy_ms returns_at(const run *r, const except *c, sy_ms close)
{
    sy_ms best = SY_MS_MAX;
    for (uint32_t k = 0; k < c->n_slots; k++) {
        uint32_t slot = r->i->kids[c->kid + k];
        const point_log *l = &r->j->logs[r->i->slots[slot].point];
        const entry *e = sy_judge__log_next(l, close, r->i->sees);
        while (e && e_time(e) < close + FLUTTER_MS && e_time(e) <= r->j->now && e->v != c->value) {
            e = sy_judge__log_next(l, e_time(e), r->i->sees);
        }
        if (e && e_time(e) < close + FLUTTER_MS && e_time(e) <= r->j->now) {
            best = sooner(best, e_time(e));
        }
    }
    return best;
}

bool sy_judge__exempt(run *r, const jlevel *l, sy_ms t, bool use)
{
    bool any = false;
    for (uint32_t k = l->except; k < l->except + l->n_excepts; k++) {
        const except *c = &r->i->excepts[k];
        stretch *s = &st_stretches(r->i, r->st)[k];
        if (s->a == SY_MS_NONE || t >= s->a + c->each || (!s->used_this && s->used >= c->times)) {
            continue;
        }
        any = true;
        if (use && !s->used_this) {
            s->used_this = 1;
            s->used++;
        }
    }
    return any;
}

static bool is_on(const run *r, const except *c, sy_ms t)
{
    for (uint32_t k = 0; k < c->n_slots; k++) {
        uint32_t slot = r->i->kids[c->kid + k];
        const slot_state *s = &st_slots(r->st)[slot];
        sy_ms bound = r->i->slots[slot].bound;
        if (s->t != SY_MS_NONE && s->v == c->value && (!bound || s->t + bound > t)) {
            return true;
        }
    }
    return false;
}

static const sy_zone *zone_of(const run *r)
{
    const sy_site *site = r->j->o.site;
    return site->premises[site->places[r->i->place].premises].zone;
}

void sy_judge__exempt_at(run *r, sy_ms t)
{
    stretch *s = st_stretches(r->i, r->st);
    for (uint32_t k = 0; k < r->i->n_excepts; k++) {
        bool on = is_on(r, &r->i->excepts[k], t);
        if (on && s[k].a == SY_MS_NONE) {
            int64_t day = sy_zone_day(zone_of(r), t);
            s[k].a = t;
            s[k].used_this = 0;
            s[k].used = day == s[k].day ? s[k].used : 0;
            s[k].day = day;
        }
        if (on) {
            s[k].bridge = SY_MS_NONE;
        } else if (s[k].a != SY_MS_NONE && (s[k].bridge == SY_MS_NONE || t >= s[k].bridge)) {
            s[k].bridge = returns_at(r, &r->i->excepts[k], t);
            if (s[k].bridge == SY_MS_MAX) {
                s[k].a = SY_MS_NONE;
                s[k].bridge = SY_MS_NONE;
            }
        }
    }
}

sy_ms sy_judge__exempt_timer(run *r)
{
    const stretch *s = st_stretches(r->i, r->st);
    sy_ms best = SY_MS_MAX;
    for (uint32_t k = 0; k < r->i->n_excepts; k++) {
        if (s[k].a != SY_MS_NONE && s[k].a + r->i->excepts[k].each > r->st->t) {
            best = sooner(best, s[k].a + r->i->excepts[k].each);
        }
    }
    return best;
}

/* The earliest instant at or before now that a slot left the state and may still return to it. */
static sy_ms left_at(const sy_judge *j, const inst *i, const except *c, uint32_t slot, sy_ms now)
{
    const point_log *l = &j->logs[i->slots[slot].point];
    sy_ms bound = i->slots[slot].bound, cap = SY_MS_MAX;
    const entry *e = sy_judge__log_prev(l, now + 1, i->sees);
    if (e && bound && e->v == c->value && e_time(e) + bound <= now &&
        now < e_time(e) + bound + FLUTTER_MS) {
        cap = e_time(e) + bound;
    }
    while (e && now < e_time(e) + FLUTTER_MS) {
        const entry *p = sy_judge__log_prev(l, e_time(e), i->sees);
        if (p && e->v != c->value && p->v == c->value) {
            cap = e_time(e);
        }
        e = p;
    }
    return cap;
}

sy_ms sy_judge__exempt_frontier(const sy_judge *j, const inst *i, sy_ms now, sy_ms *wake)
{
    sy_ms cap = SY_MS_MAX;
    for (uint32_t k = 0; k < i->n_excepts; k++) {
        const except *c = &i->excepts[k];
        for (uint32_t s = 0; s < c->n_slots; s++) {
            cap = sooner(cap, left_at(j, i, c, i->kids[c->kid + s], now));
        }
    }
    if (cap == SY_MS_MAX) {
        return cap;
    }
    *wake = sooner(*wake, cap + FLUTTER_MS);
    return cap - 1;
}
