/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DTLS handshakes under way. A wrong pre-shared key is not seen by anyone: the peer's last message
 * cannot be deciphered and is dropped, as DTLS wants it (RFC 9147 section 4.5.2). So each handshake
 * is noted from its cookie on, and one that is not finished in time is counted and named.
 */
#include <stdio.h>

#include "drivers/coap/coap_int.h"

enum { IN_TIME_MS = 5000 };

static sy_ms in_time(const sy_coap *c)
{
    return c->o.handshake ? c->o.handshake : IN_TIME_MS;
}

static sy_coap_shake *find(sy_coap *c, const coap_session_t *session)
{
    for (size_t i = 0; i < c->n_shakes; i++)
        if (c->shakes[i].session == session)
            return &c->shakes[i];
    return NULL;
}

static void forget(sy_coap *c, sy_coap_shake *s)
{
    if (s)
        *s = c->shakes[--c->n_shakes];
}

static void refuse(sy_coap *c, const sy_coap_peer *peer, const char *reason, sy_span who,
                   const char *detail)
{
    char address[SY_COAP_PEER_TEXT];
    sy_coap__peer_text(peer, address);
    sy_refusal r = {SY_TRANSPORT_COAP, SY_REJECT_NOT_ALLOWED, reason, who, address, detail};
    sy_intake_refuse(c->intake, &r);
}

void sy_coap__shake_refuse(sy_coap *c, const coap_session_t *session, const char *reason,
                           sy_span who, const char *detail)
{
    sy_coap_peer peer;
    sy_coap_shake *s = find(c, session);
    sy_coap__peer(session, &peer);
    refuse(c, &peer, reason, who, detail);
    if (s)
        s->told = true;
}

/* That one came to nothing of which nothing was told yet. */
static void failed(sy_coap *c, const sy_coap_shake *s, const char *why)
{
    if (!s->told)
        refuse(c, &s->peer, s->named ? "wrong-psk" : "failed-handshake", sy_span_of(s->who), why);
}

/* Until it has said its name it is known by its address. */
static void begun(sy_coap *c, const coap_session_t *session)
{
    sy_coap_shake *s = find(c, session);
    if (s) { /* libcoap has ended it without a word, and this one has its place */
        failed(c, s, "the DTLS handshake was broken off");
        forget(c, s);
    }
    if (c->n_shakes == SY_SHAKES)
        return;
    s = &c->shakes[c->n_shakes++];
    *s = (sy_coap_shake){.session = session, .until = sy_mono_ms() + in_time(c)};
    sy_coap__peer(session, &s->peer);
    sy_coap__peer_text(&s->peer, s->who);
}

void sy_coap__shake_named(sy_coap *c, const coap_session_t *session, sy_span name)
{
    sy_coap_shake *s = find(c, session);
    if (!s)
        return;
    snprintf(s->who, sizeof s->who, "%.*s", (int)name.n, name.p);
    s->named = true;
}

void sy_coap__shake_done(sy_coap *c, const coap_session_t *session)
{
    forget(c, find(c, session));
}

int sy_coap__shake_event(coap_session_t *session, const coap_event_t event)
{
    sy_coap *c = coap_get_app_data(coap_session_get_context(session));
    char why[160];
    sy_coap_shake *s;
    if (coap_session_get_proto(session) != COAP_PROTO_DTLS)
        return 0;
    switch ((int)event) {
    case COAP_EVENT_SERVER_SESSION_NEW:
        begun(c, session);
        break;
    case COAP_EVENT_DTLS_CONNECTED:
        sy_coap__shake_done(c, session);
        break;
    case COAP_EVENT_DTLS_ERROR:
        s = find(c, session);
        sy_coap__tls_reason(why, sizeof why);
        if (s)
            failed(c, s, why);
        forget(c, s);
        break;
    case COAP_EVENT_SERVER_SESSION_DEL:
        s = find(c, session);
        if (s)
            failed(c, s, "the DTLS handshake was broken off");
        forget(c, s);
        break;
    default:
        break;
    }
    return 0;
}

int sy_coap__shake_wait(const sy_coap *c, sy_ms now)
{
    sy_ms first = -1;
    for (size_t i = 0; i < c->n_shakes; i++)
        if (first < 0 || c->shakes[i].until < first)
            first = c->shakes[i].until;
    return first < 0 ? -1 : first > now ? (int)(first - now) : 0;
}

void sy_coap__shake_late(sy_coap *c, sy_ms now)
{
    for (size_t i = 0; i < c->n_shakes;) {
        if (c->shakes[i].until > now) {
            i++;
            continue;
        }
        failed(c, &c->shakes[i],
               "the DTLS handshake was not finished in time: is it the wrong key?");
        forget(c, &c->shakes[i]);
    }
}
