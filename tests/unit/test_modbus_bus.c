/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of Modbus with an intake of the test's own: one that has no room holds up its own line
 * and no other, and turns that are missed are counted; a reload and the end of the gateway. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drivers/modbus/map.h"
#include "drivers/modbus/modbus.h"
#include "modbus_fake.h"

enum { WAIT_MS = 10000, POLL_MS = 50 };

/* What the intake has of devices "a" and "b"; "a" waits while it is shut. */
typedef struct rig {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    int a, b, waiting;
    bool shut, closed;
    char last[64];
    size_t last_n;
    sy_intake intake;
    fake fakes[2];
    sy_mb_device modbus[2];
    sy_device devices[2];
    sy_registry_slot *slot;
    sy_modbus *m;
} rig;

static sy_err submit(void *ctx, const sy_message *m, uint64_t *seq, bool *kept, sy_fail *f)
{
    rig *r = ctx;
    bool is_a = sy_span_is(m->source, "a");
    pthread_mutex_lock(&r->mu);
    r->waiting += is_a;
    pthread_cond_broadcast(&r->changed);
    while (is_a && r->shut && !r->closed)
        pthread_cond_wait(&r->changed, &r->mu);
    r->waiting -= is_a;
    bool closed = r->closed;
    *(is_a ? &r->a : &r->b) += !closed;
    r->last_n = m->payload.n < sizeof r->last ? m->payload.n : sizeof r->last;
    memcpy(r->last, m->payload.p, r->last_n);
    bool right = m->transport == SY_TRANSPORT_MODBUS && m->flags == SY_MSG_UNAUTHENTICATED;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->mu);
    *seq = 1;
    *kept = true;
    return closed  ? sy_fail_set(f, SY_E_CLOSED, "closed")
           : right ? SY_OK
                   : sy_fail_set(f, SY_E_RANGE, "not as it should be");
}

/* Until *count has reached n. */
static void reach(rig *r, const int *count, int n)
{
    sy_ms end = sy_wall_ms() + WAIT_MS;
    struct timespec until = {.tv_sec = (time_t)(end / 1000)};
    pthread_mutex_lock(&r->mu);
    while (*count < n)
        if (pthread_cond_timedwait(&r->changed, &r->mu, &until) != 0)
            fail_msg("waited in vain for %d, there are %d", n, *count);
    pthread_mutex_unlock(&r->mu);
}

static int now(rig *r, const int *count)
{
    pthread_mutex_lock(&r->mu);
    int n = *count;
    pthread_mutex_unlock(&r->mu);
    return n;
}

static void set(rig *r, bool *what, bool value)
{
    pthread_mutex_lock(&r->mu);
    *what = value;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->mu);
}

static bool good(int fd, uint8_t *request)
{
    return fake_answer(fd, request, 0x1234);
}

static const sy_mb_row rows[] = {{.name = "v",
                                  .table = SY_MB_HOLDING,
                                  .address = 7,
                                  .type = SY_MB_U16,
                                  .scale = 1,
                                  .divisor = 1}};
static const sy_mb_map map = {.name = "m", .rows = rows, .n = 1, .gap = 10, .most = 125};

static void rig_open(rig *r, bool shut)
{
    sy_fail f;
    sy_registry *registry;
    memset(r, 0, sizeof *r);
    pthread_mutex_init(&r->mu, NULL);
    pthread_cond_init(&r->changed, NULL);
    r->shut = shut;
    r->intake = (sy_intake){.ctx = r, .submit = submit};
    for (int i = 0; i < 2; i++) {
        fake_start(&r->fakes[i], good);
        r->modbus[i] = (sy_mb_device){r->fakes[i].address, 9, POLL_MS, 1000, &map};
        r->devices[i] = (sy_device){
            .id = i ? "b" : "a", .transport = SY_TRANSPORT_MODBUS, .modbus = &r->modbus[i]};
    }
    assert_int_equal(sy_registry_make(&registry, r->devices, 2, NULL, NULL, &f), SY_OK);
    assert_int_equal(sy_registry_slot_open(&r->slot, registry, &f), SY_OK);
    assert_int_equal(sy_modbus_start(&r->m, &r->intake, r->slot, &f), SY_OK);
}

static void rig_close(rig *r)
{
    sy_modbus_stop(r->m);
    sy_registry_slot_close(r->slot);
    for (int i = 0; i < 2; i++)
        fake_stop(&r->fakes[i]);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->mu);
}

/* The number behind "key": of the first device in the status. */
static long figure(rig *r, const char *key)
{
    sy_buf b;
    char quoted[32];
    sy_buf_init(&b, sy_heap());
    sy_modbus_status(r->m, &b);
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = b.n ? strstr(b.p, quoted) : NULL;
    assert_non_null(at);
    long n = strtol(at + strlen(quoted), NULL, 10);
    sy_buf_fini(&b);
    return n;
}

static void test_messages(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, false);
    reach(&r, &r.a, 2);
    reach(&r, &r.b, 2);
    pthread_mutex_lock(&r.mu);
    assert_memory_equal(r.last, "\1\x9\0\7\0\1\4\3\2\x12\x34", 11);
    assert_int_equal(r.last_n, 11);
    pthread_mutex_unlock(&r.mu);
    rig_close(&r);
}

static void test_no_room(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, true);
    reach(&r, &r.waiting, 1);
    reach(&r, &r.b, now(&r, &r.b) + 10); /* ten turns of the other line: half a second */
    assert_int_equal(now(&r, &r.a), 0);
    set(&r, &r.shut, false);
    reach(&r, &r.a, 2);
    assert_true(figure(&r, "skipped") >= 5); /* of ten, on a machine that may be busy */
    assert_true(figure(&r, "turns") < 10);
    rig_close(&r);
}

/* Without "b" its line ends; "a" goes on, with its figures. */
static void test_reload(void **state)
{
    (void)state;
    rig r;
    sy_fail f;
    sy_registry *registry;
    rig_open(&r, false);
    reach(&r, &r.a, 3);
    reach(&r, &r.b, 1);
    assert_int_equal(sy_registry_make(&registry, r.devices, 1, NULL, NULL, &f), SY_OK);
    sy_registry_slot_set(r.slot, registry);
    sy_modbus_reload(r.m);
    int b = now(&r, &r.b);
    reach(&r, &r.a, now(&r, &r.a) + 3);
    assert_int_equal(now(&r, &r.b), b);
    assert_true(figure(&r, "answers") >= 5);
    rig_close(&r);
}

/* A device that was revoked is not asked any more. */
static void test_revoked(void **state)
{
    (void)state;
    rig r;
    sy_fail f;
    sy_registry *registry;
    rig_open(&r, false);
    reach(&r, &r.b, 1);
    sy_device without[2] = {r.devices[0], r.devices[1]};
    without[1].revoked = true;
    assert_int_equal(sy_registry_make(&registry, without, 2, NULL, NULL, &f), SY_OK);
    sy_registry_slot_set(r.slot, registry);
    sy_modbus_reload(r.m);
    int b = now(&r, &r.b);
    reach(&r, &r.a, now(&r, &r.a) + 3);
    assert_int_equal(now(&r, &r.b), b);
    rig_close(&r);
}

/* The journal is shut while a line waits for room. */
static void test_end(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, true);
    reach(&r, &r.waiting, 1);
    set(&r, &r.closed, true);
    rig_close(&r);
    assert_int_equal(r.a, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages), cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_reload),   cmocka_unit_test(test_revoked),
        cmocka_unit_test(test_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
