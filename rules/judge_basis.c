/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far back each point matters: the tree of each condition is walked with the time that lies
 * above a node, and what a leaf itself looks back is added there. Lengths are those in force at the
 * time of the alert. That is an upper bound: a few readings more than were needed do no harm.
 */
#include "rules/judge_basis.h"

#include "rules/judge_alert.h"
#include "rules/judge_core.h"
#include "rules/judge_value.h"
#include "rules/text.h"

typedef struct reach {
    const inst *i;
    sy_basis_point *out;
    size_t cap;
    sy_ms onset;
} reach;

static sy_ms before_by(sy_ms t, sy_ms by)
{
    sy_ms least = INT64_MIN / 2;
    return by > 0 && t < least + by ? least : t - by;
}

static void need(const reach *r, uint32_t slot, sy_ms back)
{
    if (slot < r->cap && slot < r->i->n_slots) {
        sy_basis_point *p = &r->out[slot];
        p->from = sooner(p->from, before_by(r->onset, back + r->i->slots[slot].keep));
    }
}

static void add_limit(sy_basis_point *p, const node *n, const sy_unit *unit, double v)
{
    v = n->from && unit ? sy_unit_convert(v, unit, n->from) : v;
    for (size_t k = 0; k < p->n_limits; k++) {
        if (p->limits[k] == v) {
            return;
        }
    }
    if (p->n_limits < SY_BASIS_LIMITS && v - v == 0) {
        p->limits[p->n_limits++] = v;
    }
}

/* Those in force at the end. */
static void limits_of(const reach *r, const node *n)
{
    if (n->slot >= r->cap || n->slot >= r->i->n_slots) {
        return;
    }
    sy_basis_point *p = &r->out[n->slot];
    const limits *d = n->dated;
    add_limit(p, n, n->ua, d ? limit_at(d->a, d->n_a, p->to) : n->a);
    if (n->op == SY_OP_OUTSIDE || n->op == SY_OP_WITHIN) {
        add_limit(p, n, n->ub, d && d->b ? limit_at(d->b, d->n_b, p->to) : n->b);
    }
}

static sy_ms deadlines_of(const phrase *p)
{
    sy_ms longest = 0;
    for (uint32_t k = 0; p && k < p->n_deadlines; k++) {
        longest = later(longest, p->deadlines[k].within);
    }
    return longest;
}

/* What the node itself looks back. */
static sy_ms own(const inst *i, const node *n)
{
    switch ((node_kind)n->kind) {
    case N_HOLD:
        return n->d;
    case N_CUM:
        return n->gap;
    case N_NODATA:
        return n->d + n->gap;
    case N_CURVE:
        return deadlines_of(n->p);
    case N_FOLLOW:
        return n->p ? n->p->d : 0;
    case N_CLOSE:
        return i->closings[n->item].daily ? DAY_MS : DAY_MS / 24;
    case N_SAMPLE: {
        const phrase *p = i->samples[n->item].p;
        return p ? p->d + (sy_ms)p->of * p->missing : 0;
    }
    case N_CMP:
    case N_IS:
    case N_NOT:
    case N_THRESH:
    case N_DUE:
        return 0;
    }
    return 0;
}

static void walk(const reach *r, uint32_t at, sy_ms back, int depth);

static void walk_close(const reach *r, const closing *c, sy_ms back, int depth)
{
    need(r, c->kind == C_SHARE ? c->event : c->what.slot, back);
    if (c->kind == C_SHARE) {
        walk(r, c->test.last, back, depth);
        if (c->counts) {
            walk(r, c->only_when.last, back, depth);
        }
    }
}

static void walk(const reach *r, uint32_t at, sy_ms back, int depth)
{
    const inst *i = r->i;
    const node *n = &i->nodes[at];
    if (depth > 64) {
        return;
    }
    back += own(i, n);
    switch ((node_kind)n->kind) {
    case N_CMP:
        limits_of(r, n);
        need(r, n->slot, back);
        break;
    case N_IS:
    case N_NODATA:
        need(r, n->slot, back);
        break;
    case N_SAMPLE: {
        const sample *s = &i->samples[n->item];
        if (s->kind == S_COUNT && s->p) {
            limits_of(r, &s->p->test);
        }
        for (uint32_t k = 0; k < (uint32_t)s->n_slots + s->n_more; k++) {
            need(r, i->kids[s->kid + k], back);
        }
        break;
    }
    case N_CURVE:
        if (n->p) {
            need(r, n->slot, back);
            need(r, n->p->state_slot, back);
        }
        break;
    case N_CLOSE:
        walk_close(r, &i->closings[n->item], back, depth + 1);
        break;
    case N_NOT:
    case N_THRESH:
    case N_HOLD:
    case N_CUM:
    case N_FOLLOW:
    case N_DUE:
        for (uint32_t k = 0; k < n->n_kids; k++) {
            walk(r, i->kids[n->kid + k], back, depth + 1);
        }
        break;
    }
}

static void walk_root(const reach *r, const root *c, sy_ms back)
{
    walk(r, c->last, back + (c->cum ? c->window : 0), 0);
}

/* Stretches are used up by the local day. */
static void walk_excepts(const reach *r, const jlevel *l)
{
    for (uint32_t k = l->except; k < l->except + l->n_excepts; k++) {
        const except *c = &r->i->excepts[k];
        for (uint32_t s = 0; s < c->n_slots; s++) {
            need(r, r->i->kids[c->kid + s], later(c->each, DAY_MS));
        }
    }
}

static const inst *find(const sy_judge *j, const sy_alert *a)
{
    for (size_t k = 0; k < j->n_insts; k++) {
        const inst *i = &j->insts[k];
        if (i->point == a->point && i->rule == a->rule) {
            return i;
        }
    }
    return NULL;
}

size_t sy_judge_basis(const sy_judge *j, const sy_alert *a, sy_ms to, sy_basis_point *out,
                      size_t cap)
{
    const inst *i = find(j, a);
    if (!i) {
        return 0;
    }
    reach r = {i, out, cap, a->onset};
    for (uint32_t k = 0; k < i->n_slots && k < cap; k++) {
        const jslot *s = &i->slots[k];
        bool is_state = j->o.site->points[s->point].is_state;
        sy_ms gap = later(s->missing, s->wait);
        out[k] = (sy_basis_point){.point = s->point,
                                  .from = a->onset,
                                  .to = to,
                                  .before = is_state ? (s->bound ? s->bound : SY_MS_MAX) : gap,
                                  .after = s->cmp || s->sampled ? gap : 0};
    }
    for (uint32_t k = 0; k < i->n_levels; k++) {
        walk_root(&r, &i->levels[k].cond, 0);
        walk_excepts(&r, &i->levels[k]);
    }
    if (i->has_clear) {
        walk_root(&r, &i->clear, 0);
    }
    return i->n_slots;
}

static void next_of(sy_pos pos, const sy_source *source, uint32_t after, size_t *end)
{
    if (pos.source == source && pos.at > after && pos.at < *end) {
        *end = pos.at;
    }
}

/* Without blanks and whole lines of comment at the end: those belong to what follows. */
static size_t trimmed(const char *p, size_t from, size_t end)
{
    for (;;) {
        size_t line, text;
        while (end > from && (sy_text_blank(p[end - 1]) || p[end - 1] == '\r')) {
            end--;
        }
        for (line = end; line > from && p[line - 1] != '\n'; line--) {
        }
        for (text = line; text < end && sy_text_blank(p[text]); text++) {
        }
        if (line == from || text == end || p[text] != '#') {
            return end;
        }
        end = line;
    }
}

sy_span sy_rule_source(const sy_set *set, const sy_rule *r)
{
    const sy_source *s = r->pos.source;
    if (!s || r->pos.at > s->text.n) {
        return (sy_span){"", 0};
    }
    size_t from = r->pos.at, end = s->text.n;
    for (size_t k = 0; k < set->n_rules; k++) {
        next_of(set->rules[k]->pos, s, r->pos.at, &end);
    }
    for (size_t k = 0; k < set->n_scenarios; k++) {
        next_of(set->scenarios[k]->pos, s, r->pos.at, &end);
    }
    for (size_t k = 0; k < set->n_tunings; k++) {
        next_of(set->tunings[k]->pos, s, r->pos.at, &end);
    }
    while (from > 0 && s->text.p[from - 1] != '\n') {
        from--;
    }
    while (end > from && end < s->text.n && s->text.p[end - 1] != '\n') {
        end--; /* to the beginning of the line of what follows */
    }
    return (sy_span){s->text.p + from, trimmed(s->text.p, from, end) - from};
}
