/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive judge. Leaf signals are tabulated for every second and the stretch after it from the
 * whole stream; exempt stretches are merged beforehand; then one pass walks the seconds and the
 * tree of the rule itself.
 */
#include "judge_naive.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { F = 0, U = 1, T = 2, NEVER = -1000000, MEASURES = 64, STRETCHES = 1024, CLAUSES = 16 };
enum { PRE, AT, AFTER }; /* before the readings of a second, with them, the stretch that follows */

typedef struct hold {
    const sy_cond *c;
    int slot; /* level, or -1 for the clear condition; 100 + level: known false */
    int counted, first, unknown, exempt, unknown_since;
    long total, total_at_reading;
} hold;

typedef struct used { /* exemption clause of a level */
    int level, times, each;
    int from[STRETCHES], to[STRETCHES], n;
    bool used[STRETCHES];
} used;

typedef struct world {
    const naive_case *c;
    /* valid readings: value by point and second, NAN where there is none */
    double v[NAIVE_POINTS][NAIVE_SECONDS + 1];
    int prev[NAIVE_POINTS][NAIVE_SECONDS + 1]; /* latest reading at or before */
    int next[NAIVE_POINTS][NAIVE_SECONDS + 1]; /* earliest at or after */
    bool mine[NAIVE_POINTS];                   /* the instance watches it */
    int from, to;
    hold holds[MEASURES];
    int n_holds;
    used clauses[CLAUSES];
    int n_clauses;
    int level; /* whose exemptions act on the holds that are looked at */
    bool open[4], blocked[4];
    int opened_at[4];
    int was[5]; /* value of the stretch before: levels, then the clear condition */
} world;

static int seconds(const sy_num *n)
{
    return (int)lround(sy_unit_convert(n->value, n->unit, sy_unit_by_id("s")));
}

static int sec(const sy_value *v)
{
    return seconds(sy_value_num(v, NULL, 0));
}

static const sy_site_point *point(const world *w, int p)
{
    return &w->c->site->points[p];
}

static int missing(const world *w, int p)
{
    const sy_value *m = w->c->rule->missing_after;
    return m ? sec(m) : (int)(3 * point(w, p)->every / 1000);
}

static void tabulate(world *w)
{
    const naive_case *c = w->c;
    int np = (int)c->site->n_points;
    for (int p = 0; p < np; p++) {
        bool good[NAIVE_SECONDS + 1] = {false}, clash[NAIVE_SECONDS + 1] = {false};
        for (int g = 0; g <= c->now; g++) {
            w->v[p][g] = NAN;
        }
        for (size_t k = 0; k < c->n; k++) {
            const naive_reading *r = &c->readings[k];
            if ((int)r->point != p || r->at > c->now || (r->quality & SY_Q_GRADE) == SY_Q_BAD) {
                continue;
            }
            clash[r->at] = clash[r->at] || (!isnan(w->v[p][r->at]) && r->value != w->v[p][r->at]);
            good[r->at] = good[r->at] || (r->quality & SY_Q_GRADE) == SY_Q_GOOD;
            w->v[p][r->at] = r->value;
        }
        for (int g = 0; g <= c->now; g++) {
            w->v[p][g] = good[g] && !clash[g] ? w->v[p][g] : NAN;
        }
        int last = NEVER;
        for (int g = 0; g <= c->now; g++) {
            last = isnan(w->v[p][g]) ? last : g;
            w->prev[p][g] = last;
        }
        last = -NEVER;
        for (int g = c->now; g >= 0; g--) {
            last = isnan(w->v[p][g]) ? last : g;
            w->next[p][g] = last;
        }
    }
}

static bool named(const world *w, int p, const sy_name *n)
{
    return strcmp(point(w, p)->quantity, n->word->id) == 0;
}

static bool close_to(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

static int compare(const sy_cond *c, double x)
{
    double a = sy_value_num(&c->a, NULL, 0)->value;
    double b = c->b.num || c->b.set ? sy_value_num(&c->b, NULL, 0)->value : 0;
    bool lo = x < a && !close_to(x, a), hi = x > a && !close_to(x, a);
    bool out = lo || (x > b && !close_to(x, b));
    switch (c->op) {
    case SY_OP_ABOVE:
        return hi ? T : F;
    case SY_OP_BELOW:
        return lo ? T : F;
    case SY_OP_AT_LEAST:
        return lo ? F : T;
    case SY_OP_AT_MOST:
        return hi ? F : T;
    case SY_OP_OUTSIDE:
        return out ? T : F;
    case SY_OP_WITHIN:
        return out ? F : T;
    case SY_OP_IS:
    case SY_OP_NO_DATA:
    default:
        fail();
        return F;
    }
}

/* From where silence of p is counted, with the readings before (or at) second g. */
static int silence_base(const world *w, int p, int g, bool with_g)
{
    int last = with_g ? w->prev[p][g] : (g > 0 ? w->prev[p][g - 1] : NEVER);
    int base = last > 0 ? last : 0;
    return base > w->from ? base : w->from;
}

static int silence_length(const world *w, const sy_cond *c, int p)
{
    return c->hold.kind == SY_HOLD_FOR ? sec(&c->hold.length) : missing(w, p);
}

static int leaf(const world *w, const sy_cond *c, int p, int g, int when)
{
    if (c->op == SY_OP_NO_DATA) {
        return g >= silence_base(w, p, g, when != PRE) + silence_length(w, c, p) ? T : F;
    }
    if (c->op == SY_OP_IS) {
        int last = when == PRE ? (g > 0 ? w->prev[p][g - 1] : NEVER) : w->prev[p][g];
        int bound = (int)(3 * point(w, p)->every / 1000);
        if (last == NEVER || (bound && (when == AFTER ? g >= last + bound : g > last + bound))) {
            return U;
        }
        return w->v[p][last] == c->state ? T : F;
    }
    if (when == AT && !isnan(w->v[p][g])) {
        return compare(c, w->v[p][g]);
    }
    int a = when == AFTER ? w->prev[p][g] : (g > 0 ? w->prev[p][g - 1] : NEVER);
    int b = when == AFTER ? (g < w->c->now ? w->next[p][g + 1] : -NEVER) : w->next[p][g];
    if (a == NEVER || b == -NEVER || b - a > missing(w, p)) {
        return U;
    }
    int x = compare(c, w->v[p][a]);
    return x == compare(c, w->v[p][b]) ? x : U;
}

static hold *hold_of(world *w, const sy_cond *c, int slot)
{
    for (int k = 0; k < w->n_holds; k++) {
        if (w->holds[k].c == c && w->holds[k].slot == slot) {
            return &w->holds[k];
        }
    }
    hold *h = &w->holds[w->n_holds++];
    assert_true(w->n_holds < MEASURES);
    *h = (hold){.c = c, .slot = slot, .first = NEVER, .unknown_since = NEVER};
    return h;
}

static int value(world *w, const sy_cond *c, int g, int when, bool outermost);

static int inner_value(world *w, const sy_cond *c, int g, int when)
{
    int yes = 0, no = 0, n = 0, need;
    if (c->kind == SY_COND_NOT) {
        return 2 - value(w, c->kids[0], g, when, false);
    }
    if (c->kind != SY_COND_TEST) {
        for (size_t k = 0; k < c->n_kids; k++, n++) {
            int x = value(w, c->kids[k], g, when, false);
            yes += x == T;
            no += x == F;
        }
        need = c->kind == SY_COND_OR ? 1 : n;
    } else {
        if (c->pick == SY_PICK_ONE && named(w, (int)w->c->driver, &c->operand)) {
            return leaf(w, c, (int)w->c->driver, g, when);
        }
        for (int p = 0; p < (int)w->c->site->n_points; p++) {
            if (named(w, p, &c->operand)) {
                int x = leaf(w, c, p, g, when);
                yes += x == T;
                no += x == F;
                n++;
            }
        }
        need = c->pick == SY_PICK_ALL ? n : c->pick == SY_PICK_COUNT ? (int)c->pick_n : 1;
    }
    return yes >= need ? T : (n - no < need ? F : U);
}

static bool has_hold(const sy_cond *c)
{
    return c->hold.kind == SY_HOLD_FOR && !(c->kind == SY_COND_TEST && c->op == SY_OP_NO_DATA);
}

static int value(world *w, const sy_cond *c, int g, int when, bool outermost)
{
    int x = inner_value(w, c, g, when);
    if (outermost || !has_hold(c)) {
        return x;
    }
    return hold_of(w, c, w->level)->counted >= sec(&c->hold.length) ? x : F;
}

static void forget(hold *h)
{
    h->counted = h->unknown = h->exempt = 0;
    h->first = h->unknown_since = NEVER;
}

static void known_from(hold *h, int g, int length)
{
    int limit = length > 86400 ? length : 86400;
    if (h->unknown_since != NEVER && g - h->unknown_since > limit) {
        forget(h);
    }
    h->unknown_since = NEVER;
}

/* One second (g, g+1) with value x. */
static void second(hold *h, int x, int g, int length, bool exempt)
{
    if (x == F) {
        forget(h);
    } else if (x == U) {
        h->unknown_since = h->unknown_since == NEVER ? g : h->unknown_since;
        h->unknown += h->first != NEVER;
    } else {
        known_from(h, g, length);
        if (exempt) {
            h->exempt += h->first != NEVER;
        } else {
            h->first = h->first == NEVER ? g : h->first;
            h->counted++;
            h->total++;
        }
    }
}

static void at_instant(hold *h, int x, int g, int length)
{
    if (x == F) {
        forget(h);
    } else if (x == T) {
        known_from(h, g, length);
    } else if (h->unknown_since == NEVER) {
        h->unknown_since = g;
    }
}

/* Exemptions */

static bool state_on(const world *w, const sy_except *x, int g)
{
    for (int p = 0; p < (int)w->c->site->n_points; p++) {
        int last = w->prev[p][g], bound = (int)(3 * point(w, p)->every / 1000);
        if (named(w, p, &x->state) && last != NEVER && w->v[p][last] == x->value &&
            (!bound || g < last + bound)) {
            return true;
        }
    }
    return false;
}

static void find_stretches(world *w)
{
    for (int l = 0; l < (int)w->c->rule->n_alerts; l++) {
        const sy_alert_clause *a = &w->c->rule->alerts[l];
        for (size_t k = 0; k < a->n_excepts; k++) {
            used *u = &w->clauses[w->n_clauses++];
            assert_true(w->n_clauses < CLAUSES);
            u->level = l;
            u->times = (int)a->excepts[k].times->value;
            u->each = sec(&a->excepts[k].each);
            for (int g = 0; g <= w->c->now; g++) {
                if (!state_on(w, &a->excepts[k], g)) {
                    continue;
                }
                if (u->n > 0 && g - u->to[u->n - 1] < 5) {
                    u->to[u->n - 1] = g + 1; /* it went on, or only fluttered */
                } else {
                    assert_true(u->n < STRETCHES);
                    u->from[u->n] = g;
                    u->to[u->n++] = g + 1;
                }
            }
            for (int q = 0; q < u->n; q++) {
                int end = u->from[q] + sec(&a->excepts[k].each);
                u->to[q] = u->to[q] < end ? u->to[q] : end;
            }
        }
    }
}

static int day_of(const world *w, int g)
{
    return (int)((w->c->t0 / 1000 + g) / 86400);
}

/* Does (g, g+1), or the instant g, lie in exempt time? Use up what acts. */
static bool exempt_at(world *w, int level, int g, bool use)
{
    bool any = false;
    for (int k = 0; k < w->n_clauses; k++) {
        used *u = &w->clauses[k];
        for (int q = 0; u->level == level && q < u->n; q++) {
            int spent = 0;
            if (g < u->from[q] || g >= u->to[q]) {
                continue;
            }
            for (int e = 0; e < q; e++) {
                spent += u->used[e] && day_of(w, u->from[e]) == day_of(w, u->from[q]);
            }
            if (u->used[q] || spent < u->times) {
                any = true;
                u->used[q] = u->used[q] || use;
            }
        }
    }
    return any;
}

/* Exempt up to the instant g, before its readings. */
static bool exempt_before(world *w, int level, int g)
{
    bool any = false;
    for (int k = 0; k < w->n_clauses; k++) {
        used *u = &w->clauses[k];
        for (int q = 0; u->level == level && q < u->n; q++) {
            int end = u->from[q] + u->each, spent = 0;
            if (g <= u->from[q] || g > u->to[q] || g >= end) {
                continue;
            }
            for (int e = 0; e < q; e++) {
                spent += u->used[e] && day_of(w, u->from[e]) == day_of(w, u->from[q]);
            }
            any = any || u->used[q] || spent < u->times;
        }
    }
    return any;
}

/* Walking the tree */

static bool nested_counts(world *w, const sy_cond *c, int g, bool outermost)
{
    if (!outermost && has_hold(c) && inner_value(w, c, g, AFTER) == T) {
        return true;
    }
    for (size_t k = 0; k < c->n_kids; k++) {
        if (nested_counts(w, c->kids[k], g, false)) {
            return true;
        }
    }
    return false;
}

/* Values of the whole tree are those before this second is counted: take them first. */
typedef struct pending {
    hold *h;
    int x, length;
} pending;

static int gather(world *w, const sy_cond *c, int g, int when, bool outermost, pending *list, int n)
{
    for (size_t k = 0; k < c->n_kids; k++) {
        n = gather(w, c->kids[k], g, when, false, list, n);
    }
    if (!outermost && has_hold(c)) {
        list[n++] =
            (pending){hold_of(w, c, w->level), inner_value(w, c, g, when), sec(&c->hold.length)};
    }
    return n;
}

static bool silent_kind(const sy_cond *c)
{
    return c->kind == SY_COND_TEST && c->op == SY_OP_NO_DATA;
}

static int longest(const sy_cond *c, bool outermost)
{
    int best = !outermost && has_hold(c) ? sec(&c->hold.length) : 0;
    for (size_t k = 0; k < c->n_kids; k++) {
        int x = longest(c->kids[k], false);
        best = x > best ? x : best;
    }
    return best;
}

static int clear_length(const sy_cond *c)
{
    return has_hold(c) ? sec(&c->hold.length) : longest(c, true);
}

static bool compares(const sy_cond *c)
{
    if (c->kind == SY_COND_TEST) {
        return c->op != SY_OP_IS && c->op != SY_OP_NO_DATA;
    }
    for (size_t k = 0; k < c->n_kids; k++) {
        if (compares(c->kids[k])) {
            return true;
        }
    }
    return false;
}

/* The stretch (g, g+1). */
static void pass_second(world *w, int g)
{
    const sy_rule *r = w->c->rule;
    pending list[MEASURES];
    for (int l = 0; l < (int)r->n_alerts; l++) {
        w->level = l;
        w->was[l] = inner_value(w, r->alerts[l].when, g, AFTER);
    }
    w->level = -1;
    w->was[4] = r->clear ? inner_value(w, r->clear, g, AFTER) : U;
    if (g < w->from || g >= w->to) {
        return;
    }
    for (int l = 0; l < (int)r->n_alerts; l++) {
        const sy_cond *c = r->alerts[l].when;
        w->level = l;
        int x = inner_value(w, c, g, AFTER);
        bool matters = (has_hold(c) && x == T) || nested_counts(w, c, g, true);
        bool exempt = matters && exempt_at(w, l, g, true);
        int n = gather(w, c, g, AFTER, true, list, 0);
        for (int k = 0; k < n; k++) {
            second(list[k].h, list[k].x, g, list[k].length, exempt);
        }
        if (has_hold(c)) {
            second(hold_of(w, c, l), x, g, sec(&c->hold.length), exempt);
        }
        if (!r->clear && !silent_kind(c) && clear_length(c) > 0) {
            second(hold_of(w, c, 100 + l), 2 - x, g, clear_length(c), false);
        }
        if (x == F) {
            w->blocked[l] = false;
        }
    }
    if (r->clear) {
        w->level = -1;
        int x = inner_value(w, r->clear, g, AFTER);
        int n = gather(w, r->clear, g, AFTER, true, list, 0);
        for (int k = 0; k < n; k++) {
            second(list[k].h, list[k].x, g, list[k].length, false);
        }
        if (has_hold(r->clear)) {
            second(hold_of(w, r->clear, -1), x, g, sec(&r->clear->hold.length), false);
        }
    }
}

/* Data time of p since s: between readings at most missing-after apart. */
static int data_time(const world *w, int p, int since, int g, int gap)
{
    int sum = 0;
    for (int k = since + 1; k <= g; k++) {
        if (isnan(w->v[p][k]) || k == 0) {
            continue;
        }
        int a = w->prev[p][k - 1];
        if (a != NEVER && k - a <= gap) {
            sum += k - (a > since ? a : since);
        }
    }
    return sum;
}

static bool data_back(const world *w, const sy_cond *c, int since, int g)
{
    int n = 0, back = 0, need;
    for (int p = 0; p < (int)w->c->site->n_points; p++) {
        if (c->pick == SY_PICK_ONE && named(w, (int)w->c->driver, &c->operand) &&
            p != (int)w->c->driver) {
            continue;
        }
        if (named(w, p, &c->operand)) {
            int d = silence_length(w, c, p), gap = missing(w, p) ? missing(w, p) : d;
            back += data_time(w, p, since, g, gap) >= d;
            n++;
        }
    }
    need = c->pick == SY_PICK_ALL ? n : c->pick == SY_PICK_COUNT ? (int)c->pick_n : 1;
    return n - back < need;
}

static bool grew(const hold *h)
{
    return h->total > h->total_at_reading;
}

static bool clears(world *w, int g, bool clock)
{
    const sy_rule *r = w->c->rule;
    if (r->clear) {
        const sy_cond *c = r->clear;
        w->level = -1;
        if (clock && compares(c)) {
            return false;
        }
        int was = g > 0 ? w->was[4] : U;
        if (has_hold(c)) {
            hold *h = hold_of(w, c, -1);
            int d = sec(&c->hold.length);
            return clock ? was == T && h->counted == d
                         : inner_value(w, c, g, AT) == T && grew(h) && h->counted >= d;
        }
        return clock ? was != T && inner_value(w, c, g, PRE) == T : inner_value(w, c, g, AT) == T;
    }
    for (int l = 0; l < (int)r->n_alerts; l++) {
        if (!w->open[l]) {
            continue;
        }
        const sy_cond *c = r->alerts[l].when;
        w->level = l;
        if (silent_kind(c)) {
            return !clock && data_back(w, c, w->opened_at[l], g);
        }
        int d = clear_length(c);
        if (clock) {
            return !compares(c) && d > 0 && g > 0 && w->was[l] == F &&
                   hold_of(w, c, 100 + l)->counted == d;
        }
        return inner_value(w, c, g, AT) == F &&
               (d == 0 || (grew(hold_of(w, c, 100 + l)) && hold_of(w, c, 100 + l)->counted >= d));
    }
    return false;
}

static bool reaches(world *w, int l, int g, bool clock)
{
    const sy_cond *c = w->c->rule->alerts[l].when;
    w->level = l;
    if (silent_kind(c)) {
        return clock && inner_value(w, c, g, PRE) == T;
    }
    if (clock && compares(c)) {
        return false;
    }
    if (has_hold(c)) {
        hold *h = hold_of(w, c, l);
        int d = sec(&c->hold.length);
        return clock ? g > 0 && w->was[l] == T && h->counted == d
                     : inner_value(w, c, g, AT) == T && grew(h) && h->counted >= d;
    }
    if (clock) {
        return g > 0 && w->was[l] != T && inner_value(w, c, g, PRE) == T && !exempt_before(w, l, g);
    }
    return inner_value(w, c, g, AT) == T && !exempt_at(w, l, g, false);
}

static int base_of_silence(const world *w, const sy_cond *c, int g)
{
    int bases[NAIVE_POINTS], n = 0, all = 0, need;
    for (int p = 0; p < (int)w->c->site->n_points; p++) {
        if (!named(w, p, &c->operand) ||
            (c->pick == SY_PICK_ONE && named(w, (int)w->c->driver, &c->operand) &&
             p != (int)w->c->driver)) {
            continue;
        }
        all++;
        int b = silence_base(w, p, g, false);
        if (g < b + silence_length(w, c, p)) {
            continue;
        }
        int k = n++;
        for (; k > 0 && bases[k - 1] > b; k--) {
            bases[k] = bases[k - 1];
        }
        bases[k] = b;
    }
    need = c->pick == SY_PICK_ALL ? all : c->pick == SY_PICK_COUNT ? (int)c->pick_n : 1;
    return bases[need - 1];
}

static void begin(world *w, int l, int g, naive_alert *a)
{
    const sy_cond *c = w->c->rule->alerts[l].when;
    *a = (naive_alert){.onset = g, .raised = g, .cleared = -1, .state = SY_ALERT_ACTIVE};
    if (silent_kind(c)) {
        a->onset = base_of_silence(w, c, g);
        a->counted = g - a->onset;
    } else if (has_hold(c)) {
        hold *h = hold_of(w, c, l);
        a->onset = h->first;
        a->counted = h->counted;
        a->unknown = h->unknown;
        a->exempt = h->exempt;
    }
}

/* Openings at g; `n` alerts so far, the last may be open. Returns the new number. */
static size_t opens(world *w, int g, bool clock, naive_alert *out, size_t n)
{
    bool is_open = n > 0 && out[n - 1].cleared < 0;
    for (int l = 0; l < (int)w->c->rule->n_alerts; l++) {
        if (w->open[l] || w->blocked[l] || !reaches(w, l, g, clock)) {
            continue;
        }
        if (!is_open) {
            assert_true(n < NAIVE_ALERTS);
            begin(w, l, g, &out[n++]);
            is_open = true;
        }
        w->open[l] = true;
        w->opened_at[l] = g;
        if (w->c->rule->alerts[l].level > out[n - 1].level) {
            out[n - 1].level = w->c->rule->alerts[l].level;
        }
    }
    return n;
}

static void close_at(world *w, naive_alert *a, int g, sy_alert_state how)
{
    a->cleared = g;
    a->state = how;
    for (int l = 0; l < 4; l++) {
        w->open[l] = false;
        w->blocked[l] = true;
    }
}

static size_t at_readings(world *w, int g, bool closed, naive_alert *out, size_t n)
{
    const sy_rule *r = w->c->rule;
    pending list[MEASURES];
    for (int l = 0; l < (int)r->n_alerts; l++) {
        const sy_cond *c = r->alerts[l].when;
        w->level = l;
        int x = inner_value(w, c, g, AT), k = gather(w, c, g, AT, true, list, 0);
        for (int q = 0; q < k; q++) {
            at_instant(list[q].h, list[q].x, g, list[q].length);
        }
        if (has_hold(c)) {
            at_instant(hold_of(w, c, l), x, g, sec(&c->hold.length));
        } else if (!silent_kind(c) && x == T) {
            (void)exempt_at(w, l, g, true);
        }
        if (!r->clear && !silent_kind(c) && clear_length(c) > 0) {
            at_instant(hold_of(w, c, 100 + l), 2 - x, g, clear_length(c));
        }
    }
    if (r->clear) {
        w->level = -1;
        int x = inner_value(w, r->clear, g, AT);
        int k = gather(w, r->clear, g, AT, true, list, 0);
        for (int q = 0; q < k; q++) {
            at_instant(list[q].h, list[q].x, g, list[q].length);
        }
        if (has_hold(r->clear)) {
            at_instant(hold_of(w, r->clear, -1), x, g, sec(&r->clear->hold.length));
        }
    }
    if (n > 0 && out[n - 1].cleared < 0 && clears(w, g, false)) {
        close_at(w, &out[n - 1], g, SY_ALERT_CLEARED);
        closed = true;
    }
    for (int l = 0; l < (int)r->n_alerts; l++) {
        w->level = l;
        if (inner_value(w, r->alerts[l].when, g, AT) == F) {
            w->blocked[l] = false;
        }
    }
    n = closed ? n : opens(w, g, false, out, n);
    for (int k = 0; k < w->n_holds; k++) {
        w->holds[k].total_at_reading = w->holds[k].total;
    }
    return n;
}

static bool reading_at(const world *w, int g)
{
    for (int p = 0; p < (int)w->c->site->n_points; p++) {
        if (w->mine[p] && !isnan(w->v[p][g])) {
            return true;
        }
    }
    return false;
}

static bool picked(const sy_cond *c, const sy_word *word)
{
    bool any = c->kind == SY_COND_TEST && c->pick != SY_PICK_ONE && c->operand.word == word;
    for (size_t k = 0; k < c->n_kids; k++) {
        any = any || picked(c->kids[k], word);
    }
    return any;
}

static void find_points(world *w)
{
    const sy_rule *r = w->c->rule;
    bool all = r->clear && picked(r->clear, r->watch[0].word);
    for (size_t k = 0; k < r->n_alerts; k++) {
        all = all || picked(r->alerts[k].when, r->watch[0].word);
    }
    for (int p = 0; p < (int)w->c->site->n_points; p++) {
        for (size_t k = all ? 0 : 1; k < r->n_watch; k++) {
            w->mine[p] = w->mine[p] || named(w, p, &r->watch[k]);
        }
    }
    w->mine[w->c->driver] = true;
}

static void figures(const world *w, naive_alert *a)
{
    int end = a->cleared < 0 ? w->c->now : a->cleared;
    for (int g = a->onset; g <= end; g++) {
        double x = g >= 0 ? w->v[w->c->driver][g] : NAN;
        if (isnan(x)) {
            continue;
        }
        a->min = a->count == 0 ? x : fmin(a->min, x);
        a->max = a->count == 0 ? x : fmax(a->max, x);
        a->count++;
    }
}

static int relative(const world *w, bool has, sy_date d, int plus, int otherwise)
{
    return has ? (int)((sy_days_of(d) + plus) * 86400 - w->c->t0 / 1000) : otherwise;
}

size_t naive_judge(const naive_case *c, naive_alert out[NAIVE_ALERTS])
{
    world *w = calloc(1, sizeof *w);
    size_t n = 0;
    assert_non_null(w);
    w->c = c;
    w->from = relative(w, c->rule->has_from, c->rule->from, 0, 0);
    w->to = relative(w, c->rule->has_to, c->rule->to, 1, -NEVER);
    w->from = w->from < 0 ? 0 : w->from;
    tabulate(w);
    find_points(w);
    find_stretches(w);
    for (int g = 0; g <= c->now && g <= w->to; g++) {
        bool closed = false;
        if (g > 0) {
            pass_second(w, g - 1);
        }
        if (g == w->to) {
            if (n > 0 && out[n - 1].cleared < 0) {
                close_at(w, &out[n - 1], g, SY_ALERT_SUPERSEDED);
            }
            break;
        }
        if (g < w->from) {
            continue;
        }
        if (n > 0 && out[n - 1].cleared < 0 && clears(w, g, true)) {
            close_at(w, &out[n - 1], g, SY_ALERT_CLEARED);
            closed = true;
        }
        n = closed ? n : opens(w, g, true, out, n);
        if (reading_at(w, g)) {
            n = at_readings(w, g, closed, out, n);
        }
    }
    for (size_t k = 0; k < n; k++) {
        figures(w, &out[k]);
    }
    free(w);
    return n;
}
