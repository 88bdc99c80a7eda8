/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of lines and of announcements: CSV, the exports of cold-chain loggers, Home Assistant
 * discovery; and the frames of Qingping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drivers/formats/ha_discovery.h"
#include "format_harness.h"

static void reads_csv(void **state)
{
    (void)state;
    f_same(f_text("csv", "\xef\xbb\xbf# logger 7\r\nTime,Temp (\xc2\xb0"
                         "C),Door,Note\r\n2024-05-01T12:00:00+08:00,4.5,true,\"a, \"\"b\"\"\"\r\n"),
           "Temp|Temp|4.5|\xc2\xb0"
           "C|1714536000000; Door|Door|true||1714536000000; "
           "Note|Note|\"a, \\\"b\\\"\"||1714536000000");
    f_same(f_text("csv", "ts;T [degC];H\n1714536000;-4,5;NaN\n1714536060; +4,6 ;\n"),
           "T|T|-4.5|degC|1714536000000; H|H|null||1714536000000; T|T|4.6|degC|1714536060000");
    f_same(
        f_text("csv", "timestamp\tdevice\tname\tvalue\tunit\n1714536000123\tp1\tpm25\t12\tug/m3"),
        "pm25|pm25|12|ug/m3|1714536000123");
    f_same(f_text("csv", "4.5|60||x"), "1|1|4.5||-; 2|2|60||-; 4|4|\"x\"||-");
    /* With a comma as the mark it is no decimal comma. */
    f_same(f_text("csv", "a,b\n4,5"), "a|a|4||-; b|b|5||-");
}

static void maps_csv(void **state)
{
    (void)state;
    static const sy_map_row by_name[] = {{"time", "$['Date Time']"}, {"cold", "$.T1"}};
    static const sy_map_row by_place[] = {{"cold", "$[1]"}, {"time", "$[0]"}, {"door", "$[9]"}};
    static const sy_device named = {.id = "d", .map = by_name, .n_map = 2};
    static const sy_device placed = {.id = "d", .map = by_place, .n_map = 3};
    static const char *const text = "Date Time,T2,T1 (K)\n1714536000,1,2\n1714536060,3,4\n";
    f_same(f_decode("csv", sy_span_of(text), &named),
           "cold|cold|2|K|1714536000000; cold|cold|4|K|1714536060000");
    f_same(f_decode("csv", sy_span_of("1714536000,7,8"), &placed), "cold|cold|7||1714536000000");
    f_refused(f_decode("csv", sy_span_of("a,b\n1,2"), &named), "no reading");
}

static void refuses_csv(void **state)
{
    (void)state;
    /* One line without an offset is of now; of several nobody knows when. */
    f_same(f_text("csv", "time,t\n2024-05-01 12:00:00,4"), "t|t|4||-");
    f_refused(f_text("csv", "time,t\n2024-05-01 12:00:00,4\n2024-05-01 12:05:00,5"),
              "line 2: a time without an offset");
    f_refused(f_text("csv", "time,t\n-1,4"), "outside 1970 to 9999");
    f_refused(f_text("csv", "a,b\n1,2,3"), "line 2 has more columns");
    f_refused(f_text("csv", "a,b\n\"1,2"), "has no end");
    f_refused(f_text("csv", "a,b\n\"1\"x,2"), "after a quoted field");
    f_refused(f_text("csv", "a,b\n"), "no line of values");
    f_refused(f_text("csv", "a\n\xff\n"), "not UTF-8");
    char wide[600];
    memset(wide, ',', sizeof wide);
    f_refused(f_decode("csv", (sy_span){wide, sizeof wide}, NULL), "more than 256 columns");
}

#define LOGGER "Device: Q-tag Fridge-tag 2 L\nConf:\n Serial: 42\n Zone: 8.00\n Temp unit: C\n"

static void reads_exports(void **state)
{
    (void)state;
    f_same(f_text("coldchain_export", LOGGER
                  "Hist:\n TS Report Creation: 2024-05-02 10:00\n 1:\n  Date: 2024-05-01\n"
                  "  Min T: +2.0, TS Min T: 04:00\n  Max T: +9.5, TS Max T: 12:30\n"
                  "  Avrg T: +5.1\n  Alarm:\n   0:\n    t Acc: 0\n   1:\n"
                  "    t Acc: 75, TS A: 13:00, C A: 0\n  Int Sensor timeout:\n   t AccST: 3\n"
                  "Data:\n\tyyyy-MM-dd hh:mm\tT\tOut of limits\n\t2024-05-01 12:30\t9.5\tx\n"
                  "\t2024-05-01 12:35\t8.0\t\nCert:\n Vers: 1.0\nSig: 00\n"),
           "serial|serial|\"42\"||-; day.min|day.min|2|Cel|1714507200000; "
           "day.max|day.max|9.5|Cel|1714537800000; day.average|day.average|5.1|Cel|1714579200000; "
           "day.alarm.0.minutes|day.alarm.0.minutes|0|min|1714579200000; "
           "day.alarm.1.minutes|day.alarm.1.minutes|75|min|1714579200000; "
           "day.alarm.1|day.alarm.1|true||1714539600000; "
           "day.timeout.internal|day.timeout.internal|3|min|1714579200000; "
           "temperature|temperature|9.5|Cel|1714537800000; "
           "out-of-limits|out-of-limits|true||1714537800000; "
           "temperature|temperature|8|Cel|1714538100000; "
           "out-of-limits|out-of-limits|false||1714538100000");
    f_same(
        f_text("coldchain_export",
               "Device: Q-tag CLm doc LR\nRes:\n TS Stop: 2022-11-09 01:28\n MKT: 10.5\n Alarm:\n"
               "  5:\n   TS S: 2022-11-08 12:16, t A: 145, TS A: 2022-11-08 12:46\n"),
        "run.mkt|run.mkt|10.5|Cel|1667957280000; run.alarm.5|run.alarm.5|true||1667911560000");
    f_refused(f_text("coldchain_export", "Device: Thermo 3000\n"), "no \"Device: Q-tag");
    f_refused(f_text("coldchain_export", LOGGER "Data:\n\t2024-13-01 12:30\t9.5\t\n"),
              "line 7: not a row");
    f_refused(f_text("coldchain_export", LOGGER "Data:\n\t2024-12-01 12:30\t9.x\t\n"), "not a row");
}

static sy_err worst(void *ctx, const sy_record *r)
{
    sy_quality *q = ctx;
    if (r->kind == SY_REC_NULL)
        *q = r->quality;
    return SY_OK;
}

static void sees_a_missing_sensor(void **state)
{
    (void)state;
    sy_quality q = 0;
    sy_fail f;
    const sy_format *format = sy_format_find(sy_span_of("coldchain_export"));
    assert_int_equal(format->decode(sy_span_of(LOGGER "Data:\n\t2024-12-01 12:30\t--.-\tx\n"), NULL,
                                    worst, &q, &f),
                     SY_OK);
    assert_int_equal(q, SY_Q_BAD | SY_Q_DEVICE_FAULT);
}

static sy_err list(void *ctx, const sy_ha_entity *e)
{
    const sy_span parts[] = {e->component, e->name, e->state_topic, e->path, e->unit, e->device_id};
    sy_buf *b = ctx;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        sy_buf_span_put(b, parts[i]);
        sy_buf_char(b, '|');
    }
    return SY_OK;
}

static void announced(const char *text, const char *want)
{
    sy_fail f = {.text = ""};
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    if (sy_ha_read(sy_span_of(text), list, &b, &f))
        sy_buf_text(&b, f.text);
    sy_buf_char(&b, '\0');
    assert_string_equal(b.p, want);
    sy_buf_fini(&b);
}

static void reads_announcements(void **state)
{
    (void)state;
    announced("{\"name\":\"T\",\"state_topic\":\"z/a\",\"unit_of_measurement\":\"C\",\"device\":"
              "{\"identifiers\":[\"id1\"]},\"value_template\":\"{{ value_json.temperature }}\"}",
              "|T|z/a|$.temperature|C|id1|");
    announced("{\"~\":\"tele/x\",\"stat_t\":\"~/SENSOR\",\"uniq_id\":\"u\",\"dev\":{\"ids\":\"q\"},"
              "\"val_tpl\":\"{{value_json['BME280 1'].Temp|float|round(1)}}\"}",
              "||tele/x/SENSOR|$['BME280 1'].Temp||q|");
    announced("{\"dev\":{},\"stat_t\":\"top\",\"cmps\":{\"a\":{\"val_tpl\":\"{{ value }}\"},\"b\":"
              "{\"stat_t\":\"own\",\"val_tpl\":\"{{ value_json.l[0] - 1 }}\"}}}",
              "a||top|$|||b||own||||");
    announced("{\"stat_t\":\"x\"}", "||x|$|||");
    announced("{\"temperature\":1}",
              "no announcement: neither a state_topic, a unique_id nor components");
    announced("[1]", "not a JSON object");
    static const char *const not_plain[] = {"{{ value_json.a + 1 }}",
                                            "{{ value_json.a | multiply(2) }}",
                                            "{{ value_json }",
                                            "{% if value_json.a %}1{% endif %}",
                                            "{{ value_json. }}",
                                            "{{ value_json['a }}",
                                            "x"};
    char text[200];
    for (size_t i = 0; i < sizeof not_plain / sizeof not_plain[0]; i++) {
        snprintf(text, sizeof text, "{\"stat_t\":\"x\",\"val_tpl\":\"%s\"}", not_plain[i]);
        announced(text, "||x||||");
    }
    f_same(f_text("ha_discovery", "{\"stat_t\":\"x\",\"unit_of_meas\":\"%\"}"),
           "name|name|null||-; unique_id|unique_id|null||-; state_topic|state_topic|\"x\"||-; "
           "unit|unit|\"%\"||-; device_class|device_class|null||-; value_template|value_template|"
           "null||-; base|base|null||-; path|path|\"$\"||-");
}

static void reads_frames_of_qingping(void **state)
{
    (void)state;
    /* The examples of the maker's document: history of five groups, real time. */
    f_same(f_hex("qingping", "01 41 15 01 5C7788B6 2FC29A 2766 4E 312E302E305F30303431 5DC6"),
           "temperature|temperature|26.4|Cel|1551337654000; humidity|humidity|66.6|%RH|"
           "1551337654000; pressure|pressure|100.86|kPa|1551337654000; battery|battery|78|%|"
           "1551337654000");
    const char *history = f_text("qingping", "AUElAFx3iLYABS/CmidmTi/CmidmTi/CmidmTi/CmidmTi/"
                                             "CmidmTkiM");
    assert_non_null(strstr(history, "temperature|temperature|26.4|Cel|1551337654000; "));
    assert_non_null(strstr(history, "battery|battery|78|%|1551337674000"));
    f_refused(f_hex("qingping", "01 41 15 01 5C7788B6 2FC29A 2766 4E 312E302E305F30303431 5DC7"),
              "right CRC");
    f_refused(f_text("qingping", "{\"a\":1}"), "no sensorData");
    /* A setting or a heartbeat has no reading. */
    f_same(f_text("qingping", "{\"type\":\"13\",\"sw_version\":\"2.0.7\"}"), "");
    f_same(f_text("qingping", "{\"payload\":{\"info\":{\"mac\":\"58\"},\"events\":[{\"data\":"
                              "{\"timestamp\":{\"value\":5},\"co2\":{\"value\":7}}}]}}"),
           "co2|co2|7||5000");
}

static const char *found(const char *bytes)
{
    const sy_format *f = sy_format_probe(sy_span_of(bytes));
    return f ? f->name : "none";
}

static void are_found(void **state)
{
    (void)state;
    assert_string_equal(found("time,t\n1,2\n"), "csv");
    assert_string_equal(found("a b c\nd e f\n"), "none");
    assert_string_equal(found("Device: Q-tag Fridge-tag 2\nVers: 0.5\n"), "coldchain_export");
    assert_string_equal(found("{\"device\":{},\"state_topic\":\"x\"}"), "ha_discovery");
    assert_string_equal(found("{\"signature\":{},\"payload\":{\"info\":{}}}"), "qingping");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_csv),
        cmocka_unit_test(maps_csv),
        cmocka_unit_test(refuses_csv),
        cmocka_unit_test(reads_exports),
        cmocka_unit_test(sees_a_missing_sensor),
        cmocka_unit_test(reads_announcements),
        cmocka_unit_test(reads_frames_of_qingping),
        cmocka_unit_test(are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
