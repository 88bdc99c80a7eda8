/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: of which kind they are, whether the rule watches them, and the nearest known one.
 */
#include "rules/check.h"

void sy_c_say(sy_checker *c, sy_severity s, const char *code, sy_pos pos, const char *en,
              const char *zh, const char *near, sy_span a, sy_span b)
{
    sy_diag_say(c->diags, s, code, pos, en, zh, near, (sy_span[SY_DIAG_ARGS]){a, b});
}

bool sy_c_fail(sy_checker *c, const char *code, sy_pos pos, const char *en, const char *zh)
{
    sy_c_say(c, SY_DIAG_ERROR, code, pos, en, zh, NULL, (sy_span){NULL, 0}, (sy_span){NULL, 0});
    return false;
}

static const char *near_word(const sy_checker *c, sy_span text, unsigned kinds)
{
    const char *best = NULL;
    size_t n = 0;
    const char *words[128];
    bool latin = text.n > 0 && sy_text_letter(text.p[0]);
    for (size_t i = 0; i < c->vocab->n; i++) {
        const sy_word *w = c->vocab->words[i];
        if (!(kinds & SY_KIND(w->kind)))
            continue;
        for (size_t k = 0; k < (latin ? 1 : w->n_zh); k++) {
            words[n++] = latin ? w->id : w->zh[k];
            if (n == sizeof words / sizeof *words - 1) {
                best = sy_nearest(text, words, n);
                n = 0;
                if (best)
                    words[n++] = best;
            }
        }
    }
    return sy_nearest(text, words, n);
}

const sy_word *sy_c_word(sy_checker *c, const sy_name *name, unsigned kinds, const char *en,
                         const char *zh)
{
    const sy_word *w = name->word;
    if (w && (kinds & SY_KIND(w->kind)))
        return w;
    if (w) {
        sy_diag_say(c->diags, SY_DIAG_ERROR, "wrong-kind", name->pos,
                    "'%1' is of kind %2; expected here: %3", "“%1”的种类是%4，此处应为%5", NULL,
                    (sy_span[SY_DIAG_ARGS]){
                        name->text, sy_span_of(sy_word_kind_text(w->kind, SY_EN)), sy_span_of(en),
                        sy_span_of(sy_word_kind_text(w->kind, SY_ZH)), sy_span_of(zh)});
        return NULL;
    }
    sy_diag_say(c->diags, SY_DIAG_ERROR, "unknown-name", name->pos, "unknown %2 '%1'", "未知%3“%1”",
                near_word(c, name->text, kinds),
                (sy_span[SY_DIAG_ARGS]){name->text, sy_span_of(en), sy_span_of(zh)});
    return NULL;
}

int sy_c_state_value(sy_checker *c, const sy_word *state, const sy_name *value)
{
    int v = sy_word_value_find(state, value->text);
    const char *words[2 * 64];
    size_t n = 0;
    for (size_t i = 0; v < 0 && i < state->n_values && n + 2 <= 128; i++) {
        words[n++] = state->values[i].id;
        words[n++] = state->values[i].zh;
    }
    if (v < 0)
        sy_c_say(c, SY_DIAG_ERROR, "unknown-value", value->pos, "'%1' is no value of %2",
                 "“%1”不是“%2”的取值", sy_nearest(value->text, words, n), value->text,
                 sy_span_of(sy_text_letter(value->text.p[0]) ? state->id : state->zh[0]));
    return v;
}

bool sy_c_watched(const sy_rule *r, const sy_word *w)
{
    for (size_t i = 0; i < r->n_watch; i++)
        if (r->watch[i].word == w)
            return true;
    return false;
}

bool sy_c_member(const sy_rule *r, const sy_word *w)
{
    for (size_t i = 0; i < r->n_watch; i++) {
        const sy_word *e = r->watch[i].word;
        for (size_t k = 0; e && k < e->n_members; k++)
            if (e->members[k] == w)
                return true;
    }
    return false;
}

const sy_word *sy_c_operand(sy_checker *c, const sy_name *name, unsigned kinds, bool members,
                            const char *en, const char *zh)
{
    const sy_rule *r = &c->draft->rule;
    const sy_word *w = sy_c_word(c, name, kinds, en, zh);
    if (w && r->n_watch > 0 && !sy_c_watched(r, w) && !(members && sy_c_member(r, w)))
        sy_c_say(c, SY_DIAG_ERROR, "not-watched", name->pos,
                 "'%1' is not among the names that 'watch' lists", "“%1”不在“监测”所列名称之中",
                 NULL, name->text, name->text);
    return w;
}

int sy_c_state(sy_checker *c, const sy_name *state, const sy_name *value)
{
    const sy_word *w = sy_c_operand(c, state, SY_KIND(SY_W_STATE), false, "state", "状态");
    return w ? sy_c_state_value(c, w, value) : -1;
}
