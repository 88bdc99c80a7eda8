/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a broker's certificate inside Paho's TLS. */
#include "upstream/mqtt_child_tls.h"

#include <arpa/inet.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "upstream/tls.h"

/* The lists of the file; NULL: it has none that can be read. */
static STACK_OF(X509_CRL) * read_lists(const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
    for (X509_CRL *one; file && lists && (one = PEM_read_bio_X509_CRL(file, NULL, NULL, NULL));) {
        if (sk_X509_CRL_push(lists, one) <= 0) {
            X509_CRL_free(one);
        }
    }
    BIO_free(file);
    ERR_clear_error(); /* the end of the file is one */
    if (lists && sk_X509_CRL_num(lists) == 0) {
        sk_X509_CRL_free(lists);
        lists = NULL;
    }
    return lists;
}

/* An error of the chain, or none (ok). */
static int each_finding(int ok, X509_STORE_CTX *chain)
{
    int error = X509_STORE_CTX_get_error(chain);
    /* An issuer that publishes no list, and a list that is out of date, are no reason to fall
     * silent. */
    if (!ok && (error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_CRL_HAS_EXPIRED ||
                error == X509_V_ERR_CRL_NOT_YET_VALID)) {
        X509_STORE_CTX_set_error(chain, X509_V_OK);
        return 1;
    }
    sy_mqtt_tls *t = X509_STORE_CTX_get_app_data(chain);
    if (!ok && error == X509_V_ERR_CERT_NOT_YET_VALID && sy_tls_now_is_a_bound(t->now_s * 1000)) {
        X509_STORE_CTX_set_error(chain, X509_V_OK);
        return 1;
    }
    if (!ok && !t->why[0]) {
        snprintf(t->why, sizeof t->why, "%s", X509_verify_cert_error_string(error));
    }
    return ok;
}

static int refuse(X509_STORE_CTX *chain, sy_mqtt_tls *t, const char *why)
{
    if (!t->why[0]) {
        snprintf(t->why, sizeof t->why, "%s", why);
    }
    if (X509_STORE_CTX_get_error(chain) == X509_V_OK) {
        X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
    }
    return 0;
}

/* The host's name or address, the time, what is trusted. */
static bool demand(X509_VERIFY_PARAM *p, const sy_mqtt_tls *t)
{
    enum { LEVEL = 2 }; /* of OpenSSL: RSA and DSA from 2048 bits, curves from 224, no SHA-1 */
    unsigned char address[16];
    bool literal =
        inet_pton(AF_INET, t->host, address) == 1 || inet_pton(AF_INET6, t->host, address) == 1;
    int ok = literal ? X509_VERIFY_PARAM_set1_ip_asc(p, t->host)
                     : X509_VERIFY_PARAM_set1_host(p, t->host, 0);
    /* Whatever is in the CA file is trusted, also where it is no root. */
    ok = ok == 1 ? X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN) : ok;
    X509_VERIFY_PARAM_set_time(p, (time_t)t->now_s);
    X509_VERIFY_PARAM_set_auth_level(p, LEVEL);
    return ok == 1;
}

/* In place of X509_verify_cert: with what the destination wants. */
static int verify(X509_STORE_CTX *chain, void *arg)
{
    sy_mqtt_tls *t = arg;
    X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(chain);
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    STACK_OF(X509_CRL) *lists = NULL;
    t->verified = false;
    t->why[0] = 0;
    if (SSL_version(ssl) < TLS1_2_VERSION) {
        return refuse(chain, t, "it speaks no TLS 1.2");
    }
    if (!demand(p, t)) {
        return refuse(chain, t, "out of memory");
    }
    if (t->crl[0]) {
        lists = read_lists(t->crl);
        if (!lists) {
            t->sick = true;
            return refuse(chain, t, "the file tls.crl is no list of revoked certificates in PEM");
        }
        X509_STORE_CTX_set0_crls(chain, lists);
        X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    }
    X509_STORE_CTX_set_app_data(chain, t);
    X509_STORE_CTX_set_verify_cb(chain, each_finding);
    t->verified = X509_verify_cert(chain) > 0;
    X509_STORE_CTX_set0_crls(chain, NULL);
    sk_X509_CRL_pop_free(lists, X509_CRL_free);
    return t->verified ? 1 : refuse(chain, t, "it cannot be checked");
}

/* Called by OpenSSL within SSL_CTX_new. */
static void on_context(void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long number,
                       void *arg)
{
    (void)data;
    (void)ad;
    (void)index;
    (void)number;
    SSL_CTX_set_min_proto_version(parent, TLS1_2_VERSION);
    SSL_CTX_set_cert_verify_callback(parent, verify, arg);
}

bool sy_mqtt_tls_arm(sy_mqtt_tls *t)
{
    return SSL_CTX_get_ex_new_index(0, t, on_context, NULL, NULL) >= 0;
}
