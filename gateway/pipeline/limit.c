/* SPDX-License-Identifier: Apache-2.0 */
/* A rule's condition as one line of text, for people who read an alert and have no rule file at
 * hand. Values of `set … by` are those of the premises. */
#include "pipeline/event.h"

typedef struct writer {
    sy_buf *out;
    sy_lang lang;
    const sy_site_premises *premises;
} writer;

static void say(const writer *w, const char *en, const char *zh)
{
    sy_buf_text(w->out, w->lang == SY_ZH ? zh : en);
}

static void value(const writer *w, const sy_value *v)
{
    const sy_num *n = sy_value_num(v, w->premises ? w->premises->tiers : NULL,
                                   w->premises ? w->premises->n_tiers : 0);
    if (!n) {
        if (v->let)
            sy_buf_span_put(w->out, v->let->name);
        return;
    }
    sy_buf_double(w->out, n->value);
    if (!n->unit)
        return;
    if (w->lang == SY_EN)
        sy_buf_char(w->out, ' ');
    sy_buf_text(w->out, w->lang == SY_ZH ? n->unit->zh : n->unit->en);
}

static void word(const writer *w, const sy_name *n)
{
    if (n->word)
        sy_buf_text(w->out, w->lang == SY_ZH && n->word->n_zh ? n->word->zh[0] : n->word->id);
    else
        sy_buf_span_put(w->out, n->text);
}

static void hold(const writer *w, const sy_hold *h)
{
    if (h->kind == SY_HOLD_NONE)
        return;
    if (h->kind == SY_HOLD_FOR) {
        say(w, " for ", "持续");
        value(w, &h->length);
        return;
    }
    say(w, " cumulative ", "累计");
    value(w, &h->length);
    say(w, " in any ", "在任意");
    value(w, &h->window);
}

static void compare(const writer *w, const sy_cond *c)
{
    static const char *const en[] = {" above ", " below ", " at least ", " at most "};
    static const char *const zh[] = {"高于", "低于", "不低于", "不高于"};
    switch (c->op) {
    case SY_OP_ABOVE:
    case SY_OP_BELOW:
    case SY_OP_AT_LEAST:
    case SY_OP_AT_MOST:
        say(w, en[c->op], zh[c->op]);
        value(w, &c->a);
        break;
    case SY_OP_OUTSIDE:
    case SY_OP_WITHIN:
        say(w, c->op == SY_OP_OUTSIDE ? " outside " : " within ",
            c->op == SY_OP_OUTSIDE ? "超出" : "处于");
        value(w, &c->a);
        say(w, " to ", "至");
        value(w, &c->b);
        break;
    case SY_OP_IS:
        say(w, " is ", "为");
        if (c->operand.word && c->state >= 0 && (size_t)c->state < c->operand.word->n_values) {
            const sy_word_value *v = &c->operand.word->values[c->state];
            say(w, v->id, v->zh);
        } else {
            sy_buf_span_put(w->out, c->state_name.text);
        }
        break;
    case SY_OP_NO_DATA:
    case SY_OP_STUCK:
    case SY_OP_EXPOSURE_ABOVE:
    case SY_OP_EXPOSURE_BELOW:
    case SY_OP_DUE_WITHIN:
    case SY_OP_OVERDUE:
        say(w, " has no data", "无数据");
        break;
    }
}

static void test(const writer *w, const sy_cond *c)
{
    if (c->pick == SY_PICK_ANY) {
        say(w, "any of ", "任一");
    } else if (c->pick == SY_PICK_ALL) {
        say(w, "all of ", "全部");
    } else if (c->pick == SY_PICK_COUNT) {
        sy_buf_int(w->out, c->pick_n);
        say(w, " of ", "个");
    }
    word(w, &c->operand);
    compare(w, c);
}

/* Recursion is bounded: the parser allows a nesting of 32. */
static void cond(const writer *w, const sy_cond *c, bool inner) // NOLINT(misc-no-recursion)
{
    bool brackets = c->kind != SY_COND_TEST && (inner || c->hold.kind != SY_HOLD_NONE);
    if (brackets)
        sy_buf_char(w->out, '(');
    if (c->kind == SY_COND_TEST)
        test(w, c);
    if (c->kind == SY_COND_NOT)
        say(w, "not ", "非");
    for (size_t i = 0; c->kind != SY_COND_TEST && i < c->n_kids; i++) {
        if (i)
            say(w, c->kind == SY_COND_AND ? " and " : " or ", c->kind == SY_COND_AND ? "且" : "或");
        cond(w, c->kids[i], true);
    }
    if (brackets)
        sy_buf_char(w->out, ')');
    hold(w, &c->hold);
}

void sy_limit_text(const sy_rule *r, sy_alert_level level, const sy_site_premises *premises,
                   sy_lang lang, sy_buf *out)
{
    writer w = {out, lang, premises};
    for (size_t i = 0; i < r->n_alerts; i++)
        if (r->alerts[i].level == level)
            cond(&w, r->alerts[i].when, false);
}
