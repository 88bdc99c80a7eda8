/* SPDX-License-Identifier: Apache-2.0 */
/* Readings as CSV and the alert object: what is written reads back, what is wrong is named. */
#include "cli/alert_json.h"
#include "cli/csv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/sy-csv-XXXXXX";

static void write_text(sy_span text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
    assert_int_equal(fclose(f), 0);
}

/* Reads everything; the first failure's code, its text in f, the number of rows in n. */
static sy_err read_all(const char *text, sy_csv_row *last, size_t *n, sy_fail *f)
{
    sy_csv *c;
    bool end = false;
    *n = 0;
    write_text(sy_span_of(text));
    sy_err e = sy_csv_open(&c, path, f);
    if (e) {
        return e;
    }
    for (;;) {
        e = sy_csv_next(c, last, &end, f);
        if (e || end) {
            break;
        }
        ++*n;
    }
    sy_csv_close(c);
    return e;
}

static void what_is_written_reads_back(void **state)
{
    sy_buf b;
    sy_csv *c;
    sy_csv_row r;
    sy_fail f;
    bool end;
    (void)state;
    sy_buf_init(&b, sy_heap());
    sy_csv_put_header(&b);
    sy_csv_put(&b, 1772323200123, sy_span_of("a,\"b\"\nc"), sy_span_of("t"), 0.1, NULL,
               SY_Q_UNCERTAIN | SY_Q_CONFLICT);
    sy_csv_put(&b, 1772323200124, sy_span_of("d"), sy_span_of("door"), 1, "closed", SY_Q_GOOD);
    write_text(sy_buf_span(&b));
    assert_int_equal(sy_csv_open(&c, path, &f), SY_OK);
    assert_int_equal(sy_csv_next(c, &r, &end, &f), SY_OK);
    assert_int_equal(r.t, 1772323200123);
    assert_true(sy_span_is(r.device, "a,\"b\"\nc"));
    assert_true(sy_span_is(r.value, "0.1"));
    assert_int_equal(r.quality, SY_Q_UNCERTAIN | SY_Q_CONFLICT);
    assert_int_equal(sy_csv_next(c, &r, &end, &f), SY_OK);
    assert_true(sy_span_is(r.value, "closed"));
    assert_int_equal(r.quality, SY_Q_GOOD);
    assert_int_equal(sy_csv_next(c, &r, &end, &f), SY_OK);
    assert_true(end);
    sy_csv_close(c);
    sy_buf_fini(&b);
}

static void columns_in_any_order(void **state)
{
    sy_csv_row r;
    sy_fail f;
    size_t n;
    (void)state;
    assert_int_equal(read_all("\xef\xbb\xbfvalue,extra,point,device,time\r\n5,x,t,d,1000\r\n\r\n"
                              "6,x,t,d,1970-01-01T08:00:02+08:00",
                              &r, &n, &f),
                     SY_OK);
    assert_int_equal(n, 2);
    assert_int_equal(r.t, 2000);
    assert_int_equal(r.quality, SY_Q_GOOD);
}

/* Records, and quotes in them, lie across the borders of what is read at once. */
static void a_long_file_is_read_whole(void **state)
{
    enum { ROWS = 9000 };
    sy_buf b;
    sy_csv *c;
    sy_csv_row r;
    sy_fail f;
    bool end = false;
    (void)state;
    sy_buf_init(&b, sy_heap());
    sy_csv_put_header(&b);
    for (int k = 0; k < ROWS; k++) {
        sy_buf_printf(&b, "%d,\"d\"\"%d\n\",t,%d.5\n", k, k, k);
    }
    write_text(sy_buf_span(&b));
    assert_int_equal(sy_csv_open(&c, path, &f), SY_OK);
    for (int k = 0; k < ROWS; k++) {
        char device[24], value[24];
        (void)snprintf(device, sizeof device, "d\"%d\n", k);
        (void)snprintf(value, sizeof value, "%d.5", k);
        assert_int_equal(sy_csv_next(c, &r, &end, &f), SY_OK);
        assert_false(end);
        assert_int_equal(r.t, k);
        assert_true(sy_span_is(r.device, device));
        assert_true(sy_span_is(r.value, value));
    }
    assert_int_equal(sy_csv_next(c, &r, &end, &f), SY_OK);
    assert_true(end);
    sy_csv_close(c);
    sy_buf_fini(&b);
}

static void what_is_wrong_is_named(void **state)
{
    static const char *const bad[][2] = {
        {"", ":1:"},
        {"time,device,value\n", "'point'"},
        {"time,device,point,value\nyesterday,d,t,5\n", ":2:"},
        {"time,device,point,value\n1000,d,t,5\n1000,d,,5\n", ":3:"},
        {"time,device,point,value,quality\n1000,d,t,5,fine\n", "'fine'"},
        {"time,device,point,value\n1000,\"d,t,5\n", "quote"},
        {"time,device,point,value\n1000,\"d\"x,t,5\n", ":2:"},
    };
    (void)state;
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        sy_csv_row r;
        sy_fail f;
        size_t n;
        assert_int_equal(read_all(bad[k][0], &r, &n, &f), SY_E_PARSE);
        assert_non_null(strstr(f.text, bad[k][1]));
    }
}

static void the_alert_object(void **state)
{
    sy_buf b;
    sy_alert_view a = {.id = "ab",
                       .rule = "R-1",
                       .version = 4,
                       .subject = "p/c/d/t",
                       .severity = SY_SERIOUS,
                       .onset = 0,
                       .raised = 600000,
                       .cleared = SY_MS_NONE,
                       .state = SY_ALERT_ACTIVE,
                       .min = 2,
                       .max = 9.5,
                       .count = 3,
                       .message = "Move \"it\""};
    (void)state;
    sy_buf_init(&b, sy_heap());
    sy_alert_json_put(&b, &a);
    assert_string_equal(b.p, "{\"id\": \"ab\", \"rule\": \"R-1\", \"pack\": null, \"version\": 4, "
                             "\"subject\": \"p/c/d/t\", \"severity\": \"serious\", "
                             "\"onset\": \"1970-01-01T00:00:00.000Z\", "
                             "\"raised\": \"1970-01-01T00:10:00.000Z\", \"cleared\": null, "
                             "\"state\": \"active\", \"min\": 2, \"max\": 9.5, \"count\": 3, "
                             "\"message\": \"Move \\\"it\\\"\"}");
    a.driver_is_state = true;
    sy_buf_reset(&b);
    sy_alert_json_put(&b, &a);
    assert_non_null(strstr(b.p, "\"min\": null, \"max\": null, \"count\": 3"));
    sy_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back), cmocka_unit_test(columns_in_any_order),
        cmocka_unit_test(a_long_file_is_read_whole),  cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(the_alert_object),
    };
    int fd = mkstemp(path);
    if (fd < 0) {
        return 1;
    }
    (void)close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
