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

static void unit(const writer *w, const sy_unit *u)
{
    sy_buf_text(w->out, w->lang == SY_ZH ? u->zh : u->en);
}

static void number(const writer *w, const sy_num *n)
{
    sy_buf_double(w->out, n->value);
    if (!n->unit)
        return;
    if (w->lang == SY_EN)
        sy_buf_char(w->out, ' ');
    unit(w, n->unit);
    if (n->time) {
        sy_buf_text(w->out, n->time_power < 0 ? "/" : "·");
        unit(w, n->time);
    }
}

static void date(const writer *w, sy_date d)
{
    char b[10];
    int v[] = {d.year / 100, d.year % 100, d.month, d.day};
    for (int i = 0, at = 0; i < 4; i++) {
        if (i > 1)
            b[at++] = '-';
        b[at++] = (char)('0' + v[i] / 10 % 10);
        b[at++] = (char)('0' + v[i] % 10);
    }
    sy_buf_put(w->out, b, sizeof b);
}

/* Of a value by date all that it can be: this text knows no date. */
static void dates(const writer *w, const sy_setdef *s)
{
    number(w, s->dates[0].num);
    for (size_t i = 1; i < s->n_dates; i++) {
        say(w, i > 1 ? "; from " : " (from ", i > 1 ? "；自" : "（自");
        date(w, s->dates[i].from);
        sy_buf_char(w->out, ' ');
        number(w, s->dates[i].num);
    }
    if (s->n_dates > 1)
        say(w, ")", "）");
}

static void value(const writer *w, const sy_value *v)
{
    if (v->let) {
        sy_buf_span_put(w->out, v->let->name);
    } else if (v->set && v->set->n_dates) {
        dates(w, v->set);
    } else {
        number(w, sy_value_num(v, w->premises ? w->premises->tiers : NULL,
                               w->premises ? w->premises->n_tiers : 0));
    }
}

static void word(const writer *w, const sy_name *n)
{
    if (n->word)
        sy_buf_text(w->out, w->lang == SY_ZH && n->word->n_zh ? n->word->zh[0] : n->word->id);
    else
        sy_buf_span_put(w->out, n->text);
}

static void state_value(const writer *w, const sy_name *state, int v, const sy_name *written)
{
    if (state->word && v >= 0 && (size_t)v < state->word->n_values)
        say(w, state->word->values[v].id, state->word->values[v].zh);
    else
        sy_buf_span_put(w->out, written->text);
}

static void within(const writer *w, const sy_value *v)
{
    say(w, " within ", "在");
    value(w, v);
    say(w, "", "内");
}

static void hold(const writer *w, const sy_hold *h)
{
    switch (h->kind) {
    case SY_HOLD_NONE:
        break;
    case SY_HOLD_FOR:
        say(w, " for ", "持续");
        value(w, &h->length);
        break;
    case SY_HOLD_CUMULATIVE:
        say(w, " cumulative ", "累计");
        value(w, &h->length);
        say(w, " in any ", "在任意");
        value(w, &h->window);
        break;
    case SY_HOLD_READINGS:
        say(w, " in ", "达到");
        sy_buf_int(w->out, h->n);
        say(w, " of ", "/");
        sy_buf_int(w->out, h->of);
        say(w, " readings", "次读数");
        break;
    }
}

/* mean of fume over 1 h while fan is on (valid at least 75 %) */
static void aggregate(const writer *w, const sy_agg *a)
{
    static const char *const texts[][2] = {
        [SY_AGG_MEAN] = {"mean", "均值"},
        [SY_AGG_HOURLY_MEAN] = {"hourly mean", "小时均值"},
        [SY_AGG_DAILY_MEAN] = {"daily mean", "日均值"},
        [SY_AGG_KINETIC] = {"mean kinetic temperature", "平均动力学温度"},
        [SY_AGG_HIGHEST] = {"highest", "最高值"},
        [SY_AGG_LOWEST] = {"lowest", "最低值"},
        [SY_AGG_SPREAD] = {"spread", "极差"},
        [SY_AGG_RATE] = {"rate", "变化率"},
        [SY_AGG_TOTAL] = {"total", "总量"},
        [SY_AGG_SOUND_LEVEL] = {"sound level mean", "等效声级"},
        [SY_AGG_PERCENTILE] = {"percentile ", "百分位"},
        [SY_AGG_MEDIAN] = {"median", "中位数"},
    };
    if (w->lang == SY_ZH) {
        word(w, &a->of);
        sy_buf_text(w->out, "的");
    } else {
        sy_buf_text(w->out, texts[a->kind][0]);
    }
    if (a->rank)
        sy_buf_double(w->out, a->rank->value);
    if (w->lang == SY_ZH) {
        sy_buf_text(w->out, texts[a->kind][1]);
    } else {
        sy_buf_text(w->out, " of ");
        word(w, &a->of);
    }
    if (a->over) {
        say(w, " over ", "过去");
        value(w, a->over);
    }
    if (a->while_state.text.n) {
        say(w, " while ", "期间");
        word(w, &a->while_state);
        say(w, " is ", "为");
        state_value(w, &a->while_state, a->while_value, &a->while_name);
    }
    if (a->valid) {
        say(w, " (valid at least ", "（有效率不低于");
        value(w, a->valid);
        say(w, ")", "）");
    }
}

static void operand(const writer *w, const sy_cond *c)
{
    if (c->pick == SY_PICK_ANY) {
        say(w, "any of ", "任一");
    } else if (c->pick == SY_PICK_ALL) {
        say(w, "all of ", "全部");
    } else if (c->pick == SY_PICK_COUNT) {
        sy_buf_int(w->out, c->pick_n);
        say(w, " of ", "个");
    }
    if (c->agg)
        aggregate(w, c->agg);
    else if (c->let)
        sy_buf_span_put(w->out, c->let->name);
    else
        word(w, &c->operand);
}

static const char *const plain[][2] = {
    {" above ", "高于"}, {" below ", "低于"}, {" at least ", "不低于"}, {" at most ", "不高于"}};

static void exposure(const writer *w, const sy_cond *c)
{
    bool above = c->op == SY_OP_EXPOSURE_ABOVE;
    say(w, above ? " exposure above " : " exposure below ",
        above ? "超限累积高于" : "超限累积低于");
    value(w, &c->a);
    say(w, " more than ", "超过");
    value(w, &c->b);
    say(w, " in any ", "在任意");
    value(w, &c->window);
}

static void compare(const writer *w, const sy_cond *c)
{
    switch (c->op) {
    case SY_OP_ABOVE:
    case SY_OP_BELOW:
    case SY_OP_AT_LEAST:
    case SY_OP_AT_MOST:
        say(w, plain[c->op][0], plain[c->op][1]);
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
        state_value(w, &c->operand, c->state, &c->state_name);
        break;
    case SY_OP_NO_DATA:
        say(w, " has no data", "无数据");
        break;
    case SY_OP_STUCK:
        say(w, " stuck for ", "不变");
        value(w, &c->a);
        if (c->others_move)
            say(w, " while others move", "而其他变化");
        break;
    case SY_OP_EXPOSURE_ABOVE:
    case SY_OP_EXPOSURE_BELOW:
        exposure(w, c);
        break;
    case SY_OP_DUE_WITHIN:
        say(w, " due within ", "临期");
        value(w, &c->a);
        break;
    case SY_OP_OVERDUE:
        say(w, " overdue", "逾期");
        break;
    }
}

static void portion(const writer *w, const sy_portion *p)
{
    say(w, ", share of ", "，");
    word(w, &p->event);
    say(w, plain[p->op][0], p->op == SY_OP_ABOVE ? "占比高于" : "占比不低于");
    value(w, &p->share);
    if (!p->counted)
        return;
    say(w, ", counted at least ", "，统计次数不少于");
    sy_buf_double(w->out, p->counted->value);
}

static void curve(const writer *w, const sy_cond *c)
{
    operand(w, c);
    say(w, " from start of ", "自开始");
    word(w, &c->curve_state);
    say(w, " ", "");
    state_value(w, &c->curve_state, c->state, &c->state_name);
    for (size_t i = 0; i < c->n_deadlines; i++) {
        const sy_deadline *d = &c->deadlines[i];
        say(w, i ? "," : ":", i ? "，" : "：");
        say(w, plain[d->op][0], plain[d->op][1]);
        value(w, &d->limit);
        within(w, &d->within);
    }
}

static void test(const writer *w, const sy_cond *c)
{
    operand(w, c);
    if (c->beyond_doubt)
        say(w, " beyond doubt", "明确");
    compare(w, c);
    if (c->portion)
        portion(w, c->portion);
}

static void cond(const writer *w, const sy_cond *c, bool inner);

/* The text between two conditions. */
static void join(const writer *w, sy_cond_kind k)
{
    switch (k) {
    case SY_COND_AND:
        say(w, " and ", "且");
        break;
    case SY_COND_OR:
        say(w, " or ", "或");
        break;
    case SY_COND_FOLLOWED:
        say(w, " followed by ", "随后");
        break;
    case SY_COND_NOT_FOLLOWED:
        say(w, " not followed by ", "随后未");
        break;
    case SY_COND_TEST:
    case SY_COND_NOT:
    case SY_COND_LASTS:
    case SY_COND_CURVE:
        break;
    }
}

/* Recursion is bounded: the parser allows a nesting of 32. */
static void several(const writer *w, const sy_cond *c) // NOLINT(misc-no-recursion)
{
    if (c->kind == SY_COND_NOT)
        say(w, "not ", "非");
    for (size_t i = 0; i < c->n_kids; i++) {
        bool held = c->kids[i]->kind == SY_COND_TEST && c->kids[i]->hold.kind != SY_HOLD_NONE;
        if (i)
            join(w, c->kind);
        if (held)
            say(w, "(", "（");
        cond(w, c->kids[i], true);
        if (held)
            say(w, ")", "）");
    }
    if (c->kind == SY_COND_FOLLOWED || c->kind == SY_COND_NOT_FOLLOWED)
        within(w, &c->length);
}

static void cond(const writer *w, const sy_cond *c, bool inner) // NOLINT(misc-no-recursion)
{
    bool one = c->kind == SY_COND_TEST || c->kind == SY_COND_LASTS;
    bool brackets = !one && (inner || c->hold.kind != SY_HOLD_NONE);
    if (brackets)
        sy_buf_char(w->out, '(');
    if (c->kind == SY_COND_TEST) {
        test(w, c);
    } else if (c->kind == SY_COND_LASTS) {
        sy_buf_text(w->out, sy_alert_level_text(c->level, w->lang));
        say(w, " lasts ", "连续");
        value(w, &c->length);
    } else if (c->kind == SY_COND_CURVE) {
        curve(w, c);
    } else {
        several(w, c);
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
