/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dragino's LoRaWAN devices: fixed layouts, big-endian, by model and FPort (2 readings, 3 what was
 * logged, 5 status), after Dragino's user manuals; notation in lorawan_table.h. Names and words are
 * those of Dragino's documentation. 0x7fff is a probe that is not there.
 */
#include "drivers/formats/all.h"
#include "drivers/formats/lorawan_table.h"

#define R(channel, items) channel " " items "\n"
#define NO_PROBE          "!7fff=not connected"
#define STATUS                                                                                     \
    R("--05", "SENSOR_MODEL:u1;FIRMWARE_VERSION:h2;FREQUENCY_BAND:u1;SUB_BAND:u1;BAT:U2/1000 V")
#define STATUS_OLD R("--05", "FREQUENCY_BAND:u1;SUB_BAND:u1;FIRMWARE_VERSION:h2;TDC_sec:U3 s")

/* LHT65: battery and the sensor inside, then what the external sensor is and says. Bit 7 of that
 * byte: the external sensor is not there. */
#define LHT_INSIDE "TempC_SHT:I2/100 Cel" NO_PROBE ";:U2;Hum_SHT:@0.12/10 %RH"
#define LHT_OUTSIDE                                                                                \
    "<0:Ext_sensor:c{No external sensor};+4>;"                                                     \
    "<1:Ext_sensor:c{Temperature Sensor};TempC_DS:I2/100 Cel" NO_PROBE ";+2>;"                     \
    "<2:Ext_sensor:c{Temperature Sensor};TempC_TMP117:I2/100 Cel" NO_PROBE ";+2>;"                 \
    "<4:Work_mode:c{Interrupt Sensor send};Exti_pin_level:u1{Low|*=High};"                         \
    "Exti_status:u1{False|*=True};+2>;"                                                            \
    "<5:Work_mode:c{Illumination Sensor};ILL_lx:U2 lx;+2>;"                                        \
    "<6:Work_mode:c{ADC Sensor};ADC_V:U2/1000 V;+2>;"                                              \
    "<7:Work_mode:c{Interrupt Sensor count};Exit_count:U2;+2>;"                                    \
    "<8:Work_mode:c{Interrupt Sensor count};Exit_count:U4>;"                                       \
    "<9:Work_mode:c{DS18B20 & timestamp};Systimestamp:U4>;"                                        \
    "<10:Work_mode:c{TMP117 & timestamp};Systimestamp:U4>;"                                        \
    "<11:Work_mode:c{SHT31 Sensor};Ext_TempC_SHT:I2/100 Cel" NO_PROBE                              \
    ";:U2;Ext_Hum_SHT:@0.12/10 %RH>;<*:+4>"
#define LHT_NOW(words)                                                                             \
    ":Q6;?:@0.4;<9:t7;TempC_DS:I2/100 Cel" NO_PROBE ";:Q2;Bat_status:@6.2>;"                       \
    "<10:t7;TempC_TMP117:I2/100 Cel" NO_PROBE ";:Q2;Bat_status:@6.2>;<*:"                          \
    ":U2;Bat_status:@14.2" words ";BatV:@0.14/1000 V>;" LHT_INSIDE ";:u1;?:@0.4;" LHT_OUTSIDE
/* A line of the log: the external value, the inside ones, the kind, the time. */
#define LHT_LOG                                                                                    \
    "%T7;:Q6;?:@0.4;<1,9:TempC_DS:I2/100 Cel" NO_PROBE ">;<2,10:TempC_TMP117:I2/100 Cel" NO_PROBE  \
    ">;<5:ILL_lx:U2 lx>;<6:ADC_V:U2/1000 V>;<7,8,14:Exit_count:U2>;<11,12:Ext_TempC_SHT:I2/100 "   \
    "Cel" NO_PROBE ">;<*:+2>;" LHT_INSIDE ";+5%"
#define LHT52                                                                                      \
    "TempC_SHT:I2/100 Cel" NO_PROBE ";Hum_SHT:I2/10 %RH;TempC_DS:I2/100 Cel" NO_PROBE ";Ext:u1;"

/* Doors and leaks. */
#define CONTACT_DOOR "DOOR_OPEN_STATUS:@15.1"
#define CONTACT_LEAK "WATER_LEAK_STATUS:@14.1"
#define CONTACT                                                                                    \
    "?:Q2;:U2;BAT_V:@0.14/1000 V;<1:" CONTACT_DOOR ">;<2:" CONTACT_LEAK ">;<*:" CONTACT_DOOR       \
    ";" CONTACT_LEAK ">;MOD:u1;<1:DOOR_OPEN_TIMES:U3;LAST_DOOR_OPEN_DURATION:U3 min;:u1;"          \
    "ALARM:@0.1>;<2:WATER_LEAK_TIMES:U3;LAST_WATER_LEAK_DURATION:U3 min;+1>;"                      \
    "<*:+6;:u1;ALARM:@0.1>"
#define EVENT_STATE(alarm) ":u1;TDC:@2.1{NO|YES};" alarm ":@1.1{FALSE|TRUE};"
#define DOOR(n)                                                                                    \
    "DOOR" n "_OPEN_STATUS:@0.1{CLOSE|OPEN};DOOR" n "_OPEN_TIMES:U3;LAST_DOOR" n                   \
    "_OPEN_DURATION:U3 min"
#define LEAK                                                                                       \
    "WATER_LEAK_STATUS:@0.1{NO LEAK|LEAK};WATER_LEAK_TIMES:U3;LAST_WATER_LEAK_DURATION:U3 min"
#define SECOND_DOOR ":u1;ALARM2:@1.1{FALSE|TRUE};" DOOR("2")

/* LSN50: seven bytes that are alike, then by the mode in bits 2 to 6 of the seventh. */
#define LSN_CONTACTS ":Q6;EXTI_Trigger:@0.1{FALSE|TRUE};Door_status:@7.1{OPEN|CLOSE}"
#define LSN_INPUT    "Digital_IStatus:@1.1{L|H}"
#define LSN_TEMP(n)  "TempC" n ":I2/10 Cel" NO_PROBE
/* Light where the last two bytes are 0, else temperature and humidity. */
#define LSN_BUS                                                                                    \
    ":P4;?:@16.16;<0:Illum:U2 lx;+2>;<*:TempC_SHT:I2/10 Cel!7fff=not connected"                    \
    "!ffff=not connected;Hum_SHT:U2/10 %RH!ffff=not connected>"
#define LSN_THREE "BatV:U2/1000 V;" LSN_TEMP("1") ";ADC_CH0V:U2/1000 V;"
#define LSN_HEAD  LSN_THREE "+1;"
#define LSN_EXTI(n, status, trigger)                                                               \
    "EXTI" n "_Trigger:@" trigger ".1{FALSE|TRUE};EXTI" n "_Status:@" status ".1{OPEN|CLOSE}"
#define LSN                                                                                        \
    ":Q6;" LSN_INPUT ";?:@2.5;<0,1,2,3,4,7,8:" LSN_CONTACTS ">;"                                   \
    "<0:Work_mode:c{IIC};" LSN_HEAD LSN_BUS ">;"                                                   \
    "<1:Work_mode:c{Distance};" LSN_HEAD "Distance_cm:U2/10 cm!0=no echo;"                         \
    "Distance_signal_strength:U2!ffff=not connected>;"                                             \
    "<2:Work_mode:c{3ADC+IIC};ADC_CH0V:U2/1000 V;ADC_CH1V:U2/1000 V;ADC_CH4V:U2/1000 "             \
    "V;+1;" LSN_BUS ";BatV:u1/10 V>;"                                                              \
    "<3:Work_mode:c{3DS18B20};" LSN_HEAD LSN_TEMP("2") ";" LSN_TEMP(                               \
        "3") ">;"                                                                                  \
             "<4:Work_mode:c{Weight};" LSN_HEAD "Weight:W4 g>;"                                    \
             "<5:Work_mode:c{1Count};" LSN_HEAD "Count:U4>;"                                       \
             "<6:Work_mode:c{3Interrupt};" LSN_THREE                                               \
             ":u1;" LSN_EXTI("1", "7", "0") ";:u1;" LSN_EXTI("2", "0", "4") ";:u1;" LSN_EXTI(      \
                 "3", "0",                                                                         \
                 "4") ";+2>;"                                                                      \
                      "<7:Work_mode:c{3ADC+1DS18B20};" LSN_HEAD                                    \
                      "ADC_CH1V:U2/1000 V;ADC_CH4V:U2/1000 V>;"                                    \
                      "<8:Work_mode:c{3DS18B20+2Count};BatV:U2/1000 V;" LSN_TEMP(                  \
                          "1") ";" LSN_TEMP("2") ";+1;" LSN_TEMP("3") ";Count1:U4;Count2:U4>"

/* S31: its clock, then the outer sensor; mode 31 answers with the alarm limits. */
#define S31_VALUES "TempC_SHT31:I2/10 Cel" NO_PROBE ";Hum_SHT31:U2/10 %RH"
#define S31                                                                                        \
    ":Q6;?:@2.5;<31:+7;SHTEMP_MIN:i1 Cel;SHTEMP_MAX:i1 Cel;SHHUM_MIN:u1 %RH;SHHUM_MAX:u1 %RH>;"    \
    "<*:t2;BatV:U2/1000 V;Data_time:U4;:u1;EXTI_Trigger:@0.1{FALSE|TRUE};"                         \
    "Door_status:@7.1{OPEN|CLOSE};" S31_VALUES ">"
/* D20, D22, D23: up to three DS18B20. */
#define D2X                                                                                        \
    ":Q6;?:@2.5;<31:+4;TEMPC1_MIN:i1 Cel;TEMPC1_MAX:i1 Cel;+1;TEMPC2_MIN:i1 Cel;TEMPC2_MAX:i1 "    \
    "Cel;TEMPC3_MIN:i1 Cel;TEMPC3_MAX:i1 Cel>;<*:BatV:U2/1000 V;" LSN_TEMP(                        \
        "1") ";+2;:u1;"                                                                            \
             "EXTI_Trigger:@0.1{FALSE|TRUE};Door_status:@7.1{OPEN|CLOSE};" LSN_TEMP(               \
                 "2") ";" LSN_TEMP("3") ">"
#define D2X_LOG "%T7;" LSN_TEMP("1") ";" LSN_TEMP("2") ";" LSN_TEMP("3") ";+5%"

#define DISTANCE_TAIL ";Interrupt_flag:u1;TempC_DS18B20:I2/10 Cel" NO_PROBE ";Sensor_flag:u1"
#define DISTANCE      ":U2;Bat:@0.14/1000 V;Distance:U2 mm!0=no sensor"
#define DISTANCE_LOG                                                                               \
    "%T7;:U2;Bat:@0.14/1000 V;Distance:U2 mm!0=no sensor;TempC_DS18B20:I2/10 Cel" NO_PROBE ";+5%"
#define SOIL                                                                                       \
    ":U2;BatV:@0.14/1000 V;temp_DS18B20:I2/10 Cel" NO_PROBE ";:Q6;?:@7.1;"                         \
    "<0:water_SOIL:U2/100 %;temp_SOIL:I2/100 Cel;conduct_SOIL:U2 uS/cm>;"                          \
    "<1:Soil_dielectric_constant:U2/10;Raw_water_SOIL:U2;Raw_conduct_SOIL:U2>;"                    \
    ":u1;s_flag:@4.1;i_flag:@0.4;Mod:@7.1"
#define SOIL_PH                                                                                    \
    ":U2;Bat:@0.14/1000 V;TempC_DS18B20:I2/10 Cel" NO_PROBE ";PH1_SOIL:U2/100;"                    \
    "TEMP_SOIL:I2/10 Cel;Interrupt_flag:u1;+1;Message_type:u1"
#define COUPLE_LOW(divisor)                                                                        \
    "Temp_Channel1:I2/" divisor " Cel" NO_PROBE ";Temp_Channel2:I2/" divisor " Cel" NO_PROBE
#define COUPLE                                                                                     \
    "t7;:U2;BatV:@0.14/1000 V;:u1;Ext:@0.4;?:@0.4;<1:" COUPLE_LOW("100") ">;<2:" COUPLE_LOW(       \
        "10") ">;<3:Res_Channel1:U2/100 Ohm;Res_Channel2:U2/100 Ohm>;<*:+4>;Systimestamp:U4"

#define LHT_TABLE(words) R("----", LHT_NOW(words)) R("--03", LHT_LOG) STATUS
#define LHT_WORDS        "{Ultra Low|Low|OK|Good}"
#define CONTACT_TABLE    R("----", CONTACT)
#define DISTANCE_TABLE   R("----", DISTANCE DISTANCE_TAIL)
#define DISTANCE_LB                                                                                \
    DISTANCE_TABLE R("--03", DISTANCE_LOG)                                                         \
    STATUS
static const sy_lt_model models[] = {
    {"lht65", {LHT_TABLE(""), NULL}},
    {"lht65n", {LHT_TABLE(LHT_WORDS), NULL}},
    {"lht65s", {LHT_TABLE(LHT_WORDS), NULL}},
    {"lht52",
     {R("----", "t7;" LHT52 "Systimestamp:U4") R("--03", "%T7;" LHT52 "+4%")
          R("--04", "DS18B20_ID:h8") STATUS,
      NULL}},
    {"lds01", {CONTACT_TABLE, NULL}},
    {"lds02", {CONTACT_TABLE, NULL}},
    {"lwl01", {CONTACT_TABLE, NULL}},
    {"lwl02", {CONTACT_TABLE, NULL}},
    {"lds03a",
     {R("----", "t7;" EVENT_STATE("ALARM") "DOOR_OPEN_STATUS:@0.1{CLOSE|OPEN};DOOR_OPEN_TIMES:U3;"
                                           "LAST_DOOR_OPEN_DURATION:U3 min;TIME:U4")
          R("----", "t7;" EVENT_STATE("ALARM1") DOOR("1") ";TIME:U4;" SECOND_DOOR)
              R("--03", "%T7;:u1;ALARM:@1.1{FALSE|TRUE};DOOR_OPEN_STATUS:@0.1{CLOSE|OPEN};"
                        "DOOR_OPEN_TIMES:U3;LAST_DOOR_OPEN_DURATION:U3 min;+4%") STATUS,
      NULL}},
    {"lwl03a",
     {R("----", "t7;" EVENT_STATE("ALARM") LEAK ";TIME:U4")
          R("--03", "%T7;:u1;ALARM:@1.1{FALSE|TRUE};" LEAK ";+4%") STATUS,
      NULL}},
    {"lsn50", {R("----", LSN) STATUS_OLD, NULL}},
    {"lsn50v2", {R("----", LSN) STATUS_OLD, NULL}},
    {"lsn50v2-s31", {R("----", S31) R("--03", "%T7;+3;" S31_VALUES ";+4%") STATUS_OLD, NULL}},
    {"lsn50v2-d20", {R("----", D2X) STATUS_OLD, NULL}},
    {"s31-lb", {R("----", S31) R("--03", "%T7;+2;" S31_VALUES ";+5%") STATUS, NULL}},
    {"s31b-lb", {R("----", S31) R("--03", "%T7;+2;" S31_VALUES ";+5%") STATUS, NULL}},
    {"d20-lb", {R("----", D2X) R("--03", D2X_LOG) STATUS, NULL}},
    {"d22-lb", {R("----", D2X) R("--03", D2X_LOG) STATUS, NULL}},
    {"d23-lb", {R("----", D2X) R("--03", D2X_LOG) STATUS, NULL}},
    {"ldds20", {DISTANCE_TABLE, NULL}},
    {"ldds45", {DISTANCE_TABLE, NULL}},
    {"ldds75", {DISTANCE_TABLE, NULL}},
    {"dds20-lb", {DISTANCE_LB, NULL}},
    {"dds45-lb", {DISTANCE_LB, NULL}},
    {"dds75-lb", {DISTANCE_LB, NULL}},
    {"lse01", {R("----", SOIL), NULL}},
    {"se01-lb", {R("----", SOIL) STATUS, NULL}},
    {"lsph01", {R("----", SOIL_PH), NULL}},
    {"ltc2", {R("----", COUPLE), NULL}},
    {NULL, {NULL, NULL}}};

/* Without a model: the sensor for rooms and refrigerators, their most common one. */
static const sy_lt_model any = {"without a model", {LHT_TABLE(""), NULL}};
const sy_lt_maker sy_lt_dragino = {"Dragino", models, &any, "", false};

const char *sy_dragino_model(size_t i)
{
    return models[i].name;
}

sy_err sy_dragino_fill(sy_records *l, const sy_lora *u, sy_span bytes, sy_fail *f)
{
    return sy_lt_read(&sy_lt_dragino, l, u, bytes, f);
}

static sy_err decode(sy_span payload, const sy_device *map, sy_record_fn sink, void *ctx,
                     sy_fail *f)
{
    return sy_lora_decode(sy_dragino_fill, payload, map, sink, ctx, f);
}

/* Any few bytes may look like it: it is named, never found. */
const sy_format sy_format_dragino = {"dragino", 0xffff, decode, NULL, NULL};
