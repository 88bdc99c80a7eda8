/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords of the managed broker: random ones, and their hashes, made in the gateway
 * and checked in the broker's plugin.
 *
 * The hash is made here, by mbedTLS, and not by mosquitto_passwd, so that a password never lies in
 * a file or on a command line. Format: $7$<iterations>$<salt>$<hash>, both in base64, as mosquitto
 * writes it. 101 iterations are mosquitto's own default: our passwords are 190 bits of chance, so
 * stretching adds nothing, and the broker checks one at each connect.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/md.h>

#include "drivers/mqtt/broker_int.h"
#include "drivers/mqtt/pbkdf2_compat.h"

enum { ITERATIONS = 101, MOST_ITERATIONS = 1000000, SALT = 12, DIGEST = 64 };

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

/* The part up to the next '$', decoded; false where it is not that long or not base64. */
static bool decode(const char **p, char end, unsigned char *out, size_t size, size_t *n)
{
    const char *stop = strchr(*p, end);
    if (!stop ||
        mbedtls_base64_decode(out, size, n, (const unsigned char *)*p, (size_t)(stop - *p)) != 0) {
        return false;
    }
    *p = stop + 1;
    return true;
}

bool sy_broker__verify(const char *hash, const char *password)
{
    unsigned char salt[64], digest[DIGEST], ours[DIGEST];
    size_t n_salt = 0, n_digest = 0;
    char *p = NULL;
    if (strncmp(hash, "$7$", 3) != 0) {
        return false;
    }
    unsigned long iterations = strtoul(hash + 3, &p, 10);
    if (!p || *p != '$' || iterations < 1 || iterations > MOST_ITERATIONS) {
        return false;
    }
    const char *rest = p + 1;
    if (!decode(&rest, '$', salt, sizeof salt, &n_salt) ||
        !decode(&rest, '\0', digest, sizeof digest, &n_digest) || n_digest != DIGEST ||
        sy_broker__pbkdf2((const unsigned char *)password, strlen(password), salt, n_salt,
                          (unsigned)iterations, ours, sizeof ours) != 0) {
        return false;
    }
    unsigned char differ = 0; /* all of it, whatever differs */
    for (size_t i = 0; i < DIGEST; i++) {
        differ |= digest[i] ^ ours[i];
    }
    return differ == 0;
}
