/* SPDX-License-Identifier: Apache-2.0 */
/* The log's clock: every way in which a wall clock can move, against a source that the test steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "intake/clock.h"

#define DAY ((sy_ms)86400000)

typedef struct fake {
    sy_ms wall, mono;
    bool synced;
} fake;

static sy_ms fake_wall(void *ctx)
{
    return ((fake *)ctx)->wall;
}

static sy_ms fake_mono(void *ctx)
{
    return ((fake *)ctx)->mono;
}

static bool fake_synced(void *ctx)
{
    return ((fake *)ctx)->synced;
}

static sy_clock_source source_of(fake *k)
{
    return (sy_clock_source){fake_wall, fake_mono, fake_synced, k};
}

static void pass(fake *k, sy_ms ms)
{
    k->wall += ms;
    k->mono += ms;
}

static void expect(sy_clock *c, sy_ms value, bool epoch)
{
    sy_ms now, old;
    bool got = sy_clock_now(c, &now, &old);
    assert_int_equal(now, value);
    assert_int_equal(got, epoch);
}

static void follows_time(void **state)
{
    (void)state;
    fake k = {1000 * DAY, 5, true};
    sy_clock c;
    sy_clock_init(&c, source_of(&k), false, SY_MS_NONE);
    expect(&c, 1000 * DAY, false);
    pass(&k, 1234);
    expect(&c, 1000 * DAY + 1234, false);
    k.wall += 40; /* slewing: followed at once */
    expect(&c, 1000 * DAY + 1274, false);
    k.wall -= 40; /* and never back */
    expect(&c, 1000 * DAY + 1274, false);
    k.wall += DAY - 1; /* a step of less than a day is followed */
    expect(&c, 1001 * DAY + 1233, false);
    k.wall += DAY; /* a whole day is an epoch */
    expect(&c, 1002 * DAY + 1233, true);
    pass(&k, 10);
    expect(&c, 1002 * DAY + 1243, false);
}

static void never_backward_for_rounding(void **state)
{
    (void)state;
    fake k = {1000 * DAY, 0, true};
    sy_clock c;
    sy_clock_init(&c, source_of(&k), false, SY_MS_NONE);
    k.wall -= 1000;
    expect(&c, 1000 * DAY, false);
    pass(&k, 50);
    expect(&c, 1000 * DAY + 50, false);
}

static void backward_is_an_epoch(void **state)
{
    (void)state;
    fake k = {1000 * DAY, 0, false};
    sy_clock c;
    sy_clock_init(&c, source_of(&k), false, SY_MS_NONE);
    k.wall -= 1001;
    expect(&c, 1000 * DAY - 1001, true);
    pass(&k, 5);
    expect(&c, 1000 * DAY - 996, false);
}

static void unsynchronised_follows_anything_ahead(void **state)
{
    (void)state;
    fake k = {DAY, 0, false};
    sy_clock c;
    sy_clock_init(&c, source_of(&k), false, SY_MS_NONE);
    k.wall = 20000 * DAY;
    expect(&c, 20000 * DAY, false);
    k.synced = true;
    pass(&k, SY_CLOCK_CHECK_MS);
    expect(&c, 20000 * DAY + SY_CLOCK_CHECK_MS, false);
    k.wall += 2 * DAY; /* synchronised once: from now on it is an epoch */
    expect(&c, 20002 * DAY + SY_CLOCK_CHECK_MS, true);
}

static void boot_in_1970_goes_on_from_the_log(void **state)
{
    (void)state;
    fake k = {0, 0, false};
    sy_clock c;
    sy_clock_init(&c, source_of(&k), false, 20000 * DAY);
    expect(&c, 20000 * DAY, false);
    pass(&k, 700);
    expect(&c, 20000 * DAY + 700, false);
    k.wall = 20000 * DAY + 5000; /* the network gave the time: ahead, followed */
    expect(&c, 20000 * DAY + 5000, false);
}

static void synchronised_start_before_the_log_is_an_epoch(void **state)
{
    (void)state;
    fake k = {20000 * DAY, 0, true};
    sy_clock c;
    sy_clock_init(&c, source_of(&k), false, 30000 * DAY);
    expect(&c, 20000 * DAY, true);
}

static void replay_moves_by_marks_only(void **state)
{
    (void)state;
    fake k = {20000 * DAY, 0, true};
    sy_clock c;
    sy_clock_init(&c, source_of(&k), true, SY_MS_NONE);
    expect(&c, SY_MS_NONE, false);
    assert_int_equal(sy_clock_mark(&c, 500), 500);
    pass(&k, DAY);
    expect(&c, 500, false);
    assert_int_equal(sy_clock_mark(&c, 400), 500);
    expect(&c, 500, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_time),
        cmocka_unit_test(never_backward_for_rounding),
        cmocka_unit_test(backward_is_an_epoch),
        cmocka_unit_test(unsynchronised_follows_anything_ahead),
        cmocka_unit_test(boot_in_1970_goes_on_from_the_log),
        cmocka_unit_test(synchronised_start_before_the_log_is_an_epoch),
        cmocka_unit_test(replay_moves_by_marks_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
