/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time of each local day by what the rule's condition was: known false (in order), known true
 * (in breach), true but exempt, outside its hours. What is left of the day is unknown.
 *
 * The sums are part of an instance's state, so they follow it through checkpoints and redos: a day
 * is handed on when the state passes its end, and again, with other sums, when the state passes it
 * once more. Each stretch costs a few comparisons; the calendar is asked once a day.
 */
#include "rules/judge_alert.h"
#include "rules/judge_run.h"

tally_kind sy_judge__tally_of(run *r, uint32_t level, tri v, counting how)
{
    const jlevel *l = &r->i->levels[level];
    if (l->cond.closes || how == OUTSIDE) {
        return T_OUTSIDE; /* a window is judged at its close: no stretch has a value */
    }
    if (v != TRUE3) {
        return v == FALSE3 ? T_ORDER : T_UNKNOWN;
    }
    bool exempt = how == EXEMPT || (l->n_excepts > 0 && l->kind != L_FOR && l->kind != L_CUM &&
                                    sy_judge__exempt(r, l, r->st->t, false));
    return exempt ? T_EXEMPT : T_BREACH;
}

static const sy_zone *zone_of(const sy_judge *j, const inst *i)
{
    return j->o.site->premises[j->o.site->places[i->place].premises].zone;
}

static bool by_close(const inst *i)
{
    for (uint32_t k = 0; k < i->n_levels; k++) {
        if (!i->levels[k].cond.closes) {
            return false;
        }
    }
    return true;
}

static void hand_on(const sy_judge *j, const inst *i, const tally *d, sy_ms to)
{
    const sy_judge_day day = {.rule = i->rule,
                              .point = i->point,
                              .from = d->begin,
                              .to = to,
                              .in_order = d->in_order,
                              .breach = d->breach,
                              .exempt = d->exempt,
                              .outside = d->outside,
                              .by_close = by_close(i),
                              .trial = sy_judge__on_trial(j, i, d->begin)};
    if (j->o.day && to > d->begin) {
        j->o.day(j->o.ctx, &day);
    }
}

/* The day that t lies in; it begins with the time in force, or with the box. */
static void begin(const sy_judge *j, const inst *i, tally *d, sy_ms t)
{
    int64_t day = sy_zone_day(zone_of(j, i), t);
    sy_ms since = later(i->from, j->o.start);
    since = d->moved ? later(since, d->since) : since;
    *d = (tally){.moved = d->moved, .since = d->since};
    d->begin = later(sy_zone_midnight(zone_of(j, i), day), since);
    d->end = sy_zone_midnight(zone_of(j, i), day + 1);
    d->end = d->end > t ? d->end : t + 1; /* whatever the zone does, time goes on */
}

static void add(tally *d, tally_kind kind, sy_ms by)
{
    switch (kind) {
    case T_OUTSIDE:
        d->outside += by;
        return;
    case T_ORDER:
        d->in_order += by;
        return;
    case T_EXEMPT:
        d->exempt += by;
        return;
    case T_BREACH:
        d->breach += by;
        return;
    case T_UNKNOWN:
    default:
        return;
    }
}

void sy_judge__tally(run *r, tally_kind kind, sy_ms t)
{
    tally *d = &r->st->day;
    sy_ms at = r->st->t;
    if (d->end <= d->begin) {
        begin(r->j, r->i, d, at);
    }
    for (;;) {
        at = later(at, d->begin);
        sy_ms to = sooner(t, d->end);
        if (to > at) {
            add(d, kind, to - at);
        }
        if (t < d->end) {
            return;
        }
        if (r->st == r->i->cur || r->tells) { /* what is only tried out is not told */
            hand_on(r->j, r->i, d, d->end);
        }
        at = d->end;
        begin(r->j, r->i, d, at);
    }
}

void sy_judge__tally_anew(state *s, sy_ms since)
{
    s->day = (tally){.moved = since != SY_MS_NONE, .since = since == SY_MS_NONE ? 0 : since};
}

static sy_err one(sy_judge *j, inst *i, sy_ms at)
{
    run r = {.j = j, .i = i, .st = j->scratch, .limit = i->cur->t, .tells = true};
    sy_ms upto = sooner(at, i->end);
    memcpy(j->scratch, i->cur, st_bytes(i));
    if (i->from > at || i->cur->t > at) {
        return SY_OK; /* that day was handed on when the state went by */
    }
    if (i->cur->t != SY_MS_NONE && i->cur->t < upto && i->cur->t >= i->from) {
        sy_judge__steps(&r); /* takes none: it finds where the logs are */
        sy_judge__reach(&r, upto);
    }
    tally *d = &j->scratch->day;
    if (d->end <= d->begin) {
        begin(j, i, d, at - 1);
    }
    hand_on(j, i, d, sooner(d->end, upto));
    return r.err;
}

sy_err sy_judge_days(sy_judge *j, uint32_t premises, sy_ms at)
{
    sy_err e = SY_OK;
    for (size_t k = 0; k < j->n_insts && !e; k++) {
        if (premises == SY_ALL_PREMISES ||
            j->o.site->places[j->insts[k].place].premises == premises) {
            e = one(j, &j->insts[k], at);
        }
    }
    return e;
}

sy_ms sy_judge_day_wait(const sy_judge *j, uint32_t premises)
{
    sy_ms wait = 0;
    for (size_t k = 0; k < j->n_insts; k++) {
        const inst *i = &j->insts[k];
        for (uint32_t s = 0; s < i->n_slots; s++) {
            const sy_site_point *p = &j->o.site->points[i->slots[s].point];
            if (j->o.site->places[i->place].premises == premises) {
                wait = later(wait, later(i->slots[s].wait + 1, p->delivery));
            }
        }
    }
    return sooner(wait, DAY_MS);
}
