/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats of devices and gateways. What the makers' documents say stands here in short; the
 * payloads of the shared data are checked by payloads.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drivers/formats/hj212.h"
#include "format_harness.h"

/* "name|value|quality; …" */
static sy_err add(void *ctx, const sy_record *r)
{
    sy_buf *b = ctx;
    if (b->n > 0)
        sy_buf_text(b, "; ");
    if (r->device.n) {
        sy_buf_span_put(b, r->device);
        sy_buf_char(b, '/');
    }
    sy_buf_span_put(b, r->name);
    sy_buf_char(b, '|');
    if (r->kind == SY_REC_NUMBER)
        sy_buf_double(b, r->number);
    else
        sy_buf_text(b, r->kind == SY_REC_NULL ? "null" : "other");
    sy_buf_char(b, '|');
    sy_quality_text(r->quality, b);
    return SY_OK;
}

static void qualities(const char *format, sy_span payload, const char *want)
{
    sy_fail f = {.text = ""};
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    if (sy_format_find(sy_span_of(format))->decode(payload, NULL, add, &b, &f))
        fail_msg("%s", f.text);
    sy_buf_char(&b, 0);
    assert_string_equal(b.p, want);
    sy_buf_fini(&b);
}

/* A frame of HJ 212 around a segment. */
static const char *frame(const char *segment)
{
    static char text[2048];
    snprintf(text, sizeof text, "##%04zu%s%04X\r\n", strlen(segment), segment,
             sy_hj212_crc(sy_span_of(segment)));
    return text;
}

#define HEAD "QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&"

static void reads_hj212(void **state)
{
    (void)state;
    /* The example of HJ 212-2017, appendix A: its CRC is printed there. */
    static const char example[] = HEAD "RtdInterval=30&&";
    assert_int_equal(sy_hj212_crc(sy_span_of(example)), 0x1c80);
    f_same(f_text("hj212", frame(example)), "RtdInterval|RtdInterval|30||-");
    f_same(f_text("hj212", frame(HEAD "DataTime=20160801085857;w01018-Rtd=63.0,w01018-Flag=N&&")),
           "w01018-Rtd|w01018-Rtd|63||1470013137000");
    qualities("hj212",
              sy_span_of(frame(HEAD "a-Flag=D,a-Rtd=1;b-Rtd=2,b-Flag=T;cc-Rtd=3,cc-Flag=N;c-Rtd=4,"
                                    "c-Flag=C;d-Rtd=5,d-Flag=M;e-Rtd=,e-Flag=?;f-Rtd=7&&")),
              "a-Rtd|1|bad+device-fault; b-Rtd|2|uncertain+out-of-range; cc-Rtd|3|good; "
              "c-Rtd|4|bad+calibrating; d-Rtd|5|bad+maintenance; e-Rtd|null|uncertain; "
              "f-Rtd|7|good");
    f_same(f_text("hj212", frame(HEAD "&&")), ""); /* a heartbeat */
    f_refused(f_text("hj212", "##0012MN=1;CP=&&&&BEEF\r\n"), "no reading");
    f_refused(f_text("hj212", "##"), "no whole frame");
    f_refused(f_text("hj212", "http://example.org ##12"), "no whole frame");
}

#define OF(cn, flag) "QN=1;ST=32;CN=" cn ";MN=M;Flag=" flag ";CP=&&DataTime=20160801085857;"

static sy_err note_period(void *ctx, const sy_record *r)
{
    snprintf(ctx, 16, "%.*s", (int)r->period.n, r->period.n ? r->period.p : "");
    return SY_OK;
}

static void hj212_values_have_their_own_time_period_and_flag(void **state)
{
    (void)state;
    f_same(f_text("hj212", frame(OF("2011", "5") "a-SampleTime=20160801080000,a-Rtd=1;b-Rtd=2&&")),
           "a-SampleTime|a-SampleTime|20160801080000||1470009600000; a-Rtd|a-Rtd|1||1470009600000; "
           "b-Rtd|b-Rtd|2||1470013137000");
    /* A flag without a factor is that of what stands before it. */
    qualities("hj212", sy_span_of(frame(OF("2011", "5") "a-Rtd=1;Flag=D;b-Rtd=2;Flag=N&&")),
              "a-Rtd|1|bad+device-fault; Flag|other|good; b-Rtd|2|good; Flag|other|good");
    /* Power failure is of 2005 alone, B of 2017; each is understood in the other. */
    qualities("hj212", sy_span_of(frame(OF("2011", "1") "a-Rtd=1,a-Flag=P;b-Rtd=1,b-Flag=B&&")),
              "a-Rtd|1|bad+device-fault; b-Rtd|1|bad+device-fault");
    qualities("hj212", sy_span_of(frame(OF("2011", "9") "a-Rtd=1,a-Flag=M;b-Rtd=1,b-Flag=0&&")),
              "a-Rtd|1|bad+maintenance; b-Rtd|1|bad+calibrating");
    static const char *const periods[][2] = {{"2011", ""},    {"2051", "minute"}, {"2061", "hour"},
                                             {"2031", "day"}, {"2041", "day"},    {"2021", ""}};
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        char segment[128], got[16] = "-";
        sy_fail f;
        snprintf(segment, sizeof segment, "CN=%s;CP=&&a-Avg=1&&", periods[i][0]);
        assert_int_equal(sy_format_find(sy_span_of("hj212"))
                             ->decode(sy_span_of(frame(segment)), NULL, note_period, got, &f),
                         SY_OK);
        assert_string_equal(got, periods[i][1]);
    }
}

static void the_standard_says_units(void **state)
{
    (void)state;
    assert_string_equal(sy_hj212_unit(sy_span_of("w01018-Rtd")), "mg/L");
    assert_string_equal(sy_hj212_unit(sy_span_of("hour/w01018-Cou")), "kg");
    assert_string_equal(sy_hj212_unit(sy_span_of("B01-Cou")), "m3");
    assert_string_equal(sy_hj212_unit(sy_span_of("S03-Rtd")), "degC");
    assert_null(sy_hj212_unit(sy_span_of("w01018")));
    assert_null(sy_hj212_unit(sy_span_of("a34004-Rtd")));
    assert_null(sy_hj212_unit(sy_span_of("w01010-Cou")));
    assert_null(sy_hj212_unit(sy_span_of("")));
}

/* A frame that was cut off before its end of line takes nothing of the next one with it. */
static void resynchronises_hj212(void **state)
{
    (void)state;
    char text[4096];
    snprintf(text, sizeof text, "##0200QN=1;CP=&&a-Rt%s", frame(HEAD "b-Rtd=2&&"));
    qualities("hj212", sy_span_of(text), "b-Rtd|2|good");
    snprintf(text, sizeof text, "##9999%s", frame(HEAD "b-Rtd=2&&"));
    qualities("hj212", sy_span_of(text), "b-Rtd|2|good");
}

static void forgives_hj212_senders(void **state)
{
    (void)state;
    /* A wrong CRC is uncertain, a length that is wrong by a byte is found by the end of the line,
     * noise between frames is passed over. */
    char text[4096];
    snprintf(text, sizeof text, "%s", frame(HEAD "a-Rtd=1,a-Flag=N&&"));
    char *crc = strstr(text, "\r\n") - 4;
    memcpy(crc, strncmp(crc, "0000", 4) ? "0000" : "0001", 4);
    qualities("hj212", sy_span_of(text), "a-Rtd|1|uncertain");
    snprintf(text, sizeof text, "%s", frame(HEAD "a-Rtd=1,a-Flag=N&&"));
    text[5]++;
    qualities("hj212", sy_span_of(text), "a-Rtd|1|good");
    size_t n = (size_t)snprintf(text, sizeof text, "noise ##99 %s", frame(HEAD "a-Rtd=1&&"));
    snprintf(text + n, sizeof text - n, "http://x\r\n%s", frame(HEAD "b-Rtd=2&&"));
    qualities("hj212", sy_span_of(text), "a-Rtd|1|good; b-Rtd|2|good");
}

static void finds_hj212_in_a_stream(void **state)
{
    (void)state;
    sy_hj212_frame f;
    size_t skip = 0;
    char text[4096];
    int at = snprintf(text, sizeof text, "xx");
    at += snprintf(text + at, sizeof text - (size_t)at, "%s", frame(HEAD "a=1&&"));
    for (int n = 2; n < at - 2; n++) {
        sy_err e = sy_hj212_next((sy_span){text, (size_t)n}, &f, &skip);
        assert_int_equal(e, SY_E_NOTFOUND);
        assert_true(skip <= 2); /* what follows is the begin of a frame: kept */
    }
    assert_int_equal(sy_hj212_next((sy_span){text, (size_t)at}, &f, &skip), SY_OK);
    assert_int_equal(skip, 2);
    assert_int_equal(f.size, at - 2);
    assert_true(f.crc_good && f.length_good);
    assert_true(sy_span_is(f.mn, "010000A8900016F000169DC0"));
    assert_true(sy_span_is(f.data, "a=1"));
    assert_int_equal(f.flag, 5);
}

static void reads_states_of_devices(void **state)
{
    (void)state;
    f_same(f_text("zigbee2mqtt",
                  "{\"contact\":false,\"temperature\":-18.2,\"update\":{\"state\":\"idle\"},"
                  "\"last_seen\":\"2022-03-06T11:52:35+01:00\"}"),
           "contact|contact|false||1646563955000; temperature|temperature|-18.2||1646563955000; "
           "last_seen|last_seen|\"2022-03-06T11:52:35+01:00\"||1646563955000");
    f_same(f_text("tasmota", "{\"Time\":\"2021-03-11T19:50:58+01:00\",\"DS18B20-1\":{\"Id\":\"00\","
                             "\"Temperature\":13.3},\"TempUnit\":\"C\"}"),
           "DS18B20-1.Temperature|Temperature|13.3|Cel|1615488658000");
    f_same(f_text("tasmota", "{\"Time\":\"2021-03-11T19:50:58\",\"SI7021\":{\"Humidity\":40}}"),
           "SI7021.Humidity|Humidity|40|%RH|-"); /* local time: the reception counts */
    f_same(f_text("shelly", "{\"src\":\"x\",\"params\":{\"ts\":1707326934.5,\"temperature:0\":"
                            "{\"id\":0,\"tC\":21.5},\"sys\":{\"uptime\":5}}}"),
           "temperature:0.id|id|0||1707326934500; temperature:0.tC|tC|21.5|Cel|1707326934500");
    f_same(f_text("tasmota",
                  "{\"Time\":\"2021-03-11T19:50:58\",\"ENERGY\":{\"Total\":3.2,\"Power\":"
                  "[1,2]},\"BME280\":{\"Temperature\":70.1,\"Pressure\":990,\"Id\":7},"
                  "\"TempUnit\":\"F\",\"PressureUnit\":\"hPa\",\"Epoch\":1600000000}"),
           "ENERGY.Total|Total|3.2|kWh|1600000000000; ENERGY.Power.0|Power.0|1|W|1600000000000; "
           "ENERGY.Power.1|Power.1|2|W|1600000000000; "
           "BME280.Temperature|Temperature|70.1|degF|1600000000000; "
           "BME280.Pressure|Pressure|990|hPa|1600000000000; BME280.Id|Id|7||1600000000000; "
           "Epoch|Epoch|1600000000||1600000000000");
    f_same(f_text("tasmota", "{\"StatusSNS\":{\"Time\":\"x\",\"A\":{\"Humidity\":4}}}"),
           "A.Humidity|Humidity|4|%RH|-");
    f_same(f_text("zigbee2mqtt", "offline"), "availability|availability|\"offline\"||-");
    f_same(f_text("shelly", "{\"id\":1,\"src\":\"x\",\"result\":{\"em:0\":{\"a_act_power\":3.5,"
                            "\"a_aprt_power\":4,\"n_current\":null}}}"),
           "em:0.a_act_power|a_act_power|3.5|W|-; em:0.a_aprt_power|a_aprt_power|4|VA|-; "
           "em:0.n_current|n_current|null||-");
    f_refused(f_text("shelly", "{\"wifi\":{\"rssi\":-70}}"), "no reading");
    f_refused(f_text("zigbee2mqtt", "[1]"), "not a JSON object");
}

static void sees_broken_sensors(void **state)
{
    (void)state;
    qualities(
        "shelly",
        sy_span_of("{\"unixtime\":0,\"meters\":[{\"power\":5,\"is_valid\":true},{\"power\":6,"
                   "\"is_valid\":false}],\"tmp\":{\"value\":3,\"is_valid\":false},\"lux\":1}"),
        "meters.0.power|5|good; meters.0.is_valid|other|good; "
        "meters.1.power|6|bad+device-fault; meters.1.is_valid|other|good; "
        "tmp.value|3|bad+device-fault; tmp.is_valid|other|good; lux|1|good");
    qualities(
        "shelly",
        sy_span_of("{\"temperature:100\":{\"tC\":null,\"errors\":[\"read\"]},\"voltmeter:0\":{"
                   "\"voltage\":31,\"errors\":[\"out_of_range\"]},\"switch:0\":{\"apower\":1}}"),
        "temperature:100.tC|null|bad+device-fault; temperature:100.errors.0|other|"
        "bad+device-fault; voltmeter:0.voltage|31|bad+out-of-range; "
        "voltmeter:0.errors.0|other|bad+out-of-range; switch:0.apower|1|good");
}

static void reads_gateways(void **state)
{
    (void)state;
    qualities(
        "neuron",
        sy_span_of("{\"timestamp\":1,\"node\":\"m\",\"my_tags\":[{\"name\":\"a\",\"value\":1}],"
                   "\"my_errors\":[{\"name\":\"b\",\"error\":3}],\"data\":{\"x\":{\"tag_values\":"
                   "{\"c\":[2,3]},\"tag_error_values\":{\"d\":4}}},\"gateway_info\":{\"ip\":5}}"),
        "a|1|good; b|null|bad+device-fault; c.0|2|good; c.1|3|good; d|null|bad+device-fault");
    qualities("opcua",
              sy_span_of(
                  "[{\"NodeId\":\"nsu=http://x;s=StepUp\",\"Value\":{\"Value\":7}},{\"NodeId\":"
                  "\"i=1\",\"DisplayName\":\"D\",\"Value\":{\"Value\":8,\"StatusCode\":{\"Symbol\":"
                  "\"UncertainLastUsableValue\",\"Code\":1083179008}}}]"),
              "StepUp|7|good; D|8|uncertain");
    qualities(
        "opcua",
        sy_span_of("{\"MessageType\":\"ua-data\",\"Messages\":{\"Payload\":{\"a\":{\"Type\":11,"
                   "\"Body\":1.5},\"b\":{\"Value\":{\"Type\":11,\"Body\":2.5}},\"c\":{\"UaType\":6,"
                   "\"Value\":3},\"d\":{\"Value\":{\"x\":4}},\"e\":{\"Value\":5,\"StatusCode\":"
                   "\"BadTimeout\"},\"f\":{\"StatusCode\":{\"Code\":0}}}}}"),
        "a|1.5|good; b|2.5|good; c|3|good; d.x|4|good; e|null|bad+device-fault; "
        "f|null|bad+device-fault");
    f_same(f_text("opcua", "{\"Messages\":[{\"MessageType\":\"ua-keepalive\"}]}"), "");
    f_refused(f_text("opcua", "{\"a\":1}"), "no Messages");
    f_same(f_text("generic_mqtt", "{\"ts\":1689837909000,\"a\":{\"b\":[1,2]}}"),
           "ts|ts|1689837909000||1689837909000; a.b.0|b.0|1||1689837909000; "
           "a.b.1|b.1|2||1689837909000");
    qualities("neuron",
              sy_span_of("{\"timestamp\":1,\"values\":{\"a\":1},\"errors\":{\"b\":2014}}"),
              "a|1|good; b|null|bad+device-fault");
    qualities(
        "neuron",
        sy_span_of("{\"tags\":[{\"name\":\"a\",\"value\":1.5},{\"name\":\"b\",\"error\":3}]}"),
        "a|1.5|good; b|null|bad+device-fault");
    f_refused(f_text("neuron", "{\"node\":1}"), "neither values nor tags");
    qualities("generic_mqtt",
              sy_span_of("{\"devA\":[{\"ts\":1689837909000,\"values\":{\"t\":1}}],\"devB\":"
                         "[{\"ts\":1689837909000,\"values\":{\"t\":2}},{\"t\":3}]}"),
              "devA/t|1|good; devB/t|2|good; devB/t|3|good");
    f_same(f_text("generic_mqtt", "[{\"ts\":1689837909000,\"values\":{\"t\":1}},{\"u\":true}]"),
           "t|t|1||1689837909000; u|u|true||-");
    qualities("qingping",
              sy_span_of("{\"sensorData\":[{\"timestamp\":{\"value\":5},\"co2\":{\"value\":99999,"
                         "\"status\":1},\"temperature\":{\"value\":21,\"status\":0}}]}"),
              "co2|99999|bad+device-fault; temperature|21|good");
    qualities("opcua",
              sy_span_of("{\"Messages\":[{\"Payload\":{\"a\":{\"Value\":1},\"b\":{\"Value\":2,"
                         "\"StatusCode\":{\"Code\":1083113472}},\"c\":{\"StatusCode\":2150694912,"
                         "\"Value\":3},\"d\":4}}]}"),
              "a|1|good; b|2|uncertain; c|null|bad+device-fault; d|4|good");
    f_same(f_text("chirpstack", "{\"time\":\"2022-07-18T09:34:15.775+00:00\",\"deviceInfo\":{},"
                                "\"object\":{\"temperature\":4.5,\"probe\":{\"t\":1}}}"),
           "temperature|temperature|4.5||1658136855775; probe.t|t|1||1658136855775");
    f_same(f_text("tts", "{\"received_at\":\"2020-02-17T07:49:09.9Z\",\"end_device_ids\":{},"
                         "\"uplink_message\":{\"decoded_payload\":{\"t\":4.5}}}"),
           "t|t|4.5||1581925749900");
}

static void reads_lorawan_codings(void **state)
{
    (void)state;
    f_same(f_hex("elsys", "01 00e2 02 29 04 0027 05 06 06 036d 07 0e3c"),
           "temperature|temperature|22.6|Cel|-; humidity|humidity|41|%RH|-; light|light|39|lx|-; "
           "motion|motion|6||-; co2|co2|877|ppm|-; vdd|vdd|3644|mV|-");
    f_same(f_hex("elsys", "0c ff85"), "externalTemperature|externalTemperature|-12.3|Cel|-");
    f_refused(f_hex("elsys", "01 00"), "cut short");
    f_refused(f_hex("elsys", "ff 00"), "not known");
    /* The examples of the maker's document. */
    f_same(f_hex("cayenne", "03 67 0110 05 67 00ff"),
           "temperature_3|temperature_3|27.2|Cel|-; temperature_5|temperature_5|25.5|Cel|-");
    f_same(f_hex("cayenne", "01 67 ffd7"), "temperature_1|temperature_1|-4.1|Cel|-");
    f_same(f_hex("cayenne", "06 71 04d2 fb2e 0000"),
           "accelerometer_x_6|accelerometer_x_6|1.234||-; accelerometer_y_6|accelerometer_y_6|"
           "-1.234||-; accelerometer_z_6|accelerometer_z_6|0||-");
    f_same(f_hex("cayenne", "01 88 06765f f2960a 0003e8"),
           "latitude_1|latitude_1|42.3519|lat|-; longitude_1|longitude_1|-87.9094|lon|-; "
           "altitude_1|altitude_1|10|m|-");
    f_refused(f_hex("cayenne", "01 67 01"), "cut short");
    f_refused(f_hex("cayenne", "01 63 0101"), "not known");
}

static void reads_a_scale(void **state)
{
    (void)state;
    f_same(f_text("scale", "ST,GS,+  4.876kg\r\n"), "weight|weight|4.876|kg|-");
    f_same(f_text("scale", "ST,GS,+  9.000kg\r\nST,NT,- 0.120 kg\r\n"),
           "net-weight|net-weight|-0.12|kg|-");
    qualities("scale", sy_span_of("US,GS,+  4.876kg"), "weight|4.876|uncertain");
    qualities("scale", sy_span_of("OL,GS,+       kg"), "weight|null|bad+out-of-range");
    f_same(f_text("scale", "ST,+00012.34  g\r\n"), "weight|weight|12.34|g|-");
    f_same(f_text("scale", "ST,NT,-   1.5,lb"), "net-weight|net-weight|-1.5|lb|-");
    f_same(f_text("scale", "S S     -4.876 kg\r\n"), "weight|weight|-4.876|kg|-");
    qualities("scale", sy_span_of("S D     4.876 kg"), "weight|4.876|uncertain");
    qualities("scale", sy_span_of("S +"), "weight|null|bad+out-of-range");
    qualities("scale", sy_span_of("S I"), "weight|null|uncertain");
    f_refused(f_text("scale", "S X 1 kg"), "not a line");
    f_refused(f_text("scale", "S S 1"), "not a line");
    f_refused(f_text("scale", "ST,GS,+  4.8x76kg"), "not a line");
    f_refused(f_text("scale", "ST,GS"), "not a line");
    f_refused(f_text("scale", "ST,XX,+  4.876kg"), "not a line");
}

static void reads_sparkplug(void **state)
{
    (void)state;
    /* timestamp 1486144502122; metrics: "T" Float 21.5; alias 7 Int16 -5; "U" null; "B" true,
     * Quality 500. */
    f_same(f_hex("sparkplugb", "08eaf2f5a8a02b 120a 0a0154 2009 650000ac41"
                               " 120a 1007 2002 50fbffffff0f 1207 0a0155 2003 3801"),
           "T|T|21.5||1486144502122; alias/7|alias/7|-5||1486144502122; "
           "U|U|null||1486144502122");
    static const char stale[] = "\x08\xea\xf2\xf5\xa8\xa0\x2b\x12\x17\x0a\x01\x42\x20\x0b\x4a"
                                "\x0e\x0a\x07Quality\x12\x03\x18\xf4\x03\x70\x01";
    qualities("sparkplugb", (sy_span){stale, sizeof stale - 1}, "B|other|uncertain");
    f_refused(f_hex("sparkplugb", "08"), "not a payload");
    f_refused(f_hex("sparkplugb", "08eaf2f5a8a02b"), "no reading");
    f_refused(f_hex("sparkplugb", "1207 0a01ff 2003 5001"), "not UTF-8");
}

static const char *found(const char *bytes)
{
    const sy_format *f = sy_format_probe(sy_span_of(bytes));
    return f ? f->name : "none";
}

static void finds_formats(void **state)
{
    (void)state;
    assert_string_equal(found(frame(HEAD "a-Rtd=1&&")), "hj212");
    assert_string_equal(found("{\"linkquality\":1,\"t\":2}"), "zigbee2mqtt");
    assert_string_equal(found("{\"Time\":\"x\",\"A\":{}}"), "tasmota");
    assert_string_equal(found("{\"switch:0\":{}}"), "shelly");
    assert_string_equal(found("{\"timestamp\":1,\"node\":\"a\",\"group\":\"b\"}"), "neuron");
    assert_string_equal(found("{\"d\":[{\"ts\":1,\"values\":{}}]}"), "generic_mqtt");
    assert_string_equal(found("{\"sensorData\":[]}"), "qingping");
    assert_string_equal(found("{\"MessageType\":\"ua-data\",\"Messages\":[]}"), "opcua");
    assert_string_equal(found("{\"deviceInfo\":{}}"), "chirpstack");
    assert_string_equal(found("{\"end_device_ids\":{}}"), "tts");
    assert_string_equal(found("ST,GS,+  4.876kg"), "scale");
    assert_string_equal(found("{\"a\":1}"), "json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hj212),
        cmocka_unit_test(hj212_values_have_their_own_time_period_and_flag),
        cmocka_unit_test(the_standard_says_units),
        cmocka_unit_test(resynchronises_hj212),
        cmocka_unit_test(forgives_hj212_senders),
        cmocka_unit_test(finds_hj212_in_a_stream),
        cmocka_unit_test(reads_states_of_devices),
        cmocka_unit_test(sees_broken_sensors),
        cmocka_unit_test(reads_gateways),
        cmocka_unit_test(reads_lorawan_codings),
        cmocka_unit_test(reads_a_scale),
        cmocka_unit_test(reads_sparkplug),
        cmocka_unit_test(finds_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
