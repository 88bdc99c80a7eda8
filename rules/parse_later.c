/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the language has and the judge does not judge yet: recognised by the grammar, so that the
 * message names the phrase and the rest of the text is still read. A phrase that becomes judged
 * moves from here into the parser proper.
 */
#include "rules/parse.h"

static bool is_agg(const sy_parser *p)
{
    return p->tok.kind == SY_T_WORD && (sy_keywords[p->tok.kw].flags & SY_KW_AGG);
}

static bool later_kw(sy_parser *p, sy_kw k, sy_pos pos)
{
    char en[64], zh[64];
    sy_span e = sy_keyword_text(k, SY_EN), z = sy_keyword_text(k, SY_ZH);
    memcpy(en, e.p, e.n);
    en[e.n] = 0;
    memcpy(zh, z.p, z.n);
    zh[z.n] = 0;
    return sy_p_later(p, pos, en, zh);
}

bool sy_p_later_phrase(sy_parser *p)
{
    sy_kw k = p->tok.kw;
    if (p->tok.kind != SY_T_WORD || !(sy_keywords[k].flags & SY_KW_LATER))
        return false;
    (void)later_kw(p, k, sy_p_pos(p));
    return true;
}

bool sy_p_later_aggregate(sy_parser *p, bool *aggregate)
{
    sy_pos pos = sy_p_pos(p);
    sy_kw k = p->tok.kw;
    sy_value v;
    sy_name n;
    if (is_agg(p)) {
        sy_p_next(p);
        (void)later_kw(p, k, pos);
        *aggregate = true;
    }
    if (!*aggregate)
        return true;
    if (sy_p_take(p, SY_KW_OVER) && !sy_p_value(p, &v))
        return false;
    if (sy_p_take(p, SY_KW_WHILE) &&
        (!sy_p_name(p, &n, "a state", "状态名称") || !sy_p_need(p, SY_KW_IS) ||
         !sy_p_name(p, &n, "a value of the state", "状态取值")))
        return false;
    if (sy_p_take_sign(p, '(')) {
        if (!sy_p_need(p, SY_KW_VALID) || !sy_p_need(p, SY_KW_AT_LEAST) || !sy_p_value(p, &v) ||
            !sy_p_need_sign(p, ')'))
            return false;
    }
    return true;
}

/* ", share name above value, counted at least n" */
static bool portion(sy_parser *p, sy_pos pos)
{
    sy_name n;
    sy_value v;
    const sy_num *count;
    bool first = sy_p_take(p, SY_KW_SHARE);
    if (!sy_p_name(p, &n, "an event", "事件名称") || (!first && !sy_p_need(p, SY_KW_SHARE)))
        return false;
    if (!sy_p_take(p, SY_KW_ABOVE) && !sy_p_need(p, SY_KW_AT_LEAST))
        return false;
    if (!sy_p_value(p, &v))
        return false;
    if (sy_p_take_sign(p, ',') &&
        (!sy_p_need(p, SY_KW_COUNTED) || !sy_p_need(p, SY_KW_AT_LEAST) || !sy_p_count(p, &count)))
        return false;
    (void)sy_p_later(p, sy_p_to(p, pos), "share", "占比");
    return true;
}

bool sy_p_later_after_test(sy_parser *p)
{
    sy_pos pos = sy_p_pos(p);
    sy_kw k = p->tok.kw;
    if (sy_p_take_sign(p, ','))
        return portion(p, pos);
    if (p->tok.kind == SY_T_WORD && k != SY_KW_DURING && k != SY_KW_CUMULATIVE &&
        (sy_keywords[k].flags & SY_KW_LATER) && !(sy_keywords[k].flags & SY_KW_HEAD))
        return later_kw(p, k, pos);
    return true;
}

/* let name = sum: the sum is not read, only passed over. */
static bool let(sy_parser *p)
{
    sy_span name;
    sy_local *l = sy_p_declare(p, &name);
    if (!l)
        return false;
    l->later = true;
    return true;
}

bool sy_p_later_clause(sy_parser *p)
{
    sy_kw k = p->tok.kw;
    sy_pos pos = sy_p_pos(p);
    sy_p_next(p);
    if (k == SY_KW_LET)
        (void)let(p);
    return later_kw(p, k, pos);
}
