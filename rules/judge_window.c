/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows that slide over the log of a point.
 *
 * What a window keeps covers the entries [first, end) of the log, which are those in (lo, hi]. It
 * is moved by adding what comes in and taking away what goes out: exact sums and ranks in either
 * direction, extremes and time-weighted sums forward. Where that is not possible it is built again.
 * An entry counts the same when it comes as when it goes, or the window is built again.
 */
#include "rules/judge_core.h"
#include "rules/judge_run.h"

static const double h_over_r = 83144.0 / 8.314462618; /* of mean kinetic temperature, in kelvin */
static const double no_number = (double)__builtin_nanf("");
static const double freezing = 273.15, loud = 6; /* images are 1 here, to keep their digits */

double sy_judge__image(sy_agg_kind agg, double v, double factor, double offset)
{
    double x;
    if (agg == SY_AGG_KINETIC) {
        double kelvin = v * factor + offset + freezing;
        x = kelvin > 0 ? sy_judge__exp(h_over_r * (1 / freezing - 1 / kelvin)) : 0;
    } else {
        x = sy_judge__exp10(v / 10 - loud);
    }
    return sy_judge__summable(x) ? x : 1099511627775.0;
}

double sy_judge__preimage(sy_agg_kind agg, double mean, double factor, double offset)
{
    if (!(mean > 0)) {
        return no_number;
    }
    if (agg == SY_AGG_KINETIC) {
        return (1 / (1 / freezing - sy_judge__ln(mean) / h_over_r) - freezing - offset) / factor;
    }
    return 10 * (sy_judge__lg(mean) + loud);
}

uint32_t sy_judge__rank_of(double p, uint32_t n)
{
    double at = p * n / 100;
    uint32_t k = (uint32_t)at;
    k += k < at;
    return k == 0 ? 0 : k - 1;
}

double sy_judge__middle(double a, double b)
{
    sy_i128 sum = sy_judge__fixed(a, SUM_BITS) + sy_judge__fixed(b, SUM_BITS);
    return sy_judge__unfixed(sum, SUM_BITS) / 2;
}

static bool weighed(const window *w)
{
    return w->agg == SY_AGG_KINETIC || w->agg == SY_AGG_SOUND_LEVEL;
}

static bool extreme_kind(const window *w)
{
    return w->agg == SY_AGG_HIGHEST || w->agg == SY_AGG_LOWEST || w->agg == SY_AGG_SPREAD;
}

static const point_log *log_of(const run *r, const window *w)
{
    return &r->j->logs[r->i->slots[w->slot].point];
}

static const entry *at(const point_log *l, uint64_t k)
{
    return &l->e[l->head + (uint32_t)(k - l->gone)];
}

/* Valid or not, it would count. */
static bool fits(const run *r, const window *w, const entry *e)
{
    if (!sy_judge__summable(e->v)) {
        return false;
    }
    if (w->during && !sy_judge__cal_inside(w->during, e_time(e))) {
        return false;
    }
    if (w->has_while) {
        const jslot *s = &r->i->slots[w->while_slot];
        const entry *x = sy_judge__log_prev(&r->j->logs[s->point], e_time(e) + 1, r->i->takes);
        return x && x->v == w->while_value && (!s->bound || e_time(e) <= e_time(x) + s->bound);
    }
    return true;
}

bool sy_judge__counts(const run *r, const window *w, const entry *e)
{
    return e_seen(e, r->i->takes) && fits(r, w, e);
}

static sy_err push(sy_judge *j, extremes *x, extreme e, bool high)
{
    while (x->n > 0) {
        double last = x->e[(x->head + x->n - 1) % x->cap].v;
        if (high ? last > e.v : last < e.v) {
            break;
        }
        x->n--;
    }
    if (x->n == x->cap) {
        size_t cap = x->cap * 2 + 16;
        extreme *to = j->o.alloc.resize(j->o.alloc.ctx, NULL, cap * sizeof *to);
        if (!to) {
            return SY_E_NOMEM;
        }
        for (size_t k = 0; k < x->n; k++) {
            to[k] = x->e[(x->head + k) % x->cap];
        }
        j->o.alloc.resize(j->o.alloc.ctx, x->e, 0);
        j->bytes += (cap - x->cap) * sizeof *to;
        x->e = to;
        x->cap = cap;
        x->head = 0;
    }
    x->e[(x->head + x->n++) % x->cap] = e;
    return SY_OK;
}

static void shift_out(extremes *x, sy_ms t)
{
    if (x->n > 0 && x->e[x->head].t <= t) {
        x->head = (x->head + 1) % x->cap;
        x->n--;
    }
}

static sy_i128 weight(const window *w, const entry *e, sy_ms to)
{
    double x = sy_judge__image((sy_agg_kind)w->agg, e->v, w->factor, w->offset);
    return sy_judge__fixed(x, WEIGHT_BITS) * sooner(to - e_time(e), w->missing);
}

/* An entry that counts joins the window, at its end unless the window does without order. */
static void add(run *r, window *w, const entry *e)
{
    sy_err err = SY_OK;
    size_t grown = 0;
    if (weighed(w)) {
        if (w->count > 0) {
            w->sum += weight(w, &w->latest, e_time(e));
            w->held += sooner(e_time(e) - e_time(&w->latest), w->missing);
        }
        w->latest = *e;
    } else if (extreme_kind(w)) {
        extreme x = {e_time(e), e->v};
        err = w->agg == SY_AGG_LOWEST ? SY_OK : push(r->j, &w->high, x, true);
        err = err || w->agg == SY_AGG_HIGHEST ? err : push(r->j, &w->low, x, false);
    } else if (w->agg == SY_AGG_PERCENTILE || w->agg == SY_AGG_MEDIAN) {
        err = sy_judge__rank_add(&w->order, r->j->o.alloc, e->v, &grown);
        r->j->bytes += grown;
    } else if (w->agg != SY_AGG_RATE) {
        w->sum += sy_judge__fixed(e->v, SUM_BITS);
    }
    w->count++;
    r->err = err ? err : r->err;
}

/* The k-th entry leaves; w->first is behind it already where it leaves at the front. */
static void take_away(run *r, window *w, const entry *e)
{
    w->count--;
    if (weighed(w)) {
        const point_log *l = log_of(r, w);
        uint64_t k = w->first;
        while (w->count > 0 && !sy_judge__counts(r, w, at(l, k))) {
            k++;
        }
        if (w->count > 0) {
            w->sum -= weight(w, e, e_time(at(l, k)));
            w->held -= sooner(e_time(at(l, k)) - e_time(e), w->missing);
        }
    } else if (extreme_kind(w)) {
        shift_out(&w->high, e_time(e));
        shift_out(&w->low, e_time(e));
    } else if (w->agg == SY_AGG_PERCENTILE || w->agg == SY_AGG_MEDIAN) {
        sy_judge__rank_remove(&w->order, e->v);
    } else if (w->agg != SY_AGG_RATE) {
        w->sum -= sy_judge__fixed(e->v, SUM_BITS);
    }
}

static void begin(const point_log *l, window *w, sy_ms lo)
{
    w->ready = true;
    w->lo = w->hi = lo;
    w->first = w->end = l->gone + sy_judge__log_after(l, lo);
    w->count = 0;
    w->sum = 0;
    w->held = 0;
    w->high.n = w->low.n = 0;
    sy_judge__rank_clear(&w->order);
}

/* Whether the order of coming and going is all the same. */
static bool commutes(const window *w)
{
    return !weighed(w) && !extreme_kind(w);
}

static void move(run *r, window *w, sy_ms lo, sy_ms hi)
{
    const point_log *l = log_of(r, w);
    uint64_t all = l->gone + l->n;
    bool back = hi < w->hi;
    if (!w->ready || (back && !commutes(w)) || lo >= w->hi || hi <= w->lo || w->first < l->gone) {
        begin(l, w, lo);
    }
    while (w->end < all && e_time(at(l, w->end)) <= hi) {
        const entry *e = at(l, w->end++);
        if (sy_judge__counts(r, w, e)) {
            add(r, w, e);
        }
    }
    while (w->end > w->first && e_time(at(l, w->end - 1)) > hi) {
        const entry *e = at(l, --w->end);
        if (sy_judge__counts(r, w, e)) {
            take_away(r, w, e);
        }
    }
    while (w->first < w->end && e_time(at(l, w->first)) <= lo) {
        const entry *e = at(l, w->first++);
        if (sy_judge__counts(r, w, e)) {
            take_away(r, w, e);
        }
    }
    while (w->first > l->gone && e_time(at(l, w->first - 1)) > lo) {
        const entry *e = at(l, --w->first);
        if (sy_judge__counts(r, w, e)) {
            add(r, w, e);
        }
    }
    w->lo = lo;
    w->hi = hi;
    w->ready = !r->err;
}

static bool rate(const run *r, const window *w, double *out)
{
    const point_log *l = log_of(r, w);
    uint64_t a = w->first, b = w->end - 1;
    while (!sy_judge__counts(r, w, at(l, a))) {
        a++;
    }
    while (!sy_judge__counts(r, w, at(l, b))) {
        b--;
    }
    if (a == b) {
        return false;
    }
    *out = (at(l, b)->v - at(l, a)->v) / (double)(e_time(at(l, b)) - e_time(at(l, a)));
    return true;
}

/* So much is there that the window is known. */
static bool enough(const window *w)
{
    if (w->count < 1) {
        return false;
    }
    sy_ms inside = w->during ? sy_judge__cal_time(w->during, w->lo, w->hi) : w->length;
    if (weighed(w)) {
        return w->held > 0 && (double)w->held * 100 >= w->valid * (double)inside;
    }
    sy_ms expected = w->every ? inside / w->every : 0;
    return (double)w->count * 100 >= w->valid * (double)expected;
}

bool sy_judge__window(run *r, window *w, sy_ms u, double *out)
{
    uint32_t n;
    move(r, w, u - w->length, u);
    if (r->err || !enough(w)) {
        return false;
    }
    n = (uint32_t)w->count;
    switch ((sy_agg_kind)w->agg) {
    case SY_AGG_HIGHEST:
        *out = w->high.e[w->high.head].v;
        break;
    case SY_AGG_LOWEST:
        *out = w->low.e[w->low.head].v;
        break;
    case SY_AGG_SPREAD:
        *out = w->high.e[w->high.head].v - w->low.e[w->low.head].v;
        break;
    case SY_AGG_RATE:
        return rate(r, w, out);
    case SY_AGG_TOTAL:
        *out = sy_judge__unfixed(w->sum, SUM_BITS);
        break;
    case SY_AGG_KINETIC:
    case SY_AGG_SOUND_LEVEL:
        *out = sy_judge__preimage((sy_agg_kind)w->agg,
                                  sy_judge__unfixed(w->sum, WEIGHT_BITS) / (double)w->held,
                                  w->factor, w->offset);
        break;
    case SY_AGG_PERCENTILE:
        *out = sy_judge__rank_at(&w->order, sy_judge__rank_of(w->rank, n));
        break;
    case SY_AGG_MEDIAN:
        *out = sy_judge__middle(sy_judge__rank_at(&w->order, (n - 1) / 2),
                                sy_judge__rank_at(&w->order, n / 2));
        break;
    case SY_AGG_MEAN:
    case SY_AGG_HOURLY_MEAN:
    case SY_AGG_DAILY_MEAN:
    default:
        *out = sy_judge__unfixed(w->sum, SUM_BITS) / n;
        break;
    }
    return true;
}

/* The entry has become what it is now; it had the same value before, or was not taken. */
static void patch(run *r, window *w, const entry *e, const added *what)
{
    bool was = ((unsigned)r->i->takes >> what->was) & 1u,
         is = ((unsigned)r->i->takes >> what->is) & 1u;
    if (what->was == E_ABSENT) {
        w->end++;
        w->first += e_time(e) <= w->lo;
    }
    if (e_time(e) <= w->lo || was == is || !fits(r, w, e)) {
        return;
    }
    if (was) {
        take_away(r, w, e);
    } else {
        add(r, w, e);
    }
}

sy_err sy_judge__windows_disturb(sy_judge *j, inst *i, uint32_t slot, sy_ms t, const added *what)
{
    run r = {.j = j, .i = i};
    const point_log *l = &j->logs[i->slots[slot].point];
    for (uint32_t k = 0; k < i->n_samples; k++) {
        i->memos[k].u = t <= i->memos[k].u ? SY_MS_NONE : i->memos[k].u;
        i->memos[k].at = t <= i->memos[k].at ? SY_MS_NONE : i->memos[k].at;
    }
    for (uint32_t k = 0; k < i->n_windows; k++) {
        window *w = &i->windows[k];
        if (!w->ready || t > w->hi) {
            continue;
        }
        if (w->has_while && w->while_slot == slot) {
            w->ready = false;
        } else if (w->slot == slot && commutes(w)) {
            patch(&r, w, &l->e[l->head + sy_judge__log_after(l, t) - 1], what);
            w->ready = !r.err;
        } else if (w->slot == slot) {
            w->ready = false;
        }
    }
    return r.err;
}

void sy_judge__windows_forget(inst *i)
{
    for (uint32_t k = 0; k < i->n_windows; k++) {
        i->windows[k].ready = false;
    }
    for (uint32_t k = 0; k < i->n_samples; k++) {
        i->memos[k].u = i->memos[k].at = SY_MS_NONE;
    }
}

void sy_judge__windows_free(sy_judge *j, inst *i)
{
    for (uint32_t k = 0; k < i->n_windows; k++) {
        window *w = &i->windows[k];
        j->o.alloc.resize(j->o.alloc.ctx, w->high.e, 0);
        j->o.alloc.resize(j->o.alloc.ctx, w->low.e, 0);
        sy_judge__rank_fini(&w->order, j->o.alloc);
    }
}
