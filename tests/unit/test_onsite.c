/* SPDX-License-Identifier: Apache-2.0 */
/* The board of what is active, its texts; how people are told; which hosts are near. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "onsite/board.h"
#include "upstream/carrier.h"
#include "upstream/tidings.h"

static const sy_word premises_word = {.id = "premises", .kind = SY_W_RECIPIENT};
static const sy_word *const serves[] = {&premises_word};
static const sy_site_premises owners[] = {{.id = "shop", .name = "Shop 7"}, {.id = "yard"}};
static const sy_site_place places[] = {{.id = "fridge", .kind = "cabinet", .name = "Fridge \"3\""},
                                       {.id = "hall", .kind = "room"}};
static const sy_site site = {.premises = owners, .n_premises = 2, .places = places, .n_places = 2};

static sy_on_site usual(void)
{
    return (sy_on_site){.on = true,
                        .topic = "steelyard/alerts",
                        .acknowledge = "steelyard/ack",
                        .serves = serves,
                        .n_serves = 1,
                        .severity = SY_WARNING};
}

typedef struct event_of {
    const char *id, *change, *state, *severity, *tell, *more;
} event_of;

static sy_buf event(const event_of *e)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_printf(
        &b,
        "{\"type\":\"steelyard.alert.%s\",\"source\":\"/steelyard/gw\",\"time\":"
        "\"2026-11-24T10:00:00.000Z\",\"data\":{\"change\":\"%s\",\"alert\":{\"id\":"
        "\"%s\",\"rule\":\"R-1\",\"severity\":\"%s\",\"onset\":\"2026-11-24T09:%.2s:00."
        "000Z\",\"state\":\"%s\"},\"rule\":{\"say\":{\"en\":\"Close it.\",\"zh\":\"关门\"}},"
        "\"premises\":{\"id\":\"shop\",\"name\":\"Shop 7\"},\"place\":{\"id\":\"fridge\","
        "\"name\":\"Fridge 3\"},\"tell\":[%s]%s}}",
        e->change, e->change, e->id, e->severity, e->id, e->state, e->tell, e->more ? e->more : "");
    assert_false(b.failed);
    return b;
}

/* Whose state it changed. */
static const char *take(sy_board *b, const event_of *e)
{
    static char premises[SY_BOARD_ID];
    sy_buf text = event(e);
    sy_fail f;
    assert_int_equal(sy_board_take(b, sy_buf_span(&text), premises, &f), SY_OK);
    sy_buf_fini(&text);
    return premises;
}

static void has(const sy_board *b, size_t owner, const sy_site_place *place, const char *what)
{
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    sy_board_json(b, &owners[owner], &site, place, &out);
    sy_buf_char(&out, '\0');
    assert_false(out.failed);
    if (!strstr(out.p, what))
        fail_msg("no %s in %s", what, out.p);
    sy_buf_fini(&out);
}

static void test_the_life_of_an_alert(void **state)
{
    (void)state;
    sy_on_site o = usual();
    sy_board b;
    sy_board_init(&b, &o);
    has(&b, 0, NULL, "\"active\":0,\"unacknowledged\":0,\"shelved\":0,\"severity\":null");
    /* Not told: another recipient, or too mild. */
    assert_string_equal(
        take(&b, &(event_of){"10", "raised", "active", "major", "\"inspector\"", NULL}), "");
    assert_string_equal(
        take(&b, &(event_of){"11", "raised", "active", "notice", "\"premises\"", NULL}), "");
    has(&b, 0, NULL, "\"active\":0");
    assert_null(sy_board_find(&b, "shop", sy_span_of("11")));
    /* It grows, and stays told whoever is told next. */
    assert_string_equal(
        take(&b, &(event_of){"11", "escalated", "active", "warning", "\"premises\"", NULL}),
        "shop");
    assert_string_equal(take(&b, &(event_of){"11", "acknowledged", "active", "warning",
                                             "\"premises\"", ",\"act\":{\"who\":\"lamp\"}"}),
                        "shop");
    has(&b, 0, &places[0], "\"unacknowledged\":0");
    has(&b, 0, NULL, "\"acknowledged\":\"lamp\"");
    assert_non_null(sy_board_find(&b, "shop", sy_span_of("11")));
    assert_null(sy_board_find(&b, "yard", sy_span_of("11")));
    take(&b, &(event_of){"11", "escalated", "active", "serious", "\"inspector\"", NULL});
    has(&b, 0, NULL, "\"active\":1,\"unacknowledged\":1,\"shelved\":0,\"severity\":\"serious\"");
    take(&b, &(event_of){"11", "shelved", "active", "serious", "", ",\"act\":{\"who\":\"x\"}"});
    has(&b, 0, NULL, "\"active\":0,\"unacknowledged\":0,\"shelved\":1,\"severity\":null");
    take(&b, &(event_of){"11", "unshelved", "active", "serious", "", ",\"act\":{\"who\":null}"});
    has(&b, 0, NULL, "\"unacknowledged\":1");
    has(&b, 0, &places[1], "\"active\":0");
    has(&b, 1, NULL, "\"active\":0");
    assert_string_equal(take(&b, &(event_of){"11", "cleared", "cleared", "serious", "", NULL}),
                        "shop");
    has(&b, 0, NULL, "\"active\":0");
    sy_board_fini(&b);
}

static void test_the_list_is_bounded_and_the_worst_is_first(void **state)
{
    (void)state;
    sy_on_site o = usual();
    sy_board b;
    char id[8];
    sy_board_init(&b, &o);
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "%02d", 40 - i);
        take(&b, &(event_of){id, "raised", "active", i == 7 ? "major" : "warning", "\"premises\"",
                             NULL});
    }
    has(&b, 0, NULL, "\"active\":20");
    has(&b, 0, NULL, "\"alerts\":[{\"id\":\"33\"");
    has(&b, 0, NULL, "},{\"id\":\"21\"");
    has(&b, 0, NULL, "\"more\":4}");
    has(&b, 0, &places[0], "\"name\":\"Fridge \\\"3\\\"\"");
    sy_board_fini(&b);
}

static void test_hostile_events_change_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"data\":[]}",
        "{\"data\":{\"alert\":{\"id\":7}}}",
        "{\"data\":{\"change\":\"raised\",\"alert\":{\"id\":\"a\",\"state\":\"active\"}}}"};
    sy_on_site o = usual();
    sy_board b;
    char premises[SY_BOARD_ID];
    sy_fail f;
    sy_board_init(&b, &o);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(sy_board_take(&b, sy_span_of(texts[i]), premises, &f), SY_OK);
        assert_string_equal(premises, "");
    }
    assert_int_equal(b.n, 0);
    sy_board_fini(&b);
}

static void test_cbor(void **state)
{
    (void)state;
    sy_buf out;
    sy_fail f;
    sy_buf_init(&out, sy_heap());
    assert_int_equal(
        sy_board_cbor(sy_span_of("{\"a\":[1,-1,true,null,\"x\"],\"b\":300}"), &out, &f), SY_OK);
    static const char want[] = "\xa2\x61\x61\x85\x01\x20\xf5\xf6\x61x\x61\x62\x19\x01\x2c";
    assert_int_equal(out.n, sizeof want - 1);
    assert_memory_equal(out.p, want, out.n);
    assert_int_equal(sy_board_cbor(sy_span_of("{"), &out, &f), SY_E_PARSE);
    sy_buf_fini(&out);
}

static void test_who_is_near(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool loop, lan;
    } hosts[] = {
        {"http://127.0.0.1:80/x", true, true},
        {"http://localhost/", true, true},
        {"http://[::1]:80/", true, true},
        {"http://10.1.2.3/", false, true},
        {"http://172.31.0.1/", false, true},
        {"http://172.32.0.1/", false, false},
        {"http://192.168.1.1/", false, true},
        {"http://8.8.8.8/", false, false},
        {"http://[fd00::1]/", false, true},
        {"http://[2001:db8::1]/", false, false},
        {"http://[::ffff:8.8.8.8]/", false, false},
        {"http://10.0.0.1.example.org/", false, false},
        {"http://localhost.example.org/", false, false},
        {"http:///", false, false},
    };
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        if (sy_carrier_near(hosts[i].url, false) != hosts[i].loop ||
            sy_carrier_near(hosts[i].url, true) != hosts[i].lan)
            fail_msg("%s", hosts[i].url);
    }
}

static sy_tidings told(const event_of *e, sy_arena *arena)
{
    sy_tidings t;
    sy_fail f;
    sy_buf text = event(e);
    assert_int_equal(sy_tidings_of(sy_buf_span(&text), arena, &t, &f), SY_OK);
    sy_buf_fini(&text);
    return t;
}

static void test_who_is_told_of_what(void **state)
{
    (void)state;
    sy_arena arena;
    sy_arena_init(&arena, sy_heap(), 0);
    event_of e = {"12", "raised", "active", "major", "", NULL};
    assert_true(told(&e, &arena).told);
    e.change = "unanswered";
    assert_true(told(&e, &arena).told);
    e.change = "acknowledged";
    assert_false(told(&e, &arena).told);
    e.change = "raised";
    e.more = ",\"group\":\"g1\""; /* of a storm that was told to others */
    assert_true(told(&e, &arena).told);
    e.change = "escalated";
    assert_true(told(&e, &arena).told);
    sy_arena_fini(&arena);
}

/* No line is longer than RFC 5322 allows, none is broken by what a name holds. */
static void test_a_letter(void **state)
{
    (void)state;
    sy_arena arena;
    sy_buf out;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_buf_init(&out, sy_heap());
    sy_tidings t[2] = {told(&(event_of){"12", "raised", "active", "major", "", NULL}, &arena),
                       told(&(event_of){"13", "cleared", "cleared", "major", "", NULL}, &arena)};
    t[0].place = "evil\r\nBcc: all@example.org\r\n\r\n.\r\n";
    t[0].say_en =
        "很长的名字很长的名字很长的名字很长的名字很长的名字很长的名字很长的名字很长的名字";
    const sy_letter l = {.from = "a@example.org", .to = "b@example.org\nc@example.org", .now = 0};
    sy_tidings_letter(&l, t, 2, &out);
    sy_buf_char(&out, '\0');
    assert_false(out.failed);
    assert_non_null(strstr(out.p, "To: b@example.org,\r\n c@example.org\r\n"));
    assert_non_null(strstr(out.p, "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"));
    assert_null(strstr(out.p, "Bcc"));
    for (const char *p = out.p; *p;) {
        size_t n = strcspn(p, "\r\n");
        assert_in_range(n, 0, 78);
        p += n;
        assert_true(*p == '\0' || strncmp(p, "\r\n", 2) == 0);
        p += *p ? 2 : 0;
    }
    sy_buf_fini(&out);
    sy_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_life_of_an_alert),
        cmocka_unit_test(test_the_list_is_bounded_and_the_worst_is_first),
        cmocka_unit_test(test_hostile_events_change_nothing),
        cmocka_unit_test(test_cbor),
        cmocka_unit_test(test_who_is_near),
        cmocka_unit_test(test_who_is_told_of_what),
        cmocka_unit_test(test_a_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
