/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, times and zones, against libc's own calendar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "base/os.h"

static void test_days(void **state)
{
    (void)state;
    for (int64_t day = -800000; day < 2000000; day += 13) {
        sy_date d = sy_date_of(day);
        assert_true(sy_days_of(d) == day);
        time_t t = (time_t)(day * 86400);
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        assert_int_equal(d.year, tm.tm_year + 1900);
        assert_int_equal(d.month, tm.tm_mon + 1);
        assert_int_equal(d.day, tm.tm_mday);
    }
    assert_true(sy_date_valid(2024, 2, 29));
    assert_false(sy_date_valid(2023, 2, 29));
    assert_false(sy_date_valid(2100, 2, 29));
    assert_false(sy_date_valid(2024, 13, 1));
}

static void parses(const char *text, sy_ms want)
{
    sy_ms t = -1;
    assert_int_equal(sy_time_parse(sy_span_of(text), &t), SY_OK);
    assert_true(t == want);
}

static void test_time_text(void **state)
{
    (void)state;
    parses("1970-01-01T00:00:00Z", 0);
    parses("2026-01-02T03:04:05.678Z", 1767323045678);
    parses("2026-01-02T11:04:05.6784+08:00", 1767323045678);
    parses("2026-01-01T19:34:05,678-07:30", 1767323045678);
    parses("1767323045678", 1767323045678);
    char text[25];
    sy_time_text(1767323045678, text);
    assert_string_equal(text, "2026-01-02T03:04:05.678Z");
    static const char *const bad[] = {"",
                                      "2026-01-02",
                                      "2026-01-02T03:04:05",
                                      "2026-1-02T03:04:05Z",
                                      "2026-01-02T03:04Z",
                                      "2026-01-02T03:04:05.Z",
                                      "17673230456a",
                                      "2026-01-02T03:04:05Z ",
                                      "-5"};
    sy_ms t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sy_time_parse(sy_span_of(bad[i]), &t), SY_E_PARSE);
    assert_int_equal(sy_time_parse(sy_span_of("2026-02-30T00:00:00Z"), &t), SY_E_RANGE);
    assert_int_equal(sy_time_parse(sy_span_of("2026-02-03T24:00:00Z"), &t), SY_E_RANGE);
    assert_int_equal(sy_time_parse(sy_span_of("1969-12-31T23:59:59Z"), &t), SY_E_RANGE);
    assert_int_equal(sy_time_parse(sy_span_of("999999999999999"), &t), SY_E_RANGE);
}

/* Every 7 h from 1990 to 2099: the offset and the local day are those of libc. */
static void against_libc(const char *name)
{
    sy_arena a;
    sy_arena_init(&a, sy_heap(), 0);
    const sy_zone *z = NULL;
    sy_fail f;
    assert_int_equal(sy_zone_load(&a, name, &z, &f), SY_OK);
    setenv("TZ", name, 1);
    tzset();
    for (int64_t s = 631152000; s < 4102444800 - 86400; s += 25200 + 11) {
        time_t t = (time_t)s;
        struct tm tm;
        assert_non_null(localtime_r(&t, &tm));
        assert_int_equal(sy_zone_offset(z, s * 1000), tm.tm_gmtoff * 1000);
        int64_t day = sy_zone_day(z, s * 1000);
        sy_ms midnight = sy_zone_midnight(z, day);
        assert_true(midnight <= s * 1000);
        assert_true(sy_zone_day(z, midnight) == day);
        assert_true(sy_zone_day(z, midnight - 1) == day - 1);
    }
    unsetenv("TZ");
    tzset();
    sy_arena_fini(&a);
}

static void test_zones(void **state)
{
    (void)state;
    against_libc("Asia/Shanghai");
    against_libc("Europe/Berlin");
    against_libc("America/Sao_Paulo");
    against_libc("Australia/Lord_Howe");
    against_libc("America/Havana");
    against_libc("UTC");
}

static void test_zone_refused(void **state)
{
    (void)state;
    sy_arena a;
    sy_arena_init(&a, sy_heap(), 0);
    const sy_zone *z = NULL;
    sy_fail f;
    assert_int_equal(sy_zone_load(&a, "../../etc/passwd", &z, &f), SY_E_PARSE);
    assert_int_equal(sy_zone_load(&a, "Asia/Atlantis", &z, &f), SY_E_NOTFOUND);
    assert_int_equal(sy_zone_load(&a, "tzdata.zi", &z, &f), SY_E_PARSE);
    assert_null(z);
    sy_arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_time_text),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_zone_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
