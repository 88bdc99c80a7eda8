/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves. Appending leaf n completes the subtrees of level 1, 2 … as long as the bits of n are
 * set; each is stored once, under (level, index). Level 0 is the hash of the leaf itself.
 */
#include "store/leaves.h"

#include "store/store_int.h"

enum { MAX_LEAF = 65536 };

/* A query that is asked several times with other numbers. */
typedef struct nodes {
    sy_query q;
    uint64_t n; /* leaves that there are */
    sy_fail *f;
} nodes;

sy_err sy_store_leaves(sy_store *s, uint64_t *n, sy_fail *f)
{
    return sy_store__number(s, "SELECT coalesce(max(n)+1,0) FROM leaf", n, f);
}

static sy_err get_node(void *ctx, unsigned level, uint64_t index, sy_digest *out)
{
    nodes *a = ctx;
    sqlite3_reset(a->q.st);
    sqlite3_bind_int64(a->q.st, 1, (int64_t)level);
    sqlite3_bind_int64(a->q.st, 2, (int64_t)index);
    sy_err e = sy_query_next(&a->q, a->f);
    if (e == SY_E_NOTFOUND || (!e && sqlite3_column_bytes(a->q.st, 0) != (int)sizeof out->b))
        return sy_fail_set(a->f, SY_E_CORRUPT,
                           "store: node %u/%llu of the ledger's tree is missing or damaged", level,
                           (unsigned long long)index);
    if (!e)
        memcpy(out->b, sqlite3_column_blob(a->q.st, 0), sizeof out->b);
    return e;
}

static sy_err ask_nodes(nodes *a, sy_store *s, sy_fail *f)
{
    a->f = f;
    return sy_query_begin(&a->q, s, "SELECT hash FROM node WHERE level=?1 AND i=?2", f);
}

static sy_err open_nodes(nodes *a, sy_store *s, uint64_t need, sy_fail *f)
{
    *a = (nodes){.f = f};
    sy_err e = sy_store_leaves(s, &a->n, f);
    if (!e && need > a->n)
        e = sy_fail_set(f, SY_E_RANGE, "store: the ledger has %llu leaves, not %llu",
                        (unsigned long long)a->n, (unsigned long long)need);
    return e ? e : ask_nodes(a, s, f);
}

/* Whether the ledger has the leaf from before the store was made again. */
static sy_err find_known(sy_store *s, const sy_digest *h, uint64_t *index, bool *found, sy_fail *f)
{
    sy_query q;
    *found = false;
    if (!s->known_leaves)
        return SY_OK;
    sy_err e = sy_query_begin(&q, s, "SELECT n FROM known_leaf WHERE hash=?1", f);
    if (e)
        return e;
    sqlite3_bind_blob(q.st, 1, h->b, sizeof h->b, SQLITE_STATIC);
    e = sy_query_next(&q, f);
    *found = e == SY_OK;
    if (*found)
        *index = (uint64_t)sqlite3_column_int64(q.st, 0);
    sy_query_end(&q);
    return e == SY_E_NOTFOUND ? SY_OK : e;
}

sy_err sy_store_leaf(sy_store *s, sy_span leaf, uint64_t *index, sy_fail *f)
{
    uint64_t n = 0;
    sy_err e = sy_store__in_batch(s, f);
    if (e)
        return e;
    if (leaf.n == 0 || leaf.n > MAX_LEAF)
        return sy_fail_set(f, SY_E_RANGE, "store: a leaf of %zu bytes", leaf.n);
    sy_digest h = sy_merkle_leaf(leaf);
    bool found;
    e = find_known(s, &h, index, &found, f);
    if (found)
        return SY_OK;
    if (!e)
        e = sy_store_leaves(s, &n, f);
    if (!e)
        e = sy_store__run(s, SY_SQL_LEAF_ADD, f, "ib", (int64_t)n, &leaf);
    nodes a = {0};
    if (!e)
        e = ask_nodes(&a, s, f);
    for (unsigned level = 0; !e; level++) {
        sy_span bytes = {(const char *)h.b, sizeof h.b};
        sy_digest left;
        e = sy_store__run(s, SY_SQL_NODE_ADD, f, "iib", (int64_t)level, (int64_t)(n >> level),
                          &bytes);
        if (e || !(n >> level & 1))
            break;
        e = get_node(&a, level, (n >> level) - 1, &left);
        if (!e)
            h = sy_merkle_node(&left, &h);
    }
    if (a.q.st)
        sy_query_end(&a.q);
    if (!e)
        *index = n;
    return e ? sy_store__fail(s, e) : SY_OK;
}

sy_err sy_store_leaf_get(sy_store *s, uint64_t index, sy_buf *out, sy_fail *f)
{
    sy_query q;
    sy_err e = sy_query_begin(&q, s, "SELECT bytes FROM leaf WHERE n=?1", f);
    if (e)
        return e;
    sqlite3_bind_int64(q.st, 1, (int64_t)index);
    e = sy_query_next(&q, f);
    if (!e) {
        sy_buf_put(out, sqlite3_column_blob(q.st, 0), (size_t)sqlite3_column_bytes(q.st, 0));
        if (out->failed)
            e = sy_fail_set(f, SY_E_NOMEM, "no memory for a leaf");
    } else if (e == SY_E_NOTFOUND) {
        sy_fail_set(f, e, "store: the ledger has no leaf %llu", (unsigned long long)index);
    }
    sy_query_end(&q);
    return e;
}

sy_err sy_store_root(sy_store *s, uint64_t n, sy_digest *out, sy_fail *f)
{
    nodes a;
    sy_err e = open_nodes(&a, s, n, f);
    if (e)
        return e;
    e = sy_merkle_root_of(get_node, &a, n, out);
    sy_query_end(&a.q);
    return e;
}

sy_err sy_store_inclusion(sy_store *s, uint64_t index, uint64_t n, sy_merkle_proof *out, sy_fail *f)
{
    nodes a;
    if (index >= n)
        return sy_fail_set(f, SY_E_RANGE, "store: leaf %llu is not among the first %llu",
                           (unsigned long long)index, (unsigned long long)n);
    sy_err e = open_nodes(&a, s, n, f);
    if (e)
        return e;
    e = sy_merkle_inclusion(get_node, &a, index, n, out);
    sy_query_end(&a.q);
    return e;
}

sy_err sy_store_consistency(sy_store *s, uint64_t m, uint64_t n, sy_merkle_proof *out, sy_fail *f)
{
    nodes a;
    if (m > n)
        return sy_fail_set(f, SY_E_RANGE, "store: a tree of %llu leaves does not continue %llu",
                           (unsigned long long)n, (unsigned long long)m);
    sy_err e = open_nodes(&a, s, n, f);
    if (e)
        return e;
    e = sy_merkle_consistency(get_node, &a, m, n, out);
    sy_query_end(&a.q);
    return e;
}
