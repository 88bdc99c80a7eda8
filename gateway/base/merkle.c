/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merkle trees. A range of leaves that a proof needs always begins at a multiple of the largest
 * power of two in it, since all splits start from leaf 0: so it falls into complete subtrees from
 * left to right, and its hash folds them from right to left.
 */
#include "base/merkle.h"

#include "base/hash.h"

sy_digest sy_merkle_leaf(sy_span bytes)
{
    static const uint8_t prefix = 0x00;
    sy_digest out;
    sy_sha256 s;
    sy_sha256_init(&s);
    sy_sha256_add(&s, &prefix, 1);
    sy_sha256_add(&s, bytes.p, bytes.n);
    sy_sha256_end(&s, out.b);
    return out;
}

sy_digest sy_merkle_node(const sy_digest *left, const sy_digest *right)
{
    static const uint8_t prefix = 0x01;
    sy_digest out;
    sy_sha256 s;
    sy_sha256_init(&s);
    sy_sha256_add(&s, &prefix, 1);
    sy_sha256_add(&s, left->b, sizeof left->b);
    sy_sha256_add(&s, right->b, sizeof right->b);
    sy_sha256_end(&s, out.b);
    return out;
}

static sy_digest of_nothing(void)
{
    sy_digest out;
    sy_sha256 s;
    sy_sha256_init(&s);
    sy_sha256_end(&s, out.b);
    return out;
}

void sy_merkle_init(sy_merkle *m)
{
    m->n = 0;
}

void sy_merkle_add(sy_merkle *m, const sy_digest *leaf)
{
    sy_digest h = *leaf;
    unsigned level = 0;
    for (; m->n >> level & 1; level++)
        h = sy_merkle_node(&m->full[level], &h);
    m->full[level] = h;
    m->n++;
}

sy_digest sy_merkle_root(const sy_merkle *m)
{
    sy_digest h = of_nothing();
    bool any = false;
    for (unsigned level = 0; level < SY_MERKLE_DEPTH; level++) {
        if (!(m->n >> level & 1))
            continue;
        h = any ? sy_merkle_node(&m->full[level], &h) : m->full[level];
        any = true;
    }
    return h;
}

/* The largest power of two below n; n > 1. */
static uint64_t split(uint64_t n)
{
    uint64_t k = 1;
    while (k < n - k)
        k *= 2;
    return k;
}

static unsigned level_of(uint64_t power)
{
    unsigned level = 0;
    while (power >> level > 1)
        level++;
    return level;
}

/* The hash of the leaves [from, to), to > from. */
static sy_err range(sy_merkle_get get, void *ctx, uint64_t from, uint64_t to, sy_digest *out)
{
    sy_digest parts[SY_MERKLE_DEPTH];
    size_t n = 0;
    while (from < to) {
        uint64_t left = to - from, k = left > 1 ? split(left) : 1;
        if (left - k == k)
            k = left; /* itself a power of two */
        unsigned level = level_of(k);
        sy_err e = get(ctx, level, from >> level, &parts[n++]);
        if (e)
            return e;
        from += k;
    }
    *out = parts[--n];
    while (n > 0)
        *out = sy_merkle_node(&parts[--n], out);
    return SY_OK;
}

sy_err sy_merkle_root_of(sy_merkle_get get, void *ctx, uint64_t n, sy_digest *out)
{
    if (n > 0)
        return range(get, ctx, 0, n, out);
    *out = of_nothing();
    return SY_OK;
}

static void reverse(sy_merkle_proof *p)
{
    for (size_t i = 0; i < p->n / 2; i++) {
        sy_digest other = p->path[i];
        p->path[i] = p->path[p->n - 1 - i];
        p->path[p->n - 1 - i] = other;
    }
}

sy_err sy_merkle_inclusion(sy_merkle_get get, void *ctx, uint64_t index, uint64_t n,
                           sy_merkle_proof *out)
{
    out->n = 0;
    if (index >= n)
        return SY_E_RANGE;
    uint64_t from = 0, to = n;
    while (to - from > 1) {
        uint64_t middle = from + split(to - from);
        bool left = index < middle;
        sy_err e = range(get, ctx, left ? middle : from, left ? to : middle, &out->path[out->n++]);
        if (e)
            return e;
        if (left)
            to = middle;
        else
            from = middle;
    }
    reverse(out);
    return SY_OK;
}

sy_err sy_merkle_consistency(sy_merkle_get get, void *ctx, uint64_t m, uint64_t n,
                             sy_merkle_proof *out)
{
    out->n = 0;
    if (m > n)
        return SY_E_RANGE;
    uint64_t from = 0, to = n;
    bool whole = true; /* [from, m) is all of the old tree: its root is known */
    while (m > 0 && m < to) {
        uint64_t middle = from + split(to - from);
        bool left = m <= middle;
        sy_err e = range(get, ctx, left ? middle : from, left ? to : middle, &out->path[out->n++]);
        if (e)
            return e;
        if (left) {
            to = middle;
        } else {
            from = middle;
            whole = false;
        }
    }
    if (!whole) {
        sy_err e = range(get, ctx, from, to, &out->path[out->n++]);
        if (e)
            return e;
    }
    reverse(out);
    return SY_OK;
}

bool sy_merkle_included(const sy_digest *leaf, uint64_t index, uint64_t n,
                        const sy_merkle_proof *proof, const sy_digest *root)
{
    if (index >= n)
        return false;
    uint64_t fn = index, sn = n - 1;
    sy_digest r = *leaf;
    for (size_t i = 0; i < proof->n; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            r = sy_merkle_node(&proof->path[i], &r);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = sy_merkle_node(&r, &proof->path[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && sy_digest_equal(&r, root);
}

bool sy_merkle_consistent(uint64_t m, const sy_digest *root_m, uint64_t n, const sy_digest *root_n,
                          const sy_merkle_proof *proof)
{
    if (m == 0 || m == n) {
        sy_digest empty = of_nothing();
        return proof->n == 0 && sy_digest_equal(root_m, m == 0 ? &empty : root_n);
    }
    if (m > n)
        return false;
    bool power = (m & (m - 1)) == 0;
    if (!power && proof->n == 0)
        return false;
    uint64_t fn = m - 1, sn = n - 1;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    size_t i = power ? 0 : 1;
    sy_digest fr = power ? *root_m : proof->path[0], sr = fr;
    for (; i < proof->n; i++) {
        const sy_digest *c = &proof->path[i];
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            fr = sy_merkle_node(c, &fr);
            sr = sy_merkle_node(c, &sr);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = sy_merkle_node(&sr, c);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && sy_digest_equal(&fr, root_m) && sy_digest_equal(&sr, root_n);
}

void sy_digest_hex(const sy_digest *d, char out[65])
{
    sy_hex(d->b, sizeof d->b, out);
}

sy_err sy_digest_parse(sy_span hex, sy_digest *out)
{
    if (hex.n != 64)
        return SY_E_PARSE;
    for (size_t i = 0; i < sizeof out->b; i++) {
        int high = sy_hex_digit(hex.p[2 * i]), low = sy_hex_digit(hex.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return SY_E_PARSE;
        out->b[i] = (uint8_t)(high << 4 | low);
    }
    /* One spelling of a digest: its own digits back. */
    char own[65];
    sy_digest_hex(out, own);
    return memcmp(own, hex.p, hex.n) == 0 ? SY_OK : SY_E_PARSE;
}
