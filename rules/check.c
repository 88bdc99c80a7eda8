/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking rules clause by clause, and what the whole set lacks.
 */
#include "rules/check.h"

static const sy_span none = {NULL, 0};

static void axis(sy_checker *c, sy_axis *a, sy_word_kind kind)
{
    if (a->n == 0)
        a->any = true;
    for (size_t i = 0; i < a->n; i++)
        (void)sy_c_word(c, &a->names[i], SY_KIND(kind), sy_word_kind_text(kind, SY_EN),
                        sy_word_kind_text(kind, SY_ZH));
}

static void watch(sy_checker *c, const sy_rule *r)
{
    unsigned kinds = SY_KIND(SY_W_QUANTITY) | SY_KIND(SY_W_STATE) | SY_KIND(SY_W_EVENT);
    for (size_t i = 0; i < r->n_watch; i++) {
        const sy_word *w = sy_c_word(c, &r->watch[i], kinds, "quantity or state", "量或状态");
        if (w && w->kind == SY_W_EVENT)
            sy_c_say(c, SY_DIAG_ERROR, "not-yet", r->watch[i].pos,
                     "events such as '%1' are not judged yet", "事件（如“%1”）暂不能判定", NULL,
                     r->watch[i].text, none);
        for (size_t k = 0; w && k < i; k++)
            if (r->watch[k].word == w)
                sy_c_say(c, SY_DIAG_ERROR, "name-twice", r->watch[i].pos, "'%1' is watched already",
                         "“%1”已在监测之列", NULL, r->watch[i].text, none);
    }
}

static void set(sy_checker *c, const sy_setdef *s)
{
    if (s->num)
        sy_check_tunable(c, s->num);
    bool all = false;
    for (size_t i = 0; i < s->n_rows; i++) {
        sy_check_tunable(c, s->rows[i].num);
        all |= s->rows[i].value < 0;
    }
    for (size_t v = 0; s->tier && !all && v < s->tier->n_values; v++) {
        bool found = false;
        for (size_t i = 0; i < s->n_rows; i++)
            found |= s->rows[i].value == (int)v;
        if (!found) {
            sy_c_say(c, SY_DIAG_ERROR, "missing-row", s->pos,
                     "no row for %1 of %2: add it, or 'otherwise'",
                     "缺少“%2”中“%1”的一行：请补上或加“其余”", NULL,
                     sy_span_of(s->tier->values[v].id), sy_span_of(s->tier->id));
            return;
        }
    }
    if (!s->used)
        sy_c_say(c, SY_DIAG_WARNING, "unused", s->pos, "'%1' is never used", "“%1”从未使用", NULL,
                 s->name, none);
}

static void except(sy_checker *c, sy_except *e)
{
    const sy_word *w = sy_c_word(c, &e->state, SY_KIND(SY_W_STATE), "state", "状态");
    if (w) {
        e->value = sy_c_state_value(c, w, &e->value_name);
        if (c->draft->rule.n_watch > 0 && !sy_c_watched(&c->draft->rule, w))
            sy_c_say(c, SY_DIAG_ERROR, "not-watched", e->state.pos,
                     "'%1' is not among the names that 'watch' lists", "“%1”不在“监测”所列名称之中",
                     NULL, e->state.text, none);
    }
    sy_check_duration(c, &e->each);
    if (e->times->exp10 < 0 || e->times->value < 1 || e->times->value > 1000)
        sy_c_say(c, SY_DIAG_ERROR, "bad-count", e->times->pos,
                 "a whole number from 1 to 1000 stands here", "此处应为1至1000的整数", NULL, none,
                 none);
}

static void tells(sy_checker *c, const sy_rule *r)
{
    for (size_t i = 0; i < r->n_tells; i++) {
        const sy_tell *t = &r->tells[i];
        bool known = t->level == 0;
        for (size_t k = 0; k < t->n_recipients; k++)
            (void)sy_c_word(c, &t->recipients[k], SY_KIND(SY_W_RECIPIENT), "recipient", "接收人");
        if (t->respond_within)
            sy_check_duration(c, t->respond_within);
        for (size_t k = 0; k < r->n_alerts; k++)
            known |= r->alerts[k].level == t->level;
        if (!known && !c->draft->broken)
            sy_c_say(c, SY_DIAG_WARNING, "unused", t->pos, "no alert of this rule has this level",
                     "本规则没有该级别的报警", NULL, none, none);
    }
}

/* What a whole rule must have. A rule that lost a clause to an error is not blamed for it. */
static void complete(sy_checker *c, const sy_rule *r)
{
    static const struct {
        const char *en, *zh;
    } lacks[] = {{"rule %1 has no 'basis'", "规则 %1 缺少“依据”"},
                 {"rule %1 has no 'watch'", "规则 %1 缺少“监测”"},
                 {"rule %1 has no 'alert'", "规则 %1 缺少“报警”"}};
    bool has[] = {r->n_bases > 0, r->n_watch > 0, r->n_alerts > 0};
    for (size_t i = 0; i < 3 && !c->draft->broken; i++)
        if (!has[i])
            sy_c_say(c, SY_DIAG_ERROR, "missing-clause", r->pos, lacks[i].en, lacks[i].zh, NULL,
                     sy_span_of(r->id), none);
}

void sy_check_rule(sy_checker *c, sy_draft *d)
{
    sy_rule *r = &d->rule;
    size_t before = c->diags->errors;
    c->draft = d;
    if (!r->id)
        return;
    for (size_t i = 0; i < r->n_bases; i++)
        if (r->bases[i].verify)
            sy_c_say(c, SY_DIAG_WARNING, "unverified", r->bases[i].pos,
                     "nobody has checked this basis against the official text",
                     "该依据尚未与正式文本核对", NULL, none, none);
    axis(c, &r->subject, SY_W_SUBJECT);
    axis(c, &r->goods, SY_W_GOODS);
    axis(c, &r->stage, SY_W_STAGE);
    watch(c, r);
    if (r->missing_after)
        sy_check_duration(c, r->missing_after);
    for (size_t i = 0; i < r->n_sets; i++)
        set(c, &r->sets[i]);
    for (size_t i = 0; i < r->n_alerts; i++) {
        const sy_alert_clause *a = &r->alerts[i];
        sy_check_cond(c, a->when, true);
        for (size_t k = 0; k < a->n_excepts; k++)
            except(c, (sy_except *)(uintptr_t)&a->excepts[k]);
    }
    if (r->clear)
        sy_check_cond(c, r->clear, false);
    tells(c, r);
    complete(c, r);
    d->broken |= c->diags->errors > before;
    c->draft = NULL;
}

void sy_check_cover(sy_checker *c, const sy_draft *d, sy_scenario *const *scenarios, size_t n)
{
    bool alerts = false, quiet = false;
    for (size_t i = 0; i < n; i++) {
        const sy_scenario *s = scenarios[i];
        bool alert = false, expects = false;
        if (s->rule != &d->rule)
            continue;
        for (size_t k = 0; k < s->n_steps; k++) {
            alert |= s->steps[k].kind == SY_STEP_ALERT_AT;
            expects |= s->steps[k].kind == SY_STEP_NO_ALERT_UNTIL;
        }
        alerts |= alert;
        quiet |= !alert && expects;
    }
    if (!alerts)
        sy_c_say(c, SY_DIAG_WARNING, "no-scenario", d->rule.pos,
                 "no scenario shows that rule %1 alerts", "没有情景表明规则 %1 会报警", NULL,
                 sy_span_of(d->rule.id), none);
    if (!quiet)
        sy_c_say(c, SY_DIAG_WARNING, "no-scenario", d->rule.pos,
                 "no scenario shows that rule %1 can stay silent", "没有情景表明规则 %1 不报警",
                 NULL, sy_span_of(d->rule.id), none);
}
