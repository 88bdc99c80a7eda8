/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Phrases that are more than a comparison.
 *
 * Stuck and exposure are functions of the log at a reading (samples). A curve keeps when its state
 * began and the verdict of each deadline that has passed; a follow keeps when A began and what B
 * did since. Both are advanced through the same moments as the naive reading of the reference would
 * take: the open stretch after an instant, the instant before its readings, the instant with them.
 */
#include "rules/judge_core.h"
#include "rules/judge_run.h"

static const point_log *log_of(const run *r, uint16_t slot)
{
    return &r->j->logs[r->i->slots[slot].point];
}

/* |a - b| small beside them: as in comparisons. */
static bool near(double a, double b)
{
    double d = a > b ? a - b : b - a, x = a < 0 ? -a : a, y = b < 0 ? -b : b;
    return d <= 1e-9 * (x > y ? x : y);
}

typedef struct bounds {
    double lo, hi;
    uint32_t n;
    bool gap; /* neighbours too far apart */
} bounds;

/* The readings of a slot in [from, u]. */
static bounds bounds_of(const run *r, uint16_t slot, sy_ms from, sy_ms u, sy_ms missing)
{
    const point_log *l = log_of(r, slot);
    bounds b = {0};
    sy_ms last = SY_MS_NONE;
    for (uint32_t k = sy_judge__log_after(l, from - 1); k < l->n; k++) {
        const entry *e = &l->e[l->head + k];
        sy_ms t = e_time(e);
        if (t > u) {
            break;
        }
        if (!e_seen(e, r->i->takes)) {
            continue;
        }
        b.gap = b.gap || (b.n > 0 && t - last > missing);
        b.lo = b.n == 0 || e->v < b.lo ? e->v : b.lo;
        b.hi = b.n == 0 || e->v > b.hi ? e->v : b.hi;
        b.n++;
        last = t;
    }
    return b;
}

static bool moves(const run *r, uint16_t slot, const bounds *b)
{
    double step = r->j->o.site->points[r->i->slots[slot].point].resolution;
    double by = b->hi - b->lo;
    return step != step ? b->hi != b->lo : by >= step || near(by, step);
}

tri sy_judge__stuck(const run *r, const sample *s, sy_ms u)
{
    const phrase *p = s->p;
    const uint16_t *slots = &r->i->kids[s->kid];
    const entry *first = sy_judge__log_prev(log_of(r, slots[0]), u - p->d + 1, r->i->takes);
    bounds own = bounds_of(r, slots[0], first ? e_time(first) : u - p->d, u, p->missing);
    bool unknown = own.gap || !first;
    tri x = unknown ? UNKNOWN3 : moves(r, slots[0], &own) ? FALSE3 : TRUE3;
    tri other = UNKNOWN3;
    if (!p->others_move) {
        return x;
    }
    for (uint32_t k = 1; k <= s->n_more && other != TRUE3; k++) {
        bounds b = bounds_of(r, slots[k], u - p->d, u, 0);
        if (b.n >= 2) {
            other = moves(r, slots[k], &b) ? TRUE3 : FALSE3;
        }
    }
    return x < other ? x : other;
}

/* Of the last readings up to u; a gap starts anew. */
tri sy_judge__count_of(const run *r, const sample *s, sy_ms u)
{
    const phrase *p = s->p;
    const point_log *l = log_of(r, r->i->kids[s->kid]);
    uint32_t yes = 0, no = 0;
    sy_ms next = SY_MS_NONE;
    for (uint32_t k = sy_judge__log_after(l, u); k > 0 && yes + no < p->of; k--) {
        const entry *e = &l->e[l->head + k - 1];
        if (!e_seen(e, r->i->sees)) {
            continue;
        }
        if (next != SY_MS_NONE && next - e_time(e) > p->missing) {
            break;
        }
        if (sy_judge__test(&p->test, e_value(e), e_time(e))) {
            yes++;
        } else {
            no++;
        }
        next = e_time(e);
    }
    if (yes >= p->n) {
        return TRUE3;
    }
    return no > p->of - p->n ? FALSE3 : UNKNOWN3;
}

/* What lies beyond the limit between two readings (x0, x1 above it), in unit × ms. */
static double area(double x0, double x1, double ms)
{
    if (x0 <= 0 && x1 <= 0) {
        return 0;
    }
    if (x0 >= 0 && x1 >= 0) {
        return (x0 + x1) / 2 * ms;
    }
    double top = x0 > x1 ? x0 : x1, by = x1 > x0 ? x1 - x0 : x0 - x1;
    return top * top / (2 * by) * ms;
}

enum { AREA_BITS = 20 };

/* The segment from one reading to another, from `start` on, as a multiple of 2^-20. */
static sy_i128 segment(const phrase *p, const entry *from, const entry *to, sy_ms start)
{
    double sign = p->below ? -1 : 1, length = (double)(e_time(to) - e_time(from));
    double x0 = sign * (from->v - p->limit), x1 = sign * (to->v - p->limit);
    x0 += (x1 - x0) * (double)(start - e_time(from)) / length;
    double a = area(x0, x1, (double)(e_time(to) - start));
    return sy_judge__summable(a) ? sy_judge__fixed(a, AREA_BITS) : 0;
}

/* Whole segments of neighbours at most missing apart: begun in [from, before), ended by `until`. */
static sy_i128 segments(const run *r, const sample *s, sy_ms from, sy_ms before, sy_ms until)
{
    const point_log *l = log_of(r, r->i->kids[s->kid]);
    const entry *last = NULL;
    sy_i128 sum = 0;
    for (uint32_t k = sy_judge__log_after(l, from - 1); k < l->n; k++) {
        const entry *e = &l->e[l->head + k];
        if (e_time(e) > until || (last && e_time(last) >= before)) {
            break;
        }
        if (!e_seen(e, r->i->takes)) {
            continue;
        }
        if (last && e_time(e) - e_time(last) <= s->p->missing) {
            sum += segment(s->p, last, e, e_time(last));
        }
        last = e;
    }
    return sum;
}

/* The window moves on by what comes in and what goes out; what it has kept is built again where the
 * log has changed within it. */
tri sy_judge__exposure(const run *r, const sample *s, sy_ms u)
{
    const phrase *p = s->p;
    const point_log *l = log_of(r, r->i->kids[s->kid]);
    memo *m = &r->i->memos[s - r->i->samples];
    sy_ms cut = u - p->d;
    if (m->at == SY_MS_NONE || m->at > u || m->at <= cut) {
        m->sum = segments(r, s, cut, SY_MS_MAX, u);
    } else if (m->at < u) {
        const entry *last = sy_judge__log_prev(l, m->at + 1, r->i->takes);
        m->sum -= segments(r, s, m->at - p->d, cut, m->at);
        m->sum += segments(r, s, last && e_time(last) >= cut ? e_time(last) : cut, SY_MS_MAX, u);
    }
    m->at = u;
    sy_i128 sum = m->sum;
    const entry *from = sy_judge__log_prev(l, cut, r->i->takes);
    const entry *to = sy_judge__log_next(l, cut - 1, r->i->takes);
    if (from && to && e_time(to) > cut && e_time(to) <= u &&
        e_time(to) - e_time(from) <= p->missing) {
        sum += segment(p, from, to, cut);
    }
    double x = sy_judge__unfixed(sum, AREA_BITS);
    return x > p->most && !near(x, p->most) ? TRUE3 : FALSE3;
}

/* ---- deadlines from the start of a state ---- */

static int64_t verdict(const run *r, const phrase *p, const node *n, sy_ms begun, uint32_t k)
{
    const deadline *d = &p->deadlines[k];
    const point_log *l = log_of(r, n->slot);
    sy_ms end = begun + d->within, last = SY_MS_NONE;
    for (uint32_t q = sy_judge__log_after(l, begun - 1); q < l->n; q++) {
        const entry *e = &l->e[l->head + q];
        if (e_time(e) > end) {
            break;
        }
        if (!e_seen(e, r->i->sees)) {
            continue;
        }
        if (sy_judge__test(&d->test, e_value(e), e_time(e))) {
            return 1 + FALSE3;
        }
        last = e_time(e);
    }
    return 1 + (last == SY_MS_NONE || last <= end - p->missing ? UNKNOWN3 : TRUE3);
}

static void curve_at(run *r, const node *n, sy_ms t)
{
    const phrase *p = n->p;
    curve_state *c = &st_curves(r->i, r->st)[n->item];
    const slot_state *s = &st_slots(r->st)[p->state_slot];
    if (s->t == t) {
        bool begins = s->v == p->state && !(c->known && c->last == p->state);
        c->begun = begins ? t : s->v == p->state ? c->begun : SY_MS_NONE;
        c->verdicts = begins || s->v != p->state ? 0 : c->verdicts;
        c->last = s->v;
        c->known = 1;
    }
    for (uint32_t k = 0; c->begun != SY_MS_NONE && k < p->n_deadlines; k++) {
        if ((c->verdicts >> (2 * k) & 3) == 0 && t >= c->begun + p->deadlines[k].within) {
            c->verdicts |= verdict(r, p, n, c->begun, k) << (2 * k);
        }
    }
}

static tri curve(const run *r, const node *n)
{
    const curve_state *c = &st_curves(r->i, r->st)[n->item];
    tri best = FALSE3;
    for (uint32_t k = 0; k < n->p->n_deadlines; k++) {
        int64_t v = c->verdicts >> (2 * k) & 3;
        best = v > (int64_t)best + 1 ? (tri)(v - 1) : best;
    }
    return best;
}

/* ---- what follows what ---- */

static tri follow(const node *n, follow_state *f, tri a, tri b, sy_ms t, bool after)
{
    sy_ms end;
    if (a == TRUE3 && f->last_a != TRUE3) {
        f->begun = t;
        f->over = f->unknown = f->came = 0;
    }
    f->last_a = a == UNKNOWN3 ? f->last_a : (int64_t)a;
    if (f->begun == SY_MS_NONE) {
        return n->p->never || (a != UNKNOWN3 && b != UNKNOWN3) ? FALSE3 : UNKNOWN3;
    }
    end = f->begun + n->d;
    bool within = after ? t < end : t <= end;
    if (!n->p->never) {
        f->on = b == TRUE3 && within ? 1 : a == FALSE3 && b == FALSE3 ? 0 : f->on;
        return a == UNKNOWN3 || b == UNKNOWN3 ? UNKNOWN3 : f->on ? TRUE3 : FALSE3;
    }
    if (within) {
        f->unknown |= b == UNKNOWN3;
        f->came |= b == TRUE3;
    }
    if (t >= end && (b == TRUE3 || a == FALSE3)) {
        f->over = 1;
    }
    if (t < end || f->over || f->came) {
        return FALSE3;
    }
    return f->unknown ? UNKNOWN3 : TRUE3;
}

tri sy_judge__phrase(run *r, const node *n, const uint8_t *v, sy_ms t, bool after)
{
    if (n->kind == N_DUE) {
        return t >= n->p->from ? TRUE3 : FALSE3;
    }
    if (n->kind == N_CURVE) {
        return curve(r, n);
    }
    follow_state f = st_follows(r->i, r->st)[n->item];
    const uint16_t *kids = &r->i->kids[n->kid];
    return follow(n, &f, (tri)v[kids[0]], (tri)v[kids[1]], t, after);
}

void sy_judge__follows(run *r, const root *c, const uint8_t *v, sy_ms t, bool after)
{
    for (uint32_t k = c->first; k <= c->last && r->i->n_follows; k++) {
        const node *n = &r->i->nodes[k];
        if (n->kind == N_FOLLOW) {
            const uint16_t *kids = &r->i->kids[n->kid];
            (void)follow(n, &st_follows(r->i, r->st)[n->item], (tri)v[kids[0]], (tri)v[kids[1]], t,
                         after);
        }
    }
}

void sy_judge__curves_at(run *r, sy_ms t)
{
    for (uint32_t k = 0; k < r->i->n_nodes && r->i->n_curves; k++) {
        if (r->i->nodes[k].kind == N_CURVE) {
            curve_at(r, &r->i->nodes[k], t);
        }
    }
}

sy_ms sy_judge__phrase_timer(const run *r)
{
    sy_ms t = r->st->t, best = SY_MS_MAX;
    for (uint32_t k = 0; k < r->i->n_nodes; k++) {
        const node *n = &r->i->nodes[k];
        if (n->kind == N_DUE && n->p->from > t) {
            best = sooner(best, n->p->from);
        } else if (n->kind == N_FOLLOW) {
            follow_state f = st_follows(r->i, r->st)[n->item];
            const uint16_t *kids = &r->i->kids[n->kid];
            if (t != SY_MS_NONE) { /* it may begin with the open stretch */
                (void)follow(n, &f, (tri)r->j->seg[kids[0]], (tri)r->j->seg[kids[1]], t, true);
            }
            if (f.begun != SY_MS_NONE && f.begun + n->d > t) {
                best = sooner(best, f.begun + n->d);
            }
        } else if (n->kind == N_CURVE) {
            const curve_state *c = &st_curves(r->i, r->st)[n->item];
            for (uint32_t q = 0; c->begun != SY_MS_NONE && q < n->p->n_deadlines; q++) {
                sy_ms end = c->begun + n->p->deadlines[q].within;
                best = end > t ? sooner(best, end) : best;
            }
        }
    }
    return best;
}
