/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking a test: what may be asked of which operand, and its limits.
 */
#include "rules/check.h"

static const sy_span none = {NULL, 0};

bool sy_c_compares(sy_op op)
{
    return op <= SY_OP_WITHIN;
}

/* A name of the rule's own whose declaration had an error. */
static bool lost(const sy_checker *c, sy_span name)
{
    for (size_t i = 0; i < c->draft->n_locals; i++)
        if (sy_span_eq(c->draft->names[i], name))
            return !c->draft->locals[i].set && !c->draft->locals[i].let;
    return false;
}

static void limits(sy_checker *c, const sy_cond *t, const sy_measure *m)
{
    bool two = t->op == SY_OP_OUTSIDE || t->op == SY_OP_WITHIN;
    bool ok = sy_check_limit(c, &t->a, m);
    if (two && ok && sy_check_limit(c, &t->b, m))
        sy_check_order(c, &t->a, &t->b, m);
}

static void exposure(sy_checker *c, const sy_cond *t, const sy_word *w)
{
    sy_measure m = sy_c_measure(w);
    if (!sy_check_limit(c, &t->a, &m))
        return;
    m.unit = sy_unit_difference(w->unit);
    m.time_power = 1;
    if (m.unit)
        (void)sy_check_limit(c, &t->b, &m);
    else
        sy_c_say(c, SY_DIAG_ERROR, "unit-mismatch", t->operand.pos,
                 "'%1' has no unit, so its exposure has none", "“%1”没有单位，无从计超限累积", NULL,
                 t->operand.text, none);
    sy_check_duration(c, &t->window);
}

static void stuck(sy_checker *c, const sy_cond *t, const sy_word *w)
{
    const sy_rule *r = &c->draft->rule;
    bool other = !t->others_move;
    sy_check_duration(c, &t->a);
    for (size_t i = 0; i < r->n_watch; i++)
        other |=
            r->watch[i].word != w && r->watch[i].word && r->watch[i].word->kind == SY_W_QUANTITY;
    if (!other && r->n_watch > 0)
        sy_c_say(c, SY_DIAG_ERROR, "not-watched", t->pos,
                 "'while others move' needs another quantity among the names that 'watch' lists",
                 "“而其他变化”须在“监测”中另有一个量", NULL, none, none);
}

static void quantity(sy_checker *c, const sy_cond *t, const sy_word *w)
{
    const sy_measure m = sy_c_measure(w);
    switch (t->op) {
    case SY_OP_STUCK:
        stuck(c, t, w);
        break;
    case SY_OP_EXPOSURE_ABOVE:
    case SY_OP_EXPOSURE_BELOW:
        exposure(c, t, w);
        break;
    case SY_OP_ABOVE:
    case SY_OP_BELOW:
    case SY_OP_AT_LEAST:
    case SY_OP_AT_MOST:
    case SY_OP_OUTSIDE:
    case SY_OP_WITHIN:
        limits(c, t, &m);
        break;
    case SY_OP_NO_DATA:
        break;
    case SY_OP_IS:
        sy_c_say(c, SY_DIAG_ERROR, "wrong-kind", t->operand.pos,
                 "'%1' is a quantity: 'is' takes a state", "“%1”是量：“为”只用于状态", NULL,
                 t->operand.text, none);
        break;
    case SY_OP_DUE_WITHIN:
    case SY_OP_OVERDUE:
        break; /* takes a date: refused by its kind */
    }
}

static void state(sy_checker *c, sy_cond *t, const sy_word *w)
{
    if (t->op == SY_OP_IS)
        t->state = sy_c_state_value(c, w, &t->state_name);
    else if (t->op != SY_OP_NO_DATA)
        sy_c_say(
            c, SY_DIAG_ERROR, "wrong-kind", t->operand.pos, "'%1' is a state: write '%1 is %2'",
            "“%1”是状态：请写作“%1为%2”", NULL, t->operand.text,
            sy_span_of(sy_text_letter(t->operand.text.p[0]) ? w->values[0].id : w->values[0].zh));
}

/* A date of the register: not watched, the site has it. */
static void date(sy_checker *c, const sy_cond *t)
{
    const sy_word *w = sy_c_word(c, &t->operand, SY_KIND(SY_W_DATE), "date", "日期");
    if (w && t->pick != SY_PICK_ONE)
        (void)sy_c_fail(c, "syntax", t->pos, "a date stands alone", "日期前不能写个数");
    if (t->op == SY_OP_DUE_WITHIN)
        sy_check_duration(c, &t->a);
}

static void named(sy_checker *c, sy_cond *t)
{
    unsigned kinds = SY_KIND(SY_W_QUANTITY) | SY_KIND(SY_W_STATE);
    bool is = t->op == SY_OP_IS;
    if (t->op == SY_OP_DUE_WITHIN || t->op == SY_OP_OVERDUE) {
        date(c, t);
        return;
    }
    size_t before = c->diags->errors;
    const sy_word *w =
        sy_c_word(c, &t->operand, kinds, is ? "state" : "quantity", is ? "状态" : "量");
    if (w && w->kind == SY_W_QUANTITY)
        quantity(c, t, w);
    else if (w)
        state(c, t, w);
    if (w && c->diags->errors == before)
        (void)sy_c_operand(c, &t->operand, kinds, t->portion || c->members, "quantity", "量");
}

/* A sum or an aggregate: it is compared, nothing else. */
static void derived(sy_checker *c, const sy_cond *t, const sy_measure *m)
{
    if (sy_c_compares(t->op))
        limits(c, t, m);
    else
        (void)sy_c_fail(c, "wrong-kind", t->pos,
                        "a mean or another aggregate, or a name of 'let', is compared with a "
                        "limit; nothing else can be asked of it",
                        "统计量或“令”的名称只能与限值比较");
}

/* T, share of EVENT above 25 % */
static void portion(sy_checker *c, const sy_cond *t)
{
    const sy_portion *s = t->portion;
    const sy_rule *r = &c->draft->rule;
    const sy_word *w = sy_c_operand(c, &s->event, SY_KIND(SY_W_EVENT), false, "event", "事件");
    bool counted = false, member;
    for (size_t i = 0; w && i < r->n_counts; i++)
        counted |= r->counts[i].event.word == w && r->counts[i].pos.at < s->pos.at;
    if (w && !counted)
        sy_c_say(c, SY_DIAG_ERROR, "no-count", s->event.pos,
                 "a share needs 'count %1 daily only when …' before it",
                 "占比之前须有“统计 %1 每日 仅当……”", NULL, s->event.text, none);
    member = t->let ? !sy_c_has_let(c->foreign_lets, t->let) || sy_c_has_let(c->bad_lets, t->let)
                    : !t->operand.word || sy_c_member(r, t->operand.word);
    if (t->agg || !sy_c_compares(t->op) || (w && !member))
        (void)sy_c_fail(c, "not-member", t->pos,
                        "a share is that of events: it compares their members",
                        "占比针对事件：只能比较事件的成员量");
    if (sy_check_part(c, &s->share))
        (void)sy_check_marks(c, &s->share);
    if (s->counted)
        (void)sy_c_whole(c, s->counted, 1000);
}

void sy_check_test(sy_checker *c, sy_cond *t)
{
    if (!t->let && lost(c, t->operand.text))
        return;
    if (t->let && !sy_c_has_let(c->bad_lets, t->let)) {
        sy_measure m = {t->let->name, t->let->name, t->let->sum->unit, 0};
        derived(c, t, &m);
    } else if (t->agg) {
        sy_measure m;
        sy_check_agg(c, (sy_agg *)(uintptr_t)t->agg, &m); /* the arena's, still being made */
        if (m.en.n)
            derived(c, t, &m);
    } else if (!t->let) {
        named(c, t);
    }
    if (t->portion)
        portion(c, t);
    if (t->beyond_doubt && (t->let || t->agg || !sy_c_compares(t->op)))
        (void)sy_c_fail(c, "beyond-doubt", t->pos,
                        "'beyond doubt' takes the comparison of a quantity itself",
                        "“明确”只用于量本身的比较");
}
