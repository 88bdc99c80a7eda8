/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the managed broker's spool into the intake: in order, once, with its number; what cannot be
 * kept stays; what carries no promise comes by the subscription.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/mqtt/spool.h"
#include "mqtt_rig.h"

static const char *const loopback[] = {"127.0.0.1:0"};

typedef struct house {
    rig r;
    sy_registry *devices;
    sy_broker *b;
    sy_mqtt *m;
    _Atomic uint64_t synced; /* what the journal says of its syncs */
} house;

static house *of_rig; /* the rig's context is the rig: one house at a time */

static uint64_t synced(void *ctx)
{
    (void)ctx;
    return atomic_load(&of_rig->synced);
}

static void start_client(house *h)
{
    sy_mqtt_options o = {.uri = sy_broker_uri(h->b),
                         .client_id = "gateway",
                         .user = sy_broker_user(h->b),
                         .password = sy_broker_password(h->b),
                         .managed = true,
                         .broker = h->b,
                         .max_payload = 1000};
    sy_fail f = {0};
    if (sy_mqtt_start(&h->m, &o, &h->r.intake, h->r.slot, &f)) {
        fail_msg("%s", f.text);
    }
    assert_true(sy_mqtt_wait_ready(h->m, RIG_WAIT_MS));
}

static void start_broker(house *h)
{
    sy_broker_options o = {.dir = h->r.dir,
                           .listen = loopback,
                           .n_listen = 1,
                           .max_payload = 1000,
                           .intake = &h->r.intake};
    sy_fail f = {0};
    if (sy_broker_start(&h->b, &o, h->devices, &f)) {
        fail_msg("%s", f.text);
    }
}

static int setup(void **state)
{
    house *h = calloc(1, sizeof *h);
    of_rig = h;
    rig_init(&h->r);
    h->r.intake.synced = synced;
    atomic_store(&h->synced, UINT64_MAX);
    assert_int_equal(sy_broker_credential(h->r.dir, "a", "pa", NULL), SY_OK);
    h->devices = rig_devices("a");
    assert_int_equal(sy_registry_slot_open(&h->r.slot, sy_registry_ref(h->devices), NULL), SY_OK);
    start_broker(h);
    start_client(h);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    house *h = *state;
    if (h->m) {
        sy_mqtt_stop(h->m);
    }
    sy_broker_stop(h->b);
    sy_registry_unref(h->devices);
    rig_fini(&h->r);
    free(h);
    return 0;
}

static void stop_client(house *h)
{
    assert_true(sy_mqtt_stop(h->m));
    h->m = NULL;
}

static void publish(house *h, const char *payload, const char *const *more)
{
    assert_int_equal(rig_publish(sy_broker_port(h->b, 0), "a", "pa", "t/a", payload, more), 0);
}

static uint64_t number_of(const rig_message *m)
{
    uint64_t n = 0;
    assert_int_equal(m->n_ident, 8);
    for (size_t i = 8; i-- > 0;) {
        n = n << 8 | (unsigned char)m->ident[i];
    }
    return n;
}

static void numbers_ascend_in_both_qualities_of_service(void **state)
{
    house *h = *state;
    static const char *const qos2[] = {"-q", "2", "-r", NULL};
    uint64_t last = 0;
    for (size_t i = 0; i < 6; i++) {
        char text[8];
        snprintf(text, sizeof text, "%zu", i);
        publish(h, text, i % 2 ? qos2 : NULL);
        RIG_WAIT(rig_count(&h->r) == i + 1);
        rig_message got = rig_get(&h->r, i);
        assert_string_equal(got.payload, text);
        assert_int_equal(got.flags, SY_MSG_PROMISE | SY_MSG_SPOOLED);
        assert_true(number_of(&got) > last);
        last = number_of(&got);
    }
    /* A broker that starts again does not use them again. */
    stop_client(h);
    sy_broker_stop(h->b);
    start_broker(h);
    start_client(h);
    publish(h, "x", NULL);
    RIG_WAIT(rig_count(&h->r) == 7);
    rig_message got = rig_get(&h->r, 6);
    assert_string_equal(got.payload, "x");
    assert_true(number_of(&got) > last);
}

/* A device that goes without a word and leaves a will (MQTT 3.1.1, section 3.1.2.5). */
static void leave_a_will(house *h, const char *payload)
{
    unsigned char out[100] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 0xce}, in[4];
    const char *const texts[] = {"a", "t/a", payload, "a", "pa"};
    size_t n = 12;
    for (size_t i = 0; i < 5; i++) {
        out[n + 1] = (unsigned char)strlen(texts[i]);
        memcpy(out + n + 2, texts[i], strlen(texts[i]));
        n += 2 + strlen(texts[i]);
    }
    out[1] = (unsigned char)(n - 2);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(sy_broker_port(h->b, 0)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(write(fd, out, n), n);
    assert_int_equal(recv(fd, in, 4, MSG_WAITALL), 4);
    assert_int_equal(in[3], 0);
    close(fd);
}

static void what_carries_no_promise_comes_by_the_subscription(void **state)
{
    house *h = *state;
    static const char *const qos0[] = {"-q", "0", NULL};
    publish(h, "zero", qos0);
    RIG_WAIT(rig_count(&h->r) == 1);
    assert_int_equal(rig_get(&h->r, 0).flags, 0);
    leave_a_will(h, "will");
    RIG_WAIT(rig_count(&h->r) == 2);
    assert_string_equal(rig_get(&h->r, 1).payload, "will");
    assert_false(rig_get(&h->r, 1).flags & SY_MSG_SPOOLED);
}

static void what_comes_while_nobody_reads_is_there_in_order(void **state)
{
    house *h = *state;
    stop_client(h);
    for (char c = '0'; c < '5'; c++) {
        publish(h, (char[]){c, 0}, NULL);
    }
    start_client(h);
    RIG_WAIT(rig_count(&h->r) == 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(rig_get(&h->r, i).payload[0], '0' + (char)i);
    }
}

static void what_the_journal_has_not_synced_is_read_again(void **state)
{
    house *h = *state;
    atomic_store(&h->synced, 0);
    publish(h, "1", NULL);
    publish(h, "2", NULL);
    RIG_WAIT(rig_count(&h->r) == 2);
    stop_client(h);
    start_client(h); /* this intake remembers nothing: a power cut took it */
    RIG_WAIT(rig_count(&h->r) == 4);
    assert_string_equal(rig_get(&h->r, 2).payload, "1");
    atomic_store(&h->synced, UINT64_MAX);
    char spool[80];
    snprintf(spool, sizeof spool, "%s/spool", h->r.dir);
    rig_message second = rig_get(&h->r, 3);
    stop_client(h);
    assert_int_equal(sy_spool_mark(spool), number_of(&second));
    start_client(h);
    publish(h, "3", NULL);
    RIG_WAIT(rig_count(&h->r) == 5); /* and not the two for a third time */
    assert_string_equal(rig_get(&h->r, 4).payload, "3");
}

static void what_cannot_be_kept_stays_in_the_spool(void **state)
{
    house *h = *state;
    pthread_mutex_lock(&h->r.lock);
    h->r.failures = 2; /* the disk fails twice, and is well again */
    pthread_mutex_unlock(&h->r.lock);
    publish(h, "1", NULL);
    RIG_WAIT(rig_count(&h->r) == 1);
    assert_int_equal(rig_entered(&h->r), 3);
    rig_set(&h->r, &h->r.closed, true); /* the gateway ends */
    publish(h, "2", NULL);
    RIG_WAIT(rig_entered(&h->r) == 4);
    stop_client(h);
    assert_int_equal(rig_count(&h->r), 1);
    rig_set(&h->r, &h->r.closed, false);
    start_client(h);
    RIG_WAIT(rig_count(&h->r) >= 2);
    assert_string_equal(rig_get(&h->r, rig_count(&h->r) - 1).payload, "2");
}

static void what_is_refused_for_good_is_counted_once(void **state)
{
    house *h = *state;
    static char text[1100];
    memset(text, 'x', sizeof text - 1);
    publish(h, text, NULL);
    RIG_WAIT(rig_rejected(&h->r, SY_REJECT_TOO_LARGE) == 1);
    sy_registry_slot_set(h->r.slot, rig_devices(""));
    publish(h, "1", NULL);
    RIG_WAIT(rig_rejected(&h->r, SY_REJECT_UNKNOWN_DEVICE) == 1);
    RIG_WAIT(sy_broker_spool_status(h->b).taken == sy_broker_spool_status(h->b).appended);
    assert_int_equal(rig_count(&h->r), 0);
}

#define WITH_HOUSE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_HOUSE(numbers_ascend_in_both_qualities_of_service),
        WITH_HOUSE(what_carries_no_promise_comes_by_the_subscription),
        WITH_HOUSE(what_comes_while_nobody_reads_is_there_in_order),
        WITH_HOUSE(what_the_journal_has_not_synced_is_read_again),
        WITH_HOUSE(what_cannot_be_kept_stays_in_the_spool),
        WITH_HOUSE(what_is_refused_for_good_is_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
