/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The site of a scenario (ruling 17): delivery and uncertainty are 0 unless given, a calendar that
 * is not given is always inside.
 */
#include "rules/scenario_int.h"

#include "rules/judge_bind.h"

static const double no_number = (double)__builtin_nanf("");

uint32_t sy_scenario__point(const box *b, const sy_word *w)
{
    for (uint32_t k = 0; k < b->site.n_points; k++) {
        if (same_text(b->points[k].quantity, w->id)) {
            return k;
        }
    }
    return UINT32_MAX;
}

/* Facts of a kind, one by one: NULL at the end. */
static const sy_fact *next_fact(const box *b, sy_fact_kind kind, size_t *step, size_t *at)
{
    for (; *step < b->s->n_steps; ++*step, *at = 0) {
        const sy_step *s = &b->s->steps[*step];
        while (*at < s->n_facts) {
            const sy_fact *f = &s->facts[(*at)++];
            if (f->kind == kind) {
                return f;
            }
        }
    }
    return NULL;
}

static const sy_fact *fact_of(const box *b, sy_fact_kind kind, const sy_word *w)
{
    size_t step = 0, at = 0;
    const sy_fact *f;
    while ((f = next_fact(b, kind, &step, &at)) != NULL && f->name.word != w) {
    }
    return f;
}

static size_t facts(const box *b)
{
    size_t n = 0;
    for (size_t k = 0; k < b->s->n_steps; k++) {
        n += b->s->steps[k].n_facts;
    }
    return n;
}

/* The smallest `every` of a quantity, unless it is given. */
static sy_ms interval(const box *b, const sy_word *w)
{
    const sy_fact *given = fact_of(b, SY_FACT_EVERY, w);
    sy_ms best = 0;
    for (size_t k = 0; !given && w->kind == SY_W_QUANTITY && k < b->s->n_steps; k++) {
        const sy_step *s = &b->s->steps[k];
        for (size_t q = 0; s->kind == SY_STEP_FROM && q < s->n_assigns; q++) {
            sy_ms every = sy_judge__duration(s->every);
            if (s->assigns[q].name.word == w && !s->assigns[q].no_data) {
                best = best == 0 ? every : sooner(best, every);
            }
        }
    }
    return given ? sy_judge__duration(given->num) : best;
}

static double uncertainty(const box *b, const sy_word *w)
{
    const sy_fact *f = fact_of(b, SY_FACT_UNCERTAINTY, w);
    if (!f) {
        return 0;
    }
    const sy_unit *from = f->num->unit;
    return from && w->unit ? f->num->value * (from->factor / w->unit->factor) : f->num->value;
}

static void add_point(box *b, const sy_word *w)
{
    size_t at = b->site.n_points;
    if (sy_scenario__point(b, w) != UINT32_MAX) {
        return;
    }
    for (; at > 0 && text_order(b->points[at - 1].series, w->id) > 0; at--) {
        b->points[at] = b->points[at - 1];
    }
    b->points[at] = (sy_site_point){.series = w->id,
                                    .device = "scenario",
                                    .name = w->id,
                                    .quantity = w->id,
                                    .unit = w->unit ? w->unit->id : NULL,
                                    .is_state = w->kind == SY_W_STATE,
                                    .every = interval(b, w),
                                    .range_lo = no_number,
                                    .range_hi = no_number,
                                    .accuracy = no_number,
                                    .uncertainty = uncertainty(b, w),
                                    .resolution = no_number};
    b->site.points = b->points;
    b->site.n_points++;
}

static sy_err make_points(box *b)
{
    const sy_rule *r = b->s->rule;
    size_t n = r->n_watch;
    for (size_t k = 0; k < r->n_watch; k++) {
        n += r->watch[k].word->n_members;
    }
    b->points = sy_arena_get(b->arena, (n + 1) * sizeof *b->points);
    if (!b->points) {
        return SY_E_NOMEM;
    }
    for (size_t k = 0; k < r->n_watch; k++) {
        const sy_word *w = r->watch[k].word;
        add_point(b, w);
        for (size_t m = 0; m < w->n_members; m++) {
            add_point(b, w->members[m]);
        }
    }
    return SY_OK;
}

/* A calendar of the rule: the given hours of every day, or always. Sorted by name. */
static sy_err add_calendar(box *b, sy_site_calendar *v, size_t *n, const sy_word *w)
{
    size_t at = *n;
    size_t step = 0, pos = 0, spans = 0;
    const sy_fact *f;
    for (size_t k = 0; k < *n; k++) {
        if (same_text(v[k].name, w->id)) {
            return SY_OK;
        }
    }
    sy_site_span *s = sy_arena_get(b->arena, (facts(b) + 1) * sizeof *s);
    if (!s) {
        return SY_E_NOMEM;
    }
    while ((f = next_fact(b, SY_FACT_CALENDAR, &step, &pos)) != NULL) {
        if (f->name.word == w) {
            sy_ms to = f->to <= f->from ? f->to + DAY_MS : f->to;
            s[spans++] = (sy_site_span){.days = 0x7f, .from = f->from, .to = to};
        }
    }
    if (spans == 0) {
        s[spans++] = (sy_site_span){.days = 0x7f, .from = 0, .to = DAY_MS};
    }
    for (; at > 0 && text_order(v[at - 1].name, w->id) > 0; at--) {
        v[at] = v[at - 1];
    }
    v[at] = (sy_site_calendar){.name = w->id, .spans = s, .n_spans = spans};
    ++*n;
    return SY_OK;
}

static sy_err make_calendars(box *b)
{
    const sy_rule *r = b->s->rule;
    sy_site_calendar *v = sy_arena_get(b->arena, (r->n_alerts + 1) * sizeof *v);
    size_t n = 0;
    sy_err e = v ? SY_OK : SY_E_NOMEM;
    for (size_t k = 0; k < r->n_alerts && !e; k++) {
        if (r->alerts[k].during.word) {
            e = add_calendar(b, v, &n, r->alerts[k].during.word);
        }
    }
    b->premises.calendars = v;
    b->premises.n_calendars = n;
    return e;
}

static sy_err make_register(box *b)
{
    size_t step = 0, at = 0, n = 0, cap = facts(b) + 1;
    sy_site_tier *tiers = sy_arena_get(b->arena, cap * sizeof *tiers);
    sy_site_due *dues = sy_arena_get(b->arena, cap * sizeof *dues);
    const sy_fact *f;
    if (!tiers || !dues) {
        return SY_E_NOMEM;
    }
    while ((f = next_fact(b, SY_FACT_IS, &step, &at)) != NULL) {
        if (f->name.word->kind == SY_W_TIER) {
            tiers[n++] = (sy_site_tier){f->name.word->id, f->name.word->values[f->value].id};
        }
    }
    b->premises.tiers = tiers;
    b->premises.n_tiers = n;
    n = step = at = 0;
    while ((f = next_fact(b, SY_FACT_DATE, &step, &at)) != NULL) {
        dues[n++] = (sy_site_due){f->name.word->id, sy_days_of(f->date)};
    }
    b->premises.dues = dues;
    b->premises.n_dues = n;
    return SY_OK;
}

static const char *first_name(const sy_axis *a)
{
    return a->n ? a->names[0].word->id : NULL;
}

sy_err sy_scenario__site(box *b)
{
    const sy_rule *r = b->s->rule;
    const char **goods = sy_arena_get(b->arena, sizeof *goods);
    if (!goods) {
        return SY_E_NOMEM;
    }
    goods[0] = first_name(&r->goods);
    b->premises = (sy_site_premises){.id = "premises",
                                     .subject = first_name(&r->subject),
                                     .stage = first_name(&r->stage),
                                     .zone = b->zone};
    b->place = (sy_site_place){.id = "place",
                               .kind = r->watch_kind ? r->watch_kind->id : "place",
                               .goods = goods,
                               .n_goods = goods[0] ? 1 : 0};
    b->site = (sy_site){.gateway = "scenario",
                        .premises = &b->premises,
                        .n_premises = 1,
                        .places = &b->place,
                        .n_places = 1};
    sy_err e = make_register(b);
    e = e ? e : make_calendars(b);
    return e ? e : make_points(b);
}
