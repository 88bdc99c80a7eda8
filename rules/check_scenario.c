/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking scenarios: the rule that is tested, and each name against its watch list.
 */
#include "rules/check.h"

enum { MOST_READINGS = 1000000 };

static const sy_span none = {NULL, 0};

/* Of several versions of one id a scenario tests the last. */
static const sy_draft *find_rule(sy_span id, sy_draft *const *drafts, size_t n)
{
    const sy_draft *found = NULL;
    for (size_t i = 0; i < n; i++) {
        const sy_rule *r = &drafts[i]->rule;
        if (!r->id || drafts[i]->twin || !sy_span_is(id, r->id))
            continue;
        if (!found || !found->rule.version ||
            (r->version && r->version->value > found->rule.version->value))
            found = drafts[i];
    }
    return found;
}

static const sy_word *watched(sy_checker *c, const sy_draft *d, const sy_name *name, unsigned kinds,
                              const char *en, const char *zh)
{
    const sy_word *w = sy_c_word(c, name, kinds, en, zh);
    unsigned points = SY_KIND(SY_W_QUANTITY) | SY_KIND(SY_W_STATE);
    if (w && (points & SY_KIND(w->kind)) && d->rule.n_watch > 0 && !sy_c_watched(&d->rule, w)) {
        sy_c_say(c, SY_DIAG_ERROR, "not-watched", name->pos, "rule %2 does not watch '%1'",
                 "规则 %2 不监测“%1”", NULL, name->text, sy_span_of(d->rule.id));
        return NULL;
    }
    return w;
}

static void facts(sy_checker *c, const sy_draft *d, const sy_step *s)
{
    unsigned points = SY_KIND(SY_W_QUANTITY) | SY_KIND(SY_W_STATE);
    unsigned values = SY_KIND(SY_W_TIER) | SY_KIND(SY_W_STATE);
    for (size_t i = 0; i < s->n_facts; i++) {
        const sy_fact *f = &s->facts[i];
        const sy_word *w;
        switch (f->kind) {
        case SY_FACT_IS:
            if (f->name.word && f->name.word->kind == SY_W_CALENDAR)
                break;
            (void)watched(c, d, &f->name, values, "tier or state", "等级或状态");
            break;
        case SY_FACT_EVERY:
            if (watched(c, d, &f->name, points, "quantity or state", "量或状态"))
                sy_check_duration_num(c, f->num, f->num->pos);
            break;
        case SY_FACT_UNCERTAINTY:
            w = watched(c, d, &f->name, SY_KIND(SY_W_QUANTITY), "quantity", "量");
            /* A difference of degrees Celsius is written K. */
            if (w && w->unit && f->num->unit &&
                sy_span_is(sy_span_of(w->unit->tag), "temperature") &&
                sy_span_is(sy_span_of(f->num->unit->id), "K"))
                break;
            if (w)
                (void)sy_check_unit(c, f->num, w, f->num->pos);
            break;
        case SY_FACT_CALENDAR:
        case SY_FACT_DATE:
            break;
        }
    }
}

static void assigns(sy_checker *c, const sy_draft *d, const sy_step *s)
{
    unsigned points = SY_KIND(SY_W_QUANTITY) | SY_KIND(SY_W_STATE);
    for (size_t i = 0; i < s->n_assigns; i++) {
        const sy_assign *a = &s->assigns[i];
        if (!a->no_data && !a->num && a->state < 0)
            continue; /* an event: refused already */
        const sy_word *w = watched(c, d, &a->name, points, "quantity or state", "量或状态");
        if (!w || a->no_data)
            continue;
        if (w->kind == SY_W_STATE && a->num)
            sy_c_say(c, SY_DIAG_ERROR, "wrong-kind", a->pos,
                     "'%1' is a state: give one of its values, such as '%2'",
                     "“%1”是状态：请写其取值，如“%2”", NULL, a->name.text,
                     sy_span_of(w->values[0].id));
        else if (a->num)
            (void)sy_check_unit(c, a->num, w, a->num->pos);
    }
}

/* A step may not make more readings than a scenario can hold. */
static void many(sy_checker *c, const sy_step *s)
{
    const sy_unit *ms = sy_unit_by_id("ms");
    sy_check_duration_num(c, s->every, s->every->pos);
    if (!s->every->unit || !sy_unit_convertible(s->every->unit, ms))
        return;
    double every = sy_unit_convert(s->every->value, s->every->unit, ms);
    double days = 0;
    if (s->at.has_date && s->to.has_date)
        days = (double)(sy_days_of(s->to.date) - sy_days_of(s->at.date));
    else if (!s->at.has_date && !s->to.has_date)
        days = s->to.day - s->at.day;
    double span = days * 86400000 + (double)(s->to.of_day - s->at.of_day);
    if (every > 0 && span / every > MOST_READINGS)
        sy_c_say(c, SY_DIAG_ERROR, "too-many", s->pos, "more than 1,000,000 readings in one step",
                 "一个步骤的读数超过一百万", NULL, none, none);
}

void sy_check_scenario(sy_checker *c, sy_scenario *s, sy_draft *const *drafts, size_t n)
{
    bool expects = false;
    const sy_draft *d = find_rule(s->rule_id, drafts, n);
    if (!d) {
        const char *words[64];
        size_t k = 0;
        for (size_t i = 0; i < n && k < 64; i++)
            if (drafts[i]->rule.id)
                words[k++] = drafts[i]->rule.id;
        sy_c_say(c, SY_DIAG_ERROR, "unknown-rule", s->pos, "no rule '%1' in these files",
                 "这些文件中没有规则“%1”", sy_nearest(s->rule_id, words, k), s->rule_id, none);
        return;
    }
    s->rule = &d->rule;
    for (size_t i = 0; i < s->n_steps; i++) {
        const sy_step *step = &s->steps[i];
        facts(c, d, step);
        if (step->kind == SY_STEP_FROM && step->every)
            many(c, step);
        assigns(c, d, step);
        expects |= step->kind == SY_STEP_NO_ALERT_UNTIL || step->kind == SY_STEP_ALERT_AT ||
                   step->kind == SY_STEP_CLEAR_AT;
    }
    if (!expects)
        sy_c_say(c, SY_DIAG_WARNING, "no-expect", s->pos, "this scenario expects nothing",
                 "该情景没有任何预期", NULL, none, none);
}
