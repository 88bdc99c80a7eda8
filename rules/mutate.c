/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a rule as tokens, and trying a mutant: the rule alone is loaded again, and the scenarios
 * of the set are pointed at it.
 */
#include "rules/mutate_int.h"
#include "rules/parse.h"

/* The token of the uniform text whose place is `at`. */
static size_t find(const sy_norm *n, uint32_t at)
{
    size_t lo = 0, hi = n->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (n->at[mid] < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* As the parser reads: the names of set and let join the longest match once they are declared. */
static size_t lex(sy_mutate *m, size_t from, sy_token *out)
{
    sy_span names[SY_MAX_LOCALS];
    sy_lexer l = {.norm = m->norm, .lexicon = &m->lexicon, .locals = names, .at = from};
    size_t n = 0;
    for (bool declares = false, end = false; !end; n++) {
        sy_token t = sy_lex_next(&l);
        if (declares) {
            t = sy_lex_new_name(&l, &t);
            t.kw = SY_KW_NONE;
            t.unit = NULL;
            if (t.text.n > 0 && l.n_locals < SY_MAX_LOCALS)
                names[l.n_locals++] = t.text;
        }
        declares = t.kind == SY_T_WORD && (t.kw == SY_KW_SET || t.kw == SY_KW_LET);
        end = t.kind == SY_T_END || (t.kind == SY_T_WORD && t.kw == SY_KW_END);
        if (out)
            out[n] = t;
    }
    return n;
}

sy_err sy_mutants_of(const sy_set *set, const sy_rule *rule, sy_arena *arena, sy_mutants *out)
{
    sy_diags diags;
    sy_mutate m = {.arena = arena};
    sy_diags_init(&diags, arena);
    sy_err e = sy_text_norm(rule->pos.source, true, arena, &diags, &m.norm);
    e = e ? e : sy_lexicon_make(set->vocab, arena, &m.lexicon);
    sy_diags_fini(&diags);
    if (e)
        return e;
    size_t from = find(&m.norm, rule->pos.at);
    m.n = lex(&m, from, NULL);
    m.t = sy_arena_get(arena, m.n * sizeof *m.t);
    if (!m.t)
        return SY_E_NOMEM;
    (void)lex(&m, from, m.t);
    m.begin = rule->pos.at;
    size_t bytes = m.norm.at[m.t[m.n - 1].to] - m.begin;
    m.text = sy_arena_text(arena, (sy_span){rule->pos.source->text.p + m.begin, bytes});
    m.t[--m.n].kind = SY_T_END;
    if (!m.text)
        return SY_E_NOMEM;
    sy_mutate__steps(&m);
    if (m.nomem)
        return SY_E_NOMEM;
    *out = (sy_mutants){set, rule, {m.text, bytes}, m.begin, m.v, m.n_v};
    return SY_OK;
}

/* The rule's text with the changes in it. */
static bool changed(const sy_mutants *m, const sy_mutant *x, sy_arena *arena, sy_span *out)
{
    static const char head[] = "rule ";
    size_t n = sizeof head - 1, from = 0, room = n + m->text.n + 1;
    for (size_t k = 0; k < x->n_e; k++)
        room += strlen(x->e[k].text);
    char *p = sy_arena_get(arena, room);
    if (!p)
        return false;
    memcpy(p, head, n);
    for (size_t k = 0; k < x->n_e; k++) {
        size_t at = x->e[k].at - m->at, len = strlen(x->e[k].text);
        memcpy(p + n, m->text.p + from, at - from);
        n += at - from;
        memcpy(p + n, x->e[k].text, len);
        n += len;
        from = at + x->e[k].n;
    }
    memcpy(p + n, m->text.p + from, m->text.n - from);
    *out = (sy_span){p, n + m->text.n - from};
    return true;
}

/* One scenario on the changed rule. */
static sy_err run(const sy_set *set, const sy_scenario *s, const sy_zone *zone, sy_alloc alloc,
                  bool *passed)
{
    sy_arena arena;
    sy_scenario_result r;
    sy_scenario one = *s;
    one.rule = set->rules[0];
    sy_arena_init(&arena, alloc, 0);
    sy_err e = sy_scenario_run(&one, set, zone, alloc, &arena, &r);
    *passed = !e && r.passed;
    sy_arena_fini(&arena);
    return e;
}

static sy_err try_all(const sy_mutants *m, const sy_set *changed_set, const sy_zone *zone,
                      const sy_scenario *first, sy_alloc alloc, sy_mutant_result *out)
{
    sy_err e = SY_OK;
    bool passed = true;
    if (first) {
        e = run(changed_set, first, zone, alloc, &passed);
        out->by = first;
    }
    for (size_t k = 0; k < m->set->n_scenarios && passed && !e; k++) {
        const sy_scenario *s = m->set->scenarios[k];
        if (s->rule == m->rule && s != first) {
            e = run(changed_set, s, zone, alloc, &passed);
            out->by = s;
        }
    }
    out->fate = passed ? SY_MUTANT_SURVIVES : SY_MUTANT_CAUGHT;
    out->by = passed ? NULL : out->by;
    return e;
}

static const char *first_error(const sy_diags *d)
{
    for (size_t k = 0; k < d->n; k++)
        if (d->v[k].severity == SY_DIAG_ERROR)
            return d->v[k].code;
    return "too-many";
}

sy_err sy_mutant_try(const sy_mutants *m, const sy_mutant *mutant, const sy_zone *zone,
                     const sy_scenario *first, sy_alloc alloc, sy_mutant_result *out)
{
    sy_arena arena;
    sy_diags diags;
    const sy_set *set = NULL;
    sy_source source = {.name = m->rule->pos.source->name};
    *out = (sy_mutant_result){.fate = SY_MUTANT_REFUSED};
    sy_arena_init(&arena, alloc, 0);
    sy_diags_init(&diags, &arena);
    sy_err e = changed(m, mutant, &arena, &source.text) ? SY_OK : SY_E_NOMEM;
    e = e ? e : sy_set_load(&source, 1, m->set->vocab, &arena, &diags, &set);
    if (e == SY_E_PARSE) {
        out->code = first_error(&diags);
        e = SY_OK;
    } else if (!e) {
        e = try_all(m, set, zone, first, alloc, out);
    }
    sy_diags_fini(&diags);
    sy_arena_fini(&arena);
    return e;
}
