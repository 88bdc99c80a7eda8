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

static bool is_hold(const sy_parser *p)
{
    return sy_p_kw(p, SY_KW_FOR) || sy_p_kw(p, SY_KW_CUMULATIVE) || sy_p_kw(p, SY_KW_IN);
}

static bool readings(sy_parser *p, sy_hold *h)
{
    h->kind = SY_HOLD_READINGS;
    if (!sy_p_whole(p, 1, 64, &h->n))
        return false;
    (void)sy_p_take_sign(p, '/');
    return sy_p_whole(p, 1, 64, &h->of) && sy_p_need(p, SY_KW_READINGS);
}

/* "for" value, "cumulative" value "in any" value, or "in" n "of" m "readings", if one stands here.
 */
static bool hold(sy_parser *p, sy_cond *c)
{
    sy_pos pos = sy_p_pos(p);
    bool ok;
    if (!is_hold(p))
        return true;
    if (c->hold.kind)
        return sy_p_fail(p, "double-hold", pos, "this condition has a 'for' already",
                         "此条件已有“持续”", NULL, p->tok.text, p->tok.text);
    if (sy_p_take(p, SY_KW_FOR)) {
        c->hold.kind = SY_HOLD_FOR;
        ok = sy_p_value(p, &c->hold.length);
    } else if (sy_p_take(p, SY_KW_CUMULATIVE)) {
        c->hold.kind = SY_HOLD_CUMULATIVE;
        ok = sy_p_value(p, &c->hold.length) && sy_p_need(p, SY_KW_IN_ANY) &&
             sy_p_value(p, &c->hold.window);
    } else {
        sy_p_next(p);
        ok = readings(p, &c->hold);
    }
    c->hold.pos = sy_p_to(p, pos);
    return ok;
}

/* level "lasts" value */
static sy_cond *lasts(sy_parser *p, sy_cond *c)
{
    sy_pos pos = c->pos;
    c->kind = SY_COND_LASTS;
    if (!sy_p_level(p, &c->level) || !sy_p_need(p, SY_KW_LASTS) || !sy_p_value(p, &c->length))
        return NULL;
    c->pos = sy_p_to(p, pos);
    return c;
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
static sy_cond *prim(sy_parser *p, bool chained);

static sy_cond *group(sy_parser *p)
{
    sy_p_next(p); /* ( */
    sy_cond *c = cond(p, false);
    return c && sy_p_need_sign(p, ')') ? c : NULL;
}

static sy_cond *negated(sy_parser *p, sy_cond *c)
{
    const sy_cond **kid = sy_p_get(p, sizeof *kid);
    if (++p->depth > SY_MAX_NESTING) {
        (void)sy_p_fail(p, "too-deep", c->pos, "nested deeper than 32", "嵌套超过32层", NULL,
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

static bool is_followed(const sy_parser *p)
{
    return sy_p_kw(p, SY_KW_FOLLOWED_BY) || sy_p_kw(p, SY_KW_NOT_FOLLOWED_BY);
}

/* A test with its hold, or a parenthesis with one. */
static sy_cond *simple(sy_parser *p, bool chained)
{
    bool grouped = sy_p_sign(p, '(');
    sy_cond *c = grouped ? group(p) : node(p);
    if (!c || (!grouped && !sy_p_test(p, c)))
        return NULL;
    if (is_hold(p) && (chained || c->kind == SY_COND_CURVE)) {
        (void)chained_hold(p);
        return NULL;
    }
    return hold(p, c) ? c : NULL;
}

/* A followed by B within D, A not followed by B within D: A and B are tests, or in parentheses. */
static sy_cond *followed(sy_parser *p, sy_cond *first, bool chained)
{
    const sy_cond **kids = sy_p_get(p, 2 * sizeof *kids);
    if (chained) {
        (void)chained_hold(p);
        return NULL;
    }
    sy_cond *c = node(p);
    if (!c || !kids)
        return NULL;
    c->pos = first->pos;
    c->kind = sy_p_kw(p, SY_KW_FOLLOWED_BY) ? SY_COND_FOLLOWED : SY_COND_NOT_FOLLOWED;
    sy_p_next(p);
    kids[0] = first;
    kids[1] = simple(p, true);
    c->kids = kids;
    c->n_kids = 2;
    if (!kids[1] || !sy_p_in_time(p, &c->length))
        return NULL;
    c->pos = sy_p_to(p, c->pos);
    if (is_hold(p) || is_followed(p)) {
        (void)chained_hold(p);
        return NULL;
    }
    return c;
}

/* chained: an unparenthesised and, or, not stands before it. */
static sy_cond *prim(sy_parser *p, bool chained)
{
    bool grouped = sy_p_sign(p, '(');
    bool level = p->tok.kind == SY_T_WORD && p->tok.kw >= SY_KW_NOTICE && p->tok.kw <= SY_KW_MAJOR;
    if (level || sy_p_kw(p, SY_KW_NOT)) {
        sy_cond *c = node(p);
        return !c ? NULL : sy_p_take(p, SY_KW_NOT) ? negated(p, c) : lasts(p, c);
    }
    sy_cond *c = simple(p, chained);
    if (!c || !is_followed(p))
        return c;
    return followed(p, c, chained || (!grouped && c->hold.kind));
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
