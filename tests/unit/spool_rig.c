/* SPDX-License-Identifier: Apache-2.0 */
/* The bench on which the spool's writer and reader are tried. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool_rig.h"

struct spool_faults spool_faults;

static ssize_t write_or_fail(int fd, const struct iovec *iov, int n, off_t off)
{
    if (spool_faults.fail_write) {
        if (spool_faults.cut) {
            (void)!pwrite(fd, "torn record", spool_faults.cut, off);
        }
        errno = spool_faults.fail_write;
        return -1;
    }
    return pwritev(fd, iov, n, off);
}

static int sync_or_fail(int fd)
{
    atomic_fetch_add(&spool_faults.syncs, 1);
    errno = spool_faults.fail_sync;
    return spool_faults.fail_sync ? -1 : fdatasync(fd);
}

static int room_or_not(const char *dir, uint64_t *bytes)
{
    (void)dir;
    *bytes = spool_faults.room;
    return 0;
}

static void said(void *ctx, sy_spool_state state, const char *why)
{
    bench *b = ctx;
    b->says++;
    snprintf(b->said, sizeof b->said, "%d %s", (int)state, why);
}

static sy_spool_io io(void)
{
    return (sy_spool_io){write_or_fail, sync_or_fail, room_or_not};
}

void spool_open(bench *b)
{
    sy_fail f = {0};
    sy_spool_io system = io();
    if (sy_spool_open(&b->s, &b->o, &system, &f)) {
        fail_msg("%s", f.text);
    }
}

int spool_setup(void **state)
{
    bench *b = calloc(1, sizeof *b);
    memset(&spool_faults, 0, sizeof spool_faults);
    spool_faults.room = UINT64_MAX;
    snprintf(b->dir, sizeof b->dir, "/tmp/sy-spool-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    b->o = (sy_spool_options){.dir = b->dir,
                              .segment_bytes = 2048,
                              .sync_ms = 20,
                              .page = &b->page,
                              .wake_fd = -1,
                              .say = said,
                              .ctx = b};
    spool_open(b);
    *state = b;
    return 0;
}

int spool_teardown(void **state)
{
    bench *b = *state;
    char command[80];
    sy_spool_close(b->s);
    snprintf(command, sizeof command, "rm -rf %s", b->dir);
    assert_int_equal(system(command), 0);
    free(b);
    return 0;
}

sy_err spool_put_text(bench *b, const char *payload, uint64_t *number)
{
    sy_spool_rec rec = {.qos = 1,
                        .retain = true,
                        .topic = sy_span_of("t/a"),
                        .client = sy_span_of("client"),
                        .user = sy_span_of("a"),
                        .payload = sy_span_of(payload)};
    sy_err e = sy_spool_append(b->s, &rec, NULL);
    if (!e && number) {
        *number = rec.number;
    }
    return e;
}

/* Records "0", "1", … up to n. The number of the first. */
uint64_t spool_put_many(bench *b, unsigned from, unsigned n)
{
    uint64_t first = 0;
    for (unsigned i = from; i < from + n; i++) {
        char text[16];
        uint64_t number = 0;
        snprintf(text, sizeof text, "%u", i);
        assert_int_equal(spool_put_text(b, text, &number), SY_OK);
        first = first ? first : number;
    }
    return first;
}

sy_spool_reader *spool_reader(bench *b, bool live)
{
    sy_spool_reader *r = NULL;
    sy_fail f = {0};
    if (sy_spool_reader_open(&r, b->dir, live ? &b->page : NULL, &f)) {
        fail_msg("%s", f.text);
    }
    return r;
}

/* The next one must be this text; its number. */
uint64_t spool_expect(sy_spool_reader *r, const char *text)
{
    sy_spool_rec rec = {0};
    sy_fail f = {0};
    sy_err e = sy_spool_next(r, &rec, &f);
    if (e) {
        fail_msg("%s instead of %s: %s", sy_err_text(e), text, f.text);
    }
    assert_true(sy_span_is(rec.payload, text));
    assert_true(sy_span_is(rec.topic, "t/a") && sy_span_is(rec.client, "client") &&
                sy_span_is(rec.user, "a"));
    assert_int_equal(rec.qos, 1);
    assert_true(rec.retain);
    return rec.number;
}

void spool_expect_many(sy_spool_reader *r, unsigned from, unsigned n)
{
    char text[16];
    for (unsigned i = from; i < from + n; i++) {
        snprintf(text, sizeof text, "%u", i);
        (void)spool_expect(r, text);
    }
}

sy_err spool_next(sy_spool_reader *r)
{
    sy_spool_rec rec;
    return sy_spool_next(r, &rec, NULL);
}

/* Files whose names end so; the last of them in order of their names into `path`. */
unsigned spool_files(bench *b, const char *ending, char path[128])
{
    unsigned n = 0;
    DIR *d = opendir(b->dir);
    char last[64] = "";
    for (struct dirent *entry; (entry = readdir(d));) {
        size_t length = strlen(entry->d_name), tail = strlen(ending);
        if (length > tail && strcmp(entry->d_name + length - tail, ending) == 0) {
            n++;
            if (strcmp(entry->d_name, last) > 0) {
                snprintf(last, sizeof last, "%.60s", entry->d_name);
            }
        }
    }
    closedir(d);
    if (path) {
        snprintf(path, 128, "%s/%s", b->dir, last);
    }
    return n;
}

off_t spool_size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

void spool_poke(const char *path, off_t at, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0 && pwrite(fd, bytes, n, at) == (ssize_t)n);
    close(fd);
}

void spool_again(bench *b)
{
    sy_spool_close(b->s);
    spool_open(b);
}
