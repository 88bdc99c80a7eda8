/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events for an Alertmanager: what an object says, which events may go, what is told again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "upstream/am.h"

static const sy_egress everything = {SY_EGRESS_ALL, 0};

static const sy_ms NOW = 1767225900000; /* 2026-01-01T00:05:00Z */
enum { SETTLE = 5000 };

static const char event_form[] =
    "{\"specversion\":\"1.0\",\"id\":\"%s/%d\",\"source\":\"/steelyard/gw\",\"type\":"
    "\"steelyard.alert.x\",\"time\":\"2026-01-01T00:10:00.000Z\",\"data\":{\"change\":\"x\","
    "\"alert\":{\"id\":\"%s\",\"rule\":\"R-1\",\"severity\":\"%s\",\"raised\":"
    "\"2026-01-01T00:00:00.000Z\",\"cleared\":%s,\"state\":\"%s\",\"min\":null,\"max\":9.25,"
    "\"count\":7},\"rule\":{\"title\":{\"en\":\"A "
    "\\\"title\\\"\",\"zh\":null},\"basis\":[{\"text\":"
    "{\"en\":\"Law\",\"zh\":\"法\"},\"clause\":null},{\"text\":{\"en\":\"Code\",\"zh\":null},"
    "\"clause\":{\"en\":\"4.2\",\"zh\":null}}]},\"premises\":{\"id\":\"p\",\"name\":\"药店\"},"
    "\"place\":{\"id\":\"c\",\"name\":null},\"device\":\"d\",\"series\":\"d/t\"}}";

typedef struct house {
    char dir[64];
    sy_store *store;
    sy_arena arena;
    sy_am am;
    int number;
} house;

static int setup(void **state)
{
    house *h = calloc(1, sizeof *h);
    sy_fail f = {0};
    snprintf(h->dir, sizeof h->dir, "/tmp/sy-am-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    if (sy_store_open(&h->store, h->dir, false, &f))
        fail_msg("%s", f.text);
    sy_arena_init(&h->arena, sy_heap(), 0);
    const sy_am_times times = {.settle = SETTLE, .again = 0, .keep = 60000};
    sy_am_init(&h->am, h->store, "am", &times, &everything);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    house *h = *state;
    char command[96];
    sy_am_fini(&h->am);
    sy_arena_fini(&h->arena);
    sy_store_close(h->store);
    snprintf(command, sizeof command, "rm -r %s", h->dir);
    assert_int_equal(system(command), 0);
    free(h);
    return 0;
}

/* An event of an alert, into the store and the outbox. */
static void put(house *h, const char *alert, const char *severity, bool active)
{
    char body[2000], id[64];
    const char *const to[] = {"am"};
    sy_fail f = {0};
    bool added = false;
    int n = ++h->number;
    snprintf(body, sizeof body, event_form, alert, n, alert, severity,
             active ? "null" : "\"2026-01-01T00:10:00.000Z\"", active ? "active" : "cleared");
    snprintf(id, sizeof id, "%s/%d", alert, n);
    sy_event_row row = {.id = id, .kind = "x", .alert = alert, .body = sy_span_of(body)};
    sy_alert_row a = {.id = alert,
                      .rule = "R-1",
                      .subject = "s",
                      .series = "d/t",
                      .state = active ? 0 : 1,
                      .cleared = active ? SY_MS_NONE : 5};
    assert_int_equal(sy_store_begin(h->store, false, &f), SY_OK);
    assert_int_equal(sy_store_alert(h->store, &a, &f), SY_OK);
    if (sy_store_event(h->store, &row, to, 1, &added, &f))
        fail_msg("%s", f.text);
    assert_true(added);
    assert_int_equal(sy_store_commit(h->store, (uint64_t)n, &f), SY_OK);
}

/* Choose among what waits, at a time, and make the body: how many go; the objects in *body. */
static size_t batch(house *h, sy_ms now, json_t **body)
{
    sy_outbox_item *items = NULL;
    const sy_outbox_item *chosen[SY_AM_BATCH];
    size_t n = 0, k = 0;
    sy_fail f = {0};
    assert_int_equal(sy_store_outbox(h->store, "am", 100, &h->arena, &items, &n, &f), SY_OK);
    sy_am_begin(&h->am);
    for (size_t i = 0; i < n; i++)
        if (sy_am_choose(&h->am, &items[i], &h->arena, now))
            chosen[k++] = &items[i];
    if (sy_am_body(&h->am, chosen, k, &h->arena, now, &f))
        fail_msg("%s", f.text);
    *body = json_loadb(h->am.body.p, h->am.body.n, 0, NULL);
    assert_true(json_is_array(*body));
    return k;
}

static const char *at(const json_t *body, size_t i, const char *part, const char *key)
{
    const json_t *o = json_array_get(body, i);
    o = *part ? json_object_get(o, part) : o;
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "none";
}

static void taken(house *h, sy_ms now)
{
    sy_fail f = {0};
    assert_int_equal(sy_am_taken(&h->am, now, &f), SY_OK);
}

static void an_object_says_what_routes_need(void **state)
{
    house *h = *state;
    json_t *body = NULL;
    put(h, "a1", "warning", true);
    assert_int_equal(batch(h, NOW, &body), 1);
    assert_string_equal(at(body, 0, "labels", "alertname"), "R-1");
    assert_string_equal(at(body, 0, "labels", "severity"), "warning");
    assert_string_equal(at(body, 0, "labels", "gateway"), "gw");
    assert_string_equal(at(body, 0, "labels", "premises"), "p");
    assert_string_equal(at(body, 0, "labels", "alert"), "a1");
    assert_string_equal(at(body, 0, "annotations", "summary"), "A \"title\"");
    assert_string_equal(at(body, 0, "annotations", "summary_zh"), "none");
    assert_string_equal(at(body, 0, "annotations", "basis"), "Law\nCode, 4.2");
    assert_string_equal(at(body, 0, "annotations", "basis_zh"), "法");
    assert_string_equal(at(body, 0, "annotations", "max"), "9.25");
    assert_string_equal(at(body, 0, "annotations", "min"), "none");
    assert_string_equal(at(body, 0, "annotations", "readings"), "7");
    assert_string_equal(at(body, 0, "", "startsAt"), "2026-01-01T00:00:00.000Z");
    assert_string_equal(at(body, 0, "", "endsAt"), "2026-01-01T00:06:00.000Z");
    json_decref(body);
}

static void an_end_waits_until_its_alert_was_notified(void **state)
{
    house *h = *state;
    json_t *body = NULL;
    put(h, "a1", "warning", true);
    put(h, "a1", "warning", false);
    put(h, "a2", "warning", true);
    assert_int_equal(batch(h, NOW, &body), 2);
    assert_string_equal(at(body, 1, "labels", "alert"), "a2");
    assert_int_equal(sy_am_sleep(&h->am, NOW, 60000), 1); /* a round of telling again is due */
    json_decref(body);
    taken(h, NOW);
    put(h, "a1", "warning", false); /* what follows a held event of an alert waits as well */
    assert_int_equal(batch(h, NOW + SETTLE - 1, &body), 0);
    json_decref(body);
    assert_int_equal(batch(h, NOW + SETTLE, &body), 2);
    assert_string_equal(at(body, 0, "", "endsAt"), "2026-01-01T00:10:00.000Z");
    json_decref(body);
    taken(h, NOW + SETTLE);
    put(h, "a2", "warning", false); /* a clock that was set back holds nothing up */
    assert_int_equal(batch(h, NOW - 1, &body), 1);
    json_decref(body);
}

static void a_higher_level_ends_the_lower(void **state)
{
    house *h = *state;
    json_t *body = NULL;
    put(h, "a1", "warning", true);
    put(h, "a1", "serious", true);
    assert_int_equal(batch(h, NOW, &body), 2);
    assert_int_equal(json_array_size(body), 3);
    assert_string_equal(at(body, 1, "labels", "severity"), "warning");
    assert_string_equal(at(body, 1, "", "endsAt"), "2026-01-01T00:05:00.000Z");
    assert_string_equal(at(body, 2, "labels", "severity"), "serious");
    json_decref(body);
    taken(h, NOW);
    put(h, "a1", "major", true);
    assert_int_equal(batch(h, NOW, &body), 1);
    assert_int_equal(json_array_size(body), 2);
    assert_string_equal(at(body, 0, "labels", "severity"), "serious");
    json_decref(body);
}

static size_t again(house *h, json_t **body)
{
    size_t n = 0;
    sy_fail f = {0};
    if (sy_am_again(&h->am, &h->arena, NOW, &n, &f))
        fail_msg("%s", f.text);
    *body = json_loadb(h->am.body.p, h->am.body.n, 0, NULL);
    return n;
}

static void what_fires_is_told_again(void **state)
{
    house *h = *state;
    json_t *body = NULL;
    sy_fail f = {0};
    put(h, "a1", "warning", true);
    put(h, "a2", "warning", true);
    (void)batch(h, NOW, &body);
    json_decref(body);
    assert_int_equal(again(h, &body), 0); /* not taken yet */
    json_decref(body);
    (void)batch(h, NOW, &body);
    json_decref(body);
    taken(h, NOW);
    assert_int_equal(again(h, &body), 2);
    assert_string_equal(at(body, 1, "labels", "alert"), "a2");
    json_decref(body);
    assert_int_equal(sy_am_again_taken(&h->am, &f), SY_OK);
    assert_int_equal(again(h, &body), 0); /* the end of the round */
    json_decref(body);
    /* An end that is not for this destination: the alert stops firing there, once. */
    put(h, "a1", "warning", false);
    int64_t end = 3;
    assert_int_equal(sy_store_outbox_done(h->store, "am", &end, 1, NULL, &f), SY_OK);
    assert_int_equal(again(h, &body), 2);
    assert_string_equal(at(body, 0, "", "endsAt"), "2026-01-01T00:05:00.000Z");
    json_decref(body);
    assert_int_equal(sy_am_again_taken(&h->am, &f), SY_OK);
    assert_int_equal(again(h, &body), 0);
    json_decref(body);
    assert_int_equal(again(h, &body), 1);
    json_decref(body);
}

static void what_is_no_alert_fires_for_an_hour(void **state)
{
    (void)state;
    static const char event[] = "{\"id\":\"1\",\"type\":\"steelyard.store.damaged\",\"source\":"
                                "\"/steelyard/gw\",\"time\":\"1970-01-01T00:00:00.000Z\",\"data\":"
                                "{\"rows\":3}}";
    const sy_am_say say = {.now = 0, .keep = 5};
    sy_buf b;
    sy_fail f = {0};
    sy_buf_init(&b, sy_heap());
    assert_int_equal(sy_am_write(&b, sy_span_of(event), &say, &f), SY_OK);
    sy_buf_char(&b, 0);
    assert_non_null(strstr(b.p, "\"alertname\":\"steelyard.store.damaged\""));
    assert_non_null(strstr(b.p, "\"endsAt\":\"1970-01-01T01:00:00.000Z\""));
    static const char *const bad[] = {"", "[]", "{}", "{\"type\":1}", "nonsense"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sy_am_write(&b, sy_span_of(bad[i]), &say, &f), SY_E_PARSE);
    sy_buf_fini(&b);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(an_object_says_what_routes_need),
        CASE(an_end_waits_until_its_alert_was_notified),
        CASE(a_higher_level_ends_the_lower),
        CASE(what_fires_is_told_again),
        cmocka_unit_test(what_is_no_alert_fires_for_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
