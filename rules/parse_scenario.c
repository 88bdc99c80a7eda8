/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios: their steps, one function each.
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

static bool fact(sy_parser *p, sy_fact *f)
{
    f->pos = sy_p_pos(p);
    if (sy_p_take(p, SY_KW_UNCERTAINTY)) {
        f->kind = SY_FACT_UNCERTAINTY;
        return sy_p_name(p, &f->name, "a quantity", "量的名称") && sy_p_literal(p, &f->num);
    }
    if (!sy_p_name(p, &f->name, "a tier, a state or a quantity", "等级、状态或量的名称"))
        return false;
    if (sy_p_take(p, SY_KW_EVERY)) {
        f->kind = SY_FACT_EVERY;
        return sy_p_literal(p, &f->num);
    }
    if (p->tok.kind == SY_T_TIME) {
        sy_when t;
        if (!when(p, &t, NULL) || !sy_p_need(p, SY_KW_TO) || !when(p, &t, NULL))
            return false;
        (void)sy_p_later(p, sy_p_to(p, f->pos), "given a calendar", "已知日历");
        return true;
    }
    f->kind = SY_FACT_IS;
    sy_name v;
    if (!sy_p_need(p, SY_KW_IS) || !sy_p_name(p, &v, "a value", "取值"))
        return false;
    f->pos = sy_p_to(p, f->pos);
    f->value = f->name.word ? sy_word_value_find(f->name.word, v.text) : 0;
    if (f->value < 0)
        return sy_p_fail(p, "unknown-value", v.pos, "'%1' is no value of %2", "“%1”不是“%2”的取值",
                         NULL, v.text, f->name.text);
    return true;
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

static bool later_members(sy_parser *p, sy_pos pos)
{
    while (p->tok.kind != SY_T_END && !sy_p_sign(p, ')') && !sy_p_kw(p, SY_KW_END))
        sy_p_next(p);
    (void)sy_p_later(p, pos, "event (…)", "事件（…）");
    return sy_p_need_sign(p, ')');
}

static bool assigns(sy_parser *p, sy_step *s)
{
    sy_list l = {NULL, 0, 0};
    do {
        sy_assign *a = sy_p_add(p, &l, sizeof *a);
        if (!a)
            return false;
        a->pos = sy_p_pos(p);
        a->state = -1;
        if (!sy_p_name(p, &a->name, "a quantity or a state", "量或状态的名称"))
            return false;
        if (sy_p_take(p, SY_KW_HAS_NO_DATA)) {
            a->no_data = true;
        } else if (sy_p_take_sign(p, '(')) {
            if (!later_members(p, a->pos))
                return false;
        } else if (p->tok.kind == SY_T_NUM || sy_p_sign(p, '-')) {
            if (!sy_p_literal(p, &a->num))
                return false;
        } else {
            sy_name v;
            if (!sy_p_name(p, &v, "a number or a value of the state", "数或状态取值"))
                return false;
            a->state = a->name.word ? sy_word_value_find(a->name.word, v.text) : 0;
            if (a->state < 0)
                return sy_p_fail(p, "unknown-value", v.pos, "'%1' is no value of %2",
                                 "“%1”不是“%2”的取值", NULL, v.text, a->name.text);
        }
        a->pos = sy_p_to(p, a->pos);
    } while (sy_p_take_sign(p, ','));
    s->assigns = l.v;
    s->n_assigns = l.n;
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
           assigns(p, s);
}

static bool at(sy_parser *p, sy_step *s)
{
    s->kind = SY_STEP_AT;
    return when(p, &s->at, NULL) && sy_p_need_sign(p, ':') && assigns(p, s);
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
