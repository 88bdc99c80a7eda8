/* SPDX-License-Identifier: Apache-2.0 */
/* The one-pass reader of SenML against the JSON library: whatever it says yes to, the library takes
 * too and gives the same records, bit for bit; and it does say yes to what devices usually send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <jansson.h>

#include "drivers/formats/senml.h"

typedef struct rng {
    uint64_t s;
} rng;

static uint32_t below(rng *r, uint32_t n)
{
    r->s = r->s * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(r->s >> 33) % n;
}

static void same_records(const sy_senml_pack *a, const sy_senml_pack *b, const char *text)
{
    if (a->n != b->n)
        fail_msg("%zu records instead of %zu: %s", a->n, b->n, text);
    for (size_t i = 0; i < a->n; i++) {
        const sy_record *x = &a->records[i], *y = &b->records[i];
        if (!sy_span_eq(x->name, y->name) || !sy_span_eq(x->local, y->local) ||
            x->kind != y->kind || memcmp(&x->number, &y->number, sizeof x->number) != 0 ||
            !sy_span_eq(x->text, y->text) || !sy_span_eq(x->unit, y->unit) ||
            x->has_time != y->has_time || x->time_relative != y->time_relative ||
            x->time != y->time || memcmp(&x->time_s, &y->time_s, sizeof x->time_s) != 0 ||
            x->quality != y->quality)
            fail_msg("record %zu differs: %s", i + 1, text);
    }
}

/* True where the one-pass reader took the text. */
static bool compare(const char *text, size_t n)
{
    sy_senml_pack plain, tree;
    json_t *root = NULL;
    sy_fail f;
    /* An exact copy, so that a sanitizer sees a read beyond the end. */
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, text, n);
    sy_senml_init(&plain);
    sy_senml_init(&tree);
    bool taken = sy_senml_plain(&plain, (sy_span){copy, n});
    if (taken) {
        if (sy_senml_tree(&tree, (sy_span){copy, n}, &root, &f) != SY_OK)
            fail_msg("taken, though the library says \"%s\": %.*s", f.text, (int)n, text);
        same_records(&plain, &tree, text);
    }
    sy_senml_fini(&plain);
    sy_senml_fini(&tree);
    json_decref(root);
    free(copy);
    return taken;
}

static const char *const usual[] = {
    "[{\"bn\":\"d12/\",\"bt\":1795476878.12,\"n\":\"temperature\",\"u\":\"Cel\",\"v\":4.5}]",
    "[{ \"n\": \"urn:dev:ow:10e2073a01080063\", \"v\":23.1, \"u\":\"Cel\" }]",
    ("[{\"bn\":\"a:\",\"bt\":1276020076.001,\"bu\":\"A\",\"bver\":5,\"n\":\"voltage\",\"u\":\"V\","
     "\"v\":120.1},\n "
     "{\"n\":\"current\",\"t\":-5,\"v\":1.2},{\"n\":\"current\",\"t\":-4,\"v\":1.30}]"),
    "[{\"n\":\"door\",\"vb\":true},{\"n\":\"state\",\"vs\":\"open\"},{\"n\":\"x\",\"vb\":false}]",
    ("[{\"n\":\"a\",\"v\":-0},{\"n\":\"b\",\"v\":-0.0},{\"n\":\"c\",\"v\":0.1},{\"n\":\"d\",\"s\":"
     "7}"
     "]"),
    "[{\"bn\":\"a/\",\"bv\":20,\"n\":\"t\",\"v\":3.3},{\"n\":\"t\",\"v\":123456789012345}]",
};
enum { USUAL = sizeof usual / sizeof *usual };

static void test_usual(void **state)
{
    (void)state;
    for (size_t i = 0; i < USUAL; i++)
        if (!compare(usual[i], strlen(usual[i])))
            fail_msg("left to the library: %s", usual[i]);
}

/* What it must leave to the library, be it right or wrong. */
static void test_left(void **state)
{
    (void)state;
    static const char *const left[] = {
        "",
        "[",
        "[]",
        "{}",
        "[{}]",
        "[{\"n\":\"a\",\"v\":1}] x",
        "[{\"n\":\"a\",\"v\":1},]",
        "[{\"n\":\"a\",\"v\":1,}]",
        "[{\"n\":\"a\",\"v\":01}]",
        "[{\"n\":\"a\",\"v\":1.}]",
        "[{\"n\":\"a\",\"v\":.5}]",
        "[{\"n\":\"a\",\"v\":+1}]",
        "[{\"n\":\"a\",\"v\":1e2}]",
        "[{\"n\":\"a\",\"v\":1234567890123456}]",
        "[{\"n\":\"a\",\"v\":\"1\"}]",
        "[{\"n\":\"a\",\"v\":NaN}]",
        "[{\"n\":\"a\",\"v\":1,\"v\":2}]",
        "[{\"n\":\"a\",\"v\":1,\"x\":2}]",
        "[{\"n\":\"a\",\"v\":null}]",
        "[{\"n\":\"\\u0061\",\"v\":1}]",
        "[{\"n\":\"\xe6\xb8\xa9\",\"v\":1}]",
        "[{\"n\":\"a\",\"v\":-}]",
        "[{\"n\":\"a\",\"v\":1 2}]",
        "[{\"n\":\"a\" \"v\":1}]",
        "[{\"n\":\"a\",\"v\":tru}]",
        "[[]]",
        "[{\"n\":\"a\",\"v_\":1}]",
        "[{\"v\":1}]",
        "[{\"n\":\"a b\",\"v\":1}]",
        "[{\"n\":\"a\",\"v\":1}",
    };
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        if (compare(left[i], strlen(left[i])))
            fail_msg("taken: %s", left[i]);
}

static void test_numbers(void **state)
{
    (void)state;
    rng r = {42};
    char text[160];
    size_t taken = 0;
    for (int i = 0; i < 200000; i++) {
        char digits[24];
        int n = 0, whole = 1 + (int)below(&r, 12), fraction = (int)below(&r, 8);
        for (int k = 0; k < whole; k++)
            digits[n++] = (char)('0' + (k == 0 && whole > 1 ? 1 + below(&r, 9) : below(&r, 10)));
        if (fraction)
            digits[n++] = '.';
        for (int k = 0; k < fraction; k++)
            digits[n++] = (char)('0' + below(&r, 10));
        digits[n] = '\0';
        int len =
            snprintf(text, sizeof text, "[{\"n\":\"a\",\"v\":%s%s,\"t\":%u.%03u}]",
                     below(&r, 2) ? "-" : "", digits, below(&r, 4000000000u), below(&r, 1000));
        taken += compare(text, (size_t)len);
    }
    assert_true(taken > 150000);
}

/* Bytes changed, doubled, cut and swapped in usual packs. */
static void test_mutations(void **state)
{
    (void)state;
    static const char bytes[] = "[]{}\",:.-+eE0123456789 \t\n\\/ntfvbusx\x80\xff\x01";
    rng r = {7};
    size_t taken = 0;
    for (int i = 0; i < 300000; i++) {
        char text[512];
        const char *from = usual[below(&r, USUAL)];
        size_t n = strlen(from);
        memcpy(text, from, n);
        for (uint32_t k = 1 + below(&r, 3); k > 0 && n > 0; k--) {
            size_t at = below(&r, (uint32_t)n), end = at + 1 + below(&r, 6);
            end = end > n ? n : end;
            switch (below(&r, 4)) {
            case 0:
                text[at] = bytes[below(&r, sizeof bytes - 1)];
                break;
            case 1:
                memmove(text + at, text + end, n - end);
                n -= end - at;
                break;
            case 2:
                memmove(text + end, text + at, n - at);
                n += end - at;
                break;
            default:
                n = at;
                break;
            }
        }
        taken += compare(text, n);
    }
    assert_true(taken > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),
        cmocka_unit_test(test_left),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
