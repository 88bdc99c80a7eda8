/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an observed resource says, block by block where it is long (RFC 7959 section 2.6: the first
 * block comes with the notification, the others are asked for), and into the intake. The
 * notification is acknowledged when all of it is kept. A body that cannot be put together is left
 * unacknowledged and asked for again.
 */
#include "drivers/coap/watch.h"
#include "drivers/formats/format.h"

#include <stdio.h>

enum { AGAIN_MS = 500, NO_FORMAT = 0xffff };

void sy_watch__body_drop(sy_watch *w)
{
    w->body.live = false;
    sy_buf_reset(&w->body.bytes);
}

static void fail(sy_watch *w)
{
    sy_watch__body_drop(w);
    sy_watch__again(w, AGAIN_MS);
}

/* False where it does not fit what came before, or is more than a message may be. */
static bool take_block(sy_watch *w, const coap_pdu_t *got, const coap_block_b_t *block)
{
    const uint8_t *data = NULL;
    size_t n = 0, size = (size_t)1 << (block->szx + 4);
    (void)coap_get_data(got, &n, &data);
    if (((size_t)block->num << (block->szx + 4)) != w->body.bytes.n ||
        (block->m ? n != size : n > size) || w->body.bytes.n + n > w->c->o.max_payload)
        return false;
    sy_buf_put(&w->body.bytes, data, n);
    w->body.szx = block->szx;
    return !w->body.bytes.failed;
}

static sy_span etag_of(const coap_pdu_t *got)
{
    coap_opt_iterator_t it;
    coap_opt_t *opt = coap_check_option(got, COAP_OPTION_ETAG, &it);
    size_t n = opt ? coap_opt_length(opt) : 0;
    return (sy_span){n ? (const char *)coap_opt_value(opt) : "", n <= 8 ? n : 8};
}

static bool next(sy_watch *w)
{
    return sy_watch__get(w, -1, (int)(w->body.bytes.n >> (w->body.szx + 4)));
}

void sy_watch__body_begin(sy_watch *w, const coap_pdu_t *got, const coap_block_b_t *block)
{
    sy_watch_body *b = &w->body;
    sy_coap_peer peer;
    coap_opt_iterator_t it;
    sy_span etag = etag_of(got);
    coap_opt_t *format = coap_check_option(got, COAP_OPTION_CONTENT_FORMAT, &it);
    sy_random(b->token, sizeof b->token);
    memcpy(b->etag, etag.p, etag.n);
    b->n_etag = etag.n;
    b->confirmable = coap_pdu_get_type(got) == COAP_MESSAGE_CON;
    b->mid = coap_pdu_get_mid(got);
    b->content_format =
        format ? (uint16_t)coap_decode_var_bytes(coap_opt_value(format), coap_opt_length(format))
               : NO_FORMAT;
    sy_coap__peer(w->session, &peer);
    sy_coap__ident(&peer, got, NULL, &b->ident);
    b->ident.bytes[b->ident.n++] = 'o';
    b->live = take_block(w, got, block);
    if (!b->live || !next(w))
        fail(w);
}

static void acknowledge(const sy_watch *w)
{
    coap_pdu_t *pdu = coap_pdu_init(COAP_MESSAGE_ACK, COAP_EMPTY_CODE, w->body.mid,
                                    coap_session_max_pdu_size(w->session));
    if (pdu)
        coap_send(w->session, pdu);
}

void sy_watch__body_more(sy_watch *w, const coap_pdu_t *got)
{
    sy_watch_body *b = &w->body;
    coap_block_b_t block;
    if (coap_pdu_get_code(got) != COAP_RESPONSE_CODE(205) ||
        !coap_get_block_b(w->session, got, COAP_OPTION_BLOCK2, &block) ||
        !sy_span_eq(etag_of(got), (sy_span){(const char *)b->etag, b->n_etag}) ||
        !take_block(w, got, &block)) {
        fail(w);
        return;
    }
    if (block.m) {
        if (!next(w))
            fail(w);
        return;
    }
    sy_message m = {.transport = SY_TRANSPORT_COAP,
                    .flags = (uint8_t)((b->confirmable ? SY_MSG_PROMISE : 0u) |
                                       (w->url.tls ? 0u : SY_MSG_UNAUTHENTICATED)),
                    .content_format = b->content_format,
                    .source = sy_span_of(w->id),
                    .ident = {(const char *)b->ident.bytes, b->ident.n},
                    .payload = sy_buf_span(&b->bytes)};
    uint64_t seq = 0;
    sy_watch_kept kept = sy_watch__keep(w, &m, &seq);
    if (b->confirmable && kept == SY_WATCH_LATER)
        sy_coap__late_add(w->c, w->session, b->mid, seq);
    else if (b->confirmable && kept == SY_WATCH_ACK)
        acknowledge(w);
    sy_watch__body_drop(w);
}

/* What is refused is acknowledged all the same: the server would only send it again. */
static sy_watch_kept refuse(const sy_watch *w, sy_reject why, const char *text)
{
    sy_refusal r = {SY_TRANSPORT_COAP, why, NULL, sy_span_of(w->id), w->url.host, text};
    sy_intake_refuse(w->c->intake, &r);
    return SY_WATCH_ACK;
}

static sy_watch_kept submit(sy_watch *w, const sy_message *m, uint64_t *seq)
{
    sy_fail f = {.text = ""};
    bool kept = false;
    if (sy_coap__submit(w->c, m, seq, &kept, &f) != SY_OK) {
        sy_watch__again(w, AGAIN_MS);
        return SY_WATCH_NOT;
    }
    __atomic_fetch_add(&w->kept, kept ? 1u : 0u, __ATOMIC_RELAXED);
    return sy_coap__waits(w->c, *seq, m->flags) ? SY_WATCH_LATER : SY_WATCH_ACK;
}

sy_watch_kept sy_watch__keep(sy_watch *w, const sy_message *m, uint64_t *seq)
{
    sy_fail f = {.text = ""};
    sy_registry *devices = sy_registry_slot_get(w->c->devices);
    const sy_device *d = sy_registry_by_id(devices, m->source);
    const sy_format *format = d ? sy_format_find(sy_span_of(d->format)) : NULL;
    sy_watch_kept kept;
    if (!d) {
        kept = refuse(w, SY_REJECT_UNKNOWN_DEVICE, "there is no such device any more");
    } else if (!sy_coap__fair(w->c, devices, d, NULL)) {
        kept = SY_WATCH_NOT;
    } else if (m->payload.n > w->c->o.max_payload) {
        kept = refuse(w, SY_REJECT_TOO_LARGE, "larger than gateway.max-payload");
    } else if (!format) {
        kept = refuse(w, SY_REJECT_FORMAT, "the format of this device is not known here");
    } else if (m->content_format != NO_FORMAT && format->content_format != NO_FORMAT &&
               m->content_format != format->content_format) {
        kept = refuse(w, SY_REJECT_FORMAT, "a Content-Format that is not the device's");
    } else {
        sy_err e = sy_coap__decodes(format, m->payload, d, &f);
        kept = e && e != SY_E_NOMEM ? refuse(w, SY_REJECT_MALFORMED, f.text) : submit(w, m, seq);
    }
    sy_registry_unref(devices);
    return kept;
}
