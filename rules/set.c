/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a set: every file is parsed, every rule and scenario checked, then the whole is accepted
 * or refused. Order of work is order of source; nothing depends on addresses.
 */
#include "rules/check.h"
#include "rules/hash.h"
#include "rules/over.h"

typedef struct loader {
    sy_checker c;
    sy_lexicon lexicon;
    sy_list drafts, scenarios, tunings;
} loader;

const char *sy_alert_level_text(sy_alert_level l, sy_lang lang)
{
    static const char *const texts[][2] = {
        {"", ""}, {"notice", "提醒"}, {"warning", "预警"}, {"serious", "严重"}, {"major", "重大"}};
    return texts[l][lang == SY_ZH];
}

const sy_num *sy_value_num(const sy_value *v, const sy_site_tier *tiers, size_t n)
{
    const sy_setdef *s = v->set;
    if (!s)
        return v->num; /* NULL for a name of let */
    if (s->num)
        return s->num;
    if (s->n_dates)
        return s->dates[0].num;
    const sy_num *other = NULL;
    int value = -2;
    for (size_t i = 0; i < n; i++)
        if (sy_span_is(sy_span_of(tiers[i].scheme), s->tier->id))
            value = sy_word_value_find(s->tier, sy_span_of(tiers[i].value));
    for (size_t i = 0; i < s->n_rows; i++) {
        if (s->rows[i].value == value && value >= 0)
            return s->rows[i].num;
        if (s->rows[i].value < 0)
            other = s->rows[i].num;
    }
    return other ? other : s->rows[0].num;
}

static sy_err parse(loader *l, const sy_source *source)
{
    sy_parser p = {.arena = l->c.arena, .diags = l->c.diags, .vocab = l->c.vocab};
    sy_err err = sy_text_norm(source, true, l->c.arena, l->c.diags, &p.lex.norm);
    if (err)
        return err == SY_E_PARSE ? SY_OK : err;
    p.lex.lexicon = &l->lexicon;
    p.drafts = &l->drafts;
    p.scenarios = &l->scenarios;
    p.tunings = &l->tunings;
    sy_parse(&p);
    return p.nomem ? SY_E_NOMEM : SY_OK;
}

static void refuse(loader *l, const char *code, const sy_rule *r, const char *en, const char *zh)
{
    sy_c_say(&l->c, SY_DIAG_ERROR, code, r->pos, en, zh, NULL, sy_span_of(r->id),
             (sy_span){NULL, 0});
}

/* Put the texts of b where a has none of that language. */
static void take_text(sy_text *a, const sy_text *b)
{
    a->en = a->en ? a->en : b->en;
    a->zh = a->zh ? a->zh : b->zh;
}

/* Two rules of one id and version: a translation lends its texts, all else is refused. */
static void same_version(loader *l, sy_draft *a, sy_draft *b)
{
    sy_rule *r = &a->rule, *s = &b->rule;
    bool adds = (s->title.en && !r->title.en) || (s->title.zh && !r->title.zh);
    b->twin = true;
    if (a->broken || b->broken)
        return;
    if (memcmp(r->judgement_hash, s->judgement_hash, sizeof r->judgement_hash) != 0) {
        refuse(l, "same-version", s,
               "rule %1 stands here with the same version but judges otherwise: raise its version",
               "规则 %1 版本相同但判定不同：请提升版本");
    } else if (!adds) {
        refuse(l, "duplicate-rule", s, "rule %1 of this version stands twice",
               "规则 %1 的该版本出现两次");
    } else {
        take_text(&r->title, &s->title);
        for (size_t i = 0; i < r->n_bases; i++) {
            take_text(&r->bases[i].text, &s->bases[i].text);
            take_text(&r->bases[i].clause, &s->bases[i].clause);
        }
        take_text(&r->say, &s->say);
    }
}

static bool overlap(const sy_rule *a, const sy_rule *b)
{
    bool a_first = a->has_to && b->has_from && sy_days_of(a->to) < sy_days_of(b->from);
    bool b_first = b->has_to && a->has_from && sy_days_of(b->to) < sy_days_of(a->from);
    return !a_first && !b_first;
}

static void identities(loader *l)
{
    sy_draft **v = l->drafts.v;
    for (size_t i = 0; i < l->drafts.n; i++) {
        for (size_t k = 0; k < i && !v[i]->twin; k++) {
            const sy_rule *a = &v[k]->rule, *b = &v[i]->rule;
            if (v[k]->twin || !a->version || !b->version || !sy_span_is(sy_span_of(a->id), b->id))
                continue;
            if (a->version->mant == b->version->mant && a->version->exp10 == b->version->exp10)
                same_version(l, v[k], v[i]);
            else if (overlap(a, b))
                refuse(l, "duplicate-rule", b,
                       "two versions of rule %1 are in force at one time: end the earlier one with "
                       "'effective from … to …'",
                       "规则 %1 有两个版本同时生效：请以“生效 自…至…”结束较早版本");
        }
    }
}

static void sort_alerts(sy_rule *r)
{
    sy_alert_clause *v =
        (sy_alert_clause *)(uintptr_t)r->alerts; /* the arena's, still being made */
    for (size_t i = 1; i < r->n_alerts; i++) {
        sy_alert_clause a = v[i];
        size_t k = i;
        for (; k > 0 && v[k - 1].level > a.level; k--)
            v[k] = v[k - 1];
        v[k] = a;
    }
}

static sy_err make_set(loader *l, const sy_set **out)
{
    sy_set *s = sy_arena_get(l->c.arena, sizeof *s);
    const sy_rule **rules = sy_arena_get(l->c.arena, (l->drafts.n + 1) * sizeof *rules);
    sy_draft **v = l->drafts.v;
    if (!s || !rules)
        return SY_E_NOMEM;
    s->rules = rules;
    for (size_t i = 0; i < l->drafts.n; i++) {
        if (v[i]->twin)
            continue;
        sort_alerts(&v[i]->rule);
        sy_hash_texts(&v[i]->rule);
        rules[s->n_rules++] = &v[i]->rule;
    }
    s->scenarios = l->scenarios.v;
    s->n_scenarios = l->scenarios.n;
    s->tunings = l->tunings.v;
    s->n_tunings = l->tunings.n;
    s->vocab = l->c.vocab;
    if (!sy_hash_set(s, l->c.arena))
        return SY_E_NOMEM;
    *out = s;
    return SY_OK;
}

static void check(loader *l)
{
    sy_draft **v = l->drafts.v;
    sy_scenario **s = l->scenarios.v;
    for (size_t i = 0; i < l->drafts.n; i++) {
        sy_check_rule(&l->c, v[i]);
        if (!v[i]->broken)
            sy_hash_judgement(v[i]);
    }
    identities(l);
    for (size_t i = 0; i < l->scenarios.n; i++)
        sy_check_scenario(&l->c, s[i], v, l->drafts.n);
    for (size_t i = 0; i < l->tunings.n; i++)
        sy_check_tuning(&l->c, ((sy_tuning **)l->tunings.v)[i], v, l->drafts.n);
    sy_check_contradictions(&l->c, v, l->drafts.n);
    for (size_t i = 0; i < l->drafts.n; i++)
        if (v[i]->rule.id && !v[i]->twin && !v[i]->broken)
            sy_check_cover(&l->c, v[i], s, l->scenarios.n);
}

/* Rank of a message: its file, then its place. */
static bool later(const sy_diag *a, const sy_diag *b, const sy_source *sources, size_t n)
{
    size_t i = 0, k = 0;
    while (i < n && a->pos.source != &sources[i])
        i++;
    while (k < n && b->pos.source != &sources[k])
        k++;
    return i != k                   ? i > k
           : a->pos.at != b->pos.at ? a->pos.at > b->pos.at
                                    : a->severity > b->severity;
}

static void sort_diags(sy_diags *d, size_t from, const sy_source *sources, size_t n)
{
    for (size_t i = from + 1; i < d->n; i++) {
        sy_diag x = d->v[i];
        size_t k = i;
        for (; k > from && later(&d->v[k - 1], &x, sources, n); k--)
            d->v[k] = d->v[k - 1];
        d->v[k] = x;
    }
}

static bool replaced(const loader *l, sy_span id, const sy_source *over)
{
    sy_draft **v = l->drafts.v;
    for (size_t i = 0; i < l->drafts.n; i++)
        if (v[i]->rule.id && v[i]->rule.pos.source >= over && sy_span_is(id, v[i]->rule.id))
            return true;
    return false;
}

/* Rules of the sources before `over` whose id stands in one from there on go, and their scenarios
 * with them: those say what the old text meant. */
static void replace(loader *l, const sy_source *over)
{
    sy_scenario **s = l->scenarios.v;
    sy_draft **v = l->drafts.v;
    size_t k = 0;
    for (size_t i = 0; i < l->scenarios.n; i++)
        if (s[i]->pos.source >= over || !replaced(l, s[i]->rule_id, over))
            s[k++] = s[i];
    l->scenarios.n = k;
    k = 0;
    for (size_t i = 0; i < l->drafts.n; i++)
        if (v[i]->rule.pos.source >= over || !v[i]->rule.id ||
            !replaced(l, sy_span_of(v[i]->rule.id), over))
            v[k++] = v[i];
    l->drafts.n = k;
}

sy_err sy_set_load_over(const sy_set_texts *texts, const sy_vocab *vocab, sy_arena *arena,
                        sy_diags *diags, const sy_set **out)
{
    const sy_source *sources = texts->v;
    size_t n = texts->n;
    loader l = {.c = {.diags = diags, .arena = arena, .vocab = vocab}};
    size_t before = diags->errors, first = diags->n;
    *out = NULL;
    sy_err err = sy_lexicon_make(vocab, arena, &l.lexicon);
    for (size_t i = 0; i < n && !err; i++)
        err = parse(&l, &sources[i]);
    if (err)
        return err;
    if (texts->n_base < n)
        replace(&l, &sources[texts->n_base]);
    check(&l);
    sort_diags(diags, first, sources, n);
    if (diags->failed)
        return SY_E_NOMEM;
    return diags->errors > before ? SY_E_PARSE : make_set(&l, out);
}

sy_err sy_set_load(const sy_source *sources, size_t n, const sy_vocab *vocab, sy_arena *arena,
                   sy_diags *diags, const sy_set **out)
{
    const sy_set_texts texts = {sources, n, n};
    return sy_set_load_over(&texts, vocab, arena, diags, out);
}
