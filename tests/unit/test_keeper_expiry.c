/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper lets go: by time and for want of room, but for what is held; each with its
 * leaf. */
#include "keeper_rig.h"

#include "intake/journal_int.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void put_alert(box *b, const char *id, sy_ms onset, sy_ms cleared)
{
    sy_alert_row a = {.id = id,
                      .rule = "R-1",
                      .subject = "prem/cab",
                      .series = "t1/t",
                      .version = 1,
                      .severity = 1,
                      .state = cleared == SY_MS_NONE ? 0 : 1,
                      .onset = onset,
                      .raised = onset,
                      .cleared = cleared};
    char name[64];
    bool added;
    snprintf(name, sizeof name, "%s/1", id);
    sy_event_row e = {.id = name, .kind = "raised", .alert = id, .time = onset, .body = {"{}", 2}};
    const char *const to[] = {"county"};
    fine(sy_store_alert(b->store, &a, &b->f));
    fine(sy_store_event(b->store, &e, to, strcmp(id, "waiting") == 0, &added, &b->f));
}

static bool has(void *ctx, const sy_alert_row *a)
{
    sy_buf_printf(ctx, "%s ", a->id);
    return true;
}

static bool alerts_are(box *b, const char *expected)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    fine(sy_store_alerts(b->store, has, &text, &b->f));
    bool same = sy_span_is(sy_buf_span(&text), expected);
    sy_buf_fini(&text);
    return same;
}

static void expires_by_time_but_for_what_is_held(void **state)
{
    box *b = *state;
    open_box(b);
    b->config.keeping.raw.time = 100 * DAY;
    b->config.keeping.alerts.time = 100 * DAY;
    start(b);
    fill(b, RECORDS, JANUARY);            /* some hours of January */
    fill(b, RECORDS, JANUARY + 60 * DAY); /* and of March */
    settled(b, sy_journal_seq(b->journal));
    size_t before = rows(b);
    fine(sy_store_begin(b->store, true, &b->f));
    put_alert(b, "gone", JANUARY, JANUARY + DAY);
    put_alert(b, "held", JANUARY + 60 * DAY, JANUARY + 61 * DAY);
    put_alert(b, "open", JANUARY, SY_MS_NONE);
    put_alert(b, "waiting", JANUARY, JANUARY + DAY);
    fine(sy_store_done(b->store, &b->f));
    fine(sy_keeper_hold(b->keeper, true, "held", "Li Wei", "case 7", &b->f));
    assert_int_equal(sy_keeper_hold(b->keeper, true, "held", "Li", "case 7", &b->f), SY_E_EXISTS);
    assert_int_equal(sy_keeper_hold(b->keeper, true, "none", "Li", "case", &b->f), SY_E_NOTFOUND);
    assert_int_equal(sy_keeper_hold(b->keeper, true, "open", "Li", "", &b->f), SY_E_PARSE);
    assert_int_equal(leaves(b, "{\"leaf\":\"action\","), 1);
    mark(b, JANUARY + 300 * DAY);
    until(alerts_are(b, "open waiting held "));
    until(leaves(b, "{\"leaf\":\"expiry\",\"time\":") > 0 && count_files(b, ".logz") == rows(b));
    after_a_round(b);
    /* Of January all is gone, of March all is there: it is held. */
    assert_true(rows(b) > 0 && rows(b) < before);
    uint64_t first, last;
    oldest(b, &first, &last);
    assert_in_range(last, RECORDS + 8, RECORDS + 120);
    assert_int_equal(leaves(b, "{\"leaf\":\"expiry\","), before - rows(b));
    fine(sy_keeper_hold(b->keeper, false, "held", "Li Wei", "case closed", &b->f));
    until(alerts_are(b, "open waiting ") && rows(b) == 0 && count_files(b, ".logz") == 0);
    assert_int_equal(leaves(b, "{\"leaf\":\"expiry\","), before);
    assert_int_equal(leaves(b, "{\"leaf\":\"action\","), 2);
    const int64_t number = 4;
    fine(sy_store_outbox_done(b->store, "county", &number, 1, NULL, &b->f));
    until(alerts_are(b, "open "));
    close_box(b);
}

static void expires_for_want_of_room(void **state)
{
    box *b = *state;
    open_box(b);
    start(b);
    for (int i = 0; i < 5; i++)
        fill(b, RECORDS, JANUARY + i * DAY);
    settled(b, sy_journal_seq(b->journal));
    size_t before = rows(b);
    b->config.keeping.raw.bytes = 12000;
    sy_keeper_configure(b->keeper, &b->config);
    until(rows(b) < before && count_files(b, ".logz") == rows(b));
    after_a_round(b);
    sy_segment_file *files;
    size_t n, bytes = 0;
    fine(sy_sealed_list(b->dir, &files, &n, &b->f));
    for (size_t i = 0; i < n; i++) {
        char path[PATH_MAX];
        struct stat st;
        if (files[i].kind == SY_SEG_SEALED && sy_sealed_path(b->dir, &files[i], path) &&
            stat(path, &st) == 0)
            bytes += (size_t)st.st_size;
    }
    free(files);
    assert_in_range(bytes, 4000, 12000);
    assert_int_equal(leaves(b, "{\"leaf\":\"expiry\","), before - rows(b));
    close_box(b);
}

static bool count_reading(void *ctx, const sy_reading_row *r)
{
    (void)r;
    ++*(size_t *)ctx;
    return true;
}

static size_t readings(box *b, const char *series, sy_ms from, sy_ms to)
{
    size_t n = 0;
    fine(sy_store_readings(b->store, series, from, to, count_reading, &n, &b->f));
    return n;
}

enum { EVERY_MS = 600000, CHUNKS = 10, A_CHUNK = 1024, EARLY = 200 };

/* Two series, a reading every ten minutes, so many that CHUNKS chunks of each are full; all of them
 * out of the first EARLY records, whatever their times. */
static void fill_readings(box *b)
{
    static const char *const names[] = {"t1/t", "t2/t"};
    uint64_t position;
    fine(sy_store_position(b->store, &position, &b->f));
    fine(sy_store_begin(b->store, true, &b->f));
    for (int s = 0; s < 2; s++) {
        int64_t id;
        sy_put put;
        fine(sy_store_series(b->store, names[s], "d", "t", "Cel", &id, &b->f));
        for (int i = 0; i <= CHUNKS * A_CHUNK; i++)
            fine(sy_store_reading(b->store, id, JANUARY + (sy_ms)i * EVERY_MS, i % 7, SY_Q_GOOD,
                                  JANUARY + (sy_ms)i * EVERY_MS, (uint64_t)(i % EARLY) + 1, &put,
                                  &b->f));
    }
    fine(sy_store_commit(b->store, position, &b->f));
}

/* Seventy days; a chunk is of some seven days at most, wherever it begins. */
static void readings_expire_by_chunks(void **state)
{
    box *b = *state;
    open_box(b);
    b->config.keeping.readings.time = 40 * DAY;
    fill(b, RECORDS, JANUARY);
    fill_readings(b);
    fine(sy_store_begin(b->store, true, &b->f));
    put_alert(b, "held", JANUARY + 15 * DAY, JANUARY + 16 * DAY);
    fine(sy_store_done(b->store, &b->f));
    start(b);
    fine(sy_keeper_hold(b->keeper, true, "held", "Li Wei", "case 7", &b->f));
    size_t held = readings(b, "t2/t", JANUARY + 14 * DAY, JANUARY + 17 * DAY);
    size_t newest = readings(b, "t1/t", JANUARY + 55 * DAY, SY_MS_MAX);
    assert_true(held > 400 && newest > 2000);
    mark(b, JANUARY + 95 * DAY); /* what is older than the 55th day goes */
    until(readings(b, "t1/t", SY_MS_NONE, JANUARY + 6 * DAY) == 0 &&
          readings(b, "t2/t", JANUARY + 25 * DAY, JANUARY + 47 * DAY) == 0);
    after_a_round(b);
    assert_int_equal(readings(b, "t2/t", JANUARY + 14 * DAY, JANUARY + 17 * DAY), held);
    assert_int_equal(readings(b, "t1/t", JANUARY + 55 * DAY, SY_MS_MAX), newest);
    assert_true(leaves(b, "{\"leaf\":\"expiry\",") >= 8);
    until(status_has(b, "\"holds\":1,"));
    /* Of the messages those stay that held readings came in, whenever they came. */
    uint64_t first, last;
    b->config.keeping.raw.time = 10 * DAY;
    sy_keeper_configure(b->keeper, &b->config);
    until(rows(b) == 2);
    after_a_round(b);
    oldest(b, &first, &last);
    assert_true(rows(b) == 2 && first == 1 && last < EARLY);
    fine(sy_keeper_hold(b->keeper, false, "held", "Li Wei", "closed", &b->f));
    until(rows(b) == 0);
    until(readings(b, "t2/t", SY_MS_NONE, JANUARY + 20 * DAY) == 0);
    /* For want of room: all goes but what late readings are judged with, `lateness` and two days.
     */
    b->config.keeping.readings.bytes = 1;
    sy_keeper_configure(b->keeper, &b->config);
    mark(b, JANUARY + 96 * DAY); /* of 64 days; 40 are let go anyway */
    until(readings(b, "t1/t", SY_MS_NONE, JANUARY + 56 * DAY) == 0);
    after_a_round(b);
    assert_true(readings(b, "t1/t", JANUARY + 64 * DAY, SY_MS_MAX) > 500);
    close_box(b);
}

/* A wall clock that the test sets; time passes by it alone. */
typedef struct test_clock {
    _Atomic sy_ms wall, mono;
} test_clock;

static sy_ms wall_of(void *ctx)
{
    return ((test_clock *)ctx)->wall;
}

static sy_ms mono_of(void *ctx)
{
    return ((test_clock *)ctx)->mono;
}

static bool is_synced(void *ctx)
{
    (void)ctx;
    return true;
}

static void a_clock_that_jumps_lets_nothing_go(void **state)
{
    box *b = *state;
    test_clock clock = {.wall = JANUARY, .mono = 1000};
    sy_jio io = sy_journal__io();
    io.clock = (sy_clock_source){wall_of, mono_of, is_synced, &clock};
    sy_journal_options o = {.dir = b->dir, .segment_bytes = SEG, .reserve_bytes = 1};
    b->config.keeping.raw.time = 100 * DAY;
    fine(sy_store_open(&b->store, b->data, false, &b->f));
    fine(sy_journal__open(&b->journal, &o, &io, &b->f));
    sy_keeper_options keep = {.journal = b->journal,
                              .store = b->store,
                              .data = b->data,
                              .config = &b->config,
                              .every_ms = ROUND_MS};
    char text[200];
    sy_jrec rec = {0};
    for (uint64_t i = 0; i < RECORDS; i++) {
        rec = (sy_jrec){.type = SY_J_MESSAGE, .payload = {text, payload(i, text)}};
        fine(sy_journal_append(b->journal, &rec, &b->f));
    }
    fine(sy_journal_wait_synced(b->journal, rec.seq, &b->f));
    fine(sy_store_begin(b->store, true, &b->f));
    fine(sy_store_snapshot_put(b->store, rec.seq, "00", sy_span_of("state"), &b->f));
    fine(sy_store_commit(b->store, rec.seq, &b->f));
    fine(sy_keeper_start(&b->keeper, &keep, &b->f));
    until(rows(b) >= 2 && count_files(b, ".log") == 1 && !status_has(b, "\"open\":0,"));
    size_t before = rows(b);
    clock.wall = JANUARY + 73 * 365 * DAY; /* 2099 */
    rec = (sy_jrec){.type = SY_J_MESSAGE, .payload = {text, payload(1, text)}};
    fine(sy_journal_append(b->journal, &rec, &b->f));
    assert_true(sy_journal_now(b->journal) > JANUARY + 70 * 365 * DAY);
    for (int i = 0; i < 3; i++) { /* nor does a start take the new time at its word */
        sy_keeper_stop(b->keeper);
        fine(sy_keeper_start(&b->keeper, &keep, &b->f));
        until(!status_has(b, "\"open\":0,"));
    }
    assert_int_equal(rows(b), before);
    close_box(b);
}

int main(void)
{
#define IN_A_BOX(name) cmocka_unit_test_setup_teardown(name, keeper_rig_setup, keeper_rig_teardown)
    const struct CMUnitTest tests[] = {
        IN_A_BOX(expires_by_time_but_for_what_is_held),
        IN_A_BOX(expires_for_want_of_room),
        IN_A_BOX(readings_expire_by_chunks),
        IN_A_BOX(a_clock_that_jumps_lets_nothing_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
