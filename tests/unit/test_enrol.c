/* SPDX-License-Identifier: Apache-2.0 */
/* What an authority may answer, changed in each byte and cut at each length; and when to renew. */
#include <gnutls/pkcs7.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#include "enrol/enrol.h"
#include "enrol/p7.h"
#include "ledger/b64.h"
#include "upstream/certs.h"

/* cmocka wants these, in this order. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void make(sy_buf *der)
{
    sy_certs *c = NULL;
    sy_fail f;
    sy_buf cert, key;
    gnutls_pkcs7_t p7;
    gnutls_x509_crt_t crt;
    gnutls_datum_t out;
    sy_ms now = sy_wall_ms();
    sy_buf_init(&cert, sy_heap());
    sy_buf_init(&key, sy_heap());
    const sy_cert_spec spec = {"CN=CA", SY_CERT_CA, NULL, now - 1000, now + 86400000};
    assert_int_equal(sy_certs_open(&c, &f), SY_OK);
    assert_int_equal(sy_certs_make(c, &spec, &cert, &key, &f), SY_OK);
    const gnutls_datum_t pem = {(unsigned char *)cert.p, (unsigned)cert.n};
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
    assert_int_equal(gnutls_pkcs7_init(&p7), 0);
    assert_int_equal(gnutls_pkcs7_set_crt(p7, crt), 0);
    assert_int_equal(gnutls_pkcs7_export2(p7, GNUTLS_X509_FMT_DER, &out), 0);
    sy_buf_put(der, out.data, out.size);
    gnutls_free(out.data);
    gnutls_pkcs7_deinit(p7);
    gnutls_x509_crt_deinit(crt);
    sy_certs_close(c);
    sy_buf_fini(&cert);
    sy_buf_fini(&key);
}

static sy_err parse(sy_span der)
{
    sy_buf text, pem;
    sy_fail f = {0};
    sy_buf_init(&text, sy_heap());
    sy_buf_init(&pem, sy_heap());
    sy_b64_put(&text, der, SY_B64);
    sy_err e = sy_p7_certs(sy_buf_span(&text), &pem, &f);
    assert_true(e == SY_OK ? pem.n > 0 : f.text[0] != 0);
    sy_buf_fini(&text);
    sy_buf_fini(&pem);
    return e;
}

static void hostile_answers(void **state)
{
    sy_buf der, pem;
    sy_fail f = {0};
    (void)state;
    sy_buf_init(&der, sy_heap());
    sy_buf_init(&pem, sy_heap());
    make(&der);
    assert_int_equal(parse(sy_buf_span(&der)), SY_OK);
    for (size_t n = 0; n < der.n; n++)
        assert_int_equal(parse((sy_span){der.p, n}), SY_E_PARSE);
    for (size_t i = 0; i < der.n; i++) {
        der.p[i] = (char)(der.p[i] ^ 0x81);
        (void)!parse(sy_buf_span(&der));
        der.p[i] = (char)(der.p[i] ^ 0x81);
    }
    sy_buf_char(&der, 0); /* what follows is no part of it */
    assert_int_equal(parse(sy_buf_span(&der)), SY_E_PARSE);
    char *large = calloc(1, SY_P7_BYTES + 1);
    assert_non_null(large);
    memset(large, 'A', SY_P7_BYTES + 1);
    assert_int_equal(sy_p7_certs((sy_span){large, SY_P7_BYTES + 1}, &pem, &f), SY_E_PARSE);
    assert_int_equal(sy_p7_certs(sy_span_of("not base64!"), &pem, &f), SY_E_PARSE);
    assert_int_equal(sy_p7_certs(sy_span_of(""), &pem, &f), SY_E_PARSE);
    free(large);
    sy_buf_fini(&der);
    sy_buf_fini(&pem);
}

static void when_to_renew(void **state)
{
    const sy_ms day = 86400000;
    (void)state;
    assert_true(sy_enrol_due(0, 90 * day, 0) == 60 * day);
    assert_true(sy_enrol_due(0, 90 * day, UINT32_MAX) == 60 * day + 90 * day / 20);
    assert_true(sy_enrol_due(5, 5, 7) == 5);
    assert_true(sy_enrol_due(9, 5, 7) == 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_answers),
        cmocka_unit_test(when_to_renew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
