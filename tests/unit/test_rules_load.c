/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule language: texts that load, in both languages and in the forms that people paste, and
 * what the judgement hash sees and does not see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules_rig.h"

static char *hash_of(const char *text)
{
    rig r;
    static char hex[8][65];
    static size_t next;
    char *out = hex[next++ % 8];
    rig_text(&r, text);
    if (r.err != SY_OK) {
        const sy_diag *d = rig_first_error(&r);
        sy_buf b;
        sy_buf_init(&b, sy_heap());
        if (d)
            sy_diag_print(d, SY_EN, &b);
        fail_msg("%s\n%s", text, b.n ? b.p : sy_err_text(r.err));
    }
    memcpy(out, r.set->rules[0]->judgement_hex, 65);
    rig_close(&r);
    return out;
}

/* The judgement hashes of the example rules: what has been signed stays signed. */
static const char *const first_hashes[] = {
    "a104355db0a54054fd8974f969d45633337525bada2c2ffacd48daf5ba61e768",
    "f302f6afe53f63bd7fb3e21ae5dde9cda24eaa5e645ee54a8bc569bb8a695382",
    "95fbc2eaa650c3b49a97f24f236aeb084b96004f608b5dbf4eb5d33824512119",
};
static const char *const rest_hashes[] = {
    "6eac31268f9390108c5f21eebab821387a832972250f6047c4102547b48c6ba8",
    "05d04587cfe46ecc129c8fd156e0d499264114013d1315b37dda219baff028d2",
    "678b9ca13a5143d1845bc6595a15c17cf49dc70857679ca5aa7e9f370e741902",
    "013203aa07b30afdf371106d638974581aa300d3a849ca5fcb606df7a24cdff2",
    "1900f907cf44aebc7c9acde7232e64a04a9c332278885cdb816a0a29104ad79e",
    "8efdb145fb37f196639102fe4ba55a6ded688db9161641941999bed152a8b034",
};

static void vectors(const char *en_path, const char *zh_path, const char *const *hashes,
                    size_t n_rules, size_t n_scenarios)
{
    size_t n, m;
    char *en = rig_shared(en_path, &n), *zh = rig_shared(zh_path, &m);
    if (!en || !zh)
        skip();
    rig a, b;
    rig_open(&a);
    rig_add(&a, en_path, (sy_span){en, n});
    rig_load(&a);
    rig_open(&b);
    rig_add(&b, zh_path, (sy_span){zh, m});
    rig_load(&b);
    assert_int_equal(a.err, SY_OK);
    assert_int_equal(b.err, SY_OK);
    assert_int_equal(a.set->n_rules, n_rules);
    assert_int_equal(b.set->n_rules, n_rules);
    assert_int_equal(a.set->n_scenarios, n_scenarios);
    assert_int_equal(b.set->n_scenarios, n_scenarios);
    for (size_t i = 0; i < n_rules; i++) {
        assert_string_equal(a.set->rules[i]->judgement_hex, hashes[i]);
        assert_string_equal(b.set->rules[i]->judgement_hex, hashes[i]);
        assert_memory_not_equal(a.set->rules[i]->text_hash, b.set->rules[i]->text_hash, 32);
    }
    rig_close(&a);
    rig_close(&b);
    free(en);
    free(zh);
}

static void test_vectors(void **state)
{
    (void)state;
    vectors("rules/first.en.rules", "rules/first.zh.rules", first_hashes, 3, 4);
}

static void test_rest_vectors(void **state)
{
    (void)state;
    vectors("rules/rest.en.rules", "rules/rest.zh.rules", rest_hashes, 6, 10);
}

#define EN                                                                                         \
    "rule A-1 version 2 \"t\"\nbasis \"b\" clause \"3\" policy\n"                                  \
    "applies to subject caterer; goods any; stage serving\neffective from 2026-01-01\n"            \
    "watch each cabinet: temperature, humidity, door\nmissing after 10 min\n"                      \
    "set hold = 10 min\nset lim by food-risk-tier: A 7 °C; otherwise 8 °C [law]\n"               \
    "alert warning when (temperature above lim or 2 of humidity within 40 to 60 %RH [policy]) "    \
    "and not door is open\n"                                                                       \
    "except while door open, each at most 5 min, daily at most 8 times\n"                          \
    "alert notice when temperature has no data for hold\n"                                         \
    "clear when temperature at most 7 °C for 10 min\n"                                            \
    "then tell premises\nthen warning tell inspector; respond within 2 h\nsay \"s\"\nend\n"

/* The same, however it is written. */
static const char *const same[] = {
    /* Chinese, without a blank that is not needed */
    "规则 A-1版本2“题”依据“乙”条款“三”裁量 适用主体餐饮服务提供者；品种不限；环节供餐 "
    "生效自2026-01-01"
    "监测每个冷柜：温度、湿度、库门 缺数据超过10分钟 设 时限=10分钟"
    "设 限值 按食品风险等级：A 7℃；其余8℃【法定】"
    "报警预警当（温度高于限值或2湿度处于40至60%RH【裁量】）且非库门为打开"
    "除外情形库门打开，每次至多5分钟，每日至多8次 报警提醒当温度无数据持续时限"
    "解除当温度不高于7℃持续10分钟 处置通知经营者 处置预警通知监管员；响应时限2小时 告知“言”结束",
    /* mixed, clause by clause */
    "rule A-1 version 2 \"t\"\n依据 “乙” clause “3” policy\n"
    "applies to 主体 餐饮服务提供者; goods 不限; stage serving\n生效 from 2026-01-01\n"
    "watch each 冷柜: temperature, 湿度, 门\nmissing after 10 分钟\n"
    "set hold = 10 min\nset 限值 by food-risk-tier: A 7 ℃; otherwise 8 °C 【law】\n"
    "报警 warning 当 (温度 above 限值 or 2 of humidity within 40～60 %RH [policy]) and 非门为 "
    "open\n"
    "except while 库门 打开, each at most 5 min, daily at most 8 times\n"
    "alert notice when 温度 has no data for hold\nclear when temperature 不高于 7 °C for 10 min\n"
    "then tell premises\nthen warning tell inspector; respond within 2 h\nsay \"s\" / “言”\nend\n",
    /* full-width signs and digits, NBSP, BOM, CR LF, comments, redundant parentheses, long forms */
    "\xef\xbb\xbf# a comment\r\nrule\xc2\xa0"
    "A-1 version ２ “t”\r\nbasis “b” clause “3” policy\r\n"
    "applies to subject caterer； goods any； stage serving\r\neffective from "
    "２０２６－０１－０１\r\n"
    "watch each cabinet： temperature， humidity， door # here\r\nmissing after 10.0 minutes\r\n"
    "set hold = 010 min [policy]\r\nset lim by food-risk-tier: A 7 °C; otherwise 8.0 °C [law]\r\n"
    "alert warning when ((temperature above lim) or ((2 of humidity within 40 ～ 60 ％RH 【policy】"
    "))) and (not (door is open))\r\n"
    "except while door open, each at most 5 min, daily at most 8 times\r\n"
    "alert notice\r\nwhen temperature has\r\nno data for hold\r\n"
    "clear when temperature at most 7 °C for 10 min\r\n"
    "then tell premises\r\nthen warning tell inspector; respond within 2 h\r\nsay \"s\"\r\nend",
};

static void test_same(void **state)
{
    (void)state;
    char want[65];
    memcpy(want, hash_of(EN), sizeof want);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_string_equal(hash_of(same[i]), want);
}

/* Each of these changes of the text changes the judgement. */
static const char *const changes[][2] = {
    {"A-1", "A-2"},
    {"version 2", "version 3"},
    {"\" policy\n", "\" law\n"},
    {"clause \"3\"", "clause verify"},
    {"subject caterer", "subject hotel"},
    {"goods any", "goods drug"},
    {"stage serving", "stage retail"},
    {"2026-01-01", "2026-01-02"},
    {"from 2026-01-01", "from 2026-01-01 to 2027-01-01"},
    {"each cabinet", "each room"},
    {"each cabinet", "each point"},
    {"temperature, humidity", "humidity, temperature"},
    {"after 10 min", "after 11 min"},
    {"hold = 10 min", "hold = 11 min"},
    {"hold = 10 min", "hold = 10 min [tunable 5 min to 20 min]"},
    {"food-risk-tier", "credit-risk-tier"},
    {"A 7 °C", "B 7 °C"},
    {"A 7 °C", "A 6 °C"},
    {"8 °C [law]", "8 °C [policy]"},
    {"alert warning", "alert serious"},
    {"above lim", "at least lim"},
    {"2 of", "3 of"},
    {"2 of", "any of"},
    {"2 of", ""},
    {"within 40", "outside 40"},
    {"within 40", "within 41"},
    {"60 %RH", "61 %RH"},
    {"or 2 of", "and 2 of"},
    {"not door", "door"},
    {"is open", "is closed"},
    {"while door open", "while door closed"},
    {"most 5 min", "most 6 min"},
    {"most 8 times", "most 9 times"},
    {"data for hold", "data for 10 min"},
    {"data for hold", "data"},
    {"at most 7 °C", "below 7 °C"},
    {"tell premises", "tell inspector"},
    {"then warning tell", "then serious tell"},
    {"within 2 h", "within 3 h"},
    {"; respond within 2 h", ""},
    {"10 min\nthen", "9 min\nthen"},
};
/* And these do not. */
static const char *const texts[][2] = {
    {"\"t\"", "\"another title\""},
    {"\"b\"", "\"another basis\""},
    {"\"s\"", "\"say\""},
    {"hold = 10 min", "hold = 10.000 min [policy]"},
    {"40 to 60 %RH", "40 %RH to 60 %RH"},
    {"A 7 °C", "A 7 ℃ [law]"},
    {"any; stage", "any ;  stage"},
};

static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    size_t n = strlen(text) + strlen(to) + 1, head = (size_t)(at - text);
    char *out = malloc(n);
    assert_non_null(out);
    memcpy(out, text, head);
    snprintf(out + head, n - head, "%s%s", to, at + strlen(from));
    return out;
}

static void test_changes(void **state)
{
    (void)state;
    char want[65];
    memcpy(want, hash_of(EN), sizeof want);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *text = replaced(EN, changes[i][0], changes[i][1]);
        if (strcmp(hash_of(text), want) == 0)
            fail_msg("'%s' for '%s' changes nothing", changes[i][1], changes[i][0]);
        free(text);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *text = replaced(EN, texts[i][0], texts[i][1]);
        if (strcmp(hash_of(text), want) != 0)
            fail_msg("'%s' for '%s' changes the judgement", texts[i][1], texts[i][0]);
        free(text);
    }
}

/* The tree that the judge reads. */
static void test_tree(void **state)
{
    (void)state;
    rig r;
    rig_text(&r, EN "scenario \"s\" tests A-1\ngiven food-risk-tier is A; door is closed; "
                    "humidity every 5 min\n"
                    "from day 2 08:00 to 09:00:30 every 30 s: temperature 46.4 °F, door open\n"
                    "at 2026-02-03 24:00: temperature has no data\n"
                    "expect alert warning at day 2 08:10\nexpect clear at 2026-01-05 00:00\nend\n");
    assert_int_equal(r.err, SY_OK);
    const sy_rule *rule = r.set->rules[0];
    assert_string_equal(rule->id, "A-1");
    assert_true(rule->goods.any);
    assert_int_equal(rule->n_alerts, 2);
    assert_int_equal(rule->alerts[0].level, SY_NOTICE); /* ascending, whatever the text's order */
    const sy_cond *c = rule->alerts[1].when;
    assert_int_equal(c->kind, SY_COND_AND);
    assert_int_equal(c->n_kids, 2);
    assert_int_equal(c->kids[0]->kind, SY_COND_OR);
    assert_int_equal(c->kids[0]->kids[1]->pick, SY_PICK_COUNT);
    assert_int_equal(c->kids[0]->kids[1]->pick_n, 2);
    assert_string_equal(c->kids[0]->kids[1]->a.num->unit->id, "%RH"); /* the unit of b is a's */
    assert_int_equal(c->kids[0]->kids[1]->a.num->origin, SY_ORIGIN_POLICY);
    const sy_value *limit = &c->kids[0]->kids[0]->a;
    sy_site_tier a = {"food-risk-tier", "A"}, b = {"food-risk-tier", "B"};
    assert_true(sy_value_num(limit, &a, 1)->value == 7);
    assert_true(sy_value_num(limit, &b, 1)->value == 8);
    assert_true(sy_value_num(limit, NULL, 0)->value == 8);
    assert_int_equal(sy_value_num(limit, &a, 1)->origin, SY_ORIGIN_LAW); /* the last row's mark */
    assert_int_equal(c->kids[1]->kind, SY_COND_NOT);
    assert_string_equal(c->kids[1]->kids[0]->operand.word->id, "door");
    assert_int_equal(c->kids[1]->kids[0]->state, 0);

    const sy_scenario *s = r.set->scenarios[0];
    assert_ptr_equal(s->rule, rule);
    assert_int_equal(s->n_steps, 5);
    assert_int_equal(s->steps[0].n_facts, 3);
    assert_int_equal(s->steps[1].to.day, 2); /* the day of "from" */
    assert_int_equal(s->steps[1].to.of_day, 32430000);
    assert_int_equal(s->steps[1].assigns[0].num->mant, 464);
    assert_int_equal(s->steps[1].assigns[0].num->exp10, -1);
    assert_true(s->steps[1].assigns[0].num->value == 46.4);
    assert_int_equal(s->steps[2].at.of_day, 86400000);
    assert_true(s->steps[2].assigns[0].no_data);
    assert_int_equal(s->steps[4].kind, SY_STEP_CLEAR_AT);
    rig_close(&r);
}

/* (A and B) and C is A and B and C; a hold makes a group of its own. */
static void test_groups(void **state)
{
    (void)state;
#define G(cond)                                                                                    \
    "rule A version 1 \"a\" basis \"b\" law watch each room: door, fan, defrost alert notice "     \
    "when " cond " end"
    char flat[65];
    memcpy(flat, hash_of(G("door is open and fan is on and defrost is on")), sizeof flat);
    assert_string_equal(hash_of(G("(door is open and fan is on) and defrost is on")), flat);
    assert_string_equal(hash_of(G("door is open and ((fan is on) and (defrost is on))")), flat);
    assert_string_not_equal(hash_of(G("(door is open and fan is on) for 1 min and defrost is on")),
                            flat);
    assert_string_not_equal(hash_of(G("door is open and (fan is on or defrost is on)")),
                            hash_of(G("door is open and fan is on or defrost is on")));
    assert_string_equal(hash_of(G("(door is open and fan is on) or defrost is on")),
                        hash_of(G("door is open and fan is on or defrost is on")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_rest_vectors),
        cmocka_unit_test(test_same),    cmocka_unit_test(test_changes),
        cmocka_unit_test(test_tree),    cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
