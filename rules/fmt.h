/*
 * The canonical layout of a rule text, in either language. Pure.
 *
 * Keywords, names of the vocabulary, values and units are written in the chosen language; strings,
 * comments, numbers and the names that a rule declares stay as they are. One clause a line, two
 * blanks in, exemptions four; a comment stays before the clause or at the end of the line where it
 * stood (within a clause the line ends at it and goes on below). Writing what was written gives the
 * same bytes, and the rules judge the same: in both languages they have the judgement hash that
 * they had.
 */
#ifndef SY_RULES_FMT_H
#define SY_RULES_FMT_H

#include "base/buf.h"
#include "rules/vocab.h"

typedef enum sy_fmt_lang {
    SY_FMT_OWN, /* that of most keywords of the text */
    SY_FMT_EN,
    SY_FMT_ZH
} sy_fmt_lang;

/* Append the text to out. It should be one that loads: what the parser refuses is laid out as well
 * as it can be. SY_E_PARSE (reported) where it is no text at all, SY_E_NOMEM. Memory from `arena`,
 * which may be freed afterwards. */
SY_MUST_USE sy_err sy_fmt(const sy_source *source, const sy_vocab *vocab, sy_fmt_lang lang,
                          sy_arena *arena, sy_diags *diags, sy_buf *out);

#endif
