/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking rules clause by clause.
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
    for (size_t i = 0; i < s->n_dates; i++)
        sy_check_tunable(c, s->dates[i].num);
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
    e->value = sy_c_state(c, &e->state, &e->value_name);
    sy_check_duration(c, &e->each);
    (void)sy_c_whole(c, e->times, 1000);
}

static void alert(sy_checker *c, const sy_alert_clause *a)
{
    c->marked = true;
    c->level = a->level;
    sy_check_cond(c, a->when);
    c->marked = false;
    c->level = (sy_alert_level)0;
    for (size_t k = 0; k < a->n_excepts; k++)
        except(c, (sy_except *)(uintptr_t)&a->excepts[k]); /* the arena's, still being made */
    if (a->n_excepts && sy_c_windows(c, a->when))
        (void)sy_c_fail(c, "calendar-hold", a->excepts[0].pos,
                        "an hourly or daily window is judged once, at its close: it has no "
                        "'except while'",
                        "小时或日时段在结束时判定一次：不能再写“除外情形”");
    if (a->during.text.n)
        (void)sy_c_word(c, &a->during, SY_KIND(SY_W_CALENDAR), "calendar", "日历");
}

/* The condition of `count` is judged at an event: comparisons of its members, nothing that takes
 * time. */
static void at_event(sy_checker *c, const sy_cond *cond)
{
    const sy_rule *r = &c->draft->rule;
    bool test = cond->kind == SY_COND_TEST;
    bool joins = cond->kind == SY_COND_AND || cond->kind == SY_COND_OR || cond->kind == SY_COND_NOT;
    bool bad = cond->hold.kind || !(test || joins) || cond->portion;
    if (test) {
        bad |= cond->agg || !sy_c_compares(cond->op) || cond->pick != SY_PICK_ONE;
        bad |= cond->let && sy_c_has_let(c->foreign_lets, cond->let) &&
               !sy_c_has_let(c->bad_lets, cond->let);
        bad |= !cond->let && cond->operand.word && !sy_c_member(r, cond->operand.word);
    }
    if (bad)
        (void)sy_c_fail(c, "not-member", cond->pos,
                        "what is counted is told from the event itself: comparisons of its members",
                        "统计条件由事件本身判定：只能比较事件的成员量");
    for (size_t i = 0; i < cond->n_kids && !bad; i++)
        at_event(c, cond->kids[i]);
}

static void count(sy_checker *c, const sy_count_clause *n)
{
    size_t before = c->diags->errors;
    (void)sy_c_operand(c, &n->event, SY_KIND(SY_W_EVENT), false, "event", "事件");
    c->members = true;
    sy_check_cond(c, n->when);
    c->members = false;
    if (c->diags->errors == before)
        at_event(c, n->when);
}

static void escalate(sy_checker *c, const sy_rule *r)
{
    const sy_escalate *e = r->escalate;
    bool lower = c->draft->broken;
    for (size_t i = 0; i < r->n_alerts; i++)
        lower |= r->alerts[i].level < e->level;
    if (!lower)
        (void)sy_c_fail(c, "bad-level", e->pos, "no alert of this rule is below this level",
                        "本规则没有低于该级别的报警");
    (void)sy_c_whole(c, e->times, 1000);
    sy_check_duration(c, &e->window);
    if (!e->apart)
        return;
    sy_check_duration(c, e->apart);
    if (sy_c_ms(&e->window) > 0 && sy_c_ms(e->apart) >= sy_c_ms(&e->window))
        (void)sy_c_fail(c, "reversed", e->apart->pos, "'apart' is not shorter than the window",
                        "“间隔”须短于时段");
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
        known |= r->escalate && r->escalate->level == t->level;
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
    c->bad_lets = c->unmarked_lets = c->foreign_lets = 0;
    for (size_t i = 0; i < r->n_lets; i++)
        sy_check_let(c, &r->lets[i]);
    sy_c_find_windows(c);
    for (size_t i = 0; i < r->n_counts; i++)
        count(c, &r->counts[i]);
    for (size_t i = 0; i < r->n_alerts; i++)
        alert(c, &r->alerts[i]);
    if (r->clear)
        sy_check_cond(c, r->clear);
    if (r->escalate)
        escalate(c, r);
    tells(c, r);
    complete(c, r);
    d->broken |= c->diags->errors > before;
    c->draft = NULL;
}
