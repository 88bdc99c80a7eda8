/* SPDX-License-Identifier: Apache-2.0 */
/* One observed resource: registering, notifications in their order, renewal, back-off. */
#include "drivers/coap/watch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

enum {
    ASK_MS = 20000,      /* a registration without an answer for so long has failed */
    FIRST_MS = 1000,     /* of the back-off, doubled with each failure */
    LONGEST_MS = 300000, /* … up to this */
    QUIET_MS = 5000,     /* no silence shorter than this is one */
    QUIET_TIMES = 4,     /* silence: so many times the usual interval */
    MAX_AGE_S = 60,      /* RFC 7252 section 5.10.5 */
    MAX_AGE_MOST_S = 86400,
    MARGIN_MS = 10000, /* asked again so long before Max-Age is over, at most a quarter of it */
    ORDER_MS = 128000, /* RFC 7641 section 3.4 */
    OPTION_BUF = 512
};

bool sy_watch__newer(uint32_t a, uint32_t b, sy_ms elapsed)
{
    return (a < b && b - a < 1u << 23) || (a > b && a - b > 1u << 23) || elapsed > ORDER_MS;
}

static void set_state(sy_watch *w, sy_watch_state state)
{
    __atomic_store_n(&w->state, (int)state, __ATOMIC_RELAXED);
}

static void count(uint64_t *n)
{
    __atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

/* The report reads it from another thread. */
static void because(sy_watch *w, const char *why)
{
    pthread_mutex_lock(&w->c->lock);
    snprintf(w->why, sizeof w->why, "%.*s", (int)sizeof w->why - 1, why);
    pthread_mutex_unlock(&w->c->lock);
}

sy_watch *sy_watch__open(sy_coap *c, const sy_device *d)
{
    sy_watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->c = c;
    w->id = strdup(d->id);
    w->text = strdup(d->observe);
    sy_buf_init(&w->body.bytes, sy_heap());
    if (!w->id || !w->text || !sy_coap_url_parse(sy_span_of(d->observe), &w->url)) {
        sy_watch__close(w);
        return NULL;
    }
    sy_random(w->token, sizeof w->token);
    w->due = sy_mono_ms();
    return w;
}

/* ---- asking ---- */

static bool add_parts(coap_pdu_t *pdu, coap_option_num_t number, const char *text,
                      int (*split)(const uint8_t *, size_t, unsigned char *, size_t *))
{
    unsigned char buf[OPTION_BUF], *p = buf;
    size_t size = sizeof buf;
    int n = text[0] ? split((const uint8_t *)text, strlen(text), buf, &size) : 0;
    for (; n > 0; n--) {
        if (coap_opt_length(p) > 0 &&
            !coap_add_option(pdu, number, coap_opt_length(p), coap_opt_value(p)))
            return false;
        p += coap_opt_size(p);
    }
    return n == 0;
}

bool sy_watch__get(sy_watch *w, int observe, int block)
{
    uint8_t buf[4];
    /* A farewell is not waited for: the socket closes behind it. */
    coap_pdu_t *pdu = coap_new_pdu(observe == 1 ? COAP_MESSAGE_NON : COAP_MESSAGE_CON,
                                   COAP_REQUEST_CODE_GET, w->session);
    const uint8_t *token = block < 0 ? w->token : w->body.token;
    bool ok = pdu && coap_add_token(pdu, sizeof w->token, token);
    if (ok && observe >= 0)
        ok = coap_add_option(pdu, COAP_OPTION_OBSERVE,
                             coap_encode_var_safe(buf, sizeof buf, (unsigned)observe), buf) > 0;
    ok = ok && add_parts(pdu, COAP_OPTION_URI_PATH, w->url.path, coap_split_path) &&
         add_parts(pdu, COAP_OPTION_URI_QUERY, w->url.query, coap_split_query);
    if (ok && block >= 0)
        ok =
            coap_add_option(
                pdu, COAP_OPTION_BLOCK2,
                coap_encode_var_safe(buf, sizeof buf, (unsigned)block << 4 | w->body.szx), buf) > 0;
    if (!ok && pdu)
        coap_delete_pdu(pdu);
    return ok && coap_send(w->session, pdu) != COAP_INVALID_MID;
}

static void address_of(const sy_coap_url *url, coap_address_t *out)
{
    coap_address_init(out);
    if (url->v6) {
        out->size = sizeof out->addr.sin6;
        out->addr.sin6.sin6_family = AF_INET6;
        out->addr.sin6.sin6_port = htons(url->port);
        inet_pton(AF_INET6, url->host, &out->addr.sin6.sin6_addr);
    } else {
        out->size = sizeof out->addr.sin;
        out->addr.sin.sin_family = AF_INET;
        out->addr.sin.sin_port = htons(url->port);
        inet_pton(AF_INET, url->host, &out->addr.sin.sin_addr);
    }
}

/* With its key, by the device's id as identity. */
static coap_session_t *secure_session(sy_watch *w, coap_context_t *ctx, const coap_address_t *to)
{
    const coap_bin_const_t *key =
        w->c->psk ? sy_coap__psk_find(w->c->psk, sy_span_of(w->id)) : NULL;
    coap_dtls_cpsk_t setup;
    if (!key)
        return NULL;
    memset(&setup, 0, sizeof setup);
    setup.version = COAP_DTLS_CPSK_SETUP_VERSION;
    setup.psk_info.identity = (coap_bin_const_t){strlen(w->id), (const uint8_t *)w->id};
    setup.psk_info.key = *key;
    return coap_new_client_session_psk2(ctx, NULL, to, COAP_PROTO_DTLS, &setup);
}

static bool open_session(sy_watch *w, coap_context_t *ctx)
{
    coap_address_t to;
    address_of(&w->url, &to);
    w->session = w->url.tls ? secure_session(w, ctx, &to)
                            : coap_new_client_session(ctx, NULL, &to, COAP_PROTO_UDP);
    if (w->session)
        coap_session_set_app_data(w->session, w);
    else
        because(w, w->url.tls ? "no key of this device in the file of keys, or no socket to it"
                              : "no socket to it can be made");
    return w->session != NULL;
}

/* ---- what becomes of it ---- */

static void close_session(sy_watch *w)
{
    sy_watch__body_drop(w);
    w->broken = false;
    if (!w->session)
        return;
    coap_session_set_app_data(w->session, NULL);
    coap_session_release(w->session);
    w->session = NULL;
}

/* At the end of a wait that doubles, somewhere in its second half, so that servers behind one
 * switch are not all asked at once. */
static void back_off(sy_watch *w, sy_ms now)
{
    sy_ms wait = (sy_ms)FIRST_MS << (w->failures < 9 ? w->failures : 9);
    uint32_t part;
    wait = wait < LONGEST_MS ? wait : LONGEST_MS;
    sy_random(&part, sizeof part);
    w->due = now + wait / 2 + (sy_ms)(part % (uint32_t)(wait / 2));
    char why[120];
    sy_log(SY_LOG_WARN, "observe-lost", "device=%s url=%s failures=%u msg=%s", w->id, w->text,
           w->failures + 1, sy_logq(sy_span_of(w->why), why, sizeof why));
    w->failures++;
    set_state(w, SY_WATCH_IDLE);
}

static void give_up(sy_watch *w, sy_ms now)
{
    close_session(w);
    back_off(w, now);
}

void sy_watch__again(sy_watch *w, sy_ms in)
{
    sy_ms at = sy_mono_ms() + in;
    w->due = w->due < at ? w->due : at;
}

/* libcoap may still be using the session: it is given up when sy_watch__act is called next. */
static void broken(sy_watch *w, const char *why)
{
    if (!w->broken)
        because(w, why);
    w->broken = true;
    w->due = sy_mono_ms();
}

static void ask(sy_watch *w, coap_context_t *ctx, sy_ms now)
{
    if (!w->session && !open_session(w, ctx)) {
        back_off(w, now);
        return;
    }
    set_state(w, SY_WATCH_ASKING);
    count(&w->asked);
    w->due = now + ASK_MS;
    if (!sy_watch__get(w, 0, -1)) {
        because(w, "it cannot be sent");
        give_up(w, now);
    }
}

void sy_watch__act(sy_watch *w, coap_context_t *ctx, sy_ms now)
{
    if (w->broken) {
        give_up(w, now);
    } else if (w->due > now) {
        return;
    } else if (w->state == SY_WATCH_ASKING) {
        because(w, "no answer");
        give_up(w, now);
    } else {
        if (w->state == SY_WATCH_LIVE)
            w->interval *= 2; /* it may be one that has little to say */
        ask(w, ctx, now);
    }
}

void sy_watch__close(sy_watch *w)
{
    if (w->session && w->state == SY_WATCH_LIVE && !w->broken)
        (void)sy_watch__get(w, 1, -1);
    close_session(w);
    sy_buf_fini(&w->body.bytes);
    free(w->id);
    free(w->text);
    free(w);
}

/* ---- answers and notifications ---- */

static bool option_uint(const coap_pdu_t *pdu, coap_option_num_t number, uint32_t *out)
{
    coap_opt_iterator_t it;
    coap_opt_t *opt = coap_check_option(pdu, number, &it);
    if (opt)
        *out = coap_decode_var_bytes(coap_opt_value(opt), coap_opt_length(opt));
    return opt != NULL;
}

/* When to ask again: before what came is too old, or sooner where notifications used to come often.
 * Where the server does not know Observe that is polling, by its Max-Age. */
static void schedule(sy_watch *w, const coap_pdu_t *got, bool asked, sy_ms now)
{
    uint32_t age = MAX_AGE_S;
    (void)option_uint(got, COAP_OPTION_MAXAGE, &age);
    age = age < 1 ? 1 : age > MAX_AGE_MOST_S ? MAX_AGE_MOST_S : age;
    w->max_age = (sy_ms)age * 1000;
    if (!asked && w->last)
        w->interval = w->interval ? (w->interval * 3 + (now - w->last)) / 4 : now - w->last;
    sy_ms margin = w->max_age / 4 < MARGIN_MS ? w->max_age / 4 : MARGIN_MS;
    sy_ms in = w->max_age - margin, quiet = w->interval * QUIET_TIMES;
    quiet = quiet > QUIET_MS ? quiet : QUIET_MS;
    if (w->interval && quiet < in)
        in = quiet;
    w->last = now;
    w->due = now + in;
}

/* False: it is older than what came before. An answer to a registration is always the newest. */
static bool in_order(sy_watch *w, const coap_pdu_t *got, bool asked, sy_ms now)
{
    uint32_t order;
    if (!option_uint(got, COAP_OPTION_OBSERVE, &order)) {
        w->ordered = false;
        return true;
    }
    order &= 0xffffff;
    bool newer = !w->ordered || sy_watch__newer(w->order, order, now - w->order_at);
    if (!newer && !asked)
        return false;
    if (!newer && order != w->order) {
        count(&w->restarts);
        sy_log(SY_LOG_INFO, "observe-restarted", "device=%s url=%s", w->id, w->text);
    }
    w->ordered = true;
    w->order = order;
    w->order_at = now;
    return true;
}

static void hold_back(const coap_pdu_t *got)
{
    /* libcoap acknowledges what is confirmable once its handler has returned. */
    coap_pdu_set_type((coap_pdu_t *)(uintptr_t)got, COAP_MESSAGE_NON);
}

static void whole(sy_watch *w, const coap_pdu_t *got, bool confirmable)
{
    const uint8_t *data = NULL;
    size_t n = 0;
    sy_coap_peer peer;
    sy_coap_ident ident;
    uint32_t format = 0xffff;
    (void)coap_get_data(got, &n, &data);
    (void)option_uint(got, COAP_OPTION_CONTENT_FORMAT, &format);
    sy_coap__peer(w->session, &peer);
    sy_coap__ident(&peer, got, NULL, &ident);
    ident.bytes[ident.n++] = 'o';
    sy_message m = {.transport = SY_TRANSPORT_COAP,
                    .flags = (uint8_t)((confirmable ? SY_MSG_PROMISE : 0u) |
                                       (w->url.tls ? 0u : SY_MSG_UNAUTHENTICATED)),
                    .content_format = (uint16_t)format,
                    .source = sy_span_of(w->id),
                    .ident = {(const char *)ident.bytes, ident.n},
                    .payload = {n ? (const char *)data : "", n}};
    uint64_t seq = 0;
    sy_watch_kept kept = sy_watch__keep(w, &m, &seq);
    if (confirmable && kept == SY_WATCH_LATER)
        sy_coap__late_add(w->c, w->session, coap_pdu_get_mid(got), seq);
    if (kept != SY_WATCH_ACK)
        hold_back(got);
}

static void represented(sy_watch *w, const coap_pdu_t *got)
{
    sy_ms now = sy_mono_ms();
    bool asked = w->state == SY_WATCH_ASKING;
    bool confirmable = coap_pdu_get_type(got) == COAP_MESSAGE_CON;
    coap_block_b_t block;
    if (w->failures > 0)
        sy_log(SY_LOG_INFO, "observe-back", "device=%s url=%s failures=%u", w->id, w->text,
               w->failures);
    w->failures = 0;
    set_state(w, SY_WATCH_LIVE);
    schedule(w, got, asked, now);
    if (!in_order(w, got, asked, now)) {
        count(&w->stale);
        return;
    }
    sy_watch__body_drop(w);
    if (!coap_get_block_b(w->session, got, COAP_OPTION_BLOCK2, &block) || !block.m) {
        whole(w, got, confirmable);
    } else if (block.num == 0) {
        sy_watch__body_begin(w, got, &block);
        if (confirmable)
            hold_back(got);
    }
}

static void refused(sy_watch *w, const coap_pdu_t *got)
{
    coap_pdu_code_t code = coap_pdu_get_code(got);
    const uint8_t *data = NULL;
    size_t n = 0;
    char why[100];
    (void)coap_get_data(got, &n, &data);
    snprintf(why, sizeof why, "it answers %u.%02u %.*s", COAP_RESPONSE_CLASS(code), code & 0x1fu,
             (int)(n < 60 ? n : 60), n ? (const char *)data : "");
    broken(w, why);
}

static bool token_is(coap_bin_const_t token, const uint8_t *mine)
{
    return token.length == 8 && memcmp(token.s, mine, 8) == 0;
}

coap_response_t sy_watch__answered(coap_session_t *session, const coap_pdu_t *sent,
                                   const coap_pdu_t *got, const coap_mid_t mid)
{
    sy_watch *w = coap_session_get_app_data(session);
    coap_bin_const_t token = coap_pdu_get_token(got);
    (void)sent;
    (void)mid;
    if (!w || w->broken)
        return COAP_RESPONSE_FAIL;
    if (w->body.live && token_is(token, w->body.token)) {
        sy_watch__body_more(w, got);
        return COAP_RESPONSE_OK;
    }
    if (!token_is(token, w->token))
        return COAP_RESPONSE_FAIL; /* a reset tells the server that nobody here asked */
    if (coap_pdu_get_code(got) == COAP_RESPONSE_CODE(205))
        represented(w, got);
    else
        refused(w, got);
    return COAP_RESPONSE_OK;
}

void sy_watch__lost(coap_session_t *session, const coap_pdu_t *sent,
                    const coap_nack_reason_t reason, const coap_mid_t mid)
{
    sy_watch *w = coap_session_get_app_data(session);
    (void)sent;
    (void)mid;
    if (!w)
        return;
    switch ((int)reason) {
    case COAP_NACK_TOO_MANY_RETRIES:
        broken(w, "no answer");
        break;
    case COAP_NACK_RST:
        broken(w, "it refuses by a reset");
        break;
    case COAP_NACK_ICMP_ISSUE:
        broken(w, "nobody listens there");
        break;
    case COAP_NACK_TLS_FAILED:
        broken(w, "the DTLS handshake failed");
        break;
    default:
        broken(w, "it cannot be delivered");
        break;
    }
}

int sy_watch__event(coap_session_t *session, const coap_event_t event)
{
    sy_watch *w = coap_session_get_app_data(session);
    char why[160];
    if (event == COAP_EVENT_DTLS_ERROR) {
        sy_coap__tls_reason(why, sizeof why);
        if (w)
            broken(w, why);
    } else if (event == COAP_EVENT_DTLS_CLOSED && w) {
        broken(w, "it closed the DTLS session");
    }
    return 0;
}
