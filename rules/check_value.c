/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking numbers: units as types, marks of limits, durations, parts.
 */
#include "rules/check.h"

static const sy_span none = {NULL, 0};

sy_measure sy_c_measure(const sy_word *quantity)
{
    return (sy_measure){sy_span_of(quantity->id), sy_span_of(quantity->zh[0]), quantity->unit, 0};
}

size_t sy_c_numbers(const sy_value *v)
{
    const sy_setdef *s = v->set;
    return v->num ? 1 : !s ? 0 : s->num ? 1 : s->n_dates ? s->n_dates : s->n_rows;
}

const sy_num *sy_c_number(const sy_value *v, size_t i)
{
    const sy_setdef *s = v->set;
    return v->num ? v->num : s->num ? s->num : s->n_dates ? s->dates[i].num : s->rows[i].num;
}

/* A unit and, with it, one of time, as people write it: "°C·min", "K/h". */
static sy_span unit_text(sy_checker *c, const sy_unit *unit, const char *time, int power)
{
    const char *sign = power < 0 ? "/" : power > 0 ? "·" : "";
    sy_span u = sy_span_of(unit ? unit->en : ""), t = sy_span_of(power ? time : "");
    char *b = sy_arena_get(c->arena, u.n + t.n + 4);
    if (!b)
        return u;
    memcpy(b, u.p, u.n);
    memcpy(b + u.n, sign, strlen(sign));
    memcpy(b + u.n + strlen(sign), t.p, t.n);
    return (sy_span){b, u.n + strlen(sign) + t.n};
}

/* Rates and integrals of temperatures are differences: °C/h is K/h. A unit of the table such as L/h
 * becomes its parts. */
static void take_apart(const sy_num *num, const sy_measure *m)
{
    sy_num *n = (sy_num *)(uintptr_t)num; /* the arena's, still being made */
    const sy_unit *of, *time;
    if (!n || !n->unit)
        return;
    if (m->time_power < 0 && !n->time && sy_unit_split(n->unit, &of, &time)) {
        n->unit = of;
        n->time = time;
        n->time_power = -1;
    }
    if (n->time && m->time_power && sy_span_is(sy_span_of(n->unit->id), "degC"))
        n->unit = sy_unit_by_id("K");
}

bool sy_check_unit(sy_checker *c, const sy_num *n, const sy_measure *m, sy_pos pos)
{
    take_apart(n, m);
    take_apart(n->tune_lo, m);
    take_apart(n->tune_hi, m);
    const sy_span args[SY_DIAG_ARGS] = {
        m->en, unit_text(c, m->unit, "h", m->time_power),
        unit_text(c, n->unit, n->time ? n->time->en : "", n->time_power), m->zh};
    if (!m->unit && !n->unit && !m->time_power)
        return true;
    if (!m->unit && !m->time_power)
        sy_diag_say(c->diags, SY_DIAG_ERROR, "unit-mismatch", pos,
                    "%1 has no unit: write the number alone", "“%4”没有单位：只写数", NULL, args);
    else if (!n->unit)
        sy_diag_say(c->diags, SY_DIAG_ERROR, "no-unit", pos,
                    "a number without unit: %1 is measured in %2", "数缺少单位：“%4”以 %2 计", NULL,
                    args);
    else if (n->time_power != m->time_power || !sy_unit_convertible(n->unit, m->unit))
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
    same = same && n->time == lo->time && n->time == hi->time && n->time_power == lo->time_power &&
           n->time_power == hi->time_power;
    if (n->unit && same)
        same = sy_unit_convertible(lo->unit, n->unit) && sy_unit_convertible(hi->unit, n->unit);
    if (!same) {
        (void)sy_c_fail(c, "unit-mismatch", hi->pos,
                        "the bounds of tuning have another unit than the number",
                        "可调范围与数的单位不符");
        return;
    }
    double v = n->value, a = lo->value, b = hi->value;
    if (n->unit) {
        a = sy_unit_convert(a, lo->unit, n->unit);
        b = sy_unit_convert(b, hi->unit, n->unit);
    }
    double slack = 1e-9 * (v < 0 ? -v : v);
    if (a > v + slack || b < v - slack)
        (void)sy_c_fail(c, "tune-bounds", lo->pos, "the number lies outside its bounds of tuning",
                        "数不在其可调范围内");
}

bool sy_c_whole(sy_checker *c, const sy_num *n, double hi)
{
    return (n->exp10 >= 0 && n->value >= 1 && n->value <= hi) ||
           sy_c_fail(c, "bad-count", n->pos, "a whole number from 1 to 1000 stands here",
                     "此处应为1至1000的整数");
}

void sy_check_duration_num(sy_checker *c, const sy_num *n, sy_pos pos)
{
    const sy_unit *ms = sy_unit_by_id("ms");
    if (!n->unit) {
        (void)sy_c_fail(c, "no-unit", pos, "a duration without unit: s, min, h, d",
                        "时长缺少单位：秒、分钟、小时、日");
    } else if (n->time_power || !sy_unit_convertible(n->unit, ms)) {
        sy_c_say(c, SY_DIAG_ERROR, "unit-mismatch", pos,
                 "%1 is no unit of time: a duration stands here", "%1 不是时间单位：此处应为时长",
                 NULL, unit_text(c, n->unit, n->time ? n->time->en : "", n->time_power), none);
    } else {
        double v = sy_unit_convert(n->value, n->unit, ms);
        if (v < 1 || v > 3660.0 * 86400000)
            (void)sy_c_fail(c, "bad-duration", pos, "a duration is more than 0 and at most 3660 d",
                            "时长应大于0且至多3660日");
    }
}

void sy_check_duration(sy_checker *c, const sy_value *v)
{
    if (v->num)
        sy_check_tunable(c, v->num);
    size_t before = c->diags->errors;
    for (size_t i = 0; i < sy_c_numbers(v) && c->diags->errors == before; i++)
        sy_check_duration_num(c, sy_c_number(v, i), v->pos);
}

double sy_c_ms(const sy_value *v)
{
    const sy_unit *ms = sy_unit_by_id("ms");
    const sy_num *n = sy_c_numbers(v) == 1 ? sy_c_number(v, 0) : NULL;
    return n && n->unit && sy_unit_convertible(n->unit, ms) ? sy_unit_convert(n->value, n->unit, ms)
                                                            : 0;
}

bool sy_check_part(sy_checker *c, const sy_value *v)
{
    const sy_unit *percent = sy_unit_by_id("%");
    if (v->num)
        sy_check_tunable(c, v->num);
    for (size_t i = 0; i < sy_c_numbers(v); i++) {
        const sy_num *n = sy_c_number(v, i);
        if (!n->unit || n->time_power || !sy_unit_convertible(n->unit, percent))
            return sy_c_fail(c, n->unit ? "unit-mismatch" : "no-unit", v->pos,
                             "a part of a whole stands here: write it in %",
                             "此处应为比例：请以 % 书写");
        double x = sy_unit_convert(n->value, n->unit, percent);
        if (x < 0 || x > 100)
            return sy_c_fail(c, "bad-part", v->pos, "a part lies between 0 % and 100 %",
                             "比例应在 0 % 至 100 % 之间");
    }
    return true;
}

bool sy_check_marks(sy_checker *c, const sy_value *v)
{
    bool ok = !v->let || !sy_c_has_let(c->unmarked_lets, v->let);
    for (size_t i = 0; i < sy_c_numbers(v); i++)
        ok = ok && sy_c_number(v, i)->origin != SY_ORIGIN_NONE;
    return ok || !c->marked ||
           sy_c_fail(c, "no-mark", v->pos,
                     "a limit in an alert needs its origin: [law], [policy] or [tunable a to b]",
                     "报警条件中的限值须注明来源：【法定】、【裁量】或【可调 a 至 b】");
}

bool sy_check_limit(sy_checker *c, const sy_value *v, const sy_measure *m)
{
    if (v->num)
        sy_check_tunable(c, v->num);
    if (v->let && sy_c_has_let(c->bad_lets, v->let))
        return false;
    if (v->let) {
        const sy_unit *u = v->let->sum->unit;
        bool fits = !m->time_power && (u ? sy_unit_convertible(u, m->unit) : !m->unit);
        const sy_span args[SY_DIAG_ARGS] = {v->let->name, m->en,
                                            unit_text(c, m->unit, "h", m->time_power), m->zh};
        if (!fits)
            sy_diag_say(c->diags, SY_DIAG_ERROR, "unit-mismatch", v->pos,
                        "'%1' has another unit than %2, which is measured in %3",
                        "“%1”的单位与“%4”不符，后者以 %3 计", NULL, args);
        return fits && sy_check_marks(c, v);
    }
    for (size_t i = 0; i < sy_c_numbers(v); i++)
        if (!sy_check_unit(c, sy_c_number(v, i), m, v->pos))
            return false;
    return sy_check_marks(c, v);
}

void sy_check_order(sy_checker *c, const sy_value *a, const sy_value *b, const sy_measure *m)
{
    if (sy_c_numbers(a) != 1 || sy_c_numbers(b) != 1)
        return;
    const sy_num *p = sy_c_number(a, 0), *q = sy_c_number(b, 0);
    double x = p->value, y = q->value;
    if (p->time != q->time)
        return;
    if (m->unit) {
        x = sy_unit_convert(x, p->unit, m->unit);
        y = sy_unit_convert(y, q->unit, m->unit);
    }
    if (x > y)
        (void)sy_c_fail(c, "reversed", a->pos,
                        "the range is the wrong way round: write the lower end first",
                        "范围颠倒：请先写下限");
}
