/* SPDX-License-Identifier: Apache-2.0 */
/* A real recording whose certified logger judged it too: its alarms are matched, and no others. */
#include "judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

enum { MINUTE = 60000 };

typedef struct raised {
    sy_ms at[256];
    size_t n;
} raised;

static void take(void *ctx, const sy_alert *a)
{
    raised *r = ctx;
    assert_true(r->n < 256);
    r->at[r->n++] = a->raised;
}

/* "2022-05-02 04:44": the logger's local time, taken as UTC throughout. */
static sy_ms minute_of(const char *s)
{
    char text[32];
    sy_ms t;
    (void)snprintf(text, sizeof text, "%.10sT%.5s:00Z", s, s + 11);
    assert_int_equal(sy_time_parse(sy_span_of(text), &t), SY_OK);
    return t;
}

static void feed(sy_judge *j, const sy_buf *csv)
{
    const char *p = strchr(csv->p, '\n');
    sy_ms t = 0;
    size_t n = 0;
    while (p && p[1]) {
        const char *line = p + 1;
        const char *value = strchr(line, ',') + 1;
        const char *end = strchr(value, ',');
        double v;
        sy_verdict verdict;
        t = minute_of(line);
        assert_int_equal(sy_double_parse((sy_span){value, (size_t)(end - value)}, &v), SY_OK);
        assert_int_equal(sy_judge_reading(j, 0, t, v, SY_Q_GOOD, &verdict), SY_OK);
        assert_int_equal(verdict, SY_READING_TAKEN);
        assert_int_equal(sy_judge_advance(j, t), SY_OK);
        p = strchr(line, '\n');
        n++;
    }
    assert_int_equal(n, 10653);
    assert_int_equal(sy_judge_finish(j), SY_OK);
}

static void compare(const raised *r, const sy_buf *events)
{
    json_error_t why;
    json_t *root = json_loadb(events->p, events->n, 0, &why);
    json_t *list = json_object_get(root, "events"), *e;
    size_t i, alarms = 0, quiet = 0;
    assert_non_null(root);
    json_array_foreach(list, i, e)
    {
        const char *device = json_string_value(json_object_get(e, "device_alarm_time"));
        const char *expected = json_string_value(json_object_get(e, "expected"));
        sy_ms from = minute_of(json_string_value(json_object_get(e, "first_reading_beyond")));
        sy_ms to = minute_of(json_string_value(json_object_get(e, "last_reading_beyond")));
        size_t near = 0, inside = 0;
        for (size_t k = 0; k < r->n; k++) {
            sy_ms late = device ? r->at[k] - minute_of(device) : -1;
            near += late >= 0 && late <= 5 * MINUTE;
            inside += r->at[k] >= from && r->at[k] <= to;
        }
        if (device) {
            alarms++;
            assert_int_equal(near, 1);
        } else if (strncmp(expected, "no alarm", 8) == 0) {
            quiet++;
            assert_int_equal(inside, 0);
        }
    }
    assert_int_equal(alarms, 10);
    assert_int_equal(quiet, 21);
    json_decref(root);
}

static void vaccine_fridge(void **state)
{
    sy_buf rules = kit_file("tests/rules/fridge.rules");
    sy_buf csv = kit_shared("data/series/vaccine_fridgetag2L_2022.csv");
    sy_buf events = kit_shared("data/series/vaccine_fridgetag2L_2022.events.json");
    kit_set k;
    raised r = {.n = 0};
    sy_judge *j;
    (void)state;
    if (!csv.p || !events.p) {
        print_message("skipped: the recording is not there (SY_SHARED)\n");
        skip();
    }
    kit_load(&k, "fridge.rules", sy_buf_span(&rules), false);
    assert_int_equal(kit_scenarios(&k, NULL, true), 0);
    sy_site_premises premises = {.id = "p"};
    sy_site_place place = {.id = "f", .kind = "cabinet"};
    sy_site_point point = {.series = "logger/t",
                           .device = "logger",
                           .name = "t",
                           .quantity = "temperature",
                           .unit = "degC",
                           .every = 5 * MINUTE};
    sy_site site = {.gateway = "g",
                    .premises = &premises,
                    .n_premises = 1,
                    .places = &place,
                    .n_places = 1,
                    .points = &point,
                    .n_points = 1};
    sy_judge_options o = {
        .set = k.set, .site = &site, .start = 0, .in_force = SY_MS_NONE, .alloc = sy_heap()};
    assert_int_equal(sy_judge_open(&j, &o), SY_OK);
    assert_int_equal(sy_judge_instances(j), 2);
    feed(j, &csv);
    assert_int_equal(sy_judge_alerts(j, take, &r), SY_OK);
    compare(&r, &events);
    sy_judge_close(j);
    kit_free(&k);
    sy_buf_fini(&rules);
    sy_buf_fini(&csv);
    sy_buf_fini(&events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vaccine_fridge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
