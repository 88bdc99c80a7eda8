/*
 * libcurl behind one file: one request at a time over lines that are kept, ended by `stop_fd`. For
 * receivers that are not ours: webhooks and mail. Chain and name are always verified; redirects are
 * not followed; no proxy of the environment is used. One thread.
 *
 * Certificates are checked by the wall clock: libcurl knows no other.
 */
#ifndef SY_CARRIER_H
#define SY_CARRIER_H

#include "upstream/road.h"

typedef struct sy_carrier sy_carrier;
SY_MUST_USE sy_err sy_carrier_open(sy_carrier **out, const sy_road_setup *o, sy_fail *f);
void sy_carrier_close(sy_carrier *c); /* NULL is allowed */
void sy_carrier_drop(sy_carrier *c);  /* end the lines that are kept */

typedef struct sy_parcel {
    const char *url;
    sy_span body;
    const char *const *fields; /* of HTTP; NULL at the end */
    /* Mail: from is not NULL. `to` ends with NULL. */
    const char *from;
    const char *const *to;
    const char *user, *password; /* NULL: none */
    bool plain;                  /* mail: without a CA the line may go without TLS (loopback) */
} sy_parcel;
/* *status: of HTTP or SMTP, the last. SY_E_IO: the line; SY_E_DENIED: the peer's certificate, or a
 * login; SY_E_PEER: the server refused; SY_E_CLOSED: told to end. */
SY_MUST_USE sy_err sy_carrier_send(sy_carrier *c, const sy_parcel *p, unsigned *status, sy_fail *f);

/* What roads by a carrier share: a struct of such a road begins with it. */
typedef struct sy_carried {
    sy_road road;
    sy_carrier *carrier;
    char url[640];
} sy_carried;
/* The rest of the struct is the road's own; it was allocated, and is freed by sy_carried_close. */
SY_MUST_USE sy_err sy_carried_open(sy_carried *c, const sy_road_ops *ops, const sy_road_setup *o,
                                   sy_fail *f);
/* For sy_road_ops. */
void sy_carried_close(sy_road *r);
sy_err sy_carried_turn(sy_road *r, const char *url, sy_fail *f);
int sy_carried_fd(const sy_road *r);
void sy_carried_drop(sy_road *r);
void sy_carried_counts(const sy_road *r, unsigned *connects, unsigned *resumed);
const char *sy_carried_peer(const sy_road *r);

/* A host that may be spoken to without TLS: loopback, or for `lan` an address that is private (RFC
 * 1918, RFC 4193, link-local). A name is none, but for "localhost". */
bool sy_carrier_near(const char *url, bool lan);

#endif
