/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts in a file that is replaced as a whole, and Argon2id by the reference library. */
#include "console/users.h"

#include <argon2.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/utf8.h"

/* RFC 9106 asks for 64 MiB where there is room; a small box has less to give: 19 MiB, two passes.
 */
enum { PASSES = 2, MEMORY_KIB = 19 * 1024, LANES = 1, SALT = 16, HASH = 32, FILE_MOST = 1 << 17 };

static void path_of(const char *data_dir, const char *suffix, char out[4200])
{
    snprintf(out, 4200, "%s/users%s", data_dir, suffix);
}

bool sy_user_name_valid(sy_span name)
{
    if (name.n < 1 || name.n > SY_USER_NAME || sy_utf8_check(name) != name.n) {
        return false;
    }
    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 127) {
            return false;
        }
    }
    return true;
}

/* The next word of a line; empty at its end. */
static sy_span word(sy_span *line)
{
    while (line->n && *line->p == ' ') {
        line->p++, line->n--;
    }
    sy_span w = {line->p, 0};
    while (line->n && *line->p != ' ') {
        line->p++, line->n--, w.n++;
    }
    return w;
}

static bool take_line(sy_users *u, sy_span line)
{
    sy_user *x = &u->v[u->n];
    sy_span name = word(&line), role = word(&line), hash = word(&line);
    if (!sy_user_name_valid(name) || !sy_role_of(role, &x->role) || hash.n < 20 ||
        hash.n >= sizeof x->hash || line.n || u->n >= SY_USERS_MOST) {
        return false;
    }
    memcpy(x->name, name.p, name.n);
    x->name[name.n] = 0;
    memcpy(x->hash, hash.p, hash.n);
    x->hash[hash.n] = 0;
    if (sy_users_find(u, x->name)) {
        return false;
    }
    u->n++;
    return true;
}

static sy_err take(sy_users *u, sy_span text, const char *path, sy_fail *f)
{
    u->v = calloc(SY_USERS_MOST + 1, sizeof *u->v);
    if (!u->v) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for accounts");
    }
    for (unsigned number = 1; text.n; number++) {
        const char *end = memchr(text.p, '\n', text.n);
        sy_span line = {text.p, end ? (size_t)(end - text.p) : text.n};
        if (line.n && line.p[0] != '#' && !take_line(u, line)) {
            sy_users_free(u);
            return sy_fail_set(
                f, SY_E_CORRUPT,
                "%s: line %u is no account: name, role and a password's hash; add it "
                "anew with `steelyard users add`",
                path, number);
        }
        size_t used = line.n + (end ? 1 : 0);
        text.p += used;
        text.n -= used;
    }
    return SY_OK;
}

sy_err sy_users_read(const char *data_dir, sy_users *out, sy_fail *f)
{
    char path[4200];
    sy_buf text;
    *out = (sy_users){NULL, 0};
    path_of(data_dir, "", path);
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return SY_OK;
    }
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_file_read(path, FILE_MOST, &text, f);
    e = e ? e : take(out, sy_buf_span(&text), path, f);
    sy_buf_fini(&text);
    return e;
}

void sy_users_free(sy_users *u)
{
    free(u->v);
    *u = (sy_users){NULL, 0};
}

const sy_user *sy_users_find(const sy_users *u, const char *name)
{
    for (size_t i = 0; i < u->n; i++) {
        if (strcmp(u->v[i].name, name) == 0) {
            return &u->v[i];
        }
    }
    return NULL;
}

static sy_err write_all(const char *data_dir, const sy_users *u, sy_fail *f)
{
    char path[4200];
    sy_buf text;
    path_of(data_dir, "", path);
    sy_buf_init(&text, sy_heap());
    for (size_t i = 0; i < u->n; i++) {
        if (u->v[i].name[0]) {
            sy_buf_printf(&text, "%s %s %s\n", u->v[i].name, sy_role_word(u->v[i].role),
                          u->v[i].hash);
        }
    }
    sy_err e = text.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for accounts")
                           : sy_file_write(path, sy_buf_span(&text), 0600, f);
    sy_buf_fini(&text);
    return e;
}

static sy_err lock(const char *data_dir, int *fd, sy_fail *f)
{
    char path[4200];
    path_of(data_dir, ".lock", path);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0) {
        return sy_fail_sys(f, "%s", path);
    }
    while (flock(*fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            sy_err e = sy_fail_sys(f, "%s", path);
            close(*fd);
            return e;
        }
    }
    return SY_OK;
}

static sy_err hash_of(const char *name, const char *password, char out[200], sy_fail *f)
{
    unsigned char salt[SALT];
    size_t n = strlen(password);
    if (n < SY_PASSWORD_LEAST || n > SY_PASSWORD_MOST || strcmp(password, name) == 0) {
        return sy_fail_set(f, SY_E_RANGE,
                           "the password must have %d to %d bytes and not be the name",
                           SY_PASSWORD_LEAST, SY_PASSWORD_MOST);
    }
    sy_random(salt, sizeof salt);
    int rc = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password, n, salt, sizeof salt, HASH,
                                   out, 200);
    return rc == ARGON2_OK ? SY_OK
                           : sy_fail_set(f, SY_E_NOMEM, "the password cannot be hashed: %s",
                                         argon2_error_message(rc));
}

static sy_err change(sy_users *u, const char *name, sy_role role, const char *password, sy_fail *f)
{
    sy_user *x = (sy_user *)(uintptr_t)sy_users_find(u, name);
    if (!x && !password) {
        return sy_fail_set(f, SY_E_NOTFOUND, "there is no account '%s'", name);
    }
    if (!x && u->n >= SY_USERS_MOST) {
        return sy_fail_set(f, SY_E_FULL, "there are %d accounts, the most there may be",
                           SY_USERS_MOST);
    }
    if (!x) {
        x = &u->v[u->n++];
        snprintf(x->name, sizeof x->name, "%s", name);
    }
    x->role = role;
    return password ? hash_of(name, password, x->hash, f) : SY_OK;
}

sy_err sy_users_set(const char *data_dir, const char *name, sy_role role, const char *password,
                    sy_fail *f)
{
    sy_users u;
    int fd;
    if (!sy_user_name_valid(sy_span_of(name))) {
        return sy_fail_set(f, SY_E_RANGE,
                           "a name has 1 to %d bytes, without blanks and control characters",
                           SY_USER_NAME);
    }
    sy_err e = lock(data_dir, &fd, f);
    if (e) {
        return e;
    }
    e = sy_users_read(data_dir, &u, f);
    if (!e && !u.v) {
        u.v = calloc(SY_USERS_MOST + 1, sizeof *u.v);
        e = u.v ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for accounts");
    }
    e = e ? e : change(&u, name, role, password, f);
    e = e ? e : write_all(data_dir, &u, f);
    sy_users_free(&u);
    close(fd);
    return e;
}

sy_err sy_users_remove(const char *data_dir, const char *name, sy_fail *f)
{
    sy_users u;
    int fd;
    sy_err e = lock(data_dir, &fd, f);
    if (e) {
        return e;
    }
    e = sy_users_read(data_dir, &u, f);
    sy_user *x = e ? NULL : (sy_user *)(uintptr_t)sy_users_find(&u, name);
    if (!e && !x) {
        e = sy_fail_set(f, SY_E_NOTFOUND, "there is no account '%s'", name);
    }
    if (!e) {
        x->name[0] = 0;
        e = write_all(data_dir, &u, f);
    }
    sy_users_free(&u);
    close(fd);
    return e;
}

bool sy_user_check(const sy_user *user, sy_span password)
{
    if (password.n > SY_PASSWORD_MOST) {
        return false;
    }
    if (!user) {
        unsigned char salt[SALT] = {0}, out[HASH];
        (void)argon2id_hash_raw(PASSES, MEMORY_KIB, LANES, password.p, password.n, salt,
                                sizeof salt, out, sizeof out);
        return false;
    }
    return argon2id_verify(user->hash, password.p, password.n) == ARGON2_OK;
}

void sy_user_stamp(const sy_user *user, unsigned char out[32])
{
    sy_sha256 h;
    sy_sha256_init(&h);
    sy_sha256_add(&h, user->name, strlen(user->name) + 1);
    sy_sha256_add(&h, sy_role_word(user->role), strlen(sy_role_word(user->role)) + 1);
    sy_sha256_add(&h, user->hash, strlen(user->hash));
    sy_sha256_end(&h, out);
}
