/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clauses of a rule, one function each, dispatched by a table on the keyword.
 */
#include "rules/parse.h"

static bool basis(sy_parser *p, uint32_t *index)
{
    sy_rule *r = &p->draft->rule;
    sy_list *l = &p->draft->bases;
    l->n = r->n_bases; /* the place of one that failed is used again */
    struct sy_basis *b = sy_p_add(p, l, sizeof *b);
    if (!b)
        return false;
    b->pos = sy_p_pos(p);
    r->bases = l->v;
    if (!sy_p_text(p, &b->text))
        return false;
    if (sy_p_take(p, SY_KW_CLAUSE)) {
        b->verify = sy_p_take(p, SY_KW_VERIFY);
        if (!b->verify && !sy_p_text(p, &b->clause))
            return false;
    }
    if (sy_p_take(p, SY_KW_LAW))
        b->origin = SY_ORIGIN_LAW;
    else if (sy_p_take(p, SY_KW_POLICY))
        b->origin = SY_ORIGIN_POLICY;
    else
        return sy_p_expected(p, "'law' or 'policy'", "“法定”或“裁量”");
    *index = (uint32_t)r->n_bases++;
    return true;
}

static bool applies(sy_parser *p, uint32_t *index)
{
    sy_rule *r = &p->draft->rule;
    bool seen[3] = {false, false, false};
    (void)index;
    do {
        size_t k = sy_p_kw(p, SY_KW_SUBJECT) ? 0 : sy_p_kw(p, SY_KW_GOODS) ? 1 : 2;
        sy_axis *a = k == 0 ? &r->subject : k == 1 ? &r->goods : &r->stage;
        if (k == 2 && !sy_p_kw(p, SY_KW_STAGE))
            return sy_p_expected(p, "'subject', 'goods' or 'stage'", "“主体”、“品种”或“环节”");
        if (seen[k])
            return sy_p_fail(p, "duplicate-clause", sy_p_pos(p), "'%1' stands twice",
                             "“%1”出现两次", NULL, p->tok.text, p->tok.text);
        seen[k] = true;
        sy_p_next(p);
        a->any = sy_p_take(p, SY_KW_ANY);
        if (!a->any && !sy_p_names(p, &a->names, &a->n, "a name or 'any'", "名称或“不限”"))
            return false;
    } while (sy_p_take_sign(p, ';'));
    return true;
}

static bool effective(sy_parser *p, uint32_t *index)
{
    sy_rule *r = &p->draft->rule;
    (void)index;
    if (!sy_p_need(p, SY_KW_FROM) || !sy_p_date(p, &r->from))
        return false;
    r->has_from = true;
    if (!sy_p_take(p, SY_KW_TO))
        return true;
    sy_pos pos = sy_p_pos(p);
    if (!sy_p_date(p, &r->to))
        return false;
    r->has_to = true;
    if (sy_days_of(r->to) < sy_days_of(r->from))
        return sy_p_fail(p, "reversed", pos, "the rule ends before it begins", "规则在生效前已失效",
                         NULL, p->tok.text, p->tok.text);
    return true;
}

static bool watch(sy_parser *p, uint32_t *index)
{
    sy_rule *r = &p->draft->rule;
    sy_name kind;
    (void)index;
    p->draft->watch_pos = sy_p_pos(p);
    if (!sy_p_need(p, SY_KW_EACH))
        return false;
    if (!sy_p_take(p, SY_KW_POINT)) {
        if (!sy_p_name(p, &kind, "a kind of place or 'point'", "场所种类或“测点”"))
            return false;
        if (!kind.word || kind.word->kind != SY_W_PLACE) {
            const char *words[64];
            size_t n = 0;
            for (size_t i = 0; i < p->vocab->n && n < 64; i++)
                if (p->vocab->words[i]->kind == SY_W_PLACE)
                    words[n++] = sy_text_letter(kind.text.p[0]) ? p->vocab->words[i]->id
                                                                : p->vocab->words[i]->zh[0];
            (void)sy_p_fail(p, "unknown-name", kind.pos, "unknown kind of place '%1'",
                            "未知场所种类“%1”", sy_nearest(kind.text, words, n), kind.text,
                            kind.text);
        } else {
            r->watch_kind = kind.word;
        }
    }
    return sy_p_need_sign(p, ':') &&
           sy_p_names(p, &r->watch, &r->n_watch, "a quantity or state", "量或状态的名称");
}

static bool missing(sy_parser *p, uint32_t *index)
{
    sy_value *v = sy_p_get(p, sizeof *v);
    (void)index;
    if (!v || !sy_p_value(p, v))
        return false;
    p->draft->rule.missing_after = v;
    return true;
}

/* The name that `set` or `let` declares, or NULL. */
sy_local *sy_p_declare(sy_parser *p, sy_span *name)
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

/* The mark after the last row holds for rows without one. */
static void spread_mark(sy_list *nums)
{
    sy_num **v = nums->v;
    const sy_num *last = v[nums->n - 1];
    for (size_t i = 0; i + 1 < nums->n; i++)
        if (v[i]->origin == SY_ORIGIN_NONE) {
            v[i]->origin = last->origin;
            v[i]->tune_lo = last->tune_lo;
            v[i]->tune_hi = last->tune_hi;
        }
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
    spread_mark(&nums);
    s->rows = rows.v;
    s->n_rows = rows.n;
    return true;
}

static bool set_dated(sy_parser *p, sy_pos pos)
{
    const sy_num *n;
    sy_date d;
    do {
        if (!sy_p_need(p, SY_KW_FROM) || !sy_p_date(p, &d) || !sy_p_literal(p, &n))
            return false;
    } while (sy_p_take_sign(p, ';'));
    (void)sy_p_later(p, sy_p_to(p, pos), "set … from", "设…自");
    return true;
}

static bool set(sy_parser *p, uint32_t *index)
{
    sy_draft *d = p->draft;
    sy_pos pos = sy_p_pos(p);
    sy_span name;
    sy_local *local = sy_p_declare(p, &name);
    if (!local)
        return false;
    if (sy_p_kw(p, SY_KW_FROM)) {
        local->later = true;
        return set_dated(p, pos);
    }
    if (!d->rule.sets)
        d->rule.sets = sy_p_get(p, SY_MAX_LOCALS * sizeof *d->rule.sets);
    if (!d->rule.sets)
        return false;
    sy_setdef *s = &d->rule.sets[d->rule.n_sets];
    *s = (sy_setdef){.name = name, .order = (int)d->n_locals, .pos = pos};
    local->later = true; /* until it is whole: a broken one makes no further errors */
    if (sy_p_take(p, SY_KW_BY)) {
        if (!set_rows(p, s))
            return false;
    } else if (!sy_p_take_sign(p, '=')) {
        return sy_p_expected(p, "'=', 'by' or 'from'", "“=”、“按”或“自”");
    } else if (!sy_p_literal(p, &s->num)) {
        return false;
    }
    local->later = false;
    local->set = s;
    *index = (uint32_t)d->rule.n_sets++;
    return true;
}

static bool except(sy_parser *p, sy_list *list)
{
    sy_except *e = sy_p_add(p, list, sizeof *e);
    if (!e)
        return false;
    e->pos = sy_p_pos(p);
    sy_p_next(p); /* except while */
    if (!sy_p_name(p, &e->state, "a state", "状态名称"))
        return false;
    (void)sy_p_take(p, SY_KW_IS);
    if (!sy_p_name(p, &e->value_name, "a value of the state", "状态取值"))
        return false;
    sy_pos pos = sy_p_to(p, e->pos);
    bool each = sy_p_take_sign(p, ',') && sy_p_kw(p, SY_KW_EACH);
    if (!each)
        return sy_p_fail(p, "unbounded-exemption", pos,
                         "an exemption needs its bounds: ', each at most 5 min, daily at most 8 "
                         "times'",
                         "除外情形须有界限：“，每次至多5分钟，每日至多8次”", NULL, p->tok.text,
                         p->tok.text);
    sy_p_next(p);
    if (!sy_p_need(p, SY_KW_AT_MOST) || !sy_p_value(p, &e->each))
        return false;
    pos = sy_p_to(p, e->pos);
    if (!sy_p_take_sign(p, ',') || !sy_p_kw(p, SY_KW_DAILY))
        return sy_p_fail(p, "unbounded-exemption", pos,
                         "an exemption needs its bounds: how often a day is missing (', daily at "
                         "most 8 times')",
                         "除外情形须有界限：缺少每日次数（“，每日至多8次”）", NULL, p->tok.text,
                         p->tok.text);
    sy_p_next(p);
    bool ok = sy_p_need(p, SY_KW_AT_MOST) && sy_p_count(p, &e->times) && sy_p_need(p, SY_KW_TIMES);
    e->pos = sy_p_to(p, e->pos);
    return ok;
}

static bool alert(sy_parser *p, uint32_t *index)
{
    sy_rule *r = &p->draft->rule;
    sy_list *l = &p->draft->alerts, excepts = {NULL, 0, 0};
    l->n = r->n_alerts;
    sy_alert_clause *a = sy_p_add(p, l, sizeof *a);
    if (!a)
        return false;
    a->pos = sy_p_pos(p);
    r->alerts = l->v;
    if (!sy_p_level(p, &a->level))
        return sy_p_expected(p, "a level (notice, warning, serious, major)",
                             "级别（提醒、预警、严重、重大）");
    for (size_t i = 0; i < r->n_alerts; i++)
        if (r->alerts[i].level == a->level)
            return sy_p_fail(p, "duplicate-clause", a->pos,
                             "a second alert of this level: join the conditions with 'or'",
                             "同一级别的第二个报警：请用“或”合并条件", NULL, p->tok.text,
                             p->tok.text);
    if (!sy_p_need(p, SY_KW_WHEN) || !(a->when = sy_p_cond(p)))
        return false;
    while (sy_p_kw(p, SY_KW_EXCEPT_WHILE))
        if (!except(p, &excepts))
            return false;
    a->excepts = excepts.v;
    a->n_excepts = excepts.n;
    if (sy_p_kw(p, SY_KW_DURING)) {
        sy_pos pos = sy_p_pos(p);
        sy_name name;
        sy_p_next(p);
        if (!sy_p_name(p, &name, "a calendar", "日历名称"))
            return false;
        (void)sy_p_later(p, sy_p_to(p, pos), "during", "限于");
    }
    *index = (uint32_t)r->n_alerts++;
    return true;
}

static bool clear(sy_parser *p, uint32_t *index)
{
    (void)index;
    return sy_p_need(p, SY_KW_WHEN) && (p->draft->rule.clear = sy_p_cond(p)) != NULL;
}

static bool tell(sy_parser *p, uint32_t *index)
{
    sy_rule *r = &p->draft->rule;
    sy_list *l = &p->draft->tells;
    l->n = r->n_tells;
    sy_tell *t = sy_p_add(p, l, sizeof *t);
    if (!t)
        return false;
    t->pos = sy_p_pos(p);
    r->tells = l->v;
    (void)sy_p_level(p, &t->level);
    for (size_t i = 0; i < r->n_tells; i++)
        if (r->tells[i].level == t->level)
            return sy_p_fail(p, "duplicate-clause", t->pos, "'then' stands twice for this level",
                             "此级别的“处置”出现两次", NULL, p->tok.text, p->tok.text);
    if (!sy_p_need(p, SY_KW_TELL) ||
        !sy_p_names(p, &t->recipients, &t->n_recipients, "a recipient", "接收人"))
        return false;
    if (sy_p_take_sign(p, ';')) {
        sy_value *v = sy_p_get(p, sizeof *v);
        if (!v || !sy_p_need(p, SY_KW_RESPOND_WITHIN) || !sy_p_value(p, v))
            return false;
        t->respond_within = v;
    }
    *index = (uint32_t)r->n_tells++;
    return true;
}

static bool say(sy_parser *p, uint32_t *index)
{
    (void)index;
    return sy_p_text(p, &p->draft->rule.say);
}

static const struct {
    sy_kw kw;
    sy_clause clause;
    bool once;
    bool (*parse)(sy_parser *p, uint32_t *index);
} clauses[] = {
    {SY_KW_BASIS, SY_C_BASIS, false, basis},
    {SY_KW_APPLIES_TO, SY_C_APPLIES, true, applies},
    {SY_KW_EFFECTIVE, SY_C_EFFECTIVE, true, effective},
    {SY_KW_WATCH, SY_C_WATCH, true, watch},
    {SY_KW_MISSING_AFTER, SY_C_MISSING, true, missing},
    {SY_KW_SET, SY_C_SET, false, set},
    {SY_KW_ALERT, SY_C_ALERT, false, alert},
    {SY_KW_CLEAR, SY_C_CLEAR, true, clear},
    {SY_KW_THEN, SY_C_TELL, false, tell},
    {SY_KW_SAY, SY_C_SAY, true, say},
};

bool sy_p_clause(sy_parser *p)
{
    sy_list *order = &p->draft->order;
    for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++) {
        if (!sy_p_kw(p, clauses[i].kw))
            continue;
        sy_pos pos = sy_p_pos(p);
        sy_clause_ref *refs = order->v;
        for (size_t k = 0; clauses[i].once && k < order->n; k++)
            if (refs[k].kind == clauses[i].clause) {
                (void)sy_p_fail(p, "duplicate-clause", pos, "a second '%1' in one rule",
                                "一条规则中“%1”出现两次", NULL, p->tok.text, p->tok.text);
                break;
            }
        sy_clause_ref *ref = sy_p_add(p, order, sizeof *ref);
        if (!ref)
            return false;
        *ref = (sy_clause_ref){clauses[i].clause, 0, pos};
        sy_p_next(p);
        return clauses[i].parse(p, &ref->index);
    }
    if (p->tok.kind == SY_T_WORD && (sy_keywords[p->tok.kw].flags & SY_KW_LATER))
        return sy_p_later_clause(p);
    return sy_p_unexpected(p, "a clause or 'end'", "条目或“结束”");
}
