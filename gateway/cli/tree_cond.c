/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree as JSON: conditions.
 */
#include "cli/tree_json.h"

static void put_state(sy_tree_out *w, const char *key, const sy_name *state, int value)
{
    sy_tree_key(w, key);
    sy_tree_string(w, state->word && value >= 0 && (size_t)value < state->word->n_values
                          ? state->word->values[value].id
                          : NULL);
}

static void put_operand(sy_tree_out *w, const sy_cond *c)
{
    static const char *const picks[] = {[SY_PICK_ONE] = "one",
                                        [SY_PICK_ANY] = "any",
                                        [SY_PICK_ALL] = "all",
                                        [SY_PICK_COUNT] = "count"};
    sy_tree_key(w, "pick");
    sy_tree_string(w, picks[c->pick]);
    sy_tree_key(w, "pick_count");
    if (c->pick == SY_PICK_COUNT)
        sy_tree_int(w, c->pick_n);
    else
        sy_tree_string(w, NULL);
    sy_tree_key(w, "operand");
    if (c->agg) {
        sy_tree_agg(w, c->agg);
        return;
    }
    sy_tree_open(w, '{');
    sy_tree_key(w, c->let ? "let" : "name");
    if (c->let)
        sy_tree_span(w, c->let->name);
    else
        sy_tree_name(w, &c->operand);
    sy_tree_close(w, '}');
}

static void put_portion(sy_tree_out *w, const sy_portion *p)
{
    sy_tree_key(w, "portion");
    if (!p) {
        sy_tree_string(w, NULL);
        return;
    }
    sy_tree_open(w, '{');
    sy_tree_key(w, "event");
    sy_tree_name(w, &p->event);
    sy_tree_key(w, "op");
    sy_tree_string(w, sy_tree_op(p->op));
    sy_tree_key(w, "share");
    sy_tree_value(w, &p->share);
    sy_tree_key(w, "counted");
    sy_tree_num(w, p->counted);
    sy_tree_place(w, p->pos);
    sy_tree_close(w, '}');
}

static void put_test(sy_tree_out *w, const sy_cond *c)
{
    bool exposure = c->op == SY_OP_EXPOSURE_ABOVE || c->op == SY_OP_EXPOSURE_BELOW;
    put_operand(w, c);
    sy_tree_key(w, "op");
    sy_tree_string(w, sy_tree_op(c->op));
    sy_tree_key(w, "a");
    sy_tree_value(w, &c->a);
    sy_tree_key(w, "b");
    sy_tree_value(w, &c->b);
    sy_tree_key(w, "window");
    sy_tree_value(w, exposure ? &c->window : NULL);
    put_state(w, "state", &c->operand, c->op == SY_OP_IS ? c->state : -1);
    sy_tree_key(w, "beyond_doubt");
    sy_tree_bool(w, c->beyond_doubt);
    sy_tree_key(w, "others_move");
    sy_tree_bool(w, c->others_move);
    put_portion(w, c->portion);
}

static void put_curve(sy_tree_out *w, const sy_cond *c)
{
    put_operand(w, c);
    sy_tree_key(w, "start_of");
    sy_tree_name(w, &c->curve_state);
    put_state(w, "value", &c->curve_state, c->state);
    sy_tree_key(w, "deadlines");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < c->n_deadlines; i++) {
        const sy_deadline *d = &c->deadlines[i];
        sy_tree_open(w, '{');
        sy_tree_key(w, "op");
        sy_tree_string(w, sy_tree_op(d->op));
        sy_tree_key(w, "limit");
        sy_tree_value(w, &d->limit);
        sy_tree_key(w, "within");
        sy_tree_value(w, &d->within);
        sy_tree_close(w, '}');
    }
    sy_tree_close(w, ']');
}

static void put_hold(sy_tree_out *w, const sy_hold *h)
{
    static const char *const kinds[] = {[SY_HOLD_NONE] = "",
                                        [SY_HOLD_FOR] = "for",
                                        [SY_HOLD_CUMULATIVE] = "cumulative",
                                        [SY_HOLD_READINGS] = "readings"};
    sy_tree_key(w, "hold");
    if (h->kind == SY_HOLD_NONE) {
        sy_tree_string(w, NULL);
        return;
    }
    sy_tree_open(w, '{');
    sy_tree_key(w, "kind");
    sy_tree_string(w, kinds[h->kind]);
    if (h->kind == SY_HOLD_READINGS) {
        sy_tree_key(w, "n");
        sy_tree_int(w, h->n);
        sy_tree_key(w, "of");
        sy_tree_int(w, h->of);
    } else {
        sy_tree_key(w, "length");
        sy_tree_value(w, &h->length);
        sy_tree_key(w, "window");
        sy_tree_value(w, h->kind == SY_HOLD_CUMULATIVE ? &h->window : NULL);
    }
    sy_tree_place(w, h->pos);
    sy_tree_close(w, '}');
}

static void put_kids(sy_tree_out *w, const sy_cond *c)
{
    sy_tree_key(w, "of");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < c->n_kids; i++)
        sy_tree_cond(w, c->kids[i]);
    sy_tree_close(w, ']');
}

void sy_tree_cond(sy_tree_out *w, const sy_cond *c)
{
    static const char *const kinds[] = {
        [SY_COND_TEST] = "test",
        [SY_COND_NOT] = "not",
        [SY_COND_AND] = "and",
        [SY_COND_OR] = "or",
        [SY_COND_LASTS] = "lasts",
        [SY_COND_FOLLOWED] = "followed-by",
        [SY_COND_NOT_FOLLOWED] = "not-followed-by",
        [SY_COND_CURVE] = "curve",
    };
    if (!c) {
        sy_tree_string(w, NULL);
        return;
    }
    sy_tree_open(w, '{');
    sy_tree_key(w, "kind");
    sy_tree_string(w, kinds[c->kind]);
    switch (c->kind) {
    case SY_COND_TEST:
        put_test(w, c);
        break;
    case SY_COND_CURVE:
        put_curve(w, c);
        break;
    case SY_COND_LASTS:
        sy_tree_key(w, "level");
        sy_tree_string(w, sy_tree_level(c->level));
        sy_tree_key(w, "length");
        sy_tree_value(w, &c->length);
        break;
    case SY_COND_FOLLOWED:
    case SY_COND_NOT_FOLLOWED:
        put_kids(w, c);
        sy_tree_key(w, "within");
        sy_tree_value(w, &c->length);
        break;
    case SY_COND_NOT:
    case SY_COND_AND:
    case SY_COND_OR:
        put_kids(w, c);
        break;
    }
    put_hold(w, &c->hold);
    sy_tree_place(w, c->pos);
    sy_tree_close(w, '}');
}
