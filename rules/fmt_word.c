/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second pass of the formatter: the order of the language, the words, the blanks. An aggregate
 * stands before its quantity in English and after it in Chinese; "beyond doubt" after its limit and
 * before its comparison. Chinese has blanks only where the example rules have them, and where two
 * pieces would else be read as one.
 */
#include "rules/fmt_int.h"

static bool is_kw(const sy_fmt_piece *p, sy_kw k)
{
    return p->role == SY_F_KW && p->kw == k;
}

static bool is_sign(const sy_fmt_piece *p, const char *any)
{
    return p->role == SY_F_SIGN && sy_text_find(any, strlen(any), p->sign) != NULL;
}

static bool is_name(const sy_fmt_piece *p)
{
    return p->role == SY_F_NAME || (p->role == SY_F_ASIS && !p->declared);
}

static bool is_agg(const sy_fmt_piece *p)
{
    return p->role == SY_F_KW && (sy_keywords[p->kw].flags & SY_KW_AGG);
}

static bool is_comparison(const sy_fmt_piece *p)
{
    return p->role == SY_F_KW && p->kw >= SY_KW_ABOVE && p->kw <= SY_KW_WITHIN;
}

typedef struct order {
    sy_fmt_piece *v; /* room for twice what came in */
    size_t n;
    sy_lang lang;
} order;

static void put(order *o, const sy_fmt_piece *p)
{
    o->v[o->n++] = *p;
}

static void put_new(order *o, sy_fmt_role role, sy_kw kw, sy_kw clause)
{
    o->v[o->n++] = (sy_fmt_piece){.role = role, .kw = kw, .clause = clause};
}

/* The words of an aggregate or share that begin at p; 0: none do. A percentile has its number
 * before or behind. */
static size_t measure(const sy_fmt_piece *p)
{
    if (p[0].role == SY_F_NUM)
        return is_kw(&p[1], SY_KW_PERCENTILE) && p[1].line == SY_F_ON ? 2 : 0;
    if (is_kw(p, SY_KW_PERCENTILE))
        return p[1].role == SY_F_NUM ? 2 : 0;
    return is_agg(p) || is_kw(p, SY_KW_SHARE);
}

/* An aggregate or share and its name, in either order: the order of the language. 0: no such. */
static size_t put_pair(order *o, const sy_fmt_piece *p)
{
    size_t n = measure(p), first = 0;
    const sy_fmt_piece *name = p + n;
    if (is_name(p)) {
        n = p[1].line == SY_F_ON ? measure(p + 1) : 0;
        name = p;
        first = 1;
    }
    if (n == 0 || !is_name(name) || name[0].line != SY_F_ON)
        return 0;
    if (o->lang == SY_ZH)
        put(o, name);
    if (o->lang == SY_ZH && !is_kw(&p[first], SY_KW_SHARE))
        put_new(o, SY_F_KW, SY_KW_OF, p->clause);
    bool turned = n == 2 && (p[first].role == SY_F_NUM) != (o->lang == SY_ZH);
    for (size_t i = 0; i < n; i++)
        put(o, &p[first + (turned ? n - 1 - i : i)]);
    if (o->lang == SY_EN) {
        put_new(o, SY_F_KW, SY_KW_OF, p->clause);
        put(o, name);
    }
    return n + 1;
}

/* day N, with 日 after it in Chinese */
static size_t put_day(order *o, const sy_fmt_piece *p)
{
    bool unit = p[2].role == SY_F_UNIT;
    put(o, &p[0]);
    put(o, &p[1]);
    if (unit && (o->lang == SY_ZH || p[2].n_comments > 0)) {
        put(o, &p[2]);
    } else if (o->lang == SY_ZH) {
        put_new(o, SY_F_UNIT, SY_KW_NONE, p->clause);
        o->v[o->n - 1].unit = sy_unit_by_id("d");
    }
    return 2 + unit;
}

/* The pieces of a value at p: a name, or a number with unit and mark. */
static size_t value(const sy_fmt_piece *p)
{
    size_t n = is_sign(p, "-") && p->unary;
    if (is_name(p))
        return 1;
    if (p[n].role != SY_F_NUM)
        return 0;
    for (n++; p[n].role == SY_F_UNIT || p[n].glued;)
        n++;
    if (is_sign(&p[n], "["))
        while (p[n].role != SY_F_END && !is_sign(&p[n++], "]"))
            continue;
    return n;
}

/* "within 10 min" of a time, 在10分钟内; not "within 2 to 8". 0: no such. */
static size_t put_in_time(order *o, const sy_fmt_piece *p)
{
    bool en = is_kw(p, SY_KW_WITHIN);
    size_t n = en || is_kw(p, SY_KW_AT) ? value(p + 1) : 0;
    const sy_fmt_piece *next = p + 1 + n;
    bool here = n > 0 && (en ? !is_kw(next, SY_KW_TO) : is_kw(next, SY_KW_INSIDE));
    if (!here || en == (o->lang == SY_EN) || (!en && next->n_comments > 0))
        return 0;
    put(o, p);
    o->v[o->n - 1].kw = en ? SY_KW_AT : SY_KW_WITHIN;
    for (size_t i = 0; i < n; i++)
        put(o, &p[1 + i]);
    if (en)
        put_new(o, SY_F_KW, SY_KW_INSIDE, p->clause);
    return 1 + n + !en;
}

/* in 3 of 5 readings, 达到3/5次读数. 0: no such. */
static size_t put_readings(order *o, const sy_fmt_piece *p)
{
    size_t m = 2 + is_sign(&p[2], "/");
    if (!is_kw(p, SY_KW_IN) || p[1].role != SY_F_NUM || p[m].role != SY_F_NUM ||
        (m == 3 && p[2].n_comments > 0) || p[m].n_comments > 0)
        return 0;
    put(o, &p[0]);
    put(o, &p[1]);
    put_new(o, o->lang == SY_EN ? SY_F_KW : SY_F_SIGN, SY_KW_OF, p->clause);
    o->v[o->n - 1].glued = o->lang == SY_ZH;
    o->v[o->n - 1].sign = '/';
    o->v[o->n - 1].text = (sy_span){"/", 1};
    put(o, &p[m]);
    o->v[o->n - 1].glued = o->lang == SY_ZH;
    return m + 1;
}

/* The pieces of a comparison and its limits, from p. */
static size_t limits(const sy_fmt_piece *p)
{
    size_t n = 1;
    while (p[n].role != SY_F_END && p[n].line == SY_F_ON && !(is_sign(&p[n], ",;)")) &&
           (p[n].role != SY_F_KW || p[n].marked || is_kw(&p[n], SY_KW_TO)))
        n++;
    return n;
}

static size_t put_doubt(order *o, const sy_fmt_piece *p)
{
    if (is_comparison(&p[1])) {
        size_t n = o->lang == SY_EN ? limits(p + 1) : 0;
        for (size_t i = 0; i < n; i++)
            put(o, &p[1 + i]);
        put(o, &p[0]);
        return 1 + n;
    }
    size_t to = o->n;
    for (size_t i = o->n; o->lang == SY_ZH && i > 0 && o->v[i].line == SY_F_ON; i--)
        if (is_comparison(&o->v[i - 1])) {
            to = i - 1;
            break;
        }
    memmove(&o->v[to + 1], &o->v[to], (o->n - to) * sizeof *o->v);
    o->v[to] = *p;
    o->n++;
    return 1;
}

static bool counts_points(const sy_fmt_piece *p)
{
    return p->role == SY_F_UNIT && sy_span_is(sy_span_of(p->unit->id), "count");
}

/* 2 of temperature, 2个温度; table of humidity. 0: no such. */
static size_t put_of(order *o, const sy_fmt_piece *p)
{
    bool unit = p->role == SY_F_NUM && counts_points(&p[1]) && p[1].n_comments == 0;
    size_t n = unit ? 2 : 1;
    if ((p->role != SY_F_NUM && !is_kw(p, SY_KW_TABLE)) || !is_name(&p[n]) || p[n].line != SY_F_ON)
        return 0;
    put(o, p);
    if (o->lang == SY_EN) {
        put_new(o, SY_F_KW, SY_KW_OF, p->clause);
    } else if (p->role == SY_F_NUM) {
        put_new(o, SY_F_UNIT, SY_KW_NONE, p->clause);
        o->v[o->n - 1].unit = sy_unit_by_id("count");
    }
    return n;
}

/* One phrase from p on; how many pieces it was. */
static size_t put_phrase(order *o, const sy_fmt_piece *p)
{
    size_t n = put_pair(o, p);
    n = n ? n : put_in_time(o, p);
    n = n ? n : put_readings(o, p);
    n = n ? n : put_of(o, p);
    if (n)
        return n;
    if (is_kw(p, SY_KW_DAY) && p[1].role == SY_F_NUM)
        return put_day(o, p);
    if (is_kw(p, SY_KW_BEYOND_DOUBT))
        return put_doubt(o, p);
    put(o, p);
    return 1;
}

sy_err sy_fmt__arrange(sy_fmt_text *t)
{
    /* No phrase grows by more than a piece for each that it has. */
    order o = {sy_arena_get(t->arena, (2 * t->n + 1) * sizeof *o.v), 0, t->lang};
    if (!o.v)
        return SY_E_NOMEM;
    for (size_t i = 0; i < t->n;)
        i += put_phrase(&o, &t->v[i]);
    t->v = o.v;
    t->n = o.n;
    return SY_OK;
}

/* Spelling number `n` of a Chinese column. */
static sy_span spelling(sy_kw k, size_t n)
{
    const char *p = sy_keywords[k].zh;
    size_t len = 0;
    for (; n > 0 && *p; p++)
        n -= *p == '|';
    while (p[len] && p[len] != '|')
        len++;
    return (sy_span){p, len};
}

static sy_span chinese(const sy_fmt_text *t, size_t i)
{
    const sy_fmt_piece *p = &t->v[i], *before = i > 0 ? p - 1 : p, *after = p + 1;
    switch ((int)p->kw) {
    case SY_KW_EACH: /* 每次 */
        return spelling(p->kw, is_kw(after, SY_KW_AT_MOST));
    case SY_KW_AT_LEAST: /* 不少于 */
        return spelling(p->kw, is_kw(before, SY_KW_COUNTED) || is_kw(before, SY_KW_OPENS));
    case SY_KW_AT_MOST: /* 至多 of exemptions, 不高于 of limits */
        return spelling(p->kw, !is_kw(before, SY_KW_EACH) && !is_kw(before, SY_KW_DAILY));
    default:
        return spelling(p->kw, 0);
    }
}

static sy_span sign_text(const sy_fmt_text *t, const sy_fmt_piece *p)
{
    static const struct {
        const char *en, *zh;
    } signs[] = {{":", "："}, {";", "；"}, {"(", "（"}, {")", "）"}, {"[", "【"}, {"]", "】"}};
    bool list =
        p->clause == SY_KW_WATCH || p->clause == SY_KW_APPLIES_TO || p->clause == SY_KW_THEN;
    if (p->glued && p->sign == '*')
        return sy_span_of("·");
    if (t->lang == SY_EN || p->glued)
        return p->text;
    if (p->sign == ',')
        return sy_span_of(list ? "、" : "，");
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (p->sign == signs[i].en[0])
            return sy_span_of(signs[i].zh);
    return p->text;
}

sy_span sy_fmt__text(const sy_fmt_text *t, size_t i)
{
    const sy_fmt_piece *p = &t->v[i];
    bool zh = t->lang == SY_ZH;
    switch (p->role) {
    case SY_F_KW:
        return zh ? chinese(t, i) : sy_span_of(sy_keywords[p->kw].en);
    case SY_F_NAME:
        return sy_span_of(zh && p->word->n_zh ? p->word->zh[0] : p->word->id);
    case SY_F_VALUE:
        return sy_span_of(zh ? p->word->values[p->value].zh : p->word->values[p->value].id);
    case SY_F_UNIT:
        return sy_span_of(zh ? p->unit->zh : p->unit->en);
    case SY_F_SIGN:
        return sign_text(t, p);
    case SY_F_END:
    case SY_F_ASIS:
    case SY_F_NUM:
    case SY_F_TIME:
    case SY_F_STRING:
        break;
    }
    return p->text;
}

/* Which Chinese keywords stand apart from what comes before and after them. */
enum { BEFORE = 1, AFTER = 2, BOTH = 3 };
static unsigned apart(const sy_fmt_piece *a, const sy_fmt_piece *p, const sy_fmt_piece *b)
{
    static const unsigned char table[SY_KW_COUNT_ALL] = {
        [SY_KW_RULE] = AFTER,       [SY_KW_SCENARIO] = AFTER,   [SY_KW_TUNE] = AFTER,
        [SY_KW_VERSION] = BOTH,     [SY_KW_BASIS] = AFTER,      [SY_KW_CLAUSE] = BOTH,
        [SY_KW_VERIFY] = BOTH,      [SY_KW_LAW] = BEFORE,       [SY_KW_POLICY] = BEFORE,
        [SY_KW_TUNABLE] = AFTER,    [SY_KW_APPLIES_TO] = AFTER, [SY_KW_SUBJECT] = AFTER,
        [SY_KW_GOODS] = AFTER,      [SY_KW_STAGE] = AFTER,      [SY_KW_EFFECTIVE] = AFTER,
        [SY_KW_MODE_TRIAL] = AFTER, [SY_KW_FROM] = BOTH,        [SY_KW_SET] = AFTER,
        [SY_KW_BY] = BEFORE,        [SY_KW_OTHERWISE] = AFTER,  [SY_KW_LET] = AFTER,
        [SY_KW_COUNT] = AFTER,      [SY_KW_ONLY_WHEN] = BEFORE, [SY_KW_ALERT] = BOTH,
        [SY_KW_WHEN] = BEFORE,      [SY_KW_CLEAR] = BOTH,       [SY_KW_ESCALATE] = AFTER,
        [SY_KW_THEN] = AFTER,       [SY_KW_SAY] = AFTER,        [SY_KW_EXCEPT_WHILE] = AFTER,
        [SY_KW_TESTS] = BOTH,       [SY_KW_GIVEN] = AFTER,      [SY_KW_AT] = BOTH,
        [SY_KW_EXPECT] = AFTER,     [SY_KW_NO_ALERT] = BOTH,    [SY_KW_UNTIL] = BOTH,
        [SY_KW_REASON] = BOTH,
    };
    if (p->role != SY_F_KW)
        return 0;
    switch ((int)p->kw) {
    case SY_KW_NOTICE:
    case SY_KW_WARNING:
    case SY_KW_SERIOUS:
    case SY_KW_MAJOR:
        return is_kw(b, SY_KW_LASTS) ? 0 : AFTER;
    case SY_KW_TO:
        return p->marked || a->role == SY_F_TIME || is_kw(a, SY_KW_ESCALATE) ? BOTH : 0;
    case SY_KW_EVERY: /* 每隔1分钟 of a step, 每隔 5分钟 of what is given */
        return p->clause == SY_KW_GIVEN ? BOTH : BEFORE;
    case SY_KW_AT: /* 在10分钟内 of a condition */
        return sy_keywords[p->clause].flags & SY_KW_HEAD ? 0 : BOTH;
    case SY_KW_DAILY:
        return p->clause == SY_KW_COUNT ? BOTH : 0;
    default:
        return table[p->kw];
    }
}

static bool ascii_word(char c)
{
    return sy_text_alnum(c) || c == '%' || c == '-' || c == '/' || c == '.';
}

/* Two pieces that begin and end as Latin words or numbers must not touch. */
static bool would_join(sy_span a, sy_span b)
{
    char last = a.n ? a.p[a.n - 1] : ' ', first = b.n ? b.p[0] : ' ';
    bool degree = a.n > 1 && memcmp(a.p + a.n - 2, "°", 2) == 0;
    return (ascii_word(last) || degree) && ascii_word(first);
}

static sy_span joined(const sy_fmt_text *t, size_t i, char *to, size_t cap)
{
    sy_span s = {to, 0};
    for (size_t k = i; k < t->n && t->v[k].role != SY_F_STRING && s.n < cap; k++) {
        sy_span w = sy_fmt__text(t, k);
        size_t n = w.n < cap - s.n ? w.n : cap - s.n;
        if (n == 0)
            break; /* the end */
        memcpy(to + s.n, w.p, n);
        s.n += n;
    }
    return s;
}

/* Whether the longest match would read on beyond piece i. */
static bool swallows(const sy_fmt_text *t, size_t i)
{
    char buf[128];
    const sy_fmt_piece *p = &t->v[i];
    sy_span own = sy_fmt__text(t, i);
    if (p->role == SY_F_NUM || p->role == SY_F_TIME || p->role == SY_F_STRING ||
        p->role == SY_F_SIGN)
        return false;
    const sy_entry *e = sy_lexicon_longest(t->lexicon, joined(t, i, buf, sizeof buf));
    return e && e->text.n > own.n;
}

static bool blank_zh(const sy_fmt_text *t, size_t i)
{
    const sy_fmt_piece *a = &t->v[i], *b = a + 1;
    const sy_fmt_piece *before = i > 0 ? a - 1 : a, *after = i + 2 < t->n ? b + 1 : b;
    if (is_sign(a, "=+*/") || is_sign(b, "=+*/") || (is_sign(b, "-") && !b->unary) ||
        (is_sign(a, "-") && !a->unary))
        return true;
    if (is_sign(b, ",;:)]([") || is_sign(a, "([,;:)]"))
        return false;
    if (a->role == SY_F_STRING || b->role == SY_F_STRING || a->role == SY_F_TIME ||
        b->role == SY_F_TIME || a->declared)
        return true;
    if ((apart(before, a, b) & AFTER) || (apart(a, b, after) & BEFORE))
        return true;
    if (a->role == SY_F_NUM && is_name(b))
        return true;
    if (b->role == SY_F_NUM && (a->role == SY_F_VALUE || a->role == SY_F_UNIT || is_sign(a, "]")))
        return true; /* A 60分钟 */
    if (a->role == SY_F_NUM && b->role == SY_F_UNIT)
        return false;
    return would_join(sy_fmt__text(t, i), sy_fmt__text(t, i + 1)) || swallows(t, i);
}

bool sy_fmt__blank(const sy_fmt_text *t, size_t i)
{
    const sy_fmt_piece *a = &t->v[i], *b = a + 1;
    if (b->glued || (is_sign(a, "-") && a->unary))
        return false;
    if (t->lang == SY_ZH)
        return blank_zh(t, i);
    return !is_sign(b, ",;:)]") && !is_sign(a, "([");
}
