/* SPDX-License-Identifier: Apache-2.0 */
/* A connection, a request, an answer, and all is closed again. */
#include "upstream/ask.h"

#include <stdio.h>

#include "upstream/retry.h"

static const sy_ms retry_after_max = 7 * 86400000;

static sy_err receive(sy_tls *t, sy_http *h, sy_wait *w, sy_fail *f)
{
    char bytes[4096];
    sy_http_state state = SY_HTTP_MORE;
    while (state == SY_HTTP_MORE) {
        size_t got = 0;
        sy_err e = sy_tls_read(t, bytes, sizeof bytes, &got, w, f);
        if (e != SY_OK) {
            return e;
        }
        bool begun = sy_http_begun(h);
        state = got > 0 ? sy_http_feed(h, bytes, got) : sy_http_eof(h);
        if (got == 0 && !begun) {
            return sy_fail_set(f, SY_E_IO, "the connection was closed before an answer came");
        }
    }
    return state == SY_HTTP_BAD
               ? sy_fail_set(f, SY_E_PEER, "the answer is not usable: %s", sy_http_why(h))
           : state == SY_HTTP_LARGE
               ? sy_fail_set(f, SY_E_PEER, "the answer is longer than is read of it")
               : SY_OK;
}

static sy_err talk(const sy_ask *q, sy_tls *t, sy_http *h, sy_wait *w, sy_fail *f)
{
    sy_buf request;
    const sy_http_request head = {.method = q->method,
                                  .accept = q->accept,
                                  .type = q->type,
                                  .authorization = q->authorization,
                                  .path = q->path,
                                  .length = q->body.n};
    sy_buf_init(&request, sy_heap());
    sy_http_head(&request, q->url, &head);
    if (q->type) {
        sy_buf_span_put(&request, q->body);
    }
    sy_err e = request.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a request")
                              : sy_tls_write(t, request.p, request.n, w, f);
    if (request.p) {
        explicit_bzero(request.p, request.cap); /* it may hold a token */
    }
    sy_buf_fini(&request);
    if (e == SY_E_IO) { /* a peer that refuses early answers before it has read it all */
        sy_fail unused;
        return receive(t, h, w, &unused) == SY_OK ? SY_OK : e;
    }
    return e != SY_OK ? e : receive(t, h, w, f);
}

sy_err sy_ask_send(const sy_ask *q, const sy_tls_paths *files, sy_asked *out, sy_buf *body,
                   sy_fail *f)
{
    sy_tls *t = NULL;
    sy_http *h = NULL;
    sy_wait w = sy_wait_for(q->stop_fd, q->time, 0);
    sy_err e = sy_tls_open(&t, f);
    e = e != SY_OK ? e : sy_http_open(&h, f);
    if (e == SY_OK) {
        sy_http_keep(h, body, q->most);
        if (q->bootstrap) {
            sy_tls_bootstrap(t);
        }
        e = sy_tls_connect(t, q->url, files, q->now, &w, f);
    }
    e = e != SY_OK ? e : talk(q, t, h, &w, f);
    if (e == SY_OK && body->failed) {
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for an answer");
    }
    if (e == SY_OK) {
        *out = (sy_asked){.status = sy_http_status(h)};
        out->retry_after = sy_retry_after_ms(sy_http_retry_after(h), sy_wall_ms(), retry_after_max);
        snprintf(out->note, sizeof out->note, "%s", sy_http_note(h));
    }
    sy_tls_close(t);
    sy_http_close(h);
    return e;
}
