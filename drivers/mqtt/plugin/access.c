/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/mqtt/plugin/access.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/mqtt/broker_int.h"

typedef struct right {
    const char *topic; /* without "/#" */
    size_t n;
    bool below;
} right;

typedef struct user {
    const char *name, *hash; /* hash "": cannot log in */
    size_t first, n;         /* rights */
    bool reads;
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
        a->users[a->n_users++] = (user){.name = name, .hash = "", .first = a->n_rights};
    }
    return e;
}

static sy_err add_right(sy_access *a, const char *topic)
{
    sy_err e =
        sy_grow(sy_heap(), (void **)&a->rights, &a->cap_rights, a->n_rights + 1, sizeof *a->rights);
    size_t n = strlen(topic);
    bool all = strcmp(topic, "#") == 0;
    bool below = all || (n > 2 && strcmp(topic + n - 2, "/#") == 0);
    if (!e) {
        a->rights[a->n_rights++] = (right){topic, all ? 0 : below ? n - 2 : n, below};
        a->users[a->n_users - 1].n++;
    }
    return e;
}

static sy_err take_line(sy_access *a, const char *line, sy_fail *f)
{
    sy_err e = SY_E_PARSE;
    user *last = a->n_users ? &a->users[a->n_users - 1] : NULL;
    if (line[0] == 'u' && line[1]) {
        e = add_user(a, line + 1);
    } else if (line[0] == 'h' && last) {
        last->hash = line + 1;
        e = SY_OK;
    } else if (line[0] == 'w' && line[1] && last) {
        e = add_right(a, line + 1);
    } else if (strcmp(line, "r") == 0 && last) {
        last->reads = true;
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

bool sy_access_login(const sy_access *a, const char *name, const char *password)
{
    const user *u = find(a, name);
    return u && password && sy_broker__verify(u->hash, password);
}

bool sy_access_may_write(const sy_access *a, const char *name, const char *topic)
{
    const user *u = find(a, name);
    size_t n = strlen(topic);
    for (size_t i = 0; u && topic[0] != '$' && i < u->n; i++) {
        const right *r = &a->rights[u->first + i];
        if (n >= r->n && memcmp(topic, r->topic, r->n) == 0 &&
            (n == r->n || (r->below && (r->n == 0 || topic[r->n] == '/')))) {
            return true;
        }
    }
    return false;
}

bool sy_access_may_read(const sy_access *a, const char *name)
{
    const user *u = find(a, name);
    return u && u->reads;
}

void sy_access_revoked(const sy_access *before, const sy_access *after,
                       void (*gone)(void *ctx, const char *user), void *ctx)
{
    for (size_t i = 0; before && i < before->n_users; i++) {
        const user *now = find(after, before->users[i].name);
        if (!now || strcmp(now->hash, before->users[i].hash) != 0) {
            gone(ctx, before->users[i].name);
        }
    }
}
