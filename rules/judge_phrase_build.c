/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Phrases, compiled: which points they look at, how far back, and their limits in the unit of the
 * point.
 */
#include "rules/judge_core.h"
#include "rules/judge_value.h"

static phrase *new_phrase(build *b)
{
    phrase *p = sy_arena_get(&b->j->arena, sizeof *p);
    if (!p) {
        b->err = SY_E_NOMEM;
    }
    return p;
}

static const sy_unit *unit_of(const build *b, uint16_t slot)
{
    const char *u = b->j->o.site->points[b->i->slots[slot].point].unit;
    return u ? sy_unit_by_id(u) : NULL;
}

static void look_back(build *b, uint16_t slot, sy_ms by)
{
    b->i->slots[slot].keep = later(b->i->slots[slot].keep, by);
}

/* The quantity's slot, then those of the other quantities that the rule watches at the place. */
static uint16_t stuck(build *b, const sy_cond *c, uint16_t slot, phrase *p)
{
    sample s = {.kind = S_STUCK, .op = (uint8_t)c->op, .n_slots = 1, .missing = p->missing, .p = p};
    uint16_t *slots =
        b->j->o.alloc.resize(b->j->o.alloc.ctx, NULL, (b->i->n_slots + 1) * sizeof *slots);
    uint16_t made = 0;
    if (!slots) {
        b->err = SY_E_NOMEM;
        return 0;
    }
    p->d = sy_judge__length_of(b, &c->a);
    p->others_move = c->others_move;
    slots[0] = slot;
    look_back(b, slot, p->d + p->missing);
    for (uint16_t k = 0; c->others_move && k < b->i->n_slots; k++) {
        const sy_site_point *x = &b->j->o.site->points[b->i->slots[k].point];
        if (!x->is_state && !sy_judge__is_word(b, k, c->operand.word)) {
            look_back(b, k, p->d);
            slots[1 + s.n_more++] = k;
        }
    }
    if (c->others_move && s.n_more == 0) {
        b->why = "no other quantity is watched at the place";
    }
    if (going(b)) {
        made = sy_judge__sample_node(b, &s, slots);
    }
    b->j->o.alloc.resize(b->j->o.alloc.ctx, slots, 0);
    return made;
}

static uint16_t exposure(build *b, const sy_cond *c, uint16_t slot, phrase *p)
{
    sample s = {
        .kind = S_EXPOSURE, .op = (uint8_t)c->op, .n_slots = 1, .missing = p->missing, .p = p};
    const sy_unit *unit = unit_of(b, slot);
    const sy_num *limit = sy_judge__num(b, &c->a), *most = sy_judge__num(b, &c->b);
    if (!going(b)) {
        return 0;
    }
    if (unit && limit->unit && !sy_unit_convertible(limit->unit, unit)) {
        sy_judge__refuse(b, "the unit of ", c->operand.word->id,
                         " does not convert to that of the limit");
        return 0;
    }
    p->d = sy_judge__length_of(b, &c->window);
    p->below = c->op == SY_OP_EXPOSURE_BELOW;
    p->limit =
        unit && limit->unit ? sy_unit_convert(limit->value, limit->unit, unit) : limit->value;
    p->most = most->value;
    if (unit && most->unit) {
        p->most = p->most * most->unit->factor / unit->factor;
    }
    if (most->time) {
        p->most = p->most * sy_unit_convert(1, most->time, sy_unit_by_id("ms"));
    }
    look_back(b, slot, p->d + p->missing);
    return going(b) ? sy_judge__sample_node(b, &s, &slot) : 0;
}

static uint16_t count_of(build *b, const sy_cond *c, uint16_t slot, phrase *p)
{
    sample s = {.kind = S_COUNT, .op = (uint8_t)c->op, .n_slots = 1, .missing = p->missing, .p = p};
    p->n = c->hold.n;
    p->of = c->hold.of;
    p->test = (node){.kind = N_CMP, .op = (uint8_t)c->op, .slot = slot, .from = unit_of(b, slot)};
    sy_judge__limits(b, c, &p->test);
    look_back(b, slot, (sy_ms)p->of * p->missing);
    return going(b) ? sy_judge__sample_node(b, &s, &slot) : 0;
}

uint16_t sy_judge__phrase_leaf(build *b, const sy_cond *c, uint16_t slot)
{
    phrase *p = new_phrase(b);
    if (!p) {
        return 0;
    }
    p->missing = sy_judge__missing(b, slot);
    if (c->hold.kind == SY_HOLD_READINGS) {
        return count_of(b, c, slot, p);
    }
    return c->op == SY_OP_STUCK ? stuck(b, c, slot, p) : exposure(b, c, slot, p);
}

static const sy_site_due *find(const sy_site_due *v, size_t n, const char *what)
{
    for (size_t k = 0; k < n; k++) {
        if (same_text(v[k].what, what)) {
            return &v[k];
        }
    }
    return NULL;
}

uint16_t sy_judge__due_node(build *b, const sy_cond *c)
{
    const sy_site *site = b->j->o.site;
    const sy_site_point *point = &site->points[b->i->point];
    const sy_site_place *place = &site->places[point->place];
    const sy_site_premises *premises = &site->premises[place->premises];
    const char *what = c->operand.word->id;
    const sy_site_due *d = find(point->dues, point->n_dues, what);
    phrase *p = new_phrase(b);
    d = d ? d : find(place->dues, place->n_dues, what);
    d = d ? d : find(premises->dues, premises->n_dues, what);
    if (!d) {
        sy_judge__refuse(b, "no date is known for ", what, "");
    }
    if (!d || !going(b)) {
        return 0;
    }
    int64_t day = d->day + 1;
    if (c->op == SY_OP_DUE_WITHIN) {
        day -= (sy_judge__length_of(b, &c->a) + DAY_MS / 2) / DAY_MS;
    }
    p->from = sy_zone_midnight(premises->zone, day);
    b->i->has_phrases = true;
    return sy_judge__add_node(
        b, (node){.kind = N_DUE, .op = (uint8_t)c->op, .level = b->level, .p = p});
}

uint16_t sy_judge__curve_node(build *b, const sy_cond *c)
{
    uint16_t slot = sy_judge__slot(b, c->operand.word);
    uint16_t of = going(b) ? sy_judge__slot(b, c->curve_state.word) : 0;
    phrase *p = new_phrase(b);
    deadline *v = sy_arena_get(&b->j->arena, (c->n_deadlines + 1) * sizeof *v);
    if (!v || !p) {
        b->err = SY_E_NOMEM;
        return 0;
    }
    if (c->n_deadlines > PHRASE_DEADLINES) {
        b->why = "more than 16 deadlines";
    }
    for (size_t k = 0; k < c->n_deadlines && going(b); k++) {
        sy_cond test = {.kind = SY_COND_TEST,
                        .operand = c->operand,
                        .op = c->deadlines[k].op,
                        .a = c->deadlines[k].limit};
        v[k].test = (node){.kind = N_CMP, .op = (uint8_t)test.op, .slot = slot};
        v[k].test.from = unit_of(b, slot);
        sy_judge__limits(b, &test, &v[k].test);
        v[k].within = sy_judge__length_of(b, &c->deadlines[k].within);
        p->d = later(p->d, v[k].within);
    }
    if (!going(b)) {
        return 0;
    }
    p->missing = sy_judge__missing(b, slot);
    p->state_slot = of;
    p->state = c->state;
    p->deadlines = v;
    p->n_deadlines = (uint32_t)c->n_deadlines;
    look_back(b, slot, p->d + p->missing);
    b->i->has_phrases = true;
    return sy_judge__add_node(
        b,
        (node){.kind = N_CURVE, .slot = slot, .item = b->i->n_curves++, .level = b->level, .p = p});
}

uint16_t sy_judge__follow_node(build *b, const sy_cond *c, const uint16_t kids[2])
{
    phrase *p = new_phrase(b);
    if (!p) {
        return 0;
    }
    p->d = sy_judge__length_of(b, &c->length);
    p->never = c->kind == SY_COND_NOT_FOLLOWED;
    b->i->has_phrases = true;
    return sy_judge__add_node(b, (node){.kind = N_FOLLOW,
                                        .op = p->never,
                                        .item = b->i->n_follows++,
                                        .n_kids = 2,
                                        .level = b->level,
                                        .kid = sy_judge__add_kids(b, kids, 2),
                                        .d = p->d,
                                        .p = p});
}
