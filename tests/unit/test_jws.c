/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures: the published example of RFC 7515, GnuTLS as another reader of ours, each bit that is
 * changed is seen, and each certificate that does not hold is refused for what is wrong with it.
 */
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#include "ledger/b64.h"
#include "ledger/jws.h"
#include "upstream/certs.h"

/* cmocka wants these, in this order. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char typ[] = "steelyard-event+jws";

static void fine(sy_err e, const sy_fail *f)
{
    if (e != SY_OK) {
        fail_msg("%s", f->text);
    }
}

static sy_span text_of(const char *t)
{
    return sy_span_of(t);
}

/* An authority, and whom it certifies. */
typedef struct authority {
    sy_certs *certs;
    sy_buf ca, ca_key;
    sy_ms from, to;
} authority;

static void found(authority *a)
{
    sy_fail f;
    a->from = 1767225600000;
    a->to = a->from + (sy_ms)365 * 86400000;
    sy_buf_init(&a->ca, sy_heap());
    sy_buf_init(&a->ca_key, sy_heap());
    fine(sy_certs_open(&a->certs, &f), &f);
    const sy_cert_spec spec = {"CN=authority", SY_CERT_CA, NULL, a->from, a->to};
    fine(sy_certs_make(a->certs, &spec, &a->ca, &a->ca_key, &f), &f);
}

static void fold(authority *a)
{
    sy_certs_close(a->certs);
    sy_buf_fini(&a->ca);
    sy_buf_fini(&a->ca_key);
}

typedef struct signer {
    sy_es256 *key;
    sy_chain chain;
    sy_buf pem;
} signer;

static void certify(authority *a, const char *name, signer *s)
{
    sy_fail f;
    sy_buf key;
    sy_buf_init(&key, sy_heap());
    sy_buf_init(&s->pem, sy_heap());
    sy_chain_init(&s->chain);
    const sy_cert_spec spec = {name, SY_CERT_CLIENT, NULL, a->from, a->to};
    fine(sy_certs_make(a->certs, &spec, &s->pem, &key, &f), &f);
    fine(sy_chain_read_pem(sy_buf_span(&s->pem), &s->chain, &f), &f);
    fine(sy_es256_load(&s->key, sy_buf_span(&key), &f), &f);
    sy_buf_fini(&key);
}

static void dismiss(signer *s)
{
    sy_es256_close(s->key);
    sy_chain_free(&s->chain);
    sy_buf_fini(&s->pem);
}

static void sign(const signer *s, bool named, const char *payload, bool detached, sy_buf *out)
{
    sy_fail f;
    sy_buf header;
    sy_buf_init(&header, sy_heap());
    fine(sy_jws_header(s->key, named ? &s->chain : NULL, typ, &header, &f), &f);
    fine(sy_jws_sign(s->key, sy_buf_span(&header), text_of(payload), detached, out, &f), &f);
    sy_buf_fini(&header);
}

/* SubjectPublicKeyInfo of a point of P-256, from its coordinates in base64url. */
static void spki_of(const char *x, const char *y, sy_buf *out)
{
    static const unsigned char head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                         0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    sy_buf_put(out, head, sizeof head);
    assert_int_equal(sy_b64_get(text_of(x), SY_B64_URL, out), SY_OK);
    assert_int_equal(sy_b64_get(text_of(y), SY_B64_URL, out), SY_OK);
}

/* RFC 7515, appendix A.3, and the same detached as in appendix F. */
static void the_published_example_holds(void **state)
{
    static const char head[] = "eyJhbGciOiJFUzI1NiJ9";
    static const char body[] = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                               "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    static const char tail[] = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
                               "pmWQxfKTUJqPP3-Kg6NU1Q";
    static const char payload[] =
        "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    sy_buf spki, text;
    sy_fail f;
    (void)state;
    sy_buf_init(&spki, sy_heap());
    sy_buf_init(&text, sy_heap());
    spki_of("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", &spki);
    for (int detached = 0; detached < 2; detached++) {
        sy_jws j;
        sy_jws_init(&j);
        sy_buf_reset(&text);
        sy_buf_printf(&text, "%s.%s.%s", head, detached ? "" : body, tail);
        fine(sy_jws_read(sy_buf_span(&text), &j, &f), &f);
        assert_true(j.detached == (detached == 1));
        if (!detached) {
            assert_true(sy_span_is(sy_buf_span(&j.payload), payload));
        }
        fine(sy_jws_holds(&j, text_of(payload), sy_buf_span(&spki), &f), &f);
        assert_int_equal(sy_jws_holds(&j, text_of(payload), text_of(""), &f), SY_E_NOTFOUND);
        if (detached) {
            assert_int_equal(sy_jws_holds(&j, text_of("{}"), sy_buf_span(&spki), &f), SY_E_DENIED);
        }
        sy_jws_free(&j);
    }
    sy_buf_fini(&spki);
    sy_buf_fini(&text);
}

/* What we sign holds for GnuTLS, by the certificate that is in it. */
static void another_library_reads_ours(void **state)
{
    authority a;
    signer s;
    sy_buf text, signature;
    gnutls_x509_crt_t crt;
    gnutls_pubkey_t key;
    gnutls_datum_t der = {NULL, 0};
    (void)state;
    found(&a);
    certify(&a, "CN=gw-1", &s);
    sy_buf_init(&text, sy_heap());
    sy_buf_init(&signature, sy_heap());
    sign(&s, true, "{\"a\":1}", false, &text);
    const char *last = strrchr(text.p, '.');
    assert_int_equal(sy_b64_get(text_of(last + 1), SY_B64_URL, &signature), SY_OK);
    assert_int_equal(signature.n, 64);
    const gnutls_datum_t r = {(unsigned char *)signature.p, 32},
                         v = {(unsigned char *)signature.p + 32, 32};
    assert_int_equal(gnutls_encode_rs_value(&der, &r, &v), 0);
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_pubkey_init(&key), 0);
    const gnutls_datum_t raw = {(unsigned char *)s.chain.der[0].p, (unsigned)s.chain.der[0].n};
    assert_int_equal(gnutls_x509_crt_import(crt, &raw, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_pubkey_import_x509(key, crt, 0), 0);
    gnutls_datum_t signed_text = {(unsigned char *)text.p, (unsigned)(last - text.p)};
    assert_int_equal(
        gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, &signed_text, &der), 0);
    signed_text.size--;
    assert_true(gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, &signed_text, &der) <
                0);
    gnutls_free(der.data);
    gnutls_pubkey_deinit(key);
    gnutls_x509_crt_deinit(crt);
    sy_buf_fini(&text);
    sy_buf_fini(&signature);
    dismiss(&s);
    fold(&a);
}

typedef struct checked {
    sy_err e;
    sy_flaw flaw;
    sy_subject who;
    char why[192];
} checked;

static checked check(const authority *a, sy_span text, const sy_jws_want *more)
{
    sy_jws j;
    sy_fail f = {0};
    checked c = {0};
    sy_jws_want want = *more;
    want.ca_pem = sy_buf_span(&a->ca);
    want.typ = want.typ ? want.typ : typ;
    want.when = want.when ? want.when : a->from + 5000;
    sy_jws_init(&j);
    c.e = sy_jws_check(text, &want, &j, &c.who, &c.flaw, &f);
    memcpy(c.why, f.text, sizeof c.why - 1);
    sy_jws_free(&j);
    return c;
}

static void who_signed_is_told(void **state)
{
    authority a;
    signer s;
    sy_buf text;
    (void)state;
    found(&a);
    certify(&a, "CN=Li Wei,OU=inspector,O=x", &s);
    sy_buf_init(&text, sy_heap());
    sign(&s, true, "order", false, &text);
    checked c = check(&a, sy_buf_span(&text), &(sy_jws_want){0});
    if (c.e) {
        fail_msg("%s", c.why);
    }
    assert_string_equal(c.who.cn, "Li Wei");
    assert_int_equal(c.who.n_ou, 1);
    assert_true(sy_subject_has_ou(&c.who, "inspector"));
    assert_false(sy_subject_has_ou(&c.who, "inspect"));
    assert_int_equal(strlen(c.who.fingerprint), 64);
    assert_true(strlen(c.who.serial) > 0);
    assert_true(c.who.to == a.to);
    sy_buf_fini(&text);
    dismiss(&s);
    fold(&a);
}

/* A list of the authority's that revokes the certificate. */
static void revoke(const authority *a, const signer *s, sy_buf *out)
{
    gnutls_x509_crl_t crl;
    gnutls_x509_crt_t ca, crt;
    gnutls_x509_privkey_t key;
    gnutls_datum_t pem = {NULL, 0};
    const gnutls_datum_t ca_pem = {(unsigned char *)a->ca.p, (unsigned)a->ca.n},
                         key_pem = {(unsigned char *)a->ca_key.p, (unsigned)a->ca_key.n},
                         crt_pem = {(unsigned char *)s->pem.p, (unsigned)s->pem.n};
    gnutls_x509_crl_init(&crl);
    gnutls_x509_crt_init(&ca);
    gnutls_x509_crt_init(&crt);
    gnutls_x509_privkey_init(&key);
    assert_int_equal(gnutls_x509_crt_import(ca, &ca_pem, GNUTLS_X509_FMT_PEM), 0);
    assert_int_equal(gnutls_x509_crt_import(crt, &crt_pem, GNUTLS_X509_FMT_PEM), 0);
    assert_int_equal(gnutls_x509_privkey_import2(key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0), 0);
    const time_t when = (time_t)(a->from / 1000);
    gnutls_x509_crl_set_version(crl, 2);
    gnutls_x509_crl_set_this_update(crl, when);
    gnutls_x509_crl_set_next_update(crl, when + 60);
    gnutls_x509_crl_set_number(crl, "\1", 1);
    assert_int_equal(gnutls_x509_crl_set_crt(crl, crt, when), 0);
    assert_int_equal(gnutls_x509_crl_sign2(crl, ca, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem), 0);
    sy_buf_put(out, pem.data, pem.size);
    gnutls_free(pem.data);
    gnutls_x509_crl_deinit(crl);
    gnutls_x509_crt_deinit(ca);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

static void each_flaw_is_refused_for_what_it_is(void **state)
{
    authority a, other;
    signer s;
    sy_buf text, bare, crl;
    (void)state;
    found(&a);
    found(&other);
    certify(&a, "CN=gw-1", &s);
    sy_buf_init(&text, sy_heap());
    sy_buf_init(&bare, sy_heap());
    sy_buf_init(&crl, sy_heap());
    sign(&s, true, "event", true, &text);
    sign(&s, false, "event", true, &bare);
    const sy_jws_want good = {.detached = true, .payload = text_of("event")};
    sy_jws_want w = good;
    assert_int_equal(check(&a, sy_buf_span(&text), &w).e, SY_OK);
    checked c = check(&other, sy_buf_span(&text), &w);
    assert_true(c.e == SY_E_DENIED && c.flaw == SY_FLAW_UNKNOWN);
    c = check(&a, sy_buf_span(&bare), &w);
    assert_true(c.e == SY_E_DENIED && c.flaw == SY_FLAW_UNKNOWN);
    w.when = a.from - 1000;
    c = check(&a, sy_buf_span(&text), &w);
    assert_true(c.e == SY_E_DENIED && c.flaw == SY_FLAW_TIME && strstr(c.why, "not yet valid"));
    w.when = a.to + 1000;
    c = check(&a, sy_buf_span(&text), &w);
    assert_true(c.e == SY_E_DENIED && c.flaw == SY_FLAW_TIME && strstr(c.why, "expired"));
    w = good;
    w.typ = "steelyard-order+jws";
    assert_int_equal(check(&a, sy_buf_span(&text), &w).e, SY_E_DENIED);
    w = good;
    w.detached = false;
    assert_int_equal(check(&a, sy_buf_span(&text), &w).e, SY_E_PARSE);
    w = good;
    w.payload = text_of("Event");
    c = check(&a, sy_buf_span(&text), &w);
    assert_true(c.e == SY_E_DENIED && c.flaw == SY_FLAW_NONE);
    revoke(&a, &s, &crl); /* out of date since long: it counts all the same */
    w = good;
    w.crl_pem = sy_buf_span(&crl);
    c = check(&a, sy_buf_span(&text), &w);
    assert_true(c.e == SY_E_DENIED && c.flaw == SY_FLAW_REVOKED && strstr(c.why, "revoked"));
    sy_buf_fini(&text);
    sy_buf_fini(&bare);
    sy_buf_fini(&crl);
    dismiss(&s);
    fold(&a);
    fold(&other);
}

static void no_changed_character_holds(void **state)
{
    authority a;
    signer s;
    sy_buf text;
    (void)state;
    found(&a);
    certify(&a, "CN=gw-1", &s);
    sy_buf_init(&text, sy_heap());
    sign(&s, true, "event", true, &text);
    const sy_jws_want w = {.detached = true, .payload = text_of("event")};
    for (size_t i = 0; i < text.n; i++) {
        const char was = text.p[i];
        text.p[i] = was == 'A' ? 'B' : 'A';
        if (check(&a, sy_buf_span(&text), &w).e == SY_OK) {
            fail_msg("character %zu is not looked at", i);
        }
        text.p[i] = was;
        if (i % 7 == 0) {
            assert_true(check(&a, (sy_span){text.p, i}, &w).e != SY_OK); /* cut off */
        }
    }
    assert_int_equal(check(&a, sy_buf_span(&text), &w).e, SY_OK);
    sy_buf_fini(&text);
    dismiss(&s);
    fold(&a);
}

static void the_same_header_is_read_once(void **state)
{
    authority a;
    signer s;
    sy_buf one, two, bare;
    sy_jws j;
    sy_fail f;
    (void)state;
    found(&a);
    certify(&a, "CN=gw-1", &s);
    sy_buf_init(&one, sy_heap());
    sy_buf_init(&two, sy_heap());
    sy_buf_init(&bare, sy_heap());
    sign(&s, true, "event", true, &one);
    sign(&s, true, "another", true, &two);
    sign(&s, false, "another", true, &bare);
    sy_jws_init(&j);
    assert_int_equal(sy_jws_again(sy_buf_span(&one), &j, &f), SY_E_NOTFOUND);
    fine(sy_jws_read(sy_buf_span(&one), &j, &f), &f);
    fine(sy_jws_again(sy_buf_span(&two), &j, &f), &f);
    fine(sy_jws_holds(&j, text_of("another"), text_of(""), &f), &f);
    assert_int_equal(sy_jws_holds(&j, text_of("event"), text_of(""), &f), SY_E_DENIED);
    assert_int_equal(sy_jws_again(sy_buf_span(&bare), &j, &f), SY_E_NOTFOUND);
    two.n -= 4;
    assert_int_equal(sy_jws_again(sy_buf_span(&two), &j, &f), SY_E_PARSE);
    sy_jws_free(&j);
    sy_buf_fini(&one);
    sy_buf_fini(&two);
    sy_buf_fini(&bare);
    dismiss(&s);
    fold(&a);
}

static void put_jws(sy_buf *out, const char *header)
{
    sy_buf_reset(out);
    sy_b64_put(out, text_of(header), SY_B64_URL);
    sy_buf_text(out, "..");
    for (int i = 0; i < 86; i++) {
        sy_buf_char(out, 'A');
    }
}

static void odd_headers_are_refused(void **state)
{
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"ES384\"}",
        "{}",
        "[]",
        "\"ES256\"",
        "{\"alg\":\"ES256\",\"alg\":\"ES256\"}",
        "{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"ES256\",\"b64\":false}",
        "{\"alg\":\"ES256\",\"x5c\":[]}",
        "{\"alg\":\"ES256\",\"x5c\":\"MAo=\"}",
        "{\"alg\":\"ES256\",\"x5c\":[\"MAo=\"]}",
        "{\"alg\":\"ES256\",\"x5c\":[1,2,3,4,5]}",
        "{\"alg\":\"ES256\",\"kid\":7}",
        "{\"alg\":\"ES256\",\"typ\":7}",
        "{\"alg\":\"ES256\"",
    };
    static const char *const texts[] = {
        "", ".", "..", "...", "a.b", "e30.e30.e30", "e30..A A", "eyJhbGciOiJFUzI1NiJ9..AA"};
    sy_buf text;
    sy_fail f;
    (void)state;
    sy_buf_init(&text, sy_heap());
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        sy_jws j;
        sy_jws_init(&j);
        put_jws(&text, headers[i]);
        if (sy_jws_read(sy_buf_span(&text), &j, &f) != SY_E_PARSE) {
            fail_msg("%s is taken", headers[i]);
        }
        sy_jws_free(&j);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        sy_jws j;
        sy_jws_init(&j);
        assert_int_equal(sy_jws_read(text_of(texts[i]), &j, &f), SY_E_PARSE);
        sy_jws_free(&j);
    }
    /* What is not known is passed over, and no key is taken from it (RFC 7515, 4). */
    sy_jws j;
    sy_jws_init(&j);
    put_jws(&text, "{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\"},\"odd\":1}");
    fine(sy_jws_read(sy_buf_span(&text), &j, &f), &f);
    assert_int_equal(sy_jws_holds(&j, text_of("x"), text_of(""), &f), SY_E_NOTFOUND);
    sy_jws_free(&j);
    sy_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example_holds),
        cmocka_unit_test(another_library_reads_ours),
        cmocka_unit_test(who_signed_is_told),
        cmocka_unit_test(each_flaw_is_refused_for_what_it_is),
        cmocka_unit_test(no_changed_character_holds),
        cmocka_unit_test(the_same_header_is_read_once),
        cmocka_unit_test(odd_headers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
