/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyword table and the lexicon. Chinese is read without spaces, so that "the longest known
 * text that begins here" must be found at every character: one hash a prefix, none longer than
 * MOST.
 */
#include "rules/lexicon.h"

#include "rules/text.h"

enum { MOST = 64 };

#define TOP  SY_KW_TOP
#define HEAD SY_KW_HEAD
#define STEP SY_KW_STEP
#define TEST SY_KW_TEST
#define AGG  SY_KW_AGG
const sy_keyword sy_keywords[SY_KW_COUNT_ALL] = {
    [SY_KW_NONE] = {"", "", 0},
#define SY_WORD(id, en, zh, flags) [SY_KW_##id] = {en, zh, flags},
#include "rules/lex_words.def"
#undef SY_WORD
};

/* Call step for each spelling of a Chinese column; *at walks it. */
static bool spelling(const char **at, sy_span *out)
{
    if (!**at)
        return false;
    size_t n = 0;
    while ((*at)[n] && (*at)[n] != '|')
        n++;
    *out = (sy_span){*at, n};
    *at += n + ((*at)[n] == '|');
    return true;
}

sy_span sy_keyword_text(sy_kw k, sy_lang lang)
{
    sy_span s = sy_span_of(sy_keywords[k].en);
    if (lang == SY_ZH) {
        const char *at = sy_keywords[k].zh;
        (void)spelling(&at, &s);
    }
    return s;
}

sy_kw sy_keyword_find(sy_span text)
{
    for (sy_kw k = SY_KW_NONE + 1; k < SY_KW_COUNT_ALL; k++) {
        if (sy_span_is(text, sy_keywords[k].en))
            return k;
        const char *at = sy_keywords[k].zh;
        for (sy_span s; spelling(&at, &s);)
            if (sy_span_eq(text, s))
                return k;
    }
    return SY_KW_NONE;
}

bool sy_keyword_follows(sy_span text)
{
    for (sy_kw k = SY_KW_NONE + 1; k < SY_KW_COUNT_ALL; k++) {
        const char *at = sy_keywords[k].zh;
        for (sy_span s; (sy_keywords[k].flags & SY_KW_TEST) && spelling(&at, &s);)
            if (text.n > 0 && text.n <= s.n && memcmp(text.p, s.p, text.n) == 0)
                return true;
    }
    return false;
}

static uint32_t step(uint32_t h, char c)
{
    return (h ^ (unsigned char)c) * 16777619u;
}

static sy_entry *slot(const sy_lexicon *l, sy_span text, uint32_t h)
{
    for (size_t i = h;; i++) {
        sy_entry *e = &l->slots[i & (l->n_slots - 1)];
        if (e->text.n == 0 || sy_span_eq(e->text, text))
            return e;
    }
}

static sy_entry *add(sy_lexicon *l, sy_span text)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < text.n; i++)
        h = step(h, text.p[i]);
    sy_entry *e = slot(l, text, h);
    if (e->text.n == 0) {
        e->text = text;
        l->n++;
    }
    return e;
}

const sy_entry *sy_lexicon_get(const sy_lexicon *l, sy_span text)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < text.n; i++)
        h = step(h, text.p[i]);
    if (text.n == 0)
        return NULL;
    const sy_entry *e = slot(l, text, h);
    return e->text.n ? e : NULL;
}

/* A text that ends in a letter or digit must not end inside a Latin word. */
static bool border(sy_span text, size_t n)
{
    char last = text.p[n - 1];
    if (n == text.n)
        return true;
    if (last == '%' || (n > 1 && last == '\xb0')) /* %, °: "°c" is no angle */
        return !sy_text_letter(text.p[n]);
    if (!sy_text_alnum(last))
        return true;
    if (text.p[n] == '-')
        return n + 1 == text.n || !sy_text_alnum(text.p[n + 1]);
    return !sy_text_alnum(text.p[n]);
}

const sy_entry *sy_lexicon_longest(const sy_lexicon *l, sy_span text)
{
    const sy_entry *found = NULL;
    uint32_t h = 2166136261u;
    for (size_t n = 1; n <= text.n && n <= MOST; n++) {
        h = step(h, text.p[n - 1]);
        if (n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
            continue; /* inside a character */
        const sy_entry *e = slot(l, (sy_span){text.p, n}, h);
        if (e->text.n && border(text, n))
            found = e;
    }
    return found;
}

static void add_keywords(sy_lexicon *l)
{
    for (sy_kw k = SY_KW_NONE + 1; k < SY_KW_COUNT_ALL; k++) {
        /* Phrases of several words are put together by the lexer. */
        if (!sy_text_find(sy_keywords[k].en, strlen(sy_keywords[k].en), ' '))
            add(l, sy_span_of(sy_keywords[k].en))->kw = k;
        const char *at = sy_keywords[k].zh;
        for (sy_span s; spelling(&at, &s);)
            add(l, s)->kw = k;
    }
}

static void add_words(sy_lexicon *l, const sy_vocab *v)
{
    for (size_t i = 0; i < v->n; i++) {
        const sy_word *w = v->words[i];
        add(l, sy_span_of(w->id))->word = w;
        for (size_t k = 0; k < w->n_zh; k++)
            add(l, sy_span_of(w->zh[k]))->word = w;
        for (size_t k = 0; k < w->n_values; k++) {
            add(l, sy_span_of(w->values[k].id))->value = true;
            add(l, sy_span_of(w->values[k].zh))->value = true;
        }
    }
}

sy_err sy_lexicon_make(const sy_vocab *vocab, sy_arena *arena, sy_lexicon *out)
{
    size_t n_units, need = 4 * (size_t)SY_KW_COUNT_ALL;
    const char *const *units = sy_unit_spellings(&n_units);
    need += n_units;
    for (size_t i = 0; i < vocab->n; i++)
        need += 1 + vocab->words[i]->n_zh + 2 * vocab->words[i]->n_values;
    *out = (sy_lexicon){.n_slots = 64};
    while (out->n_slots < 2 * need)
        out->n_slots *= 2;
    out->slots = sy_arena_get(arena, out->n_slots * sizeof *out->slots);
    if (!out->slots)
        return SY_E_NOMEM;
    add_keywords(out);
    for (size_t i = 0; i < n_units; i++)
        add(out, sy_span_of(units[i]))->unit = sy_unit_find(sy_span_of(units[i]));
    add_words(out, vocab);
    return SY_OK;
}
