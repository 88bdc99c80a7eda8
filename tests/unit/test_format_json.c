/* SPDX-License-Identifier: Apache-2.0 */
/* Plain JSON with and without a map, the bare number, and how a format is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format_harness.h"

static const sy_map_row rows[] = {
    {"temp", "$.a.b[1]"}, {"time", "$.ts"}, {"door", "$['odd key'].door"}, {"top", "$[0]"}};
static const sy_device device = {.id = "d", .map = rows, .n_map = 4};

static const char *mapped(const char *text)
{
    return f_decode("json", sy_span_of(text), &device);
}

static void follows_the_map(void **state)
{
    (void)state;
    f_same(mapped("{\"a\":{\"b\":[1,21.5,3]},\"odd key\":{\"door\":true}}"),
           "temp|temp|21.5||-; door|door|true||-");
    f_same(mapped("{\"a\":{\"b\":[1,\"21.5\"]},\"x\":[[[]]]}"), "temp|temp|\"21.5\"||-");
    f_same(mapped("{\"a\":{\"b\":[1,null]}}"), "temp|temp|null||-");
    f_same(mapped("[7]"), "top|top|7||-");
    f_refused(mapped("{\"a\":{\"b\":[1]}}"), "none of the paths");
    f_refused(mapped("{\"a\":1,\"odd key\":2}"), "none of the paths");
    f_refused(mapped("{\"a\":{\"b\":[1,{}]}}"), "the value at $.a.b[1] is not a single value");
    f_refused(mapped("{\"a\":{\"b\":[1,5]},\"odd key\":{\"door\":[]}}"), "$['odd key'].door");
    f_refused(mapped("{\"a\":{\"b\":[1,1e400]}}"), "JSON, line 1");
    f_refused(mapped("{\"a\":1,\"a\":2}"), "duplicate");
    f_refused(mapped("5"), "JSON, line 1");
}

static void reads_times(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"1700000000", "1700000000000"},
        {"1700000000.25", "1700000000250"},
        {"1700000000123", "1700000000123"},
        {"\"1700000000\"", "1700000000000"},
        {"\"2023-11-14T22:13:20Z\"", "1700000000000"},
        {"\"2023-11-15T06:13:20.5+08:00\"", "1700000000500"},
        {"0", "0"},
        {"null", "-"},
    };
    char text[200], want[100];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(text, sizeof text, "{\"ts\":%s,\"a\":{\"b\":[0,1]}}", good[i][0]);
        snprintf(want, sizeof want, "temp|temp|1||%s", good[i][1]);
        f_same(mapped(text), want);
    }
    static const char *const bad[][2] = {
        {"true", "neither a number nor a text"},
        {"{}", "neither a number nor a text"},
        {"\"yesterday\"", "not RFC 3339"},
        {"\"2023-11-14T22:13:20\"", "not RFC 3339"},
        {"\"2023-13-14T22:13:20Z\"", "not RFC 3339"},
        {"-1", "outside 1970 to 9999"},
        {"1700000000000000", "outside 1970 to 9999"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "{\"ts\":%s,\"a\":{\"b\":[0,1]}}", bad[i][0]);
        f_refused(mapped(text), bad[i][1]);
    }
}

static void lists_members_without_a_map(void **state)
{
    (void)state;
    f_same(f_text("json", "{\"t\":21.5,\"on\":false,\"s\":\"x\",\"deep\":{\"u\":1},\"l\":[2]}"),
           "t|t|21.5||-; on|on|false||-; s|s|\"x\"||-");
    f_refused(f_text("json", "[1]"), "not a JSON object");
    f_refused(f_text("json", "{\"a\":{}}"), "no single value");
    f_refused(f_text("json", "{}"), "no single value");
    f_refused(f_text("json", ""), "empty");
}

static void checks_paths(void **state)
{
    (void)state;
    static const char *const good[] = {"$",        "$.a",      "$.a.b[0]",
                                       "$[0][12]", "$['a b']", "$[\"x\"].y"};
    static const char *const bad[] = {"",      "a",      "$a",   "$.",    "$..a", "$.a[",
                                      "$.a[]", "$.a[x]", "$['a", "$['a'", "$[1",  "$.a[1234567]"};
    sy_fail f;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (sy_json_path_check(good[i], &f) != SY_OK)
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (sy_json_path_check(bad[i], &f) != SY_E_PARSE)
            fail_msg("%s", bad[i]);
}

static void reads_a_bare_number(void **state)
{
    (void)state;
    f_same(f_text("number", "21.5"), "||21.5||-");
    f_same(f_text("number", " -3e2\r\n"), "||-300||-");
    f_refused(f_text("number", ""), "empty");
    f_refused(f_text("number", " \n"), "empty");
    f_refused(f_text("number", "1e400"), "too large");
    static const char *const bad[] = {"nan", "inf", "-Infinity", "0x10",
                                      "1 2", "1,5", "21.5C",     "+"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        f_refused(f_text("number", bad[i]), "not a decimal number");
    f_refused(f_decode("number", (sy_span){"1\0", 2}, NULL), "not a decimal number");
}

static const char *found(const char *bytes)
{
    const sy_format *f = sy_format_probe(sy_span_of(bytes));
    return f ? f->name : "none";
}

static void finds_the_format(void **state)
{
    (void)state;
    assert_string_equal(found("[{\"n\":\"a\",\"v\":1}]"), "senml-json");
    assert_string_equal(found(" \n[{\"bn\":\"a\",\"v\":1}]"), "senml-json");
    assert_string_equal(found("{\"n\":1}"), "json");
    assert_string_equal(found("21.5\n"), "number");
    assert_string_equal(found("\x81\xa2\x02\x01"), "senml-cbor");
    assert_string_equal(found("\x9f\xbf\x02\x01"), "senml-cbor");
    assert_string_equal(found("##0285QN=2019"), "none");
    assert_string_equal(found(""), "none");
    assert_string_equal(sy_format_by_content(110)->name, "senml-json");
    assert_string_equal(sy_format_by_content(112)->name, "senml-cbor");
    assert_string_equal(sy_format_by_content(50)->name, "json");
    assert_string_equal(sy_format_by_content(0)->name, "number");
    assert_null(sy_format_by_content(0xffff));
    assert_null(sy_format_by_content(60));
    assert_null(sy_format_find(sy_span_of("xml")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_map),
        cmocka_unit_test(reads_times),
        cmocka_unit_test(lists_members_without_a_map),
        cmocka_unit_test(checks_paths),
        cmocka_unit_test(reads_a_bare_number),
        cmocka_unit_test(finds_the_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
