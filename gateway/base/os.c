/* SPDX-License-Identifier: Apache-2.0 */
/* The heap, the clocks, randomness and thread names. */
#include "base/os.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/timex.h>
#include <time.h>

static void *heap_resize(void *ctx, void *p, size_t size)
{
    (void)ctx;
    if (size == 0) {
        free(p);
        return NULL;
    }
    return realloc(p, size);
}

sy_alloc sy_heap(void)
{
    return (sy_alloc){.resize = heap_resize};
}

static uint64_t clock_ns(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0)
        abort();
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

sy_ms sy_wall_ms(void)
{
    return (sy_ms)(clock_ns(CLOCK_REALTIME) / 1000000u);
}

sy_ms sy_mono_ms(void)
{
    return (sy_ms)(clock_ns(CLOCK_MONOTONIC) / 1000000u);
}

uint64_t sy_mono_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

bool sy_clock_synced(void)
{
    struct timex t = {0};
    int state = adjtimex(&t);
    return state >= 0 && state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
}

void sy_random(void *out, size_t n)
{
    unsigned char *p = out;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        p += got;
        n -= (size_t)got;
    }
}

void sy_thread_name(const char *name)
{
    char cut[16];
    snprintf(cut, sizeof cut, "%.15s", name);
    pthread_setname_np(pthread_self(), cut);
}
