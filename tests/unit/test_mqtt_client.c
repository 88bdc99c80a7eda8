/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of a broker that somebody else runs: acknowledged means kept, whatever happens to the
 * process, the disk or the broker.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mqtt_rig.h"

typedef struct house {
    rig r;
    rig_broker b;
} house;

static sy_mqtt *start_at(rig *r, const char *uri, bool v311)
{
    sy_mqtt_options o = {.uri = uri,
                         .client_id = "gateway",
                         .managed = true, /* no pause between attempts that is worth a name */
                         .v311 = v311,
                         .max_payload = 1000};
    sy_mqtt *m = NULL;
    sy_fail f = {0};
    if (sy_mqtt_start(&m, &o, &r->intake, r->slot, &f)) {
        fail_msg("%s", f.text);
    }
    return m;
}

static sy_mqtt *start_client(house *h, bool v311)
{
    sy_mqtt *m = start_at(&h->r, h->b.uri, v311);
    assert_true(sy_mqtt_wait_ready(m, RIG_WAIT_MS));
    return m;
}

static int setup(void **state)
{
    house *h = calloc(1, sizeof *h);
    rig_init(&h->r);
    assert_int_equal(sy_registry_slot_open(&h->r.slot, rig_devices("a"), NULL), SY_OK);
    rig_broker_start(&h->b, &h->r, 0);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    house *h = *state;
    rig_broker_stop(&h->b);
    rig_fini(&h->r);
    free(h);
    return 0;
}

static void publish(house *h, const char *payload, const char *const *more)
{
    assert_int_equal(rig_publish(h->b.port, "a", "pa", "t/a", payload, more), 0);
}

static void both_versions_and_both_qualities_of_service(void **state)
{
    house *h = *state;
    static const char *const qos0[] = {"-q", "0", NULL}, *const qos2[] = {"-q", "2", NULL};
    for (size_t i = 0; i < 2; i++) {
        sy_mqtt *m = start_client(h, i == 1);
        publish(h, "one", NULL);
        RIG_WAIT(rig_count(&h->r) == 3 * i + 1);
        assert_int_equal(rig_get(&h->r, 3 * i).flags, SY_MSG_PROMISE);
        publish(h, "none", qos0);
        RIG_WAIT(rig_count(&h->r) == 3 * i + 2);
        assert_int_equal(rig_get(&h->r, 3 * i + 1).flags, 0);
        assert_int_equal(rig_get(&h->r, 3 * i + 1).n_ident, 0);
        publish(h, "two", qos2);
        RIG_WAIT(rig_count(&h->r) == 3 * i + 3);
        assert_int_equal(rig_get(&h->r, 3 * i + 2).flags, SY_MSG_PROMISE);
        sy_mqtt_stop(m);
    }
}

static void the_broker_keeps_what_comes_while_we_are_away(void **state)
{
    house *h = *state;
    sy_mqtt *m = start_client(h, false);
    sy_mqtt_stop(m);
    publish(h, "waited", NULL);
    m = start_client(h, false);
    RIG_WAIT(rig_count(&h->r) == 1);
    assert_string_equal(rig_get(&h->r, 0).payload, "waited");
    sy_mqtt_stop(m);
}

static void a_retained_message_comes_once_and_is_marked(void **state)
{
    house *h = *state;
    static const char *const retain[] = {"-r", NULL};
    publish(h, "stored", retain);
    sy_mqtt *m = start_client(h, false);
    RIG_WAIT(rig_count(&h->r) == 1);
    assert_int_equal(rig_get(&h->r, 0).flags, SY_MSG_PROMISE | SY_MSG_RETAINED);
    sy_mqtt_stop(m);
    m = start_client(h, false); /* subscribes again: no second copy */
    publish(h, "fence", NULL);
    RIG_WAIT(rig_count(&h->r) == 2);
    assert_string_equal(rig_get(&h->r, 1).payload, "fence");
    assert_int_equal(rig_get(&h->r, 1).flags, SY_MSG_PROMISE);
    sy_mqtt_stop(m);
}

static void a_topic_of_no_device_is_counted(void **state)
{
    house *h = *state;
    sy_mqtt *m = start_client(h, false);
    sy_registry *none = rig_devices("");
    sy_registry_slot_set(h->r.slot, none); /* no reload yet: still subscribed */
    publish(h, "x", NULL);
    RIG_WAIT(rig_rejected(&h->r, SY_REJECT_UNKNOWN_DEVICE) == 1);
    assert_int_equal(rig_count(&h->r), 0);
    sy_mqtt_stop(m);
}

static void a_disk_that_fails_and_comes_back_loses_nothing(void **state)
{
    house *h = *state;
    h->r.failures = 3;
    sy_mqtt *m = start_client(h, false);
    publish(h, "1", NULL);
    publish(h, "2", NULL);
    RIG_WAIT(rig_count(&h->r) == 2);
    assert_string_equal(rig_get(&h->r, 0).payload, "1");
    assert_string_equal(rig_get(&h->r, 1).payload, "2");
    assert_int_equal(rig_entered(&h->r), 5);
    sy_mqtt_stop(m);
}

static void strict_waits_for_the_sync(void **state)
{
    house *h = *state;
    h->r.intake.strict = true;
    sy_mqtt *m = start_client(h, false);
    publish(h, "1", NULL);
    RIG_WAIT(rig_count(&h->r) == 1);
    sy_mqtt_stop(m);
    assert_int_equal(h->r.synced, 1);
}

/* A process of its own that sits in its callback. "closed": it is told to end and does. */
static _Noreturn void be_stuck(char **argv)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that fails */
    rig r;
    rig_init(&r);
    r.block = true;
    r.entered_fd = 1;
    if (sy_registry_slot_open(&r.slot, rig_devices("a"), NULL)) {
        _exit(1);
    }
    sy_mqtt *m = start_at(&r, argv[2], false);
    if (!sy_mqtt_wait_ready(m, RIG_WAIT_MS)) {
        _exit(2);
    }
    (void)!write(1, "r", 1);
    RIG_WAIT(rig_entered(&r) > 0);
    if (strcmp(argv[3], "closed") != 0) {
        pause();
    }
    sy_mqtt_stop(m);
    rig_set(&r, &r.closed, true); /* what the gateway does next: the journal is shut */
    _exit(0); /* from within this frame: the callback still stands in the rig above */
}

static pid_t start_stuck(house *h, const char *mode, int *from)
{
    int out[2];
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], 1);
        execl("/proc/self/exe", "test_mqtt_client", "--stuck", h->b.uri, mode, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    char c = 0;
    assert_int_equal(read(out[0], &c, 1), 1);
    assert_int_equal(c, 'r');
    *from = out[0];
    return pid;
}

static void again_after(house *h, const char *mode, int expect_signal)
{
    int from;
    char c = 0;
    pid_t pid = start_stuck(h, mode, &from);
    publish(h, "1", NULL);
    publish(h, "2", NULL);
    publish(h, "3", NULL);
    assert_int_equal(read(from, &c, 1), 1);
    close(from);
    if (expect_signal) {
        kill(pid, expect_signal);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(expect_signal ? WTERMSIG(status) == expect_signal : status == 0);
    sy_mqtt *m = start_client(h, false);
    RIG_WAIT(rig_count(&h->r) == 3);
    for (size_t i = 0; i < 3; i++) {
        rig_message got = rig_get(&h->r, i);
        assert_int_equal(got.payload[0], '1' + (char)i);
        assert_int_equal(got.flags, SY_MSG_PROMISE | SY_MSG_DUP);
    }
    sy_mqtt_stop(m);
}

static void killed_in_the_callback_it_comes_again(void **state)
{
    again_after(*state, "killed", SIGKILL);
}

static void ended_in_the_callback_it_comes_again(void **state)
{
    again_after(*state, "closed", 0);
}

static void connects_when_the_broker_comes_later(void **state)
{
    house *h = *state;
    uint16_t port = h->b.port;
    rig_broker_stop(&h->b);
    sy_mqtt *m = start_at(&h->r, h->b.uri, false);
    assert_false(sy_mqtt_wait_ready(m, 300));
    assert_false(sy_mqtt_connected(m));
    rig_broker_start(&h->b, &h->r, port);
    assert_true(sy_mqtt_wait_ready(m, RIG_WAIT_MS));
    rig_broker_stop(&h->b);
    RIG_WAIT(!sy_mqtt_connected(m));
    rig_broker_start(&h->b, &h->r, port);
    publish(h, "x", NULL); /* its session is known */
    RIG_WAIT(rig_count(&h->r) >= 1);
    sy_mqtt_stop(m);
}

#define WITH_HOUSE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--stuck") == 0) {
        be_stuck(argv);
    }
    const struct CMUnitTest tests[] = {
        WITH_HOUSE(both_versions_and_both_qualities_of_service),
        WITH_HOUSE(the_broker_keeps_what_comes_while_we_are_away),
        WITH_HOUSE(a_retained_message_comes_once_and_is_marked),
        WITH_HOUSE(a_topic_of_no_device_is_counted),
        WITH_HOUSE(a_disk_that_fails_and_comes_back_loses_nothing),
        WITH_HOUSE(strict_waits_for_the_sync),
        WITH_HOUSE(killed_in_the_callback_it_comes_again),
        WITH_HOUSE(ended_in_the_callback_it_comes_again),
        WITH_HOUSE(connects_when_the_broker_comes_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
