/*
 * PBKDF2 with HMAC-SHA-512 over mbedTLS 2.28 and 3.x, which name it differently.
 */
#ifndef SY_PBKDF2_COMPAT_H
#define SY_PBKDF2_COMPAT_H

#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/version.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03030000
static inline int sy_broker__pbkdf2(const unsigned char *password, size_t n_password,
                                    const unsigned char *salt, size_t n_salt,
                                    unsigned int iterations, unsigned char *out, uint32_t n_out)
{
    return mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA512, password, n_password, salt, n_salt,
                                         iterations, n_out, out);
}
#else
static inline int sy_broker__pbkdf2(const unsigned char *password, size_t n_password,
                                    const unsigned char *salt, size_t n_salt,
                                    unsigned int iterations, unsigned char *out, uint32_t n_out)
{
    mbedtls_md_context_t md;
    mbedtls_md_init(&md);
    int rc = mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA512), 1);
    if (rc == 0) {
        rc = mbedtls_pkcs5_pbkdf2_hmac(&md, password, n_password, salt, n_salt, iterations, n_out,
                                       out);
    }
    mbedtls_md_free(&md);
    return rc;
}
#endif

#endif
