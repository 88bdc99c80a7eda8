/* SPDX-License-Identifier: Apache-2.0 */
/* The leaf of a chunk: its root is that of the lines that docs/formats.md describes, made anew here
 * from what a query gives. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/leaves.h"
#include "store_rig.h"

enum { N = 1024 };

typedef struct tree {
    sy_merkle merkle;
    size_t n;
    sy_ms first, last;
} tree;

static bool add_line(void *ctx, const sy_reading_row *r)
{
    tree *x = ctx;
    char line[96];
    uint64_t bits;
    memcpy(&bits, &r->value, sizeof bits);
    int n =
        snprintf(line, sizeof line, "%" PRId64 ",%016" PRIx64 ",%" PRIu32, r->t, bits, r->quality);
    sy_digest leaf = sy_merkle_leaf((sy_span){line, (size_t)n});
    sy_merkle_add(&x->merkle, &leaf);
    x->first = x->n == 0 ? r->t : x->first;
    x->last = r->t;
    return ++x->n < N;
}

/* Times before 1970 and at the ends of what there is, odd values, every quality. */
static void put_all(sy_store *s, const char *series)
{
    static const double odd[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 4.9e-324, -1.7e308, 21.5};
    sy_fail f = {0};
    for (int i = 0; i < N; i++) {
        sy_ms t = i == 0 ? -3 * 86400000LL : i - 500LL * (i % 3);
        double value = i % 50 ? (double)i / 10.0 : odd[i / 50 % 8];
        sy_quality q = i % 7 ? SY_Q_GOOD : SY_Q_UNCERTAIN | SY_Q_LATE | (sy_quality)(i % 3) << 12;
        fine(sy_store_begin(s, false, &f), f);
        (void)store_rig_put(s, series, t, value, q);
        fine(sy_store_commit(s, (uint64_t)i + 1, &f), f);
    }
}

static void test_root(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f = {0};
    tree x = {.n = 0};
    sy_buf leaf, want;
    char hex[65];
    uint64_t leaves = 0;
    sy_merkle_init(&x.merkle);
    sy_buf_init(&leaf, sy_heap());
    sy_buf_init(&want, sy_heap());
    sy_store_commit_every(s, 0); /* a row at once */
    put_all(s, "a \"b\"");
    fine(sy_store_leaves(s, &leaves, &f), f);
    assert_int_equal(leaves, 1);
    fine(sy_store_leaf_get(s, 0, &leaf, &f), f);
    fine(sy_store_readings(s, "a \"b\"", SY_MS_NONE, SY_MS_MAX, add_line, &x, &f), f);
    sy_digest root = sy_merkle_root(&x.merkle);
    sy_digest_hex(&root, hex);
    sy_buf_printf(&want,
                  "{\"leaf\":\"chunk\",\"series\":\"a \\\"b\\\"\",\"from\":%lld,\"to\":%lld,"
                  "\"n\":%zu,\"first_seq\":1,\"last_seq\":1,\"root\":\"%s\"}",
                  (long long)x.first, (long long)x.last, x.n, hex);
    sy_buf_char(&leaf, '\0');
    assert_string_equal(leaf.p, want.p);
    sy_buf_fini(&leaf);
    sy_buf_fini(&want);
    sy_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_root, store_rig_setup, store_rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
