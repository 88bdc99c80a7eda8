/* SPDX-License-Identifier: Apache-2.0 */
/* A receiver that breaks off in every way, at random, for a long batch of events; and a receiver
 * that hangs beside one that does not. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "upstream_rig.h"

enum { EVENTS = 600, ALERTS = 7, CALM = 60 };

/* The same draws in each run. */
static unsigned draw(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

/* The receiver takes the events when its answer begins with a 2xx, whatever becomes of it; so what
 * it breaks off after that comes again, and is known. */
static bool at_random(rig_peer *p, const rig_request *r)
{
    unsigned *seed = r->script;
    if (r->number > CALM) {
        return rig_ok(p, r);
    }
    switch (draw(seed) % 7) {
    case 0: /* accepts, and dies before it answers */
        return false;
    case 1:
        rig_reset(p);
        return false;
    case 2: /* answers half */
        rig_say(p, "HTTP/1.1 2");
        return false;
    case 3: /* took them, and dies before that is said to the end */
        rig_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}");
        return false;
    case 4:
        return rig_answer(p, 503, "");
    case 5: /* takes them, and closes */
        rig_ok(p, r);
        return false;
    default:
        return rig_ok(p, r);
    }
}

/* Ids in the order of their first time: of each alert in ascending order, all of them there. */
static void expect_order(rig_peer *p, int first, int n)
{
    unsigned doubled = 0;
    char *ids = rig_taken(p, &doubled), *rest = ids;
    int last[ALERTS] = {0}, seen = 0;
    for (char *id = strtok_r(ids, " ", &rest); id; id = strtok_r(NULL, " ", &rest), seen++) {
        int number = (int)strtol(id + 1, NULL, 10);
        assert_true(number >= first && number < first + n);
        assert_true(number > last[number % ALERTS]);
        last[number % ALERTS] = number;
    }
    assert_int_equal(seen, n);
    free(ids);
}

static void what_breaks_off_at_random(void **state)
{
    sy_sender_times times = rig_times;
    unsigned seed = 7;
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", at_random, &seed);
    times.backoff_base = 4;
    times.backoff_cap = 8;
    sy_sender *sender = rig_sender_timed(s, *state, p, &times);
    for (int i = 0; i < EVENTS; i += 10) { /* many small batches, so that each way comes often */
        rig_events(s, 1 + i, 10, ALERTS);
        sy_sender_wake(sender);
        rig_until_waiting(s, 0);
    }
    sy_sender_stop(sender);
    assert_true(rig_requests(p) > CALM);
    expect_order(p, 1, EVENTS);
    uint64_t refused = 1;
    rig_waiting(s, &refused);
    assert_int_equal(refused, 0);
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool hang(rig_peer *p, const rig_request *r)
{
    atomic_bool *end = r->script;
    (void)p;
    while (!atomic_load(end)) {
        rig_nap();
    }
    return false;
}

static void tell_both(sy_store *s, int first, int n)
{
    static const char *const to[] = {"county", "stuck"};
    sy_fail f = {0};
    assert_int_equal(sy_store_begin(s, false, &f), SY_OK);
    for (int i = first; i < first + n; i++) {
        char id[16], alert[16], body[160];
        bool added = false;
        snprintf(id, sizeof id, "e%d", i);
        snprintf(alert, sizeof alert, "a%d", i % ALERTS);
        snprintf(body, sizeof body,
                 "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/steelyard/rig\",\"type\":"
                 "\"steelyard.alert.raised\",\"data\":{\"alert\":{\"id\":\"%s\"}}}",
                 id, alert);
        const sy_event_row row = {
            .id = id, .kind = "raised", .alert = alert, .time = 1, .body = sy_span_of(body)};
        assert_int_equal(sy_store_event(s, &row, to, 2, &added, &f), SY_OK);
    }
    assert_int_equal(sy_store_commit(s, 0, &f), SY_OK);
}

static void one_that_hangs_delays_no_other(void **state)
{
    sy_store *s = rig_store(*state);
    atomic_bool end = false;
    rig_peer *well = rig_peer_start(*state, "server", rig_ok, NULL);
    rig_peer *stuck = rig_peer_start(*state, "server", hang, &end);
    char url[64];
    const char *urls = url;
    sy_fail f = {0};
    sy_sender *one = rig_sender_to(s, *state, well), *two = NULL;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/events", rig_peer_port(stuck));
    sy_sender_setup o = {.name = "stuck",
                         .urls = &urls,
                         .n_urls = 1,
                         .road = &sy_road_https,
                         .files = {.ca = rig_path(*state, "ca.pem"),
                                   .cert = rig_path(*state, "client.pem"),
                                   .key = rig_path(*state, "client.key")},
                         .egress = {SY_EGRESS_ALL, 0},
                         .store = s,
                         .times = rig_times};
    o.times.exchange.answer = 30000; /* it stays stuck for as long as the test lasts */
    assert_int_equal(sy_sender_start(&two, &o, &f), SY_OK);
    tell_both(s, 1, 1);
    sy_sender_wake(two);
    rig_until_requests(stuck, 1); /* it has the first, and says nothing */
    for (int i = 0; i < 20; i++) {
        tell_both(s, 2 + 10 * i, 10);
        sy_sender_wake(one);
        rig_until_waiting(s, 0);
    }
    assert_int_equal(rig_requests(stuck), 1);
    expect_order(well, 1, 201);
    uint64_t waiting = 0, refused = 0;
    assert_int_equal(sy_store_outbox_count(s, "stuck", &waiting, &refused, &f), SY_OK);
    assert_int_equal(waiting, 201);
    sy_sender_stop(one);
    atomic_store(&end, true);
    rig_peer_script(stuck, rig_ok, NULL);
    sy_sender_kick(two);
    for (sy_ms until = sy_mono_ms() + 20000; waiting > 0;) {
        assert_int_equal(sy_store_outbox_count(s, "stuck", &waiting, &refused, &f), SY_OK);
        assert_true(sy_mono_ms() < until);
        rig_nap();
    }
    sy_sender_stop(two);
    expect_order(stuck, 1, 201);
    rig_peer_stop(well);
    rig_peer_stop(stuck);
    sy_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_breaks_off_at_random, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(one_that_hangs_delays_no_other, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
