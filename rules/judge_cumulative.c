/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cumulative holds: the time that counts as for a hold, summed over a sliding window and not reset
 * when the condition is false. While time counts the sum never falls; while it does not, it falls
 * as counted time leaves the window.
 */
#include "rules/judge_core.h"
#include "rules/judge_run.h"

void sy_judge__cum_stretch(run *r, uint16_t item, sy_ms over, bool counts, sy_ms t)
{
    cum *c = &st_cums(r->i, r->st)[item];
    history *h = &r->i->histories[item];
    sy_ms from = r->st->t;
    c->was = c->sum;
    if (counts) {
        sy_err e = sy_judge__hist_add(r->j, h, from, t);
        r->err = r->err ? r->err : e;
        c->sum += t - from;
        c->grew = 1;
    }
    c->sum -= sy_judge__hist_time(h, from - over, t - over);
}

sy_ms sy_judge__cum_completes(const run *r, uint16_t item, sy_ms d, sy_ms over)
{
    const history *h = &r->i->histories[item];
    sy_ms need = d - st_cums(r->i, r->st)[item].sum;
    sy_ms at = r->st->t; /* the sum is d - need here, and grows but while a span leaves */
    if (need <= 0) {
        return SY_MS_MAX;
    }
    for (size_t k = sy_judge__hist_after(h, at - over); k < h->n; k++) {
        sy_ms free = later(h->v[k].a + over - at, 0);
        if (free >= need) {
            break;
        }
        need -= free;
        at = h->v[k].b + over;
    }
    return at + need;
}

/* The instant after which the sum is below d, if nothing counts from st.t on. */
static sy_ms falls_after(const run *r, uint16_t item, sy_ms d, sy_ms over)
{
    const history *h = &r->i->histories[item];
    sy_ms spare = st_cums(r->i, r->st)[item].sum - d, t = r->st->t;
    for (size_t k = sy_judge__hist_after(h, t - over); spare >= 0 && k < h->n; k++) {
        sy_ms a = later(h->v[k].a, t - over);
        if (spare < h->v[k].b - a) {
            return a + spare + over;
        }
        spare -= h->v[k].b - a;
    }
    return SY_MS_MAX;
}

sy_ms sy_judge__cum_falls(const run *r, uint16_t item, sy_ms d, sy_ms over)
{
    sy_ms t = falls_after(r, item, d, over);
    return t > r->st->t ? t : SY_MS_MAX;
}

bool sy_judge__cum_holds(const run *r, uint16_t item, sy_ms d, sy_ms over, bool counts)
{
    sy_ms sum = st_cums(r->i, r->st)[item].sum;
    return sum >= d && (counts || sum > d || falls_after(r, item, d, over) > r->st->t);
}

void sy_judge__cum_outcome(const run *r, uint16_t item, sy_ms over, sy_ms t, outcome *o)
{
    const cum *c = &st_cums(r->i, r->st)[item];
    const history *h = &r->i->histories[item];
    const point_log *l = &r->j->logs[r->i->point];
    sy_ms lo = later(t - over, c->since);
    size_t k = sy_judge__hist_after(h, lo);
    o->onset = k < h->n ? later(h->v[k].a, lo) : t;
    o->counted = c->sum;
    for (uint32_t q = sy_judge__log_after(l, o->onset - 1); q < l->n; q++) {
        const entry *e = &l->e[l->head + q];
        if (e_time(e) > t) {
            break;
        }
        if (e_seen(e, r->i->takes)) {
            figs_add(&o->figs, e->v);
        }
    }
}

bool sy_judge__opening_counts(run *r, sy_ms t)
{
    const inst *i = r->i;
    history *h = &i->histories[i->n_cums];
    size_t n = 0;
    if (h->n > 0 && t - h->v[h->n - 1].a < i->escalation.apart) {
        return false;
    }
    sy_err e = sy_judge__hist_add(r->j, h, t, t);
    r->err = r->err ? r->err : e;
    for (size_t k = h->n; k > 0 && h->v[k - 1].a > t - i->escalation.window; k--) {
        n++;
    }
    return (int64_t)n >= i->escalation.times;
}

void sy_judge__histories_cut(inst *i, sy_ms t)
{
    for (uint32_t k = 0; k < i->n_histories; k++) {
        /* openings from before this rule was in force are another's: they stand */
        bool openings = k >= i->n_cums && i->from != SY_MS_NONE;
        sy_judge__hist_cut(&i->histories[k], openings ? later(t, i->from - 1) : t);
    }
}

/* Up to where a history is asked for by a state at t. */
sy_ms sy_judge__history_needed(const inst *i, uint32_t k, sy_ms t)
{
    return t == SY_MS_NONE ? t : t - i->horizons[k];
}
