/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formatter: layout, comments, quotation marks, translation, and that what it wrote stays as it
 * is. The example files are written by hand in both languages: one must become the other, but for
 * the texts in quotes and the names that the rules declare.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/fmt.h"
#include "rules_rig.h"

/* The text laid out, from malloc. It must not change when it is laid out again. */
static char *laid_out(rig *r, sy_span text, sy_fmt_lang lang)
{
    sy_buf out, again;
    sy_source source = {"test.rules", text};
    sy_buf_init(&out, sy_heap());
    sy_buf_init(&again, sy_heap());
    assert_int_equal(sy_fmt(&source, &r->vocab, lang, &r->arena, &r->diags, &out), SY_OK);
    sy_buf_char(&out, 0);
    source.text = (sy_span){out.p, out.n - 1};
    assert_int_equal(sy_fmt(&source, &r->vocab, lang, &r->arena, &r->diags, &again), SY_OK);
    sy_buf_char(&again, 0);
    assert_string_equal(again.p, out.p);
    sy_buf_fini(&again);
    return out.p;
}

static void gives(const char *text, sy_fmt_lang lang, const char *want)
{
    rig r;
    rig_open(&r);
    char *got = laid_out(&r, sy_span_of(text), lang);
    assert_string_equal(got, want);
    free(got);
    rig_close(&r);
}

static void layout(void **state)
{
    (void)state;
    gives("", SY_FMT_OWN, "");
    gives(
        "rule A-1 version 2 \"t\" basis\"b\"clause  verify law watch each room:temperature,door\r\n"
        "set  hold=10min [tunable 5min to 30min]set x = -18 °C alert serious when( temperature\n"
        "outside 2 to 8°C[law]or not door is open)for hold except while door open,each at most\n"
        "5 min,daily at most 8 times during night then tell premises;respond within 2h end\n"
        "scenario\"s\"tests A-1 given door is closed;temperature every 5 min from 08:00 to\n"
        "day 2 09:00 every 1 min:temperature -5.0°C,door open at 08:10:temperature has no data\n"
        "expect no alert until 08:44 at 08:44:30:door open expect alert serious at 08:45 at\n"
        "09:00:door open end",
        SY_FMT_OWN,
        "rule A-1 version 2 \"t\"\n"
        "  basis \"b\" clause verify law\n"
        "  watch each room: temperature, door\n"
        "  set hold = 10 min [tunable 5 min to 30 min]\n"
        "  set x = -18 °C\n"
        "  alert serious when (temperature outside 2 to 8 °C [law] or not door is open) for hold\n"
        "    except while door open, each at most 5 min, daily at most 8 times\n"
        "    during night\n"
        "  then tell premises; respond within 2 h\n"
        "end\n"
        "\n"
        "scenario \"s\" tests A-1\n"
        "  given door is closed; temperature every 5 min\n"
        "  from 08:00 to day 2 09:00 every 1 min: temperature -5.0 °C, door open\n"
        "  at 08:10: temperature has no data\n"
        "  expect no alert until 08:44\n"
        "  at 08:44:30: door open\n"
        "  expect alert serious at 08:45\n"
        "  at 09:00: door open\n"
        "end\n");
}

static void translation(void **state)
{
    (void)state;
    static const char en[] =
        "rule A version 1 \"t\"\n"
        "  watch each room: temperature, fan, safety-valve\n"
        "  set 限 by food-risk-tier: A -5 °C; B 0.90 °C; otherwise 1 °C [law]\n"
        "  let d = mean of temperature over 1 h - lowest temperature over 限 / 2\n"
        "  alert notice when any of temperature at least 限 for 3 min [policy] and 2 of fan is on\n"
        "  alert warning when highest of temperature over 30 min while fan is on (valid at least "
        "50 "
        "%) above 限 beyond doubt\n"
        "  alert serious when safety-valve is open\n"
        "    except while safety-valve open, each at most 1 min, daily at most 2 times\n"
        "end\n\nscenario \"s\" tests A\n  at day 2 08:00: safety-valve closed\nend\n";
    static const char zh[] =
        "规则 A 版本 1 “t”\n"
        "  监测每个库房：温度、风机、安全阀\n"
        "  设 限 按食品风险等级：A -5℃；B 0.90℃；其余 1℃【法定】\n"
        "  令 d = 温度的均值过去1小时 - 温度的最低值过去限 / 2\n"
        "  报警 提醒 当任一温度不低于限持续3分钟【裁量】且2个风机为运行\n"
        "  报警 预警 当温度的最高值过去30分钟期间风机为运行（有效率不低于50%）明确高于限\n"
        "  报警 严重 当安全阀为开启\n"
        "    除外情形 安全阀开启，每次至多1分钟，每日至多2次\n"
        "结束\n\n情景 “s” 检验 A\n  在 第2日 08:00：安全阀闭合\n结束\n";
    gives(en, SY_FMT_ZH, zh);
    gives(zh, SY_FMT_OWN, zh);
    rig r;
    rig_open(&r);
    char *back = laid_out(&r, sy_span_of(zh), SY_FMT_EN);
    /* "of" is written where it was left out. */
    char *lowest = strstr(back, "lowest of temperature");
    assert_non_null(lowest);
    memmove(lowest + 6, lowest + 9, strlen(lowest + 9) + 1);
    assert_string_equal(back, en);
    free(back);
    rig_close(&r);
}

/* The phrases whose words stand otherwise in the other language. */
static void phrases(void **state)
{
    (void)state;
    static const char en[] =
        "rule A version 1 \"t\"\n"
        "  watch each room: temperature, humidity, cooling, calibration\n"
        "  set soon = 10 d [policy]\n"
        "  let dew = table of humidity (40 %RH -5 °C; 60 %RH 5 °C [law]) - 2 °C\n"
        "  alert notice when percentile 95 of temperature over 1 h above 8 °C [law]\n"
        "  alert warning when temperature above 8 °C [law] in 3 of 5 readings\n"
        "  alert serious when cooling is on followed by temperature within 2 to 8 °C [law] within "
        "soon\n"
        "  alert major when temperature from start of cooling on: at most 21 °C [law] within 2 h, "
        "at "
        "most 5 °C [law] within 6 h\n"
        "    except while cooling on, each at most 5 min, daily at most 2 times\n"
        "  clear when rate of temperature over 1 h below 0.5 °C/h\n"
        "  clear when temperature exposure above 8 °C [law] more than 300 °C·min in any 24 h\n"
        "  clear when temperature stuck for 30 min while others move or calibration overdue\n"
        "end\n";
    static const char zh[] =
        "规则 A 版本 1 “t”\n"
        "  监测每个库房：温度、湿度、冷却、校准\n"
        "  设 soon = 10日【裁量】\n"
        "  令 dew = 查表湿度（40%RH -5℃；60%RH 5℃【法定】） - 2℃\n"
        "  报警 提醒 当温度的95百分位过去1小时高于8℃【法定】\n"
        "  报警 预警 当温度高于8℃【法定】达到3/5次读数\n"
        "  报警 严重 当冷却为运行随后温度处于2至8℃【法定】在soon内\n"
        "  报警 重大 当温度自开始冷却运行：不高于21℃【法定】在2小时内，不高于5℃【法定】在6小时内\n"
        "    除外情形 冷却运行，每次至多5分钟，每日至多2次\n"
        "  解除 当温度的变化率过去1小时低于0.5℃/小时\n"
        "  解除 当温度超限累积高于8℃【法定】超过300℃·分钟在任意24小时\n"
        "  解除 当温度不变30分钟而其他变化或校准逾期\n"
        "结束\n";
    gives(en, SY_FMT_ZH, zh);
    gives(zh, SY_FMT_EN, en);
    gives(en, SY_FMT_OWN, en);
    gives(zh, SY_FMT_OWN, zh);
}

static void comments(void **state)
{
    (void)state;
    gives("\xef\xbb\xbf# file \n\n\n# of A\nrule A version 1 \"t\" # title\n\n # why\n\n"
          "  basis \"b # no comment\" law\n"
          "alert notice # one\n when temperature above 3 °C[law] ＃ two\n # three\n and door open\n"
          "  # exempt\nexcept while door open, each at most 1 min, daily at most 2 times# four\n"
          "# last\nend # A\n# of B\nscenario \"s\" tests A end\n# the\n\n# end",
          SY_FMT_OWN,
          "# file\n\n# of A\nrule A version 1 \"t\" # title\n  # why\n  basis \"b # no comment\" "
          "law\n"
          "  alert notice # one\n    when temperature above 3 °C [law] # two\n    # three\n"
          "    and door open\n    # exempt\n"
          "    except while door open, each at most 1 min, daily at most 2 times # four\n"
          "  # last\nend # A\n\n# of B\nscenario \"s\" tests A\nend\n\n# the\n\n# end\n");
}

static void quotation(void **state)
{
    (void)state;
    gives("rule A version 1 “a \"b\"” / \"c”\"\n  say \"x\ny\"\nend\n", SY_FMT_EN,
          "rule A version 1 “a \"b\"” / \"c”\"\n  say \"x\ny\"\nend\n");
    gives("rule A version 1 “a \"b\"” / \"c”\"\nend\n", SY_FMT_ZH,
          "规则 A 版本 1 “a \"b\"” / \"c”\"\n结束\n");
}

/* A name that is spelt as another thing: where it stands tells. */
static void homonyms(void **state)
{
    (void)state;
    gives("rule door version 1 \"t\"\n  watch each point: temperature, current\n"
          "  set temperature = 5 °C [law]\n"
          "  alert notice when temperature above temperature or current above 3 A [law]\nend\n\n"
          "scenario \"s\" tests door\n  given food-risk-tier is A\nend\n\n"
          "tune door: temperature = 6 °C at fan/door until reason \"r\" until 2026-01-01\n",
          SY_FMT_ZH,
          "规则 door 版本 1 “t”\n  监测每个测点：温度、电流\n"
          "  设 temperature = 5℃【法定】\n"
          "  报警 提醒 当温度高于temperature或电流高于3安【法定】\n结束\n\n"
          "情景 “s” 检验 door\n  已知 食品风险等级为A\n结束\n\n"
          "调整 door：temperature = 6℃ 在 fan/door until 理由 “r” 直到 2026-01-01\n");
}

/* The text without its quotations, its names as the other language's file has them. */
static void strip(char *text)
{
    static const char *const names[][2] = {
        {"时限", "hold"}, {"限值", "limit"}, {"气液比", "air-liquid-ratio"}};
    char *to = text;
    for (const char *p = text; *p;) {
        bool found = false;
        for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++)
            for (size_t k = 0; !found && k < 2; k++)
                if (strncmp(p, names[i][k], strlen(names[i][k])) == 0) {
                    *to++ = (char)('1' + i);
                    p += strlen(names[i][k]);
                    found = true;
                }
        if (found)
            continue;
        if (strncmp(p, "“", 3) == 0)
            p = strstr(p, "”") + 2;
        *to++ = *p++;
    }
    *to = 0;
}

static void example(const char *en_path, const char *zh_path)
{
    size_t n, m;
    char *en = rig_shared(en_path, &n), *zh = rig_shared(zh_path, &m);
    if (!en || !zh) {
        free(en);
        free(zh);
        skip();
        return;
    }
    rig r;
    rig_open(&r);
    char *from_en = laid_out(&r, (sy_span){en, n}, SY_FMT_ZH);
    char *from_zh = laid_out(&r, (sy_span){zh, m}, SY_FMT_OWN);
    char *there = laid_out(&r, sy_span_of(from_en), SY_FMT_EN);
    char *own = laid_out(&r, (sy_span){en, n}, SY_FMT_OWN);
    assert_string_equal(there, own);
    strip(from_en);
    strip(from_zh);
    assert_string_equal(from_en, from_zh);
    free(own);
    free(there);
    free(from_en);
    free(from_zh);
    rig_close(&r);
    free(en);
    free(zh);
}

static void examples(void **state)
{
    (void)state;
    example("rules/first.en.rules", "rules/first.zh.rules");
    example("rules/rest.en.rules", "rules/rest.zh.rules");
}

/* Every failed allocation is an ordinary return. */
typedef struct countdown {
    sy_alloc heap;
    size_t left;
} countdown;

static void *failing(void *ctx, void *p, size_t size)
{
    countdown *c = ctx;
    if (size > 0 && c->left-- == 0) {
        c->left = 0;
        return NULL;
    }
    return c->heap.resize(c->heap.ctx, p, size);
}

static void out_of_memory(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    sy_source source = {"t",
                        sy_span_of("rule A version 1 \"t\" # c\n  say \"s\" # d\nend # e\n# f")};
    sy_err e = SY_E_NOMEM;
    for (size_t i = 0; e == SY_E_NOMEM && i < 1000; i++) {
        countdown c = {sy_heap(), i};
        sy_alloc alloc = {failing, &c};
        sy_arena arena;
        sy_buf out;
        sy_arena_init(&arena, alloc, 0);
        sy_buf_init(&out, alloc);
        e = sy_fmt(&source, &r.vocab, SY_FMT_ZH, &arena, &r.diags, &out);
        sy_buf_fini(&out);
        sy_arena_fini(&arena);
        assert_true(e == SY_OK || e == SY_E_NOMEM);
        assert_true(i > 0 || e == SY_E_NOMEM);
    }
    assert_int_equal(e, SY_OK);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout),   cmocka_unit_test(translation),   cmocka_unit_test(phrases),
        cmocka_unit_test(comments), cmocka_unit_test(quotation),     cmocka_unit_test(homonyms),
        cmocka_unit_test(examples), cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
