/* SPDX-License-Identifier: Apache-2.0 */
/* What of an event leaves the box. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/hash.h"
#include "upstream/egress.h"

static const char alert[] =
    "{\"specversion\":\"1.0\",\"id\":\"a1/1\",\"source\":\"/steelyard/g\","
    "\"type\":\"steelyard.alert.raised\",\"subject\":\"shop/room/temp\",\"data\":{"
    "\"change\":\"raised\",\"alert\":{\"id\":\"a1\",\"subject\":\"shop/room/temp\",\"min\":1.5,"
    "\"max\":11.4,\"count\":3,\"message\":\"\\\"name\\\":{\"},\"premises\":{\"id\":\"shop\","
    "\"name\":\"Wang's Fish\",\"code\":\"91350100M000100Y43\"},\"place\":{\"id\":\"room\","
    "\"kind\":\"cold-room\",\"name\":\"Back room\"},\"device\":\"d1\",\"series\":\"d1/temp\"}}";
static const char act[] =
    "{\"specversion\":\"1.0\",\"id\":\"a1/2\",\"type\":\"steelyard.alert.acknowledged\",\"data\":{"
    "\"act\":{\"kind\":\"acknowledge\",\"who\":\"Wang Wei\",\"via\":\"%s\",\"why\":\"door\"}}}";

static sy_span of(const char *text)
{
    return (sy_span){text, strlen(text)};
}

static sy_egress_verdict apply(const char *event, unsigned classes, unsigned redact, sy_buf *out)
{
    const sy_egress policy = {classes, redact};
    sy_egress_verdict verdict;
    sy_fail f = {0};
    sy_buf_reset(out);
    assert_int_equal(sy_egress_apply(&policy, of(event), out, &verdict, &f), SY_OK);
    sy_buf_char(out, 0);
    return verdict;
}

static void classes(void **state)
{
    static const struct {
        const char *type;
        sy_egress_class class;
    } known[] = {
        {"steelyard.alert.raised", SY_EGRESS_ALERT},
        {"steelyard.alert.withdrawn", SY_EGRESS_ALERT},
        {"steelyard.alert.acknowledged", SY_EGRESS_ACT},
        {"steelyard.alert.unshelved", SY_EGRESS_ALERT},
        {"steelyard.alert.unanswered", SY_EGRESS_ALERT},
        {"steelyard.group.raised", SY_EGRESS_GROUP},
        {"steelyard.heartbeat", SY_EGRESS_HEARTBEAT},
        {"steelyard.statement", SY_EGRESS_STATEMENT},
        {"steelyard.head", SY_EGRESS_HEAD},
        {"steelyard.order.done", SY_EGRESS_ORDER},
        {"steelyard.configuration.refused", SY_EGRESS_SERVICE},
        {"", SY_EGRESS_SERVICE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(sy_egress_class_of_type(of(known[i].type)), known[i].class);
    assert_int_equal(sy_egress_class_of(of(alert)), SY_EGRESS_ALERT);
    assert_int_equal(sy_egress_class_of(of("[]")), SY_EGRESS_SERVICE);
    assert_int_equal(sy_egress_class_of_kind("raised", true), SY_EGRESS_ALERT);
    assert_int_equal(sy_egress_class_of_kind("commented", true), SY_EGRESS_ACT);
    assert_int_equal(sy_egress_class_of_kind("statement", false), SY_EGRESS_STATEMENT);
    assert_int_equal(sy_egress_class_of_kind("order-done", false), SY_EGRESS_ORDER);
    assert_int_equal(sy_egress_class_of_kind("store-damaged", false), SY_EGRESS_SERVICE);
}

static void whole_or_not_at_all(void **state)
{
    sy_buf out;
    (void)state;
    sy_buf_init(&out, sy_heap());
    assert_int_equal(apply(alert, SY_EGRESS_ALL, 0, &out), SY_EGRESS_WHOLE);
    assert_int_equal(out.n, 1);
    assert_int_equal(apply(alert, SY_EGRESS_ALL, 1u << SY_PART_PEOPLE, &out), SY_EGRESS_WHOLE);
    assert_int_equal(out.n, 1);
    assert_int_equal(apply(alert, SY_EGRESS_ALL & ~(1u << SY_EGRESS_ALERT), 0, &out),
                     SY_EGRESS_WITHHELD);
    sy_buf_fini(&out);
}

static json_t *redacted(const char *event, unsigned parts, const char *named, sy_buf *out)
{
    assert_int_equal(apply(event, SY_EGRESS_ALL, parts, out), SY_EGRESS_REDACTED);
    json_error_t why;
    json_t *o = json_loads(out->p, JSON_REJECT_DUPLICATES, &why);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "steelyardredacted")), named);
    unsigned char sum[32];
    char hex[65];
    sy_sha256 h;
    sy_sha256_init(&h);
    sy_sha256_add(&h, event, strlen(event));
    sy_sha256_end(&h, sum);
    sy_hex(sum, 32, hex);
    assert_string_equal(json_string_value(json_object_get(o, "steelyardoriginal")), hex);
    return o;
}

static void parts(void **state)
{
    sy_buf out;
    (void)state;
    sy_buf_init(&out, sy_heap());
    json_t *o = redacted(alert, 1u << SY_PART_NAMES | 1u << SY_PART_CODES, "names,codes", &out);
    assert_null(strstr(out.p, "Wang"));
    assert_null(strstr(out.p, "Back room"));
    assert_null(strstr(out.p, "91350100M000100Y43"));
    assert_non_null(strstr(out.p, "\"min\":1.5,\"max\":11.4"));
    json_decref(o);
    o = redacted(alert, 1u << SY_PART_READINGS, "readings", &out);
    assert_null(strstr(out.p, "11.4"));
    assert_non_null(strstr(out.p, "\"message\":\"\\\"name\\\":{\""));
    json_decref(o);
    o = redacted(alert, 1u << SY_PART_LOCATION, "location", &out);
    assert_string_equal(json_string_value(json_object_get(o, "subject")), "shop");
    assert_null(strstr(out.p, "room/temp"));
    assert_null(strstr(out.p, "d1/temp"));
    assert_non_null(strstr(out.p, "cold-room"));
    json_decref(o);
    sy_buf_fini(&out);
}

static void people(void **state)
{
    char text[400];
    sy_buf out;
    (void)state;
    sy_buf_init(&out, sy_heap());
    snprintf(text, sizeof text, act, "premises");
    json_t *o = redacted(text, 1u << SY_PART_PEOPLE, "people", &out);
    assert_null(strstr(out.p, "Wang Wei"));
    assert_non_null(strstr(out.p, "\"why\":\"door\""));
    json_decref(o);
    o = redacted(text, 1u << SY_PART_COMMENTS | 1u << SY_PART_PEOPLE, "people,comments", &out);
    assert_null(strstr(out.p, "door"));
    json_decref(o);
    /* The authority knows its own people. */
    snprintf(text, sizeof text, act, "order/17");
    assert_int_equal(apply(text, SY_EGRESS_ALL, 1u << SY_PART_PEOPLE, &out), SY_EGRESS_WHOLE);
    sy_buf_fini(&out);
}

static void no_event(void **state)
{
    static const char *const bad[] = {"",      "{",           "[]",   "{\"a\":1}x", "{\"a\":}",
                                      "{a:1}", "{\"a\":\"\\", "null", "{\"a\":1,}", "{\"a\" 1}"};
    const sy_egress policy = {SY_EGRESS_ALL, SY_EGRESS_ALL};
    sy_buf out;
    (void)state;
    sy_buf_init(&out, sy_heap());
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sy_egress_verdict verdict;
        sy_fail f = {0};
        assert_int_equal(sy_egress_apply(&policy, of(bad[i]), &out, &verdict, &f), SY_E_PARSE);
        assert_int_equal(verdict, SY_EGRESS_WITHHELD);
        assert_int_equal(out.n, 0);
    }
    char deep[200];
    memset(deep, '[', sizeof deep - 1);
    memcpy(deep, "{\"a\":", 5);
    deep[sizeof deep - 1] = 0;
    sy_egress_verdict verdict;
    assert_int_equal(sy_egress_apply(&policy, of(deep), &out, &verdict, NULL), SY_E_PARSE);
    sy_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),  cmocka_unit_test(whole_or_not_at_all),
        cmocka_unit_test(parts),    cmocka_unit_test(people),
        cmocka_unit_test(no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
