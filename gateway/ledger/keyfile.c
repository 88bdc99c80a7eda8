/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key's files. A key is written with mode 0600, synced, and named only then. A rotation first
 * makes <key>.next, then the ledger names it, then the files change their names; what is found at
 * the next start tells how far it came.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ledger/ledger_files.h"

enum { KEY_MAX = 16384, CERT_MAX = 65536 };

sy_err sy_keyfile_paths(const char *data_dir, const char *key, const char *cert,
                        char key_path[SY_LEDGER_PATH], char cert_path[SY_LEDGER_PATH], sy_fail *f)
{
    int a = key ? snprintf(key_path, SY_LEDGER_PATH, "%s", key)
                : snprintf(key_path, SY_LEDGER_PATH, "%s/ledger/key.pem", data_dir);
    int b = cert ? snprintf(cert_path, SY_LEDGER_PATH, "%s", cert)
                 : snprintf(cert_path, SY_LEDGER_PATH, "%s/ledger/cert.pem", data_dir);
    if (a < 0 || b < 0 || a >= SY_LEDGER_PATH - 8 || b >= SY_LEDGER_PATH - 8)
        return sy_fail_set(f, SY_E_RANGE, "the name of the ledger's key file is too long");
    return SY_OK;
}

static void next_of(const char *path, char out[SY_LEDGER_PATH])
{
    snprintf(out, SY_LEDGER_PATH, "%s.next", path);
}

sy_err sy_keyfile_load(const char *path, sy_es256 **out, sy_fail *f)
{
    sy_buf pem;
    sy_buf_init(&pem, sy_heap());
    sy_err e = sy_file_read(path, KEY_MAX, &pem, f);
    if (!e) {
        e = sy_es256_load(out, sy_buf_span(&pem), f);
        if (e)
            e = sy_fail_wrap(f, "%s", path);
    }
    if (pem.p)
        explicit_bzero(pem.p, pem.cap);
    sy_buf_fini(&pem);
    return e;
}

static sy_err make(const char *path, sy_es256 **out, sy_fail *f)
{
    char dir[SY_LEDGER_PATH];
    sy_buf pem;
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash)
        *slash = 0;
    sy_buf_init(&pem, sy_heap());
    sy_es256 *k = NULL;
    sy_err e = slash && slash != dir ? sy_dir_make(dir, f) : SY_OK;
    e = e ? e : sy_es256_make(&k, f);
    e = e ? e : sy_es256_pem(k, &pem, f);
    e = e ? e : sy_file_write(path, sy_buf_span(&pem), 0600, f);
    if (pem.p)
        explicit_bzero(pem.p, pem.cap);
    sy_buf_fini(&pem);
    if (e) {
        sy_es256_close(k);
        return e;
    }
    sy_log(SY_LOG_INFO, "ledger-key-made", "file=%s kid=%.16s", path, sy_es256_kid(k));
    *out = k;
    return SY_OK;
}

static bool there(const char *path)
{
    return access(path, F_OK) == 0;
}

static sy_err rename_synced(const char *from, const char *to, sy_fail *f)
{
    char dir[SY_LEDGER_PATH];
    if (rename(from, to) != 0)
        return sy_fail_sys(f, "cannot rename %s", from);
    snprintf(dir, sizeof dir, "%s", to);
    char *slash = strrchr(dir, '/');
    if (slash)
        *slash = 0;
    return sy_dir_sync(slash && slash != dir ? dir : "/", f);
}

sy_err sy_keyfile_switch(const char *key_path, const char *cert_path, sy_fail *f)
{
    char next_key[SY_LEDGER_PATH], next_cert[SY_LEDGER_PATH];
    next_of(key_path, next_key);
    next_of(cert_path, next_cert);
    /* The old certificate is of no use to the new key; it goes with the old key. */
    sy_err e = there(next_cert) ? rename_synced(next_cert, cert_path, f) : SY_OK;
    return e ? e : rename_synced(next_key, key_path, f);
}

static bool is_named(const sy_es256 *k, const char *recorded)
{
    return strcmp(sy_es256_kid(k), recorded) == 0;
}

/* The ledger goes by the next key already, and the files do not yet. */
static sy_err finish_rotation(const char *key_path, const char *cert_path, const char *recorded,
                              sy_es256 **out, sy_fail *f)
{
    char next[SY_LEDGER_PATH];
    sy_es256 *k = NULL;
    next_of(key_path, next);
    if (!recorded[0] || !there(next))
        return SY_E_NOTFOUND;
    sy_err e = sy_keyfile_load(next, &k, f);
    if (!e && !is_named(k, recorded))
        e = SY_E_NOTFOUND;
    e = e ? e : sy_keyfile_switch(key_path, cert_path, f);
    if (e) {
        sy_es256_close(k);
        return e;
    }
    *out = k;
    return SY_OK;
}

sy_err sy_keyfile_open(const char *key_path, const char *cert_path, const char *recorded,
                       sy_es256 **out, sy_fail *f)
{
    sy_es256 *k = NULL;
    sy_fail unused = {0};
    if (!there(key_path)) {
        if (!recorded[0])
            return make(key_path, out, f);
        if (finish_rotation(key_path, cert_path, recorded, out, &unused) == SY_OK)
            return SY_OK;
        return sy_fail_set(f, SY_E_NOTFOUND,
                           "the ledger's key %.16s is missing: %s is not there; put it back from "
                           "its backup",
                           recorded, key_path);
    }
    sy_err e = sy_keyfile_load(key_path, &k, f);
    if (e)
        return e;
    if (recorded[0] && !is_named(k, recorded)) {
        sy_es256_close(k);
        if (finish_rotation(key_path, cert_path, recorded, out, &unused) == SY_OK)
            return SY_OK;
        return sy_fail_set(f, SY_E_DENIED,
                           "%s is not the ledger's key %.16s; put that one back: a new key begins "
                           "by `steelyard keys rotate` alone",
                           key_path, recorded);
    }
    *out = k;
    return SY_OK;
}

sy_err sy_keyfile_next(const char *key_path, sy_es256 **out, sy_fail *f)
{
    char next[SY_LEDGER_PATH];
    next_of(key_path, next);
    return there(next) ? sy_keyfile_load(next, out, f) : make(next, out, f);
}

sy_err sy_keyfile_chain(const char *cert_path, sy_span spki, sy_chain *out, sy_fail *f)
{
    sy_buf pem, own;
    out->n = 0;
    if (!there(cert_path))
        return SY_OK;
    sy_buf_init(&pem, sy_heap());
    sy_buf_init(&own, sy_heap());
    sy_err e = sy_file_read(cert_path, CERT_MAX, &pem, f);
    e = e ? e : sy_chain_read_pem(sy_buf_span(&pem), out, f);
    e = e ? e : sy_chain_spki(out, &own, f);
    if (!e && !sy_span_eq(sy_buf_span(&own), spki))
        e = sy_fail_set(f, SY_E_DENIED, "the certificate is not for the ledger's key");
    if (e) {
        out->n = 0;
        e = sy_fail_wrap(f, "%s", cert_path);
    }
    sy_buf_fini(&pem);
    sy_buf_fini(&own);
    return e;
}
