/*
 * Local accounts: <data>/users, mode 0600, a line each: name, role, and the password by Argon2id
 * (RFC 9106) in its encoded form, separated by blanks.
 *
 * A file that is missing has no accounts. One process writes at a time (a lock beside the file);
 * the console reads it at each login, so a change counts at once. Sessions of an account that was
 * changed or removed end: see sy_users_stamp.
 */
#ifndef SY_CONSOLE_USERS_H
#define SY_CONSOLE_USERS_H

#include "base/os.h"
#include "console/roles.h"

enum { SY_USER_NAME = 64, SY_USERS_MOST = 200, SY_PASSWORD_LEAST = 10, SY_PASSWORD_MOST = 256 };

typedef struct sy_user {
    char name[SY_USER_NAME + 1];
    sy_role role;
    char hash[200]; /* encoded */
} sy_user;

typedef struct sy_users {
    sy_user *v;
    size_t n;
} sy_users;

/* SY_E_CORRUPT with the line. */
SY_MUST_USE sy_err sy_users_read(const char *data_dir, sy_users *out, sy_fail *f);
void sy_users_free(sy_users *u);
/* NULL: there is no such account. */
const sy_user *sy_users_find(const sy_users *u, const char *name);
/* A name: 1 to SY_USER_NAME bytes of UTF-8 without blanks and control characters. */
bool sy_user_name_valid(sy_span name);

/* Add or change an account; password NULL: the old one stays (SY_E_NOTFOUND where it is new).
 * SY_E_RANGE: a bad name, or a password that is too short, too long or the name itself. */
SY_MUST_USE sy_err sy_users_set(const char *data_dir, const char *name, sy_role role,
                                const char *password, sy_fail *f);
/* SY_E_NOTFOUND. */
SY_MUST_USE sy_err sy_users_remove(const char *data_dir, const char *name, sy_fail *f);

/* Whether the password is this user's. user NULL: the same work, and false, so that the time it
 * takes does not tell which names there are. Some 20 MiB and 50 ms. */
bool sy_user_check(const sy_user *user, sy_span password);
/* What a session of it notes: another where the account was changed. */
void sy_user_stamp(const sy_user *user, unsigned char out[32]);

#endif
