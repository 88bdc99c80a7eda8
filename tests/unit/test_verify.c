/* SPDX-License-Identifier: Apache-2.0 */
/* What a verifier relies on: signatures, canonical heads and leaves, certificates, proofs; and that
 * each changed bit of them is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "ledger/b64.h"
#include "ledger/proof.h"
#include "upstream/certs.h"

#define fine(call, f)                                                                              \
    do {                                                                                           \
        if (call)                                                                                  \
            fail_msg("%s: %s", #call, (f).text);                                                   \
    } while (0)

static sy_span text(const char *t)
{
    return sy_span_of(t);
}

static void unhex(const char *hex, unsigned char *out)
{
    for (size_t i = 0; hex[2 * i]; i++) {
        unsigned v = 0;
        sscanf(hex + 2 * i, "%2x", &v);
        out[i] = (unsigned char)v;
    }
}

/* RFC 4648, section 10, and what is not canonical. */
static void base64_has_one_spelling(void **state)
{
    static const char *const pairs[][3] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"\xfb\xff\xbf", "+/+/", "-_-_"},
    };
    static const char *const wrong[] = {"Zg",     "Zh==",     "Zg=",  "Z",
                                        "Zm9v\n", "Zg==Zg==", "-_-_", "===="};
    (void)state;
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        for (int kind = SY_B64; kind <= SY_B64_URL; kind++) {
            sy_buf_reset(&b);
            sy_b64_put(&b, text(pairs[i][0]), (sy_b64)kind);
            assert_true(sy_span_is(sy_buf_span(&b), pairs[i][1 + kind]));
            sy_buf_reset(&b);
            assert_int_equal(sy_b64_get(text(pairs[i][1 + kind]), (sy_b64)kind, &b), SY_OK);
            assert_true(sy_span_is(sy_buf_span(&b), pairs[i][0]));
        }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(sy_b64_get(text(wrong[i]), SY_B64, &b), SY_E_PARSE);
    assert_int_equal(sy_b64_get(text("Zg=="), SY_B64_URL, &b), SY_E_PARSE);
    assert_int_equal(sy_b64_get(text("Zh"), SY_B64_URL, &b), SY_E_PARSE);
    sy_buf_fini(&b);
}

/* RFC 6979, appendix A.2.5, SHA-256, "sample". */
static void the_published_signature_holds(void **state)
{
    unsigned char spki[SY_SPKI_BYTES], sig[SY_SIGNATURE_BYTES];
    sy_fail f = {0};
    (void)state;
    unhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"
          "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
          "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
          spki);
    unhex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
          "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
          sig);
    const sy_span key = {(char *)spki, sizeof spki};
    fine(sy_es256_check(key, text("sample"), sig, &f), f);
    assert_int_equal(sy_es256_check(key, text("sampl"), sig, &f), SY_E_DENIED);
    for (size_t bit = 0; bit < sizeof sig * 8; bit += 7) {
        sig[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(sy_es256_check(key, text("sample"), sig, &f), SY_E_DENIED);
        sig[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    memset(sig, 0, sizeof sig);
    assert_int_equal(sy_es256_check(key, text("sample"), sig, &f), SY_E_DENIED);
    spki[80] ^= 1; /* no longer on the curve */
    assert_int_equal(sy_es256_check(key, text("sample"), sig, &f), SY_E_PARSE);
}

static void a_key_is_read_back_and_signs(void **state)
{
    sy_es256 *k = NULL, *again = NULL;
    sy_fail f = {0};
    sy_buf pem, csr;
    uint8_t sig[SY_SIGNATURE_BYTES];
    (void)state;
    sy_buf_init(&pem, sy_heap());
    sy_buf_init(&csr, sy_heap());
    fine(sy_es256_make(&k, &f), f);
    fine(sy_es256_pem(k, &pem, &f), f);
    fine(sy_es256_load(&again, sy_buf_span(&pem), &f), f);
    assert_string_equal(sy_es256_kid(k), sy_es256_kid(again));
    assert_int_equal(strlen(sy_es256_kid(k)), SY_KID_CHARS);
    for (int i = 0; i < 40; i++) { /* short r and s come, too */
        char word[16];
        snprintf(word, sizeof word, "text %d", i);
        fine(sy_es256_sign(again, text(word), sig, &f), f);
        fine(sy_es256_check(sy_es256_spki(k), text(word), sig, &f), f);
    }
    fine(sy_es256_request(k, "gate-1", &csr, &f), f);
    assert_non_null(strstr(csr.p, "BEGIN CERTIFICATE REQUEST"));
    assert_int_equal(sy_es256_request(k, "a,O=b", &csr, &f), SY_E_USAGE);
    sy_es256 *none = NULL;
    assert_int_equal(sy_es256_load(&none, text("-----BEGIN"), &f), SY_E_PARSE);
    sy_es256_close(k);
    sy_es256_close(again);
    sy_buf_fini(&pem);
    sy_buf_fini(&csr);
}

static void heads_have_one_spelling(void **state)
{
    static const char good[] = "{\"gateway\":\"g-1\",\"box\":\"b0\",\"size\":17,\"root\":"
                               "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
                               "\",\"time\":1767225600000,"
                               "\"hash\":\"SHA-256\",\"alg\":\"ES256\",\"kid\":\"k\"}";
    sy_head h;
    sy_buf b;
    sy_fail f = {0};
    char copy[512];
    (void)state;
    sy_buf_init(&b, sy_heap());
    fine(sy_head_read(text(good), &h, &f), f);
    assert_int_equal(h.size, 17);
    assert_int_equal(h.time, 1767225600000);
    assert_true(sy_span_is(h.gateway, "g-1") && sy_span_is(h.box, "b0") && sy_span_is(h.kid, "k"));
    sy_head_text(&h, &b);
    assert_true(sy_span_is(sy_buf_span(&b), good));
    /* Whatever else is read gives other bytes again: nothing is taken for what it is not. */
    for (size_t bit = 0; bit < (sizeof good - 1) * 8; bit++) {
        memcpy(copy, good, sizeof good);
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
        if (sy_head_read((sy_span){copy, sizeof good - 1}, &h, &f) != SY_OK)
            continue;
        sy_buf_reset(&b);
        sy_head_text(&h, &b);
        assert_true(sy_span_eq(sy_buf_span(&b), (sy_span){copy, sizeof good - 1}));
    }
    static const char *const wrong[] = {"", "{}", "{\"gateway\":\"g\"", NULL};
    for (size_t i = 0; wrong[i]; i++)
        assert_int_equal(sy_head_read(text(wrong[i]), &h, &f), SY_E_PARSE);
    for (size_t n = 0; n < sizeof good - 1; n++)
        assert_int_equal(sy_head_read((sy_span){good, n}, &h, &f), SY_E_PARSE);
    sy_buf_fini(&b);
}

static void leaves_are_as_documented(void **state)
{
    sy_buf b;
    (void)state;
    sy_buf_init(&b, sy_heap());
    sy_leaf_event e = {text("a/1"), text("{}"), text("5e7"), false, 0, {{0}}};
    sy_leaf_event_text(&e, &b);
    assert_true(sy_span_is(
        sy_buf_span(&b),
        "{\"leaf\":\"event\",\"id\":\"a/1\",\"body\":"
        "\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"readings\":null,"
        "\"set\":\"5e7\"}"));
    assert_true(sy_leaf_is_event(sy_buf_span(&b), text("a/1"), text("{}")));
    assert_false(sy_leaf_is_event(sy_buf_span(&b), text("a/1"), text("{ }")));
    assert_false(sy_leaf_is_event(sy_buf_span(&b), text("a/2"), text("{}")));
    sy_buf_reset(&b);
    e.readings = true;
    e.n = 3;
    sy_leaf_event_text(&e, &b);
    assert_non_null(strstr(b.p, "\"readings\":{\"n\":3,\"root\":\"0000"));
    sy_buf_reset(&b);
    sy_leaf_activation_text(7, "5e7", &b);
    sy_leaf_clock_text(8, 5, -6, &b);
    sy_leaf_box_text(9, "b", NULL, &b);
    const sy_action a = {"li", "hold", "alert 1", "court"};
    sy_leaf_action_text(10, &a, &b);
    assert_string_equal(b.p, "{\"leaf\":\"activation\",\"seq\":7,\"set\":\"5e7\"}"
                             "{\"leaf\":\"clock\",\"seq\":8,\"old\":5,\"new\":-6}"
                             "{\"leaf\":\"box\",\"time\":9,\"id\":\"b\",\"before\":null}"
                             "{\"leaf\":\"action\",\"time\":10,\"who\":\"li\",\"what\":\"hold\","
                             "\"on\":\"alert 1\",\"why\":\"court\"}");
    sy_buf_fini(&b);
}

typedef struct authority {
    sy_certs *certs;
    sy_buf ca;
    sy_ms from, to;
} authority;

static void found(authority *a)
{
    sy_fail f = {0};
    sy_buf key;
    a->from = 1767225600000;
    a->to = a->from + (sy_ms)365 * 86400000;
    sy_buf_init(&a->ca, sy_heap());
    sy_buf_init(&key, sy_heap());
    fine(sy_certs_open(&a->certs, &f), f);
    const sy_cert_spec spec = {"CN=authority", SY_CERT_CA, NULL, a->from, a->to};
    fine(sy_certs_make(a->certs, &spec, &a->ca, &key, &f), f);
    sy_buf_fini(&key);
}

static sy_es256 *certify(authority *a, const char *name, sy_chain *chain)
{
    sy_fail f = {0};
    sy_buf cert, key;
    sy_es256 *k = NULL;
    sy_buf_init(&cert, sy_heap());
    sy_buf_init(&key, sy_heap());
    const sy_cert_spec spec = {name, SY_CERT_CLIENT, NULL, a->from, a->to};
    fine(sy_certs_make(a->certs, &spec, &cert, &key, &f), f);
    fine(sy_chain_read_pem(sy_buf_span(&cert), chain, &f), f);
    fine(sy_es256_load(&k, sy_buf_span(&key), &f), f);
    sy_buf_fini(&cert);
    sy_buf_fini(&key);
    return k;
}

static void close_authority(authority *a)
{
    sy_certs_close(a->certs);
    sy_buf_fini(&a->ca);
}

static void only_the_authoritys_certificate_binds_a_key(void **state)
{
    authority a, other;
    sy_chain chain, foreign;
    sy_fail f = {0};
    (void)state;
    sy_chain_init(&chain);
    sy_chain_init(&foreign);
    found(&a);
    found(&other);
    sy_es256 *k = certify(&a, "CN=g-1,O=x", &chain), *k2 = certify(&other, "CN=g-1", &foreign);
    sy_chain_want w = {.ca_pem = sy_buf_span(&a.ca),
                       .spki = sy_es256_spki(k),
                       .gateway = text("g-1"),
                       .when = a.from + 1000};
    fine(sy_chain_check(&chain, &w, &f), f);
    w.gateway = text("g-2");
    assert_int_equal(sy_chain_check(&chain, &w, &f), SY_E_DENIED);
    w.gateway = text("");
    fine(sy_chain_check(&chain, &w, &f), f);
    w.when = a.from - 1000;
    assert_int_equal(sy_chain_check(&chain, &w, &f), SY_E_DENIED);
    assert_non_null(strstr(f.text, "not yet valid"));
    w.when = a.to + 1000;
    assert_int_equal(sy_chain_check(&chain, &w, &f), SY_E_DENIED);
    assert_non_null(strstr(f.text, "expired"));
    w.when = a.from + 1000;
    assert_int_equal(sy_chain_check(&foreign, &w, &f), SY_E_DENIED);
    w.spki = sy_es256_spki(k2);
    assert_int_equal(sy_chain_check(&chain, &w, &f), SY_E_DENIED);
    foreign.n = 0;
    assert_int_equal(sy_chain_check(&foreign, &w, &f), SY_E_DENIED);
    sy_chain junk;
    sy_chain_init(&junk);
    assert_int_equal(sy_chain_read_pem(text("no"), &junk, &f), SY_E_PARSE);
    sy_es256_close(k);
    sy_es256_close(k2);
    sy_chain_free(&chain);
    sy_chain_free(&foreign);
    close_authority(&a);
    close_authority(&other);
}

/* A tree of five, the third leaf an event, under a head that a certified key signed. */
static void make_proof(authority *a, sy_proof *p, sy_buf *event)
{
    sy_fail f = {0};
    sy_merkle m;
    sy_buf_text(event, "{\"id\":\"a/1\",\"data\":{\"x\":\"y\"}}");
    sy_leaf_event e = {text("a/1"), sy_buf_span(event), text("5e7"), false, 0, {{0}}};
    sy_leaf_event_text(&e, &p->leaf);
    sy_merkle_init(&m);
    sy_digest h[5];
    for (int i = 0; i < 5; i++) {
        h[i] = sy_merkle_leaf(i == 2 ? sy_buf_span(&p->leaf) : text("other"));
        sy_merkle_add(&m, &h[i]);
    }
    sy_digest n01 = sy_merkle_node(&h[0], &h[1]);
    p->path.n = 3;
    p->path.path[0] = h[3];
    p->path.path[1] = n01;
    p->path.path[2] = h[4];
    p->index = 2;
    p->size = 5;
    sy_es256 *k = certify(a, "CN=g-1", &p->head.chain);
    sy_buf_span_put(&p->head.spki, sy_es256_spki(k));
    const sy_head head = {text("g-1"), text("b"),          text(sy_es256_kid(k)),
                          5,           sy_merkle_root(&m), a->from + 5000};
    sy_head_text(&head, &p->head.text);
    fine(sy_es256_sign(k, sy_buf_span(&p->head.text), p->head.signature, &f), f);
    sy_es256_close(k);
}

/* The proof in these bytes of an event holds. */
static bool holds(sy_span event, sy_span ca)
{
    sy_buf body, json;
    sy_proof p;
    sy_proof_facts facts;
    sy_fail f = {0};
    sy_buf_init(&body, sy_heap());
    sy_buf_init(&json, sy_heap());
    sy_proof_init(&p);
    bool good = sy_proof_cut(event, &body, &json, &f) == SY_OK &&
                sy_proof_read(sy_buf_span(&json), &p, &f) == SY_OK &&
                sy_proof_check(&p, ca, &facts, &f) == SY_OK && facts.signature_holds &&
                facts.leaf_included && facts.certified &&
                sy_leaf_is_event(sy_buf_span(&p.leaf), text("a/1"), sy_buf_span(&body));
    sy_proof_free(&p);
    sy_buf_fini(&body);
    sy_buf_fini(&json);
    return good;
}

static void a_proof_travels_and_every_bit_of_it_matters(void **state)
{
    authority a;
    sy_proof p;
    sy_buf event, json, wire;
    sy_fail f = {0};
    (void)state;
    found(&a);
    sy_proof_init(&p);
    sy_buf_init(&event, sy_heap());
    sy_buf_init(&json, sy_heap());
    sy_buf_init(&wire, sy_heap());
    make_proof(&a, &p, &event);
    sy_proof_json(&p, &json);
    sy_proof_add(sy_buf_span(&event), sy_buf_span(&json), &wire);
    const sy_span ca = sy_buf_span(&a.ca);
    assert_true(holds(sy_buf_span(&wire), ca));
    for (size_t i = 0; i < wire.n; i++) {
        wire.p[i] ^= (char)(1 << i % 8);
        if (holds(sy_buf_span(&wire), ca)) {
            /* Only what JSON allows to differ may: none here, the text has no blanks. */
            fail_msg("byte %zu does not matter", i);
        }
        wire.p[i] ^= (char)(1 << i % 8);
    }
    assert_true(holds(sy_buf_span(&wire), ca));
    sy_buf body;
    sy_buf_init(&body, sy_heap());
    sy_buf_reset(&json);
    assert_int_equal(sy_proof_cut(sy_buf_span(&event), &body, &json, &f), SY_E_NOTFOUND);
    assert_true(sy_span_eq(sy_buf_span(&body), sy_buf_span(&event)));
    /* A text that looks like the member does not make one. */
    sy_buf_reset(&body);
    assert_int_equal(
        sy_proof_cut(text("{\"a\":\",\\\"steelyardproof\\\":\\\"x\"}"), &body, &json, &f),
        SY_E_NOTFOUND);
    sy_buf_reset(&body);
    assert_int_equal(sy_proof_cut(text("{\"a\":1,\"steelyardproof\":\"x y\"}"), &body, &json, &f),
                     SY_E_PARSE);
    assert_true(sy_span_is(sy_buf_span(&body), "{\"a\":1}"));
    sy_buf_fini(&body);
    sy_buf_fini(&wire);
    sy_buf_fini(&json);
    sy_buf_fini(&event);
    sy_proof_free(&p);
    close_authority(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_has_one_spelling),
        cmocka_unit_test(the_published_signature_holds),
        cmocka_unit_test(a_key_is_read_back_and_signs),
        cmocka_unit_test(heads_have_one_spelling),
        cmocka_unit_test(leaves_are_as_documented),
        cmocka_unit_test(only_the_authoritys_certificate_binds_a_key),
        cmocka_unit_test(a_proof_travels_and_every_bit_of_it_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
