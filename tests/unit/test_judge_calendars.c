/* SPDX-License-Identifier: Apache-2.0 */
/* Calendars over event time: spans, midnight, swapped days, clocks that change. */
#include "judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "rules/judge_calendar.h"

#define H 3600000

static sy_ms at(const char *text)
{
    sy_ms t;
    assert_int_equal(sy_time_parse(sy_span_of(text), &t), SY_OK);
    return t;
}

typedef struct shop {
    sy_arena arena;
    sy_site_calendar calendars[1];
    sy_site_premises premises;
    calendar c;
} shop;

static void shop_open(shop *s, const char *zone, const sy_site_span *spans, size_t n,
                      const sy_site_swap *swaps, size_t n_swaps)
{
    sy_arena_init(&s->arena, sy_heap(), 0);
    s->calendars[0] = (sy_site_calendar){"service-hours", spans, n};
    s->premises = (sy_site_premises){.id = "p",
                                     .calendars = s->calendars,
                                     .n_calendars = 1,
                                     .swaps = swaps,
                                     .n_swaps = n_swaps,
                                     .zone = kit_zone(zone, &s->arena)};
    assert_false(sy_judge__cal_init(&s->c, &s->premises, "night"));
    assert_true(sy_judge__cal_init(&s->c, &s->premises, "service-hours"));
}

static const sy_site_span weekdays[] = {{0x1f, 8 * H, 12 * H}, {0x1f, 14 * H, 18 * H}};

static void hours_of_weekdays(void **state)
{
    shop s;
    (void)state;
    shop_open(&s, "Asia/Shanghai", weekdays, 2, NULL, 0);
    /* 2026-11-24 is a Tuesday */
    assert_false(sy_judge__cal_inside(&s.c, at("2026-11-24T07:59:59.999+08:00")));
    assert_true(sy_judge__cal_inside(&s.c, at("2026-11-24T08:00:00+08:00")));
    assert_int_equal(sy_judge__cal_next(&s.c, at("2026-11-24T08:00:00+08:00")),
                     at("2026-11-24T12:00:00+08:00"));
    assert_false(sy_judge__cal_inside(&s.c, at("2026-11-24T12:00:00+08:00")));
    assert_false(sy_judge__cal_inside(&s.c, at("2026-11-28T09:00:00+08:00"))); /* Saturday */
    assert_int_equal(sy_judge__cal_next(&s.c, at("2026-11-27T18:00:00+08:00")),
                     at("2026-11-30T08:00:00+08:00"));
    assert_int_equal(
        sy_judge__cal_time(&s.c, at("2026-11-23T00:00:00+08:00"), at("2026-11-30T00:00:00+08:00")),
        40 * H);
    assert_int_equal(
        sy_judge__cal_time(&s.c, at("2026-11-24T11:00:00+08:00"), at("2026-11-24T15:00:00+08:00")),
        2 * H);
    /* 2 h from Friday 17:00 end on Monday at 09:00; a length that is just reached ends there */
    assert_int_equal(sy_judge__cal_reach(&s.c, at("2026-11-27T17:00:00+08:00"), 2 * H),
                     at("2026-11-30T09:00:00+08:00"));
    assert_int_equal(sy_judge__cal_reach(&s.c, at("2026-11-27T17:00:00+08:00"), H),
                     at("2026-11-27T18:00:00+08:00"));
    sy_arena_fini(&s.arena);
}

static void nights_pass_midnight(void **state)
{
    static const sy_site_span night[] = {{0x10, 22 * H, 30 * H}}; /* Friday 22:00 to 06:00 */
    shop s;
    (void)state;
    shop_open(&s, "Asia/Shanghai", night, 1, NULL, 0);
    assert_true(sy_judge__cal_inside(&s.c, at("2026-11-27T22:00:00+08:00")));
    assert_true(sy_judge__cal_inside(&s.c, at("2026-11-28T05:59:59+08:00")));
    assert_false(sy_judge__cal_inside(&s.c, at("2026-11-28T06:00:00+08:00")));
    assert_false(sy_judge__cal_inside(&s.c, at("2026-11-27T05:00:00+08:00")));
    assert_int_equal(
        sy_judge__cal_time(&s.c, at("2026-11-01T00:00:00+08:00"), at("2026-12-01T00:00:00+08:00")),
        4 * 8 * H);
    sy_arena_fini(&s.arena);
}

static void days_are_swapped(void **state)
{
    sy_site_swap swaps[2] = {{.as = 0}, {.as = 1u << 3}};
    shop s;
    (void)state;
    swaps[0].day = sy_days_of((sy_date){2026, 10, 1});  /* a Thursday, off */
    swaps[1].day = sy_days_of((sy_date){2026, 10, 10}); /* a Saturday, worked as a Thursday */
    shop_open(&s, "Asia/Shanghai", weekdays, 2, swaps, 2);
    assert_false(sy_judge__cal_inside(&s.c, at("2026-10-01T09:00:00+08:00")));
    assert_true(sy_judge__cal_inside(&s.c, at("2026-10-10T09:00:00+08:00")));
    assert_true(sy_judge__cal_inside(&s.c, at("2026-10-02T09:00:00+08:00")));
    sy_arena_fini(&s.arena);
}

static void clocks_that_change(void **state)
{
    static const sy_site_span always[] = {{0x7f, 0, 24 * H}};
    static const sy_site_span early[] = {{0x7f, H, 4 * H}};
    shop s, t;
    (void)state;
    shop_open(&s, "Europe/Berlin", always, 1, NULL, 0);
    assert_int_equal(
        sy_judge__cal_time(&s.c, at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z")), 23 * H);
    shop_open(&t, "Europe/Berlin", early, 1, NULL, 0); /* 01:00 to 04:00 by the clock */
    assert_int_equal(
        sy_judge__cal_time(&t.c, at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z")), 2 * H);
    assert_int_equal(
        sy_judge__cal_time(&t.c, at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")), 4 * H);
    sy_arena_fini(&s.arena);
    sy_arena_fini(&t.arena);
}

static void a_calendar_without_days_never_comes(void **state)
{
    shop s;
    (void)state;
    shop_open(&s, "Asia/Shanghai", weekdays, 0, NULL, 0);
    assert_int_equal(sy_judge__cal_reach(&s.c, at("2026-11-24T00:00:00Z"), 1), SY_MS_MAX);
    assert_int_equal(
        sy_judge__cal_time(&s.c, at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")), 0);
    sy_arena_fini(&s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_of_weekdays),
        cmocka_unit_test(nights_pass_midnight),
        cmocka_unit_test(days_are_swapped),
        cmocka_unit_test(clocks_that_change),
        cmocka_unit_test(a_calendar_without_days_never_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
