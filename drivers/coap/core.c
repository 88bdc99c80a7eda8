/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /.well-known/core (RFC 6690): that readings go to /r, in which formats, and that alerts are
 * to be observed below /alerts, where there are panels. The devices' own
 * paths below it are not listed: who is supervised by what is nobody's business who happens to be
 * on the network.
 */
#include <stdio.h>

#include "drivers/coap/coap_int.h"
#include "drivers/formats/format.h"

enum { NO_FORMAT = 0xffff, LINK_FORMAT = 40 };

/* A link, as its attributes are filtered by. */
typedef struct link_of {
    const char *href, *rt, *ct, *more;
} link_of;

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
static bool wanted(const coap_pdu_t *pdu, const link_of *l)
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
        const char *has = sy_span_is(name, "href") ? l->href
                          : sy_span_is(name, "rt") ? l->rt
                          : sy_span_is(name, "ct") ? l->ct
                                                   : "";
        if (!matches(has, value))
            return false;
    }
    return true;
}

void sy_coap__core(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *pdu,
                   const coap_string_t *query, coap_pdu_t *response)
{
    char ct[96], text[320] = "";
    uint8_t buf[4];
    const sy_coap *c = coap_resource_get_userdata(resource);
    (void)session;
    (void)query;
    if (coap_pdu_get_code(pdu) != COAP_REQUEST_CODE_GET) {
        coap_pdu_set_code(response, COAP_RESPONSE_CODE(405));
        return;
    }
    formats(ct, sizeof ct);
    const link_of links[] = {{"/r", "steelyard.readings", ct, ""},
                             {"/alerts", "steelyard.alerts", "50 60", ";obs"}};
    size_t n = 0, n_links = c->alerts.n_panels ? 2 : 1;
    for (size_t i = 0; i < n_links; i++)
        if (wanted(pdu, &links[i]))
            n += (size_t)snprintf(text + n, sizeof text - n, "%s<%s>;ct=\"%s\";rt=\"%s\"%s",
                                  n ? "," : "", links[i].href, links[i].ct, links[i].rt,
                                  links[i].more);
    coap_pdu_set_code(response, COAP_RESPONSE_CODE(205));
    coap_add_option(response, COAP_OPTION_CONTENT_FORMAT,
                    coap_encode_var_safe(buf, sizeof buf, LINK_FORMAT), buf);
    if (n > 0)
        coap_add_data(response, n, (const uint8_t *)text);
}
