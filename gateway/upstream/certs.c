/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mbedTLS writes certificates but, in 2.28, neither subject alternative names nor extended key
 * usages: both are laid out here by hand (RFC 5280, 4.2.1.6 and 4.2.1.12).
 */
#include "upstream/certs.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <mbedtls/asn1write.h>
#include <mbedtls/entropy.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform_util.h>

#include "ledger/mbed_compat.h"

struct sy_certs {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context rng;
    mbedtls_pk_context issuer_key;
    bool has_issuer;
    char issuer_name[256];
};

sy_err sy_certs_open(sy_certs **out, sy_fail *f)
{
    sy_certs *c = calloc(1, sizeof *c);
    if (!c) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for certificates");
    }
    mbedtls_entropy_init(&c->entropy);
    mbedtls_ctr_drbg_init(&c->rng);
    mbedtls_pk_init(&c->issuer_key);
    int rc = sy_mbed_start();
    rc = rc ? rc : mbedtls_ctr_drbg_seed(&c->rng, mbedtls_entropy_func, &c->entropy, NULL, 0);
    if (rc != 0) {
        sy_certs_close(c);
        return sy_fail_make(f, SY_E_IO, rc, SY_AT, "no random numbers from the kernel for keys");
    }
    *out = c;
    return SY_OK;
}

void sy_certs_close(sy_certs *c)
{
    if (c) {
        mbedtls_pk_free(&c->issuer_key);
        mbedtls_ctr_drbg_free(&c->rng);
        mbedtls_entropy_free(&c->entropy);
        free(c);
    }
}

/* A DER value that is written from the end of its buffer to the front, as mbedTLS does it. */
typedef struct der {
    unsigned char bytes[1024];
    unsigned char *p;
    int rc; /* length, or mbedTLS error */
} der;

static void der_add(der *d, int rc)
{
    d->rc = d->rc < 0 ? d->rc : rc < 0 ? rc : d->rc + rc;
}

static void der_wrap(der *d, unsigned char tag, int length)
{
    if (d->rc >= 0 && length >= 0) {
        der_add(d, mbedtls_asn1_write_len(&d->p, d->bytes, (size_t)length));
        der_add(d, mbedtls_asn1_write_tag(&d->p, d->bytes, tag));
    }
}

static int add_names(mbedtls_x509write_cert *w, const char *const *names)
{
    der d = {.p = NULL};
    d.p = d.bytes + sizeof d.bytes;
    for (size_t i = 0; names && names[i]; i++) {
        unsigned char raw[16];
        size_t n = inet_pton(AF_INET, names[i], raw) == 1    ? 4
                   : inet_pton(AF_INET6, names[i], raw) == 1 ? 16
                                                             : 0;
        const unsigned char *value = n ? raw : (const unsigned char *)names[i];
        size_t length = n ? n : strlen(names[i]);
        unsigned char tag = n ? 7 : 2; /* iPAddress, dNSName */
        der_add(&d, mbedtls_asn1_write_raw_buffer(&d.p, d.bytes, value, length));
        der_wrap(&d, MBEDTLS_ASN1_CONTEXT_SPECIFIC | tag, (int)length);
    }
    if (d.rc == 0) {
        return 0;
    }
    der_wrap(&d, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, d.rc);
    return d.rc < 0
               ? d.rc
               : mbedtls_x509write_crt_set_extension(w, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                                     MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME),
                                                     0, d.p, (size_t)d.rc);
}

static int add_purpose(mbedtls_x509write_cert *w, sy_cert_use use)
{
    const char *oid = use == SY_CERT_SERVER ? MBEDTLS_OID_SERVER_AUTH : MBEDTLS_OID_CLIENT_AUTH;
    size_t n = use == SY_CERT_SERVER ? MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)
                                     : MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH);
    der d = {.p = NULL};
    d.p = d.bytes + sizeof d.bytes;
    der_add(&d, mbedtls_asn1_write_oid(&d.p, d.bytes, oid, n));
    der_wrap(&d, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, d.rc);
    return d.rc < 0 ? d.rc
                    : mbedtls_x509write_crt_set_extension(
                          w, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                          MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0, d.p, (size_t)d.rc);
}

/* "YYYYMMDDhhmmss", the form that mbedTLS takes. */
static void stamp(sy_ms t, char out[16])
{
    char text[25];
    sy_time_text(t, text);
    memcpy(out, text, 4);
    memcpy(out + 4, text + 5, 2);
    memcpy(out + 6, text + 8, 2);
    memcpy(out + 8, text + 11, 2);
    memcpy(out + 10, text + 14, 2);
    memcpy(out + 12, text + 17, 2);
    out[14] = 0;
}

static int describe(sy_certs *c, const sy_cert_spec *spec, mbedtls_x509write_cert *w,
                    mbedtls_pk_context *key)
{
    bool ca = spec->use == SY_CERT_CA;
    char from[16], to[16];
    unsigned char serial[16];
    stamp(spec->from, from);
    stamp(spec->to, to);
    sy_random(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, of full length */
    mbedtls_x509write_crt_set_version(w, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(w, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(w, key);
    mbedtls_x509write_crt_set_issuer_key(w, ca ? key : &c->issuer_key);
    int rc = mbedtls_x509write_crt_set_subject_name(w, spec->name);
    rc = rc ? rc : mbedtls_x509write_crt_set_issuer_name(w, ca ? spec->name : c->issuer_name);
    rc = rc ? rc : sy_mbed_serial(w, serial, sizeof serial);
    rc = rc ? rc : mbedtls_x509write_crt_set_validity(w, from, to);
    rc = rc ? rc : mbedtls_x509write_crt_set_basic_constraints(w, ca, ca ? 0 : -1);
    rc = rc ? rc : mbedtls_x509write_crt_set_subject_key_identifier(w);
    rc = rc ? rc : mbedtls_x509write_crt_set_authority_key_identifier(w);
    unsigned usage = ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
                        : MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    rc = rc ? rc : mbedtls_x509write_crt_set_key_usage(w, usage);
    rc = rc ? rc : ca ? 0 : add_purpose(w, spec->use);
    return rc ? rc : add_names(w, spec->names);
}

static int make_key(sy_certs *c, mbedtls_pk_context *key)
{
    int rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    return rc ? rc
              : mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key),
                                    mbedtls_ctr_drbg_random, &c->rng);
}

sy_err sy_certs_make(sy_certs *c, const sy_cert_spec *spec, sy_buf *cert, sy_buf *key, sy_fail *f)
{
    if (spec->use != SY_CERT_CA && !c->has_issuer) {
        return sy_fail_set(f, SY_E_USAGE, "no CA was made that could sign %s", spec->name);
    }
    unsigned char pem[4096];
    mbedtls_pk_context pk;
    mbedtls_x509write_cert w;
    mbedtls_pk_init(&pk);
    mbedtls_x509write_crt_init(&w);
    int rc = make_key(c, &pk);
    rc = rc ? rc : describe(c, spec, &w, &pk);
    rc = rc ? rc : mbedtls_x509write_crt_pem(&w, pem, sizeof pem, mbedtls_ctr_drbg_random, &c->rng);
    if (rc == 0) {
        sy_buf_text(cert, (char *)pem);
        rc = mbedtls_pk_write_key_pem(&pk, pem, sizeof pem);
    }
    if (rc == 0) {
        sy_buf_text(key, (char *)pem);
        mbedtls_platform_zeroize(pem, sizeof pem);
    }
    mbedtls_x509write_crt_free(&w);
    if (rc == 0 && spec->use == SY_CERT_CA) {
        mbedtls_pk_free(&c->issuer_key);
        c->issuer_key = pk; /* moved */
        c->has_issuer = true;
        snprintf(c->issuer_name, sizeof c->issuer_name, "%s", spec->name);
    } else {
        mbedtls_pk_free(&pk);
    }
    if (rc != 0) {
        return sy_fail_make(f, SY_E_IO, rc, SY_AT,
                            "certificate %s cannot be made (mbedTLS -0x%04x)", spec->name,
                            (unsigned)-rc);
    }
    return cert->failed || key->failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a certificate")
                                       : SY_OK;
}
