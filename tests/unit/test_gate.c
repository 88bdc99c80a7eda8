/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: what is kept already is recognised, also after a restart; nothing else is. */
#include "intake/gate.h"

#include "journal_rig.h"

#include <stdio.h>

typedef struct rig {
    sy_journal *j;
    sy_gate *g;
    const sy_intake *in;
} rig;

static uint64_t marked;

static void note_marker(void *ctx, uint64_t number)
{
    *(uint64_t *)ctx = number;
}

static rig start(const char *dir)
{
    sy_journal_options o = rig_options(dir, 0);
    o.replay_clock = true; /* so that time passes when the test says so */
    rig r = {.j = rig_open(&o, NULL)};
    sy_fail f;
    assert_int_equal(sy_gate_open(&r.g, r.j, false, note_marker, &marked, &f), SY_OK);
    r.in = sy_gate_intake(r.g);
    return r;
}

static void stop(rig *r)
{
    sy_gate_close(r->g);
    sy_journal_close(r->j);
}

static void pass_to(rig *r, sy_ms t)
{
    sy_fail f;
    sy_jrec mark = {.type = SY_J_MARK, .recv = t};
    assert_int_equal(sy_journal_append(r->j, &mark, &f), SY_OK);
}

static bool submit(rig *r, sy_transport t, uint8_t flags, const char *source, const char *ident,
                   const char *payload, uint64_t *seq)
{
    sy_message m = {.transport = t,
                    .flags = flags,
                    .content_format = 0xffff,
                    .source = sy_span_of(source),
                    .ident = sy_span_of(ident),
                    .payload = sy_span_of(payload)};
    bool kept = false;
    sy_fail f;
    assert_int_equal(r->in->submit(r->in->ctx, &m, seq, &kept, &f), SY_OK);
    return kept;
}

static void a_coap_retransmission_is_kept_once(void **state)
{
    rig r = start(*state);
    uint64_t seq, again;
    pass_to(&r, 1000);
    assert_true(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "peer:1", "5", &seq));
    for (int round = 0; round < 2; round++) {
        assert_false(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "peer:1", "5", &again));
        assert_int_equal(again, seq);
        stop(&r);
        r = start(*state); /* the same after a restart */
    }
    uint64_t rejected[SY_REJECT_COUNT], duplicates;
    assert_false(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "peer:1", "5", &again));
    sy_gate_take(r.g, rejected, &duplicates);
    assert_int_equal(duplicates, 1);
    sy_gate_take(r.g, rejected, &duplicates);
    assert_int_equal(duplicates, 0);
    /* Another peer, another text, another device: each is a message of its own. */
    assert_true(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "peer:2", "5", &again));
    assert_true(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "peer:1", "6", &again));
    assert_true(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "e", "peer:1", "5", &again));
    assert_true(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "", "5", &again));
    assert_true(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "", "5", &again));
    /* A device sends again for 145 s at most: what comes later was sent by somebody else. */
    pass_to(&r, 1000 + 145000);
    assert_false(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "peer:1", "5", &again));
    sy_gate_take(r.g, rejected, &duplicates);
    assert_int_equal(duplicates, 1);
    assert_int_equal(rejected[SY_REJECT_NOT_ALLOWED], 0);
    pass_to(&r, 1000 + 145001);
    assert_false(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "peer:1", "5", &again));
    assert_int_equal(again, seq);
    sy_gate_take(r.g, rejected, &duplicates);
    assert_int_equal(duplicates, 0);
    assert_int_equal(rejected[SY_REJECT_NOT_ALLOWED], 1);
    /* EXCHANGE_LIFETIME later the peer may use the id again. */
    pass_to(&r, 1000 + 247000);
    assert_false(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "peer:1", "5", &again));
    pass_to(&r, 1000 + 247001);
    assert_true(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "d", "peer:1", "5", &again));
    stop(&r);
}

static void a_frame_that_comes_again_is_kept_once(void **state)
{
    rig r = start(*state);
    uint64_t seq, again;
    pass_to(&r, 1000);
    assert_true(submit(&r, SY_TRANSPORT_HJ212, SY_MSG_PROMISE, "d", "qn1;2011;-1;-1", "5", &seq));
    /* Long after, and after more than are looked back upon for MQTT. */
    pass_to(&r, 1000 + 86400000);
    for (int i = 0; i < SY_GATE_RECENT + 10; i++)
        assert_true(submit(&r, SY_TRANSPORT_HJ212, 0, "e", "", "5", &again));
    for (int i = 0; i < SY_GATE_RECENT + 10; i++) {
        char ident[32];
        snprintf(ident, sizeof ident, "qn%d", i + 2);
        assert_true(submit(&r, SY_TRANSPORT_HJ212, 0, "e", ident, "5", &again));
    }
    for (int round = 0; round < 2; round++) {
        assert_false(
            submit(&r, SY_TRANSPORT_HJ212, SY_MSG_PROMISE, "d", "qn1;2011;-1;-1", "5", &again));
        assert_int_equal(again, seq);
        stop(&r);
        r = start(*state);
    }
    assert_true(submit(&r, SY_TRANSPORT_HJ212, SY_MSG_PROMISE, "d", "qn1;2011;-1;-1", "6", &again));
    assert_true(submit(&r, SY_TRANSPORT_HJ212, SY_MSG_PROMISE, "d", "", "5", &again));
    assert_true(submit(&r, SY_TRANSPORT_HJ212, SY_MSG_PROMISE, "d", "", "5", &again));
    stop(&r);
}

static bool knows_end(rig *r, const char *source, sy_span ident, const char *end, uint64_t *seq)
{
    sy_message m = {.transport = SY_TRANSPORT_COAP,
                    .flags = SY_MSG_BLOCKS,
                    .source = sy_span_of(source),
                    .ident = ident,
                    .payload = sy_span_of(end)};
    return r->in->knows_end(r->in->ctx, &m, seq);
}

static void a_body_in_blocks_is_known_by_its_last(void **state)
{
    static const char ident[] = "peer:1\0\0\0\x4", next[] = "peer:1\0\0\0\x8";
    const sy_span i = {ident, sizeof ident - 1}, n = {next, sizeof next - 1};
    static const char beyond[] = "peer:1\xff\0\0\0";
    rig r = start(*state);
    uint64_t seq, again;
    bool kept;
    sy_fail f;
    pass_to(&r, 1000);
    sy_message m = {.transport = SY_TRANSPORT_COAP,
                    .flags = SY_MSG_BLOCKS,
                    .source = sy_span_of("d"),
                    .ident = i,
                    .payload = sy_span_of("1234567")};
    assert_false(knows_end(&r, "d", i, "567", &again));
    assert_int_equal(r.in->submit(r.in->ctx, &m, &seq, &kept, &f), SY_OK);
    assert_true(kept);
    for (int round = 0; round < 2; round++) {
        assert_true(knows_end(&r, "d", i, "567", &again));
        assert_int_equal(again, seq);
        assert_false(knows_end(&r, "d", i, "568", &again));
        assert_false(knows_end(&r, "d", i, "1234567", &again));
        assert_false(knows_end(&r, "e", i, "567", &again));
        assert_false(knows_end(&r, "d", n, "567", &again));
        stop(&r);
        r = start(*state); /* the same after a restart */
    }
    /* The whole body is told from another with the same end; an end alone is no body. */
    m.payload = sy_span_of("9234567");
    assert_int_equal(r.in->submit(r.in->ctx, &m, &again, &kept, &f), SY_OK);
    assert_true(kept);
    m.payload = sy_span_of("567");
    assert_int_equal(r.in->submit(r.in->ctx, &m, &again, &kept, &f), SY_OK);
    assert_true(kept);
    /* An identity that says what cannot be does no harm. */
    m.ident = (sy_span){beyond, sizeof beyond - 1};
    assert_int_equal(r.in->submit(r.in->ctx, &m, &again, &kept, &f), SY_OK);
    m.ident = sy_span_of("abc");
    assert_int_equal(r.in->submit(r.in->ctx, &m, &again, &kept, &f), SY_OK);
    /* Long after its sender would have sent it again, it is somebody else's; told, and not counted
     * among the repetitions. */
    uint64_t rejected[SY_REJECT_COUNT], duplicates;
    sy_gate_take(r.g, rejected, &duplicates);
    pass_to(&r, 1000 + 145001);
    assert_true(knows_end(&r, "d", i, "567", &again));
    sy_gate_take(r.g, rejected, &duplicates);
    assert_int_equal(duplicates, 0);
    assert_int_equal(rejected[SY_REJECT_NOT_ALLOWED], 1);
    pass_to(&r, 1000 + 247001);
    assert_false(knows_end(&r, "d", i, "567", &again));
    stop(&r);
}

static void an_mqtt_redelivery_is_kept_once(void **state)
{
    rig r = start(*state);
    uint64_t seq, again;
    assert_true(submit(&r, SY_TRANSPORT_MQTT, SY_MSG_PROMISE, "t", "17", "5", &seq));
    /* The same packet id without DUP is a new message, however equal. */
    assert_true(submit(&r, SY_TRANSPORT_MQTT, SY_MSG_PROMISE, "t", "17", "5", &again));
    stop(&r);
    r = start(*state);
    uint8_t dup = SY_MSG_PROMISE | SY_MSG_DUP;
    assert_false(submit(&r, SY_TRANSPORT_MQTT, dup, "t", "17", "5", &seq));
    assert_int_equal(seq, again);
    assert_true(submit(&r, SY_TRANSPORT_MQTT, dup, "t", "18", "5", &seq)); /* never seen */
    assert_true(submit(&r, SY_TRANSPORT_MQTT, dup, "t", "17", "6", &seq));
    assert_true(submit(&r, SY_TRANSPORT_COAP, dup, "t", "17", "5", &seq)); /* another transport */
    stop(&r);
}

static void only_recent_messages_are_remembered(void **state)
{
    rig r = start(*state);
    uint64_t seq;
    uint8_t dup = SY_MSG_PROMISE | SY_MSG_DUP;
    assert_true(submit(&r, SY_TRANSPORT_MQTT, SY_MSG_PROMISE, "t", "first", "5", &seq));
    char ident[16];
    for (int i = 0; i < SY_GATE_RECENT - 1; i++) {
        snprintf(ident, sizeof ident, "%d", i);
        assert_true(submit(&r, SY_TRANSPORT_MQTT, SY_MSG_PROMISE, "t", ident, "5", &seq));
    }
    assert_false(submit(&r, SY_TRANSPORT_MQTT, dup, "t", "first", "5", &seq));
    assert_true(submit(&r, SY_TRANSPORT_MQTT, SY_MSG_PROMISE, "t", "more", "5", &seq));
    assert_true(submit(&r, SY_TRANSPORT_MQTT, dup, "t", "first", "5", &seq));
    /* Far past the ring's size the table still finds what is in it, and only that. */
    for (int i = 0; i < 70000; i++) {
        snprintf(ident, sizeof ident, "n%d", i);
        assert_true(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "t", ident, "5", &seq));
    }
    assert_false(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "t", "n69999", "5", &seq));
    assert_false(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "t", "n40000", "5", &seq));
    assert_true(submit(&r, SY_TRANSPORT_COAP, SY_MSG_PROMISE, "t", "n30000", "5", &seq));
    stop(&r);
}

static void refusals_are_counted_and_markers_passed_on(void **state)
{
    rig r = start(*state);
    uint64_t rejected[SY_REJECT_COUNT], duplicates;
    for (int i = 0; i < 3; i++)
        r.in->rejected(r.in->ctx, SY_TRANSPORT_MQTT, SY_REJECT_TOO_LARGE, sy_span_of("t\n\"x\""),
                       "70000 bytes");
    r.in->rejected(r.in->ctx, SY_TRANSPORT_COAP, SY_REJECT_NOT_ALLOWED, sy_span_of("d"), "cn=e");
    sy_gate_take(r.g, rejected, &duplicates);
    assert_int_equal(rejected[SY_REJECT_TOO_LARGE], 3);
    assert_int_equal(rejected[SY_REJECT_NOT_ALLOWED], 1);
    assert_int_equal(rejected[SY_REJECT_MALFORMED], 0);
    r.in->marker(r.in->ctx, 42);
    assert_int_equal(marked, 42);
    static const char long_ident[65];
    sy_message m = {.transport = SY_TRANSPORT_MQTT, .ident = {long_ident, sizeof long_ident}};
    uint64_t seq;
    bool kept;
    sy_fail f;
    assert_int_equal(r.in->submit(r.in->ctx, &m, &seq, &kept, &f), SY_E_RANGE);
    sy_journal_shut(r.j);
    m.ident.n = 3;
    assert_int_equal(r.in->submit(r.in->ctx, &m, &seq, &kept, &f), SY_E_CLOSED);
    stop(&r);
}

static bool submit_number(rig *r, char number)
{
    const char ident[8] = {number};
    sy_message m = {.transport = SY_TRANSPORT_MQTT,
                    .flags = SY_MSG_PROMISE | SY_MSG_SPOOLED,
                    .content_format = 0xffff,
                    .source = sy_span_of("t"),
                    .ident = {ident, sizeof ident},
                    .payload = sy_span_of("20.5")};
    uint64_t seq;
    bool kept = false;
    sy_fail f;
    assert_int_equal(r->in->submit(r->in->ctx, &m, &seq, &kept, &f), SY_OK);
    return kept;
}

/* A power cut may leave holes in what was not synced, while the spool has all of it. */
static void a_number_lost_in_damage_is_taken_again(void **state)
{
    enum { NUMBERS = 6, BAD = 3 };
    rig r = start(*state);
    char path[512];
    for (char n = 1; n <= NUMBERS; n++)
        assert_true(submit_number(&r, n));
    uint64_t bytes = sy_journal_bytes(r.j);
    stop(&r);
    FILE *file = fopen(rig_path(*state, 1, 0, path), "r+b");
    assert_non_null(file);
    long record = (long)(bytes - SY_JSEG_HEADER) / NUMBERS;
    assert_int_equal(fseek(file, SY_JSEG_HEADER + (BAD - 1) * record + 40, SEEK_SET), 0);
    assert_int_not_equal(fputc('!', file), EOF);
    fclose(file);
    r = start(*state);
    assert_int_equal(r.in->last_number(r.in->ctx), NUMBERS);
    for (char n = 1; n <= NUMBERS; n++)
        assert_int_equal(submit_number(&r, n), n == BAD);
    assert_true(submit_number(&r, NUMBERS + 1));
    assert_int_equal(r.in->last_number(r.in->ctx), NUMBERS + 1);
    stop(&r);
}

#define dir_test(fn) cmocka_unit_test_setup_teardown(fn, rig_dir_setup, rig_dir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(a_frame_that_comes_again_is_kept_once),
        dir_test(a_coap_retransmission_is_kept_once),
        dir_test(a_body_in_blocks_is_known_by_its_last),
        dir_test(an_mqtt_redelivery_is_kept_once),
        dir_test(only_recent_messages_are_remembered),
        dir_test(refusals_are_counted_and_markers_passed_on),
        dir_test(a_number_lost_in_damage_is_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
