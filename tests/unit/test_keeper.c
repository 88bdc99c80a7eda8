/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper seals: every state that a crash can leave is mended, nothing is sealed twice or
 * lost. */
#include "keeper_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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
    assert_true(rows(b) > 0); /* how many depends on how busy the machine is */
    close_box(b);
}

int main(void)
{
#define IN_A_BOX(name) cmocka_unit_test_setup_teardown(name, keeper_rig_setup, keeper_rig_teardown)
    const struct CMUnitTest tests[] = {
        IN_A_BOX(seals_what_is_synced_and_judged),
        IN_A_BOX(every_point_is_mended),
        IN_A_BOX(a_full_disk_is_waited_for),
        IN_A_BOX(damage_is_set_aside),
        IN_A_BOX(killed_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
