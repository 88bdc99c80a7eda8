/*
 * What a browser sends to the page: forms (application/x-www-form-urlencoded), who sends them, and
 * whether they come from our own page.
 *
 * Against forged requests of other sites: each form carries a token, an HMAC (RFC 2104) of the
 * visitor's cookie by a key that is made at each start; and `Origin` (RFC 6454), where the browser
 * sends it, must be our own.
 *
 * Who: with a header named at the start, what the web server in front of the page puts there (the
 * page listens on loopback alone); else a name that the visitor types, kept in a cookie.
 */
#ifndef SY_INBOX_FORM_H
#define SY_INBOX_FORM_H

#include "inbox/desk.h"
#include "web/web.h"

enum { SY_FORM_BYTES = 16384, SY_FORM_FIELDS = 16, SY_TOKEN_CHARS = 64, SY_COOKIE_CHARS = 32 };

typedef struct sy_form {
    char *text; /* owned */
    size_t n;
    const char *names[SY_FORM_FIELDS], *values[SY_FORM_FIELDS];
} sy_form;
/* UTF-8 without control characters; line ends become '\n'. SY_E_PARSE, SY_E_NOMEM. */
SY_MUST_USE sy_err sy_form_parse(sy_span body, sy_form *out, sy_fail *f);
void sy_form_free(sy_form *form);
/* Without blanks around it; "" where it is missing. */
const char *sy_form_get(const sy_form *form, const char *name);

typedef struct sy_guard {
    uint8_t key[32];
    const char
        *origin; /* "https://inbox.example": where the page is behind a web server; or NULL */
    const char *user_header; /* NULL: names are typed */
} sy_guard;

typedef struct sy_visitor {
    char cookie[SY_COOKIE_CHARS + 1];
    bool fresh;                     /* the cookie is to be set */
    bool named;                     /* who is given by the web server */
    bool may;                       /* false: the web server gave no name */
    char who[SY_DESK_WHO_MAX + 1];  /* "" not known yet */
    char token[SY_TOKEN_CHARS + 1]; /* for the forms */
} sy_visitor;
void sy_guard_visitor(const sy_guard *g, struct MHD_Connection *c, sy_visitor *out);
/* The token of a form is this visitor's; in a time that does not depend on where it differs. */
bool sy_guard_token(const sy_visitor *v, const char *token);
/* The request does not come from a page of another site, as far as the browser tells. */
bool sy_guard_origin(const sy_guard *g, struct MHD_Connection *c);
/* Values of Set-Cookie. */
void sy_guard_cookie(const sy_guard *g, const sy_visitor *v, sy_buf *out);
void sy_guard_who(const sy_guard *g, const char *who, sy_buf *out);
/* A name: 1 to SY_DESK_WHO_MAX bytes of UTF-8 without control characters. */
bool sy_who_fits(const char *who);

#endif
