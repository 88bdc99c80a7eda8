/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's files say of the box, out of a folder that stands for /proc and /sys. */
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/os.h"
#include "run/senses.h"

static char root[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/sy-senses-XXXXXX");
    assert_non_null(mkdtemp(root));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    sy_fail f;
    snprintf(path, sizeof path, "%s%s", root, folder);
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        assert_int_equal(sy_dir_make(path, &f), SY_OK);
        *p = '/';
    }
    assert_int_equal(sy_dir_make(path, &f), SY_OK);
    snprintf(path, sizeof path, "%s%s/%s", root, folder, name);
    assert_int_equal(sy_file_write(path, sy_span_of(text), 0600, &f), SY_OK);
}

static void near(double got, double want)
{
    if (!(fabs(got - want) < 1e-9))
        fail_msg("%.12g, not %.12g", got, want);
}

static void nothing_is_said(void **state)
{
    (void)state;
    assert_true(isnan(sy_sense_temperature(root)));
    assert_true(isnan(sy_sense_load(root)));
    assert_true(isnan(sy_sense_memory(root)));
    assert_true(isnan(sy_sense_battery(root)));
    assert_int_equal(sy_sense_mains(root), -1);
}

static void temperature(void **state)
{
    (void)state;
    put("/sys/class/thermal/thermal_zone0", "temp", "47250\n");
    near(sy_sense_temperature(root), 47.25);
    put("/sys/class/thermal/thermal_zone1", "temp", "61000\n");
    put("/sys/class/thermal/thermal_zone2", "temp", "-273000\n"); /* no sensor behind it */
    put("/sys/class/thermal/thermal_zone3", "temp", "nonsense\n");
    put("/sys/class/thermal/cooling_device0", "temp", "99000\n");
    near(sy_sense_temperature(root), 61);
}

static void load_and_memory(void **state)
{
    (void)state;
    put("/proc", "loadavg", "3.00 1.00 0.50 2/300 4711\n");
    near(sy_sense_load(root), 3.0 / (double)sysconf(_SC_NPROCESSORS_ONLN));
    put("/proc", "meminfo", "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  250 kB\n");
    near(sy_sense_memory(root), 25);
    put("/proc", "meminfo", "MemTotal:  1000 kB\nMemFree:  100 kB\n");
    assert_true(isnan(sy_sense_memory(root)));
}

static void mains(void **state)
{
    (void)state;
    put("/sys/class/power_supply/BAT0", "type", "Battery\n");
    put("/sys/class/power_supply/BAT0", "capacity", "80\n");
    put("/sys/class/power_supply/mouse", "type", "Battery\n");
    put("/sys/class/power_supply/mouse", "scope", "Device\n");
    put("/sys/class/power_supply/mouse", "capacity", "100\n");
    assert_int_equal(sy_sense_mains(root), -1); /* a battery alone says nothing of the mains */
    near(sy_sense_battery(root), 80);
    put("/sys/class/power_supply/AC", "type", "Mains\n");
    put("/sys/class/power_supply/AC", "online", "0\n");
    assert_int_equal(sy_sense_mains(root), 0);
    put("/sys/class/power_supply/usb", "type", "USB\n");
    put("/sys/class/power_supply/usb", "online", "2\n");
    assert_int_equal(sy_sense_mains(root), 1);
    put("/sys/class/power_supply/usb", "online", "0\n");
    assert_int_equal(sy_sense_mains(root), 0);
    put("/sys/class/power_supply/BAT0", "capacity", "101\n");
    assert_true(isnan(sy_sense_battery(root)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(temperature, set_up, tear_down),
        cmocka_unit_test_setup_teardown(load_and_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mains, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
