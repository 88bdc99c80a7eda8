/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal makes of a folder that a crash, a power cut or a bad disk left behind. */
#include "journal_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEG = 4096 };

/* The bytes of segment 1 with those payloads in it, and where each record ends. */
typedef struct image {
    unsigned char bytes[SEG];
    size_t ends[8], n;
} image;

static image make_image(const char *dir, const char *const *payloads, size_t n)
{
    image im = {.n = n};
    sy_journal_options o = rig_options(dir, SEG);
    sy_journal *j = rig_open(&o, NULL);
    for (size_t i = 0; i < n; i++) {
        rig_append(j, payloads[i]);
        im.ends[i] = j->cur.end;
    }
    sy_journal_close(j);
    char path[512];
    int fd = open(rig_path(dir, 1, 0, path), O_RDONLY);
    assert_int_equal(read(fd, im.bytes, SEG), SEG);
    close(fd);
    return im;
}

static void lay_down(const char *dir, const void *bytes, size_t n)
{
    char path[512];
    unlink(rig_path(dir, 1, 1, path));
    for (uint64_t first = 2; first < 9; first++)
        unlink(rig_path(dir, first, 0, path));
    int fd = open(rig_path(dir, 1, 0, path), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static const char *const four[] = {"one", "two", "three", "four"};

/* Cut at every byte: what is whole stays, what is torn is cut, counted, and written over. */
static void truncated_at_every_byte(void **state)
{
    static const char *const left[] = {"", "one", "one two", "one two three", "one two three four"};
    image im = make_image(*state, four, 4);
    for (size_t cut = SY_JSEG_HEADER; cut <= im.ends[3] + 1; cut++) {
        size_t whole = 0;
        while (whole < 4 && im.ends[whole] <= cut)
            whole++;
        lay_down(*state, im.bytes, cut);
        sy_journal_options o = rig_options(*state, SEG);
        sy_journal *j = rig_open(&o, NULL);
        size_t begin = whole ? im.ends[whole - 1] : SY_JSEG_HEADER;
        assert_int_equal(sy_journal_torn(j), whole < 4 && cut > begin);
        assert_int_equal(sy_journal_damaged(j), 0);
        assert_int_equal(sy_journal_seq(j), whole);
        rig_expect(*state, NULL, 1, left[whole]);
        assert_int_equal(rig_append(j, "on"), whole + 1);
        sy_journal_close(j);
        char expected[64];
        snprintf(expected, sizeof expected, "%s%son", left[whole], whole ? " " : "");
        rig_expect(*state, NULL, 1, expected);
        j = rig_open(&o, NULL);
        assert_int_equal(sy_journal_torn(j), 0); /* nothing of it is left behind the new record */
        sy_journal_close(j);
    }
}

/* One bit anywhere: the others are read, the loss is told once, and all goes on. */
static void every_flipped_bit_is_found(void **state)
{
    image im = make_image(*state, four, 4);
    for (size_t at = 0; at < im.ends[3]; at++) {
        unsigned char copy[SEG];
        memcpy(copy, im.bytes, SEG);
        copy[at] = (unsigned char)(copy[at] ^ 1u << at % 8);
        lay_down(*state, copy, SEG);
        size_t hit = 0;
        while (im.ends[hit] <= at)
            hit++;
        bool header = at < SY_JSEG_HEADER, last = hit == 3;
        sy_journal_options o = rig_options(*state, SEG);
        sy_journal *j = rig_open(&o, NULL);
        assert_int_equal(sy_journal_torn(j), last);
        assert_int_equal(sy_journal_damaged(j), !last);
        char expected[64] = "";
        for (size_t i = 0; i < 4; i++) {
            if (i == hit && !header) {
                strcat(expected, last ? "" : "! ");
                continue;
            }
            strcat(expected, four[i]);
            strcat(expected, " ");
        }
        strcat(expected, "on");
        assert_int_equal(rig_append(j, "on"), last ? 4 : 5);
        rig_expect(NULL, j, 1, expected);
        sy_journal_close(j);
        rig_expect(*state, NULL, 1, expected);
        j = rig_open(&o, NULL);
        assert_int_equal(sy_journal_damaged(j), 0); /* told once, not at each start */
        sy_journal_close(j);
    }
}

/* A page that never reached the disk, with later ones that did. */
static void a_hole_is_damage(void **state)
{
    image im = make_image(*state, four, 4);
    memset(im.bytes + im.ends[0], 0, im.ends[2] - im.ends[0]);
    lay_down(*state, im.bytes, SEG);
    sy_journal_options o = rig_options(*state, SEG);
    sy_journal *j = rig_open(&o, NULL);
    assert_int_equal(sy_journal_damaged(j), 1);
    assert_int_equal(sy_journal_seq(j), 4);
    rig_expect(NULL, j, 1, "one ! four");
    sy_journal_close(j);
    rig_expect(*state, NULL, 1, "one ! four");
    rig_expect(*state, NULL, 2, "! four");
    rig_expect(*state, NULL, 4, "four");
}

/* The tail of a full segment is gone, the next one is whole. */
static void a_lost_tail_before_another_segment(void **state)
{
    sy_journal_options o = rig_options(*state, SEG);
    sy_journal *j = rig_open(&o, NULL);
    char text[1500];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    for (int i = 0; i < 4; i++)
        rig_append(j, text); /* two fit into a segment */
    sy_journal_close(j);
    char path[512];
    assert_int_equal(truncate(rig_path(*state, 1, 0, path), 2000), 0);
    j = rig_open(&o, NULL);
    assert_int_equal(sy_journal_damaged(j), 1);
    assert_int_equal(sy_journal_seq(j), 4);
    sy_journal_close(j);
    sy_buf got;
    sy_buf_init(&got, sy_heap());
    rig_read(*state, NULL, 1, &got);
    assert_int_equal(got.n, 3 * (sizeof text - 1) + 4); /* "x ! x x" */
    assert_non_null(strstr(got.p, "x ! x"));
    sy_buf_fini(&got);
}

static void an_empty_segment_is_taken_up(void **state)
{
    char path[512];
    static const char zeros[SEG];
    image im = make_image(*state, four, 0 + 1);
    for (int kind = 0; kind < 3; kind++) {
        /* Created and nothing more; preallocated; with a header. */
        const void *bytes = kind == 2 ? (const void *)im.bytes : (const void *)zeros;
        lay_down(*state, bytes, kind == 0 ? 0 : kind == 1 ? SEG : SY_JSEG_HEADER);
        sy_journal_options o = rig_options(*state, SEG);
        sy_journal *j = rig_open(&o, NULL);
        assert_int_equal(sy_journal_seq(j), 0);
        assert_int_equal(sy_journal_torn(j) + sy_journal_damaged(j), 0);
        assert_int_equal(rig_append(j, "a"), 1);
        sy_journal_close(j);
        rig_expect(*state, NULL, 1, "a");
        unlink(rig_path(*state, 1, 0, path));
    }
}

/* A payload that looks like a record must not become one when damage is searched through. */
static void a_payload_is_never_taken_for_a_record(void **state)
{
    char fake[128];
    sy_jrec forged = {.seq = 2, .type = SY_J_MESSAGE, .payload = sy_span_of("forged")};
    sy_jrec_encode((unsigned char *)fake, &forged, sy_jrec_body_crc(0, &forged));
    memcpy(fake + SY_JREC_HEADER, "forged", 6);
    sy_journal_options o = rig_options(*state, SEG);
    sy_journal *j = rig_open(&o, NULL);
    sy_fail f;
    sy_jrec rec = {.type = SY_J_MESSAGE, .payload = {fake, SY_JREC_HEADER + 6}};
    assert_int_equal(sy_journal_append(j, &rec, &f), SY_OK);
    rig_append(j, "two");
    sy_journal_close(j);
    char path[512];
    int fd = open(rig_path(*state, 1, 0, path), O_WRONLY);
    assert_int_equal(pwrite(fd, "\xff", 1, SY_JSEG_HEADER), 1);
    close(fd);
    j = rig_open(&o, NULL);
    rig_expect(NULL, j, 1, "! two");
    sy_journal_close(j);
}

static _Atomic int failures_left;

static int failing_sync(int fd)
{
    if (atomic_load(&failures_left) > 0) {
        atomic_fetch_sub(&failures_left, 1);
        errno = EIO;
        return -1;
    }
    return fdatasync(fd);
}

/* After a failed sync only a copy counts as synced; nothing is lost or doubled, live or later. */
static void a_failed_sync_moves_the_records(void **state)
{
    sy_journal_options o = rig_options(*state, SEG);
    o.sync_ms = 100000;
    sy_jio io = sy_journal__io();
    io.sync = failing_sync;
    sy_journal *j = rig_open(&o, &io);
    sy_jreader *r;
    sy_jrec rec;
    sy_fail f;
    assert_int_equal(sy_jreader_open(&r, j, NULL, 1, &f), SY_OK);
    for (int round = 0; round < 2; round++) {
        /* In the first round nothing of the segment was synced before, in the second something. */
        rig_append(j, "a");
        rig_append(j, "b");
        assert_int_equal(sy_jreader_next(r, &rec, &f), SY_OK);
        atomic_store(&failures_left, 1);
        uint64_t seq = sy_journal_seq(j);
        assert_int_equal(sy_journal_wait_synced(j, seq, &f), SY_OK);
        assert_int_equal(sy_journal_synced(j), seq);
        assert_int_equal(rig_append(j, "c"), seq + 1);
        assert_int_equal(sy_journal_wait_synced(j, seq + 1, &f), SY_OK);
        for (uint64_t next = seq; next <= seq + 1; next++) {
            assert_int_equal(sy_jreader_next(r, &rec, &f), SY_OK);
            assert_int_equal(rec.seq, next);
        }
        assert_int_equal(sy_jreader_next(r, &rec, &f), SY_E_AGAIN);
    }
    sy_jreader_close(r);
    assert_int_equal(sy_journal_damaged(j), 2);
    sy_journal_close(j);
    rig_expect(*state, NULL, 1, "a b c a b c");
    j = rig_open(&o, NULL);
    assert_int_equal(sy_journal_seq(j), 6);
    assert_int_equal(sy_journal_damaged(j), 0);
    rig_append(j, "d");
    rig_expect(NULL, j, 1, "a b c a b c d");
    sy_journal_close(j);
}

/* While the disk refuses, nothing is called synced; afterwards everything is, by itself. */
static void a_disk_that_refuses_to_sync(void **state)
{
    sy_journal_options o = rig_options(*state, SEG);
    o.sync_ms = 1;
    sy_jio io = sy_journal__io();
    io.sync = failing_sync;
    sy_journal *j = rig_open(&o, &io);
    sy_fail f;
    atomic_store(&failures_left, 1 << 30);
    uint64_t seq = rig_append(j, "a");
    assert_int_equal(sy_journal_wait_synced(j, seq, &f), SY_E_IO);
    assert_int_equal(sy_journal_wait_synced(j, seq, &f), SY_E_IO);
    assert_int_equal(sy_journal_synced(j), 0);
    rig_append(j, "b");
    atomic_store(&failures_left, 0);
    while (sy_journal_wait_synced(j, seq + 1, &f) != SY_OK)
        ;
    assert_int_equal(sy_journal_damaged(j), 1);
    sy_journal_close(j);
    rig_expect(*state, NULL, 1, "a b");
}

static _Atomic int write_errno;

static ssize_t failing_write(int fd, const struct iovec *iov, int n, off_t off)
{
    int error = atomic_load(&write_errno);
    if (error) {
        (void)!pwrite(fd, iov[0].iov_base, iov[0].iov_len / 2, off); /* a part, as disks do */
        errno = error;
        return -1;
    }
    return pwritev(fd, iov, n, off);
}

static void *append_x(void *ctx)
{
    rig_append(ctx, "x");
    return NULL;
}

static void a_full_disk_holds_messages_until_there_is_room(void **state)
{
    sy_journal_options o = rig_options(*state, SEG);
    o.sync_ms = 1;
    sy_jio io = sy_journal__io();
    io.write = failing_write;
    atomic_store(&write_errno, 0);
    sy_journal *j = rig_open(&o, &io);
    rig_append(j, "a");
    atomic_store(&write_errno, ENOSPC);
    sy_jrec tick = {.type = SY_J_TICK};
    sy_fail f;
    assert_int_equal(sy_journal_append(j, &tick, &f), SY_E_FULL); /* what is ours does not wait */
    pthread_t t;
    pthread_create(&t, NULL, append_x, j);
    for (bool waits = false; !waits; sched_yield()) {
        pthread_mutex_lock(&j->mu);
        waits = j->waiting_room > 0;
        pthread_mutex_unlock(&j->mu);
    }
    assert_int_equal(sy_journal_seq(j), 1);
    atomic_store(&write_errno, 0);
    pthread_join(t, NULL);
    sy_journal_close(j);
    rig_expect(*state, NULL, 1, "a x");
}

static void a_failed_write_moves_to_another_segment(void **state)
{
    sy_journal_options o = rig_options(*state, SEG);
    sy_jio io = sy_journal__io();
    io.write = failing_write;
    atomic_store(&write_errno, 0);
    sy_journal *j = rig_open(&o, &io);
    rig_append(j, "a");
    atomic_store(&write_errno, EIO);
    sy_jrec rec = {.type = SY_J_MESSAGE};
    sy_fail f;
    assert_int_equal(sy_journal_append(j, &rec, &f), SY_E_IO);
    assert_int_equal(sy_journal_seq(j), 1);
    atomic_store(&write_errno, 0);
    assert_int_equal(rig_append(j, "b"), 2);
    sy_journal_close(j);
    rig_expect(*state, NULL, 1, "a b");
    j = rig_open(&o, NULL);
    assert_int_equal(sy_journal_damaged(j), 0);
    rig_expect(NULL, j, 1, "a b");
    sy_journal_close(j);
}

/* The real thing in place of injected errors: a limit on file sizes that the kernel enforces. */
static void the_kernel_refuses_to_grow_a_file(void **state)
{
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    sy_journal_options o = rig_options(*state, SEG);
    sy_journal *j = rig_open(&o, NULL);
    char text[1500];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    rig_append(j, text);
    rig_append(j, text);
    small = (struct rlimit){SEG / 2, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    sy_jrec tick = {.type = SY_J_TICK, .payload = sy_span_of(text)};
    sy_fail f;
    assert_int_equal(sy_journal_append(j, &tick, &f), SY_E_FULL);
    assert_int_equal(rig_count_files(*state, ".log"), 1); /* nothing half made is left */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(rig_append(j, text), 3);
    sy_journal_close(j);
}

#define dir_test(fn) cmocka_unit_test_setup_teardown(fn, rig_dir_setup, rig_dir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dir_test(truncated_at_every_byte),
        dir_test(every_flipped_bit_is_found),
        dir_test(a_hole_is_damage),
        dir_test(a_lost_tail_before_another_segment),
        dir_test(an_empty_segment_is_taken_up),
        dir_test(a_payload_is_never_taken_for_a_record),
        dir_test(a_failed_sync_moves_the_records),
        dir_test(a_disk_that_refuses_to_sync),
        dir_test(a_full_disk_holds_messages_until_there_is_room),
        dir_test(a_failed_write_moves_to_another_segment),
        dir_test(the_kernel_refuses_to_grow_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
