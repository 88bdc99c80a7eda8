/*
 * Enrolment: certificates for the box by EST (RFC 7030, RFC 8951), or by files that a person
 * carries. Keys are ECDSA P-256, made here, mode 0600, and never leave; two of them are certified
 * in one go: that of TLS towards the destinations and the ledger's own. docs/enrolment.md
 *
 * <data>/enrolled/
 *   gateway.pem  the key of TLS and its chain, in one file, so that a rename replaces both at once
 *   old.pem      what was there before
 *   next.key, next.pem  while a certificate is asked for, and until it has worked once
 *   trust.pem    whom the EST server's own certificate comes from; ca.pem: what it says of /cacerts
 *   url, token   where to renew, and user:token where that was kept
 * A process that is killed at any instant leaves gateway.pem as it was or as it will be; asking
 * again uses the same key. One at a time: a lock.
 */
#ifndef SY_ENROL_H
#define SY_ENROL_H

#include "base/os.h"

enum { SY_ENROL_PATH = 4200 };

typedef struct sy_enrol {
    const char *data, *gateway;           /* the data folder; the id, which becomes the CN */
    const char *ledger_key, *ledger_cert; /* NULL: the usual ones */
    sy_ms now;                            /* against which certificates are checked */
    int stop_fd;                          /* readable: end; -1: none */
} sy_enrol;

typedef struct sy_enrol_done {
    sy_ms until;          /* the end of the TLS certificate */
    bool ledger;          /* the ledger's key was certified, too */
    char ledger_why[320]; /* else why not */
    sy_ms again;          /* with SY_E_AGAIN: when the authority wants to be asked again */
} sy_enrol_done;

typedef struct sy_enrol_from {
    const char *url;                  /* with /.well-known/est */
    const char *ca;                   /* a file, or NULL */
    const unsigned char *fingerprint; /* 32 bytes of the CA's certificate, or NULL */
    const char *user, *token;         /* NULL: by the certificate that is there */
    bool keep_token;
} sy_enrol_from;

/* SY_E_DENIED: not allowed, or not to be trusted; SY_E_AGAIN: not yet (202). */
SY_MUST_USE sy_err sy_enrol_ask(const sy_enrol *o, const sy_enrol_from *from, sy_enrol_done *done,
                                sy_fail *f);
/* From where it was asked for the first time; by the present certificate, expired or not, else by
 * the token where one was kept. SY_E_NOTFOUND: it was never asked for. */
SY_MUST_USE sy_err sy_enrol_renew(const sy_enrol *o, sy_enrol_done *done, sy_fail *f);

/* Without a network: the two requests, as PEM, appended. ledger may stay empty (done->ledger_why).
 */
SY_MUST_USE sy_err sy_enrol_request(const sy_enrol *o, sy_buf *tls, sy_buf *ledger,
                                    sy_enrol_done *done, sy_fail *f);
/* Put a chain in place, for the key that it fits: *ledger says which. `ca`: whom it must come from,
 * PEM; empty: ca.pem of the folder. */
SY_MUST_USE sy_err sy_enrol_install(const sy_enrol *o, sy_span pem, sy_span ca, bool *ledger,
                                    sy_fail *f);

/* When the first certificate of a PEM file begins and ends. */
SY_MUST_USE sy_err sy_enrol_times(const char *path, sy_ms *from, sy_ms *until, sy_fail *f);
/* When to renew it: after two thirds, and up to a twentieth later, by `spread`. Pure. */
sy_ms sy_enrol_due(sy_ms from, sy_ms until, uint32_t spread);
void sy_enrol_path(const char *data, const char *name, char out[SY_ENROL_PATH]);

#endif
