/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: read with a bound, replaced so that a power cut leaves the old or the new one. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"

sy_err sy_file_read(const char *path, size_t max, sy_buf *out, sy_fail *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sy_fail_sys(f, "cannot open %s", path);
    size_t total = 0;
    sy_err e = SY_OK;
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            e = sy_fail_sys(f, "cannot read %s", path);
            break;
        }
        if (n == 0)
            break;
        total += (size_t)n;
        if (total > max) {
            e = sy_fail_set(f, SY_E_RANGE, "%s is larger than %zu bytes", path, max);
            break;
        }
        sy_buf_put(out, chunk, (size_t)n);
    }
    close(fd);
    if (e == SY_OK && out->failed)
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for %s", path);
    return e;
}

sy_err sy_write_all(int fd, const void *bytes, size_t n, sy_fail *f)
{
    const char *p = bytes;
    while (n) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return sy_fail_sys(f, "cannot write");
        p += w;
        n -= (size_t)w;
    }
    return SY_OK;
}

sy_err sy_dir_sync(const char *path, sy_fail *f)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return sy_fail_sys(f, "cannot open folder %s", path);
    sy_err e = SY_OK;
    if (fsync(fd) != 0)
        e = sy_fail_sys(f, "cannot sync folder %s", path);
    close(fd);
    return e;
}

static sy_err write_beside(const char *tmp, sy_span bytes, unsigned mode, sy_fail *f)
{
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    if (fd < 0)
        return sy_fail_sys(f, "cannot create %s", tmp);
    sy_err e = sy_write_all(fd, bytes.p, bytes.n, f);
    if (e != SY_OK)
        sy_fail_wrap(f, "%s", tmp);
    else if (fchmod(fd, (mode_t)mode) != 0 || fsync(fd) != 0)
        e = sy_fail_sys(f, "cannot sync %s", tmp);
    if (close(fd) != 0 && e == SY_OK)
        e = sy_fail_sys(f, "cannot close %s", tmp);
    return e;
}

/* What root makes belongs to the owner of `like`, or else of the folder: what a person does with
 * sudo must stay readable for the service. */
static sy_err hand_over(const char *path, const char *like, const char *folder, sy_fail *f)
{
    struct stat st;
    if (geteuid() != 0 || (lstat(like, &st) != 0 && stat(folder, &st) != 0))
        return SY_OK;
    bool ours = st.st_uid == 0 && st.st_gid == getegid();
    return ours || lchown(path, st.st_uid, st.st_gid) == 0
               ? SY_OK
               : sy_fail_sys(f, "cannot give %s to its owner", path);
}

sy_err sy_file_write(const char *path, sy_span bytes, unsigned mode, sy_fail *f)
{
    char tmp[PATH_MAX], folder[PATH_MAX];
    if (snprintf(tmp, sizeof tmp, "%s.new", path) >= (int)sizeof tmp ||
        snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
        return sy_fail_set(f, SY_E_RANGE, "path too long: %.200s", path);
    const char *in = dirname(folder);
    sy_err e = write_beside(tmp, bytes, mode, f);
    if (e == SY_OK)
        e = hand_over(tmp, path, in, f);
    if (e == SY_OK && rename(tmp, path) != 0)
        e = sy_fail_sys(f, "cannot replace %s", path);
    if (e != SY_OK) {
        unlink(tmp);
        return e;
    }
    return sy_dir_sync(in, f);
}

/* A folder that was just made: what is kept in it is only as safe as its own name. */
static sy_err sync_parent(const char *path, sy_fail *f)
{
    char copy[PATH_MAX];
    memcpy(copy, path, strlen(path) + 1);
    const char *in = dirname(copy);
    sy_err e = hand_over(path, in, in, f);
    return e ? e : sy_dir_sync(in, f);
}

sy_err sy_dir_make(const char *path, sy_fail *f)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part)
        return sy_fail_set(f, SY_E_RANGE, "path empty or too long: %.200s", path);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != 0)
            continue;
        char keep = part[i];
        part[i] = 0;
        bool made = mkdir(part, 0700) == 0;
        if (!made && errno != EEXIST)
            return sy_fail_sys(f, "cannot make folder %s", part);
        sy_err e = made ? sync_parent(part, f) : SY_OK;
        if (e)
            return e;
        part[i] = keep;
    }
    struct stat st;
    if (stat(path, &st) != 0)
        return sy_fail_sys(f, "cannot use folder %s", path);
    if (!S_ISDIR(st.st_mode))
        return sy_fail_set(f, SY_E_EXISTS, "%s is no folder", path);
    return SY_OK;
}
