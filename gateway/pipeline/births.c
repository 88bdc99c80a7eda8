/* SPDX-License-Identifier: Apache-2.0 */
/* What messages of Sparkplug's edge nodes mean for what is known of them. */
#include <stdlib.h>

#include "pipeline/births_int.h"

/* ---- what is known ---- */

void sy_births_init(sy_births *b)
{
    *b = (sy_births){0};
}

static void scope_clear(sy_birth_node *n, sy_birth_scope *s)
{
    for (size_t i = 0; i < s->n; i++)
        n->bytes -= sizeof s->v[i] + s->v[i].name.n + s->v[i].unit.n;
    free(s->v);
    free(s->by_alias);
    sy_arena_fini(&s->texts);
    s->v = NULL;
    s->by_alias = NULL;
    s->n = s->cap = s->n_alias = 0;
    sy_arena_init(&s->texts, sy_heap(), 0);
}

static void scopes_free(sy_birth_node *n)
{
    for (size_t i = 0; i < n->n_scopes; i++) {
        scope_clear(n, &n->scopes[i]);
        free(n->scopes[i].device);
    }
    n->n_scopes = 0;
}

static void last_free(sy_birth_last *l)
{
    free(l->series);
    free(l->quantity);
    free(l->unit);
    free(l->device);
}

void sy_births__node_free(sy_birth_node *n)
{
    if (!n)
        return;
    scopes_free(n);
    for (size_t i = 0; i < n->n_lasts; i++)
        last_free(&n->lasts[i]);
    free(n->scopes);
    free(n->lasts);
    free(n->id);
    free(n->node);
    free(n);
}

void sy_births_fini(sy_births *b)
{
    for (size_t i = 0; i < b->n; i++)
        sy_births__node_free(b->nodes[i]);
    free(b->nodes);
    sy_births_init(b);
}

/* Where the id is, or belongs. */
static size_t node_at(const sy_births *b, const char *id, bool *there)
{
    size_t lo = 0, hi = b->n;
    *there = false;
    while (lo < hi && !*there) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(b->nodes[mid]->id, id);
        *there = order == 0;
        if (*there)
            lo = mid;
        else if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

sy_birth_node *sy_births__node(sy_births *b, const char *id, const char *node)
{
    bool there;
    size_t at = node_at(b, id, &there);
    if (there)
        return b->nodes[at];
    sy_birth_node *n = calloc(1, sizeof *n);
    if (!n || sy_grow(sy_heap(), (void **)&b->nodes, &b->cap, b->n + 1, sizeof *b->nodes) ||
        !(n->id = strdup(id)) || !(n->node = strdup(node))) {
        sy_births__node_free(n);
        return NULL;
    }
    n->asked = SY_MS_NONE;
    memmove(b->nodes + at + 1, b->nodes + at, (b->n - at) * sizeof *b->nodes);
    b->nodes[at] = n;
    b->n++;
    return n;
}

static sy_birth_node *known_node(const sy_births *b, const sy_device *d)
{
    bool there;
    size_t at = node_at(b, d->id, &there);
    return there ? b->nodes[at] : NULL;
}

sy_birth_scope *sy_births__scope(sy_birth_node *n, sy_span device, bool make, sy_err *err)
{
    *err = SY_OK;
    for (size_t i = 0; i < n->n_scopes; i++)
        if (sy_span_is(device, n->scopes[i].device))
            return &n->scopes[i];
    if (!make || n->n_scopes == SY_BIRTHS__SCOPES)
        return NULL;
    char *name = strndup(device.n ? device.p : "", device.n);
    *err = name ? sy_grow(sy_heap(), (void **)&n->scopes, &n->cap_scopes, n->n_scopes + 1,
                          sizeof *n->scopes)
                : SY_E_NOMEM;
    if (*err) {
        free(name);
        return NULL;
    }
    sy_birth_scope *s = &n->scopes[n->n_scopes++];
    *s = (sy_birth_scope){.device = name};
    sy_arena_init(&s->texts, sy_heap(), 0);
    return s;
}

sy_err sy_births__learn(sy_birth_node *n, sy_birth_scope *s, const sy_spb_metric *m)
{
    size_t bytes = sizeof *m + m->name.n + m->unit.n;
    if (n->bytes + bytes > SY_BIRTHS__BYTES)
        return SY_E_FULL;
    sy_spb_metric own = *m;
    own.name.p = sy_arena_text(&s->texts, m->name);
    own.unit.p = sy_arena_text(&s->texts, m->unit);
    if (!own.name.p || !own.unit.p ||
        sy_grow(sy_heap(), (void **)&s->v, &s->cap, s->n + 1, sizeof *s->v))
        return SY_E_NOMEM;
    s->v[s->n++] = own;
    n->bytes += bytes;
    return SY_OK;
}

static int span_order(sy_span a, sy_span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_name(const void *a, const void *b)
{
    const sy_spb_metric *x = a, *y = b;
    int order = span_order(x->name, y->name);
    if (order)
        return order;
    order = (x->alias > y->alias) - (x->alias < y->alias);
    return order ? order : (x->datatype > y->datatype) - (x->datatype < y->datatype);
}

/* qsort has no context: the alias stands beside the index while they are sorted. */
typedef struct aliased {
    uint64_t alias;
    uint32_t at;
} aliased;

static int order_of_alias(const void *a, const void *b)
{
    const aliased *x = a, *y = b;
    int order = (x->alias > y->alias) - (x->alias < y->alias);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

sy_err sy_births__seal(sy_birth_scope *s)
{
    if (s->n == 0)
        return SY_OK;
    aliased *v = malloc(s->n * sizeof *v);
    uint32_t *index = malloc(s->n * sizeof *index);
    if (!v || !index) {
        free(v);
        free(index);
        return SY_E_NOMEM;
    }
    qsort(s->v, s->n, sizeof *s->v, by_name);
    s->n_alias = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].has_alias)
            v[s->n_alias++] = (aliased){s->v[i].alias, (uint32_t)i};
    qsort(v, s->n_alias, sizeof *v, order_of_alias);
    for (size_t i = 0; i < s->n_alias; i++)
        index[i] = v[i].at;
    free(v);
    free(s->by_alias);
    s->by_alias = index;
    return SY_OK;
}

static const sy_spb_metric *find_alias(void *ctx, uint64_t alias)
{
    const sy_birth_scope *s = ctx;
    size_t lo = 0, hi = s ? s->n_alias : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const sy_spb_metric *m = &s->v[s->by_alias[mid]];
        if (m->alias == alias)
            return m;
        if (m->alias < alias)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static const sy_spb_metric *find_name(void *ctx, sy_span name)
{
    const sy_birth_scope *s = ctx;
    size_t lo = 0, hi = s ? s->n : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = span_order(s->v[mid].name, name);
        if (order == 0)
            return &s->v[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

/* ---- messages ---- */

typedef struct learner {
    sy_birth_node *node;
    sy_birth_scope *scope; /* NULL: no room for one more device */
} learner;

static sy_err learn(void *ctx, const sy_spb_metric *m)
{
    learner *l = ctx;
    if (!l->scope)
        return SY_E_FULL;
    return sy_births__learn(l->node, l->scope, m);
}

static void ask(sy_birth_node *n, sy_ms now, sy_births_sum *sum)
{
    bool soon = n->asked != SY_MS_NONE && now >= n->asked && now - n->asked < SY_BIRTHS_ASK_MS;
    if (now == SY_MS_NONE || soon)
        return;
    n->asked = now;
    sum->ask = true;
}

static void follow(sy_birth_node *n, const sy_spb *p, sy_ms now, sy_births_sum *sum)
{
    uint64_t seq;
    if (!sy_spb_seq(p, &seq))
        return;
    if (n->has_seq && (seq & 0xff) != (uint64_t)((n->seq + 1) & 0xff)) {
        sum->gaps++;
        ask(n, now, sum);
    }
    n->seq = (uint8_t)seq;
    n->has_seq = true;
}

typedef struct incoming {
    sy_births *births;
    sy_birth_node *node;
    sy_spb_topic topic;
    const sy_spb *payload;
    sy_ms now;
    sy_births_sum *sum;
} incoming;

/* A birth of the node ends all that was known; one of a device, what was known of that. */
static sy_birth_scope *begin_birth(const incoming *in, sy_err *e)
{
    sy_birth_node *n = in->node;
    if (in->topic.kind == SY_SPB_NBIRTH) {
        scopes_free(n);
        n->born = true;
        n->has_bdseq = sy_spb_bdseq(in->payload, &n->bdseq);
        n->has_seq = false;
    }
    sy_birth_scope *s = sy_births__scope(n, in->topic.device, true, e);
    if (s) {
        scope_clear(n, s);
        s->alive = true;
    }
    return s;
}

static sy_err birth(const incoming *in, sy_record_fn sink, void *ctx, sy_fail *f)
{
    sy_err e = SY_OK;
    sy_birth_node *n = in->node;
    learner l = {.node = n, .scope = begin_birth(in, &e)};
    if (e)
        return sy_fail_set(f, e, "no memory for what a birth says");
    follow(n, in->payload, in->now, in->sum);
    if (!n->born)
        ask(n, in->now, in->sum);
    in->sum->refresh = true;
    sy_spb_births known = {&l, NULL, NULL, learn};
    sy_spb_count count;
    e = sy_spb_records(in->payload, in->topic.device, true, &known, &count, sink, ctx, f);
    in->sum->skipped += count.skipped;
    sy_err sealed = l.scope ? sy_births__seal(l.scope) : SY_OK;
    return e ? e : sealed;
}

static sy_err data(const incoming *in, sy_record_fn sink, void *ctx, sy_fail *f)
{
    sy_err e;
    sy_birth_node *n = in->node;
    sy_birth_scope *s = sy_births__scope(n, in->topic.device, false, &e);
    sy_spb_births known = {s, find_alias, find_name, NULL};
    sy_spb_count count;
    follow(n, in->payload, in->now, in->sum);
    if (!n->born || !s || !s->alive)
        ask(n, in->now, in->sum);
    e = sy_spb_records(in->payload, in->topic.device, false, &known, &count, sink, ctx, f);
    in->sum->skipped += count.skipped;
    in->sum->unknown += count.unknown;
    if (count.unknown)
        ask(n, in->now, in->sum);
    return e;
}

static void death(const incoming *in)
{
    sy_birth_node *n = in->node;
    uint64_t bdseq;
    sy_err e;
    if (in->topic.kind == SY_SPB_DDEATH) {
        follow(n, in->payload, in->now, in->sum);
        sy_birth_scope *s = sy_births__scope(n, in->topic.device, false, &e);
        if (s && s->alive)
            in->sum->died = s->device;
        if (s)
            s->alive = false;
        return;
    }
    /* The will of an earlier connection says nothing of the one that is there. */
    if (!n->born || (sy_spb_bdseq(in->payload, &bdseq) && n->has_bdseq && bdseq != n->bdseq))
        return;
    n->born = n->has_seq = false;
    for (size_t i = 0; i < n->n_scopes; i++)
        n->scopes[i].alive = false;
    in->sum->died = "";
}

sy_err sy_births_message(sy_births *b, const sy_device *d, const sy_jrec *rec, sy_ms now,
                         sy_record_fn sink, void *ctx, sy_births_sum *sum, sy_fail *f)
{
    *sum = (sy_births_sum){0};
    sy_spb *payload = NULL;
    sy_err e = sy_spb_open(&payload, rec->payload, f);
    if (e)
        return e;
    incoming in = {
        b, sy_births__node(b, d->id, d->node), sy_spb_topic_of(rec->source), payload, now, sum};
    e = in.node ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for a Sparkplug node");
    if (!e) {
        switch (in.topic.kind) {
        case SY_SPB_NBIRTH:
        case SY_SPB_DBIRTH:
            e = birth(&in, sink, ctx, f);
            break;
        case SY_SPB_NDATA:
        case SY_SPB_DDATA:
            e = data(&in, sink, ctx, f);
            break;
        case SY_SPB_NDEATH:
        case SY_SPB_DDEATH:
            death(&in);
            break;
        case SY_SPB_NONE:
            e = sy_fail_set(f, SY_E_UNSUPPORTED, "Sparkplug: not a topic of a node");
            break;
        }
    }
    sy_spb_close(payload);
    return e;
}

/* ---- last values ---- */

sy_birth_last *sy_births__last(sy_birth_node *n, const char *series, bool make)
{
    size_t lo = 0, hi = n->n_lasts;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(n->lasts[mid].series, series);
        if (order == 0)
            return &n->lasts[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!make)
        return NULL;
    sy_birth_last fresh = {.series = strdup(series), .t = SY_MS_NONE};
    if (!fresh.series ||
        sy_grow(sy_heap(), (void **)&n->lasts, &n->cap_lasts, n->n_lasts + 1, sizeof *n->lasts)) {
        free(fresh.series);
        return NULL;
    }
    memmove(n->lasts + lo + 1, n->lasts + lo, (n->n_lasts - lo) * sizeof *n->lasts);
    n->n_lasts++;
    n->lasts[lo] = fresh;
    return &n->lasts[lo];
}

static bool set_text(char **text, sy_span to)
{
    if (*text && sy_span_is(to, *text))
        return true;
    char *copy = strndup(to.n ? to.p : "", to.n);
    if (!copy)
        return false;
    free(*text);
    *text = copy;
    return true;
}

sy_err sy_births_reading(sy_births *b, const sy_device *d, const sy_site_point *point,
                         sy_span device, bool is_birth, sy_ms now, sy_decoded *r)
{
    sy_birth_node *n = known_node(b, d);
    sy_birth_last *l = n ? sy_births__last(n, point->series, true) : NULL;
    if (!l)
        return SY_E_NOMEM;
    if (l->stale && is_birth && now != SY_MS_NONE && r->t <= l->t)
        r->t = now > l->t ? now : l->t + 1;
    if (l->t != SY_MS_NONE && r->t < l->t)
        return SY_OK; /* an older one, of a store-and-forward node */
    l->value = r->value;
    l->t = r->t;
    l->stale = false;
    bool ok = set_text(&l->quantity, sy_span_of(point->quantity)) &&
              set_text(&l->unit, sy_span_of(point->unit ? point->unit : "")) &&
              set_text(&l->device, device);
    return ok ? SY_OK : SY_E_NOMEM;
}

bool sy_births_stale(sy_births *b, const sy_device *d, const sy_site_point *point, const char *died,
                     sy_ms now, double *value)
{
    sy_birth_node *n = known_node(b, d);
    sy_birth_last *l = n ? sy_births__last(n, point->series, false) : NULL;
    if (!l || l->stale || now == SY_MS_NONE || (*died && strcmp(l->device, died) != 0) ||
        strcmp(l->quantity, point->quantity) != 0 ||
        strcmp(l->unit, point->unit ? point->unit : "") != 0)
        return false;
    l->stale = true;
    l->t = now > l->t ? now : l->t;
    *value = l->value;
    return true;
}

void sy_births_keep(sy_births *b, const sy_registry *devices)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->n; i++) {
        const sy_device *d = sy_registry_by_id(devices, sy_span_of(b->nodes[i]->id));
        if (d && d->node && strcmp(d->node, b->nodes[i]->node) == 0)
            b->nodes[kept++] = b->nodes[i];
        else
            sy_births__node_free(b->nodes[i]);
    }
    b->n = kept;
}
