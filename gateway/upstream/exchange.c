/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A POST is sent again without a pause only in one case: the connection had been kept, and broke
 * before a byte of the answer came, as it does when the peer closed it while idle. The idempotency
 * key makes that safe.
 *
 * A 2xx whose body is too long is a confirmation all the same (sending again would never end); one
 * whose body is cut off is not.
 */
#include "upstream/exchange.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "upstream/partial.h"

static const sy_ms retry_after_max = 3600 * 1000;

struct sy_exchange {
    sy_url url;
    sy_tls_paths files;
    sy_exchange_times times;
    int stop_fd;
    sy_tls *tls;
    sy_http *http;
    sy_buf request, answer; /* answer: its body */
    unsigned connects, resumed;
};

const char *sy_road_word_of(const sy_road_setup *o, const char *key)
{
    for (size_t i = 0; i < o->n_words; i++) {
        if (strcmp(o->words[i].key, key) == 0) {
            return o->words[i].value;
        }
    }
    return NULL;
}

sy_err sy_exchange_open(sy_exchange **out, const sy_road_setup *o, sy_fail *f)
{
    sy_exchange *x = calloc(1, sizeof *x);
    if (!x) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a destination");
    }
    x->files = o->files;
    x->times = o->times;
    x->stop_fd = o->stop_fd;
    sy_buf_init(&x->request, sy_heap());
    sy_buf_init(&x->answer, sy_heap());
    sy_err e = sy_url_parse(o->url, &x->url, f);
    e = e != SY_OK ? e : sy_tls_open(&x->tls, f);
    e = e != SY_OK ? e : sy_http_open(&x->http, f);
    if (e != SY_OK) {
        sy_exchange_close(x);
        return e;
    }
    *out = x;
    return SY_OK;
}

sy_err sy_exchange_turn(sy_exchange *x, const char *url, sy_fail *f)
{
    sy_tls_drop(x->tls);
    return sy_url_parse(url, &x->url, f);
}

void sy_exchange_close(sy_exchange *x)
{
    if (x) {
        sy_tls_close(x->tls);
        sy_http_close(x->http);
        sy_buf_fini(&x->request);
        sy_buf_fini(&x->answer);
        free(x);
    }
}

int sy_exchange_fd(const sy_exchange *x)
{
    return sy_tls_fd(x->tls);
}

void sy_exchange_drop(sy_exchange *x)
{
    sy_tls_drop(x->tls);
}

const char *sy_exchange_peer(const sy_exchange *x)
{
    return x->url.authority;
}

void sy_exchange_counts(const sy_exchange *x, unsigned *connects, unsigned *resumed)
{
    *connects = x->connects;
    *resumed = x->resumed;
}

void sy_exchange_check(sy_exchange *x)
{
    struct pollfd p = {sy_tls_fd(x->tls), POLLIN | POLLRDHUP, 0};
    if (p.fd >= 0 && poll(&p, 1, 0) > 0) {
        sy_tls_drop(x->tls);
    }
}

static sy_err build(sy_exchange *x, const sy_batch *b, sy_fail *f)
{
    const sy_outbox_item *const *items = b->items;
    size_t n = b->n;
    sy_sha256 hash;
    unsigned char digest[32];
    char key[65];
    size_t length = 1 + n; /* brackets, and commas between */
    sy_sha256_init(&hash);
    for (size_t i = 0; i < n; i++) {
        sy_sha256_add(&hash, items[i]->id, strlen(items[i]->id) + 1);
        length += items[i]->body.n;
    }
    sy_sha256_end(&hash, digest);
    sy_hex(digest, sizeof digest, key);
    sy_buf_reset(&x->request);
    sy_http_post(&x->request, &x->url, "application/cloudevents-batch+json; charset=UTF-8", key,
                 length);
    sy_buf_char(&x->request, '[');
    for (size_t i = 0; i < n; i++) {
        sy_buf_text(&x->request, i ? "," : "");
        sy_buf_span_put(&x->request, items[i]->body);
    }
    sy_buf_char(&x->request, ']');
    return x->request.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a request") : SY_OK;
}

static sy_err connect_it(sy_exchange *x, sy_ms now, sy_fail *f)
{
    sy_wait w = sy_wait_for(x->stop_fd, x->times.connect, x->times.grace);
    sy_err e = sy_tls_connect(x->tls, &x->url, &x->files, now, &w, f);
    if (e == SY_OK) {
        x->connects++;
        x->resumed += sy_tls_resumed(x->tls) ? 1 : 0;
        sy_log(SY_LOG_DEBUG, "upstream-connected", "peer=%s tls=%s resumed=%d", x->url.authority,
               sy_tls_version(x->tls), sy_tls_resumed(x->tls));
    }
    return e;
}

static sy_err receive(sy_exchange *x, sy_wait *w, sy_fail *f)
{
    char bytes[4096];
    sy_http_state state = SY_HTTP_MORE;
    while (state == SY_HTTP_MORE) {
        size_t got = 0;
        sy_err e = sy_tls_read(x->tls, bytes, sizeof bytes, &got, w, f);
        if (e != SY_OK) {
            return e;
        }
        bool begun = sy_http_begun(x->http);
        state = got > 0 ? sy_http_feed(x->http, bytes, got) : sy_http_eof(x->http);
        if (got == 0 && !begun) {
            return sy_fail_set(f, SY_E_IO, "the connection was closed before an answer came");
        }
    }
    if (state == SY_HTTP_BAD) {
        return sy_fail_set(f, SY_E_PEER, "the answer is not usable: %s", sy_http_why(x->http));
    }
    return SY_OK;
}

static sy_err roundtrip(sy_exchange *x, sy_fail *f)
{
    sy_wait w = sy_wait_for(x->stop_fd, x->times.answer, x->times.grace);
    sy_http_reset(x->http);
    sy_buf_reset(&x->answer);
    sy_http_keep(x->http, &x->answer, SY_HTTP_BODY_MAX);
    sy_err e = sy_tls_write(x->tls, x->request.p, x->request.n, &w, f);
    if (e == SY_E_IO) {
        /* A peer that refuses a long body answers before it has read it all, and closes. */
        sy_fail unused;
        return receive(x, &w, &unused) == SY_OK ? SY_OK : e;
    }
    return e != SY_OK ? e : receive(x, &w, f);
}

static void describe(const sy_exchange *x, sy_reply *r)
{
    const char *what = "";
    if (r->status >= 300 && r->status < 400) {
        what = "redirections are not followed: put the new address into the configuration; ";
    } else if (r->answer == SY_ANSWER_DESTINATION) {
        what = "check the address and that this certificate may deliver here; ";
    } else if (r->answer == SY_ANSWER_EVENT) {
        what = "either the event is refused or, as nginx does it, the client certificate; ";
    }
    snprintf(r->text, sizeof r->text, "%.60s answered %u; %s%.60s%s%.120s", x->url.authority,
             r->status, what, sy_http_location(x->http), sy_http_location(x->http)[0] ? " " : "",
             sy_http_note(x->http));
}

/* The request that was built. */
static sy_err go(sy_exchange *x, sy_ms now, sy_reply *reply, sy_fail *f)
{
    sy_exchange_check(x);
    bool kept = sy_tls_fd(x->tls) >= 0;
    sy_err e = kept ? SY_OK : connect_it(x, now, f);
    e = e != SY_OK ? e : roundtrip(x, f);
    if (e == SY_E_IO && kept && !sy_http_begun(x->http)) {
        e = connect_it(x, now, f);
        e = e != SY_OK ? e : roundtrip(x, f);
    }
    if (e != SY_OK) {
        sy_tls_drop(x->tls);
        return e;
    }
    *reply = (sy_reply){.status = sy_http_status(x->http)};
    reply->answer = sy_answer_of(reply->status);
    reply->retry_after =
        sy_retry_after_ms(sy_http_retry_after(x->http), sy_wall_ms(), retry_after_max);
    describe(x, reply);
    if (!sy_http_keep_alive(x->http)) {
        sy_tls_drop(x->tls);
    }
    return SY_OK;
}

sy_err sy_exchange_send(sy_exchange *x, const sy_batch *b, sy_reply *reply, sy_fail *f)
{
    sy_err e = build(x, b, f);
    e = e != SY_OK ? e : go(x, b->now, reply, f);
    if (e == SY_OK && reply->answer == SY_ANSWER_OK) {
        e = x->answer.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for an answer")
                             : sy_partial_read(sy_buf_span(&x->answer), b, &reply->each, f);
        if (e != SY_OK)
            sy_tls_drop(x->tls);
    }
    return e;
}

sy_err sy_exchange_post(sy_exchange *x, const char *type, sy_span body, sy_ms now, sy_reply *reply,
                        sy_fail *f)
{
    unsigned char digest[32];
    char key[65];
    sy_sha256 hash;
    sy_sha256_init(&hash);
    sy_sha256_add(&hash, body.p, body.n);
    sy_sha256_end(&hash, digest);
    sy_hex(digest, sizeof digest, key);
    sy_buf_reset(&x->request);
    sy_http_post(&x->request, &x->url, type, key, body.n);
    sy_buf_span_put(&x->request, body);
    return x->request.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a request")
                             : go(x, now, reply, f);
}
