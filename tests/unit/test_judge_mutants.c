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

#include "rules/mutate.h"

/* What sy_mutants_of leaves alone: the dates in force. A piece of the text that is there once, and
 * what the changes put in its place. */
static const struct {
    const char *is;
    const char *becomes[2];
} dates[] = {
    {"from 2026-01-01\n  watch each room",
     {"from 2026-01-02\n  watch each room", "from 2025-12-31\n  watch each room"}},
    {"from 2026-03-01 to", {"from 2026-02-28 to", "from 2026-03-02 to"}},
    {"to 2027-12-31", {"to 2027-12-30", "to 2028-01-01"}},
    {"from 2026-01-01\n  watch each point",
     {"from 2026-01-02\n  watch each point", "from 2025-12-31\n  watch each point"}},
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

static size_t dates_unnoticed(const sy_buf *rules, const sy_buf *more, sy_buf *text)
{
    size_t survived = 0;
    for (size_t k = 0; k < sizeof dates / sizeof *dates; k++) {
        const char *at = strstr(rules->p, dates[k].is);
        if (!at || strstr(at + 1, dates[k].is)) {
            print_error("'%s' is not there once\n", dates[k].is);
            fail();
        }
        for (size_t q = 0; q < 2; q++) {
            join(text, rules, at, strlen(dates[k].is), dates[k].becomes[q], more);
            if (failures(text, false) == 0) {
                survived++;
                print_error("no scenario notices '%s' as '%s'\n", dates[k].is, dates[k].becomes[q]);
            }
        }
    }
    return survived;
}

static size_t steps_unnoticed(const kit_set *k, const sy_rule *rule, size_t *n)
{
    size_t survived = 0;
    sy_arena arena;
    sy_mutants all;
    sy_arena_init(&arena, sy_heap(), 0);
    assert_int_equal(sy_mutants_of(k->set, rule, &arena, &all), SY_OK);
    *n += all.n;
    for (size_t q = 0; q < all.n; q++) {
        sy_mutant_result r;
        assert_int_equal(sy_mutant_try(&all, &all.v[q], zone, NULL, sy_heap(), &r), SY_OK);
        if (r.fate != SY_MUTANT_CAUGHT) {
            survived++;
            print_error("%s: '%s' as '%s': %s\n", rule->id, all.v[q].was, all.v[q].is,
                        r.fate == SY_MUTANT_SURVIVES ? "no scenario notices" : r.code);
        }
    }
    sy_arena_fini(&arena);
    return survived;
}

static void each_step_is_caught(void **state)
{
    sy_buf rules = kit_shared("rules/first.en.rules");
    sy_buf more = kit_file("tests/rules/first-more.rules");
    sy_buf text;
    sy_arena arena;
    kit_set k;
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
    kit_load(&k, "rules", sy_buf_span(&text), false);
    assert_int_equal(kit_scenarios(&k, zone, true), 0);
    for (size_t q = 0; q < k.set->n_rules; q++) {
        survived += steps_unnoticed(&k, k.set->rules[q], &n);
    }
    kit_free(&k);
    assert_true(n >= 60);
    survived += dates_unnoticed(&rules, &more, &text);
    print_message("%zu changes\n", n + 8);
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
