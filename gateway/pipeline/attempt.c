/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mapped file, because two stores a record must cost nothing and still outlive the process. Only
 * a handler can tell a crash from a kill, since both leave the file alike; all that it does is one
 * store into the mapping. What it needs it can reach through statics alone: the actions that it
 * replaced, and per thread the mapping of the record in work.
 */
#include "pipeline/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES = 32, AT_WORK = 0, AT_KILLER = 8, AT_TIMES = 16, AT_SIGNAL = 24 };

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { N_SIGNALS = sizeof crash_signals / sizeof *crash_signals };

static struct sigaction before[N_SIGNALS]; /* written by install() before it sets on_crash */
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local volatile unsigned char *entered; /* NULL: this thread takes no records */

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

/* On the thread that crashed. Async-signal-safe: stores, getpid, sigaction, raise. */
static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)context;
    int saved = errno;
    bool fault = info->si_code > 0; /* the kernel's: it comes again at the same instruction */
    bool own = fault || info->si_pid == getpid();
    if (own && entered && load(entered + AT_WORK) != 0)
        store(entered + AT_SIGNAL, (uint64_t)number);
    for (int i = 0; i < N_SIGNALS; i++)
        if (crash_signals[i] == number)
            sigaction(number, &before[i], NULL);
    if (!fault)
        raise(number); /* blocked here, so it is taken on return */
    errno = saved;
}

/* At each open, since another part of the process may have set its own since. */
static void install(void)
{
    struct sigaction ours = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&ours.sa_mask);
    pthread_mutex_lock(&installing);
    for (int i = 0; i < N_SIGNALS; i++) {
        struct sigaction now;
        if (sigaction(crash_signals[i], NULL, &now) != 0)
            continue;
        if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_crash)
            continue;
        before[i] = now;
        sigaction(crash_signals[i], &ours, NULL);
    }
    pthread_mutex_unlock(&installing);
}

/* What the last process left behind. */
static void settle(sy_attempt *a)
{
    uint64_t work = load(a->map + AT_WORK), killer = load(a->map + AT_KILLER);
    if (work != 0 && load(a->map + AT_SIGNAL) != 0) {
        store(a->map + AT_TIMES, killer == work ? load(a->map + AT_TIMES) + 1 : 1);
        store(a->map + AT_KILLER, work);
    } else if (work == 0 || work != killer) {
        sy_attempt_forgive(a);
    }
    store(a->map + AT_WORK, 0);
    store(a->map + AT_SIGNAL, 0);
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
    settle(a);
    install();
    *killer = load(a->map + AT_TIMES) >= SY_ATTEMPT_LIMIT ? load(a->map + AT_KILLER) : 0;
    return SY_OK;
}

void sy_attempt_close(sy_attempt *a)
{
    if (a->map)
        munmap((void *)(uintptr_t)a->map, BYTES);
    a->map = NULL;
}

void sy_attempt_enter(sy_attempt *a)
{
    stack_t now, ours = {.ss_sp = a->stack, .ss_size = sizeof a->stack};
    entered = a->map;
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE))
        sigaltstack(&ours, NULL);
}

void sy_attempt_leave(sy_attempt *a)
{
    stack_t now, none = {.ss_flags = SS_DISABLE};
    entered = NULL;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == a->stack)
        sigaltstack(&none, NULL);
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
