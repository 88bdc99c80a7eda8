/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small productions: texts, names, numbers with unit and mark, values.
 */
#include "rules/parse.h"

#include "base/utf8.h"

static bool has_han(sy_span s)
{
    uint32_t cp;
    for (size_t i = 0, n; i < s.n && (n = sy_utf8_next(s.p + i, s.n - i, &cp)) > 0; i += n)
        if (sy_text_han(cp))
            return true;
    return false;
}

static bool string(sy_parser *p, const char **out, bool *han)
{
    if (p->tok.kind != SY_T_STRING)
        return sy_p_expected(p, "a text in quotes", "引号中的文字");
    *han = has_han(p->tok.text);
    *out = sy_arena_text(p->arena, p->tok.text);
    p->nomem |= !*out;
    sy_p_next(p);
    return !p->nomem;
}

/* The language of a text is told by its letters; of two the first is English unless only it is
 * Chinese. */
bool sy_p_text(sy_parser *p, sy_text *out)
{
    const char *a = NULL, *b = NULL;
    bool han = false, second = false;
    out->pos = sy_p_pos(p);
    if (!string(p, &a, &han))
        return false;
    if (sy_p_take_sign(p, '/') && !string(p, &b, &second))
        return false;
    if (b)
        han = han && !second;
    out->en = han ? b : a;
    out->zh = han ? a : b;
    return true;
}

bool sy_p_name(sy_parser *p, sy_name *out, const char *en, const char *zh)
{
    if (p->tok.kind == SY_T_UNKNOWN) {
        *out = (sy_name){p->tok.text, NULL, sy_p_pos(p)};
    } else if (p->tok.kind != SY_T_WORD) {
        return sy_p_expected(p, en, zh);
    } else if (p->tok.kw) {
        return sy_p_expected(p, en, zh);
    } else {
        *out = (sy_name){p->tok.text, p->tok.word, sy_p_pos(p)};
    }
    sy_p_next(p);
    return true;
}

bool sy_p_names(sy_parser *p, const sy_name **out, size_t *n, const char *en, const char *zh)
{
    sy_list l = {NULL, 0, 0};
    do {
        sy_name *at = sy_p_add(p, &l, sizeof *at);
        if (!at || !sy_p_name(p, at, en, zh))
            return false;
    } while (sy_p_take_sign(p, ','));
    *out = l.v;
    *n = l.n;
    return true;
}

static bool digits(sy_parser *p, sy_num *n, bool negative)
{
    if (p->tok.kind != SY_T_NUM)
        return sy_p_expected(p, "a number", "数");
    if (!sy_num_of(p->tok.text, negative, n))
        return sy_p_fail(p, "number-range", sy_p_pos(p),
                         "'%1' has too many digits: at most 15 significant ones",
                         "“%1”位数过多：有效数字至多15位", NULL, p->tok.text, p->tok.text);
    sy_p_next(p);
    return true;
}

static sy_span digits_of(uint32_t v, char b[12])
{
    size_t at = 12;
    do {
        b[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    return (sy_span){b + at, 12 - at};
}

bool sy_p_count(sy_parser *p, const sy_num **out)
{
    sy_num *n = sy_p_get(p, sizeof *n);
    if (!n)
        return false;
    n->pos = sy_p_pos(p);
    if (!digits(p, n, false))
        return false;
    *out = n;
    return true;
}

bool sy_p_whole(sy_parser *p, uint32_t lo, uint32_t hi, uint32_t *out)
{
    const sy_num *n;
    if (!sy_p_count(p, &n))
        return false;
    if (n->exp10 < 0 || n->value < lo || n->value > hi) {
        char a[12], b[12];
        return sy_p_fail(p, "bad-count", n->pos, "a whole number from %1 to %2 stands here",
                         "此处应为%1至%2的整数", NULL, digits_of(lo, a), digits_of(hi, b));
    }
    *out = (uint32_t)n->value;
    return true;
}

static bool unknown_unit(sy_parser *p)
{
    size_t n;
    const char *const *all = sy_unit_spellings(&n);
    return sy_p_fail(p, "unknown-unit", sy_p_pos(p), "unknown unit '%1'", "未知单位“%1”",
                     sy_nearest(p->tok.text, all, n), p->tok.text, p->tok.text);
}

sy_local *sy_p_local(sy_parser *p)
{
    sy_draft *d = p->draft;
    for (size_t i = 0; d && p->tok.kind == SY_T_WORD && i < d->n_locals; i++)
        if (sy_span_eq(d->names[i], p->tok.text))
            return &d->locals[i];
    return NULL;
}

/* "/h" or "*min" behind a unit. A sign with anything else behind it is left alone: it belongs to a
 * sum. */
static void unit_of_time(sy_parser *p, sy_num *n)
{
    sy_lex_apart(&p->lex, &p->tok);
    if (!sy_p_sign(p, '/') && !sy_p_sign(p, '*'))
        return;
    sy_lexer ahead = p->lex;
    sy_token t = sy_lex_next(&ahead);
    bool names_time = t.kind == SY_T_WORD && !t.kw && t.unit && p->tok.to == t.from &&
                      sy_span_is(sy_span_of(t.unit->tag), "time");
    if (!names_time)
        return;
    n->time = t.unit;
    n->time_power = p->tok.sign == '/' ? -1 : 1;
    sy_p_next(p);
    sy_p_next(p);
}

bool sy_p_amount(sy_parser *p, sy_num *n)
{
    n->pos = sy_p_pos(p);
    bool negative = sy_p_take_sign(p, '-');
    if (!digits(p, n, negative))
        return false;
    const sy_token *t = &p->tok;
    if (sy_lex_is_unit(&p->lex, t)) {
        n->unit = t->unit;
        sy_p_next(p);
        unit_of_time(p, n);
    } else if (t->kind == SY_T_UNKNOWN ||
               (t->kind == SY_T_WORD && !t->kw && !t->word && !t->value && !sy_p_local(p))) {
        /* A misspelt keyword is likelier where one is near and no unit is. */
        size_t count;
        const char *const *all = sy_unit_spellings(&count);
        if (sy_nearest(t->text, all, count) || !sy_p_near_keyword(p))
            return unknown_unit(p);
    }
    n->pos = sy_p_to(p, n->pos);
    return true;
}

static bool tunable(sy_parser *p, sy_num *n)
{
    sy_num *lo = sy_p_get(p, sizeof *lo), *hi = sy_p_get(p, sizeof *hi);
    if (!lo || !hi || !sy_p_amount(p, lo) || !sy_p_need(p, SY_KW_TO) || !sy_p_amount(p, hi))
        return false;
    if (!lo->unit)
        lo->unit = hi->unit;
    n->origin = SY_ORIGIN_TUNABLE;
    n->tune_lo = lo;
    n->tune_hi = hi;
    return true;
}

bool sy_p_marks(sy_parser *p, sy_num *n)
{
    if (!sy_p_take_sign(p, '['))
        return true;
    if (sy_p_take(p, SY_KW_LAW))
        n->origin = SY_ORIGIN_LAW;
    else if (sy_p_take(p, SY_KW_POLICY))
        n->origin = SY_ORIGIN_POLICY;
    else if (!sy_p_take(p, SY_KW_TUNABLE))
        return sy_p_expected(p, "'law', 'policy' or 'tunable'", "“法定”、“裁量”或“可调”");
    else if (!tunable(p, n))
        return false;
    return sy_p_need_sign(p, ']');
}

void sy_p_spread_mark(const sy_list *nums)
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

bool sy_p_literal(sy_parser *p, const sy_num **out)
{
    sy_num *n = sy_p_get(p, sizeof *n);
    if (!n || !sy_p_amount(p, n) || !sy_p_marks(p, n))
        return false;
    *out = n;
    return true;
}

static bool own_name(sy_parser *p, sy_value *out, bool limit)
{
    const char *words[SY_MAX_LOCALS];
    size_t n = 0;
    sy_draft *d = p->draft;
    sy_local *own = sy_p_local(p);
    if (own && own->let && !limit)
        return sy_p_fail(p, "wrong-kind", sy_p_pos(p),
                         "'%1' is a name of 'let': here stands a number or a name of 'set'",
                         "“%1”是“令”的名称：此处应为数或“设”的名称", NULL, p->tok.text,
                         p->tok.text);
    if (own && !own->open) {
        out->set = own->set;
        out->let = own->let;
        if (own->set)
            own->set->used = true;
        if (own->let)
            own->let->used = true;
        sy_p_next(p);
        return true;
    }
    for (size_t i = 0; d && i < d->n_locals; i++) {
        words[n] = sy_arena_text(p->arena, d->names[i]);
        n += words[n] != NULL;
    }
    return sy_p_fail(p, "unknown-name", sy_p_pos(p),
                     "unknown name '%1': a number, or a name that 'set' has declared before",
                     "未知名称“%1”：应为数，或前文以“设”声明的名称",
                     sy_nearest(p->tok.text, words, n), p->tok.text, p->tok.text);
}

static bool value(sy_parser *p, sy_value *out, bool limit)
{
    *out = (sy_value){.pos = sy_p_pos(p)};
    if ((p->tok.kind == SY_T_WORD && !p->tok.kw) || p->tok.kind == SY_T_UNKNOWN)
        return own_name(p, out, limit);
    if (p->tok.kind != SY_T_NUM && !sy_p_sign(p, '-'))
        return sy_p_expected(p, "a number or a name of 'set'", "数或“设”的名称");
    bool ok = sy_p_literal(p, &out->num);
    out->pos = sy_p_to(p, out->pos);
    return ok;
}

bool sy_p_value(sy_parser *p, sy_value *out)
{
    return value(p, out, false);
}

bool sy_p_limit(sy_parser *p, sy_value *out)
{
    return value(p, out, true);
}

bool sy_p_share_mark(sy_parser *p, sy_value *a, const sy_value *b, bool unit)
{
    if (!a->num || !b->num)
        return true;
    sy_num *n = sy_p_get(p, sizeof *n);
    if (!n)
        return false;
    *n = *a->num;
    if (!n->unit && unit)
        n->unit = b->num->unit;
    if (n->origin == SY_ORIGIN_NONE) {
        n->origin = b->num->origin;
        n->tune_lo = b->num->tune_lo;
        n->tune_hi = b->num->tune_hi;
    }
    a->num = n;
    return true;
}

bool sy_p_range(sy_parser *p, sy_value *a, sy_value *b)
{
    if (!sy_p_limit(p, a))
        return false;
    if (sy_p_sign(p, '-'))
        return sy_p_fail(p, "dash", sy_p_pos(p), "write 2 to 8 or 2～8, not 2 - 8",
                         "请写作 2至8 或 2～8，而非 2 - 8", NULL, p->tok.text, p->tok.text);
    return sy_p_need(p, SY_KW_TO) && sy_p_limit(p, b) && sy_p_share_mark(p, a, b, true);
}

bool sy_p_date(sy_parser *p, sy_date *out)
{
    if (p->tok.kind != SY_T_DATE)
        return sy_p_expected(p, "a date such as 2026-01-01", "日期，如 2026-01-01");
    *out = p->tok.date;
    if (out->year < 1970 || !sy_date_valid(out->year, out->month, out->day))
        return sy_p_fail(p, "bad-date", sy_p_pos(p), "there is no such date: '%1'",
                         "没有这一天：“%1”", NULL, p->tok.text, p->tok.text);
    sy_p_next(p);
    return true;
}
