/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation as a tree for people. Times are those of the premises. */
#include "cli/rules_explain.h"

#include <math.h>

#define PICK(x, en, zh) ((x)->lang == SY_ZH ? (zh) : (en))

void sy_explain_source(sy_buf *out, sy_pos pos)
{
    bool blank = false;
    for (uint32_t k = 0; pos.source && k < pos.len; k++) {
        char c = pos.source->text.p[pos.at + k];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            blank = true;
            continue;
        }
        if (blank) {
            sy_buf_char(out, ' ');
        }
        blank = false;
        sy_buf_char(out, c);
    }
}

void sy_explain_value(const sy_explain_out *x, uint32_t point, double v)
{
    const sy_site_point *p = &x->site->points[point];
    const sy_word *w = sy_vocab_id(x->vocab, sy_span_of(p->quantity));
    if (p->is_state && w && v >= 0 && v < (double)w->n_values) {
        const sy_word_value *s = &w->values[(size_t)v];
        sy_buf_text(x->out, PICK(x, s->id, s->zh));
        return;
    }
    if (isinf(v)) {
        sy_buf_text(x->out, PICK(x, "over range", "超量程"));
        return;
    }
    const sy_unit *u = p->unit ? sy_unit_by_id(p->unit) : NULL;
    sy_buf_double(x->out, v);
    sy_buf_printf(x->out, "%s%s", u ? " " : "", u ? PICK(x, u->en, u->zh) : "");
}

const sy_row *sy_explain_row(const sy_explain_out *x, uint32_t point)
{
    for (size_t k = x->rows->n; k > 0; k--) {
        const sy_row *r = &x->rows->v[k - 1];
        if (r->point == point && r->t <= x->at) {
            return r;
        }
    }
    return NULL;
}

static void put_num(const sy_explain_out *x, const sy_num *n)
{
    sy_buf_double(x->out, n->value);
    if (n->unit) {
        sy_buf_printf(x->out, " %s", PICK(x, n->unit->en, n->unit->zh));
    }
}

void sy_explain_limit(const sy_explain_out *x, const sy_value *v)
{
    const sy_site_premises *p = &x->site->premises[x->site->places[x->of.place].premises];
    if (!v->num && !v->set) {
        return; /* a let, or nothing */
    }
    const sy_num *n = v->set && v->set->dates ? NULL : sy_value_num(v, p->tiers, p->n_tiers);
    if (v->set) {
        sy_buf_span_put(x->out, v->set->name);
        sy_buf_text(x->out, n ? " = " : PICK(x, " (by date)", "（按日期）"));
    }
    if (!n) {
        return;
    }
    put_num(x, n);
    if (n->origin == SY_ORIGIN_TUNABLE && n->tune_lo && n->tune_hi) {
        sy_buf_text(x->out, PICK(x, " [tunable ", " [可调 "));
        put_num(x, n->tune_lo);
        sy_buf_text(x->out, PICK(x, " to ", "至"));
        put_num(x, n->tune_hi);
        sy_buf_char(x->out, ']');
    } else {
        bool law = n->origin == SY_ORIGIN_LAW;
        sy_buf_text(x->out, law ? PICK(x, " [law]", " [法定]") : PICK(x, " [policy]", " [裁量]"));
    }
}

static void put_time(const sy_explain_out *x, sy_ms t)
{
    char text[25];
    const sy_zone *z = x->site->premises[x->site->places[x->of.place].premises].zone;
    sy_time_text(t + sy_zone_offset(z, t), text);
    sy_buf_put(x->out, text, 10);
    sy_buf_char(x->out, ' ');
    sy_buf_put(x->out, text + 11, 8);
}

static void put_length(const sy_explain_out *x, sy_ms t)
{
    static const struct {
        sy_ms ms;
        const char *en, *zh;
    } units[] = {{86400000, " d", "日"},
                 {3600000, " h", "小时"},
                 {60000, " min", "分钟"},
                 {1000, " s", "秒"}};
    bool first = true;
    for (int k = 0; k < 4; k++) {
        if (t >= units[k].ms) {
            sy_buf_printf(x->out, "%s%lld%s", first || x->lang == SY_ZH ? "" : " ",
                          (long long)(t / units[k].ms), PICK(x, units[k].en, units[k].zh));
            t %= units[k].ms;
            first = false;
        }
    }
    if (first) {
        sy_buf_text(x->out, PICK(x, "0 s", "0秒"));
    }
}

static const char *truth(const sy_explain_out *x, sy_truth v)
{
    return v == SY_IS_TRUE    ? PICK(x, "true", "真")
           : v == SY_IS_FALSE ? PICK(x, "false", "假")
                              : PICK(x, "unknown", "未知");
}

static void instance(const sy_explain_out *x, const sy_told *t)
{
    sy_buf_printf(x->out, "%s ", x->of.rule->id);
    sy_buf_text(x->out, x->of.subject);
    sy_buf_text(x->out, PICK(x, " at ", " 于 "));
    put_time(x, x->at);
    if (t->value != SY_IS_TRUE) {
        sy_buf_text(x->out, PICK(x, ", not in force", "，不在有效期内"));
    }
    if (t->open) {
        sy_buf_printf(x->out, PICK(x, ": alert %s, onset ", "：报警 %s，起始 "),
                      sy_alert_level_text(t->level, x->lang));
        put_time(x, t->onset);
        sy_buf_text(x->out, PICK(x, ", raised ", "，报警 "));
        put_time(x, t->raised);
    } else {
        sy_buf_text(x->out, PICK(x, ": no alert", "：无报警"));
    }
}

static void hold(const sy_explain_out *x, const sy_told *t)
{
    if (t->cond && t->cond->hold.kind != SY_HOLD_NONE) {
        sy_buf_text(x->out, t->window ? PICK(x, "cumulative ", "累计 ") : PICK(x, "for ", "持续 "));
        sy_explain_limit(x, &t->cond->hold.length);
        if (t->window) {
            sy_buf_text(x->out, PICK(x, " in any ", " 在任意 "));
            sy_explain_limit(x, &t->cond->hold.window);
        }
    } else {
        sy_buf_text(x->out, PICK(x, "known false", "已知不成立"));
    }
    sy_buf_text(x->out, PICK(x, ": counted ", "：计入 "));
    put_length(x, t->counted);
    sy_buf_text(x->out, PICK(x, " of ", "，需 "));
    put_length(x, t->needed);
    if (t->unknown > 0) {
        sy_buf_text(x->out, PICK(x, ", unknown ", "，未知 "));
        put_length(x, t->unknown);
    }
    if (t->exempt > 0) {
        sy_buf_text(x->out, PICK(x, ", exempt ", "，除外 "));
        put_length(x, t->exempt);
    }
    if (t->onset != SY_MS_NONE) {
        sy_buf_text(x->out, PICK(x, ", since ", "，自 "));
        put_time(x, t->onset);
    }
}

static void condition(const sy_explain_out *x, const sy_told *t)
{
    const sy_cond *c = t->cond;
    bool joined = c && (c->kind == SY_COND_AND || c->kind == SY_COND_OR || c->kind == SY_COND_NOT);
    sy_buf_printf(x->out, "%s: ", truth(x, t->value));
    if (joined) {
        sy_buf_text(x->out, c->kind == SY_COND_AND  ? PICK(x, "and", "且")
                            : c->kind == SY_COND_OR ? PICK(x, "or", "或")
                                                    : PICK(x, "not", "非"));
    } else if (c) {
        sy_explain_source(x->out, c->pos);
    }
}

static void reading(const sy_explain_out *x, const sy_told *t)
{
    const sy_row *r = sy_explain_row(x, t->point);
    sy_buf_printf(x->out, "%s: ", x->site->points[t->point].series);
    if (t->at == SY_MS_NONE) {
        sy_buf_text(x->out, PICK(x, "no valid reading", "无有效读数"));
    } else if (t->cond && t->cond->op == SY_OP_NO_DATA) {
        sy_buf_text(x->out, PICK(x, "last reading ", "末次读数 "));
        put_time(x, t->at);
    } else {
        sy_explain_value(x, t->point, t->reading);
        sy_buf_text(x->out, PICK(x, " at ", " 于 "));
        put_time(x, t->at);
    }
    if (r && r->t >= t->at) {
        sy_buf_char(x->out, ' ');
        if (r->t > t->at) {
            sy_buf_text(x->out, PICK(x, "(since then ", "（其后 "));
            sy_explain_value(x, t->point, r->value);
            sy_buf_text(x->out, PICK(x, " at ", " 于 "));
            put_time(x, r->t);
            sy_buf_char(x->out, ' ');
        }
        sy_quality_text(r->quality, x->out);
        sy_buf_text(x->out, r->t > t->at ? PICK(x, ")", "）") : "");
    }
}

static void limits(const sy_explain_out *x, const sy_told *t)
{
    if (t->cond && t->has_limits) {
        sy_buf_text(x->out, PICK(x, "; limit ", "；限值 "));
        sy_explain_limit(x, &t->cond->a);
        if (t->cond->op == SY_OP_OUTSIDE || t->cond->op == SY_OP_WITHIN) {
            sy_buf_text(x->out, PICK(x, " to ", " 至 "));
            sy_explain_limit(x, &t->cond->b);
        }
    }
}

static void point(const sy_explain_out *x, const sy_told *t)
{
    reading(x, t);
    if (t->cond && t->cond->op == SY_OP_NO_DATA) {
        sy_buf_text(x->out, PICK(x, ", silent ", "，静默 "));
        put_length(x, t->counted);
        sy_buf_text(x->out, PICK(x, " of ", "，需 "));
        put_length(x, t->needed);
    } else if (t->at != SY_MS_NONE) {
        sy_buf_printf(x->out, PICK(x, ", by itself %s", "，单看为%s"), truth(x, t->then));
    }
    limits(x, t);
}

/* A let or an aggregate, in the unit of its limit. */
static void derived(const sy_explain_out *x, const sy_told *t)
{
    const sy_value *a = &t->cond->a;
    const sy_num *n = a->num ? a->num : a->set ? a->set->num : NULL;
    if (t->at == SY_MS_NONE || t->reading != t->reading) {
        sy_buf_text(x->out, PICK(x, "no value", "无值"));
    } else {
        sy_buf_printf(x->out, PICK(x, "comes to %.6g", "计得 %.6g"), t->reading);
        if (n && n->unit) {
            sy_buf_printf(x->out, " %s", PICK(x, n->unit->en, n->unit->zh));
        }
    }
    if (t->at != SY_MS_NONE) {
        sy_buf_text(x->out, PICK(x, " at ", " 于 "));
        put_time(x, t->at);
        sy_buf_printf(x->out, PICK(x, ", by itself %s", "，单看为%s"), truth(x, t->then));
    }
    limits(x, t);
}

static void exemption(const sy_explain_out *x, const sy_told *t)
{
    sy_explain_source(x->out, t->except->pos);
    sy_buf_printf(x->out, PICK(x, ": %lld used", "：已用 %lld 次"), (long long)t->used);
    if (t->open) {
        sy_buf_text(x->out, PICK(x, ", on since ", "，进行中，自 "));
        put_time(x, t->at);
    }
}

void sy_explain_text(void *ctx, const sy_told *t)
{
    const sy_explain_out *x = ctx;
    for (int k = 0; k < t->depth; k++) {
        sy_buf_text(x->out, "  ");
    }
    switch (t->kind) {
    case SY_TOLD_INSTANCE:
        instance(x, t);
        break;
    case SY_TOLD_LEVEL:
        sy_buf_printf(x->out, "%s %s%s%s", PICK(x, "alert", "报警"),
                      sy_alert_level_text(t->level, x->lang),
                      t->open ? PICK(x, ", open", "，已发生") : "",
                      t->blocked ? PICK(x, ", opens again only after it was known false",
                                        "，须先已知不成立方可再次发生")
                                 : "");
        break;
    case SY_TOLD_CLEAR:
        sy_buf_text(x->out, PICK(x, "clear", "解除"));
        if (!t->cond) {
            sy_buf_printf(x->out,
                          PICK(x, " by default, once the above is known false: %s",
                               "（默认，上述条件已知不成立）：%s"),
                          truth(x, t->value));
        }
        break;
    case SY_TOLD_HOLD:
        hold(x, t);
        break;
    case SY_TOLD_COND:
        condition(x, t);
        break;
    case SY_TOLD_POINT:
        point(x, t);
        break;
    case SY_TOLD_DERIVED:
        derived(x, t);
        break;
    case SY_TOLD_EXCEPT:
        exemption(x, t);
        break;
    case SY_TOLD_WATCH:
        reading(x, t);
        break;
    }
    sy_buf_char(x->out, '\n');
}
