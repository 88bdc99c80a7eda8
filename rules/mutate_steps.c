/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is changed: one pass over the tokens of a rule, each looked at with its neighbours. No
 * grammar here: a change that makes no sentence is refused when it is loaded.
 */
#include "rules/mutate_int.h"

static bool is_kw(const sy_mutate *m, size_t k, sy_kw kw)
{
    return k < m->n && m->t[k].kind == SY_T_WORD && m->t[k].kw == kw;
}

static bool is_sign(const sy_mutate *m, size_t k, char c)
{
    return k < m->n && m->t[k].kind == SY_T_SIGN && m->t[k].sign == c;
}

static sy_kw kw_of(const sy_mutate *m, size_t k)
{
    return k < m->n && m->t[k].kind == SY_T_WORD ? m->t[k].kw : SY_KW_NONE;
}

/* The text between blanks, so that it stays a token of its own, in the arena. */
static const char *parted(sy_mutate *m, sy_span s)
{
    char *p = sy_arena_get(m->arena, s.n + 3);
    if (!p)
        return NULL;
    p[0] = p[s.n + 1] = ' ';
    if (s.n)
        memcpy(p + 1, s.p, s.n);
    return p;
}

static sy_mutant_edit edit(sy_mutate *m, size_t a, size_t b, sy_span becomes)
{
    sy_pos pos = sy_norm_pos(&m->norm, m->t[a].from, m->t[b].to);
    const char *text = parted(m, becomes);
    m->nomem |= !text;
    return (sy_mutant_edit){pos.at, pos.len, text};
}

static sy_mutant *add(sy_mutate *m)
{
    if (m->n_v == m->cap_v) {
        size_t cap = m->cap_v ? 2 * m->cap_v : 64;
        sy_mutant *v = sy_arena_get(m->arena, cap * sizeof *v);
        if (!v) {
            m->nomem = true;
            return NULL;
        }
        if (m->n_v)
            memcpy(v, m->v, m->n_v * sizeof *v);
        m->v = v;
        m->cap_v = cap;
    }
    return &m->v[m->n_v++];
}

/* Tokens a to b become a text; nothing of it: they are dropped. */
static void replace(sy_mutate *m, size_t a, size_t b, sy_span becomes)
{
    sy_mutant *x = add(m);
    if (!x)
        return;
    x->pos = sy_norm_pos(&m->norm, m->t[a].from, m->t[b].to);
    x->was = sy_arena_text(m->arena, (sy_span){x->pos.source->text.p + x->pos.at, x->pos.len});
    x->is = sy_arena_text(m->arena, becomes);
    x->e[0] = edit(m, a, b, becomes);
    x->n_e = 1;
    m->nomem |= !x->was || !x->is;
}

static void drop(sy_mutate *m, size_t a, size_t b)
{
    replace(m, a, b, (sy_span){"", 0});
}

static sy_lang language(const sy_token *t)
{
    return sy_text_letter(t->text.p[0]) ? SY_EN : SY_ZH;
}

static void swap_kw(sy_mutate *m, size_t k, sy_kw other)
{
    replace(m, k, k, sy_keyword_text(other, language(&m->t[k])));
}

/* The last token of the value that begins at k: a name, or a number with its unit and mark. */
static size_t value_end(const sy_mutate *m, size_t k)
{
    k += is_sign(m, k, '-');
    if (k >= m->n || m->t[k].kind != SY_T_NUM)
        return k;
    if (k + 1 < m->n && m->t[k + 1].kind == SY_T_WORD && m->t[k + 1].unit)
        k++;
    if (is_sign(m, k + 1, '['))
        for (k++; k + 1 < m->n && !is_sign(m, k, ']');)
            k++;
    return k;
}

/* One step of the last digit, as digits; down from 0 gives a negative number. */
static void number(sy_mutate *m, size_t k)
{
    char b[48];
    sy_span s = m->t[k].text;
    if (s.n > sizeof b - 4)
        return;
    for (int up = 1; up >= 0; up--) {
        size_t i = s.n + 2, zeros = 0;
        bool none = true;
        b[0] = b[1] = '0';
        memcpy(b + 2, s.p, s.n);
        for (size_t q = 2; q < i; q++)
            none = none && (b[q] == '0' || b[q] == '.');
        bool negative = none && !up;
        if (negative && k > 0 && is_sign(m, k - 1, '-'))
            continue;
        for (bool more = true; more && i-- > 1;) {
            if (b[i] == '.')
                continue;
            bool add_one = up || negative;
            more = b[i] == (add_one ? '9' : '0');
            b[i] = (char)(add_one ? (more ? '0' : b[i] + 1) : (more ? '9' : b[i] - 1));
        }
        while (zeros < s.n + 1 && b[zeros] == '0' && sy_text_digit(b[zeros + 1]))
            zeros++;
        if (negative)
            b[--zeros] = '-'; /* two zeros stand in front */
        replace(m, k, k, (sy_span){b + zeros, s.n + 2 - zeros});
    }
}

static void two_digits(char *p, int v)
{
    p[0] = (char)('0' + v / 10 % 10);
    p[1] = (char)('0' + v % 10);
}

static void date(sy_mutate *m, size_t k)
{
    for (int step = 1; step >= -1; step -= 2) {
        char b[10] = "0000-00-00";
        sy_date d = sy_date_of(sy_days_of(m->t[k].date) + step);
        two_digits(b, d.year / 100);
        two_digits(b + 2, d.year % 100);
        two_digits(b + 5, d.month);
        two_digits(b + 8, d.day);
        replace(m, k, k, (sy_span){b, sizeof b});
    }
}

/* A number of a sentence's frame, not of a condition: "each at most", "valid at least". */
static bool framed(const sy_mutate *m, size_t k)
{
    sy_kw before = k > 0 ? kw_of(m, k - 1) : SY_KW_NONE;
    return before == SY_KW_EACH || before == SY_KW_DAILY || before == SY_KW_COUNTED ||
           before == SY_KW_VALID || before == SY_KW_OPENS || before == SY_KW_APART;
}

static bool after_share(const sy_mutate *m, size_t k)
{
    return (k > 0 && kw_of(m, k - 1) == SY_KW_SHARE) || (k > 1 && kw_of(m, k - 2) == SY_KW_SHARE);
}

static void comparison(sy_mutate *m, size_t k, sy_kw nearly, sy_kw opposite)
{
    if (framed(m, k))
        return;
    bool exposure = k > 0 && kw_of(m, k - 1) == SY_KW_EXPOSURE;
    if (nearly && !exposure)
        swap_kw(m, k, nearly);
    if (opposite && !after_share(m, k))
        swap_kw(m, k, opposite);
}

static void level(sy_mutate *m, size_t k)
{
    sy_kw l = m->t[k].kw;
    if (l > SY_KW_NOTICE)
        swap_kw(m, k, l - 1);
    if (l < SY_KW_MAJOR)
        swap_kw(m, k, l + 1);
}

/* STATE [is] VALUE: every other value. */
static void state(sy_mutate *m, size_t k)
{
    const sy_word *w = m->t[k].word;
    size_t v = k + 1 + is_kw(m, k + 1, SY_KW_IS);
    int have = v < m->n && m->t[v].kind == SY_T_WORD ? sy_word_value_find(w, m->t[v].text) : -1;
    for (int q = 0; have >= 0 && q < (int)w->n_values; q++)
        if (q != have)
            replace(m, v, v,
                    sy_span_of(language(&m->t[v]) == SY_ZH ? w->values[q].zh : w->values[q].id));
}

static bool same_literal(const sy_mutate *m, size_t a, size_t a_end, size_t b, size_t b_end)
{
    if (a_end - a != b_end - b)
        return false;
    for (size_t k = 0; k <= a_end - a; k++)
        if (!sy_span_eq(m->t[a + k].text, m->t[b + k].text))
            return false;
    return true;
}

/* The last token of a literal without its mark, which is the same for all rows or of one. */
static size_t literal_end(const sy_mutate *m, size_t k)
{
    k += is_sign(m, k, '-');
    return k + 1 < m->n && m->t[k + 1].kind == SY_T_WORD && m->t[k + 1].unit ? k + 1 : k;
}

static char *both(sy_mutate *m, sy_span a, sy_span b)
{
    static const char mid[] = " … ";
    size_t n = sizeof mid - 1;
    char *p = sy_arena_get(m->arena, a.n + n + b.n + 1);
    if (!p)
        return NULL;
    memcpy(p, a.p, a.n);
    memcpy(p + a.n, mid, n);
    memcpy(p + a.n + n, b.p, b.n);
    return p;
}

/* Two tokens change places. */
static void exchange(sy_mutate *m, size_t a, size_t b)
{
    sy_mutant *x = add(m);
    sy_span p = m->t[a].text, q = m->t[b].text;
    if (!x)
        return;
    x->pos = sy_norm_pos(&m->norm, m->t[a].from, m->t[a].to);
    x->was = both(m, p, q);
    x->is = both(m, q, p);
    x->e[0] = edit(m, a, a, q);
    x->e[1] = edit(m, b, b, p);
    x->n_e = 2;
    m->nomem |= !x->was || !x->is;
}

/* by TIER : KEY literal ; KEY literal … : neighbouring keys change places. */
static void rows(sy_mutate *m, size_t by)
{
    size_t key = by + 3;
    while (is_sign(m, by + 2, ':') && key + 1 < m->n) {
        size_t next = value_end(m, key + 1) + 1;
        if (!is_sign(m, next, ';') || next + 2 >= m->n)
            return;
        next++;
        if (!same_literal(m, key + 1, literal_end(m, key + 1), next + 1,
                          literal_end(m, next + 1))) {
            exchange(m, key, next);
        }
        key = next;
    }
}

static void hold(sy_mutate *m, size_t k)
{
    size_t end = value_end(m, k + 1);
    if (m->t[k].kw == SY_KW_CUMULATIVE && is_kw(m, end + 1, SY_KW_IN_ANY))
        end = value_end(m, end + 2);
    if (end < m->n)
        drop(m, k, end);
}

/* From here to the keyword that ends it. */
static void drop_to(sy_mutate *m, size_t k, sy_kw last)
{
    size_t end = k;
    while (end < m->n && !is_kw(m, end, last))
        end++;
    if (end < m->n)
        drop(m, k, end);
}

static void swap(sy_mutate *m, size_t k)
{
    static const sy_kw pairs[][2] = {{SY_KW_AND, SY_KW_OR},
                                     {SY_KW_ANY_OF, SY_KW_ALL_OF},
                                     {SY_KW_OUTSIDE, SY_KW_WITHIN},
                                     {SY_KW_FOLLOWED_BY, SY_KW_NOT_FOLLOWED_BY},
                                     {SY_KW_HOURLY_MEAN, SY_KW_DAILY_MEAN},
                                     {SY_KW_HIGHEST, SY_KW_LOWEST}};
    for (size_t q = 0; q < sizeof pairs / sizeof *pairs; q++)
        for (int side = 0; side < 2; side++)
            if (m->t[k].kw == pairs[q][side])
                swap_kw(m, k, pairs[q][!side]);
}

static void keyword(sy_mutate *m, size_t k)
{
    sy_kw kw = m->t[k].kw;
    if (kw == SY_KW_ABOVE)
        comparison(m, k, SY_KW_AT_LEAST, SY_KW_BELOW);
    else if (kw == SY_KW_BELOW)
        comparison(m, k, SY_KW_AT_MOST, SY_KW_ABOVE);
    else if (kw == SY_KW_AT_LEAST)
        comparison(m, k, SY_KW_ABOVE, SY_KW_AT_MOST);
    else if (kw == SY_KW_AT_MOST)
        comparison(m, k, SY_KW_BELOW, SY_KW_AT_LEAST);
    else if (kw >= SY_KW_NOTICE && kw <= SY_KW_MAJOR)
        level(m, k);
    else if (kw == SY_KW_NOT || kw == SY_KW_BEYOND_DOUBT || kw == SY_KW_OTHERS_MOVE)
        drop(m, k, k);
    else if (kw == SY_KW_FOR || kw == SY_KW_CUMULATIVE)
        hold(m, k);
    else if (kw == SY_KW_DURING && k + 1 < m->n)
        drop(m, k, k + 1);
    else if (kw == SY_KW_EXCEPT_WHILE)
        drop_to(m, k, SY_KW_TIMES);
    else if (kw == SY_KW_IN)
        drop_to(m, k, SY_KW_READINGS);
    else if (kw == SY_KW_BY)
        rows(m, k);
    else
        swap(m, k);
}

/* A tuned number may lie beyond its bounds here: "[tunable …]" is written as "[policy]", which is
 * never longer, so that every place stays. */
static void unbound(sy_mutate *m, size_t open)
{
    static const char policy[] = "[policy]";
    size_t close = open;
    while (close < m->n && !is_sign(m, close, ']'))
        close++;
    if (!is_kw(m, open + 1, SY_KW_TUNABLE) || close == m->n)
        return;
    sy_pos pos = sy_norm_pos(&m->norm, m->t[open].from, m->t[close].to);
    memset(m->text + (pos.at - m->begin), ' ', pos.len);
    memcpy(m->text + (pos.at - m->begin), policy, sizeof policy - 1);
}

static bool judged(sy_kw clause)
{
    return clause == SY_KW_MISSING_AFTER || clause == SY_KW_SET || clause == SY_KW_LET ||
           clause == SY_KW_COUNT || clause == SY_KW_ALERT || clause == SY_KW_CLEAR ||
           clause == SY_KW_ESCALATE;
}

void sy_mutate__steps(sy_mutate *m)
{
    sy_kw clause = SY_KW_NONE;
    bool marked = false;
    for (size_t k = 0; k < m->n && !m->nomem; k++) {
        const sy_token *t = &m->t[k];
        if (t->kind == SY_T_WORD && (sy_keywords[t->kw].flags & SY_KW_HEAD))
            clause = t->kw;
        if (is_sign(m, k, '['))
            unbound(m, k);
        marked = is_sign(m, k, '[') || (marked && !is_sign(m, k, ']'));
        if (marked || !judged(clause))
            continue;
        if (t->kind == SY_T_NUM)
            number(m, k);
        else if (t->kind == SY_T_DATE && clause == SY_KW_SET)
            date(m, k);
        else if (t->kind == SY_T_WORD && t->kw)
            keyword(m, k);
        else if (t->kind == SY_T_WORD && t->word && t->word->kind == SY_W_STATE)
            state(m, k);
    }
}
