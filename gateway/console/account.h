/*
 * Who asks: by a certificate of the client, or by the session of its cookie. Internal to console/.
 */
#ifndef SY_CONSOLE_ACCOUNT_H
#define SY_CONSOLE_ACCOUNT_H

#include "console/request.h"

/* Fills user, role, by_certificate and session of the request; user "" where nobody is signed in.
 * SY_E_…: the accounts cannot be read. */
SY_MUST_USE sy_err sy_account_of(sy_request *r, sy_fail *f);
/* The name of the cookie: with TLS one that no other site can set (RFC 6265bis, 4.1.3.2). */
const char *sy_account_cookie(const sy_console *c);

#endif
