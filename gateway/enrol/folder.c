/* SPDX-License-Identifier: Apache-2.0 */
/* The files under <data>/enrolled. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrol/enrol_int.h"
#include "enrol/p7.h"
#include "ledger/chain.h"
#include "ledger/ledger_files.h"
#include "upstream/tls.h"

static const sy_ms ahead = 86400000;

void sy_enrol_path(const char *data, const char *name, char out[SY_ENROL_PATH])
{
    snprintf(out, SY_ENROL_PATH, "%s/enrolled%s%s", data, name[0] ? "/" : "", name);
}

sy_err sy_enrol__lock(const sy_enrol *o, int *fd, sy_fail *f)
{
    char path[SY_ENROL_PATH];
    if (strlen(o->data) > SY_ENROL_PATH - 64) {
        return sy_fail_set(f, SY_E_RANGE, "the name of the data folder is too long");
    }
    sy_enrol_path(o->data, "", path);
    sy_err e = sy_dir_make(path, f);
    sy_enrol_path(o->data, "lock", path);
    *fd = e == SY_OK ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (e == SY_OK && *fd < 0) {
        return sy_fail_sys(f, "cannot open %s", path);
    }
    if (e == SY_OK && flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        close(*fd);
        *fd = -1;
        return sy_fail_set(f, SY_E_AGAIN, "another process asks for the certificates of %s now",
                           o->data);
    }
    return e;
}

bool sy_enrol__has(const sy_enrol *o, const char *name)
{
    char path[SY_ENROL_PATH];
    sy_enrol_path(o->data, name, path);
    return access(path, F_OK) == 0;
}

sy_err sy_enrol__read(const sy_enrol *o, const char *name, sy_buf *out, sy_fail *f)
{
    char path[SY_ENROL_PATH];
    sy_enrol_path(o->data, name, path);
    return sy_file_read(path, SY_ENROL_FILE, out, f);
}

sy_err sy_enrol__write(const sy_enrol *o, const char *name, sy_span bytes, bool secret, sy_fail *f)
{
    char path[SY_ENROL_PATH];
    sy_enrol_path(o->data, name, path);
    return sy_file_write(path, bytes, secret ? 0600 : 0644, f);
}

void sy_enrol__wipe(sy_buf *b)
{
    if (b->p) {
        explicit_bzero(b->p, b->cap);
    }
    sy_buf_fini(b);
}

static sy_err load_key(const sy_enrol *o, const char *name, sy_es256 **out, sy_fail *f)
{
    char path[SY_ENROL_PATH];
    sy_enrol_path(o->data, name, path);
    return sy_keyfile_load(path, out, f);
}

static void remove_it(const sy_enrol *o, const char *name)
{
    char path[SY_ENROL_PATH];
    sy_enrol_path(o->data, name, path);
    (void)unlink(path);
}

static sy_err make_key(const sy_enrol *o, sy_es256 **out, sy_fail *f)
{
    sy_es256 *k = NULL;
    sy_buf pem;
    sy_buf_init(&pem, sy_heap());
    sy_err e = sy_es256_make(&k, f);
    e = e != SY_OK ? e : sy_es256_pem(k, &pem, f);
    e = e != SY_OK ? e : sy_enrol__write(o, "next.key", sy_buf_span(&pem), true, f);
    sy_enrol__wipe(&pem);
    if (e != SY_OK) {
        sy_es256_close(k);
        return e;
    }
    *out = k;
    return SY_OK;
}

sy_err sy_enrol__next_key(const sy_enrol *o, sy_es256 **out, sy_fail *f)
{
    sy_es256 *next = NULL, *present = NULL;
    sy_fail unused;
    if (sy_enrol__has(o, "next.key") && load_key(o, "next.key", &next, &unused) == SY_OK) {
        bool used = load_key(o, "gateway.pem", &present, &unused) == SY_OK &&
                    strcmp(sy_es256_kid(present), sy_es256_kid(next)) == 0;
        sy_es256_close(present);
        if (!used) {
            *out = next;
            return SY_OK;
        }
        sy_es256_close(next);
    }
    return make_key(o, out, f); /* one that cannot be read certifies nothing: it is replaced */
}

sy_err sy_enrol__put_next(const sy_enrol *o, sy_es256 *key, sy_span chain, sy_fail *f)
{
    sy_buf both;
    sy_buf_init(&both, sy_heap());
    sy_buf_span_put(&both, chain);
    sy_err e = sy_es256_pem(key, &both, f);
    e = e != SY_OK ? e : sy_enrol__write(o, "next.pem", sy_buf_span(&both), true, f);
    sy_enrol__wipe(&both);
    return e;
}

sy_err sy_enrol__switch(const sy_enrol *o, sy_fail *f)
{
    char present[SY_ENROL_PATH], old[SY_ENROL_PATH], next[SY_ENROL_PATH], dir[SY_ENROL_PATH];
    sy_enrol_path(o->data, "gateway.pem", present);
    sy_enrol_path(o->data, "old.pem", old);
    sy_enrol_path(o->data, "next.pem", next);
    sy_enrol_path(o->data, "", dir);
    if (access(present, F_OK) == 0) {
        (void)unlink(old);
        if (link(present, old) != 0) {
            return sy_fail_sys(f, "cannot keep %s as %s", present, old);
        }
    }
    if (rename(next, present) != 0) {
        return sy_fail_sys(f, "cannot rename %s", next);
    }
    sy_err e = sy_dir_sync(dir, f);
    if (e == SY_OK) {
        remove_it(o, "next.key");
    }
    return e;
}

sy_err sy_enrol__ledger_key(const sy_enrol *o, sy_es256 **out, sy_fail *f)
{
    char key[SY_LEDGER_PATH], cert[SY_LEDGER_PATH], store[SY_ENROL_PATH];
    sy_err e = sy_keyfile_paths(o->data, o->ledger_key, o->ledger_cert, key, cert, f);
    if (e != SY_OK) {
        return e;
    }
    snprintf(store, sizeof store, "%s/store.db", o->data);
    if (access(key, F_OK) == 0 || access(store, F_OK) == 0) {
        return sy_keyfile_load(key, out, f);
    }
    return sy_keyfile_open(key, cert, "", out, f);
}

sy_err sy_enrol__ledger_cert(const sy_enrol *o, sy_span chain, sy_fail *f)
{
    char key[SY_LEDGER_PATH], cert[SY_LEDGER_PATH];
    sy_err e = sy_keyfile_paths(o->data, o->ledger_key, o->ledger_cert, key, cert, f);
    return e != SY_OK ? e : sy_file_write(cert, chain, 0644, f);
}

sy_err sy_enrol__chain(const sy_enrol *o, sy_span certs, sy_span ca, sy_es256 *key, sy_buf *out,
                       sy_fail *f)
{
    sy_chain chain;
    sy_subject who;
    sy_chain_want want = {.ca_pem = ca,
                          .spki = sy_es256_spki(key),
                          .gateway = sy_span_of(o->gateway),
                          .when = o->now,
                          .or_later = sy_tls_now_is_a_bound(o->now)};
    sy_chain_init(&chain);
    sy_err e = sy_p7_order(certs, sy_es256_spki(key), out, f);
    e = e != SY_OK ? e : sy_chain_read_pem(sy_buf_span(out), &chain, f);
    e = e != SY_OK ? e : sy_chain_subject(&chain, &who, f);
    if (e == SY_OK && who.from > o->now && who.from - o->now <= ahead) {
        want.when = who.from; /* the authority's clock is ahead of ours, or time went on */
    }
    e = e != SY_OK ? e : sy_chain_check(&chain, &want, f);
    sy_chain_free(&chain);
    return e;
}

sy_err sy_enrol_times(const char *path, sy_ms *from, sy_ms *until, sy_fail *f)
{
    sy_buf pem;
    sy_chain chain;
    sy_subject who;
    sy_buf_init(&pem, sy_heap());
    sy_chain_init(&chain);
    sy_err e = sy_file_read(path, SY_ENROL_FILE, &pem, f);
    e = e != SY_OK ? e : sy_chain_read_pem(sy_buf_span(&pem), &chain, f);
    e = e != SY_OK ? e : sy_chain_subject(&chain, &who, f);
    if (e == SY_OK) {
        *from = who.from;
        *until = who.to;
    }
    sy_chain_free(&chain);
    sy_enrol__wipe(&pem);
    return e;
}

sy_ms sy_enrol_due(sy_ms from, sy_ms until, uint32_t spread)
{
    sy_ms life = until > from ? until - from : 0;
    return from + life / 3 * 2 + (sy_ms)((double)life / 20 * ((double)spread / UINT32_MAX));
}
