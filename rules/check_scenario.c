/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking scenarios: the rule that is tested, and each name against its watch list.
 */
#include "rules/check.h"

enum { MOST_READINGS = 1000000 };

static const sy_span none = {NULL, 0};

const sy_draft *sy_c_rule(sy_span id, sy_draft *const *drafts, size_t n)
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

void sy_c_no_rule(sy_checker *c, sy_span id, sy_pos pos, sy_draft *const *drafts, size_t n)
{
    const char *words[64];
    size_t k = 0;
    for (size_t i = 0; i < n && k < 64; i++)
        if (drafts[i]->rule.id)
            words[k++] = drafts[i]->rule.id;
    sy_c_say(c, SY_DIAG_ERROR, "unknown-rule", pos, "no rule '%1' in these files",
             "这些文件中没有规则“%1”", sy_nearest(id, words, k), id, none);
}

static const sy_word *watched(sy_checker *c, const sy_draft *d, const sy_name *name, unsigned kinds,
                              const char *en, const char *zh)
{
    const sy_word *w = sy_c_word(c, name, kinds, en, zh);
    unsigned points = SY_KIND(SY_W_QUANTITY) | SY_KIND(SY_W_STATE) | SY_KIND(SY_W_EVENT);
    if (w && (points & SY_KIND(w->kind)) && d->rule.n_watch > 0 && !sy_c_watched(&d->rule, w) &&
        !sy_c_member(&d->rule, w)) {
        sy_c_say(c, SY_DIAG_ERROR, "not-watched", name->pos, "rule %2 does not watch '%1'",
                 "规则 %2 不监测“%1”", NULL, name->text, sy_span_of(d->rule.id));
        return NULL;
    }
    return w;
}

static void fact(sy_checker *c, const sy_draft *d, const sy_fact *f)
{
    unsigned points = SY_KIND(SY_W_QUANTITY) | SY_KIND(SY_W_STATE);
    unsigned values = SY_KIND(SY_W_TIER) | SY_KIND(SY_W_STATE);
    const sy_word *w;
    sy_measure m;
    switch (f->kind) {
    case SY_FACT_IS:
        (void)watched(c, d, &f->name, values, "tier or state", "等级或状态");
        break;
    case SY_FACT_EVERY:
        if (watched(c, d, &f->name, points, "quantity or state", "量或状态"))
            sy_check_duration_num(c, f->num, f->num->pos);
        break;
    case SY_FACT_UNCERTAINTY:
        w = watched(c, d, &f->name, SY_KIND(SY_W_QUANTITY), "quantity", "量");
        if (!w)
            break;
        /* A difference of degrees Celsius is written K. */
        m = sy_c_measure(w);
        if (f->num->unit && sy_span_is(sy_span_of(f->num->unit->id), "K"))
            m.unit = sy_unit_difference(w->unit);
        (void)sy_check_unit(c, f->num, &m, f->num->pos);
        break;
    case SY_FACT_CALENDAR:
        (void)sy_c_word(c, &f->name, SY_KIND(SY_W_CALENDAR), "calendar", "日历");
        if (f->from == f->to)
            (void)sy_c_fail(c, "reversed", f->pos, "the calendar is never inside: no time passes",
                            "该日历没有任何时段");
        break;
    case SY_FACT_DATE:
        (void)sy_c_word(c, &f->name, SY_KIND(SY_W_DATE), "date", "日期");
        break;
    }
}

/* refuel (vapour-volume 22 L, fuel-volume 20 L): quantities of the event, each once */
static void members(sy_checker *c, const sy_assign *a, const sy_word *event)
{
    for (size_t i = 0; i < a->n_members; i++) {
        const sy_assign *m = &a->members[i];
        const sy_word *w = sy_c_word(c, &m->name, SY_KIND(SY_W_QUANTITY), "quantity", "量");
        bool known = false, twice = false;
        for (size_t k = 0; w && k < event->n_members; k++)
            known |= event->members[k] == w;
        for (size_t k = 0; w && k < i; k++)
            twice |= a->members[k].name.word == w;
        if (!w)
            continue;
        sy_measure q = sy_c_measure(w);
        if (!known)
            sy_c_say(c, SY_DIAG_ERROR, "not-member", m->name.pos, "'%1' is no member of '%2'",
                     "“%1”不是“%2”的成员量", NULL, m->name.text, a->name.text);
        else if (twice)
            sy_c_say(c, SY_DIAG_ERROR, "name-twice", m->name.pos, "'%1' stands twice",
                     "“%1”出现两次", NULL, m->name.text, none);
        else
            (void)sy_check_unit(c, m->num, &q, m->num->pos);
    }
}

static void assign(sy_checker *c, const sy_draft *d, const sy_assign *a)
{
    unsigned kinds = SY_KIND(SY_W_QUANTITY) | SY_KIND(SY_W_STATE) | SY_KIND(SY_W_EVENT);
    const sy_word *w = watched(c, d, &a->name, kinds, "quantity or state", "量或状态");
    if (!w || a->no_data)
        return;
    if (w->kind == SY_W_EVENT && a->n_members)
        members(c, a, w);
    else if (w->kind == SY_W_EVENT)
        sy_c_say(c, SY_DIAG_ERROR, "wrong-kind", a->pos,
                 "'%1' is an event: give its members, '%1 (… , …)'",
                 "“%1”是事件：请写其成员量，如“%1（……，……）”", NULL, a->name.text, none);
    else if (a->n_members)
        sy_c_say(c, SY_DIAG_ERROR, "wrong-kind", a->pos, "'%1' is no event and has no members",
                 "“%1”不是事件，没有成员量", NULL, a->name.text, none);
    else if (w->kind == SY_W_STATE && a->num)
        sy_c_say(c, SY_DIAG_ERROR, "wrong-kind", a->pos,
                 "'%1' is a state: give one of its values, such as '%2'",
                 "“%1”是状态：请写其取值，如“%2”", NULL, a->name.text, sy_span_of(w->values[0].id));
    else if (a->num) {
        sy_measure m = sy_c_measure(w);
        (void)sy_check_unit(c, a->num, &m, a->num->pos);
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
    const sy_draft *d = sy_c_rule(s->rule_id, drafts, n);
    if (!d) {
        sy_c_no_rule(c, s->rule_id, s->pos, drafts, n);
        return;
    }
    s->rule = &d->rule;
    for (size_t i = 0; i < s->n_steps; i++) {
        const sy_step *step = &s->steps[i];
        for (size_t k = 0; k < step->n_facts; k++)
            fact(c, d, &step->facts[k]);
        if (step->kind == SY_STEP_FROM && step->every)
            many(c, step);
        for (size_t k = 0; k < step->n_assigns; k++)
            assign(c, d, &step->assigns[k]);
        expects |= step->kind == SY_STEP_NO_ALERT_UNTIL || step->kind == SY_STEP_ALERT_AT ||
                   step->kind == SY_STEP_CLEAR_AT;
    }
    if (!expects)
        sy_c_say(c, SY_DIAG_WARNING, "no-expect", s->pos, "this scenario expects nothing",
                 "该情景没有任何预期", NULL, none, none);
}
