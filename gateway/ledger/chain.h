/*
 * The certificates that bind a ledger's key to its gateway: X.509, from PEM, checked against an
 * authority's CA. mbedTLS is behind this file. Any thread.
 */
#ifndef SY_CHAIN_H
#define SY_CHAIN_H

#include "base/os.h"

enum { SY_CHAIN_MAX = 4, SY_CHAIN_BYTES = 16384 };

/* Certificates in DER, the key's own first. Owned: sy_chain_free. */
typedef struct sy_chain {
    sy_buf der[SY_CHAIN_MAX];
    size_t n;
} sy_chain;
void sy_chain_init(sy_chain *c);
void sy_chain_free(sy_chain *c);
/* From a PEM text with one to SY_CHAIN_MAX certificates. SY_E_PARSE. */
SY_MUST_USE sy_err sy_chain_read_pem(sy_span pem, sy_chain *out, sy_fail *f);
/* The public key of the first certificate as SubjectPublicKeyInfo, appended to out. */
SY_MUST_USE sy_err sy_chain_spki(const sy_chain *c, sy_buf *out, sy_fail *f);

/* The first certificate leads to one of the CA's (PEM), was valid at `when` (as was each between),
 * is for the key `spki` and names the gateway: its CN is `gateway`, which may be empty: not asked.
 * SY_E_DENIED and why. */
typedef struct sy_chain_want {
    sy_span ca_pem, spki, gateway;
    sy_ms when;
} sy_chain_want;
SY_MUST_USE sy_err sy_chain_check(const sy_chain *c, const sy_chain_want *want, sy_fail *f);

#endif
