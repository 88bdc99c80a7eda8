/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios, their steps one function each; and tunings.
 */
#include "rules/parse.h"

enum { DAY_MS = 86400000 };

/* [date | day N] hh:mm[:ss]. `from`: the day that holds where none is written, or NULL: day 1. */
static bool when(sy_parser *p, sy_when *out, const sy_when *from)
{
    *out = (sy_when){.day = 1, .pos = sy_p_pos(p)};
    if (p->tok.kind == SY_T_DATE) {
        if (!sy_p_date(p, &out->date))
            return false;
        out->has_date = true;
    } else if (sy_p_take(p, SY_KW_DAY)) {
        const sy_num *n;
        if (!sy_p_count(p, &n))
            return false;
        if (n->exp10 < 0 || n->value < 1 || n->value > 3660)
            return sy_p_fail(p, "bad-time", out->pos, "a day is a whole number from 1 to 3660",
                             "日序应为1至3660的整数", NULL, p->tok.text, p->tok.text);
        out->day = (int32_t)n->value;
        out->has_day = true;
        if (p->tok.unit && sy_span_is(sy_span_of(p->tok.unit->id), "d"))
            sy_p_next(p); /* 第2日 */
    } else if (from) {
        out->has_date = from->has_date;
        out->date = from->date;
        out->has_day = from->has_day;
        out->day = from->day;
    }
    if (p->tok.kind != SY_T_TIME)
        return sy_p_expected(p, "a time such as 08:30", "时刻，如 08:30");
    if (p->tok.time < 0)
        return sy_p_fail(p, "bad-time", sy_p_pos(p), "'%1' is no time of day: 00:00 to 24:00",
                         "“%1”不是一天中的时刻：00:00 至 24:00", NULL, p->tok.text, p->tok.text);
    out->of_day = p->tok.time;
    sy_p_next(p);
    out->pos = sy_p_to(p, out->pos);
    return true;
}

/* A time of day alone. */
static bool of_day(sy_parser *p, sy_ms *out)
{
    sy_when t;
    if (p->tok.kind != SY_T_TIME)
        return sy_p_expected(p, "a time such as 08:30", "时刻，如 08:30");
    if (!when(p, &t, NULL))
        return false;
    *out = t.of_day;
    return true;
}

static bool value_of(sy_parser *p, const sy_name *name, int *value)
{
    sy_name v;
    if (!sy_p_name(p, &v, "a value", "取值"))
        return false;
    *value = name->word ? sy_word_value_find(name->word, v.text) : 0;
    return *value >= 0 || sy_p_fail(p, "unknown-value", v.pos, "'%1' is no value of %2",
                                    "“%1”不是“%2”的取值", NULL, v.text, name->text);
}

static bool fact(sy_parser *p, sy_fact *f)
{
    bool ok;
    f->pos = sy_p_pos(p);
    if (sy_p_take(p, SY_KW_UNCERTAINTY)) {
        f->kind = SY_FACT_UNCERTAINTY;
        return sy_p_name(p, &f->name, "a quantity", "量的名称") && sy_p_literal(p, &f->num);
    }
    if (!sy_p_name(p, &f->name, "a tier, a state or a quantity", "等级、状态或量的名称"))
        return false;
    if (sy_p_take(p, SY_KW_EVERY)) {
        f->kind = SY_FACT_EVERY;
        ok = sy_p_literal(p, &f->num);
    } else if (p->tok.kind == SY_T_TIME) {
        f->kind = SY_FACT_CALENDAR;
        ok = of_day(p, &f->from) && sy_p_need(p, SY_KW_TO) && of_day(p, &f->to);
    } else if (sy_p_take(p, SY_KW_DUE)) {
        f->kind = SY_FACT_DATE;
        ok = sy_p_date(p, &f->date);
    } else {
        f->kind = SY_FACT_IS;
        ok = sy_p_need(p, SY_KW_IS) && value_of(p, &f->name, &f->value);
    }
    f->pos = sy_p_to(p, f->pos);
    return ok;
}

static bool given(sy_parser *p, sy_step *s)
{
    sy_list l = {NULL, 0, 0};
    s->kind = SY_STEP_GIVEN;
    do {
        sy_fact *f = sy_p_add(p, &l, sizeof *f);
        if (!f || !fact(p, f))
            return false;
    } while (sy_p_take_sign(p, ';'));
    s->facts = l.v;
    s->n_facts = l.n;
    return true;
}

static bool assigns(sy_parser *p, const sy_assign **out, size_t *n, bool members);

static bool assign(sy_parser *p, sy_assign *a, bool member)
{
    a->pos = sy_p_pos(p);
    a->state = -1;
    if (!sy_p_name(p, &a->name, "a quantity or a state", "量或状态的名称"))
        return false;
    bool ok;
    if (!member && sy_p_take(p, SY_KW_HAS_NO_DATA))
        ok = a->no_data = true;
    else if (!member && sy_p_take_sign(p, '('))
        ok = assigns(p, &a->members, &a->n_members, true) && sy_p_need_sign(p, ')');
    else if (member || p->tok.kind == SY_T_NUM || sy_p_sign(p, '-'))
        ok = sy_p_literal(p, &a->num);
    else
        ok = value_of(p, &a->name, &a->state);
    a->pos = sy_p_to(p, a->pos);
    return ok;
}

/* members: those of an event, in its parentheses */
static bool assigns(sy_parser *p, const sy_assign **out, size_t *n, bool members)
{
    sy_list l = {NULL, 0, 0};
    do {
        sy_assign *a = sy_p_add(p, &l, sizeof *a);
        if (!a || !assign(p, a, members))
            return false;
    } while (sy_p_take_sign(p, ','));
    *out = l.v;
    *n = l.n;
    return true;
}

/* Whether b lies before a; only where both have a date, or neither. */
static bool before(const sy_when *b, const sy_when *a)
{
    if (a->has_date != b->has_date)
        return false;
    int64_t da = a->has_date ? sy_days_of(a->date) : a->day;
    int64_t db = b->has_date ? sy_days_of(b->date) : b->day;
    return db * DAY_MS + b->of_day < da * DAY_MS + a->of_day;
}

static bool from(sy_parser *p, sy_step *s)
{
    s->kind = SY_STEP_FROM;
    if (!when(p, &s->at, NULL) || !sy_p_need(p, SY_KW_TO) || !when(p, &s->to, &s->at))
        return false;
    if (before(&s->to, &s->at))
        return sy_p_fail(p, "reversed", s->to.pos, "the end lies before the beginning",
                         "结束早于开始", NULL, p->tok.text, p->tok.text);
    return sy_p_need(p, SY_KW_EVERY) && sy_p_literal(p, &s->every) && sy_p_need_sign(p, ':') &&
           assigns(p, &s->assigns, &s->n_assigns, false);
}

static bool at(sy_parser *p, sy_step *s)
{
    s->kind = SY_STEP_AT;
    return when(p, &s->at, NULL) && sy_p_need_sign(p, ':') &&
           assigns(p, &s->assigns, &s->n_assigns, false);
}

static bool expect(sy_parser *p, sy_step *s)
{
    if (sy_p_take(p, SY_KW_NO_ALERT)) {
        s->kind = SY_STEP_NO_ALERT_UNTIL;
        return sy_p_need(p, SY_KW_UNTIL) && when(p, &s->at, NULL);
    }
    if (sy_p_take(p, SY_KW_CLEAR)) {
        s->kind = SY_STEP_CLEAR_AT;
    } else {
        s->kind = SY_STEP_ALERT_AT;
        if (!sy_p_take(p, SY_KW_ALERT))
            return sy_p_expected(p, "'no alert until', 'alert' or 'clear'",
                                 "“无报警 直到”、“报警”或“解除”");
        if (!sy_p_level(p, &s->level))
            return sy_p_expected(p, "a level (notice, warning, serious, major)",
                                 "级别（提醒、预警、严重、重大）");
    }
    return sy_p_need(p, SY_KW_AT) && when(p, &s->at, NULL);
}

static bool step(sy_parser *p, sy_list *steps)
{
    static const struct {
        sy_kw kw;
        bool (*parse)(sy_parser *p, sy_step *s);
    } table[] = {{SY_KW_GIVEN, given}, {SY_KW_FROM, from}, {SY_KW_AT, at}, {SY_KW_EXPECT, expect}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!sy_p_kw(p, table[i].kw))
            continue;
        sy_step *s = sy_p_add(p, steps, sizeof *s);
        if (!s)
            return false;
        s->pos = sy_p_pos(p);
        sy_p_next(p);
        bool ok = table[i].parse(p, s);
        s->pos = sy_p_to(p, s->pos);
        return ok;
    }
    return sy_p_unexpected(p, "a step (given, from, at, expect) or 'end'",
                           "步骤（已知、自、在、预期）或“结束”");
}

static void resync(sy_parser *p)
{
    while (
        p->tok.kind != SY_T_END && !sy_p_kw(p, SY_KW_END) &&
        !(p->tok.kind == SY_T_WORD && (sy_keywords[p->tok.kw].flags & SY_KW_TOP)) &&
        !(p->tok.kind == SY_T_WORD && p->tok.line && (sy_keywords[p->tok.kw].flags & SY_KW_STEP)))
        sy_p_next(p);
}

bool sy_p_scenario(sy_parser *p)
{
    sy_scenario **slot = sy_p_add(p, p->scenarios, sizeof *slot), *s = sy_p_get(p, sizeof *s);
    if (!slot || !s)
        return false;
    *slot = s;
    sy_list steps = {NULL, 0, 0};
    sy_p_next(p); /* scenario */
    s->pos = sy_p_pos(p);
    if (!sy_p_text(p, &s->title) || !sy_p_need(p, SY_KW_TESTS)) {
        p->scenarios->n--;
        return false;
    }
    s->pos = sy_p_to(p, s->title.pos);
    if (p->tok.kind != SY_T_WORD || p->tok.kw) {
        p->scenarios->n--;
        return sy_p_expected(p, "the id of a rule", "规则编号");
    }
    s->rule_id = p->tok.text;
    s->pos = sy_p_pos(p);
    sy_p_next(p);
    while (!p->nomem && !sy_p_kw(p, SY_KW_END)) {
        if (p->tok.kind == SY_T_END ||
            (p->tok.kind == SY_T_WORD && (sy_keywords[p->tok.kw].flags & SY_KW_TOP))) {
            (void)sy_p_unexpected(p, "a step or 'end'", "步骤或“结束”");
            break;
        }
        if (!step(p, &steps))
            resync(p);
    }
    (void)sy_p_take(p, SY_KW_END);
    s->steps = steps.v;
    s->n_steps = steps.n;
    return true;
}

/* tune RULE: NAME = literal at ID reason "…" [until DATE] */
bool sy_p_tuning(sy_parser *p)
{
    sy_tuning *t = sy_p_get(p, sizeof *t), **slot;
    sy_num *n = sy_p_get(p, sizeof *n);
    if (!t || !n)
        return false;
    sy_p_next(p); /* tune */
    t->pos = sy_p_pos(p);
    if (p->tok.kind != SY_T_WORD || p->tok.kw)
        return sy_p_expected(p, "the id of a rule", "规则编号");
    t->rule_id = p->tok.text;
    sy_p_next(p);
    if (!sy_p_need_sign(p, ':'))
        return false;
    p->tok = sy_lex_new_name(&p->lex, &p->tok);
    t->name = (sy_name){p->tok.text, NULL, sy_p_pos(p)};
    if (p->tok.text.n == 0 || p->tok.kw)
        return sy_p_expected(p, "the name of a number that 'set' declares", "以“设”声明的名称");
    sy_p_next(p);
    if (!sy_p_need_sign(p, '=') || !sy_p_amount(p, n))
        return false;
    t->num = n;
    if (!sy_p_kw(p, SY_KW_AT))
        return sy_p_need(p, SY_KW_AT);
    sy_p_next(p);
    p->tok = sy_lex_id(&p->lex, &p->tok);
    t->at = p->tok.text;
    if (t->at.n == 0)
        return sy_p_expected(p, "the id of premises, a place or a series",
                             "经营场所、场所或序列的编号");
    sy_p_next(p);
    if (!sy_p_need(p, SY_KW_REASON) || !sy_p_text(p, &t->reason))
        return false;
    t->has_until = sy_p_take(p, SY_KW_UNTIL);
    if (t->has_until && !sy_p_date(p, &t->until))
        return false;
    t->pos = sy_p_to(p, t->pos);
    if ((slot = sy_p_add(p, p->tunings, sizeof *slot)))
        *slot = t;
    return slot != NULL;
}
