/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on open files: read, written, sized, synced, mapped. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { AT_CURSOR = -1 };

/* How much room a file takes when it reaches up to `end`; false (ENOSPC) where there is less.
 * *room: what is left of a write that is cut short by it. */
static bool takes_room(int fd, off_t end, off_t *least)
{
    shim_ctl *c = shim_control();
    struct stat st;
    *least = end;
    if (!c || atomic_load(&c->room) < 0 || fstat(fd, &st) != 0 || end <= st.st_size)
        return true;
    int64_t grows = end - st.st_size, left = atomic_fetch_sub(&c->room, grows);
    if (left >= grows)
        return true;
    atomic_store(&c->room, left < 0 ? 0 : left);
    *least = st.st_size + (left < 0 ? 0 : left);
    errno = ENOSPC;
    return false;
}

static void gives_room(int64_t bytes)
{
    shim_ctl *c = shim_control();
    if (c && atomic_load(&c->room) >= 0)
        atomic_fetch_add(&c->room, bytes);
}

static void log_write(uint64_t ino, const struct iovec *iov, int count, off_t off, size_t n)
{
    for (int i = 0; i < count && n; i++) {
        size_t part = iov[i].iov_len < n ? iov[i].iov_len : n;
        if (part)
            shim_log(SHIM_OP_WRITE, ino, (uint64_t)off, 0, 0, iov[i].iov_base, part);
        off += (off_t)part;
        n -= part;
    }
}

static ssize_t do_write(int fd, const struct iovec *iov, int count, off_t off)
{
    struct iovec part;
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += iov[i].iov_len;
    if (off == AT_CURSOR) {
        off = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
        if (fcntl(fd, F_GETFL) & O_APPEND)
            off = (off_t)syscall(SYS_lseek, fd, 0, SEEK_END);
        syscall(SYS_lseek, fd, off, SEEK_SET);
    }
    bool fails = shim_fails(SHIM_WRITE);
    if (fails && errno)
        return -1;
    off_t least;
    if (!takes_room(fd, off + (off_t)total, &least)) {
        if (least <= off)
            return -1;
        fails = true;
    }
    if (fails && total > 1) {
        part = iov[0];
        part.iov_len = part.iov_len > 1 ? part.iov_len / 2 : 1;
        if (off + (off_t)part.iov_len > least && least > off)
            part.iov_len = (size_t)(least - off);
        iov = &part;
        count = 1;
    }
    ssize_t n = syscall(SYS_pwritev, fd, iov, count, off, off >> 31 >> 1);
    if (n > 0 && shim_logs())
        log_write(shim_ino(fd), iov, count, off, (size_t)n);
    return n;
}

static ssize_t changed(int fd, const struct iovec *iov, int count, off_t off)
{
    bool cursor = off == AT_CURSOR;
    shim_lock();
    ssize_t n = do_write(fd, iov, count, off);
    if (cursor && n > 0)
        syscall(SYS_lseek, fd, n, SEEK_CUR);
    int saved = errno;
    shim_unlock();
    errno = saved;
    return n;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    struct iovec v = {(void *)(uintptr_t)bytes, n};
    return shim_ino(fd) ? changed(fd, &v, 1, AT_CURSOR) : syscall(SYS_write, fd, bytes, n);
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    return shim_ino(fd) ? changed(fd, iov, count, AT_CURSOR) : syscall(SYS_writev, fd, iov, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t off)
{
    struct iovec v = {(void *)(uintptr_t)bytes, n};
    return shim_ino(fd) ? changed(fd, &v, 1, off) : syscall(SYS_pwrite64, fd, bytes, n, off);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t off)
{
    return pwrite(fd, bytes, n, off);
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t off)
{
    return shim_ino(fd) ? changed(fd, iov, count, off)
                        : syscall(SYS_pwritev, fd, iov, count, off, off >> 31 >> 1);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int count, off_t off)
{
    return pwritev(fd, iov, count, off);
}

/* True: *n is the answer. */
static bool read_fails(int fd, size_t *n)
{
    if (!shim_ino(fd) || !shim_fails(SHIM_READ))
        return false;
    if (errno)
        return true;
    *n = *n > 1 ? *n / 2 : *n;
    return false;
}

ssize_t read(int fd, void *bytes, size_t n)
{
    return read_fails(fd, &n) ? -1 : syscall(SYS_read, fd, bytes, n);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t off)
{
    return read_fails(fd, &n) ? -1 : syscall(SYS_pread64, fd, bytes, n, off);
}

ssize_t pread64(int fd, void *bytes, size_t n, off_t off)
{
    return pread(fd, bytes, n, off);
}

static int resized(int fd, off_t size, bool allocate)
{
    struct stat st = {.st_size = 0};
    off_t least;
    if (shim_fails(SHIM_SIZE) || (allocate && !takes_room(fd, size, &least)))
        return -1;
    (void)fstat(fd, &st);
    int rc = (int)(allocate ? syscall(SYS_fallocate, fd, 0, (off_t)0, size)
                            : syscall(SYS_ftruncate, fd, size));
    if (rc == 0) {
        if (!allocate && size < st.st_size)
            gives_room(st.st_size - size);
        shim_log(allocate ? SHIM_OP_ALLOCATE : SHIM_OP_TRUNCATE, shim_ino(fd), (uint64_t)size, 0, 0,
                 NULL, 0);
    }
    return rc;
}

static int size_to(int fd, off_t size, bool allocate)
{
    shim_lock();
    int rc = resized(fd, size, allocate), saved = errno;
    shim_unlock();
    errno = saved;
    return rc;
}

int ftruncate(int fd, off_t size)
{
    return shim_ino(fd) ? size_to(fd, size, false) : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

/* Of the modes only the plain one is logged; another one on a file of ours would make a wrong log.
 */
int fallocate(int fd, int mode, off_t off, off_t n)
{
    if (!shim_ino(fd))
        return (int)syscall(SYS_fallocate, fd, mode, off, n);
    if (mode != 0)
        abort();
    return size_to(fd, off + n, true);
}

int fallocate64(int fd, int mode, off_t off, off_t n)
{
    return fallocate(fd, mode, off, n);
}

int posix_fallocate(int fd, off_t off, off_t n)
{
    return fallocate(fd, 0, off, n) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off_t off, off_t n)
{
    return posix_fallocate(fd, off, n);
}

static int synced(int fd, long call)
{
    static _Atomic uint64_t numbers;
    uint64_t ino = shim_ino(fd), number = 0;
    if (shim_logs()) {
        char link[64], path[PATH_MAX];
        struct stat st;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = ino ? 0 : readlink(link, path, sizeof path - 1);
        shim_lock();
        if (n > 0 && fstat(fd, &st) == 0) { /* opened by ways that are not seen */
            path[n] = 0;
            char whole[PATH_MAX];
            if (shim_below(AT_FDCWD, path, whole, sizeof whole)) {
                ino = st.st_ino;
                shim_take_in(ino, whole);
            }
        }
        number = (uint64_t)getpid() << 32 | ++numbers;
        if (ino)
            shim_log(SHIM_OP_SYNC, ino, number, 0, 0, NULL, 0);
        shim_unlock();
    }
    if (ino && shim_fails(SHIM_SYNC))
        return -1;
    int rc = (int)syscall(call, fd);
    if (ino && rc == 0 && shim_logs()) {
        shim_lock();
        shim_log(SHIM_OP_SYNCED, ino, number, 0, 0, NULL, 0);
        shim_unlock();
    }
    return rc;
}

int fsync(int fd)
{
    return synced(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return synced(fd, SYS_fdatasync);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
    uint64_t ino = shim_ino(fd);
    if (ino && shim_fails(SHIM_MAP))
        return MAP_FAILED;
    void *map = (void *)syscall(SYS_mmap, at, n, prot, flags, fd, off);
    if (ino && map != MAP_FAILED && (flags & MAP_SHARED) && (prot & PROT_WRITE)) {
        shim_lock();
        shim_log(SHIM_OP_MAP, ino, 0, 0, 0, NULL, 0);
        shim_unlock();
    }
    return map;
}

void *mmap64(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
    return mmap(at, n, prot, flags, fd, off);
}

int close(int fd)
{
    shim_know(fd, 0);
    return (int)syscall(SYS_close, fd);
}

/* What is left of the room shows here as well. */
int statvfs(const char *path, struct statvfs *out)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int rc = fstatvfs(fd, out);
    syscall(SYS_close, fd);
    char whole[PATH_MAX];
    shim_ctl *c = shim_control();
    if (rc == 0 && c && atomic_load(&c->room) >= 0 &&
        shim_below(AT_FDCWD, path, whole, sizeof whole))
        out->f_bavail = (fsblkcnt_t)atomic_load(&c->room) / out->f_frsize;
    return rc;
}

int statvfs64(const char *path, struct statvfs64 *out)
{
    return statvfs(path, (struct statvfs *)out);
}
