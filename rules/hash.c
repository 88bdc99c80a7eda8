/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical text of a rule's judgement, fed to SHA-256. It is written down in
 * docs/rules-reference.md; a change of it changes every hash that has been signed.
 */
#include "rules/hash.h"

#include "rules/hash_write.h"

static void put_axis(sy_hash_writer *w, const char *name, const sy_axis *a)
{
    sy_w(w, name);
    if (a->any)
        sy_w(w, " any");
    sy_w_names(w, a->names, a->n);
}

static void put_date(sy_hash_writer *w, sy_date d)
{
    sy_w(w, " ");
    sy_w_int(w, d.year);
    sy_w(w, d.month < 10 ? "-0" : "-");
    sy_w_int(w, d.month);
    sy_w(w, d.day < 10 ? "-0" : "-");
    sy_w_int(w, d.day);
}

static void put_set(sy_hash_writer *w, const sy_setdef *s)
{
    sy_w(w, "set @");
    sy_w_int(w, s->order);
    if (s->num)
        sy_w_num(w, s->num);
    else
        sy_w(w, s->n_dates ? " from" : " by ");
    for (size_t i = 0; i < s->n_dates; i++) {
        sy_w(w, i ? "; " : "");
        put_date(w, s->dates[i].from);
        sy_w_num(w, s->dates[i].num);
    }
    if (s->tier)
        sy_w(w, s->tier->id);
    for (size_t i = 0; s->tier && i < s->n_rows; i++) {
        sy_w(w, "; ");
        sy_w(w, s->rows[i].value < 0 ? "otherwise" : s->tier->values[s->rows[i].value].id);
        sy_w_num(w, s->rows[i].num);
    }
}

static void put_alert(sy_hash_writer *w, const sy_alert_clause *a)
{
    sy_w(w, "alert ");
    sy_w_int(w, a->level);
    sy_w_cond(w, a->when);
    for (size_t i = 0; i < a->n_excepts; i++) {
        const sy_except *e = &a->excepts[i];
        sy_w(w, "\nexcept");
        sy_w_names(w, &e->state, 1);
        sy_w(w, " ");
        if (e->state.word && e->value >= 0)
            sy_w(w, e->state.word->values[e->value].id);
        sy_w_value(w, &e->each);
        sy_w(w, " times ");
        sy_w_amount(w, e->times);
    }
    if (a->during.text.n) {
        sy_w(w, "\nduring");
        sy_w_names(w, &a->during, 1);
    }
}

static void put_let(sy_hash_writer *w, const sy_letdef *l)
{
    sy_w(w, "let @");
    sy_w_int(w, l->order);
    sy_w_sum(w, l->sum);
}

static void put_count(sy_hash_writer *w, const sy_count_clause *c)
{
    sy_w(w, "count");
    sy_w_names(w, &c->event, 1);
    sy_w_cond(w, c->when);
}

static void put_escalate(sy_hash_writer *w, const sy_escalate *e)
{
    sy_w(w, "escalate ");
    sy_w_int(w, e->level);
    sy_w(w, " times ");
    sy_w_amount(w, e->times);
    sy_w(w, " in");
    sy_w_value(w, &e->window);
    if (e->apart) {
        sy_w(w, " apart");
        sy_w_value(w, e->apart);
    }
}

static void put_tell(sy_hash_writer *w, const sy_tell *t)
{
    sy_w(w, "tell ");
    sy_w_int(w, t->level);
    sy_w_names(w, t->recipients, t->n_recipients);
    if (t->respond_within) {
        sy_w(w, " within");
        sy_w_value(w, t->respond_within);
    }
}

static void put_clause(sy_hash_writer *w, const sy_rule *r, const sy_clause_ref *ref)
{
    switch (ref->kind) {
    case SY_C_BASIS:
        sy_w(w, r->bases[ref->index].origin == SY_ORIGIN_LAW ? "basis law" : "basis policy");
        sy_w(w, r->bases[ref->index].verify ? " verify" : "");
        break;
    case SY_C_APPLIES:
        put_axis(w, "applies subject", &r->subject);
        put_axis(w, "; goods", &r->goods);
        put_axis(w, "; stage", &r->stage);
        break;
    case SY_C_EFFECTIVE:
        sy_w(w, "effective");
        put_date(w, r->from);
        if (r->has_to)
            put_date(w, r->to);
        break;
    case SY_C_WATCH:
        sy_w(w, "watch ");
        sy_w(w, r->watch_kind ? r->watch_kind->id : "-");
        sy_w_names(w, r->watch, r->n_watch);
        break;
    case SY_C_MISSING:
        sy_w(w, "missing");
        sy_w_value(w, r->missing_after);
        break;
    case SY_C_SET:
        put_set(w, &r->sets[ref->index]);
        break;
    case SY_C_LET:
        put_let(w, &r->lets[ref->index]);
        break;
    case SY_C_COUNT:
        put_count(w, &r->counts[ref->index]);
        break;
    case SY_C_ESCALATE:
        put_escalate(w, r->escalate);
        break;
    case SY_C_TRIAL:
        sy_w(w, "trial");
        put_date(w, r->trial_from);
        put_date(w, r->trial_to);
        break;
    case SY_C_ACCEPT_UNCERTAIN:
        sy_w(w, "accept-uncertain");
        break;
    case SY_C_OVER_RANGE:
        sy_w(w, "over-range-above");
        break;
    case SY_C_ALERT:
        put_alert(w, &r->alerts[ref->index]);
        break;
    case SY_C_CLEAR:
        sy_w(w, "clear");
        sy_w_cond(w, r->clear);
        break;
    case SY_C_TELL:
        put_tell(w, &r->tells[ref->index]);
        break;
    case SY_C_SAY:
    case SY_C_KINDS:
        return; /* a text alone judges nothing */
    }
    sy_w(w, "\n");
}

void sy_hash_judgement(sy_draft *d)
{
    sy_hash_writer w;
    sy_rule *r = &d->rule;
    const sy_clause_ref *order = d->order.v;
    sy_sha256_init(&w.sha);
    sy_w(&w, "steelyard judgement 1\nrule ");
    sy_w(&w, r->id);
    sy_w(&w, " ");
    sy_w_amount(&w, r->version);
    sy_w(&w, "\n");
    for (size_t i = 0; i < d->order.n; i++)
        put_clause(&w, r, &order[i]);
    sy_sha256_end(&w.sha, r->judgement_hash);
    sy_hex(r->judgement_hash, sizeof r->judgement_hash, r->judgement_hex);
}

/* Length first, so that no two lists of texts give the same bytes. */
static void put_text(sy_hash_writer *w, const char *what, const sy_text *t)
{
    const char *texts[] = {t->en, t->zh}, *langs[] = {" en ", " zh "};
    for (size_t i = 0; i < 2; i++) {
        if (!texts[i])
            continue;
        sy_w(w, what);
        sy_w(w, langs[i]);
        sy_w_int(w, (int64_t)strlen(texts[i]));
        sy_w(w, " ");
        sy_w(w, texts[i]);
        sy_w(w, "\n");
    }
}

void sy_hash_texts(sy_rule *r)
{
    sy_hash_writer w;
    sy_sha256_init(&w.sha);
    sy_w(&w, "steelyard texts 1\n");
    put_text(&w, "title", &r->title);
    for (size_t i = 0; i < r->n_bases; i++) {
        put_text(&w, "basis", &r->bases[i].text);
        put_text(&w, "clause", &r->bases[i].clause);
    }
    put_text(&w, "say", &r->say);
    sy_sha256_end(&w.sha, r->text_hash);
}

static int order_of(const sy_rule *a, const sy_rule *b)
{
    int c = memcmp(a->judgement_hash, b->judgement_hash, 32);
    return c ? c : memcmp(a->text_hash, b->text_hash, 32);
}

/* In the order of the text: of several tunings of one place the last holds. */
static void add_tuning(sy_sha256 *sha, const sy_tuning *t)
{
    sy_hash_writer w;
    unsigned char h[32];
    sy_sha256_init(&w.sha);
    sy_w(&w, "steelyard tuning 1\ntune ");
    sy_w(&w, t->rule->id);
    sy_w(&w, " @");
    sy_w_int(&w, t->set->order);
    sy_w_num(&w, t->num);
    sy_w(&w, " at ");
    sy_sha256_add(&w.sha, t->at.p, t->at.n);
    if (t->has_until)
        put_date(&w, t->until);
    sy_w(&w, "\n");
    put_text(&w, "reason", &t->reason);
    sy_sha256_end(&w.sha, h);
    sy_sha256_add(sha, h, sizeof h);
}

bool sy_hash_set(sy_set *s, sy_arena *arena)
{
    const sy_rule **v = sy_arena_get(arena, (s->n_rules + 1) * sizeof *v);
    sy_sha256 sha;
    if (!v)
        return false;
    for (size_t i = 0; i < s->n_rules; i++)
        v[i] = s->rules[i];
    for (size_t gap = s->n_rules / 2; gap > 0; gap /= 2) /* Shell's sort: no qsort here */
        for (size_t i = gap; i < s->n_rules; i++) {
            const sy_rule *r = v[i];
            size_t k = i;
            for (; k >= gap && order_of(v[k - gap], r) > 0; k -= gap)
                v[k] = v[k - gap];
            v[k] = r;
        }
    sy_sha256_init(&sha);
    for (size_t i = 0; i < s->n_rules; i++) {
        sy_sha256_add(&sha, v[i]->judgement_hash, 32);
        sy_sha256_add(&sha, v[i]->text_hash, 32);
    }
    for (size_t i = 0; i < s->n_tunings; i++)
        add_tuning(&sha, s->tunings[i]);
    sy_sha256_end(&sha, s->hash);
    return true;
}
