/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on names: open, rename, link, unlink, folders. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct place { /* a name in a folder */
    char path[PATH_MAX];
    uint64_t dir;
    const char *name;
    bool exists;
    struct stat st;
} place;

/* False: not below the folder. */
static bool place_of(int dirfd, const char *path, place *p)
{
    if (!shim_below(dirfd, path, p->path, sizeof p->path))
        return false;
    int saved = errno;
    struct stat dir;
    char *slash = strrchr(p->path, '/');
    *slash = 0;
    p->dir = stat(p->path, &dir) == 0 ? dir.st_ino : 0;
    *slash = '/';
    p->name = slash + 1;
    p->exists = lstat(p->path, &p->st) == 0;
    errno = saved;
    return true;
}

static bool no_inode(void)
{
    shim_ctl *c = shim_control();
    if (!c || atomic_load(&c->no_inodes) <= 0)
        return false;
    errno = ENOSPC;
    return true;
}

static void log_name(shim_op op, const place *p, uint64_t ino, uint64_t a)
{
    shim_log(op, ino, a, 0, p->dir, p->name, strlen(p->name));
}

static int opened(int dirfd, const char *path, int flags, mode_t mode, place *p)
{
    struct stat st;
    if (shim_fails(SHIM_OPEN) || (!p->exists && (flags & O_CREAT) && no_inode()))
        return -1;
    int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
    if (fd < 0 || fstat(fd, &st) != 0)
        return fd;
    shim_know(fd, S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? st.st_ino : 0);
    if (S_ISREG(st.st_mode) && !p->exists)
        log_name(SHIM_OP_CREATE, p, st.st_ino, st.st_mode & 07777);
    else if (S_ISREG(st.st_mode) && (flags & O_TRUNC) && p->st.st_size > 0)
        shim_log(SHIM_OP_TRUNCATE, st.st_ino, 0, 0, 0, NULL, 0);
    return fd;
}

static int do_open(int dirfd, const char *path, int flags, mode_t mode)
{
    place p;
    if ((flags & O_PATH) || !shim_below(dirfd, path, p.path, sizeof p.path)) {
        int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
        shim_know(fd, 0);
        return fd;
    }
    shim_lock();
    (void)place_of(dirfd, path, &p);
    int fd = opened(dirfd, path, flags, mode, &p), saved = errno;
    shim_unlock();
    errno = saved;
    return fd;
}

static mode_t mode_of(int flags, va_list ap)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;
}

#define OPENS(name, ...)                                                                           \
    {                                                                                              \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode_t mode = mode_of(flags, ap);                                                          \
        va_end(ap);                                                                                \
        return do_open(__VA_ARGS__, flags, mode);                                                  \
    }
int open(const char *path, int flags, ...)
    OPENS(open, AT_FDCWD, path) int open64(const char *path, int flags, ...)
        OPENS(open64, AT_FDCWD, path) int openat(int dirfd, const char *path, int flags, ...)
            OPENS(openat, dirfd, path) int openat64(int dirfd, const char *path, int flags, ...)
                OPENS(openat64, dirfd, path)

    /* What the compiler's fortified headers call. */
    int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dirfd, const char *path, int flags);
int __openat64_2(int dirfd, const char *path, int flags);

int __open_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags, 0);
}

int __openat_2(int dirfd, const char *path, int flags)
{
    return do_open(dirfd, path, flags, 0);
}

int __openat64_2(int dirfd, const char *path, int flags)
{
    return do_open(dirfd, path, flags, 0);
}

static void log_rename(const place *from, const place *to)
{
    char names[2 * NAME_MAX + 2];
    size_t n = strlen(from->name), m = strlen(to->name);
    if (n > NAME_MAX || m > NAME_MAX)
        return;
    memcpy(names, from->name, n + 1);
    memcpy(names + n + 1, to->name, m);
    shim_log(SHIM_OP_RENAME, from->st.st_ino, 0, to->dir, from->dir, names, n + 1 + m);
}

int renameat2(int olddir, const char *old, int newdir, const char *new, unsigned flags)
{
    place from, to;
    if (!shim_below(olddir, old, from.path, sizeof from.path))
        return (int)syscall(SYS_renameat2, olddir, old, newdir, new, flags);
    shim_lock();
    int rc = -1;
    if (!shim_fails(SHIM_NAME)) {
        bool ours = place_of(olddir, old, &from) && place_of(newdir, new, &to);
        if (ours && from.exists && S_ISREG(from.st.st_mode))
            shim_take_in(from.st.st_ino, from.path);
        rc = (int)syscall(SYS_renameat2, olddir, old, newdir, new, flags);
        if (rc == 0 && ours)
            log_rename(&from, &to);
    }
    int saved = errno;
    shim_unlock();
    errno = saved;
    return rc;
}

int rename(const char *old, const char *new)
{
    return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int renameat(int olddir, const char *old, int newdir, const char *new)
{
    return renameat2(olddir, old, newdir, new, 0);
}

int unlinkat(int dirfd, const char *path, int flags)
{
    place p;
    if (!shim_below(dirfd, path, p.path, sizeof p.path))
        return (int)syscall(SYS_unlinkat, dirfd, path, flags);
    shim_lock();
    int rc = -1;
    (void)place_of(dirfd, path, &p);
    if (!shim_fails(SHIM_NAME)) {
        rc = (int)syscall(SYS_unlinkat, dirfd, path, flags);
        if (rc == 0 && p.exists && (S_ISREG(p.st.st_mode) || S_ISDIR(p.st.st_mode)))
            log_name(SHIM_OP_UNLINK, &p, p.st.st_ino, 0);
        shim_ctl *c = shim_control();
        if (rc == 0 && p.exists && S_ISREG(p.st.st_mode) && c && atomic_load(&c->room) >= 0)
            atomic_fetch_add(&c->room, p.st.st_size);
    }
    int saved = errno;
    shim_unlock();
    errno = saved;
    return rc;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
    int rc = unlinkat(AT_FDCWD, path, 0);
    return rc == 0 || errno != EISDIR ? rc : rmdir(path);
}

int linkat(int olddir, const char *old, int newdir, const char *new, int flags)
{
    place p;
    if (!shim_below(newdir, new, p.path, sizeof p.path))
        return (int)syscall(SYS_linkat, olddir, old, newdir, new, flags);
    shim_lock();
    int rc = -1;
    (void)place_of(newdir, new, &p);
    if (!shim_fails(SHIM_NAME))
        rc = (int)syscall(SYS_linkat, olddir, old, newdir, new, flags);
    if (rc == 0 && lstat(p.path, &p.st) == 0)
        log_name(SHIM_OP_LINK, &p, p.st.st_ino, 0);
    int saved = errno;
    shim_unlock();
    errno = saved;
    return rc;
}

int link(const char *old, const char *new)
{
    return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int mkdirat(int dirfd, const char *path, mode_t mode)
{
    place p;
    if (!shim_below(dirfd, path, p.path, sizeof p.path))
        return (int)syscall(SYS_mkdirat, dirfd, path, mode);
    shim_lock();
    int rc = -1;
    (void)place_of(dirfd, path, &p);
    if (!shim_fails(SHIM_NAME) && (p.exists || !no_inode()))
        rc = (int)syscall(SYS_mkdirat, dirfd, path, mode);
    if (rc == 0 && lstat(p.path, &p.st) == 0)
        log_name(SHIM_OP_MKDIR, &p, p.st.st_ino, p.st.st_mode & 07777);
    int saved = errno;
    shim_unlock();
    errno = saved;
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}
