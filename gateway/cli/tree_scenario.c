/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree as JSON: scenarios and tunings.
 */
#include "cli/tree_json.h"

/* hh:mm:ss */
static void put_time(sy_tree_out *w, sy_ms of_day)
{
    char text[16];
    int64_t s = of_day / 1000;
    const int64_t parts[] = {s / 3600, s / 60 % 60, s % 60};
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        if (i)
            text[n++] = ':';
        text[n++] = (char)('0' + parts[i] / 10);
        text[n++] = (char)('0' + parts[i] % 10);
    }
    sy_tree_span(w, (sy_span){text, n});
}

static void put_when(sy_tree_out *w, const char *key, const sy_when *t)
{
    sy_tree_key(w, key);
    sy_tree_open(w, '{');
    sy_tree_key(w, "date");
    sy_tree_date(w, t->has_date, t->date);
    sy_tree_key(w, "day");
    if (t->has_date)
        sy_tree_string(w, NULL);
    else
        sy_tree_int(w, t->day);
    sy_tree_key(w, "time");
    put_time(w, t->of_day);
    sy_tree_close(w, '}');
}

static const char *value_of(const sy_name *name, int value)
{
    const sy_word *w = name->word;
    return w && value >= 0 && (size_t)value < w->n_values ? w->values[value].id : NULL;
}

static void put_fact(sy_tree_out *w, const sy_fact *f)
{
    static const char *const kinds[] = {[SY_FACT_IS] = "is",
                                        [SY_FACT_EVERY] = "every",
                                        [SY_FACT_UNCERTAINTY] = "uncertainty",
                                        [SY_FACT_CALENDAR] = "calendar",
                                        [SY_FACT_DATE] = "due"};
    sy_tree_open(w, '{');
    sy_tree_key(w, "fact");
    sy_tree_string(w, kinds[f->kind]);
    sy_tree_key(w, "name");
    sy_tree_name(w, &f->name);
    switch (f->kind) {
    case SY_FACT_IS:
        sy_tree_key(w, "value");
        sy_tree_string(w, value_of(&f->name, f->value));
        break;
    case SY_FACT_EVERY:
    case SY_FACT_UNCERTAINTY:
        sy_tree_key(w, "number");
        sy_tree_num(w, f->num);
        break;
    case SY_FACT_CALENDAR:
        sy_tree_key(w, "from");
        put_time(w, f->from);
        sy_tree_key(w, "to");
        put_time(w, f->to);
        break;
    case SY_FACT_DATE:
        sy_tree_key(w, "date");
        sy_tree_date(w, true, f->date);
        break;
    }
    sy_tree_place(w, f->pos);
    sy_tree_close(w, '}');
}

static void put_assigns(sy_tree_out *w, const sy_assign *v, size_t n)
{
    sy_tree_open(w, '[');
    for (size_t i = 0; i < n; i++) {
        const sy_assign *a = &v[i];
        sy_tree_open(w, '{');
        sy_tree_key(w, "name");
        sy_tree_name(w, &a->name);
        sy_tree_key(w, "number");
        sy_tree_num(w, a->num);
        sy_tree_key(w, "state");
        sy_tree_string(w, value_of(&a->name, a->state));
        sy_tree_key(w, "no_data");
        sy_tree_bool(w, a->no_data);
        sy_tree_key(w, "members");
        put_assigns(w, a->members, a->n_members);
        sy_tree_place(w, a->pos);
        sy_tree_close(w, '}');
    }
    sy_tree_close(w, ']');
}

static void put_step(sy_tree_out *w, const sy_step *s)
{
    static const char *const kinds[] = {
        [SY_STEP_GIVEN] = "given",
        [SY_STEP_FROM] = "from",
        [SY_STEP_AT] = "at",
        [SY_STEP_NO_ALERT_UNTIL] = "expect-no-alert",
        [SY_STEP_ALERT_AT] = "expect-alert",
        [SY_STEP_CLEAR_AT] = "expect-clear",
    };
    sy_tree_open(w, '{');
    sy_tree_key(w, "step");
    sy_tree_string(w, kinds[s->kind]);
    if (s->kind == SY_STEP_GIVEN) {
        sy_tree_key(w, "facts");
        sy_tree_open(w, '[');
        for (size_t i = 0; i < s->n_facts; i++)
            put_fact(w, &s->facts[i]);
        sy_tree_close(w, ']');
    } else {
        put_when(w, s->kind == SY_STEP_FROM ? "from" : "at", &s->at);
    }
    if (s->kind == SY_STEP_FROM) {
        put_when(w, "to", &s->to);
        sy_tree_key(w, "every");
        sy_tree_num(w, s->every);
    }
    if (s->kind == SY_STEP_FROM || s->kind == SY_STEP_AT) {
        sy_tree_key(w, "readings");
        put_assigns(w, s->assigns, s->n_assigns);
    }
    if (s->kind == SY_STEP_ALERT_AT) {
        sy_tree_key(w, "level");
        sy_tree_string(w, sy_tree_level(s->level));
    }
    sy_tree_place(w, s->pos);
    sy_tree_close(w, '}');
}

void sy_tree_scenario(sy_tree_out *w, const sy_scenario *s)
{
    sy_tree_open(w, '{');
    sy_tree_key(w, "title");
    sy_tree_text(w, &s->title);
    sy_tree_key(w, "tests");
    sy_tree_span(w, s->rule_id);
    sy_tree_key(w, "steps");
    sy_tree_open(w, '[');
    for (size_t i = 0; i < s->n_steps; i++)
        put_step(w, &s->steps[i]);
    sy_tree_close(w, ']');
    sy_tree_place(w, s->pos);
    sy_tree_close(w, '}');
}

void sy_tree_tuning(sy_tree_out *w, const sy_tuning *t)
{
    sy_tree_open(w, '{');
    sy_tree_key(w, "rule");
    sy_tree_span(w, t->rule_id);
    sy_tree_key(w, "set");
    sy_tree_name(w, &t->name);
    sy_tree_key(w, "number");
    sy_tree_num(w, t->num);
    sy_tree_key(w, "at");
    sy_tree_span(w, t->at);
    sy_tree_key(w, "reason");
    sy_tree_text(w, &t->reason);
    sy_tree_key(w, "until");
    sy_tree_date(w, t->has_until, t->until);
    sy_tree_place(w, t->pos);
    sy_tree_close(w, '}');
}
