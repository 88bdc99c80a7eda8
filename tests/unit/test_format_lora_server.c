/* SPDX-License-Identifier: Apache-2.0 */
/* LoRaWAN payloads behind ChirpStack and The Things Stack: by model, by what the server decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lora_rig.h"

static const char *json(const char *format, const char *model, const char *text)
{
    return lora_decode(format, model, text, strlen(text));
}

static void reads_behind_chirpstack(void **state)
{
    (void)state;
    /* 01 75 64 03 67 f0 00 */
    const char *up = "{\"time\":\"2022-07-18T09:34:15.775+00:00\",\"deviceInfo\":{},\"fPort\":85,"
                     "\"data\":\"AXVkA2fwAA==\",\"object\":{\"wrong\":1}}";
    assert_string_equal(json("chirpstack", "em300-th", up),
                        "battery=100 % @1658136855775; temperature=24 Cel @1658136855775");
    assert_string_equal(json("chirpstack", NULL, up), "wrong=1 @1658136855775");
    /* The log of a LHT65N comes on FPort 3, each line with its own time. */
    assert_string_equal(
        json("chirpstack", "lht65n",
             "{\"time\":\"2022-10-13T00:00:00Z\",\"deviceInfo\":{},\"fPort\":3,"
             "\"data\":\"Ct0LDQN2QWNGdJ4K3f+cA3ZBY0Z02g==\"}"),
        "history.0.timestamp|timestamp=1665561758 @1665561758000; history.0.TempC_DS|TempC_DS="
        "27.81 Cel @1665561758000; history.0.TempC_SHT|TempC_SHT=28.29 Cel @1665561758000; "
        "history.0.Hum_SHT|Hum_SHT=88.6 %RH @1665561758000; history.1.timestamp|timestamp="
        "1665561818 @1665561818000; history.1.TempC_DS|TempC_DS=27.81 Cel @1665561818000; "
        "history.1.TempC_SHT|TempC_SHT=-1 Cel @1665561818000; history.1.Hum_SHT|Hum_SHT=88.6 "
        "%RH @1665561818000");
    /* Its status, FPort 5. */
    lora_part(
        json("chirpstack", "lht65n", "{\"deviceInfo\":{},\"fPort\":5,\"data\":\"CwEQAf8Mcg==\"}"),
        "BAT=3.186 V");
    lora_part(json("chirpstack", "ers", "{\"deviceInfo\":{},\"data\":\"AQDi\"}"),
              "temperature=22.6");
    lora_part(json("chirpstack", "cayenne", "{\"deviceInfo\":{},\"data\":\"AWcA4g\"}"),
              "temperature_1=22.6");
    /* The model by the name of its profile, whose longest word counts. */
    assert_string_equal(
        json("chirpstack", NULL,
             "{\"deviceInfo\":{\"deviceProfileName\":\"Milesight TS201-V2 (shop)\"},\"data\":"
             "\"A2fwAA==\"}"),
        "temperature=24 Cel");
    assert_string_equal(
        sy_format_model_said(sy_span_of("{\"deviceInfo\":{\"deviceProfileName\":\"x TS201-V2\"}}")),
        "ts201-v2");
    assert_null(sy_format_model_said(
        sy_span_of("{\"deviceInfo\":{\"deviceProfileName\":\"my-ts201-v2\"}}")));
    assert_null(sy_format_model_said(sy_span_of("{\"deviceInfo\":1}")));
    assert_null(sy_format_model_said(sy_span_of("no JSON")));
    assert_string_equal(json("chirpstack", NULL,
                             "{\"deviceInfo\":{\"deviceProfileName\":\"EM300-TH\"},\"object\":"
                             "{\"t\":1},\"data\":\"A2fwAA==\"}"),
                        "t=1");
    /* Neither model nor object: the bytes as they came, so that somebody sees them. */
    assert_string_equal(json("chirpstack", NULL, "{\"deviceInfo\":{},\"data\":\"qg==\"}"),
                        "data=qg==");
    /* Nothing to read. */
    assert_string_equal(json("chirpstack", "em300-th", "{\"deviceInfo\":{},\"data\":\"\"}"), "");
    assert_string_equal(
        json("chirpstack", "em300-th", "{\"deviceInfo\":{},\"fPort\":0,\"data\":\"AXVk\"}"), "");
    assert_string_equal(json("chirpstack", "em300-th", "{\"deviceInfo\":{},\"devAddr\":\"1\"}"),
                        "");
    lora_part(json("chirpstack", "em300-th", "{\"deviceInfo\":{},\"data\":\"A*==\"}"),
              "! ChirpStack");
    lora_part(json("chirpstack", "em300-th", "{\"deviceInfo\":{},\"data\":\"A\"}"), "not base64");
    lora_part(json("chirpstack", "em300-th", "{\"deviceInfo\":{},\"data\":\"BX0AAQ==\"}"),
              "! Milesight em300-th: channel 0x05");
    lora_part(json("chirpstack", "none", "{\"deviceInfo\":{},\"data\":\"AXVk\"}"), "'none'");
}

static void reads_behind_the_things_stack(void **state)
{
    (void)state;
    const char *up = "{\"received_at\":\"2020-02-17T07:49:09.9Z\",\"end_device_ids\":{},"
                     "\"uplink_message\":{\"f_port\":2,\"frm_payload\":\"y/YLDQN2AQrdf/8=\","
                     "\"decoded_payload\":{\"t\":1}}}";
    lora_part(json("tts", "lht65", up), "TempC_DS=27.81 Cel @1581925749900");
    assert_string_equal(json("tts", NULL, up), "t=1 @1581925749900");
    lora_part(
        json("tts", NULL,
             "{\"end_device_ids\":{},\"uplink_message\":{\"frm_payload\":\"y/YLDQN2AQrdf/8=\","
             "\"version_ids\":{\"brand_id\":\"dragino\",\"model_id\":\"lht65\"}}}"),
        "TempC_DS=27.81 Cel");
    assert_string_equal(json("tts", "lht65", "{\"end_device_ids\":{},\"join_accept\":{}}"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_behind_chirpstack),
        cmocka_unit_test(reads_behind_the_things_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
