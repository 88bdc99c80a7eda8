/*
 * ES256: ECDSA over P-256 with SHA-256, signatures as r || s, 32 bytes each (RFC 7518, section
 * 3.4). Keys as PEM, public halves as SubjectPublicKeyInfo in DER (RFC 5480). mbedTLS and
 * libcrypto are behind this file. A key belongs to one thread at a time; checking needs none.
 */
#ifndef SY_ES256_H
#define SY_ES256_H

#include "base/merkle.h"
#include "base/os.h"

#define SY_ALG  "ES256"
#define SY_HASH "SHA-256"
enum { SY_SIGNATURE_BYTES = 64, SY_SPKI_BYTES = 91, SY_KID_CHARS = 64 };

typedef struct sy_es256 sy_es256; /* a private key */

SY_MUST_USE sy_err sy_es256_make(sy_es256 **out, sy_fail *f);
/* SY_E_PARSE: no private key of P-256 in this PEM text. */
SY_MUST_USE sy_err sy_es256_load(sy_es256 **out, sy_span pem, sy_fail *f);
void sy_es256_close(sy_es256 *k); /* NULL is allowed */
/* The private key as PEM, appended; clear the buffer after use. */
SY_MUST_USE sy_err sy_es256_pem(sy_es256 *k, sy_buf *out, sy_fail *f);
/* The public half; borrowed from the key. */
sy_span sy_es256_spki(const sy_es256 *k);
/* Its name: SHA-256 of the SPKI, hex. */
const char *sy_es256_kid(const sy_es256 *k);
SY_MUST_USE sy_err sy_es256_sign(sy_es256 *k, sy_span text, uint8_t out[SY_SIGNATURE_BYTES],
                                 sy_fail *f);
/* A request for a certificate (PKCS #10, RFC 2986) for the name CN=cn, as PEM, appended. */
SY_MUST_USE sy_err sy_es256_request(sy_es256 *k, const char *cn, sy_buf *pem, sy_fail *f);

void sy_kid_of(sy_span spki, char out[SY_KID_CHARS + 1]);
/* SY_E_DENIED: this key did not sign this text. SY_E_PARSE: no key of P-256. */
SY_MUST_USE sy_err sy_es256_check(sy_span spki, sy_span text,
                                  const uint8_t signature[SY_SIGNATURE_BYTES], sy_fail *f);

#endif
