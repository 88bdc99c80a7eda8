/* SPDX-License-Identifier: Apache-2.0 */
/* The shim's middle: where it keeps to, the control file, the operation log. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 65536, SEEN = 1 << 16 };

static char folder[PATH_MAX];
static size_t n_folder;
static int log_fd = -1;
static shim_ctl *ctl;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t inos[FDS];
static uint64_t seen[SEEN]; /* files that are in the log, by a hash of their number; under mutex */

shim_ctl *shim_control(void)
{
    return ctl;
}

bool shim_logs(void)
{
    return log_fd >= 0;
}

void shim_lock(void)
{
    pthread_mutex_lock(&mutex);
    if (ctl && atomic_load(&ctl->die))
        kill(getpid(), SIGKILL);
}

void shim_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

static void lock_alone(void)
{
    pthread_mutex_lock(&mutex);
}

/* A descriptor out of the way of those that a program closes by number. */
static int open_high(const char *path, int flags)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 900);
    if (high < 0)
        return fd;
    syscall(SYS_close, fd);
    return high;
}

__attribute__((constructor)) static void begin(void)
{
    const char *dir = getenv("SY_FAULT_DIR"), *log = getenv("SY_FAULT_LOG"),
               *control = getenv("SY_FAULT_CTL"), *program = getenv("SY_FAULT_PROGRAM");
    if (!dir || strlen(dir) >= sizeof folder)
        return;
    n_folder = strlen(dir);
    memcpy(folder, dir, n_folder + 1);
    if (log)
        log_fd = open_high(log, O_WRONLY | O_APPEND | O_CREAT);
    if (control && strcmp(program_invocation_short_name, program ? program : "steelyard") == 0) {
        int fd = open_high(control, O_RDWR);
        void *map = mmap(NULL, sizeof *ctl, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ctl = map == MAP_FAILED ? NULL : map;
        syscall(SYS_close, fd);
    }
    pthread_atfork(lock_alone, shim_unlock, shim_unlock);
}

bool shim_strikes(_Atomic int64_t *after, _Atomic int64_t *times)
{
    int64_t left = atomic_load(after);
    if (left <= 0)
        return false;
    if (left > 1)
        left = atomic_fetch_sub(after, 1);
    if (left > 1)
        return false;
    atomic_store(after, 1); /* so many threads may have counted at once */
    int64_t more = atomic_load(times);
    if (more > 0 && atomic_fetch_sub(times, 1) <= 0)
        more = 0;
    if (more == 0)
        return false;
    atomic_fetch_add(&ctl->failed, 1);
    return true;
}

bool shim_fails(shim_call kind)
{
    if (!ctl)
        return false;
    atomic_fetch_add(&ctl->calls[kind], 1);
    if (!(atomic_load(&ctl->fail_kinds) & (INT64_C(1) << kind)) ||
        !shim_strikes(&ctl->fail_after, &ctl->fail_times))
        return false;
    errno = (int)atomic_load(&ctl->fail_errno);
    return true;
}

void shim_log(shim_op op, uint64_t ino, uint64_t a, uint64_t b, uint64_t dir, const void *bytes,
              size_t n)
{
    if (log_fd < 0)
        return;
    struct timespec mono, wall;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &mono);
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &wall);
    shim_entry e = {.magic = SHIM_MAGIC,
                    .length = (uint32_t)n,
                    .op = op,
                    .pid = (uint32_t)getpid(),
                    .mono_ns = (uint64_t)mono.tv_sec * 1000000000u + (uint64_t)mono.tv_nsec,
                    .wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
                    .ino = ino,
                    .a = a,
                    .b = b,
                    .dir = dir};
    struct iovec v[2] = {{&e, sizeof e}, {(void *)(uintptr_t)bytes, n}};
    if (syscall(SYS_writev, log_fd, v, n ? 2 : 1) != (long)(sizeof e + n))
        abort(); /* a log with a hole proves nothing */
    if (op == SHIM_OP_CREATE)
        seen[ino % SEEN] = ino;
}

uint64_t shim_ino(int fd)
{
    return fd >= 0 && fd < FDS ? atomic_load(&inos[fd]) : 0;
}

void shim_know(int fd, uint64_t ino)
{
    if (fd >= 0 && fd < FDS) {
        atomic_store(&inos[fd], ino);
        if (ino)
            seen[ino % SEEN] = ino;
    }
}

bool shim_below(int dirfd, const char *path, char *out, size_t size)
{
    char link[64], base[PATH_MAX] = "";
    if (!n_folder || !path)
        return false;
    if (path[0] != '/') {
        ssize_t n = 0;
        if (dirfd == AT_FDCWD) {
            n = syscall(SYS_getcwd, base, sizeof base) - 1;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
            n = readlink(link, base, sizeof base - 1);
        }
        if (n <= 0)
            return false;
        base[n] = 0;
    }
    int n = snprintf(out, size, "%s%s%s", base, base[0] ? "/" : "", path);
    return n > 0 && (size_t)n < size && strncmp(out, folder, n_folder) == 0 &&
           (out[n_folder] == '/' || out[n_folder] == 0);
}

void shim_take_in(uint64_t ino, const char *path)
{
    if (log_fd < 0 || seen[ino % SEEN] == ino)
        return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    struct stat st;
    void *bytes = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
                      ? malloc((size_t)st.st_size + 1)
                      : NULL;
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat dir;
    if (bytes && slash) {
        ssize_t n = syscall(SYS_pread64, fd, bytes, (size_t)st.st_size, (off_t)0);
        memcpy(parent, path, (size_t)(slash - path));
        parent[slash - path] = 0;
        if (n >= 0 && stat(parent, &dir) == 0) {
            shim_log(SHIM_OP_CREATE, ino, st.st_mode & 07777, 0, dir.st_ino, slash + 1,
                     strlen(slash + 1));
            shim_log(SHIM_OP_CONTENT, ino, 0, 0, 0, bytes, (size_t)n);
        }
    }
    free(bytes);
    if (fd >= 0)
        syscall(SYS_close, fd);
}
