/* SPDX-License-Identifier: Apache-2.0 */
/* What the sender adds of the ledger: a head behind the events, told until it is answered; and a
 * destination that will not have heads loses no event, and nothing is set aside. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/ledger.h"
#include "ledger/prove.h"
#include "store/heads.h"
#include "upstream_rig.h"

static sy_ledger *ledger_of(sy_store *s, const char *dir)
{
    static const char *const names[] = {"county"};
    sy_ledger *l = NULL;
    sy_fail f = {0};
    const sy_ledger_options o = {.store = s,
                                 .data_dir = dir,
                                 .key = rig_path(dir, "ledger-key"),
                                 .gateway = "gate",
                                 .interval = 60000,
                                 .destinations = names,
                                 .n_destinations = 1};
    assert_int_equal(sy_ledger_open(&l, &o, 1000000, &f), SY_OK);
    return l;
}

/* An event with its leaf, under a head. */
static void put(sy_ledger *l, const char *id)
{
    sy_fail f = {0};
    char body[96];
    snprintf(body, sizeof body, "{\"specversion\":\"1.0\",\"id\":\"%s\"}", id);
    const sy_event_row e = {.id = id, .kind = "test", .time = 1, .body = sy_span_of(body)};
    assert_int_equal(sy_ledger_tell(l, &e, 2000000, &f), SY_OK);
}

static uint64_t confirmed(sy_store *s)
{
    uint64_t size = 0;
    sy_fail f = {0};
    assert_int_equal(sy_store_confirmed(s, "county", &size, &f), SY_OK);
    return size;
}

static uint64_t newest(sy_store *s)
{
    uint64_t size = 0;
    sy_fail f = {0};
    assert_int_equal(sy_prove_newest(s, &size, &f), SY_OK);
    return size;
}

static void until_confirmed(sy_store *s)
{
    sy_ms end = sy_mono_ms() + 20000;
    while (confirmed(s) < newest(s)) {
        assert_true(sy_mono_ms() < end);
        rig_nap();
    }
}

static bool heads_last(rig_peer *p, const rig_request *r)
{
    atomic_uint *heads = r->script;
    for (size_t i = 0; i < r->n; i++) {
        bool head = strncmp(r->ids[i], "head/", 5) == 0;
        assert_true(!head || i + 1 == r->n);
        *heads += head ? 1 : 0;
    }
    return rig_ok(p, r);
}

static void a_head_follows_its_events_once(void **state)
{
    atomic_uint heads = 0;
    sy_store *s = rig_store(*state);
    sy_ledger *l = ledger_of(s, *state);
    rig_peer *p = rig_peer_start(*state, "server", heads_last, &heads);
    put(l, "e1");
    put(l, "e2");
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    until_confirmed(s);
    sy_sender_wake(sender);
    assert_int_equal(heads, 1);
    put(l, "e3");
    sy_sender_wake(sender);
    until_confirmed(s);
    sy_sender_stop(sender);
    assert_int_equal(heads, 2);
    assert_int_equal(rig_waiting(s, NULL), 0);
    rig_peer_stop(p);
    sy_ledger_close(l);
    sy_store_close(s);
}

static bool refuses_heads(rig_peer *p, const rig_request *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strncmp(r->ids[i], "head/", 5) == 0) {
            return rig_answer(p, 400, "");
        }
    }
    return rig_ok(p, r);
}

static void who_refuses_heads_gets_the_events(void **state)
{
    uint64_t refused = 7;
    sy_store *s = rig_store(*state);
    sy_ledger *l = ledger_of(s, *state);
    rig_peer *p = rig_peer_start(*state, "server", refuses_heads, NULL);
    char id[16];
    sy_sender *sender = rig_sender_to(s, *state, p);
    for (int i = 1; i <= 12; i++) {
        snprintf(id, sizeof id, "e%d", i);
        put(l, id);
        sy_sender_wake(sender);
        rig_until_waiting(s, 0);
    }
    /* Only the heads are left, and they are not tried without a pause. */
    unsigned before = rig_requests(p);
    for (int i = 0; i < 20; i++) {
        sy_sender_wake(sender);
        rig_nap();
    }
    assert_true(rig_requests(p) < before + 15);
    sy_sender_stop(sender);
    rig_waiting(s, &refused);
    assert_int_equal(refused, 0);
    assert_int_equal(confirmed(s), 0);
    char *taken = rig_taken(p, NULL);
    assert_string_equal(taken, "e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11 e12");
    free(taken);
    rig_peer_stop(p);
    sy_ledger_close(l);
    sy_store_close(s);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_head_follows_its_events_once),
        ROW(who_refuses_heads_gets_the_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
