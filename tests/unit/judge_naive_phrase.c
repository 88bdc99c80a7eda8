/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge's further phrases: stuck, exposure, N of M readings, deadline curves, due dates,
 * and what follows what.
 */
#include "judge_naive_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Lowest and highest of the readings of p in [from, g]; their number. */
static int bounds(const world *w, int p, int from, int g, double *lo, double *hi)
{
    int n = 0;
    for (int k = from < 0 ? 0 : from; k <= g; k++) {
        double x = w->d[p][k];
        if (!isnan(x)) {
            *lo = n == 0 ? x : fmin(*lo, x);
            *hi = n == 0 ? x : fmax(*hi, x);
            n++;
        }
    }
    return n;
}

static bool differs(const world *w, int p, double lo, double hi)
{
    double step = point(w, p)->resolution;
    return isnan(step) ? hi != lo : hi - lo >= step || naive_close_to(hi - lo, step);
}

static int others(const world *w, const sy_cond *c, int from, int g)
{
    int known = 0;
    for (size_t k = 0; k < w->rule->n_watch; k++) {
        const sy_name *n = &w->rule->watch[k];
        for (int p = 0; p < n_points(w); p++) {
            double lo, hi;
            if (n->word->kind == SY_W_QUANTITY && n->word != c->operand.word && w->mine[p] &&
                naive_named(w, p, n) && bounds(w, p, from, g, &lo, &hi) >= 2) {
                known++;
                if (differs(w, p, lo, hi)) {
                    return T;
                }
            }
        }
    }
    return known > 0 ? F : U;
}

int naive_stuck(const world *w, const sy_cond *c, int p, int g)
{
    int from = g - naive_ticks(w, &c->a, g), missing = naive_missing(w, p);
    int first = from < 0 ? -1 : from, last;
    double lo = 0, hi = 0;
    bool gap = false;
    while (first >= 0 && isnan(w->d[p][first])) {
        first--; /* the last reading at or before the start begins it */
    }
    last = first;
    for (int k = first; first >= 0 && k <= g; k++) {
        if (!isnan(w->d[p][k])) {
            gap = gap || k - last > missing;
            last = k;
        }
    }
    gap = gap || first < 0;
    (void)bounds(w, p, first, g, &lo, &hi);
    int x = gap ? U : differs(w, p, lo, hi) ? F : T;
    if (!c->others_move) {
        return x;
    }
    int o = others(w, c, from, g);
    return x < o ? x : o;
}

/* What lies beyond the limit between two readings, in unit × ms; from the cut on. */
static double beyond(double x0, double x1, double ms)
{
    if (x0 <= 0 && x1 <= 0) {
        return 0;
    }
    if (x0 >= 0 && x1 >= 0) {
        return (x0 + x1) / 2 * ms;
    }
    double top = x0 > x1 ? x0 : x1;
    return top * top / (2 * fabs(x1 - x0)) * ms;
}

int naive_exposure(const world *w, const sy_cond *c, int p, int g)
{
    const double step = 1048576;
    const sy_unit *unit = naive_unit(w, p);
    const sy_num *limit = naive_num(w, &c->a, g), *most = naive_num(w, &c->b, g);
    double l =
        unit && limit->unit ? sy_unit_convert(limit->value, limit->unit, unit) : limit->value;
    double sign = c->op == SY_OP_EXPOSURE_ABOVE ? 1 : -1;
    int from = g - naive_ticks(w, &c->window, g), missing = naive_missing(w, p), last = NEVER;
    int64_t sum = 0;
    for (int k = 0; k <= g; k++) {
        if (isnan(w->d[p][k])) {
            continue;
        }
        if (last != NEVER && k > from && k - last <= missing) {
            double x0 = sign * (w->d[p][last] - l), x1 = sign * (w->d[p][k] - l);
            int start = last > from ? last : from;
            x0 += (x1 - x0) * (start - last) / (k - last);
            sum += (int64_t)rint(beyond(x0, x1, (double)((k - start) * w->c->tick)) * step);
        }
        last = k;
    }
    double a = most->value;
    a = unit && most->unit ? a * most->unit->factor / unit->factor : a;
    a = most->time ? a * sy_unit_convert(1, most->time, sy_unit_by_id("ms")) : a;
    double x = (double)sum / step;
    return x > a && !naive_close_to(x, a) ? T : F;
}

/* The table holds what each reading says; now the last M of them. */
void naive_n_of_m(const world *w, const sy_cond *c, table *t)
{
    int n = (int)c->hold.n, m = (int)c->hold.of;
    signed char own[NAIVE_TICKS + 1];
    memcpy(own, t->at, sizeof own);
    for (int g = 0; g <= w->c->now; g++) {
        int seen = 0, yes = 0, no = 0, later = g;
        if (own[g] < 0) {
            continue;
        }
        for (int k = g; k >= 0 && seen < m; k--) {
            if (own[k] < 0) {
                continue;
            }
            if (later - k > t->gap) {
                break;
            }
            seen++;
            yes += own[k] == T;
            no += own[k] == F;
            later = k;
        }
        t->at[g] = yes >= n ? T : no >= m - n + 1 ? F : U;
    }
}

/* The tick at which the state took its value, the latest at or before g; NEVER: none, or left. */
static int taken(const world *w, const sy_cond *c, int p, int g)
{
    int s = NEVER;
    double last = NAN;
    for (int k = 0; k <= g; k++) {
        double x = w->v[p][k];
        if (!isnan(x)) {
            s = x != c->state ? NEVER : last == c->state ? s : k;
            last = x;
        }
    }
    return s;
}

static int deadline(const world *w, const sy_cond *c, int p, int s, const sy_deadline *d)
{
    int end = s + naive_ticks(w, &d->within, s), last = NEVER;
    for (int k = s; k <= end && k <= w->c->now; k++) {
        sy_cond test = *c;
        test.kind = SY_COND_TEST;
        test.op = d->op;
        test.a = d->limit;
        if (!isnan(w->v[p][k])) {
            last = k;
            if (naive_compare(w, &test, (naive_quantity){w->v[p][k], naive_unit(w, p), PLAIN}, k,
                              0) == T) {
                return F;
            }
        }
    }
    return last == NEVER || last <= end - naive_missing(w, p) ? U : T;
}

/* A missed deadline counts from its instant on, with the readings of it. */
int naive_curve(const world *w, const sy_cond *c, int g, int when)
{
    int seen = when == PRE ? g - 1 : g;
    int s = taken(w, c, naive_point_of(w, &c->curve_state), seen);
    int p = naive_point_of(w, &c->operand), best = F;
    for (size_t k = 0; s != NEVER && k < c->n_deadlines; k++) {
        const sy_deadline *d = &c->deadlines[k];
        int end = s + naive_ticks(w, &d->within, s);
        int x = seen >= end ? deadline(w, c, p, s, d) : F;
        best = x > best ? x : best;
    }
    return best;
}

static const sy_site_due *due_of(const world *w, const char *what)
{
    const sy_site *s = w->c->site;
    const sy_site_point *p = point(w, (int)w->c->driver);
    const sy_site_place *l = &s->places[p->place];
    const sy_site_premises *m = &s->premises[l->premises];
    const sy_site_due *lists[3] = {p->dues, l->dues, m->dues};
    size_t n[3] = {p->n_dues, l->n_dues, m->n_dues};
    for (int i = 0; i < 3; i++) {
        for (size_t k = 0; k < n[i]; k++) {
            if (strcmp(lists[i][k].what, what) == 0) {
                return &lists[i][k];
            }
        }
    }
    fail_msg("%s", "no such date");
    return NULL;
}

int naive_due(const world *w, const sy_cond *c, int g, int when)
{
    const sy_site_due *d = due_of(w, c->operand.word->id);
    int64_t day = d->day + 1;
    (void)when;
    if (c->op == SY_OP_DUE_WITHIN) {
        day -= (int64_t)(naive_ms(w, &c->a, g) / 86400000 + 0.5);
    }
    return naive_day(w, g) >= day ? T : F;
}

static follow *follow_of(world *w, const sy_cond *c)
{
    for (int k = 0; k < w->n_follows; k++) {
        if (w->follows[k].c == c) {
            return &w->follows[k];
        }
    }
    assert_true(w->n_follows < FOLLOWS);
    follow *f = &w->follows[w->n_follows++];
    *f = (follow){.c = c, .level = w->level, .last_a = U, .begun = NEVER, .value = U};
    return f;
}

static void see(world *w, const sy_cond *c, int g, int when)
{
    for (size_t k = 0; k < c->n_kids; k++) {
        see(w, c->kids[k], g, when);
    }
    if (c->kind != SY_COND_FOLLOWED && c->kind != SY_COND_NOT_FOLLOWED) {
        return;
    }
    follow *f = follow_of(w, c);
    int a = naive_held_value(w, c->kids[0], g, when), b = naive_held_value(w, c->kids[1], g, when);
    int d = naive_ticks(w, &c->length, g);
    if (a == T && f->last_a != T) {
        f->begun = g;
        f->over = f->b_unknown = f->b_came = false;
    }
    f->last_a = a == U ? f->last_a : a;
    if (c->kind == SY_COND_FOLLOWED) {
        if (b == T && f->begun != NEVER && (when == AFTER ? g < f->begun + d : g <= f->begun + d)) {
            f->on = true;
        }
        if (a == F && b == F) {
            f->on = false;
        }
        f->value = a == U || b == U ? U : f->on ? T : F;
        return;
    }
    if (f->begun == NEVER) {
        f->value = F;
        return;
    }
    if (when == AFTER ? g < f->begun + d : g <= f->begun + d) {
        f->b_unknown = f->b_unknown || b == U;
        f->b_came = f->b_came || b == T;
    }
    if (g >= f->begun + d && (b == T || a == F)) {
        f->over = true;
    }
    f->value = g < f->begun + d || f->over || f->b_came ? F : f->b_unknown ? U : T;
}

void naive_follow_moment(world *w, int g, int when)
{
    for (int l = 0; l < (int)w->rule->n_alerts; l++) {
        w->level = l;
        see(w, w->rule->alerts[l].when, g, when);
    }
    w->level = -1;
    if (w->rule->clear) {
        see(w, w->rule->clear, g, when);
    }
}

int naive_followed(world *w, const sy_cond *c)
{
    return follow_of(w, c)->value;
}
