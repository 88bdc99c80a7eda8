/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The poller. It keeps nothing: what was taken the store knows, so a crash between two orders asks
 * again from the last one that was recorded.
 */
#include "upstream/down.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "orders/answer.h"
#include "upstream/ask.h"
#include "upstream/retry.h"

enum { ANSWER_MS = 30000, PUT_MS = 300000, RETRY_AFTER_MAX = 3600000 };

struct sy_down {
    char *name, *text, *gateway, *ca, *cert, *key, *crl;
    sy_down_setup o; /* ctx, poll, functions; its texts are those above */
    sy_url url;
    pthread_t thread;
    int stop_fd, wake_fd;
    atomic_llong log_time;
    atomic_ullong asked;
    unsigned failures;
    uint64_t seed;
    pthread_mutex_t lock;
    char last_error[320]; /* under lock */
};

static sy_ms check_time(sy_down *d)
{
    sy_ms now = sy_wall_ms(), log = atomic_load(&d->log_time), build = (sy_ms)SY_BUILD_TIME * 1000;
    now = log > now ? log : now;
    return build > now ? build : now;
}

static void set_error(sy_down *d, const char *why)
{
    pthread_mutex_lock(&d->lock);
    snprintf(d->last_error, sizeof d->last_error, "%s", why);
    pthread_mutex_unlock(&d->lock);
}

static sy_err ask(sy_down *d, sy_ask *q, sy_asked *got, sy_buf *body, sy_fail *f)
{
    const sy_tls_paths files = {d->ca, d->cert, d->key, d->crl};
    q->url = &d->url;
    q->now = check_time(d);
    q->stop_fd = d->stop_fd;
    return sy_ask_send(q, &files, got, body, f);
}

static void put_encoded(sy_buf *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("-._~", *p);
        if (plain)
            sy_buf_char(out, (char)*p);
        else
            sy_buf_printf(out, "%%%02X", *p);
    }
}

typedef struct round {
    sy_down *d;
    sy_err err;
    sy_fail *f;
    int64_t last;
} round_of;

static bool each(void *ctx, int64_t number, sy_span jws)
{
    round_of *r = ctx;
    const sy_down_order o = {.name = r->d->name,
                             .number = number,
                             .jws = jws,
                             .now = check_time(r->d),
                             .stop_fd = r->d->stop_fd};
    r->err = r->d->o.take(r->d->o.ctx, r->d, &o, r->f);
    if (r->err == SY_OK)
        r->last = number;
    return r->err == SY_OK;
}

/* One question and what comes of it. *more: there are further orders. *pause: what the receiver
 * asked for, or 0. */
static sy_err one_round(sy_down *d, bool *more, sy_ms *pause, sy_fail *f)
{
    sy_buf path, body;
    sy_asked got = {0};
    int64_t after = 0, next = 0;
    sy_buf_init(&path, sy_heap());
    sy_buf_init(&body, sy_heap());
    sy_err e = d->o.after(d->o.ctx, d->name, &after, f);
    sy_buf_text(&path, d->url.path);
    sy_buf_text(&path, "?gateway=");
    put_encoded(&path, d->gateway);
    sy_buf_printf(&path, "&after=%lld", (long long)after);
    sy_ask q = {.path = path.p,
                .method = "GET",
                .accept = "application/json",
                .most = SY_ANSWER_BYTES,
                .time = ANSWER_MS};
    if (!e && path.failed)
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for a question");
    e = e ? e : ask(d, &q, &got, &body, f);
    if (!e && got.status != 200 && got.status != 204) {
        *pause = got.retry_after;
        e = sy_fail_set(f, SY_E_PEER, "%.60s answered %u to the question for orders; %.100s",
                        d->url.authority, got.status, got.note);
    }
    round_of r = {.d = d, .f = f, .last = after};
    if (!e && got.status == 200) {
        e = sy_answer_orders(sy_buf_span(&body), after, each, &r, &next, f);
        e = e ? e : r.err;
        *more = !e && next > r.last && r.last > after;
    }
    sy_buf_fini(&path);
    sy_buf_fini(&body);
    return e;
}

/* False: end. */
static bool sleep_for(sy_down *d, sy_ms ms)
{
    struct pollfd p[2] = {{d->stop_fd, POLLIN, 0}, {d->wake_fd, POLLIN, 0}};
    uint64_t count;
    sy_ms end = sy_mono_ms() + ms, now;
    while ((now = sy_mono_ms()) < end) {
        int n = poll(p, 2, end - now > 60000 ? 60000 : (int)(end - now));
        if (n > 0 && p[0].revents)
            return false;
        if (n > 0 && p[1].revents) {
            (void)!read(d->wake_fd, &count, sizeof count);
            return true;
        }
    }
    return true;
}

static sy_ms failed(sy_down *d, const sy_fail *f, sy_ms asked_for)
{
    char quoted[640];
    set_error(d, f->text);
    if (d->failures++ == 0)
        sy_log(SY_LOG_WARN, "orders-failed", "destination=%s msg=%s", d->name,
               sy_logq(sy_span_of(f->text), quoted, sizeof quoted));
    d->seed = d->seed * 6364136223846793005u + 1442695040888963407u;
    return asked_for ? asked_for
                     : sy_backoff_ms(2, d->o.poll < 1000 ? 1000 : d->o.poll, 2 * d->o.poll,
                                     d->seed >> 16);
}

static void *run(void *arg)
{
    sy_down *d = arg;
    char name[16];
    snprintf(name, sizeof name, "sy-down-%.7s", d->name);
    sy_thread_name(name);
    for (bool go = true, more; go;) {
        sy_fail f = {0};
        sy_ms pause = 0;
        more = false;
        sy_err e = one_round(d, &more, &pause, &f);
        if (e == SY_E_CLOSED) {
            go = sleep_for(d, d->o.poll);
        } else if (e != SY_OK) {
            go = sleep_for(d, failed(d, &f, pause));
        } else {
            if (d->failures > 0)
                sy_log(SY_LOG_INFO, "orders-recovered", "destination=%s failures=%u", d->name,
                       d->failures);
            d->failures = 0;
            set_error(d, "");
            atomic_fetch_add(&d->asked, 1);
            go = sleep_for(d, more ? 0 : d->o.poll);
        }
        struct pollfd p = {d->stop_fd, POLLIN, 0};
        go = go && poll(&p, 1, 0) == 0;
    }
    return NULL;
}

sy_err sy_down_put(sy_down *d, const char *alert, const char *order, sy_span file, sy_fail *f)
{
    sy_buf path, body;
    sy_asked got = {0};
    sy_buf_init(&path, sy_heap());
    sy_buf_init(&body, sy_heap());
    sy_buf_text(&path, d->url.path);
    sy_buf_text(&path, "/evidence/");
    put_encoded(&path, alert);
    sy_buf_text(&path, "?order=");
    put_encoded(&path, order);
    sy_ask q = {.path = path.p,
                .method = "PUT",
                .type = "text/html; charset=UTF-8",
                .body = file,
                .most = 65536,
                .time = PUT_MS};
    sy_err e = path.failed ? sy_fail_set(f, SY_E_NOMEM, "no memory for a path")
                           : ask(d, &q, &got, &body, f);
    if (!e && (got.status < 200 || got.status > 299) && got.status != 409) {
        sy_answer a = sy_answer_of(got.status);
        e = sy_fail_set(f, a == SY_ANSWER_LATER ? SY_E_PEER : SY_E_DENIED,
                        "%.60s answered %u to the evidence file; %.100s", d->url.authority,
                        got.status, got.note);
    }
    sy_buf_fini(&path);
    sy_buf_fini(&body);
    return e;
}

static void release(sy_down *d)
{
    if (d->stop_fd >= 0)
        close(d->stop_fd);
    if (d->wake_fd >= 0)
        close(d->wake_fd);
    pthread_mutex_destroy(&d->lock);
    free(d->name);
    free(d->text);
    free(d->gateway);
    free(d->ca);
    free(d->cert);
    free(d->key);
    free(d->crl);
    free(d);
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

sy_err sy_down_start(sy_down **out, const sy_down_setup *o, sy_fail *f)
{
    sy_down *d = calloc(1, sizeof *d);
    if (!d)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the orders of %s", o->name);
    pthread_mutex_init(&d->lock, NULL);
    d->o = *o;
    d->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->name = copy(o->name);
    d->text = copy(o->url);
    d->gateway = copy(o->gateway);
    d->ca = copy(o->files.ca);
    d->cert = copy(o->files.cert);
    d->key = copy(o->files.key);
    d->crl = copy(o->files.crl);
    d->seed = (uint64_t)sy_mono_ms() ^ (uint64_t)(uintptr_t)d;
    sy_err e = SY_OK;
    if (!d->name || !d->text || !d->gateway || (o->files.ca && !d->ca) ||
        (o->files.cert && !d->cert) || (o->files.key && !d->key) || (o->files.crl && !d->crl))
        e = sy_fail_set(f, SY_E_NOMEM, "no memory for the orders of %s", o->name);
    e = e ? e : sy_url_parse(o->url, &d->url, f);
    if (!e && (d->stop_fd < 0 || d->wake_fd < 0))
        e = sy_fail_sys(f, "eventfd");
    if (!e && (errno = pthread_create(&d->thread, NULL, run, d)) != 0)
        e = sy_fail_sys(f, "no thread");
    if (e) {
        release(d);
        return e;
    }
    *out = d;
    return SY_OK;
}

static void ring(int fd)
{
    const uint64_t one = 1;
    (void)!write(fd, &one, sizeof one);
}

void sy_down_ask_stop(sy_down *d)
{
    ring(d->stop_fd);
}

void sy_down_stop(sy_down *d)
{
    if (!d)
        return;
    ring(d->stop_fd);
    pthread_join(d->thread, NULL);
    release(d);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool sy_down_same(const sy_down *d, const sy_down_setup *o)
{
    return same_text(d->name, o->name) && same_text(d->text, o->url) &&
           same_text(d->gateway, o->gateway) && same_text(d->ca, o->files.ca) &&
           same_text(d->cert, o->files.cert) && same_text(d->key, o->files.key) &&
           same_text(d->crl, o->files.crl) && d->o.poll == o->poll;
}

void sy_down_kick(sy_down *d)
{
    ring(d->wake_fd);
}

void sy_down_log_time(sy_down *d, sy_ms t)
{
    atomic_store(&d->log_time, t);
}

void sy_down_status(sy_down *d, sy_buf *json)
{
    sy_buf_text(json, "{\"name\":");
    sy_buf_json(json, sy_span_of(d->name));
    sy_buf_printf(json, ",\"asked\":%llu,\"last_error\":", atomic_load(&d->asked));
    pthread_mutex_lock(&d->lock);
    sy_buf_json(json, sy_span_of(d->last_error));
    pthread_mutex_unlock(&d->lock);
    sy_buf_char(json, '}');
}
