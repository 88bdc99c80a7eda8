/* SPDX-License-Identifier: Apache-2.0 */
/* SenML (RFC 8428) in JSON and CBOR: the RFC's examples, each rule, what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include <cmocka.h>

#include "format_harness.h"

static const char J[] = "senml-json", C[] = "senml-cbor";

typedef struct expected {
    json_t *list;
    size_t i;
} expected;

static sy_err compare(void *ctx, const sy_record *r)
{
    expected *x = ctx;
    json_t *want = json_array_get(x->list, x->i++);
    assert_non_null(want);
    assert_true(sy_span_is(r->name, json_string_value(json_object_get(want, "name"))));
    assert_true(sy_span_is(r->unit, json_string_value(json_object_get(want, "unit"))));
    assert_true(r->number == json_number_value(json_object_get(want, "value")));
    if (r->has_time) /* the first example has none; its list has the time of its making */
        assert_true(r->time_s == json_number_value(json_object_get(want, "time")));
    else
        assert_string_equal(json_string_value(json_object_get(want, "name")),
                            "urn:dev:ow:10e2073a01080063");
    return SY_OK;
}

static bool one_example(const char *folder, const char *line)
{
    sy_buf bytes;
    sy_fail f;
    json_t *row = json_loads(line, 0, NULL);
    const char *file = json_string_value(json_object_get(row, "file"));
    expected x = {json_object_get(row, "readings"), 0};
    bool ours = file && strncmp(file, "senml/", 6) == 0 && json_is_array(x.list);
    if (ours) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, file);
        sy_buf_init(&bytes, sy_heap());
        assert_int_equal(sy_file_read(path, 65536, &bytes, &f), SY_OK);
        const sy_format *format = sy_format_probe(sy_buf_span(&bytes));
        assert_string_equal(format->name, strstr(file, ".cbor") ? C : J);
        if (format->decode(sy_buf_span(&bytes), NULL, compare, &x, &f) != SY_OK)
            fail_msg("%s: %s", file, f.text);
        assert_int_equal(x.i, json_array_size(x.list));
        sy_buf_fini(&bytes);
    }
    json_decref(row);
    return ours;
}

static void reads_the_examples_of_the_rfc(void **state)
{
    (void)state;
    char folder[600], path[700];
    const char *shared = f_shared();
    if (!shared) {
        print_message("skipped: no shared data folder; set SY_SHARED\n");
        skip();
    }
    snprintf(folder, sizeof folder, "%s/data/payloads", shared);
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    FILE *manifest = fopen(path, "r");
    assert_non_null(manifest);
    char *line = NULL;
    size_t cap = 0, read = 0;
    while (getline(&line, &cap, manifest) > 0)
        read += one_example(folder, line);
    free(line);
    fclose(manifest);
    assert_true(read >= 8);
}

static void resolves_bases(void **state)
{
    (void)state;
    f_same(f_text(J, "[{\"n\":\"t\",\"v\":1}]"), "t|t|1||-");
    f_same(
        f_text(J,
               "[{\"bn\":\"d:\",\"bu\":\"Cel\",\"bv\":10,\"bt\":1e9,\"n\":\"a\",\"v\":1.5},"
               "{\"n\":\"b\",\"u\":\"V\",\"v\":-1,\"t\":2.5},{\"bn\":\"e\",\"bu\":\"A\",\"v\":0}]"),
        "d:a|a|11.5|Cel|1000000000000; d:b|b|9|V|1000000002500; e||10|A|1000000000000");
    /* Base fields alone are a header. */
    f_same(
        f_text(
            J,
            "[{\"bn\":\"d:\",\"bver\":10},{\"n\":\"a\",\"vb\":true},{\"n\":\"b\",\"vb\":false}]"),
        "d:a|a|true||-; d:b|b|false||-");
    f_same(f_text(J, "[{\"n\":\"a\",\"vs\":\"\\u6e29\"},{\"n\":\"b\",\"vd\":\"aGk\"}]"),
           "a|a|\"\xe6\xb8\xa9\"||-; b|b|\"aGk\"||-");
    /* A base value is no text's. */
    f_same(f_text(J, "[{\"bv\":3,\"n\":\"a\",\"vs\":\"x\"}]"), "a|a|\"x\"||-");
    f_same(f_text(J, "[{\"bn\":\"/3303/0/\",\"n\":\"5700\",\"v\":1}]"), "/3303/0/5700|5700|1||-");
    f_same(
        f_text(J, " \r\n[{\"n\":\"a\",\"v\":12345678901234567890,\"ut\":5,\"x\":{\"y\":[1]}}]\n"),
        "a|a|1.2345678901234567e+19||-");
}

static void tells_times_apart(void **state)
{
    (void)state;
    f_same(f_text(J, "[{\"n\":\"a\",\"v\":1,\"t\":0}]"), "a|a|1||-");
    f_same(f_text(J, "[{\"n\":\"a\",\"v\":1,\"t\":-5.5}]"), "a|a|1||+-5500");
    f_same(f_text(J, "[{\"bt\":-10,\"n\":\"a\",\"v\":1,\"t\":3}]"), "a|a|1||+-7000");
    f_same(f_text(J, "[{\"n\":\"a\",\"v\":1,\"t\":268435455.999}]"), "a|a|1||+268435455999");
    f_same(f_text(J, "[{\"n\":\"a\",\"v\":1,\"t\":268435456}]"), "a|a|1||268435456000");
    f_same(f_text(J, "[{\"n\":\"a\",\"v\":1,\"t\":1276020076.0015}]"), "a|a|1||1276020076002");
    f_refused(f_text(J, "[{\"n\":\"a\",\"v\":1,\"t\":1700000000000}]"), "the time is outside");
    f_refused(f_text(J, "[{\"n\":\"a\",\"v\":1,\"t\":-1e300}]"), "the time is outside");
}

static void gives_a_sum_where_no_value_is(void **state)
{
    (void)state;
    f_same(f_text(J, "[{\"n\":\"a\",\"u\":\"W\",\"v\":2,\"s\":60}]"), "a|a|2|W|-");
    f_same(f_text(J, "[{\"bs\":100,\"n\":\"a\",\"u\":\"W\",\"s\":60}]"), "a|a|160|W.s|-");
    f_same(f_text(J, "[{\"bv\":5,\"n\":\"a\",\"s\":60}]"), "a|a|60||-");
}

static void refuses_json(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "empty"},
        {"[", "JSON, line 1"},
        {"{}", "array of records"},
        {"[]", "no record"},
        {"[1]", "record 1 is not an object"},
        {"[{}]", "has no name"},
        {"[{\"bn\":\"a\"}]", "no record with a value"},
        {"[{\"v\":1}]", "has no name"},
        {"[{\"n\":\"a\"}]", "has no value"},
        {"[{\"n\":\"a\",\"v\":1},{\"n\":\"a\",\"v\":1,\"vb\":true}]", "record 2 has more than one"},
        {"[{\"n\":\"a\",\"v\":\"1\"}]", "'v' must be a number"},
        {"[{\"n\":\"a\",\"v\":null}]", "'v' must be a number"},
        {"[{\"n\":\"a\",\"vb\":1}]", "'vb' must be true or false"},
        {"[{\"n\":5,\"v\":1}]", "'n' must be a text"},
        {"[{\"n\":\"a\",\"vs\":5}]", "'vs' must be a text"},
        {"[{\"n\":\"a\",\"v\":1,\"v\":2}]", "duplicate"},
        {"[{\"n\":\"-a\",\"v\":1}]", "must start with a letter"},
        {"[{\"n\":\"a b\",\"v\":1}]", "must start with a letter"},
        {"[{\"n\":\"\xe6\xb8\xa9\",\"v\":1}]", "must start with a letter"},
        {"[{\"n\":\"a\",\"v\":1,\"vital_\":2}]", "'vital_' must be understood"},
        {"[{\"bver\":11,\"n\":\"a\",\"v\":1}]", "SenML version 11"},
        {"[{\"bver\":0,\"n\":\"a\",\"v\":1}]", "positive integer"},
        {"[{\"bver\":9.5,\"n\":\"a\",\"v\":1}]", "positive integer"},
        {"[{\"n\":\"a\",\"v\":1},{\"bver\":5,\"n\":\"a\",\"v\":1}]", "same version"},
        {"[{\"n\":\"a\",\"v\":1e400}]", "JSON, line 1"},
        {"[{\"n\":\"a\",\"v\":NaN}]", "JSON, line 1"},
        {"[{\"bv\":1e308,\"n\":\"a\",\"v\":1e308}]", "too large"},
        {"[{\"n\":\"a\",\"vd\":\"a+b=\"}]", "not base64url"},
        {"[{\"n\":\"a\",\"vd\":\"aaaaa\"}]", "not base64url"},
        {"[{\"n\":\"a\",\"vs\":\"\\u0000\"}]", "JSON, line 1"},
        {"[{\"n\":\"a\",\"vs\":\"\xff\"}]", "JSON, line 1"},
        {"[{\"n\":\"a\",\"v\":1}] x", "JSON, line 1"},
        {"\xef\xbb\xbf[{\"n\":\"a\",\"v\":1}]", "JSON, line 1"},
        {"<sensml/>", "JSON, line 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        f_refused(f_text(J, cases[i][0]), cases[i][1]);
}

static void bounds_what_a_message_may_be(void **state)
{
    (void)state;
    size_t cap = 600000, n = 0;
    char *text = malloc(cap);
    for (int over = 0; over < 2; over++) {
        n = (size_t)sprintf(text, "[{\"n\":\"a\",\"v\":1}");
        for (int i = 1; i < 10000 + over; i++)
            n += (size_t)sprintf(text + n, ",{\"n\":\"a\",\"v\":1}");
        strcpy(text + n, "]");
        if (over)
            f_refused(f_text(J, text), "more than 10000 records");
        else
            assert_int_equal(f_text(J, text)[0], 'a');
    }
    /* A long base name, repeated by each record, may not become a large memory. */
    n = (size_t)sprintf(text, "[{\"bn\":\"");
    memset(text + n, 'b', 513);
    n += 513;
    strcpy(text + n, "\"},{\"n\":\"a\",\"v\":1}]");
    f_refused(f_text(J, text), "longer than 512");
    for (int depth = 30; depth <= 31; depth++) { /* within an array and an object */
        n = (size_t)sprintf(text, "[{\"n\":\"a[[{\\\"{\",\"x\":");
        memset(text + n, '[', (size_t)depth);
        memset(text + n + depth, ']', (size_t)depth);
        strcpy(text + n + 2 * (size_t)depth, ",\"v\":1}]");
        f_refused(f_text(J, text), depth == 30 ? "must start with" : "nested more than 32");
    }
    free(text);
}

static void reads_cbor(void **state)
{
    (void)state;
    f_same(f_hex(C, "81 a2 00 61 61 02 01"), "a|a|1||-");
    f_same(f_hex(C, "d9 d9f7 81 a2 00 61 61 02 01"), "a|a|1||-");
    /* integers, half, single, double, decimal fraction */
    f_same(f_hex(C, "85 a2006161 02 3863  a2006162 02 f93e00  a2006163 02 fa41ac0000 "
                    "a2006164 02 fb4035800000000000  a2006165 02 c4 82 21 196ab3"),
           "a|a|-100||-; b|b|1.5||-; c|c|21.5||-; d|d|21.5||-; e|e|273.15||-");
    f_same(f_hex(C, "82 a2006161 02 1bffffffffffffffff  a2006162 02 3bffffffffffffffff"),
           "a|a|1.8446744073709552e+19||-; b|b|-1.8446744073709552e+19||-");
    /* indefinite array and map, text, boolean, data, base fields, an unknown text label */
    f_same(f_hex(C, "9f bf 21 63643a41 22 1a3b9aca00 23 6143 ff bf 00 6162 03 626f6b 06 01 ff"
                    "a2 00 6163 04 f5 a4 00 6164 08 426869 6178 9f 01 a1 01 02 ff 19 0400 f6 ff"),
           "d:Ab|b|\"ok\"|C|1000000001000; d:Ac|c|true|C|1000000000000; "
           "d:Ad|d|\"aGk\"|C|1000000000000");
    /* labels as text are the same labels */
    f_same(f_hex(C, "81 a2 616e 6161 6176 02"), "a|a|2||-");
    f_same(f_hex(C, "81 a2 00 612f 02 01"), "/|/|1||-");
}

static void refuses_cbor(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "empty"},
        {"80", "no record"},
        {"a0", "array of records"},
        {"81", "ends in the middle"},
        {"81 a2 00 61", "ends in the middle"},
        {"81 a2 00 6161 02", "ends in the middle"},
        {"9f a2 00 6161 02 01", "ends in the middle"},
        {"81 bf 00 6161 02 01", "ends in the middle"},
        {"81 01", "record 1 is not a map"},
        {"81 a2 00 6161 02 01 00", "1 bytes follow"},
        {"9b ffffffffffffffff", "more than 10000 records"},
        {"81 bb ffffffffffffffff 00 6161", "ends in the middle"},
        {"81 a1 00 7b ffffffffffffffff 61", "ends in the middle"},
        {"81 a2 00 7b 7fffffffffffffff 61", "ends in the middle"},
        {"81 a2 00 6161 02 f97e00", "no finite number"},
        {"81 a2 00 6161 02 fa7f800000", "no finite number"},
        {"81 a2 00 6161 02 6131", "'v' must be a number"},
        {"81 a2 00 6161 02 f6", "'v' must be a number"},
        {"81 a2 00 6161 02 80", "'v' must be a number"},
        {"81 a2 00 6161 04 01", "'vb' must be true or false"},
        {"81 a2 00 4161 02 01", "'n' must be a text"},
        {"81 a2 00 6161 08 6161", "'vd' must be a text"},
        {"81 a3 00 6161 02 01 02 01", "'v' is there twice"},
        {"81 a3 00 6161 02 01 6176 01", "'v' is there twice"},
        {"81 a2 00 61ff 02 01", "not UTF-8"},
        {"81 a2 00 7f 6161 ff 02 01", "indefinite length"},
        {"81 a2 f5 6161 02 01", "neither integer nor text"},
        {"81 a3 00 6161 02 01 625f5f 00", "'__' must be understood"},
        {"81 a2 00 6161 02 c482 01 f5", "two 64-bit integers"},
        {"81 a2 00 6161 02 c482 190400 01", "exponent"},
        {"81 a2 00 6161 02 c482 190190 01", "too large"},
        {"81 a2 00 6161 02 c25101", "'v' must be a number"},
        {"81 a3 00 6161 02 01 20 0b", "SenML version 11"},
        {"81 a2 00 6161 02 ff", "'v' must be a number"},
        {"81 a3 00 6161 02 01 09 ff", "break out of place"},
        {"81 a3 00 6161 02 01 09 bf 01 ff", "break out of place"},
        {"81 a3 00 6161 02 1c", "malformed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        f_refused(f_hex(C, cases[i][0]), cases[i][1]);
    char deep[400] = "81 a3 00 6161 02 01 09 ";
    for (int i = 0; i < 40; i++)
        strcat(deep, "81");
    strcat(deep, "00");
    f_refused(f_hex(C, deep), "nested more than 32");
}

static sy_err full(void *ctx, const sy_record *r)
{
    (void)r;
    return ++*(int *)ctx == 2 ? SY_E_FULL : SY_OK;
}

static void passes_on_the_error_of_the_sink(void **state)
{
    (void)state;
    static const char text[] =
        "[{\"n\":\"a\",\"v\":1},{\"n\":\"a\",\"v\":1},{\"n\":\"a\",\"v\":1}]";
    int calls = 0;
    sy_fail f;
    assert_int_equal(
        sy_format_find(sy_span_of(J))->decode(sy_span_of(text), NULL, full, &calls, &f), SY_E_FULL);
    assert_int_equal(calls, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_examples_of_the_rfc),
        cmocka_unit_test(resolves_bases),
        cmocka_unit_test(tells_times_apart),
        cmocka_unit_test(gives_a_sum_where_no_value_is),
        cmocka_unit_test(refuses_json),
        cmocka_unit_test(bounds_what_a_message_may_be),
        cmocka_unit_test(reads_cbor),
        cmocka_unit_test(refuses_cbor),
        cmocka_unit_test(passes_on_the_error_of_the_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
