/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical text of numbers, names, sums and conditions: prefix form, a blank before each word.
 */
#include "rules/hash_write.h"

void sy_w(sy_hash_writer *w, const char *text)
{
    sy_sha256_add(&w->sha, text, strlen(text));
}

void sy_w_int(sy_hash_writer *w, int64_t v)
{
    char b[24];
    size_t n = sizeof b;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    b[--n] = 0;
    do {
        b[--n] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        b[--n] = '-';
    sy_w(w, b + n);
}

void sy_w_amount(sy_hash_writer *w, const sy_num *n)
{
    sy_w_int(w, n->mant);
    sy_w(w, "e");
    sy_w_int(w, n->exp10);
    sy_w(w, " ");
    sy_w(w, n->unit ? n->unit->id : "-");
    if (n->time) {
        sy_w(w, n->time_power < 0 ? "/" : "*");
        sy_w(w, n->time->id);
    }
}

void sy_w_num(sy_hash_writer *w, const sy_num *n)
{
    sy_w(w, " ");
    sy_w_amount(w, n);
    switch (n->origin) {
    case SY_ORIGIN_LAW:
        sy_w(w, " law");
        break;
    case SY_ORIGIN_TUNABLE:
        sy_w(w, " tunable ");
        sy_w_amount(w, n->tune_lo);
        sy_w(w, " ");
        sy_w_amount(w, n->tune_hi);
        break;
    case SY_ORIGIN_NONE:
    case SY_ORIGIN_POLICY:
        sy_w(w, " policy");
        break;
    }
}

void sy_w_value(sy_hash_writer *w, const sy_value *v)
{
    if (v->num) {
        sy_w_num(w, v->num);
    } else if (v->set) {
        sy_w(w, " @");
        sy_w_int(w, v->set->order);
    } else if (v->let) {
        sy_w(w, " @");
        sy_w_int(w, v->let->order);
    }
}

void sy_w_names(sy_hash_writer *w, const sy_name *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sy_w(w, " ");
        sy_w(w, names[i].word ? names[i].word->id : "?");
    }
}

/* STATE VALUE */
static void put_state(sy_hash_writer *w, const sy_name *state, int value)
{
    sy_w_names(w, state, 1);
    sy_w(w, " ");
    if (state->word && value >= 0)
        sy_w(w, state->word->values[value].id);
}

static void put_agg(sy_hash_writer *w, const sy_agg *a)
{
    static const char *const kinds[] = {"mean",    "hourly-mean", "daily-mean",  "kinetic",
                                        "highest", "lowest",      "spread",      "rate",
                                        "total",   "sound-level", "percentile ", "median"};
    sy_w(w, " (");
    sy_w(w, kinds[a->kind]);
    if (a->rank)
        sy_w_amount(w, a->rank);
    sy_w_names(w, &a->of, 1);
    if (a->over) {
        sy_w(w, " over");
        sy_w_value(w, a->over);
    }
    if (a->while_state.text.n) {
        sy_w(w, " while");
        put_state(w, &a->while_state, a->while_value);
    }
    if (a->valid) {
        sy_w(w, " valid");
        sy_w_value(w, a->valid);
    }
    sy_w(w, ")");
}

static void put_table(sy_hash_writer *w, const sy_expr *e)
{
    sy_w(w, " (table");
    sy_w_names(w, &e->name, 1);
    for (size_t i = 0; i < e->n_rows; i++) {
        sy_w(w, "; ");
        sy_w_amount(w, e->rows[i].x);
        sy_w_num(w, e->rows[i].y);
    }
    sy_w(w, ")");
}

void sy_w_sum(sy_hash_writer *w, const sy_expr *e)
{
    static const char *const signs[] = {" (+", " (-", " (*", " (/"};
    switch (e->kind) {
    case SY_EXPR_VALUE:
        sy_w_value(w, &e->value);
        return;
    case SY_EXPR_QUANTITY:
        sy_w_names(w, &e->name, 1);
        return;
    case SY_EXPR_LET:
        sy_w(w, " @");
        sy_w_int(w, e->let->order);
        return;
    case SY_EXPR_AGG:
        put_agg(w, e->agg);
        return;
    case SY_EXPR_TABLE:
        put_table(w, e);
        return;
    case SY_EXPR_ADD:
    case SY_EXPR_SUB:
    case SY_EXPR_MUL:
    case SY_EXPR_DIV:
        break;
    }
    sy_w(w, signs[e->kind - SY_EXPR_ADD]);
    sy_w_sum(w, e->a);
    sy_w_sum(w, e->b);
    sy_w(w, ")");
}

static const char *const ops[] = {
    " above",   " below", " at-least",       " at-most",        " outside",    " within", " is ",
    " no-data", " stuck", " exposure-above", " exposure-below", " due-within", " overdue"};

static void put_operand(sy_hash_writer *w, const sy_cond *c)
{
    static const char *const picks[] = {"", " any", " all", " count "};
    sy_w(w, picks[c->pick]);
    if (c->pick == SY_PICK_COUNT)
        sy_w_int(w, c->pick_n);
    if (c->agg) {
        put_agg(w, c->agg);
    } else if (c->let) {
        sy_w(w, " @");
        sy_w_int(w, c->let->order);
    } else {
        sy_w_names(w, &c->operand, 1);
    }
}

static void put_test(sy_hash_writer *w, const sy_cond *c)
{
    put_operand(w, c);
    sy_w(w, ops[c->op]);
    if (c->op == SY_OP_IS && c->operand.word && c->state >= 0)
        sy_w(w, c->operand.word->values[c->state].id);
    sy_w_value(w, &c->a);
    sy_w_value(w, &c->b);
    sy_w_value(w, &c->window);
    sy_w(w, c->others_move ? " others-move" : "");
    sy_w(w, c->beyond_doubt ? " beyond-doubt" : "");
    if (!c->portion)
        return;
    sy_w(w, " share");
    sy_w_names(w, &c->portion->event, 1);
    sy_w(w, ops[c->portion->op]);
    sy_w_value(w, &c->portion->share);
    if (c->portion->counted) {
        sy_w(w, " counted ");
        sy_w_amount(w, c->portion->counted);
    }
}

static void put_curve(sy_hash_writer *w, const sy_cond *c)
{
    put_operand(w, c);
    put_state(w, &c->curve_state, c->state);
    for (size_t i = 0; i < c->n_deadlines; i++) {
        sy_w(w, ops[c->deadlines[i].op]);
        sy_w_value(w, &c->deadlines[i].limit);
        sy_w(w, " within");
        sy_w_value(w, &c->deadlines[i].within);
    }
}

static void put_hold(sy_hash_writer *w, const sy_hold *h)
{
    switch (h->kind) {
    case SY_HOLD_NONE:
        return;
    case SY_HOLD_FOR:
        sy_w(w, " for");
        sy_w_value(w, &h->length);
        return;
    case SY_HOLD_CUMULATIVE:
        sy_w(w, " cumulative");
        sy_w_value(w, &h->length);
        sy_w_value(w, &h->window);
        return;
    case SY_HOLD_READINGS:
        sy_w(w, " readings ");
        sy_w_int(w, h->n);
        sy_w(w, " ");
        sy_w_int(w, h->of);
        return;
    }
}

void sy_w_cond(sy_hash_writer *w, const sy_cond *c)
{
    static const char *const kinds[] = {" (test",   " (not",      " (and",          " (or",
                                        " (lasts ", " (followed", " (not-followed", " (curve"};
    sy_w(w, kinds[c->kind]);
    if (c->kind == SY_COND_TEST)
        put_test(w, c);
    if (c->kind == SY_COND_CURVE)
        put_curve(w, c);
    if (c->kind == SY_COND_LASTS)
        sy_w_int(w, c->level);
    for (size_t i = 0; i < c->n_kids; i++)
        sy_w_cond(w, c->kids[i]);
    if (c->kind == SY_COND_LASTS || c->kind == SY_COND_FOLLOWED || c->kind == SY_COND_NOT_FOLLOWED)
        sy_w_value(w, &c->length);
    put_hold(w, &c->hold);
    sy_w(w, ")");
}
