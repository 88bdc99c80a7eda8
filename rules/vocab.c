/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading vocabulary files: one entry a line (rules/vocab.h). Names join the longest match of the
 * lexer, so that a name is refused which would swallow a keyword.
 */
#include "rules/vocab.h"

#include "base/utf8.h"
#include "rules/lexicon.h"
#include "rules/text.h"

enum { MOST_WORDS = 10000, MOST_NAMES = 16, MOST_VALUES = 64, MOST_ID = 48, MOST_ZH = 60 };

typedef struct reader {
    sy_vocab *v;
    sy_diags *diags;
    const sy_norm *norm;
    size_t at, end; /* the line */
    sy_err err;     /* SY_E_NOMEM */
} reader;

static bool fail(reader *r, const char *code, sy_span what, const char *en, const char *zh,
                 const char *near)
{
    size_t from = what.p ? (size_t)(what.p - r->norm->p) : r->at;
    sy_pos pos = sy_norm_pos(r->norm, from, what.p ? from + what.n : from);
    sy_diag_say(r->diags, SY_DIAG_ERROR, code, pos, en, zh, near, (sy_span[SY_DIAG_ARGS]){what});
    return false;
}

static bool nomem(reader *r)
{
    r->err = SY_E_NOMEM;
    return false;
}

static sy_span trim(sy_span s)
{
    while (s.n > 0 && sy_text_blank(s.p[0]))
        s = (sy_span){s.p + 1, s.n - 1};
    while (s.n > 0 && sy_text_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* What stands before one of the `stops` or the end of the line, trimmed; the stop is passed. */
static sy_span field(reader *r, const char *stops, char *stop)
{
    size_t from = r->at;
    while (r->at < r->end && !sy_text_find(stops, strlen(stops), r->norm->p[r->at]))
        r->at++;
    sy_span s = {r->norm->p + from, r->at - from};
    *stop = r->at < r->end ? r->norm->p[r->at++] : 0;
    return trim(s);
}

static bool is_id(sy_span s)
{
    bool ok = s.n > 0 && s.n <= MOST_ID && sy_text_letter(s.p[0]);
    for (size_t i = 0; ok && i < s.n; i++)
        ok = sy_text_alnum(s.p[i]) || s.p[i] == '-';
    return ok;
}

static bool is_chinese(sy_span s)
{
    bool ok = s.n > 0 && s.n <= MOST_ZH && s.p[0] != '-' && s.p[0] != '.';
    for (size_t i = 0; ok && i < s.n;) {
        uint32_t cp;
        size_t n = sy_utf8_next(s.p + i, s.n - i, &cp);
        ok = n > 0 &&
             (cp < 0x80 ? sy_text_alnum((char)cp) || cp == '-' || cp == '.' : sy_text_han(cp));
        i += n;
    }
    uint32_t first = 0;
    if (ok && sy_utf8_next(s.p, s.n, &first) && sy_text_han(first))
        ok = !sy_text_digit(s.p[s.n - 1]);
    return ok;
}

/* A declared name followed by the head of a keyword would be read as one name. */
static bool swallows(const sy_vocab *v, sy_span s)
{
    for (size_t n = 1; n < s.n; n++)
        if (((unsigned char)s.p[n] & 0xc0) != 0x80 && sy_vocab_name(v, (sy_span){s.p, n}) &&
            sy_keyword_follows((sy_span){s.p + n, s.n - n}))
            return true;
    return false;
}

static bool new_name(reader *r, sy_span s, bool id)
{
    if (id ? !is_id(s) : !is_chinese(s))
        return fail(r, "bad-name", s,
                    id ? "'%1' is no name: letters, digits and '-', a letter first"
                       : "'%1' is no Chinese name: Han, letters and digits, no digit at its end",
                    id ? "“%1”不能作名称：须以字母开头，由字母、数字、“-”组成"
                       : "“%1”不能作名称：由汉字、字母、数字组成，不得以数字结尾",
                    NULL);
    if (sy_keyword_find(s) || sy_unit_find(s))
        return fail(r, "name-taken", s, "'%1' is a keyword or a unit and cannot be a name",
                    "“%1”是关键字或单位，不能作名称", NULL);
    if (sy_vocab_name(r->v, s))
        return fail(r, "name-twice", s, "'%1' is declared already", "“%1”已经声明过", NULL);
    if (!id && swallows(r->v, s))
        return fail(r, "name-swallows", s, "'%1' would swallow the beginning of a keyword",
                    "“%1”会吞掉关键字的开头", NULL);
    return true;
}

static bool insert(reader *r, const sy_word *w)
{
    sy_vocab *v = r->v;
    if (v->n >= MOST_WORDS)
        return fail(r, "too-many", sy_span_of(NULL), "more than 10,000 names", "名称超过一万个",
                    NULL);
    if (v->n == v->cap) {
        size_t cap = v->cap ? 2 * v->cap : 256;
        const sy_word **words = sy_arena_get(v->arena, cap * sizeof *words);
        if (!words)
            return nomem(r);
        if (v->n)
            memcpy(words, v->words, v->n * sizeof *words);
        v->words = words;
        v->cap = cap;
    }
    sy_span id = sy_span_of(w->id);
    size_t i = v->n++;
    for (; i > 0 && sy_text_order(sy_span_of(v->words[i - 1]->id), id) > 0; i--)
        v->words[i] = v->words[i - 1];
    v->words[i] = w;
    return true;
}

static char *text(reader *r, sy_span s)
{
    char *t = sy_arena_text(r->v->arena, s);
    if (!t)
        r->err = SY_E_NOMEM;
    return t;
}

static bool names(reader *r, sy_word *w)
{
    sy_span list[MOST_NAMES];
    size_t n = 0;
    char stop;
    do {
        sy_span s = field(r, "|:", &stop);
        if (stop == 0)
            return fail(r, "syntax", s, "expected ':' and a kind after the names",
                        "名称之后应有“：”和种类", NULL);
        if (s.n == 0 && n == 0 && stop == ':')
            break; /* no Chinese name: the id serves */
        if (n == MOST_NAMES || !new_name(r, s, false))
            return n == MOST_NAMES
                       ? fail(r, "too-many", s, "too many names in one entry", "一条名称过多", NULL)
                       : false;
        for (size_t i = 0; i < n; i++)
            if (sy_span_eq(list[i], s))
                return fail(r, "name-twice", s, "'%1' is declared already", "“%1”已经声明过", NULL);
        list[n++] = s;
    } while (stop != ':');
    const char **zh = sy_arena_get(r->v->arena, (n + 1) * sizeof *zh);
    if (!zh)
        return nomem(r);
    zh[0] = w->id;
    for (size_t i = 0; i < n; i++)
        if (!(zh[i] = text(r, list[i])))
            return false;
    w->zh = zh;
    w->n_zh = n ? n : 1;
    return true;
}

static bool quantity(reader *r, sy_word *w)
{
    char stop;
    sy_span s = field(r, "", &stop);
    if (s.n == 0)
        return true;
    w->unit = sy_unit_find(s);
    if (!w->unit) {
        size_t n;
        const char *const *all = sy_unit_spellings(&n);
        return fail(r, "unknown-unit", s, "unknown unit '%1'", "未知单位“%1”",
                    sy_nearest(s, all, n));
    }
    return true;
}

static bool add_value(reader *r, sy_word *w, sy_word_value *list, sy_span id, sy_span zh)
{
    if (zh.n == 0)
        zh = id;
    if (!is_id(id) || sy_keyword_find(id) || sy_keyword_find(zh) ||
        (zh.p != id.p && !is_chinese(zh)))
        return fail(r, "bad-value", id, "'%1' cannot be a value", "“%1”不能作取值", NULL);
    if (sy_word_value_find(w, id) >= 0 || sy_word_value_find(w, zh) >= 0)
        return fail(r, "name-twice", id, "'%1' is declared already", "“%1”已经声明过", NULL);
    if (w->n_values == MOST_VALUES)
        return fail(r, "too-many", id, "too many values", "取值过多", NULL);
    sy_word_value v = {text(r, id), text(r, zh)};
    if (!v.id || !v.zh)
        return false;
    list[w->n_values++] = v;
    return true;
}

/* "open 打开, closed 关闭" (state), or "A B C D, A lowest risk" (tier: up to the comma). */
static bool values(reader *r, sy_word *w)
{
    sy_word_value *list = sy_arena_get(r->v->arena, MOST_VALUES * sizeof *list);
    if (!list)
        return nomem(r);
    w->values = list;
    char stop;
    do {
        sy_span s = field(r, ",", &stop), rest = s;
        bool more = true;
        while (more) {
            size_t n = 0;
            while (n < rest.n && !sy_text_blank(rest.p[n]))
                n++;
            sy_span id = {rest.p, n}, zh = {NULL, 0};
            rest = trim((sy_span){rest.p + n, rest.n - n});
            if (w->kind == SY_W_STATE) {
                zh = rest;
                rest.n = 0;
            }
            if (!add_value(r, w, list, id, zh))
                return false;
            more = rest.n > 0;
        }
    } while (stop == ',' && w->kind == SY_W_STATE);
    r->at = r->end;
    if (w->n_values < 2)
        return fail(r, "syntax", sy_span_of(NULL), "two values at least", "至少两个取值", NULL);
    return true;
}

static bool members(reader *r, sy_word *w)
{
    const sy_word **list = sy_arena_get(r->v->arena, MOST_VALUES * sizeof *list);
    if (!list)
        return nomem(r);
    w->members = list;
    for (char stop = ','; stop == ',';) {
        sy_span s = field(r, ",", &stop);
        size_t n = 0;
        while (n < s.n && !sy_text_blank(s.p[n]))
            n++;
        const sy_word *q = sy_vocab_name(r->v, (sy_span){s.p, n});
        sy_span unit = trim((sy_span){s.p + n, s.n - n});
        if (!q || q->kind != SY_W_QUANTITY || (unit.n && sy_unit_find(unit) != q->unit))
            return fail(r, "bad-member", s, "'%1' is no quantity with that unit declared above",
                        "“%1”不是上文以该单位声明的量", NULL);
        if (w->n_members == MOST_VALUES)
            return fail(r, "too-many", s, "too many members", "成员过多", NULL);
        list[w->n_members++] = q;
    }
    return true;
}

static bool kind(reader *r, sy_word *w)
{
    char stop;
    while (r->at < r->end && sy_text_blank(r->norm->p[r->at]))
        r->at++;
    sy_span s = field(r, " \t", &stop);
    const char *known[SY_W_KINDS];
    for (int k = 0; k < SY_W_KINDS; k++) {
        known[k] = sy_word_kind_text((sy_word_kind)k, SY_EN);
        if (sy_span_is(s, known[k])) {
            w->kind = (sy_word_kind)k;
            if (w->kind == SY_W_QUANTITY)
                return quantity(r, w);
            if (w->kind == SY_W_STATE || w->kind == SY_W_TIER)
                return values(r, w);
            if (w->kind == SY_W_EVENT)
                return members(r, w);
            sy_span more = field(r, "", &stop);
            return more.n == 0 ||
                   fail(r, "syntax", more, "'%1' is too much here", "此处“%1”多余", NULL);
        }
    }
    return fail(r, "unknown-kind", s, "unknown kind '%1'", "未知种类“%1”",
                sy_nearest(s, known, SY_W_KINDS));
}

static bool line(reader *r)
{
    if (trim((sy_span){r->norm->p + r->at, r->end - r->at}).n == 0)
        return true;
    char stop;
    sy_span id = field(r, "=", &stop);
    if (stop != '=')
        return fail(r, "syntax", id, "expected: name = Chinese : kind", "应为：名称 = 中文 : 种类",
                    NULL);
    if (!new_name(r, id, true))
        return false;
    sy_word *w = sy_arena_get(r->v->arena, sizeof *w);
    if (!w || !(w->id = text(r, id)))
        return nomem(r);
    return names(r, w) && kind(r, w) && insert(r, w);
}

void sy_vocab_init(sy_vocab *v, sy_arena *arena)
{
    *v = (sy_vocab){.arena = arena};
}

sy_err sy_vocab_add(sy_vocab *v, const sy_source *source, sy_diags *diags)
{
    sy_norm norm;
    sy_err err = sy_text_norm(source, false, v->arena, diags, &norm);
    if (err)
        return err;
    reader r = {.v = v, .diags = diags, .norm = &norm};
    bool ok = true;
    for (size_t at = 0; at < norm.n && !r.err;) {
        const char *nl = sy_text_find(norm.p + at, norm.n - at, '\n');
        r.at = at;
        r.end = nl ? (size_t)(nl - norm.p) : norm.n;
        at = r.end + 1;
        ok &= line(&r);
    }
    return r.err ? r.err : ok ? SY_OK : SY_E_PARSE;
}
