/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical text of a rule's judgement, fed to SHA-256. It is written down in
 * docs/rules-reference.md; a change of it changes every hash that has been signed.
 */
#include "rules/hash.h"

#include "base/hash.h"

typedef struct writer {
    sy_sha256 sha;
} writer;

static void put(writer *w, const char *text)
{
    sy_sha256_add(&w->sha, text, strlen(text));
}

static void put_int(writer *w, int64_t v)
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
    put(w, b + n);
}

static void put_amount(writer *w, const sy_num *n)
{
    put_int(w, n->mant);
    put(w, "e");
    put_int(w, n->exp10);
    put(w, " ");
    put(w, n->unit ? n->unit->id : "-");
}

static void put_num(writer *w, const sy_num *n)
{
    put(w, " ");
    put_amount(w, n);
    switch (n->origin) {
    case SY_ORIGIN_LAW:
        put(w, " law");
        break;
    case SY_ORIGIN_TUNABLE:
        put(w, " tunable ");
        put_amount(w, n->tune_lo);
        put(w, " ");
        put_amount(w, n->tune_hi);
        break;
    case SY_ORIGIN_NONE:
    case SY_ORIGIN_POLICY:
        put(w, " policy");
        break;
    }
}

static void put_value(writer *w, const sy_value *v)
{
    if (v->num) {
        put_num(w, v->num);
    } else if (v->set) {
        put(w, " @");
        put_int(w, v->set->order);
    }
}

static void put_names(writer *w, const sy_name *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put(w, " ");
        put(w, names[i].word ? names[i].word->id : "?");
    }
}

static void put_test(writer *w, const sy_cond *c)
{
    static const char *const picks[] = {"", " any", " all", " count "};
    static const char *const ops[] = {" above",   " below",  " at-least", " at-most",
                                      " outside", " within", " is ",      " no-data"};
    put(w, picks[c->pick]);
    if (c->pick == SY_PICK_COUNT)
        put_int(w, c->pick_n);
    put_names(w, &c->operand, 1);
    put(w, ops[c->op]);
    if (c->op == SY_OP_IS && c->operand.word && c->state >= 0)
        put(w, c->operand.word->values[c->state].id);
    put_value(w, &c->a);
    put_value(w, &c->b);
}

static void put_cond(writer *w, const sy_cond *c)
{
    static const char *const kinds[] = {" (test", " (not", " (and", " (or"};
    put(w, kinds[c->kind]);
    if (c->kind == SY_COND_TEST)
        put_test(w, c);
    for (size_t i = 0; i < c->n_kids; i++)
        put_cond(w, c->kids[i]);
    if (c->hold.kind == SY_HOLD_FOR) {
        put(w, " for");
        put_value(w, &c->hold.length);
    }
    put(w, ")");
}

static void put_axis(writer *w, const char *name, const sy_axis *a)
{
    put(w, name);
    if (a->any)
        put(w, " any");
    put_names(w, a->names, a->n);
}

static void put_date(writer *w, sy_date d)
{
    put(w, " ");
    put_int(w, d.year);
    put(w, d.month < 10 ? "-0" : "-");
    put_int(w, d.month);
    put(w, d.day < 10 ? "-0" : "-");
    put_int(w, d.day);
}

static void put_set(writer *w, const sy_setdef *s)
{
    put(w, "set @");
    put_int(w, s->order);
    if (s->num)
        put_num(w, s->num);
    else
        put(w, " by ");
    if (s->tier)
        put(w, s->tier->id);
    for (size_t i = 0; s->tier && i < s->n_rows; i++) {
        put(w, "; ");
        put(w, s->rows[i].value < 0 ? "otherwise" : s->tier->values[s->rows[i].value].id);
        put_num(w, s->rows[i].num);
    }
}

static void put_alert(writer *w, const sy_alert_clause *a)
{
    put(w, "alert ");
    put_int(w, a->level);
    put_cond(w, a->when);
    for (size_t i = 0; i < a->n_excepts; i++) {
        const sy_except *e = &a->excepts[i];
        put(w, "\nexcept");
        put_names(w, &e->state, 1);
        put(w, " ");
        if (e->state.word && e->value >= 0)
            put(w, e->state.word->values[e->value].id);
        put_value(w, &e->each);
        put(w, " times ");
        put_amount(w, e->times);
    }
}

static void put_tell(writer *w, const sy_tell *t)
{
    put(w, "tell ");
    put_int(w, t->level);
    put_names(w, t->recipients, t->n_recipients);
    if (t->respond_within) {
        put(w, " within");
        put_value(w, t->respond_within);
    }
}

static void put_clause(writer *w, const sy_rule *r, const sy_clause_ref *ref)
{
    switch (ref->kind) {
    case SY_C_BASIS:
        put(w, r->bases[ref->index].origin == SY_ORIGIN_LAW ? "basis law" : "basis policy");
        put(w, r->bases[ref->index].verify ? " verify" : "");
        break;
    case SY_C_APPLIES:
        put_axis(w, "applies subject", &r->subject);
        put_axis(w, "; goods", &r->goods);
        put_axis(w, "; stage", &r->stage);
        break;
    case SY_C_EFFECTIVE:
        put(w, "effective");
        put_date(w, r->from);
        if (r->has_to)
            put_date(w, r->to);
        break;
    case SY_C_WATCH:
        put(w, "watch ");
        put(w, r->watch_kind ? r->watch_kind->id : "-");
        put_names(w, r->watch, r->n_watch);
        break;
    case SY_C_MISSING:
        put(w, "missing");
        put_value(w, r->missing_after);
        break;
    case SY_C_SET:
        put_set(w, &r->sets[ref->index]);
        break;
    case SY_C_ALERT:
        put_alert(w, &r->alerts[ref->index]);
        break;
    case SY_C_CLEAR:
        put(w, "clear");
        put_cond(w, r->clear);
        break;
    case SY_C_TELL:
        put_tell(w, &r->tells[ref->index]);
        break;
    case SY_C_SAY:
    case SY_C_KINDS:
        return; /* a text alone judges nothing */
    }
    put(w, "\n");
}

void sy_hash_judgement(sy_draft *d)
{
    writer w;
    sy_rule *r = &d->rule;
    const sy_clause_ref *order = d->order.v;
    sy_sha256_init(&w.sha);
    put(&w, "steelyard judgement 1\nrule ");
    put(&w, r->id);
    put(&w, " ");
    put_amount(&w, r->version);
    put(&w, "\n");
    for (size_t i = 0; i < d->order.n; i++)
        put_clause(&w, r, &order[i]);
    sy_sha256_end(&w.sha, r->judgement_hash);
    sy_hex(r->judgement_hash, sizeof r->judgement_hash, r->judgement_hex);
}

/* Length first, so that no two lists of texts give the same bytes. */
static void put_text(writer *w, const char *what, const sy_text *t)
{
    const char *texts[] = {t->en, t->zh}, *langs[] = {" en ", " zh "};
    for (size_t i = 0; i < 2; i++) {
        if (!texts[i])
            continue;
        put(w, what);
        put(w, langs[i]);
        put_int(w, (int64_t)strlen(texts[i]));
        put(w, " ");
        put(w, texts[i]);
        put(w, "\n");
    }
}

void sy_hash_texts(sy_rule *r)
{
    writer w;
    sy_sha256_init(&w.sha);
    put(&w, "steelyard texts 1\n");
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
    sy_sha256_end(&sha, s->hash);
    return true;
}
