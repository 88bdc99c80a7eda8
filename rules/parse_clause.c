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

/* The date behind "to": not before `from`. */
static bool last_day(sy_parser *p, sy_date from, sy_date *to, const char *en, const char *zh)
{
    sy_pos pos = sy_p_pos(p);
    if (!sy_p_date(p, to))
        return false;
    return sy_days_of(*to) >= sy_days_of(from) ||
           sy_p_fail(p, "reversed", pos, en, zh, NULL, p->tok.text, p->tok.text);
}

static bool effective(sy_parser *p, uint32_t *index)
{
    sy_rule *r = &p->draft->rule;
    (void)index;
    if (!sy_p_need(p, SY_KW_FROM) || !sy_p_date(p, &r->from))
        return false;
    r->has_from = true;
    r->has_to = sy_p_take(p, SY_KW_TO);
    return !r->has_to ||
           last_day(p, r->from, &r->to, "the rule ends before it begins", "规则在生效前已失效");
}

static bool trial(sy_parser *p, uint32_t *index)
{
    sy_rule *r = &p->draft->rule;
    (void)index;
    r->has_trial = true;
    return sy_p_need(p, SY_KW_FROM) && sy_p_date(p, &r->trial_from) && sy_p_need(p, SY_KW_TO) &&
           last_day(p, r->trial_from, &r->trial_to, "the trial ends before it begins",
                    "试运行在开始前已结束");
}

static bool accept_uncertain(sy_parser *p, uint32_t *index)
{
    (void)index;
    p->draft->rule.accept_uncertain = true;
    return true;
}

static bool over_range(sy_parser *p, uint32_t *index)
{
    (void)index;
    p->draft->rule.over_range_above = true;
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
           sy_p_names(p, &r->watch, &r->n_watch, "a quantity, state or event",
                      "量、状态或事件的名称");
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

static bool except(sy_parser *p, sy_list *list)
{
    sy_except *e = sy_p_add(p, list, sizeof *e);
    if (!e)
        return false;
    e->pos = sy_p_pos(p);
    sy_p_next(p); /* except while */
    if (!sy_p_state(p, false, &e->state, &e->value_name))
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
    if (sy_p_take(p, SY_KW_DURING) && !sy_p_name(p, &a->during, "a calendar", "日历名称"))
        return false;
    *index = (uint32_t)r->n_alerts++;
    return true;
}

/* count EVENT daily only when C */
static bool count(sy_parser *p, uint32_t *index)
{
    sy_rule *r = &p->draft->rule;
    sy_list *l = &p->draft->counts;
    l->n = r->n_counts;
    sy_count_clause *c = sy_p_add(p, l, sizeof *c);
    if (!c)
        return false;
    c->pos = sy_p_pos(p);
    r->counts = l->v;
    if (!sy_p_name(p, &c->event, "an event", "事件名称"))
        return false;
    for (size_t i = 0; i < r->n_counts; i++)
        if (sy_span_eq(r->counts[i].event.text, c->event.text))
            return sy_p_fail(p, "duplicate-clause", c->pos, "'%1' is counted already",
                             "“%1”已有统计条目", NULL, c->event.text, c->event.text);
    if (!sy_p_need(p, SY_KW_DAILY) || !sy_p_need(p, SY_KW_ONLY_WHEN) || !(c->when = sy_p_cond(p)))
        return false;
    *index = (uint32_t)r->n_counts++;
    return true;
}

/* escalate to LEVEL when this alert opens at least N times in any W [, apart at least A] */
static bool escalate(sy_parser *p, uint32_t *index)
{
    sy_escalate *e = sy_p_get(p, sizeof *e);
    sy_value *apart = NULL;
    (void)index;
    if (!e || !sy_p_need(p, SY_KW_TO))
        return false;
    e->pos = sy_p_pos(p);
    if (!sy_p_level(p, &e->level))
        return sy_p_expected(p, "a level (notice, warning, serious, major)",
                             "级别（提醒、预警、严重、重大）");
    if (!sy_p_need(p, SY_KW_WHEN) || !sy_p_need(p, SY_KW_THIS_ALERT) ||
        !sy_p_need(p, SY_KW_OPENS) || !sy_p_need(p, SY_KW_AT_LEAST) || !sy_p_count(p, &e->times) ||
        !sy_p_need(p, SY_KW_TIMES) || !sy_p_need(p, SY_KW_IN_ANY) || !sy_p_value(p, &e->window))
        return false;
    if (sy_p_take_sign(p, ',')) {
        if (!(apart = sy_p_get(p, sizeof *apart)) || !sy_p_need(p, SY_KW_APART) ||
            !sy_p_need(p, SY_KW_AT_LEAST) || !sy_p_value(p, apart))
            return false;
        e->apart = apart;
    }
    p->draft->rule.escalate = e;
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
    {SY_KW_SET, SY_C_SET, false, sy_p_set},
    {SY_KW_LET, SY_C_LET, false, sy_p_let},
    {SY_KW_COUNT, SY_C_COUNT, false, count},
    {SY_KW_ALERT, SY_C_ALERT, false, alert},
    {SY_KW_CLEAR, SY_C_CLEAR, true, clear},
    {SY_KW_ESCALATE, SY_C_ESCALATE, true, escalate},
    {SY_KW_MODE_TRIAL, SY_C_TRIAL, true, trial},
    {SY_KW_ACCEPT_UNCERTAIN, SY_C_ACCEPT_UNCERTAIN, true, accept_uncertain},
    {SY_KW_OVER_RANGE, SY_C_OVER_RANGE, true, over_range},
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
    return sy_p_unexpected(p, "a clause or 'end'", "条目或“结束”");
}
