/* SPDX-License-Identifier: Apache-2.0 */
/* Planning and listing. The bytes are part of what is signed: keys in a fixed order, numbers in
 * their shortest form that reads back the same, what is no number as its bits. */
#include "pipeline/basis.h"

#include <math.h>
#include <stdio.h>

#include "pipeline/members.h"
#include "rules/judge_basis.h"
#include "store/basis.h"

enum { LEAST_A_POINT = 64 };

enum { NAMES_MAX = 400 };
typedef struct names { /* of words of the vocabulary, each once */
    const char *ids[NAMES_MAX];
    size_t n;
    const sy_vocab *vocab;
    sy_buf *b;
} names;

static void add_name(names *l, const char *id, const char *zh)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->ids[i], id) == 0)
            return;
    if (l->n == NAMES_MAX)
        return;
    l->ids[l->n++] = id;
    sy_member_text(l->b, id, zh);
}

static void add_word(names *l, const char *id)
{
    const sy_word *w = id ? sy_vocab_id(l->vocab, sy_span_of(id)) : NULL;
    if (w && w->n_zh)
        add_name(l, w->id, w->zh[0]);
    for (size_t i = 0; w && w->kind == SY_W_STATE && i < w->n_values; i++)
        add_name(l, w->values[i].id, w->values[i].zh);
}

static void add_dues(names *l, const sy_site_due *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_word(l, v[i].what);
}

/* What a page in Chinese calls the words in the events and lists. */
static void all_names(const sy_event_of *e, const sy_basis_point *at, size_t n, sy_buf *b)
{
    const sy_rule *r = e->change->alert.rule;
    const sy_site *site = e->config->site;
    names l = {.vocab = e->config->vocab, .b = b};
    sy_member_key(b, "names");
    sy_buf_char(b, '{');
    for (size_t i = 0; i < r->n_tells; i++)
        for (size_t k = 0; k < r->tells[i].n_recipients; k++)
            add_word(&l, r->tells[i].recipients[k].word->id);
    for (size_t i = 0; i < n; i++) {
        const sy_site_point *p = &site->points[at[i].point];
        const sy_site_place *place = &site->places[p->place];
        const sy_site_premises *premises = &site->premises[place->premises];
        add_word(&l, p->quantity);
        add_word(&l, place->kind);
        add_dues(&l, p->dues, p->n_dues);
        add_dues(&l, place->dues, place->n_dues);
        add_dues(&l, premises->dues, premises->n_dues);
    }
    sy_buf_char(b, '}');
}

static void head_line(const sy_event_of *e, const sy_site_place *place, sy_buf *b)
{
    const sy_rule *r = e->change->alert.rule;
    const sy_site_premises *premises = &e->config->site->premises[place->premises];
    sy_buf id;
    sy_buf_init(&id, b->alloc);
    sy_event_id(&e->change->alert, e->number, &id);
    sy_buf_char(b, '{');
    sy_member_int(b, "basis", 1);
    sy_member_key(b, "event");
    sy_buf_json(b, sy_buf_span(&id));
    b->failed = b->failed || id.failed;
    sy_buf_fini(&id);
    sy_member_text(b, "set", e->config->hash_hex);
    sy_member_key(b, "rule");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", r->id);
    sy_member_int(b, "version", (int64_t)r->version->value);
    sy_member_text(b, "judgement", r->judgement_hex);
    sy_member_key(b, "text");
    sy_buf_json(b, sy_rule_source(e->config->set, r));
    sy_buf_char(b, '}');
    sy_member_key(b, "premises");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", premises->id);
    sy_member_text(b, "name", premises->name);
    sy_member_text(b, "code", premises->code);
    sy_member_text(b, "subject", premises->subject);
    sy_member_text(b, "zone", premises->zone ? premises->zone->name : NULL);
    sy_member_int(b, "offset", sy_zone_offset(premises->zone, e->change->at) / 1000);
    sy_buf_char(b, '}');
    sy_member_key(b, "place");
    sy_buf_char(b, '{');
    sy_member_text(b, "id", place->id);
    sy_member_text(b, "kind", place->kind);
    sy_member_text(b, "name", place->name);
    sy_member_key(b, "goods");
    sy_buf_char(b, '[');
    for (size_t i = 0; i < place->n_goods; i++) {
        if (i)
            sy_buf_char(b, ',');
        sy_buf_json(b, sy_span_of(place->goods[i]));
    }
    sy_buf_text(b, "]}");
}

static void words(const sy_vocab *vocab, const sy_site_point *p, sy_buf *b)
{
    const sy_word *w = p->is_state ? sy_vocab_id(vocab, sy_span_of(p->quantity)) : NULL;
    sy_member_key(b, "words");
    if (!w) {
        sy_buf_text(b, "null");
        return;
    }
    sy_buf_char(b, '[');
    for (size_t i = 0; i < w->n_values; i++) {
        if (i)
            sy_buf_char(b, ',');
        sy_buf_json(b, sy_span_of(w->values[i].id));
    }
    sy_buf_char(b, ']');
}

static void dues(const char *of, const sy_site_due *v, size_t n, sy_buf *b)
{
    for (size_t i = 0; i < n; i++) {
        sy_date d = sy_date_of(v[i].day);
        char day[32];
        if (b->p[b->n - 1] != '[')
            sy_buf_char(b, ',');
        sy_buf_char(b, '{');
        sy_member_text(b, "what", v[i].what);
        sy_member_text(b, "of", of);
        (void)snprintf(day, sizeof day, "%04d-%02d-%02d", (int)d.year, d.month, d.day);
        sy_member_text(b, "due", day);
        sy_buf_char(b, '}');
    }
}

/* Without "from" and what follows: what was left out is known only when the readings are there. */
static void point_line(const sy_event_of *e, const sy_basis_point *at, sy_buf *b)
{
    const sy_site_point *p = &e->config->site->points[at->point];
    const sy_site_place *place = &e->config->site->places[p->place];
    const sy_site_premises *premises = &e->config->site->premises[place->premises];
    sy_buf_char(b, '{');
    sy_member_text(b, "point", p->series);
    sy_member_text(b, "device", p->device);
    sy_member_text(b, "name", p->name);
    sy_member_text(b, "place", place->id);
    sy_member_text(b, "quantity", p->quantity);
    sy_member_text(b, "unit", p->is_state ? NULL : p->unit);
    words(e->config->vocab, p, b);
    sy_member_int(b, "every", p->every);
    sy_member_int(b, "delivery", p->delivery);
    sy_member_key(b, "range");
    sy_buf_char(b, '[');
    sy_buf_double(b, p->range_lo);
    sy_buf_char(b, ',');
    sy_buf_double(b, p->range_hi);
    sy_buf_char(b, ']');
    sy_member_number(b, "accuracy", p->accuracy);
    sy_member_number(b, "uncertainty", p->uncertainty);
    sy_member_number(b, "resolution", p->resolution);
    sy_member_key(b, "limits");
    sy_buf_char(b, '[');
    for (size_t i = 0; i < at->n_limits; i++) {
        if (i)
            sy_buf_char(b, ',');
        sy_buf_double(b, at->limits[i]);
    }
    sy_buf_char(b, ']');
    sy_member_key(b, "dues");
    sy_buf_char(b, '[');
    if (!b->failed) {
        dues("point", p->dues, p->n_dues, b);
        dues("place", place->dues, place->n_dues, b);
        dues("premises", premises->dues, premises->n_dues, b);
    }
    sy_buf_char(b, ']');
}

static const char *kept(sy_arena *a, sy_buf *b)
{
    const char *t = b->failed ? NULL : sy_arena_text(a, sy_buf_span(b));
    sy_buf_reset(b);
    return t;
}

/* Up to when the readings made the change; one that was found late is long over. */
static sy_ms end_of(const sy_change *c)
{
    if (!c->late)
        return c->at;
    return c->alert.cleared != SY_MS_NONE ? c->alert.cleared
           : c->kind == SY_CHANGE_RAISED  ? c->alert.raised
                                          : c->at;
}

sy_err sy_basis_plan_make(const sy_event_of *e, sy_arena *a, sy_basis_plan *out)
{
    sy_basis_point at[SY_BASIS_POINTS];
    const sy_alert *alert = &e->change->alert;
    const sy_site *site = e->config->site;
    *out = (sy_basis_plan){.n = 0};
    size_t n =
        e->judge ? sy_judge_basis(e->judge, alert, end_of(e->change), at, SY_BASIS_POINTS) : 0;
    n = n < SY_BASIS_POINTS ? n : SY_BASIS_POINTS;
    if (n == 0)
        return SY_OK;
    sy_basis_series *v = sy_arena_get(a, n * sizeof *v);
    if (!v)
        return SY_E_NOMEM;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    head_line(e, &site->places[site->points[alert->point].place], &b);
    all_names(e, at, n, &b);
    sy_buf_char(&b, '}');
    out->head = kept(a, &b);
    bool failed = !out->head;
    for (size_t i = 0; i < n; i++) {
        const sy_site_point *p = &site->points[at[i].point];
        point_line(e, &at[i], &b);
        v[i] = (sy_basis_series){.series = sy_arena_text(a, sy_span_of(p->series)),
                                 .line = kept(a, &b),
                                 .from = at[i].from,
                                 .to = at[i].to,
                                 .before = at[i].before,
                                 .after = at[i].after};
        failed = failed || !v[i].line || !v[i].series;
    }
    sy_buf_fini(&b);
    out->v = v;
    out->n = n;
    return failed ? SY_E_NOMEM : SY_OK;
}

/* The newest `cap` readings that come, and how many came. */
typedef struct ring {
    struct ring_row {
        sy_ms t;
        double v;
        sy_quality q;
    } * rows;
    size_t cap;
    uint64_t n;
    sy_ms until; /* after the first time that is later, no more */
    sy_ms last;
} ring;

static bool take(void *ctx, const sy_reading_row *r)
{
    ring *g = ctx;
    if (g->last > g->until && r->t > g->last)
        return false;
    g->rows[g->n++ % g->cap] = (struct ring_row){r->t, r->value, r->quality};
    g->last = r->t;
    return true;
}

static void reading_line(const char *series, const struct ring_row *r, sy_buf *b)
{
    sy_buf_char(b, '{');
    sy_member_text(b, "series", series);
    sy_member_int(b, "t", r->t);
    sy_member_key(b, "v");
    if (isfinite(r->v)) {
        sy_buf_double(b, r->v);
    } else {
        uint64_t bits;
        memcpy(&bits, &r->v, sizeof bits);
        sy_buf_printf(b, "\"%016llx\"", (unsigned long long)bits);
    }
    sy_member_key(b, "q");
    sy_buf_char(b, '"');
    sy_quality_text(r->q, b);
    sy_buf_text(b, "\"}");
}

typedef struct listing {
    sy_buf lines, line;
    sy_merkle tree;
    ring ring;
} listing;

static void end_line(listing *l)
{
    sy_digest leaf = sy_merkle_leaf(sy_buf_span(&l->line));
    sy_merkle_add(&l->tree, &leaf);
    sy_buf_span_put(&l->lines, sy_buf_span(&l->line));
    sy_buf_char(&l->lines, '\n');
    l->lines.failed = l->lines.failed || l->line.failed;
    sy_buf_reset(&l->line);
}

static sy_ms sum(sy_ms a, sy_ms b)
{
    return b > 0 && a > SY_MS_MAX - b ? SY_MS_MAX : a + b;
}

/* The readings of the last time before p->from, found in stretches that grow. */
static sy_err before(sy_store *s, const sy_basis_series *p, ring *g, sy_fail *f)
{
    static const sy_ms widths[] = {3600000, 86400000, 30 * (sy_ms)86400000, 400 * (sy_ms)86400000};
    sy_ms to = p->from - 1;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        sy_ms width = widths[i] < p->before ? widths[i] : p->before;
        *g = (ring){.rows = g->rows, .cap = g->cap, .until = SY_MS_MAX, .last = SY_MS_NONE};
        sy_err e = sy_store_readings(s, p->series, p->from - width, to, take, g, f);
        if (e || g->n || width == p->before)
            break;
    }
    if (g->n) { /* that time alone */
        sy_ms t = g->last;
        *g = (ring){.rows = g->rows, .cap = g->cap, .until = SY_MS_MAX, .last = SY_MS_NONE};
        return sy_store_readings(s, p->series, t, t, take, g, f);
    }
    return SY_OK;
}

static sy_err list_point(sy_store *s, const sy_basis_series *p, listing *l, sy_fail *f)
{
    ring *g = &l->ring;
    sy_err e = p->before > 0 ? before(s, p, g, f) : SY_OK;
    sy_ms from = p->before > 0 && g->n ? g->last : p->from;
    *g = (ring){.rows = g->rows, .cap = g->cap, .until = p->to, .last = SY_MS_NONE};
    if (!e)
        e = sy_store_readings(s, p->series, from, sum(p->to, p->after), take, g, f);
    if (e)
        return e;
    uint64_t listed = g->n < g->cap ? g->n : g->cap;
    sy_buf_text(&l->line, p->line);
    sy_member_int(&l->line, "from", p->from);
    sy_member_int(&l->line, "to", p->to);
    sy_member_int(&l->line, "left_out", (int64_t)(g->n - listed));
    sy_buf_char(&l->line, '}');
    end_line(l);
    for (uint64_t i = g->n - listed; i < g->n; i++) {
        reading_line(p->series, &g->rows[i % g->cap], &l->line);
        end_line(l);
    }
    return SY_OK;
}

sy_err sy_basis_put(sy_store *s, const char *event, const sy_basis_plan *p, sy_basis_sum *out,
                    sy_fail *f)
{
    *out = (sy_basis_sum){.n = 0};
    if (p->n == 0)
        return SY_OK;
    listing l = {.ring = {.cap = SY_BASIS_READINGS / p->n}};
    l.ring.cap = l.ring.cap < LEAST_A_POINT ? LEAST_A_POINT : l.ring.cap;
    sy_alloc heap = sy_heap();
    l.ring.rows = heap.resize(heap.ctx, NULL, l.ring.cap * sizeof *l.ring.rows);
    if (!l.ring.rows)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the basis of an alert");
    sy_buf_init(&l.lines, heap);
    sy_buf_init(&l.line, heap);
    sy_merkle_init(&l.tree);
    sy_buf_text(&l.line, p->head);
    end_line(&l);
    sy_err e = SY_OK;
    for (size_t i = 0; i < p->n && !e; i++)
        e = list_point(s, &p->v[i], &l, f);
    if (!e && (l.lines.failed || l.line.failed))
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for the basis of an alert");
    if (!e) {
        *out = (sy_basis_sum){.n = l.tree.n, .root = sy_merkle_root(&l.tree)};
        e = sy_store_basis_put(s, event, out->n, &out->root, sy_buf_span(&l.lines), f);
    }
    sy_buf_fini(&l.line);
    sy_buf_fini(&l.lines);
    heap.resize(heap.ctx, l.ring.rows, 0);
    return e;
}
