/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rule declares: names of set and of let, and the sums that let stands for.
 */
#include "rules/parse.h"

/* The name that `set` or `let` declares, or NULL. */
static sy_local *declare(sy_parser *p, sy_span *name)
{
    sy_draft *d = p->draft;
    p->tok = sy_lex_new_name(&p->lex, &p->tok);
    *name = p->tok.text;
    sy_pos pos = sy_p_pos(p);
    bool bad = name->n == 0 || sy_text_digit(name->p[0]) || name->p[0] == '-';
    if (!bad && !sy_text_letter(name->p[0]))
        bad = sy_text_digit(name->p[name->n - 1]);
    if (bad) {
        (void)sy_p_fail(p, "bad-name", pos,
                        "'%1' cannot be a name: a letter first, or Han without a digit at the end",
                        "“%1”不能作名称：以字母开头，或为不以数字结尾的汉字", NULL, *name, *name);
        return NULL;
    }
    if (p->tok.kw || p->tok.unit) {
        (void)sy_p_fail(p, "name-taken", pos, "'%1' is a keyword or a unit and cannot be a name",
                        "“%1”是关键字或单位，不能作名称", NULL, *name, *name);
        return NULL;
    }
    for (size_t n = 1; n < name->n; n++) {
        sy_span head = {name->p, n}, tail = {name->p + n, name->n - n};
        const sy_entry *e = sy_lexicon_get(p->lex.lexicon, head);
        bool known = e && e->word;
        for (size_t i = 0; i < d->n_locals; i++)
            known |= sy_span_eq(d->names[i], head);
        if (known && sy_keyword_follows(tail)) {
            (void)sy_p_fail(p, "name-swallows", pos,
                            "'%1' would be read as '%2' and a keyword: choose another name",
                            "“%1”会与“%2”加关键字混淆，请另取名称", NULL, *name, head);
            return NULL;
        }
    }
    for (size_t i = 0; i < d->n_locals; i++)
        if (sy_span_eq(d->names[i], *name)) {
            (void)sy_p_fail(p, "name-twice", pos, "'%1' is declared already", "“%1”已经声明过",
                            NULL, *name, *name);
            return NULL;
        }
    if (d->n_locals == SY_MAX_LOCALS) {
        (void)sy_p_fail(p, "too-many", pos, "more than 32 names in one rule",
                        "一条规则声明的名称超过32个", NULL, *name, *name);
        return NULL;
    }
    d->names[d->n_locals] = *name;
    p->lex.n_locals = d->n_locals + 1;
    sy_local *l = &d->locals[d->n_locals++];
    sy_p_next(p);
    return l;
}

static bool set_rows(sy_parser *p, sy_setdef *s)
{
    sy_name tier, key;
    sy_list rows = {NULL, 0, 0}, nums = {NULL, 0, 0};
    if (!sy_p_name(p, &tier, "a tier", "等级名称") || !sy_p_need_sign(p, ':'))
        return false;
    if (!tier.word || tier.word->kind != SY_W_TIER)
        return sy_p_fail(p, "unknown-name", tier.pos, "unknown tier '%1'", "未知等级“%1”", NULL,
                         tier.text, tier.text);
    s->tier = tier.word;
    do {
        sy_set_row row = {.value = -1};
        sy_pos pos = sy_p_pos(p);
        if (!sy_p_take(p, SY_KW_OTHERWISE)) {
            if (!sy_p_name(p, &key, "a value of the tier or 'otherwise'", "等级取值或“其余”"))
                return false;
            row.value = sy_word_value_find(tier.word, key.text);
            if (row.value < 0)
                return sy_p_fail(p, "unknown-value", key.pos, "'%1' is no value of %2",
                                 "“%1”不是“%2”的取值", NULL, key.text, tier.text);
        }
        for (size_t i = 0; i < rows.n; i++)
            if (((sy_set_row *)rows.v)[i].value == row.value)
                return sy_p_fail(p, "duplicate-row", pos, "this row stands twice", "此行重复", NULL,
                                 tier.text, tier.text);
        if (!sy_p_literal(p, &row.num))
            return false;
        sy_set_row *at = sy_p_add(p, &rows, sizeof *at);
        const sy_num **num = sy_p_add(p, &nums, sizeof *num);
        if (!at || !num)
            return false;
        *at = row;
        *num = row.num;
    } while (sy_p_take_sign(p, ';'));
    sy_p_spread_mark(&nums);
    s->rows = rows.v;
    s->n_rows = rows.n;
    return true;
}

/* from DATE literal; from DATE literal … */
static bool set_dates(sy_parser *p, sy_setdef *s)
{
    sy_list dates = {NULL, 0, 0};
    do {
        sy_pos pos;
        sy_set_date date, *before = dates.v, *at;
        if (!sy_p_need(p, SY_KW_FROM))
            return false;
        pos = sy_p_pos(p);
        if (!sy_p_date(p, &date.from) || !sy_p_literal(p, &date.num))
            return false;
        if (dates.n && sy_days_of(date.from) <= sy_days_of(before[dates.n - 1].from))
            return sy_p_fail(p, "reversed", pos, "each date must be later than the one before it",
                             "后一日期须晚于前一日期", NULL, p->tok.text, p->tok.text);
        if (!(at = sy_p_add(p, &dates, sizeof *at)))
            return false;
        *at = date;
    } while (sy_p_take_sign(p, ';'));
    s->dates = dates.v;
    s->n_dates = dates.n;
    return true;
}

bool sy_p_set(sy_parser *p, uint32_t *index)
{
    sy_draft *d = p->draft;
    sy_pos pos = sy_p_pos(p);
    sy_span name;
    sy_local *local = declare(p, &name);
    if (!local)
        return false;
    if (!d->rule.sets)
        d->rule.sets = sy_p_get(p, SY_MAX_LOCALS * sizeof *d->rule.sets);
    if (!d->rule.sets)
        return false;
    sy_setdef *s = &d->rule.sets[d->rule.n_sets];
    *s = (sy_setdef){.name = name, .order = (int)d->n_locals, .pos = pos};
    if (sy_p_kw(p, SY_KW_FROM)) {
        if (!set_dates(p, s))
            return false;
    } else if (sy_p_take(p, SY_KW_BY)) {
        if (!set_rows(p, s))
            return false;
    } else if (!sy_p_take_sign(p, '=')) {
        return sy_p_expected(p, "'=', 'by' or 'from'", "“=”、“按”或“自”");
    } else if (!sy_p_literal(p, &s->num)) {
        return false;
    }
    local->set = s;
    *index = (uint32_t)d->rule.n_sets++;
    return true;
}

static sy_expr *expr(sy_parser *p, sy_expr_kind kind)
{
    if (++p->draft->nodes > SY_MAX_NODES) {
        (void)sy_p_fail(p, "too-many", sy_p_pos(p), "more than 10,000 nodes in one rule",
                        "一条规则的条件超过一万个节点", NULL, p->tok.text, p->tok.text);
        return NULL;
    }
    sy_expr *e = sy_p_get(p, sizeof *e);
    if (e) {
        e->kind = kind;
        e->pos = sy_p_pos(p);
    }
    return e;
}

/* table of NAME (x y; x y …): the mark after the last row holds for rows without one. */
static bool table(sy_parser *p, sy_expr *e)
{
    sy_list rows = {NULL, 0, 0}, nums = {NULL, 0, 0};
    if (!sy_p_name(p, &e->name, "a quantity", "量的名称") || !sy_p_need_sign(p, '('))
        return false;
    do {
        sy_num *x = sy_p_get(p, sizeof *x);
        const sy_num *y, **num = sy_p_add(p, &nums, sizeof *num);
        sy_table_row *row = sy_p_add(p, &rows, sizeof *row);
        if (!x || !num || !row || !sy_p_amount(p, x) || !sy_p_literal(p, &y))
            return false;
        *row = (sy_table_row){x, y};
        *num = y;
    } while (sy_p_take_sign(p, ';'));
    sy_p_spread_mark(&nums);
    e->rows = rows.v;
    e->n_rows = rows.n;
    return sy_p_need_sign(p, ')');
}

static const sy_expr *sum(sy_parser *p);

static const sy_expr *factor(sy_parser *p)
{
    sy_local *own = sy_p_local(p);
    sy_expr *e;
    if (sy_p_take_sign(p, '(')) {
        const sy_expr *inner = sum(p);
        return inner && sy_p_need_sign(p, ')') ? inner : NULL;
    }
    if (!(e = expr(p, SY_EXPR_QUANTITY)))
        return NULL;
    if (sy_p_take(p, SY_KW_TABLE)) {
        e->kind = SY_EXPR_TABLE;
        return table(p, e) ? e : NULL;
    }
    if (own && own->let) {
        e->kind = SY_EXPR_LET;
        e->let = own->let;
        own->let->used = true;
        sy_p_next(p);
        return e;
    }
    if (own || (p->tok.kind == SY_T_NUM && !sy_p_is_agg(p)) || sy_p_sign(p, '-')) {
        e->kind = SY_EXPR_VALUE;
        return sy_p_value(p, &e->value) ? e : NULL;
    }
    if (!sy_p_measured(p, &e->name, &e->agg))
        return NULL;
    if (e->agg)
        e->kind = SY_EXPR_AGG;
    e->pos = sy_p_to(p, e->pos);
    return e;
}

static bool too_deep(sy_parser *p)
{
    return p->depth > SY_MAX_NESTING &&
           !sy_p_fail(p, "too-deep", sy_p_pos(p), "nested deeper than 32", "嵌套超过32层", NULL,
                      p->tok.text, p->tok.text);
}

/* The two chains: of products, joined by + and -, and of factors, joined by * and /. Each sign
 * makes the tree deeper by one, so it counts as nesting. */
static const sy_expr *joined(sy_parser *p, bool sums)
{
    const sy_expr *e = sums ? joined(p, false) : factor(p);
    int depth = p->depth;
    while (e && (sy_p_sign(p, sums ? '+' : '*') || sy_p_sign(p, sums ? '-' : '/'))) {
        bool first = sy_p_sign(p, sums ? '+' : '*');
        sy_expr *both = expr(p, sums ? (first ? SY_EXPR_ADD : SY_EXPR_SUB)
                                     : (first ? SY_EXPR_MUL : SY_EXPR_DIV));
        p->depth++;
        if (!both || too_deep(p)) {
            e = NULL;
            break;
        }
        sy_p_next(p);
        both->a = e;
        both->b = sums ? joined(p, false) : factor(p);
        both->pos = sy_p_to(p, e->pos);
        e = both->b ? both : NULL;
    }
    p->depth = depth;
    return e;
}

static const sy_expr *sum(sy_parser *p)
{
    p->depth++;
    const sy_expr *e = too_deep(p) ? NULL : joined(p, true);
    p->depth--;
    return e;
}

bool sy_p_let(sy_parser *p, uint32_t *index)
{
    sy_draft *d = p->draft;
    sy_pos pos = sy_p_pos(p);
    sy_span name;
    sy_local *local = declare(p, &name);
    if (!local || !sy_p_need_sign(p, '='))
        return false;
    if (!d->rule.lets)
        d->rule.lets = sy_p_get(p, SY_MAX_LOCALS * sizeof *d->rule.lets);
    if (!d->rule.lets)
        return false;
    sy_letdef *l = &d->rule.lets[d->rule.n_lets];
    *l = (sy_letdef){.name = name, .order = (int)d->n_locals, .pos = pos};
    local->open = true;
    l->sum = sum(p);
    local->open = false;
    if (!l->sum)
        return false;
    local->let = l;
    *index = (uint32_t)d->rule.n_lets++;
    return true;
}
