/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbedTLS compares certificates with the wall clock; a proof is checked for the time at which it
 * was signed. So its two time flags are replaced in the verify callback.
 */
#include "ledger/chain.h"

#include <mbedtls/oid.h>

#include "base/utf8.h"
#include "ledger/mbed_compat.h"

void sy_chain_init(sy_chain *c)
{
    for (size_t i = 0; i < SY_CHAIN_MAX; i++)
        sy_buf_init(&c->der[i], sy_heap());
    c->n = 0;
}

void sy_chain_free(sy_chain *c)
{
    for (size_t i = 0; i < SY_CHAIN_MAX; i++)
        sy_buf_fini(&c->der[i]);
    c->n = 0;
}

static sy_err parse_pem(sy_span pem, mbedtls_x509_crt *out, const char *what, sy_fail *f)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_buf_span_put(&text, pem);
    sy_buf_char(&text, 0);
    int rc = text.failed ? -1 : sy_mbed_start();
    rc = rc ? rc : mbedtls_x509_crt_parse(out, (const unsigned char *)text.p, text.n);
    sy_buf_fini(&text);
    if (rc)
        return sy_fail_make(f, SY_E_PARSE, rc, SY_AT, "no certificates in PEM can be read from %s",
                            what);
    return SY_OK;
}

sy_err sy_chain_read_pem(sy_span pem, sy_chain *out, sy_fail *f)
{
    mbedtls_x509_crt first;
    size_t n = 0;
    mbedtls_x509_crt_init(&first);
    sy_err e = parse_pem(pem, &first, "the certificate of the ledger's key", f);
    for (const mbedtls_x509_crt *c = &first; c && !e; c = c->next, n++) {
        if (n == SY_CHAIN_MAX) {
            e = sy_fail_set(f, SY_E_PARSE, "more than %d certificates for the ledger's key",
                            (int)SY_CHAIN_MAX);
            break;
        }
        sy_buf_reset(&out->der[n]);
        sy_buf_put(&out->der[n], c->raw.p, c->raw.len);
        if (out->der[n].failed || c->raw.len > SY_CHAIN_BYTES)
            e = sy_fail_set(f, SY_E_PARSE, "a certificate of the ledger's key is too large");
    }
    out->n = e ? 0 : n;
    mbedtls_x509_crt_free(&first);
    return e;
}

static sy_err parse_der(const sy_chain *c, mbedtls_x509_crt *out, sy_fail *f)
{
    if (c->n == 0)
        return sy_fail_set(f, SY_E_DENIED, "no authority has certified the key");
    for (size_t i = 0; i < c->n; i++) {
        int rc = sy_mbed_start();
        rc = rc ? rc
                : mbedtls_x509_crt_parse_der(out, (const unsigned char *)c->der[i].p, c->der[i].n);
        const mbedtls_x509_crt *last = out;
        while (last->next)
            last = last->next;
        /* mbedTLS passes over what follows a certificate; here nothing may. */
        if (rc || last->raw.len != c->der[i].n)
            return sy_fail_make(f, SY_E_DENIED, rc, SY_AT, "certificate %zu cannot be read", i);
    }
    return SY_OK;
}

static sy_err spki_of(mbedtls_x509_crt *crt, sy_buf *out, sy_fail *f)
{
    unsigned char room[1024];
    int n = mbedtls_pk_write_pubkey_der(&crt->pk, room, sizeof room);
    if (n <= 0)
        return sy_fail_make(f, SY_E_DENIED, n, SY_AT, "the certificate's key cannot be read");
    sy_buf_put(out, room + sizeof room - n, (size_t)n);
    return out->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a key") : SY_OK;
}

sy_err sy_chain_spki(const sy_chain *c, sy_buf *out, sy_fail *f)
{
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    sy_err e = parse_der(c, &crt, f);
    e = e ? e : spki_of(&crt, out, f);
    mbedtls_x509_crt_free(&crt);
    return e;
}

static sy_ms time_of(const mbedtls_x509_time *t)
{
    int64_t days = sy_days_of((sy_date){t->year, (uint8_t)t->mon, (uint8_t)t->day});
    return (((days * 24 + t->hour) * 60 + t->min) * 60 + t->sec) * 1000;
}

static int at_that_time(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    const sy_chain_want *want = ctx;
    (void)depth;
    *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE |
                          MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE);
    *flags |= time_of(&crt->valid_to) < want->when ? MBEDTLS_X509_BADCERT_EXPIRED : 0u;
    if (time_of(&crt->valid_from) > want->when && !want->or_later)
        *flags |= MBEDTLS_X509_BADCERT_FUTURE;
    return 0;
}

static bool names(const mbedtls_x509_crt *crt, sy_span gateway)
{
    for (const mbedtls_x509_name *n = &crt->subject; n; n = n->next)
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0)
            return sy_span_eq((sy_span){(const char *)n->val.p, n->val.len}, gateway);
    return false;
}

static sy_err parse_crl(sy_span pem, mbedtls_x509_crl *out, sy_fail *f)
{
    sy_buf text;
    if (!pem.n)
        return SY_OK;
    sy_buf_init(&text, sy_heap());
    sy_buf_span_put(&text, pem);
    sy_buf_char(&text, 0);
    int rc = text.failed ? -1 : mbedtls_x509_crl_parse(out, (const unsigned char *)text.p, text.n);
    sy_buf_fini(&text);
    return rc ? sy_fail_make(f, SY_E_PARSE, rc, SY_AT,
                             "no list of revoked certificates in PEM can be read")
              : SY_OK;
}

static sy_err denied(const sy_chain_want *want, uint32_t flags, sy_flaw *flaw, sy_fail *f)
{
    char text[25];
    const char *why = "it is not the authority's, at";
    const uint32_t time = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
    sy_time_text(want->when, text);
    *flaw = SY_FLAW_UNKNOWN;
    if (flags & MBEDTLS_X509_BADCERT_REVOKED) {
        *flaw = SY_FLAW_REVOKED;
        why = "it is revoked, at";
    } else if (!(flags & ~time)) {
        *flaw = SY_FLAW_TIME;
        why =
            flags & MBEDTLS_X509_BADCERT_EXPIRED ? "it had expired at" : "it was not yet valid at";
    }
    return sy_fail_set(f, SY_E_DENIED, "the certificate of the key does not hold: %s %s", why,
                       text);
}

static sy_err trust(mbedtls_x509_crt *crt, const sy_chain_want *want, sy_flaw *flaw, sy_fail *f)
{
    mbedtls_x509_crt ca;
    mbedtls_x509_crl crl;
    uint32_t flags = 0;
    sy_chain_want asked = *want; /* mbedTLS takes no constant */
    mbedtls_x509_crt_init(&ca);
    mbedtls_x509_crl_init(&crl);
    sy_err e = parse_pem(want->ca_pem, &ca, "the authority's file", f);
    e = e ? e : parse_crl(want->crl_pem, &crl, f);
    if (!e && mbedtls_x509_crt_verify(crt, &ca, want->crl_pem.n ? &crl : NULL, NULL, &flags,
                                      at_that_time, &asked) != 0)
        e = denied(want, flags, flaw, f);
    mbedtls_x509_crl_free(&crl);
    mbedtls_x509_crt_free(&ca);
    return e;
}

/* What remains to be asked of a certificate that holds. */
static sy_err fits(mbedtls_x509_crt *crt, const sy_chain_want *want, sy_flaw *flaw, sy_fail *f)
{
    sy_buf spki;
    sy_buf_init(&spki, sy_heap());
    sy_err e = want->spki.n ? spki_of(crt, &spki, f) : SY_OK;
    *flaw = SY_FLAW_USAGE;
    if (!e && mbedtls_x509_crt_check_key_usage(crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0)
        e = sy_fail_set(f, SY_E_DENIED, "the certificate's key may not sign (its key usage)");
    if (!e && want->spki.n && !sy_span_eq(sy_buf_span(&spki), want->spki))
        e = sy_fail_set(f, SY_E_DENIED, "the certificate is for another key");
    if (!e && want->gateway.n && !names(crt, want->gateway)) {
        *flaw = SY_FLAW_NAME;
        e = sy_fail_set(f, SY_E_DENIED, "the certificate does not name the gateway %.*s",
                        (int)(want->gateway.n < 64 ? want->gateway.n : 64), want->gateway.p);
    }
    *flaw = e ? *flaw : SY_FLAW_NONE;
    sy_buf_fini(&spki);
    return e;
}

sy_err sy_chain_judge(const sy_chain *c, const sy_chain_want *want, sy_flaw *flaw, sy_fail *f)
{
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    *flaw = SY_FLAW_UNKNOWN;
    sy_err e = parse_der(c, &crt, f);
    e = e ? e : trust(&crt, want, flaw, f);
    e = e ? e : fits(&crt, want, flaw, f);
    mbedtls_x509_crt_free(&crt);
    return e;
}

sy_err sy_chain_check(const sy_chain *c, const sy_chain_want *want, sy_fail *f)
{
    sy_flaw unused;
    return sy_chain_judge(c, want, &unused, f);
}

static bool take_text(const mbedtls_x509_name *n, char out[SY_SUBJECT_TEXT + 1])
{
    if (n->val.len == 0 || n->val.len > SY_SUBJECT_TEXT)
        return false;
    for (size_t i = 0; i < n->val.len; i++)
        if (n->val.p[i] < 0x20 || n->val.p[i] == 0x7f)
            return false;
    memcpy(out, n->val.p, n->val.len);
    out[n->val.len] = 0;
    return sy_utf8_check((sy_span){out, n->val.len}) == n->val.len;
}

static bool take_names(const mbedtls_x509_crt *crt, sy_subject *out)
{
    for (const mbedtls_x509_name *n = &crt->subject; n; n = n->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0) {
            if (out->cn[0] || !take_text(n, out->cn))
                return false;
        } else if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORG_UNIT, &n->oid) == 0) {
            if (out->n_ou == SY_SUBJECT_OUS || !take_text(n, out->ou[out->n_ou]))
                return false;
            out->n_ou++;
        }
    }
    return true;
}

sy_err sy_chain_subject(const sy_chain *c, sy_subject *out, sy_fail *f)
{
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    memset(out, 0, sizeof *out);
    sy_err e = parse_der(c, &crt, f);
    if (!e && (!take_names(&crt, out) || crt.serial.len > sizeof out->serial / 2))
        e = sy_fail_set(f, SY_E_DENIED, "the certificate names nobody in a usable way");
    if (!e) {
        unsigned char sum[32];
        sy_sha256 h;
        sy_sha256_init(&h);
        sy_sha256_add(&h, c->der[0].p, c->der[0].n);
        sy_sha256_end(&h, sum);
        sy_hex(sum, sizeof sum, out->fingerprint);
        sy_hex(crt.serial.p, crt.serial.len, out->serial);
        out->from = time_of(&crt.valid_from);
        out->to = time_of(&crt.valid_to);
    }
    mbedtls_x509_crt_free(&crt);
    return e;
}

bool sy_subject_has_ou(const sy_subject *s, const char *ou)
{
    for (size_t i = 0; i < s->n_ou; i++)
        if (strcmp(s->ou[i], ou) == 0)
            return true;
    return false;
}
