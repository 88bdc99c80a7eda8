/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser's frame: tokens, messages, the items of a file, and where to go on after an error.
 */
#include "rules/parse.h"

void sy_p_next(sy_parser *p)
{
    p->last = p->tok.to;
    p->tok = sy_lex_next(&p->lex);
}

sy_pos sy_p_pos(const sy_parser *p)
{
    return sy_norm_pos(&p->lex.norm, p->tok.from, p->tok.to);
}

sy_pos sy_p_to(const sy_parser *p, sy_pos from)
{
    size_t end = p->tok.from;
    while (end > 0 && sy_text_blank(p->lex.norm.p[end - 1]))
        end--;
    uint32_t to = p->lex.norm.at[end];
    if (to > from.at)
        from.len = to - from.at;
    return from;
}

bool sy_p_kw(const sy_parser *p, sy_kw k)
{
    return p->tok.kind == SY_T_WORD && p->tok.kw == k;
}

bool sy_p_take(sy_parser *p, sy_kw k)
{
    if (!sy_p_kw(p, k))
        return false;
    sy_p_next(p);
    return true;
}

bool sy_p_sign(const sy_parser *p, char c)
{
    return p->tok.kind == SY_T_SIGN && p->tok.sign == c;
}

bool sy_p_take_sign(sy_parser *p, char c)
{
    if (!sy_p_sign(p, c))
        return false;
    sy_p_next(p);
    return true;
}

bool sy_p_fail(sy_parser *p, const char *code, sy_pos pos, const char *en, const char *zh,
               const char *near, sy_span a, sy_span b)
{
    sy_diag_say(p->diags, SY_DIAG_ERROR, code, pos, en, zh, near, (sy_span[SY_DIAG_ARGS]){a, b});
    if (p->draft)
        p->draft->broken = true;
    return false;
}

/* The keyword that is nearest to what stands there: English for Latin letters, else Chinese. */
const char *sy_p_near_keyword(sy_parser *p)
{
    const char *words[SY_KW_COUNT_ALL];
    size_t n = 0;
    sy_lang lang = sy_text_letter(p->tok.text.p[0]) ? SY_EN : SY_ZH;
    for (sy_kw k = SY_KW_NONE + 1; k < SY_KW_COUNT_ALL; k++) {
        sy_span s = sy_keyword_text(k, lang);
        words[n] = s.p[s.n] ? sy_arena_text(p->arena, s) : s.p;
        n += words[n] != NULL;
    }
    return sy_nearest(p->tok.text, words, n);
}

static bool expected(sy_parser *p, sy_pos pos, const char *en, const char *zh)
{
    char e[160] = "expected ", z[160] = "此处应为";
    size_t n = strlen(e), m = strlen(z);
    bool end = p->tok.kind == SY_T_END;
    const char *e2 = end ? ", found the end of the file" : ", found '%1'";
    const char *z2 = end ? "，文件却已结束" : "，实为“%1”";
    bool plain = p->tok.kind == SY_T_WORD || p->tok.kind == SY_T_UNKNOWN;
    if (p->tok.kind == SY_T_DASHED)
        return sy_p_fail(p, "dash", pos, "'%1' is no number: write 2 to 8 or 2～8",
                         "“%1”不是数：请写作 2至8 或 2～8", NULL, p->tok.text, p->tok.text);
    memcpy(e + n, en, strlen(en));
    memcpy(e + n + strlen(en), e2, strlen(e2) + 1);
    memcpy(z + m, zh, strlen(zh));
    memcpy(z + m + strlen(zh), z2, strlen(z2) + 1);
    return sy_p_fail(p, "syntax", pos, e, z,
                     plain && !p->tok.kw && !p->tok.word ? sy_p_near_keyword(p) : NULL, p->tok.text,
                     p->tok.text);
}

bool sy_p_expected(sy_parser *p, const char *en, const char *zh)
{
    bool broke_off = p->tok.line && p->last > 0 && p->tok.kind != SY_T_DASHED;
    sy_pos pos = broke_off ? sy_norm_pos(&p->lex.norm, p->last, p->last) : sy_p_pos(p);
    return expected(p, pos, en, zh);
}

bool sy_p_unexpected(sy_parser *p, const char *en, const char *zh)
{
    return expected(p, sy_p_pos(p), en, zh);
}

/* A keyword or sign as both languages show it. */
static bool expected_text(sy_parser *p, sy_span en, sy_span zh)
{
    char e[64], z[64];
    e[0] = '\'';
    memcpy(e + 1, en.p, en.n);
    memcpy(e + 1 + en.n, "'", 2);
    memcpy(z, "“", 3);
    memcpy(z + 3, zh.p, zh.n);
    memcpy(z + 3 + zh.n, "”", 4);
    return sy_p_expected(p, e, z);
}

bool sy_p_need(sy_parser *p, sy_kw k)
{
    if (sy_p_take(p, k))
        return true;
    return expected_text(p, sy_keyword_text(k, SY_EN), sy_keyword_text(k, SY_ZH));
}

bool sy_p_need_sign(sy_parser *p, char c)
{
    if (sy_p_take_sign(p, c))
        return true;
    return expected_text(p, (sy_span){&c, 1}, (sy_span){&c, 1});
}

void *sy_p_get(sy_parser *p, size_t size)
{
    void *v = sy_arena_get(p->arena, size);
    if (!v)
        p->nomem = true;
    return v;
}

void *sy_p_add(sy_parser *p, sy_list *l, size_t item)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 4;
        char *v = sy_p_get(p, cap * item);
        if (!v)
            return NULL;
        if (l->n)
            memcpy(v, l->v, l->n * item);
        l->v = v;
        l->cap = cap;
    }
    return memset((char *)l->v + item * l->n++, 0, item);
}

bool sy_p_level(sy_parser *p, sy_alert_level *out)
{
    if (p->tok.kind != SY_T_WORD || p->tok.kw < SY_KW_NOTICE || p->tok.kw > SY_KW_MAJOR)
        return false;
    *out = (sy_alert_level)(SY_NOTICE + (p->tok.kw - SY_KW_NOTICE));
    sy_p_next(p);
    return true;
}

static bool flagged(const sy_parser *p, unsigned flags)
{
    return p->tok.kind == SY_T_WORD && (sy_keywords[p->tok.kw].flags & flags);
}

/* To where reading can go on: a clause at the start of a line, an end, another item. */
static void resync(sy_parser *p)
{
    while (p->tok.kind != SY_T_END && !sy_p_kw(p, SY_KW_END) && !flagged(p, SY_KW_TOP) &&
           !(p->tok.line && flagged(p, SY_KW_HEAD)))
        sy_p_next(p);
}

static bool header(sy_parser *p, sy_draft *d)
{
    sy_rule *r = &d->rule;
    r->pos = sy_p_pos(p);
    sy_p_next(p); /* rule */
    if (p->tok.kind != SY_T_WORD || p->tok.kw || !sy_text_letter(p->tok.text.p[0]))
        return sy_p_expected(p, "the rule's id", "规则编号");
    r->pos = sy_p_pos(p);
    r->id = sy_arena_text(p->arena, p->tok.text);
    p->nomem |= !r->id;
    sy_p_next(p);
    return r->id && sy_p_need(p, SY_KW_VERSION) && sy_p_count(p, &r->version) &&
           sy_p_text(p, &r->title);
}

static bool rule(sy_parser *p)
{
    sy_draft **at = sy_p_add(p, p->drafts, sizeof(sy_draft *)), *d = sy_p_get(p, sizeof *d);
    if (!at || !d)
        return false;
    *at = p->draft = d;
    p->lex.locals = d->names;
    p->lex.n_locals = 0;
    if (p->drafts->n > SY_MAX_RULES)
        p->stop = !sy_p_fail(p, "too-many", sy_p_pos(p), "more than 10,000 rules", "规则超过一万条",
                             NULL, p->tok.text, p->tok.text);
    if (!header(p, d))
        resync(p);
    while (!p->nomem && !p->stop && !sy_p_kw(p, SY_KW_END)) {
        if (p->tok.kind == SY_T_END || flagged(p, SY_KW_TOP)) {
            (void)sy_p_unexpected(p, "a clause or 'end'", "条目或“结束”");
            break;
        }
        if (!sy_p_clause(p)) {
            d->broken = true;
            resync(p);
        }
    }
    (void)sy_p_take(p, SY_KW_END);
    p->draft = NULL;
    p->lex.n_locals = 0;
    return true;
}

void sy_parse(sy_parser *p)
{
    sy_p_next(p);
    while (p->tok.kind != SY_T_END && !p->nomem && !p->stop) {
        bool ok;
        if (sy_p_kw(p, SY_KW_RULE))
            ok = rule(p);
        else if (sy_p_kw(p, SY_KW_SCENARIO))
            ok = sy_p_scenario(p);
        else if (sy_p_kw(p, SY_KW_TUNE))
            ok = sy_p_tuning(p);
        else
            ok = sy_p_unexpected(p, "'rule', 'scenario' or 'tune'", "“规则”、“情景”或“调整”");
        while (!ok && p->tok.kind != SY_T_END) {
            ok = flagged(p, SY_KW_TOP) && p->tok.line;
            if (!ok)
                sy_p_next(p);
        }
    }
}
