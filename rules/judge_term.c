/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derived quantities at an instant, and samples: comparisons of them between two instants.
 */
#include "rules/judge_core.h"
#include "rules/judge_run.h"
#include "rules/judge_value.h"

static const double no_number = (double)__builtin_nanf("");

/* The latest reading of a slot at u, not older than its bound; NULL: none. */
const entry *sy_judge__latest(const run *r, uint32_t slot, sy_ms u, sy_ms missing)
{
    const entry *e = sy_judge__log_prev(&r->j->logs[r->i->slots[slot].point], u + 1, r->i->takes);
    return e && (missing == 0 || u - e_time(e) <= missing) ? e : NULL;
}

static double table(const term *t, double x)
{
    const table_row *p = t->points;
    size_t k = 0;
    if (x != x) {
        return x;
    }
    while (k < t->n_rows && p[k].x < x) {
        k++;
    }
    if (k == 0 || k == t->n_rows) {
        return p[k ? k - 1 : 0].y;
    }
    return p[k - 1].y + (p[k].y - p[k - 1].y) * ((x - p[k - 1].x) / (p[k].x - p[k - 1].x));
}

/* The nearest rank, or the middle of an even number, by insertion into the order so far. */
static double ordered(const run *r, const term *t, const double *v)
{
    double *x = r->j->order;
    uint32_t n = t->n_kids;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t at = k;
        double one = v[r->i->kids[t->kid + k]];
        for (; at > 0 && x[at - 1] > one; at--) {
            x[at] = x[at - 1];
        }
        x[at] = one;
    }
    if (t->agg == SY_AGG_PERCENTILE) {
        return x[sy_judge__rank_of(t->k, n)];
    }
    return sy_judge__middle(x[(n - 1) / 2], x[n / 2]);
}

static double across(const run *r, const term *t, const double *v)
{
    double high = v[r->i->kids[t->kid]], low = high;
    sy_i128 sum = 0, energy = 0;
    for (uint32_t k = 0; k < t->n_kids; k++) {
        double x = v[r->i->kids[t->kid + k]];
        if (!sy_judge__summable(x)) { /* unknown, too */
            return no_number;
        }
        high = x > high ? x : high;
        low = x < low ? x : low;
        sum += sy_judge__fixed(x, SUM_BITS);
        if (t->agg == SY_AGG_SOUND_LEVEL) {
            energy += sy_judge__fixed(sy_judge__image(SY_AGG_SOUND_LEVEL, x, 1, 0), WEIGHT_BITS);
        }
    }
    switch ((sy_agg_kind)t->agg) {
    case SY_AGG_HIGHEST:
        return high;
    case SY_AGG_LOWEST:
        return low;
    case SY_AGG_SPREAD:
        return high - low;
    case SY_AGG_TOTAL:
        return sy_judge__unfixed(sum, SUM_BITS);
    case SY_AGG_PERCENTILE:
    case SY_AGG_MEDIAN:
        return ordered(r, t, v);
    case SY_AGG_SOUND_LEVEL:
        return sy_judge__preimage(SY_AGG_SOUND_LEVEL,
                                  sy_judge__unfixed(energy, WEIGHT_BITS) / t->n_kids, 1, 0);
    case SY_AGG_MEAN:
    case SY_AGG_HOURLY_MEAN:
    case SY_AGG_DAILY_MEAN:
    case SY_AGG_KINETIC:
    case SY_AGG_RATE:
    default:
        return sy_judge__unfixed(sum, SUM_BITS) / t->n_kids;
    }
}

static double window_at(run *r, const term *t, sy_ms u)
{
    window *w = &r->i->windows[t->a];
    const entry *e = sy_judge__latest(r, w->slot, u, t->missing);
    double v;
    return e && sy_judge__window(r, w, e_time(e), &v) ? v : no_number;
}

static double point_at(const run *r, const term *t, sy_ms u, bool event)
{
    const entry *e = sy_judge__latest(r, t->a, u, t->missing);
    if (event && e && r->i->slots[t->a].member && e_time(e) != u) {
        e = NULL;
    }
    return e ? e->v : no_number;
}

static double term_at(run *r, const term *t, const double *v, sy_ms u, bool event)
{
    switch ((term_kind)t->kind) {
    case T_CONST:
        return t->k;
    case T_DATED:
        return limit_at(t->rows, (uint32_t)t->n_rows, u);
    case T_POINT:
        return point_at(r, t, u, event);
    case T_WINDOW:
        return window_at(r, t, u);
    case T_ACROSS:
        return across(r, t, v);
    case T_TABLE:
        return table(t, v[t->a]);
    case T_CONVERT:
        return sy_unit_convert(v[t->a], t->from, t->to);
    case T_SCALE:
        return v[t->a] * t->k;
    case T_ADD:
        return v[t->a] + v[t->b];
    case T_SUB:
        return v[t->a] - v[t->b];
    case T_MUL:
        return v[t->a] * v[t->b];
    case T_DIV:
    default:
        return v[t->b] == 0 ? no_number : v[t->a] / v[t->b];
    }
}

/* Unknown is not a number, and so is what is not finite; each operation hands that on. */
static tri derived(run *r, const sample *s, sy_ms u, bool event)
{
    double *v = r->j->terms;
    for (uint32_t k = 0; k < s->n_needs; k++) {
        uint16_t at = r->i->kids[s->needs + k];
        double x = term_at(r, &r->i->terms[at], v, u, event);
        v[at] = x - x == 0 ? x : no_number;
    }
    bool two = s->op == SY_OP_OUTSIDE || s->op == SY_OP_WITHIN;
    double xa = v[s->xa], a = v[s->a], xb = two ? v[s->xb] : 0, b = two ? v[s->b] : 0;
    if (xa != xa || a != a || xb != xb || b != b) {
        return UNKNOWN3;
    }
    return sy_judge__compare((sy_op)s->op, xa, a, xb, b) ? TRUE3 : FALSE3;
}

tri sy_judge__sample(run *r, const sample *s, sy_ms u, bool event)
{
    memo *m = &r->i->memos[s - r->i->samples];
    if (event) {
        return derived(r, s, u, true);
    }
    if (m->u != u) {
        tri v = s->kind == S_STUCK      ? sy_judge__stuck(r, s, u)
                : s->kind == S_EXPOSURE ? sy_judge__exposure(r, s, u)
                : s->kind == S_COUNT    ? sy_judge__count_of(r, s, u)
                                        : derived(r, s, u, false);
        if (r->err) {
            return UNKNOWN3;
        }
        m->u = u;
        m->v = v;
    }
    return (tri)m->v;
}

/* The kinds of entries at which it has a value. */
static unsigned looks(const inst *i, const sample *s)
{
    return s->kind == S_COUNT ? i->sees : i->takes;
}

/* The next instant that has come, SY_MS_MAX: none. */
static sy_ms next_instant(const run *r, const sample *s)
{
    sy_ms best = SY_MS_MAX;
    for (uint32_t k = 0; k < s->n_slots; k++) {
        uint16_t slot = r->i->kids[s->kid + k];
        const point_log *l = &r->j->logs[r->i->slots[slot].point];
        uint32_t n = r->j->next[slot];
        while (n < l->n && !e_seen(&l->e[l->head + n], looks(r->i, s))) {
            n++;
        }
        if (n < l->n && e_time(&l->e[l->head + n]) <= r->j->now) {
            best = sooner(best, e_time(&l->e[l->head + n]));
        }
    }
    return best;
}

tri sy_judge__sample_stretch(run *r, const sample *s)
{
    const sample_state *x = &st_samples(r->i, r->st)[s - r->i->samples];
    sy_ms u = x->t == SY_MS_NONE || x->v == UNKNOWN3 ? SY_MS_MAX : next_instant(r, s);
    if (u == SY_MS_MAX || u - x->t > s->missing) {
        return UNKNOWN3;
    }
    return sy_judge__sample(r, s, u, false) == (tri)x->v ? (tri)x->v : UNKNOWN3;
}

void sy_judge__samples_at(run *r, sy_ms t)
{
    for (uint32_t k = 0; k < r->i->n_samples; k++) {
        const sample *s = &r->i->samples[k];
        bool now = false;
        if (s->event) {
            continue;
        }
        for (uint32_t q = 0; q < s->n_slots && !now; q++) {
            const slot_state *x = &st_slots(r->st)[r->i->kids[s->kid + q]];
            now = x->t == t && (s->kind == S_COUNT || x->v - x->v == 0); /* over range: compared */
        }
        if (now) {
            tri v = sy_judge__sample(r, s, t, false);
            st_samples(r->i, r->st)[k] = (sample_state){.t = t, .v = v};
        }
    }
}

void sy_judge__samples_begin(run *r)
{
    for (uint32_t k = 0; k < r->i->n_samples && r->st->t != SY_MS_NONE; k++) {
        const sample *s = &r->i->samples[k];
        sy_ms last = SY_MS_NONE;
        for (uint32_t q = 0; q < s->n_slots; q++) {
            uint16_t slot = r->i->kids[s->kid + q];
            const entry *e = sy_judge__latest(r, slot, r->st->t, 0);
            last = e ? later(last, e_time(e)) : last;
        }
        if (last != SY_MS_NONE) {
            tri v = sy_judge__sample(r, s, last, false);
            st_samples(r->i, r->st)[k] = (sample_state){.t = last, .v = v};
        }
    }
}

sy_ms sy_judge__samples_before(const sy_judge *j, const inst *i, uint32_t slot, sy_ms t)
{
    sy_ms need = SY_MS_MAX;
    for (uint32_t k = 0; k < i->n_samples; k++) {
        const sample *s = &i->samples[k];
        sy_ms last = SY_MS_NONE;
        bool rests = false;
        if (s->event) {
            continue;
        }
        for (uint32_t q = 0; q < (uint32_t)s->n_slots + s->n_more; q++) {
            uint16_t at = i->kids[s->kid + q];
            rests = rests || at == slot;
            const entry *e = q < s->n_slots
                                 ? sy_judge__log_prev(&j->logs[i->slots[at].point], t, looks(i, s))
                                 : NULL;
            last = e ? later(last, e_time(e)) : last;
        }
        if (rests && last != SY_MS_NONE && t - last <= s->missing) {
            need = sooner(need, last);
        }
    }
    return need;
}
