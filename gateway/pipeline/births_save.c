/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of Sparkplug's nodes as bytes (births.h has their order). Equal states give equal
 * bytes: nodes, metrics and last values are sorted, devices stand as they were first heard of. */
#include <stdlib.h>

#include "pipeline/births_int.h"

enum { BORN = 1, BDSEQ = 2, SEQ = 4 };

static void text(sy_buf *out, const char *s)
{
    sy_buf_blob(out, sy_span_of(s ? s : ""));
}

static void save_scope(const sy_birth_scope *s, sy_buf *out)
{
    text(out, s->device);
    sy_buf_u8(out, s->alive);
    sy_buf_u32(out, (uint32_t)s->n);
    for (size_t i = 0; i < s->n; i++) {
        const sy_spb_metric *m = &s->v[i];
        sy_buf_blob(out, m->name);
        sy_buf_blob(out, m->unit);
        sy_buf_u32(out, m->datatype);
        sy_buf_u8(out, m->has_alias);
        sy_buf_u64(out, m->alias);
    }
}

void sy_births_save(const sy_births *b, sy_buf *out)
{
    sy_buf_u32(out, (uint32_t)b->n);
    for (size_t i = 0; i < b->n; i++) {
        const sy_birth_node *n = b->nodes[i];
        text(out, n->id);
        text(out, n->node);
        sy_buf_u8(out, (uint8_t)((n->born ? BORN : 0) | (n->has_bdseq ? BDSEQ : 0) |
                                 (n->has_seq ? SEQ : 0)));
        sy_buf_u64(out, n->bdseq);
        sy_buf_u8(out, n->seq);
        sy_buf_u64(out, (uint64_t)n->asked);
        sy_buf_u32(out, (uint32_t)n->n_scopes);
        for (size_t j = 0; j < n->n_scopes; j++)
            save_scope(&n->scopes[j], out);
        sy_buf_u32(out, (uint32_t)n->n_lasts);
        for (size_t j = 0; j < n->n_lasts; j++) {
            const sy_birth_last *l = &n->lasts[j];
            text(out, l->series);
            text(out, l->quantity);
            text(out, l->unit);
            text(out, l->device);
            sy_buf_f64(out, l->value);
            sy_buf_u64(out, (uint64_t)l->t);
            sy_buf_u8(out, l->stale);
        }
    }
}

/* A blob as a text of ours; NULL: no memory, or damage (in->bad). */
static char *load_text(sy_rd *in)
{
    sy_span s = sy_rd_blob(in);
    if (!in->bad && s.n && memchr(s.p, '\0', s.n))
        in->bad = true;
    return in->bad ? NULL : strndup(s.n ? s.p : "", s.n);
}

static sy_err load_scope(sy_birth_node *n, sy_rd *in)
{
    sy_err e;
    sy_span device = sy_rd_blob(in);
    if (in->bad)
        return SY_E_CORRUPT;
    sy_birth_scope *s = sy_births__scope(n, device, true, &e);
    if (!s)
        return e ? e : SY_E_CORRUPT;
    s->alive = sy_rd_u8(in) != 0;
    uint32_t count = sy_rd_u32(in);
    for (uint32_t i = 0; i < count && !e; i++) {
        sy_spb_metric m = {.name = sy_rd_blob(in), .unit = sy_rd_blob(in)};
        m.datatype = sy_rd_u32(in);
        m.has_alias = sy_rd_u8(in) != 0;
        m.alias = sy_rd_u64(in);
        e = in->bad ? SY_E_CORRUPT : sy_births__learn(n, s, &m);
    }
    return e ? e : sy_births__seal(s);
}

static sy_err load_last(sy_birth_node *n, sy_rd *in)
{
    char *series = load_text(in);
    sy_birth_last *l = series ? sy_births__last(n, series, true) : NULL;
    free(series);
    if (!l || l->quantity) /* twice the same */
        return l || in->bad ? SY_E_CORRUPT : SY_E_NOMEM;
    l->quantity = load_text(in);
    l->unit = load_text(in);
    l->device = load_text(in);
    l->value = sy_rd_f64(in);
    l->t = (sy_ms)sy_rd_u64(in);
    l->stale = sy_rd_u8(in) != 0;
    return in->bad ? SY_E_CORRUPT : l->quantity && l->unit && l->device ? SY_OK : SY_E_NOMEM;
}

static sy_err load_node(sy_births *b, sy_rd *in)
{
    char *id = load_text(in), *name = load_text(in);
    size_t before = b->n;
    sy_birth_node *n = id && name ? sy_births__node(b, id, name) : NULL;
    free(id);
    free(name);
    if (!n || b->n == before) /* twice the same */
        return n || in->bad ? SY_E_CORRUPT : SY_E_NOMEM;
    uint8_t bits = sy_rd_u8(in);
    n->born = (bits & BORN) != 0;
    n->has_bdseq = (bits & BDSEQ) != 0;
    n->has_seq = (bits & SEQ) != 0;
    n->bdseq = sy_rd_u64(in);
    n->seq = sy_rd_u8(in);
    n->asked = (sy_ms)sy_rd_u64(in);
    sy_err e = SY_OK;
    uint32_t scopes = sy_rd_u32(in);
    for (uint32_t i = 0; i < scopes && !e; i++)
        e = load_scope(n, in);
    uint32_t lasts = in->bad ? 0 : sy_rd_u32(in);
    for (uint32_t i = 0; i < lasts && !e; i++)
        e = load_last(n, in);
    return e ? e : in->bad ? SY_E_CORRUPT : SY_OK;
}

sy_err sy_births_load(sy_births *b, sy_rd *in)
{
    sy_err e = SY_OK;
    uint32_t nodes = sy_rd_u32(in);
    for (uint32_t i = 0; i < nodes && !e; i++)
        e = load_node(b, in);
    return e ? e : in->bad ? SY_E_CORRUPT : SY_OK;
}
