/* SPDX-License-Identifier: Apache-2.0 */
/* One spelling of the payload, in the order of docs/orders.md. */
#include "inbox/order.h"

#include <stdio.h>
#include <stdlib.h>

#include "ledger/jws.h"

enum { PEM_MAX = 65536, ID_BYTES = 16 };
#define TYP "steelyard-order+jws"

struct sy_signer {
    sy_es256 *key;
    sy_buf header;
    sy_subject subject;
};

static sy_err usage(sy_fail *f, const char *option)
{
    (void)sy_fail_wrap(f, "%s", option);
    return SY_E_USAGE;
}

static sy_err read_key(sy_signer *s, const char *path, sy_fail *f)
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

static sy_err read_cert(sy_signer *s, const char *path, sy_fail *f)
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
    if (e == SY_OK && !sy_signer_may(s, "acknowledge")) {
        e = sy_fail_set(f, SY_E_USAGE,
                        "its organisational unit (OU) is none of platform, inspector, regulator, "
                        "so no box would take an order signed with it");
    }
    e = e != SY_OK ? e : sy_jws_header(s->key, &chain, TYP, &s->header, f);
    sy_chain_free(&chain);
    sy_buf_fini(&spki);
    sy_buf_fini(&pem);
    return e != SY_OK ? usage(f, "--sign-cert") : SY_OK;
}

sy_err sy_signer_open(sy_signer **out, const char *cert, const char *key, sy_fail *f)
{
    sy_signer *s = calloc(1, sizeof *s);
    if (!s) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the signer");
    }
    sy_buf_init(&s->header, sy_heap());
    sy_err e = read_key(s, key, f);
    e = e != SY_OK ? e : read_cert(s, cert, f);
    if (e != SY_OK) {
        sy_signer_close(s);
        return e;
    }
    *out = s;
    return SY_OK;
}

void sy_signer_close(sy_signer *s)
{
    if (s) {
        sy_es256_close(s->key);
        sy_buf_fini(&s->header);
        free(s);
    }
}

bool sy_signer_may(const sy_signer *s, const char *kind)
{
    bool shelves = strcmp(kind, "shelve") == 0 || strcmp(kind, "unshelve") == 0;
    bool hands_on = strcmp(kind, "acknowledge") == 0 || strcmp(kind, "comment") == 0 ||
                    strcmp(kind, "evidence") == 0;
    return s && ((sy_subject_has_ou(&s->subject, "regulator") && (shelves || hands_on)) ||
                 ((sy_subject_has_ou(&s->subject, "platform") ||
                   sy_subject_has_ou(&s->subject, "inspector")) &&
                  hands_on));
}

const char *sy_signer_name(const sy_signer *s)
{
    return s->subject.cn;
}

static void member(sy_buf *b, const char *name, const char *value)
{
    sy_buf_printf(b, "%s\"%s\":", b->n && b->p[b->n - 1] != '{' ? "," : "", name);
    sy_buf_json(b, sy_span_of(value));
}

static void payload(sy_buf *b, const sy_order_want *w, const char *id)
{
    char now[25], until[25];
    sy_time_text(w->now, now);
    sy_buf_char(b, '{');
    member(b, "id", id);
    member(b, "gateway", w->gateway);
    member(b, "kind", w->kind);
    member(b, "issued", now);
    sy_buf_text(b, ",\"expires\":null");
    member(b, "who", w->who);
    member(b, "why", w->why);
    sy_buf_text(b, ",\"body\":{");
    member(b, "alert", w->alert);
    if (strcmp(w->kind, "comment") == 0) {
        member(b, "text", w->text);
    }
    if (strcmp(w->kind, "shelve") == 0) {
        sy_time_text(w->until, until);
        member(b, "until", until);
    }
    sy_buf_text(b, "}}");
}

sy_err sy_order_make(sy_signer *s, const sy_order_want *w, char id[33], sy_buf *jws, sy_fail *f)
{
    uint8_t random[ID_BYTES];
    sy_buf text;
    if (!sy_signer_may(s, w->kind)) {
        return sy_fail_set(f, SY_E_DENIED, "the inbox's certificate may not give such an order");
    }
    sy_random(random, sizeof random);
    sy_hex(random, sizeof random, id);
    sy_buf_init(&text, sy_heap());
    payload(&text, w, id);
    sy_err e = text.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for an order")
                           : sy_jws_sign(s->key, sy_buf_span(&s->header), sy_buf_span(&text), false,
                                         jws, f);
    sy_buf_fini(&text);
    return e;
}

static const char *text_of(const json_t *object, const char *name, size_t max)
{
    const json_t *v = json_object_get(object, name);
    size_t n = json_string_length(v);
    return n > 0 && n <= max ? json_string_value(v) : NULL;
}

sy_err sy_order_parse(sy_span text, sy_order_read *out, sy_fail *f)
{
    sy_jws j;
    sy_subject who;
    memset(out, 0, sizeof *out);
    sy_jws_init(&j);
    sy_err e = sy_jws_read(text, &j, f);
    if (e == SY_OK && (j.detached || strcmp(j.typ, TYP) != 0 || j.chain.n == 0)) {
        e = sy_fail_set(f, SY_E_PARSE,
                        "the signature is not that of an order: typ is " TYP
                        ", x5c names the signer");
    }
    e = e != SY_OK ? e : sy_chain_subject(&j.chain, &who, f);
    if (e == SY_OK) {
        snprintf(out->signer, sizeof out->signer, "%s", who.cn);
        out->root =
            json_loadb(j.payload.p ? j.payload.p : "", j.payload.n, JSON_REJECT_DUPLICATES, NULL);
        out->id = text_of(out->root, "id", 64);
        out->gateway = text_of(out->root, "gateway", 200);
        out->kind = text_of(out->root, "kind", 32);
        out->who = text_of(out->root, "who", SY_DESK_WHO_MAX);
        out->why = text_of(out->root, "why", SY_DESK_WHY_MAX);
        out->alert = text_of(json_object_get(out->root, "body"), "alert", 200);
        if (!out->id || !out->gateway || !out->kind || !out->who || !out->why) {
            e = sy_fail_set(f, SY_E_PARSE,
                            "the order is no JSON object with id, gateway, kind, who and why");
        }
    }
    sy_jws_free(&j);
    return e;
}

void sy_order_free(sy_order_read *r)
{
    json_decref(r->root);
}
