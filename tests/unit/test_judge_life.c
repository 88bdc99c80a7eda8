/* SPDX-License-Identifier: Apache-2.0 */
/* What the live gateway asks of the judge: delivery, late readings, restarts, new rules. */
#include "judge_box.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char hotter[] = "rule HOT version 2 \"hot\"\n" BOX_RULE_HEAD
                             "  alert serious when temperature above 9 °C [law] for 10 min\n"
                             "  then tell premises\nend\n";
static const char soon[] = "rule SOON version 1 \"hot\"\n" BOX_RULE_HEAD
                           "  alert serious when temperature above 8 °C [law] for 5 min\n"
                           "  then tell premises\nend\n";
static const char doors[] =
    "rule DOORS version 1 \"hot\"\n  basis \"b\" policy\n"
    "  applies to subject any; goods any; stage any\n  watch each room: temperature, door\n"
    "  missing after 3 min\n  alert serious when temperature above 8 °C [law] for 5 min\n"
    "  then tell premises\nend\n";
static const char exempt[] =
    "rule EXEMPT version 1 \"hot\"\n  basis \"b\" policy\n"
    "  applies to subject any; goods any; stage any\n  watch each room: temperature, door\n"
    "  missing after 3 min\n  alert serious when temperature above 8 °C [law]\n"
    "    except while door open, each at most 10 min, daily at most 3 times\n"
    "  then tell premises\nend\n";

static void verdicts(void **state)
{
    box b;
    (void)state;
    box_start(&b, box_hot, SY_MS_NONE);
    box_run(&b, 0, 30, 5);
    assert_int_equal(box_reading(&b, 30, 5), SY_READING_DUPLICATE);
    assert_int_equal(box_reading(&b, 29, 6), SY_READING_CONFLICT);
    assert_int_equal(box_reading(&b, 29, 5), SY_READING_CONFLICT);
    assert_int_equal(box_reading(&b, 20, 5), SY_READING_DUPLICATE);
    assert_int_equal(box_reading(&b, 19, 5), SY_READING_LATE);
    assert_int_equal(box_reading(&b, 40, 5), SY_READING_TAKEN);
    assert_int_equal(sy_judge_deadline(b.j), BOX_T0 + 40 * BOX_MIN);
    box_stop(&b);
}

static void a_silence_is_told_after_the_delivery(void **state)
{
    box b;
    (void)state;
    box_start(&b, box_silent, SY_MS_NONE);
    box_run(&b, 0, 10, 5);
    box_advance(&b, 29);
    assert_int_equal(b.t.n, 0);
    assert_int_equal(sy_judge_deadline(b.j), BOX_T0 + 30 * BOX_MIN);
    box_advance(&b, 30);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.kind[0], SY_CHANGE_RAISED);
    assert_int_equal(b.t.raised[0], 25);
    assert_int_equal(b.t.onset[0], 10);
    /* delivered late: it never was */
    assert_int_equal(box_reading(&b, 20, 5), SY_READING_TAKEN);
    assert_int_equal(b.t.n, 2);
    assert_int_equal(b.t.kind[1], SY_CHANGE_WITHDRAWN);
    assert_string_equal(b.t.id[1], b.t.id[0]);
    box_advance(&b, 40);
    assert_int_equal(b.t.kind[2], SY_CHANGE_RAISED);
    assert_int_equal(b.t.raised[2], 35);
    box_stop(&b);
}

static void silence_counts_anew_after_a_restart(void **state)
{
    box b;
    (void)state;
    box_start(&b, box_silent, SY_MS_NONE);
    box_run(&b, 0, 10, 5);
    assert_int_equal(sy_judge_restarted(b.j, BOX_T0 + 100 * BOX_MIN), SY_OK);
    box_advance(&b, 119);
    assert_int_equal(b.t.n, 0);
    box_advance(&b, 120);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.raised[0], 115);
    assert_int_equal(b.t.onset[0], 100);
    box_stop(&b);
}

static void a_late_reading_moves_the_onset(void **state)
{
    box b;
    (void)state;
    box_start(&b, box_hot, SY_MS_NONE);
    box_run(&b, 0, 4, 5);
    box_run(&b, 6, 17, 9); /* 5 is missing: unknown until 6 */
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.onset[0], 6);
    assert_int_equal(b.t.raised[0], 16);
    /* now 7 to 9 count as one stretch */
    assert_int_equal(box_reading(&b, 8, 5), SY_READING_CONFLICT);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(box_reading(&b, 11, 7), SY_READING_CONFLICT);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(sy_judge_reading(b.j, BOX_TEMPERATURE, BOX_T0 + 12 * BOX_MIN + 30000, 5,
                                      SY_Q_GOOD, &(sy_verdict){SY_READING_TAKEN}),
                     SY_OK);
    assert_int_equal(b.t.n, 2);
    assert_int_equal(b.t.kind[1], SY_CHANGE_WITHDRAWN);
    box_run(&b, 18, 24, 9);
    assert_int_equal(b.t.n, 3);
    assert_int_equal(b.t.kind[2], SY_CHANGE_RAISED);
    assert_int_equal(b.t.onset[2], 13);
    assert_int_equal(b.t.raised[2], 23);
    box_stop(&b);
}

static void the_new_one_says_what_it_replaces(void **state)
{
    box b;
    (void)state;
    box_start(&b, soon, SY_MS_NONE);
    box_run(&b, 0, 4, 5);
    box_run(&b, 6, 12, 9);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.onset[0], 6);
    assert_int_equal(box_reading(&b, 5, 9), SY_READING_TAKEN);
    assert_int_equal(b.t.n, 3);
    assert_int_equal(b.t.kind[1], SY_CHANGE_WITHDRAWN);
    assert_int_equal(b.t.kind[2], SY_CHANGE_RAISED);
    assert_int_equal(b.t.onset[2], 5);
    assert_int_equal(b.t.raised[2], 10);
    assert_string_equal(b.t.replaces[2], b.t.id[0]);
    assert_string_not_equal(b.t.id[2], b.t.id[0]);
    box_stop(&b);
}

static void door(box *b, int second, int open)
{
    sy_verdict verdict;
    assert_int_equal(sy_judge_reading(b->j, BOX_DOOR, BOX_T0 + (sy_ms)second * 1000, open ? 0 : 1,
                                      SY_Q_GOOD, &verdict),
                     SY_OK);
    assert_int_equal(verdict, SY_READING_TAKEN);
}

/* What lies between a late reading and the one before it was taken as unknown. */
static void a_late_reading_closes_a_gap_behind_it(void **state)
{
    box b;
    (void)state;
    box_start(&b, doors, SY_MS_NONE);
    (void)box_reading(&b, 0, 9);
    door(&b, 120, 0);
    box_advance(&b, 4);
    (void)box_reading(&b, 3, 9);
    box_run(&b, 4, 6, 9);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.onset[0], 0);
    assert_int_equal(b.t.raised[0], 5);
    box_stop(&b);
}

/* The door was open all the time but for 4 s: nothing that lies in them was against the rule. */
static void a_late_return_shows_a_flutter(void **state)
{
    box b;
    (void)state;
    box_start(&b, exempt, SY_MS_NONE);
    door(&b, 0, 1);
    door(&b, 60, 0);
    assert_int_equal(sy_judge_reading(b.j, BOX_TEMPERATURE, BOX_T0 + 62000, 9, SY_Q_GOOD,
                                      &(sy_verdict){SY_READING_TAKEN}),
                     SY_OK);
    assert_int_equal(sy_judge_advance(b.j, BOX_T0 + 64999), SY_OK);
    assert_int_equal(b.t.n, 0); /* it may come back */
    assert_int_equal(sy_judge_advance(b.j, BOX_T0 + 65000), SY_OK);
    assert_int_equal(b.t.n, 1);
    door(&b, 64, 1);
    assert_int_equal(b.t.n, 2);
    assert_int_equal(b.t.kind[1], SY_CHANGE_WITHDRAWN);
    box_stop(&b);
}

static void counted_time_goes_on_under_the_same_judgement(void **state)
{
    box a, b;
    (void)state;
    box_start(&a, box_hot, SY_MS_NONE);
    box_run(&a, 0, 6, 9);
    box_start(&b, box_hot, BOX_T0 + 6 * BOX_MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, BOX_T0 + 6 * BOX_MIN), SY_OK);
    box_run(&b, 7, 12, 9);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.onset[0], 0);
    assert_int_equal(b.t.raised[0], 10);
    box_stop(&a);
    box_stop(&b);
}

static void an_open_alert_goes_on_under_new_numbers(void **state)
{
    box a, b;
    (void)state;
    box_start(&a, box_hot, SY_MS_NONE);
    box_run(&a, 0, 12, 8.5);
    assert_int_equal(a.t.n, 1);
    box_start(&b, hotter, BOX_T0 + 12 * BOX_MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, BOX_T0 + 12 * BOX_MIN), SY_OK);
    box_run(&b, 13, 23, 8.5); /* known false for 10 min */
    assert_int_equal(a.t.n, 1);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.kind[0], SY_CHANGE_CLEARED);
    assert_int_equal(b.t.onset[0], 0);
    assert_string_equal(b.t.id[0], a.t.id[0]);
    box_stop(&a);
    box_stop(&b);
}

static void what_has_no_successor_is_superseded(void **state)
{
    box a, b;
    (void)state;
    box_start(&a, box_hot, SY_MS_NONE);
    box_run(&a, 0, 12, 9);
    box_start(&b, box_silent, BOX_T0 + 13 * BOX_MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, BOX_T0 + 13 * BOX_MIN), SY_OK);
    assert_int_equal(a.t.n, 2);
    assert_int_equal(a.t.kind[1], SY_CHANGE_SUPERSEDED);
    assert_int_equal(a.t.at[1], 13);
    assert_int_equal(b.t.n, 0);
    box_stop(&a);
    box_stop(&b);
}

/* What was told under the old text stands, whatever comes late under the new one. */
static void a_closed_alert_stands_under_new_numbers(void **state)
{
    box a, b;
    (void)state;
    box_start(&a, box_hot, SY_MS_NONE);
    box_run(&a, 0, 12, 9);
    box_run(&a, 13, 25, 5);
    assert_int_equal(a.t.n, 2);
    assert_int_equal(a.t.kind[1], SY_CHANGE_CLEARED);
    box_start(&b, hotter, BOX_T0 + 25 * BOX_MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, BOX_T0 + 25 * BOX_MIN), SY_OK);
    box_run(&b, 26, 28, 5);
    assert_int_equal(sy_judge_reading(b.j, BOX_TEMPERATURE, BOX_T0 + 24 * BOX_MIN + 30000, 5,
                                      SY_Q_GOOD, &(sy_verdict){SY_READING_TAKEN}),
                     SY_OK);
    assert_int_equal(b.t.n, 0);
    box_stop(&a);
    box_stop(&b);
}

static const char ajar[] = "rule AJAR version 1 \"door\"\n  basis \"b\" policy\n"
                           "  applies to subject any; goods any; stage any\n"
                           "  watch each room: door\n"
                           "  alert serious when door is open for 10 min\n"
                           "  then tell premises\nend\n";
static const char ajar2[] = "rule AJAR version 2 \"door\"\n  basis \"b\" policy\n"
                            "  applies to subject any; goods any; stage any\n"
                            "  watch each room: door\n"
                            "  alert serious when door is open for 12 min\n"
                            "  then tell premises\nend\n";

/* A state holds until the next reading, whoever judges it: new numbers that come with a restart
 * find the door open. */
static void a_state_from_before_the_restart_holds_under_new_numbers(void **state)
{
    box a, b;
    (void)state;
    box_start(&a, ajar, SY_MS_NONE);
    box_advance(&a, 1);
    door(&a, 60, 1);
    box_advance(&a, 6);
    assert_int_equal(sy_judge_restarted(a.j, BOX_T0 + 6 * BOX_MIN), SY_OK);
    box_start_at(&b, ajar2, BOX_T0 + 6 * BOX_MIN, BOX_T0 + 6 * BOX_MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, BOX_T0 + 6 * BOX_MIN), SY_OK);
    box_advance(&b, 30);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.onset[0], 6);
    assert_int_equal(b.t.raised[0], 18);
    box_stop(&a);
    box_stop(&b);
}

/* A silence that is told while a comparison still waits for the next reading is open, too. */
static void a_silence_that_was_told_ends_with_its_rule(void **state)
{
    box a, b;
    (void)state;
    box_start(&a, box_both, SY_MS_NONE);
    box_run(&a, 0, 1, 9);
    box_advance(&a, 10);
    assert_int_equal(a.t.n, 1);
    assert_int_equal(a.t.kind[0], SY_CHANGE_RAISED);
    box_start(&b, box_hot, BOX_T0 + 10 * BOX_MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, BOX_T0 + 10 * BOX_MIN), SY_OK);
    assert_int_equal(a.t.n, 2);
    assert_int_equal(a.t.kind[1], SY_CHANGE_SUPERSEDED);
    assert_int_equal(a.t.at[1], 10);
    box_stop(&a);
    box_stop(&b);
}

static const char both2[] = "rule BOTH version 2 \"both\"\n  basis \"b\" policy\n"
                            "  applies to subject any; goods any; stage any\n"
                            "  watch each room: temperature\n  missing after 10 min\n"
                            "  alert notice when temperature has no data for 3 min [policy]\n"
                            "  alert serious when temperature above 8 °C [law] for 40 min\n"
                            "  then tell premises\nend\n";

static void a_silence_that_was_told_goes_on_under_new_numbers(void **state)
{
    box a, b;
    (void)state;
    box_start(&a, box_both, SY_MS_NONE);
    box_run(&a, 0, 1, 9);
    box_advance(&a, 10);
    box_start(&b, both2, BOX_T0 + 10 * BOX_MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, BOX_T0 + 10 * BOX_MIN), SY_OK);
    box_advance(&b, 20);
    assert_int_equal(a.t.n, 1);
    assert_int_equal(b.t.n, 0);
    box_run(&b, 21, 26, 5);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.kind[0], SY_CHANGE_CLEARED);
    assert_string_equal(b.t.id[0], a.t.id[0]);
    box_stop(&a);
    box_stop(&b);
}

static void damaged_snapshots_are_refused(void **state)
{
    box a, b;
    sy_buf s;
    (void)state;
    box_start(&a, box_hot, SY_MS_NONE);
    box_run(&a, 0, 12, 9);
    box_start(&b, box_hot, SY_MS_NONE);
    sy_buf_init(&s, sy_heap());
    assert_int_equal(sy_judge_save(a.j, &s), SY_OK);
    for (size_t k = 0; k < s.n; k += 7) {
        s.p[k] = (char)(s.p[k] ^ 4);
        assert_int_equal(sy_judge_load(b.j, sy_buf_span(&s)), SY_E_CORRUPT);
        s.p[k] = (char)(s.p[k] ^ 4);
    }
    for (size_t n = 0; n < s.n; n += 11) {
        assert_int_equal(sy_judge_load(b.j, (sy_span){s.p, n}), SY_E_CORRUPT);
    }
    box_stop(&b);
    box_start(&b, hotter, SY_MS_NONE);
    assert_int_equal(sy_judge_load(b.j, sy_buf_span(&s)), SY_E_UNSUPPORTED);
    box_stop(&a);
    box_stop(&b);
    sy_buf_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(a_silence_is_told_after_the_delivery),
        cmocka_unit_test(silence_counts_anew_after_a_restart),
        cmocka_unit_test(a_late_reading_moves_the_onset),
        cmocka_unit_test(the_new_one_says_what_it_replaces),
        cmocka_unit_test(a_late_reading_closes_a_gap_behind_it),
        cmocka_unit_test(a_late_return_shows_a_flutter),
        cmocka_unit_test(counted_time_goes_on_under_the_same_judgement),
        cmocka_unit_test(an_open_alert_goes_on_under_new_numbers),
        cmocka_unit_test(what_has_no_successor_is_superseded),
        cmocka_unit_test(a_closed_alert_stands_under_new_numbers),
        cmocka_unit_test(a_state_from_before_the_restart_holds_under_new_numbers),
        cmocka_unit_test(a_silence_that_was_told_ends_with_its_rule),
        cmocka_unit_test(a_silence_that_was_told_goes_on_under_new_numbers),
        cmocka_unit_test(damaged_snapshots_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
