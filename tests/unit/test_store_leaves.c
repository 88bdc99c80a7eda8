/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's leaves: appended in a batch, gone with it, roots and proofs at every size. */
#include "store_rig.h"

#include <stdio.h>

#include "store/leaves.h"

static uint64_t append(sy_store *s, uint64_t i)
{
    char text[32];
    sy_fail f;
    uint64_t index;
    snprintf(text, sizeof text, "{\"leaf\":%u}", (unsigned)i);
    fine(sy_store_leaf(s, sy_span_of(text), &index, &f), f);
    return index;
}

static void has_the_root_of_the_running_tree(void **state)
{
    sy_fail f;
    sy_store *s = store_rig_open(*state);
    sy_merkle m;
    sy_digest roots[101];
    sy_merkle_init(&m);
    roots[0] = sy_merkle_root(&m);
    for (uint64_t i = 0; i < 100;) {
        fine(sy_store_begin(s, false, &f), f);
        for (uint64_t k = 0; k < 7 && i < 100; k++, i++) {
            char text[32];
            assert_int_equal(append(s, i), i);
            snprintf(text, sizeof text, "{\"leaf\":%u}", (unsigned)i);
            sy_digest leaf = sy_merkle_leaf(sy_span_of(text)), now;
            sy_merkle_add(&m, &leaf);
            roots[i + 1] = sy_merkle_root(&m);
            fine(sy_store_root(s, i + 1, &now, &f), f); /* seen within the batch */
            assert_true(sy_digest_equal(&now, &roots[i + 1]));
        }
        fine(sy_store_commit(s, i, &f), f);
    }
    sy_store_close(s);
    s = store_rig_open(*state);
    uint64_t n = 0;
    fine(sy_store_leaves(s, &n, &f), f);
    assert_int_equal(n, 100);
    for (uint64_t size = 0; size <= n; size++) {
        sy_digest root;
        sy_merkle_proof p;
        fine(sy_store_root(s, size, &root, &f), f);
        assert_true(sy_digest_equal(&root, &roots[size]));
        fine(sy_store_consistency(s, size, n, &p, &f), f);
        assert_true(sy_merkle_consistent(size, &root, n, &roots[n], &p));
    }
    for (uint64_t i = 0; i < n; i++) {
        sy_merkle_proof p;
        sy_buf bytes;
        sy_buf_init(&bytes, sy_heap());
        fine(sy_store_leaf_get(s, i, &bytes, &f), f);
        sy_digest leaf = sy_merkle_leaf(sy_buf_span(&bytes));
        sy_buf_fini(&bytes);
        fine(sy_store_inclusion(s, i, n, &p, &f), f);
        assert_true(sy_merkle_included(&leaf, i, n, &p, &roots[n]));
    }
    sy_store_close(s);
}

static void goes_with_its_batch(void **state)
{
    sy_fail f;
    sy_store *s = store_rig_open(*state);
    uint64_t n = 7, index;
    sy_digest root;
    assert_int_equal(sy_store_leaf(s, sy_span_of("x"), &index, &f), SY_E_USAGE);
    fine(sy_store_begin(s, false, &f), f);
    append(s, 0);
    append(s, 1);
    sy_store_rollback(s);
    fine(sy_store_leaves(s, &n, &f), f);
    assert_int_equal(n, 0);
    fine(sy_store_begin(s, false, &f), f);
    assert_int_equal(append(s, 5), 0);
    fine(sy_store_commit(s, 1, &f), f);
    assert_int_equal(sy_store_root(s, 2, &root, &f), SY_E_RANGE);
    fine(sy_store_begin(s, false, &f), f);
    assert_int_equal(sy_store_leaf(s, sy_span_of(""), &index, &f), SY_E_RANGE);
    sy_store_rollback(s);
    sy_buf bytes;
    sy_buf_init(&bytes, sy_heap());
    assert_int_equal(sy_store_leaf_get(s, 1, &bytes, &f), SY_E_NOTFOUND);
    sy_buf_fini(&bytes);
    sy_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(has_the_root_of_the_running_tree, store_rig_setup,
                                        store_rig_teardown),
        cmocka_unit_test_setup_teardown(goes_with_its_batch, store_rig_setup, store_rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
