/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders as texts: what is read, what is refused and why, who may order what; and what is in force
 * by order, as a text that changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "orders/answer.h"
#include "orders/force.h"

#define HEAD                                                                                       \
    "{\"id\":\"a1\",\"gateway\":\"gw-1\",\"issued\":\"2026-11-24T09:00:00.000Z\",\"expires\":"     \
    "null,"                                                                                        \
    "\"who\":\"Wang Fang\",\"why\":\"GSP\","

static sy_ms at(const char *text)
{
    sy_ms t = 0;
    assert_int_equal(sy_time_parse(sy_span_of(text), &t), SY_OK);
    return t;
}

static const char *const good[SY_ORDER_KINDS] = {
    HEAD "\"kind\":\"acknowledge\",\"body\":{\"alert\":\"0123\"}}",
    HEAD "\"kind\":\"comment\",\"body\":{\"alert\":\"0123\",\"text\":\"seen\"}}",
    HEAD
    "\"kind\":\"shelve\",\"body\":{\"alert\":\"0123\",\"until\":\"2026-11-25T09:00:00.000Z\"}}",
    HEAD "\"kind\":\"unshelve\",\"body\":{\"alert\":\"0123\"}}",
    HEAD "\"kind\":\"evidence\",\"body\":{\"alert\":\"0123\"}}",
    HEAD "\"kind\":\"calibration\",\"body\":{\"series\":\"d1/t\",\"calibrated\":\"2026-11-01\","
         "\"uncertainty\":0.3}}",
    HEAD "\"kind\":\"tiers\",\"body\":{\"premises\":\"p1\",\"tiers\":{\"food-risk-tier\":\"B\"}}}",
    HEAD "\"kind\":\"tune\",\"body\":{\"name\":\"bay\",\"version\":1,\"text\":\"\"}}",
    HEAD "\"kind\":\"pack\",\"body\":{\"name\":\"gsp\",\"version\":3,\"effective\":null,"
         "\"files\":[{\"name\":\"a.rules\",\"text\":\"rule A\"}]}}",
    HEAD "\"kind\":\"rollback\",\"body\":{\"name\":\"gsp\",\"version\":0}}",
};

static void each_kind_is_read_and_written_again(void **state)
{
    (void)state;
    for (int k = 0; k < SY_ORDER_KINDS; k++) {
        sy_order o, again;
        sy_fail f = {0};
        sy_buf text;
        sy_buf_init(&text, sy_heap());
        if (sy_order_read(sy_span_of(good[k]), &o, &f) != SY_OK)
            fail_msg("%s: %s", good[k], f.text);
        assert_int_equal(o.kind, k);
        assert_string_equal(o.who, "Wang Fang");
        assert_int_equal(sy_order_write(&o, &text, &f), SY_OK);
        assert_int_equal(sy_order_read(sy_buf_span(&text), &again, &f), SY_OK);
        assert_int_equal(again.kind, k);
        assert_int_equal(again.version, o.version);
        assert_int_equal(again.n_pairs, o.n_pairs);
        sy_order_free(&o);
        sy_order_free(&again);
        sy_buf_fini(&text);
    }
}

static void what_is_not_understood_is_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "no valid JSON"},
        {"[]", "is no object"},
        {"{}", "'id' is missing"},
        {HEAD "\"kind\":\"acknowledge\",\"kind\":\"comment\",\"body\":{}}", "no valid JSON"},
        {HEAD "\"kind\":\"reboot\",\"body\":{}}", "'kind' is not known"},
        {HEAD "\"kind\":\"acknowledge\",\"more\":1,\"body\":{\"alert\":\"1\"}}",
         "'more' is not known"},
        {HEAD "\"kind\":\"acknowledge\",\"body\":{\"alert\":\"1\",\"who\":\"x\"}}",
         "'who' is not known"},
        {HEAD "\"kind\":\"acknowledge\",\"body\":{\"alert\":\"../x\"}}", "characters"},
        {HEAD "\"kind\":\"acknowledge\",\"body\":[]}", "'body' is no object"},
        {HEAD "\"kind\":\"comment\",\"body\":{\"alert\":\"1\",\"text\":\"\"}}", "'text' is empty"},
        {HEAD "\"kind\":\"comment\",\"body\":{\"alert\":\"1\",\"text\":\"a\\nb\"}}", "control"},
        {HEAD "\"kind\":\"comment\",\"body\":{\"alert\":\"1\",\"text\":\"a\\u0000b\"}}",
         "no valid"},
        {HEAD "\"kind\":\"shelve\",\"body\":{\"alert\":\"1\",\"until\":\"2026-11-25\"}}",
         "RFC 3339"},
        {HEAD "\"kind\":\"shelve\",\"body\":{\"alert\":\"1\",\"until\":null}}",
         "'until' is no text"},
        {HEAD "\"kind\":\"calibration\",\"body\":{\"series\":\"s\",\"calibrated\":\"2026-13-01\"}}",
         "is no date"},
        {HEAD "\"kind\":\"calibration\",\"body\":{\"series\":\"s\",\"calibrated\":\"2026-11-01\","
              "\"uncertainty\":-1}}",
         "'uncertainty'"},
        {HEAD "\"kind\":\"tiers\",\"body\":{\"premises\":\"p\",\"tiers\":{}}}", "1 to 32"},
        {HEAD "\"kind\":\"tiers\",\"body\":{\"premises\":\"p\",\"tiers\":{\"a\":1}}}", "'tiers'"},
        {HEAD "\"kind\":\"rollback\",\"body\":{\"name\":\"gsp\",\"version\":-1}}", "'version'"},
        {HEAD "\"kind\":\"rollback\",\"body\":{\"name\":\"gsp\",\"version\":1.0}}", "'version'"},
        {HEAD "\"kind\":\"tune\",\"body\":{\"name\":\"gsp\",\"version\":0,\"text\":\"\"}}",
         "'version'"},
        {HEAD "\"kind\":\"pack\",\"body\":{\"name\":\"../etc\",\"version\":1,\"effective\":null,"
              "\"files\":[{\"name\":\"a.rules\",\"text\":\"\"}]}}",
         "'name' has characters"},
        {HEAD "\"kind\":\"pack\",\"body\":{\"name\":\"gsp\",\"version\":1,\"effective\":null,"
              "\"files\":[]}}",
         "1 to 64 files"},
        {HEAD "\"kind\":\"pack\",\"body\":{\"name\":\"gsp\",\"version\":1,\"effective\":null,"
              "\"files\":[{\"name\":\"..rules\",\"text\":\"\"}]}}",
         "dot"},
        {HEAD "\"kind\":\"pack\",\"body\":{\"name\":\"gsp\",\"version\":1,\"effective\":null,"
              "\"files\":[{\"name\":\"passwd\",\"text\":\"\"}]}}",
         "does not end in .rules"},
        {HEAD
         "\"kind\":\"pack\",\"body\":{\"name\":\"gsp\",\"version\":1,\"effective\":null,"
         "\"files\":[{\"name\":\"a.rules\",\"text\":\"\"},{\"name\":\"a.rules\",\"text\":\"\"}]}}",
         "twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sy_order o;
        sy_fail f = {0};
        assert_int_equal(sy_order_read(sy_span_of(bad[i].text), &o, &f), SY_E_PARSE);
        if (!strstr(f.text, bad[i].why))
            fail_msg("%s: '%s' does not say '%s'", bad[i].text, f.text, bad[i].why);
    }
}

static sy_err check(int kind, const char *gateway, unsigned roles, const char *now)
{
    sy_order o;
    sy_fail f = {0};
    assert_int_equal(sy_order_read(sy_span_of(good[kind]), &o, &f), SY_OK);
    sy_err e = sy_order_check(&o, gateway, roles, at(now), &f);
    sy_order_free(&o);
    return e;
}

static void gateway_role_and_time_must_fit(void **state)
{
    static const char now[] = "2026-11-24T09:00:05.000Z";
    (void)state;
    assert_int_equal(check(SY_ORDER_PACK, "gw-1", SY_ROLE_REGULATOR, now), SY_OK);
    assert_int_equal(check(SY_ORDER_PACK, "gw-2", SY_ROLE_REGULATOR, now), SY_E_NOTFOUND);
    assert_int_equal(check(SY_ORDER_PACK, "gw-1", SY_ROLE_INSPECTOR | SY_ROLE_PLATFORM, now),
                     SY_E_DENIED);
    assert_int_equal(check(SY_ORDER_PACK, "gw-1", 0, now), SY_E_DENIED);
    assert_int_equal(check(SY_ORDER_SHELVE, "gw-1", SY_ROLE_INSPECTOR, now), SY_E_DENIED);
    assert_int_equal(check(SY_ORDER_ACKNOWLEDGE, "gw-1", SY_ROLE_PLATFORM, now), SY_OK);
    assert_int_equal(check(SY_ORDER_CALIBRATION, "gw-1", SY_ROLE_PLATFORM, now), SY_E_DENIED);
    /* issued 11 min from now */
    assert_int_equal(check(SY_ORDER_PACK, "gw-1", SY_ROLE_REGULATOR, "2026-11-24T08:49:00.000Z"),
                     SY_E_RANGE);
    assert_int_equal(check(SY_ORDER_PACK, "gw-1", SY_ROLE_REGULATOR, "2026-11-24T08:51:00.000Z"),
                     SY_OK);
}

static void an_order_expires(void **state)
{
    static const char text[] =
        "{\"id\":\"a\",\"gateway\":\"*\",\"issued\":\"2026-11-24T09:00:00Z\",\"expires\":"
        "\"2026-11-24T10:00:00Z\",\"who\":\"W\",\"why\":\"y\",\"kind\":\"rollback\",\"body\":"
        "{\"name\":\"gsp\",\"version\":1}}";
    sy_order o;
    sy_fail f = {0};
    (void)state;
    assert_int_equal(sy_order_read(sy_span_of(text), &o, &f), SY_OK);
    assert_int_equal(sy_order_check(&o, "any", SY_ROLE_REGULATOR, at("2026-11-24T09:59:59Z"), &f),
                     SY_OK);
    assert_int_equal(sy_order_check(&o, "any", SY_ROLE_REGULATOR, at("2026-11-24T10:00:00Z"), &f),
                     SY_E_RANGE);
    /* To any box: not what is about one alert. */
    o.kind = SY_ORDER_ACKNOWLEDGE;
    assert_int_equal(sy_order_check(&o, "any", SY_ROLE_REGULATOR, at("2026-11-24T09:59:59Z"), &f),
                     SY_E_NOTFOUND);
    sy_order_free(&o);
}

static void what_is_in_force_changes_and_stays_sorted(void **state)
{
    sy_force *p;
    sy_fail f = {0};
    sy_buf once, twice;
    const sy_order_pair file = {"a.rules", "rule A"};
    const sy_order_pair tier = {"food-risk-tier", "B"}, other = {"noise-zone", "2"};
    sy_order o = {.premises = "p1", .pairs = &tier, .n_pairs = 1};
    sy_force_pack pack = {.name = "z", .from = "city", .version = 3, .number = 7}, got;
    (void)state;
    sy_buf_init(&once, sy_heap());
    sy_buf_init(&twice, sy_heap());
    assert_int_equal(sy_force_open(&p, (sy_span){"", 0}, &f), SY_OK);
    assert_int_equal(sy_force_put(p, &pack, &file, 1, &f), SY_OK);
    pack.name = "a";
    assert_int_equal(sy_force_put(p, &pack, &file, 1, &f), SY_OK);
    assert_int_equal(sy_force_tiers(p, &o, &f), SY_OK);
    o.pairs = &other;
    assert_int_equal(sy_force_tiers(p, &o, &f), SY_OK);
    assert_int_equal(sy_force_note(p, "a", "city", false, 9, &f), SY_OK);
    assert_true(sy_force_at(p, 0, &got));
    assert_string_equal(got.name, "a");
    assert_int_equal(got.version, 3);
    assert_int_equal(got.highest, 9);
    assert_int_equal(sy_force_text(p, &once, &f), SY_OK);
    assert_non_null(strstr(once.p, "\"food-risk-tier\": \"B\""));
    assert_non_null(strstr(once.p, "\"noise-zone\": \"2\""));
    sy_force_close(p);
    assert_int_equal(sy_force_open(&p, sy_buf_span(&once), &f), SY_OK);
    assert_true(sy_force_find(p, "z", &got));
    assert_int_equal(got.number, 7);
    assert_false(sy_force_find(p, "y", &got));
    assert_int_equal(sy_force_text(p, &twice, &f), SY_OK);
    assert_string_equal(once.p, twice.p);
    sy_force_close(p);
    sy_buf_fini(&once);
    sy_buf_fini(&twice);
}

typedef struct counted {
    size_t n;
    int64_t last;
} counted;

static bool count(void *ctx, int64_t number, sy_span jws)
{
    counted *c = ctx;
    c->n++;
    c->last = number;
    return jws.n > 0;
}

static void an_answer_is_taken_in_order(void **state)
{
    static const struct {
        const char *text;
        sy_err err;
        size_t n;
    } v[] = {
        {"{\"orders\":[],\"next\":0}", SY_OK, 0},
        {"{\"orders\":[{\"number\":1,\"order\":\"a\"},{\"number\":6,\"order\":\"b\"}],\"next\":6}",
         SY_OK, 1}, /* 1 is not above 5 */
        {"{\"orders\":[{\"number\":7,\"order\":\"a\"},{\"number\":6,\"order\":\"b\"}],\"next\":7}",
         SY_E_PARSE, 0},
        {"{\"orders\":[{\"number\":-1,\"order\":\"a\"}],\"next\":7}", SY_E_PARSE, 0},
        {"{\"orders\":[{\"number\":9007199254740992,\"order\":\"a\"}],\"next\":7}", SY_E_PARSE, 0},
        {"{\"orders\":[{\"number\":6}],\"next\":7}", SY_E_PARSE, 0},
        {"{\"orders\":{},\"next\":7}", SY_E_PARSE, 0},
        {"[]", SY_E_PARSE, 0},
        {"", SY_E_PARSE, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        counted c = {0};
        int64_t next = 0;
        sy_fail f = {0};
        assert_int_equal(sy_answer_orders(sy_span_of(v[i].text), 5, count, &c, &next, &f),
                         v[i].err);
        assert_int_equal(c.n, v[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_read_and_written_again),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(gateway_role_and_time_must_fit),
        cmocka_unit_test(an_order_expires),
        cmocka_unit_test(what_is_in_force_changes_and_stays_sorted),
        cmocka_unit_test(an_answer_is_taken_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
