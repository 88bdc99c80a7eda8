/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves of calendar windows, compiled: means of hours and days, shares of events, and levels that
 * last. The conditions of a share are judged at its events; their nodes lie behind those of the
 * rule, and are compiled once these are.
 */
#include "rules/judge_core.h"
#include "rules/judge_run.h"
#include "rules/judge_value.h"

enum { HOURS_BACK = 26 };
#define HOUR ((sy_ms)3600000)

/* How far back a log must reach for a window that is open at the oldest checkpoint. */
static void look_back(build *b, uint16_t slot, bool daily)
{
    sy_ms by = daily ? HOURS_BACK * HOUR : 2 * HOUR;
    b->i->slots[slot].keep = later(b->i->slots[slot].keep, by);
}

static uint16_t closing_node(build *b, const closing *c, node n)
{
    b->err = b->err ? b->err
                    : sy_grow(b->j->o.alloc, (void **)&b->closings, &b->cap_closings,
                              b->n_closings + 1, sizeof *c);
    if (!going(b)) {
        return 0;
    }
    b->closings[b->n_closings] = *c;
    n.kind = N_CLOSE;
    n.level = b->level;
    n.item = (uint16_t)b->n_closings++;
    look_back(b, 0, c->daily);
    return sy_judge__add_node(b, n);
}

static const sy_unit *unit_of(const build *b, uint16_t slot)
{
    const char *u = b->j->o.site->points[b->i->slots[slot].point].unit;
    return u ? sy_unit_by_id(u) : NULL;
}

static uint16_t mean_node(build *b, const sy_cond *c)
{
    closing x = {.kind = C_HOURLY};
    node n = {.op = (uint8_t)c->op};
    x.daily = c->agg->kind == SY_AGG_DAILY_MEAN;
    x.kind = x.daily ? C_DAILY : C_HOURLY;
    sy_judge__filter(b, c->agg, &x.what);
    if (going(b) && (c->a.let || c->b.let)) {
        b->why = "the limit of a calendar window is a let";
    }
    if (!going(b)) {
        return 0;
    }
    n.slot = x.what.slot;
    n.from = unit_of(b, n.slot);
    sy_judge__limits(b, c, &n);
    look_back(b, n.slot, x.daily);
    if (x.what.has_while) {
        look_back(b, x.what.while_slot, x.daily);
    }
    return closing_node(b, &x, n);
}

static uint16_t share_node(build *b, const sy_cond *c)
{
    const sy_portion *p = c->portion;
    sy_cond limit = {.kind = SY_COND_TEST, .op = p->op, .a = p->share};
    closing x = {.kind = C_SHARE, .daily = true, .counted = p->counted ? p->counted->value : 1};
    node n = {.op = (uint8_t)p->op, .from = sy_unit_by_id("%")};
    x.event = sy_judge__slot(b, p->event.word);
    x.what.during = b->level < 0 ? NULL : b->i->levels[b->level].during;
    if (!going(b)) {
        return 0;
    }
    n.slot = x.event;
    sy_judge__limits(b, &limit, &n);
    look_back(b, x.event, true);
    uint16_t made = closing_node(b, &x, n);
    if (b->n_shares == SHARES_MAX) {
        b->why = "the rule has too many shares";
    }
    if (going(b)) {
        b->shares[b->n_shares++] = (share_of){.closing = b->nodes[made].item, .cond = c};
    }
    return made;
}

static uint16_t lasts_node(build *b, const sy_cond *c)
{
    closing x = {.kind = C_LASTS};
    node n = {0};
    bool found = false, hours = false, days = false;
    for (uint16_t k = 0; k < b->i->n_levels; k++) {
        const jlevel *l = &b->i->levels[k];
        if (l->severity != c->level) {
            continue;
        }
        found = true;
        x.level = k;
        for (uint32_t q = l->cond.first; q <= l->cond.last; q++) {
            const node *y = &b->nodes[q];
            hours = hours || (y->kind == N_CLOSE && !b->closings[y->item].daily);
            days = days || (y->kind == N_CLOSE && b->closings[y->item].daily);
        }
    }
    sy_ms length = sy_judge__length_of(b, &c->length), one = days ? DAY_MS : HOUR;
    if (going(b) && (!found || hours == days || length % one != 0 || length / one < 2)) {
        b->why = "lasts is of a level with one length of calendar window, two of them at least";
    }
    x.daily = days;
    x.times = length / one;
    x.item = b->i->n_runs++;
    return closing_node(b, &x, n);
}

bool sy_judge__is_close(const sy_cond *c)
{
    bool mean = c->agg && (c->agg->kind == SY_AGG_HOURLY_MEAN || c->agg->kind == SY_AGG_DAILY_MEAN);
    return c->kind == SY_COND_LASTS || (c->kind == SY_COND_TEST && (c->portion || mean));
}

uint16_t sy_judge__close_node(build *b, const sy_cond *c)
{
    if (c->kind == SY_COND_LASTS) {
        return lasts_node(b, c);
    }
    return c->portion ? share_node(b, c) : mean_node(b, c);
}

static sy_ms delivery(const build *b, uint16_t slot)
{
    return b->j->o.site->points[b->i->slots[slot].point].delivery;
}

static bool is_member(const sy_word *event, const build *b, uint16_t slot)
{
    for (size_t m = 0; m < event->n_members; m++) {
        if (sy_judge__is_word(b, slot, event->members[m])) {
            return true;
        }
    }
    return false;
}

/* A root of its own, judged at events: its points are compared there, not over time. */
static root at_events(build *b, const sy_cond *c)
{
    root r = {.first = (uint32_t)b->n, .hold = -1};
    (void)sy_judge__cond_node(b, c);
    r.last = b->n ? (uint32_t)b->n - 1 : 0;
    for (size_t k = r.first; k < b->n && going(b); k++) {
        if (b->nodes[k].kind == N_HOLD || b->nodes[k].kind == N_CUM ||
            b->nodes[k].kind == N_NODATA || b->nodes[k].kind == N_CLOSE) {
            b->why = "an event has no time in which something could hold";
        }
        look_back(b, b->nodes[k].slot, true);
    }
    return r;
}

static void share_conditions(build *b, const share_of *s)
{
    closing *c = &b->closings[s->closing];
    const sy_rule *rule = b->i->rule;
    const sy_word *event = s->cond->portion->event.word;
    sy_cond test = *s->cond;
    test.portion = NULL;
    b->event = c->event;
    for (uint16_t k = 0; k < b->i->n_slots; k++) {
        if (is_member(event, b, k) && sy_judge__on_device(b, k)) {
            b->i->slots[k].member = true;
            look_back(b, k, true);
        }
    }
    for (size_t k = 0; k < rule->n_counts && going(b); k++) {
        if (rule->counts[k].event.word == event) {
            c->counts = true;
            c->only_when = at_events(b, rule->counts[k].when);
        }
    }
    if (going(b)) {
        c->test = at_events(b, &test);
    }
    b->event = UINT16_MAX;
}

/* How long what decides at the closes of a condition may take to come. */
static sy_ms longest_delivery(const build *b, const root *r)
{
    sy_ms longest = 0;
    for (uint32_t q = r->first; r->closes && q <= r->last; q++) {
        const closing *c = b->nodes[q].kind == N_CLOSE ? &b->closings[b->nodes[q].item] : NULL;
        if (c && c->kind == C_LASTS) {
            longest = later(longest, b->i->levels[c->level].delivery);
        } else if (c) {
            longest = later(longest, delivery(b, b->nodes[q].slot));
        }
        for (uint16_t s = 0; c && c->kind == C_SHARE && s < b->i->n_slots; s++) {
            longest = later(longest, b->i->slots[s].member ? delivery(b, s) : 0);
        }
    }
    return longest;
}

/* Levels with a calendar window, and what comes after all nodes are there. */
void sy_judge__closes_build(build *b)
{
    for (size_t k = 0; k < b->n_shares && going(b); k++) {
        share_conditions(b, &b->shares[k]);
    }
    for (uint16_t k = 0; k < b->i->n_levels && going(b); k++) {
        jlevel *l = &b->i->levels[k];
        l->delivery = l->cond.closes ? longest_delivery(b, &l->cond) : l->delivery;
    }
    b->i->clear_delivery = b->i->has_clear && going(b) ? longest_delivery(b, &b->i->clear) : 0;
}
