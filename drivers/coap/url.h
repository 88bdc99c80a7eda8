/*
 * The address of a resource that is observed: coap://10.0.0.9:5683/temp?u=C, coaps://[fd00::9]/t
 * (RFC 7252 section 6). The host is an address, never a name: a supervised value must not depend on
 * who answers for a name. Any thread.
 */
#ifndef SY_COAP_URL_H
#define SY_COAP_URL_H

#include "base/span.h"

enum { SY_COAP_URL_MOST = 255 };

typedef struct sy_coap_url {
    bool tls, v6;
    char host[46]; /* as inet_pton reads it */
    uint16_t port;
    /* Percent-encoded as written, without the '/' and '?' before them. */
    char path[SY_COAP_URL_MOST + 1], query[SY_COAP_URL_MOST + 1];
} sy_coap_url;

bool sy_coap_url_parse(sy_span text, sy_coap_url *out);

#endif
