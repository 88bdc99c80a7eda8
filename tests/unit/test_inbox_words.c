/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the inbox that need no listener: languages, durations, cutting of events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "inbox/cloud.h"
#include "inbox/view.h"

static void languages(void **state)
{
    static const struct {
        const char *field;
        bool zh;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"zh", true},
        {"zh-CN,zh;q=0.9,en;q=0.8", true},
        {"en", false},
        {"en-GB,en;q=0.9,zh;q=0.8", false},
        {"en,zh", false},
        {"zh,en", true},
        {"fr,zh;q=0.3", true},
        {"fr", false},
        {"zh;q=0", false},
        {"en;q=0.2, zh-Hant;q=0.25", true},
        {"*", false},
        {";;;,,,q=,zh;q=x", false},
        {"en;q=1.0,zh;q=1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (sy_prefers_chinese(rows[i].field) != rows[i].zh) {
            fail_msg("row %zu: %s", i, rows[i].field ? rows[i].field : "none");
        }
    }
}

static void durations(void **state)
{
    static const struct {
        sy_ms ms;
        const char *en, *zh;
    } rows[] = {
        {0, "0 s", "0秒"},          {-5, "0 s", "0秒"},
        {59999, "59 s", "59秒"},    {60000, "1 min", "1分钟"},
        {125000, "2 min", "2分钟"}, {7800000, "2 h 10 min", "2小时10分钟"},
        {86400000, "1 d", "1天"},   {90000000, "1 d 1 h", "1天1小时"},
        {86460000, "1 d", "1天"},
    };
    sy_buf b;
    (void)state;
    sy_buf_init(&b, sy_heap());
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        sy_view v = {.out = &b, .zh = i % 2 == 1};
        sy_buf_reset(&b);
        sy_view_duration(&v, rows[i / 2].ms);
        assert_string_equal(b.p, i % 2 ? rows[i / 2].zh : rows[i / 2].en);
    }
    sy_buf_fini(&b);
}

static void events_are_cut_out_whole(void **state)
{
    static const char one[] = "{ \"specversion\":\"1.0\",\"id\":\"]},[\\\"\\\\\",\"source\":\"s\","
                              "\"type\":\"t\",\"data\":{\"a\":[1.10,{\"b\":\"}\"}]} }";
    char text[1024];
    sy_cloud_batch b;
    sy_fail f;
    (void)state;
    int n = snprintf(text, sizeof text, " \n[ %s\t,%s ,\r\n%s]\n", one, one, one);
    assert_int_equal(sy_cloud_parse((sy_span){text, (size_t)n}, &b, &f), SY_OK);
    assert_int_equal(b.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(sy_span_is(b.v[i].raw, one));
        assert_string_equal(b.v[i].id, "]},[\"\\");
    }
    sy_cloud_free(&b);
    n = snprintf(text, sizeof text, "\t%s\n", one);
    assert_int_equal(sy_cloud_parse((sy_span){text, (size_t)n}, &b, &f), SY_OK);
    assert_true(sy_span_is(b.v[0].raw, one));
    sy_cloud_free(&b);
    assert_int_equal(sy_cloud_parse((sy_span){NULL, 0}, &b, &f), SY_E_PARSE);
    assert_int_equal(sy_cloud_parse(sy_span_of("[]"), &b, &f), SY_OK);
    assert_int_equal(b.n, 0);
    sy_cloud_free(&b);
}

static void which_alert(void **state)
{
    static const struct {
        const char *rest, *alert;
    } rows[] = {
        {"\"type\":\"steelyard.alert.raised\",\"data\":{\"alert\":{\"id\":\"A\"}}", "A"},
        {"\"type\":\"steelyard.alert.raised\",\"data\":{\"id\":\"A\"}", "A"},
        {"\"type\":\"steelyard.alert.raised\",\"data\":{\"alert\":{\"id\":7}}", NULL},
        {"\"type\":\"steelyard.alert.raised\",\"data\":{\"alert\":{\"id\":\"\"}}", NULL},
        {"\"type\":\"steelyard.alert.raised\",\"data\":[]", NULL},
        {"\"type\":\"steelyard.alert.raised\"", NULL},
        {"\"type\":\"steelyard.group.raised\",\"data\":{\"alert\":{\"id\":\"G\"}}", "G"},
        {"\"type\":\"steelyard.heartbeat\",\"data\":{\"id\":\"A\"}", NULL},
    };
    char text[512];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sy_cloud_batch b;
        sy_fail f;
        snprintf(text, sizeof text, "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",%s}",
                 rows[i].rest);
        assert_int_equal(sy_cloud_parse(sy_span_of(text), &b, &f), SY_OK);
        if (rows[i].alert) {
            assert_string_equal(b.v[0].alert, rows[i].alert);
        } else {
            assert_null(b.v[0].alert);
        }
        sy_cloud_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(languages),
        cmocka_unit_test(durations),
        cmocka_unit_test(events_are_cut_out_whole),
        cmocka_unit_test(which_alert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
