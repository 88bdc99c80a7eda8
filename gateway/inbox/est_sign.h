/*
 * The authority's half of EST that knows no HTTP: what a request says, and a certificate for it.
 */
#ifndef SY_INBOX_EST_SIGN_H
#define SY_INBOX_EST_SIGN_H

#include <gnutls/x509.h>

#include "base/os.h"

enum { SY_EST_CN = 64, SY_EST_KID = 64 };

typedef struct sy_est_ca {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
} sy_est_ca;
SY_MUST_USE sy_err sy_est_ca_load(sy_est_ca *ca, const char *crt_pem, const char *key_pem,
                                  sy_fail *f);
void sy_est_ca_free(sy_est_ca *ca);

typedef struct sy_est_csr {
    gnutls_x509_crq_t crq;
    char cn[SY_EST_CN + 1];
    char kid[SY_EST_KID + 1]; /* SHA-256 of its public key, hex */
} sy_est_csr;
/* From base64 DER, broken into lines or not. SY_E_PARSE: no PKCS #10, not signed by its own key, a
 * key that is too weak, no usable CN. */
SY_MUST_USE sy_err sy_est_csr_read(sy_est_csr *c, sy_span base64, sy_fail *f);
void sy_est_csr_free(sy_est_csr *c);

/* Certs-only PKCS #7 in base64, appended: a new certificate for the request and the CA's, or (csr
 * NULL) the CA's alone. */
SY_MUST_USE sy_err sy_est_issue(const sy_est_ca *ca, const sy_est_csr *csr, sy_ms lifetime,
                                sy_buf *base64, sy_fail *f);

#endif
