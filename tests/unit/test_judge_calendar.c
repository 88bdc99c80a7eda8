/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calendar windows: days of 23 and 25 hours, hours of zones that lie half an hour off, what is told
 * when, late readings, the time in force, levels that last; shares of events.
 */
#include "judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MIN = 60000, HOUR = 60 * MIN, TOLD = 64 };
#define DAY ((sy_ms)24 * HOUR)

/* Points of two devices: a nozzle's events with their members, a stack, a room's two sensors. */
enum { A_FUEL, A_REFUEL, A_VAPOUR, B_FUEL, HEAT, HEAT2, POINTS };
static sy_site_point points[POINTS] = {
    [A_FUEL] = {.series = "a/fuel", .device = "a", .quantity = "fuel-volume", .unit = "L"},
    [A_REFUEL] = {.series = "a/refuel", .device = "a", .quantity = "refuel"},
    [A_VAPOUR] = {.series = "a/vapour", .device = "a", .quantity = "vapour-volume", .unit = "L"},
    [B_FUEL] = {.series = "b/fuel", .device = "b", .quantity = "fuel-volume", .unit = "L"},
    [HEAT] = {.series = "h/1", .device = "h", .quantity = "temperature", .unit = "degC"},
    [HEAT2] = {.series = "h/2", .device = "h", .quantity = "temperature", .unit = "degC"}};
static sy_site_premises premises = {.id = "p", .subject = "caterer", .stage = "storage"};
static sy_site_place places[] = {{.id = "r", .kind = "room"}, {.id = "n", .kind = "nozzle"}};
static sy_site site = {.gateway = "g",
                       .premises = &premises,
                       .n_premises = 1,
                       .places = places,
                       .n_places = 2,
                       .points = points,
                       .n_points = POINTS};

typedef struct told {
    sy_change_kind kind;
    sy_alert_level level;
    sy_ms at, onset, raised, cleared, counted;
    uint64_t count;
    double max;
} told;
typedef struct rig {
    kit_set k;
    sy_arena zones;
    sy_judge *j;
    told v[TOLD];
    size_t n;
    char text[2048];
} rig;

static void tell(void *ctx, const sy_change *c)
{
    rig *r = ctx;
    assert_true(r->n < TOLD);
    const sy_alert *a = &c->alert;
    r->v[r->n++] = (told){c->kind,    a->level,   c->at,    a->onset, a->raised,
                          a->cleared, a->counted, a->count, a->max};
}

static void start(rig *r, const char *zone, const char *clauses, sy_ms every, sy_ms at, bool live)
{
    memset(r, 0, sizeof *r);
    (void)snprintf(r->text, sizeof r->text,
                   "rule C version 1 \"c\"\n  basis \"b\" policy\n"
                   "  applies to subject any; goods any; stage any\n%s  then tell premises\nend\n",
                   clauses);
    kit_load(&r->k, "calendar", sy_span_of(r->text), false);
    sy_arena_init(&r->zones, sy_heap(), 0);
    premises.zone = kit_zone(zone, &r->zones);
    for (int p = 0; p < POINTS; p++) {
        points[p].every = p >= HEAT ? every : 0;
        points[p].delivery = 5 * MIN;
        points[p].place = p < HEAT;
    }
    sy_judge_options o = {.set = r->k.set,
                          .site = &site,
                          .start = at,
                          .in_force = SY_MS_NONE,
                          .wait_delivery = live,
                          .alloc = sy_heap(),
                          .emit = tell,
                          .ctx = r};
    assert_int_equal(sy_judge_open(&r->j, &o), SY_OK);
}

static void stop(rig *r)
{
    sy_judge_close(r->j);
    kit_free(&r->k);
    sy_arena_fini(&r->zones);
}

static sy_verdict reading(rig *r, int point, sy_ms t, double v)
{
    sy_verdict verdict;
    assert_int_equal(sy_judge_reading(r->j, (uint32_t)point, t, v, SY_Q_GOOD, &verdict), SY_OK);
    return verdict;
}

static void advance(rig *r, sy_ms t)
{
    assert_int_equal(sy_judge_advance(r->j, t), SY_OK);
}

/* Readings of v in [from, to), the clock with them. */
static void stream(rig *r, sy_ms from, sy_ms to, sy_ms every, double v)
{
    for (sy_ms t = from; t < to; t += every) {
        (void)reading(r, HEAT, t, v);
        (void)reading(r, HEAT2, t, 0);
        advance(r, t);
    }
}

static sy_ms day_of(int year, int month, int day)
{
    return sy_days_of((sy_date){year, (uint8_t)month, (uint8_t)day}) * DAY;
}

#define HEAT_HEAD "  watch each room: temperature\n  missing after 3 h\n"
static const char daily[] =
    HEAT_HEAD "  alert notice when daily mean of temperature (valid at least 100 %) above 5 °C "
              "[law]\n";
static const char hourly[] =
    HEAT_HEAD "  alert notice when hourly mean of temperature above 5 °C [law]\n";

static void expect_day(const char *zone, sy_ms from, int hours, int gap, bool alert)
{
    rig r;
    start(&r, zone, daily, HOUR, from - HOUR, false);
    for (int h = -1; h <= hours; h++) {
        advance(&r, from + (sy_ms)h * HOUR);
        if (h != gap) {
            (void)reading(&r, HEAT, from + (sy_ms)h * HOUR, h < 0 || h >= hours ? 0 : 6);
        }
    }
    assert_int_equal(r.n, alert ? 1 : 0);
    if (alert) {
        assert_int_equal(r.v[0].kind, SY_CHANGE_RAISED);
        assert_int_equal(r.v[0].onset, from);
        assert_int_equal(r.v[0].raised, from + (sy_ms)hours * HOUR);
        assert_int_equal(r.v[0].counted, (sy_ms)hours * HOUR);
        assert_int_equal(r.v[0].count, hours);
    }
    stop(&r);
}

static void days_have_their_hours(void **state)
{
    (void)state;
    expect_day("Europe/Berlin", day_of(2026, 3, 29) - HOUR, 23, -9, true);
    expect_day("Europe/Berlin", day_of(2026, 3, 29) - HOUR, 23, 11, false);
    expect_day("Europe/Berlin", day_of(2026, 10, 25) - 2 * HOUR, 25, -9, true);
    expect_day("Europe/Berlin", day_of(2026, 10, 25) - 2 * HOUR, 25, 24, false);
    expect_day("Europe/Berlin", day_of(2026, 6, 10) - 2 * HOUR, 24, -9, true);
    expect_day("Asia/Shanghai", day_of(2026, 6, 10) - 8 * HOUR, 24, -9, true);
    expect_day("Asia/Kolkata", day_of(2026, 6, 10) - 5 * HOUR - 30 * MIN, 24, -9, true);
}

static void hours_are_those_of_the_wall_clock(void **state)
{
    static const struct {
        const char *zone;
        sy_ms shift;
    } all[] = {{"Asia/Kolkata", 30 * MIN}, {"Asia/Shanghai", 0}, {"Asia/Kathmandu", 15 * MIN}};
    (void)state;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        rig r;
        sy_ms t = day_of(2026, 6, 10) + all[k].shift;
        start(&r, all[k].zone, hourly, MIN, t, false);
        stream(&r, t, t + HOUR, MIN, 4);
        stream(&r, t + HOUR, t + 2 * HOUR, MIN, 6);
        stream(&r, t + 2 * HOUR, t + 2 * HOUR + 44 * MIN, MIN, 4); /* too little: unknown */
        stream(&r, t + 3 * HOUR, t + 3 * HOUR + 45 * MIN, MIN, 4); /* just enough */
        advance(&r, t + 4 * HOUR);
        assert_int_equal(r.n, 2);
        assert_int_equal(r.v[0].raised, t + 2 * HOUR);
        assert_int_equal(r.v[0].onset, t + HOUR);
        assert_int_equal(r.v[1].kind, SY_CHANGE_CLEARED);
        assert_int_equal(r.v[1].cleared, t + 4 * HOUR);
        stop(&r);
    }
}

static void a_close_is_told_after_the_delivery(void **state)
{
    rig r;
    sy_ms t = day_of(2026, 6, 10);
    (void)state;
    start(&r, "Asia/Shanghai", hourly, MIN, t, true);
    stream(&r, t, t + HOUR, MIN, 6);
    advance(&r, t + HOUR + 5 * MIN - 1);
    assert_int_equal(r.n, 0);
    assert_int_equal(sy_judge_deadline(r.j), t + HOUR + 5 * MIN);
    advance(&r, t + HOUR + 5 * MIN);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.v[0].raised, t + HOUR);
    stream(&r, t + HOUR + 6 * MIN, t + 2 * HOUR, MIN, 4);
    advance(&r, t + 2 * HOUR + 5 * MIN - 1);
    assert_int_equal(r.n, 1);
    advance(&r, t + 2 * HOUR + 5 * MIN);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.v[1].kind, SY_CHANGE_CLEARED);
    assert_int_equal(r.v[1].cleared, t + 2 * HOUR);
    stop(&r);
}

/* What comes after the close makes it judged again: here in time, there after it was told. */
static void late_readings_are_judged(void **state)
{
    rig r;
    sy_ms t = day_of(2026, 6, 10);
    (void)state;
    start(&r, "Asia/Shanghai", hourly, MIN, t, true);
    stream(&r, t, t + HOUR - 2 * MIN, MIN, 5.05);
    advance(&r, t + HOUR + 6 * MIN);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.v[0].kind, SY_CHANGE_RAISED);
    assert_int_equal(r.v[0].count, 58);
    assert_int_equal(reading(&r, HEAT, t + HOUR - 2 * MIN, 5.05), SY_READING_TAKEN);
    assert_int_equal(r.n, 1); /* figures of an open alert are not told again */
    assert_int_equal(reading(&r, HEAT, t + HOUR - MIN, -40), SY_READING_TAKEN);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.v[1].kind, SY_CHANGE_WITHDRAWN);
    stop(&r);
}

/* A window that began before the rule is not judged; the one that closes with it is. */
static void only_windows_in_force_are_judged(void **state)
{
    rig r;
    sy_ms t = day_of(2026, 6, 10) - 8 * HOUR;
    (void)state;
    start(&r, "Asia/Shanghai",
          "  effective from 2026-06-10 to 2026-06-10\n" HEAT_HEAD
          "  alert notice when hourly mean of temperature above 5 °C [law]\n",
          MIN, t - HOUR, false);
    stream(&r, t - HOUR, t, MIN, 6);
    advance(&r, t + HOUR - 1);
    assert_int_equal(r.n, 0);
    stream(&r, t + 23 * HOUR, t + DAY + 2 * HOUR, MIN, 6);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.v[0].raised, t + DAY);
    assert_int_equal(r.v[1].kind, SY_CHANGE_SUPERSEDED);
    assert_int_equal(r.v[1].cleared, t + DAY);
    stop(&r);
}

/* A digit a day: 1 above, 0 not, x unknown. Returns the day at whose close serious opens, or -1. */
static int lasts_on(const char *days, sy_ms *onset, uint64_t *count)
{
    rig r;
    sy_ms t = day_of(2026, 6, 10) - 8 * HOUR;
    int found = -1;
    start(&r, "Asia/Shanghai",
          HEAT_HEAD "  alert notice when daily mean of temperature above 5 °C [law]\n"
                    "  alert serious when notice lasts 3 d\n  clear when temperature below -9 °C\n",
          HOUR, t, false);
    for (int d = 0; days[d]; d++) {
        if (days[d] != 'x') {
            stream(&r, t + d * DAY, t + (d + 1) * DAY, HOUR, days[d] == '1' ? 6 : 4);
        }
        advance(&r, t + (d + 1) * DAY);
        for (size_t k = 0; found < 0 && k < r.n; k++) {
            found = r.v[k].level == SY_SERIOUS ? d : -1;
        }
    }
    *onset = r.n ? r.v[0].onset - t : -1;
    *count = r.n ? r.v[r.n - 1].count : 0;
    stop(&r);
    return found;
}

static void lasts_counts_days_in_a_row(void **state)
{
    sy_ms onset;
    uint64_t count;
    (void)state;
    assert_int_equal(lasts_on("0111", &onset, &count), 3);
    assert_int_equal(onset, DAY);
    assert_int_equal(lasts_on("011011", &onset, &count), -1);
    assert_int_equal(lasts_on("11x1", &onset, &count), 3);
    assert_int_equal(lasts_on("11xx1", &onset, &count), -1);
    assert_int_equal(lasts_on("1x1x1", &onset, &count), 4);
}

/* Alone, a level that lasts opens with the start of its run, and the driver's readings in it. */
static void the_onset_of_what_lasts(void **state)
{
    rig r;
    sy_ms t = day_of(2026, 6, 10) - 8 * HOUR;
    (void)state;
    start(&r, "Asia/Shanghai",
          HEAT_HEAD
          "  alert notice when hourly mean of temperature above 5 °C [law] and temperature below "
          "-50 °C [law]\n  alert serious when notice lasts 2 h\n",
          MIN, t, false);
    stream(&r, t, t + 5 * HOUR, MIN, 6);
    assert_int_equal(r.n, 0);
    stop(&r);
    start(&r, "Asia/Shanghai",
          HEAT_HEAD "  alert notice when hourly mean of temperature above 5 °C [law]\n"
                    "  alert serious when notice lasts 2 h\n",
          MIN, t, false);
    stream(&r, t, t + 2 * HOUR, MIN, 6);
    advance(&r, t + 2 * HOUR);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.v[1].kind, SY_CHANGE_ESCALATED);
    assert_int_equal(r.v[1].at, t + 2 * HOUR);
    assert_int_equal(r.v[1].onset, t);
    stop(&r);
}

/* The other operands are those just before the close. */
static void what_stands_beside_a_window(void **state)
{
    rig r;
    sy_ms t = day_of(2026, 6, 10);
    (void)state;
    start(&r, "Asia/Shanghai",
          "  watch each room: temperature\n  missing after 3 min\n"
          "  alert notice when hourly mean of temperature above 5 °C [law] and temperature above 9 "
          "°C [law]\n",
          MIN, t, false);
    stream(&r, t, t + 30 * MIN, MIN, 6);
    stream(&r, t + 30 * MIN, t + HOUR, MIN, 10);
    stream(&r, t + HOUR, t + HOUR + MIN, MIN, 10);
    assert_int_equal(r.n, 1);
    stream(&r, t + HOUR + MIN, t + 2 * HOUR, MIN, 10);
    stream(&r, t + 2 * HOUR, t + 2 * HOUR + MIN, MIN, 4); /* the stretch before: unknown */
    assert_int_equal(r.n, 1);
    stream(&r, t + 2 * HOUR + MIN, t + 3 * HOUR, MIN, 4);
    stream(&r, t + 3 * HOUR, t + 3 * HOUR + MIN, MIN, 4);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.v[1].cleared, t + 3 * HOUR);
    stop(&r);
}

/* ---- shares of events ---- */

static const char ratio[] = "  watch each nozzle: refuel, vapour-volume, fuel-volume\n"
                            "  let vapour-ratio = vapour-volume / fuel-volume\n"
                            "  count refuel daily only when fuel-volume above 15 L\n"
                            "  alert warning when vapour-ratio outside 0.90 to 1.30 [law], share "
                            "of refuel above 25 % [law], "
                            "counted at least 4\n";

static void refuel(rig *r, sy_ms t, double vapour, double fuel)
{
    advance(r, t);
    (void)reading(r, A_FUEL, t, fuel);
    if (vapour > 0) {
        (void)reading(r, A_VAPOUR, t, vapour);
    }
    (void)reading(r, B_FUEL, t, 99); /* of another device */
    (void)reading(r, A_REFUEL, t, 1);
}

static void shares_are_of_the_events_of_a_day(void **state)
{
    rig r;
    sy_ms t = day_of(2026, 6, 10) - 8 * HOUR;
    (void)state;
    start(&r, "Asia/Shanghai", ratio, 0, t, false);
    refuel(&r, t, 20, 20);
    refuel(&r, t + HOUR, 20, 20);
    refuel(&r, t + 2 * HOUR, 20, 20);
    refuel(&r, t + 3 * HOUR, 10, 20);
    refuel(&r, t + 4 * HOUR, 1, 15); /* not counted */
    refuel(&r, t + 5 * HOUR, 0, 20); /* a member lacks */
    advance(&r, t + DAY);
    assert_int_equal(r.n, 0); /* 25 % is not above 25 % */
    for (int k = 0; k < 3; k++) {
        refuel(&r, t + DAY + k * HOUR, 10, 20);
    }
    advance(&r, t + 2 * DAY);
    assert_int_equal(r.n, 0); /* three are not four */
    for (int k = 0; k < 4; k++) {
        refuel(&r, t + 2 * DAY + k * HOUR, k < 2 ? 10 : 20, 20);
    }
    advance(&r, t + 3 * DAY);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.v[0].onset, t + 2 * DAY);
    assert_int_equal(r.v[0].raised, t + 3 * DAY);
    assert_int_equal(r.v[0].count, 4);
    advance(&r, t + 4 * DAY); /* no event: unknown */
    assert_int_equal(r.n, 1);
    for (int k = 0; k < 4; k++) {
        refuel(&r, t + 4 * DAY + k * HOUR, 20, 20);
    }
    advance(&r, t + 5 * DAY);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.v[1].kind, SY_CHANGE_CLEARED);
    assert_int_equal(r.v[1].cleared, t + 5 * DAY);
    stop(&r);
}

/* ---- sums and aggregates across a place ---- */

static void sums_and_points_of_a_place(void **state)
{
    rig r;
    sy_ms t = day_of(2026, 6, 10);
    (void)state;
    start(&r, "Asia/Shanghai",
          "  watch each room: temperature\n  missing after 3 min\n"
          "  alert notice when spread of temperature above 4 K [law]\n",
          MIN, t, false);
    assert_int_equal(sy_judge_instances(r.j), 2);
    (void)reading(&r, HEAT, t, 8); /* one of two: unknown */
    (void)reading(&r, HEAT2, t + MIN, 5);
    (void)reading(&r, HEAT, t + 2 * MIN, 9.5);
    (void)reading(&r, HEAT, t + 5 * MIN, 5); /* the other one is too old */
    (void)reading(&r, HEAT2, t + 6 * MIN, 5);
    for (int m = 0; m < 12; m++) {
        advance(&r, t + m * MIN);
    }
    assert_int_equal(r.n, 4);
    assert_int_equal(r.v[0].raised, t + 2 * MIN);
    assert_int_equal(r.v[3].cleared, t + 6 * MIN);
    stop(&r);
}

static void a_sum_with_a_table(void **state)
{
    rig r;
    sy_ms t = day_of(2026, 6, 10);
    (void)state;
    start(&r, "Asia/Shanghai",
          "  watch each nozzle: fuel-volume\n  missing after 3 min\n"
          "  let most = table of fuel-volume (10 L 1 L; 20 L 5 L)\n"
          "  let twice = most * 2 - fuel-volume / 4\n  alert notice when twice above 1.9 L [law]\n",
          0, t, false);
    assert_int_equal(sy_judge_instances(r.j), 2);
    (void)reading(&r, A_FUEL, t, 12); /* 2 × 1.8 - 3 = 0.6 */
    advance(&r, t);
    assert_int_equal(r.n, 0);
    (void)reading(&r, A_FUEL, t + MIN, 15); /* 2 × 3 - 3.75 = 2.25 */
    advance(&r, t + MIN);
    assert_int_equal(r.n, 1);
    (void)reading(&r, A_FUEL, t + 2 * MIN, 33); /* 10 - 8.25 = 1.75 */
    advance(&r, t + 2 * MIN);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.v[1].cleared, t + 2 * MIN);
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_have_their_hours),
        cmocka_unit_test(hours_are_those_of_the_wall_clock),
        cmocka_unit_test(a_close_is_told_after_the_delivery),
        cmocka_unit_test(late_readings_are_judged),
        cmocka_unit_test(only_windows_in_force_are_judged),
        cmocka_unit_test(lasts_counts_days_in_a_row),
        cmocka_unit_test(the_onset_of_what_lasts),
        cmocka_unit_test(what_stands_beside_a_window),
        cmocka_unit_test(shares_are_of_the_events_of_a_day),
        cmocka_unit_test(sums_and_points_of_a_place),
        cmocka_unit_test(a_sum_with_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
