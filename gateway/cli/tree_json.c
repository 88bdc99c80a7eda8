/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree as JSON: the writer, and the small nodes that stand in clauses of every kind.
 */
#include "cli/tree_json.h"

static void before(sy_tree_out *w)
{
    if (w->more)
        sy_buf_text(w->out, ", ");
    w->more = true;
}

void sy_tree_open(sy_tree_out *w, char bracket)
{
    before(w);
    sy_buf_char(w->out, bracket);
    w->more = false;
}

void sy_tree_close(sy_tree_out *w, char bracket)
{
    sy_buf_char(w->out, bracket);
    w->more = true;
}

void sy_tree_key(sy_tree_out *w, const char *key)
{
    before(w);
    sy_buf_json(w->out, sy_span_of(key));
    sy_buf_text(w->out, ": ");
    w->more = false;
}

void sy_tree_span(sy_tree_out *w, sy_span text)
{
    before(w);
    if (text.p)
        sy_buf_json(w->out, text);
    else
        sy_buf_text(w->out, "null");
}

void sy_tree_string(sy_tree_out *w, const char *s)
{
    sy_tree_span(w, sy_span_of(s));
}

void sy_tree_bool(sy_tree_out *w, bool b)
{
    before(w);
    sy_buf_text(w->out, b ? "true" : "false");
}

void sy_tree_int(sy_tree_out *w, int64_t v)
{
    before(w);
    sy_buf_int(w->out, v);
}

void sy_tree_text(sy_tree_out *w, const sy_text *t)
{
    if (!t->en && !t->zh) {
        sy_tree_string(w, NULL);
        return;
    }
    sy_tree_open(w, '{');
    sy_tree_key(w, "en");
    sy_tree_string(w, t->en);
    sy_tree_key(w, "zh");
    sy_tree_string(w, t->zh);
    sy_tree_close(w, '}');
}

void sy_tree_name(sy_tree_out *w, const sy_name *n)
{
    sy_tree_span(w, n->word ? sy_span_of(n->word->id) : n->text.n ? n->text : (sy_span){NULL, 0});
}

void sy_tree_names(sy_tree_out *w, const sy_name *v, size_t n)
{
    sy_tree_open(w, '[');
    for (size_t i = 0; i < n; i++)
        sy_tree_name(w, &v[i]);
    sy_tree_close(w, ']');
}

void sy_tree_date(sy_tree_out *w, bool there, sy_date d)
{
    before(w);
    if (there)
        sy_buf_printf(w->out, "\"%04d-%02d-%02d\"", (int)d.year, (int)d.month, (int)d.day);
    else
        sy_buf_text(w->out, "null");
}

void sy_tree_place(sy_tree_out *w, sy_pos pos)
{
    uint32_t line, column;
    sy_tree_key(w, "place");
    sy_pos_line(pos, &line, &column);
    sy_tree_open(w, '{');
    sy_tree_key(w, "file");
    sy_tree_string(w, pos.source ? pos.source->name : NULL);
    sy_tree_key(w, "line");
    sy_tree_int(w, line);
    sy_tree_key(w, "column");
    sy_tree_int(w, column);
    sy_tree_close(w, '}');
}

/* mant * 10^exp10 in digits. */
static void decimal(sy_tree_out *w, const sy_num *n)
{
    char digits[24];
    size_t len = 0;
    int64_t m = n->mant < 0 ? -n->mant : n->mant;
    before(w);
    do {
        digits[len++] = (char)('0' + m % 10);
        m /= 10;
    } while (m);
    if (n->mant < 0)
        sy_buf_char(w->out, '-');
    int32_t point = (int32_t)len + n->exp10; /* digits before the point */
    if (point <= 0)
        sy_buf_text(w->out, "0.");
    for (int32_t i = point; i < 0; i++)
        sy_buf_char(w->out, '0');
    for (size_t i = 0; i < len; i++) {
        if (point > 0 && (int32_t)i == point)
            sy_buf_char(w->out, '.');
        sy_buf_char(w->out, digits[len - 1 - i]);
    }
    for (int32_t i = 0; i < n->exp10; i++)
        sy_buf_char(w->out, '0');
}

static void put_origin(sy_tree_out *w, sy_origin o)
{
    static const char *const names[] = {[SY_ORIGIN_NONE] = NULL,
                                        [SY_ORIGIN_LAW] = "law",
                                        [SY_ORIGIN_POLICY] = "policy",
                                        [SY_ORIGIN_TUNABLE] = "tunable"};
    sy_tree_key(w, "origin");
    sy_tree_string(w, names[o]);
}

static void put_amount(sy_tree_out *w, const sy_num *n)
{
    sy_tree_key(w, "number");
    decimal(w, n);
    sy_tree_key(w, "unit");
    sy_tree_string(w, n->unit ? n->unit->id : NULL);
    sy_tree_key(w, "per");
    sy_tree_string(w, n->time_power < 0 && n->time ? n->time->id : NULL);
    sy_tree_key(w, "times");
    sy_tree_string(w, n->time_power > 0 && n->time ? n->time->id : NULL);
}

static void put_bound(sy_tree_out *w, const char *key, const sy_num *n)
{
    sy_tree_key(w, key);
    if (!n) {
        sy_tree_string(w, NULL);
        return;
    }
    sy_tree_open(w, '{');
    put_amount(w, n);
    sy_tree_place(w, n->pos);
    sy_tree_close(w, '}');
}

void sy_tree_num(sy_tree_out *w, const sy_num *n)
{
    if (!n) {
        sy_tree_string(w, NULL);
        return;
    }
    sy_tree_open(w, '{');
    put_amount(w, n);
    put_origin(w, n->origin);
    put_bound(w, "tunable_from", n->tune_lo);
    put_bound(w, "tunable_to", n->tune_hi);
    sy_tree_place(w, n->pos);
    sy_tree_close(w, '}');
}

void sy_tree_value(sy_tree_out *w, const sy_value *v)
{
    if (!v || v->num || (!v->set && !v->let)) {
        sy_tree_num(w, v ? v->num : NULL);
        return;
    }
    sy_tree_open(w, '{');
    sy_tree_key(w, v->set ? "set" : "let");
    sy_tree_span(w, v->set ? v->set->name : v->let->name);
    sy_tree_place(w, v->pos);
    sy_tree_close(w, '}');
}

static const char *agg_name(sy_agg_kind k)
{
    static const char *const names[] = {
        [SY_AGG_MEAN] = "mean",
        [SY_AGG_HOURLY_MEAN] = "hourly-mean",
        [SY_AGG_DAILY_MEAN] = "daily-mean",
        [SY_AGG_KINETIC] = "mean-kinetic-temperature",
        [SY_AGG_HIGHEST] = "highest",
        [SY_AGG_LOWEST] = "lowest",
        [SY_AGG_SPREAD] = "spread",
        [SY_AGG_RATE] = "rate",
        [SY_AGG_TOTAL] = "total",
        [SY_AGG_SOUND_LEVEL] = "sound-level-mean",
        [SY_AGG_PERCENTILE] = "percentile",
        [SY_AGG_MEDIAN] = "median",
    };
    return names[k];
}

void sy_tree_agg(sy_tree_out *w, const sy_agg *a)
{
    sy_tree_open(w, '{');
    sy_tree_key(w, "aggregate");
    sy_tree_string(w, agg_name(a->kind));
    sy_tree_key(w, "rank");
    sy_tree_num(w, a->rank);
    sy_tree_key(w, "of");
    sy_tree_name(w, &a->of);
    sy_tree_key(w, "over");
    sy_tree_value(w, a->over);
    sy_tree_key(w, "while");
    if (a->while_state.text.n) {
        const sy_word *state = a->while_state.word;
        sy_tree_open(w, '{');
        sy_tree_key(w, "state");
        sy_tree_name(w, &a->while_state);
        sy_tree_key(w, "value");
        sy_tree_string(w, state ? state->values[a->while_value].id : NULL);
        sy_tree_close(w, '}');
    } else {
        sy_tree_string(w, NULL);
    }
    sy_tree_key(w, "valid");
    sy_tree_value(w, a->valid);
    sy_tree_place(w, a->pos);
    sy_tree_close(w, '}');
}

static void put_rows(sy_tree_out *w, const sy_expr *e)
{
    sy_tree_key(w, "of");
    sy_tree_name(w, &e->name);
    sy_tree_key(w, "rows");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < e->n_rows; i++) {
        sy_tree_open(w, '{');
        sy_tree_key(w, "x");
        sy_tree_num(w, e->rows[i].x);
        sy_tree_key(w, "y");
        sy_tree_num(w, e->rows[i].y);
        sy_tree_close(w, '}');
    }
    sy_tree_close(w, ']');
}

void sy_tree_sum(sy_tree_out *w, const sy_expr *e)
{
    static const char *const kinds[] = {
        [SY_EXPR_VALUE] = "value",   [SY_EXPR_QUANTITY] = "quantity", [SY_EXPR_LET] = "let",
        [SY_EXPR_AGG] = "aggregate", [SY_EXPR_TABLE] = "table",       [SY_EXPR_ADD] = "add",
        [SY_EXPR_SUB] = "subtract",  [SY_EXPR_MUL] = "multiply",      [SY_EXPR_DIV] = "divide",
    };
    sy_tree_open(w, '{');
    sy_tree_key(w, "sum");
    sy_tree_string(w, kinds[e->kind]);
    switch (e->kind) {
    case SY_EXPR_VALUE:
        sy_tree_key(w, "value");
        sy_tree_value(w, &e->value);
        break;
    case SY_EXPR_QUANTITY:
        sy_tree_key(w, "name");
        sy_tree_name(w, &e->name);
        break;
    case SY_EXPR_LET:
        sy_tree_key(w, "name");
        sy_tree_span(w, e->let->name);
        break;
    case SY_EXPR_AGG:
        sy_tree_key(w, "value");
        sy_tree_agg(w, e->agg);
        break;
    case SY_EXPR_TABLE:
        put_rows(w, e);
        break;
    case SY_EXPR_ADD:
    case SY_EXPR_SUB:
    case SY_EXPR_MUL:
    case SY_EXPR_DIV:
        sy_tree_key(w, "left");
        sy_tree_sum(w, e->a);
        sy_tree_key(w, "right");
        sy_tree_sum(w, e->b);
        break;
    }
    sy_tree_key(w, "unit");
    sy_tree_string(w, e->unit ? e->unit->id : NULL);
    sy_tree_place(w, e->pos);
    sy_tree_close(w, '}');
}

const char *sy_tree_level(sy_alert_level l)
{
    return l ? sy_alert_level_text(l, SY_EN) : NULL;
}

const char *sy_tree_op(sy_op op)
{
    static const char *const names[] = {
        [SY_OP_ABOVE] = "above",
        [SY_OP_BELOW] = "below",
        [SY_OP_AT_LEAST] = "at-least",
        [SY_OP_AT_MOST] = "at-most",
        [SY_OP_OUTSIDE] = "outside",
        [SY_OP_WITHIN] = "within",
        [SY_OP_IS] = "is",
        [SY_OP_NO_DATA] = "has-no-data",
        [SY_OP_STUCK] = "stuck",
        [SY_OP_EXPOSURE_ABOVE] = "exposure-above",
        [SY_OP_EXPOSURE_BELOW] = "exposure-below",
        [SY_OP_DUE_WITHIN] = "due-within",
        [SY_OP_OVERDUE] = "overdue",
    };
    return names[op];
}
