/*
 * The box's signature on what it sends: a copy of the ledger's key and its certificates, read from
 * their files, and again where these have changed (a new certificate, a rotated key). One thread.
 */
#ifndef SY_SIGNER_H
#define SY_SIGNER_H

#include "ledger/jws.h"

typedef struct sy_signer sy_signer;
/* Opens nothing yet; copies the paths. */
SY_MUST_USE sy_err sy_signer_open(sy_signer **out, const char *key_path, const char *cert_path,
                                  sy_fail *f);
void sy_signer_close(sy_signer *s); /* NULL is allowed */
/* Whether it has these paths. s NULL: whether there are none. */
bool sy_signer_same(const sy_signer *s, const char *key_path, const char *cert_path);
/* Look whether the files have changed. What cannot be read leaves it without a key, which each
 * signature then says. */
void sy_signer_refresh(sy_signer *s);
/* A detached signature over the exact bytes, appended. SY_E_NOTFOUND: there is no key. */
SY_MUST_USE sy_err sy_signer_sign(sy_signer *s, sy_span text, sy_buf *out, sy_fail *f);

#endif
