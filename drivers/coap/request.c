/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request: whom it is from, whether it may, what is in it, and the answer.
 *
 * The payload is decoded here once, for nothing but the verdict, so that a device learns at once
 * that it sends rubbish; what is kept are the raw bytes. A retransmission comes through here again:
 * submit says that the message is kept already, and it gets the same answer. Only the last block of
 * a transfer needs its answer remembered, since its earlier blocks are gone by then; after a
 * restart the intake knows the body by that block.
 */
#include <stdio.h>

#include "base/utf8.h"
#include "drivers/coap/blocks.h"
#include "drivers/formats/format.h"

enum { NO_FORMAT = 0xffff, RETRY_AFTER_S = 5 };

typedef struct request {
    sy_coap *c;
    coap_session_t *session;
    const coap_pdu_t *pdu;
    sy_coap_peer peer;
    sy_coap_ident ident;
    bool confirmable, blockwise;
    coap_block_b_t block;
    sy_span device; /* as the path says */
    uint16_t content_format;
    uint8_t flags;
} request;

typedef struct outcome {
    coap_pdu_code_t code; /* 0: none */
    uint64_t seq;         /* CHANGED: kept under this number */
    bool held_back;       /* no answer: it is above its share */
    char text[SY_ANSWER_TEXT];
} outcome;

static coap_pdu_code_t code_of(int dotted)
{
    return (coap_pdu_code_t)COAP_RESPONSE_CODE(dotted);
}

/* Refuse: count it, name it in a word (NULL: that of `why`), and make the answer. */
static bool refuse_as(const request *r, outcome *o, int dotted, sy_reject why, const char *reason,
                      const char *text)
{
    char peer[SY_COAP_PEER_TEXT];
    o->code = code_of(dotted);
    snprintf(o->text, sizeof o->text, "%s", text);
    sy_coap__peer_text(&r->peer, peer);
    sy_refusal refusal = {SY_TRANSPORT_COAP, why, reason, r->device, peer, text};
    sy_intake_refuse(r->c->intake, &refusal);
    return false;
}

static bool refuse(const request *r, outcome *o, int dotted, sy_reject why, const char *text)
{
    return refuse_as(r, o, dotted, why, NULL, text);
}

/* The device of /r/<device>; false for any other path. */
static bool path_device(const coap_pdu_t *pdu, sy_span *out)
{
    coap_opt_filter_t filter;
    coap_opt_iterator_t it;
    coap_opt_t *opt;
    sy_span segment[2] = {{NULL, 0}, {NULL, 0}};
    size_t n = 0;
    coap_option_filter_clear(&filter);
    coap_option_filter_set(&filter, COAP_OPTION_URI_PATH);
    coap_option_iterator_init(pdu, &it, &filter);
    while ((opt = coap_option_next(&it))) {
        if (n < 2)
            segment[n] = (sy_span){(const char *)coap_opt_value(opt), coap_opt_length(opt)};
        n++;
    }
    *out = segment[1];
    return n == 2 && sy_span_is(segment[0], "r") && segment[1].n > 0;
}

static bool option_uint(const coap_pdu_t *pdu, coap_option_num_t number, uint32_t *out)
{
    coap_opt_iterator_t it;
    coap_opt_t *opt = coap_check_option(pdu, number, &it);
    if (opt)
        *out = coap_decode_var_bytes(coap_opt_value(opt), coap_opt_length(opt));
    return opt != NULL;
}

static sy_span option_bytes(const coap_pdu_t *pdu, coap_option_num_t number)
{
    coap_opt_iterator_t it;
    coap_opt_t *opt = coap_check_option(pdu, number, &it);
    return opt ? (sy_span){(const char *)coap_opt_value(opt), coap_opt_length(opt)}
               : (sy_span){"", 0};
}

/* By what the device is configured for: a certificate does not stand in for a key, nor a key for a
 * certificate. */
static bool over_dtls(const request *r, const sy_device *d, outcome *o)
{
    sy_cert_says says = sy_coap__cert_of(r->session, d->id);
    const coap_bin_const_t *id = coap_session_get_psk_identity(r->session);
    if (says == SY_CERT_EXPIRED)
        return refuse_as(r, o, 403, SY_REJECT_NOT_ALLOWED, "expired-certificate",
                         "the certificate has expired");
    if (says == SY_CERT_OTHER || (says == SY_CERT_NONE && !id) ||
        (says == SY_CERT_NONE && !sy_span_is((sy_span){(const char *)id->s, id->length}, d->id)))
        return refuse_as(r, o, 403, SY_REJECT_NOT_ALLOWED, "speaks-for-another",
                         "the identity of this DTLS session is that of another device");
    if ((d->credential == SY_CRED_CERTIFICATE) != (says == SY_CERT_OWN))
        return refuse_as(r, o, 403, SY_REJECT_NOT_ALLOWED, "wrong-kind-of-credential",
                         says == SY_CERT_OWN ? "this device is not configured for a certificate"
                                             : "this device needs its certificate");
    return true;
}

/* A device speaks for itself, and only so as the configuration allows. */
static bool admitted(request *r, const sy_device *d, outcome *o)
{
    if (d->revoked)
        return refuse_as(r, o, 403, SY_REJECT_NOT_ALLOWED, "revoked-device",
                         "this device was revoked");
    if (d->transport != SY_TRANSPORT_COAP)
        return refuse(r, o, 403, SY_REJECT_NOT_ALLOWED, "this device is not configured for CoAP");
    if (r->peer.dtls)
        return over_dtls(r, d, o);
    if (d->credential != SY_CRED_NONE)
        return refuse_as(r, o, 401, SY_REJECT_NOT_ALLOWED, "no-credential",
                         "this device needs a credential; use DTLS with its key or certificate");
    if (!sy_coap__from(&r->peer, d))
        return refuse_as(r, o, 403, SY_REJECT_NOT_ALLOWED, "wrong-address",
                         "this device may not send from this address");
    r->flags |= SY_MSG_UNAUTHENTICATED;
    return true;
}

static bool of_format(request *r, const sy_format *format, outcome *o)
{
    uint32_t given;
    r->content_format = NO_FORMAT;
    if (!format)
        return refuse(r, o, 415, SY_REJECT_FORMAT, "the format of this device is not known here");
    if (!option_uint(r->pdu, COAP_OPTION_CONTENT_FORMAT, &given))
        return true;
    if (given != format->content_format && format->content_format != NO_FORMAT) {
        char text[SY_ANSWER_TEXT];
        snprintf(text, sizeof text, "this device sends %s, Content-Format %u, not %u", format->name,
                 format->content_format, given);
        return refuse(r, o, 415, SY_REJECT_FORMAT, text);
    }
    r->content_format = (uint16_t)given;
    return true;
}

static bool too_large(const request *r, outcome *o)
{
    char text[SY_ANSWER_TEXT];
    snprintf(text, sizeof text, "more than %zu bytes", r->c->o.max_payload);
    return refuse(r, o, 413, SY_REJECT_TOO_LARGE, text);
}

static sy_message message_of(const request *r, sy_span payload)
{
    unsigned flags =
        r->flags | (r->confirmable ? SY_MSG_PROMISE : 0u) | (r->blockwise ? SY_MSG_BLOCKS : 0u);
    return (sy_message){.transport = SY_TRANSPORT_COAP,
                        .flags = (uint8_t)flags,
                        .content_format = r->content_format,
                        .source = r->device,
                        .ident = {(const char *)r->ident.bytes, r->ident.n},
                        .payload = payload};
}

/* A last block without those before it: of a body that was kept by a process that ended before its
 * acknowledgement went out? */
static bool kept_before(const request *r, sy_span block, outcome *o)
{
    sy_message m = message_of(r, block);
    if (r->block.m || !r->c->intake->knows_end(r->c->intake->ctx, &m, &o->seq))
        return false;
    o->code = code_of(204);
    return true;
}

/* The whole body in *body; false: the answer is made. */
static bool whole(const request *r, outcome *o, sy_span *body)
{
    size_t n = 0;
    const uint8_t *bytes = NULL;
    uint32_t size1;
    if (option_uint(r->pdu, COAP_OPTION_SIZE1, &size1) && size1 > r->c->o.max_payload)
        return too_large(r, o);
    *body = (sy_span){"", 0};
    if (coap_get_data(r->pdu, &n, &bytes))
        *body = (sy_span){(const char *)bytes, n};
    if (!r->blockwise)
        return body->n <= r->c->o.max_payload ? true : too_large(r, o);
    coap_bin_const_t token = coap_pdu_get_token(r->pdu);
    sy_block_key key = {r->peer,
                        r->device,
                        option_bytes(r->pdu, COAP_OPTION_RTAG),
                        {(const char *)token.s, token.length}};
    switch (sy_coap__blocks_add(r->c->blocks, &key, &r->block, *body, sy_mono_ms(), body)) {
    case SY_BLOCK_WHOLE:
        return true;
    case SY_BLOCK_MORE:
        o->code = code_of(231);
        return false;
    case SY_BLOCK_GAP:
        if (kept_before(r, *body, o))
            return false;
        return refuse(r, o, 408, SY_REJECT_MALFORMED,
                      "not the block that comes next; start again at block 0");
    case SY_BLOCK_LARGE:
        return too_large(r, o);
    case SY_BLOCK_SIZE:
        return refuse(r, o, 400, SY_REJECT_MALFORMED,
                      "the block is not as long as its Block1 option says");
    case SY_BLOCK_BUSY:
        break;
    }
    return refuse(r, o, 503, SY_REJECT_TOO_LARGE, "too many block-wise transfers at once");
}

static sy_err nowhere(void *ctx, const sy_record *record)
{
    (void)ctx;
    (void)record;
    return SY_OK;
}

sy_err sy_coap__decodes(const sy_format *format, sy_span body, const sy_device *d, sy_fail *f)
{
    return format->decode(body, d, nowhere, NULL, f);
}

static void keep(const request *r, const sy_device *d, const sy_format *format, sy_span body,
                 outcome *o)
{
    sy_fail f = {.text = ""};
    bool kept = false;
    sy_err e = sy_coap__decodes(format, body, d, &f);
    if (e != SY_OK && e != SY_E_NOMEM) {
        (void)refuse(r, o, 400, SY_REJECT_MALFORMED, f.text[0] ? f.text : sy_err_text(e));
        return;
    }
    sy_message m = message_of(r, body);
    e = sy_coap__submit(r->c, &m, &o->seq, &kept, &f);
    if (e == SY_OK) {
        o->code = code_of(204);
        return;
    }
    o->code = code_of(503);
    snprintf(o->text, sizeof o->text, "%s",
             e == SY_E_CLOSED ? "the gateway is stopping" : "nothing can be kept at the moment");
}

/* Of a device that nobody knows: what came in one datagram is kept aside. */
static void set_aside(const request *r)
{
    char peer[SY_COAP_PEER_TEXT];
    size_t n = 0;
    const uint8_t *bytes = NULL;
    uint32_t format = NO_FORMAT;
    if (r->blockwise || !coap_get_data(r->pdu, &n, &bytes))
        return;
    (void)option_uint(r->pdu, COAP_OPTION_CONTENT_FORMAT, &format);
    sy_coap__peer_text(&r->peer, peer);
    sy_stranger s = {.transport = SY_TRANSPORT_COAP,
                     .source = r->device,
                     .peer = peer,
                     .content_format = (uint16_t)(format < NO_FORMAT ? format : NO_FORMAT),
                     .payload = {(const char *)bytes, n}};
    sy_intake_strange(r->c->intake, &s);
}

static void take(request *r, outcome *o)
{
    coap_pdu_code_t method = coap_pdu_get_code(r->pdu);
    bool known_path = path_device(r->pdu, &r->device);
    if (!known_path) {
        (void)refuse(r, o, 404, SY_REJECT_UNKNOWN_DEVICE, "readings are sent to /r/<device>");
        return;
    }
    if (method != COAP_REQUEST_CODE_POST && method != COAP_REQUEST_CODE_PUT) {
        (void)refuse(r, o, 405, SY_REJECT_MALFORMED, "readings are sent with POST or PUT");
        return;
    }
    sy_registry *devices = sy_registry_slot_get(r->c->devices);
    const sy_device *d = sy_registry_by_id(devices, r->device);
    sy_span body;
    if (!d) {
        set_aside(r);
        (void)refuse(r, o, 404, SY_REJECT_UNKNOWN_DEVICE, "there is no such device");
        o->held_back = !sy_coap__fair(r->c, devices, NULL, &r->peer);
    } else if (d->panel) {
        (void)refuse(r, o, 403, SY_REJECT_NOT_ALLOWED, "a panel sends no readings");
        o->held_back = !sy_coap__fair(r->c, devices, NULL, &r->peer);
    } else if (!admitted(r, d, o)) {
        o->held_back = !sy_coap__fair(r->c, devices, NULL, &r->peer);
    } else if (!sy_coap__fair(r->c, devices, d, &r->peer)) {
        o->held_back = true;
    } else {
        const sy_format *format = sy_format_find(sy_span_of(d->format));
        if (of_format(r, format, o) && whole(r, o, &body))
            keep(r, d, format, body, o);
    }
    sy_registry_unref(devices);
}

void sy_coap__reason(coap_pdu_t *response, int dotted, const char *text)
{
    size_t n = sy_utf8_check(sy_span_of(text));
    coap_pdu_set_code(response, code_of(dotted));
    if (n > 0)
        coap_add_data(response, n, (const uint8_t *)text);
}

bool sy_coap__admits(sy_coap *c, coap_session_t *session, const coap_pdu_t *pdu, const sy_device *d,
                     coap_pdu_t *response)
{
    request r = {.c = c, .session = session, .pdu = pdu, .device = sy_span_of(d->id)};
    outcome o = {.text = ""};
    sy_coap__peer(session, &r.peer);
    if (r.peer.dtls && c->n_shakes > 0)
        sy_coap__shake_done(c, session);
    if (admitted(&r, d, &o))
        return true;
    coap_pdu_set_code(response, o.code);
    coap_add_data(response, strlen(o.text), (const uint8_t *)o.text);
    return false;
}

static size_t block_option(const coap_block_b_t *b, bool more, uint8_t out[4])
{
    return coap_encode_var_safe(out, 4, b->num << 4 | (more ? 8u : 0u) | b->szx);
}

static void no_answer(coap_pdu_t *response)
{
    coap_pdu_set_type(response, COAP_MESSAGE_NON);
    coap_pdu_set_code(response, COAP_EMPTY_CODE);
}

/* Options in ascending order, then the diagnostic. */
static void answer(const request *r, coap_pdu_code_t code, const char *text, coap_pdu_t *response)
{
    uint8_t buf[4];
    coap_pdu_set_code(response, code);
    if (code == code_of(503))
        coap_add_option(response, COAP_OPTION_MAXAGE,
                        coap_encode_var_safe(buf, sizeof buf, RETRY_AFTER_S), buf);
    if (r->blockwise)
        coap_add_option(response, COAP_OPTION_BLOCK1,
                        block_option(&r->block, code == code_of(231), buf), buf);
    if (code == code_of(413))
        coap_add_option(response, COAP_OPTION_SIZE1,
                        coap_encode_var_safe(buf, sizeof buf, (unsigned)r->c->o.max_payload), buf);
    size_t n = sy_utf8_check(sy_span_of(text));
    if (n > 0)
        coap_add_data(response, n, (const uint8_t *)text);
}

/* Room for one more, or NULL: then there is no answer, the device sends again, and the message is
 * recognised. */
static sy_coap_late *late_room(sy_coap *c, coap_session_t *session, coap_mid_t mid, uint64_t seq)
{
    if (c->late_n == SY_COAP_LATE)
        return NULL;
    sy_coap_late *l = &c->late[(c->late_first + c->late_n++) % SY_COAP_LATE];
    *l = (sy_coap_late){
        .seq = seq, .session = coap_session_reference(session), .mid = mid, .n_block = 0xff};
    return l;
}

/* Acknowledge when it is synced. */
static void later(const request *r, uint64_t seq)
{
    uint8_t buf[4];
    coap_bin_const_t token = coap_pdu_get_token(r->pdu);
    sy_coap_late *l = late_room(r->c, r->session, coap_pdu_get_mid(r->pdu), seq);
    if (!l)
        return;
    l->n_token = (uint8_t)(token.length < 8 ? token.length : 8);
    if (l->n_token > 0)
        memcpy(l->token, token.s, l->n_token);
    if (r->blockwise) {
        l->n_block = (uint8_t)block_option(&r->block, false, buf);
        memcpy(l->block, buf, sizeof l->block);
    }
}

void sy_coap__late_add(sy_coap *c, coap_session_t *session, coap_mid_t mid, uint64_t seq)
{
    sy_coap_late *l = late_room(c, session, mid, seq);
    if (l)
        l->empty = true;
}

bool sy_coap__waits(const sy_coap *c, uint64_t seq, unsigned flags)
{
    return c->intake->strict && (flags & SY_MSG_PROMISE) &&
           seq > __atomic_load_n(&c->synced, __ATOMIC_ACQUIRE);
}

static bool waits(const request *r, coap_pdu_code_t code, uint64_t seq)
{
    return code == code_of(204) && sy_coap__waits(r->c, seq, r->confirmable ? SY_MSG_PROMISE : 0);
}

static void late_one(const sy_coap_late *l)
{
    coap_pdu_code_t code = l->empty ? COAP_EMPTY_CODE : COAP_RESPONSE_CODE_CHANGED;
    coap_pdu_t *pdu =
        coap_pdu_init(COAP_MESSAGE_ACK, code, l->mid, coap_session_max_pdu_size(l->session));
    if (!pdu)
        return;
    if (!l->empty)
        coap_add_token(pdu, l->n_token, l->token);
    if (l->n_block != 0xff)
        coap_add_option(pdu, COAP_OPTION_BLOCK1, l->n_block, l->block);
    coap_send(l->session, pdu);
}

void sy_coap__late_send(sy_coap *c)
{
    uint64_t synced = __atomic_load_n(&c->synced, __ATOMIC_ACQUIRE);
    for (; c->late_n > 0 && c->late[c->late_first].seq <= synced; c->late_n--) {
        const sy_coap_late *l = &c->late[c->late_first];
        c->late_first = (c->late_first + 1) % SY_COAP_LATE;
        late_one(l);
        coap_session_release(l->session);
    }
}

/* True where this very last block was answered before: the same answer. */
static bool answered_before(const request *r, coap_pdu_t *response)
{
    const sy_coap_answer *a = sy_coap__answer_find(r->c->answers, &r->ident, sy_mono_ms());
    if (!a)
        return false;
    if (waits(r, a->code, a->seq))
        no_answer(response); /* the answer to the first one is still to come */
    else
        answer(r, a->code, a->text, response);
    return true;
}

void sy_coap__handle(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *pdu,
                     const coap_string_t *query, coap_pdu_t *response)
{
    (void)query;
    coap_opt_iterator_t it;
    request r = {.c = coap_resource_get_userdata(resource), .session = session, .pdu = pdu};
    outcome o = {.text = ""};
    r.c->handled++;
    r.confirmable = coap_pdu_get_type(pdu) == COAP_MESSAGE_CON;
    bool block1 = coap_check_option(pdu, COAP_OPTION_BLOCK1, &it) != NULL;
    r.blockwise = block1 && coap_get_block_b(session, pdu, COAP_OPTION_BLOCK1, &r.block) != 0;
    sy_coap__peer(session, &r.peer);
    if (r.peer.dtls && r.c->n_shakes > 0)
        sy_coap__shake_done(r.c, session);
    sy_coap__ident(&r.peer, pdu, r.blockwise ? &r.block : NULL, &r.ident);
    if (r.blockwise && answered_before(&r, response))
        return;
    if (block1 && !r.blockwise)
        (void)refuse(&r, &o, 400, SY_REJECT_MALFORMED, "the Block1 option is malformed");
    else
        take(&r, &o);
    if (o.held_back) {
        no_answer(response);
        return;
    }
    if (r.blockwise && !r.block.m) {
        sy_coap_answer a = {.ident = r.ident, .at = sy_mono_ms(), .code = o.code, .seq = o.seq};
        memcpy(a.text, o.text, sizeof a.text);
        if (o.code != code_of(503))
            sy_coap__answer_keep(r.c->answers, &a);
    }
    if (waits(&r, o.code, o.seq)) {
        later(&r, o.seq);
        no_answer(response);
    } else if (!r.confirmable && !r.blockwise) {
        no_answer(response);
    } else {
        answer(&r, o.code, o.text, response);
    }
}
