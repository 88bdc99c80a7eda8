/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lexer. It knows no grammar: a word carries all that it may be (keyword, unit, name), and the
 * parser takes the reading that it expects. Locals are names of set in the rule that is being read;
 * they join the longest match.
 */
#include "rules/lex.h"

#include "base/utf8.h"

static sy_span rest(const sy_lexer *l, size_t at)
{
    return (sy_span){l->norm.p + at, l->norm.n - at};
}

/* 10^k for k from 0 to 22: all exact, so that mant / 10^k is correctly rounded. */
static double power10(int32_t k)
{
    double p = 1;
    while (k-- > 0)
        p *= 10;
    return p;
}

bool sy_num_of(sy_span digits, bool negative, sy_num *out)
{
    int64_t mant = 0;
    int32_t exp10 = 0, significant = 0;
    bool fraction = false;
    if (digits.n > 40)
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] == '.') {
            fraction = true;
            continue;
        }
        if (significant > 0 || digits.p[i] != '0')
            significant++;
        if (significant > 18)
            return false;
        mant = mant * 10 + (digits.p[i] - '0');
        exp10 -= fraction;
    }
    while (mant != 0 && mant % 10 == 0) {
        mant /= 10;
        exp10++;
    }
    if (mant == 0)
        exp10 = 0;
    if (mant > 999999999999999 || exp10 < -22 || exp10 > 22)
        return false;
    out->mant = negative ? -mant : mant;
    out->exp10 = exp10;
    double v = (double)out->mant;
    out->value = exp10 < 0 ? v / power10(-exp10) : v * power10(exp10);
    return true;
}

static int digits_at(sy_span s, size_t from, size_t n)
{
    int v = 0;
    if (from + n > s.n)
        return -1;
    for (size_t i = from; i < from + n; i++) {
        if (!sy_text_digit(s.p[i]))
            return -1;
        v = v * 10 + (s.p[i] - '0');
    }
    return v;
}

static bool digit_at(sy_span s, size_t i)
{
    return i < s.n && sy_text_digit(s.p[i]);
}

/* yyyy-mm-dd, with nothing of a number behind it. */
static size_t date(sy_span s, sy_date *out)
{
    int y = digits_at(s, 0, 4), m = digits_at(s, 5, 2), d = digits_at(s, 8, 2);
    if (y < 0 || m < 0 || d < 0 || s.p[4] != '-' || s.p[7] != '-' || digit_at(s, 10))
        return 0;
    *out = (sy_date){y, (uint8_t)m, (uint8_t)d};
    return 10;
}

/* hh:mm or hh:mm:ss. A value beyond the clock is left to the parser: *out is negative. */
static size_t time_of_day(sy_span s, sy_ms *out)
{
    int h = digits_at(s, 0, 2), m = digits_at(s, 3, 2), sec = 0;
    size_t n = 5;
    if (h < 0 || m < 0 || s.p[2] != ':' || digit_at(s, 5))
        return 0;
    if (s.n > 5 && s.p[5] == ':' && digits_at(s, 6, 2) >= 0 && !digit_at(s, 8)) {
        sec = digits_at(s, 6, 2);
        n = 8;
    }
    *out = ((sy_ms)h * 3600 + m * 60 + sec) * 1000;
    if (h > 24 || m > 59 || sec > 59 || *out > (sy_ms)86400000)
        *out = -1;
    return n;
}

static void number(sy_lexer *l, sy_token *t)
{
    sy_span s = rest(l, t->from);
    size_t n = date(s, &t->date);
    t->kind = n ? SY_T_DATE : SY_T_TIME;
    if (!n)
        n = time_of_day(s, &t->time);
    if (!n) {
        t->kind = SY_T_NUM;
        while (digit_at(s, n))
            n++;
        if (n < s.n && s.p[n] == '.' && digit_at(s, n + 1))
            for (n++; digit_at(s, n);)
                n++;
        if (n < s.n && s.p[n] == '-' && digit_at(s, n + 1)) {
            t->kind = SY_T_DASHED;
            for (n++; digit_at(s, n) || (n < s.n && (s.p[n] == '-' || s.p[n] == '.'));)
                n++;
        }
    }
    t->to = t->from + n;
}

/* The length of the phrase `en` (words parted by one blank) at s, with any blanks between; 0: not.
 */
static size_t phrase(sy_span s, const char *en)
{
    size_t i = 0;
    for (; *en; en++) {
        if (*en == ' ') {
            if (i >= s.n || !sy_text_blank(s.p[i]))
                return 0;
            while (i < s.n && sy_text_blank(s.p[i]))
                i++;
        } else if (i >= s.n || s.p[i++] != *en) {
            return 0;
        }
    }
    return i < s.n && (sy_text_alnum(s.p[i]) || s.p[i] == '-') ? 0 : i;
}

/* A longer keyword of several English words that begins here. */
static void phrases(sy_lexer *l, sy_token *t)
{
    sy_span s = rest(l, t->from);
    for (sy_kw k = SY_KW_NONE + 1; k < SY_KW_COUNT_ALL; k++) {
        if (sy_keywords[k].en[0] != s.p[0])
            continue;
        size_t n = phrase(s, sy_keywords[k].en);
        if (n > t->to - t->from) {
            t->to = t->from + n;
            t->kw = k;
            t->unit = NULL;
            t->word = NULL;
            t->value = false;
        }
    }
}

static size_t latin(sy_span s)
{
    size_t n = 0;
    while (n < s.n && (sy_text_alnum(s.p[n]) || (n > 0 && s.p[n] == '-')))
        n++;
    return n;
}

/* The longest name of the rule's own that begins here. */
static size_t local(const sy_lexer *l, sy_span s)
{
    size_t most = 0;
    for (size_t i = 0; i < l->n_locals; i++) {
        sy_span n = l->locals[i];
        bool inside = n.n < s.n && sy_text_alnum(n.p[n.n - 1]) &&
                      (sy_text_alnum(s.p[n.n]) || s.p[n.n] == '-');
        if (n.n > most && n.n <= s.n && memcmp(n.p, s.p, n.n) == 0 && !inside)
            most = n.n;
    }
    return most;
}

/* What no lexicon knows: up to a blank, a sign, or a place where something of two characters or
 * more is known, so that the message quotes the whole of it. */
static size_t unknown(const sy_lexer *l, size_t from)
{
    size_t i = from;
    while (i < l->norm.n) {
        sy_span s = rest(l, i);
        uint32_t cp;
        size_t len = sy_utf8_next(s.p, s.n, &cp);
        bool sign = cp < 0x80 && !sy_text_alnum((char)cp) && cp != '-';
        const sy_entry *e = sign || i == from ? NULL : sy_lexicon_longest(l->lexicon, s);
        bool digit = (unsigned char)l->norm.p[from] >= 0x80 && sy_text_digit(s.p[0]);
        if (i > from && (sign || digit || (e && e->text.n > len) || local(l, s)))
            break;
        i += len ? len : 1;
        if (sign)
            break;
    }
    return i - from;
}

static void word(sy_lexer *l, sy_token *t)
{
    sy_span s = rest(l, t->from);
    const sy_entry *e = sy_lexicon_longest(l->lexicon, s);
    size_t run = latin(s), own = local(l, s), known = e ? e->text.n : 0;
    size_t n = known > run ? known : run;
    t->kind = SY_T_WORD;
    if (own > n)
        n = own;
    if (n == 0) {
        t->kind = SY_T_UNKNOWN;
        t->to = t->from + unknown(l, t->from);
        return;
    }
    t->to = t->from + n;
    if (known == n) {
        t->kw = e->kw;
        t->unit = e->unit;
        t->word = e->word;
        t->value = e->value;
    }
    if (run > 0)
        phrases(l, t);
}

static void string(sy_lexer *l, sy_token *t)
{
    const char *p = l->norm.p + t->from + 1;
    const char *end = sy_text_find(p, l->norm.n - t->from - 1, SY_TEXT_CLOSE);
    size_t n = end ? (size_t)(end - p) : 0;
    t->kind = SY_T_STRING;
    t->to = t->from + n + 2;
    t->text = (sy_span){p, n};
}

static bool is_sign(char c)
{
    return c != 0 && sy_text_find(":;,()[]=/+-*", 12, c) != NULL;
}

static sy_token next(sy_lexer *l)
{
    sy_token t = {.line = l->at == 0};
    while (l->at < l->norm.n && sy_text_blank(l->norm.p[l->at]))
        t.line |= l->norm.p[l->at++] == '\n';
    t.from = t.to = l->at;
    if (l->at >= l->norm.n)
        return t;
    char c = l->norm.p[l->at];
    const sy_entry *e = is_sign(c) ? sy_lexicon_longest(l->lexicon, rest(l, l->at)) : NULL;
    if (c == SY_TEXT_OPEN) {
        string(l, &t);
    } else if (sy_text_digit(c)) {
        number(l, &t);
    } else if (is_sign(c) && !e) {
        t.kind = SY_T_SIGN;
        t.sign = c;
        t.to = t.from + 1;
    } else {
        word(l, &t);
    }
    if (t.kind != SY_T_STRING)
        t.text = (sy_span){l->norm.p + t.from, t.to - t.from};
    l->at = t.to;
    return t;
}

sy_token sy_lex_next(sy_lexer *l)
{
    bool line = false;
    for (;;) {
        sy_token t = next(l);
        t.line |= line;
        if (t.kind != SY_T_WORD || t.kw != SY_KW_OF)
            return t;
        line = t.line;
    }
}

sy_token sy_lex_new_name(sy_lexer *l, const sy_token *first)
{
    sy_token t = {.kind = SY_T_WORD, .from = first->from, .line = first->line};
    size_t i = t.from;
    while (i < l->norm.n) {
        sy_span s = rest(l, i);
        uint32_t cp;
        size_t len = sy_utf8_next(s.p, s.n, &cp);
        bool stop = cp == 0x6309 || cp == 0x81ea; /* 按 自 */
        if (stop || len == 0 ||
            (cp < 0x80 ? !sy_text_alnum((char)cp) && cp != '-' : !sy_text_han(cp)))
            break;
        i += len;
    }
    t.to = i;
    t.text = (sy_span){l->norm.p + t.from, i - t.from};
    t.kw = sy_keyword_find(t.text);
    t.unit = sy_unit_find(t.text);
    l->at = i;
    return t;
}

bool sy_lex_is_unit(const sy_lexer *l, const sy_token *t)
{
    sy_lexer ahead = *l;
    if (t->kind != SY_T_WORD || !t->unit || !t->kw)
        return t->kind == SY_T_WORD && t->unit;
    sy_token next_one = sy_lex_next(&ahead);
    return next_one.kind != SY_T_WORD || next_one.kw;
}

void sy_lex_apart(sy_lexer *l, sy_token *t)
{
    if (t->kind != SY_T_WORD || t->text.p[0] != '/')
        return;
    *t = (sy_token){.kind = SY_T_SIGN,
                    .from = t->from,
                    .to = t->from + 1,
                    .text = {t->text.p, 1},
                    .line = t->line,
                    .sign = '/'};
    l->at = t->to;
}

sy_token sy_lex_id(sy_lexer *l, const sy_token *first)
{
    sy_token t = {.kind = SY_T_WORD, .from = first->from, .line = first->line};
    size_t i = t.from;
    while (i < l->norm.n && l->norm.p[i] != 0 &&
           (sy_text_alnum(l->norm.p[i]) || sy_text_find("-_./:", 5, l->norm.p[i])))
        i++;
    t.to = i;
    t.text = (sy_span){l->norm.p + t.from, i - t.from};
    l->at = i;
    return t;
}
