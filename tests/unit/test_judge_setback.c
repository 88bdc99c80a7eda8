/* SPDX-License-Identifier: Apache-2.0 */
/* A judge whose clock is set back: what goes on, what stands, what is told. */
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

static const char both[] = "rule BOTH version 1 \"both\"\n  basis \"b\" policy\n"
                           "  applies to subject any; goods any; stage any\n"
                           "  watch each room: temperature\n  missing after 10 min\n"
                           "  alert notice when temperature has no data for 3 min [policy]\n"
                           "  alert serious when temperature above 8 °C [law] for 30 min\n"
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

static void start(box *b, const char *text)
{
    memset(&b->t, 0, sizeof b->t);
    kit_load(&b->k, "life", sy_span_of(text), false);
    sy_judge_options o = {.set = b->k.set,
                          .site = &site,
                          .start = T0,
                          .in_force = SY_MS_NONE,
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

static void set_back(box *b, int to)
{
    assert_int_equal(sy_judge_set_back(b->j, T0 + (sy_ms)to * MIN), SY_OK);
}

/* Saved, and loaded into another, which goes on in its place. */
static void reopen(box *b, const char *text)
{
    told before = b->t;
    box old = *b;
    sy_buf s, again;
    sy_buf_init(&s, sy_heap());
    sy_buf_init(&again, sy_heap());
    assert_int_equal(sy_judge_save(old.j, &s), SY_OK);
    start(b, text);
    assert_int_equal(sy_judge_load(b->j, sy_buf_span(&s)), SY_OK);
    assert_int_equal(sy_judge_save(b->j, &again), SY_OK);
    assert_int_equal(again.n, s.n);
    assert_memory_equal(again.p, s.p, s.n);
    sy_buf_fini(&again);
    sy_buf_fini(&s);
    b->t = before;
    stop(&old);
}

/* Readings of v up to minute 60, that of `late` after the others. */
static void run_but(box *b, int from, int late, double v)
{
    run(b, from, late - 1, v);
    run(b, late + 1, 60, v);
    (void)reading(b, late, v);
}

/* An alert from before the step clears after it, once, whatever is judged again there. */
static void an_open_alert_clears_after_the_clock_was_set_back(void **state)
{
    (void)state;
    for (int late = 22; late < 60; late++) {
        box b;
        start(&b, hot);
        run(&b, 480, 500, 9);
        assert_int_equal(b.t.n, 1);
        set_back(&b, 20);
        if (late % 2) {
            reopen(&b, hot);
        }
        assert_int_equal(b.t.n, 1);
        advance(&b, 21);
        assert_int_equal(reading(&b, 21, 9), SY_READING_TAKEN);
        run_but(&b, 22, late, 5);
        assert_true(b.t.n >= 2); /* more: where it cleared is amended when the reading comes */
        for (size_t k = 1; k < b.t.n; k++) {
            assert_true(b.t.kind[k] == SY_CHANGE_CLEARED || b.t.kind[k] == SY_CHANGE_AMENDED);
            assert_string_equal(b.t.id[k], b.t.id[0]);
        }
        size_t before = b.t.n;
        run(&b, 61, 80, 9);
        assert_int_equal(b.t.n, before + 1);
        assert_int_equal(b.t.kind[before], SY_CHANGE_RAISED);
        assert_int_equal(b.t.raised[before], 71);
        stop(&b);
    }
}

/* What had closed stands, and its time counts for nothing in the new one. */
static void a_closed_alert_stands_when_the_clock_is_set_back(void **state)
{
    (void)state;
    for (int late = 27; late < 60; late++) {
        box b;
        start(&b, hot);
        run(&b, 480, 492, 9);
        run(&b, 493, 505, 5);
        assert_int_equal(b.t.n, 2);
        set_back(&b, 25);
        if (late % 2) {
            reopen(&b, hot);
        }
        run_but(&b, 26, late, 5);
        assert_int_equal(b.t.n, 2);
        stop(&b);
    }
}

/* Seven of ten minutes were counted: three are left. */
static void a_hold_goes_on_when_the_clock_is_set_back(void **state)
{
    box b;
    (void)state;
    start(&b, hot);
    run(&b, 480, 487, 9);
    set_back(&b, 7);
    run(&b, 8, 9, 9);
    assert_int_equal(b.t.n, 0);
    run(&b, 10, 11, 9);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.kind[0], SY_CHANGE_RAISED);
    assert_int_equal(b.t.raised[0], 10);
    assert_int_equal(b.t.onset[0], 0);
    stop(&b);
}

/* Six of fifteen minutes of silence are over at the step; the delivery of five still counts. */
static void a_silence_is_told_after_the_clock_was_set_back(void **state)
{
    (void)state;
    for (int loaded = 0; loaded < 2; loaded++) {
        box b;
        start(&b, silent);
        run(&b, 0, 10, 5);
        advance(&b, 16);
        set_back(&b, -464);
        if (loaded) {
            reopen(&b, silent);
        }
        assert_int_equal(minute(sy_judge_deadline(b.j)), -455);
        advance(&b, -451);
        assert_int_equal(b.t.n, 0);
        advance(&b, -450);
        assert_int_equal(b.t.n, 1);
        assert_int_equal(b.t.kind[0], SY_CHANGE_RAISED);
        assert_int_equal(b.t.raised[0], -455);
        stop(&b);
    }
}

/* Judged, and waiting for its delivery: it still does. */
static void a_silence_not_yet_told_waits_over_the_step(void **state)
{
    box b;
    (void)state;
    start(&b, silent);
    run(&b, 0, 10, 5);
    advance(&b, 27);
    set_back(&b, -453);
    advance(&b, -451);
    assert_int_equal(b.t.n, 0);
    advance(&b, -450);
    assert_int_equal(b.t.n, 1);
    assert_int_equal(b.t.raised[0], -455);
    set_back(&b, -470); /* and once more, with the alert told */
    run(&b, -469, -453, 5);
    assert_int_equal(b.t.n, 2);
    assert_int_equal(b.t.at[1], -454);
    assert_int_equal(b.t.kind[1], SY_CHANGE_CLEARED);
    assert_string_equal(b.t.id[1], b.t.id[0]);
    stop(&b);
}

/* Beyond the frontier, with a comparison in the rule: the alert that was told goes on. */
static void a_provisional_alert_goes_on_when_the_clock_is_set_back(void **state)
{
    box b;
    (void)state;
    start(&b, both);
    run(&b, 0, 1, 9);
    advance(&b, 10);
    assert_int_equal(b.t.n, 1);
    set_back(&b, -470);
    advance(&b, -460);
    assert_int_equal(b.t.n, 1);
    run(&b, -459, -440, 5);
    assert_int_equal(b.t.n, 2);
    assert_int_equal(b.t.kind[1], SY_CHANGE_CLEARED);
    assert_string_equal(b.t.id[1], b.t.id[0]);
    stop(&b);
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
