/* SPDX-License-Identifier: Apache-2.0 */
/* A mapped file, because two stores a record must cost nothing and still outlive the process. */
#include "pipeline/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES = 24, AT_WORK = 0, AT_KILLER = 8, AT_TIMES = 16 };

static void store(volatile unsigned char *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t load(const volatile unsigned char *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

sy_err sy_attempt_open(sy_attempt *a, const char *data_dir, uint64_t *killer, sy_fail *f)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/attempt", data_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return sy_fail_sys(f, "%s: cannot open", path);
    void *map = MAP_FAILED;
    if (ftruncate(fd, BYTES) == 0)
        map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        sy_err err = sy_fail_sys(f, "%s: cannot map", path);
        close(fd);
        return err;
    }
    close(fd);
    a->map = map;
    uint64_t work = load(a->map + AT_WORK);
    if (work != 0) {
        uint64_t times = load(a->map + AT_KILLER) == work ? load(a->map + AT_TIMES) + 1 : 1;
        store(a->map + AT_KILLER, work);
        store(a->map + AT_TIMES, times);
        store(a->map + AT_WORK, 0);
    } else {
        sy_attempt_forgive(a); /* the last process did not die at work */
    }
    *killer = load(a->map + AT_TIMES) >= SY_ATTEMPT_LIMIT ? load(a->map + AT_KILLER) : 0;
    return SY_OK;
}

void sy_attempt_close(sy_attempt *a)
{
    if (a->map)
        munmap((void *)(uintptr_t)a->map, BYTES);
    a->map = NULL;
}

void sy_attempt_set(sy_attempt *a, uint64_t seq)
{
    store(a->map + AT_WORK, seq);
}

void sy_attempt_forgive(sy_attempt *a)
{
    store(a->map + AT_KILLER, 0);
    store(a->map + AT_TIMES, 0);
}
