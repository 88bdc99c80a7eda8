/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions as three-valued signals over event time.
 *
 * Between two neighbouring elementary instants every signal is constant; so a condition has a value
 * for the open stretch and one for the instant that ends it, before and after the readings of that
 * instant (a timer due at t runs before a reading at t). Further kinds of signal (aggregates,
 * events) are further kinds of leaf here.
 */
#include "rules/judge_core.h"
#include "rules/judge_run.h"
#include "rules/judge_value.h"

/* Equal up to 1e-9 relative, so that 46.4 degF is 8 degC. */
static bool equal(double a, double b)
{
    double d = a > b ? a - b : b - a;
    double x = a < 0 ? -a : a;
    double y = b < 0 ? -b : b;
    return d <= 1e-9 * (x > y ? x : y);
}

static double in_unit(const node *n, const sy_unit *to, double v)
{
    return to ? sy_unit_convert(v, n->from, to) : v;
}

bool sy_judge__compare(sy_op op, double xa, double a, double xb, double b)
{
    switch (op) {
    case SY_OP_ABOVE:
        return xa > a && !equal(xa, a);
    case SY_OP_BELOW:
        return xa < a && !equal(xa, a);
    case SY_OP_AT_LEAST:
        return xa > a || equal(xa, a);
    case SY_OP_AT_MOST:
        return xa < a || equal(xa, a);
    case SY_OP_OUTSIDE:
    case SY_OP_WITHIN: {
        bool out = (xa < a && !equal(xa, a)) || (xb > b && !equal(xb, b));
        return out == (op == SY_OP_OUTSIDE);
    }
    case SY_OP_IS:
    case SY_OP_NO_DATA:
    case SY_OP_STUCK:
    case SY_OP_EXPOSURE_ABOVE:
    case SY_OP_EXPOSURE_BELOW:
    case SY_OP_DUE_WITHIN:
    case SY_OP_OVERDUE:
    default:
        return xa == a;
    }
}

/* A reading that is over range. */
static bool is_over(double v)
{
    return v > 1.7976931348623157e308;
}

bool sy_judge__test(const node *n, double v, sy_ms t)
{
    if (is_over(v)) {
        return n->op == SY_OP_ABOVE || n->op == SY_OP_AT_LEAST || n->op == SY_OP_OUTSIDE;
    }
    double x = in_unit(n, n->ua, v), a = n->a, b = n->b;
    if (n->dated) {
        a = limit_at(n->dated->a, n->dated->n_a, t);
        b = n->dated->b ? limit_at(n->dated->b, n->dated->n_b, t) : 0;
    }
    bool two = n->op == SY_OP_OUTSIDE || n->op == SY_OP_WITHIN;
    return sy_judge__compare((sy_op)n->op, x, a, two ? in_unit(n, n->ub, v) : 0, b);
}

sy_ms sy_judge__silent_at(const run *r, const node *n, sy_ms base)
{
    calendar *during = n->level < 0 ? NULL : r->i->levels[n->level].during;
    return during ? sy_judge__cal_reach(during, base, n->d) : base + n->d;
}

/* The instant at which silence is due, judged at t (what came after t does not count), and from
 * where it is counted. */
sy_ms sy_judge__silent_from(const run *r, const node *n, sy_ms t, sy_ms *base)
{
    const sy_judge *j = r->j;
    sy_ms b = later(later(st_slots(r->st)[n->slot].t, j->o.start), r->i->from);
    for (size_t k = 0; k < j->n_restarts; k++) {
        if (j->restarts[k].off < t) {
            b = later(b, j->restarts[k].at);
        }
    }
    *base = b;
    return sy_judge__silent_at(r, n, b);
}

static const entry *next_of(const run *r, uint32_t slot)
{
    const point_log *l = &r->j->logs[r->i->slots[slot].point];
    uint32_t k = r->j->next[slot];
    if (k >= l->n || e_time(&l->e[l->head + k]) > r->j->now) {
        return NULL;
    }
    return &l->e[l->head + k];
}

static tri compare_stretch(const run *r, const node *n)
{
    const slot_state *s = &st_slots(r->st)[n->slot];
    const entry *e = s->t == SY_MS_NONE ? NULL : next_of(r, n->slot);
    if (!e || e_time(e) - s->t > r->i->slots[n->slot].missing) {
        return UNKNOWN3;
    }
    bool a = sy_judge__test(n, s->v, s->t);
    return a != sy_judge__test(n, e_value(e), e_time(e)) ? UNKNOWN3 : (a ? TRUE3 : FALSE3);
}

static tri state_stretch(const run *r, const node *n)
{
    const slot_state *s = &st_slots(r->st)[n->slot];
    sy_ms bound = r->i->slots[n->slot].bound;
    if (s->t == SY_MS_NONE || (bound && s->t + bound <= r->st->t)) {
        return UNKNOWN3;
    }
    return s->v == n->a ? TRUE3 : FALSE3;
}

static tri thresh(const run *r, const node *n, const uint8_t *v)
{
    uint32_t yes = 0, no = 0;
    for (uint32_t k = 0; k < n->n_kids; k++) {
        tri x = (tri)v[r->i->kids[n->kid + k]];
        yes += x == TRUE3;
        no += x == FALSE3;
    }
    if (yes >= n->k) {
        return TRUE3;
    }
    return n->n_kids - no < n->k ? FALSE3 : UNKNOWN3;
}

/* A hold inside a condition, at t or over the stretch after it. What it measured before a run of
 * the unknown that was too long is nothing, once its condition is known. */
static tri held(const run *r, const node *n, const uint8_t *v, sy_ms t)
{
    tri x = (tri)v[r->i->kids[n->kid]];
    const measure *m = &st_measures(r->i, r->st)[n->item];
    bool stale = x != UNKNOWN3 && m->unk_since != SY_MS_NONE && t - m->unk_since > run_limit(n->d);
    bool reached = (stale ? 0 : m->counted) >= n->d;
    return reached ? x : FALSE3;
}

/* A cumulative hold, at st.t or over the stretch after it. */
static tri summed(run *r, const node *n, const uint8_t *v, bool open)
{
    tri x = (tri)v[r->i->kids[n->kid]];
    bool holds = st_cums(r->i, r->st)[n->item].sum >= n->d;
    if (holds && open && x == TRUE3) {
        bool counts = sy_judge__counting(r, n->level, false) == COUNTS;
        holds = sy_judge__cum_holds(r, n->item, n->d, n->gap, counts);
    }
    return x == UNKNOWN3 ? UNKNOWN3 : (holds ? x : FALSE3);
}

tri sy_judge__inner(const run *r, const node *n, const uint8_t *v, sy_ms t)
{
    switch ((node_kind)n->kind) {
    case N_NOT:
        return (tri)(TRUE3 - v[r->i->kids[n->kid]]);
    case N_THRESH:
        return thresh(r, n, v);
    case N_HOLD:
        return held(r, n, v, t);
    case N_CMP:
    case N_IS:
    case N_NODATA:
    case N_CUM:
    case N_SAMPLE:
    case N_CLOSE:
    case N_DUE:
    case N_CURVE:
    case N_FOLLOW:
    default:
        return UNKNOWN3;
    }
}

/* A condition with a calendar window has a value at its closes alone. */
static void only_at_closes(const root *c, uint8_t *v, bool now)
{
    if (c->closes && !now) {
        v[c->last] = UNKNOWN3;
    }
}

void sy_judge__eval_stretch(run *r, const root *c)
{
    uint8_t *v = r->j->seg;
    sy_ms base;
    for (uint32_t k = c->first; k <= c->last; k++) {
        const node *n = &r->i->nodes[k];
        if (n->kind == N_CMP) {
            v[k] = (uint8_t)compare_stretch(r, n);
        } else if (n->kind == N_IS) {
            v[k] = (uint8_t)state_stretch(r, n);
        } else if (n->kind == N_SAMPLE) {
            v[k] = (uint8_t)sy_judge__sample_stretch(r, &r->i->samples[n->item]);
        } else if (n->kind == N_NODATA) {
            bool silent = r->st->t != SY_MS_NONE &&
                          sy_judge__silent_from(r, n, r->st->t + 1, &base) <= r->st->t;
            v[k] = silent ? TRUE3 : FALSE3;
        } else if (n->kind == N_CUM) {
            v[k] = (uint8_t)summed(r, n, v, true);
        } else if (n->p) {
            v[k] = (uint8_t)sy_judge__phrase(r, n, v, r->st->t, true);
        } else {
            v[k] = (uint8_t)sy_judge__inner(r, n, v, r->st->t);
        }
    }
    only_at_closes(c, v, false);
}

/* At a close: what stands beside a calendar window is as in the stretch that ends there. */
static void eval_close(run *r, const root *c, sy_ms t)
{
    uint8_t *v = r->j->at;
    for (uint32_t k = c->first; k <= c->last; k++) {
        const node *n = &r->i->nodes[k];
        if (n->kind == N_CLOSE) {
            v[k] = (uint8_t)sy_judge__close(r, n, t);
        } else if (n->kind == N_NOT || n->kind == N_THRESH) {
            v[k] = (uint8_t)sy_judge__inner(r, n, v, t);
        } else {
            v[k] = r->j->seg[k];
        }
    }
    only_at_closes(c, v, sy_judge__any_closes_at(r, c, t));
}

void sy_judge__eval_before(run *r, const root *c, sy_ms t)
{
    if (c->closes) {
        eval_close(r, c, t);
        return;
    }
    uint8_t *v = r->j->at;
    sy_ms base;
    for (uint32_t k = c->first; k <= c->last; k++) {
        const node *n = &r->i->nodes[k];
        if (n->kind == N_CMP || n->kind == N_IS || n->kind == N_SAMPLE) {
            v[k] = r->j->seg[k];
        } else if (n->kind == N_NODATA) {
            v[k] = sy_judge__silent_from(r, n, t, &base) <= t ? TRUE3 : FALSE3;
        } else if (n->kind == N_CUM) {
            v[k] = (uint8_t)summed(r, n, v, false);
        } else if (n->p) {
            v[k] = (uint8_t)sy_judge__phrase(r, n, v, t, false);
        } else {
            v[k] = (uint8_t)sy_judge__inner(r, n, v, t);
        }
    }
}

void sy_judge__eval_at(run *r, const root *c, sy_ms t)
{
    uint8_t *v = r->j->at;
    sy_ms base;
    for (uint32_t k = c->first; k <= c->last; k++) {
        const node *n = &r->i->nodes[k];
        const slot_state *s = &st_slots(r->st)[n->slot];
        if (n->kind == N_CMP || n->kind == N_IS) {
            v[k] = s->t != t ? r->j->seg[k] : (sy_judge__test(n, s->v, t) ? TRUE3 : FALSE3);
        } else if (n->kind == N_SAMPLE) {
            const sample_state *x = &st_samples(r->i, r->st)[n->item];
            v[k] = x->t != t ? r->j->seg[k] : (uint8_t)x->v;
        } else if (n->kind == N_NODATA) {
            v[k] = sy_judge__silent_from(r, n, t, &base) <= t ? TRUE3 : FALSE3;
        } else if (n->kind == N_CUM) {
            v[k] = (uint8_t)summed(r, n, v, false);
        } else if (n->p) {
            v[k] = (uint8_t)sy_judge__phrase(r, n, v, t, false);
        } else {
            v[k] = (uint8_t)sy_judge__inner(r, n, v, t);
        }
    }
    only_at_closes(c, v, false);
}
