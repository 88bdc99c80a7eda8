/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule language: for each thing that can be wrong, a text, the code that is reported, its
 * place, and the word that is offered. One error each, so that nothing is reported twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules_rig.h"

#define HEAD                                                                                       \
    "rule T-1 version 1 \"t\"\n  basis \"b\" law\n"                                                \
    "  watch each room: temperature, door, humidity, ph, defrost\n"
#define DOOR "  alert serious when door is open\n"

typedef struct wrong {
    const char *text; /* from line 4 on, inside a rule */
    const char *code;
    unsigned line, column;
    const char *near;
} wrong;

static const wrong in_a_rule[] = {
    {"alert serious when temperture above 8 °C [law]", "unknown-name", 4, 20, "temperature"},
    {"alert serious when wobble above 8 °C [law]", "unknown-name", 4, 20, NULL},
    {"alert serious when temperature outside 2-8 °C [law]", "dash", 4, 40, NULL},
    {"alert serious when temperature outside 2－8 °C [law]", "dash", 4, 40, NULL},
    {"alert serious when temperature outside 2 - 8 °C [law]", "dash", 4, 42, NULL},
    {"alert serious when temperature above 8 °C", "no-mark", 4, 38, NULL},
    {"alert serious when temperature outside 2 to 8 °C", "no-mark", 4, 40, NULL},
    {"alert serious when temperature above 8 [law]", "no-unit", 4, 38, NULL},
    {"alert serious when temperature above 8 mg/m3 [law]", "unit-mismatch", 4, 38, NULL},
    {"alert serious when temperature above 8 K [law]", "unit-mismatch", 4, 38, NULL},
    {"alert serious when humidity above 8 %LEL [law]", "unit-mismatch", 4, 35, NULL},
    {"alert serious when humidity above 8 % [law]", "unit-mismatch", 4, 35, NULL},
    {"alert serious when ph above 8 °C [law]", "unit-mismatch", 4, 29, NULL},
    {"alert serious when temperature above 8 degrees [law]", "unknown-unit", 4, 40, NULL},
    {"alert serious when temperature above 8 °c [law]", "unknown-unit", 4, 40, "°C"},
    {"alert serious when temperature above 0.1234567890123456 °C [law]", "number-range", 4, 38,
     NULL},
    {"alert serious when ph above 8 [law] for 10 °C", "unit-mismatch", 4, 41, NULL},
    {"alert serious when ph above 8 [law] for 10", "no-unit", 4, 41, NULL},
    {"alert serious when ph above 8 [law] for 0 min", "bad-duration", 4, 41, NULL},
    {"alert serious when ph above 8 [law] for 5000 d", "bad-duration", 4, 41, NULL},
    {"alert serious when ph above 8 [law] for hold", "unknown-name", 4, 41, NULL},
    {"alert serious when door above 8 °C [law]", "wrong-kind", 4, 20, NULL},
    {"alert serious when temperature is open", "wrong-kind", 4, 20, NULL},
    {"alert serious when room is open", "wrong-kind", 4, 20, NULL},
    {"alert serious when door is opne", "unknown-value", 4, 28, "open"},
    {"alert serious when fan is on", "not-watched", 4, 20, NULL},
    {"alert serious when door is open and ph above 8 [law] for 1 min", "ambiguous-hold", 4, 54,
     NULL},
    {"alert serious when ph above 8 [law] or door is open for 1 min", "ambiguous-hold", 4, 53,
     NULL},
    {"alert serious when not door is open for 1 min", "ambiguous-hold", 4, 37, NULL},
    {"alert serious when door is open and (ph above 8 [law]) for 1 min", "ambiguous-hold", 4, 56,
     NULL},
    {"alert serious when (door is open for 5 min) for 10 min", "double-hold", 4, 45, NULL},
    {"alert serious when ((((((((((((((((((((((((((((((((((door is open))))))))))))))))))))))))))))"
     "))))))",
     "too-deep", 4, 52, NULL},
    {"alert serious when 0 of temperature above 8 °C [law]", "bad-count", 4, 20, NULL},
    {"alert serious when temperature outside 8 to 2 °C [law]", "reversed", 4, 40, NULL},
    {"alert serious when temperature outside 2 °C [law] 8 °C [law]", "syntax", 4, 51, NULL},
    {"alrt serious when door is open", "syntax", 4, 1, "alert"},
    {"alert urgent when door is open", "syntax", 4, 7, NULL},
    {"alert serious when door is open fro 5 min", "syntax", 4, 33, "for"},
    {"alert serious when door is open @", "syntax", 4, 33, NULL},
    {"alert serious when ph above 8 [laww]", "syntax", 4, 32, "law"},
    {"alert serious when ph above 8 [tunable 9 to 10]", "tune-bounds", 4, 40, NULL},
    {"alert serious when temperature above 8 °C [tunable 7 to 9 %RH]", "unit-mismatch", 4, 57,
     NULL},
    {DOOR "    except while door open\nbasis \"c\" law", "unbounded-exemption", 5, 5, NULL},
    {DOOR "    except while door open, each at most 5 min\n", "unbounded-exemption", 5, 5, NULL},
    {DOOR "    except while door open, daily at most 5 times\n", "unbounded-exemption", 5, 5, NULL},
    {DOOR "except while fan on, each at most 5 min, daily at most 5 times\n", "not-watched", 5, 14,
     NULL},
    {DOOR "except while door ajar, each at most 5 min, daily at most 5 times\n", "unknown-value", 5,
     19, NULL},
    {DOOR "except while door open, each at most 5 min, daily at most 2.5 times\n", "bad-count", 5,
     59, NULL},
    {DOOR "set for = 10 min", "name-taken", 5, 5, NULL},
    {DOOR "set min = 10 min", "name-taken", 5, 5, NULL},
    {DOOR "set 温度高 = 10 min", "name-swallows", 5, 5, NULL},
    {DOOR "set 限值1 = 10 min", "bad-name", 5, 5, NULL},
    {DOOR "set a = 10 min\nset a = 11 min", "name-twice", 6, 5, NULL},
    {"set limit = 8 °C\nalert serious when temperature above limit", "no-mark", 5, 38, NULL},
    {"set limit = 8 °C [law]\nalert serious when temperature above limmit", "unknown-name", 5, 38,
     "limit"},
    {"set lim = 8 °C [law]\nalert serious when door is open for lim", "unit-mismatch", 5, 37, NULL},
    {"set x by food-risk-tier: A 1 h; B 1 h\nalert serious when door is open for x", "missing-row",
     4, 5, NULL},
    {"set x by food-risk-tier: A 1 h; A 1 h\nalert serious when door is open for x",
     "duplicate-row", 4, 33, NULL},
    {"set x by food-risk-tier: E 1 h\nalert serious when door is open for x", "unknown-value", 4,
     26, NULL},
    {"set x by room: E 1 h\nalert serious when door is open for x", "unknown-name", 4, 10, NULL},
    {DOOR DOOR, "duplicate-clause", 5, 9, NULL},
    {DOOR "watch each room: door", "duplicate-clause", 5, 1, NULL},
    {DOOR "say \"a\" say \"b\"", "duplicate-clause", 5, 9, NULL},
    {DOOR "then tell premises then tell inspector", "duplicate-clause", 5, 25, NULL},
    {DOOR "then tell inspektor", "unknown-name", 5, 11, "inspector"},
    {DOOR "then tell room", "wrong-kind", 5, 11, NULL},
    {DOOR "then tell premises; respond within 2", "no-unit", 5, 36, NULL},
    {DOOR "applies to subject caterrer; goods any", "unknown-name", 5, 20, "caterer"},
    {DOOR "applies to subject any; subject any", "duplicate-clause", 5, 25, NULL},
    {DOOR "effective from 2026-02-30", "bad-date", 5, 16, NULL},
    {DOOR "effective from 2026-02-20 to 2026-01-01", "reversed", 5, 30, NULL},
    {DOOR "missing after 5", "no-unit", 5, 15, NULL},
    {DOOR "basis \"c\"", "syntax", 5, 10, NULL},
    {DOOR "say \"never ends", "open-string", 5, 5, NULL},
    {"报警 严重 当温渡高于8℃【法定】", "unknown-name", 4, 8, "温度"},
    {"报警 严重 当温度高与8℃【法定】", "syntax", 4, 10, "高于"},
    {"报警 严重 当库门为敞开", "unknown-value", 4, 11, NULL},
};

static void place(const sy_diag *d, unsigned *line, unsigned *column)
{
    uint32_t l, c;
    sy_pos_line(d->pos, &l, &c);
    *line = l;
    *column = c;
}

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof in_a_rule / sizeof *in_a_rule; i++) {
        const wrong *w = &in_a_rule[i];
        char text[1024];
        unsigned line = 0, column = 0;
        rig r;
        snprintf(text, sizeof text, HEAD "%s\nend\n", w->text);
        rig_text(&r, text);
        const sy_diag *d = rig_first_error(&r);
        if (d)
            place(d, &line, &column);
        if (r.err != SY_E_PARSE || !d || strcmp(d->code, w->code) != 0 || line != w->line ||
            column != w->column || (w->near && (!d->near || strcmp(d->near, w->near) != 0)) ||
            r.diags.errors != 1)
            fail_msg("%s\nexpected %s at %u:%u (near %s), got %zu errors, %s at %u:%u (near %s)",
                     w->text, w->code, w->line, w->column, w->near ? w->near : "-", r.diags.errors,
                     d ? d->code : "-", line, column, d && d->near ? d->near : "-");
        assert_null(r.set);
        rig_close(&r);
    }
}

static const struct {
    const char *text, *code;
    unsigned line, column;
} in_a_file[] = {
    {"", NULL, 0, 0},
    {"# only a comment", NULL, 0, 0},
    {"rool A version 1", "syntax", 1, 1},
    {"rule A version 1 \"a\"", "syntax", 1, 21},
    {"rule A version 1 \"a\" basis \"b\" law watch each room: door end", "missing-clause", 1, 6},
    {"rule A version 1 \"a\" watch each room: door alert serious when door is open end",
     "missing-clause", 1, 6},
    {"rule A version 1 \"a\" basis \"b\" law alert serious when door is open end", "missing-clause",
     1, 6},
    {"scenario \"s\" tests A expect no alert until 08:00 end", "unknown-rule", 1, 20},
    {"tune A: x = 5 min at p reason \"r\"", "unknown-rule", 1, 6},
    {"\xff\xfe"
     "r",
     "encoding", 1, 1},
    {"rule \xb9\xe6\xd4\xf2", "encoding", 1, 6},
    {"rule A \x01", "control-character", 1, 8},
};

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof in_a_file / sizeof *in_a_file; i++) {
        unsigned line = 0, column = 0;
        rig r;
        rig_text(&r, in_a_file[i].text);
        const sy_diag *d = rig_first_error(&r);
        if (d)
            place(d, &line, &column);
        if ((in_a_file[i].code == NULL) != (d == NULL) || line != in_a_file[i].line ||
            column != in_a_file[i].column || (d && strcmp(d->code, in_a_file[i].code) != 0))
            fail_msg("%s\nexpected %s at %u:%u, got %s at %u:%u", in_a_file[i].text,
                     in_a_file[i].code ? in_a_file[i].code : "-", in_a_file[i].line,
                     in_a_file[i].column, d ? d->code : "-", line, column);
        rig_close(&r);
    }
}

static const struct {
    const char *step, *code;
    unsigned column;
} in_a_scenario[] = {
    {"given fan is on", "not-watched", 7},
    {"given door is ajar", "unknown-value", 15},
    {"given food-risk-tier is E", "unknown-value", 25},
    {"given temperature is on", "unknown-value", 22},
    {"given humidity every 5", "no-unit", 22},
    {"from 08:00 to 07:59 every 1 min: temperature 5 °C", "reversed", 15},
    {"from 08:00 to 09:00 every 1 °C: temperature 5 °C", "unit-mismatch", 27},
    {"from day 1 00:00 to day 3000 24:00 every 1 s: temperature 5 °C", "too-many", 1},
    {"at 08:60: temperature 5 °C", "bad-time", 4},
    {"at 24:01: temperature 5 °C", "bad-time", 4},
    {"at 8:00: temperature 5 °C", "syntax", 4},
    {"at 08:00: temperature 5", "no-unit", 23},
    {"at 08:00: temperature 5 mg/m3", "unit-mismatch", 23},
    {"at 08:00: door 5 °C", "wrong-kind", 11},
    {"at 08:00: temperature open", "unknown-value", 23},
    {"at 08:00: fume 5 mg/m3", "not-watched", 11},
    {"at 08:00: refuel (fuel-volume 5 L)", "not-watched", 11},
    {"at day 0 08:00: door open", "bad-time", 4},
    {"expect alert at 08:00", "syntax", 14},
    {"expect silence", "syntax", 8},
    {"say \"no\"", "syntax", 1},
};

static void test_scenarios(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof in_a_scenario / sizeof *in_a_scenario; i++) {
        char text[1024];
        unsigned line = 0, column = 0;
        rig r;
        snprintf(text, sizeof text,
                 HEAD DOOR "end\nscenario \"s\" tests T-1\n%s\nexpect no alert until 10:00\nend\n",
                 in_a_scenario[i].step);
        rig_text(&r, text);
        const sy_diag *d = rig_first_error(&r);
        if (d)
            place(d, &line, &column);
        if (!d || r.diags.errors != 1 || strcmp(d->code, in_a_scenario[i].code) != 0 || line != 7 ||
            column != in_a_scenario[i].column)
            fail_msg("%s\nexpected %s at 7:%u, got %zu errors, %s at %u:%u", in_a_scenario[i].step,
                     in_a_scenario[i].code, in_a_scenario[i].column, r.diags.errors,
                     d ? d->code : "-", line, column);
        rig_close(&r);
    }
}

/* All errors of all files at once, in the order of the text. */
static void test_all_at_once(void **state)
{
    (void)state;
    static const char a[] = HEAD "  alert serious when temperture above 8 °C [law]\n"
                                 "  then tell inspektor\n  say 5\nend\n"
                                 "rule T-2 version 1 \"t\"\n  basis \"b\"\n  watch each rum: door\n"
                                 "  alert serious when door is ajar\nend\n";
    static const char b[] = "scenario \"s\" tests T-3\n expect no alert until 08:00\nend\n"
                            "nonsense\nrule T-4 version one \"t\"\nend\n";
    static const unsigned lines[] = {4, 5, 6, 9, 10, 11, 1, 4, 5};
    rig r;
    rig_open(&r);
    rig_add(&r, "a.rules", sy_span_of(a));
    rig_add(&r, "b.rules", sy_span_of(b));
    rig_load(&r);
    size_t n = 0;
    for (size_t i = 0; i < r.diags.n; i++)
        if (r.diags.v[i].severity == SY_DIAG_ERROR) {
            unsigned line, column;
            place(&r.diags.v[i], &line, &column);
            assert_true(n < sizeof lines / sizeof *lines);
            assert_int_equal(line, lines[n]);
            n++;
        }
    assert_int_equal(n, sizeof lines / sizeof *lines);
    rig_close(&r);
}

/* Exactly the form that the language's description shows. */
static void test_print(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_add(&r, "cold-chain.rules",
            sy_span_of("rule COLD-01 version 4 \"c\"\n  basis \"GSP\" law\n"
                       "  watch each room: temperature\n\n\n\n  set hold = 10 min\n"
                       "  alert serious when temperture outside 2 to 8 °C [law] for hold\nend\n"));
    rig_load(&r);
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    sy_diag_print(rig_first_error(&r), SY_EN, &out);
    assert_string_equal(out.p,
                        "cold-chain.rules:8:22: error: unknown quantity 'temperture'\n"
                        "    8 |   alert serious when temperture outside 2 to 8 °C [law] for hold\n"
                        "      |                      ^~~~~~~~~~ did you mean 'temperature'?\n");
    sy_buf_fini(&out);
    rig_close(&r);

    rig_text(&r, "规则 A 版本 1 “甲”\r\n  监测每个库房：温渡\r\n依据 “乙” 法定\r\n"
                 "报警 提醒 当温度无数据\r\n结束\r\n");
    sy_buf_init(&out, sy_heap());
    sy_diag_print(rig_first_error(&r), SY_ZH, &out);
    assert_string_equal(out.p, "test.rules:2:10: 错误：未知量或状态“温渡”\n"
                               "    2 |   监测每个库房：温渡\n"
                               "      |                 ^~~~ 是否应为“温度”？\n");
    sy_buf_fini(&out);
    rig_close(&r);
}

static void test_identity(void **state)
{
    (void)state;
    static const char *const two[][3] = {
        /* the second text, severity and code */
        {HEAD "alert serious when ph above 8 [law]\nend", "same-version", NULL},
        {HEAD DOOR "end", "duplicate-rule", NULL},
        {"规则 T-1 版本 1 “译”\n依据 “乙” 法定 监测每个库房：温度、库门、湿度、酸碱度、化霜\n"
         "报警 严重 当库门为打开 结束",
         NULL, "译"},
        {"rule T-1 version 2 \"t\" basis \"b\" law watch each room: door alert serious when door "
         "is "
         "open end",
         "duplicate-rule", NULL},
    };
    for (size_t i = 0; i < sizeof two / sizeof *two; i++) {
        rig r;
        rig_open(&r);
        rig_add(&r, "a.rules", sy_span_of(HEAD DOOR "end\n"));
        rig_add(&r, "b.rules", sy_span_of(two[i][0]));
        rig_load(&r);
        const sy_diag *d = rig_first_error(&r);
        if (two[i][1]) {
            assert_non_null(d);
            assert_string_equal(d->code, two[i][1]);
        } else {
            assert_null(d);
            assert_int_equal(r.set->n_rules, 1);
            assert_string_equal(r.set->rules[0]->title.zh, two[i][2]);
            assert_string_equal(r.set->rules[0]->title.en, "t");
        }
        rig_close(&r);
    }
}

static void test_warnings(void **state)
{
    (void)state;
    rig r;
    rig_text(&r, "rule A version 1 \"a\"\n basis \"b\" clause verify law\n watch each room: door\n"
                 " set unused = 5 min\n alert serious when door is open\n"
                 " then major tell premises\nend\n");
    assert_int_equal(r.err, SY_OK);
    assert_int_equal(rig_count(&r, SY_DIAG_WARNING, "unverified"), 1);
    assert_int_equal(rig_count(&r, SY_DIAG_WARNING, "unused"), 2);
    assert_int_equal(rig_count(&r, SY_DIAG_WARNING, "no-scenario"), 2);
    assert_int_equal(rig_count(&r, SY_DIAG_WARNING, NULL), 5);
    rig_close(&r);
}

static void named(const char *manual, const char *code)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "`%s`", code);
    if (!strstr(manual, quoted))
        fail_msg("the manual lacks the code %s", code);
}

/* The manual explains every code that these tests know. */
static void test_codes_in_manual(void **state)
{
    (void)state;
    char *manual = rig_manual();
    assert_non_null(manual);
    for (size_t i = 0; i < sizeof in_a_rule / sizeof *in_a_rule; i++)
        named(manual, in_a_rule[i].code);
    for (size_t i = 0; i < sizeof in_a_file / sizeof *in_a_file; i++)
        if (in_a_file[i].code)
            named(manual, in_a_file[i].code);
    for (size_t i = 0; i < sizeof in_a_scenario / sizeof *in_a_scenario; i++)
        named(manual, in_a_scenario[i].code);
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),    cmocka_unit_test(test_files),
        cmocka_unit_test(test_scenarios), cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_print),     cmocka_unit_test(test_identity),
        cmocka_unit_test(test_warnings),  cmocka_unit_test(test_codes_in_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
