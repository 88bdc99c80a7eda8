/*
 * JSON Web Signatures by ES256 (RFC 7515; RFC 7518, 3.4), compact: header.payload.signature in
 * base64url. Detached (RFC 7515, appendix F): the payload between the points is left out, and
 * signed are its exact bytes all the same.
 *
 * The header is {"alg":"ES256","typ":…,"x5c":[…]}: x5c has the certificates of the key in DER, its
 * own first; a key that nobody has certified has "kid" in its place, the name of the key
 * (es256.h). Reading is strict: no other algorithm, no `crit`, no `b64`, each size bounded, no
 * character of base64 in another spelling; a key is never taken from `jwk`, `jku` or `x5u`, which
 * are passed over like all unknown parameters (RFC 7515, 4). mbedTLS is behind chain.h and es256.h.
 * Any thread.
 */
#ifndef SY_JWS_H
#define SY_JWS_H

#include "ledger/chain.h"
#include "ledger/es256.h"

enum { SY_JWS_BYTES = 4 * 1024 * 1024, SY_JWS_HEADER = 65536, SY_JWS_TYP = 64 };

/* ---- signing ---- */
/* The encoded header, which may be kept and used again for the same key. chain NULL or empty: kid.
 * typ: letters, digits and "+-./" only. Appended. */
SY_MUST_USE sy_err sy_jws_header(const sy_es256 *key, const sy_chain *chain, const char *typ,
                                 sy_buf *out, sy_fail *f);
/* The whole of it, appended. */
SY_MUST_USE sy_err sy_jws_sign(sy_es256 *key, sy_span header, sy_span payload, bool detached,
                               sy_buf *out, sy_fail *f);

/* ---- reading ---- */
/* What a signature says of itself; nothing of it is trusted before the checks below. */
typedef struct sy_jws {
    sy_span header;  /* encoded; borrowed from the text */
    sy_span signing; /* header.payload, borrowed; detached: the header alone */
    bool detached;
    sy_buf payload; /* decoded; empty where detached */
    uint8_t signature[SY_SIGNATURE_BYTES];
    char typ[SY_JWS_TYP + 1];   /* "" where there is none */
    char kid[SY_KID_CHARS + 1]; /* name of the key of x5c, else what "kid" says; "" unknown */
    sy_chain chain;             /* n 0: none */
    sy_buf spki;                /* the key of x5c; empty where there is none */
    sy_buf kept;                /* the header, for sy_jws_again */
} sy_jws;
void sy_jws_init(sy_jws *j);
void sy_jws_free(sy_jws *j);
/* Into one that was just initialised. SY_E_PARSE and why; SY_E_NOMEM. */
SY_MUST_USE sy_err sy_jws_read(sy_span text, sy_jws *out, sy_fail *f);
/* Another text into one that was read, where its header is the very same: that is not read again.
 * SY_E_NOTFOUND: it is another, read it afresh. */
SY_MUST_USE sy_err sy_jws_again(sy_span text, sy_jws *j, sy_fail *f);
/* The signature is that of the key of x5c or, where there is no x5c, of `spki` (which may be empty:
 * SY_E_NOTFOUND, nothing to check by). payload: the exact bytes where it is detached, else unused.
 * SY_E_DENIED: it is not over these bytes, or of another key. */
SY_MUST_USE sy_err sy_jws_holds(const sy_jws *j, sy_span payload, sy_span spki, sy_fail *f);

/* ---- both at once: a signature by somebody whom an authority has certified ---- */
typedef struct sy_jws_want {
    sy_span ca_pem, crl_pem; /* who may certify; lists of revoked ones, may be empty */
    sy_ms when;              /* certificates are valid at this time */
    const char *typ;         /* must be this; NULL: any */
    bool detached;
    sy_span payload; /* the exact bytes, where it is detached */
} sy_jws_want;
/* Reads, checks the signature, then the chain. *who tells the signer where it returns SY_OK. The
 * payload is in out->payload where it is not detached. SY_E_PARSE, SY_E_DENIED, SY_E_NOMEM; *flaw
 * tells what is wrong with the certificates where it is those. */
SY_MUST_USE sy_err sy_jws_check(sy_span text, const sy_jws_want *want, sy_jws *out, sy_subject *who,
                                sy_flaw *flaw, sy_fail *f);

#endif
