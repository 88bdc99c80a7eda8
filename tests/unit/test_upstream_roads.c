/* SPDX-License-Identifier: Apache-2.0 */
/* Roads: a fate for each event of a batch; an event that kills what carries it; the frames between
 * the gateway and its process for MQTT, and topics. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "upstream/mqtt_frame.h"
#include "upstream/mqtt_topic.h"
#include "upstream_rig.h"

/* ---- a road that does as its events say ---- */
typedef struct odd {
    sy_road road;
    unsigned sends;
} odd;
enum { TAKEN_MOST = 4096 };
static char taken[TAKEN_MOST]; /* ids in their order; written by the sender's thread alone */
static atomic_uint n_taken;

static sy_err odd_check(const sy_road_setup *o, sy_fail *f)
{
    (void)o;
    (void)f;
    return SY_OK;
}

static sy_err odd_open(sy_road **out, const sy_road_setup *o, sy_fail *f);

static void odd_close(sy_road *r)
{
    free(r);
}

static sy_err odd_turn(sy_road *r, const char *url, sy_fail *f)
{
    (void)r;
    (void)url;
    (void)f;
    return SY_OK;
}

static void take(const sy_outbox_item *item)
{
    size_t n = strlen(taken);
    snprintf(taken + n, sizeof taken - n, "%s ", item->id);
    atomic_fetch_add(&n_taken, 1);
}

/* "good…" is taken, "bad…" refused for good, "odd…" doubted, "kill…" ends what carries it, "slow…"
 * is not sent the first two times. */
static sy_err odd_send(sy_road *r, const sy_batch *b, sy_reply *reply, sy_fail *f)
{
    odd *o = (odd *)r;
    sy_each *each = sy_arena_get(b->arena, b->n * sizeof *each);
    (void)f;
    assert_non_null(each);
    o->sends++;
    *reply = (sy_reply){.answer = SY_ANSWER_OK, .each = each};
    for (size_t i = 0; i < b->n; i++) {
        const char *id = b->items[i]->id;
        if (strncmp(id, "kill", 4) == 0) {
            reply->answer = SY_ANSWER_EVENT;
            snprintf(reply->text, sizeof reply->text, "it died");
            each[i].fate = SY_FATE_OPEN; /* and what follows was not sent */
            for (size_t k = i + 1; k < b->n; k++) {
                each[k].fate = SY_FATE_UNSENT;
            }
            return SY_OK;
        }
        if (strncmp(id, "slow", 4) == 0 && o->sends <= 2) {
            each[i].fate = SY_FATE_UNSENT;
        } else if (strncmp(id, "bad", 3) == 0) {
            each[i] = (sy_each){SY_FATE_REFUSED, "forged"};
        } else if (strncmp(id, "odd", 3) == 0) {
            each[i] = (sy_each){SY_FATE_DOUBTED, "odd"};
        } else {
            each[i].fate = SY_FATE_TAKEN;
            take(b->items[i]);
        }
    }
    return SY_OK;
}

static int odd_fd(const sy_road *r)
{
    (void)r;
    return -1;
}

static void odd_drop(sy_road *r)
{
    (void)r;
}

static void odd_counts(const sy_road *r, unsigned *connects, unsigned *resumed)
{
    (void)r;
    *connects = *resumed = 0;
}

static const char *odd_peer(const sy_road *r)
{
    (void)r;
    return "odd";
}

static const sy_road_ops odd_ops = {
    .kind = "odd",
    .most_events = SY_BATCH_EVENTS,
    .check = odd_check,
    .open = odd_open,
    .close = odd_close,
    .turn = odd_turn,
    .send = odd_send,
    .fd = odd_fd,
    .drop = odd_drop,
    .counts = odd_counts,
    .peer = odd_peer,
};

static sy_err odd_open(sy_road **out, const sy_road_setup *o, sy_fail *f)
{
    odd *x = calloc(1, sizeof *x);
    (void)f;
    assert_string_equal(sy_road_word_of(o, "colour"), "blue");
    assert_null(sy_road_word_of(o, "taste"));
    assert_non_null(x);
    x->road.ops = &odd_ops;
    *out = &x->road;
    return SY_OK;
}

static void until_refused(sy_store *s, uint64_t refused, uint64_t waiting)
{
    sy_ms end = sy_mono_ms() + 20000;
    uint64_t have = 0;
    while (rig_waiting(s, &have) != waiting || have != refused) {
        if (sy_mono_ms() > end) {
            fail_msg("%llu waiting, %llu refused", (unsigned long long)rig_waiting(s, &have),
                     (unsigned long long)have);
        }
        rig_nap();
    }
}

static void each_has_its_fate(void **state)
{
    const char *url = "odd://there";
    const sy_road_word words[] = {{"colour", "blue"}};
    sy_store *s = rig_store(*state);
    sy_sender *sender = NULL;
    sy_fail f = {0};
    static const char *const ids[] = {"good1", "bad1",  "slow1", "odd1", "good2",
                                      "kill1", "good3", "slow2", "good4"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        rig_one_event(s, ids[i], ids[i], 0);
    }
    const sy_sender_setup o = {.name = "county",
                               .urls = &url,
                               .n_urls = 1,
                               .road = &odd_ops,
                               .words = words,
                               .n_words = 1,
                               .egress = {SY_EGRESS_ALL, 0},
                               .store = s,
                               .times = rig_times};
    assert_int_equal(sy_sender_start(&sender, &o, &f), SY_OK);
    /* bad1 at once; odd1 and kill1 when others had got through and they did it again. */
    until_refused(s, 3, 0);
    sy_sender_stop(sender);
    assert_int_equal(atomic_load(&n_taken), 6); /* each once */
    assert_non_null(strstr(taken, "good1 good2 "));
    assert_non_null(strstr(taken, "slow1 "));
    assert_non_null(strstr(taken, "slow2 "));
    sy_store_close(s);
}

/* ---- frames ---- */
static void frames_come_as_they_went(void **state)
{
    (void)state;
    sy_buf b;
    sy_mqtt_frame x;
    size_t used = 0;
    const sy_mqtt_frame setup = {.kind = SY_MQTT_SETUP,
                                 .texts = {[SY_MQTT_HOST] = "h", [SY_MQTT_TIMEOUT] = "30"}};
    const sy_mqtt_frame event = {
        .kind = SY_MQTT_EVENT, .number = 7, .topic = sy_span_of("a/b"), .body = sy_span_of("{}")};
    const sy_mqtt_frame up = {.kind = SY_MQTT_UP, .number = 20, .most = 268435455};
    const sy_mqtt_frame answer = {.kind = SY_MQTT_ANSWER, .number = 199, .code = 0x97};
    const sy_mqtt_frame down = {
        .kind = SY_MQTT_DOWN, .code = SY_E_DENIED, .body = sy_span_of("no")};
    const sy_mqtt_frame *all[] = {&setup, &event, &up, &answer, &down};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        sy_buf_init(&b, sy_heap());
        sy_mqtt_put(&b, all[i]);
        for (size_t n = 0; n < b.n; n++) { /* half of it is none yet, and no error */
            assert_int_equal(sy_mqtt_take((sy_span){b.p, n}, &x, &used), SY_OK);
            assert_int_equal(used, 0);
        }
        assert_int_equal(sy_mqtt_take(sy_buf_span(&b), &x, &used), SY_OK);
        assert_int_equal(used, b.n);
        assert_int_equal(x.kind, all[i]->kind);
        assert_int_equal(x.number, all[i]->number);
        assert_int_equal(x.most, all[i]->most);
        assert_int_equal(x.code, all[i]->code);
        assert_true(x.body.n == all[i]->body.n &&
                    (!x.body.n || memcmp(x.body.p, all[i]->body.p, x.body.n) == 0));
        assert_true(x.topic.n == all[i]->topic.n &&
                    (!x.topic.n || memcmp(x.topic.p, all[i]->topic.p, x.topic.n) == 0));
        if (x.kind == SY_MQTT_SETUP) {
            assert_string_equal(x.texts[SY_MQTT_HOST], "h");
            assert_string_equal(x.texts[SY_MQTT_USER], "");
            assert_string_equal(x.texts[SY_MQTT_TIMEOUT], "30");
        }
        sy_buf_fini(&b);
    }
}

static void what_is_no_frame_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        {"\xff\xff\xff\xff"
         "E",
         5},                                  /* too long */
        {"\0\0\0\0X", 5},                     /* no such kind */
        {"\0\0\0\0D", 5},                     /* without a code */
        {"\x03\0\0\0Sa\0b", 8},               /* too few texts */
        {"\x05\0\0\0E\0\0\0\0\1", 10},        /* half of an event's head */
        {"\x07\0\0\0E\0\0\0\0\xff\xffx", 12}, /* a topic beyond the end */
        {"\x07\0\0\0E\0\0\0\0\0\0x", 12},     /* no topic */
        {"\x04\0\0\0A\0\0\0\0", 9},           /* an answer without a code */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sy_mqtt_frame x;
        size_t used = 0;
        assert_int_equal(sy_mqtt_take((sy_span){bad[i].bytes, bad[i].n}, &x, &used), SY_E_PARSE);
    }
}

/* ---- topics ---- */
static void topic_is(const char *format, const char *event, const char *expected)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    bool fine = sy_mqtt_topic(&b, format, sy_span_of(event));
    sy_buf_char(&b, 0);
    assert_int_equal(fine, expected != NULL);
    if (expected) {
        assert_string_equal(b.p, expected);
    }
    sy_buf_fini(&b);
}

static void topics(void **state)
{
    (void)state;
    static const char event[] =
        "{\"source\":\"/steelyard/gw\",\"type\":\"steelyard.alert.raised\",\"data\":{\"premises\":"
        "{\"id\":\"shop/+#%\\u0001\"},\"place\":{\"id\":\"\xe5\x86\xb7\"},\"device\":\"d\","
        "\"alert\":{\"rule\":\"R-1\",\"severity\":\"major\"}}}";
    topic_is("s/{gateway}/{premises}/{severity}", event, "s/gw/shop%2F%2B%23%25%01/major");
    topic_is("{place}{device}{rule}/{type}", event,
             "\xe5\x86\xb7"
             "dR-1/alert.raised");
    topic_is("s/{premises}/{severity}", "{\"type\":\"x\"}", "s/none/none");
    topic_is("{premises}", "{\"data\":{\"premises\":{\"id\":null}}}", "none");
    topic_is("{colour}", event, NULL);
    topic_is("s", "[]", NULL);
    topic_is("s", "{", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_has_its_fate, rig_setup, rig_teardown),
        cmocka_unit_test(frames_come_as_they_went),
        cmocka_unit_test(what_is_no_frame_is_refused),
        cmocka_unit_test(topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
