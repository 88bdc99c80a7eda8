/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kept passwords of the managed broker's devices, as hashes: <dir>/passwords, and
 * <dir>/onboard for the user of devices that nobody knows yet (docs/formats.md).
 *
 * A line is "id:hash", the password in force, or "id:hash:until", one that is good until then
 * (epoch ms): that before a rotation, or the onboarding one. Written whole, under a lock file,
 * since two commands at once must not lose each other's line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "drivers/mqtt/broker_int.h"

enum { MAX_FILE = 16 << 20 };

/* The next line, without its end; false at the end of the text. */
static bool next_line(sy_span *rest, sy_span *line)
{
    const char *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    if (!nl) {
        return false; /* what is cut off is no line */
    }
    *line = (sy_span){rest->p, (size_t)(nl - rest->p)};
    *rest = (sy_span){nl + 1, rest->n - line->n - 1};
    return true;
}

/* What stands behind "id:", or an empty span. */
static sy_span value_of(sy_span line, const char *id)
{
    size_t n = strlen(id);
    bool fits = line.n > n + 1 && memcmp(line.p, id, n) == 0 && line.p[n] == ':';
    return fits ? (sy_span){line.p + n + 1, line.n - n - 1} : (sy_span){NULL, 0};
}

sy_broker__kept sy_broker__kept_of(sy_span file, const char *id)
{
    sy_broker__kept k = {.hash = {NULL, 0}};
    for (sy_span line; next_line(&file, &line);) {
        sy_span v = value_of(line, id);
        const char *colon = v.n ? memchr(v.p, ':', v.n) : NULL;
        if (colon) {
            k.old = (sy_span){v.p, (size_t)(colon - v.p)};
            k.old_until = 0;
            for (const char *p = colon + 1; p < v.p + v.n && *p >= '0' && *p <= '9'; p++) {
                k.old_until = k.old_until < SY_MS_MAX / 100 ? k.old_until * 10 + (*p - '0') : 0;
            }
        } else if (v.n && !k.hash.n) {
            k.hash = v;
        }
    }
    return k;
}

sy_err sy_broker__read_kept(const char *dir, sy_buf *out, sy_fail *f)
{
    char path[SY_BROKER__PATH];
    sy_err e = sy_broker__path(dir, "passwords", path, f);
    if (e || access(path, F_OK) != 0) {
        return e;
    }
    return sy_file_read(path, MAX_FILE, out, f);
}

static sy_err put_line(sy_buf *b, const char *id, sy_span hash, sy_ms until)
{
    sy_buf_printf(b, "%s:%.*s", id, (int)hash.n, hash.p);
    if (until) {
        sy_buf_printf(b, ":%lld", (long long)until);
    }
    sy_buf_char(b, '\n');
    return SY_OK;
}

/* The file without the device's lines, then these (an empty hash: none). */
static sy_err write_lines(const char *dir, const char *id, sy_span kept, sy_span hash, sy_span old,
                          sy_ms until, sy_fail *f)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    for (sy_span line; next_line(&kept, &line);) {
        if (!value_of(line, id).n) {
            sy_buf_span_put(&b, line);
            sy_buf_char(&b, '\n');
        }
    }
    if (hash.n) {
        put_line(&b, id, hash, 0);
    }
    if (old.n) {
        put_line(&b, id, old, until);
    }
    sy_err e = sy_broker__put_file(dir, "passwords", &b, f);
    sy_buf_fini(&b);
    return e;
}

typedef struct change {
    const char *device;
    const char *password; /* the new one; NULL: none */
    bool settle;          /* only that before goes */
    sy_ms until;          /* that in force becomes one good until then; 0: it goes */
} change;

static sy_err apply(const char *dir, const change *c, sy_fail *f)
{
    sy_buf kept;
    char fresh[SY_BROKER__HASH] = "";
    sy_buf_init(&kept, sy_heap());
    sy_err e = sy_broker__read_kept(dir, &kept, f);
    sy_broker__kept k = sy_broker__kept_of(sy_buf_span(&kept), c->device);
    if (!e && !c->password && !k.hash.n) {
        e = sy_fail_set(f, SY_E_NOTFOUND, "device %.100s has no password", c->device);
    }
    if (!e && c->password) {
        e = sy_broker__hash(c->password, fresh, f);
    }
    if (!e) {
        sy_span hash = c->settle ? k.hash : sy_span_of(fresh);
        sy_span old = c->until ? k.hash : (sy_span){NULL, 0};
        e = write_lines(dir, c->device, sy_buf_span(&kept), hash, old, c->until, f);
    }
    sy_buf_fini(&kept);
    return e;
}

static sy_err change_kept(const char *dir, const change *c, sy_fail *f)
{
    char path[SY_BROKER__PATH];
    if (!sy_broker__name_fits(c->device)) {
        return sy_fail_set(f, SY_E_USAGE, "\"%.100s\" cannot be a device's id", c->device);
    }
    sy_err e = sy_dir_make(dir, f);
    e = e ? e : sy_broker__path(dir, "passwords.lock", path, f);
    if (e) {
        return e;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        e = sy_fail_sys(f, "cannot lock %.200s", path);
    } else {
        e = apply(dir, c, f);
    }
    if (fd >= 0) {
        close(fd);
    }
    return e;
}

sy_err sy_broker_credential(const char *dir, const char *device, const char *password, sy_fail *f)
{
    change c = {.device = device, .password = password};
    return change_kept(dir, &c, f);
}

sy_err sy_broker_rotate(const char *dir, const char *device, const char *password, sy_ms until,
                        sy_fail *f)
{
    change c = {.device = device, .password = password, .until = until};
    return change_kept(dir, &c, f);
}

sy_err sy_broker__settle(const char *dir, const char *device, sy_fail *f)
{
    change c = {.device = device, .settle = true};
    return change_kept(dir, &c, f);
}

sy_err sy_broker_onboard(const char *dir, const char *password, sy_ms until, sy_fail *f)
{
    sy_buf b;
    char hash[SY_BROKER__HASH];
    sy_buf_init(&b, sy_heap());
    sy_err e = sy_dir_make(dir, f);
    if (!e && password) {
        e = sy_broker__hash(password, hash, f);
        e = e ? e : put_line(&b, SY_SPOOL_STRANGER, sy_span_of(hash), until);
    }
    e = e ? e : sy_broker__put_file(dir, SY_BROKER__ONBOARD, &b, f);
    sy_buf_fini(&b);
    return e;
}

bool sy_broker_has_credential(const char *dir, const char *device)
{
    sy_buf kept;
    sy_buf_init(&kept, sy_heap());
    bool has = sy_broker__read_kept(dir, &kept, NULL) == SY_OK &&
               sy_broker__kept_of(sy_buf_span(&kept), device).hash.n > 0;
    sy_buf_fini(&kept);
    return has;
}
