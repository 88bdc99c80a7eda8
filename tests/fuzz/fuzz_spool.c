/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as segments of the spool: reading ends, gives only what lies in the files, with
 * ascending numbers, and what is read is dropped. The first byte says what the bytes are: where
 * they are cut into two segments, whether checksums are mended (so that more than heads is
 * reached), and whether a writer is said to be at work.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drivers/mqtt/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Give each record of the chain, as its lengths say, the checksum that it should have. */
static void mend(unsigned char *p, size_t n)
{
    for (size_t at = SY_SPOOL_HEADER; at + SY_SPOOL_RECORD <= n;) {
        uint64_t number;
        size_t length = sy_spool_peek(p + at, &number);
        if (length == 0 || length > n - at)
            return;
        uint32_t crc = sy_crc32c(0, p + at, 4);
        crc = sy_crc32c(crc, p + at + 8, length - 8);
        for (int i = 0; i < 4; i++)
            p[at + 4 + (size_t)i] = (unsigned char)(crc >> (8 * i));
        at += length;
    }
}

static char folder[64];

static void remove_folder(void)
{
    rmdir(folder);
}

static void put_file(const char *dir, uint64_t first, unsigned char *p, size_t n, bool mended)
{
    char name[SY_SPOOL_NAME], path[96];
    sy_spool_name(first, 0, name);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (mended)
        mend(p, n);
    require(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    close(fd);
}

static void clear(const char *dir)
{
    DIR *d = opendir(dir);
    require(d);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

static uint64_t read_all(const char *dir, const sy_spool_page *page, size_t most)
{
    sy_spool_reader *r = NULL;
    sy_spool_rec rec;
    sy_fail f;
    uint64_t last = 0;
    size_t got = 0, turns = 0;
    require(sy_spool_reader_open(&r, dir, page, &f) == SY_OK);
    for (sy_err e; (e = sy_spool_next(r, &rec, &f)) != SY_E_AGAIN; turns++) {
        require(turns < 100000);
        if (e != SY_OK)
            continue;
        require(rec.number > last && rec.number < SY_SPOOL_NUMBERS + SY_SPOOL_RUN);
        last = rec.number;
        got += SY_SPOOL_RECORD + rec.topic.n + rec.client.n + rec.user.n + rec.payload.n;
        unsigned sum = 0; /* every byte may be looked at */
        for (size_t i = 0; i < rec.payload.n; i++)
            sum += (unsigned char)rec.payload.p[i];
        for (size_t i = 0; i < rec.topic.n; i++)
            sum += (unsigned char)rec.topic.p[i];
        require(sum < UINT32_MAX);
    }
    require(got <= most);
    sy_spool_drop(r, last);
    sy_spool_reader_close(r);
    return last;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "/dev/shm/sy-fuzz-XXXXXX");
        require(mkdtemp(folder) && atexit(remove_folder) == 0);
    }
    if (n < 2)
        return 0;
    unsigned how = bytes[0];
    size_t first_n = how & 1 ? (n - 1) * (how >> 4) / 16 : n - 1;
    unsigned char *copy = malloc(n);
    require(copy);
    memcpy(copy, bytes + 1, n - 1);
    clear(folder);
    put_file(folder, 1, copy, first_n, how & 2);
    if (how & 1)
        put_file(folder, 40, copy + first_n, n - 1 - first_n, how & 2);
    sy_spool_page page = {.from = how & 4 ? 1 : 41, .appended = how & 8 ? 3 : 60};
    if (how & 12)
        (void)read_all(folder, &page, n);
    (void)read_all(folder, NULL, n);
    (void)sy_spool_mark(folder);
    clear(folder);
    free(copy);
    return 0;
}
