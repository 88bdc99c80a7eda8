/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as its users see it: order, rolling, sync, room, lag, time, bytes. */
#include "journal_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Golden bytes: a record and a header written by hand; a change of the format shows here. */
static void golden_bytes(void **state)
{
    (void)state;
    unsigned char seg[SY_JSEG_HEADER], rec[SY_JREC_HEADER];
    char hex[2 * SY_JREC_HEADER + 1];
    sy_jseg_encode(seg, 0x0102030405060708u, 0xaabbccddu);
    char text[2 * SY_JSEG_HEADER + 1];
    for (size_t i = 0; i < sizeof seg; i++)
        snprintf(text + 2 * i, 3, "%02x", seg[i]);
    assert_string_equal(text, "53594a4f55524e0a01000000ddccbbaa0807060504030201ddccbbaa7e0e51cd");
    sy_jrec r = {.seq = 258,
                 .recv = 1700000000123,
                 .type = SY_J_MESSAGE,
                 .flags = 5,
                 .code = 0xffff01,
                 .source = sy_span_of("a/b"),
                 .ident = sy_span_of("id"),
                 .payload = sy_span_of("hello")};
    assert_int_equal(sy_jrec_length(&r), SY_JREC_HEADER + 10);
    sy_jrec_encode(rec, &r, sy_jrec_body_crc(0xaabbccddu, &r));
    for (size_t i = 0; i < sizeof rec; i++)
        snprintf(hex + 2 * i, 3, "%02x", rec[i]);
    assert_string_equal(hex, "2e000000851fb1ab02010000000000007b68e5cf"
                             "8b01000001ffff000105030002000000");
}

static void every_field_comes_back(void **state)
{
    sy_journal_options o = rig_options(*state, 0);
    sy_journal *j = rig_open(&o, NULL);
    sy_fail f;
    char big[70000];
    memset(big, 'x', sizeof big);
    sy_jrec in = {.type = SY_J_MESSAGE,
                  .flags = 6,
                  .code = 0x00320002,
                  .source = sy_span_of("dev"),
                  .ident = {"\0\1\2", 3},
                  .payload = {big, sizeof big}};
    assert_int_equal(sy_journal_append(j, &in, &f), SY_OK);
    assert_int_equal(in.seq, 1);
    sy_jreader *r;
    sy_jrec out;
    assert_int_equal(sy_jreader_open(&r, j, NULL, 1, &f), SY_OK);
    assert_int_equal(sy_jreader_next(r, &out, &f), SY_OK);
    assert_int_equal(out.seq, 1);
    assert_int_equal(out.recv, in.recv);
    assert_int_equal(out.type, SY_J_MESSAGE);
    assert_int_equal(out.flags, 6);
    assert_int_equal(out.code, 0x00320002);
    assert_true(sy_span_eq(out.source, in.source));
    assert_true(sy_span_eq(out.ident, in.ident));
    assert_true(sy_span_eq(out.payload, in.payload));
    assert_int_equal(sy_jreader_next(r, &out, &f), SY_E_AGAIN);
    sy_jreader_close(r);
    sy_journal_close(j);
}

static void rolls_and_reads_across_segments(void **state)
{
    const char *dir = *state;
    sy_journal_options o = rig_options(dir, 4096);
    sy_journal *j = rig_open(&o, NULL);
    sy_jreader *live;
    sy_fail f;
    assert_int_equal(sy_jreader_open(&live, j, NULL, 1, &f), SY_OK);
    uint64_t read = 0;
    for (int i = 1; i <= 1000; i++) {
        char text[300];
        memset(text, 'p', sizeof text);
        text[100 + i % 200] = 0;
        assert_int_equal(rig_append(j, text), i);
        sy_jrec rec;
        while (i % 7 == 0 && sy_jreader_next(live, &rec, &f) == SY_OK)
            assert_int_equal(rec.seq, ++read);
    }
    assert_int_equal(read, 994);
    sy_jreader_close(live);
    assert_true(rig_count_files(dir, ".log") > 40);
    sy_journal_close(j);

    sy_jreader *r;
    sy_jrec rec;
    for (uint64_t from = 1; from <= 1000; from += 111) {
        assert_int_equal(sy_jreader_open(&r, NULL, dir, from, &f), SY_OK);
        for (uint64_t seq = from; seq <= 1000; seq++) {
            assert_int_equal(sy_jreader_next(r, &rec, &f), SY_OK);
            assert_int_equal(rec.seq, seq);
        }
        assert_int_equal(sy_jreader_next(r, &rec, &f), SY_E_AGAIN);
        sy_jreader_close(r);
    }
    j = rig_open(&o, NULL);
    assert_int_equal(sy_journal_seq(j), 1000);
    assert_int_equal(sy_journal_torn(j), 0);
    assert_int_equal(sy_journal_damaged(j), 0);
    assert_int_equal(rig_append(j, "on"), 1001);
    sy_journal_close(j);
}

static void a_record_too_long_is_refused(void **state)
{
    sy_journal_options o = rig_options(*state, 4096);
    sy_journal *j = rig_open(&o, NULL);
    char *big = calloc(1, 5000);
    sy_fail f;
    sy_jrec rec = {.type = SY_J_MESSAGE, .payload = {big, 4096 - SY_JSEG_HEADER - SY_JREC_HEADER}};
    assert_int_equal(sy_journal_append(j, &rec, &f), SY_OK);
    rec.payload.n++;
    assert_int_equal(sy_journal_append(j, &rec, &f), SY_E_RANGE);
    assert_int_equal(sy_journal_seq(j), 1);
    free(big);
    sy_journal_close(j);
}

static void note_synced(void *ctx, uint64_t seq)
{
    atomic_store((_Atomic uint64_t *)ctx, seq);
}

static void waits_for_the_sync(void **state)
{
    sy_journal_options o = rig_options(*state, 0);
    o.sync_ms = 100000; /* only on demand */
    sy_journal *j = rig_open(&o, NULL);
    _Atomic uint64_t told = 0;
    sy_journal_on_synced(j, note_synced, &told);
    sy_fail f;
    uint64_t seq = rig_append(j, "a");
    assert_int_equal(sy_journal_synced(j), 0);
    assert_int_equal(sy_journal_wait_synced(j, seq, &f), SY_OK);
    assert_int_equal(sy_journal_synced(j), 1);
    assert_int_equal(sy_journal_wait_synced(j, 2, &f), SY_E_RANGE);
    rig_append(j, "b");
    sy_journal_close(j);
    assert_int_equal(atomic_load(&told), 2); /* close syncs */
}

/* What nobody waits for is synced by itself, at the interval. */
static void syncs_by_itself(void **state)
{
    sy_journal_options o = rig_options(*state, 0);
    o.sync_ms = 1;
    sy_journal *j = rig_open(&o, NULL);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        rig_append(j, "a");
        sy_ms deadline = sy_mono_ms() + 20000;
        while (sy_journal_synced(j) < seq && sy_mono_ms() < deadline)
            sched_yield();
        assert_int_equal(sy_journal_synced(j), seq);
    }
    sy_journal_close(j);
}

static void numbers_go_on_above_the_stores_position(void **state)
{
    sy_journal_options o = rig_options(*state, 0);
    sy_journal *j = rig_open(&o, NULL);
    rig_append(j, "a");
    rig_append(j, "b");
    sy_journal_close(j);
    o.after_seq = 10; /* a power cut took 3..10 here, not in the store */
    j = rig_open(&o, NULL);
    rig_expect(NULL, j, 1, "a b !");
    assert_int_equal(rig_append(j, "c"), 11);
    rig_expect(NULL, j, 11, "c");
    rig_expect(NULL, j, 1, "a b ! c");
    sy_journal_close(j);
    rig_expect(*state, NULL, 1, "a b ! c");
}

typedef struct appender {
    sy_journal *j;
    int id, n;
    pthread_t thread;
} appender;

static void *append_many(void *ctx)
{
    appender *a = ctx;
    char text[32];
    for (int i = 0; i < a->n; i++) {
        snprintf(text, sizeof text, "%d:%d", a->id, i);
        sy_jrec rec = {.type = SY_J_MESSAGE, .payload = sy_span_of(text)};
        sy_fail f;
        if (sy_journal_append(a->j, &rec, &f))
            return a;
        if (i % 500 == 0 && sy_journal_wait_synced(a->j, rec.seq, &f))
            return a;
    }
    return NULL;
}

/* Four appenders, the sync thread, a reader: every record once, each appender's in its order. */
static void concurrent_appenders(void **state)
{
    enum { THREADS = 4, EACH = 3000 };
    sy_journal_options o = rig_options(*state, 16384);
    o.sync_ms = 1;
    o.max_lag_bytes = 65536;
    sy_journal *j = rig_open(&o, NULL);
    sy_jreader *r;
    sy_fail f;
    assert_int_equal(sy_jreader_open(&r, j, NULL, 1, &f), SY_OK);
    appender a[THREADS];
    for (int i = 0; i < THREADS; i++) {
        a[i] = (appender){.j = j, .id = i, .n = EACH};
        assert_int_equal(pthread_create(&a[i].thread, NULL, append_many, &a[i]), 0);
    }
    int next[THREADS] = {0};
    for (uint64_t seq = 1; seq <= THREADS * EACH;) {
        sy_jrec rec;
        sy_err e = sy_jreader_next(r, &rec, &f);
        if (e == SY_E_AGAIN) {
            sy_jreader_wait(r, 1000);
            continue;
        }
        assert_int_equal(e, SY_OK);
        assert_int_equal(rec.seq, seq);
        char text[32] = {0};
        memcpy(text, rec.payload.p, rec.payload.n);
        int id = atoi(text), i = atoi(strchr(text, ':') + 1);
        assert_int_equal(i, next[id]++);
        if (seq % 100 == 0)
            sy_jreader_done(r, seq);
        seq++;
    }
    for (int i = 0; i < THREADS; i++) {
        void *bad;
        pthread_join(a[i].thread, &bad);
        assert_null(bad);
    }
    sy_jreader_close(r);
    sy_journal_close(j);
}

static void *append_one(void *ctx)
{
    sy_fail f;
    sy_jrec rec = {.type = SY_J_MESSAGE, .payload = sy_span_of("late")};
    return (void *)(uintptr_t)sy_journal_append(ctx, &rec, &f);
}

static void wait_until_blocked(sy_journal *j, pthread_t t)
{
    (void)t;
    /* The appender holds mu until it waits for room; there is no other way to see it. */
    for (;;) {
        pthread_mutex_lock(&j->mu);
        bool waits = j->waiting_room > 0;
        pthread_mutex_unlock(&j->mu);
        if (waits)
            return;
        sched_yield();
    }
}

static void lag_holds_messages_not_ticks(void **state)
{
    sy_journal_options o = rig_options(*state, 0);
    o.max_lag_bytes = 1000;
    sy_journal *j = rig_open(&o, NULL);
    sy_jreader *r;
    sy_jrec rec;
    sy_fail f;
    assert_int_equal(sy_jreader_open(&r, j, NULL, 1, &f), SY_OK);
    rig_append(j, "first");
    assert_int_equal(sy_jreader_next(r, &rec, &f), SY_OK);
    sy_jreader_done(r, 1);
    while (j->lag_bytes <= 1000)
        rig_append(j, "more");
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, append_one, j), 0);
    wait_until_blocked(j, t);
    sy_jrec tick = {.type = SY_J_TICK};
    assert_int_equal(sy_journal_append(j, &tick, &f), SY_OK);
    while (sy_jreader_next(r, &rec, &f) == SY_OK)
        ;
    sy_jreader_done(r, rec.seq);
    void *e;
    pthread_join(t, &e);
    assert_int_equal((uintptr_t)e, SY_OK);
    while (j->lag_bytes <= 1000)
        rig_append(j, "more");
    assert_int_equal(pthread_create(&t, NULL, append_one, j), 0);
    wait_until_blocked(j, t);
    sy_journal_shut(j);
    pthread_join(t, &e);
    assert_int_equal((uintptr_t)e, SY_E_CLOSED);
    assert_int_equal(sy_journal_append(j, &tick, &f), SY_E_CLOSED);
    sy_jreader_close(r);
    sy_journal_close(j);
}

static _Atomic uint64_t fake_room;

static int room_of_test(const char *dir, uint64_t *bytes)
{
    (void)dir;
    *bytes = atomic_load(&fake_room);
    return 0;
}

static void below_the_reserve_messages_wait(void **state)
{
    sy_journal_options o = rig_options(*state, 0);
    o.reserve_bytes = 1000;
    sy_jio io = sy_journal__io();
    io.room = room_of_test;
    atomic_store(&fake_room, 999);
    sy_journal *j = rig_open(&o, &io);
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, append_one, j), 0);
    wait_until_blocked(j, t);
    sy_fail f;
    sy_jrec tick = {.type = SY_J_TICK};
    assert_int_equal(sy_journal_append(j, &tick, &f), SY_OK);
    atomic_store(&fake_room, 1000); /* goes on by itself */
    void *e;
    pthread_join(t, &e);
    assert_int_equal((uintptr_t)e, SY_OK);
    assert_int_equal(sy_journal_seq(j), 2);
    sy_journal_close(j);
}

typedef struct stepped {
    sy_ms wall, mono;
} stepped;

static sy_ms stepped_wall(void *ctx)
{
    return ((stepped *)ctx)->wall;
}

static sy_ms stepped_mono(void *ctx)
{
    return ((stepped *)ctx)->mono;
}

static bool stepped_synced(void *ctx)
{
    (void)ctx;
    return true;
}

static void a_step_of_the_clock_is_a_record(void **state)
{
    sy_journal_options o = rig_options(*state, 0);
    stepped k = {1700000000000, 0};
    sy_jio io = sy_journal__io();
    io.clock = (sy_clock_source){stepped_wall, stepped_mono, stepped_synced, &k};
    sy_journal *j = rig_open(&o, &io);
    assert_int_equal(rig_append(j, "a"), 1);
    k.wall -= 3600000;
    assert_int_equal(sy_journal_now(j), 1700000000000); /* a look is no record */
    assert_int_equal(rig_append(j, "b"), 3);
    assert_int_equal(sy_journal_now(j), 1700000000000 - 3600000);
    rig_expect(NULL, j, 1, "a {\"old\":1700000000000,\"new\":1699996400000} b");
    sy_journal_close(j);
    k = (stepped){0, 0};
    io.clock.synced = NULL;
    j = rig_open(&(sy_journal_options){.dir = *state, .replay_clock = true, .reserve_bytes = 1},
                 &io);
    assert_int_equal(sy_journal_now(j), 1699996400000); /* goes on from the last record */
    sy_journal_close(j);
}

static void replay_moves_by_marks(void **state)
{
    sy_journal_options o = rig_options(*state, 0);
    o.replay_clock = true;
    sy_journal *j = rig_open(&o, NULL);
    sy_fail f;
    sy_jrec rec = {.type = SY_J_MESSAGE};
    assert_int_equal(sy_journal_now(j), SY_MS_NONE);
    assert_int_equal(sy_journal_append(j, &rec, &f), SY_OK);
    assert_int_equal(rec.recv, SY_MS_NONE);
    sy_jrec mark = {.type = SY_J_MARK, .recv = 5000};
    assert_int_equal(sy_journal_append(j, &mark, &f), SY_OK);
    assert_int_equal(sy_journal_now(j), 5000);
    assert_int_equal(sy_journal_append(j, &rec, &f), SY_OK);
    assert_int_equal(rec.recv, 5000);
    mark.recv = 4000;
    assert_int_equal(sy_journal_append(j, &mark, &f), SY_OK);
    assert_int_equal(mark.recv, 5000);
    sy_journal_close(j);
    o.replay_clock = false;
    j = rig_open(&o, NULL);
    assert_int_equal(sy_journal_append(j, &mark, &f), SY_E_USAGE);
    sy_journal_close(j);
}

#define dir_test(fn) cmocka_unit_test_setup_teardown(fn, rig_dir_setup, rig_dir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes),
        dir_test(every_field_comes_back),
        dir_test(rolls_and_reads_across_segments),
        dir_test(a_record_too_long_is_refused),
        dir_test(waits_for_the_sync),
        dir_test(syncs_by_itself),
        dir_test(numbers_go_on_above_the_stores_position),
        dir_test(concurrent_appenders),
        dir_test(lag_holds_messages_not_ticks),
        dir_test(below_the_reserve_messages_wait),
        dir_test(a_step_of_the_clock_is_a_record),
        dir_test(replay_moves_by_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
