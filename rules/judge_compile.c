/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of one rule, compiled for one instance: names become the points of its place, values
 * the literals of its premises, nodes lie in evaluation order, and the state gets its layout.
 */
#include "rules/judge_build.h"
#include "rules/judge_core.h"
#include "rules/judge_value.h"

sy_ms sy_judge__duration(const sy_num *n)
{
    double ms = n->unit ? sy_unit_convert(n->value, n->unit, sy_unit_by_id("ms")) : n->value;
    return ms > 3.2e14 ? (sy_ms)320000000000000 : (sy_ms)(ms + 0.5);
}

sy_ms sy_judge__length_of(build *b, const sy_value *v)
{
    return sy_judge__duration(sy_judge__num(b, v));
}

void sy_judge__refuse(build *b, const char *a, const char *name, const char *c)
{
    b->why = sy_judge__text(b->j, a, name, c);
    b->err = b->why ? b->err : SY_E_NOMEM;
}

uint16_t sy_judge__add_node(build *b, node n)
{
    if (b->n >= NODES_MAX) {
        b->why = "the condition needs too many points";
        return 0;
    }
    sy_err e = sy_grow(b->j->o.alloc, (void **)&b->nodes, &b->cap, b->n + 1, sizeof n);
    if (e) {
        b->err = e;
        return 0;
    }
    n.cond = b->cond;
    b->nodes[b->n] = n;
    return (uint16_t)b->n++;
}

uint32_t sy_judge__add_kids(build *b, const uint16_t *kids, size_t n)
{
    sy_err e = sy_grow(b->j->o.alloc, (void **)&b->kids, &b->cap_kids, b->n_kids + n, sizeof *kids);
    uint32_t at = (uint32_t)b->n_kids;
    if (e) {
        b->err = e;
        return 0;
    }
    for (size_t k = 0; k < n; k++) {
        b->kids[b->n_kids++] = kids[k];
    }
    return at;
}

bool sy_judge__is_word(const build *b, uint32_t slot, const sy_word *w)
{
    return same_text(b->j->o.site->points[b->i->slots[slot].point].quantity, w->id);
}

sy_ms sy_judge__missing(build *b, uint32_t slot)
{
    const sy_value *v = b->i->rule->missing_after;
    return v ? sy_judge__length_of(b, v) : 3 * b->j->o.site->points[b->i->slots[slot].point].every;
}

bool sy_judge__on_device(const build *b, uint16_t slot)
{
    const sy_site_point *p = b->j->o.site->points;
    return same_text(p[b->i->slots[slot].point].device, p[b->i->slots[b->event].point].device);
}

/* A member of the event that is being compiled: then it is that of the event's device. */
static bool of_event(const build *b, const sy_word *w)
{
    const sy_rule *rule = b->i->rule;
    for (size_t k = 0; b->event != UINT16_MAX && k < rule->n_watch; k++) {
        const sy_word *e = rule->watch[k].word;
        for (size_t m = 0; sy_judge__is_word(b, b->event, e) && m < e->n_members; m++) {
            if (e->members[m] == w) {
                return true;
            }
        }
    }
    return false;
}

uint16_t sy_judge__slot(build *b, const sy_word *w)
{
    uint16_t found = UINT16_MAX;
    bool in_event = of_event(b, w);
    for (uint16_t s = 0; s < b->i->n_slots && going(b); s++) {
        if (!sy_judge__is_word(b, s, w) || (in_event && !sy_judge__on_device(b, s))) {
            continue;
        }
        if (s == 0) {
            return 0;
        }
        if (found != UINT16_MAX) {
            sy_judge__refuse(b, "the place has several points of ", w->id,
                             ": the rule must say any of, all of, how many of, or an aggregate");
        }
        found = s;
    }
    if (found == UINT16_MAX && going(b)) {
        sy_judge__refuse(b, "the place has no ", w->id, "");
    }
    return found == UINT16_MAX ? 0 : found;
}

/* How a reading of the point becomes one in the limit's unit. */
const sy_unit *sy_judge__into(build *b, const node *n, const sy_num *limit)
{
    if (!n->from || !limit->unit || n->from == limit->unit) {
        return NULL;
    }
    if (!sy_unit_convertible(n->from, limit->unit)) {
        sy_judge__refuse(b, "the unit of ", b->j->o.site->points[b->i->slots[n->slot].point].series,
                         " does not convert to that of the limit");
        return NULL;
    }
    return limit->unit;
}

static uint16_t leaf_node(build *b, const sy_cond *c, uint16_t s)
{
    jslot *sl = &b->i->slots[s];
    const sy_site_point *p = &b->j->o.site->points[sl->point];
    node n = {.slot = s, .op = (uint8_t)c->op, .level = b->level};
    sy_ms missing = sy_judge__missing(b, s);
    bool counted = c->hold.kind == SY_HOLD_READINGS;
    if (counted && (c->a.let || c->b.let)) {
        b->why = "in … of … readings compares with numbers alone";
        return 0;
    }
    if (c->a.let || c->b.let) {
        return sy_judge__derived_node(b, c, s);
    }
    if (counted || c->op == SY_OP_STUCK || c->op == SY_OP_EXPOSURE_ABOVE ||
        c->op == SY_OP_EXPOSURE_BELOW) {
        return sy_judge__phrase_leaf(b, c, s);
    }
    if (c->op == SY_OP_NO_DATA) {
        n.kind = N_NODATA;
        n.d = c->hold.kind == SY_HOLD_FOR
                  ? sy_judge__varying(b, &c->hold.length, V_NODE, (uint32_t)b->n)
                  : missing;
        n.item = b->i->n_silences++;
        n.gap = missing ? missing : n.d;
        sl->silent = true;
        if (n.d == 0) {
            sy_judge__refuse(b, "", p->series,
                             " has no expected interval, and the rule no missing after");
        }
    } else if (c->op == SY_OP_IS) {
        n.kind = N_IS;
        n.a = c->state;
    } else {
        n.kind = N_CMP;
        n.from = p->unit ? sy_unit_by_id(p->unit) : NULL;
        sy_judge__limits(b, c, &n);
        sl->missing = missing;
        if (b->event == UINT16_MAX) {
            sl->cmp = true;
            sl->wait = later(sl->wait, missing);
        }
    }
    return sy_judge__add_node(b, n);
}

/* The points that an operand means: the driver, the one of its name, or all of its name. */
static uint16_t test_node(build *b, const sy_cond *c)
{
    uint16_t *kids, n = 0, made;
    if (sy_judge__is_close(c)) {
        return sy_judge__close_node(b, c);
    }
    if ((c->agg || c->let) && c->hold.kind == SY_HOLD_READINGS) {
        b->why = "in … of … readings is of one quantity";
        return 0;
    }
    if (c->agg || c->let) {
        return sy_judge__derived_node(b, c, 0);
    }
    if (b->event != UINT16_MAX && c->pick == SY_PICK_ONE) {
        uint16_t s = sy_judge__slot(b, c->operand.word);
        return going(b) ? leaf_node(b, c, s) : 0;
    }
    if (c->op == SY_OP_DUE_WITHIN || c->op == SY_OP_OVERDUE) {
        return sy_judge__due_node(b, c);
    }
    if (c->pick == SY_PICK_ONE && sy_judge__is_word(b, 0, c->operand.word)) {
        return leaf_node(b, c, 0);
    }
    kids = b->j->o.alloc.resize(b->j->o.alloc.ctx, NULL, b->i->n_slots * sizeof *kids);
    if (!kids) {
        b->err = SY_E_NOMEM;
        return 0;
    }
    for (uint16_t s = 0; s < b->i->n_slots && !b->err && !b->why; s++) {
        if (sy_judge__is_word(b, s, c->operand.word)) {
            kids[n++] = leaf_node(b, c, s);
        }
    }
    made = n ? kids[0] : 0;
    if (n == 0) {
        sy_judge__refuse(b, "the place has no ", c->operand.word->id, "");
    } else if (c->pick == SY_PICK_ONE && n > 1) {
        sy_judge__refuse(b, "the place has several points of ", c->operand.word->id,
                         ": the rule must say any of, all of, or how many of");
    } else if (c->pick != SY_PICK_ONE && !b->err && !b->why) {
        uint16_t k = c->pick == SY_PICK_ANY ? 1 : c->pick == SY_PICK_ALL ? n : (uint16_t)c->pick_n;
        made = sy_judge__add_node(b, (node){.kind = N_THRESH,
                                            .k = k,
                                            .n_kids = n,
                                            .level = b->level,
                                            .kid = sy_judge__add_kids(b, kids, n)});
    }
    b->j->o.alloc.resize(b->j->o.alloc.ctx, kids, 0);
    return made;
}

static uint16_t cond_node(build *b, const sy_cond *c, bool outermost);

static uint16_t many_node(build *b, const sy_cond *c)
{
    uint16_t made = 0;
    uint16_t *kids = b->j->o.alloc.resize(b->j->o.alloc.ctx, NULL, (c->n_kids + 1) * sizeof *kids);
    if (!kids) {
        b->err = SY_E_NOMEM;
        return 0;
    }
    for (size_t k = 0; k < c->n_kids && !b->err && !b->why; k++) {
        kids[k] = cond_node(b, c->kids[k], false);
    }
    bool follows = c->kind == SY_COND_FOLLOWED || c->kind == SY_COND_NOT_FOLLOWED;
    if (going(b) && follows) {
        made = sy_judge__follow_node(b, c, kids);
    } else if (going(b)) {
        node n = {.kind = c->kind == SY_COND_NOT ? N_NOT : N_THRESH, .level = b->level};
        n.k = (uint16_t)(c->kind == SY_COND_OR ? 1 : c->n_kids);
        n.n_kids = (uint16_t)c->n_kids;
        n.kid = sy_judge__add_kids(b, kids, c->n_kids);
        made = sy_judge__add_node(b, n);
    }
    b->j->o.alloc.resize(b->j->o.alloc.ctx, kids, 0);
    return made;
}

/* The window of a cumulative hold. */
static sy_ms window_of(build *b, const sy_cond *c, uint16_t item)
{
    sy_ms over = sy_judge__length_of(b, &c->hold.window);
    sy_err e = sy_grow(b->j->o.alloc, (void **)&b->horizons, &b->cap_horizons, item + 1u,
                       sizeof *b->horizons);
    if (e) {
        b->err = e;
        return over;
    }
    b->horizons[item] = over;
    b->i->slots[0].keep = later(b->i->slots[0].keep, over); /* for the figures of the alert */
    return over;
}

/* The outermost hold belongs to the level; the length of a silence to its leaf. */
static uint16_t node_of(build *b, const sy_cond *c, bool outermost)
{
    bool is_silence = c->kind == SY_COND_TEST && c->op == SY_OP_NO_DATA;
    uint16_t kid;
    kid = c->kind == SY_COND_TEST || c->kind == SY_COND_LASTS ? test_node(b, c)
          : c->kind == SY_COND_CURVE                          ? sy_judge__curve_node(b, c)
                                                              : many_node(b, c);
    if (b->err || b->why || outermost || is_silence || c->hold.kind == SY_HOLD_NONE ||
        c->hold.kind == SY_HOLD_READINGS) {
        return kid;
    }
    bool summed = c->hold.kind == SY_HOLD_CUMULATIVE;
    node n = {.kind = summed ? N_CUM : N_HOLD,
              .n_kids = 1,
              .level = b->level,
              .d = sy_judge__varying(b, &c->hold.length, V_NODE, (uint32_t)b->n)};
    n.item = summed ? b->i->n_cums++ : b->i->n_measures++;
    if (summed) {
        n.gap = window_of(b, c, n.item);
    }
    n.kid = sy_judge__add_kids(b, &kid, 1);
    b->longest = later(b->longest, n.d);
    return sy_judge__add_node(b, n);
}

static uint16_t cond_node(build *b, const sy_cond *c, bool outermost)
{
    const sy_cond *around = b->cond;
    b->cond = c;
    uint16_t made = node_of(b, c, outermost);
    b->cond = around;
    return made;
}

uint16_t sy_judge__cond_node(build *b, const sy_cond *c)
{
    return cond_node(b, c, false);
}

static root root_of(build *b, const sy_cond *c, int16_t level)
{
    bool is_silence = c->kind == SY_COND_TEST && c->op == SY_OP_NO_DATA;
    root r = {.first = (uint32_t)b->n, .hold = -1, .clocked = true};
    b->level = level;
    b->longest = 0;
    memset(b->let_terms, 0xff, (b->i->rule->n_lets + 1) * sizeof *b->let_terms);
    (void)cond_node(b, c, true);
    r.last = b->n ? (uint32_t)b->n - 1 : 0;
    r.cum = c->hold.kind == SY_HOLD_CUMULATIVE;
    if (!is_silence && (c->hold.kind == SY_HOLD_FOR || r.cum)) {
        r.hold = sy_judge__varying(b, &c->hold.length, level < 0 ? V_CLEAR : V_HOLD,
                                   (uint32_t)later(level, 0));
        r.item = r.cum ? b->i->n_cums++ : b->i->n_measures++;
    }
    if (r.cum) {
        r.window = window_of(b, c, r.item);
    }
    for (size_t k = r.first; k < b->n; k++) {
        r.clocked = r.clocked && b->nodes[k].kind != N_CMP && b->nodes[k].kind != N_SAMPLE &&
                    b->nodes[k].kind != N_CURVE;
        r.closes = r.closes || b->nodes[k].kind == N_CLOSE;
        r.timers = r.timers || b->nodes[k].kind == N_HOLD || b->nodes[k].kind == N_CUM ||
                   b->nodes[k].kind == N_NODATA;
    }
    r.clocked = r.clocked || r.closes;
    return r;
}

/* A premises without that calendar is not watched. */
static void during_of(build *b, const sy_alert_clause *a, jlevel *l)
{
    const sy_site *site = b->j->o.site;
    if (!a->during.word) {
        return;
    }
    l->during = sy_arena_get(&b->j->arena, sizeof *l->during);
    if (!l->during) {
        b->err = SY_E_NOMEM;
    } else if (!sy_judge__cal_init(l->during, &site->premises[site->places[b->i->place].premises],
                                   a->during.word->id)) {
        sy_judge__refuse(b, "the premises has no calendar ", a->during.word->id, "");
    }
}

static void level_of(build *b, const sy_alert_clause *a, uint16_t at)
{
    jlevel *l = &b->i->levels[at];
    l->severity = a->level;
    during_of(b, a, l);
    l->cond = root_of(b, a->when, (int16_t)at);
    l->kind = l->cond.cum ? L_CUM : l->cond.hold >= 0 ? L_FOR : L_BARE;
    l->fhold = l->cond.hold >= 0 ? l->cond.hold : b->longest;
    if (l->cond.closes) {
        l->kind = L_CALENDAR;
        l->fhold = 0;
    } else if (a->when->kind == SY_COND_TEST && a->when->op == SY_OP_NO_DATA) {
        l->kind = L_SILENCE;
        for (size_t k = l->cond.first; k < b->n; k++) {
            if (b->nodes[k].kind == N_NODATA) {
                uint32_t p = b->i->slots[b->nodes[k].slot].point;
                l->delivery = later(l->delivery, b->j->o.site->points[p].delivery);
            }
        }
    } else if (!b->i->has_clear && l->fhold > 0) {
        l->fitem = b->i->n_measures++;
    }
}

/* A name that the place lacks exempts nothing. */
static void excepts_of(build *b, const sy_alert_clause *a, jlevel *l)
{
    l->except = b->i->n_excepts;
    for (size_t k = 0; k < a->n_excepts && !b->err; k++) {
        const sy_except *x = &a->excepts[k];
        except *e = &b->i->excepts[b->i->n_excepts];
        *e = (except){.kid = (uint32_t)b->n_kids,
                      .value = x->value,
                      .each = sy_judge__length_of(b, &x->each),
                      .times = (int64_t)x->times->value};
        for (uint16_t s = 0; s < b->i->n_slots && !b->err; s++) {
            if (sy_judge__is_word(b, s, x->state.word)) {
                (void)sy_judge__add_kids(b, &s, 1);
                b->i->slots[s].exc = true;
                e->n_slots++;
            }
        }
        b->i->n_excepts++;
        l->n_excepts++;
    }
}

/* What is counted beside the state: cumulative holds, and openings where they raise the level. */
static sy_err histories_of(build *b)
{
    inst *i = b->i;
    const sy_escalate *e = i->rule->escalate;
    i->n_histories = (uint16_t)(i->n_cums + (e ? 1 : 0));
    i->histories = sy_arena_get(&b->j->arena, (i->n_histories + 1u) * sizeof *i->histories);
    i->horizons = sy_arena_get(&b->j->arena, (i->n_histories + 1u) * sizeof *i->horizons);
    if (!i->histories || !i->horizons) {
        return SY_E_NOMEM;
    }
    for (uint32_t k = 0; k < i->n_cums; k++) {
        i->horizons[k] = b->horizons[k];
    }
    if (e) {
        i->escalation = (escalation){.times = (int64_t)e->times->value,
                                     .window = sy_judge__length_of(b, &e->window),
                                     .apart = e->apart ? sy_judge__length_of(b, e->apart) : 0,
                                     .level = e->level};
        i->horizons[i->n_cums] = later(i->escalation.window, i->escalation.apart);
    }
    return SY_OK;
}

/* A copy in the judge's arena. */
static sy_err hold(build *b, void *to, const void *from, size_t n, size_t item)
{
    void *p = sy_arena_get(&b->j->arena, (n + 1) * item);
    if (!p) {
        return SY_E_NOMEM;
    }
    if (n) {
        memcpy(p, from, n * item);
    }
    memcpy(to, &p, sizeof p);
    return SY_OK;
}

static sy_err keep(build *b)
{
    inst *i = b->i;
    sy_err e = hold(b, &i->nodes, b->nodes, b->n, sizeof *i->nodes);
    e = e ? e : hold(b, &i->kids, b->kids, b->n_kids, sizeof *i->kids);
    e = e ? e : hold(b, &i->samples, b->samples, b->n_samples, sizeof *i->samples);
    e = e ? e : hold(b, &i->terms, b->terms, b->n_terms, sizeof *i->terms);
    e = e ? e : hold(b, &i->windows, b->windows, b->n_windows, sizeof *i->windows);
    e = e ? e : hold(b, &i->closings, b->closings, b->n_closings, sizeof *i->closings);
    i->n_closings = (uint16_t)b->n_closings;
    e = e ? e : hold(b, &i->varies, b->varies, b->n_varies, sizeof *i->varies);
    i->n_nodes = (uint32_t)b->n;
    i->n_samples = (uint16_t)b->n_samples;
    i->n_terms = (uint16_t)b->n_terms;
    i->n_windows = (uint16_t)b->n_windows;
    i->n_varies = (uint32_t)b->n_varies;
    return e;
}

sy_err sy_judge__compile(sy_judge *j, inst *i, const sy_site_tier *tiers, size_t n_tiers,
                         const char **why)
{
    build b = {.j = j, .i = i, .tiers = tiers, .n_tiers = n_tiers, .event = UINT16_MAX};
    const sy_rule *rule = i->rule;
    size_t excepts = 1;
    for (size_t k = 0; k < rule->n_alerts; k++) {
        excepts += rule->alerts[k].n_excepts;
    }
    i->levels = sy_arena_get(&j->arena, rule->n_alerts * sizeof *i->levels);
    i->excepts = sy_arena_get(&j->arena, excepts * sizeof *i->excepts);
    b.let_terms = sy_arena_get(&j->arena, (rule->n_lets + 1) * sizeof *b.let_terms);
    if (!i->levels || !i->excepts || !b.let_terms) {
        return SY_E_NOMEM;
    }
    i->has_clear = rule->clear != NULL;
    for (size_t k = 0; k < rule->n_alerts && !b.err && !b.why; k++) {
        level_of(&b, &rule->alerts[k], (uint16_t)k);
        excepts_of(&b, &rule->alerts[k], &i->levels[k]);
        i->n_levels++;
    }
    if (rule->clear && !b.err && !b.why) {
        i->clear = root_of(&b, rule->clear, -1);
    }
    sy_judge__closes_build(&b);
    if (!b.err && !b.why) {
        sy_judge__layout(&b);
        sy_judge__figure_out(&b);
        b.err = keep(&b);
        b.err = b.err ? b.err : histories_of(&b);
    }
    j->o.alloc.resize(j->o.alloc.ctx, b.nodes, 0);
    j->o.alloc.resize(j->o.alloc.ctx, b.kids, 0);
    j->o.alloc.resize(j->o.alloc.ctx, b.samples, 0);
    j->o.alloc.resize(j->o.alloc.ctx, b.terms, 0);
    j->o.alloc.resize(j->o.alloc.ctx, b.windows, 0);
    j->o.alloc.resize(j->o.alloc.ctx, b.closings, 0);
    j->o.alloc.resize(j->o.alloc.ctx, b.varies, 0);
    j->o.alloc.resize(j->o.alloc.ctx, b.horizons, 0);
    *why = b.why;
    return b.err;
}
