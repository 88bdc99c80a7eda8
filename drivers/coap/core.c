/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /.well-known/core (RFC 6690): that readings go to /r, in which formats. The devices' own
 * paths below it are not listed: who is supervised by what is nobody's business who happens to be
 * on the network.
 */
#include <stdio.h>

#include "drivers/coap/coap_int.h"
#include "drivers/formats/format.h"

enum { NO_FORMAT = 0xffff, LINK_FORMAT = 40 };

static const char href[] = "/r", rt[] = "steelyard.readings";

/* The Content-Formats that some device may send in, ascending: "0 50 110 112". */
static void formats(char *out, size_t size)
{
    uint32_t least = 0;
    size_t n = 0;
    out[0] = '\0';
    for (uint32_t next = 0; next != NO_FORMAT && n + 7 < size; least = next + 1) {
        next = NO_FORMAT;
        for (const sy_format *const *f = sy_formats; *f; f++)
            if ((*f)->content_format >= least && (*f)->content_format < next)
                next = (*f)->content_format;
        if (next != NO_FORMAT)
            n += (size_t)snprintf(out + n, size - n, "%s%u", n ? " " : "", next);
    }
}

/* One of the words, or its beginning where the pattern ends in '*' (section 4.1). */
static bool matches(const char *words, sy_span pattern)
{
    bool prefix = pattern.n > 0 && pattern.p[pattern.n - 1] == '*';
    pattern.n -= prefix;
    while (*words) {
        size_t n = strcspn(words, " ");
        if ((prefix ? n >= pattern.n : n == pattern.n) && memcmp(words, pattern.p, pattern.n) == 0)
            return true;
        words += n + (words[n] == ' ');
    }
    return false;
}

/* A filter by an attribute that the link does not have matches nothing. */
static bool wanted(const coap_pdu_t *pdu, const char *ct)
{
    coap_opt_filter_t filter;
    coap_opt_iterator_t it;
    coap_opt_t *opt;
    coap_option_filter_clear(&filter);
    coap_option_filter_set(&filter, COAP_OPTION_URI_QUERY);
    coap_option_iterator_init(pdu, &it, &filter);
    while ((opt = coap_option_next(&it))) {
        sy_span q = {(const char *)coap_opt_value(opt), coap_opt_length(opt)};
        const char *equals = q.n ? memchr(q.p, '=', q.n) : NULL;
        sy_span name = {q.p, equals ? (size_t)(equals - q.p) : q.n};
        sy_span value = {equals ? equals + 1 : "", equals ? q.n - name.n - 1 : 0};
        const char *has = sy_span_is(name, "href") ? href
                          : sy_span_is(name, "rt") ? rt
                          : sy_span_is(name, "ct") ? ct
                                                   : "";
        if (!matches(has, value))
            return false;
    }
    return true;
}

void sy_coap__core(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *pdu,
                   const coap_string_t *query, coap_pdu_t *response)
{
    char ct[96], link[192];
    uint8_t buf[4];
    (void)resource;
    (void)session;
    (void)query;
    if (coap_pdu_get_code(pdu) != COAP_REQUEST_CODE_GET) {
        coap_pdu_set_code(response, COAP_RESPONSE_CODE(405));
        return;
    }
    formats(ct, sizeof ct);
    int n =
        wanted(pdu, ct) ? snprintf(link, sizeof link, "<%s>;ct=\"%s\";rt=\"%s\"", href, ct, rt) : 0;
    coap_pdu_set_code(response, COAP_RESPONSE_CODE(205));
    coap_add_option(response, COAP_OPTION_CONTENT_FORMAT,
                    coap_encode_var_safe(buf, sizeof buf, LINK_FORMAT), buf);
    if (n > 0)
        coap_add_data(response, (size_t)n, (const uint8_t *)link);
}
