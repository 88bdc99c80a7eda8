/* SPDX-License-Identifier: Apache-2.0 */
/* LoRaWAN payloads by the tables of Milesight and Dragino, of Elsys and Cayenne. The payloads are
 * made by hand from the makers' documents; those of the shared data are checked by payloads.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "drivers/formats/lorawan_table.h"
#include "lora_rig.h"
#include "rules/units.h"

static void same(const char *format, const char *model, const char *text, const char *want)
{
    assert_string_equal(lora_hex(format, model, text), want);
}

static void refused(const char *format, const char *model, const char *text, const char *says)
{
    const char *got = lora_hex(format, model, text);
    if (strncmp(got, "! ", 2) != 0 || !strstr(got, says))
        fail_msg("wanted a refusal with '%s', got '%s'", says, got);
}

/* --- the tables themselves --- */

static void check_item(const char *model, sy_span item)
{
    sy_lt_item it;
    if (item.n && strchr("+TtK!", item.p[0]) && !memchr(item.p, ':', item.n))
        return;
    if (sy_lt_item_parse(item, &it) != SY_OK)
        fail_msg("%s: '%.*s' is no item", model, (int)item.n, item.p);
    bool place = sy_span_is(it.unit, "lat") || sy_span_is(it.unit, "lon");
    if (it.unit.n && !place && !sy_unit_of_device(it.unit))
        fail_msg("%s: no unit '%.*s' in '%.*s'", model, (int)it.unit.n, it.unit.p, (int)item.n,
                 item.p);
    /* A name that long would be cut. */
    if (it.name.n > 80 || (it.name.n == 0 && (it.words.n || it.faults.n)))
        fail_msg("%s: wrong name in '%.*s'", model, (int)item.n, item.p);
}

// NOLINTNEXTLINE(misc-no-recursion)
static size_t check_items(const char *model, sy_span items, int depth)
{
    sy_span item, condition, inner;
    size_t n = 0;
    for (; sy_lt_next(&items, &item); n++) {
        if (item.n > 1 && item.p[0] == '%') {
            assert_int_equal(item.p[item.n - 1], '%');
            n += check_items(model, (sy_span){item.p + 1, item.n - 2}, depth + 1);
        } else if (item.n && item.p[0] == '<') {
            if (!sy_lt_group(item, &condition, &inner) || depth > 3)
                fail_msg("%s: wrong group '%.*s'", model, (int)item.n, item.p);
            n += check_items(model, inner, depth + 1);
        } else {
            check_item(model, item);
        }
    }
    return n;
}

static size_t check_table(const char *model, const char *table)
{
    sy_span key, items;
    size_t lines = 0;
    const char *rest = table;
    while (rest && sy_lt_line(&rest, &key, &items)) {
        for (int i = 0; i < 4; i++)
            if (sy_hex_digit(key.p[i]) < 0 && !strchr("-x", key.p[i]))
                fail_msg("%s: wrong key %.4s", model, key.p);
        if (check_items(model, items, 0) == 0)
            fail_msg("%s: nothing in %.4s", model, key.p);
        lines++;
    }
    if (rest && *rest)
        fail_msg("%s: wrong line: %.40s", model, rest);
    return lines;
}

static void tables_are_well_formed(void **state)
{
    (void)state;
    const sy_lt_maker *const makers[] = {&sy_lt_milesight, &sy_lt_dragino};
    const char *names[512];
    for (size_t m = 0; m < 2; m++) {
        check_table("common", makers[m]->common);
        check_table("any", makers[m]->any->channels[0]);
        for (const sy_lt_model *model = makers[m]->models; model->name; model++) {
            size_t n = check_table(model->name, model->channels[0]);
            if (n + check_table(model->name, model->channels[1]) == 0)
                fail_msg("%s has no channel", model->name);
            for (const sy_lt_model *other = makers[m]->models; other < model; other++)
                assert_string_not_equal(other->name, model->name);
        }
    }
    /* The server's formats take the models of all makers; a name says one coding only. */
    size_t all = sy_format_models(sy_span_of("tts"), names, 512);
    assert_in_range(all, 140, 512);
    for (size_t i = 0; i < all; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    assert_int_equal(sy_format_models(sy_span_of("lorawan_dragino"), names, 512),
                     sy_format_models(sy_span_of("dragino"), names, 512));
    assert_int_equal(sy_format_models(sy_span_of("json"), names, 512), 0);
}

/* docs/devices.md has them all. */
static void models_are_in_the_manual(void **state)
{
    (void)state;
    const char *root = getenv("SY_SOURCE_DIR"), *names[512];
    char path[512], word[80];
    static char text[1 << 17];
    if (!root)
        skip();
    snprintf(path, sizeof path, "%s/docs/devices.md", root);
    FILE *in = fopen(path, "re");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    static const char *const formats[] = {"milesight", "dragino"};
    for (size_t f = 0; f < 2; f++)
        for (size_t i = 0, n = sy_format_models(sy_span_of(formats[f]), names, 512); i < n; i++) {
            snprintf(word, sizeof word, "`%s`", names[i]);
            if (!strstr(text, word))
                fail_msg("docs/devices.md does not list %s", word);
        }
}

/* --- Milesight --- */

static void reads_channels(void **state)
{
    (void)state;
    same("milesight", "em300-th", "017550 0367F1FF 046801",
         "battery=80 %; temperature=-1.5 Cel; humidity=0.5 %RH");
    same("lorawan_milesight", "em500-co2", "05 7d e803 06 73 9427",
         "co2=1000 ppm; pressure=1013.2 hPa");
    same("milesight", "em300-sld", "050001", "leakage_status=leak");
    /* The same channel of other models. */
    same("milesight", "am307", "050001", "pir=trigger");
    same("milesight", "at101", "050001", "position=tilt");
    same("milesight", "ws203", "050001", "occupancy=occupied");
    /* A word that no document has. */
    same("milesight", "em300-sld", "050007", "leakage_status=unknown uncertain");
    same("milesight", "am319-o3", "0d7d0a00 08e62c01", "o3=0.1 ppm; tvoc=300 ug/m3");
    same("milesight", "ws302", "055b09 f401 e803 dc05", "LAS=50 dB; LAeq=100 dB; LASmax=150 dB");
    same("milesight", "em320-tilt", "03d4 f1ff 0000 5046",
         "angle_x=-0.08 deg; threshold_x=trigger; angle_y=0 deg; threshold_y=normal; "
         "angle_z=90 deg; threshold_z=normal");
    same("milesight", "uc502", "05e2 003c 00bc 0040 7b00",
         "adc_1=1; adc_1_min=-1; adc_1_max=2; adc_1_avg=7.331371307373047e-06");
}

static void reads_alarms(void **state)
{
    (void)state;
    same("milesight", "em300-cl", "83ed0201",
         "liquid=critical liquid level alert; liquid_alarm=critical liquid level alarm");
    same("milesight", "ts201-v2", "8367340101 84684e00",
         "temperature=30.8 Cel; event.0.temperature=30.8 Cel; event.0.temperature_alarm=threshold "
         "alarm; humidity=39 %RH; event.1.humidity=39 %RH; event.1.humidity_alarm=threshold alarm "
         "release");
    same("milesight", "ct303", "8699 6400 0a00 3200 05",
         "current_chn2_max=10 A; current_chn2_min=1 A; current_chn2=5 A; "
         "current_chn2_alarm.current_threshold_alarm=yes; "
         "current_chn2_alarm.current_threshold_alarm_release=no; "
         "current_chn2_alarm.current_over_range_alarm=yes; "
         "current_chn2_alarm.current_over_range_alarm_release=no");
    same("milesight", "gs101", "058e01 ff3f02", "gas_status=alarm; alarm=sensor fault");
}

static void a_failed_sensor_has_no_value(void **state)
{
    (void)state;
    same("milesight", "gs301", "047dfeff 057dffff",
         "nh3=null bad+device-fault; nh3_sensor_status=polarizing; h2s=null bad+device-fault; "
         "h2s_sensor_status=device error");
    same("milesight", "gs301", "047dfdff", "nh3=655.33 ppm");
    same("milesight", "ct101", "0498ffff 0967fdff",
         "current=null bad+device-fault; current_sensor_status=read failed; temperature=null "
         "bad+device-fault; temperature_sensor_status=over range alarm");
    same("milesight", "em500-smtc", "04caffff",
         "moisture=null bad+device-fault; moisture_error=collection failed");
    same("milesight", "em300-cl", "03edff", "liquid=null bad+device-fault; liquid=error");
    same("milesight", "em320-th-v2", "03670180 0468ff",
         "temperature=null bad+device-fault; temperature_sensor_status=collection_err; "
         "humidity=null bad+device-fault; humidity_sensor_status=collection_err");
    /* A float that is no number. */
    same("milesight", "uc300", "0be2 007e 003c 003c 003c",
         "adc_1=null bad+device-fault; adc_1_max=1; adc_1_min=1; adc_1_avg=1");
}

static void history_has_its_own_time(void **state)
{
    (void)state;
    same("milesight", "em300-th", "0367f000 20ce 9e744663 1001 5d 00 20ce da744663 1101 5e 00",
         "temperature=24 Cel; history.0.timestamp|timestamp=1665561758 @1665561758000; "
         "history.0.temperature|temperature=27.2 Cel @1665561758000; history.0.humidity|humidity="
         "46.5 %RH @1665561758000; history.1.timestamp|timestamp=1665561818 @1665561818000; "
         "history.1.temperature|temperature=27.3 Cel @1665561818000; history.1.humidity|humidity="
         "47 %RH @1665561818000");
    /* The device's clock was never set. */
    same("milesight", "em500-pp", "20ce 10000000 0500",
         "history.0.timestamp|timestamp=16 @16000 uncertain+clock-unsynchronised; "
         "history.0.pressure|pressure=5 kPa @16000 uncertain+clock-unsynchronised");
    /* After a history the live readings have no time again. */
    lora_part(lora_hex("milesight", "em500-pp", "20ce 9e744663 0500 017564"), "; battery=100 %");
    /* Kinds of history. */
    lora_part(lora_hex("milesight", "vs350", "20ce 7b3af164 01 0b00 0400 1000 2000"),
              "history.0.total_out|total_out=32 @1693530747000");
    refused("milesight", "vs350", "20ce 7b3af164 02 0b00 0400", "kind 2 is not known");
    lora_part(lora_hex("milesight", "ts302", "20ce c79afa64 15 0501 0100"),
              "temperature_chn1=26.1 Cel @1694145223000; history.0.temperature_chn1_alarm|"
              "temperature_chn1_alarm=threshold @1694145223000; "
              "history.0.magnet_chn2|magnet_chn2=opened");
    lora_part(
        lora_hex("milesight", "ts302-v2", "21ce c79afa64 ab 17fc 0501"),
        "magnet_chn2=opened @1694145223000; history.0.temperature_chn2|temperature_chn2=26.1 Cel");
    lora_part(
        lora_hex("milesight", "am305l", "21ce c79afa64 01 0501 03 00 01 0000 02 ff00 00 0000"),
        "temperature=26.1 Cel @1694145223000; history.0.humidity|humidity=null @1694145223000 "
        "bad+device-fault; history.0.humidity_sensor_status|humidity_sensor_status=collection "
        "abnormal");
    lora_part(lora_hex("milesight", "wt201-v2", "20ce c79afa64 0100 d200 ffff c800 64"),
              "target_temperature=21 Cel @1694145223000; history.0.temperature|temperature=20 Cel");
}

static void versions_of_a_device(void **state)
{
    (void)state;
    lora_part(
        lora_hex("milesight", "em320-th-v2", "20ce 9e744663 1001 d201 01"),
        "humidity=46.6 %RH @1665561758000; history.0.record_type|record_type=periodic_report");
    same("milesight", "em320-th-v2", "20ce 9e744663 1001 5d",
         "history.0.timestamp|timestamp=1665561758 @1665561758000; history.0.temperature|"
         "temperature=27.2 Cel @1665561758000; history.0.humidity|humidity=46.5 %RH "
         "@1665561758000");
}

static void values_by_mask_and_kind(void **state)
{
    (void)state;
    same("milesight", "vs121", "04c9 02 03 0005",
         "people_count_all=2; region_count=3; region_1=1; region_2=0; region_3=1");
    same("milesight", "uc300", "ff19 01 02 82 feff ff19 04 04 05 0000c03f",
         "modbus_chn_2=-2; modbus_chn_5=1.5");
    refused("milesight", "uc300", "ff19 01 02 33 feff", "not known");
    same("milesight", "uc300", "20dd 9e744663 02000080 02 2a000000 05 0000c03f",
         "history.0.timestamp|timestamp=1665561758 @1665561758000; history.0.modbus_chn_2|"
         "modbus_chn_2=42 @1665561758000; history.0.modbus_chn_32|modbus_chn_32=1.5 "
         "@1665561758000");
    same("milesight", "uc300", "20dc 9e744663 1400 01 07000000 01",
         "history.0.timestamp|timestamp=1665561758 @1665561758000; history.0.gpio_counter_3|"
         "gpio_counter_3=7 @1665561758000; history.0.gpio_output_1|gpio_output_1=on "
         "@1665561758000");
    same("milesight", "uc502", "800e 08 26 e8030000 02",
         "modbus_chn_2=1000; modbus_chn_2_alarm=value change alarm");
    same("milesight", "uc521", "03f6 01 9b",
         "valve_1_type=3-way ball valve; valve_1_opening=55 "
         "%; valve_1_direction=right");
    same("milesight", "at101", "06d9 01 ffffffffffff c3 02",
         "wifi.0.group=1; wifi.0.mac=ff:ff:ff:ff:ff:ff; wifi.0.rssi=-61 dBm; "
         "wifi.0.motion_status=moving; wifi_scan_result=timeout");
    /* Text that is no UTF-8 is given in hexadecimal. */
    same("milesight", "uc521", "ff2a 02 c328", "custom_message=c328");
    same("milesight", "uc521", "ff2a 02 4f4b", "custom_message=OK");
    /* A channel whose type is any. */
    same("milesight", "uc11xx", "0103 01 01c8 05000000", "gpio_input_1=high; gpio_counter_1=5");
}

static void frames_of_other_kinds(void **state)
{
    (void)state;
    same("milesight", "gs524n", "22 11 5a 03 f6 7a",
         "version=2; protocol=2; type=smoke sensor; event=alarm; battery=90 %; concentration=3 %; "
         "temperature=-10 Cel");
    refused("milesight", "gs524n", "22 11 5a 03 f6 7b", "check sum");
    refused("milesight", "gs524n", "22 11 5a 03 f6", "cut short");
    refused("milesight", "gs524n", "22 11 5a 03 f6 7a 00", "too many");
    const char *head = "02 0001 0067 00 0000 01 30313031 30313130 "
                       "36373439443139303534363930303331 383638353038303634383037333530 "
                       "343630303433323234323133313130 3839383630343132313032323730303632383537 "
                       "09 0016 ";
    char frame[512];
    snprintf(frame, sizeof frame, "%s%s", head,
             "017564 03670b01 04823b01 050001 03670c01 04823c01");
    lora_part(
        lora_hex("milesight", "em400-tld", frame),
        "data.0.battery|battery=100 %; data.0.temperature|temperature=26.7 Cel; data.0.distance|"
        "distance=315 mm; data.0.position|position=tilt; data.1.temperature|temperature=26.8 Cel; "
        "data.1.distance|distance=316 mm");
}

static void refuses_what_it_does_not_know(void **state)
{
    (void)state;
    refused("milesight", "em300-th", "017550 057d0001", "channel 0x05 of type 0x7d (byte 3)");
    refused("milesight", "em300-thx", "017550", "no model 'em300-thx'");
    refused("milesight", "em300-th", "", "empty");
    refused("milesight", "em300-th", "01", "cut short");
    refused("milesight", "em300-th", "0367f0", "cut short");
    refused("milesight", "em300-th", "017550 0367f0", "cut short");
    refused("milesight", "em300-th", "20ce 9e744663 1001 5d", "cut short");
    /* Padding is zeros, and all of it. */
    same("milesight", "ct101", "0498b80b 00000000", "current=30 A");
    refused("milesight", "ct101", "0498b80b 00000001", "channel 0x00");
    refused("milesight", "ct101", "00000000", "empty");
    /* Without a model: what is alike in all, and no states. */
    same("milesight", NULL, "017550 0367f1ff 046801",
         "battery=80 %; temperature=-1.5 Cel; humidity=0.5 %RH");
    refused("milesight", NULL, "050001", "give the device's `model`");
    /* Answers to commands are settings. */
    same("milesight", "em300-th", "fe0358 02 ff8e000a00",
         "report_interval=600 s; setting_8e=000a00");
    static char many[SY_LORA_MAX + 1];
    assert_non_null(
        strstr(lora_decode("milesight", "em300-th", many, sizeof many), "! 2049 bytes"));
}

/* Cut anywhere, a payload is refused or gives fewer readings, never one that was not sent. */
static void cut_anywhere(void **state)
{
    (void)state;
    static const char whole[] = "\x01\x75\x64\x03\x67\x19\x01\x04\x68\x73\x20\xce\x9e\x74\x46\x63"
                                "\x10\x01\x5d\x00";
    char all[1024];
    snprintf(all, sizeof all, "%s", lora_decode("milesight", "em300-th", whole, sizeof whole - 1));
    size_t taken = 0;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        const char *got = lora_decode("milesight", "em300-th", whole, n);
        bool fine = got[0] != '!';
        taken += fine;
        if (fine && strncmp(got, all, strlen(got)) != 0)
            fail_msg("%zu bytes give '%s'", n, got);
        assert_true(strncmp(got, "!!", 2) != 0);
    }
    assert_int_equal(taken, 3); /* after each channel */
}

/* --- Dragino --- */

static void reads_dragino(void **state)
{
    (void)state;
    same("dragino", "lht65n", "cbf6 ff9c 0376 01 7fff 7fff",
         "Bat_status=Good; BatV=3.062 V; TempC_SHT=-1 Cel; Hum_SHT=88.6 %RH; "
         "Ext_sensor=Temperature Sensor; TempC_DS=null bad+device-fault; "
         "TempC_DS_sensor_status=not connected");
    same("lorawan_dragino", "lht65", "cbf6 0b0d 0376 05 0190 0000",
         "Bat_status=3; BatV=3.062 V; TempC_SHT=28.29 Cel; Hum_SHT=88.6 %RH; "
         "Work_mode=Illumination Sensor; ILL_lx=400 lx");
    /* With its own time. */
    same("dragino", "lht65n", "0add 0b0d c376 09 6346749e",
         "TempC_DS=27.81 Cel @1665561758000; Bat_status=3 @1665561758000; TempC_SHT=28.29 Cel "
         "@1665561758000; Hum_SHT=88.6 %RH @1665561758000; Work_mode=DS18B20 & timestamp "
         "@1665561758000; Systimestamp=1665561758 @1665561758000");
    same("dragino", "lds02", "8bb8 01 00000a 000005 01",
         "BAT_V=3 V; DOOR_OPEN_STATUS=1; MOD=1; DOOR_OPEN_TIMES=10; LAST_DOOR_OPEN_DURATION=5 "
         "min; ALARM=1");
    same("dragino", "lwl02", "4bb8 02 000001 000002 00",
         "BAT_V=3 V; WATER_LEAK_STATUS=1; MOD=2; WATER_LEAK_TIMES=1; LAST_WATER_LEAK_DURATION=2 "
         "min");
    same("dragino", "lds03a", "03 000002 000003 6346749e",
         "TDC=NO @1665561758000; ALARM=TRUE @1665561758000; DOOR_OPEN_STATUS=OPEN "
         "@1665561758000; DOOR_OPEN_TIMES=2 @1665561758000; LAST_DOOR_OPEN_DURATION=3 min "
         "@1665561758000; TIME=1665561758 @1665561758000");
    lora_part(lora_hex("dragino", "lds03a", "03 000002 000003 6346749e 01 000004 000005"),
              "DOOR2_OPEN_STATUS=OPEN @1665561758000; DOOR2_OPEN_TIMES=4");
    same("dragino", "lsn50v2", "0ce4 00f0 01f4 00 00e1 0226",
         "Digital_IStatus=L; EXTI_Trigger=FALSE; Door_status=OPEN; Work_mode=IIC; BatV=3.3 V; "
         "TempC1=24 Cel; ADC_CH0V=0.5 V; TempC_SHT=22.5 Cel; Hum_SHT=55 %RH");
    lora_part(lora_hex("dragino", "lsn50", "0ce4 00f0 01f4 00 00e1 0000"), "Illum=225 lx");
    lora_part(lora_hex("dragino", "lsn50", "0ce4 7fff 01f4 0c ff9c 7fff"),
              "TempC1=null bad+device-fault; TempC1_sensor_status=not connected; ADC_CH0V=0.5 V; "
              "TempC2=-10 Cel; TempC3=null bad+device-fault");
    lora_part(lora_hex("dragino", "lsn50", "0ce4 00f0 01f4 14 00010002"), "Work_mode=1Count; ");
    lora_part(lora_hex("dragino", "lsn50", "0ce4 00f0 01f4 10 0002 0001"), "Weight=65538 g");
    lora_part(lora_hex("dragino", "lsn50", "0ce4 00f0 01f4 98 10 01 0000"),
              "EXTI1_Status=CLOSE; EXTI2_Trigger=TRUE; EXTI2_Status=OPEN; EXTI3_Trigger=FALSE; "
              "EXTI3_Status=CLOSE");
    same("dragino", "ldds75", "0ce4 0bb8 00 00fa 01",
         "Bat=3.3 V; Distance=3000 mm; Interrupt_flag=0; TempC_DS18B20=25 Cel; Sensor_flag=1");
    lora_part(lora_hex("dragino", "ldds75", "0ce4 0000 00 00fa 01"),
              "Distance=null bad+device-fault");
    same("dragino", "lse01", "0cd0 0000 033f 0714 189c 01",
         "BatV=3.28 V; temp_DS18B20=0 Cel; water_SOIL=8.31 %; temp_SOIL=18.12 Cel; "
         "conduct_SOIL=6300 uS/cm; s_flag=0; i_flag=1; Mod=0");
    lora_part(
        lora_hex("dragino", "lsn50v2-s31", "0ce4 6346749e 80 ff9c 01f4"),
        "Door_status=CLOSE @1665561758000; TempC_SHT31=-10 Cel @1665561758000; Hum_SHT31=50 %RH");
    refused("dragino", "lht65", "cbf60b0d0376010add7f", "cut short");
    refused("dragino", "lht65", "cbf60b0d0376010add7fff00", "too many");
    refused("dragino", "lht99", "cbf60b0d0376010add7fff", "no model");
}

/* --- Elsys, Cayenne: what test_format_devices.c does not have --- */

static void reads_all_types_of_elsys(void **state)
{
    (void)state;
    same("elsys", NULL, "09 40420f a8d3ed", "lat=100 lat; long=-119.1 lon");
    same("elsys", NULL, "15 3c 28 14 000f7314 1b fffffffe 1c 0064",
         "soundPeak=60 dB; soundAvg=40 dB; pressure=1012.5 hPa; analogUv=-2; tvoc=100 ppb");
    same("elsys", NULL, "10 00fa ff38 0f 02 11 02 1a 01",
         "irInternalTemperature=25 Cel; irExternalTemperature=-20 Cel; accMotion=2; occupancy=2; "
         "digital2=1");
    same("elsys", NULL, "19 0064 19 006e 19 ff9c 0b 00010000 17 00000005",
         "externalTemperature2=10 Cel; externalTemperature2.1=11 Cel; externalTemperature2.2=-10 "
         "Cel; pulseAbs=65536; pulseAbs2=5");
    same("elsys", NULL, "22 00d2 24 37 1d 05 3b 02 aabb 3d 00000001",
         "setpoint=21 Cel; externalHumidity=55 %RH; iaq=5; debug=1");
    same("elsys", "ers-co2", "06 01f4 3e 0102030405", "co2=500 ppm");
    same("elsys", NULL, "3e 0102", "");
    refused("elsys", NULL, "3b 03 aabb", "cut short");
    refused("elsys", NULL, "13 14 0102", "cut short");
    char eye[200] = "13 14 ";
    for (int i = 0; i < 64; i++)
        memcpy(eye + 6 + 2 * (size_t)i, i == 63 ? "0f" : "00", 3);
    lora_part(lora_hex("elsys", NULL, eye), "grideye.62=20 Cel; grideye.63=21.5 Cel");
}

static void reads_all_types_of_cayenne(void **state)
{
    (void)state;
    same("cayenne", NULL, "01 85 5f5e1000 02 87 ff8000 03 8e 01 04 7d 01f4 05 84 005a",
         "time_1=1600000000 s; colour_r_2=255; colour_g_2=128; colour_b_2=0; switch_3=1; "
         "concentration_4=500 ppm; direction_5=90 deg");
    same("cayenne", NULL, "01 86 ff9c 0064 0000 02 82 000003e8 03 83 000003e8 04 76 000f4240",
         "gyrometer_x_1=-1; gyrometer_y_1=1; gyrometer_z_1=0; distance_2=1 m; energy_3=1 kWh; "
         "frequency_4=1000000 Hz");
    same("cayenne", NULL, "01 64 00000007 02 66 01 03 78 32 04 79 ff9c 05 74 014a 06 75 01f4",
         "generic_1=7; presence_2=1; percentage_3=50 %; altitude_4=-100 m; voltage_5=3.3 V; "
         "current_6=0.5 A");
    refused("cayenne", NULL, "01 87 ff80", "cut short");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_well_formed),
        cmocka_unit_test(models_are_in_the_manual),
        cmocka_unit_test(reads_channels),
        cmocka_unit_test(reads_alarms),
        cmocka_unit_test(a_failed_sensor_has_no_value),
        cmocka_unit_test(history_has_its_own_time),
        cmocka_unit_test(versions_of_a_device),
        cmocka_unit_test(values_by_mask_and_kind),
        cmocka_unit_test(frames_of_other_kinds),
        cmocka_unit_test(refuses_what_it_does_not_know),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(reads_dragino),
        cmocka_unit_test(reads_all_types_of_elsys),
        cmocka_unit_test(reads_all_types_of_cayenne),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
