/* SPDX-License-Identifier: Apache-2.0 */
/* What the live gateway asks of the judge: delivery, late readings, restarts, new rules. */
#include "judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MIN = 60000 };
#define T0 ((sy_ms)1772323200000) /* 2026-03-01T00:00:00Z */

#define HEAD                                                                                       \
    "  basis \"b\" policy\n  applies to subject any; goods any; stage any\n"                       \
    "  watch each room: temperature\n  missing after 3 min\n"
static const char hot[] = "rule HOT version 1 \"hot\"\n" HEAD
                          "  alert serious when temperature above 8 °C [law] for 10 min\n"
                          "  then tell premises\nend\n";
static const char hotter[] = "rule HOT version 2 \"hot\"\n" HEAD
                             "  alert serious when temperature above 9 °C [law] for 10 min\n"
                             "  then tell premises\nend\n";
static const char soon[] = "rule SOON version 1 \"hot\"\n" HEAD
                           "  alert serious when temperature above 8 °C [law] for 5 min\n"
                           "  then tell premises\nend\n";
static const char silent[] = "rule SILENT version 1 \"silent\"\n" HEAD
                             "  alert notice when temperature has no data for 15 min [policy]\n"
                             "  then tell premises\nend\n";

static sy_site_premises premises = {.id = "p"};
static sy_site_place place = {.id = "c", .kind = "room"};
enum { DOOR, TEMPERATURE };
static const sy_site_point points[] = {
    {.series = "d/door", .device = "d", .name = "door", .quantity = "door", .is_state = true},
    {.series = "d/t",
     .device = "d",
     .name = "t",
     .quantity = "temperature",
     .unit = "degC",
     .every = MIN,
     .delivery = 5 * MIN}};
static const sy_site site = {.gateway = "g",
                             .premises = &premises,
                             .n_premises = 1,
                             .places = &place,
                             .n_places = 1,
                             .points = points,
                             .n_points = 2};

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

typedef struct told {
    sy_change_kind kind[64];
    int raised[64], onset[64], at[64];
    char id[64][33], replaces[64][33];
    size_t n;
} told;

static int minute(sy_ms t)
{
    return (int)((t - T0) / MIN);
}

static void hear(void *ctx, const sy_change *c)
{
    told *t = ctx;
    size_t n = t->n++;
    assert_true(n < 64);
    t->kind[n] = c->kind;
    t->raised[n] = minute(c->alert.raised);
    t->onset[n] = minute(c->alert.onset);
    t->at[n] = minute(c->at);
    memcpy(t->id[n], c->alert.id, 33);
    memcpy(t->replaces[n], c->alert.replaces ? c->alert.replaces : "", c->alert.replaces ? 33 : 1);
}

typedef struct box {
    kit_set k;
    told t;
    sy_judge *j;
} box;

static void start(box *b, const char *text, sy_ms in_force)
{
    memset(&b->t, 0, sizeof b->t);
    kit_load(&b->k, "life", sy_span_of(text), false);
    sy_judge_options o = {.set = b->k.set,
                          .site = &site,
                          .start = T0,
                          .in_force = in_force,
                          .wait_delivery = true,
                          .alloc = sy_heap(),
                          .emit = hear,
                          .ctx = &b->t};
    assert_int_equal(sy_judge_open(&b->j, &o), SY_OK);
}

static void stop(box *b)
{
    sy_judge_close(b->j);
    kit_free(&b->k);
}

static sy_verdict reading(box *b, int at, double v)
{
    sy_verdict verdict;
    assert_int_equal(
        sy_judge_reading(b->j, TEMPERATURE, T0 + (sy_ms)at * MIN, v, SY_Q_GOOD, &verdict), SY_OK);
    return verdict;
}

static void advance(box *b, int to)
{
    assert_int_equal(sy_judge_advance(b->j, T0 + (sy_ms)to * MIN), SY_OK);
}

/* Readings of v each minute, the clock with them. */
static void run(box *b, int from, int to, double v)
{
    for (int m = from; m <= to; m++) {
        advance(b, m);
        (void)reading(b, m, v);
    }
}

static void verdicts(void **state)
{
    box b;
    (void)state;
    start(&b, hot, SY_MS_NONE);
    run(&b, 0, 30, 5);
    assert_int_equal(reading(&b, 30, 5), SY_READING_DUPLICATE);
    assert_int_equal(reading(&b, 29, 6), SY_READING_CONFLICT);
    assert_int_equal(reading(&b, 29, 5), SY_READING_CONFLICT);
    assert_int_equal(reading(&b, 20, 5), SY_READING_DUPLICATE);
    assert_int_equal(reading(&b, 19, 5), SY_READING_LATE);
    assert_int_equal(reading(&b, 40, 5), SY_READING_TAKEN);
    assert_int_equal(sy_judge_deadline(b.j), T0 + 40 * MIN);
    stop(&b);
}

static void a_silence_is_told_after_the_delivery(void **state)
{
    box b;
    (void)state;
    start(&b, silent, SY_MS_NONE);
    run(&b, 0, 10, 5);
    advance(&b, 29);
    assert_int_equal(b.t.n, 0);
    assert_int_equal(sy_judge_deadline(b.j), T0 + 30 * MIN);
    advance(&b, 30);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.kind[0], SY_CHANGE_RAISED);
    assert_int_equal(b.t.raised[0], 25);
    assert_int_equal(b.t.onset[0], 10);
    /* delivered late: it never was */
    assert_int_equal(reading(&b, 20, 5), SY_READING_TAKEN);
    assert_int_equal(b.t.n, 2);
    assert_int_equal(b.t.kind[1], SY_CHANGE_WITHDRAWN);
    assert_string_equal(b.t.id[1], b.t.id[0]);
    advance(&b, 40);
    assert_int_equal(b.t.kind[2], SY_CHANGE_RAISED);
    assert_int_equal(b.t.raised[2], 35);
    stop(&b);
}

static void silence_counts_anew_after_a_restart(void **state)
{
    box b;
    (void)state;
    start(&b, silent, SY_MS_NONE);
    run(&b, 0, 10, 5);
    assert_int_equal(sy_judge_restarted(b.j, T0 + 100 * MIN), SY_OK);
    advance(&b, 119);
    assert_int_equal(b.t.n, 0);
    advance(&b, 120);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.raised[0], 115);
    assert_int_equal(b.t.onset[0], 100);
    stop(&b);
}

static void a_late_reading_moves_the_onset(void **state)
{
    box b;
    (void)state;
    start(&b, hot, SY_MS_NONE);
    run(&b, 0, 4, 5);
    run(&b, 6, 17, 9); /* 5 is missing: unknown until 6 */
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.onset[0], 6);
    assert_int_equal(b.t.raised[0], 16);
    assert_int_equal(reading(&b, 8, 5), SY_READING_CONFLICT); /* now 7 to 9 count as one stretch */
    assert_int_equal(b.t.n, 1);
    assert_int_equal(reading(&b, 11, 7), SY_READING_CONFLICT);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(sy_judge_reading(b.j, TEMPERATURE, T0 + 12 * MIN + 30000, 5, SY_Q_GOOD,
                                      &(sy_verdict){SY_READING_TAKEN}),
                     SY_OK);
    assert_int_equal(b.t.n, 2);
    assert_int_equal(b.t.kind[1], SY_CHANGE_WITHDRAWN);
    run(&b, 18, 24, 9);
    assert_int_equal(b.t.n, 3);
    assert_int_equal(b.t.kind[2], SY_CHANGE_RAISED);
    assert_int_equal(b.t.onset[2], 13);
    assert_int_equal(b.t.raised[2], 23);
    stop(&b);
}

static void the_new_one_says_what_it_replaces(void **state)
{
    box b;
    (void)state;
    start(&b, soon, SY_MS_NONE);
    run(&b, 0, 4, 5);
    run(&b, 6, 12, 9);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.onset[0], 6);
    assert_int_equal(reading(&b, 5, 9), SY_READING_TAKEN);
    assert_int_equal(b.t.n, 3);
    assert_int_equal(b.t.kind[1], SY_CHANGE_WITHDRAWN);
    assert_int_equal(b.t.kind[2], SY_CHANGE_RAISED);
    assert_int_equal(b.t.onset[2], 5);
    assert_int_equal(b.t.raised[2], 10);
    assert_string_equal(b.t.replaces[2], b.t.id[0]);
    assert_string_not_equal(b.t.id[2], b.t.id[0]);
    stop(&b);
}

static void door(box *b, int second, int open)
{
    sy_verdict verdict;
    assert_int_equal(
        sy_judge_reading(b->j, DOOR, T0 + (sy_ms)second * 1000, open ? 0 : 1, SY_Q_GOOD, &verdict),
        SY_OK);
    assert_int_equal(verdict, SY_READING_TAKEN);
}

/* What lies between a late reading and the one before it was taken as unknown. */
static void a_late_reading_closes_a_gap_behind_it(void **state)
{
    box b;
    (void)state;
    start(&b, doors, SY_MS_NONE);
    (void)reading(&b, 0, 9);
    door(&b, 120, 0);
    advance(&b, 4);
    (void)reading(&b, 3, 9);
    run(&b, 4, 6, 9);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.onset[0], 0);
    assert_int_equal(b.t.raised[0], 5);
    stop(&b);
}

/* The door was open all the time but for 4 s: nothing that lies in them was against the rule. */
static void a_late_return_shows_a_flutter(void **state)
{
    box b;
    (void)state;
    start(&b, exempt, SY_MS_NONE);
    door(&b, 0, 1);
    door(&b, 60, 0);
    assert_int_equal(sy_judge_reading(b.j, TEMPERATURE, T0 + 62000, 9, SY_Q_GOOD,
                                      &(sy_verdict){SY_READING_TAKEN}),
                     SY_OK);
    assert_int_equal(sy_judge_advance(b.j, T0 + 64999), SY_OK);
    assert_int_equal(b.t.n, 0); /* it may come back */
    assert_int_equal(sy_judge_advance(b.j, T0 + 65000), SY_OK);
    assert_int_equal(b.t.n, 1);
    door(&b, 64, 1);
    assert_int_equal(b.t.n, 2);
    assert_int_equal(b.t.kind[1], SY_CHANGE_WITHDRAWN);
    stop(&b);
}

static void counted_time_goes_on_under_the_same_judgement(void **state)
{
    box a, b;
    (void)state;
    start(&a, hot, SY_MS_NONE);
    run(&a, 0, 6, 9);
    start(&b, hot, T0 + 6 * MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, T0 + 6 * MIN), SY_OK);
    run(&b, 7, 12, 9);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.onset[0], 0);
    assert_int_equal(b.t.raised[0], 10);
    stop(&a);
    stop(&b);
}

static void an_open_alert_goes_on_under_new_numbers(void **state)
{
    box a, b;
    (void)state;
    start(&a, hot, SY_MS_NONE);
    run(&a, 0, 12, 8.5);
    assert_int_equal(a.t.n, 1);
    start(&b, hotter, T0 + 12 * MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, T0 + 12 * MIN), SY_OK);
    run(&b, 13, 23, 8.5); /* known false for 10 min */
    assert_int_equal(a.t.n, 1);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.kind[0], SY_CHANGE_CLEARED);
    assert_int_equal(b.t.onset[0], 0);
    assert_string_equal(b.t.id[0], a.t.id[0]);
    stop(&a);
    stop(&b);
}

static void what_has_no_successor_is_superseded(void **state)
{
    box a, b;
    (void)state;
    start(&a, hot, SY_MS_NONE);
    run(&a, 0, 12, 9);
    start(&b, silent, T0 + 13 * MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, T0 + 13 * MIN), SY_OK);
    assert_int_equal(a.t.n, 2);
    assert_int_equal(a.t.kind[1], SY_CHANGE_SUPERSEDED);
    assert_int_equal(a.t.at[1], 13);
    assert_int_equal(b.t.n, 0);
    stop(&a);
    stop(&b);
}

/* What was told under the old text stands, whatever comes late under the new one. */
static void a_closed_alert_stands_under_new_numbers(void **state)
{
    box a, b;
    (void)state;
    start(&a, hot, SY_MS_NONE);
    run(&a, 0, 12, 9);
    run(&a, 13, 25, 5);
    assert_int_equal(a.t.n, 2);
    assert_int_equal(a.t.kind[1], SY_CHANGE_CLEARED);
    start(&b, hotter, T0 + 25 * MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, T0 + 25 * MIN), SY_OK);
    run(&b, 26, 28, 5);
    assert_int_equal(sy_judge_reading(b.j, TEMPERATURE, T0 + 24 * MIN + 30000, 5, SY_Q_GOOD,
                                      &(sy_verdict){SY_READING_TAKEN}),
                     SY_OK);
    assert_int_equal(b.t.n, 0);
    stop(&a);
    stop(&b);
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
    start(&a, ajar, SY_MS_NONE);
    advance(&a, 1);
    door(&a, 60, 1);
    advance(&a, 6);
    assert_int_equal(sy_judge_restarted(a.j, T0 + 6 * MIN), SY_OK);
    memset(&b.t, 0, sizeof b.t);
    kit_load(&b.k, "life", sy_span_of(ajar2), false);
    sy_judge_options o = {.set = b.k.set,
                          .site = &site,
                          .start = T0 + 6 * MIN,
                          .in_force = T0 + 6 * MIN,
                          .wait_delivery = true,
                          .alloc = sy_heap(),
                          .emit = hear,
                          .ctx = &b.t};
    assert_int_equal(sy_judge_open(&b.j, &o), SY_OK);
    assert_int_equal(sy_judge_succeed(b.j, a.j, T0 + 6 * MIN), SY_OK);
    advance(&b, 30);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.onset[0], 6);
    assert_int_equal(b.t.raised[0], 18);
    stop(&a);
    stop(&b);
}

static const char both[] = "rule BOTH version 1 \"both\"\n  basis \"b\" policy\n"
                           "  applies to subject any; goods any; stage any\n"
                           "  watch each room: temperature\n  missing after 10 min\n"
                           "  alert notice when temperature has no data for 3 min [policy]\n"
                           "  alert serious when temperature above 8 °C [law] for 30 min\n"
                           "  then tell premises\nend\n";

/* A silence that is told while a comparison still waits for the next reading is open, too. */
static void a_silence_that_was_told_ends_with_its_rule(void **state)
{
    box a, b;
    (void)state;
    start(&a, both, SY_MS_NONE);
    run(&a, 0, 1, 9);
    advance(&a, 10);
    assert_int_equal(a.t.n, 1);
    assert_int_equal(a.t.kind[0], SY_CHANGE_RAISED);
    start(&b, hot, T0 + 10 * MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, T0 + 10 * MIN), SY_OK);
    assert_int_equal(a.t.n, 2);
    assert_int_equal(a.t.kind[1], SY_CHANGE_SUPERSEDED);
    assert_int_equal(a.t.at[1], 10);
    stop(&a);
    stop(&b);
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
    start(&a, both, SY_MS_NONE);
    run(&a, 0, 1, 9);
    advance(&a, 10);
    start(&b, both2, T0 + 10 * MIN);
    assert_int_equal(sy_judge_succeed(b.j, a.j, T0 + 10 * MIN), SY_OK);
    advance(&b, 20);
    assert_int_equal(a.t.n, 1);
    assert_int_equal(b.t.n, 0);
    run(&b, 21, 26, 5);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.kind[0], SY_CHANGE_CLEARED);
    assert_string_equal(b.t.id[0], a.t.id[0]);
    stop(&a);
    stop(&b);
}

static void damaged_snapshots_are_refused(void **state)
{
    box a, b;
    sy_buf s;
    (void)state;
    start(&a, hot, SY_MS_NONE);
    run(&a, 0, 12, 9);
    start(&b, hot, SY_MS_NONE);
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
    stop(&b);
    start(&b, hotter, SY_MS_NONE);
    assert_int_equal(sy_judge_load(b.j, sy_buf_span(&s)), SY_E_UNSUPPORTED);
    stop(&a);
    stop(&b);
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
