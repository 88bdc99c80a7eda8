/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbedTLS makes, reads and names keys; OpenSSL's libcrypto, which the drivers need anyway, signs
 * and checks: a signature takes mbedTLS 2.28 some 700 us here and libcrypto 20, a check 1400 and
 * 70, and each event that leaves the box is signed.
 *
 * Libraries have ECDSA signatures as DER (SEQUENCE of two INTEGERs); heads carry r || s, which has
 * one spelling only. The conversion is here.
 */
#include "ledger/es256.h"

#include <stdlib.h>

#include <mbedtls/asn1.h>
#include <mbedtls/entropy.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/x509_csr.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "ledger/mbed_compat.h"

enum { HALF = 32, DER_MAX = 160, PEM_MAX = 4096 };

/* SubjectPublicKeyInfo of an uncompressed point of P-256, up to its coordinates. */
static const unsigned char spki_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                          0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                          0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

struct sy_es256 {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context rng;
    mbedtls_pk_context pk;
    EVP_PKEY *signer; /* the same key */
    unsigned char spki[SY_SPKI_BYTES];
    char kid[SY_KID_CHARS + 1];
};

static bool is_p256(sy_span spki)
{
    return spki.n == SY_SPKI_BYTES && memcmp(spki.p, spki_head, sizeof spki_head) == 0;
}

void sy_kid_of(sy_span spki, char out[SY_KID_CHARS + 1])
{
    unsigned char sum[SY_KID_CHARS / 2];
    sy_sha256 h;
    sy_sha256_init(&h);
    sy_sha256_add(&h, spki.p, spki.n);
    sy_sha256_end(&h, sum);
    sy_hex(sum, sizeof sum, out);
}

static sy_err open_empty(sy_es256 **out, sy_fail *f)
{
    sy_es256 *k = calloc(1, sizeof *k);
    if (!k)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a key");
    mbedtls_entropy_init(&k->entropy);
    mbedtls_ctr_drbg_init(&k->rng);
    mbedtls_pk_init(&k->pk);
    int rc = sy_mbed_start();
    rc = rc ? rc : mbedtls_ctr_drbg_seed(&k->rng, mbedtls_entropy_func, &k->entropy, NULL, 0);
    if (rc) {
        sy_es256_close(k);
        return sy_fail_make(f, SY_E_IO, rc, SY_AT, "no random numbers from the kernel for keys");
    }
    *out = k;
    return SY_OK;
}

void sy_es256_close(sy_es256 *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->signer);
    mbedtls_pk_free(&k->pk);
    mbedtls_ctr_drbg_free(&k->rng);
    mbedtls_entropy_free(&k->entropy);
    free(k);
}

static sy_err hand_over(sy_es256 *k, sy_fail *f)
{
    unsigned char room[256];
    int n = mbedtls_pk_write_key_der(&k->pk, room, sizeof room); /* at the end of room */
    const unsigned char *p = room + sizeof room - (n > 0 ? n : 0);
    k->signer = n > 0 ? d2i_PrivateKey(EVP_PKEY_EC, NULL, &p, n) : NULL;
    mbedtls_platform_zeroize(room, sizeof room);
    return k->signer ? SY_OK : sy_fail_set(f, SY_E_PARSE, "the key cannot be used to sign");
}

static sy_err name_it(sy_es256 *k, sy_fail *f)
{
    unsigned char room[256];
    int n = mbedtls_pk_write_pubkey_der(&k->pk, room, sizeof room); /* at the end of room */
    const sy_span spki = {(const char *)room + sizeof room - (n > 0 ? n : 0),
                          n > 0 ? (size_t)n : 0};
    if (!is_p256(spki))
        return sy_fail_set(f, SY_E_PARSE, "the key is none of ECDSA on the curve P-256");
    memcpy(k->spki, spki.p, spki.n);
    sy_kid_of(spki, k->kid);
    return hand_over(k, f);
}

sy_err sy_es256_make(sy_es256 **out, sy_fail *f)
{
    sy_es256 *k = NULL;
    sy_err e = open_empty(&k, f);
    if (e)
        return e;
    int rc = mbedtls_pk_setup(&k->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    rc = rc ? rc
            : mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(k->pk),
                                  mbedtls_ctr_drbg_random, &k->rng);
    e = rc ? sy_fail_make(f, SY_E_IO, rc, SY_AT, "a key cannot be made (mbedTLS -0x%04x)",
                          (unsigned)-rc)
           : name_it(k, f);
    if (e)
        sy_es256_close(k);
    else
        *out = k;
    return e;
}

sy_err sy_es256_load(sy_es256 **out, sy_span pem, sy_fail *f)
{
    sy_es256 *k = NULL;
    sy_buf text;
    sy_err e = open_empty(&k, f);
    if (e)
        return e;
    sy_buf_init(&text, sy_heap());
    sy_buf_span_put(&text, pem);
    sy_buf_char(&text, 0); /* mbedTLS wants the NUL counted */
    int rc =
        text.failed ? -1 : sy_mbed_pk_parse(&k->pk, (const unsigned char *)text.p, text.n, &k->rng);
    if (text.p)
        mbedtls_platform_zeroize(text.p, text.n);
    sy_buf_fini(&text);
    e = rc ? sy_fail_make(f, SY_E_PARSE, rc, SY_AT,
                          "no private key in PEM can be read (mbedTLS -0x%04x)", (unsigned)-rc)
           : name_it(k, f);
    if (e)
        sy_es256_close(k);
    else
        *out = k;
    return e;
}

sy_err sy_es256_pem(sy_es256 *k, sy_buf *out, sy_fail *f)
{
    unsigned char pem[PEM_MAX];
    int rc = mbedtls_pk_write_key_pem(&k->pk, pem, sizeof pem);
    if (rc)
        return sy_fail_make(f, SY_E_IO, rc, SY_AT, "a key cannot be written (mbedTLS -0x%04x)",
                            (unsigned)-rc);
    sy_buf_text(out, (const char *)pem);
    mbedtls_platform_zeroize(pem, sizeof pem);
    return out->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a key") : SY_OK;
}

sy_span sy_es256_spki(const sy_es256 *k)
{
    return (sy_span){(const char *)k->spki, sizeof k->spki};
}

const char *sy_es256_kid(const sy_es256 *k)
{
    return k->kid;
}

/* INTEGER to 32 bytes, big endian. */
static int half_of(unsigned char **p, const unsigned char *end, uint8_t out[HALF])
{
    size_t n = 0;
    int rc = mbedtls_asn1_get_tag(p, end, &n, MBEDTLS_ASN1_INTEGER);
    if (rc)
        return rc;
    const unsigned char *digits = *p;
    *p += n;
    while (n > HALF && *digits == 0) {
        digits++;
        n--;
    }
    if (n > HALF)
        return MBEDTLS_ERR_ASN1_INVALID_LENGTH;
    memset(out, 0, HALF);
    memcpy(out + HALF - n, digits, n);
    return 0;
}

sy_err sy_es256_sign(sy_es256 *k, sy_span text, uint8_t out[SY_SIGNATURE_BYTES], sy_fail *f)
{
    unsigned char der[DER_MAX];
    size_t n = sizeof der, inner = 0;
    unsigned char *p = der;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    int rc = c && EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, k->signer) == 1 &&
                     EVP_DigestSign(c, der, &n, (const unsigned char *)text.p, text.n) == 1
                 ? 0
                 : -1;
    EVP_MD_CTX_free(c);
    rc = rc ? rc
            : mbedtls_asn1_get_tag(&p, der + n, &inner,
                                   MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    rc = rc ? rc : half_of(&p, der + n, out);
    rc = rc ? rc : half_of(&p, der + n, out + HALF);
    return rc ? sy_fail_make(f, SY_E_IO, rc, SY_AT, "the key cannot sign (-0x%04x)", (unsigned)-rc)
              : SY_OK;
}

/* 32 bytes as an INTEGER; the shortest form, positive. */
static size_t put_half(unsigned char *der, const uint8_t half[HALF])
{
    size_t skip = 0, n = 0;
    while (skip < HALF - 1 && half[skip] == 0)
        skip++;
    size_t pad = half[skip] & 0x80 ? 1 : 0, length = HALF - skip;
    der[n++] = MBEDTLS_ASN1_INTEGER;
    der[n++] = (unsigned char)(length + pad);
    if (pad)
        der[n++] = 0;
    memcpy(der + n, half + skip, length);
    return n + length;
}

/* By the coordinates: libcrypto's decoders of DER take longer than a check. NULL: no such point. */
static EVP_PKEY *public_key(sy_span spki)
{
    enum { POINT = 65, AT = SY_SPKI_BYTES - POINT };
    char group[] = "prime256v1";
    unsigned char point[POINT];
    EVP_PKEY *key = NULL;
    memcpy(point, spki.p + AT, sizeof point);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (!c || EVP_PKEY_fromdata_init(c) != 1 ||
        EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(c);
    return key;
}

static bool verifies(EVP_PKEY *key, sy_span text, const unsigned char *der, size_t n)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool good = c && EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(c, der, n, (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(c);
    return good;
}

sy_err sy_es256_check(sy_span spki, sy_span text, const uint8_t signature[SY_SIGNATURE_BYTES],
                      sy_fail *f)
{
    unsigned char der[DER_MAX];
    if (!is_p256(spki))
        return sy_fail_set(f, SY_E_PARSE, "the key is none of ECDSA on the curve P-256");
    size_t n = put_half(der + 2, signature);
    n += put_half(der + 2 + n, signature + HALF);
    der[0] = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
    der[1] = (unsigned char)n;
    EVP_PKEY *key = public_key(spki);
    sy_err e = key ? SY_OK : sy_fail_set(f, SY_E_PARSE, "the key is no point of P-256");
    if (!e && !verifies(key, text, der, n + 2))
        e = sy_fail_set(f, SY_E_DENIED, "the signature is not one of this key over this text");
    EVP_PKEY_free(key);
    ERR_clear_error(); /* what is wrong with a signature is no error of this thread's connections */
    return e;
}

sy_err sy_es256_request(sy_es256 *k, const char *cn, sy_buf *pem, sy_fail *f)
{
    unsigned char room[PEM_MAX];
    char name[160];
    if (strlen(cn) > 64 || strpbrk(cn, ",=+<>#;\"\\"))
        return sy_fail_set(f, SY_E_USAGE, "'%.64s' cannot stand in a certificate as it is", cn);
    memcpy(name, "CN=", 3);
    memcpy(name + 3, cn, strlen(cn) + 1);
    mbedtls_x509write_csr w;
    mbedtls_x509write_csr_init(&w);
    mbedtls_x509write_csr_set_md_alg(&w, MBEDTLS_MD_SHA256);
    mbedtls_x509write_csr_set_key(&w, &k->pk);
    int rc = mbedtls_x509write_csr_set_subject_name(&w, name);
    rc = rc ? rc : mbedtls_x509write_csr_set_key_usage(&w, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    rc = rc ? rc
            : mbedtls_x509write_csr_pem(&w, room, sizeof room, mbedtls_ctr_drbg_random, &k->rng);
    mbedtls_x509write_csr_free(&w);
    if (rc)
        return sy_fail_make(f, SY_E_IO, rc, SY_AT, "a request cannot be made (mbedTLS -0x%04x)",
                            (unsigned)-rc);
    sy_buf_text(pem, (const char *)room);
    return pem->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a request") : SY_OK;
}
