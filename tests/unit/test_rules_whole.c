/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule language, whole: each construct in both languages is one judgement, each has its place
 * in the tree, and each thing that can be wrong with it is an error at its place.
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

static void load(rig *r, const char *clauses)
{
    char text[2048];
    snprintf(text, sizeof text, HEAD "%s\nend\n", clauses);
    rig_text(r, text);
}

static void hash_of(const char *clauses, char out[65])
{
    rig r;
    load(&r, clauses);
    const sy_diag *d = rig_first_error(&r);
    if (r.err != SY_OK)
        fail_msg("%s\n%s", clauses, d ? d->en : sy_err_text(r.err));
    memcpy(out, r.set->rules[0]->judgement_hex, 65);
    rig_close(&r);
}

/* The same in English, in Chinese, and in further spellings. */
static const char *const same[][3] = {
    {"alert serious when temperature above 8 °C [law] cumulative 2 h in any 24 h",
     "报警 严重 当温度高于8℃【法定】累计2小时在任意24小时", NULL},
    {"alert serious when mean of temperature over 1 h while fan is on (valid at least 80 %) above "
     "8 "
     "°C [law]",
     "报警 严重 当温度的均值过去1小时期间风机为运行（有效率不低于80％）高于8℃【法定】",
     "alert serious when temperature mean over 1 h while fan is on (valid at least 80 %) above 8 "
     "°C "
     "[law]"},
    {"alert serious when hourly mean of fume above 2 mg/m3 [law] and fan is on",
     "报警 严重 当油烟浓度的小时均值高于2mg/m3【法定】且风机为运行",
     "报警 严重 当小时均值油烟浓度高于2mg/m3【法定】且风机为运行"},
    {"alert serious when daily mean of fume above 2 mg/m3 [law]",
     "报警 严重 当油烟浓度日均值高于2mg/m³【法定】", NULL},
    {"alert serious when mean kinetic temperature of temperature over 30 d above 25 °C [law]",
     "报警 严重 当温度的平均动力学温度过去30日高于25℃【法定】", NULL},
    {"alert serious when highest of temperature above 8 °C [law]",
     "报警 严重 当温度最高值高于8℃【法定】", NULL},
    {"alert serious when lowest temperature over 1 h below 2 °C [law]",
     "报警 严重 当温度的最低值过去1小时低于2℃【法定】", NULL},
    {"alert serious when spread of temperature above 3 K [law]",
     "报警 严重 当温度的极差高于3K【法定】", NULL},
    {"alert serious when rate of temperature over 30 min above 5 K/h [law]",
     "报警 严重 当温度的变化率过去30分钟高于5℃/小时【法定】",
     "alert serious when rate of temperature over 30 min above 5 °C/h [law]"},
    {"alert serious when total of flow over 1 d above 100 m3/h [law]",
     "报警 严重 当流量的总量过去1日高于100m3/h【法定】", NULL},
    {"alert serious when sound level mean of noise over 20 min above 55 dB(A) [law]",
     "报警 严重 当噪声的等效声级过去20分钟高于55dB(A)【法定】", NULL},
    {"alert serious when percentile 95 of noise over 1 h above 60 dB(A) [law]",
     "报警 严重 当噪声的95百分位过去1小时高于60dB(A)【法定】",
     "alert serious when 95 percentile of noise over 1 h above 60 dB(A) [law]"},
    {"alert serious when median of temperature over 30 d above 8 °C [law]",
     "报警 严重 当温度的中位数过去30日高于8℃【法定】", NULL},
    {"alert serious when temperature above 8 °C [law] beyond doubt for 5 min",
     "报警 严重 当温度明确高于8℃【法定】持续5分钟",
     "alert serious when temperature beyond doubt above 8 °C [law] for 5 min"},
    {"alert serious when temperature above 8 °C [law] in 3 of 5 readings",
     "报警 严重 当温度高于8℃【法定】达到3/5次读数", NULL},
    {"let x = temperature - core-temperature\nalert serious when x above 3 K [law] for 5 min",
     "令 温差 = 温度 - 中心温度\n报警 严重 当温差高于3K【法定】持续5分钟", NULL},
    {"let lim = core-temperature + 5 K [law]\nalert serious when temperature above lim",
     "令 限 = 中心温度 + 5K【法定】\n报警 严重 当温度高于限", NULL},
    {"let x = (temperature + core-temperature) / 2\nalert serious when x above 8 °C [law]",
     "令 平均 = （温度 + 中心温度）/ 2\n报警 严重 当平均高于8℃【法定】", NULL},
    {"let x = table of flow (0 m3/h 10 mg/m3; 5 m3/h 8 mg/m3 [law])\n"
     "alert serious when fume above x",
     "令 限 = 查表 流量（0m3/h 10mg/m3；5m3/h 8mg/m3【法定】）\n报警 严重 当油烟浓度高于限", NULL},
    {"let x = mean of temperature over 1 h - lowest core-temperature\n"
     "alert serious when x above 3 K [law]",
     "令 差 = 温度均值过去1小时 - 最低值中心温度\n报警 严重 当差高于3K【法定】", NULL},
    {"let r = vapour-volume / fuel-volume\n" REFUEL
     "alert warning when r outside 0.90 to 1.30 [law], share of refuel above 25 % [law], counted "
     "at "
     "least 4\nalert serious when warning lasts 7 days",
     "令 比 = 油气量 / 加油量\n统计 加油 每日 仅当加油量高于15升\n"
     "报警 预警 当比超出0.90至1.30【法定】，加油占比高于25％【法定】，统计次数不少于4\n"
     "报警 严重 当预警连续7日",
     NULL},
    {"alert serious when temperature has no data for 2 h during service-hours",
     "报警 严重 当温度无数据持续2小时限于营业时间", NULL},
    {DOOR
     "escalate to major when this alert opens at least 3 times in any 30 d, apart at least 1 h",
     "报警 严重 当库门为打开 升级 至 重大 当本报警发生不少于3次在任意30日，间隔不低于1小时", NULL},
    {DOOR "mode trial from 2026-01-01 to 2026-02-01",
     "报警 严重 当库门为打开\n试运行 自 2026-01-01 至 2026-02-01", NULL},
    {DOOR "accept uncertain\nover range counts as above",
     "报警 严重 当库门为打开\n采纳存疑\n超量程视为超限", NULL},
    {"set x from 2026-01-01 8 °C [law]; from 2027-01-01 7 °C [law]\n"
     "alert serious when temperature above x",
     "设 限值 自 2026-01-01 8℃【法定】；自 2027-01-01 7℃【法定】\n报警 严重 当温度高于限值", NULL},
    {"alert serious when door is open followed by temperature above 8 °C [law] within 10 min",
     "报警 严重 当库门为打开随后温度高于8℃【法定】在10分钟内",
     "alert serious when door is open followed by temperature above 8 °C [law] at 10 min inside"},
    {"alert serious when (door is open for 5 min) not followed by door is closed within 10 min",
     "报警 严重 当（库门为打开持续5分钟）随后未库门为关闭在10分钟内", NULL},
    {"alert serious when core-temperature from start of cooling on: at most 21 °C [law] within 2 "
     "h, "
     "at most 5 °C [law] within 6 h",
     "报警 严重 当中心温度自开始冷却运行：至多21℃【法定】在2小时内，至多5℃【法定】在6小时内", NULL},
    {"alert serious when temperature stuck for 6 h", "报警 严重 当温度不变6小时", NULL},
    {"alert serious when temperature stuck for 6 h while others move",
     "报警 严重 当温度不变6小时而其他变化", NULL},
    {"alert serious when temperature exposure above 8 °C more than 300 °C·min [law] in any 24 h",
     "报警 严重 当温度超限累积高于8℃超过300℃·分钟【法定】在任意24小时",
     "alert serious when temperature exposure above 8 °C [law] more than 300 K*min [law] in any 24 "
     "h"},
    {"alert serious when fume exposure below 2 mg/m3 more than 5 mg/m3·h [law] in any 24 h",
     "报警 严重 当油烟浓度超限累积低于2mg/m3超过5mg/m3·小时【法定】在任意24小时", NULL},
    {"alert notice when calibration due within 30 d", "报警 提醒 当校准临期30日", NULL},
    {"alert notice when licence overdue", "报警 提醒 当许可证逾期", NULL},
};

static void test_both_languages(void **state)
{
    (void)state;
    char all[sizeof same / sizeof *same][65], got[65];
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char *want = all[i];
        hash_of(same[i][0], want);
        for (size_t k = 1; k < 3 && same[i][k]; k++) {
            hash_of(same[i][k], got);
            if (strcmp(got, want) != 0)
                fail_msg("not the same judgement:\n%s\n%s", same[i][0], same[i][k]);
        }
        for (size_t k = 0; k < i; k++)
            if (strcmp(all[k], want) == 0)
                fail_msg("the same judgement:\n%s\n%s", same[i][0], same[k][0]);
    }
}

/* What the hash must see: the first with `from` made `to` is another judgement. */
static const struct {
    size_t of; /* of `same` */
    const char *from, *to;
} changes[] = {
    {0, "2 h", "3 h"},
    {0, "24 h", "25 h"},
    {1, "over 1 h", "over 2 h"},
    {1, "mean", "median"},
    {1, "80 %", "81 %"},
    {1, "fan is on", "fan is off"},
    {8, "5 K/h", "5 K/min"},
    {11, "95", "94"},
    {14, "3 of", "2 of"},
    {14, "5 readings", "6 readings"},
    {15, "temperature -", "temperature +"},
    {18, "8 mg/m3", "7 mg/m3"},
    {18, "5 m3/h", "6 m3/h"},
    {20, "25 %", "26 %"},
    {20, "least 4", "least 5"},
    {20, "7 days", "8 days"},
    {20, "15 L", "16 L"},
    {21, "service-hours", "night"},
    {22, "3 times", "4 times"},
    {22, "30 d", "31 d"},
    {22, "1 h", "2 h"},
    {22, "major", "serious"},
    {23, "02-01", "02-02"},
    {25, "2027", "2028"},
    {26, "within 10", "within 9"},
    {28, "21 °C", "20 °C"},
    {28, "6 h", "7 h"},
    {28, "cooling on", "cooling off"},
    {28, "at most 5", "below 5"},
    {29, "6 h", "5 h"},
    {31, "300", "301"},
    {31, "24 h", "25 h"},
    {33, "30 d", "29 d"},
    {34, "licence", "inspection"},
};

static void test_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const char *text = same[changes[i].of][0], *at = strstr(text, changes[i].from);
        char changed[1024], a[65], b[65];
        assert_non_null(at);
        snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, changes[i].to,
                 at + strlen(changes[i].from));
        if (changes[i].of == 22 && strcmp(changes[i].to, "serious") == 0)
            continue; /* refused: no level below it; see the errors */
        if (changes[i].of == 15)
            continue; /* a sum of temperatures is none of a difference; see the errors */
        hash_of(text, a);
        hash_of(changed, b);
        if (strcmp(a, b) == 0)
            fail_msg("'%s' for '%s' changes nothing in\n%s", changes[i].to, changes[i].from, text);
    }
}

/* A tuning is part of the set and no part of the rule; a translation's names tune the rule too. */
static void test_tuning_hash(void **state)
{
    (void)state;
#define SET(name) "rule A version 1 " name " basis \"b\" law watch each room: door\n"
    static const char en[] = SET("\"a\"") "set hold = 10 min [tunable 5 min to 30 min]\n"
                                          "alert notice when door is open for hold\nend\n";
    static const char zh[] = SET("“甲”") "设 时限 = 10分钟【可调 5分钟 至 30分钟】\n"
                                         "报警 提醒 当库门为打开持续时限\n结束\n";
    static const char *const tunes[] = {
        "",
        "tune A: hold = 20 min at p reason \"r\"\n",
        "tune A: 时限 = 20 min at p reason \"r\"\n", /* the same by its other name */
        "tune A: hold = 21 min at p reason \"r\"\n",
        "tune A: hold = 20 min at q reason \"r\"\n",
        "tune A: hold = 20 min at p reason \"s\"\n",
        "tune A: hold = 20 min at p reason \"r\" until 2026-12-31\n",
    };
    unsigned char hashes[sizeof tunes / sizeof *tunes][32];
    char judgement[65] = "";
    for (size_t i = 0; i < sizeof tunes / sizeof *tunes; i++) {
        rig r;
        rig_open(&r);
        rig_add(&r, "en", sy_span_of(en));
        rig_add(&r, "zh", sy_span_of(zh));
        rig_add(&r, "tune", sy_span_of(tunes[i]));
        rig_load(&r);
        assert_int_equal(r.err, SY_OK);
        assert_int_equal(r.set->n_rules, 1);
        if (i)
            assert_string_equal(r.set->rules[0]->judgement_hex, judgement);
        memcpy(judgement, r.set->rules[0]->judgement_hex, 65);
        memcpy(hashes[i], r.set->hash, 32);
        rig_close(&r);
    }
    for (size_t i = 0; i < sizeof tunes / sizeof *tunes; i++)
        for (size_t k = 0; k < i; k++)
            assert_true((memcmp(hashes[i], hashes[k], 32) == 0) == (i == 2 && k == 1));
}

/* What the tree holds of the constructs whose numbers are made, not only read. */
static void test_tree(void **state)
{
    (void)state;
    rig r;
    load(&r, "let part = vapour-volume / fuel-volume\nlet rise = temperature - core-temperature\n"
             "set dated from 2026-01-01 8 °C [law]; from 2027-01-01 7 °C [law]\n" REFUEL
             "alert notice when part outside 0.9 to 1.3 [law], refuel share at least 25 % [law]\n"
             "alert warning when rise above 3 K [law] or temperature above dated\n"
             "alert serious when rate of temperature over 30 min above 5 °C/h [law]\n"
             "alert major when temperature exposure above 8 °C more than 300 °C*min [law] in any "
             "24 h");
    if (r.err != SY_OK)
        fail_msg("%s", rig_first_error(&r)->en);
    const sy_rule *rule = r.set->rules[0];
    assert_int_equal(rule->n_lets, 2);
    assert_null(rule->lets[0].sum->unit);
    assert_string_equal(rule->lets[1].sum->unit->id, "K");
    assert_int_equal(rule->lets[1].order, 2);
    assert_int_equal(rule->sets[0].order, 3);
    assert_int_equal(rule->sets[0].n_dates, 2);
    const sy_cond *c = rule->alerts[0].when;
    assert_ptr_equal(c->let, &rule->lets[0]);
    assert_string_equal(c->portion->event.word->id, "refuel");
    assert_int_equal(c->portion->op, SY_OP_AT_LEAST);
    assert_null(c->portion->counted);
    c = rule->alerts[1].when;
    assert_true(sy_value_num(&c->kids[1]->a, NULL, 0)->value == 8); /* the first date's */
    c = rule->alerts[2].when;
    assert_int_equal(c->agg->kind, SY_AGG_RATE);
    assert_string_equal(c->a.num->unit->id, "K");
    assert_string_equal(c->a.num->time->id, "h");
    assert_int_equal(c->a.num->time_power, -1);
    c = rule->alerts[3].when;
    assert_int_equal(c->op, SY_OP_EXPOSURE_ABOVE);
    assert_string_equal(c->a.num->unit->id, "degC");
    assert_string_equal(c->b.num->unit->id, "K");
    assert_string_equal(c->b.num->time->id, "min");
    assert_int_equal(c->b.num->time_power, 1);
    assert_int_equal(c->a.num->origin, SY_ORIGIN_LAW); /* the mark of b is a's too */
    rig_close(&r);
}

#define RULE(id, applies, limit)                                                                   \
    "rule " id " version 1 \"t\" basis \"b\" law " applies                                         \
    " watch each room: temperature alert notice when temperature " limit " [law] end\n"

static const struct {
    const char *text;
    size_t contradictions;
} pairs[] = {
    {RULE("A", "", "above 8 °C") RULE("B", "", "below 10 °C"), 1},
    {RULE("A", "", "above 8 °C") RULE("B", "", "below 8 °C"), 0},
    {RULE("A", "", "outside 2 to 8 °C") RULE("B", "", "outside 10 to 20 °C"), 1},
    {RULE("A", "", "outside 2 to 8 °C") RULE("B", "", "outside 46 to 60 °F"), 0},
    {RULE("A", "", "above 8 °C") RULE("B", "", "above 10 °C"), 0},
    {RULE("A", "applies to goods vaccine", "above 8 °C")
         RULE("B", "applies to goods plasma", "below 10 °C"),
     0},
    {RULE("A", "applies to goods vaccine", "above 8 °C")
         RULE("B", "applies to goods plasma, vaccine", "below 10 °C"),
     1},
    {RULE("A", "effective from 2025-01-01 to 2025-12-31", "above 8 °C")
         RULE("B", "effective from 2026-01-01", "below 10 °C"),
     0},
};

static void test_contradictions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        rig r;
        rig_text(&r, pairs[i].text);
        assert_int_equal(r.err, SY_OK);
        if (rig_count(&r, SY_DIAG_WARNING, "contradiction") != pairs[i].contradictions)
            fail_msg("%s: not %zu contradictions", pairs[i].text, pairs[i].contradictions);
        rig_close(&r);
    }
}

static void test_unused_let(void **state)
{
    (void)state;
    rig r;
    load(&r, "let x = fume\nlet y = x * 2\n" DOOR);
    assert_int_equal(r.err, SY_OK);
    assert_int_equal(rig_count(&r, SY_DIAG_WARNING, "unused"), 1); /* y; x is used by it */
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_languages), cmocka_unit_test(test_changes),
        cmocka_unit_test(test_tuning_hash),    cmocka_unit_test(test_tree),
        cmocka_unit_test(test_contradictions), cmocka_unit_test(test_unused_let),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
