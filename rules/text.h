/*
 * A source text made uniform before it is read: full-width signs, digits and blanks, no-break
 * blanks, byte-order mark and CR LF as their ASCII forms, comments blanked. Pure.
 *
 * Strings keep their characters; they stand between SY_TEXT_OPEN and SY_TEXT_CLOSE, which no text
 * contains otherwise, so that “…” and "…" read alike.
 */
#ifndef SY_RULES_TEXT_H
#define SY_RULES_TEXT_H

#include "rules/diag.h"

enum { SY_TEXT_OPEN = 1, SY_TEXT_CLOSE = 2, SY_TEXT_MAX = 1 << 20 };

typedef struct sy_norm {
    const sy_source *source;
    char *p; /* NUL at p[n] */
    size_t n;
    uint32_t *at; /* n + 1 offsets into the source */
} sy_norm;

/* strings: false for vocabulary files, where a quote is an ordinary (and wrong) character.
 * SY_E_PARSE (reported) where the text is no UTF-8, too large, or holds control characters or an
 * open string; SY_E_NOMEM. */
SY_MUST_USE sy_err sy_text_norm(const sy_source *source, bool strings, sy_arena *arena,
                                sy_diags *diags, sy_norm *out);
/* The place of norm bytes [from, to). */
sy_pos sy_norm_pos(const sy_norm *n, size_t from, size_t to);

/* Han and its kin: what may stand in a Chinese name. */
bool sy_text_han(uint32_t cp);
static inline bool sy_text_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool sy_text_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool sy_text_alnum(char c)
{
    return sy_text_digit(c) || sy_text_letter(c);
}
static inline bool sy_text_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* The first `c` in n bytes, or NULL (no memchr: the library calls memory moves only). */
static inline const char *sy_text_find(const char *p, size_t n, char c)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] == c)
            return p + i;
    return NULL;
}

/* Order by bytes. */
static inline int sy_text_order(sy_span a, sy_span b)
{
    size_t least = a.n < b.n ? a.n : b.n;
    int c = least ? memcmp(a.p, b.p, least) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

enum { SY_DIAG_ARGS = 5 };
/* A message with %1 to %5 replaced; arguments longer than 60 bytes are cut; args may be NULL. */
void sy_diag_say(sy_diags *d, sy_severity s, const char *code, sy_pos pos, const char *en,
                 const char *zh, const char *near, const sy_span args[SY_DIAG_ARGS]);

#endif
