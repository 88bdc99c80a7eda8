/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sender. The token of a request is its place in the caller's list, and a number of the call,
 * so that a late answer is not taken for another one's. What does not fit a datagram goes
 * block-wise by the library, alone in flight: the library changes the tokens of such a transfer.
 */
#include "drivers/coap/send.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <coap3/coap.h>

enum { WINDOW = 32, DATAGRAM = 1000, POLL_MS = 100, GIVE_UP_MS = 120000, TOKEN = 8 };

struct sy_coap_sender {
    coap_context_t *ctx;
    coap_session_t *session;
    sy_coap_out *v;
    size_t n;
    size_t in_flight;
    uint32_t call;
};

static sy_coap_out *of_token(sy_coap_sender *s, const coap_pdu_t *pdu)
{
    coap_bin_const_t t = coap_pdu_get_token(pdu);
    uint32_t part[2];
    if (t.length != TOKEN) {
        return NULL;
    }
    memcpy(part, t.s, TOKEN);
    return part[0] == s->call && part[1] < s->n ? &s->v[part[1]] : NULL;
}

static coap_response_t answered(coap_session_t *session, const coap_pdu_t *sent,
                                const coap_pdu_t *got, const coap_mid_t mid)
{
    (void)mid;
    sy_coap_sender *s = coap_session_get_app_data(session);
    sy_coap_out *o = of_token(s, got);
    o = o || !sent ? o : of_token(s, sent);
    if (!o || o->code) {
        return COAP_RESPONSE_OK;
    }
    coap_pdu_code_t code = coap_pdu_get_code(got);
    const uint8_t *data = NULL;
    size_t n = 0;
    o->code = (uint16_t)(COAP_RESPONSE_CLASS(code) * 100 + (code & 0x1f));
    if (o->code >= 300 && coap_get_data(got, &n, &data)) {
        snprintf(o->reason, sizeof o->reason, "%.*s", (int)(n < 90 ? n : 90), (const char *)data);
    }
    s->in_flight -= s->in_flight > 0;
    return COAP_RESPONSE_OK;
}

static void lost(coap_session_t *session, const coap_pdu_t *sent, const coap_nack_reason_t reason,
                 const coap_mid_t mid)
{
    (void)mid;
    sy_coap_sender *s = coap_session_get_app_data(session);
    sy_coap_out *o = sent ? of_token(s, sent) : NULL;
    if (o && !o->code && !o->reason[0]) {
        snprintf(o->reason, sizeof o->reason, "not delivered (%d)", (int)reason);
        s->in_flight -= s->in_flight > 0;
    }
}

static bool parse(const char *address, coap_address_t *out)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    size_t n = colon ? (size_t)(colon - address) : 0;
    if (n >= 2 && address[0] == '[') {
        address++;
        n -= 2;
    }
    if (n == 0 || n >= sizeof host) {
        return false;
    }
    memcpy(host, address, n);
    host[n] = '\0';
    uint16_t port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    coap_address_init(out);
    if (inet_pton(AF_INET, host, &out->addr.sin.sin_addr) == 1) {
        out->size = sizeof out->addr.sin;
        out->addr.sin.sin_family = AF_INET;
        out->addr.sin.sin_port = port;
        return true;
    }
    out->size = sizeof out->addr.sin6;
    out->addr.sin6.sin6_family = AF_INET6;
    out->addr.sin6.sin6_port = port;
    return inet_pton(AF_INET6, host, &out->addr.sin6.sin6_addr) == 1;
}

sy_err sy_coap_sender_open(sy_coap_sender **out, const char *address, sy_fail *f)
{
    coap_address_t to;
    if (!parse(address, &to)) {
        return sy_fail_set(f, SY_E_USAGE, "CoAP address \"%.100s\": write an IP address and a port",
                           address);
    }
    sy_coap_sender *s = calloc(1, sizeof *s);
    if (!s) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the CoAP sender");
    }
    coap_startup();
    coap_set_log_level((coap_log_t)0);
    s->ctx = coap_new_context(NULL);
    s->session = s->ctx ? coap_new_client_session(s->ctx, NULL, &to, COAP_PROTO_UDP) : NULL;
    if (!s->session) {
        sy_coap_sender_close(s);
        return sy_fail_set(f, SY_E_IO, "cannot make a CoAP session to %.100s", address);
    }
    coap_context_set_block_mode(s->ctx, COAP_BLOCK_USE_LIBCOAP | COAP_BLOCK_SINGLE_BODY);
    coap_register_response_handler(s->ctx, answered);
    coap_register_nack_handler(s->ctx, lost);
    coap_session_set_app_data(s->session, s);
    coap_session_set_nstart(s->session, WINDOW);
    sy_random(&s->call, sizeof s->call);
    *out = s;
    return SY_OK;
}

static bool post(sy_coap_sender *s, size_t i)
{
    sy_coap_out *o = &s->v[i];
    uint32_t part[2] = {s->call, (uint32_t)i};
    unsigned char token[TOKEN], number[4];
    memcpy(token, part, TOKEN);
    coap_pdu_t *pdu = coap_new_pdu(COAP_MESSAGE_CON, COAP_REQUEST_CODE_POST, s->session);
    if (!pdu) {
        return false;
    }
    bool ok =
        coap_add_token(pdu, TOKEN, token) &&
        coap_add_option(pdu, COAP_OPTION_URI_PATH, 1, (const uint8_t *)"r") &&
        coap_add_option(pdu, COAP_OPTION_URI_PATH, strlen(o->device), (const uint8_t *)o->device) &&
        coap_add_option(pdu, COAP_OPTION_CONTENT_FORMAT,
                        coap_encode_var_safe(number, sizeof number, o->content_format), number);
    const uint8_t *data = (const uint8_t *)o->payload.p;
    if (ok && o->payload.n > DATAGRAM) {
        ok = coap_add_data_large_request(s->session, pdu, o->payload.n, data, NULL, NULL);
    } else if (ok) {
        ok = coap_add_data(pdu, o->payload.n, data);
    }
    if (!ok) {
        coap_delete_pdu(pdu);
        return false;
    }
    s->in_flight++;
    return coap_send(s->session, pdu) != COAP_INVALID_MID;
}

static sy_err drain(sy_coap_sender *s, size_t most, sy_fail *f)
{
    sy_ms until = sy_mono_ms() + GIVE_UP_MS;
    while (s->in_flight > most) {
        size_t before = s->in_flight;
        if (coap_io_process(s->ctx, POLL_MS) < 0) {
            return sy_fail_set(f, SY_E_IO, "the CoAP library failed");
        }
        if (s->in_flight != before) {
            until = sy_mono_ms() + GIVE_UP_MS;
        } else if (sy_mono_ms() > until) {
            return sy_fail_set(f, SY_E_AGAIN, "%zu CoAP requests have no answer", before);
        }
    }
    return SY_OK;
}

sy_err sy_coap_sender_send(sy_coap_sender *s, sy_coap_out *v, size_t n, sy_fail *f)
{
    s->v = v;
    s->n = n;
    s->in_flight = 0;
    s->call++;
    sy_err e = SY_OK;
    for (size_t i = 0; i < n && !e; i++) {
        if (v[i].code / 100 == 2) {
            continue;
        }
        bool large = v[i].payload.n > DATAGRAM;
        v[i].code = 0;
        v[i].reason[0] = '\0';
        e = drain(s, large ? 0 : WINDOW - 1, f);
        if (!e && !post(s, i)) {
            snprintf(v[i].reason, sizeof v[i].reason, "cannot be sent");
            s->in_flight -= s->in_flight > 0;
        }
        if (!e && large) {
            e = drain(s, 0, f);
        }
    }
    e = e ? e : drain(s, 0, f);
    s->v = NULL;
    s->n = 0;
    return e;
}

void sy_coap_sender_close(sy_coap_sender *s)
{
    if (!s) {
        return;
    }
    if (s->session) {
        coap_session_release(s->session);
    }
    if (s->ctx) {
        coap_free_context(s->ctx);
    }
    free(s);
}
