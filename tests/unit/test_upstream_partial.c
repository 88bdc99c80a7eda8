/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that take a part of a batch: what each says, and what the sender does by it. */
#include <stdio.h>
#include <stdlib.h>

#include "upstream/partial.h"
#include "upstream_rig.h"

static void what_an_answer_says(void **state)
{
    static const struct {
        const char *body;
        sy_err e;
        const char *fates; /* a letter an event: t r d; "": all taken, each is NULL */
    } rows[] = {
        {"", SY_OK, ""},
        {"thank you", SY_OK, ""},
        {"[1]", SY_OK, ""},
        {"{\"stored\":3,\"known\":0}", SY_OK, ""},
        {"{\"refused\":[]}", SY_OK, ""},
        {"{\"refused\":[{\"id\":\"e2\",\"why\":\"forged\"}]}", SY_OK, "trt"},
        {"{\"refused\":[{\"id\":\"e3\"},{\"id\":\"e1\",\"why\":7},{\"id\":\"e3\"}]}", SY_OK, "rtr"},
        {"{\"refused\":[{\"id\":\"e9\",\"why\":\"was not sent\"}]}", SY_OK, ""},
        {"{\"refused\":[{\"id\":\"e1\"},{\"id\":\"e2\"},{\"id\":\"e3\"}]}", SY_OK, "ddd"},
        {"{\"refused\":true}", SY_E_PEER, ""},
        {"{\"refused\":[{\"why\":\"no id\"}]}", SY_E_PEER, ""},
        {"{\"refused\":[\"e1\"]}", SY_E_PEER, ""},
        {"{\"refused\":[{\"id\":\"e1\"}", SY_OK, ""}, /* cut off: no JSON */
    };
    const sy_outbox_item items[3] = {{.id = "e1"}, {.id = "e2"}, {.id = "e3"}};
    const sy_outbox_item *const list[3] = {&items[0], &items[1], &items[2]};
    static const int64_t numbers[3] = {1, 2, 3};
    sy_arena arena;
    (void)state;
    sy_arena_init(&arena, sy_heap(), 0);
    const sy_batch b = {list, numbers, 3, &arena, 0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sy_each *each = NULL;
        sy_fail f;
        sy_err e = sy_partial_read(sy_span_of(rows[i].body), &b, &each, &f);
        if (e != rows[i].e || !each != !rows[i].fates[0]) {
            fail_msg("row %zu", i);
        }
        for (size_t k = 0; each && k < 3; k++) {
            char fate = each[k].fate == SY_FATE_TAKEN     ? 't'
                        : each[k].fate == SY_FATE_REFUSED ? 'r'
                                                          : 'd';
            if (fate != rows[i].fates[k]) {
                fail_msg("row %zu event %zu: %c", i, k, fate);
            }
        }
    }
    sy_arena_fini(&arena);
}

static void a_hostile_reason_is_one_short_line(void **state)
{
    const sy_outbox_item items[2] = {{.id = "e1"}, {.id = "e2"}};
    const sy_outbox_item *const list[2] = {&items[0], &items[1]};
    static const int64_t numbers[2] = {1, 2};
    const sy_each *each = NULL;
    sy_arena arena;
    sy_buf body;
    sy_fail f;
    (void)state;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_buf_init(&body, sy_heap());
    sy_buf_text(&body, "{\"refused\":[{\"id\":\"e1\",\"why\":\"a\\nb\\u001b");
    for (int i = 0; i < 300; i++) {
        sy_buf_text(&body, "证");
    }
    sy_buf_text(&body, "\"}]}");
    const sy_batch b = {list, numbers, 2, &arena, 0};
    assert_int_equal(sy_partial_read(sy_buf_span(&body), &b, &each, &f), SY_OK);
    assert_non_null(each);
    assert_int_equal(strncmp(each[0].why, "a b ", 4), 0);
    size_t n = strlen(each[0].why);
    assert_true(n <= SY_PARTIAL_WHY && (n - 4) % 3 == 0); /* no character is cut in two */
    sy_buf_fini(&body);
    sy_arena_fini(&arena);
}

/* Takes all but e3 and e7, and says so. */
static bool refuses_two(rig_peer *p, const rig_request *r)
{
    char body[256] = "{\"stored\":1,\"known\":0,\"refused\":[";
    const char *comma = "";
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->ids[i], "e3") == 0 || strcmp(r->ids[i], "e7") == 0) {
            size_t n = strlen(body);
            snprintf(body + n, sizeof body - n, "%s{\"id\":\"%s\",\"why\":\"it was altered\"}",
                     comma, r->ids[i]);
            comma = ",";
        }
    }
    size_t n = strlen(body);
    snprintf(body + n, sizeof body - n, "]}");
    rig_say(p, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    return true;
}

static void the_named_ones_are_set_aside_the_others_done(void **state)
{
    uint64_t refused = 0;
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", refuses_two, NULL);
    rig_events(s, 1, 20, 3);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    rig_waiting(s, &refused);
    assert_int_equal(refused, 2);
    assert_int_equal(rig_requests(p), 1); /* nothing is asked twice */
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool garbles(rig_peer *p, const rig_request *r)
{
    if (r->number < 3) {
        rig_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"refused\":\"all\"}");
        return true;
    }
    return rig_ok(p, r);
}

static void what_cannot_be_understood_confirms_nothing(void **state)
{
    uint64_t refused = 1;
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", garbles, NULL);
    rig_events(s, 1, 5, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    assert_true(rig_requests(p) >= 3);
    rig_waiting(s, &refused);
    assert_int_equal(refused, 0);
    rig_peer_stop(p);
    sy_store_close(s);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_answer_says),
        cmocka_unit_test(a_hostile_reason_is_one_short_line),
        ROW(the_named_ones_are_set_aside_the_others_done),
        ROW(what_cannot_be_understood_confirms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
