/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements of days: which days get one, what a day is made of where the rules change in it, and
 * that a process that is stopped at any record says the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "pipeline_rig.h"

#define HOUR ((sy_ms)3600000)
#define DAY  (24 * HOUR)
/* 2026-01-05T00:00:00Z is 08:00 there. */
#define MIDNIGHT (RIG_DAY - 8 * HOUR)

static const char second[] = "rule P-1 version 2 \"Too warm\" / “过热”\n"
                             "  basis \"made for a test\" policy\n"
                             "  applies to subject any; goods any; stage any\n"
                             "  effective from 2020-01-01\n"
                             "  watch each room: temperature\n"
                             "  missing after 3 min\n"
                             "  alert warning when temperature above 9 °C [law] for 5 min\n"
                             "  clear when temperature at most 9 °C for 2 min\n"
                             "  then tell inspector\n"
                             "  say \"Do something.\"\n"
                             "end\n";

/* The statements in the outbox of county, parsed, an array. */
static json_t *statements(pipeline_rig *r)
{
    sy_arena arena;
    sy_outbox_item *items;
    size_t n;
    json_t *all = json_array();
    sy_arena_init(&arena, sy_heap(), 0);
    assert_int_equal(sy_store_outbox(r->store, "county", 1000, &arena, &items, &n, &r->fail),
                     SY_OK);
    for (size_t i = 0; i < n; i++)
        if (strncmp(items[i].id, "statement/", 10) == 0)
            json_array_append_new(all, json_loadb(items[i].body.p, items[i].body.n, 0, NULL));
    sy_arena_fini(&arena);
    return all;
}

static const json_t *data_of(const json_t *all, size_t i)
{
    return json_object_get(json_array_get(all, i), "data");
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static long long ms(const json_t *row, const char *key)
{
    return (long long)json_integer_value(json_object_get(row, key));
}

static long long sum(const json_t *row)
{
    return ms(row, "in_order_ms") + ms(row, "breach_ms") + ms(row, "unknown_ms") +
           ms(row, "exempt_ms") + ms(row, "outside_ms");
}

/* A reading a minute, of 5 °C, and 12 °C in the second half hour of each hour. */
static void hours(pipeline_rig *r, int from, int to)
{
    for (int m = from * 60; m < to * 60; m++) {
        rig_celsius(r, RIG_DAY + m * RIG_MIN, m % 60 < 30 ? 5 : 12);
        if (m % 10 == 9)
            rig_mark(r, RIG_DAY + m * RIG_MIN);
    }
}

static void days_that_were_missed(void **state)
{
    pipeline_rig *r = *state;
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    hours(r, 0, 1);
    rig_mark(r, RIG_DAY + 40 * DAY);
    rig_run(r);
    json_t *all = statements(r);
    assert_int_equal(json_array_size(all), 31);
    assert_string_equal(text_of(data_of(all, 0), "day"), "2026-01-14");
    assert_string_equal(text_of(data_of(all, 30), "day"), "2026-02-13");
    for (size_t i = 0; i < 31; i++) {
        assert_string_equal(text_of(data_of(all, i), "verdict"), "not-known");
        assert_int_equal(ms(json_object_get(data_of(all, i), "total"), "unknown_ms"), DAY);
        assert_int_equal(ms(data_of(all, i), "sensors_expected"), 2);
        assert_int_equal(ms(data_of(all, i), "sensors_heard"), 0);
    }
    json_decref(all);
    rig_log_close(r);
}

static void rules_change_within_a_day(void **state)
{
    pipeline_rig *r = *state;
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    hours(r, 0, 3);
    rig_mark(r, RIG_DAY + 3 * HOUR);
    rig_rules(r, second);
    rig_append(r, SY_J_ACTIVATION, RIG_DAY + 3 * HOUR, r->config->hash_hex);
    hours(r, 3, 5);
    rig_mark(r, MIDNIGHT + DAY + HOUR);
    rig_run(r);
    json_t *all = statements(r);
    assert_int_equal(json_array_size(all), 1);
    const json_t *data = data_of(all, 0), *rows = json_object_get(data, "rules");
    assert_string_equal(text_of(data, "day"), "2026-01-05");
    assert_string_equal(text_of(data, "since"), "2026-01-05T00:00:00.000Z");
    assert_string_equal(text_of(data, "verdict"), "in-breach");
    assert_int_equal(json_array_size(rows), 2);
    const json_t *one = json_array_get(rows, 0), *two = json_array_get(rows, 1);
    assert_int_equal(ms(one, "version"), 1);
    assert_int_equal(ms(two, "version"), 2);
    assert_int_equal(sum(one), 3 * HOUR);
    assert_int_equal(sum(two), 13 * HOUR);
    /* 29 of each half hour: the minute in which it changes is not known. */
    assert_int_equal(ms(one, "breach_ms"), 3 * 29 * RIG_MIN);
    assert_int_equal(ms(two, "breach_ms"), 2 * 29 * RIG_MIN);
    assert_int_equal(ms(two, "in_order_ms"), 2 * 29 * RIG_MIN);
    assert_int_equal(ms(json_object_get(data, "alerts"), "raised"), 5);
    json_decref(all);
    rig_log_close(r);
}

static void dump(pipeline_rig *r, sy_buf *out)
{
    json_t *all = statements(r), *one;
    size_t i;
    json_array_foreach(all, i, one) /* what names the folder that the rig made */
    {
        json_object_del(json_object_get(one, "data"), "set");
        json_object_del(json_object_get(json_object_get(one, "data"), "previous"), "sha256");
    }
    char *text = json_dumps(all, JSON_INDENT(1));
    sy_buf_text(out, text);
    sy_buf_char(out, 0);
    free(text);
    json_decref(all);
}

static void play(pipeline_rig *r, bool stops, sy_buf *out)
{
    rig_log_open(r);
    rig_start(r);
    rig_mark(r, RIG_DAY);
    for (int h = 0; h < 50; h += 5) {
        hours(r, h, h + 5);
        if (h == 30) { /* what was measured before the second midnight comes now */
            for (int m = 0; m < 120; m += 7)
                rig_celsius(r, RIG_DAY + 14 * HOUR + m * RIG_MIN + 1000, 12);
            rig_mark(r, RIG_DAY + (h + 5) * HOUR - RIG_MIN / 2);
        }
        if (stops) {
            rig_run(r);
            rig_log_close(r);
            rig_log_open(r);
        }
    }
    rig_mark(r, RIG_DAY + 3 * DAY);
    rig_run(r);
    dump(r, out);
    rig_log_close(r);
}

static void stopped_at_any_record(void **state)
{
    sy_buf once, often;
    void *other = NULL;
    sy_buf_init(&once, sy_heap());
    sy_buf_init(&often, sy_heap());
    play(*state, false, &once);
    assert_int_equal(rig_set_up(&other), 0);
    play(other, true, &often);
    assert_string_equal(once.p, often.p);
    assert_non_null(strstr(once.p, "statement/shop/2026-01-05/2"));
    assert_non_null(strstr(once.p, "statement/shop/2026-01-07/1"));
    assert_int_equal(rig_tear_down(&other), 0);
    sy_buf_fini(&often);
    sy_buf_fini(&once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(days_that_were_missed, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(rules_change_within_a_day, rig_set_up, rig_tear_down),
        cmocka_unit_test_setup_teardown(stopped_at_any_record, rig_set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
