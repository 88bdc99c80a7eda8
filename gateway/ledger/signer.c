/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header with the certificates is made once a key, so that an event costs one signature. Files
 * are told apart by inode, size and time of change: they are replaced by renaming.
 */
#include "ledger/signer.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "ledger/ledger_files.h"
#include "ledger/member.h"

typedef struct mark {
    uint64_t inode, size;
    int64_t s, ns;
} mark;

struct sy_signer {
    char *key_path, *cert_path;
    mark key_mark, cert_mark;
    sy_es256 *key; /* NULL: none */
    sy_buf header;
    sy_fail why; /* there is no key */
};

sy_err sy_signer_open(sy_signer **out, const char *key_path, const char *cert_path, sy_fail *f)
{
    sy_signer *s = calloc(1, sizeof *s);
    if (s) {
        s->key_path = strdup(key_path);
        s->cert_path = strdup(cert_path);
        sy_buf_init(&s->header, sy_heap());
    }
    if (!s || !s->key_path || !s->cert_path) {
        sy_signer_close(s);
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the box's signature");
    }
    sy_err unused = sy_fail_set(&s->why, SY_E_NOTFOUND, "the key was not read yet");
    (void)unused;
    *out = s;
    return SY_OK;
}

void sy_signer_close(sy_signer *s)
{
    if (!s)
        return;
    sy_es256_close(s->key);
    sy_buf_fini(&s->header);
    free(s->key_path);
    free(s->cert_path);
    free(s);
}

bool sy_signer_same(const sy_signer *s, const char *key_path, const char *cert_path)
{
    if (!s || !key_path || !cert_path)
        return !s && !key_path && !cert_path;
    return strcmp(s->key_path, key_path) == 0 && strcmp(s->cert_path, cert_path) == 0;
}

static mark mark_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (mark){0};
    return (mark){st.st_ino, (uint64_t)st.st_size, st.st_ctim.tv_sec, st.st_ctim.tv_nsec};
}

static bool same(const mark *a, const mark *b)
{
    return a->inode == b->inode && a->size == b->size && a->s == b->s && a->ns == b->ns;
}

static sy_err load(sy_signer *s, sy_fail *f)
{
    sy_chain chain;
    sy_fail unused;
    sy_err e = sy_keyfile_load(s->key_path, &s->key, f);
    if (e)
        return e;
    sy_chain_init(&chain);
    /* A certificate that cannot be read, or is for another key, is as good as none: the key's name
     * stands in its place. */
    if (sy_keyfile_chain(s->cert_path, sy_es256_spki(s->key), &chain, &unused) != SY_OK)
        chain.n = 0;
    e = sy_jws_header(s->key, &chain, SY_TYP_EVENT, &s->header, f);
    sy_chain_free(&chain);
    return e;
}

void sy_signer_refresh(sy_signer *s)
{
    const mark key = mark_of(s->key_path), cert = mark_of(s->cert_path);
    if (s->key && same(&key, &s->key_mark) && same(&cert, &s->cert_mark))
        return;
    sy_es256_close(s->key);
    s->key = NULL;
    sy_buf_reset(&s->header);
    s->key_mark = key;
    s->cert_mark = cert;
    if (load(s, &s->why) != SY_OK) {
        sy_es256_close(s->key);
        s->key = NULL;
    }
}

sy_err sy_signer_sign(sy_signer *s, sy_span text, sy_buf *out, sy_fail *f)
{
    if (!s->key) {
        *f = s->why;
        return SY_E_NOTFOUND;
    }
    return sy_jws_sign(s->key, sy_buf_span(&s->header), text, true, out, f);
}
