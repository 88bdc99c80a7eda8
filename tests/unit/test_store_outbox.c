/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox: what waits for whom, in which order, and what becomes of it. */
#include "store_rig.h"

#include <pthread.h>
#include <stdio.h>

static bool put_event(sy_store *s, const char *id, const char *alert, int priority,
                      const char *const *to, size_t n)
{
    sy_fail f;
    bool added;
    sy_event_row e = {.id = id,
                      .kind = "alert.raised",
                      .alert = alert,
                      .time = 5,
                      .priority = priority,
                      .body = sy_span_of(id)};
    fine(sy_store_event(s, &e, to, n, &added, &f), f);
    return added;
}

/* "id id …" of what waits; numbers[] takes theirs. */
static size_t list(sy_store *s, const char *to, size_t max, const char *expected, int64_t *numbers)
{
    sy_fail f;
    sy_arena arena;
    sy_arena_init(&arena, sy_heap(), 0);
    sy_outbox_item *items;
    size_t n;
    fine(sy_store_outbox(s, to, max, &arena, &items, &n, &f), f);
    char text[256] = "";
    for (size_t i = 0; i < n; i++) {
        assert_true(sy_span_is(items[i].body, items[i].id));
        strcat(text, i ? " " : "");
        strcat(text, items[i].id);
        numbers[i] = items[i].number;
    }
    assert_string_equal(text, expected);
    sy_arena_fini(&arena);
    return n;
}

static const char *const both[] = {"city", "county"};

static void waits_by_destination_until_done(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    int64_t numbers[16];
    fine(sy_store_begin(s, true, &f), f);
    assert_true(put_event(s, "e1", "a", 0, both, 2));
    assert_false(put_event(s, "e1", "a", 0, both, 2)); /* known: not added again */
    assert_true(put_event(s, "e2", NULL, 2, both, 1));
    assert_true(put_event(s, "e3", "b", 1, both, 1));
    assert_true(put_event(s, "e4", "c", 0, both, 1));
    fine(sy_store_commit(s, 1, &f), f);
    assert_int_equal(list(s, "city", 10, "e1 e4 e3 e2", numbers), 4);
    list(s, "city", 2, "e1 e4", numbers);
    fine(sy_store_outbox_done(s, "city", numbers, 2, NULL, &f), f);
    fine(sy_store_outbox_done(s, "city", numbers, 2, NULL, &f), f); /* counted once */
    list(s, "city", 10, "e3 e2", numbers);
    fine(sy_store_outbox_done(s, "city", numbers, 1, "400 no such premises", &f), f);
    list(s, "city", 10, "e2", numbers);
    list(s, "county", 10, "e1", numbers);
    list(s, "nobody", 10, "", numbers);
    uint64_t waiting, refused;
    fine(sy_store_outbox_count(s, "city", &waiting, &refused, &f), f);
    assert_int_equal(waiting, 1);
    assert_int_equal(refused, 1);
    assert_int_equal(store_rig_counter(s, SY_N_events_delivered), 2);
    assert_int_equal(store_rig_counter(s, SY_N_events_refused), 1);
    assert_int_equal(store_rig_position(s), 1);
    sy_store_close(s);
    s = store_rig_open(*state);
    list(s, "city", 10, "e2", numbers);
    fine(sy_store_begin(s, true, &f), f);
    assert_false(put_event(s, "e1", "a", 0, both, 2)); /* delivered, and still known */
    sy_store_rollback(s);
    sy_store_close(s);
}

static void events_of_one_alert_keep_their_order(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    int64_t numbers[16];
    fine(sy_store_begin(s, true, &f), f);
    put_event(s, "clear-a", "a", 1, both, 1);
    put_event(s, "clear-b", "b", 1, both, 1);
    put_event(s, "raise-c", "c", 0, both, 1);
    put_event(s, "amend-a", "a", 0, both, 1); /* more urgent, but not before clear-a */
    fine(sy_store_commit(s, 1, &f), f);
    list(s, "city", 10, "clear-a raise-c amend-a clear-b", numbers);
    sy_store_close(s);
}

typedef struct confirmer {
    sy_store *s;
    int64_t number;
    pthread_t thread;
} confirmer;

static void *confirm(void *ctx)
{
    confirmer *c = ctx;
    sy_fail f;
    int64_t numbers[16];
    list(c->s, "city", 10, "e1", numbers); /* reading waits for no batch */
    return (void *)(uintptr_t)sy_store_outbox_done(c->s, "city", &c->number, 1, NULL, &f);
}

/* A confirmation and a batch do not mix: rolling the batch back takes nothing from the other. */
static void a_confirmation_is_its_own_transaction(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    int64_t numbers[16];
    void *e;
    fine(sy_store_begin(s, true, &f), f);
    put_event(s, "e1", "a", 0, both, 1);
    fine(sy_store_commit(s, 1, &f), f);
    list(s, "city", 10, "e1", numbers);
    confirmer c = {.s = s, .number = numbers[0]};
    fine(sy_store_begin(s, true, &f), f);
    put_event(s, "e2", "a", 0, both, 1);
    assert_int_equal(pthread_create(&c.thread, NULL, confirm, &c), 0);
    sy_store_rollback(s);
    pthread_join(c.thread, &e);
    assert_int_equal((uintptr_t)e, SY_OK);
    list(s, "city", 10, "", numbers);
    assert_int_equal(store_rig_counter(s, SY_N_events_delivered), 1);
    sy_store_close(s);
}

#define dir_test(fn) cmocka_unit_test_setup_teardown(fn, store_rig_setup, store_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(waits_by_destination_until_done),
        dir_test(events_of_one_alert_keep_their_order),
        dir_test(a_confirmation_is_its_own_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
