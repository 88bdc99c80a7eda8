/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger of a folder from its first leaf on. The tree is made anew from the leaves and compared
 * with every stored subtree and every signed head; then each leaf with what it speaks of.
 */
#include "cli/verify_dir.h"

#include <jansson.h>
#include <stdlib.h>

#include "ledger/prove.h"
#include "store/basis.h"
#include "store/heads.h"
#include "store/leaves.h"

typedef struct signed_at { /* a head as it is stored */
    uint64_t size;
    sy_signed_head head;
    char kid[SY_KID_CHARS + 1];
} signed_at;
typedef struct heads {
    sy_verifying *v;
    signed_at *list;
    size_t n, cap;
    uint64_t good;
    bool unordered;
} heads;

static void sqlite_says(void *ctx, const char *line)
{
    sy_check_say(ctx, SY_FOUND_BROKEN, "store.db: %s", "store.db：%s", line);
}

static bool take_leaf(void *ctx, uint64_t index, sy_span leaf)
{
    sy_verifying *v = ctx;
    if (index != v->n) {
        sy_check_say(v->c, SY_FOUND_BROKEN, "ledger: leaf %llu is missing", "账本：缺少第 %llu 叶",
                     (unsigned long long)v->n);
        return false;
    }
    if (v->n == v->cap) {
        uint64_t cap = v->cap ? v->cap * 2 : 1024;
        sy_digest *hashes = realloc(v->hashes, cap * sizeof *hashes);
        v->hashes = hashes ? hashes : v->hashes;
        uint8_t *gone = realloc(v->gone, cap);
        v->gone = gone ? gone : v->gone;
        if (!hashes || !gone) {
            v->err = sy_fail_set(v->f, SY_E_NOMEM, "no memory for the leaves");
            return false;
        }
        v->cap = cap;
    }
    v->gone[v->n] = 0;
    v->hashes[v->n++] = sy_merkle_leaf(leaf);
    return true;
}

/* The subtrees that the last leaf has completed are stored as they are. */
static bool nodes_fit(sy_verifying *v, const sy_merkle *tree)
{
    for (unsigned level = 0; level < 64; level++) {
        uint64_t size = (uint64_t)1 << level;
        if (tree->n % size != 0)
            break;
        sy_digest stored, made;
        sy_merkle part;
        sy_merkle_init(&part);
        for (uint64_t i = tree->n - size; i < tree->n && level < 3; i++)
            sy_merkle_add(&part, &v->hashes[i]);
        if (level < 3) {
            made = sy_merkle_root(&part);
        } else { /* from the two below, which were compared */
            sy_digest left, right;
            uint64_t at = (tree->n / size - 1) * 2;
            if (sy_store_node(v->store, level - 1, at, &left, NULL) ||
                sy_store_node(v->store, level - 1, at + 1, &right, NULL))
                return false;
            made = sy_merkle_node(&left, &right);
        }
        if (sy_store_node(v->store, level, tree->n / size - 1, &stored, NULL) ||
            !sy_digest_equal(&stored, &made))
            return false;
    }
    return true;
}

static void take_key(void *ctx, const sy_key_row *k)
{
    sy_signed_head *h = ctx;
    sy_rd r = sy_rd_of(k->chain);
    sy_buf_span_put(&h->spki, k->spki);
    for (h->chain.n = 0; r.n && !r.bad && h->chain.n < SY_CHAIN_MAX; h->chain.n++)
        sy_buf_span_put(&h->chain.der[h->chain.n], sy_rd_blob(&r));
}

static void take_head(void *ctx, const sy_head_row *row)
{
    heads *h = ctx;
    if (h->v->err || h->unordered)
        return;
    /* Rows of a damaged table may come in any order: what does not go up would never end. */
    h->unordered = row->size > INT64_MAX - 1 || (h->n && row->size <= h->list[h->n - 1].size);
    if (h->unordered) {
        sy_check_say(h->v->c, SY_FOUND_BROKEN, "ledger: the heads in the store are out of order",
                     "账本：存储中的签名头次序错乱");
        return;
    }
    if (sy_grow(sy_heap(), (void **)&h->list, &h->cap, h->n + 1, sizeof *h->list)) {
        h->v->err = sy_fail_set(h->v->f, SY_E_NOMEM, "no memory for the heads");
        return;
    }
    signed_at *a = &h->list[h->n++];
    memset(a, 0, sizeof *a);
    sy_signed_head_init(&a->head);
    a->size = row->size;
    sy_buf_span_put(&a->head.text, row->text);
    if (row->signature.n == sizeof a->head.signature)
        memcpy(a->head.signature, row->signature.p, sizeof a->head.signature);
    if (strlen(row->kid) <= SY_KID_CHARS)
        memcpy(a->kid, row->kid, strlen(row->kid) + 1);
}

static void check_head(heads *h, signed_at *a, const sy_digest *root)
{
    sy_proof_facts facts;
    sy_fail why = {0};
    sy_check *c = h->v->c;
    /* The newest head covers all leaves: its key is the one that the authority must vouch for. An
     * older one may have signed before it was certified, or have been replaced since. */
    bool last = a == &h->list[h->n - 1];
    sy_span ca = last ? c->ca : (sy_span){NULL, 0};
    sy_err e = sy_store_key(h->v->store, a->kid, take_key, &a->head, &why);
    if (!e)
        e = sy_signed_head_check(&a->head, ca, &facts, &why);
    if (!e && (facts.head.size != a->size || !sy_span_is(facts.head.kid, a->kid) ||
               !sy_digest_equal(&facts.head.root, root)))
        e = sy_fail_set(&why, SY_E_DENIED, "the leaves are not those that it was signed over");
    if (e) {
        sy_check_say(c, SY_FOUND_BROKEN, "ledger: head of %llu leaves: %s",
                     "账本：含 %llu 叶的签名头：%s", (unsigned long long)a->size, why.text);
        return;
    }
    h->good++;
}

/* All heads of the store, ascending. */
static sy_err load_heads(heads *h, sy_fail *f)
{
    uint64_t from = 0;
    for (;;) {
        size_t before = h->n;
        sy_err e = sy_store_heads(h->v->store, from, INT64_MAX, 500, false, take_head, h, f);
        if (e || h->v->err)
            return e ? e : h->v->err;
        if (h->n == before || h->unordered)
            return SY_OK;
        from = h->list[h->n - 1].size + 1;
    }
}

static void check_tree(sy_verifying *v, heads *h)
{
    sy_merkle tree;
    bool fit = true;
    size_t next = 0;
    sy_merkle_init(&tree);
    for (uint64_t i = 0; i <= v->n; i++) {
        for (; next < h->n && h->list[next].size == i; next++) {
            sy_digest root = sy_merkle_root(&tree);
            check_head(h, &h->list[next], &root);
        }
        if (i == v->n)
            break;
        sy_merkle_add(&tree, &v->hashes[i]);
        if (fit && !nodes_fit(v, &tree)) {
            sy_check_say(v->c, SY_FOUND_BROKEN,
                         "ledger: leaf %llu, or a stored hash over it, was changed",
                         "账本：第 %llu 叶或其上的哈希已被改动", (unsigned long long)i);
            fit = false;
        }
    }
    if (next < h->n)
        sy_check_say(
            v->c, SY_FOUND_BROKEN,
            "ledger: it has %llu leaves, but a head of %llu was signed: its end is missing",
            "账本：现有 %llu 叶，但已签名的头含 %llu 叶：尾部缺失", (unsigned long long)v->n,
            (unsigned long long)h->list[h->n - 1].size);
    char root[65];
    sy_digest digest = sy_merkle_root(&tree);
    sy_digest_hex(&digest, root);
    if (fit)
        sy_check_say(v->c, SY_FOUND_FINE, "ledger: %llu leaves, root %s", "账本：%llu 叶，根 %s",
                     (unsigned long long)v->n, root);
}

static void tell_heads(sy_verifying *v, const heads *h)
{
    uint64_t covered = h->n ? h->list[h->n - 1].size : 0;
    if (h->n == 0) {
        sy_check_say(v->c, SY_FOUND_BROKEN, "ledger: there is no signed head: nothing is proven",
                     "账本：没有签名头，无法证明任何内容");
    } else if (h->good == h->n) {
        sy_check_say(
            v->c, SY_FOUND_FINE, "heads: all %zu are signed, the newest over %llu leaves%s",
            "签名头：%zu 个均有有效签名，最新一个覆盖 %llu 叶%s", h->n, (unsigned long long)covered,
            v->c->ca.n ? (v->c->zh ? "；密钥由主管机关证书证明"
                                   : "; the authority's certificate binds the key")
                       : "");
    }
    if (!v->c->ca.n)
        sy_check_say(v->c, SY_FOUND_BROKEN,
                     "whose key it is was not checked: give the authority's certificate with --ca",
                     "未核对密钥归属：请用 --ca 给出主管机关证书");
    if (h->n && covered < v->n)
        sy_check_say(v->c, SY_FOUND_NOTE, "ledger: the last %llu leaves are under no head yet",
                     "账本：最后 %llu 叶尚无签名头覆盖", (unsigned long long)(v->n - covered));
}

/* What has expired is known before the things are looked for. */
static bool take_expiry(void *ctx, uint64_t index, sy_span leaf)
{
    sy_verifying *v = ctx;
    json_t *o = json_loadb(leaf.n ? leaf.p : "", leaf.n, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = json_string_value(json_object_get(o, "leaf"));
    if (kind && strcmp(kind, "expiry") == 0 && index < v->n) {
        const json_t *of = json_object_get(o, "of");
        const char *hash = json_string_value(json_object_get(o, "hash"));
        uint64_t which = json_is_integer(of) ? (uint64_t)json_integer_value(of) : UINT64_MAX;
        sy_digest want;
        if (which < index && hash && sy_digest_parse(sy_span_of(hash), &want) == SY_OK &&
            sy_digest_equal(&want, &v->hashes[which]))
            v->gone[which] |= SY_LEAF_GONE;
        else
            sy_check_say(v->c, SY_FOUND_BROKEN,
                         "ledger: leaf %llu speaks of an expiry that is none",
                         "账本：第 %llu 叶所述的到期不成立", (unsigned long long)index);
    }
    json_decref(o);
    return true;
}

static bool thing(void *ctx, uint64_t index, sy_span leaf)
{
    sy_verifying *v = ctx;
    if (index < v->n)
        sy_verify_thing(v, index, leaf);
    return !v->err;
}

/* What agrees with a ledger that nobody vouches for is not proven. */
static void tell_things(sy_verifying *v, bool vouched)
{
    sy_finding_kind kind = vouched ? SY_FOUND_FINE : SY_FOUND_NOTE;
    const char *word = vouched ? (v->c->zh ? "已证明" : "proven")
                               : (v->c->zh ? "与账本一致，但账本未经证明"
                                           : "as in the ledger, which is not proven");
    const sy_verify_count *n = &v->count;
    uint64_t loose = 0, nodes = 0;
    sy_check_say(v->c, kind,
                 "alerts %s: %llu events are as the ledger says, with %llu lines of readings",
                 "警报%s：%llu 个事件与账本一致，所列读数 %llu 行", word,
                 (unsigned long long)n->events, (unsigned long long)n->readings);
    sy_check_say(v->c, kind,
                 "originals %s: %llu records in %llu sealed segments; %llu readings in %llu "
                 "sealed chunks",
                 "原始记录%s：%llu 条记录在 %llu 个封存日志段中；%llu 个读数在 %llu 个封存块中",
                 word, (unsigned long long)n->records, (unsigned long long)n->segments,
                 (unsigned long long)n->samples, (unsigned long long)n->chunks);
    sy_check_say(
        v->c, SY_FOUND_FINE,
        "%llu accepted sets are as they were; %llu things have expired and left their hash",
        "%llu 个已接受配置集原样保存；%llu 项已到期删除并留有哈希", (unsigned long long)n->sets,
        (unsigned long long)n->expired);
    if (sy_store_loose(v->store, &loose, &nodes, NULL) == SY_OK && loose)
        sy_check_say(v->c, SY_FOUND_NOTE, "%llu events are from before the ledger: not proven",
                     "%llu 个事件早于账本，未经证明", (unsigned long long)loose);
}

static void free_heads(heads *h)
{
    for (size_t i = 0; i < h->n; i++)
        sy_signed_head_free(&h->list[i].head);
    free(h->list);
}

sy_err sy_verify_dir(const char *data, const char *file, sy_check *c, sy_fail *f)
{
    sy_verifying v = {.c = c, .data = data, .f = f};
    heads h = {.v = &v};
    sy_err e = sy_store_open(&v.store, data, true, f);
    if (e)
        return e;
    e = sy_store_inspect(v.store, sqlite_says, c, f);
    if (!e)
        e = sy_store_each_leaf(v.store, take_leaf, &v, f);
    if (!e && !v.err)
        e = load_heads(&h, f);
    if (!e && !v.err) {
        check_tree(&v, &h);
        tell_heads(&v, &h);
        e = sy_store_each_leaf(v.store, take_expiry, &v, f);
    }
    if (!e && !v.err)
        sy_verify_chunks(&v);
    if (!e && !v.err)
        e = sy_store_each_leaf(v.store, thing, &v, f);
    if (!e && !v.err) {
        tell_things(&v, c->ca.n && h.n && h.good == h.n);
        sy_verify_alerts(&v);
        sy_verify_journal(&v);
        if (file)
            sy_verify_heads_file(&v, file);
    }
    free_heads(&h);
    free(v.hashes);
    free(v.gone);
    sy_store_close(v.store);
    return e ? e : v.err;
}
