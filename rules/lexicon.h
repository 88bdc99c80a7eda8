/*
 * The lexicon: every text that the longest match knows (keywords, units, names of the vocabulary
 * and of its values), by hash. Pure; private to the front end.
 */
#ifndef SY_RULES_LEXICON_H
#define SY_RULES_LEXICON_H

#include "rules/vocab.h"

typedef enum sy_kw {
    SY_KW_NONE,
#define SY_WORD(id, en, zh, flags) SY_KW_##id,
#include "rules/lex_words.def"
#undef SY_WORD
    SY_KW_COUNT_ALL
} sy_kw;

enum { SY_KW_TOP = 1, SY_KW_HEAD = 2, SY_KW_STEP = 4, SY_KW_TEST = 8, SY_KW_AGG = 16 };
typedef struct sy_keyword {
    const char *en, *zh; /* zh: spellings parted by "|" */
    unsigned flags;
} sy_keyword;
extern const sy_keyword sy_keywords[SY_KW_COUNT_ALL]; /* [0] is empty */
/* The keyword as it is written: the first spelling of the column. */
sy_span sy_keyword_text(sy_kw k, sy_lang lang);
/* The keyword with exactly this text, or NONE. */
sy_kw sy_keyword_find(sy_span text);
/* True where `text` is a beginning (or the whole) of a Chinese keyword that may follow a name. */
bool sy_keyword_follows(sy_span text);

typedef struct sy_entry {
    sy_span text;
    sy_kw kw;
    const sy_unit *unit;
    const sy_word *word;
    bool value; /* a value of some state or tier */
} sy_entry;

typedef struct sy_lexicon {
    sy_entry *slots;
    size_t n_slots; /* a power of two */
    size_t n;
} sy_lexicon;

SY_MUST_USE sy_err sy_lexicon_make(const sy_vocab *vocab, sy_arena *arena, sy_lexicon *out);
const sy_entry *sy_lexicon_get(const sy_lexicon *l, sy_span text);
/* The longest entry that text begins with (at borders of words), or NULL. */
const sy_entry *sy_lexicon_longest(const sy_lexicon *l, sy_span text);

#endif
