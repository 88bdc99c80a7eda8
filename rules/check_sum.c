/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking aggregates and sums: which unit comes out.
 */
#include "rules/check.h"

static const sy_span none = {NULL, 0};

static bool tagged(const sy_unit *u, const char *tag)
{
    return u && sy_span_is(sy_span_of(u->tag), tag);
}

enum { ACROSS = 1, OVER = 2, CALENDAR = 4 };

/* Where an aggregate may be taken: across the points of a place, over a time, over calendar
 * windows. */
static unsigned where(sy_agg_kind k)
{
    switch (k) {
    case SY_AGG_MEAN:
    case SY_AGG_HIGHEST:
    case SY_AGG_LOWEST:
    case SY_AGG_SPREAD:
    case SY_AGG_TOTAL:
    case SY_AGG_MEDIAN:
        return ACROSS | OVER;
    case SY_AGG_KINETIC:
    case SY_AGG_RATE:
    case SY_AGG_SOUND_LEVEL:
    case SY_AGG_PERCENTILE:
        return OVER;
    case SY_AGG_HOURLY_MEAN:
    case SY_AGG_DAILY_MEAN:
        break;
    }
    return CALENDAR;
}

static void window(sy_checker *c, const sy_agg *a)
{
    unsigned w = where(a->kind);
    if (a->over && w == CALENDAR)
        (void)sy_c_fail(c, "bad-window", a->over->pos,
                        "an hourly or daily mean has its window already: no 'over' here",
                        "小时均值、日均值自有时段：此处不写“过去”");
    else if (!a->over && w == OVER)
        (void)sy_c_fail(c, "bad-window", a->pos,
                        "this aggregate needs its time: write 'over 1 h' after the name",
                        "该统计量须有时段：请在名称后写“过去1小时”");
    else if (a->over)
        sy_check_duration(c, a->over);
    if (!a->over && w != CALENDAR && (a->valid || a->while_state.text.n))
        (void)sy_c_fail(c, "bad-window", a->valid ? a->valid->pos : a->while_state.pos,
                        "across the points of a place there is no time: write 'over', or leave "
                        "'valid' and 'while' out",
                        "对同一场所各测点取值时没有时段：请写“过去”，或删去“有效率”“期间”");
}

void sy_check_agg(sy_checker *c, sy_agg *a, sy_measure *m)
{
    const sy_word *w = sy_c_operand(c, &a->of, SY_KIND(SY_W_QUANTITY), false, "quantity", "量");
    window(c, a);
    if (a->while_state.text.n)
        a->while_value = sy_c_state(c, &a->while_state, &a->while_name);
    if (a->valid)
        (void)sy_check_part(c, a->valid);
    if (a->rank && (a->rank->value < 1 || a->rank->value > 99))
        (void)sy_c_fail(c, "bad-count", a->rank->pos, "a percentile lies between 1 and 99",
                        "百分位应在1至99之间");
    *m = (sy_measure){none, none, NULL, 0};
    if (!w)
        return;
    *m = sy_c_measure(w);
    bool fits = true;
    if (a->kind == SY_AGG_KINETIC)
        fits = tagged(w->unit, "temperature");
    else if (a->kind == SY_AGG_SOUND_LEVEL)
        fits = tagged(w->unit, "sound-level-a") || tagged(w->unit, "level");
    else if (a->kind == SY_AGG_SPREAD || a->kind == SY_AGG_RATE)
        m->unit = sy_unit_difference(w->unit);
    if (a->kind == SY_AGG_RATE)
        m->time_power = -1;
    if (!fits)
        sy_c_say(c, SY_DIAG_ERROR, "unit-mismatch", a->of.pos,
                 "'%1' has no unit that this aggregate is made for", "“%1”的单位不适用于该统计量",
                 NULL, a->of.text, none);
}

static bool mixed(sy_checker *c, const sy_expr *e, const char *en, const char *zh)
{
    sy_span args[SY_DIAG_ARGS] = {sy_span_of(e->a->unit ? e->a->unit->en : "-"),
                                  sy_span_of(e->b->unit ? e->b->unit->en : "-")};
    sy_diag_say(c->diags, SY_DIAG_ERROR, "unit-mismatch", e->pos, en, zh, NULL, args);
    return false;
}

/* a + b, a - b */
static bool added(sy_checker *c, sy_expr *e)
{
    const sy_unit *a = e->a->unit, *b = e->b->unit;
    bool step = tagged(a, "temperature") && tagged(b, "temperature-difference");
    e->unit = a;
    if (a && b && e->kind == SY_EXPR_SUB && tagged(a, "temperature") && !step)
        e->unit = sy_unit_difference(a);
    return (!a && !b) || step || sy_unit_convertible(a, b) ||
           mixed(c, e, "%1 and %2 cannot be added or subtracted", "%1 与 %2 不能相加减");
}

/* a * b, a / b */
static bool multiplied(sy_checker *c, sy_expr *e)
{
    const sy_unit *a = e->a->unit, *b = e->b->unit;
    bool times = e->kind == SY_EXPR_MUL;
    e->unit = a;
    if (times && (!a || !b)) {
        e->unit = a ? a : b;
        return true;
    }
    if (!times && !b)
        return true;
    if (!times && sy_unit_convertible(a, b)) {
        e->unit = NULL;
        return true;
    }
    return times ? mixed(c, e,
                         "%1 times %2: there is no unit for this product; one of the two must be a "
                         "number without unit",
                         "%1 乘以 %2：该乘积没有单位；二者之一须为无单位的数")
                 : mixed(c, e,
                         "%1 divided by %2: there is no unit for this quotient; the two must be of "
                         "one kind, or the divisor without unit",
                         "%1 除以 %2：该商没有单位；二者须为同类单位，或除数无单位");
}

static bool table(sy_checker *c, sy_expr *e)
{
    const sy_word *w = sy_c_operand(c, &e->name, SY_KIND(SY_W_QUANTITY), true, "quantity", "量");
    sy_measure x = w ? sy_c_measure(w) : (sy_measure){none, none, NULL, 0};
    e->unit = e->rows[0].y->unit;
    sy_measure y = {e->name.text, e->name.text, e->unit, 0};
    for (size_t i = 0; i < e->n_rows; i++) {
        const sy_table_row *r = &e->rows[i];
        sy_check_tunable(c, r->y);
        if (!w || !sy_check_unit(c, r->x, &x, r->x->pos) || !sy_check_unit(c, r->y, &y, r->y->pos))
            return false;
        double here = r->x->value, before = i ? r[-1].x->value : 0;
        if (i && r->x->unit)
            before = sy_unit_convert(before, r[-1].x->unit, r->x->unit);
        if (i && here <= before)
            return sy_c_fail(c, "reversed", r->x->pos, "the rows of a table ascend",
                             "表中各行须递增");
    }
    return e->n_rows >= 2 ||
           sy_c_fail(c, "syntax", e->pos, "a table has two rows at least", "表至少有两行");
}

static bool literal(sy_checker *c, sy_expr *e)
{
    for (size_t i = 0; i < sy_c_numbers(&e->value); i++) {
        const sy_num *n = sy_c_number(&e->value, i), *first = sy_c_number(&e->value, 0);
        if (n->time_power)
            return sy_c_fail(c, "unit-mismatch", e->value.pos,
                             "a number per time or times time cannot stand in a sum",
                             "带“每时间”或“乘时间”单位的数不能参与运算");
        if (n->unit ? !sy_unit_convertible(n->unit, first->unit) : first->unit != NULL)
            return sy_c_fail(c, "unit-mismatch", e->value.pos,
                             "the numbers of this name are of several kinds of unit",
                             "该名称各数的单位种类不同");
        e->unit = first->unit;
    }
    if (e->value.num)
        sy_check_tunable(c, e->value.num);
    return true;
}

static bool aggregate(sy_checker *c, sy_expr *e)
{
    sy_measure m;
    sy_agg *a = (sy_agg *)(uintptr_t)e->agg; /* the arena's, still being made */
    sy_check_agg(c, a, &m);
    e->unit = m.unit;
    if (where(a->kind) != CALENDAR && a->kind != SY_AGG_RATE)
        return m.en.n > 0;
    return sy_c_fail(c, "bad-window", a->pos,
                     "hourly and daily means and rates are compared directly: they cannot stand "
                     "in a sum",
                     "小时均值、日均值和变化率须直接比较，不能参与运算");
}

/* False: reported, nothing more to say about what is made of it. */
static bool sum(sy_checker *c, const sy_expr *made)
{
    sy_expr *e = (sy_expr *)(uintptr_t)made; /* the arena's, still being made */
    switch (e->kind) {
    case SY_EXPR_VALUE:
        return literal(c, e);
    case SY_EXPR_QUANTITY: {
        const sy_word *w =
            sy_c_operand(c, &e->name, SY_KIND(SY_W_QUANTITY), true, "quantity", "量");
        e->unit = w ? w->unit : NULL;
        return w != NULL;
    }
    case SY_EXPR_LET:
        e->unit = e->let->sum->unit;
        return !sy_c_has_let(c->bad_lets, e->let);
    case SY_EXPR_AGG:
        return aggregate(c, e);
    case SY_EXPR_TABLE:
        return table(c, e);
    case SY_EXPR_ADD:
    case SY_EXPR_SUB:
    case SY_EXPR_MUL:
    case SY_EXPR_DIV:
        break;
    }
    bool a = sum(c, e->a), b = sum(c, e->b);
    if (!a || !b)
        return false;
    return e->kind == SY_EXPR_ADD || e->kind == SY_EXPR_SUB ? added(c, e) : multiplied(c, e);
}

/* Whether every number in it has its origin; lets that it names were looked at before. */
static bool marked(const sy_checker *c, const sy_expr *e)
{
    bool ok = true;
    if (!e)
        return true;
    if (e->kind == SY_EXPR_LET)
        return !sy_c_has_let(c->unmarked_lets, e->let);
    for (size_t i = 0; e->kind == SY_EXPR_VALUE && i < sy_c_numbers(&e->value); i++)
        ok = ok && sy_c_number(&e->value, i)->origin != SY_ORIGIN_NONE;
    for (size_t i = 0; i < e->n_rows; i++)
        ok = ok && e->rows[i].y->origin != SY_ORIGIN_NONE;
    return ok && marked(c, e->a) && marked(c, e->b);
}

/* Whether all names in it are members of watched events. */
static bool of_members(const sy_checker *c, const sy_expr *e)
{
    switch (e->kind) {
    case SY_EXPR_VALUE:
        return true;
    case SY_EXPR_QUANTITY:
    case SY_EXPR_TABLE:
        return sy_c_member(&c->draft->rule, e->name.word);
    case SY_EXPR_LET:
        return !sy_c_has_let(c->foreign_lets, e->let);
    case SY_EXPR_AGG:
        return false;
    case SY_EXPR_ADD:
    case SY_EXPR_SUB:
    case SY_EXPR_MUL:
    case SY_EXPR_DIV:
        break;
    }
    return of_members(c, e->a) && of_members(c, e->b);
}

void sy_check_let(sy_checker *c, sy_letdef *l)
{
    uint32_t bit = (uint32_t)1 << (l->order - 1);
    c->bad_lets |= sum(c, l->sum) ? 0 : bit;
    c->unmarked_lets |= marked(c, l->sum) ? 0 : bit;
    c->foreign_lets |= of_members(c, l->sum) ? 0 : bit;
    if (!l->used)
        sy_c_say(c, SY_DIAG_WARNING, "unused", l->pos, "'%1' is never used", "“%1”从未使用", NULL,
                 l->name, none);
}
