/*
 * Who may log in to the managed broker, and who may write what: the file that the gateway makes,
 * as the plugin sees it. Immutable once parsed; pure but for the hash's arithmetic.
 *
 * The file `access` is lines: "u<user>", then for that user
 *   h<hash>            its password, as mosquitto_passwd writes it
 *   o<until> <hash>    the password before, good until then (epoch ms)
 *   c                  it comes with a certificate whose common name is the user
 *   e<until>           it may be there until then (epoch ms)
 *   w<topic>           it may write this topic (with "/#" at the end: all below, too)
 *   s                  it may write every topic that no other user may ("w#" does not count)
 *   x                  it was revoked: it may not log in, and its topics stay its own
 *   r                  it may read everything; r<topic>: what this says, as for w
 */
#ifndef SY_ACCESS_H
#define SY_ACCESS_H

#include "base/os.h"

/* What comes of a login; all but the first two are refusals. */
typedef enum sy_access_verdict {
    SY_ACCESS_YES,
    SY_ACCESS_YES_OLD, /* with the password before */
    SY_ACCESS_UNKNOWN, /* no such user */
    SY_ACCESS_WRONG,   /* wrong or missing password, or it must come with a certificate */
    SY_ACCESS_OVER,    /* its time is over */
    SY_ACCESS_REVOKED
} sy_access_verdict;

typedef struct sy_access sy_access;
SY_MUST_USE sy_err sy_access_parse(sy_access **out, sy_span text, sy_fail *f);
void sy_access_free(sy_access *a); /* NULL is allowed */

/* name and password may be NULL. now: epoch ms. */
sy_access_verdict sy_access_login(const sy_access *a, const char *name, const char *password,
                                  sy_ms now);
/* By a certificate of this common name. */
sy_access_verdict sy_access_certificate(const sy_access *a, const char *name);
bool sy_access_may_write(const sy_access *a, const char *name, const char *topic);
bool sy_access_may_read(const sy_access *a, const char *name, const char *topic);
/* True for a user of "s": what it writes is not a device's. */
bool sy_access_is_stranger(const sy_access *a, const char *name);
/* True where a password before is still kept, whether or not it is over. */
bool sy_access_has_old(const sy_access *a, const char *name);
/* Tell of each user of `before` who could no longer log in as it did then. */
void sy_access_revoked(const sy_access *before, const sy_access *after,
                       void (*gone)(void *ctx, const char *user), void *ctx);
/* Tell of each user whose time, or whose password before, ended after `from` and not after `to`. */
void sy_access_ended(const sy_access *a, sy_ms from, sy_ms to,
                     void (*gone)(void *ctx, const char *user), void *ctx);

#endif
