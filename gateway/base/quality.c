/* SPDX-License-Identifier: Apache-2.0 */
/* Quality as text: the grade, then its reasons in the order of the table. */
#include "base/reading.h"

static const struct {
    sy_quality bit;
    const char *text;
} bits[] = {
#define SY_QUALITY_ROW(name, bit, text) {1 << bit, text},
    SY_QUALITY_TABLE(SY_QUALITY_ROW)
#undef SY_QUALITY_ROW
};

static const char *const grades[] = {"good", "uncertain", "bad"};

void sy_quality_text(sy_quality q, sy_buf *out)
{
    sy_quality grade = q & SY_Q_GRADE;
    sy_buf_text(out, grades[grade > SY_Q_BAD ? SY_Q_BAD : grade]);
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        if (q & bits[i].bit) {
            sy_buf_char(out, '+');
            sy_buf_text(out, bits[i].text);
        }
    }
}

static bool one_bit(sy_span word, sy_quality *q)
{
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        if (sy_span_is(word, bits[i].text)) {
            *q |= bits[i].bit;
            return true;
        }
    }
    return false;
}

sy_err sy_quality_parse(sy_span text, sy_quality *out)
{
    sy_quality q = 0;
    bool first = true;
    size_t at = 0;
    while (first || at < text.n) {
        size_t end = at;
        while (end < text.n && text.p[end] != '+')
            end++;
        sy_span word = {text.p + at, end - at};
        if (first) {
            sy_quality grade = 0;
            while (grade <= SY_Q_BAD && !sy_span_is(word, grades[grade]))
                grade++;
            if (grade > SY_Q_BAD)
                return SY_E_PARSE;
            q = grade;
        } else if (!one_bit(word, &q)) {
            return SY_E_PARSE;
        }
        if (end + 1 == text.n)
            return SY_E_PARSE;
        at = end + 1;
        first = false;
    }
    *out = q;
    return SY_OK;
}
