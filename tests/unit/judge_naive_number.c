/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's numbers: which one is in force where and when, in which unit, and what a
 * comparison makes of it. Time of the premises.
 */
#include "judge_naive_world.h"

#include <math.h>
#include <string.h>

const sy_site_premises *naive_premises(const world *w)
{
    const sy_site *s = w->c->site;
    return &s->premises[s->places[point(w, (int)w->c->driver)->place].premises];
}

sy_ms naive_time(const world *w, int g)
{
    return w->c->t0 + g * w->c->tick;
}

int64_t naive_day(const world *w, int g)
{
    return sy_zone_day(naive_premises(w)->zone, naive_time(w, g));
}

int naive_tick_of(const world *w, sy_ms t)
{
    sy_ms d = t - w->c->t0, tick = w->c->tick;
    return (int)(d >= 0 ? (d + tick - 1) / tick : -(-d / tick));
}

const sy_unit *naive_unit(const world *w, int p)
{
    return point(w, p)->unit ? sy_unit_by_id(point(w, p)->unit) : NULL;
}

static bool same_text(sy_span s, const char *text)
{
    return text && s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

/* 3: tuned at the series, 2: at the place, 1: at the premises, 0: not here. */
static int nearness(const world *w, const sy_tuning *t)
{
    const sy_site *s = w->c->site;
    const sy_site_point *p = point(w, (int)w->c->driver);
    const sy_site_place *l = &s->places[p->place];
    const char *premises = s->premises[l->premises].id;
    size_t n = strlen(premises);
    if (same_text(t->at, p->series)) {
        return 3;
    }
    if (same_text(t->at, l->id) ||
        (t->at.n > n + 1 && memcmp(t->at.p, premises, n) == 0 && t->at.p[n] == '/' &&
         same_text((sy_span){t->at.p + n + 1, t->at.n - n - 1}, l->id))) {
        return 2;
    }
    return same_text(t->at, premises) ? 1 : 0;
}

const sy_num *naive_num(const world *w, const sy_value *v, int g)
{
    const sy_site_premises *s = naive_premises(w);
    const sy_tuning *best = NULL;
    if (v->num) {
        return v->num;
    }
    if (v->set->n_dates > 0) {
        size_t k = 0;
        while (k + 1 < v->set->n_dates &&
               naive_day(w, g) >= sy_days_of(v->set->dates[k + 1].from)) {
            k++;
        }
        return v->set->dates[k].num;
    }
    for (size_t k = 0; k < w->set->n_tunings; k++) {
        const sy_tuning *t = w->set->tunings[k];
        int near = t->set->order == v->set->order ? nearness(w, t) : 0; /* one rule in the set */
        if (near > 0 && (!best || near >= nearness(w, best))) {
            best = t;
        }
    }
    if (best && (!best->has_until || naive_day(w, g) <= sy_days_of(best->until))) {
        return best->num;
    }
    return sy_value_num(v, s->tiers, s->n_tiers);
}

double naive_ms(const world *w, const sy_value *v, int g)
{
    const sy_num *n = naive_num(w, v, g);
    return sy_unit_convert(n->value, n->unit, sy_unit_by_id("ms"));
}

int naive_ticks(const world *w, const sy_value *v, int g)
{
    return (int)lround(naive_ms(w, v, g) / (double)w->c->tick);
}

bool naive_close_to(double a, double b)
{
    return isfinite(a) && isfinite(b) && fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

/* q in the unit of a limit. */
static double converted(naive_quantity q, const sy_num *n)
{
    const sy_unit *to = n->unit;
    if (!isfinite(q.x) || !q.unit || !to) {
        return q.kind == RATE && n->time ? q.x * sy_unit_convert(1, n->time, sy_unit_by_id("ms"))
                                         : q.x;
    }
    if (q.kind == PLAIN) {
        return sy_unit_convert(q.x, q.unit, to);
    }
    if (q.kind == DIFFERENCE) {
        return q.x * q.unit->factor / to->factor;
    }
    if (n->time) {
        return q.x * q.unit->factor / to->factor * sy_unit_convert(1, n->time, sy_unit_by_id("ms"));
    }
    return q.x * 3600000 * q.unit->factor / to->factor; /* K/h is the base of its tag */
}

static bool limit(const world *w, const sy_value *v, naive_quantity q, int g, double *x,
                  double *lim)
{
    if (v->let) {
        naive_quantity l = naive_let_at(w, v->let, g, false);
        *x = q.unit && l.unit ? sy_unit_convert(q.x, q.unit, l.unit) : q.x;
        *lim = l.x;
        return !isnan(l.x);
    }
    const sy_num *n = naive_num(w, v, g);
    *x = converted(q, n);
    *lim = n->value;
    return true;
}

static bool less(double a, double b)
{
    return a < b && !naive_close_to(a, b);
}

/* The uncertainty in the unit of the limit. */
static double doubt(const world *w, const sy_value *v, naive_quantity q, int g, double u)
{
    const sy_unit *to = v->let ? v->let->sum->unit : naive_num(w, v, g)->unit;
    return u > 0 && q.unit && to ? u * q.unit->factor / to->factor : u;
}

int naive_compare(const world *w, const sy_cond *c, naive_quantity q, int g, double u)
{
    double x, a, y = 0, b = 0;
    bool range = c->op == SY_OP_OUTSIDE || c->op == SY_OP_WITHIN;
    if (isnan(q.x) || !limit(w, &c->a, q, g, &x, &a) || (range && !limit(w, &c->b, q, g, &y, &b))) {
        return U;
    }
    double ua = doubt(w, &c->a, q, g, u), ub = range ? doubt(w, &c->b, q, g, u) : 0;
    switch (c->op) {
    case SY_OP_ABOVE:
        return less(a + ua, x) ? T : F;
    case SY_OP_BELOW:
        return less(x, a - ua) ? T : F;
    case SY_OP_AT_LEAST:
        return less(x, a + ua) ? F : T;
    case SY_OP_AT_MOST:
        return less(a - ua, x) ? F : T;
    case SY_OP_OUTSIDE:
        return less(x, a - ua) || less(b + ub, y) ? T : F;
    case SY_OP_WITHIN:
        return less(x, a + ua) || less(b - ub, y) ? F : T;
    case SY_OP_IS:
    case SY_OP_NO_DATA:
    case SY_OP_STUCK:
    case SY_OP_EXPOSURE_ABOVE:
    case SY_OP_EXPOSURE_BELOW:
    case SY_OP_DUE_WITHIN:
    case SY_OP_OVERDUE:
    default:
        return U;
    }
}
