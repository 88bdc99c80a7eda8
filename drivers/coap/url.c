/* SPDX-License-Identifier: Apache-2.0 */
/* See url.h. */
#include "drivers/coap/url.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/hash.h"

enum { COAP_PORT = 5683, COAPS_PORT = 5684 };

static bool begins(sy_span *s, const char *with)
{
    size_t n = strlen(with);
    if (s->n < n || memcmp(s->p, with, n) != 0)
        return false;
    *s = (sy_span){s->p + n, s->n - n};
    return true;
}

/* What comes before any of the characters in `ends`. */
static sy_span upto(sy_span *s, const char *ends)
{
    size_t n = 0;
    while (n < s->n && !strchr(ends, s->p[n]))
        n++;
    sy_span part = {s->p, n};
    *s = (sy_span){s->p + n, s->n - n};
    return part;
}

static bool copy(sy_span from, char *to, size_t size)
{
    if (from.n >= size)
        return false;
    memcpy(to, from.p, from.n);
    to[from.n] = '\0';
    return true;
}

static bool port_of(sy_span digits, uint16_t *out)
{
    uint32_t v = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || v > 65535)
            return false;
        v = v * 10 + (uint32_t)(digits.p[i] - '0');
    }
    *out = (uint16_t)v;
    return digits.n > 0 && v > 0 && v <= 65535;
}

static bool authority(sy_span *s, sy_coap_url *out)
{
    unsigned char address[16];
    sy_span host;
    out->v6 = begins(s, "[");
    host = upto(s, out->v6 ? "]" : ":/?");
    if ((out->v6 && !begins(s, "]")) || !copy(host, out->host, sizeof out->host) ||
        inet_pton(out->v6 ? AF_INET6 : AF_INET, out->host, address) != 1)
        return false;
    out->port = out->tls ? COAPS_PORT : COAP_PORT;
    return !begins(s, ":") || port_of(upto(s, "/?"), &out->port);
}

/* Printable, no fragment, every '%' with its two digits. */
static bool written_well(sy_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f || c == '#')
            return false;
        if (c == '%' &&
            (i + 2 >= s.n || sy_hex_digit(s.p[i + 1]) < 0 || sy_hex_digit(s.p[i + 2]) < 0))
            return false;
    }
    return true;
}

bool sy_coap_url_parse(sy_span text, sy_coap_url *out)
{
    *out = (sy_coap_url){.tls = false};
    if (text.n > SY_COAP_URL_MOST || !written_well(text))
        return false;
    out->tls = begins(&text, "coaps://");
    if ((!out->tls && !begins(&text, "coap://")) || !authority(&text, out))
        return false;
    if (begins(&text, "/") && !copy(upto(&text, "?"), out->path, sizeof out->path))
        return false;
    if (begins(&text, "?") && !copy(upto(&text, ""), out->query, sizeof out->query))
        return false;
    return text.n == 0;
}
