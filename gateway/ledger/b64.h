/*
 * Base64 (RFC 4648), both alphabets, strict: each run of bytes has one spelling and no other is
 * read, so that a changed character is a changed value.
 */
#ifndef SY_B64_H
#define SY_B64_H

#include "base/buf.h"

/* SY_B64_URL: section 5, without padding. SY_B64: section 4, padded. */
typedef enum sy_b64 { SY_B64, SY_B64_URL } sy_b64;

void sy_b64_put(sy_buf *out, sy_span bytes, sy_b64 kind);
/* Appended to out. SY_E_PARSE, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_b64_get(sy_span text, sy_b64 kind, sy_buf *out);

#endif
