/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate counts before a cookie: who brings one needs no password. */
#include "console/account.h"

#include "web/peer.h"

const char *sy_account_cookie(const sy_console *c)
{
    return c->tls ? "__Host-steelyard" : "steelyard";
}

static bool certified(sy_request *r)
{
    gnutls_x509_crt_t crt;
    unsigned wrong = 0;
    char word[64];
    if (!sy_web_certificate(r->mhd, &crt, &wrong)) {
        return false;
    }
    bool good = wrong == 0 &&
                sy_web_subject(crt, GNUTLS_OID_X520_COMMON_NAME, r->user, sizeof r->user) &&
                sy_web_subject(crt, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, word, sizeof word) &&
                sy_role_of(sy_span_of(word), &r->role) && sy_user_name_valid(sy_span_of(r->user));
    gnutls_x509_crt_deinit(crt);
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
