/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The difference of two judgements. Both lists are sorted by (rule, subject, onset) and walked
 * together.
 */
#include "cli/rules_against.h"

#include <stdlib.h>
#include <string.h>

enum { GAINED, LOST, MOVED, SAME, FATES };
typedef struct pair { /* one of them NULL: gained, lost */
    const sy_alert_view *was, *now;
    int fate;
} pair;
typedef struct tally { /* of one premises and rule */
    sy_span premises;
    const char *rule;
    size_t n[FATES];
} tally;
typedef struct comparison {
    sy_lang lang;
    pair *v;
    size_t n;
    tally *t;
    size_t n_t;
    sy_buf *out;
} comparison;

void sy_past_init(sy_past *p)
{
    *p = (sy_past){0};
    sy_arena_init(&p->arena, sy_heap(), 0);
}

void sy_past_fini(sy_past *p)
{
    free(p->v);
    sy_arena_fini(&p->arena);
}

static const char *copy(sy_past *p, const char *text)
{
    const char *t = text ? sy_arena_text(&p->arena, sy_span_of(text)) : NULL;
    p->failed = p->failed || (text && !t);
    return t;
}

void sy_past_add(sy_past *p, const sy_alert_view *a)
{
    if (p->failed || a->state == SY_ALERT_WITHDRAWN) {
        return;
    }
    if (sy_grow(sy_heap(), (void **)&p->v, &p->cap, p->n + 1, sizeof *p->v)) {
        p->failed = true;
        return;
    }
    sy_alert_view *v = &p->v[p->n++];
    *v = *a;
    v->id = copy(p, a->id);
    v->rule = copy(p, a->rule);
    v->pack = copy(p, a->pack);
    v->subject = copy(p, a->subject);
    v->message = copy(p, a->message);
}

static int by_subject(const sy_alert_view *a, const sy_alert_view *b)
{
    int c = strcmp(a->rule, b->rule);
    return c ? c : strcmp(a->subject, b->subject);
}

static int by_onset(const void *a, const void *b)
{
    const sy_alert_view *x = a, *y = b;
    int c = by_subject(x, y);
    if (c == 0) {
        c = x->onset < y->onset ? -1 : x->onset > y->onset;
    }
    return c ? c : (x->raised < y->raised ? -1 : x->raised > y->raised);
}

static sy_ms end_of(const sy_alert_view *a)
{
    return a->cleared == SY_MS_NONE ? SY_MS_MAX : a->cleared;
}

static int order(const sy_alert_view *was, const sy_alert_view *now)
{
    int c = by_subject(was, now);
    if (c == 0 && end_of(was) < now->onset) {
        c = -1;
    }
    return c == 0 && end_of(now) < was->onset ? 1 : c;
}

static bool same(const sy_alert_view *a, const sy_alert_view *b)
{
    return a->onset == b->onset && a->raised == b->raised && a->cleared == b->cleared &&
           a->severity == b->severity;
}

static void walk(comparison *c, const sy_past *was, const sy_past *now)
{
    size_t i = 0, k = 0;
    while (i < was->n || k < now->n) {
        const sy_alert_view *a = i < was->n ? &was->v[i] : NULL;
        const sy_alert_view *b = k < now->n ? &now->v[k] : NULL;
        int o = !a ? 1 : !b ? -1 : order(a, b);
        pair p = {o <= 0 ? a : NULL, o >= 0 ? b : NULL, o < 0 ? LOST : GAINED};
        if (o == 0) {
            p.fate = same(a, b) ? SAME : MOVED;
        }
        i += o <= 0;
        k += o >= 0;
        c->v[c->n++] = p;
    }
}

static sy_span premises_of(const sy_alert_view *a)
{
    const char *slash = strchr(a->subject, '/');
    return (sy_span){a->subject, slash ? (size_t)(slash - a->subject) : strlen(a->subject)};
}

static void count(comparison *c)
{
    for (size_t k = 0; k < c->n; k++) {
        const sy_alert_view *a = c->v[k].now ? c->v[k].now : c->v[k].was;
        sy_span premises = premises_of(a);
        size_t q = 0;
        while (q < c->n_t &&
               (!sy_span_eq(c->t[q].premises, premises) || strcmp(c->t[q].rule, a->rule) != 0)) {
            q++;
        }
        if (q == c->n_t) {
            c->t[c->n_t++] = (tally){.premises = premises, .rule = a->rule};
        }
        c->t[q].n[c->v[k].fate]++;
    }
}

static int by_premises(const void *a, const void *b)
{
    const tally *x = a, *y = b;
    size_t n = x->premises.n < y->premises.n ? x->premises.n : y->premises.n;
    int c = memcmp(x->premises.p, y->premises.p, n);
    if (c == 0 && x->premises.n != y->premises.n) {
        c = x->premises.n < y->premises.n ? -1 : 1;
    }
    return c ? c : strcmp(x->rule, y->rule);
}

/* Differences in the order of time, whatever the rule. */
static int by_time(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    const sy_alert_view *p = x->now ? x->now : x->was, *q = y->now ? y->now : y->was;
    int c = p->raised < q->raised ? -1 : p->raised > q->raised;
    return c ? c : by_onset(p, q);
}

static void put_time(comparison *c, sy_ms t)
{
    char at[25];
    if (t == SY_MS_NONE) {
        sy_buf_char(c->out, '-');
        return;
    }
    sy_time_text(t, at);
    sy_buf_text(c->out, at);
}

static void put_moved(comparison *c, const char *en, const char *zh, sy_ms was, sy_ms now)
{
    if (was == now) {
        return;
    }
    sy_buf_printf(c->out, "\n      %s ", c->lang == SY_ZH ? zh : en);
    put_time(c, was);
    sy_buf_text(c->out, " → ");
    put_time(c, now);
}

static void text_pair(comparison *c, const pair *p)
{
    static const char *const words[][2] = {
        {"gained", "新增"}, {"lost  ", "减少"}, {"moved ", "变动"}};
    const sy_alert_view *a = p->now ? p->now : p->was;
    sy_buf_printf(c->out, "%s  ", words[p->fate][c->lang == SY_ZH]);
    put_time(c, a->raised);
    sy_buf_printf(c->out, "  %-8s %-12s %s  ", sy_alert_level_text(a->severity, c->lang), a->rule,
                  a->subject);
    put_time(c, a->cleared);
    if (p->fate == MOVED) {
        put_moved(c, "onset", "起始", p->was->onset, p->now->onset);
        put_moved(c, "raised", "报警", p->was->raised, p->now->raised);
        put_moved(c, "cleared", "解除", p->was->cleared, p->now->cleared);
        if (p->was->severity != p->now->severity) {
            sy_buf_printf(c->out, "\n      %s %s → %s", c->lang == SY_ZH ? "级别" : "severity",
                          sy_alert_level_text(p->was->severity, c->lang),
                          sy_alert_level_text(p->now->severity, c->lang));
        }
    }
    sy_buf_char(c->out, '\n');
}

static void text(comparison *c)
{
    sy_buf_text(c->out, c->lang == SY_ZH ? "经营者 规则：新增 减少 变动 不变\n"
                                         : "premises rule: gained lost moved same\n");
    for (size_t k = 0; k < c->n_t; k++) {
        const tally *t = &c->t[k];
        sy_buf_text(c->out, "  ");
        sy_buf_span_put(c->out, t->premises);
        sy_buf_printf(c->out, " %s: %zu %zu %zu %zu\n", t->rule, t->n[GAINED], t->n[LOST],
                      t->n[MOVED], t->n[SAME]);
    }
    for (size_t k = 0; k < c->n; k++) {
        if (c->v[k].fate != SAME) {
            text_pair(c, &c->v[k]);
        }
    }
}

static void json_changed(comparison *c, const pair *p)
{
    const sy_alert_view *a = p->was, *b = p->now;
    const char *const names[] = {"onset", "raised", "cleared", "severity"};
    const bool differs[] = {a->onset != b->onset, a->raised != b->raised, a->cleared != b->cleared,
                            a->severity != b->severity};
    bool first = true;
    sy_buf_text(c->out, ", \"changed\": [");
    for (int k = 0; k < 4; k++) {
        if (differs[k]) {
            sy_buf_printf(c->out, "%s\"%s\"", first ? "" : ", ", names[k]);
            first = false;
        }
    }
    sy_buf_text(c->out, "]}");
}

static void json_list(comparison *c, const char *key, int fate)
{
    bool first = true;
    sy_buf_printf(c->out, "\"%s\": [", key);
    for (size_t k = 0; k < c->n; k++) {
        const pair *p = &c->v[k];
        if (p->fate != fate) {
            continue;
        }
        sy_buf_text(c->out, first ? "\n    " : ",\n    ");
        first = false;
        if (fate == MOVED) {
            sy_buf_text(c->out, "{\"was\": ");
            sy_alert_json_put(c->out, p->was);
            sy_buf_text(c->out, ",\n     \"now\": ");
        }
        sy_alert_json_put(c->out, p->now ? p->now : p->was);
        if (fate == MOVED) {
            json_changed(c, p);
        }
    }
    sy_buf_text(c->out, "],\n  ");
}

static void json(comparison *c)
{
    sy_buf_text(c->out, "{");
    json_list(c, "gained", GAINED);
    json_list(c, "lost", LOST);
    json_list(c, "moved", MOVED);
    sy_buf_text(c->out, "\"totals\": [");
    for (size_t k = 0; k < c->n_t; k++) {
        const tally *t = &c->t[k];
        sy_buf_text(c->out, k ? ",\n    {\"premises\": " : "\n    {\"premises\": ");
        sy_buf_json(c->out, t->premises);
        sy_buf_text(c->out, ", \"rule\": ");
        sy_buf_json(c->out, sy_span_of(t->rule));
        sy_buf_printf(c->out, ", \"gained\": %zu, \"lost\": %zu, \"moved\": %zu, \"same\": %zu}",
                      t->n[GAINED], t->n[LOST], t->n[MOVED], t->n[SAME]);
    }
    sy_buf_text(c->out, "]}\n");
}

sy_err sy_against_put(sy_past *was, sy_past *now, bool as_json, sy_lang lang, sy_buf *out)
{
    size_t most = was->n + now->n + 1;
    comparison c = {.lang = lang, .out = out};
    if (was->failed || now->failed) {
        return SY_E_NOMEM;
    }
    c.v = calloc(most, sizeof *c.v);
    c.t = calloc(most, sizeof *c.t);
    if (c.v && c.t) {
        if (was->n > 1) {
            qsort(was->v, was->n, sizeof *was->v, by_onset);
        }
        if (now->n > 1) {
            qsort(now->v, now->n, sizeof *now->v, by_onset);
        }
        walk(&c, was, now);
        count(&c);
        qsort(c.t, c.n_t, sizeof *c.t, by_premises);
        qsort(c.v, c.n, sizeof *c.v, by_time);
        if (as_json) {
            json(&c);
        } else {
            text(&c);
        }
    }
    sy_err e = c.v && c.t ? SY_OK : SY_E_NOMEM;
    free(c.v);
    free(c.t);
    return e;
}
