/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that shows the board; what panels press. */
#include "onsite/onsite.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "onsite/board.h"
#include "store/follow.h"

enum { TOPIC = 640, RETRY_MS = 1000, PRESSED_MOST = 256, PAYLOAD_MOST = 1024 };

/* A text that is shown, by topic. */
typedef struct shown {
    char topic[TOPIC];
    bool stays;
} shown;

struct sy_onsite {
    sy_onsite_options o;
    pthread_t thread;
    bool running; /* the thread was started, and not yet joined */
    pthread_mutex_t mu;
    pthread_cond_t cond;
    /* under mu */
    sy_config *config; /* in force */
    bool woken, changed, stopping;
    sy_board board; /* by the configuration `of` */
    sy_config *of;
    /* of the thread alone */
    int64_t last; /* the newest event that is on the board */
    shown *topics;
    size_t n_topics, cap_topics;
};

/* ---- showing ---- */

static sy_err remember(sy_onsite *s, const char *topic)
{
    for (size_t i = 0; i < s->n_topics; i++)
        if (strcmp(s->topics[i].topic, topic) == 0) {
            s->topics[i].stays = true;
            return SY_OK;
        }
    sy_err e =
        sy_grow(sy_heap(), (void **)&s->topics, &s->cap_topics, s->n_topics + 1, sizeof *s->topics);
    if (!e) {
        snprintf(s->topics[s->n_topics].topic, TOPIC, "%s", topic);
        s->topics[s->n_topics++].stays = true;
    }
    return e;
}

static sy_err show_topic(sy_onsite *s, const sy_site_premises *p, const sy_site_place *place,
                         sy_buf *json)
{
    char topic[TOPIC];
    if (!s->o.topic)
        return SY_OK;
    int n = snprintf(topic, sizeof topic, "%s/%s%s%s", s->of->on_site.topic, p->id,
                     place ? "/" : "", place ? place->id : "");
    sy_err e = n > 0 && n < TOPIC ? remember(s, topic) : SY_E_RANGE;
    sy_buf_char(json, '\0');
    if (!e && !json->failed)
        s->o.topic(s->o.ctx, topic, json->p);
    return e;
}

static void show_panel(sy_onsite *s, const char *premises, sy_span json)
{
    sy_buf cbor;
    sy_fail f = {0};
    sy_buf_init(&cbor, sy_heap());
    if (s->o.panel && sy_board_cbor(json, &cbor, &f) == SY_OK)
        s->o.panel(s->o.ctx, premises, json, sy_buf_span(&cbor));
    else if (s->o.panel)
        sy_log_fail(SY_LOG_ERROR, "on-site-not-shown", &f);
    sy_buf_fini(&cbor);
}

/* The premises, and each of its places. */
static void show(sy_onsite *s, const sy_site_premises *p)
{
    const sy_site *site = s->of->site;
    sy_buf json;
    sy_err e = SY_OK;
    sy_buf_init(&json, sy_heap());
    for (size_t i = 0; i < site->n_places && !e; i++) {
        if (&site->premises[site->places[i].premises] != p)
            continue;
        sy_buf_reset(&json);
        sy_board_json(&s->board, p, site, &site->places[i], &json);
        e = show_topic(s, p, &site->places[i], &json);
    }
    sy_buf_reset(&json);
    sy_board_json(&s->board, p, site, NULL, &json);
    if (!e && !json.failed)
        show_panel(s, p->id, sy_buf_span(&json));
    e = e ? e : show_topic(s, p, NULL, &json);
    if (e || json.failed)
        sy_log(SY_LOG_ERROR, "on-site-not-shown", "premises=%s error=\"%s\"", p->id,
               sy_err_text(e ? e : SY_E_NOMEM));
    sy_buf_fini(&json);
}

/* Of places and premises that are gone nothing stays behind on the broker. */
static void show_all(sy_onsite *s)
{
    for (size_t i = 0; i < s->n_topics; i++)
        s->topics[i].stays = false;
    for (size_t i = 0; s->of->on_site.on && i < s->of->site->n_premises; i++)
        show(s, &s->of->site->premises[i]);
    size_t n = 0;
    for (size_t i = 0; i < s->n_topics; i++) {
        if (s->topics[i].stays)
            s->topics[n++] = s->topics[i];
        else
            s->o.topic(s->o.ctx, s->topics[i].topic, "");
    }
    s->n_topics = n;
}

static void show_premises(sy_onsite *s, const char *id)
{
    const sy_site *site = s->of->site;
    for (size_t i = 0; i < site->n_premises; i++)
        if (strcmp(site->premises[i].id, id) == 0)
            show(s, &site->premises[i]);
}

/* ---- following ---- */

/* Which premises changed; a few at most, and all where they are more. */
typedef struct touched {
    sy_onsite *s;
    char id[8][SY_BOARD_ID];
    size_t n;
    bool many;
    sy_err err;
} touched;

static void touch(touched *t, const char *premises)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->id[i], premises) == 0)
            return;
    if (t->n < sizeof t->id / sizeof *t->id)
        snprintf(t->id[t->n++], SY_BOARD_ID, "%s", premises);
    else
        t->many = true;
}

static bool on_event(void *ctx, const sy_change_row *r);

static sy_err follow(sy_onsite *s, touched *t, bool anew, sy_fail *f)
{
    int64_t last = s->last;
    sy_err e = anew ? sy_store_active_events(s->o.store, &last, on_event, t, f)
                    : sy_store_events_after(s->o.store, s->last, on_event, t, f);
    if (!e && t->err)
        e = sy_fail_set(f, t->err, "no memory for the active alerts");
    if (!e && anew)
        s->last = last;
    return e;
}

static bool on_event(void *ctx, const sy_change_row *r)
{
    touched *t = ctx;
    char premises[SY_BOARD_ID];
    sy_fail f;
    if (r->alert)
        t->err = sy_board_take(&t->s->board, r->body, premises, &f);
    if (r->alert && !t->err && premises[0])
        touch(t, premises);
    if (!t->err)
        t->s->last = r->number;
    return !t->err;
}

/* Under mu: the board is what presses are held against. */
static sy_err turn(sy_onsite *s, bool anew, touched *t, sy_fail *f)
{
    if (anew) {
        sy_config *old = s->of;
        s->of = sy_config_ref(s->config);
        sy_board_fini(&s->board);
        sy_board_init(&s->board, &s->of->on_site);
        if (old)
            sy_config_unref(old);
    }
    return s->of->on_site.on ? follow(s, t, anew, f) : SY_OK;
}

static void *main_of(void *arg)
{
    sy_onsite *s = arg;
    bool anew = true, failed = false;
    sy_thread_name("sy-onsite");
    pthread_mutex_lock(&s->mu);
    while (!s->stopping) {
        touched t = {.s = s};
        sy_fail f = {0};
        anew = anew || s->changed;
        s->woken = s->changed = false;
        failed = turn(s, anew, &t, &f) != SY_OK;
        pthread_mutex_unlock(&s->mu);
        if (failed) {
            sy_log_fail(SY_LOG_ERROR, "on-site-failed", &f);
            anew = true;
        } else if (anew || t.many) {
            if (s->of->site)
                show_all(s);
            anew = false;
        } else {
            for (size_t i = 0; i < t.n; i++)
                show_premises(s, t.id[i]);
        }
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += RETRY_MS / 1000;
        pthread_mutex_lock(&s->mu);
        int rc = 0;
        while (rc == 0 && !s->stopping && !s->changed && (failed || !s->woken))
            rc = failed ? pthread_cond_timedwait(&s->cond, &s->mu, &until)
                        : pthread_cond_wait(&s->cond, &s->mu);
    }
    pthread_mutex_unlock(&s->mu);
    return NULL;
}

static void set(sy_onsite *s, bool *flag)
{
    pthread_mutex_lock(&s->mu);
    *flag = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->mu);
}

void sy_onsite_wake(sy_onsite *s)
{
    set(s, &s->woken);
}

void sy_onsite_configure(sy_onsite *s, sy_config *c)
{
    pthread_mutex_lock(&s->mu);
    sy_config *old = s->config;
    s->config = sy_config_ref(c);
    s->changed = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->mu);
    sy_config_unref(old);
}

/* ---- pressing ---- */

/* What is asked for: all that is active there, or one alert; and why. */
typedef struct asked {
    char alert[SY_BOARD_ID]; /* "": all */
    char why[256];
} asked;

static bool copied(char *to, size_t size, const char *text)
{
    int n = text ? snprintf(to, size, "%s", text) : 0;
    return n >= 0 && (size_t)n < size;
}

/* Nothing, or "all": all of it; an id as it stands; or {"alert": id | "all", "why": text}. */
static sy_err parse(sy_span payload, asked *out, sy_fail *f)
{
    *out = (asked){.alert = "", .why = ""};
    while (payload.n && strchr(" \t\r\n", payload.p[payload.n - 1]))
        payload.n--;
    sy_err e = payload.n <= PAYLOAD_MOST ? SY_OK : SY_E_PARSE;
    if (!e && payload.n && payload.p[0] == '{') {
        json_t *o = json_loadb(payload.p, payload.n, JSON_REJECT_DUPLICATES, NULL);
        json_t *alert = json_object_get(o, "alert"), *why = json_object_get(o, "why");
        if (!o || (alert && !json_is_string(alert)) || (why && !json_is_string(why)) ||
            !copied(out->alert, sizeof out->alert, json_string_value(alert)) ||
            !copied(out->why, sizeof out->why, json_string_value(why)))
            e = SY_E_PARSE;
        json_decref(o);
    } else if (!e && payload.n) {
        int n = payload.n < sizeof out->alert ? (int)payload.n : 0;
        e = n ? SY_OK : SY_E_PARSE;
        snprintf(out->alert, sizeof out->alert, "%.*s", n, payload.p);
    }
    if (strcmp(out->alert, "all") == 0)
        out->alert[0] = '\0';
    return e ? sy_fail_set(f, e,
                           "a panel sends nothing, \"all\", the id of an alert, or "
                           "{\"alert\": id, \"why\": text}")
             : SY_OK;
}

/* Ids of what is to be acknowledged, copied: the log is not written under mu. */
static size_t gather(sy_onsite *s, const char *premises, const asked *a, char (*ids)[SY_BOARD_ID],
                     bool *there)
{
    size_t n = 0;
    pthread_mutex_lock(&s->mu);
    for (size_t i = 0; i < s->board.n && n < PRESSED_MOST; i++) {
        const sy_board_alert *b = &s->board.v[i];
        if (!b->told || strcmp(b->premises, premises) != 0 ||
            (a->alert[0] && strcmp(a->alert, b->id) != 0))
            continue;
        *there = true;
        if (!b->by && (!b->shelved || a->alert[0]))
            snprintf(ids[n++], SY_BOARD_ID, "%s", b->id);
    }
    pthread_mutex_unlock(&s->mu);
    return n;
}

sy_err sy_onsite_press(sy_onsite *s, const sy_press *p, sy_fail *f)
{
    asked a;
    char premises[SY_BOARD_ID], who[SY_BOARD_ID];
    bool there = false;
    sy_err e = parse(p->payload, &a, f);
    if (e)
        return e;
    if (!s->o.acknowledge)
        return sy_fail_set(f, SY_E_UNSUPPORTED, "nothing is acknowledged here");
    snprintf(premises, sizeof premises, "%.*s", (int)(p->premises.n < 128 ? p->premises.n : 128),
             p->premises.p);
    snprintf(who, sizeof who, "%.*s", (int)(p->device.n < 64 ? p->device.n : 64), p->device.p);
    char(*ids)[SY_BOARD_ID] = calloc(PRESSED_MOST, sizeof *ids);
    if (!ids)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    size_t n = gather(s, premises, &a, ids, &there);
    if (a.alert[0] && !there)
        e = sy_fail_set(f, SY_E_NOTFOUND, "no alert %s is active at %s", a.alert, premises);
    for (size_t i = 0; i < n && !e; i++)
        e = s->o.acknowledge(s->o.ctx, ids[i], who, a.why[0] ? a.why : "at the premises", f);
    free(ids);
    return e;
}

/* ---- life ---- */

sy_err sy_onsite_start(sy_onsite **out, const sy_onsite_options *o, sy_config *c, sy_fail *f)
{
    sy_onsite *s = calloc(1, sizeof *s);
    if (!s)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    s->o = *o;
    s->config = sy_config_ref(c);
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->mu, NULL);
    pthread_cond_init(&s->cond, &mono);
    pthread_condattr_destroy(&mono);
    int rc = pthread_create(&s->thread, NULL, main_of, s);
    s->running = rc == 0;
    if (rc) {
        sy_onsite_close(s);
        return sy_fail_make(f, SY_E_NOMEM, rc, SY_AT, "cannot start the thread of the premises");
    }
    *out = s;
    return SY_OK;
}

void sy_onsite_stop(sy_onsite *s)
{
    if (!s || !s->running)
        return;
    set(s, &s->stopping);
    pthread_join(s->thread, NULL);
    s->running = false;
}

void sy_onsite_close(sy_onsite *s)
{
    if (!s)
        return;
    sy_onsite_stop(s);
    pthread_cond_destroy(&s->cond);
    pthread_mutex_destroy(&s->mu);
    sy_board_fini(&s->board);
    free(s->topics);
    if (s->of)
        sy_config_unref(s->of);
    sy_config_unref(s->config);
    free(s);
}
