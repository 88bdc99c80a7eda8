/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs out of a store. All of one answer are under one head, the newest that is committed. */
#include "ledger/prove.h"

#include "store/heads.h"
#include "store/leaves.h"

enum { SINCE_MAX = 32 };

typedef struct taking {
    sy_signed_head *out;
    char kid[SY_KID_CHARS + 1];
    bool found, bad;
} taking;

static void take_head(void *ctx, const sy_head_row *h)
{
    taking *t = ctx;
    t->found = true;
    t->bad = h->signature.n != SY_SIGNATURE_BYTES || strlen(h->kid) > SY_KID_CHARS;
    if (t->bad)
        return;
    memcpy(t->out->signature, h->signature.p, SY_SIGNATURE_BYTES);
    memcpy(t->kid, h->kid, strlen(h->kid) + 1);
    sy_buf_span_put(&t->out->text, h->text);
}

static void take_key(void *ctx, const sy_key_row *k)
{
    taking *t = ctx;
    sy_chain *chain = &t->out->chain;
    sy_rd r = sy_rd_of(k->chain);
    sy_buf_span_put(&t->out->spki, k->spki);
    for (chain->n = 0; r.n && !r.bad && chain->n < SY_CHAIN_MAX; chain->n++)
        sy_buf_span_put(&chain->der[chain->n], sy_rd_blob(&r));
    t->bad = t->bad || r.bad;
}

/* The newest of the heads up to `size`. */
static sy_err head_of(sy_store *s, uint64_t size, sy_signed_head *out, sy_head *head, sy_fail *f)
{
    taking t = {.out = out};
    sy_err e = sy_store_heads(s, 1, size, 1, true, take_head, &t, f);
    if (!e && !t.found)
        e = sy_fail_set(f, SY_E_NOTFOUND, "the ledger has no signed head yet");
    if (!e && !t.bad)
        e = sy_store_key(s, t.kid, take_key, &t, f);
    if (!e && (t.bad || out->text.failed || out->spki.failed))
        e = sy_fail_set(f, SY_E_CORRUPT, "the newest head in the store is damaged");
    return e ? e : sy_head_read(sy_buf_span(&out->text), head, f);
}

sy_err sy_prove_head(sy_store *s, sy_signed_head *out, sy_head *head, sy_fail *f)
{
    return head_of(s, INT64_MAX, out, head, f);
}

static void take_newest(void *ctx, const sy_head_row *h)
{
    *(uint64_t *)ctx = h->size;
}

sy_err sy_prove_newest(sy_store *s, uint64_t *size, sy_fail *f)
{
    *size = 0;
    return sy_store_heads(s, 1, INT64_MAX, 1, true, take_newest, size, f);
}

sy_err sy_prove_leaf(sy_store *s, uint64_t index, sy_proof *out, sy_fail *f)
{
    sy_head head;
    sy_err e = sy_prove_head(s, &out->head, &head, f);
    if (!e && index >= head.size)
        e = sy_fail_set(f, SY_E_NOTFOUND, "no signed head covers leaf %llu yet",
                        (unsigned long long)index);
    e = e ? e : sy_store_leaf_get(s, index, &out->leaf, f);
    e = e ? e : sy_store_inclusion(s, index, head.size, &out->path, f);
    if (!e) {
        out->index = index;
        out->size = head.size;
    }
    return e;
}

void sy_head_event_init(sy_head_event *e)
{
    sy_buf_init(&e->id, sy_heap());
    sy_buf_init(&e->body, sy_heap());
    e->size = 0;
}

void sy_head_event_free(sy_head_event *e)
{
    sy_buf_fini(&e->id);
    sy_buf_fini(&e->body);
}

typedef struct sizes {
    uint64_t v[2 * SINCE_MAX + 1], below;
    size_t n;
} sizes;

/* Ascending; where there are too many, those in the middle go. */
static void take_size(void *ctx, uint64_t size)
{
    sizes *l = ctx;
    const size_t most = sizeof l->v / sizeof l->v[0];
    if (size >= l->below || (l->n && l->v[l->n - 1] >= size))
        return;
    if (l->n == most) {
        memmove(&l->v[SINCE_MAX + 1], &l->v[SINCE_MAX + 2], (SINCE_MAX - 1) * sizeof l->v[0]);
        l->n--;
    }
    l->v[l->n++] = size;
}

static sy_err put_from(sy_store *s, const sizes *from, uint64_t size, sy_buf *out, sy_fail *f)
{
    for (size_t i = 0; i < from->n; i++) {
        sy_merkle_proof p;
        sy_err e = sy_store_consistency(s, from->v[i], size, &p, f);
        if (e)
            return e;
        sy_buf_printf(out, "%s{\"size\":%llu,\"proof\":[", i ? "," : "",
                      (unsigned long long)from->v[i]);
        for (size_t k = 0; k < p.n; k++) {
            char hex[65];
            sy_digest_hex(&p.path[k], hex);
            sy_buf_printf(out, "%s\"%s\"", k ? "," : "", hex);
        }
        sy_buf_text(out, "]}");
    }
    return SY_OK;
}

static sy_err put_event(sy_store *s, const char *destination, const sy_signed_head *signed_head,
                        const sy_head *head, sy_head_event *out, sy_fail *f)
{
    char time[25];
    sizes from = {.below = head->size};
    uint64_t confirmed = 0;
    sy_err e = sy_store_confirmed(s, destination, &confirmed, f);
    if (confirmed)
        take_size(&from, confirmed);
    e = e ? e : sy_store_told(s, destination, take_size, &from, f);
    if (e)
        return e;
    sy_buf *b = &out->body;
    sy_time_text(head->time, time);
    sy_buf_printf(&out->id, "head/%llu/%lld", (unsigned long long)head->size,
                  (long long)head->time);
    sy_buf_printf(b, "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/steelyard/", out->id.p);
    sy_buf_span_put(b, head->gateway);
    sy_buf_printf(b, "\",\"type\":\"steelyard.head\",\"time\":\"%s\"", time);
    sy_buf_text(b, ",\"datacontenttype\":\"application/json\",\"data\":{\"destination\":");
    sy_buf_json(b, sy_span_of(destination));
    sy_buf_char(b, ',');
    sy_signed_head_json(signed_head, b);
    sy_buf_text(b, ",\"from\":[");
    e = put_from(s, &from, head->size, b, f);
    sy_buf_text(b, "]}}");
    out->size = head->size;
    return e                             ? e
           : b->failed || out->id.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a head")
                                         : SY_OK;
}

sy_err sy_prove_event(sy_store *s, const char *destination, uint64_t size, sy_head_event *out,
                      sy_fail *f)
{
    sy_signed_head h;
    sy_head head;
    sy_signed_head_init(&h);
    sy_err e = head_of(s, size, &h, &head, f);
    e = e ? e : put_event(s, destination, &h, &head, out, f);
    sy_signed_head_free(&h);
    return e;
}
