/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is signed is ASCII(header) "." base64url(payload), also where the payload travels apart, so
 * it is encoded once more to be checked. The header is read by the JSON library with doubled
 * members refused: two readers must not see two headers.
 */
#include "ledger/jws.h"

#include <jansson.h>

#include "ledger/b64.h"

static bool typ_fits(const char *typ)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789+-./";
    size_t n = strlen(typ);
    return n > 0 && n <= SY_JWS_TYP && strspn(typ, allowed) == n;
}

sy_err sy_jws_header(const sy_es256 *key, const sy_chain *chain, const char *typ, sy_buf *out,
                     sy_fail *f)
{
    sy_buf json;
    if (!typ_fits(typ))
        return sy_fail_set(f, SY_E_RANGE, "'%.64s' cannot stand in a signature's header", typ);
    sy_buf_init(&json, sy_heap());
    sy_buf_printf(&json, "{\"alg\":\"" SY_ALG "\",\"typ\":\"%s\",", typ);
    if (chain && chain->n) {
        sy_buf_text(&json, "\"x5c\":[");
        for (size_t i = 0; i < chain->n; i++) {
            sy_buf_text(&json, i ? ",\"" : "\"");
            sy_b64_put(&json, sy_buf_span(&chain->der[i]), SY_B64);
            sy_buf_char(&json, '"');
        }
        sy_buf_text(&json, "]}");
    } else {
        sy_buf_printf(&json, "\"kid\":\"%s\"}", sy_es256_kid(key));
    }
    sy_err e = json.n > SY_JWS_HEADER
                   ? sy_fail_set(f, SY_E_RANGE, "the certificates are too long for a signature")
                   : SY_OK;
    if (!e)
        sy_b64_put(out, sy_buf_span(&json), SY_B64_URL);
    if (!e && (json.failed || out->failed))
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for a signature");
    sy_buf_fini(&json);
    return e;
}

sy_err sy_jws_sign(sy_es256 *key, sy_span header, sy_span payload, bool detached, sy_buf *out,
                   sy_fail *f)
{
    sy_buf text;
    uint8_t signature[SY_SIGNATURE_BYTES];
    sy_buf_init(&text, sy_heap());
    sy_buf_span_put(&text, header);
    sy_buf_char(&text, '.');
    sy_b64_put(&text, payload, SY_B64_URL);
    sy_err e = text.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a signature")
                           : sy_es256_sign(key, sy_buf_span(&text), signature, f);
    if (!e) {
        sy_buf_span_put(out, detached ? header : sy_buf_span(&text));
        sy_buf_text(out, detached ? ".." : ".");
        sy_b64_put(out, (sy_span){(const char *)signature, sizeof signature}, SY_B64_URL);
        e = out->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a signature") : SY_OK;
    }
    sy_buf_fini(&text);
    return e;
}

void sy_jws_init(sy_jws *j)
{
    memset(j, 0, sizeof *j);
    sy_buf_init(&j->payload, sy_heap());
    sy_buf_init(&j->spki, sy_heap());
    sy_buf_init(&j->kept, sy_heap());
    sy_chain_init(&j->chain);
}

void sy_jws_free(sy_jws *j)
{
    sy_buf_fini(&j->payload);
    sy_buf_fini(&j->spki);
    sy_buf_fini(&j->kept);
    sy_chain_free(&j->chain);
}

static sy_err bad(sy_fail *f, const char *why)
{
    return sy_fail_set(f, SY_E_PARSE, "the signature cannot be read: %s", why);
}

/* A text member up to `most` bytes; "" where it is missing. */
static bool member(const json_t *o, const char *name, size_t most, char *out)
{
    const json_t *v = json_object_get(o, name);
    size_t n = v ? json_string_length(v) : 0;
    if (v && (!json_is_string(v) || n > most || strlen(json_string_value(v)) != n))
        return false;
    memcpy(out, v ? json_string_value(v) : "", n);
    out[n] = 0;
    return true;
}

static sy_err read_x5c(const json_t *list, sy_jws *out, sy_fail *f)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n == 0 || n > SY_CHAIN_MAX)
        return bad(f, "x5c is no list of one to four certificates");
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        sy_span text = {json_string_value(v), json_string_length(v)};
        if (!json_is_string(v) || text.n > (size_t)SY_CHAIN_BYTES * 4 / 3 + 4 ||
            sy_b64_get(text, SY_B64, &out->chain.der[i]))
            return bad(f, "a certificate in x5c is no base64");
        out->chain.n = i + 1;
    }
    sy_err e = sy_chain_spki(&out->chain, &out->spki, f);
    if (e == SY_E_DENIED)
        return bad(f, "a certificate in x5c is none");
    if (!e)
        sy_kid_of(sy_buf_span(&out->spki), out->kid);
    return e;
}

static sy_err read_header(const json_t *o, sy_jws *out, sy_fail *f)
{
    char alg[16];
    if (!json_is_object(o))
        return bad(f, "its header is no JSON object");
    if (!member(o, "alg", sizeof alg - 1, alg) || strcmp(alg, SY_ALG) != 0)
        return bad(f, "its algorithm is not ES256");
    if (json_object_get(o, "crit") || json_object_get(o, "b64"))
        return bad(f, "its header asks for what is not known here (crit, b64)");
    if (!member(o, "typ", SY_JWS_TYP, out->typ) || !member(o, "kid", SY_KID_CHARS, out->kid))
        return bad(f, "typ or kid is no short text");
    const json_t *x5c = json_object_get(o, "x5c");
    return x5c ? read_x5c(x5c, out, f) : SY_OK;
}

static sy_err decode_header(sy_span text, sy_jws *out, sy_fail *f)
{
    sy_buf json;
    sy_buf_init(&json, sy_heap());
    sy_err e = text.n > (size_t)SY_JWS_HEADER * 4 / 3 + 4 ? SY_E_PARSE
                                                          : sy_b64_get(text, SY_B64_URL, &json);
    if (e) {
        e = bad(f, "its header is no base64url, or too long");
    } else {
        json_t *o = json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, NULL);
        e = read_header(o, out, f);
        json_decref(o);
    }
    sy_buf_fini(&json);
    return e;
}

/* The three parts; payload and signature are decoded. */
static sy_err cut(sy_span text, sy_jws *out, sy_fail *f)
{
    const char *first = text.n && text.n <= SY_JWS_BYTES ? memchr(text.p, '.', text.n) : NULL;
    const char *end = text.p + text.n;
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second)
        return bad(f, "it has no three parts, or is too long");
    sy_buf signature;
    const sy_span payload = {first + 1, (size_t)(second - first - 1)};
    out->header = (sy_span){text.p, (size_t)(first - text.p)};
    out->detached = payload.n == 0;
    out->signing = (sy_span){text.p, (size_t)((out->detached ? first : second) - text.p)};
    sy_buf_init(&signature, sy_heap());
    sy_buf_reset(&out->payload);
    sy_err e =
        sy_b64_get((sy_span){second + 1, (size_t)(end - second - 1)}, SY_B64_URL, &signature);
    if (e || signature.n != sizeof out->signature)
        e = bad(f, "its last part is no signature of 64 bytes");
    else
        memcpy(out->signature, signature.p, sizeof out->signature);
    sy_buf_fini(&signature);
    if (!e && sy_b64_get(payload, SY_B64_URL, &out->payload))
        e = bad(f, "its payload is no base64url");
    return e;
}

sy_err sy_jws_read(sy_span text, sy_jws *out, sy_fail *f)
{
    sy_err e = cut(text, out, f);
    e = e ? e : decode_header(out->header, out, f);
    if (!e) {
        sy_buf_span_put(&out->kept, out->header);
        e = out->kept.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a signature") : SY_OK;
    }
    return e;
}

sy_err sy_jws_again(sy_span text, sy_jws *j, sy_fail *f)
{
    const size_t n = j->kept.n;
    if (n == 0 || text.n <= n || text.p[n] != '.' || memcmp(text.p, j->kept.p, n) != 0)
        return sy_fail_set(f, SY_E_NOTFOUND, "another header");
    return cut(text, j, f);
}

sy_err sy_jws_holds(const sy_jws *j, sy_span payload, sy_span spki, sy_fail *f)
{
    char kid[SY_KID_CHARS + 1];
    const sy_span key = j->spki.n ? sy_buf_span(&j->spki) : spki;
    if (!key.n)
        return sy_fail_set(f, SY_E_NOTFOUND,
                           "the signature is by the key %.16s, which nobody has certified", j->kid);
    sy_kid_of(key, kid);
    if (j->kid[0] && strcmp(kid, j->kid) != 0)
        return sy_fail_set(f, SY_E_DENIED, "the signature names another key, %.16s", j->kid);
    if (!j->detached)
        return sy_es256_check(key, j->signing, j->signature, f);
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_buf_span_put(&text, j->signing);
    sy_buf_char(&text, '.');
    sy_b64_put(&text, payload, SY_B64_URL);
    sy_err e = text.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a signature")
                           : sy_es256_check(key, sy_buf_span(&text), j->signature, f);
    sy_buf_fini(&text);
    return e;
}

sy_err sy_jws_check(sy_span text, const sy_jws_want *want, sy_jws *out, sy_subject *who,
                    sy_flaw *flaw, sy_fail *f)
{
    *flaw = SY_FLAW_NONE;
    sy_err e = sy_jws_read(text, out, f);
    if (!e && want->detached != out->detached)
        e = bad(f, want->detached ? "it carries what it signs" : "it carries nothing");
    if (!e && want->typ && strcmp(want->typ, out->typ) != 0)
        e = sy_fail_set(f, SY_E_DENIED, "the signature is for '%s', not for '%s'", out->typ,
                        want->typ);
    e = e ? e : sy_jws_holds(out, want->payload, (sy_span){NULL, 0}, f);
    if (e == SY_E_NOTFOUND) {
        *flaw = SY_FLAW_UNKNOWN;
        return sy_fail_set(f, SY_E_DENIED, "the signature comes without a certificate");
    }
    const sy_chain_want chain = {.ca_pem = want->ca_pem,
                                 .crl_pem = want->crl_pem,
                                 .spki = sy_buf_span(&out->spki),
                                 .when = want->when};
    e = e ? e : sy_chain_judge(&out->chain, &chain, flaw, f);
    return e ? e : sy_chain_subject(&out->chain, who, f);
}
