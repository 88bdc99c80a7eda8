/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merkle trees: the vectors that implementations of RFC 6962 share (eight leaves of 0 to 16 bytes),
 * and every proof of every small tree, found good, and found bad once anything in it is changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/merkle.h"

static const sy_span leaves[8] = {
    {"", 0},
    {"\x00", 1},
    {"\x10", 1},
    {"\x20\x21", 2},
    {"\x30\x31", 2},
    {"\x40\x41\x42\x43", 4},
    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
};
static const char *const roots[9] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

/* A node by recomputing it from the leaves: leaf i of the tree is leaves[i % 8] with i before it.
 */
static sy_digest leaf_of(uint64_t i)
{
    char text[32];
    if (i < 8)
        return sy_merkle_leaf(leaves[i]);
    snprintf(text, sizeof text, "leaf %u", (unsigned)i);
    return sy_merkle_leaf(sy_span_of(text));
}

static sy_err compute(void *ctx, unsigned level, uint64_t index, sy_digest *out)
{
    uint64_t limit = *(uint64_t *)ctx;
    assert_true((index + 1) << level <= limit); /* only complete subtrees are asked for */
    if (level == 0) {
        *out = leaf_of(index);
        return SY_OK;
    }
    sy_digest left, right;
    sy_err e = compute(ctx, level - 1, 2 * index, &left);
    if (!e)
        e = compute(ctx, level - 1, 2 * index + 1, &right);
    *out = sy_merkle_node(&left, &right);
    return e;
}

static sy_digest root_of(uint64_t n)
{
    sy_digest root;
    assert_int_equal(sy_merkle_root_of(compute, &n, n, &root), SY_OK);
    return root;
}

static void has_the_published_roots(void **state)
{
    (void)state;
    sy_merkle m;
    char hex[65];
    sy_merkle_init(&m);
    for (uint64_t n = 0; n <= 8; n++) {
        sy_digest running = sy_merkle_root(&m), asked = root_of(n);
        sy_digest_hex(&running, hex);
        assert_string_equal(hex, roots[n]);
        assert_true(sy_digest_equal(&running, &asked));
        sy_digest leaf = leaf_of(n);
        sy_merkle_add(&m, &leaf);
    }
}

static void expect_path(const sy_merkle_proof *p, const char *const *hex, size_t n)
{
    char got[65];
    assert_int_equal(p->n, n);
    for (size_t i = 0; i < n; i++) {
        sy_digest_hex(&p->path[i], got);
        assert_string_equal(got, hex[i]);
    }
}

static void has_the_published_proofs(void **state)
{
    (void)state;
    static const char *const first_of_8[] = {
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    };
    static const char *const third_of_3[] = {
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    };
    static const char *const six_to_8[] = {
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    };
    uint64_t n = 8;
    sy_merkle_proof p;
    assert_int_equal(sy_merkle_inclusion(compute, &n, 0, 8, &p), SY_OK);
    expect_path(&p, first_of_8, 3);
    assert_int_equal(sy_merkle_inclusion(compute, &n, 2, 3, &p), SY_OK);
    expect_path(&p, third_of_3, 1);
    assert_int_equal(sy_merkle_consistency(compute, &n, 6, 8, &p), SY_OK);
    expect_path(&p, six_to_8, 3);
}

static void proves_every_leaf(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 40; n++) {
        sy_digest root = root_of(n), other = root_of(n + 1);
        for (uint64_t i = 0; i < n; i++) {
            sy_merkle_proof p;
            sy_digest leaf = leaf_of(i), wrong = leaf_of(i + 1);
            assert_int_equal(sy_merkle_inclusion(compute, &n, i, n, &p), SY_OK);
            assert_true(sy_merkle_included(&leaf, i, n, &p, &root));
            assert_false(sy_merkle_included(&wrong, i, n, &p, &root));
            assert_false(sy_merkle_included(&leaf, i, n, &p, &other));
            assert_false(sy_merkle_included(&leaf, n, n, &p, &root));
            if (n > 1)
                assert_false(sy_merkle_included(&leaf, i ? i - 1 : 1, n, &p, &root));
            for (size_t k = 0; k < p.n; k++) {
                p.path[k].b[k % 32] ^= 1;
                assert_false(sy_merkle_included(&leaf, i, n, &p, &root));
                p.path[k].b[k % 32] ^= 1;
            }
            p.n++;
            assert_false(sy_merkle_included(&leaf, i, n, &p, &root));
        }
        sy_merkle_proof p;
        assert_int_equal(sy_merkle_inclusion(compute, &n, n, n, &p), SY_E_RANGE);
    }
}

static void proves_every_growth(void **state)
{
    (void)state;
    for (uint64_t n = 0; n <= 40; n++) {
        sy_digest root = root_of(n), next = root_of(n + 1);
        for (uint64_t m = 0; m <= n; m++) {
            sy_merkle_proof p;
            sy_digest before = root_of(m), other = root_of(m + 1);
            assert_int_equal(sy_merkle_consistency(compute, &n, m, n, &p), SY_OK);
            assert_true(sy_merkle_consistent(m, &before, n, &root, &p));
            assert_false(sy_merkle_consistent(m, &other, n, &root, &p));
            if (m > 0 && m < n)
                assert_false(sy_merkle_consistent(m, &before, n, &next, &p));
            for (size_t k = 0; k < p.n; k++) {
                p.path[k].b[31 - k % 32] ^= 128;
                assert_false(sy_merkle_consistent(m, &before, n, &root, &p));
                p.path[k].b[31 - k % 32] ^= 128;
            }
            p.path[p.n++] = before;
            assert_false(sy_merkle_consistent(m, &before, n, &root, &p));
            assert_false(sy_merkle_consistent(n + 1, &before, n, &root, &p));
        }
        sy_merkle_proof p;
        assert_int_equal(sy_merkle_consistency(compute, &n, n + 1, n, &p), SY_E_RANGE);
    }
}

static void reads_hex(void **state)
{
    (void)state;
    sy_digest d;
    char hex[65];
    assert_int_equal(sy_digest_parse(sy_span_of(roots[8]), &d), SY_OK);
    sy_digest_hex(&d, hex);
    assert_string_equal(hex, roots[8]);
    assert_int_equal(sy_digest_parse((sy_span){roots[8], 63}, &d), SY_E_PARSE);
    hex[5] = 'A';
    assert_int_equal(sy_digest_parse(sy_span_of(hex), &d), SY_E_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_published_roots),
        cmocka_unit_test(has_the_published_proofs),
        cmocka_unit_test(proves_every_leaf),
        cmocka_unit_test(proves_every_growth),
        cmocka_unit_test(reads_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
