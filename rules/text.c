/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making source texts uniform, so that what regulators paste from Word reads as if it were typed.
 * One pass with a map back to the source: places in messages are places in what the person wrote.
 */
#include "rules/text.h"

#include "base/utf8.h"

bool sy_text_han(uint32_t cp)
{
    return (cp >= 0x3400 && cp <= 0x9fff) || (cp >= 0x3005 && cp <= 0x3007) ||
           (cp >= 0xf900 && cp <= 0xfaff) || (cp >= 0x20000 && cp <= 0x323af);
}

sy_pos sy_norm_pos(const sy_norm *n, size_t from, size_t to)
{
    uint32_t a = n->at[from], b = n->at[to];
    return (sy_pos){n->source, a, b > a ? b - a : 1};
}

/* The ASCII form of a character outside strings; 0: it has no width and is dropped. */
static uint32_t fold(uint32_t cp)
{
    static const struct {
        uint16_t from, to;
    } table[] = {
        {0x00a0, ' '}, {0x3000, ' '}, {0x202f, ' '}, {0x205f, ' '},  {0x2028, '\n'}, {0x2029, '\n'},
        {0x0085, ' '}, {0x3001, ','}, {0x3010, '['}, {0x3011, ']'},  {0x301c, '~'},  {0x2013, '-'},
        {0x2012, '-'}, {0x2212, '-'}, {0x2236, ':'}, {0x2018, '\''}, {0x2019, '\''}, {0xfeff, 0},
        {0x00b7, '*'}, {0x22c5, '*'}, {0x200b, 0},   {0x200c, 0},    {0x200d, 0},    {0x2060, 0},
    };
    if (cp < 0x80)
        return cp;
    if (cp >= 0xff01 && cp <= 0xff5e)
        return cp - 0xfee0;
    if (cp >= 0x2002 && cp <= 0x200a)
        return ' ';
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].from == cp)
            return table[i].to;
    return cp;
}

static void whole(sy_diags *d, const sy_source *s, size_t at, const char *code, const char *en,
                  const char *zh)
{
    sy_diag_add(d, SY_DIAG_ERROR, code, (sy_pos){s, (uint32_t)at, 1}, en, zh, NULL);
}

/* What makes a file unreadable as a whole. */
static bool encoding_ok(const sy_source *s, sy_diags *d)
{
    const unsigned char *b = (const unsigned char *)s->text.p;
    size_t n = s->text.n;
    if (n > SY_TEXT_MAX) {
        whole(d, s, 0, "too-large", "the file is larger than 1 MiB; split it",
              "文件超过 1 MiB，请拆分");
        return false;
    }
    bool utf16 = n >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff));
    size_t bad = utf16 ? 0 : sy_utf8_check(s->text);
    if (utf16 || sy_text_find(s->text.p, n, 0)) {
        whole(d, s, 0, "encoding", "the file is UTF-16 or binary; save it as UTF-8",
              "文件为 UTF-16 或二进制格式，请另存为 UTF-8");
        return false;
    }
    if (bad < n) {
        whole(d, s, bad, "encoding", "the file is not UTF-8 (GB 18030, perhaps); save it as UTF-8",
              "文件不是 UTF-8（可能是 GB 18030），请另存为 UTF-8");
        return false;
    }
    return true;
}

typedef struct pass {
    sy_norm *out;
    sy_span in;
    size_t i; /* next byte of the source */
    bool strings;
    sy_diags *diags;
} pass;

static void emit(pass *s, const char *p, size_t n, size_t at)
{
    for (size_t k = 0; k < n; k++) {
        s->out->at[s->out->n] = (uint32_t)(at + k);
        s->out->p[s->out->n++] = p[k];
    }
}

/* A string from its opening quote to its closing one, which may be of the other kind only where the
 * opening one was ASCII or full-width. False: it never ends. */
static bool string(pass *s, bool curly, size_t start, size_t body)
{
    char mark = SY_TEXT_OPEN;
    emit(s, &mark, 1, start);
    s->i = body;
    while (s->i < s->in.n) {
        uint32_t cp;
        size_t len = sy_utf8_next(s->in.p + s->i, s->in.n - s->i, &cp);
        if (curly ? cp == 0x201d : (cp == '"' || cp == 0xff02)) {
            mark = SY_TEXT_CLOSE;
            emit(s, &mark, 1, s->i);
            s->i += len;
            return true;
        }
        bool control = cp < 0x20 || cp == 0x7f;
        if (!control || cp == '\n' || cp == '\t')
            emit(s, s->in.p + s->i, len, s->i);
        else if (cp != '\r')
            return false;
        s->i += len;
    }
    return false;
}

static bool one(pass *s)
{
    uint32_t cp;
    size_t at = s->i, len = sy_utf8_next(s->in.p + at, s->in.n - at, &cp);
    uint32_t c = fold(cp);
    s->i += len;
    if (s->strings && (c == '"' || cp == 0x201c)) {
        if (string(s, cp == 0x201c, at, s->i))
            return true;
        whole(s->diags, s->out->source, at, "open-string", "this quotation never ends",
              "引号没有结束");
        return false;
    }
    if (c == '#') {
        while (s->i < s->in.n && s->in.p[s->i] != '\n')
            s->i++;
        emit(s, " ", 1, at);
        return true;
    }
    if (c == '\r' || c == 0)
        return true;
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
        whole(s->diags, s->out->source, at, "control-character", "a control character",
              "含有控制字符");
        return false;
    }
    if (c == cp) {
        emit(s, s->in.p + at, len, at);
    } else {
        char b[4];
        emit(s, b, sy_utf8_put(c, b), at);
    }
    return true;
}

sy_err sy_text_norm(const sy_source *source, bool strings, sy_arena *arena, sy_diags *diags,
                    sy_norm *out)
{
    memset(out, 0, sizeof *out);
    if (!encoding_ok(source, diags))
        return SY_E_PARSE;
    /* No character grows: a full-width sign of three bytes becomes one. */
    out->source = source;
    out->p = sy_arena_get(arena, source->text.n + 1);
    out->at = sy_arena_get(arena, (source->text.n + 1) * sizeof *out->at);
    if (!out->p || !out->at)
        return SY_E_NOMEM;
    pass s = {out, source->text, 0, strings, diags};
    while (s.i < s.in.n)
        if (!one(&s))
            return SY_E_PARSE;
    out->at[out->n] = (uint32_t)source->text.n;
    out->p[out->n] = 0;
    return SY_OK;
}
