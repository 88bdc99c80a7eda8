/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords of the managed broker: random ones, and the hash that mosquitto keeps.
 *
 * The hash is made here, by mbedTLS, and not by mosquitto_passwd, so that a password never lies in
 * a file or on a command line. Format: $7$<iterations>$<salt>$<hash>, both in base64, as mosquitto
 * writes it. 101 iterations are mosquitto's own default: our passwords are 190 bits of chance, so
 * stretching adds nothing, and the broker checks one at each connect.
 */
#include <stdio.h>
#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/md.h>

#include "drivers/mqtt/broker_int.h"
#include "drivers/mqtt/pbkdf2_compat.h"

enum { ITERATIONS = 101, SALT = 12, DIGEST = 64 };

void sy_broker__random_password(char out[SY_BROKER__PASSWORD])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t n = 0;
    while (n < SY_BROKER__PASSWORD - 1) {
        unsigned char r[SY_BROKER__PASSWORD];
        sy_random(r, sizeof r);
        for (size_t i = 0; i < sizeof r && n < SY_BROKER__PASSWORD - 1; i++) {
            if (r[i] < 4 * 62) { /* the rest would favour some letters */
                out[n++] = letters[r[i] % 62];
            }
        }
    }
    out[n] = '\0';
}

sy_err sy_broker__hash(const char *password, char out[SY_BROKER__HASH], sy_fail *f)
{
    unsigned char salt[SALT], digest[DIGEST], salt64[SALT * 2], digest64[DIGEST * 2];
    size_t n_salt, n_digest;
    sy_random(salt, sizeof salt);
    int rc = sy_broker__pbkdf2((const unsigned char *)password, strlen(password), salt, sizeof salt,
                               ITERATIONS, digest, sizeof digest);
    if (rc == 0) {
        rc = mbedtls_base64_encode(salt64, sizeof salt64, &n_salt, salt, sizeof salt);
    }
    if (rc == 0) {
        rc = mbedtls_base64_encode(digest64, sizeof digest64, &n_digest, digest, sizeof digest);
    }
    if (rc != 0) {
        return sy_fail_make(f, SY_E_IO, rc, SY_AT, "cannot hash a password (mbedTLS %d)", rc);
    }
    int n = snprintf(out, SY_BROKER__HASH, "$7$%d$%s$%s", ITERATIONS, (const char *)salt64,
                     (const char *)digest64);
    if (n < 0 || n >= SY_BROKER__HASH) {
        return sy_fail_set(f, SY_E_RANGE, "hash of a password is too long");
    }
    return SY_OK;
}
