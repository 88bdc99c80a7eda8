/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool's writer when the disk is full, fails, or cannot be synced, and when it is killed: what
 * it cannot keep it refuses, and what it took is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool_rig.h"

static void a_full_disk_refuses_and_goes_on_when_there_is_room(void **state)
{
    bench *b = *state;
    spool_put_many(b, 0, 3);
    spool_faults.fail_write = ENOSPC;
    spool_faults.cut = 11; /* a part of it was written */
    assert_int_equal(spool_put_text(b, "lost", NULL), SY_E_FULL);
    assert_int_equal(spool_put_text(b, "lost", NULL), SY_E_FULL);
    assert_int_equal(b->says, 1); /* once, not for each */
    assert_non_null(strstr(b->said, "No space left"));
    assert_int_equal(atomic_load(&b->page.refused), 2);
    assert_int_equal(atomic_load(&b->page.state), SY_SPOOL_FULL);
    spool_faults.fail_write = 0;
    spool_put_many(b, 3, 3);
    assert_int_equal(b->says, 2);
    assert_int_equal(atomic_load(&b->page.state), SY_SPOOL_FINE);
    sy_spool_reader *r = spool_reader(b, true);
    spool_expect_many(r, 0, 6);
    assert_int_equal(spool_next(r), SY_E_AGAIN);
    assert_int_equal(sy_spool_counts_of(r).damaged, 0);
    sy_spool_reader_close(r);
}

/* The real thing: a file that may not grow (RLIMIT_FSIZE), in a process of its own. */
static void a_file_that_may_not_grow_refuses(void **state)
{
    bench *b = *state;
    sy_spool_close(b->s);
    b->s = NULL;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit small = {1000, 1000};
        signal(SIGXFSZ, SIG_IGN);
        b->o.segment_bytes = 1 << 20;
        sy_spool_io real = sy_spool_system();
        unsigned n = 0;
        bool ok = setrlimit(RLIMIT_FSIZE, &small) == 0 &&
                  sy_spool_open(&b->s, &b->o, &real, NULL) == SY_OK;
        while (ok && spool_put_text(b, "0", NULL) == SY_OK) {
            n++;
        }
        _exit(ok && n > 10 && n < 1000 && spool_put_text(b, "0", NULL) == SY_E_FULL ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    spool_open(b);
    sy_spool_reader *r = spool_reader(b, true);
    unsigned n = 0;
    for (sy_err e; (e = spool_next(r)) != SY_E_AGAIN; n++) {
        assert_int_equal(e, SY_OK);
    }
    assert_true(n > 10);
    sy_spool_reader_close(r);
}

static void it_has_a_bound_that_reading_lifts(void **state)
{
    bench *b = *state;
    sy_spool_close(b->s);
    b->o.max_bytes = 20000;
    spool_open(b);
    unsigned n = 0;
    for (; n < 2000 && spool_put_text(b, "0", NULL) == SY_OK; n++) {
    }
    assert_true(n > 300 && n < 600);
    assert_int_equal(spool_put_text(b, "x", NULL), SY_E_FULL);
    sy_spool_reader *r = spool_reader(b, true);
    spool_expect_many(r, 0, 1);
    uint64_t last = 0;
    for (sy_spool_rec rec; sy_spool_next(r, &rec, NULL) == SY_OK;) {
        last = rec.number;
    }
    uint64_t gone = sy_spool_drop(r, last);
    assert_true(gone > 10000);
    atomic_fetch_add(&b->page.removed, gone);
    assert_int_equal(spool_put_text(b, "y", NULL), SY_OK);
    /* A restart counts what is there. */
    spool_again(b);
    for (n = 0; n < 2000 && spool_put_text(b, "0", NULL) == SY_OK; n++) {
    }
    assert_true(n > 200 && n < 600);
    sy_spool_reader_close(r);
}

static void it_leaves_the_reserve_of_the_disk_alone(void **state)
{
    bench *b = *state;
    sy_spool_close(b->s);
    b->o.reserve_bytes = 1000;
    spool_faults.room = 999;
    spool_open(b);
    assert_int_equal(spool_put_text(b, "x", NULL), SY_E_FULL);
    assert_non_null(strstr(b->said, "free on the disk"));
    spool_faults.room = 1000;
    sy_spool_close(b->s);
    spool_open(b);
    assert_int_equal(spool_put_text(b, "x", NULL), SY_OK);
}

static void a_failed_write_moves_to_a_segment_that_is_proven(void **state)
{
    bench *b = *state;
    spool_put_many(b, 0, 3);
    spool_faults.fail_write = EIO;
    assert_int_equal(spool_put_text(b, "lost", NULL), SY_E_IO);
    assert_int_equal(atomic_load(&b->page.state), SY_SPOOL_IO);
    spool_faults.fail_write = 0;
    spool_faults.fail_sync = EIO; /* it can be written again, but not synced: not yet */
    assert_int_equal(spool_put_text(b, "lost", NULL), SY_E_IO);
    spool_faults.fail_sync = 0;
    spool_put_many(b, 3, 3);
    assert_int_equal(spool_files(b, ".spool", NULL), 2);
    sy_spool_reader *r = spool_reader(b, true);
    spool_expect_many(r, 0, 6);
    sy_spool_reader_close(r);
}

static void strict_promises_nothing_that_is_not_synced(void **state)
{
    bench *b = *state;
    sy_spool_close(b->s);
    b->o.strict = true;
    b->o.sync_ms = 100000; /* its own thread has no part in this */
    spool_open(b);
    unsigned before = atomic_load(&spool_faults.syncs);
    spool_put_many(b, 0, 1);
    assert_int_equal(atomic_load(&spool_faults.syncs), before + 2); /* the file and its name */
    spool_put_many(b, 1, 5);
    assert_int_equal(atomic_load(&spool_faults.syncs), before + 7);
    spool_faults.fail_sync = EIO;
    uint64_t whole = atomic_load(&b->page.appended);
    assert_int_equal(spool_put_text(b, "6", NULL), SY_E_IO);
    assert_int_equal(spool_put_text(b, "6", NULL), SY_E_IO);
    assert_int_equal(atomic_load(&b->page.appended), whole);
    spool_faults.fail_sync = 0;
    spool_put_many(b, 6, 200); /* over several segments, whose room was reserved */
    sy_spool_reader *r = spool_reader(b, true);
    unsigned n = 0;
    for (sy_err e; (e = spool_next(r)) != SY_E_AGAIN; n++) {
        assert_int_equal(e, SY_OK);
    }
    assert_int_equal(n, 206);
    assert_int_equal(sy_spool_counts_of(r).torn + sy_spool_counts_of(r).damaged, 0);
    sy_spool_reader_close(r);
}

static void nap(long ns)
{
    struct timespec t = {.tv_nsec = ns};
    nanosleep(&t, NULL);
}

static void wait_for_syncs(unsigned n)
{
    for (sy_ms end = sy_mono_ms() + 20000; atomic_load(&spool_faults.syncs) < n;) {
        assert_true(sy_mono_ms() < end);
        nap(2000000);
    }
}

static void what_the_gateway_leaves_lying_is_synced(void **state)
{
    bench *b = *state;
    unsigned before = atomic_load(&spool_faults.syncs);
    spool_put_many(b, 0, 1);
    wait_for_syncs(before + 1);
    /* What it takes at once, it syncs itself. */
    sy_spool_close(b->s);
    b->o.sync_ms = 60;
    spool_open(b);
    before = atomic_load(&spool_faults.syncs);
    sy_ms end = sy_mono_ms() + 400;
    for (unsigned i = 0; sy_mono_ms() < end; i++) {
        uint64_t number;
        assert_int_equal(spool_put_text(b, "x", &number), SY_OK);
        atomic_store(&b->page.taken, number);
        nap(1000000);
    }
    assert_true(atomic_load(&spool_faults.syncs) <= before + 4); /* not once for each 30 ms */
}

static void a_failed_sync_of_the_thread_is_seen_at_the_next_message(void **state)
{
    bench *b = *state;
    spool_faults.fail_sync = EIO;
    unsigned before = atomic_load(&spool_faults.syncs);
    spool_put_many(b, 0, 1);
    wait_for_syncs(before + 2);
    assert_int_equal(spool_put_text(b, "x", NULL), SY_E_IO);
    spool_faults.fail_sync = 0;
    spool_put_many(b, 1, 1);
    sy_spool_reader *r = spool_reader(b, true);
    spool_expect_many(r, 0, 2);
    sy_spool_reader_close(r);
}

/* A writer that is killed at any instant, and a reader beside it. */
static void a_killed_writer_leaves_what_it_told(void **state)
{
    bench *b = *state;
    sy_spool_close(b->s);
    b->s = NULL;
    for (unsigned round = 0; round < 20; round++) {
        int told[2];
        assert_int_equal(pipe(told), 0);
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            close(told[0]);
            sy_spool_io real = sy_spool_system();
            if (sy_spool_open(&b->s, &b->o, &real, NULL)) {
                _exit(1);
            }
            for (unsigned i = 0;; i++) { /* number and payload, after it is promised */
                char text[16];
                uint64_t number;
                snprintf(text, sizeof text, "%u", i);
                if (spool_put_text(b, text, &number) || write(told[1], &number, 8) != 8) {
                    _exit(1);
                }
            }
        }
        close(told[1]);
        uint64_t number = 0, first = 0, last = 0;
        for (unsigned i = 0; i < 50 + round * 13 && read(told[0], &number, 8) == 8; i++) {
            first = first ? first : number;
            last = number;
        }
        kill(pid, SIGKILL);
        while (read(told[0], &number, 8) == 8) {
            last = number;
        }
        close(told[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        sy_spool_reader *r = spool_reader(b, false);
        sy_spool_rec rec;
        sy_err e;
        uint64_t want = first;
        while ((e = sy_spool_next(r, &rec, NULL)) == SY_OK) {
            if (rec.number >= first) {
                assert_int_equal(rec.number, want++);
            }
        }
        assert_int_equal(e, SY_E_AGAIN);
        assert_true(want > last && want <= last + 2);
        sy_spool_drop(r, want);
        sy_spool_reader_close(r);
    }
    spool_open(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, spool_setup, spool_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_disk_refuses_and_goes_on_when_there_is_room),
        TEST(a_file_that_may_not_grow_refuses),
        TEST(it_has_a_bound_that_reading_lifts),
        TEST(it_leaves_the_reserve_of_the_disk_alone),
        TEST(a_failed_write_moves_to_a_segment_that_is_proven),
        TEST(strict_promises_nothing_that_is_not_synced),
        TEST(what_the_gateway_leaves_lying_is_synced),
        TEST(a_failed_sync_of_the_thread_is_seen_at_the_next_message),
        TEST(a_killed_writer_leaves_what_it_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
