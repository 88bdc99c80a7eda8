/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios of the example rules, in both languages. */
#include "judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void shared_file(const char *path, size_t at_least)
{
    kit_set k;
    sy_buf text = kit_shared(path);
    if (!text.p) {
        print_message("skipped: %s is not there (SY_SHARED)\n", path);
        skip();
    }
    kit_load(&k, path, sy_buf_span(&text), false);
    assert_true(k.set->n_scenarios >= at_least);
    assert_int_equal(kit_scenarios(&k, kit_zone("Asia/Shanghai", &k.arena), true), 0);
    kit_free(&k);
    sy_buf_fini(&text);
}

static void first_english(void **state)
{
    (void)state;
    shared_file("rules/first.en.rules", 4);
}

static void first_chinese(void **state)
{
    (void)state;
    shared_file("rules/first.zh.rules", 4);
}

/* Files of the tests, whose scenarios pin constructs one by one. */
static void of_the_project(void **state)
{
    static const char *const paths[] = {"tests/rules/phrases.rules"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        kit_set k;
        sy_buf text = kit_file(paths[i]);
        kit_load(&k, paths[i], sy_buf_span(&text), false);
        assert_true(k.set->n_scenarios > 0);
        assert_int_equal(kit_scenarios(&k, kit_zone("Asia/Shanghai", &k.arena), true), 0);
        kit_free(&k);
        sy_buf_fini(&text);
    }
}

static void rest_english(void **state)
{
    (void)state;
    shared_file("rules/rest.en.rules", 10);
}

static void rest_chinese(void **state)
{
    (void)state;
    shared_file("rules/rest.zh.rules", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_project), cmocka_unit_test(first_english),
        cmocka_unit_test(first_chinese),  cmocka_unit_test(rest_english),
        cmocka_unit_test(rest_chinese),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
