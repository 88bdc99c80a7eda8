/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formatter's last pass: lines. Tokens are written, not the tree: whatever the language has or
 * gets is laid out by the same few rules, and parentheses, marks and the spelling of numbers stay
 * as they are.
 */
#include "rules/fmt.h"

#include "rules/fmt_int.h"

typedef struct writer {
    sy_buf *out;
    size_t began;  /* bytes of out before this text */
    bool line;     /* something stands on the line */
    size_t indent; /* of the clause that is written */
} writer;

static void newline(writer *w)
{
    if (w->line)
        sy_buf_char(w->out, '\n');
    w->line = false;
}

static void empty_line(writer *w)
{
    newline(w);
    if (w->out->n > w->began)
        sy_buf_char(w->out, '\n');
}

static void begin(writer *w, size_t indent)
{
    newline(w);
    for (size_t i = 0; i < indent; i++)
        sy_buf_char(w->out, ' ');
    w->line = true;
}

static void comment(writer *w, const sy_fmt_comment *c, size_t indent)
{
    if (c->own)
        begin(w, indent);
    else
        sy_buf_text(w->out, w->line ? " " : "");
    sy_buf_char(w->out, '#');
    sy_buf_span_put(w->out, c->text);
    w->line = true;
    newline(w);
}

/* Of a string: quotes of the language, unless its text contains one. */
static void string(writer *w, sy_span text, sy_lang lang)
{
    bool straight = false, curly = false;
    for (size_t i = 0; i < text.n; i++) {
        straight |= text.p[i] == '"' || (text.n - i > 2 && memcmp(text.p + i, "＂", 3) == 0);
        curly |= text.n - i > 2 && memcmp(text.p + i, "”", 3) == 0;
    }
    bool use_curly = straight || (lang == SY_ZH && !curly);
    sy_buf_text(w->out, use_curly ? "“" : "\"");
    sy_buf_span_put(w->out, text);
    sy_buf_text(w->out, use_curly ? "”" : "\"");
}

static size_t indent_of(const sy_fmt_piece *p)
{
    static const unsigned char blanks[] = {
        [SY_F_ON] = 0, [SY_F_ITEM] = 0, [SY_F_CLAUSE] = 2, [SY_F_SUB] = 4, [SY_F_CLOSE] = 0};
    return blanks[p->line];
}

/* What stands before a piece: comments, empty lines, the indent of a new line. */
static void lead(writer *w, const sy_fmt_piece *p, bool first)
{
    bool top = p->line == SY_F_ITEM || p->role == SY_F_END, parted = first;
    size_t indent = p->line == SY_F_CLOSE ? 2 : p->line == SY_F_ON ? w->indent + 2 : indent_of(p);
    for (size_t i = 0; i < p->n_comments; i++) {
        const sy_fmt_comment *c = &p->comments[i];
        if (top && c->own && (!parted || c->gap))
            empty_line(w);
        parted |= c->own;
        comment(w, c, top ? 0 : indent);
    }
    if (p->role == SY_F_END)
        return;
    if (top && (!parted || (p->gap && p->n_comments > 0)))
        empty_line(w);
    if (p->line != SY_F_ON) {
        w->indent = indent_of(p);
        begin(w, w->indent);
    } else if (!w->line) {
        begin(w, indent);
    }
}

static void write(const sy_fmt_text *t, sy_buf *out)
{
    writer w = {.out = out, .began = out->n};
    for (size_t i = 0; i < t->n && !out->failed; i++) {
        const sy_fmt_piece *p = &t->v[i];
        if (i > 0 && p->line == SY_F_ON && p->n_comments == 0 && w.line && p->role != SY_F_END &&
            sy_fmt__blank(t, i - 1))
            sy_buf_char(out, ' ');
        lead(&w, p, i == 0);
        if (p->role == SY_F_STRING)
            string(&w, p->text, t->lang);
        else if (p->role != SY_F_END)
            sy_buf_span_put(out, sy_fmt__text(t, i));
    }
    newline(&w);
}

/* The language of most keywords. */
static sy_lang main_language(const sy_fmt_text *t)
{
    size_t of[2] = {0, 0};
    for (size_t i = 0; i < t->n; i++)
        if (t->v[i].role == SY_F_KW && t->v[i].text.n > 0)
            of[(unsigned char)t->v[i].text.p[0] >= 0x80 ? SY_ZH : SY_EN]++;
    return of[SY_ZH] > of[SY_EN] ? SY_ZH : SY_EN;
}

sy_err sy_fmt(const sy_source *source, const sy_vocab *vocab, sy_fmt_lang lang, sy_arena *arena,
              sy_diags *diags, sy_buf *out)
{
    sy_lexicon lexicon;
    sy_fmt_text t = {.lexicon = &lexicon, .arena = arena};
    sy_err e = sy_text_norm(source, true, arena, diags, &t.norm);
    if (e == SY_OK)
        e = sy_lexicon_make(vocab, arena, &lexicon);
    if (e == SY_OK)
        e = sy_fmt__scan(&t);
    if (e != SY_OK)
        return e;
    t.lang = lang == SY_FMT_OWN ? main_language(&t) : lang == SY_FMT_ZH ? SY_ZH : SY_EN;
    e = sy_fmt__arrange(&t);
    if (e != SY_OK)
        return e;
    write(&t, out);
    return out->failed ? SY_E_NOMEM : SY_OK;
}
