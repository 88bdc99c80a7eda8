/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only the whole set shows: which rules no scenario tries, what tunings change, and rules that
 * contradict each other.
 */
#include "rules/check.h"

static const sy_span none = {NULL, 0};

void sy_check_cover(sy_checker *c, const sy_draft *d, sy_scenario *const *scenarios, size_t n)
{
    bool alerts = false, quiet = false;
    for (size_t i = 0; i < n; i++) {
        const sy_scenario *s = scenarios[i];
        bool alert = false, expects = false;
        if (s->rule != &d->rule)
            continue;
        for (size_t k = 0; k < s->n_steps; k++) {
            alert |= s->steps[k].kind == SY_STEP_ALERT_AT;
            expects |= s->steps[k].kind == SY_STEP_NO_ALERT_UNTIL;
        }
        alerts |= alert;
        quiet |= !alert && expects;
    }
    if (!alerts)
        sy_c_say(c, SY_DIAG_WARNING, "no-scenario", d->rule.pos,
                 "no scenario shows that rule %1 alerts", "没有情景表明规则 %1 会报警", NULL,
                 sy_span_of(d->rule.id), none);
    if (!quiet)
        sy_c_say(c, SY_DIAG_WARNING, "no-scenario", d->rule.pos,
                 "no scenario shows that rule %1 can stay silent", "没有情景表明规则 %1 不报警",
                 NULL, sy_span_of(d->rule.id), none);
}

static bool before(const sy_rule *a, const sy_rule *b)
{
    return a->has_to && b->has_from && sy_days_of(a->to) < sy_days_of(b->from);
}

static bool meet(const sy_axis *a, const sy_axis *b, size_t *budget)
{
    bool any = a->any || b->any;
    for (size_t i = 0; i < a->n && *budget; i++)
        for (size_t k = 0; k < b->n && *budget; k++, --*budget)
            any |= a->names[i].word == b->names[k].word;
    return any;
}

/* Some place may have both to comply with at some time. */
static bool both_apply(const sy_rule *a, const sy_rule *b, size_t *budget)
{
    bool place = !a->watch_kind || !b->watch_kind || a->watch_kind == b->watch_kind;
    return place && !before(a, b) && !before(b, a) && meet(&a->subject, &b->subject, budget) &&
           meet(&a->goods, &b->goods, budget) && meet(&a->stage, &b->stage, budget);
}

/* What complies with an alert: values from lo to hi, in the unit of the quantity. */
typedef struct comply {
    const sy_word *quantity;
    double lo, hi;
    sy_pos pos;
} comply;

/* Only where the condition is one comparison of one quantity with plain numbers. */
static bool complies(const sy_alert_clause *a, comply *out)
{
    const sy_cond *t = a->when;
    const sy_word *w = t->operand.word;
    double v[2] = {0, 0};
    if (t->kind != SY_COND_TEST || t->agg || t->let || t->portion || t->pick != SY_PICK_ONE ||
        !sy_c_compares(t->op) || !w || w->kind != SY_W_QUANTITY || a->during.text.n)
        return false;
    const sy_value *values[2] = {&t->a, &t->b};
    bool two = t->op == SY_OP_OUTSIDE || t->op == SY_OP_WITHIN;
    for (size_t i = 0; i < (two ? 2 : 1); i++) {
        const sy_num *n = values[i]->num;
        if (!n)
            return false;
        v[i] = n->unit && w->unit ? sy_unit_convert(n->value, n->unit, w->unit) : n->value;
    }
    bool above = t->op == SY_OP_ABOVE || t->op == SY_OP_AT_LEAST;
    *out = (comply){w, -1e300, 1e300, t->pos};
    if (t->op == SY_OP_WITHIN)
        return false;
    if (two) {
        out->lo = v[0];
        out->hi = v[1];
    } else if (above) {
        out->hi = v[0];
    } else {
        out->lo = v[0];
    }
    return true;
}

/* The alert of b that contradicts one of a, or NULL. */
static const sy_alert_clause *against(const sy_rule *a, const sy_rule *b)
{
    for (size_t i = 0; i < a->n_alerts; i++)
        for (size_t k = 0; k < b->n_alerts; k++) {
            comply x, y;
            if (complies(&a->alerts[i], &x) && complies(&b->alerts[k], &y) &&
                x.quantity == y.quantity && (x.lo > y.hi || y.lo > x.hi))
                return &b->alerts[k];
        }
    return NULL;
}

static bool whole(const sy_draft *d)
{
    return !d->broken && !d->twin && d->rule.id;
}

void sy_check_contradictions(sy_checker *c, sy_draft *const *drafts, size_t n)
{
    size_t budget = 20000000; /* of comparisons: a warning is not worth more */
    for (size_t i = 0; i < n && budget > n; i++)
        for (size_t k = 0; whole(drafts[i]) && k < i && budget; k++, budget--) {
            const sy_rule *a = &drafts[k]->rule, *b = &drafts[i]->rule;
            const sy_alert_clause *at = whole(drafts[k]) ? against(a, b) : NULL;
            if (!at || sy_span_is(sy_span_of(a->id), b->id) || !both_apply(a, b, &budget))
                continue;
            sy_c_say(c, SY_DIAG_WARNING, "contradiction", at->pos,
                     "no value complies with both this alert and rule %1",
                     "没有任何值能同时符合此报警与规则 %1", NULL, sy_span_of(a->id), none);
            break;
        }
}

/* The set of `d` that has this name there, or in a translation of it. */
static const sy_setdef *tuned(const sy_draft *d, sy_span name, sy_draft *const *drafts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const sy_rule *r = &drafts[i]->rule;
        bool same = drafts[i] == d || (drafts[i]->twin && r->id && r->version &&
                                       sy_span_is(sy_span_of(d->rule.id), r->id) &&
                                       r->version->value == d->rule.version->value);
        for (size_t k = 0; same && k < r->n_sets; k++)
            for (size_t q = 0; sy_span_eq(r->sets[k].name, name) && q < d->rule.n_sets; q++)
                if (d->rule.sets[q].order == r->sets[k].order)
                    return &d->rule.sets[q];
    }
    return NULL;
}

static double in_unit(const sy_num *n, const sy_unit *u)
{
    return n->unit && u ? sy_unit_convert(n->value, n->unit, u) : n->value;
}

/* The number that is put in place of `row`: tunable, of its kind, within its bounds. */
static bool replaces(sy_checker *c, const sy_tuning *t, const sy_num *row)
{
    const sy_num *n = t->num;
    if (row->origin != SY_ORIGIN_TUNABLE) {
        sy_c_say(c, SY_DIAG_ERROR, "not-tunable", t->name.pos, "'%1' is not marked as tunable",
                 "“%1”未标注为可调", NULL, t->name.text, none);
        return false;
    }
    sy_measure m = {t->name.text, t->name.text, row->unit, row->time_power};
    if (!sy_check_unit(c, n, &m, n->pos))
        return false;
    double v = in_unit(n, row->unit), slack = 1e-9 * (v < 0 ? -v : v);
    if (n->time != row->time || in_unit(row->tune_lo, row->unit) > v + slack ||
        in_unit(row->tune_hi, row->unit) < v - slack)
        return sy_c_fail(c, "tune-bounds", n->pos, "the number lies outside the bounds of tuning",
                         "数不在可调范围内");
    return true;
}

void sy_check_tuning(sy_checker *c, sy_tuning *t, sy_draft *const *drafts, size_t n)
{
    const sy_draft *d = sy_c_rule(t->rule_id, drafts, n);
    if (!d) {
        sy_c_no_rule(c, t->rule_id, t->pos, drafts, n);
        return;
    }
    t->rule = &d->rule;
    if (d->broken)
        return;
    t->set = tuned(d, t->name.text, drafts, n);
    if (!t->set) {
        const char *words[SY_MAX_LOCALS];
        size_t k = 0;
        for (size_t i = 0; i < d->rule.n_sets; i++) {
            words[k] = sy_arena_text(c->arena, d->rule.sets[i].name);
            k += words[k] != NULL;
        }
        sy_c_say(c, SY_DIAG_ERROR, "unknown-name", t->name.pos,
                 "rule %2 has no 'set' of the name '%1'", "规则 %2 没有以“设”声明的“%1”",
                 sy_nearest(t->name.text, words, k), t->name.text, sy_span_of(d->rule.id));
        return;
    }
    if (t->set->n_dates) {
        sy_c_say(c, SY_DIAG_ERROR, "not-tunable", t->name.pos,
                 "'%1' is set by dates and cannot be tuned", "“%1”按日期设定，不能调整", NULL,
                 t->name.text, none);
        return;
    }
    const sy_value v = {.set = t->set};
    for (size_t i = 0; i < sy_c_numbers(&v); i++)
        if (!replaces(c, t, sy_c_number(&v, i)))
            return;
}
