/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sender against a peer that answers well, badly, late, half or not at all: in the end each
 * event is taken, in order, and only what the destination refuses for good is set aside.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "upstream_rig.h"

/* "e1 e2 … en" */
static void expect_taken(rig_peer *p, int n, bool once)
{
    unsigned doubled = 0;
    sy_buf b;
    char *taken = rig_taken(p, &doubled);
    sy_buf_init(&b, sy_heap());
    for (int i = 1; i <= n; i++) {
        sy_buf_printf(&b, "%se%d", i > 1 ? " " : "", i);
    }
    assert_string_equal(taken, b.p);
    if (once) {
        assert_int_equal(doubled, 0);
    }
    sy_buf_fini(&b);
    free(taken);
}

static bool check_head(rig_peer *p, const rig_request *r)
{
    atomic_uint *good = r->script;
    const char *key = strstr(r->head, "\r\nIdempotency-Key: ");
    if (strncmp(r->head, "POST /events HTTP/1.1\r\n", 23) == 0 && key &&
        strspn(key + 19, "0123456789abcdef") == 64 &&
        strstr(r->head, "Content-Type: application/cloudevents-batch+json") &&
        r->n <= SY_BATCH_EVENTS) {
        (*good)++;
    }
    return rig_ok(p, r);
}

static void in_batches_in_order_once(void **state)
{
    atomic_uint good = 0;
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", check_head, &good);
    rig_events(s, 1, 1050, 7);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    rig_events(s, 1051, 5, 1);
    sy_sender_wake(sender);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    expect_taken(p, 1055, true);
    assert_int_equal(good, rig_requests(p));
    assert_int_equal(rig_requests(p), 7);
    assert_int_equal(rig_connections(p), 1);
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool ok_and_close(rig_peer *p, const rig_request *r)
{
    (void)r;
    rig_answer(p, 200, "Connection: close\r\n");
    return false;
}

static void sessions_are_resumed(void **state)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", ok_and_close, NULL);
    rig_peer_tls12(p);
    rig_events(s, 1, 601, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    rig_until_error(sender, "\"connects\":4,\"resumed\":3");
    /* Other files, same names: no session of the old ones is used. */
    sy_ms now = sy_wall_ms();
    rig_cert(*state, "client", SY_CERT_CLIENT, NULL, now - RIG_DAY, now + RIG_DAY);
    rig_events(s, 602, 1, 1);
    sy_sender_wake(sender);
    rig_until_waiting(s, 0);
    rig_until_error(sender, "\"connects\":5,\"resumed\":3");
    sy_sender_stop(sender);
    expect_taken(p, 602, true);
    rig_peer_stop(p);
    sy_store_close(s);
}

/* A batch by its bytes, too. */
static void large_events_in_small_batches(void **state)
{
    char id[16];
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", rig_ok, NULL);
    for (int i = 1; i <= 5; i++) {
        snprintf(id, sizeof id, "e%d", i);
        rig_one_event(s, id, "a", i == 5 ? 1100000 : 400000);
    }
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    expect_taken(p, 5, true);
    assert_int_equal(rig_requests(p), 3);
    rig_peer_stop(p);
    sy_store_close(s);
}

/* Each way to fail comes once, then the peer is well. */
typedef enum trouble {
    TROUBLE_500,
    TROUBLE_503_CLOSE,
    TROUBLE_HALF_HEAD,
    TROUBLE_HALF_BODY,
    TROUBLE_RESET,
    TROUBLE_CLOSE,
    TROUBLE_SILENCE,
    TROUBLE_GARBAGE,
    TROUBLE_COUNT
} trouble;

static bool troubled(rig_peer *p, const rig_request *r)
{
    if (r->number > TROUBLE_COUNT) {
        return rig_ok(p, r);
    }
    switch ((trouble)(r->number - 1)) {
    case TROUBLE_500:
        return rig_answer(p, 500, "");
    case TROUBLE_503_CLOSE:
        rig_answer(p, 503, "Connection: close\r\n");
        return false;
    case TROUBLE_HALF_HEAD:
        rig_say(p, "HTTP/1.1 200 OK\r\nContent-L");
        return false;
    case TROUBLE_HALF_BODY:
        rig_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"stor");
        return false;
    case TROUBLE_RESET:
        rig_reset(p);
        return false;
    case TROUBLE_CLOSE:
        return false;
    case TROUBLE_SILENCE: /* longer than the sender waits */
        for (sy_ms end = sy_mono_ms() + rig_times.exchange.answer + 300; sy_mono_ms() < end;) {
            rig_nap();
        }
        return false;
    case TROUBLE_GARBAGE:
        rig_say(p, "220 mail.example ESMTP\r\n");
        return false;
    case TROUBLE_COUNT:
        break;
    }
    return false;
}

static void every_trouble_is_overcome(void **state)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", troubled, NULL);
    rig_events(s, 1, 10, 3);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    expect_taken(p, 10, false);
    assert_int_equal(rig_requests(p), TROUBLE_COUNT + 1);
    uint64_t refused = 1;
    rig_waiting(s, &refused);
    assert_int_equal(refused, 0);
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool idle_closer(rig_peer *p, const rig_request *r)
{
    rig_ok(p, r);
    return r->on_connection < 1;
}

/* The peer closes a kept connection while nothing is sent: no failure, no pause. */
static void a_kept_connection_that_was_closed(void **state)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", idle_closer, NULL);
    sy_sender *sender = rig_sender_to(s, *state, p);
    for (int i = 1; i <= 5; i++) {
        rig_events(s, i, 1, 1);
        sy_sender_wake(sender);
        rig_until_waiting(s, 0);
        rig_until_error(sender, "\"last_error\":\"\"");
    }
    sy_sender_stop(sender);
    expect_taken(p, 5, true);
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool close_on_the_second(rig_peer *p, const rig_request *r)
{
    return r->on_connection == 1 && rig_ok(p, r);
}

/* It is closed just as the next request goes out: sent again at once, without a pause. */
static void a_kept_connection_that_closes_now(void **state)
{
    sy_sender_times times = rig_times;
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", close_on_the_second, NULL);
    times.backoff_base = times.backoff_cap = 3600000; /* a pause would not end */
    sy_sender *sender = rig_sender_timed(s, *state, p, &times);
    for (int i = 1; i <= 4; i++) {
        rig_events(s, i, 1, 1);
        sy_sender_wake(sender);
        rig_until_waiting(s, 0);
    }
    sy_sender_stop(sender);
    expect_taken(p, 4, true);
    assert_int_equal(rig_requests(p), 7);
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool too_many(rig_peer *p, const rig_request *r)
{
    return r->number == 1 ? rig_answer(p, 429, "Retry-After: 1\r\n") : rig_ok(p, r);
}

static void retry_after_is_honoured(void **state)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", too_many, NULL);
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_requests(p, 1);
    sy_ms start = sy_mono_ms();
    sy_sender_wake(sender); /* news do not end a pause */
    rig_until_waiting(s, 0);
    assert_true(sy_mono_ms() - start >= 900); /* the back-off alone is 40 ms at most */
    sy_sender_stop(sender);
    expect_taken(p, 3, true);
    rig_peer_stop(p);
    sy_store_close(s);
}

static void a_kick_ends_a_pause(void **state)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", too_many, NULL);
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_error(sender, "answered 429");
    sy_ms start = sy_mono_ms();
    sy_sender_kick(sender);
    rig_until_waiting(s, 0);
    assert_true(sy_mono_ms() - start < 900);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool at_most_three(rig_peer *p, const rig_request *r)
{
    return r->n > 3 ? rig_answer(p, 413, "") : rig_ok(p, r);
}

static void smaller_batches_where_asked(void **state)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", at_most_three, NULL);
    rig_events(s, 1, 40, 5);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    expect_taken(p, 40, true);
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool refuses_e3_and_e4(rig_peer *p, const rig_request *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->ids[i], "e3") == 0 || strcmp(r->ids[i], "e4") == 0) {
            rig_answer(p, 400, r->script ? "Connection: close\r\n" : "");
            return !r->script;
        }
    }
    rig_answer(p, 200, r->script ? "Connection: close\r\n" : "");
    return !r->script;
}

static void set_aside(void **state, void *closes)
{
    uint64_t refused = 0;
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", refuses_e3_and_e4, closes);
    rig_events(s, 1, 4,
               100); /* the refused ones are the last: nothing after them proves anything */
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    rig_events(s, 5, 20, 100);
    sy_sender_wake(sender);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    rig_waiting(s, &refused);
    assert_int_equal(refused, 2);
    char *taken = rig_taken(p, NULL);
    assert_string_equal(taken,
                        "e1 e2 e5 e6 e7 e8 e9 e10 e11 e12 e13 e14 e15 e16 e17 e18 e19 e20 e21 e22 "
                        "e23 e24");
    free(taken);
    rig_peer_stop(p);
    sy_store_close(s);
}

static void a_refused_event_is_set_aside(void **state)
{
    set_aside(state, NULL);
}

static void also_over_connections_that_close(void **state)
{
    set_aside(state, &(int){1});
}

static bool refuses_all(rig_peer *p, const rig_request *r)
{
    const unsigned *status = r->script;
    rig_answer(p, *status, "Connection: close\r\n");
    return false;
}

/* As nginx answers without a client certificate: nobody's event is at fault. */
static void nothing_is_set_aside_where_all_is_refused(void **state)
{
    static unsigned statuses[] = {400, 401, 403, 404, 301, 415};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        uint64_t refused = 1;
        char text[32];
        int first = (int)i * 20 + 1;
        sy_store *s = rig_store(*state);
        rig_peer *p = rig_peer_start(*state, "server", refuses_all, &statuses[i]);
        rig_events(s, first, 20, 20);
        sy_sender *sender = rig_sender_to(s, *state, p);
        rig_until_requests(p, 15);
        snprintf(text, sizeof text, "answered %u", statuses[i]);
        rig_until_error(sender, text);
        assert_int_equal(rig_waiting(s, &refused), 20);
        assert_int_equal(refused, 0);
        rig_peer_script(p, rig_ok, NULL);
        rig_until_waiting(s, 0);
        rig_waiting(s, &refused);
        assert_int_equal(refused, 0);
        sy_sender_stop(sender);
        unsigned doubled;
        free(rig_taken(p, &doubled));
        assert_int_equal(doubled, 0);
        rig_peer_stop(p);
        sy_store_close(s);
    }
}

static bool refuses_e1(rig_peer *p, const rig_request *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->ids[i], "e1") == 0) {
            return rig_answer(p, 422, "");
        }
    }
    return rig_ok(p, r);
}

/* A held event holds back its own alert, and nobody else's. */
static void order_of_an_alert_is_kept(void **state)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", refuses_e1, NULL);
    rig_one_event(s, "e1", "A", 0);
    rig_one_event(s, "e2", "A", 0);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_error(sender, "answered 422");
    rig_until_requests(p, 4);
    char *taken = rig_taken(p, NULL);
    assert_string_equal(taken, "");
    free(taken);
    rig_one_event(s, "e3", "B", 0);
    sy_sender_wake(sender);
    rig_until_waiting(s, 0);
    taken = rig_taken(p, NULL);
    assert_string_equal(taken, "e3 e2");
    free(taken);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool endless(rig_peer *p, const rig_request *r)
{
    char filler[4000];
    (void)r;
    memset(filler, 'x', sizeof filler);
    filler[sizeof filler - 1] = 0;
    rig_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    for (int i = 0; i < 25; i++) {
        rig_say(p, "%s", filler);
    }
    return false;
}

static void an_endless_answer_is_an_answer(void **state)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", endless, NULL);
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    expect_taken(p, 3, true);
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool dribble(rig_peer *p, const rig_request *r)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    (void)r;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        rig_say(p, "%c", text[i]);
        rig_nap();
    }
    return true;
}

static void a_byte_at_a_time(void **state)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", dribble, NULL);
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender_to(s, *state, p);
    rig_until_waiting(s, 0);
    sy_sender_stop(sender);
    rig_peer_stop(p);
    sy_store_close(s);
}

static bool hang(rig_peer *p, const rig_request *r)
{
    atomic_bool *over = r->script;
    (void)p;
    while (!atomic_load(over)) {
        rig_nap();
    }
    return false;
}

static void it_ends_while_the_peer_hangs(void **state)
{
    atomic_bool over = false;
    sy_sender_times times = rig_times;
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", hang, &over);
    rig_events(s, 1, 3, 1);
    times.exchange.answer = 3600000;
    sy_sender *sender = rig_sender_timed(s, *state, p, &times);
    rig_until_requests(p, 1);
    sy_ms start = sy_mono_ms();
    sy_sender_stop(sender);
    assert_true(sy_mono_ms() - start < 10000);
    assert_int_equal(rig_waiting(s, NULL), 3);
    atomic_store(&over, true);
    rig_peer_stop(p);
    sy_store_close(s);
}

static void nobody_listens_then_somebody_does(void **state)
{
    sy_store *s = rig_store(*state);
    rig_peer *p = rig_peer_start(*state, "server", rig_ok, NULL);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u/events", rig_peer_port(p));
    rig_peer_stop(p);
    rig_events(s, 1, 3, 1);
    sy_sender *sender = rig_sender(s, *state, url, &rig_times);
    rig_until_error(sender, "refused");
    sy_sender_stop(sender);
    assert_int_equal(rig_waiting(s, NULL), 3);
    sy_store_close(s);
}

static bool busy(rig_peer *p, const rig_request *r)
{
    (void)r;
    return rig_answer(p, 503, "");
}

/* The second address is taken at once where the first does not serve; the first after a while. */
static void a_further_address(void **state)
{
    sy_fail f;
    char texts[3][64];
    const char *const urls[] = {texts[0], texts[1], texts[2]};
    sy_sender *sender = NULL;
    sy_store *s = rig_store(*state);
    rig_peer *first = rig_peer_start(*state, "server", busy, NULL);
    rig_peer *gone = rig_peer_start(*state, "server", rig_ok, NULL);
    rig_peer *last = rig_peer_start(*state, "server", rig_ok, NULL);
    rig_peer *const peers[] = {first, gone, last};
    for (size_t i = 0; i < 3; i++) {
        snprintf(texts[i], sizeof texts[i], "https://127.0.0.1:%u/events", rig_peer_port(peers[i]));
    }
    rig_peer_stop(gone);
    sy_sender_setup o = {.name = "county",
                         .egress = {SY_EGRESS_ALL, 0},
                         .road = &sy_road_https,
                         .urls = urls,
                         .n_urls = 3,
                         .files = {.ca = rig_path(*state, "ca.pem"),
                                   .cert = rig_path(*state, "client.pem"),
                                   .key = rig_path(*state, "client.key")},
                         .store = s,
                         .times = rig_times};
    o.times.primary = 300;
    o.times.backoff_base = o.times.backoff_cap = 3600 * 1000; /* no pause is needed */
    rig_events(s, 1, 500, 3);
    assert_int_equal(sy_sender_start(&sender, &o, &f), SY_OK);
    rig_until_waiting(s, 0);
    assert_int_equal(rig_requests(first), 1);
    rig_peer_script(first, rig_ok, NULL);
    int n = 500;
    for (sy_ms end = sy_mono_ms() + 20000; rig_requests(first) == 1 && sy_mono_ms() < end;) {
        rig_events(s, ++n, 1, 1);
        sy_sender_wake(sender);
        rig_until_waiting(s, 0);
    }
    assert_true(rig_requests(first) > 1);
    unsigned doubled = 0;
    char *taken = rig_taken(last, &doubled);
    assert_int_equal(doubled, 0);
    free(taken);
    sy_sender_stop(sender);
    rig_peer_stop(first);
    rig_peer_stop(last);
    sy_store_close(s);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(in_batches_in_order_once),
        ROW(sessions_are_resumed),
        ROW(large_events_in_small_batches),
        ROW(every_trouble_is_overcome),
        ROW(a_kept_connection_that_was_closed),
        ROW(a_kept_connection_that_closes_now),
        ROW(retry_after_is_honoured),
        ROW(a_further_address),
        ROW(a_kick_ends_a_pause),
        ROW(smaller_batches_where_asked),
        ROW(a_refused_event_is_set_aside),
        ROW(also_over_connections_that_close),
        ROW(nothing_is_set_aside_where_all_is_refused),
        ROW(order_of_an_alert_is_kept),
        ROW(an_endless_answer_is_an_answer),
        ROW(a_byte_at_a_time),
        ROW(it_ends_while_the_peer_hangs),
        ROW(nobody_listens_then_somebody_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
