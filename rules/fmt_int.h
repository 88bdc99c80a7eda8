/*
 * The formatter's own state, shared by its files. Pure; private to fmt*.c.
 *
 * fmt_scan.c makes pieces from the tokens: what each is, where lines begin, the comments before it.
 * fmt_word.c puts them into the order of the language and says how each is written and which stand
 * apart. fmt.c writes the lines.
 */
#ifndef SY_RULES_FMT_INT_H
#define SY_RULES_FMT_INT_H

#include "rules/fmt.h"
#include "rules/lex.h"

typedef enum sy_fmt_role {
    SY_F_END, /* of the text; carries the last comments */
    SY_F_KW,
    SY_F_NAME,  /* of the vocabulary */
    SY_F_VALUE, /* of the state or tier `word` */
    SY_F_UNIT,
    SY_F_ASIS, /* ids, names that the rule declares, what nobody knows */
    SY_F_NUM,
    SY_F_TIME, /* dates too */
    SY_F_STRING,
    SY_F_SIGN
} sy_fmt_role;

typedef enum sy_fmt_line { /* what begins a line */
                           SY_F_ON,
                           SY_F_ITEM,
                           SY_F_CLAUSE,
                           SY_F_SUB, /* an exemption */
                           SY_F_CLOSE
} sy_fmt_line;

typedef struct sy_fmt_comment {
    sy_span text; /* from # on */
    bool own;     /* on a line of its own */
    bool gap;     /* an empty line before it */
} sy_fmt_comment;

typedef struct sy_fmt_piece {
    sy_fmt_role role;
    sy_fmt_line line;
    sy_kw clause; /* the keyword that began the clause or step; 0 in a header */
    sy_span text; /* of the uniform text; of a string: what stands between the quotes */
    sy_kw kw;
    const sy_word *word;
    const sy_unit *unit;
    int value;
    char sign;
    bool unary;    /* a minus of a number */
    bool declared; /* the name where it is declared */
    bool marked;   /* within [ ] */
    bool glued;    /* no blank before it: part of an id with signs in it */
    bool gap;      /* an empty line before it, after its comments */
    const sy_fmt_comment *comments;
    size_t n_comments;
} sy_fmt_piece;

typedef struct sy_fmt_text {
    const sy_lexicon *lexicon;
    sy_arena *arena;
    sy_norm norm;
    sy_fmt_piece *v;
    size_t n;
    sy_lang lang;
} sy_fmt_text;

/* Empty pieces behind the last one, so that a phrase may be looked for at any. */
enum { SY_FMT_AHEAD = 4 };

/* fmt_scan.c */
SY_MUST_USE sy_err sy_fmt__scan(sy_fmt_text *t);
/* fmt_word.c */
SY_MUST_USE sy_err sy_fmt__arrange(sy_fmt_text *t);
/* How piece i is written (a string without its quotes). */
sy_span sy_fmt__text(const sy_fmt_text *t, size_t i);
/* Whether a blank stands between pieces i and i + 1 on one line. */
bool sy_fmt__blank(const sy_fmt_text *t, size_t i);

#endif
