/* SPDX-License-Identifier: Apache-2.0 */
/* The store's batches and rows: one effect per reading, all of a batch or nothing of it. */
#include "base/hash.h"
#include "store_rig.h"

#include <math.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static void readings_have_one_effect(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    fine(sy_store_begin(s, false, &f), f);
    assert_int_equal(store_rig_put(s, "a", 1000, 5, SY_Q_GOOD), SY_PUT_NEW);
    assert_int_equal(store_rig_put(s, "a", 2000, 0.1, SY_Q_GOOD), SY_PUT_NEW);
    assert_int_equal(store_rig_put(s, "a", 1000, 5, SY_Q_GOOD), SY_PUT_DUPLICATE);
    assert_int_equal(store_rig_put(s, "a", 2000, 0.1, SY_Q_GOOD), SY_PUT_DUPLICATE);
    assert_int_equal(store_rig_put(s, "b", 2000, 0.1, SY_Q_GOOD), SY_PUT_NEW);
    assert_int_equal(store_rig_put(s, "a", 500, -18.25, SY_Q_GOOD), SY_PUT_NEW);
    fine(sy_store_commit(s, 7, &f), f);
    sy_store_close(s);
    s = store_rig_open(*state); /* what it keeps in memory is gone: the same again */
    fine(sy_store_begin(s, false, &f), f);
    assert_int_equal(store_rig_put(s, "a", 2000, 0.1, SY_Q_GOOD), SY_PUT_DUPLICATE);
    assert_int_equal(store_rig_put(s, "a", 1000, 5, SY_Q_GOOD), SY_PUT_DUPLICATE);
    assert_int_equal(store_rig_put(s, "a", 3000, 5, SY_Q_GOOD), SY_PUT_NEW);
    fine(sy_store_commit(s, 8, &f), f);
    store_rig_expect(s, "a", "500:-18.25:good 1000:5:good 2000:0.1:good 3000:5:good");
    store_rig_expect(s, "b", "2000:0.1:good");
    store_rig_expect(s, NULL,
                     "500:-18.25:good 1000:5:good 2000:0.1:good 2000:0.1:good 3000:5:good");
    uint64_t n;
    fine(sy_store_series_count(s, &n, &f), f);
    assert_int_equal(n, 2);
    sy_store_close(s);
}

static void two_values_of_one_time_are_uncertain(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    fine(sy_store_begin(s, false, &f), f);
    store_rig_put(s, "a", 1000, 5, SY_Q_GOOD);
    assert_int_equal(store_rig_put(s, "a", 1000, 6, SY_Q_GOOD | SY_Q_LATE), SY_PUT_CONFLICT);
    assert_int_equal(store_rig_put(s, "a", 1000, 6, SY_Q_GOOD), SY_PUT_DUPLICATE);
    store_rig_put(s, "b", 1000, 5, SY_Q_BAD | SY_Q_STUCK); /* bad ones are no party */
    assert_int_equal(store_rig_put(s, "b", 1000, 6, SY_Q_GOOD), SY_PUT_NEW);
    assert_int_equal(store_rig_put(s, "b", 1000, 7, SY_Q_BAD), SY_PUT_NEW);
    store_rig_put(s, "c", 1000, 5, SY_Q_UNCERTAIN); /* a good one of equal value makes it good */
    assert_int_equal(store_rig_put(s, "c", 1000, 5, SY_Q_GOOD), SY_PUT_DUPLICATE);
    store_rig_put(s, "d", 1000, NAN, SY_Q_BAD | SY_Q_DEVICE_FAULT);
    assert_int_equal(store_rig_put(s, "d", 1000, NAN, SY_Q_BAD), SY_PUT_DUPLICATE);
    store_rig_put(s, "e", SY_MS_NONE, 1, SY_Q_GOOD); /* times as far apart as can be */
    store_rig_put(s, "e", SY_MS_MAX, 2, SY_Q_GOOD);
    fine(sy_store_commit(s, 1, &f), f);
    store_rig_expect(s, "a", "1000:5:uncertain+conflict 1000:6:uncertain+late+conflict");
    store_rig_expect(s, "b", "1000:5:bad+stuck 1000:6:good 1000:7:bad");
    store_rig_expect(s, "c", "1000:5:good");
    store_rig_expect(s, "d", "1000:null:bad+device-fault");
    store_rig_expect(s, "e", "-9223372036854775808:1:good 9223372036854775807:2:good");
    sy_store_close(s);
}

static bool every_ten(void *ctx, const sy_reading_row *r)
{
    sy_ms *last = ctx;
    assert_int_equal(r->t, *last + 10);
    *last = r->t;
    return true;
}

typedef struct walk {
    sy_reading_row *last;
    char series[8];
    size_t n, stop;
} walk;

static bool in_order(void *ctx, const sy_reading_row *r)
{
    walk *w = ctx;
    assert_true(r->t >= w->last->t);
    if (r->t == w->last->t) {
        int order = strcmp(r->series, w->series);
        assert_true(order > 0 || (order == 0 && r->value > w->last->value));
    }
    *w->last = *r;
    snprintf(w->series, sizeof w->series, "%s", r->series);
    return ++w->n != w->stop;
}

/* Past the number at which recent readings are settled, all is as before: order, duplicates,
 * conflicts with what is settled, and what a restart finds. */
static void settled_readings_are_the_same(void **state)
{
    enum { SERIES = 7, EACH = 10000 }; /* 70000: settled once, and some recent again */
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    int64_t id[SERIES];
    sy_put put;
    for (int i = 0; i < EACH; i++) {
        if (i % 1000 == 0) {
            fine(sy_store_begin(s, false, &f), f);
            for (int k = 0; k < SERIES; k++) {
                char name[8];
                snprintf(name, sizeof name, "s%d", k);
                fine(sy_store_series(s, name, "d", name, "", &id[k], &f), f);
            }
        }
        for (int k = 0; k < SERIES; k++) {
            fine(sy_store_reading(s, id[k], i * 10 + 10, k, 0, 1, 1, &put, &f), f);
            assert_int_equal(put, SY_PUT_NEW);
        }
        if (i % 1000 == 999)
            fine(sy_store_commit(s, (uint64_t)i, &f), f);
        if (i == EACH - 1) {
            sy_store_close(s);
            s = store_rig_open(*state);
        }
    }
    double min, max;
    uint64_t n;
    for (int restart = 0; restart < 2; restart++) {
        fine(sy_store_begin(s, false, &f), f);
        for (int i = 0; i < EACH; i += 777) {
            fine(sy_store_reading(s, id[3], i * 10 + 10, 3, 0, 1, 1, &put, &f), f);
            assert_int_equal(put, SY_PUT_DUPLICATE);
        }
        fine(sy_store_reading(s, id[4], 10, 5, 0, 1, 1, &put, &f), f);
        assert_int_equal(put, restart ? SY_PUT_DUPLICATE : SY_PUT_CONFLICT);
        fine(sy_store_reading(s, id[4], 15, 5, 0, 1, 1, &put, &f), f); /* late, between */
        assert_int_equal(put, restart ? SY_PUT_DUPLICATE : SY_PUT_NEW);
        fine(sy_store_reading(s, id[4], EACH * 10, 5, 0, 1, 1, &put, &f), f);
        assert_int_equal(put, restart ? SY_PUT_DUPLICATE : SY_PUT_CONFLICT);
        fine(sy_store_commit(s, EACH, &f), f);
        fine(sy_store_figures(s, "s4", 0, SY_MS_MAX, &min, &max, &n, &f), f);
        assert_int_equal(n, EACH - 2 + 1); /* two times are uncertain, one reading is more */
        fine(sy_store_figures(s, "s3", 0, SY_MS_MAX, &min, &max, &n, &f), f);
        assert_true(n == EACH && min == 3 && max == 3);
        sy_store_close(s);
        s = store_rig_open(*state);
    }
    sy_ms last = 0;
    fine(sy_store_readings(s, "s0", 0, SY_MS_MAX, every_ten, &last, &f), f);
    assert_int_equal(last, EACH * 10);
    /* All series: by time, then series; each once, in windows that the test cannot see. */
    sy_reading_row before = {0};
    walk w = {.last = &before};
    fine(sy_store_readings(s, NULL, SY_MS_NONE, SY_MS_MAX, in_order, &w, &f), f);
    assert_int_equal(w.n, SERIES * EACH + 3);
    w = (walk){.last = &before, .stop = 30000};
    before = (sy_reading_row){0};
    fine(sy_store_readings(s, NULL, 10, EACH * 10, in_order, &w, &f), f);
    assert_int_equal(w.n, 30000); /* it ends when it is told to */
    sy_store_close(s);
}

static void a_rolled_back_batch_leaves_nothing(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    fine(sy_store_begin(s, false, &f), f);
    store_rig_put(s, "a", 1000, 5, SY_Q_GOOD);
    sy_store_count(s, SY_N_stored, 1);
    fine(sy_store_commit(s, 3, &f), f);
    fine(sy_store_begin(s, true, &f), f);
    store_rig_put(s, "a", 2000, 5, SY_Q_GOOD);
    store_rig_put(s, "new", 2000, 5, SY_Q_GOOD);
    sy_store_count(s, SY_N_stored, 2);
    bool added;
    sy_event_row e = {.id = "e", .kind = "k", .body = sy_span_of("{}")};
    const char *to = "up";
    fine(sy_store_event(s, &e, &to, 1, &added, &f), f);
    fine(sy_store_snapshot_put(s, 9, "hash", sy_span_of("state"), &f), f);
    assert_int_equal(store_rig_counter(s, SY_N_stored), 3); /* its own thread sees the batch */
    sy_store_rollback(s);
    sy_store_rollback(s);
    assert_int_equal(store_rig_counter(s, SY_N_stored), 1);
    assert_int_equal(store_rig_position(s), 3);
    store_rig_expect(s, NULL, "1000:5:good");
    uint64_t waiting, refused, seq;
    fine(sy_store_outbox_count(s, "up", &waiting, &refused, &f), f);
    assert_int_equal(waiting, 0);
    char hash[65];
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    assert_int_equal(sy_store_snapshot_get(s, &seq, hash, &b, &f), SY_E_NOTFOUND);
    fine(sy_store_begin(s, false, &f), f); /* the reading that was rolled back is new */
    assert_int_equal(store_rig_put(s, "a", 2000, 5, SY_Q_GOOD), SY_PUT_NEW);
    fine(sy_store_commit(s, 4, &f), f);
    assert_int_equal(store_rig_counter(s, SY_N_stored), 1);
    sy_buf_fini(&b);
    sy_store_close(s);
}

static void calls_outside_a_batch_are_refused(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    sy_put put;
    int64_t id;
    assert_int_equal(sy_store_series(s, "a", "d", "n", "", &id, &f), SY_E_USAGE);
    assert_int_equal(sy_store_reading(s, 1, 1, 1, 0, 1, 1, &put, &f), SY_E_USAGE);
    assert_int_equal(sy_store_commit(s, 1, &f), SY_E_USAGE);
    sy_store_close(s);
}

static void figures_take_good_readings(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    fine(sy_store_begin(s, false, &f), f);
    for (int i = 1; i <= 10; i++)
        store_rig_put(s, "a", i * 1000, i * 1.5, i == 10 ? SY_Q_BAD : SY_Q_GOOD);
    double min, max;
    uint64_t n;
    fine(sy_store_figures(s, "a", 2000, 20000, &min, &max, &n, &f), f);
    assert_true(min == 3.0 && max == 13.5 && n == 8);
    fine(sy_store_commit(s, 1, &f), f);
    fine(sy_store_figures(s, "a", 2000, 3999, &min, &max, &n, &f), f);
    assert_true(min == 3.0 && max == 4.5 && n == 2);
    fine(sy_store_figures(s, "none", 0, 9000, &min, &max, &n, &f), f);
    assert_true(isnan(min) && isnan(max) && n == 0);
    sy_store_close(s);
}

static bool keep_alert(void *ctx, const sy_alert_row *a)
{
    sy_buf *b = ctx;
    sy_buf_printf(b, "%s/%s/%s/%lld;", a->id, a->rule, a->subject, (long long)a->raised);
    return true;
}

static bool check_alert(void *ctx, const sy_alert_row *a)
{
    const sy_alert_row *w = ctx;
    assert_string_equal(a->id, w->id);
    assert_string_equal(a->rule, w->rule);
    assert_string_equal(a->series, w->series);
    assert_null(a->pack);
    assert_null(a->replaces);
    assert_string_equal(a->message_zh, w->message_zh);
    assert_string_equal(a->judgement_hash, w->judgement_hash);
    assert_int_equal(a->version, w->version);
    assert_int_equal(a->severity, w->severity);
    assert_int_equal(a->state, w->state);
    assert_int_equal(a->onset, w->onset);
    assert_int_equal(a->cleared, w->cleared);
    assert_true(a->min == w->min && isnan(a->max));
    assert_int_equal(a->count, w->count);
    assert_int_equal(a->counted, w->counted);
    assert_int_equal(a->unknown, w->unknown);
    assert_int_equal(a->exempt, w->exempt);
    assert_int_equal(a->driver_is_state, w->driver_is_state);
    return true;
}

static void alerts_come_back_in_order(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    sy_alert_row a = {.id = "1",
                      .rule = "r2",
                      .subject = "s",
                      .series = "x/y",
                      .version = 3,
                      .severity = 2,
                      .state = 1,
                      .onset = 10,
                      .raised = 20,
                      .cleared = SY_MS_NONE,
                      .min = -0.5,
                      .max = NAN,
                      .count = 4,
                      .counted = 5,
                      .unknown = 6,
                      .exempt = 7,
                      .driver_is_state = true,
                      .message_en = "hot",
                      .message_zh = "热",
                      .judgement_hash = "abc"};
    fine(sy_store_begin(s, true, &f), f);
    fine(sy_store_alert(s, &a, &f), f);
    fine(sy_store_alerts(s, check_alert, &a, &f), f);
    a.cleared = 99;
    fine(sy_store_alert(s, &a, &f), f); /* the same id: as it stands now */
    fine(sy_store_alerts(s, check_alert, &a, &f), f);
    a.id = "2";
    a.rule = "r1";
    fine(sy_store_alert(s, &a, &f), f);
    a.id = "3";
    a.subject = "r";
    fine(sy_store_alert(s, &a, &f), f);
    a.id = "4";
    a.raised = 19;
    fine(sy_store_alert(s, &a, &f), f);
    fine(sy_store_commit(s, 1, &f), f);
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    fine(sy_store_alerts(s, keep_alert, &b, &f), f);
    assert_string_equal(b.p, "4/r1/r/19;3/r1/r/20;2/r1/s/20;1/r2/s/20;");
    sy_buf_fini(&b);
    sy_store_close(s);
}

static void the_newest_snapshot_is_kept(void **state)
{
    sy_store *s = store_rig_open(*state);
    sy_fail f;
    char hash[65];
    uint64_t seq;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    for (uint64_t i = 1; i <= 2; i++) {
        fine(sy_store_begin(s, false, &f), f);
        fine(sy_store_snapshot_put(s, i, i == 1 ? "h1" : "h2", (sy_span){"a\0b", 2 + i - 1}, &f),
             f);
        fine(sy_store_commit(s, i, &f), f);
    }
    fine(sy_store_snapshot_get(s, &seq, hash, &b, &f), f);
    assert_int_equal(seq, 2);
    assert_string_equal(hash, "h2");
    assert_true(sy_span_eq(sy_buf_span(&b), (sy_span){"a\0b", 3}));
    sy_buf_fini(&b);
    sy_store_close(s);
}

static bool count_row(void *ctx, const sy_reading_row *r)
{
    (void)r;
    ++*(size_t *)ctx;
    return true;
}

/* As a tool takes what is open from the gateway, by the control socket. */
static void adopt(sy_store *tool, sy_store *gateway)
{
    sy_fail f;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    fine(sy_store_open_bytes(gateway, &b, &f), f);
    fine(sy_store_adopt(tool, sy_buf_span(&b), &f), f);
    sy_buf_fini(&b);
}

static void a_tool_reads_while_the_gateway_writes(void **state)
{
    sy_fail f;
    sy_store *r = NULL;
    assert_int_equal(sy_store_open(&r, *state, true, &f), SY_E_NOTFOUND);
    assert_null(r);
    sy_store *s = store_rig_open(*state);
    fine(sy_store_begin(s, false, &f), f);
    store_rig_put(s, "a", 1000, 5, SY_Q_GOOD);
    sy_store_count(s, SY_N_received, 4);
    fine(sy_store_commit(s, 1, &f), f);
    fine(sy_store_begin(s, false, &f), f);
    store_rig_put(s, "a", 2000, 5, SY_Q_GOOD);
    fine(sy_store_open(&r, *state, true, &f), f);
    store_rig_expect(r, "a", ""); /* it is open there still */
    assert_int_equal(sy_store_begin(r, false, &f), SY_E_DENIED);
    fine(sy_store_commit(s, 2, &f), f);
    adopt(r, s);
    store_rig_expect(r, "a", "1000:5:good 2000:5:good");
    assert_int_equal(store_rig_counter(r, SY_N_received), 4);
    assert_true(store_rig_counter(s, SY_N_bytes_written) > 4096); /* what the first commit wrote */
    sy_store_close(r);
    sy_store_close(s);
    fine(sy_store_open(&r, *state, true, &f), f); /* and after it has gone */
    store_rig_expect(r, "a", "1000:5:good 2000:5:good");
    assert_int_equal(store_rig_counter(r, SY_N_received), 4);
    assert_int_equal(store_rig_position(r), 2);
    sy_store_close(r);
}

/* What a tool takes from the socket, or finds saved: any flipped bit is found; and where whoever
 * flipped it made the checksum anew, it is refused or read, within bounds. */
static void hostile_open_samples(void **state)
{
    sy_store *s = store_rig_open(*state), *tool = NULL;
    sy_fail f;
    sy_buf b;
    uint64_t refused = 0, x = 9;
    sy_buf_init(&b, sy_heap());
    fine(sy_store_begin(s, false, &f), f);
    for (int i = 0; i < 40; i++)
        store_rig_put(s, i % 2 ? "a" : "b", 1000 * i, i / 10.0, SY_Q_GOOD);
    fine(sy_store_commit(s, 1, &f), f);
    fine(sy_store_open_bytes(s, &b, &f), f);
    sy_store_close(s);
    fine(sy_store_open(&tool, *state, true, &f), f);
    for (size_t i = 0; i < 8 * b.n; i++) {
        b.p[i / 8] = (char)(b.p[i / 8] ^ 1 << i % 8);
        assert_int_equal(sy_store_adopt(tool, sy_buf_span(&b), &f), SY_E_CORRUPT);
        b.p[i / 8] = (char)(b.p[i / 8] ^ 1 << i % 8);
    }
    for (size_t cut = 0; cut < b.n; cut++)
        assert_int_equal(sy_store_adopt(tool, (sy_span){b.p, cut}, &f), SY_E_CORRUPT);
    for (int round = 0; round < 5000; round++) {
        char *copy = malloc(b.n);
        memcpy(copy, b.p, b.n);
        for (int k = 0; k < 1 + round % 3; k++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            copy[(x >> 33) % (b.n - 4)] = (char)(x >> 25);
        }
        uint32_t crc = sy_crc32c(0, copy, b.n - 4);
        for (int k = 0; k < 4; k++)
            copy[b.n - 4 + (size_t)k] = (char)(crc >> (8 * k));
        sy_err e = sy_store_adopt(tool, (sy_span){copy, b.n}, &f);
        size_t n = 0;
        double min, max;
        uint64_t count;
        if (!e) {
            (void)!sy_store_readings(tool, NULL, SY_MS_NONE, SY_MS_MAX, count_row, &n, &f);
            (void)!sy_store_figures(tool, "a", 0, SY_MS_MAX, &min, &max, &count, &f);
        }
        refused += e != SY_OK;
        free(copy);
    }
    assert_true(refused > 2500);
    fine(sy_store_adopt(tool, sy_buf_span(&b), &f), f);
    fine(sy_store_readings(tool, NULL, SY_MS_NONE, SY_MS_MAX, count_row, &refused, &f), f);
    sy_store_close(tool);
    sy_buf_fini(&b);
}

typedef struct watcher {
    sy_store *s;
    atomic_bool ending;
    atomic_size_t queries;
    size_t most; /* readings that a query gave */
    bool wrong;
} watcher;

static bool without_gaps(void *ctx, const sy_reading_row *r)
{
    sy_ms *last = ctx;
    bool fine = r->t == *last + 10;
    *last = r->t;
    return fine;
}

static void *watch(void *arg)
{
    watcher *w = arg;
    while (!atomic_load(&w->ending) && !w->wrong) {
        sy_fail f;
        sy_ms last = 0;
        double min, max;
        uint64_t n = 0;
        sy_buf b;
        sy_buf_init(&b, sy_heap());
        w->wrong = sy_store_readings(w->s, "a", 0, SY_MS_MAX, without_gaps, &last, &f) ||
                   last % 10 != 0 || (size_t)last / 10 < w->most ||
                   sy_store_figures(w->s, "a", 0, SY_MS_MAX, &min, &max, &n, &f) ||
                   n < (uint64_t)last / 10 || sy_store_open_bytes(w->s, &b, &f);
        w->most = (size_t)last / 10;
        sy_buf_fini(&b);
        atomic_fetch_add(&w->queries, 1);
    }
    return NULL;
}

/* Whatever is being sealed, committed or saved: another thread sees each reading once,
 * and none that it has seen goes away. */
static void others_read_while_it_is_written(void **state)
{
    enum { BATCHES = 400, EACH = 97 };
    sy_store *s = store_rig_open(*state);
    watcher w = {.s = s};
    sy_fail f;
    sy_put put;
    int64_t id;
    pthread_t thread;
    fine(sy_store_begin(s, false, &f), f);
    fine(sy_store_series(s, "a", "d", "a", "", &id, &f), f);
    fine(sy_store_commit(s, 1, &f), f);
    assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
    for (uint64_t i = 0, at = 0; i < BATCHES || atomic_load(&w.queries) < 20; i++) {
        fine(sy_store_begin(s, i % 9 == 0, &f), f);
        for (int k = 1; k <= EACH; k++) {
            at++;
            fine(sy_store_reading(s, id, (sy_ms)at * 10, 1, 0, 5, at, &put, &f), f);
            assert_int_equal(put, SY_PUT_NEW);
        }
        if (i % 31 == 0)
            fine(sy_store_snapshot_put(s, at, "hash", sy_span_of("state"), &f), f);
        fine(sy_store_commit(s, at, &f), f);
    }
    atomic_store(&w.ending, true);
    pthread_join(thread, NULL);
    assert_false(w.wrong);
    sy_store_close(s);
}

static void a_newer_schema_is_refused(void **state)
{
    sy_store_close(store_rig_open(*state));
    char path[512];
    snprintf(path, sizeof path, "%s/store.db", (char *)*state);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    sy_fail f;
    sy_store *s = NULL;
    assert_int_equal(sy_store_open(&s, *state, false, &f), SY_E_UNSUPPORTED);
    assert_non_null(strstr(f.text, "99"));
    assert_int_equal(sy_store_open(&s, *state, true, &f), SY_E_UNSUPPORTED);
    assert_null(s);
}

static void a_foreign_file_is_refused(void **state)
{
    char path[512];
    snprintf(path, sizeof path, "%s/store.db", (char *)*state);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 2000; i++)
        fputs("no data base ", file);
    fclose(file);
    sy_fail f;
    sy_store *s = NULL;
    assert_int_equal(sy_store_open(&s, *state, false, &f), SY_E_CORRUPT);
    assert_null(s);
}

#define dir_test(fn) cmocka_unit_test_setup_teardown(fn, store_rig_setup, store_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(readings_have_one_effect),
        dir_test(two_values_of_one_time_are_uncertain),
        dir_test(settled_readings_are_the_same),
        dir_test(a_rolled_back_batch_leaves_nothing),
        dir_test(calls_outside_a_batch_are_refused),
        dir_test(figures_take_good_readings),
        dir_test(alerts_come_back_in_order),
        dir_test(the_newest_snapshot_is_kept),
        dir_test(a_tool_reads_while_the_gateway_writes),
        dir_test(hostile_open_samples),
        dir_test(others_read_while_it_is_written),
        dir_test(a_newer_schema_is_refused),
        dir_test(a_foreign_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
