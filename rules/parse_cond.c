/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions. `and` binds before `or`; a hold belongs to one test or to a parenthesis, never to a
 * chain that a reader could group otherwise.
 */
#include "rules/parse.h"

static sy_cond *node(sy_parser *p)
{
    if (++p->draft->nodes > SY_MAX_NODES) {
        (void)sy_p_fail(p, "too-many", sy_p_pos(p), "more than 10,000 nodes in one rule",
                        "一条规则的条件超过一万个节点", NULL, p->tok.text, p->tok.text);
        return NULL;
    }
    sy_cond *c = sy_p_get(p, sizeof *c);
    if (c)
        c->pos = sy_p_pos(p);
    return c;
}

bool sy_p_hold(sy_parser *p, sy_cond *c)
{
    sy_pos pos = sy_p_pos(p);
    if (sy_p_kw(p, SY_KW_FOR)) {
        if (c->hold.kind)
            return sy_p_fail(p, "double-hold", pos, "this condition has a 'for' already",
                             "此条件已有“持续”", NULL, p->tok.text, p->tok.text);
        sy_p_next(p);
        c->hold.kind = SY_HOLD_FOR;
        c->hold.pos = pos;
        return sy_p_value(p, &c->hold.length);
    }
    if (sy_p_take(p, SY_KW_CUMULATIVE)) {
        sy_value v;
        if (!sy_p_value(p, &v) || !sy_p_need(p, SY_KW_IN_ANY) || !sy_p_value(p, &v))
            return false;
        (void)sy_p_later(p, sy_p_to(p, pos), "cumulative … in any", "累计…在任意");
    }
    return true;
}

static bool operand(sy_parser *p, sy_cond *c)
{
    if (sy_p_take(p, SY_KW_ANY_OF)) {
        c->pick = SY_PICK_ANY;
    } else if (sy_p_take(p, SY_KW_ALL_OF)) {
        c->pick = SY_PICK_ALL;
    } else if (p->tok.kind == SY_T_NUM) {
        const sy_num *n;
        sy_pos pos = sy_p_pos(p);
        if (!sy_p_count(p, &n))
            return false;
        if (n->exp10 < 0 || n->value < 1 || n->value > 1000)
            return sy_p_fail(p, "bad-count", pos, "a whole number from 1 to 1000 stands here",
                             "此处应为1至1000的整数", NULL, p->tok.text, p->tok.text);
        c->pick = SY_PICK_COUNT;
        c->pick_n = (uint32_t)n->value;
    }
    bool aggregate = false;
    if (p->tok.kind == SY_T_WORD && !(sy_keywords[p->tok.kw].flags & SY_KW_AGG) &&
        sy_p_later_phrase(p))
        return false;
    return sy_p_later_aggregate(p, &aggregate) &&
           sy_p_name(p, &c->operand, "a quantity or a state", "量或状态的名称") &&
           sy_p_later_aggregate(p, &aggregate);
}

static bool test(sy_parser *p, sy_cond *c)
{
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
    };
    size_t i = 0, n = sizeof ops / sizeof *ops;
    while (i < n && !sy_p_kw(p, ops[i].kw))
        i++;
    if (i == n && sy_p_later_phrase(p))
        return false;
    if (i == n)
        return sy_p_expected(p, "a comparison (above, below, outside, is …)",
                             "比较（高于、低于、超出、为……）");
    c->op = ops[i].op;
    sy_p_next(p);
    switch (c->op) {
    case SY_OP_OUTSIDE:
    case SY_OP_WITHIN:
        return sy_p_range(p, &c->a, &c->b);
    case SY_OP_IS:
        return sy_p_name(p, &c->state_name, "a value of the state", "状态取值");
    case SY_OP_NO_DATA:
        return true;
    case SY_OP_ABOVE:
    case SY_OP_BELOW:
    case SY_OP_AT_LEAST:
    case SY_OP_AT_MOST:
    case SY_OP_STUCK:
    case SY_OP_EXPOSURE_ABOVE:
    case SY_OP_EXPOSURE_BELOW:
    case SY_OP_DUE_WITHIN:
    case SY_OP_OVERDUE:
        break;
    }
    return sy_p_value(p, &c->a);
}

/* "beyond doubt" may stand before or after the comparison. */
static void beyond_doubt(sy_parser *p)
{
    sy_pos pos = sy_p_pos(p);
    if (sy_p_take(p, SY_KW_BEYOND_DOUBT))
        (void)sy_p_later(p, pos, "beyond doubt", "明确");
}

/* level "lasts" value */
static sy_cond *lasts(sy_parser *p, sy_cond *c)
{
    sy_alert_level level;
    sy_value v;
    sy_pos pos = sy_p_pos(p);
    if (!sy_p_level(p, &level) || !sy_p_need(p, SY_KW_LASTS) || !sy_p_value(p, &v))
        return NULL;
    (void)sy_p_later(p, sy_p_to(p, pos), "lasts", "连续");
    return c;
}

static bool is_hold(const sy_parser *p)
{
    return sy_p_kw(p, SY_KW_FOR) || sy_p_kw(p, SY_KW_CUMULATIVE);
}

static bool chained_hold(sy_parser *p)
{
    return sy_p_fail(p, "ambiguous-hold", sy_p_pos(p),
                     "'%1' after an unparenthesised 'and', 'or', 'not': write \"(A and B) for 10 "
                     "min, or A and (B for 10 min)\"",
                     "“%1”紧跟未加括号的“且”、“或”、“非”：请写作“（甲且乙）持续10分钟，或甲且"
                     "（乙持续10分钟）”",
                     NULL, p->tok.text, p->tok.text);
}

static sy_cond *cond(sy_parser *p, bool chained);

static sy_cond *group(sy_parser *p, bool chained)
{
    sy_p_next(p); /* ( */
    sy_cond *c = cond(p, false);
    if (!c || !sy_p_need_sign(p, ')'))
        return NULL;
    if (is_hold(p) && chained) {
        (void)chained_hold(p);
        return NULL;
    }
    return sy_p_hold(p, c) ? c : NULL;
}

/* chained: an unparenthesised and, or, not stands before it. */
static sy_cond *prim(sy_parser *p, bool chained)
{
    sy_pos pos = sy_p_pos(p);
    if (sy_p_sign(p, '('))
        return group(p, chained);
    sy_cond *c = node(p);
    if (!c)
        return NULL;
    if (sy_p_take(p, SY_KW_NOT)) {
        const sy_cond **kid = sy_p_get(p, sizeof *kid);
        if (++p->depth > SY_MAX_NESTING) {
            (void)sy_p_fail(p, "too-deep", pos, "nested deeper than 32", "嵌套超过32层", NULL,
                            p->tok.text, p->tok.text);
            kid = NULL;
        }
        c->kind = SY_COND_NOT;
        c->kids = kid;
        c->n_kids = 1;
        if (kid)
            kid[0] = prim(p, true);
        p->depth--;
        return kid && kid[0] ? c : NULL;
    }
    if (p->tok.kind == SY_T_WORD && p->tok.kw >= SY_KW_NOTICE && p->tok.kw <= SY_KW_MAJOR)
        return lasts(p, c);
    if (!operand(p, c))
        return NULL;
    beyond_doubt(p);
    if (!test(p, c))
        return NULL;
    beyond_doubt(p);
    c->pos = sy_p_to(p, pos);
    if (is_hold(p) && chained) {
        (void)chained_hold(p);
        return NULL;
    }
    if (!sy_p_hold(p, c) || !sy_p_later_after_test(p))
        return NULL;
    return c;
}

static bool add_kid(sy_parser *p, sy_list *l, sy_cond_kind kind, const sy_cond *kid)
{
    /* (A and B) and C is A and B and C */
    bool same = kid->kind == kind && !kid->hold.kind;
    for (size_t i = 0; i < (same ? kid->n_kids : 1); i++) {
        const sy_cond **at = sy_p_add(p, l, sizeof *at);
        if (!at)
            return false;
        *at = same ? kid->kids[i] : kid;
    }
    return true;
}

/* One of the two chains: operands joined by `kw`. */
static sy_cond *chain(sy_parser *p, sy_cond_kind kind, sy_kw kw, bool chained)
{
    sy_cond *first =
        kind == SY_COND_OR ? chain(p, SY_COND_AND, SY_KW_AND, chained) : prim(p, chained);
    if (!first || !sy_p_kw(p, kw))
        return first;
    sy_list kids = {NULL, 0, 0};
    sy_cond *c = node(p);
    if (!c || !add_kid(p, &kids, kind, first))
        return NULL;
    c->kind = kind;
    c->pos = first->pos;
    while (sy_p_take(p, kw)) {
        sy_cond *next = kind == SY_COND_OR ? chain(p, SY_COND_AND, SY_KW_AND, true) : prim(p, true);
        if (!next || !add_kid(p, &kids, kind, next))
            return NULL;
    }
    c->kids = kids.v;
    c->n_kids = kids.n;
    c->pos = sy_p_to(p, c->pos);
    return c;
}

static sy_cond *cond(sy_parser *p, bool chained)
{
    sy_cond *c = NULL;
    if (++p->depth > SY_MAX_NESTING)
        (void)sy_p_fail(p, "too-deep", sy_p_pos(p), "nested deeper than 32", "嵌套超过32层", NULL,
                        p->tok.text, p->tok.text);
    else
        c = chain(p, SY_COND_OR, SY_KW_OR, chained);
    p->depth--;
    return c;
}

sy_cond *sy_p_cond(sy_parser *p)
{
    return cond(p, false);
}
