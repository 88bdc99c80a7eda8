/*
 * Keys and certificates, ECDSA P-256, made with mbedTLS: for demonstrations and tests.
 */
#ifndef SY_CERTS_H
#define SY_CERTS_H

#include "base/os.h"

typedef struct sy_certs sy_certs; /* random numbers, and an issuer once one was made */

typedef enum sy_cert_use { SY_CERT_CA, SY_CERT_SERVER, SY_CERT_CLIENT } sy_cert_use;
typedef struct sy_cert_spec {
    const char *name; /* X.509 name: "CN=…,O=…" */
    sy_cert_use use;
    const char *const *names; /* DNS names and IP addresses, NULL-terminated; NULL: none */
    sy_ms from, to;           /* whole seconds count */
} sy_cert_spec;

SY_MUST_USE sy_err sy_certs_open(sy_certs **out, sy_fail *f);
void sy_certs_close(sy_certs *c);
/* Make a key and its certificate, PEM, appended. A CA signs itself and is the issuer from then on;
 * others are signed by the issuer (SY_E_USAGE where there is none). */
SY_MUST_USE sy_err sy_certs_make(sy_certs *c, const sy_cert_spec *spec, sy_buf *cert, sy_buf *key,
                                 sy_fail *f);

#endif
