/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutants: which steps are made of a rule, in both languages, and which its scenarios notice.
 */
#include "judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/mutate.h"

static const char held[] = "rule A-1 version 4 \"t\"\n"
                           "  basis \"b\" law\n"
                           "  watch each room: temperature\n"
                           "  missing after 5 min\n"
                           "  set hold = 10 min [tunable 5 min to 10 min]\n"
                           "  alert serious when temperature above 8.0 °C [law] for hold\n"
                           "  clear when temperature at most 7.0 °C for 3 min\n"
                           "end\n"
                           "scenario \"edge\" tests A-1\n"
                           "  from 08:00 to 08:29 every 1 min: temperature 8.0 °C\n"
                           "  from 08:30 to 08:44 every 1 min: temperature 8.1 °C\n"
                           "  from 08:45 to 08:49 every 1 min: temperature 7.1 °C\n"
                           "  from 08:50 to 08:59 every 1 min: temperature 7.0 °C\n"
                           "  expect alert serious at 08:40\n"
                           "  expect clear at 08:53\n"
                           "end\n"
                           "scenario \"gaps of 5 min count, of 6 not\" tests A-1\n"
                           "  from 08:00 to 08:30 every 5 min: temperature 9.0 °C\n"
                           "  from 06:00 to 06:54 every 6 min: temperature 9.0 °C\n"
                           "  expect alert serious at 08:10\n"
                           "end\n";

/* What may not survive a step is put together as "was>is ", with ! where it survives, ? where it is
 * refused. */
static void all_of(const char *text, sy_buf *out)
{
    kit_set k;
    sy_arena arena;
    sy_mutants all;
    sy_buf_init(out, sy_heap());
    sy_arena_init(&arena, sy_heap(), 0);
    const sy_zone *zone = kit_zone("Asia/Shanghai", &arena);
    kit_load(&k, "rule", sy_span_of(text), false);
    assert_int_equal(kit_scenarios(&k, zone, true), 0);
    assert_int_equal(sy_mutants_of(k.set, k.set->rules[0], &arena, &all), SY_OK);
    for (size_t q = 0; q < all.n; q++) {
        sy_mutant_result r;
        const sy_mutant *m = &all.v[q];
        assert_int_equal(sy_mutant_try(&all, m, zone, NULL, sy_heap(), &r), SY_OK);
        assert_memory_equal(text + m->pos.at, m->was, m->pos.len);
        sy_buf_printf(out, "%s>%s%s\n", m->was, m->is,
                      r.fate == SY_MUTANT_CAUGHT     ? ""
                      : r.fate == SY_MUTANT_SURVIVES ? "!"
                                                     : "?");
        assert_true((r.fate == SY_MUTANT_CAUGHT) == (r.by != NULL));
        assert_true((r.fate == SY_MUTANT_REFUSED) == (r.code != NULL));
    }
    kit_free(&k);
    sy_arena_fini(&arena);
}

static void a_rule_that_is_held(void **state)
{
    sy_buf b;
    (void)state;
    all_of(held, &b);
    assert_string_equal(b.p, "5>6\n5>4\n"
                             "10>11\n10>9\n" /* 11 min is beyond its bounds */
                             "serious>warning\nserious>major\n"
                             "above>at least\nabove>below\n8.0>8.1\n8.0>7.9\nfor hold>\n"
                             "at most>below\nat most>at least\n7.0>7.1\n7.0>6.9\n"
                             "for 3 min>\n3>4\n3>2\n");
    sy_buf_fini(&b);
}

static void a_hole(void **state)
{
    char text[sizeof held];
    sy_buf b;
    (void)state;
    memcpy(text, held, sizeof text);
    char *at = strstr(text, "08:50 to 08:59 every 1 min: temperature 7.0");
    at[strlen("08:50 to 08:59 every 1 min: temperature ")] = '6'; /* the edge of clearing is lost */
    all_of(text, &b);
    assert_non_null(strstr(b.p, "at most>below!\n"));
    assert_non_null(strstr(b.p, "7.0>6.9!\n"));
    assert_null(strstr(b.p, "7.0>7.1!\n"));
    sy_buf_fini(&b);
}

static void words(void **state)
{
    sy_buf b;
    (void)state;
    all_of("规则 A-1 版本 4 “甲”\n"
           "  依据 “乙” 法定\n"
           "  监测每个库房：温度、库门、化霜\n"
           "  设 时限 按 食品风险等级：A 9分钟；B 9分钟；其余 1分钟【可调 1分钟至9分钟】\n"
           "  报警 重大 当（（温度超出－1至0℃【法定】且非化霜为运行）或库门为打开）持续时限\n"
           "    除外情形 库门打开，每次至多5分钟，每日至多1次\n"
           "结束\n",
           &b);
    /* Nothing is noticed where nothing is tested; a hold of 0 is no hold. */
    assert_string_equal(b.p, "B … 其余>其余 … B!\n"
                             "9>10!\n9>8!\n9>10!\n9>8!\n1>2!\n1>0?\n"
                             "重大>严重!\n"
                             "超出>处于!\n1>2!\n1>0!\n0>1!\n0>-1!\n"
                             "且>或!\n非>!\n运行>停止!\n或>且!\n打开>关闭!\n持续时限>!\n"
                             "除外情形 库门打开，每次至多5分钟，每日至多1次>!\n"
                             "打开>关闭!\n5>6!\n5>4!\n1>2!\n1>0?\n");
    sy_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_that_is_held),
        cmocka_unit_test(a_hole),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
