/*
 * Shared by the files of enrol/: the folder, and one question to an EST server.
 */
#ifndef SY_ENROL_INT_H
#define SY_ENROL_INT_H

#include "enrol/enrol.h"
#include "ledger/es256.h"
#include "upstream/ask.h"

/* ---- folder.c ---- */
enum { SY_ENROL_FILE = 262144 };
SY_MUST_USE sy_err sy_enrol__lock(const sy_enrol *o, int *fd, sy_fail *f);
bool sy_enrol__has(const sy_enrol *o, const char *name);
SY_MUST_USE sy_err sy_enrol__read(const sy_enrol *o, const char *name, sy_buf *out, sy_fail *f);
SY_MUST_USE sy_err sy_enrol__write(const sy_enrol *o, const char *name, sy_span bytes, bool secret,
                                   sy_fail *f);
void sy_enrol__wipe(sy_buf *b); /* clear and free */
/* The key that a certificate is to be asked for: next.key, made where it is missing. One that is
 * gateway.pem's already, since a process ended before it was removed, is not used again. */
SY_MUST_USE sy_err sy_enrol__next_key(const sy_enrol *o, sy_es256 **out, sy_fail *f);
SY_MUST_USE sy_err sy_enrol__put_next(const sy_enrol *o, sy_es256 *key, sy_span chain, sy_fail *f);
/* next.pem becomes gateway.pem, which becomes old.pem. */
SY_MUST_USE sy_err sy_enrol__switch(const sy_enrol *o, sy_fail *f);
/* The ledger's key; made where the gateway has not run yet. SY_E_NOTFOUND: it is missing. */
SY_MUST_USE sy_err sy_enrol__ledger_key(const sy_enrol *o, sy_es256 **out, sy_fail *f);
SY_MUST_USE sy_err sy_enrol__ledger_cert(const sy_enrol *o, sy_span chain, sy_fail *f);
/* Out of what an authority gave: the chain of this key, which leads to `ca` and names the gateway.
 */
SY_MUST_USE sy_err sy_enrol__chain(const sy_enrol *o, sy_span certs, sy_span ca, sy_es256 *key,
                                   sy_buf *out, sy_fail *f);

/* ---- est.c ---- */
typedef struct sy_est_client {
    const sy_enrol *o;
    sy_url url;
    const char *trust; /* a file of the folder that the server's certificate was verified by */
    char authorization[600]; /* "": none */
    sy_buf ca;               /* PEM of /cacerts */
    sy_ms again;
} sy_est_client;
SY_MUST_USE sy_err sy_est__open(sy_est_client *c, const sy_enrol *o, const char *url, sy_fail *f);
void sy_est__close(sy_est_client *c);
void sy_est__token(sy_est_client *c, sy_span user_and_token);
/* trust.pem out of /cacerts, which nobody vouches for but the fingerprint (RFC 7030, 4.1.1). */
SY_MUST_USE sy_err sy_est__bootstrap(sy_est_client *c, const unsigned char fingerprint[32],
                                     sy_fail *f);
SY_MUST_USE sy_err sy_est__cacerts(sy_est_client *c, sy_fail *f);
/* `operation`: simpleenroll or simplereenroll; `as`: file of the folder with the certificate that
 * is shown, or NULL. The chain is checked. SY_E_AGAIN: 202. */
SY_MUST_USE sy_err sy_est__enrol(sy_est_client *c, const char *operation, const char *as,
                                 sy_es256 *key, sy_buf *chain, sy_fail *f);

#endif
