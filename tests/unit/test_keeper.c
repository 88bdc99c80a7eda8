/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper over a real journal and a real store: every state that a crash can leave is mended,
 * nothing is sealed twice or lost, and what expires leaves its leaf. */
#include "run/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants these, in this order. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "intake/sealed.h"
#include "store/keep.h"
#include "store/leaves.h"
#include "store/segments.h"

enum { SEG = 8192, RECORDS = 400, ROUND_MS = 10, PATIENCE_MS = 30000 };
#define DAY     ((sy_ms)86400000)
#define JANUARY ((sy_ms)1767571200000) /* 2026-01-05 */

typedef struct box {
    char data[64], dir[96];
    sy_journal *journal;
    sy_store *store;
    sy_keeper *keeper;
    sy_config config;
    sy_fail f;
} box;

#define fine(call)                                                                                 \
    do {                                                                                           \
        if (call)                                                                                  \
            fail_msg("%s: %s", #call, b->f.text);                                                  \
    } while (0)

static void remove_all(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char inner[1024];
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && unlink(inner) != 0)
            remove_all(inner);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

static int set_up(void **state)
{
    box *b = calloc(1, sizeof *b);
    strcpy(b->data, "/tmp/sy-test-XXXXXX");
    *state = b;
    if (!mkdtemp(b->data))
        return -1;
    snprintf(b->dir, sizeof b->dir, "%s/journal", b->data);
    b->config.lateness = 30 * DAY;
    b->config.keeping = (sy_keeping){.raw = {.time = 4000 * DAY, .share = 1},
                                     .readings = {.time = 4000 * DAY, .share = 1},
                                     .alerts = {.time = 4000 * DAY, .share = 1},
                                     .flash_cycles = 3000};
    return 0;
}

static int tear_down(void **state)
{
    box *b = *state;
    remove_all(b->data);
    free(b);
    return 0;
}

/* Replay clock: the log's time is what the test says. */
static void open_box(box *b)
{
    sy_journal_options o = {
        .dir = b->dir, .segment_bytes = SEG, .reserve_bytes = 1, .replay_clock = true};
    fine(sy_store_open(&b->store, b->data, false, &b->f));
    fine(sy_store_position(b->store, &o.after_seq, &b->f));
    fine(sy_journal_open(&b->journal, &o, &b->f));
}

static void close_box(box *b)
{
    sy_keeper_stop(b->keeper);
    b->keeper = NULL;
    sy_journal_close(b->journal);
    sy_store_close(b->store);
}

static void start(box *b)
{
    sy_keeper_options o = {.journal = b->journal,
                           .store = b->store,
                           .data = b->data,
                           .config = &b->config,
                           .replay_clock = true,
                           .every_ms = ROUND_MS};
    fine(sy_keeper_start(&b->keeper, &o, &b->f));
}

static void mark(box *b, sy_ms t)
{
    sy_jrec rec = {.type = SY_J_MARK, .recv = t};
    fine(sy_journal_append(b->journal, &rec, &b->f));
}

static size_t payload(uint64_t i, char text[200])
{
    return (size_t)snprintf(text, 200, "[{\"n\":\"t\",\"v\":%llu.25,\"t\":%llu}]",
                            (unsigned long long)(i % 17), (unsigned long long)(i * 60));
}

/* n messages, a minute between two; a mark now and then; all synced and, for the store, judged. */
static void fill(box *b, uint64_t n, sy_ms from)
{
    char text[200];
    sy_jrec rec = {0};
    for (uint64_t i = 0; i < n; i++) {
        if (i % 50 == 0)
            mark(b, from + (sy_ms)i * 60000);
        rec = (sy_jrec){.type = SY_J_MESSAGE, .source = sy_span_of("s/t1")};
        rec.payload = (sy_span){text, payload(i, text)};
        fine(sy_journal_append(b->journal, &rec, &b->f));
    }
    fine(sy_journal_wait_synced(b->journal, rec.seq, &b->f));
    fine(sy_store_begin(b->store, true, &b->f));
    fine(sy_store_snapshot_put(b->store, rec.seq, "00", sy_span_of("state"), &b->f));
    fine(sy_store_commit(b->store, rec.seq, &b->f));
}

static size_t count_files(const box *b, const char *suffix)
{
    size_t n = 0;
    DIR *d = opendir(b->dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t have = strlen(e->d_name), want = strlen(suffix);
        n += have >= want && strcmp(e->d_name + have - want, suffix) == 0;
    }
    if (d)
        closedir(d);
    return n;
}

/* Every record is there, once and in order. */
static void whole_log(box *b, uint64_t from, uint64_t to)
{
    sy_jreader *r = NULL;
    sy_jrec rec;
    sy_err e;
    fine(sy_jreader_open(&r, NULL, b->dir, from, &b->f));
    uint64_t next = from;
    while ((e = sy_jreader_next(r, &rec, &b->f)) == SY_OK)
        assert_int_equal(rec.seq, next++);
    assert_int_equal(e, SY_E_AGAIN);
    sy_jreader_close(r);
    assert_int_equal(next, to + 1);
}

static bool count_row(void *ctx, const sy_segment_row *row)
{
    (void)row;
    ++*(size_t *)ctx;
    return true;
}

static size_t rows(box *b)
{
    size_t n = 0;
    fine(sy_store_segments(b->store, count_row, &n, &b->f));
    return n;
}

static size_t leaves(box *b, const char *begins)
{
    uint64_t all;
    size_t n = 0;
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    fine(sy_store_leaves(b->store, &all, &b->f));
    for (uint64_t i = 0; i < all; i++) {
        sy_buf_reset(&text);
        fine(sy_store_leaf_get(b->store, i, &text, &b->f));
        n += strncmp(text.p, begins, strlen(begins)) == 0;
    }
    sy_buf_fini(&text);
    return n;
}

#define until(condition)                                                                           \
    do {                                                                                           \
        sy_ms patience = sy_mono_ms() + PATIENCE_MS;                                               \
        while (!(condition)) {                                                                     \
            if (sy_mono_ms() > patience)                                                           \
                fail_msg("in vain: %s", #condition);                                               \
            poll(NULL, 0, 2);                                                                      \
        }                                                                                          \
    } while (0)

static bool status_has(box *b, const char *text)
{
    sy_buf status;
    sy_buf_init(&status, sy_heap());
    sy_keeper_status(b->keeper, &status);
    assert_false(status.failed);
    bool has = strstr(status.p, text) != NULL;
    sy_buf_fini(&status);
    return has;
}

/* A round that began from now on has ended: a new keeper knows figures after its first. */
static void after_a_round(box *b)
{
    sy_keeper_stop(b->keeper);
    start(b);
    until(!status_has(b, "\"open\":0,"));
}

typedef struct first_of {
    uint64_t first, last;
} first_of;
static bool take_first(void *ctx, const sy_segment_row *row)
{
    *(first_of *)ctx = (first_of){row->first, row->last};
    return false;
}

/* All but the newest segment are sealed; files, rows and leaves are of one mind. */
static void settled(box *b, uint64_t last)
{
    first_of f = {0};
    until(count_files(b, ".log") == 1 && count_files(b, ".logz") == rows(b));
    assert_int_equal(count_files(b, ".new"), 0);
    assert_int_equal(leaves(b, "{\"leaf\":\"segment\","),
                     rows(b) + leaves(b, "{\"leaf\":\"expiry\","));
    fine(sy_store_segments(b->store, take_first, &f, &b->f));
    whole_log(b, f.first, last);
}

static void seals_what_is_synced_and_judged(void **state)
{
    box *b = *state;
    open_box(b);
    start(b);
    fill(b, RECORDS, JANUARY);
    uint64_t last = sy_journal_seq(b->journal);
    settled(b, last);
    assert_true(rows(b) >= 3);
    /* What the store has not judged yet stays as it is. */
    char text[200];
    size_t sealed = rows(b);
    for (uint64_t i = 0; i < RECORDS; i++) {
        sy_jrec rec = {.type = SY_J_MESSAGE, .source = sy_span_of("s/t1")};
        rec.payload = (sy_span){text, payload(i, text)};
        fine(sy_journal_append(b->journal, &rec, &b->f));
    }
    fine(sy_journal_wait_synced(b->journal, sy_journal_seq(b->journal), &b->f));
    after_a_round(b);
    assert_in_range(rows(b), sealed, sealed + 1);
    assert_true(count_files(b, ".log") > 2);
    close_box(b);
}

static void path_of(const box *b, uint64_t first, const char *ending, char path[256])
{
    snprintf(path, 256, "%s/%016llx%s", b->dir, (unsigned long long)first, ending);
}

static void copy(const char *from, const char *to)
{
    sy_buf bytes;
    sy_fail f;
    sy_buf_init(&bytes, sy_heap());
    assert_int_equal(sy_file_read(from, 1 << 20, &bytes, &f), SY_OK);
    assert_int_equal(sy_file_write(to, sy_buf_span(&bytes), 0600, &f), SY_OK);
    sy_buf_fini(&bytes);
}

/* What stands where the process may die, from first to last. */
typedef enum point {
    TEMPORARY,      /* a half-written temporary file */
    RENAMED,        /* the sealed file is there, the store does not know */
    COMMITTED,      /* the store knows, the original is still there */
    COMMITTED_TORN, /* and the sealed one is damaged */
    LOST_ROW,       /* the store is a copy from before */
    EXPIRED,        /* the store let it go, the file is still there */
    POINTS
} point;

static void every_point_is_mended(void **state)
{
    box *b = *state;
    char log[256], logz[256], temporary[256], kept[96];
    open_box(b);
    fill(b, RECORDS, JANUARY);
    uint64_t last = sy_journal_seq(b->journal), seg_last = 0;
    path_of(b, 1, ".log", log);
    path_of(b, 1, ".logz", logz);
    path_of(b, 1, ".logz.new", temporary);
    snprintf(kept, sizeof kept, "%s/kept", b->data);
    copy(log, kept); /* the original, to be put back */
    for (point p = TEMPORARY; p < POINTS; p++) {
        sy_seal seal;
        uint64_t stored;
        if (p == TEMPORARY)
            copy(kept, temporary);
        if (p == RENAMED)
            fine(sy_sealed_make(b->dir, 1, seg_last, &seal, &stored, &b->f));
        if (p == COMMITTED || p == COMMITTED_TORN)
            copy(kept, log);
        if (p == COMMITTED_TORN && truncate(logz, 300) != 0)
            fail_msg("truncate");
        if (p == EXPIRED) {
            fine(sy_store_begin(b->store, true, &b->f));
            fine(sy_store_segment_expire(b->store, 1, JANUARY + DAY, &b->f));
            fine(sy_store_done(b->store, &b->f));
        }
        if (p == RENAMED || p == LOST_ROW) {
            /* Neither row nor leaf: as if the store were new. */
            sy_store_close(b->store);
            char db[128];
            static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm"};
            for (size_t i = 0; i < 3; i++) {
                snprintf(db, sizeof db, "%s/%s", b->data, names[i]);
                unlink(db);
            }
            fine(sy_store_open(&b->store, b->data, false, &b->f));
            fine(sy_store_begin(b->store, true, &b->f));
            fine(sy_store_snapshot_put(b->store, last, "00", sy_span_of("state"), &b->f));
            fine(sy_store_commit(b->store, last, &b->f));
        }
        start(b);
        if (p == EXPIRED) {
            until(access(logz, F_OK) != 0);
            assert_int_equal(leaves(b, "{\"leaf\":\"expiry\","), 1);
        } else {
            until(access(log, F_OK) != 0);
            settled(b, last);
        }
        sy_keeper_stop(b->keeper);
        b->keeper = NULL;
        sy_segment_row row;
        if (p == TEMPORARY)
            fine(sy_store_segment_get(b->store, 1, &row, &b->f));
        seg_last = p == TEMPORARY ? row.last : seg_last;
        if (p == TEMPORARY) /* for the next point it begins anew */
            copy(kept, log);
        if (p == TEMPORARY && unlink(logz) != 0)
            fail_msg("unlink");
    }
    close_box(b);
}

/* A full disk: told once, nothing lost, and it goes on by itself. */
static void a_full_disk_is_waited_for(void **state)
{
    box *b = *state;
    open_box(b);
    fill(b, RECORDS, JANUARY);
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){200, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    start(b);
    until(status_has(b, "\"trouble\":\""));
    assert_int_equal(count_files(b, ".logz") + count_files(b, ".new"), 0);
    setrlimit(RLIMIT_FSIZE, &old);
    settled(b, sy_journal_seq(b->journal));
    until(status_has(b, "\"trouble\":null"));
    close_box(b);
}

static void damage_is_set_aside(void **state)
{
    box *b = *state;
    char log[256];
    open_box(b);
    fill(b, RECORDS, JANUARY);
    path_of(b, 1, ".log", log);
    int fd = open(log, O_RDWR);
    assert_int_equal(pwrite(fd, "?", 1, 3000), 1);
    close(fd);
    start(b);
    until(count_files(b, ".damaged") == 1 && count_files(b, ".log") == 1);
    until(count_files(b, ".logz") == rows(b) && rows(b) >= 2);
    assert_int_equal(sy_journal_damaged(b->journal), 1);
    close_box(b);
}

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
    first_of f;
    fine(sy_store_segments(b->store, take_first, &f, &b->f));
    assert_in_range(f.last, RECORDS + 8, RECORDS + 120);
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

enum { EVERY_MS = 600000, CHUNKS = 10, A_CHUNK = 1024 };

/* Two series, a reading every ten minutes, so many that CHUNKS chunks of each are full; as if each
 * message had held one of both. */
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
                                  JANUARY + (sy_ms)i * EVERY_MS, (uint64_t)i + 1, &put, &b->f));
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
    fine(sy_keeper_hold(b->keeper, false, "held", "Li Wei", "closed", &b->f));
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

/* kill -9 of a process whose keeper seals and lets expire all the time. */
static void killed_at_any_time(void **state)
{
    box *b = *state;
    unsigned seed = (unsigned)getpid();
    printf("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < 30; i++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            open_box(b);
            start(b);
            for (int day = 0;; day++)
                fill(b, 100, JANUARY + (i * 1000 + day) * DAY);
        }
        sy_ms end = sy_mono_ms() + 20 + rand() % 120;
        until(sy_mono_ms() >= end);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    b->config.keeping.raw.time = 100000 * DAY; /* nothing more goes while we look */
    open_box(b);
    start(b);
    fine(sy_store_begin(b->store, true, &b->f));
    fine(sy_store_commit(b->store, sy_journal_seq(b->journal), &b->f));
    settled(b, sy_journal_seq(b->journal));
    assert_int_equal(count_files(b, ".damaged"), 0);
    assert_true(rows(b) > 20);
    close_box(b);
}

int main(void)
{
#define IN_A_BOX(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_BOX(seals_what_is_synced_and_judged),
        IN_A_BOX(every_point_is_mended),
        IN_A_BOX(a_full_disk_is_waited_for),
        IN_A_BOX(damage_is_set_aside),
        IN_A_BOX(expires_by_time_but_for_what_is_held),
        IN_A_BOX(expires_for_want_of_room),
        IN_A_BOX(readings_expire_by_chunks),
        IN_A_BOX(killed_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
