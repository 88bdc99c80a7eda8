/*
 * The inbox: a reference receiver of events, for authorities to try and for tests to rely on.
 *
 * Two listeners. Events: POST /events over TLS, a client certificate of the given CA required; each
 * event is stored once by (source, id), and confirmed only when that is durable. Page: a plain HTTP
 * page for inspectors and the same as JSON, on loopback only, because it has no login. What they
 * do there goes to the gateways as orders, which these fetch over TLS.
 * docs/upstream.md says what a receiver must do.
 */
#ifndef SY_INBOX_H
#define SY_INBOX_H

#include "base/os.h"

typedef struct sy_inbox_options {
    const char *listen;                 /* address:port of the events; port 0: any */
    const char *cert, *key, *client_ca; /* PEM files */
    const char *crl;                    /* lists of revoked certificates (PEM); NULL: none */
    const char *data;                   /* folder; made if it is not there */
    const char *page;                   /* address:port of the page; NULL: none */
    const char *sign_cert, *sign_key;   /* PEM files that orders are signed with; NULL: none */
    const char *origin, *user_header;   /* form.h; NULL: none */
    const char *zone;                   /* IANA name for times on the page; NULL: the machine's */
    const char *est_ca, *est_key;       /* PEM files: certify gateways by EST; NULL: do not */
    const char *est_tokens;             /* lines "<gateway> <token>"; NULL: none */
    sy_ms est_lifetime, est_grace;      /* 0: 90 days; 400 days */
} sy_inbox_options;

typedef struct sy_inbox sy_inbox;
/* SY_E_USAGE: options and files. Runs on threads of its own. */
SY_MUST_USE sy_err sy_inbox_start(sy_inbox **out, const sy_inbox_options *o, sy_fail *f);
void sy_inbox_stop(sy_inbox *i); /* NULL is allowed */
unsigned sy_inbox_port(const sy_inbox *i);
unsigned sy_inbox_page_port(const sy_inbox *i); /* 0: no page */

#endif
