/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channels of Milesight's LoRaWAN devices, one table a model, notation in lorawan_table.h,
 * after the uplink tables of Milesight's user guides. Words and names of readings are those that
 * Milesight's documentation shows for the model, which differ from model to model.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/lorawan_table.h"

#define R(channel, items)      channel " " items "\n"
#define MODEL(name, ...)       {name, {__VA_ARGS__}},
#define WORDS_ALARM            "{threshold alarm release|threshold alarm|mutation alarm}"
#define WORDS_ALARM_UNDERSCORE "{threshold_alarm_release|threshold_alarm|mutation_alarm}"
#define OFF_ON                 "{off|on}"
#define NO_YES                 "{no|yes}"
#define DISABLE_ENABLE         "{disable|enable}"
#define BATTERY                R("0175", "battery:u1 %")
#define TEMPERATURE            "temperature:i2/10 Cel"
#define HUMIDITY               "humidity:u1/2 %RH"
#define CLIMATE                BATTERY R("0367", TEMPERATURE) R("0468", HUMIDITY)
#define LEAK                   "leakage_status:u1{normal|leak}"
#define POSITION               "position:u1{normal|tilt}"

static const char common[] =
    R("ff01", "ipso_version:p1") R("ff08", "sn:h6") R("ff09", "hardware_version:w2")
        R("ff0a", "firmware_version:x2") R("ff0b", "device_status:u1{off|*=on}")
            R("ff0f", "lorawan_class:u1{Class A|Class B|Class C|Class CtoB}") R("ff16", "sn:h8")
                R("fffe", "reset_event:u1{*=reset}") R("ffff", "tsl_version:t2")
    /* Answers to commands: settings, by the number of the command. */
    R("fe02", "collection_interval:u2 s") R("fe03", "report_interval:u2 s") R(
        "fe04", "setting_04:h1") R("fe06", "setting_06:h9") R("fe10", "setting_10:h1")
        R("fe11", "setting_11:h4") R("fe17", "setting_17:h2") R("fe1a", "setting_1a:h4") R(
            "fe1c", "setting_1c:h2") R("fe1e", "setting_1e:h4") R("fe22", "setting_22:h4")
            R("fe23", "setting_23:h2") R("fe24", "setting_24:h2") R("fe25", "setting_25:h2") R(
                "fe25", "setting_25:h1") R("fe26", "setting_26:h1") R("fe27", "setting_27:h1")
                R("fe28", "setting_28:h1") R("fe2c", "setting_2c:h1") R("fe2d", "setting_2d:h1") R(
                    "fe2e", "setting_2e:h1") R("fe2f", "setting_2f:h1")
                    R("fe30", "setting_30:h2") R("fe35", "setting_35:h8") R("fe3a", "setting_3a:h2")
                        R("fe3a", "setting_3a:h7") R("fe3b", "setting_3b:h1") R(
                            "fe3c", "setting_3c:h1") R("fe3d",
                                                       "setting_3d:h1") R("fe3e", "setting_3e:h1")
                            R("fe40", "setting_40:h1") R("fe41", "setting_41:h1") R(
                                "fe42",
                                "setting_42:h1") R("fe43",
                                                   "setting_43:h1") R("fe44", "setting_44:h1")
                                R("fe45", "setting_45:h1") R("fe4a", "setting_4a:h1") R(
                                    "fe4e",
                                    "setting_4e:h2") R("fe56",
                                                       "setting_56:h1") R("fe57", "setting_57:h1")
                                    R("fe59", "setting_59:h1") R("fe5e", "setting_5e:h1") R(
                                        "fe62",
                                        "setting_62:h1") R("fe65", "setting_65:h2")
                                        R("fe66", "setting_66:h1") R("fe68", "setting_68:h1") R(
                                            "fe69",
                                            "setting_69:h1") R("fe6a", "setting_6a:h3")
                                            R("fe6d", "setting_6d:h1") R("fe70", "setting_70:h2") R(
                                                "fe71",
                                                "setting_71:h1") R("fe79", "setting_79:h6")
                                                R("fe7e", "setting_7e:h5") R(
                                                    "fe84",
                                                    "setting_84:h1") R("fe87", "setting_87:h3")
                                                    R("fe8e", "setting_8e:h3") R(
                                                        "fe91",
                                                        "setting_91:h5") R("fe95", "setting_95:h2")
                                                        R("fe96", "setting_96:h8") R(
                                                            "fea6",
                                                            "setting_a6:h1") R("fea8",
                                                                               "setting_a8:h1")
                                                            R("fea9", "setting_a9:h1") R(
                                                                "feab",
                                                                "setting_ab:h3") R("febd",
                                                                                   "setting_bd:h2")
                                                                R("feea", "setting_ea:h3") R(
                                                                    "feeb", "setting_eb:h1")
                                                                    R("fef0", "setting_f0:h4") R(
                                                                        "fef1", "setting_f1:h4")
                                                                        R("fef2", "setting_f2:h2")
                                                                            R("fef4",
                                                                              "setting_f4:h1")
                                                                                R("fef5",
                                                                                  "setting_f5:h1");

/* Without a model: what the same channel means in most models and whose length is the same in all.
 * A state on a channel of type 0 means another thing in each model, and is refused. */
static const sy_lt_model any = {
    "without a model",
    {CLIMATE R("0267", TEMPERATURE) R("0268", HUMIDITY) R("0368", HUMIDITY)
         R("0382", "distance:u2 mm") R("0482", "distance:u2 mm") R("037b", "pressure:i2 kPa")
             R("0377", "depth:u2 cm") R("0394", "illumination:u4 lx") R("0374", "voltage:u2/10 V")
                 R("0480", "active_power:u4 W") R("0581", "power_factor:u1 %") R(
                     "0683", "power_consumption:u4 Wh") R("07c9", "current:u2 mA") R("056a",
                                                                                     "activity:u2")
                     R("057d", "co2:u2 ppm") R("057f", "ec:u2 uS/cm") R("05c8", "pulse:u4")
                         R("0665", "illumination:u2 lx;infrared_and_visible:u2;infrared:u2")
                             R("0673", "pressure:u2/10 hPa") R("06cb", "light_level:u1")
                                 R("077d", "co2:u2 ppm") R("087d", "tvoc:u2/100")
                                     R("0973", "pressure:u2/10 hPa") R("0a7d", "hcho:u2/100 mg/m3")
                                         R("0b7d", "pm2_5:u2 ug/m3") R("0c7d", "pm10:u2 ug/m3")
                                             R("0d7d", "o3:u2/100 ppm")
                                                 R("8367", TEMPERATURE
                                                   ";temperature_alarm:u1" WORDS_ALARM)}};

static const sy_lt_model models[] = {
#include "drivers/formats/milesight_air.def"
#include "drivers/formats/milesight_meter.def"
#include "drivers/formats/milesight_people.def"
#include "drivers/formats/milesight_probe.def"
#include "drivers/formats/milesight_room.def"
    {NULL, {NULL, NULL}}};

const sy_lt_maker sy_lt_milesight = {"Milesight", models, &any, common, true};

const char *sy_milesight_model(size_t i)
{
    return models[i].name;
}

sy_err sy_milesight_fill(sy_records *l, const sy_lora *u, sy_span bytes, sy_fail *f)
{
    return sy_lt_read(&sy_lt_milesight, l, u, bytes, f);
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    return sy_lora_decode(sy_milesight_fill, payload, map, sink, ctx, f);
}

/* Any few bytes may look like it: it is named, never found. */
const sy_format sy_format_milesight = {"milesight", 0xffff, decode, NULL, NULL};
