/*
 * The files of a ledger's key: <data>/ledger/key.pem and cert.pem unless configured otherwise, and
 * the next key and certificate beside them, with ".next" behind their names. One thread.
 */
#ifndef SY_LEDGER_FILES_H
#define SY_LEDGER_FILES_H

#include "ledger/chain.h"
#include "ledger/es256.h"

enum { SY_LEDGER_PATH = 4200 };

SY_MUST_USE sy_err sy_keyfile_paths(const char *data_dir, const char *key, const char *cert,
                                    char key_path[SY_LEDGER_PATH], char cert_path[SY_LEDGER_PATH],
                                    sy_fail *f);
/* A key as it lies there. */
SY_MUST_USE sy_err sy_keyfile_load(const char *path, sy_es256 **out, sy_fail *f);
/* `recorded`: name of the key that the ledger goes by, "" where it has none yet. A key is made only
 * then. SY_E_NOTFOUND: the ledger's key is missing; SY_E_DENIED: there is another one. Finishes a
 * rotation that was cut short. */
SY_MUST_USE sy_err sy_keyfile_open(const char *key_path, const char *cert_path,
                                   const char *recorded, sy_es256 **out, sy_fail *f);
/* The next key, made where it is missing. */
SY_MUST_USE sy_err sy_keyfile_next(const char *key_path, sy_es256 **out, sy_fail *f);
/* The next key, and its certificate where there is one, become the present ones. */
SY_MUST_USE sy_err sy_keyfile_switch(const char *key_path, const char *cert_path, sy_fail *f);
/* The certificate of this key; out->n 0 where there is none. SY_E_DENIED: it is for another key. */
SY_MUST_USE sy_err sy_keyfile_chain(const char *cert_path, sy_span spki, sy_chain *out, sy_fail *f);

#endif
