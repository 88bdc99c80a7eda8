/*
 * Tokens of a rule text, one at a time, by the longest match (rules-language, principle 3). Pure;
 * private to the front end.
 */
#ifndef SY_RULES_LEX_H
#define SY_RULES_LEX_H

#include "rules/lexicon.h"
#include "rules/text.h"
#include "rules/tree.h"

typedef enum sy_tok {
    SY_T_END,  /* of the file */
    SY_T_WORD, /* keyword, name or unit: see the fields */
    SY_T_NUM,
    SY_T_DATE,
    SY_T_TIME,
    SY_T_STRING,
    SY_T_SIGN,   /* one of : ; , ( ) [ ] = / + - * */
    SY_T_DASHED, /* 2-8 */
    SY_T_UNKNOWN /* what no lexicon knows */
} sy_tok;

typedef struct sy_token {
    sy_tok kind;
    size_t from, to; /* bytes of the uniform text */
    sy_span text;    /* of a string: what stands between the quotes */
    sy_kw kw;
    const sy_unit *unit;
    const sy_word *word;
    bool value; /* may be a value of a state or tier */
    bool line;  /* first on its line */
    char sign;
    sy_date date;
    sy_ms time;
} sy_token;

typedef struct sy_lexer {
    sy_norm norm;
    const sy_lexicon *lexicon;
    const sy_span *locals; /* names declared by the rule that is being read */
    size_t n_locals;
    size_t at; /* next byte */
} sy_lexer;

/* The next token; at the end END, again and again. "of" and "的" are passed over. */
sy_token sy_lex_next(sy_lexer *l);
/* Read on from `t`, as a name that is declared here: up to a blank, a sign, 按 or 自. Its text is
 * empty where no name stands there. */
sy_token sy_lex_new_name(sy_lexer *l, const sy_token *t);
/* Whether t, behind a number, is its unit: "3 count", but not the "count refuel" of a next clause.
 */
bool sy_lex_is_unit(const sy_lexer *l, const sy_token *t);
/* Behind a unit "/min" is a sign and a unit, not the unit of a frequency: make t the sign alone. */
void sy_lex_apart(sy_lexer *l, sy_token *t);
/* Read on from `t`, as the id of a place or series: letters, digits and "-_./:". */
sy_token sy_lex_id(sy_lexer *l, const sy_token *t);

/* An exact decimal from digits[.digits]; false: more than 15 significant digits (or 22 places). */
bool sy_num_of(sy_span digits, bool negative, sy_num *out);

#endif
