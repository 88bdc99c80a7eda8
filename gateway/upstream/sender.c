/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: take what waits, send one batch, act on the answer; pause only after a failure. After
 * an outage nothing slows it down: full batches, one after the other, on one connection.
 *
 * A pause is ended by the end of the program or a kick, never by new events: a destination that is
 * down is not hammered because alerts come in. Events that are held (suspects.h) do not pause the
 * sender; they are passed over until their own time.
 */
#include "upstream/sender.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "store/queue.h"
#include "upstream/owed.h"
#include "upstream/sender_int.h"

const sy_sender_times sy_sender_defaults = {
    .backoff_base = 1000,
    .backoff_cap = 300 * 1000,
    .idle = 60 * 1000,
    .primary = 600 * 1000,
    .recheck = 60 * 1000,
    .exchange = {.connect = 30 * 1000, .answer = 60 * 1000, .grace = 1500},
};

void sy_sender__set_error(sy_sender *s, const char *text)
{
    pthread_mutex_lock(&s->lock);
    snprintf(s->last_error, sizeof s->last_error, "%s", text);
    pthread_mutex_unlock(&s->lock);
}

void sy_sender__report(sy_sender *s, sy_level level, const char *event, const char *text,
                       sy_ms pause)
{
    char quoted[640];
    sy_sender__set_error(s, text);
    sy_log(level, event, "destination=%s msg=%s again_in_ms=%lld", s->name,
           sy_logq(sy_span_of(text), quoted, sizeof quoted), (long long)pause);
}

sy_ms sy_sender__backoff(sy_sender *s)
{
    uint64_t random;
    sy_random(&random, sizeof random);
    s->failures += s->failures < 1000 ? 1u : 0u;
    return sy_backoff_ms(s->failures, s->times.backoff_base, s->times.backoff_cap, random);
}

sy_step sy_sender__failed(sy_sender *s, const sy_fail *f, sy_ms *pause)
{
    sy_level level = f->code == SY_E_USAGE || f->code == SY_E_DENIED || f->code == SY_E_PEER
                         ? SY_LOG_ERROR
                         : SY_LOG_WARN;
    *pause = sy_sender__backoff(s);
    if (f->code != SY_E_CLOSED) {
        sy_sender__report(s, level, "upstream-failed", f->text, *pause);
    }
    return SY_STEP_PAUSE;
}

sy_ms sy_sender__now(sy_sender *s)
{
    sy_ms now = sy_wall_ms(), log = atomic_load(&s->log_time);
    now = log > now ? log : now;
    return s->build_time > now ? s->build_time : now;
}

/* Each address was parsed when the configuration was taken. */
static void turn(sy_sender *s)
{
    sy_fail unused;
    sy_err e = s->ops->turn(s->road, s->addresses.v[s->addresses.at], &unused);
    (void)e;
    atomic_store(&s->connected, false);
}

/* This address does not serve us: true where there is another that was not tried yet. */
bool sy_sender__next_address(sy_sender *s, const char *why)
{
    char quoted[640];
    bool more = sy_addresses_next(&s->addresses, sy_mono_ms());
    if (s->addresses.n > 1) {
        turn(s);
    }
    if (more) {
        sy_sender__set_error(s, why);
        sy_log(SY_LOG_WARN, "upstream-failover", "destination=%s to=%s msg=%s", s->name,
               s->ops->peer(s->road), sy_logq(sy_span_of(why), quoted, sizeof quoted));
    }
    return more;
}

static void note_line(sy_sender *s)
{
    unsigned connects = 0, resumed = 0;
    s->ops->counts(s->road, &connects, &resumed);
    atomic_store(&s->connects, connects);
    atomic_store(&s->resumed, resumed);
    atomic_store(&s->connected, s->ops->fd(s->road) >= 0);
}

static void drop(sy_sender *s)
{
    s->ops->drop(s->road);
    atomic_store(&s->connected, false);
}

/* Nothing is to be sent: the road may have something to tell again. */
static sy_step spare(sy_sender *s, sy_ms *pause)
{
    bool did = false;
    sy_fail f;
    if (!s->ops->spare) {
        return SY_STEP_IDLE;
    }
    sy_err e = s->ops->spare(s->road, &s->arena, sy_sender__now(s), &did, &f);
    note_line(s);
    return e != SY_OK ? sy_sender__failed(s, &f, pause) : did ? SY_STEP_MORE : SY_STEP_IDLE;
}

static sy_step one_step(sy_sender *s, sy_ms *pause)
{
    sy_fail f;
    sy_outbox_item *items = NULL;
    size_t n = 0;
    if (sy_suspects_count_held(&s->suspects) > 0 && sy_mono_ms() >= s->held_until) {
        sy_suspects_release(&s->suspects);
    }
    sy_arena_fini(&s->arena);
    if (sy_store_outbox(s->store, s->name, SY_BATCH_EVENTS, &s->arena, &items, &n, &f) != SY_OK) {
        return sy_sender__failed(s, &f, pause);
    }
    size_t waiting = n;
    if (sy_owed(s->store, s->name, &s->egress, items, &n, &s->arena, &f) != SY_OK) {
        return sy_sender__failed(s, &f, pause);
    }
    if (n == 0 && waiting > 0) {
        return SY_STEP_MORE; /* none of these leaves */
    }
    if (sy_addresses_home(&s->addresses, sy_mono_ms(), s->times.primary)) {
        turn(s);
    }
    sy_chosen c;
    sy_sender__choose(s, items, n, &c);
    if (c.n_skipped > 0 &&
        sy_store_outbox_done(s->store, s->name, c.skipped, c.n_skipped, NULL, &f) != SY_OK) {
        return sy_sender__failed(s, &f, pause);
    }
    if (c.n == 0) {
        return c.n_skipped > 0 ? SY_STEP_MORE : spare(s, pause);
    }
    sy_reply reply = {0};
    const sy_batch batch = {c.items, c.numbers, c.n, &s->arena, sy_sender__now(s)};
    sy_err e = s->ops->send(s->road, &batch, &reply, &f);
    note_line(s);
    if (e != SY_OK && e != SY_E_CLOSED && e != SY_E_NOMEM && sy_sender__next_address(s, f.text)) {
        return SY_STEP_MORE;
    }
    return e != SY_OK ? sy_sender__failed(s, &f, pause) : sy_sender__act(s, &batch, &reply, pause);
}

static void drain(int fd)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);
    (void)n;
}

/* The peer closed, or said something: true where the pause ends. */
static bool heard(sy_sender *s)
{
    bool at_once = false;
    if (s->ops->readable) {
        at_once = s->ops->readable(s->road);
    } else {
        s->ops->drop(s->road);
    }
    note_line(s);
    return at_once;
}

/* Woken: true where the pause ends. */
static bool woken(sy_sender *s, bool idle)
{
    drain(s->wake_fd);
    if (!atomic_exchange(&s->kicked, false)) {
        return idle;
    }
    drop(s);
    if (s->ops->kick) {
        s->ops->kick(s->road);
    }
    s->failures = 0;
    sy_suspects_release(&s->suspects);
    return true;
}

/* Sleep up to ms; false: end. A pause is ended early by a kick only, idleness by any wake. */
static bool sleep_for(sy_sender *s, sy_ms ms, bool idle)
{
    sy_ms end = sy_mono_ms() + ms, idle_end = s->ops->stays ? end : sy_mono_ms() + s->times.idle;
    for (;;) {
        sy_ms now = sy_mono_ms();
        int fd = s->ops->fd(s->road);
        if (fd >= 0 && ((now >= idle_end && !s->ops->stays) || !idle)) {
            drop(s);
            fd = -1;
        }
        if (now >= end) {
            return true;
        }
        sy_ms until = fd >= 0 && idle_end < end ? idle_end : end;
        struct pollfd p[3] = {{s->stop_fd, POLLIN, 0}, {s->wake_fd, POLLIN, 0}, {fd, POLLIN, 0}};
        int n = poll(p, 3, until - now > 60000 ? 60000 : (int)(until - now));
        if (n > 0 && p[0].revents) {
            return false;
        }
        if (n > 0 && p[2].revents && heard(s)) {
            return true;
        }
        if (n > 0 && p[1].revents && woken(s, idle)) {
            return true;
        }
    }
}

static bool told_to_stop(const sy_sender *s)
{
    struct pollfd p = {s->stop_fd, POLLIN, 0};
    return poll(&p, 1, 0) > 0;
}

static void *run(void *arg)
{
    sy_sender *s = arg;
    char name[16];
    snprintf(name, sizeof name, "sy-up-%.9s", s->name);
    sy_thread_name(name);
    bool go = true;
    while (go && !told_to_stop(s)) {
        sy_ms pause = 0;
        sy_step what = one_step(s, &pause);
        if (what == SY_STEP_PAUSE) {
            go = sleep_for(s, pause, false);
        } else if (what == SY_STEP_IDLE) {
            sy_ms wait = s->times.recheck, held = s->held_until - sy_mono_ms();
            wait = s->ops->sleep ? s->ops->sleep(s->road, sy_sender__now(s), wait) : wait;
            bool holds = sy_suspects_count_held(&s->suspects) > 0;
            go = sleep_for(s, holds && held < wait ? held : wait, true);
        }
    }
    drop(s);
    return NULL;
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

static void free_words(sy_sender *s)
{
    for (size_t i = 0; i < s->n_words; i++) {
        free((char *)(uintptr_t)s->words[i].key);
        free((char *)(uintptr_t)s->words[i].value);
    }
    free(s->words);
}

static bool copy_words(sy_sender *s, const sy_road_word *words, size_t n)
{
    s->words = calloc(n + 1, sizeof *s->words);
    for (; s->words && s->n_words < n; s->n_words++) {
        sy_road_word *w = &s->words[s->n_words];
        *w = (sy_road_word){strdup(words[s->n_words].key), strdup(words[s->n_words].value)};
        if (!w->key || !w->value) {
            s->n_words++;
            return false;
        }
    }
    return s->words != NULL;
}

static void release(sy_sender *s)
{
    if (s->road) {
        s->ops->close(s->road);
    }
    sy_signer_close(s->signer);
    sy_arena_fini(&s->arena);
    if (s->stop_fd >= 0) {
        close(s->stop_fd);
    }
    if (s->wake_fd >= 0) {
        close(s->wake_fd);
    }
    pthread_mutex_destroy(&s->lock);
    free_words(s);
    free(s->name);
    sy_addresses_free(&s->addresses);
    free(s->ca);
    free(s->cert);
    free(s->key);
    free(s->crl);
    free(s);
}

sy_err sy_sender_start(sy_sender **out, const sy_sender_setup *o, sy_fail *f)
{
    sy_sender *s = calloc(1, sizeof *s);
    if (!s) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for destination %s", o->name);
    }
    pthread_mutex_init(&s->lock, NULL);
    sy_arena_init(&s->arena, sy_heap(), 0);
    s->store = o->store;
    s->times = o->times;
    s->build_time = o->build_time;
    s->egress = o->egress;
    s->ops = o->road;
    s->limit = o->road->most_events;
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->name = copy(o->name);
    bool whole = sy_addresses_take(&s->addresses, o->urls, o->n_urls);
    s->ca = copy(o->files.ca);
    s->cert = copy(o->files.cert);
    s->key = copy(o->files.key);
    s->crl = copy(o->files.crl);
    whole = copy_words(s, o->words, o->n_words) && whole;
    if (!s->name || !whole) {
        release(s);
        return sy_fail_set(f, SY_E_NOMEM, "no memory for destination %s", o->name);
    }
    sy_err e = s->stop_fd < 0 || s->wake_fd < 0 ? sy_fail_sys(f, "eventfd") : SY_OK;
    if (e == SY_OK && o->sign_key && o->sign_cert) {
        e = sy_signer_open(&s->signer, o->sign_key, o->sign_cert, f);
    }
    const sy_road_setup road = {.name = s->name,
                                .url = o->urls[0],
                                .files = {s->ca, s->cert, s->key, s->crl},
                                .egress = &s->egress,
                                .words = s->words,
                                .n_words = s->n_words,
                                .store = s->store,
                                .times = o->times.exchange,
                                .stop_fd = s->stop_fd};
    e = e != SY_OK ? e : s->ops->open(&s->road, &road, f);
    if (e == SY_OK && (errno = pthread_create(&s->thread, NULL, run, s)) != 0) {
        e = sy_fail_sys(f, "no thread");
    }
    if (e != SY_OK) {
        release(s);
        return sy_fail_wrap(f, "destination %s", o->name);
    }
    *out = s;
    return SY_OK;
}

static void ring(int fd)
{
    const uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one); /* only full when it rings already */
    (void)n;
}

void sy_sender_wake(sy_sender *s)
{
    ring(s->wake_fd);
}

void sy_sender_kick(sy_sender *s)
{
    atomic_store(&s->kicked, true);
    ring(s->wake_fd);
}

void sy_sender_log_time(sy_sender *s, sy_ms t)
{
    sy_ms have = atomic_load(&s->log_time);
    while (t > have && !atomic_compare_exchange_weak(&s->log_time, &have, t)) {
    }
}

void sy_sender_ask_stop(sy_sender *s)
{
    ring(s->stop_fd);
}

void sy_sender_stop(sy_sender *s)
{
    sy_sender_ask_stop(s);
    pthread_join(s->thread, NULL);
    release(s);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_words(const sy_sender *s, const sy_sender_setup *o)
{
    if (s->n_words != o->n_words) {
        return false;
    }
    for (size_t i = 0; i < s->n_words; i++) {
        if (!same_text(s->words[i].key, o->words[i].key) ||
            !same_text(s->words[i].value, o->words[i].value)) {
            return false;
        }
    }
    return true;
}

bool sy_sender_same(const sy_sender *s, const sy_sender_setup *o)
{
    return s->ops == o->road && same_text(s->name, o->name) &&
           s->egress.classes == o->egress.classes && s->egress.redact == o->egress.redact &&
           sy_addresses_same(&s->addresses, o->urls, o->n_urls) &&
           sy_signer_same(s->signer, o->sign_key, o->sign_cert) &&
           same_text(s->crl, o->files.crl) && same_text(s->ca, o->files.ca) &&
           same_text(s->cert, o->files.cert) && same_text(s->key, o->files.key) && same_words(s, o);
}

/* Where much waits it is counted once a second, however often somebody asks. */
static void put_waiting(sy_sender *s, sy_buf *json)
{
    enum { FEW = 1000, AGAIN_MS = 1000 };
    sy_waiting w;
    uint64_t waiting = 0;
    sy_fail unused;
    if (sy_store_outbox_upto(s->store, s->name, FEW + 1, &waiting, &unused) != SY_OK) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    w = s->waits;
    pthread_mutex_unlock(&s->lock);
    if (waiting <= FEW || w.waiting <= FEW || sy_mono_ms() - w.counted >= AGAIN_MS) {
        if (!sy_waiting_count(s->store, s->name, &w)) {
            return;
        }
        pthread_mutex_lock(&s->lock);
        s->waits = w;
        pthread_mutex_unlock(&s->lock);
    }
    sy_waiting_put(&w, json);
}

void sy_sender_status(sy_sender *s, sy_buf *json)
{
    sy_buf_text(json, "{\"name\":");
    sy_buf_json(json, sy_span_of(s->name));
    sy_buf_printf(json, ",\"connected\":%s", atomic_load(&s->connected) ? "true" : "false");
    put_waiting(s, json);
    sy_buf_printf(json,
                  ",\"connects\":%u,\"resumed\":%u,\"last_error\":", atomic_load(&s->connects),
                  atomic_load(&s->resumed));
    pthread_mutex_lock(&s->lock);
    sy_buf_json(json, sy_span_of(s->last_error));
    pthread_mutex_unlock(&s->lock);
    sy_buf_char(json, '}');
}
