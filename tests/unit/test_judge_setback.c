/* SPDX-License-Identifier: Apache-2.0 */
/* A judge whose clock is set back: what goes on, what stands, what is told. */
#include "judge_box.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void set_back(box *b, int to)
{
    assert_int_equal(sy_judge_set_back(b->j, BOX_T0 + (sy_ms)to * BOX_MIN), SY_OK);
}

/* Saved, and loaded into another, which goes on in its place. */
static void reopen(box *b, const char *text)
{
    box_told before = b->t;
    box old = *b;
    sy_buf s, again;
    sy_buf_init(&s, sy_heap());
    sy_buf_init(&again, sy_heap());
    assert_int_equal(sy_judge_save(old.j, &s), SY_OK);
    box_start(b, text, SY_MS_NONE);
    assert_int_equal(sy_judge_load(b->j, sy_buf_span(&s)), SY_OK);
    assert_int_equal(sy_judge_save(b->j, &again), SY_OK);
    assert_int_equal(again.n, s.n);
    assert_memory_equal(again.p, s.p, s.n);
    sy_buf_fini(&again);
    sy_buf_fini(&s);
    b->t = before;
    box_stop(&old);
}

/* Readings of v up to minute 60, that of `late` after the others. */
static void run_but(box *b, int from, int late, double v)
{
    box_run(b, from, late - 1, v);
    box_run(b, late + 1, 60, v);
    (void)box_reading(b, late, v);
}

/* An alert from before the step clears after it, once, whatever is judged again there. */
static void an_open_alert_clears_after_the_clock_was_set_back(void **state)
{
    (void)state;
    for (int late = 22; late < 60; late++) {
        box b;
        box_start(&b, box_hot, SY_MS_NONE);
        box_run(&b, 480, 500, 9);
        assert_int_equal(b.t.n, 1);
        set_back(&b, 20);
        if (late % 2) {
            reopen(&b, box_hot);
        }
        assert_int_equal(b.t.n, 1);
        box_advance(&b, 21);
        assert_int_equal(box_reading(&b, 21, 9), SY_READING_TAKEN);
        run_but(&b, 22, late, 5);
        assert_true(b.t.n >= 2); /* more: where it cleared is amended when the reading comes */
        for (size_t k = 1; k < b.t.n; k++) {
            assert_true(b.t.kind[k] == SY_CHANGE_CLEARED || b.t.kind[k] == SY_CHANGE_AMENDED);
            assert_string_equal(b.t.id[k], b.t.id[0]);
        }
        size_t before = b.t.n;
        box_run(&b, 61, 80, 9);
        assert_int_equal(b.t.n, before + 1);
        assert_int_equal(b.t.kind[before], SY_CHANGE_RAISED);
        assert_int_equal(b.t.raised[before], 71);
        box_stop(&b);
    }
}

/* What had closed stands, and its time counts for nothing in the new one. */
static void a_closed_alert_stands_when_the_clock_is_set_back(void **state)
{
    (void)state;
    for (int late = 27; late < 60; late++) {
        box b;
        box_start(&b, box_hot, SY_MS_NONE);
        box_run(&b, 480, 492, 9);
        box_run(&b, 493, 505, 5);
        assert_int_equal(b.t.n, 2);
        set_back(&b, 25);
        if (late % 2) {
            reopen(&b, box_hot);
        }
        run_but(&b, 26, late, 5);
        assert_int_equal(b.t.n, 2);
        box_stop(&b);
    }
}

/* Seven of ten minutes were counted: three are left. */
static void a_hold_goes_on_when_the_clock_is_set_back(void **state)
{
    box b;
    (void)state;
    box_start(&b, box_hot, SY_MS_NONE);
    box_run(&b, 480, 487, 9);
    set_back(&b, 7);
    box_run(&b, 8, 9, 9);
    assert_int_equal(b.t.n, 0);
    box_run(&b, 10, 11, 9);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.kind[0], SY_CHANGE_RAISED);
    assert_int_equal(b.t.raised[0], 10);
    assert_int_equal(b.t.onset[0], 0);
    box_stop(&b);
}

/* Six of fifteen minutes of silence are over at the step; the delivery of five still counts. */
static void a_silence_is_told_after_the_clock_was_set_back(void **state)
{
    (void)state;
    for (int loaded = 0; loaded < 2; loaded++) {
        box b;
        box_start(&b, box_silent, SY_MS_NONE);
        box_run(&b, 0, 10, 5);
        box_advance(&b, 16);
        set_back(&b, -464);
        if (loaded) {
            reopen(&b, box_silent);
        }
        assert_int_equal(box_minute(sy_judge_deadline(b.j)), -455);
        box_advance(&b, -451);
        assert_int_equal(b.t.n, 0);
        box_advance(&b, -450);
        assert_int_equal(b.t.n, 1);
        assert_int_equal(b.t.kind[0], SY_CHANGE_RAISED);
        assert_int_equal(b.t.raised[0], -455);
        box_stop(&b);
    }
}

/* Judged, and waiting for its delivery: it still does. */
static void a_silence_not_yet_told_waits_over_the_step(void **state)
{
    box b;
    (void)state;
    box_start(&b, box_silent, SY_MS_NONE);
    box_run(&b, 0, 10, 5);
    box_advance(&b, 27);
    set_back(&b, -453);
    box_advance(&b, -451);
    assert_int_equal(b.t.n, 0);
    box_advance(&b, -450);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.raised[0], -455);
    set_back(&b, -470); /* and once more, with the alert told */
    box_run(&b, -469, -453, 5);
    assert_int_equal(b.t.n, 2);
    assert_int_equal(b.t.at[1], -454);
    assert_int_equal(b.t.kind[1], SY_CHANGE_CLEARED);
    assert_string_equal(b.t.id[1], b.t.id[0]);
    box_stop(&b);
}

/* Beyond the frontier, with a comparison in the rule: the alert that was told goes on. */
static void a_provisional_alert_goes_on_when_the_clock_is_set_back(void **state)
{
    box b;
    (void)state;
    box_start(&b, box_both, SY_MS_NONE);
    box_run(&b, 0, 1, 9);
    box_advance(&b, 10);
    assert_int_equal(b.t.n, 1);
    set_back(&b, -470);
    box_advance(&b, -460);
    assert_int_equal(b.t.n, 1);
    box_run(&b, -459, -440, 5);
    assert_int_equal(b.t.n, 2);
    assert_int_equal(b.t.kind[1], SY_CHANGE_CLEARED);
    assert_string_equal(b.t.id[1], b.t.id[0]);
    box_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_alert_clears_after_the_clock_was_set_back),
        cmocka_unit_test(a_closed_alert_stands_when_the_clock_is_set_back),
        cmocka_unit_test(a_hold_goes_on_when_the_clock_is_set_back),
        cmocka_unit_test(a_silence_is_told_after_the_clock_was_set_back),
        cmocka_unit_test(a_silence_not_yet_told_waits_over_the_step),
        cmocka_unit_test(a_provisional_alert_goes_on_when_the_clock_is_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
