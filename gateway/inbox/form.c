/* SPDX-License-Identifier: Apache-2.0 */
/* Forms are decoded in place; cookies are our own, and hostile all the same. */
#include "inbox/form.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/utf8.h"

#define VISIT "steelyard-visit"
#define WHO   "steelyard-who"
enum { WHO_DAYS = 180 };

/* %XX and '+' in place; the length, or -1. */
static ptrdiff_t decode(char *text, size_t n, bool plus)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '%') {
            int hi = i + 2 < n ? sy_hex_digit(text[i + 1]) : -1;
            int lo = i + 2 < n ? sy_hex_digit(text[i + 2]) : -1;
            if (hi < 0 || lo < 0) {
                return -1;
            }
            text[k++] = (char)(hi * 16 + lo);
            i += 2;
        } else {
            text[k++] = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    return (ptrdiff_t)k;
}

/* One spelling of line ends, no other control character, UTF-8; the length, or -1. */
static ptrdiff_t tidy(char *text, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char ch = (unsigned char)text[i];
        bool pair = ch == '\r' && i + 1 < n && text[i + 1] == '\n';
        if (pair) {
            continue;
        }
        if ((ch < 0x20 && ch != '\n' && ch != '\t') || ch == 0x7f) {
            return -1;
        }
        text[k++] = text[i];
    }
    return sy_utf8_check((sy_span){text, k}) == k ? (ptrdiff_t)k : -1;
}

static bool part(char *text, size_t n, const char **out)
{
    /* The byte behind it is the '=' or '&' or the end's NUL: room for a NUL. */
    ptrdiff_t k = decode(text, n, true);
    k = k < 0 ? k : tidy(text, (size_t)k);
    if (k < 0) {
        return false;
    }
    text[k] = 0;
    *out = text;
    return true;
}

sy_err sy_form_parse(sy_span body, sy_form *out, sy_fail *f)
{
    *out = (sy_form){.text = malloc(body.n + 1)};
    if (!out->text) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a form");
    }
    memcpy(out->text, body.n ? body.p : "", body.n);
    out->text[body.n] = 0;
    char *p = out->text, *end = p + body.n;
    while (p < end) {
        char *next = memchr(p, '&', (size_t)(end - p));
        next = next ? next : end;
        char *equals = memchr(p, '=', (size_t)(next - p));
        char *value = equals ? equals + 1 : next;
        size_t i = out->n;
        if (!equals || i == SY_FORM_FIELDS || !part(p, (size_t)(equals - p), &out->names[i]) ||
            !part(value, (size_t)(next - value), &out->values[i])) {
            sy_form_free(out);
            return sy_fail_set(f, SY_E_PARSE,
                               "the form is malformed: fields are NAME=VALUE, percent-encoded "
                               "UTF-8 without control characters, at most %d",
                               SY_FORM_FIELDS);
        }
        out->n++;
        p = next < end ? next + 1 : end;
    }
    return SY_OK;
}

void sy_form_free(sy_form *form)
{
    free(form->text);
    *form = (sy_form){0};
}

static void trim(char *text)
{
    size_t n = strlen(text), skip = strspn(text, " \t\n");
    while (n > skip && strchr(" \t\n", text[n - 1])) {
        n--;
    }
    memmove(text, text + skip, n - skip);
    text[n - skip] = 0;
}

const char *sy_form_get(const sy_form *form, const char *name)
{
    for (size_t i = 0; i < form->n; i++) {
        if (strcmp(form->names[i], name) == 0) {
            char *value = form->text + (form->values[i] - form->text);
            trim(value);
            return value;
        }
    }
    return "";
}

bool sy_who_fits(const char *who)
{
    size_t n = strlen(who);
    bool plain = n > 0 && n <= SY_DESK_WHO_MAX && sy_utf8_check((sy_span){who, n}) == n;
    for (size_t i = 0; i < n && plain; i++) {
        plain = (unsigned char)who[i] >= 0x20 && who[i] != 0x7f;
    }
    return plain;
}

/* RFC 2104 with SHA-256. */
static void hmac(const uint8_t key[32], const char *text, size_t n, char out[SY_TOKEN_CHARS + 1])
{
    sy_sha256 s;
    uint8_t pad[64], inner[32];
    for (size_t i = 0; i < sizeof pad; i++) {
        pad[i] = (uint8_t)((i < 32 ? key[i] : 0) ^ 0x36);
    }
    sy_sha256_init(&s);
    sy_sha256_add(&s, pad, sizeof pad);
    sy_sha256_add(&s, text, n);
    sy_sha256_end(&s, inner);
    for (size_t i = 0; i < sizeof pad; i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }
    sy_sha256_init(&s);
    sy_sha256_add(&s, pad, sizeof pad);
    sy_sha256_add(&s, inner, sizeof inner);
    sy_sha256_end(&s, inner);
    sy_hex(inner, sizeof inner, out);
}

static const char *header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static void who_of(const sy_guard *g, struct MHD_Connection *c, sy_visitor *out)
{
    const char *given = g->user_header ? header(c, g->user_header)
                                       : MHD_lookup_connection_value(c, MHD_COOKIE_KIND, WHO);
    char text[3 * SY_DESK_WHO_MAX + 1];
    size_t n = given ? strlen(given) : 0;
    out->named = g->user_header != NULL;
    out->who[0] = 0;
    if (n > 0 && n < sizeof text) {
        memcpy(text, given, n + 1);
        ptrdiff_t k = out->named ? (ptrdiff_t)n : decode(text, n, false);
        text[k > 0 ? k : 0] = 0;
        /* A NUL that was encoded ends it early: what fits is what is before it. */
        if (sy_who_fits(text)) {
            memcpy(out->who, text, strlen(text) + 1);
        }
    }
    out->may = !out->named || out->who[0];
}

void sy_guard_visitor(const sy_guard *g, struct MHD_Connection *c, sy_visitor *out)
{
    const char *cookie = MHD_lookup_connection_value(c, MHD_COOKIE_KIND, VISIT);
    size_t n = cookie ? strlen(cookie) : 0;
    out->fresh = n != SY_COOKIE_CHARS || strspn(cookie, "0123456789abcdef") != n;
    if (out->fresh) {
        uint8_t bytes[SY_COOKIE_CHARS / 2];
        sy_random(bytes, sizeof bytes);
        sy_hex(bytes, sizeof bytes, out->cookie);
    } else {
        memcpy(out->cookie, cookie, n + 1);
    }
    hmac(g->key, out->cookie, SY_COOKIE_CHARS, out->token);
    who_of(g, c, out);
}

bool sy_guard_token(const sy_visitor *v, const char *token)
{
    unsigned differs = 0;
    if (v->fresh || strlen(token) != SY_TOKEN_CHARS) {
        return false;
    }
    for (size_t i = 0; i < SY_TOKEN_CHARS; i++) {
        differs |= (unsigned char)(token[i] ^ v->token[i]);
    }
    return differs == 0;
}

bool sy_guard_origin(const sy_guard *g, struct MHD_Connection *c)
{
    const char *origin = header(c, "Origin"), *host = header(c, "Host");
    const char *site = header(c, "Sec-Fetch-Site");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) {
        return false;
    }
    if (!origin) {
        return true;
    }
    if (g->origin && strcasecmp(origin, g->origin) == 0) {
        return true;
    }
    return host && strncasecmp(origin, "http://", 7) == 0 && strcasecmp(origin + 7, host) == 0;
}

static void attributes(const sy_guard *g, sy_buf *out)
{
    bool tls = g->origin && strncasecmp(g->origin, "https://", 8) == 0;
    sy_buf_text(out, "; Path=/; HttpOnly; SameSite=Strict");
    sy_buf_text(out, tls ? "; Secure" : "");
}

void sy_guard_cookie(const sy_guard *g, const sy_visitor *v, sy_buf *out)
{
    sy_buf_text(out, VISIT "=");
    sy_buf_text(out, v->cookie);
    attributes(g, out);
}

void sy_guard_who(const sy_guard *g, const char *who, sy_buf *out)
{
    sy_buf_text(out, WHO "=");
    for (const char *p = who; *p; p++) {
        if (isalnum((unsigned char)*p)) {
            sy_buf_char(out, *p);
        } else {
            sy_buf_printf(out, "%%%02X", (unsigned char)*p);
        }
    }
    sy_buf_printf(out, "; Max-Age=%d", WHO_DAYS * 86400);
    attributes(g, out);
}
