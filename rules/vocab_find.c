/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking words up. Words are sorted by id.
 */
#include "rules/vocab.h"

#include "rules/text.h"

const sy_word *sy_vocab_id(const sy_vocab *v, sy_span id)
{
    size_t lo = 0, hi = v->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = sy_text_order(id, sy_span_of(v->words[mid]->id));
        if (c == 0)
            return v->words[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

const sy_word *sy_vocab_name(const sy_vocab *v, sy_span name)
{
    const sy_word *w = sy_vocab_id(v, name);
    for (size_t i = 0; !w && i < v->n; i++)
        for (size_t k = 0; k < v->words[i]->n_zh; k++)
            if (sy_span_is(name, v->words[i]->zh[k]))
                w = v->words[i];
    return w;
}

int sy_word_value_find(const sy_word *w, sy_span name)
{
    for (size_t i = 0; i < w->n_values; i++)
        if (sy_span_is(name, w->values[i].id) || sy_span_is(name, w->values[i].zh))
            return (int)i;
    return -1;
}

static const char *const kinds[SY_W_KINDS][2] = {
    [SY_W_QUANTITY] = {"quantity", "量"},
    [SY_W_STATE] = {"state", "状态"},
    [SY_W_EVENT] = {"event", "事件"},
    [SY_W_PLACE] = {"place", "场所"},
    [SY_W_SUBJECT] = {"subject", "主体"},
    [SY_W_GOODS] = {"goods", "品种"},
    [SY_W_STAGE] = {"stage", "环节"},
    [SY_W_TIER] = {"tier", "等级"},
    [SY_W_RECIPIENT] = {"recipient", "接收人"},
    [SY_W_CALENDAR] = {"calendar", "日历"},
    [SY_W_DATE] = {"date", "日期"},
};

const char *sy_word_kind_text(sy_word_kind k, sy_lang lang)
{
    return kinds[k][lang == SY_ZH];
}
