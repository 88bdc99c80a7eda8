/* SPDX-License-Identifier: Apache-2.0 */
/* The payload is written by orders/, so that a box takes what is signed here. */
#include "inbox/sign.h"

#include <stdlib.h>

#include "ledger/jws.h"

enum { PEM_MAX = 65536 };

struct sy_pen {
    sy_es256 *key;
    sy_buf header;
    sy_subject subject;
};

static sy_err usage(sy_fail *f, const char *option)
{
    (void)sy_fail_wrap(f, "%s", option);
    return SY_E_USAGE;
}

static sy_err read_key(sy_pen *s, const char *path, sy_fail *f)
{
    sy_buf pem;
    sy_buf_init(&pem, sy_heap());
    sy_err e = sy_file_read(path, PEM_MAX, &pem, f);
    e = e != SY_OK ? e : sy_es256_load(&s->key, sy_buf_span(&pem), f);
    if (pem.p) {
        explicit_bzero(pem.p, pem.cap);
    }
    sy_buf_fini(&pem);
    return e != SY_OK ? usage(f, "--sign-key") : SY_OK;
}

static sy_err read_cert(sy_pen *s, const char *path, sy_fail *f)
{
    sy_buf pem, spki;
    sy_chain chain;
    sy_buf_init(&pem, sy_heap());
    sy_buf_init(&spki, sy_heap());
    sy_chain_init(&chain);
    sy_err e = sy_file_read(path, PEM_MAX, &pem, f);
    e = e != SY_OK ? e : sy_chain_read_pem(sy_buf_span(&pem), &chain, f);
    e = e != SY_OK ? e : sy_chain_subject(&chain, &s->subject, f);
    e = e != SY_OK ? e : sy_chain_spki(&chain, &spki, f);
    if (e == SY_OK && !sy_span_eq(sy_buf_span(&spki), sy_es256_spki(s->key))) {
        e = sy_fail_set(f, SY_E_USAGE, "the certificate is not that of --sign-key");
    }
    if (e == SY_OK && !sy_pen_may(s, SY_ORDER_ACKNOWLEDGE)) {
        e = sy_fail_set(f, SY_E_USAGE,
                        "its organisational unit (OU) is none of platform, inspector, regulator, "
                        "so no box would take an order signed with it");
    }
    e = e != SY_OK ? e : sy_jws_header(s->key, &chain, SY_ORDER_TYP, &s->header, f);
    sy_chain_free(&chain);
    sy_buf_fini(&spki);
    sy_buf_fini(&pem);
    return e != SY_OK ? usage(f, "--sign-cert") : SY_OK;
}

sy_err sy_pen_open(sy_pen **out, const char *cert, const char *key, sy_fail *f)
{
    sy_pen *s = calloc(1, sizeof *s);
    if (!s) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the signer");
    }
    sy_buf_init(&s->header, sy_heap());
    sy_err e = read_key(s, key, f);
    e = e != SY_OK ? e : read_cert(s, cert, f);
    if (e != SY_OK) {
        sy_pen_close(s);
        return e;
    }
    *out = s;
    return SY_OK;
}

void sy_pen_close(sy_pen *s)
{
    if (s) {
        sy_es256_close(s->key);
        sy_buf_fini(&s->header);
        free(s);
    }
}

bool sy_pen_may(const sy_pen *s, sy_order_kind kind)
{
    unsigned roles = 0;
    for (size_t i = 0; s && i < s->subject.n_ou; i++) {
        roles |= sy_order_role_of(s->subject.ou[i]);
    }
    return (roles & sy_order_roles(kind)) != 0;
}

const char *sy_pen_name(const sy_pen *s)
{
    return s->subject.cn;
}

sy_err sy_pen_order(sy_pen *s, sy_order *o, sy_ms now, sy_buf *jws, sy_fail *f)
{
    sy_buf text;
    if (!sy_pen_may(s, o->kind)) {
        return sy_fail_set(f, SY_E_DENIED, "the inbox's certificate may not give such an order");
    }
    o->issued = now;
    o->expires = SY_MS_MAX;
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_order_write(o, &text, f);
    e = e != SY_OK
            ? e
            : sy_jws_sign(s->key, sy_buf_span(&s->header), sy_buf_span(&text), false, jws, f);
    sy_buf_fini(&text);
    return e;
}

sy_err sy_signed_read(sy_span text, sy_order *out, char signer[SY_SUBJECT_TEXT + 1], sy_fail *f)
{
    sy_jws j;
    sy_subject who;
    sy_jws_init(&j);
    sy_err e = sy_jws_read(text, &j, f);
    if (e == SY_OK && (j.detached || strcmp(j.typ, SY_ORDER_TYP) != 0 || j.chain.n == 0)) {
        e = sy_fail_set(f, SY_E_PARSE, "it is not signed as an order: typ is %s, x5c the signer",
                        SY_ORDER_TYP);
    }
    e = e != SY_OK ? e : sy_chain_subject(&j.chain, &who, f);
    e = e != SY_OK ? e : sy_order_read(sy_buf_span(&j.payload), out, f);
    if (e == SY_OK) {
        memcpy(signer, who.cn, sizeof who.cn);
    }
    sy_jws_free(&j);
    return e;
}
