/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule language, whole: for each thing that can be wrong with a construct that takes more than
 * one comparison, a text, the code that is reported, and its place. One error each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "rules_rig.h"

#define HEAD                                                                                       \
    "rule T-1 version 1 \"t\"\n  basis \"b\" law\n  watch each nozzle: temperature, "              \
    "core-temperature, door, fan, cooling, fume, noise, ph, flow, refuel\n"
#define DOOR   "alert serious when door is open\n"
#define REFUEL "count refuel daily only when fuel-volume above 15 L\n"

/* The text stays until the next one: places point into it. */
static void load(rig *r, const char *clauses)
{
    static char text[2048];
    snprintf(text, sizeof text, HEAD "%s\nend\n", clauses);
    rig_text(r, text);
}

typedef struct wrong {
    const char *text; /* from line 4 on, inside a rule */
    const char *code;
    unsigned line, column;
} wrong;

static const wrong errors[] = {
    /* aggregates */
    {"alert serious when rate of temperature above 5 K/h [law]", "bad-window", 4, 20},
    {"alert serious when percentile 95 of noise above 5 dB(A) [law]", "bad-window", 4, 20},
    {"alert serious when mean kinetic temperature of temperature above 5 °C [law]", "bad-window", 4,
     20},
    {"alert serious when hourly mean of fume over 1 h above 2 mg/m3 [law]", "bad-window", 4, 45},
    {"alert serious when mean of fume (valid at least 75 %) above 2 mg/m3 [law]", "bad-window", 4,
     49},
    {"alert serious when mean of fume while fan is on above 2 mg/m3 [law]", "bad-window", 4, 39},
    {"alert serious when mean of fume over 1 h (valid at least 120 %) above 2 mg/m3 [law]",
     "bad-part", 4, 58},
    {"alert serious when mean of fume over 1 h (valid at least 5 min) above 2 mg/m3 [law]",
     "unit-mismatch", 4, 58},
    {"alert serious when mean of fume over 1 °C above 2 mg/m3 [law]", "unit-mismatch", 4, 38},
    {"alert serious when mean of fume over 1 h while temperature is on above 2 mg/m3 [law]",
     "wrong-kind", 4, 48},
    {"alert serious when mean of fume over 1 h while fan is fast above 2 mg/m3 [law]",
     "unknown-value", 4, 55},
    {"alert serious when mean of fume over 1 h while defrost is on above 2 mg/m3 [law]",
     "not-watched", 4, 48},
    {"alert serious when mean of door over 1 h above 2 mg/m3 [law]", "wrong-kind", 4, 28},
    {"alert serious when mean of humidity over 1 h above 2 %RH [law]", "not-watched", 4, 28},
    {"alert serious when mean of fume over 1 h above 2 °C [law]", "unit-mismatch", 4, 48},
    {"alert serious when mean of fume over 1 h above 2 mg/m3", "no-mark", 4, 48},
    {"alert serious when mean of fume over 1 h is on", "wrong-kind", 4, 20},
    {"alert serious when mean of fume over 1 h has no data", "wrong-kind", 4, 20},
    {"alert serious when any of mean of fume over 1 h above 2 mg/m3 [law]", "syntax", 4, 20},
    {"alert serious when spread of temperature above 3 °C [law]", "unit-mismatch", 4, 48},
    {"alert serious when rate of temperature over 1 h above 3 K [law]", "unit-mismatch", 4, 55},
    {"alert serious when rate of temperature over 1 h above 3 ppm/h [law]", "unit-mismatch", 4, 55},
    {"alert serious when temperature above 3 °C/h [law]", "unit-mismatch", 4, 38},
    {"alert serious when percentile 100 of noise over 1 h above 5 dB(A) [law]", "bad-count", 4, 31},
    {"alert serious when percentile of noise over 1 h above 5 dB(A) [law]", "syntax", 4, 34},
    {"alert serious when sound level mean of temperature over 1 h above 5 °C [law]",
     "unit-mismatch", 4, 40},
    {"alert serious when mean kinetic temperature of fume over 1 h above 5 mg/m3 [law]",
     "unit-mismatch", 4, 48},
    /* calendar windows */
    {"alert serious when hourly mean of fume above 2 mg/m3 [law] for 1 h", "calendar-hold", 4, 60},
    {"alert serious when hourly mean of fume above 2 mg/m3 [law]\n"
     "except while door open, each at most 5 min, daily at most 8 times",
     "calendar-hold", 5, 1},
    {"alert serious when (door is open and daily mean of fume above 2 mg/m3 [law]) cumulative 1 h "
     "in any 5 h",
     "calendar-hold", 4, 78},
    {"alert serious when hourly mean of fume above 2 mg/m3 [law] followed by door is open within "
     "5 min",
     "calendar-hold", 4, 20},
    /* holds */
    {"alert serious when temperature has no data cumulative 2 h in any 24 h", "bad-hold", 4, 44},
    {"alert serious when door is open cumulative 2 h in any 1 h", "reversed", 4, 33},
    {"alert serious when door is open cumulative 2 h", "syntax", 4, 47},
    {"alert serious when door is open in 3 of 5 readings", "bad-hold", 4, 33},
    {"alert serious when any of temperature above 8 °C [law] in 3 of 5 readings", "bad-hold", 4,
     56},
    {"alert serious when ph above 8 [law] in 6 of 5 readings", "bad-hold", 4, 37},
    {"alert serious when ph above 8 [law] in 6 of 65 readings", "bad-count", 4, 45},
    {"alert serious when ph above 8 [law] in 0 of 5 readings", "bad-count", 4, 40},
    {"alert serious when ph above 8 [law] and ph below 9 [law] in 3 of 5 readings",
     "ambiguous-hold", 4, 58},
    {"alert serious when ph above 8 [law] for 5 min cumulative 2 h in any 3 h", "syntax", 4, 47},
    /* beyond doubt */
    {"alert serious when mean of ph over 1 h above 8 [law] beyond doubt", "beyond-doubt", 4, 20},
    {"alert serious when door is open beyond doubt", "beyond-doubt", 4, 20},
    {"alert serious when ph beyond doubt above 8 [law] beyond doubt", "syntax", 4, 50},
    /* let */
    {"let x = temperature + fume\n" DOOR, "unit-mismatch", 4, 9},
    {"let x = temperature * fume\n" DOOR, "unit-mismatch", 4, 9},
    {"let x = flow / fume\n" DOOR, "unit-mismatch", 4, 9},
    {"let x = 2 / fume\n" DOOR, "unit-mismatch", 4, 9},
    {"let x = temperature + 5\n" DOOR, "unit-mismatch", 4, 9},
    {"let x = 5 K + temperature\n" DOOR, "unit-mismatch", 4, 9},
    {"let x = temperature - core-temperature\nalert serious when x above 3 °C [law]",
     "unit-mismatch", 5, 28},
    {"let x = hourly mean of fume\n" DOOR, "bad-window", 4, 9},
    {"let x = rate of fume over 1 h\n" DOOR, "bad-window", 4, 9},
    {"let x = 5 °C/h * 2\n" DOOR, "unit-mismatch", 4, 9},
    {"let x = door\n" DOOR, "wrong-kind", 4, 9},
    {"let x = humidity\n" DOOR, "not-watched", 4, 9},
    {"let x = y + 1\n" DOOR, "unknown-name", 4, 9},
    {"let x = x + 1\n" DOOR, "unknown-name", 4, 9},
    {"let x = (temperature\n" DOOR, "syntax", 4, 21},
    {"let x = \n" DOOR, "syntax", 4, 8},
    {"let x = fume + \n" DOOR, "syntax", 4, 15},
    {"let x = fume\nalert serious when ph above 8 [law] for x", "wrong-kind", 5, 41},
    {"let x = fume\nalert serious when x is on", "wrong-kind", 5, 20},
    {"let x = fume\nalert serious when any of x above 2 mg/m3 [law]", "syntax", 5, 20},
    {"let x = fume\nalert serious when temperature above x", "unit-mismatch", 5, 38},
    {"let x = core-temperature + 5 K\nalert serious when temperature above x", "no-mark", 5, 38},
    {"let x = core-temperature + 5 K\nlet y = x + 1 K [law]\nalert serious when temperature above "
     "y",
     "no-mark", 6, 38},
    {"let x = table of flow (0 m3/h 10 mg/m3; 0 m3/h 8 mg/m3)\n" DOOR, "reversed", 4, 41},
    {"let x = table of flow (0 m3/h 10 mg/m3; 5 °C 8 mg/m3)\n" DOOR, "unit-mismatch", 4, 41},
    {"let x = table of flow (0 m3/h 10 mg/m3; 5 m3/h 8 °C)\n" DOOR, "unit-mismatch", 4, 48},
    {"let x = table of flow (0 m3/h 10 mg/m3)\n" DOOR, "syntax", 4, 9},
    {"let x = table of flow (0 m3/h 10 mg/m3; 5 m3/h 8 mg/m3)\nalert serious when fume above x",
     "no-mark", 5, 31},
    {"let x = fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+"
     "fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume+fume\n" DOOR,
     "too-deep", 4, 168},
    /* events, shares, lasts */
    {"alert serious when refuel is on", "wrong-kind", 4, 20},
    {"alert serious when fuel-volume above 5 L [law], share of refuel above 25 % [law]", "no-count",
     4, 58},
    {REFUEL "alert serious when fuel-volume above 5 L [law], share of refuel above 25 %", "no-mark",
     5, 71},
    {REFUEL "alert serious when fuel-volume above 5 L, share of refuel above 25 % [law]", "no-mark",
     5, 38},
    {REFUEL "alert serious when fuel-volume above 5 L [law], share of refuel above 25 L [law]",
     "unit-mismatch", 5, 71},
    {REFUEL "alert serious when temperature above 5 °C [law], share of refuel above 25 % [law]",
     "not-member", 5, 20},
    {REFUEL "alert serious when fuel-volume above 5 L [law], share of door above 25 % [law]",
     "wrong-kind", 5, 58},
    {REFUEL "alert serious when fuel-volume above 5 L [law], share of refuel below 25 % [law]",
     "syntax", 5, 65},
    {REFUEL
     "alert serious when fuel-volume above 5 L [law], share of refuel above 25 % [law] for 2 "
     "d",
     "calendar-hold", 5, 82},
    {REFUEL "alert serious when fuel-volume above 5 L [law], share of refuel above 25 % [law], "
            "counted at least 0",
     "bad-count", 5, 100},
    {REFUEL REFUEL DOOR, "duplicate-clause", 5, 7},
    {"count door daily only when fuel-volume above 5 L\n" DOOR, "wrong-kind", 4, 7},
    {"count refuel daily only when temperature above 5 °C\n" DOOR, "not-member", 4, 30},
    {"count refuel daily only when fuel-volume above 5 L for 5 min\n" DOOR, "not-member", 4, 30},
    {"count refuel daily only when mean of fume over 1 h above 5 mg/m3\n" DOOR, "not-member", 4,
     30},
    {"alert serious when fuel-volume above 5 L [law]", "not-watched", 4, 20},
    {"alert serious when warning lasts 7 d", "bad-level", 4, 20},
    {"alert warning when door is open\nalert serious when warning lasts 7 d", "bad-level", 5, 20},
    {"alert major when daily mean of fume above 5 mg/m3 [law]\nalert serious when major lasts 7 d",
     "bad-level", 5, 20},
    {"alert warning when daily mean of fume above 5 mg/m3 [law]\nalert serious when warning lasts "
     "36 h",
     "bad-duration", 5, 34},
    {"alert warning when daily mean of fume above 5 mg/m3 [law]\nalert serious when warning lasts "
     "1 d",
     "bad-duration", 5, 34},
    {"alert warning when daily mean of fume above 5 mg/m3 [law] or hourly mean of fume above 9 "
     "mg/m3 [law]\nalert serious when warning lasts 2 d",
     "bad-level", 5, 20},
    {"alert warning when daily mean of fume above 5 mg/m3 [law]\n" DOOR
     "clear when warning lasts 2 d",
     "bad-level", 6, 12},
    /* during, escalate, trial, dates */
    {DOOR "during room", "wrong-kind", 5, 8},
    {DOOR "during servce-hours", "unknown-name", 5, 8},
    {DOOR "escalate to serious when this alert opens at least 3 times in any 30 d", "bad-level", 5,
     13},
    {DOOR "escalate to major when this alert opens at least 2.5 times in any 30 d", "bad-count", 5,
     50},
    {DOOR "escalate to major when this alert opens at least 3 times in any 30 °C", "unit-mismatch",
     5, 65},
    {DOOR "escalate to major when this alert opens at least 3 times in any 1 h, apart at least 1 h",
     "reversed", 5, 85},
    {DOOR "escalate to urgent when this alert opens at least 3 times in any 1 h", "syntax", 5, 13},
    {DOOR "mode trial from 2026-02-01 to 2026-01-01", "reversed", 5, 31},
    {DOOR "mode trial from 2026-02-01", "syntax", 5, 27},
    {DOOR "mode trial from 2026-02-01 to 2026-02-30", "bad-date", 5, 31},
    {DOOR "accept uncertain accept uncertain", "duplicate-clause", 5, 18},
    {"set x from 2026-01-01 8 °C [law]; from 2026-01-01 7 °C [law]\nalert serious when temperature "
     "above x",
     "reversed", 4, 40},
    {"set x from 2026-01-01 8 °C [law]; from 2027-01-01 7 °C\nalert serious when temperature above "
     "x",
     "no-mark", 5, 38},
    {"set x from 2026-01-01 8 °C [law]; from 2027-01-01 7 K [law]\nalert serious when temperature "
     "above x",
     "unit-mismatch", 5, 38},
    /* sequences and curves */
    {"alert serious when door is open followed by fan is on", "syntax", 4, 54},
    {"alert serious when door is open followed by fan is on within 5 °C", "unit-mismatch", 4, 62},
    {"alert serious when door is open for 5 min followed by fan is on within 5 min",
     "ambiguous-hold", 4, 43},
    {"alert serious when door is open and fan is on followed by cooling is on within 5 min",
     "ambiguous-hold", 4, 47},
    {"alert serious when not door is open followed by cooling is on within 5 min", "ambiguous-hold",
     4, 37},
    {"alert serious when door is open followed by fan is on within 5 min for 10 min",
     "ambiguous-hold", 4, 68},
    {"alert serious when door is open followed by fan is on within 5 min followed by door is open "
     "within 5 min",
     "ambiguous-hold", 4, 68},
    {"alert serious when temperature from start of cooling on: at most 21 °C within 2 h", "no-mark",
     4, 66},
    {"alert serious when temperature from start of cooling on: at most 21 K [law] within 2 h",
     "unit-mismatch", 4, 66},
    {"alert serious when temperature from start of cooling on: at most 21 °C [law] within 2 h, at "
     "most 5 °C [law] within 2 h",
     "reversed", 4, 116},
    {"alert serious when temperature from start of cooling fast: at most 21 °C [law] within 2 h",
     "unknown-value", 4, 54},
    {"alert serious when temperature from start of fume on: at most 21 °C [law] within 2 h",
     "wrong-kind", 4, 46},
    {"alert serious when temperature from start of cooling on: near 21 °C [law] within 2 h",
     "syntax", 4, 58},
    {"alert serious when door from start of cooling on: at most 21 °C [law] within 2 h",
     "wrong-kind", 4, 20},
    /* stuck, exposure, dates, the hub */
    {"alert serious when temperature stuck for 6 °C", "unit-mismatch", 4, 42},
    {"alert serious when door stuck for 6 h", "wrong-kind", 4, 20},
    {"alert serious when mean of fume over 1 h stuck for 6 h", "wrong-kind", 4, 20},
    {"alert serious when temperature exposure above 8 °C more than 300 °C [law] in any 24 h",
     "unit-mismatch", 4, 62},
    {"alert serious when temperature exposure above 8 °C more than 300 °C·min in any 24 h",
     "no-mark", 4, 47},
    {"alert serious when temperature exposure outside 8 °C", "syntax", 4, 41},
    {"alert serious when ph exposure above 8 more than 3 [law] in any 24 h", "unit-mismatch", 4,
     20},
    {"alert serious when temperature overdue", "wrong-kind", 4, 20},
    {"alert serious when calibration above 8 °C [law]", "wrong-kind", 4, 20},
    {"alert serious when calibration due within 8 °C", "unit-mismatch", 4, 43},
    {"alert serious when calibratoin overdue", "unknown-name", 4, 20},
    {"alert serious when batch handed over", "at-hub", 4, 20},
    {"报警 严重 当批次交接", "at-hub", 4, 8},
};

static void place(const sy_diag *d, unsigned *line, unsigned *column)
{
    uint32_t l = 0, c = 0;
    if (d)
        sy_pos_line(d->pos, &l, &c);
    *line = l;
    *column = c;
}

static void test_errors(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        const wrong *w = &errors[i];
        unsigned line = 0, column = 0;
        rig r;
        load(&r, w->text);
        const sy_diag *d = rig_first_error(&r);
        place(d, &line, &column);
        bool ok = w->code ? d && r.diags.errors == 1 && strcmp(d->code, w->code) == 0 &&
                                line == w->line && column == w->column
                          : d == NULL;
        if (!ok)
            print_error("%s\n  expected %s at %u:%u, got %zu errors, %s at %u:%u: %s\n", w->text,
                        w->code ? w->code : "-", w->line, w->column, r.diags.errors,
                        d ? d->code : "-", line, column, d ? d->en : "-");
        failed += !ok;
        rig_close(&r);
    }
    assert_int_equal(failed, 0);
}

static const wrong in_a_scenario[] = {
    {"at 08:00: refuel (vapour-volume 22 L, fuel-volume 20 L)", NULL, 0, 0},
    {"given calibration due 2026-05-01; service-hours 08:00 to 20:00", NULL, 0, 0},
    {"at 08:00: refuel (temperature 22 °C)", "not-member", 7, 19},
    {"at 08:00: refuel (fuel-volume 22 °C)", "unit-mismatch", 7, 31},
    {"at 08:00: refuel (fuel-volume 22 L, fuel-volume 20 L)", "name-twice", 7, 37},
    {"at 08:00: refuel (fuel-volume 22 L", "syntax", 7, 35},
    {"at 08:00: refuel ()", "syntax", 7, 19},
    {"at 08:00: refuel 5 L", "wrong-kind", 7, 11},
    {"at 08:00: door (fuel-volume 22 L)", "wrong-kind", 7, 11},
    {"at 08:00: refuel (refuel (fuel-volume 22 L))", "syntax", 7, 26},
    {"given room 08:00 to 20:00", "wrong-kind", 7, 7},
    {"given service-hours 08:00 to 08:00", "reversed", 7, 7},
    {"given service-hours 08:00 to 25:00", "bad-time", 7, 30},
    {"given service-hours 08:00", "syntax", 7, 26},
    {"given service-hours due 2026-05-01", "wrong-kind", 7, 7},
    {"given calibration due 08:00", "syntax", 7, 23},
    {"given calibration due 2026-02-31", "bad-date", 7, 23},
};

static void test_scenarios(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < sizeof in_a_scenario / sizeof *in_a_scenario; i++) {
        const wrong *w = &in_a_scenario[i];
        char text[2048];
        unsigned line, column;
        rig r;
        snprintf(text, sizeof text,
                 HEAD DOOR "end\nscenario \"s\" tests T-1\n%s\nexpect no alert until 10:00\nend\n",
                 w->text);
        rig_text(&r, text);
        const sy_diag *d = rig_first_error(&r);
        place(d, &line, &column);
        bool ok = w->code ? d && r.diags.errors == 1 && strcmp(d->code, w->code) == 0 &&
                                line == w->line && column == w->column
                          : d == NULL;
        if (!ok)
            print_error("%s\n  expected %s at %u:%u, got %zu errors, %s at %u:%u\n", w->text,
                        w->code ? w->code : "-", w->line, w->column, r.diags.errors,
                        d ? d->code : "-", line, column);
        failed += !ok;
        rig_close(&r);
    }
    assert_int_equal(failed, 0);
}

#define TUNED                                                                                      \
    HEAD "set hold = 10 min [tunable 5 min to 30 min]\nset lim = 8 °C [law]\n"                    \
         "set tiers by food-risk-tier: A 20 min [tunable 15 min to 25 min]; otherwise 10 min "     \
         "[tunable 5 min to 18 min]\nset dated from 2026-01-01 5 min [tunable 1 min to 9 min]\n"   \
         "alert notice when door is open for dated\nalert warning when door is open for hold\n"    \
         "alert serious when temperature above lim for tiers\nend\n"

static const wrong tunings[] = {
    {"tune T-1: hold = 20 min at store-1 reason \"r\"", NULL, 0, 0},
    {"tune T-1: hold = 0.5 h at store-1/room-2 reason \"r\" until 2026-12-31", NULL, 0, 0},
    {"tune T-1: hold = 1800 s at logger_1/t.1 reason \"r\"", NULL, 0, 0},
    {"调整 T-1：hold = 20分钟 在 store-1 理由 “因” 直到 2026-12-31", NULL, 0, 0},
    {"tune T-1: tiers = 16 min at store-1 reason \"r\"", NULL, 0, 0},
    {"tune T-1: tiers = 12 min at store-1 reason \"r\"", "tune-bounds", 12, 19},
    {"tune T-1: hold = 31 min at store-1 reason \"r\"", "tune-bounds", 12, 18},
    {"tune T-1: hold = 20 °C at store-1 reason \"r\"", "unit-mismatch", 12, 18},
    {"tune T-1: hold = 20 at store-1 reason \"r\"", "no-unit", 12, 18},
    {"tune T-1: lim = 8 °C at store-1 reason \"r\"", "not-tunable", 12, 11},
    {"tune T-1: dated = 8 min at store-1 reason \"r\"", "not-tunable", 12, 11},
    {"tune T-1: holt = 20 min at store-1 reason \"r\"", "unknown-name", 12, 11},
    {"tune T-2: hold = 20 min at store-1 reason \"r\"", "unknown-rule", 12, 6},
    {"tune T-1: hold = 20 min [policy] at store-1 reason \"r\"", "syntax", 12, 25},
    {"tune T-1: hold = 20 min at store-1", "syntax", 12, 35},
    {"tune T-1: hold = 20 min reason \"r\"", "syntax", 12, 25},
    {"tune T-1 hold = 20 min at store-1 reason \"r\"", "syntax", 12, 10},
    {"tune T-1: hold = 20 min at store-1 reason \"r\" until 12:00", "syntax", 12, 53},
};

static void test_tunings(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < sizeof tunings / sizeof *tunings; i++) {
        const wrong *w = &tunings[i];
        char text[2048];
        unsigned line, column;
        rig r;
        snprintf(text, sizeof text, TUNED "%s\n", w->text);
        rig_text(&r, text);
        const sy_diag *d = rig_first_error(&r);
        place(d, &line, &column);
        bool ok = w->code ? d && r.diags.errors == 1 && strcmp(d->code, w->code) == 0 &&
                                line == w->line && column == w->column
                          : d == NULL && r.set->n_tunings == 1 &&
                                r.set->tunings[0]->rule == r.set->rules[0];
        if (!ok)
            print_error("%s\n  expected %s at %u:%u, got %zu errors, %s at %u:%u\n", w->text,
                        w->code ? w->code : "-", w->line, w->column, r.diags.errors,
                        d ? d->code : "-", line, column);
        failed += !ok;
        rig_close(&r);
    }
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_scenarios),
        cmocka_unit_test(test_tunings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
