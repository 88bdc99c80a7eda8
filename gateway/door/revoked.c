/* SPDX-License-Identifier: Apache-2.0 */
#include "door/revoked.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAX_FILE = 4 << 20 };

static sy_err path_of(const char *data, const char *name, char out[PATH_MAX], sy_fail *f)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", data, name);
    return n > 0 && n < PATH_MAX ? SY_OK
                                 : sy_fail_set(f, SY_E_RANGE, "the data folder's name is too long");
}

sy_err sy_revoked_read(const char *data, sy_buf *out, sy_fail *f)
{
    char path[PATH_MAX];
    sy_err e = path_of(data, "revoked", path, f);
    if (e || access(path, F_OK) != 0)
        return e;
    return sy_file_read(path, MAX_FILE, out, f);
}

/* The next line without its end; false at the end of the text. */
static bool next_line(sy_span *rest, sy_span *line)
{
    const char *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    *line = (sy_span){rest->p, nl ? (size_t)(nl - rest->p) : rest->n};
    size_t used = line->n + (nl ? 1 : 0);
    bool more = rest->p && rest->n > 0;
    *rest = (sy_span){rest->p + used, rest->n - used};
    return more;
}

bool sy_revoked_has(sy_span text, const char *id)
{
    const sy_span own = {id, strlen(id)};
    for (sy_span line; next_line(&text, &line);)
        if (sy_span_eq(line, own))
            return true;
    return false;
}

static sy_err write_without(const char *data, const char *id, bool revoked, sy_fail *f)
{
    char path[PATH_MAX];
    sy_buf old, next;
    sy_buf_init(&old, sy_heap());
    sy_buf_init(&next, sy_heap());
    sy_err e = sy_revoked_read(data, &old, f);
    const sy_span own = {id, strlen(id)};
    sy_span rest = sy_buf_span(&old);
    for (sy_span line; !e && next_line(&rest, &line);)
        if (line.n > 0 && !sy_span_eq(line, own)) {
            sy_buf_span_put(&next, line);
            sy_buf_char(&next, '\n');
        }
    if (revoked) {
        sy_buf_text(&next, id);
        sy_buf_char(&next, '\n');
    }
    bool same = !e && next.n == old.n && (!next.n || memcmp(next.p, old.p, next.n) == 0);
    e = e ? e : path_of(data, "revoked", path, f);
    if (!e && !same)
        e = next.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for %s", path)
                        : sy_file_write(path, sy_buf_span(&next), 0600, f);
    sy_buf_fini(&old);
    sy_buf_fini(&next);
    return e;
}

sy_err sy_revoked_set(const char *data, const char *id, bool revoked, sy_fail *f)
{
    char path[PATH_MAX];
    sy_err e = sy_dir_make(data, f);
    e = e ? e : path_of(data, "revoked.lock", path, f);
    if (e)
        return e;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        e = sy_fail_sys(f, "cannot lock %s", path);
    else
        e = write_without(data, id, revoked, f);
    if (fd >= 0)
        close(fd);
    return e;
}
