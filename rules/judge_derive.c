/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derived quantities, compiled: sums of let, aggregates and limits become terms, and a comparison
 * of one becomes a sample over the points that it is made of.
 */
#include "rules/judge_core.h"
#include "rules/judge_value.h"

/* A value and what it is measured in; `scaled`: a difference, of which only the factor converts. */
typedef struct typed {
    uint16_t term;
    const sy_unit *unit;
    bool scaled, rate;
} typed;

static uint16_t add(build *b, term t)
{
    sy_err e = b->n_terms >= NODES_MAX ? SY_E_NOMEM
                                       : sy_grow(b->j->o.alloc, (void **)&b->terms, &b->cap_terms,
                                                 b->n_terms + 1, sizeof t);
    if (e) {
        b->err = e;
        return 0;
    }
    b->terms[b->n_terms] = t;
    return (uint16_t)b->n_terms++;
}

static uint16_t constant(build *b, double v)
{
    return add(b, (term){.kind = T_CONST, .k = v});
}

static bool same_tag(const sy_unit *a, const sy_unit *b)
{
    return sy_unit_convertible(a, b);
}

/* As a value in `to`; where either has no unit it stays as it is. */
static typed into(build *b, typed x, const sy_unit *to)
{
    typed y = x;
    y.unit = to ? to : x.unit;
    if (!going(b) || !x.unit || !to || x.unit == to) {
        return y;
    }
    if (!x.scaled && same_tag(x.unit, to)) {
        y.term = add(b, (term){.kind = T_CONVERT, .a = x.term, .from = x.unit, .to = to});
    } else if (x.unit->factor != to->factor) {
        y.term = add(b, (term){.kind = T_SCALE, .a = x.term, .k = x.unit->factor / to->factor});
    }
    return y;
}

static const sy_unit *point_unit(const build *b, uint16_t slot)
{
    const char *u = b->j->o.site->points[b->i->slots[slot].point].unit;
    return u ? sy_unit_by_id(u) : NULL;
}

static typed point(build *b, uint16_t slot)
{
    term t = {.kind = T_POINT, .a = slot, .missing = sy_judge__missing(b, slot)};
    return (typed){.term = add(b, t), .unit = point_unit(b, slot)};
}

static double per_cent(build *b, const sy_value *v)
{
    const sy_unit *to = sy_unit_by_id("%");
    const sy_num *n = v ? sy_judge__num(b, v) : NULL;
    if (!n) {
        return 75;
    }
    return n->unit && sy_unit_convertible(n->unit, to) ? sy_unit_convert(n->value, n->unit, to)
                                                       : n->value;
}

/* How far back the log of a slot must reach. */
static void look_back(build *b, uint16_t slot, sy_ms by)
{
    b->i->slots[slot].keep = later(b->i->slots[slot].keep, by);
}

void sy_judge__filter(build *b, const sy_agg *a, window *w)
{
    *w = (window){.agg = (uint8_t)a->kind, .slot = sy_judge__slot(b, a->of.word)};
    w->valid = per_cent(b, a->valid);
    w->every = b->j->o.site->points[b->i->slots[w->slot].point].every;
    w->missing = sy_judge__missing(b, w->slot);
    w->during = b->level < 0 || b->in_let ? NULL : b->i->levels[b->level].during;
    if (a->while_state.text.n) {
        w->has_while = true;
        w->while_value = a->while_value;
        w->while_slot = sy_judge__slot(b, a->while_state.word);
    }
}

static typed over_time(build *b, const sy_agg *a)
{
    uint16_t slot = sy_judge__slot(b, a->of.word);
    if (!going(b)) {
        return (typed){0};
    }
    const sy_unit *u = point_unit(b, slot);
    window w = {0};
    sy_judge__filter(b, a, &w);
    w.rank = a->rank ? a->rank->value : 0;
    w.length = sy_judge__length_of(b, a->over);
    w.factor = u ? u->factor : 1;
    w.offset = u ? u->offset : 0;
    if (w.has_while) {
        look_back(b, w.while_slot, w.length);
    }
    look_back(b, slot, w.length);
    if (!going(b)) {
        return (typed){0};
    }
    b->err =
        sy_grow(b->j->o.alloc, (void **)&b->windows, &b->cap_windows, b->n_windows + 1, sizeof w);
    if (!going(b)) {
        return (typed){0};
    }
    b->windows[b->n_windows] = w;
    term t = {.kind = T_WINDOW, .a = (uint16_t)b->n_windows++, .missing = w.missing};
    return (typed){.term = add(b, t),
                   .unit = u,
                   .scaled = a->kind == SY_AGG_SPREAD || a->kind == SY_AGG_RATE,
                   .rate = a->kind == SY_AGG_RATE};
}

static typed across(build *b, const sy_agg *a)
{
    typed out = {.scaled = a->kind == SY_AGG_SPREAD};
    term t = {.kind = T_ACROSS, .agg = (uint8_t)a->kind, .k = a->rank ? a->rank->value : 0};
    size_t n = 0;
    if (a->kind == SY_AGG_KINETIC || a->kind == SY_AGG_RATE) {
        b->why = "a rate or a kinetic mean needs a time: over …";
        return out;
    }
    uint16_t *kids =
        b->j->o.alloc.resize(b->j->o.alloc.ctx, NULL, (b->i->n_slots + 1) * sizeof *kids);
    if (!kids) {
        b->err = SY_E_NOMEM;
        return out;
    }
    for (uint16_t s = 0; s < b->i->n_slots && going(b); s++) {
        if (!sy_judge__is_word(b, s, a->of.word)) {
            continue;
        }
        typed x = point(b, s);
        out.unit = n ? out.unit : x.unit;
        kids[n++] = into(b, x, out.unit).term;
    }
    if (n == 0 && going(b)) {
        sy_judge__refuse(b, "the place has no ", a->of.word->id, "");
    }
    t.kid = sy_judge__add_kids(b, kids, n);
    t.n_kids = (uint32_t)n;
    b->j->o.alloc.resize(b->j->o.alloc.ctx, kids, 0);
    t.from = out.unit;
    out.term = going(b) ? add(b, t) : 0;
    return out;
}

static typed aggregate(build *b, const sy_agg *a)
{
    return a->over ? over_time(b, a) : across(b, a);
}

static typed number(build *b, const sy_num *n)
{
    return (typed){.term = constant(b, n->value), .unit = n->unit};
}

static typed let_term(build *b, const sy_letdef *let);

/* A literal or a name of set; where it changes by date, or by a tuning that ends, each row in the
 * unit of the first. */
static typed value(build *b, const sy_value *v)
{
    value_rows r;
    if (v->let) {
        return let_term(b, v->let);
    }
    sy_judge__values(b, v, &r);
    if (r.n < 2) {
        return r.n ? number(b, r.v[0].num) : (typed){0};
    }
    const sy_unit *u = r.v[0].num->unit;
    dated *rows = sy_arena_get(&b->j->arena, r.n * sizeof *rows);
    if (!rows) {
        b->err = SY_E_NOMEM;
        return (typed){0};
    }
    for (uint32_t k = 0; k < r.n; k++) {
        const sy_num *n = r.v[k].num;
        bool other = n->unit && u && n->unit != u;
        rows[k] = (dated){r.v[k].from, other ? sy_unit_convert(n->value, n->unit, u) : n->value};
    }
    term t = {.kind = T_DATED, .rows = rows, .n_rows = r.n};
    return (typed){.term = add(b, t), .unit = u};
}

static typed table(build *b, const sy_expr *e)
{
    uint16_t slot = sy_judge__slot(b, e->name.word);
    term t = {.kind = T_TABLE, .n_rows = e->n_rows};
    table_row *rows = sy_arena_get(&b->j->arena, (e->n_rows + 1) * sizeof *rows);
    if (!rows) {
        b->err = SY_E_NOMEM;
    }
    if (!going(b)) {
        return (typed){0};
    }
    const sy_unit *ux = e->rows[0].x->unit, *uy = e->rows[0].y->unit;
    for (size_t k = 0; k < e->n_rows; k++) {
        const sy_num *x = e->rows[k].x, *y = e->rows[k].y;
        rows[k].x = x->unit && ux ? sy_unit_convert(x->value, x->unit, ux) : x->value;
        rows[k].y = y->unit && uy ? sy_unit_convert(y->value, y->unit, uy) : y->value;
    }
    t.a = into(b, point(b, slot), ux).term;
    t.points = rows;
    return (typed){.term = add(b, t), .unit = uy};
}

static typed sum(build *b, const sy_expr *e);

/* Both sides in one unit: of a difference of temperatures, in that of the first. */
static typed two(build *b, const sy_expr *e)
{
    typed x = sum(b, e->a), y = sum(b, e->b), out;
    term t = {.kind = T_MUL};
    if (!going(b)) {
        return (typed){0};
    }
    switch (e->kind) {
    case SY_EXPR_ADD:
    case SY_EXPR_SUB:
        t.kind = e->kind == SY_EXPR_ADD ? T_ADD : T_SUB;
        y = into(b, y, x.unit);
        break;
    case SY_EXPR_DIV:
        t.kind = T_DIV;
        y = same_tag(x.unit, y.unit) ? into(b, y, x.unit) : y;
        break;
    case SY_EXPR_MUL:
    case SY_EXPR_VALUE:
    case SY_EXPR_QUANTITY:
    case SY_EXPR_LET:
    case SY_EXPR_AGG:
    case SY_EXPR_TABLE:
    default:
        break;
    }
    t.a = x.term;
    t.b = y.term;
    out = (typed){.term = add(b, t), .unit = e->unit};
    if (t.kind == T_ADD || t.kind == T_SUB) {
        bool apart = x.unit && e->unit && !same_tag(x.unit, e->unit);
        out.unit = x.unit;
        out.scaled = x.scaled || apart;
        out = into(b, out, e->unit);
    }
    out.scaled = false;
    return out;
}

static typed sum(build *b, const sy_expr *e)
{
    typed x;
    if (!going(b)) {
        return (typed){0};
    }
    switch (e->kind) {
    case SY_EXPR_VALUE:
        x = value(b, &e->value);
        break;
    case SY_EXPR_QUANTITY:
        x = point(b, sy_judge__slot(b, e->name.word));
        break;
    case SY_EXPR_LET:
        x = let_term(b, e->let);
        break;
    case SY_EXPR_AGG:
        x = aggregate(b, e->agg);
        break;
    case SY_EXPR_TABLE:
        x = table(b, e);
        break;
    case SY_EXPR_ADD:
    case SY_EXPR_SUB:
    case SY_EXPR_MUL:
    case SY_EXPR_DIV:
    default:
        return two(b, e);
    }
    x = into(b, x, e->unit);
    x.scaled = false;
    return x;
}

static typed let_term(build *b, const sy_letdef *let)
{
    uint16_t *known = &b->let_terms[let - b->i->rule->lets];
    if (going(b) && *known == UINT16_MAX) {
        bool within = b->in_let;
        b->in_let = true;
        uint16_t t = sum(b, let->sum).term;
        b->in_let = within;
        *known = t;
    }
    return (typed){.term = *known, .unit = let->sum->unit};
}

/* x beside a limit, in the limit's unit. */
static void beside(build *b, typed x, const sy_value *limit, uint16_t *xt, uint16_t *lt)
{
    typed l = value(b, limit);
    if (!going(b)) {
        return;
    }
    if (!x.scaled && x.unit && l.unit && !same_tag(x.unit, l.unit)) {
        b->why = "the unit of a point does not convert to that of the limit";
        return;
    }
    x = into(b, x, l.unit);
    if (x.rate && limit->let == NULL) {
        const sy_num *n =
            limit->set && limit->set->n_dates ? limit->set->dates[0].num : sy_judge__num(b, limit);
        double ms = n->time ? sy_unit_convert(1, n->time, sy_unit_by_id("ms")) : 1;
        x.term = add(b, (term){.kind = T_SCALE, .a = x.term, .k = ms});
    }
    *xt = x.term;
    *lt = l.term;
}

/* The terms that a sample needs, children first, as a list in kids. */
static void needs_of(build *b, sample *s, bool two_limits)
{
    uint8_t *need = b->j->o.alloc.resize(b->j->o.alloc.ctx, NULL, b->n_terms + 1);
    if (!need) {
        b->err = SY_E_NOMEM;
        return;
    }
    memset(need, 0, b->n_terms + 1);
    need[s->xa] = need[s->a] = 1;
    if (two_limits) {
        need[s->xb] = need[s->b] = 1;
    }
    for (size_t k = b->n_terms; k > 0; k--) {
        const term *t = &b->terms[k - 1];
        bool one = t->kind == T_TABLE || t->kind == T_CONVERT || t->kind == T_SCALE;
        bool both = t->kind >= T_ADD;
        if (!need[k - 1]) {
            continue;
        }
        if (one || both) {
            need[t->a] = 1;
        }
        if (both) {
            need[t->b] = 1;
        }
        for (uint32_t q = 0; t->kind == T_ACROSS && q < t->n_kids; q++) {
            need[b->kids[t->kid + q]] = 1;
        }
    }
    s->needs = (uint32_t)b->n_kids;
    for (size_t k = 0; k < b->n_terms && going(b); k++) {
        uint16_t at = (uint16_t)k;
        if (need[k]) {
            (void)sy_judge__add_kids(b, &at, 1);
            s->n_needs++;
        }
    }
    b->j->o.alloc.resize(b->j->o.alloc.ctx, need, 0);
}

/* Mark what the terms of a sample look at: 1 its instants, 2 what else they rest on. */
static void slots_of(build *b, const sample *s, uint8_t *mark)
{
    for (uint32_t k = 0; k < s->n_needs; k++) {
        const term *t = &b->terms[b->kids[s->needs + k]];
        if (t->kind == T_POINT) {
            mark[t->a] = 1;
        } else if (t->kind == T_WINDOW) {
            const window *w = &b->windows[t->a];
            mark[w->slot] = 1;
            if (w->has_while && !mark[w->while_slot]) {
                mark[w->while_slot] = 2;
            }
        }
    }
}

uint16_t sy_judge__sample_node(build *b, const sample *s, const uint16_t *slots)
{
    sample x = *s;
    x.event = b->event != UINT16_MAX;
    node n = {.kind = N_SAMPLE, .op = s->op, .level = b->level, .slot = slots[0]};
    x.kid = sy_judge__add_kids(b, slots, (size_t)s->n_slots + s->n_more);
    for (uint32_t k = 0; k < (uint32_t)s->n_slots + s->n_more; k++) {
        jslot *j = &b->i->slots[slots[k]];
        j->sampled = true;
        if (k < s->n_slots && b->event == UINT16_MAX) {
            j->cmp = true;
            j->wait = later(j->wait, s->missing);
        }
    }
    b->err = b->err ? b->err
                    : sy_grow(b->j->o.alloc, (void **)&b->samples, &b->cap_samples,
                              b->n_samples + 1, sizeof x);
    if (!going(b)) {
        return 0;
    }
    n.item = (uint16_t)b->n_samples;
    b->samples[b->n_samples++] = x;
    return sy_judge__add_node(b, n);
}

/* The sample over the slots that its terms look at. */
static uint16_t over_slots(build *b, sample *s)
{
    uint16_t n = b->i->n_slots;
    size_t at = 0;
    uint16_t made = 0;
    uint8_t *mark = b->j->o.alloc.resize(b->j->o.alloc.ctx, NULL, n);
    uint16_t *list = b->j->o.alloc.resize(b->j->o.alloc.ctx, NULL, n * sizeof *list);
    if (mark && list) {
        memset(mark, 0, n);
        slots_of(b, s, mark);
        for (uint8_t what = 1; what <= 2; what++) {
            for (uint16_t k = 0; k < n; k++) {
                if (mark[k] == what) {
                    list[at++] = k;
                }
                if (mark[k] == what && what == 1) {
                    s->n_slots = (uint16_t)at;
                    s->missing = later(s->missing, sy_judge__missing(b, k));
                }
            }
        }
        s->n_more = (uint16_t)(at - s->n_slots);
        if (s->n_slots == 0) {
            b->why = "a let is made of no point";
        } else {
            made = sy_judge__sample_node(b, s, list);
        }
    } else {
        b->err = SY_E_NOMEM;
    }
    b->j->o.alloc.resize(b->j->o.alloc.ctx, mark, 0);
    b->j->o.alloc.resize(b->j->o.alloc.ctx, list, 0);
    return made;
}

uint16_t sy_judge__derived_node(build *b, const sy_cond *c, uint16_t slot)
{
    bool two_limits = c->op == SY_OP_OUTSIDE || c->op == SY_OP_WITHIN;
    sample s = {.kind = S_DERIVED, .op = (uint8_t)c->op};
    typed x = {0};
    if (c->agg) {
        x = aggregate(b, c->agg);
    } else if (c->let) {
        x = let_term(b, c->let);
    } else {
        x = point(b, slot);
    }
    beside(b, x, &c->a, &s.xa, &s.a);
    if (two_limits) {
        beside(b, x, &c->b, &s.xb, &s.b);
    }
    if (going(b)) {
        needs_of(b, &s, two_limits);
    }
    return going(b) ? over_slots(b, &s) : 0;
}
