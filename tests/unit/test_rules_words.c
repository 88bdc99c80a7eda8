/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary and the units: what ships is sound, what is added is checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "rules_rig.h"

static const struct {
    double value;
    const char *from, *to;
    double result;
} conversions[] = {
    {46.4, "°F", "℃", 8},
    {25, "degC", "degF", 77},
    {298.15, "kelvin", "degC", 25},
    {2, "mg/m³", "µg/m3", 2000},
    {2, "μg/m3", "mg/m3", 0.002},
    {1, "mg/L", "g/m3", 1},
    {2, "小时", "min", 120},
    {7, "天", "h", 168},
    {1, "%vol", "ppm", 10000},
    {100, "mmHg", "kPa", 13.3322387415},
    {1, "bar", "hPa", 1000},
    {1, "kWh", "MWh", 0.001},
    {3.6, "km/h", "m/s", 1},
    {1, "m3/h", "L/min", 16.666666666666668},
    {500, "微西门子/厘米", "mS/cm", 0.5},
    {50, "Hz", "/min", 3000},
    {1.5, "升", "mL", 1500},
};

static void test_conversions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++) {
        const sy_unit *a = sy_unit_find(sy_span_of(conversions[i].from));
        const sy_unit *b = sy_unit_find(sy_span_of(conversions[i].to));
        assert_non_null(a);
        assert_non_null(b);
        assert_true(sy_unit_convertible(a, b));
        double v = sy_unit_convert(conversions[i].value, a, b), want = conversions[i].result;
        if (fabs(v - want) > 1e-9 * fabs(want))
            fail_msg("%g %s is %.17g %s, not %.17g", conversions[i].value, conversions[i].from, v,
                     conversions[i].to, want);
        assert_true(sy_unit_convert(conversions[i].value, a, a) == conversions[i].value);
    }
}

static void test_no_conversion(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"°C", "K"},        {"mg/m3", "ppm"}, {"%RH", "%LEL"}, {"%RH", "%"},  {"dB(A)", "dB"},
        {"W", "VA"},        {"NTU", "mg/L"},  {"r/min", "Hz"}, {"%vol", "%"}, {"min", "m"},
        {"count", "ratio"}, {"kPa", "kW"},    {"K/h", "K"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const sy_unit *a = sy_unit_find(sy_span_of(pairs[i][0]));
        const sy_unit *b = sy_unit_find(sy_span_of(pairs[i][1]));
        assert_non_null(a);
        assert_non_null(b);
        if (sy_unit_convertible(a, b))
            fail_msg("%s converts to %s", pairs[i][0], pairs[i][1]);
    }
    assert_null(sy_unit_find(sy_span_of("pH"))); /* UDUNITS would say picohenry */
    assert_null(sy_unit_find(sy_span_of("m3/h @ 2")));
    assert_null(sy_unit_find(sy_span_of("")));
}

/* Every spelling leads to its unit, and the longest one wins. */
static void test_spellings(void **state)
{
    (void)state;
    size_t n, len;
    const char *const *all = sy_unit_spellings(&n);
    assert_true(n > 150);
    for (size_t i = 0; i < n; i++) {
        const sy_unit *u = sy_unit_find(sy_span_of(all[i]));
        assert_non_null(u);
        assert_ptr_equal(sy_unit_longest(sy_span_of(all[i]), &len), u);
        assert_int_equal(len, strlen(all[i]));
        assert_ptr_equal(sy_unit_by_id(u->id), u);
        if (i > 0)
            assert_true(strcmp(all[i - 1], all[i]) < 0);
    }
    assert_string_equal(sy_unit_longest(sy_span_of("mg/m3 of"), &len)->id, "mg/m3");
    assert_int_equal(len, 5);
    assert_string_equal(sy_unit_of_device(sy_span_of("Cel"))->id, "degC");
    assert_string_equal(sy_unit_of_device(sy_span_of("K"))->tag, "temperature");
    assert_string_equal(sy_unit_of_device(sy_span_of("%RH"))->id, "%RH");
    assert_string_equal(sy_unit_of_device(sy_span_of("lux"))->id, "lx");
    /* What only devices write, and RFC 8798. */
    static const char *const said[][2] = {
        {"C", "degC"},         {"F", "degF"},      {"%EL", "%"},        {"/100", "%"},
        {"lat", "deg"},        {"kpa", "kPa"},     {"MHz", "MHz"},      {"ug/m3", "ug/m3"},
        {"/1000", "permille"}, {"kvarh", "kvarh"}, {"Mbit/s", "Mbit/s"}};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        assert_string_equal(sy_unit_of_device(sy_span_of(said[i][0]))->id, said[i][1]);
    assert_null(sy_unit_find(sy_span_of("C"))); /* a rule says which */
    assert_null(sy_unit_of_device(sy_span_of("furlong")));
}

static void test_builtin(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    assert_int_equal(r.err, SY_OK);
    assert_int_equal(r.diags.n, 0);
    for (size_t i = 0; i < r.vocab.n; i++) {
        const sy_word *w = r.vocab.words[i];
        assert_ptr_equal(sy_vocab_id(&r.vocab, sy_span_of(w->id)), w);
        for (size_t k = 0; k < w->n_zh; k++)
            assert_ptr_equal(sy_vocab_name(&r.vocab, sy_span_of(w->zh[k])), w);
        if (i > 0)
            assert_true(strcmp(r.vocab.words[i - 1]->id, w->id) < 0);
    }
    const sy_word *door = sy_vocab_name(&r.vocab, sy_span_of("库门"));
    assert_string_equal(door->id, "door");
    assert_int_equal(sy_word_value_find(door, sy_span_of("closed")), 1);
    assert_int_equal(sy_word_value_find(door, sy_span_of("打开")), 0);
    assert_int_equal(sy_word_value_find(door, sy_span_of("ajar")), -1);
    const sy_word *refuel = sy_vocab_id(&r.vocab, sy_span_of("refuel"));
    assert_int_equal(refuel->kind, SY_W_EVENT);
    assert_int_equal(refuel->n_members, 2);
    const sy_word *tier = sy_vocab_name(&r.vocab, sy_span_of("食品风险等级"));
    assert_int_equal(tier->n_values, 4);
    assert_string_equal(tier->values[3].id, "D");
    rig_close(&r);
}

static const struct {
    const char *line, *code; /* code NULL: fine */
    unsigned column;
} entries[] = {
    {"kiln-temperature = 窑温 : quantity °C", NULL, 0},
    {"kiln-temperature : quantity °C", "syntax", 1},
    {"index = : quantity", NULL, 0},
    {"vent = 通风口 | 风口 : state open 打开, half 半开, closed 关闭 # comment", NULL, 0},
    {"kiln = 窑 ： place", NULL, 0},
    {"kiln = 窑", "syntax", 8},
    {"kiln = 窑 : plaice", "unknown-kind", 12},
    {"kiln = 窑 : place here", "syntax", 18},
    {"kiln = 窑 : quantity °X", "unknown-unit", 21},
    {"temperature = 热度 : quantity °C", "name-twice", 1},
    {"kiln = 温度 : quantity °C", "name-twice", 8},
    {"kiln = 窑 | 窑 : place", "name-twice", 12},
    {"kiln = 高于 : place", "name-taken", 8},
    {"kiln = 小时 : place", "name-taken", 8},
    {"above = 之上 : place", "name-taken", 1},
    {"kiln = 温度高 : place", "name-swallows", 8},
    {"kiln = 窑1 : place", "bad-name", 8},
    {"1kiln = 窑 : place", "bad-name", 1},
    {"kiln = 窑 : state open 打开", "syntax", 25},
    {"kiln = 窑 : state open 打开, open 开", "name-twice", 27},
    {"kiln = 窑 : event temperature K", "bad-member", 18},
    {"kiln = 窑 : event nothing", "bad-member", 18},
};

static void test_entries(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        rig r;
        rig_open(&r);
        sy_source s = {"local.vocabulary", sy_span_of(entries[i].line)};
        sy_err e = sy_vocab_add(&r.vocab, &s, &r.diags);
        const sy_diag *d = rig_first_error(&r);
        uint32_t line = 0, column = 0;
        if (d)
            sy_pos_line(d->pos, &line, &column);
        if ((entries[i].code == NULL) != (e == SY_OK) || (entries[i].code == NULL) != (d == NULL) ||
            (d && strcmp(d->code, entries[i].code) != 0) || column != entries[i].column)
            fail_msg("%s\nexpected %s at %u, got %s at %u", entries[i].line,
                     entries[i].code ? entries[i].code : "-", entries[i].column, d ? d->code : "-",
                     column);
        rig_close(&r);
    }
}

/* A name that was added is a name: it joins the longest match. */
static void test_added(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    sy_source s = {"local", sy_span_of("kiln-temperature = 窑温 : quantity °C\n"
                                       "kiln-temperature-top = 窑温顶部 : quantity °C\n")};
    assert_int_equal(sy_vocab_add(&r.vocab, &s, &r.diags), SY_OK);
    rig_add(&r, "a",
            sy_span_of("规则 A 版本 1 “甲” 依据 “乙” 法定 监测每个测点：窑温顶部、窑温 "
                       "报警 提醒 当窑温顶部高于窑限 结束"));
    rig_load(&r);
    assert_int_equal(r.diags.errors, 1);
    assert_string_equal(rig_first_error(&r)->code, "unknown-name");
    rig_close(&r);
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const words[] = {"temperature", "temperament", "door", "温度", "湿度"};
    static const char *const cases[][2] = {
        {"temperture", "temperature"},
        {"tempreature", "temperature"},
        {"doro", "door"},
        {"dor", "door"},
        {"温渡", "温度"},
        {"Door", "door"},
        {"window", NULL},
        {"d", NULL},
        {"", NULL},
        {"temp", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *w = sy_nearest(sy_span_of(cases[i][0]), words, 5);
        if ((w == NULL) != (cases[i][1] == NULL) || (w && strcmp(w, cases[i][1]) != 0))
            fail_msg("near %s: %s", cases[i][0], w ? w : "-");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversions), cmocka_unit_test(test_no_conversion),
        cmocka_unit_test(test_spellings),   cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_entries),     cmocka_unit_test(test_added),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
