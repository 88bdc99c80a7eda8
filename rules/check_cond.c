/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking conditions: operands and their kinds, units as types, marks of limits, durations.
 */
#include "rules/check.h"

void sy_c_say(sy_checker *c, sy_severity s, const char *code, sy_pos pos, const char *en,
              const char *zh, const char *near, sy_span a, sy_span b)
{
    sy_diag_say(c->diags, s, code, pos, en, zh, near, (sy_span[SY_DIAG_ARGS]){a, b});
}

static void error(sy_checker *c, const char *code, sy_pos pos, const char *en, const char *zh,
                  sy_span a, sy_span b)
{
    sy_c_say(c, SY_DIAG_ERROR, code, pos, en, zh, NULL, a, b);
}

static const char *near_word(const sy_checker *c, sy_span text, unsigned kinds)
{
    const char *best = NULL;
    size_t n = 0;
    const char *words[128];
    bool latin = text.n > 0 && sy_text_letter(text.p[0]);
    for (size_t i = 0; i < c->vocab->n; i++) {
        const sy_word *w = c->vocab->words[i];
        if (!(kinds & SY_KIND(w->kind)))
            continue;
        for (size_t k = 0; k < (latin ? 1 : w->n_zh); k++) {
            words[n++] = latin ? w->id : w->zh[k];
            if (n == sizeof words / sizeof *words - 1) {
                best = sy_nearest(text, words, n);
                n = 0;
                if (best)
                    words[n++] = best;
            }
        }
    }
    return sy_nearest(text, words, n);
}

const sy_word *sy_c_word(sy_checker *c, const sy_name *name, unsigned kinds, const char *en,
                         const char *zh)
{
    const sy_word *w = name->word;
    if (w && (kinds & SY_KIND(w->kind)))
        return w;
    if (w) {
        sy_diag_say(c->diags, SY_DIAG_ERROR, "wrong-kind", name->pos,
                    "'%1' is of kind %2; expected here: %3", "“%1”的种类是%4，此处应为%5", NULL,
                    (sy_span[SY_DIAG_ARGS]){
                        name->text, sy_span_of(sy_word_kind_text(w->kind, SY_EN)), sy_span_of(en),
                        sy_span_of(sy_word_kind_text(w->kind, SY_ZH)), sy_span_of(zh)});
        return NULL;
    }
    sy_diag_say(c->diags, SY_DIAG_ERROR, "unknown-name", name->pos, "unknown %2 '%1'", "未知%3“%1”",
                near_word(c, name->text, kinds),
                (sy_span[SY_DIAG_ARGS]){name->text, sy_span_of(en), sy_span_of(zh)});
    return NULL;
}

int sy_c_state_value(sy_checker *c, const sy_word *state, const sy_name *value)
{
    int v = sy_word_value_find(state, value->text);
    const char *words[2 * 64];
    size_t n = 0;
    for (size_t i = 0; v < 0 && i < state->n_values && n + 2 <= 128; i++) {
        words[n++] = state->values[i].id;
        words[n++] = state->values[i].zh;
    }
    if (v < 0)
        sy_c_say(c, SY_DIAG_ERROR, "unknown-value", value->pos, "'%1' is no value of %2",
                 "“%1”不是“%2”的取值", sy_nearest(value->text, words, n), value->text,
                 sy_span_of(sy_text_letter(value->text.p[0]) ? state->id : state->zh[0]));
    return v;
}

bool sy_c_watched(const sy_rule *r, const sy_word *w)
{
    for (size_t i = 0; i < r->n_watch; i++)
        if (r->watch[i].word == w)
            return true;
    return false;
}

bool sy_check_unit(sy_checker *c, const sy_num *n, const sy_word *quantity, sy_pos pos)
{
    sy_span unit = quantity->unit ? sy_span_of(quantity->unit->en) : (sy_span){NULL, 0};
    const sy_span args[SY_DIAG_ARGS] = {sy_span_of(quantity->id), unit,
                                        sy_span_of(n->unit ? n->unit->en : ""),
                                        sy_span_of(quantity->zh[0])};
    if (!quantity->unit && !n->unit)
        return true;
    if (!quantity->unit)
        sy_diag_say(c->diags, SY_DIAG_ERROR, "unit-mismatch", pos,
                    "%1 has no unit: write the number alone", "“%4”没有单位：只写数", NULL, args);
    else if (!n->unit)
        sy_diag_say(c->diags, SY_DIAG_ERROR, "no-unit", pos,
                    "a number without unit: %1 is measured in %2", "数缺少单位：“%4”以 %2 计", NULL,
                    args);
    else if (!sy_unit_convertible(n->unit, quantity->unit))
        sy_diag_say(c->diags, SY_DIAG_ERROR, "unit-mismatch", pos,
                    "%3 is no unit for %1, which is measured in %2",
                    "%3 不能用于“%4”，后者以 %2 计", NULL, args);
    else
        return true;
    return false;
}

void sy_check_tunable(sy_checker *c, const sy_num *n)
{
    const sy_num *lo = n->tune_lo, *hi = n->tune_hi;
    if (n->origin != SY_ORIGIN_TUNABLE || !lo || !hi)
        return;
    bool same = (n->unit == NULL) == (lo->unit == NULL) && (n->unit == NULL) == (hi->unit == NULL);
    if (n->unit && same)
        same = sy_unit_convertible(lo->unit, n->unit) && sy_unit_convertible(hi->unit, n->unit);
    if (!same) {
        error(c, "unit-mismatch", hi->pos, "the bounds of tuning have another unit than the number",
              "可调范围与数的单位不符", (sy_span){NULL, 0}, (sy_span){NULL, 0});
        return;
    }
    double v = n->value, a = lo->value, b = hi->value;
    if (n->unit) {
        a = sy_unit_convert(a, lo->unit, n->unit);
        b = sy_unit_convert(b, hi->unit, n->unit);
    }
    double slack = 1e-9 * (v < 0 ? -v : v);
    if (a > v + slack || b < v - slack)
        error(c, "tune-bounds", lo->pos, "the number lies outside its bounds of tuning",
              "数不在其可调范围内", (sy_span){NULL, 0}, (sy_span){NULL, 0});
}

void sy_check_duration_num(sy_checker *c, const sy_num *n, sy_pos pos)
{
    sy_span none = {NULL, 0};
    const sy_unit *ms = sy_unit_by_id("ms");
    if (!n->unit) {
        error(c, "no-unit", pos, "a duration without unit: s, min, h, d",
              "时长缺少单位：秒、分钟、小时、日", none, none);
    } else if (!sy_unit_convertible(n->unit, ms)) {
        error(c, "unit-mismatch", pos, "%1 is no unit of time: a duration stands here",
              "%1 不是时间单位：此处应为时长", sy_span_of(n->unit->en), none);
    } else {
        double v = sy_unit_convert(n->value, n->unit, ms);
        if (v < 1 || v > 3660.0 * 86400000)
            error(c, "bad-duration", pos, "a duration is more than 0 and at most 3660 d",
                  "时长应大于0且至多3660日", none, none);
    }
}

/* The numbers that a value can stand for. */
static size_t numbers(const sy_value *v)
{
    return v->num ? 1 : !v->set ? 0 : v->set->num ? 1 : v->set->n_rows;
}

static const sy_num *number(const sy_value *v, size_t i)
{
    return v->num ? v->num : v->set->num ? v->set->num : v->set->rows[i].num;
}

void sy_check_duration(sy_checker *c, const sy_value *v)
{
    if (v->num)
        sy_check_tunable(c, v->num);
    size_t before = c->diags->errors;
    for (size_t i = 0; i < numbers(v) && c->diags->errors == before; i++)
        sy_check_duration_num(c, number(v, i), v->pos);
}

static bool limit(sy_checker *c, const sy_value *v, const sy_word *quantity, bool alert)
{
    bool ok = true;
    if (v->num)
        sy_check_tunable(c, v->num);
    for (size_t i = 0; i < numbers(v) && ok; i++) {
        const sy_num *n = number(v, i);
        ok = sy_check_unit(c, n, quantity, v->pos);
        if (ok && alert && n->origin == SY_ORIGIN_NONE) {
            error(c, "no-mark", v->pos,
                  "a limit in an alert needs its origin: [law], [policy] or [tunable a to b]",
                  "报警条件中的限值须注明来源：【法定】、【裁量】或【可调 a 至 b】",
                  (sy_span){NULL, 0}, (sy_span){NULL, 0});
            ok = false;
        }
    }
    return ok;
}

/* a to b: a first. Tiers are compared row by row where both have the same scheme. */
static void range(sy_checker *c, const sy_cond *t, const sy_word *quantity)
{
    if (numbers(&t->a) != 1 || numbers(&t->b) != 1)
        return;
    const sy_num *a = number(&t->a, 0), *b = number(&t->b, 0);
    double x = a->value, y = b->value;
    if (quantity->unit) {
        x = sy_unit_convert(x, a->unit, quantity->unit);
        y = sy_unit_convert(y, b->unit, quantity->unit);
    }
    if (x > y)
        error(c, "reversed", t->a.pos,
              "the range is the wrong way round: write the lower end first", "范围颠倒：请先写下限",
              (sy_span){NULL, 0}, (sy_span){NULL, 0});
}

static bool refused_already(const sy_checker *c, sy_span name)
{
    for (size_t i = 0; c->draft && i < c->draft->n_locals; i++)
        if (sy_span_eq(c->draft->names[i], name))
            return c->draft->locals[i].later;
    return false;
}

static void test(sy_checker *c, sy_cond *t, bool alert)
{
    if (t->operand.text.n == 0 || refused_already(c, t->operand.text))
        return;
    bool is = t->op == SY_OP_IS;
    unsigned kinds = SY_KIND(SY_W_QUANTITY) | SY_KIND(SY_W_STATE);
    const sy_word *w =
        sy_c_word(c, &t->operand, kinds, is ? "state" : "quantity", is ? "状态" : "量");
    if (!w)
        return;
    if (is && w->kind != SY_W_STATE) {
        error(c, "wrong-kind", t->operand.pos, "'%1' is a quantity: 'is' takes a state",
              "“%1”是量：“为”只用于状态", t->operand.text, t->operand.text);
        return;
    }
    if (!is && t->op != SY_OP_NO_DATA && w->kind == SY_W_STATE) {
        error(c, "wrong-kind", t->operand.pos, "'%1' is a state: write '%1 is %2'",
              "“%1”是状态：请写作“%1为%2”", t->operand.text,
              sy_span_of(sy_text_letter(t->operand.text.p[0]) ? w->values[0].id : w->values[0].zh));
        return;
    }
    if (c->draft->rule.n_watch > 0 && !sy_c_watched(&c->draft->rule, w))
        error(c, "not-watched", t->operand.pos, "'%1' is not among the names that 'watch' lists",
              "“%1”不在“监测”所列名称之中", t->operand.text, t->operand.text);
    if (is) {
        t->state = sy_c_state_value(c, w, &t->state_name);
    } else if (t->op != SY_OP_NO_DATA) {
        bool two = t->op == SY_OP_OUTSIDE || t->op == SY_OP_WITHIN;
        bool ok = limit(c, &t->a, w, alert);
        if (two && ok && limit(c, &t->b, w, alert))
            range(c, t, w);
    }
}

void sy_check_cond(sy_checker *c, const sy_cond *cond, bool alert)
{
    if (cond->kind == SY_COND_TEST)
        test(c, (sy_cond *)(uintptr_t)cond, alert); /* the arena's, still being made */
    for (size_t i = 0; i < cond->n_kids; i++)
        sy_check_cond(c, cond->kids[i], alert);
    if (cond->hold.kind == SY_HOLD_FOR)
        sy_check_duration(c, &cond->hold.length);
}
