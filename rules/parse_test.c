/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One test: an operand (a name, a name of let, an aggregate) and what is asked of it.
 */
#include "rules/parse.h"

static bool pick(sy_parser *p, sy_cond *c)
{
    if (sy_p_is_agg(p))
        return true;
    if (sy_p_take(p, SY_KW_ANY_OF)) {
        c->pick = SY_PICK_ANY;
    } else if (sy_p_take(p, SY_KW_ALL_OF)) {
        c->pick = SY_PICK_ALL;
    } else if (p->tok.kind == SY_T_NUM) {
        c->pick = SY_PICK_COUNT;
        if (!sy_p_whole(p, 1, 1000, &c->pick_n))
            return false;
        if (p->tok.kind == SY_T_WORD && sy_span_is(p->tok.text, "个"))
            sy_p_next(p);
    }
    return true;
}

static bool operand(sy_parser *p, sy_cond *c)
{
    sy_pos pos = sy_p_pos(p);
    if (!pick(p, c))
        return false;
    sy_local *own = sy_p_local(p);
    if (!sy_p_measured(p, &c->operand, &c->agg))
        return false;
    if (own && own->let && !c->agg) {
        c->let = own->let;
        own->let->used = true;
    }
    if (c->pick != SY_PICK_ONE && (c->agg || c->let))
        return sy_p_fail(p, "syntax", sy_p_to(p, pos),
                         "'any of', 'all of' and a number of points take the name of a quantity or "
                         "a state",
                         "“任一”、“全部”或个数只用于量或状态的名称", NULL, p->tok.text,
                         p->tok.text);
    return true;
}

bool sy_p_in_time(sy_parser *p, sy_value *out)
{
    if (sy_p_take(p, SY_KW_AT))
        return sy_p_value(p, out) && sy_p_need(p, SY_KW_INSIDE);
    return sy_p_need(p, SY_KW_WITHIN) && sy_p_value(p, out);
}

static const struct {
    sy_kw kw;
    sy_op op;
} ops[] = {
    {SY_KW_ABOVE, SY_OP_ABOVE},
    {SY_KW_BELOW, SY_OP_BELOW},
    {SY_KW_AT_LEAST, SY_OP_AT_LEAST},
    {SY_KW_AT_MOST, SY_OP_AT_MOST},
    {SY_KW_OUTSIDE, SY_OP_OUTSIDE},
    {SY_KW_WITHIN, SY_OP_WITHIN},
    {SY_KW_IS, SY_OP_IS},
    {SY_KW_HAS_NO_DATA, SY_OP_NO_DATA},
    {SY_KW_STUCK_FOR, SY_OP_STUCK},
    {SY_KW_EXPOSURE, SY_OP_EXPOSURE_ABOVE},
    {SY_KW_DUE_WITHIN, SY_OP_DUE_WITHIN},
    {SY_KW_OVERDUE, SY_OP_OVERDUE},
};
enum { N_OPS = sizeof ops / sizeof *ops, N_PLAIN = 4 };

/* One of the first `n` of the table, passed; n: none stands here. */
static size_t comparison(sy_parser *p, size_t n)
{
    size_t i = 0;
    while (i < n && !sy_p_take(p, ops[i].kw))
        i++;
    return i;
}

/* exposure above a more than b in any window: the mark of b is a's where it has none */
static bool exposure(sy_parser *p, sy_cond *c)
{
    if (sy_p_take(p, SY_KW_BELOW))
        c->op = SY_OP_EXPOSURE_BELOW;
    else if (!sy_p_need(p, SY_KW_ABOVE))
        return false;
    return sy_p_value(p, &c->a) && sy_p_need(p, SY_KW_MORE_THAN) && sy_p_value(p, &c->b) &&
           sy_p_share_mark(p, &c->a, &c->b, false) && sy_p_need(p, SY_KW_IN_ANY) &&
           sy_p_value(p, &c->window);
}

/* X from start of STATE VALUE: at most V within D, … */
static bool curve(sy_parser *p, sy_cond *c)
{
    sy_list l = {NULL, 0, 0};
    c->kind = SY_COND_CURVE;
    if (!sy_p_state(p, false, &c->curve_state, &c->state_name) || !sy_p_need_sign(p, ':'))
        return false;
    do {
        sy_deadline *d = sy_p_add(p, &l, sizeof *d);
        size_t i = comparison(p, N_PLAIN);
        if (!d)
            return false;
        if (i == N_PLAIN)
            return sy_p_expected(p, "'at most', 'below', 'at least' or 'above'",
                                 "“至多”、“低于”、“不低于”或“高于”");
        d->op = ops[i].op;
        if (!sy_p_limit(p, &d->limit) || !sy_p_in_time(p, &d->within))
            return false;
    } while (sy_p_take_sign(p, ','));
    c->deadlines = l.v;
    c->n_deadlines = l.n;
    return true;
}

static bool handed_over(sy_parser *p, const sy_cond *c)
{
    return sy_p_fail(p, "at-hub", sy_p_to(p, c->pos),
                     "'%1' is decided at the hub: this gateway sends it the facts",
                     "“%1”由中心平台判定：本网关只向其报送事实", NULL, p->tok.text, p->tok.text);
}

static bool compared(sy_parser *p, sy_cond *c)
{
    if (sy_p_kw(p, SY_KW_HANDED_OVER))
        return handed_over(p, c);
    size_t i = comparison(p, N_OPS);
    if (i == N_OPS)
        return sy_p_expected(p, "a comparison (above, below, outside, is …)",
                             "比较（高于、低于、超出、为……）");
    c->op = ops[i].op;
    switch (c->op) {
    case SY_OP_OUTSIDE:
    case SY_OP_WITHIN:
        return sy_p_range(p, &c->a, &c->b);
    case SY_OP_IS:
        return sy_p_name(p, &c->state_name, "a value of the state", "状态取值");
    case SY_OP_EXPOSURE_ABOVE:
    case SY_OP_EXPOSURE_BELOW:
        return exposure(p, c);
    case SY_OP_STUCK:
        if (!sy_p_value(p, &c->a))
            return false;
        c->others_move = sy_p_take(p, SY_KW_OTHERS_MOVE);
        return true;
    case SY_OP_DUE_WITHIN:
        return sy_p_value(p, &c->a);
    case SY_OP_NO_DATA:
    case SY_OP_OVERDUE:
        return true;
    case SY_OP_ABOVE:
    case SY_OP_BELOW:
    case SY_OP_AT_LEAST:
    case SY_OP_AT_MOST:
        break;
    }
    return sy_p_limit(p, &c->a);
}

/* ", share of EVENT above value [, counted at least n]", the event's name before or after */
static bool portion(sy_parser *p, sy_cond *c)
{
    sy_portion *s = sy_p_get(p, sizeof *s);
    if (!s)
        return false;
    s->pos = sy_p_pos(p);
    sy_p_next(p); /* the comma */
    bool first = sy_p_take(p, SY_KW_SHARE);
    if (!sy_p_name(p, &s->event, "an event", "事件名称") || (!first && !sy_p_need(p, SY_KW_SHARE)))
        return false;
    if (sy_p_take(p, SY_KW_AT_LEAST))
        s->op = SY_OP_AT_LEAST;
    else if (!sy_p_need(p, SY_KW_ABOVE))
        return false;
    if (!sy_p_value(p, &s->share))
        return false;
    if (sy_p_take_sign(p, ',') && (!sy_p_need(p, SY_KW_COUNTED) || !sy_p_need(p, SY_KW_AT_LEAST) ||
                                   !sy_p_count(p, &s->counted)))
        return false;
    s->pos = sy_p_to(p, s->pos);
    c->portion = s;
    return true;
}

bool sy_p_test(sy_parser *p, sy_cond *c)
{
    sy_pos pos = c->pos;
    if (!operand(p, c))
        return false;
    if (sy_p_take(p, SY_KW_FROM_START_OF)) {
        bool ok = curve(p, c);
        c->pos = sy_p_to(p, pos);
        return ok;
    }
    c->beyond_doubt = sy_p_take(p, SY_KW_BEYOND_DOUBT);
    if (!compared(p, c))
        return false;
    if (sy_p_kw(p, SY_KW_BEYOND_DOUBT)) {
        if (c->beyond_doubt)
            return sy_p_fail(p, "syntax", sy_p_pos(p), "'%1' stands twice", "“%1”出现两次", NULL,
                             p->tok.text, p->tok.text);
        sy_p_next(p);
        c->beyond_doubt = true;
    }
    c->pos = sy_p_to(p, pos);
    return !sy_p_sign(p, ',') || portion(p, c);
}
