/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree as JSON: rules and their clauses.
 */
#include "base/hash.h"
#include "cli/tree_json.h"

static void put_bases(sy_tree_out *w, const sy_rule *r)
{
    sy_tree_key(w, "basis");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < r->n_bases; i++) {
        const struct sy_basis *b = &r->bases[i];
        sy_tree_open(w, '{');
        sy_tree_key(w, "text");
        sy_tree_text(w, &b->text);
        sy_tree_key(w, "clause");
        sy_tree_text(w, &b->clause);
        sy_tree_key(w, "verify");
        sy_tree_bool(w, b->verify);
        sy_tree_key(w, "origin");
        sy_tree_string(w, b->origin == SY_ORIGIN_LAW ? "law" : "policy");
        sy_tree_place(w, b->pos);
        sy_tree_close(w, '}');
    }
    sy_tree_close(w, ']');
}

static void put_axis(sy_tree_out *w, const char *key, const sy_axis *a)
{
    sy_tree_key(w, key);
    if (a->any || a->n == 0)
        sy_tree_string(w, "any");
    else
        sy_tree_names(w, a->names, a->n);
}

static void put_span_of_time(sy_tree_out *w, const char *key, const sy_date *from,
                             const sy_date *to)
{
    const sy_date none = {0, 0, 0};
    sy_tree_key(w, key);
    sy_tree_open(w, '{');
    sy_tree_key(w, "from");
    sy_tree_date(w, from != NULL, from ? *from : none);
    sy_tree_key(w, "to");
    sy_tree_date(w, to != NULL, to ? *to : none);
    sy_tree_close(w, '}');
}

static void put_set(sy_tree_out *w, const sy_setdef *s)
{
    sy_tree_open(w, '{');
    sy_tree_key(w, "name");
    sy_tree_span(w, s->name);
    sy_tree_key(w, "number");
    sy_tree_num(w, s->num);
    sy_tree_key(w, "by");
    sy_tree_string(w, s->tier ? s->tier->id : NULL);
    sy_tree_key(w, "rows");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < s->n_rows; i++) {
        int v = s->rows[i].value;
        sy_tree_open(w, '{');
        sy_tree_key(w, "tier");
        sy_tree_string(w, v < 0 ? NULL : s->tier->values[v].id);
        sy_tree_key(w, "number");
        sy_tree_num(w, s->rows[i].num);
        sy_tree_close(w, '}');
    }
    sy_tree_close(w, ']');
    sy_tree_key(w, "dates");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < s->n_dates; i++) {
        sy_tree_open(w, '{');
        sy_tree_key(w, "from");
        sy_tree_date(w, true, s->dates[i].from);
        sy_tree_key(w, "number");
        sy_tree_num(w, s->dates[i].num);
        sy_tree_close(w, '}');
    }
    sy_tree_close(w, ']');
    sy_tree_place(w, s->pos);
    sy_tree_close(w, '}');
}

static void put_declared(sy_tree_out *w, const sy_rule *r)
{
    sy_tree_key(w, "sets");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < r->n_sets; i++)
        put_set(w, &r->sets[i]);
    sy_tree_close(w, ']');
    sy_tree_key(w, "lets");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < r->n_lets; i++) {
        sy_tree_open(w, '{');
        sy_tree_key(w, "name");
        sy_tree_span(w, r->lets[i].name);
        sy_tree_key(w, "sum");
        sy_tree_sum(w, r->lets[i].sum);
        sy_tree_place(w, r->lets[i].pos);
        sy_tree_close(w, '}');
    }
    sy_tree_close(w, ']');
    sy_tree_key(w, "counts");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < r->n_counts; i++) {
        sy_tree_open(w, '{');
        sy_tree_key(w, "event");
        sy_tree_name(w, &r->counts[i].event);
        sy_tree_key(w, "only_when");
        sy_tree_cond(w, r->counts[i].when);
        sy_tree_place(w, r->counts[i].pos);
        sy_tree_close(w, '}');
    }
    sy_tree_close(w, ']');
}

static void put_except(sy_tree_out *w, const sy_except *e)
{
    sy_tree_open(w, '{');
    sy_tree_key(w, "state");
    sy_tree_name(w, &e->state);
    sy_tree_key(w, "value");
    sy_tree_string(w, e->state.word ? e->state.word->values[e->value].id : NULL);
    sy_tree_key(w, "each_at_most");
    sy_tree_value(w, &e->each);
    sy_tree_key(w, "daily_at_most");
    sy_tree_num(w, e->times);
    sy_tree_place(w, e->pos);
    sy_tree_close(w, '}');
}

static void put_alerts(sy_tree_out *w, const sy_rule *r)
{
    sy_tree_key(w, "alerts");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < r->n_alerts; i++) {
        const sy_alert_clause *a = &r->alerts[i];
        sy_tree_open(w, '{');
        sy_tree_key(w, "level");
        sy_tree_string(w, sy_tree_level(a->level));
        sy_tree_key(w, "when");
        sy_tree_cond(w, a->when);
        sy_tree_key(w, "except");
        sy_tree_open(w, '[');
        for (size_t k = 0; k < a->n_excepts; k++)
            put_except(w, &a->excepts[k]);
        sy_tree_close(w, ']');
        sy_tree_key(w, "during");
        sy_tree_name(w, &a->during);
        sy_tree_place(w, a->pos);
        sy_tree_close(w, '}');
    }
    sy_tree_close(w, ']');
}

static void put_escalate(sy_tree_out *w, const sy_escalate *e)
{
    sy_tree_key(w, "escalate");
    if (!e) {
        sy_tree_string(w, NULL);
        return;
    }
    sy_tree_open(w, '{');
    sy_tree_key(w, "to");
    sy_tree_string(w, sy_tree_level(e->level));
    sy_tree_key(w, "times");
    sy_tree_num(w, e->times);
    sy_tree_key(w, "window");
    sy_tree_value(w, &e->window);
    sy_tree_key(w, "apart");
    sy_tree_value(w, e->apart);
    sy_tree_place(w, e->pos);
    sy_tree_close(w, '}');
}

static void put_tells(sy_tree_out *w, const sy_rule *r)
{
    sy_tree_key(w, "then");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < r->n_tells; i++) {
        const sy_tell *t = &r->tells[i];
        sy_tree_open(w, '{');
        sy_tree_key(w, "level");
        sy_tree_string(w, sy_tree_level(t->level));
        sy_tree_key(w, "tell");
        sy_tree_names(w, t->recipients, t->n_recipients);
        sy_tree_key(w, "respond_within");
        sy_tree_value(w, t->respond_within);
        sy_tree_place(w, t->pos);
        sy_tree_close(w, '}');
    }
    sy_tree_close(w, ']');
}

static void put_header(sy_tree_out *w, const sy_rule *r)
{
    char texts[65];
    sy_hex(r->text_hash, sizeof r->text_hash, texts);
    sy_tree_key(w, "rule");
    sy_tree_string(w, r->id);
    sy_tree_key(w, "version");
    sy_tree_num(w, r->version);
    sy_tree_key(w, "title");
    sy_tree_text(w, &r->title);
    sy_tree_key(w, "judgement");
    sy_tree_string(w, r->judgement_hex);
    sy_tree_key(w, "texts");
    sy_tree_string(w, texts);
}

void sy_tree_rule(sy_tree_out *w, const sy_rule *r)
{
    sy_tree_open(w, '{');
    put_header(w, r);
    put_bases(w, r);
    put_axis(w, "subject", &r->subject);
    put_axis(w, "goods", &r->goods);
    put_axis(w, "stage", &r->stage);
    put_span_of_time(w, "effective", r->has_from ? &r->from : NULL, r->has_to ? &r->to : NULL);
    put_span_of_time(w, "trial", r->has_trial ? &r->trial_from : NULL,
                     r->has_trial ? &r->trial_to : NULL);
    sy_tree_key(w, "watch_each");
    sy_tree_string(w, r->watch_kind ? r->watch_kind->id : NULL);
    sy_tree_key(w, "watch");
    sy_tree_names(w, r->watch, r->n_watch);
    sy_tree_key(w, "missing_after");
    sy_tree_value(w, r->missing_after);
    sy_tree_key(w, "accept_uncertain");
    sy_tree_bool(w, r->accept_uncertain);
    sy_tree_key(w, "over_range_counts_as_above");
    sy_tree_bool(w, r->over_range_above);
    put_declared(w, r);
    put_alerts(w, r);
    sy_tree_key(w, "clear");
    sy_tree_cond(w, r->clear);
    put_escalate(w, r->escalate);
    put_tells(w, r);
    sy_tree_key(w, "say");
    sy_tree_text(w, &r->say);
    sy_tree_place(w, r->pos);
    sy_tree_close(w, '}');
}
