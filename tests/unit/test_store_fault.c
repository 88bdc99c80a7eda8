/* SPDX-License-Identifier: Apache-2.0 */
/* The store under kill -9 and on a full disk: a batch is there whole, with its position, or not at
 * all, and writing goes on by itself when there is room. */
#include "store/store_int.h"

#include "store_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 20, PER_BATCH = 10 };

/* Reading n is record n; what was open when the process died is put again, as from the log. */
static sy_err put_again(sy_store *s, sy_fail *f)
{
    uint64_t position = 0;
    int64_t id;
    sy_put put;
    sy_err e = sy_store_position(s, &position, f);
    if (!e)
        e = sy_store_begin(s, false, f);
    if (!e)
        e = sy_store_series(s, "a", "d", "n", "Cel", &id, f);
    for (uint64_t i = sy_store_open_seq(s) + 1; i <= position && !e; i++) {
        e = sy_store_reading(s, id, (sy_ms)i, (double)(i % PER_BATCH), SY_Q_GOOD, 1, i, &put, f);
        if (!e && put != SY_PUT_NEW)
            e = sy_fail_set(f, SY_E_CORRUPT, "reading %llu is there already",
                            (unsigned long long)i);
    }
    return e ? e : sy_store_commit(s, position, f);
}

/* Batch n: ten readings, an event, the counter, the position 10 n, now and then a snapshot; an
 * acknowledgement a batch. */
static void write_batches(const char *dir, int fd)
{
    sy_store *s = NULL;
    sy_fail f;
    uint64_t position;
    if (sy_store_open(&s, dir, false, &f) || sy_store_position(s, &position, &f) ||
        put_again(s, &f))
        _exit(2);
    for (;; position += PER_BATCH) {
        sy_err e = sy_store_begin(s, position / PER_BATCH % 8 == 0, &f);
        int64_t id;
        sy_put put;
        bool added;
        char text[32];
        const char *to = "up";
        snprintf(text, sizeof text, "e%llu", (unsigned long long)position);
        sy_event_row event = {.id = text, .kind = "k", .alert = "a", .body = sy_span_of("{}")};
        if (!e)
            e = sy_store_series(s, "a", "d", "n", "Cel", &id, &f);
        for (int i = 1; i <= PER_BATCH && !e; i++)
            e = sy_store_reading(s, id, (sy_ms)position + i, i % PER_BATCH, SY_Q_GOOD, 1,
                                 position + (uint64_t)i, &put, &f);
        if (!e)
            e = sy_store_event(s, &event, &to, 1, &added, &f);
        sy_store_count(s, SY_N_stored, PER_BATCH);
        if (!e && position / PER_BATCH % 37 == 5)
            e = sy_store_snapshot_put(s, position + PER_BATCH, "hash", sy_span_of("state"), &f);
        if (e || sy_store_commit(s, position + PER_BATCH, &f))
            _exit(3);
        uint64_t ack = position + PER_BATCH;
        if (write(fd, &ack, sizeof ack) != sizeof ack)
            _exit(4);
    }
}

static bool next_time(void *ctx, const sy_reading_row *r)
{
    sy_ms *t = ctx;
    assert_int_equal(r->t, ++*t);
    return true;
}

static void position_and_rows_agree_after_kill(void **state)
{
    unsigned seed = 7;
    for (int round = 0; round < ROUNDS; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(fds[0]);
            write_batches(*state, fds[1]);
        }
        close(fds[1]);
        uint64_t ack, acked = 0;
        int after = rand_r(&seed) % 60;
        for (int n = 0; read(fds[0], &ack, sizeof ack) == sizeof ack; n++) {
            acked = ack;
            if (n == after)
                kill(pid, SIGKILL);
        }
        close(fds[0]);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));

        sy_store *s = store_rig_open(*state);
        sy_fail f = {0};
        uint64_t position = store_rig_position(s), waiting, refused;
        assert_true(position >= acked && position % PER_BATCH == 0);
        fine(put_again(s, &f), f);
        sy_ms last = 0;
        fine(sy_store_readings(s, "a", 0, SY_MS_MAX, next_time, &last, &f), f);
        assert_int_equal(last, position);
        fine(sy_store_outbox_count(s, "up", &waiting, &refused, &f), f);
        assert_int_equal(waiting, position / PER_BATCH);
        assert_int_equal(store_rig_counter(s, SY_N_stored), position);
        sy_store_close(s);
    }
}

/* Write until the disk is full; the text of a large event fills it soon. */
static sy_err fill(sy_store *s, sy_ms *t, sy_fail *f)
{
    char *big = calloc(1, 100000);
    memset(big, 'x', 100000);
    sy_err e = SY_OK;
    while (!e) {
        char id[32];
        bool added;
        snprintf(id, sizeof id, "%lld", (long long)*t);
        e = sy_store_begin(s, false, f);
        if (e)
            break;
        store_rig_put(s, "a", *t, 1, SY_Q_GOOD);
        sy_event_row event = {.id = id, .kind = "k", .body = {big, 100000}};
        e = sy_store_event(s, &event, NULL, 0, &added, f);
        if (e)
            sy_store_rollback(s);
        else
            e = sy_store_commit(s, (uint64_t)*t, f);
        *t += !e;
    }
    free(big);
    return e;
}

static void expect_whole(sy_store *s, sy_ms t)
{
    sy_fail f = {0};
    sy_ms last = 0;
    fine(sy_store_readings(s, "a", 0, SY_MS_MAX, next_time, &last, &f), f);
    assert_int_equal(last, t - 1);
    assert_int_equal(store_rig_position(s), t - 1);
}

/* SQLite's own limit on the file gives the failure of a full disk wherever the test runs. */
static void a_file_that_may_not_grow(void **state)
{
    sy_fail f = {0};
    sy_ms t = 1;
    sy_store *s = store_rig_open(*state);
    sqlite3_exec(s->writer, "PRAGMA max_page_count=200", NULL, NULL, NULL);
    assert_int_equal(fill(s, &t, &f), SY_E_FULL);
    assert_true(t > 3);
    expect_whole(s, t);
    assert_int_equal(fill(s, &t, &f), SY_E_FULL);
    sqlite3_exec(s->writer, "PRAGMA max_page_count=100000", NULL, NULL, NULL);
    fine(sy_store_begin(s, true, &f), f);
    assert_int_equal(store_rig_put(s, "a", t, 1, SY_Q_GOOD), SY_PUT_NEW);
    fine(sy_store_commit(s, (uint64_t)t, &f), f);
    expect_whole(s, t + 1);
    sy_store_close(s);
}

/* A batch in which one write failed can only be rolled back, whatever is tried. */
static void a_failed_write_spoils_the_batch(void **state)
{
    sy_fail f = {0};
    sy_ms t = 1;
    sy_put put;
    sy_store *s = store_rig_open(*state);
    sqlite3_exec(s->writer, "PRAGMA max_page_count=200", NULL, NULL, NULL);
    assert_int_equal(fill(s, &t, &f), SY_E_FULL);
    char *big = calloc(1, 100000);
    bool added;
    sy_event_row event = {.id = "big", .kind = "k", .body = {big, 100000}};
    fine(sy_store_begin(s, false, &f), f);
    store_rig_put(s, "a", t, 1, SY_Q_GOOD);
    assert_int_equal(sy_store_event(s, &event, NULL, 0, &added, &f), SY_E_FULL);
    assert_int_equal(sy_store_reading(s, 1, t + 1, 1, 0, 1, 1, &put, &f), SY_E_FULL);
    assert_int_equal(sy_store_commit(s, 99, &f), SY_E_FULL);
    assert_int_equal(sy_store_commit(s, 99, &f), SY_E_USAGE); /* it has ended */
    expect_whole(s, t);
    free(big);
    sy_store_close(s);
}

/* A real full disk, where we may mount one. */
static void a_disk_that_is_full(void **state)
{
    char ballast[512];
    sy_fail f = {0};
    sy_ms t = 1;
    if (mount("tmpfs", *state, "tmpfs", 0, "size=5m") != 0) {
        print_message("skipped: no right to mount a small disk here\n");
        skip();
    }
    snprintf(ballast, sizeof ballast, "%s/ballast", (char *)*state);
    FILE *file = fopen(ballast, "w");
    char *bytes = calloc(1, 1 << 20);
    assert_int_equal(fwrite(bytes, 1, 1 << 20, file), 1 << 20);
    fclose(file);
    free(bytes);
    sy_store *s = store_rig_open(*state);
    assert_int_equal(fill(s, &t, &f), SY_E_FULL);
    assert_int_equal(fill(s, &t, &f), SY_E_FULL);
    expect_whole(s, t);
    unlink(ballast);
    fine(sy_store_begin(s, true, &f), f);
    assert_int_equal(store_rig_put(s, "a", t, 1, SY_Q_GOOD), SY_PUT_NEW);
    fine(sy_store_commit(s, (uint64_t)t, &f), f);
    expect_whole(s, t + 1);
    sy_store_close(s);
    s = store_rig_open(*state);
    expect_whole(s, t + 1);
    sy_store_close(s);
}

/* A test that failed must leave no disk mounted. */
static int unmount_and_teardown(void **state)
{
    (void)umount2(*state, MNT_DETACH);
    return store_rig_teardown(state);
}

#define dir_test(fn) cmocka_unit_test_setup_teardown(fn, store_rig_setup, store_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(position_and_rows_agree_after_kill),
        dir_test(a_file_that_may_not_grow),
        dir_test(a_failed_write_spoils_the_batch),
        cmocka_unit_test_setup_teardown(a_disk_that_is_full, store_rig_setup, unmount_and_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
