/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of senders. start, reload and stop are called by one thread; wake, log_time and status by
 * any, hence the lock, which is never held while a sender is waited for.
 */
#include "upstream/upstream.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/ledger_files.h"
#include "upstream/sender.h"

struct sy_upstream {
    pthread_mutex_t lock;
    sy_store *store;
    char *data;
    sy_sender **senders;
    size_t n;
    sy_ms log_time;
};

enum { URL_MAX = 1200, WORDS_MOST = 8 };

/* An Alertmanager's address may be written with or without the path of its API. */
static void api_of(const char *url, char out[URL_MAX])
{
    static const char path[] = "/api/v2/alerts";
    size_t n = strlen(url), k = sizeof path - 1;
    bool has = n >= k && strcmp(url + n - k, path) == 0;
    while (!has && n && url[n - 1] == '/')
        n--;
    snprintf(out, URL_MAX, "%.*s%s", (int)n, url, has ? "" : path);
}

/* Room for what a setup borrows. */
typedef struct room {
    const char *urls[SY_SENDER_URLS];
    char api[SY_SENDER_URLS][URL_MAX];
    sy_road_word words[WORDS_MOST];
    char settle[24];
    char to[8400]; /* 32 addresses of 254 bytes, one a line */
} room;

static const sy_road_ops *road_of(sy_destination_kind kind)
{
    switch (kind) {
    case SY_DEST_HTTPS:
        return &sy_road_https;
    case SY_DEST_ALERTMANAGER:
        return &sy_road_alertmanager;
    case SY_DEST_WEBHOOK:
        return &sy_road_webhook;
    case SY_DEST_MAIL:
        return &sy_road_mail;
    case SY_DEST_MQTT:
        return &sy_road_mqtt;
    }
    return NULL;
}

static void word(sy_sender_setup *o, room *r, const char *key, const char *value)
{
    if (value)
        r->words[o->n_words++] = (sy_road_word){key, value};
}

static void words_of_people(const sy_destination *d, sy_sender_setup *o, room *r)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_to && n < sizeof r->to - 256; i++) {
        n += (size_t)snprintf(r->to + n, sizeof r->to - n, "%s%s", i ? "\n" : "", d->to[i]);
    }
    if (d->kind == SY_DEST_WEBHOOK && d->secret) {
        word(o, r, "secret", d->secret);
    }
    if (d->kind == SY_DEST_MAIL) {
        word(o, r, "from", d->from);
        word(o, r, "to", r->to);
    }
    if (d->kind == SY_DEST_MAIL && d->user) {
        word(o, r, "user", d->user);
        word(o, r, "password", d->password_file);
    }
}

static void words_of(const sy_config *c, const sy_destination *d, sy_sender_setup *o, room *r)
{
    if (d->kind == SY_DEST_ALERTMANAGER) {
        snprintf(r->settle, sizeof r->settle, "%lld", (long long)d->settle);
        word(o, r, "settle", r->settle);
    }
    if (d->kind == SY_DEST_MQTT) {
        word(o, r, "gateway", c->id);
        word(o, r, "topic", d->topic);
        word(o, r, "version", d->v311 ? "3.1.1" : "5");
        word(o, r, "user", d->user);
        word(o, r, "password", d->password);
    }
}

static void setup_of(const sy_config *c, const sy_destination *d, sy_store *store,
                     sy_sender_setup *o, room *r)
{
    *o = (sy_sender_setup){.name = d->name,
                           .urls = r->urls,
                           .n_urls = 1 + d->n_also,
                           .road = road_of(d->kind),
                           .words = r->words,
                           .files = {d->tls.ca, d->tls.cert, d->tls.key, d->tls.crl},
                           .egress = d->egress,
                           .store = store,
                           .times = sy_sender_defaults,
                           .build_time = (sy_ms)SY_BUILD_TIME * 1000};
    for (size_t i = 0; i < o->n_urls && i < SY_SENDER_URLS; i++) {
        r->urls[i] = i ? d->also[i - 1] : d->url;
        if (d->kind == SY_DEST_ALERTMANAGER) {
            api_of(r->urls[i], r->api[i]);
            r->urls[i] = r->api[i];
        }
    }
    words_of(c, d, o, r);
    words_of_people(d, o, r);
}

static sy_sender *find_same(sy_upstream *u, const sy_sender_setup *o)
{
    for (size_t i = 0; i < u->n; i++) {
        if (u->senders[i] && sy_sender_same(u->senders[i], o)) {
            sy_sender *s = u->senders[i];
            u->senders[i] = NULL;
            return s;
        }
    }
    return NULL;
}

static void stop_all(sy_sender **list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i]) {
            sy_sender_ask_stop(list[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (list[i]) {
            sy_sender_stop(list[i]);
        }
    }
    free(list);
}

/* All new ones are checked before one starts, so that a bad set changes nothing. */
static sy_err check_all(const sy_config *c, sy_fail *f)
{
    for (size_t i = 0; i < c->n_destinations; i++) {
        sy_sender_setup o = {0};
        room r;
        sy_err e = SY_OK;
        setup_of(c, &c->destinations[i], NULL, &o, &r);
        for (size_t k = 0; k < o.n_urls && e == SY_OK; k++) {
            const sy_road_setup road = {.name = o.name,
                                        .url = o.urls[k],
                                        .files = o.files,
                                        .words = o.words,
                                        .n_words = o.n_words};
            e = o.road->check(&road, f);
        }
        if (e != SY_OK) {
            return e;
        }
    }
    return SY_OK;
}

sy_err sy_upstream_start(sy_upstream **out, const sy_config *c, const char *data, sy_store *s,
                         sy_fail *f)
{
    sy_upstream *u = calloc(1, sizeof *u);
    if (!u) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the destinations");
    }
    pthread_mutex_init(&u->lock, NULL);
    u->store = s;
    u->data = strdup(data);
    sy_err e = u->data ? sy_upstream_reload(u, c, f)
                       : sy_fail_set(f, SY_E_NOMEM, "no memory for the destinations");
    if (e != SY_OK) {
        sy_upstream_stop(u);
        return e;
    }
    *out = u;
    return SY_OK;
}

sy_err sy_upstream_reload(sy_upstream *u, const sy_config *c, sy_fail *f)
{
    char key[SY_LEDGER_PATH], cert[SY_LEDGER_PATH]; /* of the ledger, which signs events, too */
    sy_err e = check_all(c, f);
    e = e != SY_OK ? e : sy_keyfile_paths(u->data, c->ledger_key, c->ledger_cert, key, cert, f);
    if (e != SY_OK) {
        return e;
    }
    sy_sender **fresh = calloc(c->n_destinations + 1, sizeof(sy_sender *));
    if (!fresh) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the destinations");
    }
    size_t n = 0;
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < c->n_destinations && e == SY_OK; i++) {
        sy_sender_setup o;
        room r;
        setup_of(c, &c->destinations[i], u->store, &o, &r);
        if (o.road->ledger) {
            o.sign_key = key;
            o.sign_cert = cert;
        }
        if ((fresh[n] = find_same(u, &o)) != NULL) {
            sy_sender_kick(fresh[n++]);
        } else if ((e = sy_sender_start(&fresh[n], &o, f)) == SY_OK) {
            sy_sender_log_time(fresh[n++], u->log_time);
        }
    }
    sy_sender **old = u->senders;
    size_t old_n = u->n;
    u->senders = fresh;
    u->n = n;
    pthread_mutex_unlock(&u->lock);
    stop_all(old, old_n);
    return e;
}

void sy_upstream_wake(sy_upstream *u)
{
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < u->n; i++) {
        sy_sender_wake(u->senders[i]);
    }
    pthread_mutex_unlock(&u->lock);
}

void sy_upstream_log_time(sy_upstream *u, sy_ms t)
{
    pthread_mutex_lock(&u->lock);
    u->log_time = t;
    for (size_t i = 0; i < u->n; i++) {
        sy_sender_log_time(u->senders[i], t);
    }
    pthread_mutex_unlock(&u->lock);
}

void sy_upstream_stop(sy_upstream *u)
{
    if (u) {
        stop_all(u->senders, u->n);
        pthread_mutex_destroy(&u->lock);
        free(u->data);
        free(u);
    }
}

void sy_upstream_status(sy_upstream *u, sy_buf *json)
{
    sy_buf_char(json, '[');
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < u->n; i++) {
        sy_buf_text(json, i ? "," : "");
        sy_sender_status(u->senders[i], json);
    }
    pthread_mutex_unlock(&u->lock);
    sy_buf_char(json, ']');
}
