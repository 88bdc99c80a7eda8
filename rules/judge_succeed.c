/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New rules, or a new site, take over: readings and open alerts go on, counted time goes on where
 * the condition is judged as before, and what has no successor ends as superseded.
 *
 * A clock that is set back is a succession too, of the judge to itself: what is counted goes on as
 * it is at the new time, what was told stays as it was told.
 *
 * Instances of both judges are ordered by (rule id, series), so one pass pairs them.
 */
#include "rules/judge_alert.h"
#include "rules/judge_bind.h"
#include "rules/judge_core.h"
#include "rules/judge_log.h"
#include "rules/judge_run.h"
#include "rules/judge_value.h"

static sy_err carry_log(sy_judge *to, point_log *l, const point_log *old)
{
    for (uint32_t k = 0; k < old->n; k++) {
        const entry *e = &old->e[old->head + k];
        added what;
        sy_err err = sy_judge__log_add(to, l, e_time(e), e->v, e_kind(e), &what);
        if (err) {
            return err;
        }
    }
    return SY_OK;
}

static bool same_unit(const char *a, const char *b)
{
    return (!a && !b) || (a && b && same_text(a, b));
}

static sy_err carry_logs(sy_judge *to, const sy_judge *from)
{
    const sy_site *a = to->o.site, *b = from->o.site;
    size_t q = 0;
    for (size_t p = 0; p < a->n_points; p++) {
        while (q < b->n_points && text_order(b->points[q].series, a->points[p].series) < 0) {
            q++;
        }
        if (q == b->n_points || !same_text(b->points[q].series, a->points[p].series) ||
            !same_text(b->points[q].quantity, a->points[p].quantity) ||
            !same_unit(b->points[q].unit, a->points[p].unit)) {
            continue;
        }
        sy_err e = carry_log(to, &to->logs[p], &from->logs[q]);
        if (e) {
            return e;
        }
    }
    return SY_OK;
}

static int order(const sy_judge *x, const inst *a, const sy_judge *y, const inst *b)
{
    int c = text_order(a->rule->id, b->rule->id);
    return c ? c
             : text_order(x->o.site->points[a->point].series, y->o.site->points[b->point].series);
}

static bool same_rows(const dated *a, uint32_t n_a, const dated *b, uint32_t n_b)
{
    bool same = n_a == n_b;
    for (uint32_t k = 0; same && k < n_a; k++) {
        same = a[k].from == b[k].from && a[k].v == b[k].v;
    }
    return same;
}

static bool same_limits(const node *x, const node *y)
{
    const limits *a = x->dated, *b = y->dated;
    return x->op == y->op && x->a == y->a && x->b == y->b && !a == !b &&
           (!a || (same_rows(a->a, a->n_a, b->a, b->n_a) && same_rows(a->b, a->n_b, b->b, b->n_b)));
}

static bool same_lengths(const inst *a, const inst *b)
{
    bool same = a->n_varies == b->n_varies && a->clear.hold == b->clear.hold;
    for (uint32_t k = 0; same && k < a->n_varies; k++) {
        same = same_rows(a->varies[k].rows, a->varies[k].n, b->varies[k].rows, b->varies[k].n);
    }
    for (uint32_t k = 0; same && k < a->n_levels; k++) {
        same = a->levels[k].cond.hold == b->levels[k].cond.hold;
    }
    for (uint32_t k = 0; same && k < a->n_nodes; k++) {
        same = a->nodes[k].d == b->nodes[k].d;
    }
    return same;
}

/* Limits that change by date change in the same way. */
static bool same_dates(const inst *a, const inst *b)
{
    bool same = true;
    for (uint32_t k = 0; same && k < a->n_nodes; k++) {
        same = same_limits(&a->nodes[k], &b->nodes[k]);
    }
    return same;
}

/* The rows of a table, or the values in force. */
static bool same_table(const term *a, const term *b)
{
    if (a->kind == T_DATED) {
        return same_rows(a->rows, (uint32_t)a->n_rows, b->rows, (uint32_t)b->n_rows);
    }
    bool same = true;
    for (size_t k = 0; same && a->kind == T_TABLE && k < a->n_rows; k++) {
        same = a->points[k].x == b->points[k].x && a->points[k].y == b->points[k].y;
    }
    return same;
}

static bool same_terms(const inst *a, const inst *b)
{
    for (uint32_t k = 0; k < a->n_terms; k++) {
        const term *x = &a->terms[k], *y = &b->terms[k];
        if (x->kind != y->kind || x->a != y->a || x->b != y->b || x->k != y->k ||
            x->missing != y->missing || x->n_rows != y->n_rows || !same_table(x, y)) {
            return false;
        }
    }
    for (uint32_t k = 0; k < a->n_windows; k++) {
        const window *x = &a->windows[k], *y = &b->windows[k];
        if (x->slot != y->slot || x->length != y->length || x->valid != y->valid ||
            x->every != y->every || x->missing != y->missing) {
            return false;
        }
    }
    for (uint32_t k = 0; k < a->n_closings; k++) {
        const closing *x = &a->closings[k], *y = &b->closings[k];
        if (x->what.every != y->what.every || x->what.valid != y->what.valid ||
            x->counted != y->counted || x->times != y->times) {
            return false;
        }
    }
    return true;
}

static bool same_phrase(const phrase *x, const phrase *y)
{
    bool same = !x == !y;
    if (!same || !x) {
        return same;
    }
    same = x->d == y->d && x->missing == y->missing && x->limit == y->limit && x->most == y->most &&
           x->from == y->from && x->n == y->n && x->of == y->of && x->state_slot == y->state_slot &&
           x->n_deadlines == y->n_deadlines && same_limits(&x->test, &y->test);
    for (uint32_t k = 0; same && k < x->n_deadlines; k++) {
        same = x->deadlines[k].within == y->deadlines[k].within &&
               same_limits(&x->deadlines[k].test, &y->deadlines[k].test);
    }
    return same;
}

static bool same_phrases(const inst *a, const inst *b)
{
    bool same = true;
    for (uint32_t k = 0; same && k < a->n_nodes; k++) {
        same = same_phrase(a->nodes[k].p, b->nodes[k].p);
    }
    for (uint32_t k = 0; same && k < a->n_samples; k++) {
        same = same_phrase(a->samples[k].p, b->samples[k].p);
    }
    return same;
}

/* How long a hold or a silence is to last is no part of what has been counted. */
static bool same_nodes(const inst *a, const inst *b)
{
    for (uint32_t k = 0; k < a->n_nodes; k++) {
        const node *x = &a->nodes[k], *y = &b->nodes[k];
        if (x->kind != y->kind || x->op != y->op || x->slot != y->slot || x->k != y->k ||
            x->a != y->a || x->b != y->b || x->gap != y->gap) {
            return false;
        }
    }
    for (uint32_t k = 0; k < a->n_excepts; k++) {
        const except *x = &a->excepts[k], *y = &b->excepts[k];
        if (x->value != y->value || x->each != y->each || x->times != y->times) {
            return false;
        }
    }
    return true;
}

/* The same text judged over the same points: the state goes on as it is. */
static bool same_judgement(const sy_judge *to, const inst *a, const sy_judge *from, const inst *b)
{
    if (memcmp(a->rule->judgement_hash, b->rule->judgement_hash, 32) != 0 ||
        a->n_words != b->n_words || a->n_slots != b->n_slots || a->n_nodes != b->n_nodes ||
        a->n_levels != b->n_levels || a->n_excepts != b->n_excepts ||
        a->n_histories != b->n_histories || a->n_samples != b->n_samples ||
        a->n_terms != b->n_terms || a->n_windows != b->n_windows ||
        a->n_closings != b->n_closings || !same_terms(a, b)) {
        return false;
    }
    for (uint32_t k = 0; k < a->n_slots; k++) {
        const sy_site_point *x = &to->o.site->points[a->slots[k].point];
        const sy_site_point *y = &from->o.site->points[b->slots[k].point];
        if (!same_text(x->series, y->series) || !same_unit(x->unit, y->unit) ||
            a->slots[k].missing != b->slots[k].missing || a->slots[k].bound != b->slots[k].bound) {
            return false;
        }
    }
    return same_nodes(a, b) && same_dates(a, b) && same_phrases(a, b);
}

/* A lower level that is reached after a higher one opens, too; the alert does not show it. */
static bool was_open(const inst *b, sy_alert_level severity)
{
    bool open = false;
    for (uint32_t k = 0; k < b->n_levels; k++) {
        open = open || (b->levels[k].severity == severity && st_levels(b, b->cur)[k].open);
    }
    return open;
}

/* The alert goes on under the new text; its time is counted anew. */
static void take_alert(inst *a, const inst *b, sy_ms at)
{
    level_state *ls = st_levels(a, a->cur);
    sy_alert_level top = sy_judge__highest(&b->cur->alert);
    bool any = false;
    a->cur->alert = b->cur->alert;
    for (uint32_t k = 0; k < a->n_levels; k++) {
        ls[k].open = (b->cur->alert.level_at[a->levels[k].severity - 1] != SY_MS_NONE &&
                      a->levels[k].severity <= top) ||
                     was_open(b, a->levels[k].severity);
        any = any || ls[k].open;
    }
    ls[0].open = any ? ls[0].open : 1;
    for (uint32_t k = 0; k < a->n_silences; k++) {
        st_silences(a, a->cur)[k].since = at;
    }
}

/* The alert that is open, be it only beyond the frontier. */
static rec *open_rec(inst *b)
{
    for (size_t k = b->n_recs; k > b->live; k--) {
        if (b->recs[k - 1].has_work && b->recs[k - 1].work.state == SY_ALERT_ACTIVE) {
            return &b->recs[k - 1];
        }
    }
    return NULL;
}

/* Told, and not open: under another text no reading can change it. */
static bool over(const rec *r)
{
    if (r->has_work && (!r->has_pub || r->work.state == SY_ALERT_ACTIVE)) {
        return false;
    }
    return !r->has_pub || r->pub.state != SY_ALERT_ACTIVE;
}

static sy_err take_recs(sy_judge *to, inst *a, const inst *b, bool same)
{
    sy_err e = b->n_recs
                   ? sy_judge__grow(to, (void **)&a->recs, &a->cap_recs, b->n_recs, sizeof *a->recs)
                   : SY_OK;
    if (e) {
        return e;
    }
    a->live = b->live;
    for (size_t k = 0; k < b->n_recs; k++) {
        if (k < b->live || same || over(&b->recs[k])) {
            a->recs[a->n_recs++] = b->recs[k];
            a->live = same ? b->live : a->n_recs;
        }
    }
    for (size_t k = b->live; k < b->n_recs && !same; k++) {
        if (!over(&b->recs[k])) {
            a->recs[a->n_recs++] = b->recs[k];
        }
    }
    return SY_OK;
}

static sy_err take_history(sy_judge *to, history *a, const history *b)
{
    sy_err e = b->n ? sy_judge__grow(to, (void **)&a->v, &a->cap, b->n, sizeof *a->v) : SY_OK;
    if (!e && b->n) {
        memcpy(a->v, b->v, b->n * sizeof *a->v);
    }
    a->n = e ? 0 : b->n;
    return e;
}

/* Openings count on under any text of the rule. */
static sy_err take_histories(sy_judge *to, inst *a, inst *b, bool same)
{
    sy_err e = SY_OK;
    if (same) {
        sy_judge__histories_cut(b, b->cur->t);
    }
    for (uint32_t k = 0; same && k < a->n_cums && !e; k++) {
        e = take_history(to, &a->histories[k], &b->histories[k]);
    }
    if (!e && a->n_histories > a->n_cums && b->n_histories > b->n_cums) {
        e = take_history(to, &a->histories[a->n_cums], &b->histories[b->n_cums]);
    }
    return e;
}

/* The open alert with the figures of the state that goes on, which lies behind what was told. */
static void open_at_frontier(const sy_judge *from, inst *b)
{
    const rec *r = open_rec(b);
    const point_log *l = &from->logs[b->point];
    outcome o = r ? r->work : (outcome){.raised = SY_MS_NONE};
    if (r && b->cur->alert.raised != SY_MS_NONE) {
        o.figs = b->cur->alert.figs;
    } else if (r) {
        o.figs = (figs){0};
        for (uint32_t k = sy_judge__log_after(l, o.onset - 1); k < l->n; k++) {
            const entry *e = &l->e[l->head + k];
            if (e_seen(e, b->takes) && e_time(e) <= b->cur->t) {
                figs_add(&o.figs, e->v);
            }
        }
    }
    b->cur->alert = o;
}

static sy_err carry(sy_judge *to, inst *a, sy_judge *from, inst *b, sy_ms at)
{
    sy_judge__lengths_at(a, b->cur->t);
    sy_judge__lengths_at(b, b->cur->t);
    bool same = same_judgement(to, a, from, b), tuned = same && !same_lengths(a, b);
    if (b->provisional && same) {
        sy_judge__rec_restore(b);
    } else if (b->provisional) {
        open_at_frontier(from, b);
    }
    if (same) {
        memcpy(a->cur, b->cur, st_bytes(a));
        memcpy(a->mid, b->mid, st_bytes(a));
        memcpy(a->base, b->base, st_bytes(a));
        a->from = b->from;
    } else if (b->cur->alert.raised != SY_MS_NONE) {
        run r = {.j = to, .i = a, .st = a->cur, .limit = b->cur->t};
        sy_judge__steps(&r); /* what the readings say so far: nothing counts, nothing opens */
        if (r.err) {
            return r.err;
        }
        take_alert(a, b, at);
        memcpy(a->mid, a->cur, st_bytes(a));
        memcpy(a->base, a->cur, st_bytes(a));
    }
    if (tuned) { /* what was judged before stays as it was judged then */
        a->cur->tuned = at;
        memcpy(a->mid, a->cur, st_bytes(a));
        memcpy(a->base, a->cur, st_bytes(a));
    }
    a->work_t = b->work_t;
    a->dirty = true;
    sy_err e = take_histories(to, a, b, same);
    return e ? e : take_recs(to, a, b, same && !tuned);
}

static sy_err end(sy_judge *from, inst *b, sy_ms at)
{
    rec *r = open_rec(b);
    if (!r) {
        return SY_OK;
    }
    const point_log *l = &from->logs[b->point];
    for (uint32_t k = sy_judge__log_after(l, b->work_t); k < l->n; k++) {
        const entry *e = &l->e[l->head + k];
        if (e_seen(e, b->takes) && e_time(e) <= at) {
            figs_add(&r->work.figs, e->v);
        }
    }
    r->work.cleared = at;
    r->work.state = SY_ALERT_SUPERSEDED;
    return sy_judge__publish(from, b);
}

/* Opening has run to the start of the box on empty logs; a state from before it holds. */
static void begin_anew(sy_judge *to)
{
    for (size_t k = 0; k < to->n_insts; k++) {
        inst *i = &to->insts[k];
        sy_judge__windows_forget(i);
        sy_judge__state_init(i, i->cur);
        sy_judge__state_init(i, i->mid);
        sy_judge__state_init(i, i->base);
        i->work_t = SY_MS_NONE;
    }
}

sy_err sy_judge_succeed(sy_judge *to, sy_judge *from, sy_ms at)
{
    size_t p = 0;
    sy_err e = carry_logs(to, from);
    if (e) {
        return e;
    }
    to->now = later(to->now, from->now);
    begin_anew(to);
    if (from->n_restarts) {
        e = sy_judge__grow(to, (void **)&to->restarts, &to->cap_restarts, from->n_restarts,
                           sizeof *to->restarts);
        if (e) {
            return e;
        }
        memcpy(to->restarts, from->restarts, from->n_restarts * sizeof *to->restarts);
        to->n_restarts = from->n_restarts;
    }
    for (size_t q = 0; q < from->n_insts && !e; q++) {
        inst *b = &from->insts[q];
        while (p < to->n_insts && order(to, &to->insts[p], from, b) < 0) {
            p++;
        }
        if (p < to->n_insts && same_text(to->insts[p].rule->id, b->rule->id) &&
            same_text(to->insts[p].subject, b->subject)) {
            e = carry(to, &to->insts[p], from, b, at);
        } else {
            e = end(from, b, at);
        }
    }
    for (size_t k = 0; k < to->n_insts && !e; k++) {
        sy_judge__tally_anew(to->insts[k].cur, SY_MS_NONE);
        sy_judge__tally_anew(to->insts[k].mid, SY_MS_NONE);
        sy_judge__tally_anew(to->insts[k].base, SY_MS_NONE);
        e = sy_judge__run(to, &to->insts[k]);
    }
    sy_judge__emit(from);
    sy_judge__emit(to);
    return e;
}

static void shift(sy_ms *t, sy_ms by)
{
    if (*t != SY_MS_NONE && *t != SY_MS_MAX) {
        *t += by;
    }
}

static void shift_state(const inst *i, state *s, sy_ms by)
{
    shift(&s->t, by);
    shift(&s->tuned, by);
    for (uint32_t k = 0; k < i->n_slots; k++) {
        shift(&st_slots(s)[k].t, by);
    }
    for (uint32_t k = 0; k < i->n_measures; k++) {
        shift(&st_measures(i, s)[k].first, by);
        shift(&st_measures(i, s)[k].unk_since, by);
    }
    for (uint32_t k = 0; k < i->n_excepts; k++) {
        shift(&st_stretches(i, s)[k].a, by);
        shift(&st_stretches(i, s)[k].bridge, by);
    }
    for (uint32_t k = 0; k < i->n_runs; k++) {
        shift(&st_runs(i, s)[k].onset, by);
        shift(&st_runs(i, s)[k].to, by);
        shift(&st_runs(i, s)[k].last, by);
    }
    for (uint32_t k = 0; k < i->n_cums; k++) {
        shift(&st_cums(i, s)[k].since, by);
    }
    for (uint32_t k = 0; k < i->n_samples; k++) {
        shift(&st_samples(i, s)[k].t, by);
    }
    for (uint32_t k = 0; k < i->n_curves; k++) {
        shift(&st_curves(i, s)[k].begun, by);
    }
    for (uint32_t k = 0; k < i->n_follows; k++) {
        shift(&st_follows(i, s)[k].begun, by);
    }
    for (uint32_t k = 0; k < i->n_silences; k++) {
        shift(&st_silences(i, s)[k].since, by);
    }
}

/* What nobody was told of moves with the clock, as its delivery must still pass. */
static void shift_untold(rec *r, sy_ms by)
{
    if (!r->has_pub) {
        shift(&r->work.onset, by);
    }
    if (!r->has_pub || r->work.raised != r->pub.raised) {
        shift(&r->work.raised, by);
    }
    if (!r->has_pub || r->work.cleared != r->pub.cleared) {
        shift(&r->work.cleared, by);
    }
    for (int k = 0; k < LEVELS; k++) {
        if (!r->has_pub || r->work.level_at[k] != r->pub.level_at[k]) {
            shift(&r->work.level_at[k], by);
        }
    }
    r->stands = r->has_pub;
}

/* What is over is final, though its times may lie ahead; it goes before what is not. */
static void shift_recs(inst *i, sy_ms by)
{
    for (size_t k = i->live; k < i->n_recs; k++) {
        rec r = i->recs[k];
        if (over(&r)) {
            memmove(&i->recs[i->live + 1], &i->recs[i->live], (k - i->live) * sizeof r);
            i->recs[i->live++] = r;
        } else {
            shift_untold(&i->recs[k], by);
        }
    }
}

static void shift_inst(const sy_judge *j, inst *i, sy_ms by)
{
    sy_judge__histories_cut(i, i->cur->t);
    for (uint32_t k = 0; k < i->n_histories; k++) {
        for (size_t q = 0; q < i->histories[k].n; q++) {
            i->histories[k].v[q].a += by;
            i->histories[k].v[q].b += by;
        }
    }
    shift_state(i, i->cur, by);
    sy_judge__tally_anew(i->cur, j->now + by);
    sy_judge__windows_forget(i);
    shift_recs(i, by);
    shift(&i->work_t, by);
    if (i->from <= j->now) { /* what is in force stays so */
        shift(&i->from, by);
    }
    const rec *r = open_rec(i);
    bool open = r && (i->provisional || i->cur->alert.raised != SY_MS_NONE);
    i->cur->alert = open ? r->work : (outcome){.raised = SY_MS_NONE};
    if (i->provisional && open) {
        take_alert(i, i, i->cur->t);
    }
    i->provisional = false;
    memcpy(i->mid, i->cur, st_bytes(i));
    memcpy(i->base, i->cur, st_bytes(i));
    i->dirty = true;
}

sy_err sy_judge_set_back(sy_judge *j, sy_ms at)
{
    sy_err e = SY_OK;
    if (j->now == SY_MS_NONE || at >= j->now) {
        return SY_OK;
    }
    sy_ms by = at - j->now;
    for (size_t p = 0; p < j->o.site->n_points; p++) {
        for (uint32_t k = 0; k < j->logs[p].n; k++) {
            j->logs[p].e[j->logs[p].head + k].key += by * 4;
        }
    }
    for (size_t k = 0; k < j->n_restarts; k++) {
        shift(&j->restarts[k].off, by);
        shift(&j->restarts[k].at, by);
    }
    for (size_t k = 0; k < j->n_insts; k++) {
        shift_inst(j, &j->insts[k], by);
    }
    shift(&j->o.start, by);
    j->now = at;
    for (size_t k = 0; k < j->n_insts && !e; k++) {
        e = sy_judge__run(j, &j->insts[k]);
    }
    sy_judge__emit(j);
    return e;
}
