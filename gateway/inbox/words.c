/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words and the choice of language (RFC 9110, 12.5.4, as far as two languages need it).
 */
#include "inbox/words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const words[SY_W_COUNT][2] = {
#define SY_WORD_ROW(name, en, zh) {en, zh},
    SY_WORD_TABLE(SY_WORD_ROW) SY_WORD_TABLE_DESK(SY_WORD_ROW)
#undef SY_WORD_ROW
};

const char *sy_word_text(sy_word_id w, bool zh)
{
    return words[w][zh ? 1 : 0];
}

const char *sy_word_state(const char *state, bool zh)
{
    static const char *const names[] = {"active", "cleared", "superseded", "withdrawn"};
    for (unsigned i = 0; i < 4; i++) {
        if (strcmp(state, names[i]) == 0) {
            return sy_word_text((sy_word_id)(SY_W_S_ACTIVE + i), zh);
        }
    }
    return state;
}

const char *sy_word_change(const char *type, bool zh)
{
    static const char *const names[] = {"raised",     "escalated", "cleared",
                                        "superseded", "amended",   "withdrawn"};
    const char *last = strrchr(type, '.');
    for (unsigned i = 0; last && i < 6; i++) {
        if (strcmp(last + 1, names[i]) == 0) {
            return sy_word_text((sy_word_id)(SY_W_C_RAISED + i), zh);
        }
    }
    static const char *const acts[] = {"acknowledged", "shelved",    "unshelved",
                                       "commented",    "unanswered", "unsuppressed"};
    for (unsigned i = 0; last && i < 6; i++) {
        if (strcmp(last + 1, acts[i]) == 0) {
            return sy_word_text((sy_word_id)(SY_W_C_ACKNOWLEDGED + i), zh);
        }
    }
    return type;
}

/* The weight of one range, in thousandths: "zh-CN;q=0.8". */
static int weight(const char *range, size_t n)
{
    const char *semicolon = memchr(range, ';', n);
    if (!semicolon) {
        return 1000;
    }
    const char *p = semicolon + 1, *end = range + n;
    while (p < end && *p == ' ') {
        p++;
    }
    if (end - p < 3 || (p[0] != 'q' && p[0] != 'Q') || p[1] != '=') {
        return 1000;
    }
    int q = (p[2] == '1') * 1000;
    for (int i = 4, unit = 100; p + i < end && i < 7 && p[2] == '0'; i++, unit /= 10) {
        q += p[i] >= '0' && p[i] <= '9' ? (p[i] - '0') * unit : 0;
    }
    return q;
}

bool sy_prefers_chinese(const char *accept_language)
{
    int zh = 0, en = 0;
    bool zh_first = false; /* of equal weights the one that is named first wins */
    const char *p = accept_language ? accept_language : "";
    while (*p) {
        p += strspn(p, ", ");
        size_t n = strcspn(p, ",");
        int q = weight(p, n);
        if (n >= 2 && strncasecmp(p, "zh", 2) == 0 && q > zh) {
            zh = q;
            zh_first = en < q;
        } else if (n >= 2 && strncasecmp(p, "en", 2) == 0 && q > en) {
            en = q;
        }
        p += n;
    }
    return zh > en || (zh == en && zh > 0 && zh_first);
}
