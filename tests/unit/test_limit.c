/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit that an alert tells people is the rule's condition: read as a rule again it is the same
 * judgement, in both languages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "pipeline/event.h"
#include "rules_rig.h"

#define HEAD                                                                                       \
    "rule T-1 version 1 \"t\"\nbasis \"b\" law\nwatch each nozzle: temperature, humidity, door, "  \
    "fan, fume, noise, ph, refuel\nlet a-l = vapour-volume / fuel-volume\n"                        \
    "count refuel daily only when fuel-volume above 15 L\n"

static const char *const conditions[] = {
    "temperature above 8 °C [policy] for 5 min",
    "any of temperature outside 2 to 8 °C [policy] beyond doubt cumulative 2 h in any 24 h",
    "door is open and (fan is off for 10 min) or not (ph below 7 [policy] and door is closed)",
    "temperature has no data for 15 min",
    "hourly mean of fume (valid at least 80 %) above 2 mg/m3 [policy] and fan is on",
    "mean of fume over 1 h while fan is on at least 2 mg/m3 [policy]",
    "percentile 95 of noise over 1 h above 60 dB(A) [policy]",
    "sound level mean of noise over 20 min above 55 dB(A) [policy]",
    "rate of temperature over 30 min above 5 K/h [policy]",
    "median of temperature over 30 d above 8 °C [policy]",
    "mean kinetic temperature of temperature over 30 d above 25 °C [policy]",
    "spread of temperature above 3 K [policy]",
    "a-l outside 0.9 to 1.3 [policy], share of refuel above 25 % [policy], counted at least 4",
    "a-l above 1.3 [policy], share of refuel at least 25 % [policy]",
    "temperature above 8 °C [policy] in 3 of 5 readings",
    "door is open followed by temperature above 8 °C [policy] within 10 min",
    "(door is open for 5 min) not followed by (fan is on or ph above 7 [policy]) within 10 min",
    ("temperature from start of fan on: at most 21 °C [policy] within 2 h, below 5 °C [policy] "
     "within 6 h"),
    "temperature stuck for 6 h while others move",
    "humidity stuck for 6 h",
    "temperature exposure above 8 °C more than 300 °C·min [policy] in any 24 h",
    "fume exposure below 2 mg/m3 more than 5 mg/m3·h [policy] in any 24 h",
    "calibration due within 30 d",
    "licence overdue",
};

/* The hash of the rule that clears by this condition: there a limit needs no mark. */
static void hash_of(const char *condition, char out[65])
{
    char text[2048];
    rig r;
    snprintf(text, sizeof text, HEAD "alert notice when door is open\nclear when %s\nend\n",
             condition);
    rig_text(&r, text);
    if (r.err != SY_OK)
        fail_msg("%s\n%s", condition, rig_first_error(&r)->en);
    memcpy(out, r.set->rules[0]->judgement_hex, 65);
    rig_close(&r);
}

static void test_read_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        char text[2048], want[65], got[65];
        rig r;
        hash_of(conditions[i], want);
        snprintf(text, sizeof text, HEAD "alert serious when %s\nend\n", conditions[i]);
        rig_text(&r, text);
        assert_int_equal(r.err, SY_OK);
        for (sy_lang lang = SY_EN; lang <= SY_ZH; lang++) {
            sy_buf b;
            sy_buf_init(&b, sy_heap());
            sy_limit_text(r.set->rules[0], SY_SERIOUS, NULL, lang, &b);
            assert_false(b.failed);
            hash_of(b.p, got);
            if (strcmp(got, want) != 0)
                fail_msg("%s\nis told as another condition:\n%s", conditions[i], b.p);
            sy_buf_fini(&b);
        }
        rig_close(&r);
    }
}

static void test_told(void **state)
{
    (void)state;
    rig r;
    rig_text(&r,
             "rule T-1 version 1 \"t\"\nbasis \"b\" law\nwatch each room: temperature\n"
             "set lim from 2026-01-01 8 °C [law]; from 2027-01-01 7 °C [law]; from 2028-02-03 6 "
             "°C [law]\nalert notice when daily mean of temperature above lim\n"
             "alert warning when notice lasts 7 d\nend\n");
    assert_int_equal(r.err, SY_OK);
    static const struct {
        sy_alert_level level;
        sy_lang lang;
        const char *text;
    } all[] = {
        {SY_NOTICE, SY_EN,
         "daily mean of temperature above 8 °C (from 2027-01-01 7 °C; from 2028-02-03 6 °C)"},
        {SY_NOTICE, SY_ZH, "温度的日均值高于8℃（自2027-01-01 7℃；自2028-02-03 6℃）"},
        {SY_WARNING, SY_EN, "notice lasts 7 d"},
        {SY_WARNING, SY_ZH, "提醒连续7日"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        sy_buf b;
        sy_buf_init(&b, sy_heap());
        sy_limit_text(r.set->rules[0], all[i].level, NULL, all[i].lang, &b);
        assert_string_equal(b.p, all[i].text);
        sy_buf_fini(&b);
    }
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read_again),
                                       cmocka_unit_test(test_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
