/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: collecting them, and showing them with the line and a caret. Texts are built without
 * printf, since the library calls nothing but memory functions.
 */
#include "base/utf8.h"
#include "rules/text.h"

enum { KEEP = 200, EXCERPT = 160, ARG = 60, WORD = 48 };

void sy_diags_init(sy_diags *d, sy_arena *arena)
{
    *d = (sy_diags){.arena = arena};
}

void sy_diags_fini(sy_diags *d)
{
    if (d->v)
        d->arena->alloc.resize(d->arena->alloc.ctx, d->v, 0);
    *d = (sy_diags){.arena = d->arena};
}

void sy_diag_add(sy_diags *d, sy_severity s, const char *code, sy_pos pos, const char *en,
                 const char *zh, const char *near)
{
    if (s == SY_DIAG_ERROR)
        d->errors++;
    if (d->n >= KEEP)
        return;
    void *v = d->v;
    if (sy_grow(d->arena->alloc, &v, &d->cap, d->n + 1, sizeof *d->v)) {
        d->failed = true;
        return;
    }
    d->v = v;
    const char *e = sy_arena_text(d->arena, sy_span_of(en));
    const char *z = sy_arena_text(d->arena, sy_span_of(zh));
    const char *w = near ? sy_arena_text(d->arena, sy_span_of(near)) : NULL;
    if (!e || !z || (near && !w)) {
        d->failed = true;
        return;
    }
    d->v[d->n++] = (sy_diag){s, code, pos, e, z, w};
}

/* A span cut to at most `max` bytes at a character's border. */
static sy_span cut(sy_span s, size_t max)
{
    if (s.n <= max)
        return s;
    size_t n = max;
    while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return (sy_span){s.p, n};
}

static void fill(char *out, size_t size, const char *format, const sy_span args[SY_DIAG_ARGS])
{
    size_t n = 0;
    for (const char *f = format; *f; f++) {
        sy_span piece = {f, 1};
        bool clipped = false;
        if (*f == '%' && f[1] >= '1' && f[1] <= '0' + SY_DIAG_ARGS) {
            sy_span whole = args[*++f - '1'];
            piece = cut(whole, ARG);
            clipped = piece.n < whole.n;
        }
        if (n + piece.n + 4 >= size)
            break;
        for (size_t i = 0; i < piece.n; i++)
            out[n++] = (unsigned char)piece.p[i] < 0x20 ? ' ' : piece.p[i];
        if (clipped) {
            memcpy(out + n, "…", 3);
            n += 3;
        }
    }
    out[n] = 0;
}

void sy_diag_say(sy_diags *d, sy_severity s, const char *code, sy_pos pos, const char *en,
                 const char *zh, const char *near, const sy_span args[SY_DIAG_ARGS])
{
    static const sy_span none[SY_DIAG_ARGS] = {{NULL, 0}};
    char e[512], z[512];
    fill(e, sizeof e, en, args ? args : none);
    fill(z, sizeof z, zh, args ? args : none);
    sy_diag_add(d, s, code, pos, e, z, near);
}

/* Start of the line that holds `at`. */
static size_t line_start(sy_span text, size_t at)
{
    while (at > 0 && text.p[at - 1] != '\n')
        at--;
    return at;
}

void sy_pos_line(sy_pos pos, uint32_t *line, uint32_t *column)
{
    *line = *column = 1;
    if (!pos.source)
        return;
    sy_span t = pos.source->text;
    size_t at = pos.at < t.n ? pos.at : t.n;
    for (size_t i = 0; i < at; i++)
        *line += t.p[i] == '\n';
    for (size_t i = line_start(t, at); i < at; i++)
        *column += ((unsigned char)t.p[i] & 0xc0) != 0x80;
    if (*line == 1 && at >= 3 && memcmp(t.p, "\xef\xbb\xbf", 3) == 0)
        *column -= 1; /* a byte-order mark is no column */
}

static void pad(sy_buf *out, size_t n)
{
    while (n-- > 0)
        sy_buf_char(out, ' ');
}

static size_t digits(uint32_t v)
{
    size_t n = 1;
    for (; v > 9; v /= 10)
        n++;
    return n;
}

/* The line with its number, then a caret under the place. A very long line shows its stretch
 * around the place. */
static void excerpt(const sy_diag *d, sy_lang lang, uint32_t line, sy_buf *out)
{
    sy_span t = d->pos.source->text;
    size_t at = d->pos.at < t.n ? d->pos.at : t.n;
    size_t from = line_start(t, at), to = at;
    while (to < t.n && t.p[to] != '\n' && t.p[to] != '\r')
        to++;
    if (at - from > EXCERPT) {
        from = at - EXCERPT / 2;
        while (from < at && ((unsigned char)t.p[from] & 0xc0) == 0x80)
            from++;
    }
    if (from == 0 && t.n >= 3 && at >= 3 && memcmp(t.p, "\xef\xbb\xbf", 3) == 0)
        from = 3;
    to = from + cut((sy_span){t.p + from, to - from}, (size_t)EXCERPT * 2).n;
    if (sy_utf8_check((sy_span){t.p + from, to - from}) < to - from)
        return; /* not text: nothing that a terminal should see */
    size_t width = digits(line) > 5 ? digits(line) : 5;
    pad(out, width - digits(line));
    sy_buf_int(out, line);
    sy_buf_text(out, " | ");
    for (size_t i = from; i < to; i++)
        sy_buf_char(out, (unsigned char)t.p[i] < 0x20 || t.p[i] == 0x7f ? ' ' : t.p[i]);
    sy_buf_char(out, '\n');
    pad(out, width);
    sy_buf_text(out, " | ");
    pad(out, at > from ? sy_utf8_width((sy_span){t.p + from, at - from}) : 0);
    size_t end = at + d->pos.len < to ? at + d->pos.len : to;
    size_t columns = end > at ? sy_utf8_width((sy_span){t.p + at, end - at}) : 1;
    sy_buf_char(out, '^');
    for (size_t i = 1; i < columns; i++)
        sy_buf_char(out, '~');
    if (d->near) {
        sy_buf_text(out, lang == SY_ZH ? " 是否应为“" : " did you mean '");
        sy_buf_text(out, d->near);
        sy_buf_text(out, lang == SY_ZH ? "”？" : "'?");
    }
    sy_buf_char(out, '\n');
}

void sy_diag_print(const sy_diag *d, sy_lang lang, sy_buf *out)
{
    static const char *const what[][2] = {
        [SY_DIAG_ERROR] = {"error: ", "错误："},
        [SY_DIAG_WARNING] = {"warning: ", "警告："},
        [SY_DIAG_NOTE] = {"note: ", "说明："},
    };
    uint32_t line = 1, column = 1;
    if (d->pos.source) {
        sy_pos_line(d->pos, &line, &column);
        sy_buf_text(out, d->pos.source->name);
        sy_buf_char(out, ':');
        sy_buf_int(out, line);
        sy_buf_char(out, ':');
        sy_buf_int(out, column);
        sy_buf_text(out, ": ");
    }
    sy_buf_text(out, what[d->severity][lang == SY_ZH]);
    sy_buf_text(out, lang == SY_ZH ? d->zh : d->en);
    sy_buf_char(out, '\n');
    if (d->pos.source)
        excerpt(d, lang, line, out);
}

/* Characters of a word, folded to lower case; n is at most WORD. */
static size_t letters(sy_span s, uint32_t out[WORD])
{
    size_t n = 0;
    for (size_t i = 0; i < s.n && n < WORD;) {
        uint32_t cp;
        size_t len = sy_utf8_next(s.p + i, s.n - i, &cp);
        if (len == 0)
            return 0;
        out[n++] = cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
        i += len;
    }
    return n;
}

/* Edits between two words: change, add, drop, swap of neighbours count one each. */
static size_t edits(const uint32_t *a, size_t n, const uint32_t *b, size_t m)
{
    uint8_t row[3][WORD + 1];
    for (size_t j = 0; j <= m; j++)
        row[0][j] = (uint8_t)j;
    for (size_t i = 1; i <= n; i++) {
        uint8_t *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = (uint8_t)i;
        for (size_t j = 1; j <= m; j++) {
            uint8_t best = (uint8_t)(up[j - 1] + (a[i - 1] != b[j - 1]));
            if (up[j] + 1 < best)
                best = (uint8_t)(up[j] + 1);
            if (now[j - 1] + 1 < best)
                best = (uint8_t)(now[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                up2[j - 2] + 1 < best)
                best = (uint8_t)(up2[j - 2] + 1);
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

const char *sy_nearest(sy_span word, const char *const *words, size_t n)
{
    uint32_t a[WORD], b[WORD];
    size_t len = word.n > 4 * (size_t)WORD ? 0 : letters(word, a);
    if (len < 2)
        return NULL;
    size_t most = len / 3 > 1 ? len / 3 : 1, best = most + 1;
    const char *found = NULL;
    bool same = false;
    for (size_t i = 0; i < n && (best > 0 || !same); i++) {
        size_t m = letters(sy_span_of(words[i]), b);
        if (m < 2 || m > len + most || len > m + most)
            continue;
        size_t e = edits(a, len, b, m);
        if (e < best || (e == best && m == len && !same)) {
            best = e;
            found = words[i];
            same = m == len; /* of equals, the one of the same length */
        }
    }
    return found;
}
