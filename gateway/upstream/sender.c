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
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "upstream/owed.h"
#include "upstream/proofs.h"
#include "upstream/suspects.h"

const sy_sender_times sy_sender_defaults = {
    .backoff_base = 1000,
    .backoff_cap = 300 * 1000,
    .idle = 60 * 1000,
    .primary = 600 * 1000,
    .recheck = 60 * 1000,
    .am = {.settle = 360 * 1000, .again = 60 * 1000, .keep = 72 * 3600 * 1000},
    .exchange = {.connect = 30 * 1000, .answer = 60 * 1000, .grace = 1500},
};

struct sy_sender {
    char *name, *ca, *cert, *key, *crl;
    sy_url url;
    sy_store *store;
    sy_sender_times times;
    sy_egress egress;
    sy_ms build_time;
    int stop_fd, wake_fd;
    pthread_t thread;
    atomic_bool kicked, connected;
    atomic_uint connects, resumed;
    _Atomic sy_ms log_time;
    pthread_mutex_t lock;
    char last_error[512]; /* under the lock */

    /* of the thread alone */
    sy_exchange *x;
    sy_am *am; /* NULL: the destination takes CloudEvents */
    sy_arena arena;
    sy_suspects suspects;
    sy_ms held_until; /* monotonic; when the held ones are tried again */
    unsigned failures;
    sy_addresses addresses;
    size_t limit;         /* events in a batch; halved while something is refused */
    int64_t head_refused; /* number of a head that was refused for good; a newer one is tried */
    uint64_t telling;     /* size of the head that is told until it is answered; 0: none */
};

typedef enum step { STEP_MORE, STEP_IDLE, STEP_PAUSE } step;

static void set_error(sy_sender *s, const char *text)
{
    pthread_mutex_lock(&s->lock);
    snprintf(s->last_error, sizeof s->last_error, "%s", text);
    pthread_mutex_unlock(&s->lock);
}

static void report(sy_sender *s, sy_level level, const char *event, const char *text, sy_ms pause)
{
    char quoted[640];
    set_error(s, text);
    sy_log(level, event, "destination=%s msg=%s again_in_ms=%lld", s->name,
           sy_logq(sy_span_of(text), quoted, sizeof quoted), (long long)pause);
}

static sy_ms next_backoff(sy_sender *s)
{
    uint64_t random;
    sy_random(&random, sizeof random);
    s->failures += s->failures < 1000 ? 1u : 0u;
    return sy_backoff_ms(s->failures, s->times.backoff_base, s->times.backoff_cap, random);
}

static step failed(sy_sender *s, const sy_fail *f, sy_ms *pause)
{
    sy_level level = f->code == SY_E_USAGE || f->code == SY_E_DENIED || f->code == SY_E_PEER
                         ? SY_LOG_ERROR
                         : SY_LOG_WARN;
    *pause = next_backoff(s);
    if (f->code != SY_E_CLOSED) {
        report(s, level, "upstream-failed", f->text, *pause);
    }
    return STEP_PAUSE;
}

static sy_ms check_time(sy_sender *s)
{
    sy_ms now = sy_wall_ms(), log = atomic_load(&s->log_time);
    now = log > now ? log : now;
    return s->build_time > now ? s->build_time : now;
}

/* The alert that an event belongs to. */
static void alert_of(const sy_outbox_item *item, char *out, size_t size)
{
    json_t *event = json_loadb(item->body.p, item->body.n, 0, NULL);
    json_t *alert = json_object_get(json_object_get(event, "data"), "alert");
    const char *id = json_string_value(json_object_get(alert, "id"));
    snprintf(out, size, "%s", id ? id : "");
    json_decref(event);
}

static bool passed_over(const sy_sender *s, const sy_outbox_item *item)
{
    char alert[72];
    if (sy_suspects_count_held(&s->suspects) == 0) {
        return false;
    }
    if (sy_suspects_held(&s->suspects, item->number)) {
        return true;
    }
    alert_of(item, alert, sizeof alert);
    return sy_suspects_holds_alert(&s->suspects, alert);
}

/* Events with their proofs, then the head that they stand under. *head is the caller's room. */
static size_t choose(sy_sender *s, sy_outbox_item *items, size_t n, sy_outbox_item *head,
                     const sy_outbox_item **batch, int64_t *numbers)
{
    size_t k = 0, bytes = 2;
    if (s->am) {
        sy_am_begin(s->am);
    }
    for (size_t i = 0; i < n && k < s->limit; i++) {
        if (passed_over(s, &items[i]) ||
            (s->am && !sy_am_choose(s->am, &items[i], &s->arena, check_time(s)))) {
            continue;
        }
        if (!s->am) {
            sy_proofs_add(s->store, &items[i], &s->arena);
        }
        if (k > 0 && bytes + items[i].body.n + 1 > SY_BATCH_BYTES && !s->am) {
            break;
        }
        batch[k] = &items[i];
        numbers[k++] = items[i].number;
        bytes += items[i].body.n + 1;
    }
    if (s->am || k >= s->limit || !(s->egress.classes & (1u << SY_EGRESS_HEAD)) ||
        !sy_proofs_head(s->store, s->name, &s->telling, head, &s->arena)) {
        return k;
    }
    if (head->number == s->head_refused) {
        s->telling = 0; /* until there is a newer one */
    } else if (!sy_suspects_held(&s->suspects, head->number) &&
               (k == 0 || bytes + head->body.n + 1 <= SY_BATCH_BYTES)) {
        batch[k] = head;
        numbers[k++] = head->number;
    }
    return k;
}

static step taken(sy_sender *s, const int64_t *numbers, size_t n, sy_ms *pause)
{
    sy_fail f;
    if (s->am ? sy_am_taken(s->am, check_time(s), &f) != SY_OK
              : sy_store_outbox_done(s->store, s->name, numbers, n, NULL, &f) != SY_OK ||
                    sy_proofs_taken(s->store, s->name, numbers, n, &f) != SY_OK) {
        return failed(s, &f, pause); /* they will be sent again; the receiver knows them */
    }
    for (size_t i = 0; i < n; i++) {
        s->telling = sy_proofs_is_head(numbers[i]) ? 0 : s->telling;
    }
    sy_suspects_taken(&s->suspects, numbers, n);
    s->limit = s->limit * 2 < SY_BATCH_EVENTS ? s->limit * 2 : SY_BATCH_EVENTS;
    if (s->failures > 0) {
        sy_log(SY_LOG_INFO, "upstream-recovered", "destination=%s failures=%u", s->name,
               s->failures);
    }
    s->failures = 0;
    sy_addresses_served(&s->addresses);
    if (sy_suspects_count_held(&s->suspects) == 0 && s->suspects.n == 0) {
        set_error(s, "");
    }
    sy_log(SY_LOG_DEBUG, "upstream-delivered", "destination=%s events=%zu", s->name, n);
    return STEP_MORE;
}

/* Each address was parsed when the configuration was taken. */
static void turn(sy_sender *s)
{
    sy_fail unused;
    sy_exchange_drop(s->x);
    atomic_store(&s->connected, false);
    sy_err e = sy_url_parse(s->addresses.v[s->addresses.at], &s->url, &unused);
    (void)e;
}

/* This address does not serve us: true where there is another that was not tried yet. */
static bool next_address(sy_sender *s, const char *why)
{
    char quoted[640];
    bool more = sy_addresses_next(&s->addresses, sy_mono_ms());
    if (s->addresses.n > 1) {
        turn(s);
    }
    if (more) {
        set_error(s, why);
        sy_log(SY_LOG_WARN, "upstream-failover", "destination=%s to=%s msg=%s", s->name,
               s->url.authority, sy_logq(sy_span_of(why), quoted, sizeof quoted));
    }
    return more;
}

static step refused_alone(sy_sender *s, const sy_outbox_item *item, const sy_reply *r, sy_ms *pause)
{
    char alert[72], quoted[640];
    alert_of(item, alert, sizeof alert);
    if (!sy_suspects_alone(&s->suspects, item->number, alert)) {
        if (sy_suspects_count_held(&s->suspects) == 1) {
            s->held_until = sy_mono_ms() + next_backoff(s);
        }
        report(s, SY_LOG_ERROR, "upstream-held", r->text, s->held_until - sy_mono_ms());
        if (sy_suspects_count_held(&s->suspects) < SY_HELD_MAX) {
            return STEP_MORE;
        }
        *pause = next_backoff(s);
        sy_suspects_release(&s->suspects);
        return STEP_PAUSE;
    }
    sy_fail f;
    if (sy_proofs_is_head(item->number)) {
        s->head_refused = item->number;
        s->telling = 0;
    } else if (sy_store_outbox_done(s->store, s->name, &item->number, 1, r->text, &f) != SY_OK) {
        return failed(s, &f, pause);
    }
    set_error(s, r->text);
    sy_log(SY_LOG_ERROR, "upstream-event-refused", "destination=%s event=%s msg=%s", s->name,
           item->id, sy_logq(sy_span_of(r->text), quoted, sizeof quoted));
    return STEP_MORE;
}

static step act(sy_sender *s, const sy_outbox_item *const *batch, const int64_t *numbers, size_t n,
                const sy_reply *r, sy_ms *pause)
{
    switch (r->answer) {
    case SY_ANSWER_OK:
        return taken(s, numbers, n, pause);
    case SY_ANSWER_EVENT:
        if (n == 1) {
            return refused_alone(s, batch[0], r, pause);
        }
        sy_suspects_refused(&s->suspects, numbers, n);
        s->limit = n / 2;
        return STEP_MORE;
    case SY_ANSWER_LATER:
    case SY_ANSWER_DESTINATION:
        break;
    }
    if (r->status != 429 && next_address(s, r->text)) {
        return STEP_MORE;
    }
    *pause = next_backoff(s);
    if (r->retry_after > 0) {
        /* What the server says, and a little more, so that its clients do not all come at once. */
        *pause = r->retry_after + *pause % (s->times.backoff_base + 1);
    }
    report(s, r->answer == SY_ANSWER_LATER ? SY_LOG_WARN : SY_LOG_ERROR, "upstream-failed", r->text,
           *pause);
    return STEP_PAUSE;
}

static sy_err post_alerts(sy_sender *s, sy_reply *reply, sy_fail *f)
{
    return sy_exchange_post(s->x, "application/json", sy_buf_span(&s->am->body), check_time(s),
                            reply, f);
}

static void note_line(sy_sender *s)
{
    unsigned connects, resumed;
    sy_exchange_counts(s->x, &connects, &resumed);
    atomic_store(&s->connects, connects);
    atomic_store(&s->resumed, resumed);
    atomic_store(&s->connected, sy_exchange_fd(s->x) >= 0);
}

static sy_err send_batch(sy_sender *s, const sy_outbox_item *const *batch, size_t n,
                         sy_reply *reply, sy_fail *f)
{
    sy_err e = SY_OK;
    if (s->am) {
        e = sy_am_body(s->am, batch, n, &s->arena, check_time(s), f);
        e = e != SY_OK ? e : post_alerts(s, reply, f);
    } else {
        e = sy_exchange_send(s->x, batch, n, check_time(s), reply, f);
    }
    note_line(s);
    return e;
}

/* An Alertmanager hears again what fires. Whatever it answers but a 2xx is a pause. */
static step tell_again(sy_sender *s, sy_ms *pause)
{
    size_t n = 0;
    sy_reply reply;
    sy_fail f;
    sy_err e = sy_am_again(s->am, &s->arena, check_time(s), &n, &f);
    if (e == SY_OK && n == 0) {
        return STEP_IDLE;
    }
    if (e == SY_OK) {
        e = post_alerts(s, &reply, &f);
        note_line(s);
    }
    if (e == SY_OK && reply.answer != SY_ANSWER_OK) {
        e = sy_fail_set(&f, SY_E_PEER, "%s", reply.text);
    }
    e = e != SY_OK ? e : sy_am_again_taken(s->am, &f);
    return e != SY_OK ? failed(s, &f, pause) : STEP_MORE;
}

static step one_step(sy_sender *s, sy_ms *pause)
{
    sy_fail f;
    sy_outbox_item *items = NULL;
    size_t n = 0;
    if (sy_suspects_count_held(&s->suspects) > 0 && sy_mono_ms() >= s->held_until) {
        sy_suspects_release(&s->suspects);
    }
    sy_arena_fini(&s->arena);
    if (sy_store_outbox(s->store, s->name, SY_BATCH_EVENTS, &s->arena, &items, &n, &f) != SY_OK) {
        return failed(s, &f, pause);
    }
    size_t waiting = n;
    if (sy_owed(s->store, s->name, &s->egress, items, &n, &s->arena, &f) != SY_OK) {
        return failed(s, &f, pause);
    }
    if (n == 0 && waiting > 0) {
        return STEP_MORE; /* none of these leaves */
    }
    const sy_outbox_item *batch[SY_BATCH_EVENTS];
    int64_t numbers[SY_BATCH_EVENTS];
    sy_outbox_item head;
    if (sy_addresses_home(&s->addresses, sy_mono_ms(), s->times.primary)) {
        turn(s);
    }
    size_t k = choose(s, items, n, &head, batch, numbers);
    if (k == 0) {
        return s->am ? tell_again(s, pause) : STEP_IDLE;
    }
    sy_reply reply;
    sy_err e = send_batch(s, batch, k, &reply, &f);
    if (e != SY_OK && e != SY_E_CLOSED && e != SY_E_NOMEM && next_address(s, f.text)) {
        return STEP_MORE;
    }
    return e != SY_OK ? failed(s, &f, pause) : act(s, batch, numbers, k, &reply, pause);
}

static void drain(int fd)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);
    (void)n;
}

/* Sleep up to ms; false: end. A pause is ended early by a kick only, idleness by any wake. */
static bool sleep_for(sy_sender *s, sy_ms ms, bool idle)
{
    sy_ms end = sy_mono_ms() + ms, idle_end = sy_mono_ms() + s->times.idle;
    for (;;) {
        sy_ms now = sy_mono_ms();
        int fd = sy_exchange_fd(s->x);
        if (fd >= 0 && (now >= idle_end || !idle)) {
            sy_exchange_drop(s->x);
            atomic_store(&s->connected, false);
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
        if (n > 0 && p[2].revents) {
            sy_exchange_check(s->x);
            atomic_store(&s->connected, false);
            if (s->am) {
                s->am->next = 0; /* it may have been started anew, and have forgotten */
                return true;
            }
        }
        if (n > 0 && p[1].revents) {
            drain(s->wake_fd);
            if (atomic_exchange(&s->kicked, false)) {
                sy_exchange_drop(s->x);
                atomic_store(&s->connected, false);
                s->failures = 0;
                sy_suspects_release(&s->suspects);
                if (s->am) {
                    s->am->next = 0;
                }
                return true;
            }
            if (idle) {
                return true;
            }
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
        step what = one_step(s, &pause);
        if (what == STEP_PAUSE) {
            go = sleep_for(s, pause, false);
        } else if (what == STEP_IDLE) {
            sy_ms wait = s->times.recheck, held = s->held_until - sy_mono_ms();
            wait = s->am ? sy_am_sleep(s->am, check_time(s), wait) : wait;
            bool holds = sy_suspects_count_held(&s->suspects) > 0;
            go = sleep_for(s, holds && held < wait ? held : wait, true);
        }
    }
    sy_exchange_drop(s->x);
    atomic_store(&s->connected, false);
    return NULL;
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

static void release(sy_sender *s)
{
    sy_exchange_close(s->x);
    if (s->am) {
        sy_am_fini(s->am);
    }
    free(s->am);
    sy_arena_fini(&s->arena);
    if (s->stop_fd >= 0) {
        close(s->stop_fd);
    }
    if (s->wake_fd >= 0) {
        close(s->wake_fd);
    }
    pthread_mutex_destroy(&s->lock);
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
    s->limit = SY_BATCH_EVENTS;
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->name = copy(o->name);
    bool whole = sy_addresses_take(&s->addresses, o->urls, o->n_urls);
    s->ca = copy(o->files.ca);
    s->cert = copy(o->files.cert);
    s->key = copy(o->files.key);
    s->crl = copy(o->files.crl);
    if (o->alertmanager && s->name && (s->am = malloc(sizeof *s->am)) != NULL) {
        sy_am_init(s->am, o->store, s->name, &o->times.am, &s->egress);
    }
    if (!s->name || !whole || (o->alertmanager && !s->am)) {
        release(s);
        return sy_fail_set(f, SY_E_NOMEM, "no memory for destination %s", o->name);
    }
    sy_tls_paths files = {s->ca, s->cert, s->key, s->crl};
    sy_err e = sy_url_parse(o->urls[0], &s->url, f);
    if (e == SY_OK && (s->stop_fd < 0 || s->wake_fd < 0)) {
        e = sy_fail_sys(f, "eventfd");
    }
    e = e != SY_OK ? e : sy_exchange_open(&s->x, &s->url, &files, o->times.exchange, s->stop_fd, f);
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

bool sy_sender_same(const sy_sender *s, const sy_sender_setup *o)
{
    return same_text(s->name, o->name) && sy_addresses_same(&s->addresses, o->urls, o->n_urls) &&
           same_text(s->crl, o->files.crl) && same_text(s->ca, o->files.ca) &&
           same_text(s->cert, o->files.cert) && same_text(s->key, o->files.key) &&
           (s->am != NULL) == o->alertmanager && s->egress.classes == o->egress.classes &&
           s->egress.redact == o->egress.redact &&
           (!s->am || s->am->times.settle == o->times.am.settle);
}

void sy_sender_status(sy_sender *s, sy_buf *json)
{
    uint64_t waiting = 0, refused = 0;
    sy_fail f;
    bool known = sy_store_outbox_count(s->store, s->name, &waiting, &refused, &f) == SY_OK;
    sy_buf_text(json, "{\"name\":");
    sy_buf_json(json, sy_span_of(s->name));
    sy_buf_printf(json, ",\"connected\":%s", atomic_load(&s->connected) ? "true" : "false");
    if (known) {
        sy_buf_printf(json, ",\"waiting\":%llu,\"refused\":%llu", (unsigned long long)waiting,
                      (unsigned long long)refused);
    }
    sy_buf_printf(json,
                  ",\"connects\":%u,\"resumed\":%u,\"last_error\":", atomic_load(&s->connects),
                  atomic_load(&s->resumed));
    pthread_mutex_lock(&s->lock);
    sy_buf_json(json, sy_span_of(s->last_error));
    pthread_mutex_unlock(&s->lock);
    sy_buf_char(json, '}');
}
