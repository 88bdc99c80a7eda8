/*
 * What differs between mbedTLS 2.28 (Debian 12) and 3.6 (Debian 13), so that the code has one face.
 */
#ifndef SY_MBED_COMPAT_H
#define SY_MBED_COMPAT_H

#include <mbedtls/version.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000

#include <psa/crypto.h>

static inline int sy_mbed_start(void)
{
    return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
}
static inline int sy_mbed_pk_parse(mbedtls_pk_context *pk, const unsigned char *p, size_t n,
                                   mbedtls_ctr_drbg_context *rng)
{
    return mbedtls_pk_parse_key(pk, p, n, NULL, 0, mbedtls_ctr_drbg_random, rng);
}
static inline int sy_mbed_pk_pair(const mbedtls_pk_context *public_half,
                                  const mbedtls_pk_context *pk, mbedtls_ctr_drbg_context *rng)
{
    return mbedtls_pk_check_pair(public_half, pk, mbedtls_ctr_drbg_random, rng);
}
static inline void sy_mbed_tls12(mbedtls_ssl_config *c)
{
    mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
}
static inline int sy_mbed_serial(mbedtls_x509write_cert *w, unsigned char *serial, size_t n)
{
    return mbedtls_x509write_crt_set_serial_raw(w, serial, n);
}
/* 3.6 offers RSA-PSS before PKCS #1, and then cannot take it in TLS 1.2 (an illegal parameter): so
 * PKCS #1 goes first, which TLS 1.3 passes over. */
static inline void sy_mbed_signatures(mbedtls_ssl_config *c)
{
    static const uint16_t order[] = {
        MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
        MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512, MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
        MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,       MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
        MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
        MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,    MBEDTLS_TLS1_3_SIG_NONE};
    mbedtls_ssl_conf_sig_algs(c, order);
}
#define SY_MBED_TLS13_SUITES                                                                       \
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_AES_256_GCM_SHA384,                          \
        MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,

#else

#include <mbedtls/bignum.h>

static inline int sy_mbed_start(void)
{
    return 0;
}
static inline int sy_mbed_pk_parse(mbedtls_pk_context *pk, const unsigned char *p, size_t n,
                                   mbedtls_ctr_drbg_context *rng)
{
    (void)rng;
    return mbedtls_pk_parse_key(pk, p, n, NULL, 0);
}
static inline int sy_mbed_pk_pair(const mbedtls_pk_context *public_half,
                                  const mbedtls_pk_context *pk, mbedtls_ctr_drbg_context *rng)
{
    (void)rng;
    return mbedtls_pk_check_pair(public_half, pk);
}
static inline void sy_mbed_tls12(mbedtls_ssl_config *c)
{
    mbedtls_ssl_conf_min_version(c, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
}
static inline int sy_mbed_serial(mbedtls_x509write_cert *w, unsigned char *serial, size_t n)
{
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    int rc = mbedtls_mpi_read_binary(&number, serial, n);
    rc = rc ? rc : mbedtls_x509write_crt_set_serial(w, &number);
    mbedtls_mpi_free(&number);
    return rc;
}
static inline void sy_mbed_signatures(mbedtls_ssl_config *c)
{
    (void)c;
}
#define SY_MBED_TLS13_SUITES

#endif

#if defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED)
static inline void sy_mbed_tickets(mbedtls_ssl_config *c)
{
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        c, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
}
#else
static inline void sy_mbed_tickets(mbedtls_ssl_config *c)
{
    (void)c;
}
#endif

#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
#define SY_MBED_IS_TICKET(rc) ((rc) == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
#else
#define SY_MBED_IS_TICKET(rc) false
#endif

#endif
