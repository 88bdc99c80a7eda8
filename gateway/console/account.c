/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate counts before a cookie: who brings one needs no password. */
#include "console/account.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

const char *sy_account_cookie(const sy_console *c)
{
    return c->tls ? "__Host-steelyard" : "steelyard";
}

static bool part_of_name(gnutls_x509_crt_t crt, const char *oid, char *out, size_t size)
{
    size_t n = size - 1;
    char second[2];
    size_t second_n = sizeof second;
    /* One of a kind: of two, neither is meant. */
    if (gnutls_x509_crt_get_dn_by_oid(crt, oid, 0, 0, out, &n) != 0 || n == 0 ||
        gnutls_x509_crt_get_dn_by_oid(crt, oid, 1, 0, second, &second_n) !=
            GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
        return false;
    }
    out[n] = 0;
    return strlen(out) == n;
}

static bool certified(sy_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t session = info ? (gnutls_session_t)info->tls_session : NULL;
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned status = 0, n = 0;
    if (!session || gnutls_certificate_verify_peers(session, &purpose, 1, &status) != 0 || status) {
        return false;
    }
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
    gnutls_x509_crt_t crt = NULL;
    char word[64];
    bool good = chain && n > 0 && gnutls_x509_crt_init(&crt) == 0 &&
                gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
                part_of_name(crt, GNUTLS_OID_X520_COMMON_NAME, r->user, sizeof r->user) &&
                part_of_name(crt, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, word, sizeof word) &&
                sy_role_of(sy_span_of(word), &r->role) && sy_user_name_valid(sy_span_of(r->user));
    if (crt) {
        gnutls_x509_crt_deinit(crt);
    }
    if (!good) {
        r->user[0] = 0;
    }
    return good;
}

sy_err sy_account_of(sy_request *r, sy_fail *f)
{
    unsigned char stamp[32], now[32];
    sy_users users;
    r->user[0] = r->session[0] = 0;
    if (r->console->certificates && certified(r)) {
        r->by_certificate = true;
        return SY_OK;
    }
    const char *token =
        MHD_lookup_connection_value(r->mhd, MHD_COOKIE_KIND, sy_account_cookie(r->console));
    if (!token || !sy_sessions_find(r->console->sessions, token, sy_mono_ms(), r->user, stamp)) {
        r->user[0] = 0;
        return SY_OK;
    }
    sy_err e = sy_users_read(r->console->data, &users, f);
    const sy_user *user = e ? NULL : sy_users_find(&users, r->user);
    if (user) {
        sy_user_stamp(user, now);
    }
    if (user && sy_same_bytes(stamp, now, sizeof now)) {
        r->role = user->role;
        memcpy(r->session, token, SY_TOKEN + 1);
    } else if (!e) {
        sy_sessions_end(r->console->sessions, token);
        r->user[0] = 0;
    }
    sy_users_free(&users);
    return e;
}
