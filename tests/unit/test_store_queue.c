/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox beyond sending: withheld, heartbeats, notices that pass, refused and tried again. */
#include "store_rig.h"

#include <stdio.h>
#include <string.h>

#include "store/queue.h"

static void put(sy_store *s, const char *id, const char *kind, const char *alert, sy_ms time,
                int priority)
{
    static const char *const to[] = {"city"};
    sy_fail f;
    bool added;
    sy_event_row e = {.id = id,
                      .kind = kind,
                      .alert = alert,
                      .time = time,
                      .priority = priority,
                      .body = sy_span_of(id)};
    fine(sy_store_begin(s, true, &f), f);
    fine(sy_store_event(s, &e, to, 1, &added, &f), f);
    fine(sy_store_commit(s, 1, &f), f);
    assert_true(added);
}

/* "id id …" of what waits; numbers[] takes theirs. */
static size_t waits(sy_store *s, const char *expected, int64_t numbers[8])
{
    sy_fail f;
    sy_arena arena;
    sy_outbox_item *items;
    size_t n;
    char text[256] = "";
    sy_arena_init(&arena, sy_heap(), 0);
    fine(sy_store_outbox(s, "city", 8, &arena, &items, &n, &f), f);
    for (size_t i = 0; i < n; i++) {
        strcat(text, i ? " " : "");
        strcat(text, items[i].id);
        numbers[i] = items[i].number;
    }
    assert_string_equal(text, expected);
    sy_arena_fini(&arena);
    return n;
}

static void withheld_leaves(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    int64_t numbers[8];
    uint64_t n;
    put(s, "a/1", "raised", "a", 1, 0);
    put(s, "a/2", "cleared", "a", 2, 1);
    waits(s, "a/1 a/2", numbers);
    fine(sy_store_withhold(s, "city", numbers, 1, &f), f);
    fine(sy_store_withhold(s, "city", numbers, 1, &f), f); /* counted once */
    waits(s, "a/2", numbers);
    fine(sy_store_withheld(s, "city", &n, &f), f);
    assert_int_equal(n, 1);
    fine(sy_store_withheld(s, "county", &n, &f), f);
    assert_int_equal(n, 0);
    assert_int_equal(store_rig_counter(s, SY_N_events_withheld), 1);
    assert_int_equal(store_rig_counter(s, SY_N_events_delivered), 0);
    sy_store_close(s);
}

static void beat(sy_store *s, const char *to, const char *id)
{
    sy_fail f;
    sy_event_row e = {
        .id = id, .kind = "heartbeat", .time = 5, .priority = 2, .body = sy_span_of(id)};
    fine(sy_store_heartbeat(s, to, &e, &f), f);
}

static void the_newest_heartbeat_is_enough(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    int64_t numbers[8];
    sy_buf body;
    uint64_t waiting, refused;
    sy_buf_init(&body, sy_heap());
    put(s, "a/1", "raised", "a", 1, 0);
    for (int i = 0; i < 864; i++) { /* 72 h of them */
        char id[32];
        snprintf(id, sizeof id, "h/%d", i);
        beat(s, "city", id);
        beat(s, "county", i ? id + 2 : "first");
    }
    put(s, "b/1", "raised", "b", 1, 0);
    assert_int_equal(waits(s, "a/1 b/1 h/863", numbers), 3);
    fine(sy_store_newest_event(s, "heartbeat", false, &body, &f), f);
    assert_true(sy_span_is(sy_buf_span(&body), "863"));
    fine(sy_store_outbox_count(s, "county", &waiting, &refused, &f), f);
    assert_int_equal(waiting, 1);
    /* One that is being sent while the next comes is not missed, nor found again. */
    beat(s, "city", "h/864");
    fine(sy_store_outbox_done(s, "city", &numbers[2], 1, NULL, &f), f);
    waits(s, "a/1 b/1 h/864", numbers);
    /* Refused, then replaced: nothing is left of it. */
    fine(sy_store_outbox_done(s, "city", &numbers[2], 1, "400", &f), f);
    beat(s, "city", "h/865");
    fine(sy_store_outbox_count(s, "city", &waiting, &refused, &f), f);
    assert_int_equal(refused, 0);
    sy_buf_fini(&body);
    sy_store_close(s);
}

static void only_passing_notices_expire(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    int64_t numbers[8];
    uint64_t n;
    put(s, "a/1", "raised", "a", 1, 0);
    put(s, "a/2", "amended", "a", 1, 3); /* whatever its priority: it is of an alert */
    put(s, "refused", "configuration-refused", NULL, 1, 2);
    put(s, "old", "broker-failing", NULL, 1, 3);
    put(s, "young", "broker-restored", NULL, 9, 3);
    fine(sy_store_outbox_expire(s, "city", 5, &n, &f), f);
    assert_int_equal(n, 1);
    assert_int_equal(store_rig_counter(s, SY_N_events_expired), 1);
    waits(s, "a/1 refused a/2 young", numbers);
    sy_store_close(s);
}

static bool add_row(void *ctx, const sy_refused_row *r)
{
    char *text = ctx;
    strcat(text, r->destination);
    strcat(text, " ");
    strcat(text, r->id);
    strcat(text, " ");
    strcat(text, r->why);
    return true;
}

static bool add_waiting(void *ctx, const sy_waiting_row *r)
{
    char *text = ctx;
    sprintf(text + strlen(text), "%s:%d:%d:%d ", r->kind, r->of_alert, (int)r->n, (int)r->since);
    return true;
}

static void refused_is_tried_again(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    int64_t numbers[8];
    char text[256] = "", by[256] = "";
    uint64_t n;
    put(s, "a/1", "raised", "a", 7, 0);
    put(s, "b/1", "raised", "b", 3, 0);
    put(s, "x", "statement", NULL, 4, 2);
    fine(sy_store_waiting(s, "city", add_waiting, by, &f), f);
    assert_string_equal(by, "raised:1:2:3 statement:0:1:4 ");
    waits(s, "a/1 b/1 x", numbers);
    fine(sy_store_outbox_done(s, "city", numbers, 1, "no such premises", &f), f);
    fine(sy_store_refused(s, add_row, text, &f), f);
    assert_string_equal(text, "city a/1 no such premises");
    assert_int_equal(sy_store_retry(s, "b/1", &n, &f), SY_E_NOTFOUND);
    fine(sy_store_retry(s, "a/1", &n, &f), f);
    assert_int_equal(n, 1);
    waits(s, "a/1 b/1 x", numbers);
    text[0] = 0;
    fine(sy_store_refused(s, add_row, text, &f), f);
    assert_string_equal(text, "");
    sy_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(withheld_leaves, store_rig_setup, store_rig_teardown),
        cmocka_unit_test_setup_teardown(the_newest_heartbeat_is_enough, store_rig_setup,
                                        store_rig_teardown),
        cmocka_unit_test_setup_teardown(only_passing_notices_expire, store_rig_setup,
                                        store_rig_teardown),
        cmocka_unit_test_setup_teardown(refused_is_tried_again, store_rig_setup,
                                        store_rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
