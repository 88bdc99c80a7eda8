/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each number and comparison of the example rules, changed by one step, makes a scenario fail: what
 * a rule says is held by its scenarios, and the judge notices a step.
 */
#include "judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A piece of the rule text that is there once, and what the changes put in its place. */
static const struct {
    const char *is;
    const char *becomes[4];
} mutants[] = {
    /* COLD-01 */
    {"from 2026-01-01\n  watch each room",
     {"from 2026-01-02\n  watch each room", "from 2025-12-31\n  watch each room"}},
    {"missing after 3 min", {"missing after 2 min", "missing after 4 min"}},
    {"set hold = 10 min", {"set hold = 9 min", "set hold = 11 min"}},
    {"alert serious when", {"alert warning when", "alert major when"}},
    {"temperature outside 2 to 8 °C [law]",
     {"temperature outside 1 to 8 °C [law]", "temperature outside 3 to 8 °C [law]",
      "temperature outside 2 to 7 °C [law]", "temperature outside 2 to 9 °C [law]"}},
    {"when temperature outside 2", {"when temperature within 2"}},
    {"door open, each at most 5 min",
     {"door open, each at most 4 min", "door open, each at most 6 min",
      "door closed, each at most 5 min"}},
    {"5 min, daily at most 8 times",
     {"5 min, daily at most 7 times", "5 min, daily at most 9 times"}},
    {"defrost on, each at most 30 min",
     {"defrost on, each at most 29 min", "defrost on, each at most 31 min",
      "defrost off, each at most 30 min"}},
    {"30 min, daily at most 4 times",
     {"30 min, daily at most 3 times", "30 min, daily at most 5 times"}},
    {"temperature within 2 to 8 °C for",
     {"temperature within 1 to 8 °C for", "temperature within 3 to 8 °C for",
      "temperature within 2 to 7 °C for", "temperature within 2 to 9 °C for"}},
    {"clear when temperature within 2", {"clear when temperature outside 2"}},
    {"2 to 8 °C for 10 min", {"2 to 8 °C for 9 min", "2 to 8 °C for 11 min"}},
    /* FOOD-01 */
    {"from 2026-03-01 to", {"from 2026-02-28 to", "from 2026-03-02 to"}},
    {"to 2027-12-31", {"to 2027-12-30", "to 2028-01-01"}},
    {"missing after 10 min", {"missing after 9 min", "missing after 11 min"}},
    {"A 60 min", {"A 59 min"}}, /* 61 is beyond its bounds of tuning */
    {"B 45 min", {"B 44 min", "B 46 min"}},
    {"C 30 min", {"C 29 min", "C 31 min"}},
    {"D 15 min", {"D 14 min", "D 16 min"}},
    {"otherwise 15 min", {"otherwise 14 min", "otherwise 16 min"}},
    {"alert warning when", {"alert notice when", "alert serious when"}},
    {"above 8 °C [law] for",
     {"above 7 °C [law] for", "above 9 °C [law] for", "at least 8 °C [law] for",
      "below 8 °C [law] for"}},
    {"at most 8 °C for",
     {"at most 7 °C for", "at most 9 °C for", "below 8 °C for", "above 8 °C for"}},
    {"at most 8 °C for 10 min", {"at most 8 °C for 9 min", "at most 8 °C for 11 min"}},
    /* DATA-01 */
    {"from 2026-01-01\n  watch each point",
     {"from 2026-01-02\n  watch each point", "from 2025-12-31\n  watch each point"}},
    {"alert notice when", {"alert warning when"}},
    {"no data for 15 min", {"no data for 14 min", "no data for 16 min"}},
};

static const sy_zone *zone;

static void join(sy_buf *out, const sy_buf *rules, const char *at, size_t n, const char *instead,
                 const sy_buf *more)
{
    size_t before = (size_t)(at - rules->p);
    sy_buf_reset(out);
    sy_buf_put(out, rules->p, before);
    sy_buf_text(out, instead);
    sy_buf_put(out, at + n, rules->n - before - n);
    sy_buf_char(out, '\n');
    sy_buf_span_put(out, sy_buf_span(more));
}

static size_t failures(const sy_buf *text, bool loud)
{
    kit_set k;
    size_t n;
    kit_load(&k, "mutant", sy_buf_span(text), false);
    n = kit_scenarios(&k, zone, loud);
    kit_free(&k);
    return n;
}

static void each_step_is_caught(void **state)
{
    sy_buf rules = kit_shared("rules/first.en.rules");
    sy_buf more = kit_file("tests/rules/first-more.rules");
    sy_buf text;
    sy_arena arena;
    size_t n = 0, survived = 0;
    (void)state;
    if (!rules.p) {
        print_message("skipped: the example rules are not there (SY_SHARED)\n");
        skip();
    }
    sy_arena_init(&arena, sy_heap(), 0);
    zone = kit_zone("Asia/Shanghai", &arena);
    sy_buf_init(&text, sy_heap());
    join(&text, &rules, rules.p, 0, "", &more);
    assert_int_equal(failures(&text, true), 0);
    for (size_t k = 0; k < sizeof mutants / sizeof *mutants; k++) {
        const char *at = strstr(rules.p, mutants[k].is);
        if (!at || strstr(at + 1, mutants[k].is)) {
            print_error("'%s' is not there once\n", mutants[k].is);
            fail();
        }
        for (size_t q = 0; q < 4 && mutants[k].becomes[q]; q++, n++) {
            join(&text, &rules, at, strlen(mutants[k].is), mutants[k].becomes[q], &more);
            if (failures(&text, false) == 0) {
                survived++;
                print_error("no scenario notices '%s' as '%s'\n", mutants[k].is,
                            mutants[k].becomes[q]);
            }
        }
    }
    print_message("%zu changes\n", n);
    assert_int_equal(survived, 0);
    sy_buf_fini(&text);
    sy_buf_fini(&rules);
    sy_buf_fini(&more);
    sy_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_step_is_caught)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
