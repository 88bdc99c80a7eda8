/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/mqtt/plugin/access.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/mqtt/broker_int.h"

typedef struct right {
    const char *topic; /* without "/#" */
    size_t n;
    bool below;
    bool read; /* else: write */
} right;

typedef struct user {
    const char *name, *hash; /* hash "": no password */
    const char *old;         /* the hash before, "": none */
    sy_ms old_until, until;  /* until 0: for ever */
    size_t first, n;         /* rights */
    bool reads, certified, stranger, revoked;
} user;

struct sy_access {
    char *text; /* the file; its line ends are NULs */
    user *users;
    size_t n_users, cap_users;
    right *rights;
    size_t n_rights, cap_rights;
};

static int by_name(const void *a, const void *b)
{
    const user *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static const user *find(const sy_access *a, const char *name)
{
    user key = {.name = name ? name : ""};
    return a->n_users ? bsearch(&key, a->users, a->n_users, sizeof key, by_name) : NULL;
}

static sy_err add_user(sy_access *a, const char *name)
{
    sy_err e =
        sy_grow(sy_heap(), (void **)&a->users, &a->cap_users, a->n_users + 1, sizeof *a->users);
    if (!e) {
        a->users[a->n_users++] = (user){.name = name, .hash = "", .old = "", .first = a->n_rights};
    }
    return e;
}

static sy_err add_right(sy_access *a, const char *topic, bool read)
{
    sy_err e =
        sy_grow(sy_heap(), (void **)&a->rights, &a->cap_rights, a->n_rights + 1, sizeof *a->rights);
    size_t n = strlen(topic);
    bool all = strcmp(topic, "#") == 0;
    bool below = all || (n > 2 && strcmp(topic + n - 2, "/#") == 0);
    if (!e) {
        a->rights[a->n_rights++] = (right){topic, all ? 0 : below ? n - 2 : n, below, read};
        a->users[a->n_users - 1].n++;
    }
    return e;
}

/* "<epoch ms>" at the head of the text; what follows it, or NULL. */
static const char *take_ms(const char *text, sy_ms *out)
{
    char *end = NULL;
    errno = 0;
    long long v = text[0] >= '0' && text[0] <= '9' ? strtoll(text, &end, 10) : -1;
    *out = v;
    return v >= 0 && errno == 0 ? end : NULL;
}

/* What is said of the last user; false where it is nothing. */
static bool take_mark(user *u, const char *line)
{
    const char *rest = NULL;
    if (line[0] == 'h') {
        u->hash = line + 1;
        return true;
    }
    if (line[0] == 'o') {
        rest = take_ms(line + 1, &u->old_until);
        u->old = rest && rest[0] == ' ' ? rest + 1 : "";
        return u->old[0] != '\0';
    }
    if (line[0] == 'e') {
        rest = take_ms(line + 1, &u->until);
        return rest && rest[0] == '\0';
    }
    if (line[0] == '\0' || line[1] != '\0') {
        return false;
    }
    u->reads = u->reads || line[0] == 'r';
    u->certified = u->certified || line[0] == 'c';
    u->stranger = u->stranger || line[0] == 's';
    u->revoked = u->revoked || line[0] == 'x';
    return strchr("rcsx", line[0]) != NULL;
}

static sy_err take_line(sy_access *a, const char *line, sy_fail *f)
{
    sy_err e = SY_E_PARSE;
    user *last = a->n_users ? &a->users[a->n_users - 1] : NULL;
    if (line[0] == 'u' && line[1]) {
        e = add_user(a, line + 1);
    } else if ((line[0] == 'w' || line[0] == 'r') && line[1] && last) {
        e = add_right(a, line + 1, line[0] == 'r');
    } else if (last && take_mark(last, line)) {
        e = SY_OK;
    }
    return e == SY_E_PARSE ? sy_fail_set(f, e, "\"%.40s\" says nothing of a user", line)
           : e             ? sy_fail_set(f, e, "no memory for the users of the broker")
                           : SY_OK;
}

sy_err sy_access_parse(sy_access **out, sy_span text, sy_fail *f)
{
    sy_access *a = calloc(1, sizeof *a);
    if (!a || !(a->text = malloc(text.n + 1))) {
        sy_access_free(a);
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the users of the broker");
    }
    memcpy(a->text, text.n ? text.p : "", text.n);
    a->text[text.n] = '\0';
    sy_err e = SY_OK;
    char *end = a->text + text.n;
    for (char *line = a->text; line < end && !e;) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        if (!stop || memchr(line, '\0', (size_t)(stop - line))) {
            e = sy_fail_set(f, SY_E_PARSE, "the list of users is cut off");
            break;
        }
        *stop = '\0';
        e = take_line(a, line, f);
        line = stop + 1;
    }
    if (e) {
        sy_access_free(a);
        return e;
    }
    if (a->n_users > 1) {
        qsort(a->users, a->n_users, sizeof *a->users, by_name);
    }
    *out = a;
    return SY_OK;
}

void sy_access_free(sy_access *a)
{
    if (a) {
        free(a->text);
        free(a->users);
        free(a->rights);
        free(a);
    }
}

static bool over(const user *u, sy_ms now)
{
    return u->until && now >= u->until;
}

sy_access_verdict sy_access_login(const sy_access *a, const char *name, const char *password,
                                  sy_ms now)
{
    const user *u = find(a, name);
    if (!u) {
        return SY_ACCESS_UNKNOWN;
    }
    if (u->revoked) {
        return SY_ACCESS_REVOKED;
    }
    if (over(u, now)) {
        return SY_ACCESS_OVER;
    }
    if (password && sy_broker__verify(u->hash, password)) {
        return SY_ACCESS_YES;
    }
    bool old = password && u->old[0] && now < u->old_until && sy_broker__verify(u->old, password);
    return old ? SY_ACCESS_YES_OLD : SY_ACCESS_WRONG;
}

sy_access_verdict sy_access_certificate(const sy_access *a, const char *name)
{
    const user *u = find(a, name);
    return !u             ? SY_ACCESS_UNKNOWN
           : u->revoked   ? SY_ACCESS_REVOKED
           : u->certified ? SY_ACCESS_YES
                          : SY_ACCESS_WRONG;
}

static bool has_right(const sy_access *a, const user *u, const char *topic, bool read)
{
    size_t n = strlen(topic);
    for (size_t i = 0; i < u->n; i++) {
        const right *r = &a->rights[u->first + i];
        if (r->read == read && n >= r->n && memcmp(topic, r->topic, r->n) == 0 &&
            (n == r->n || (r->below && (r->n == 0 || topic[r->n] == '/')))) {
            return true;
        }
    }
    return false;
}

/* Is it a device's topic? That of a user who may write everything says nothing. */
static bool taken(const sy_access *a, const char *topic)
{
    for (size_t i = 0; i < a->n_users; i++) {
        const user *u = &a->users[i];
        bool all = u->n == 1 && a->rights[u->first].n == 0;
        if (!all && has_right(a, u, topic, false)) {
            return true;
        }
    }
    return false;
}

bool sy_access_may_write(const sy_access *a, const char *name, const char *topic)
{
    const user *u = find(a, name);
    if (!u || topic[0] == '$') {
        return false;
    }
    return has_right(a, u, topic, false) || (u->stranger && !taken(a, topic));
}

bool sy_access_may_read(const sy_access *a, const char *name, const char *topic)
{
    const user *u = find(a, name);
    return u && topic[0] != '$' && (u->reads || has_right(a, u, topic, true));
}

bool sy_access_is_stranger(const sy_access *a, const char *name)
{
    const user *u = find(a, name);
    return u && u->stranger;
}

bool sy_access_has_old(const sy_access *a, const char *name)
{
    const user *u = find(a, name);
    return u && u->old[0];
}

/* Does the hash still open the door for this user? */
static bool opens(const user *u, const char *hash)
{
    return strcmp(u->hash, hash) == 0 || strcmp(u->old, hash) == 0;
}

void sy_access_revoked(const sy_access *before, const sy_access *after,
                       void (*gone)(void *ctx, const char *user), void *ctx)
{
    for (size_t i = 0; before && i < before->n_users; i++) {
        const user *was = &before->users[i], *now = find(after, was->name);
        bool stays = now && opens(now, was->hash) && (!was->old[0] || opens(now, was->old)) &&
                     (now->certified || !was->certified) && !now->revoked;
        if (!stays) {
            gone(ctx, was->name);
        }
    }
}

static bool within(sy_ms t, sy_ms from, sy_ms to)
{
    return t > from && t <= to;
}

void sy_access_ended(const sy_access *a, sy_ms from, sy_ms to,
                     void (*gone)(void *ctx, const char *user), void *ctx)
{
    for (size_t i = 0; i < a->n_users; i++) {
        const user *u = &a->users[i];
        if ((u->until && within(u->until, from, to)) ||
            (u->old[0] && within(u->old_until, from, to))) {
            gone(ctx, u->name);
        }
    }
}
