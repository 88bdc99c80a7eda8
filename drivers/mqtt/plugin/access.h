/*
 * Who may log in to the managed broker, and who may write what: the file that the gateway makes,
 * as the plugin sees it. Immutable once parsed; pure but for the hash's arithmetic.
 *
 * The file `access` is lines: "u<user>", then for that user "h<hash>" (as mosquitto_passwd writes
 * it), "w<topic>" for each topic that it may write (with "/#" at the end: all below, too),
 * "r<topic>" likewise for each that it may read, "r" where it may read everything.
 */
#ifndef SY_ACCESS_H
#define SY_ACCESS_H

#include "base/os.h"

typedef struct sy_access sy_access;
SY_MUST_USE sy_err sy_access_parse(sy_access **out, sy_span text, sy_fail *f);
void sy_access_free(sy_access *a); /* NULL is allowed */

/* user and password may be NULL. */
bool sy_access_login(const sy_access *a, const char *user, const char *password);
bool sy_access_may_write(const sy_access *a, const char *user, const char *topic);
bool sy_access_may_read(const sy_access *a, const char *user);
/* Tell of each user of `before` who could no longer log in with the password of then. */
void sy_access_revoked(const sy_access *before, const sy_access *after,
                       void (*gone)(void *ctx, const char *user), void *ctx);

#endif
