/* SPDX-License-Identifier: Apache-2.0 */
/* The wall clock, and memory. Allocations are counted only where the program itself or a library
 * asks that is meant to live with a failure (COUNTED): others end the process by their own choice.
 */
#include "shim.h"

#include <errno.h>
#include <link.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, out);
    shim_ctl *c = shim_control();
    int64_t shift = c && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
                        ? atomic_load(&c->wall_shift)
                        : 0;
    if (rc == 0 && shift) {
        int64_t ns = out->tv_nsec + shift % 1000 * 1000000;
        out->tv_sec += shift / 1000 + (ns < 0 ? -1 : ns / 1000000000);
        out->tv_nsec = (ns + 1000000000) % 1000000000;
    }
    return rc;
}

int gettimeofday(struct timeval *out, void *zone)
{
    struct timespec t;
    (void)zone;
    int rc = clock_gettime(CLOCK_REALTIME, &t);
    if (rc == 0) {
        out->tv_sec = t.tv_sec;
        out->tv_usec = t.tv_nsec / 1000;
    }
    return rc;
}

time_t time(time_t *out)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    if (out)
        *out = t.tv_sec;
    return t.tv_sec;
}

int adjtimex(struct timex *t)
{
    shim_ctl *c = shim_control();
    int64_t synced = c ? atomic_load(&c->synced) : -1;
    int rc = (int)syscall(SYS_adjtimex, t);
    if (synced < 0)
        return rc;
    t->status = synced ? t->status & ~STA_UNSYNC : t->status | STA_UNSYNC;
    return synced ? TIME_OK : TIME_ERROR;
}

int ntp_adjtime(struct timex *t)
{
    return adjtimex(t);
}

/* What glibc has beneath malloc. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t n);

typedef struct range {
    uintptr_t from, to;
} range;
enum { RANGES = 16 };
static range ranges[RANGES];
static size_t n_ranges;

static const char *const COUNTED[] = {"libsqlite3", "libjansson", "libmbed", "libcbor", "libzstd"};

static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    bool *first = arg, wanted = *first;
    *first = false;
    for (size_t i = 0; i < sizeof COUNTED / sizeof *COUNTED && !wanted; i++)
        wanted = strstr(info->dlpi_name, COUNTED[i]) != NULL;
    for (int i = 0; wanted && i < info->dlpi_phnum && n_ranges < RANGES; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
            uintptr_t from = (uintptr_t)info->dlpi_addr + (uintptr_t)p->p_vaddr;
            ranges[n_ranges++] = (range){from, from + (uintptr_t)p->p_memsz};
        }
    }
    return 0;
}

__attribute__((constructor)) static void find_ranges(void)
{
    bool first = true; /* the program itself comes first */
    dl_iterate_phdr(look_at, &first);
}

static bool starves(const void *caller)
{
    shim_ctl *c = shim_control();
    bool ours = false;
    for (size_t i = 0; c && i < n_ranges && !ours; i++)
        ours = (uintptr_t)caller >= ranges[i].from && (uintptr_t)caller < ranges[i].to;
    if (!ours)
        return false;
    atomic_fetch_add(&c->allocs, 1);
    if (!shim_strikes(&c->alloc_after, &c->alloc_times))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return starves(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return starves(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t n)
{
    return n && starves(__builtin_return_address(0)) ? NULL : __libc_realloc(old, n);
}
