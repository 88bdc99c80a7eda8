/*
 * Client certificates in the managed broker: mosquitto checks the chain and the dates (RFC 5280),
 * we say which device it is, what has been revoked, and why a handshake failed. Inside mosquitto,
 * on its only thread.
 *
 * mosquitto's log names no reason and no peer for a certificate that it refuses. OpenSSL tells both
 * at the end of each verification: X509_STORE_CTX_get_ex_new_index(3), whose free function runs
 * while the result, the certificate and the connection are still there.
 */
#ifndef SY_PLUGIN_CERTS_H
#define SY_PLUGIN_CERTS_H

#include "base/os.h"

enum { SY_CERTS_NAME = 65, SY_CERTS_PEER = 64 };

/* A handshake that failed for the certificate: a word, the common name ("?": none), the address. */
typedef void (*sy_certs_failed_fn)(void *ctx, const char *reason, const char *name,
                                   const char *peer);

typedef struct sy_certs sy_certs;
/* crl NULL or "": none. ca: who signs it. An unreadable list is an error here; later the list that
 * was read last stays. */
SY_MUST_USE sy_err sy_certs_open(sy_certs **out, const char *ca, const char *crl,
                                 sy_certs_failed_fn failed, void *ctx, sy_fail *f);
void sy_certs_close(sy_certs *c); /* NULL is allowed */
/* Read the list of revoked certificates again where the file has changed; false: it could not be.
 * *changed is set where it is a new one. */
bool sy_certs_refresh(sy_certs *c, bool *changed, sy_fail *f);
/* The common name of an X509 that mosquitto_client_certificate gave (freed here), and NULL, or the
 * word for which it is refused: "bad-certificate", "expired-certificate", "revoked-certificate". */
const char *sy_certs_judge(const sy_certs *c, void *x509, char name[SY_CERTS_NAME]);

#endif
