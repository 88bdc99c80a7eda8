/*
 * What a certificate authority hands out: certs-only PKCS #7 (RFC 8951, 3.2: SignedData without
 * content and signers, as base64), or certificates in PEM. OpenSSL is behind this file. Input is
 * hostile: at most SY_P7_BYTES, at most SY_P7_MOST certificates. Any thread.
 */
#ifndef SY_P7_H
#define SY_P7_H

#include "base/os.h"

enum { SY_P7_BYTES = 262144, SY_P7_MOST = 32 };

/* The certificates as PEM, appended, as many as there are (one at least). SY_E_PARSE. */
SY_MUST_USE sy_err sy_p7_certs(sy_span base64, sy_buf *pem, sy_fail *f);
/* Out of a PEM text: the certificate of the key `spki` (DER), then each issuer of the one before
 * that is there and did not sign itself; PEM, appended. SY_E_PARSE; SY_E_DENIED: none is for it. */
SY_MUST_USE sy_err sy_p7_order(sy_span pem, sy_span spki, sy_buf *out, sy_fail *f);
/* Out of a PEM text: the certificate whose DER has this SHA-256; PEM, appended. SY_E_DENIED. */
SY_MUST_USE sy_err sy_p7_pick(sy_span pem, const unsigned char fingerprint[32], sy_buf *out,
                              sy_fail *f);

#endif
