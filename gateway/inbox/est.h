/*
 * EST at the inbox (RFC 7030, RFC 8951): a small authority that certifies gateways, for those who
 * have no other, and for tests. /cacerts for everybody; /simpleenroll with HTTP Basic (the
 * gateway's id and a token of the list) or with a valid client certificate of the same name;
 * /simplereenroll with the present certificate, also one that has expired within the grace.
 *
 * A token counts for the first key that was certified with it, and for that one again, since an
 * answer may get lost. GnuTLS is behind this file. The listener's thread.
 */
#ifndef SY_INBOX_EST_H
#define SY_INBOX_EST_H

#include "inbox/routes.h"

typedef struct sy_est sy_est;
typedef struct sy_est_options {
    const char *ca, *key;  /* PEM texts */
    const char *tokens;    /* file: lines "<gateway> <token>"; read at each request; NULL: none */
    const char *data;      /* the inbox's folder: est-used */
    sy_ms lifetime, grace; /* of certificates; after their end */
} sy_est_options;
/* SY_E_USAGE: the CA's certificate and key. */
SY_MUST_USE sy_err sy_est_open(sy_est **out, const sy_est_options *o, sy_fail *f);
void sy_est_close(sy_est *e); /* NULL is allowed */

/* Handlers; 404 where the request has no sy_est. */
extern const char *const sy_est_types[];
enum MHD_Result sy_est_cacerts(const sy_web_request *r);
enum MHD_Result sy_est_enrol(const sy_web_request *r);
enum MHD_Result sy_est_reenrol(const sy_web_request *r);

#endif
