/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aggregates: the one phrase whose name may stand behind or before it (hourly mean of fume,
 * 油烟浓度的小时均值).
 */
#include "rules/parse.h"

static const struct {
    sy_kw kw;
    sy_agg_kind kind;
} kinds[] = {
    {SY_KW_MEAN, SY_AGG_MEAN},       {SY_KW_HOURLY_MEAN, SY_AGG_HOURLY_MEAN},
    {SY_KW_KINETIC, SY_AGG_KINETIC}, {SY_KW_DAILY_MEAN, SY_AGG_DAILY_MEAN},
    {SY_KW_HIGHEST, SY_AGG_HIGHEST}, {SY_KW_LOWEST, SY_AGG_LOWEST},
    {SY_KW_SPREAD, SY_AGG_SPREAD},   {SY_KW_SOUND_LEVEL, SY_AGG_SOUND_LEVEL},
    {SY_KW_RATE, SY_AGG_RATE},       {SY_KW_PERCENTILE, SY_AGG_PERCENTILE},
    {SY_KW_TOTAL, SY_AGG_TOTAL},     {SY_KW_MEDIAN, SY_AGG_MEDIAN},
};

/* "95 percentile", 95百分位: the number first. */
static bool rank_first(const sy_parser *p)
{
    if (p->tok.kind != SY_T_NUM)
        return false;
    sy_lexer ahead = p->lex;
    sy_token t = sy_lex_next(&ahead);
    return t.kind == SY_T_WORD && t.kw == SY_KW_PERCENTILE;
}

bool sy_p_is_agg(const sy_parser *p)
{
    return (p->tok.kind == SY_T_WORD && (sy_keywords[p->tok.kw].flags & SY_KW_AGG)) ||
           rank_first(p);
}

/* The aggregate's own words, if they stand here. */
static bool head(sy_parser *p, sy_agg **agg)
{
    if (!sy_p_is_agg(p))
        return true;
    sy_agg *a = sy_p_get(p, sizeof *a);
    bool first = rank_first(p);
    if (!a || (first && !sy_p_count(p, &a->rank)))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (sy_p_kw(p, kinds[i].kw))
            a->kind = kinds[i].kind;
    sy_p_next(p);
    *agg = a;
    return first || a->kind != SY_AGG_PERCENTILE || sy_p_count(p, &a->rank);
}

bool sy_p_state(sy_parser *p, bool is, sy_name *state, sy_name *value)
{
    if (!sy_p_name(p, state, "a state", "状态名称"))
        return false;
    if (!sy_p_take(p, SY_KW_IS) && is)
        return sy_p_need(p, SY_KW_IS);
    return sy_p_name(p, value, "a value of the state", "状态取值");
}

/* ["over" value] ["while" name "is" name] ["(" "valid" "at least" value ")"] */
static bool tail(sy_parser *p, sy_agg *a)
{
    sy_value *v;
    if (sy_p_take(p, SY_KW_OVER)) {
        if (!(v = sy_p_get(p, sizeof *v)) || !sy_p_value(p, v))
            return false;
        a->over = v;
    }
    if (sy_p_take(p, SY_KW_WHILE) && !sy_p_state(p, true, &a->while_state, &a->while_name))
        return false;
    if (sy_p_take_sign(p, '(')) {
        if (!(v = sy_p_get(p, sizeof *v)) || !sy_p_need(p, SY_KW_VALID) ||
            !sy_p_need(p, SY_KW_AT_LEAST) || !sy_p_value(p, v) || !sy_p_need_sign(p, ')'))
            return false;
        a->valid = v;
    }
    return true;
}

bool sy_p_measured(sy_parser *p, sy_name *name, const sy_agg **agg)
{
    sy_agg *a = NULL;
    sy_pos pos = sy_p_pos(p);
    if (!head(p, &a) || !sy_p_name(p, name, "a quantity or a state", "量或状态的名称") ||
        (!a && !head(p, &a)))
        return false;
    *agg = a;
    if (!a)
        return true;
    a->of = *name;
    a->pos = pos;
    if (!tail(p, a))
        return false;
    a->pos = sy_p_to(p, pos);
    return true;
}
