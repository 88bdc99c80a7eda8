/* SPDX-License-Identifier: Apache-2.0 */
#include "run/heartbeat.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "pipeline/members.h"
#include "run/keeper_int.h"
#include "run/service_int.h"
#include "store/queue.h"
#include "upstream/waiting.h"

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(elt) ((elt)->lost = true)
#include <uthash.h>

typedef struct heard { /* of a series */
    bool lost;
    sy_ms at; /* monotonic */
    UT_hash_handle hh;
    char series[];
} heard;

typedef struct beat { /* of a destination */
    char *name;
    sy_ms due, last; /* monotonic */
    bool kept;
} beat;

struct sy_heartbeat {
    pthread_mutex_t mu;
    heard *series; /* under mu */
    beat *beats;   /* the main thread's, from here on */
    size_t n, cap;
    sy_ms swept;
};

sy_err sy_heartbeat_open(sy_heartbeat **out, sy_fail *f)
{
    sy_heartbeat *h = calloc(1, sizeof *h);
    if (!h)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for heartbeats");
    pthread_mutex_init(&h->mu, NULL);
    h->swept = sy_mono_ms();
    *out = h;
    return SY_OK;
}

void sy_heartbeat_close(sy_heartbeat *h)
{
    if (!h)
        return;
    heard *x = h->series;
    HASH_CLEAR(hh, h->series); /* the table; the entries stay a list */
    while (x) {
        heard *next = x->hh.next;
        free(x);
        x = next;
    }
    for (size_t i = 0; i < h->n; i++)
        free(h->beats[i].name);
    free(h->beats);
    pthread_mutex_destroy(&h->mu);
    free(h);
}

void sy_heartbeat_heard(sy_heartbeat *h, const char *series)
{
    size_t n = strlen(series);
    heard *x = NULL;
    pthread_mutex_lock(&h->mu);
    HASH_FIND(hh, h->series, series, n, x);
    if (!x && (x = calloc(1, sizeof *x + n + 1)) != NULL) {
        memcpy(x->series, series, n);
        HASH_ADD_KEYPTR(hh, h->series, x->series, n, x);
        if (x->lost) {
            free(x);
            x = NULL;
        }
    }
    if (x)
        x->at = sy_mono_ms();
    pthread_mutex_unlock(&h->mu);
}

/* A sensor that sends seldom is heard for as long as its next reading is not overdue. */
static bool is_heard(sy_heartbeat *h, const sy_site_point *p, sy_ms since, sy_ms now)
{
    heard *x = NULL;
    pthread_mutex_lock(&h->mu);
    HASH_FIND(hh, h->series, p->series, strlen(p->series), x);
    sy_ms at = x ? x->at : SY_MS_NONE;
    pthread_mutex_unlock(&h->mu);
    return at != SY_MS_NONE && (at >= since || now - at <= 2 * p->every + p->delivery);
}

static void put_sensors(sy_heartbeat *h, const sy_site *site, sy_ms since, sy_buf *b)
{
    sy_ms now = sy_mono_ms();
    sy_member_key(b, "premises");
    sy_buf_char(b, '[');
    for (uint32_t i = 0; i < site->n_premises; i++) {
        int64_t expected = 0, n = 0;
        for (size_t k = 0; k < site->n_points; k++) {
            const sy_site_point *p = &site->points[k];
            bool counts = p->every != 0 && site->places[p->place].premises == i;
            expected += counts;
            n += counts && is_heard(h, p, since, now);
        }
        sy_buf_text(b, i ? ",{" : "{");
        sy_member_text(b, "id", site->premises[i].id);
        sy_member_int(b, "sensors_expected", expected);
        sy_member_int(b, "sensors_heard", n);
        sy_buf_char(b, '}');
    }
    sy_buf_char(b, ']');
}

static void put_alerts(sy_store *store, sy_buf *b)
{
    uint64_t active[8];
    sy_fail unused;
    const char *worst = NULL;
    sy_member_key(b, "alerts");
    if (sy_store_active(store, active, &unused)) {
        sy_buf_text(b, "null");
        return;
    }
    sy_buf_char(b, '{');
    for (int level = SY_NOTICE; level <= SY_MAJOR; level++) {
        const char *word = sy_alert_level_text((sy_alert_level)level, SY_EN);
        sy_member_int(b, word, (int64_t)active[level]);
        worst = active[level] ? word : worst;
    }
    sy_member_text(b, "worst", worst);
    sy_buf_char(b, '}');
}

static void put_clock(const sy_service *s, sy_buf *b)
{
    char text[25];
    sy_ms log_time = sy_journal_now(s->journal);
    sy_member_key(b, "clock");
    sy_buf_char(b, '{');
    sy_member_text(b, "kind", s->o.replay ? "replay" : "wall");
    sy_member_key(b, "synchronised");
    sy_buf_text(b, s->synced ? "true" : "false");
    if (log_time != SY_MS_NONE)
        sy_time_text(log_time, text);
    sy_member_text(b, "log_time", log_time == SY_MS_NONE ? NULL : text);
    sy_buf_char(b, '}');
}

static void put_disk(const sy_service *s, sy_buf *b)
{
    uint64_t room = 0, bytes = sy_keeper__disk(s->data, &room);
    sy_member_key(b, "disk");
    sy_buf_printf(b, "{\"bytes\":%llu,\"free\":%llu}", (unsigned long long)bytes,
                  (unsigned long long)room);
}

static void put_queue(sy_service *s, const char *destination, sy_buf *b)
{
    uint64_t waiting = 0, refused = 0;
    sy_fail unused;
    sy_err e = sy_store_outbox_count(s->store, destination, &waiting, &refused, &unused);
    sy_member_key(b, "queue");
    if (e) {
        sy_buf_text(b, "null");
        return;
    }
    sy_buf_printf(b, "{\"waiting\":%llu,\"refused\":%llu", (unsigned long long)waiting,
                  (unsigned long long)refused);
    sy_waiting_members(s->store, destination, b);
    sy_buf_char(b, '}');
}

static void put_event(sy_heartbeat *h, sy_service *s, const sy_destination *d, const char *id,
                      sy_ms since, sy_buf *b)
{
    char now[25];
    sy_time_text(sy_service__now(s), now);
    sy_buf_text(b, "{\"specversion\":\"1.0\",\"id\":");
    sy_buf_json(b, sy_span_of(id));
    sy_buf_printf(b, ",\"source\":\"/steelyard/%s\",\"type\":\"steelyard.heartbeat\",\"time\":",
                  s->config->id);
    sy_buf_json(b, sy_span_of(now));
    sy_buf_text(b, ",\"datacontenttype\":\"application/json\",\"data\":{");
    sy_member_text(b, "version", SY_VERSION);
    sy_member_int(b, "uptime_ms", sy_mono_ms() - s->started);
    sy_member_int(b, "interval_ms", d->heartbeat);
    put_clock(s, b);
    put_sensors(h, s->config->site, since, b);
    put_alerts(s->store, b);
    sy_member_text(b, "set", s->config->hash_hex);
    sy_member_key(b, "ledger");
    sy_ledger_status(s->ledger, b);
    put_queue(s, d->name, b);
    put_disk(s, b);
    sy_buf_text(b, "}}");
}

static void make(sy_heartbeat *h, sy_service *s, const sy_destination *d, sy_ms since)
{
    char id[160];
    sy_fail why = {0};
    sy_buf text;
    sy_ms now = sy_service__now(s);
    sy_buf_init(&text, sy_heap());
    snprintf(id, sizeof id, "heartbeat/%s/%lld", d->name, (long long)now);
    put_event(h, s, d, id, since, &text);
    sy_event_row row = {
        .id = id, .kind = "heartbeat", .time = now, .priority = 2, .body = sy_buf_span(&text)};
    sy_err e = text.failed ? sy_fail_set(&why, SY_E_NOMEM, "out of memory")
                           : sy_store_heartbeat(s->store, d->name, &row, &why);
    if (e)
        sy_log_fail(SY_LOG_ERROR, "heartbeat-failed", &why);
    else
        sy_upstream_wake(s->upstream);
    sy_buf_fini(&text);
}

static beat *beat_of(sy_heartbeat *h, const sy_destination *d, sy_ms now)
{
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->beats[i].name, d->name) == 0)
            return &h->beats[i];
    char *name = strdup(d->name);
    if (!name || sy_grow(sy_heap(), (void **)&h->beats, &h->cap, h->n + 1, sizeof *h->beats)) {
        free(name);
        return NULL;
    }
    h->beats[h->n] = (beat){.name = name, .due = now + d->heartbeat, .last = now};
    return &h->beats[h->n++];
}

/* Notices that nobody needs any more, once a minute. */
static void sweep(sy_service *s, const sy_destination *d)
{
    uint64_t n = 0;
    sy_fail why = {0};
    if (sy_store_outbox_expire(s->store, d->name, sy_service__now(s) - d->passing, &n, &why))
        sy_log_fail(SY_LOG_ERROR, "outbox-expiry-failed", &why);
    else if (n)
        sy_log(SY_LOG_WARN, "outbox-expired", "destination=%s notices=%llu", d->name,
               (unsigned long long)n);
}

void sy_heartbeat_turn(sy_heartbeat *h, sy_service *s)
{
    enum { SWEEP_MS = 60000 };
    sy_ms now = sy_mono_ms();
    bool sweeps = now - h->swept >= SWEEP_MS;
    h->swept = sweeps ? now : h->swept;
    for (size_t i = 0; i < h->n; i++)
        h->beats[i].kept = false;
    for (size_t i = 0; i < s->config->n_destinations; i++) {
        const sy_destination *d = &s->config->destinations[i];
        beat *b = beat_of(h, d, now);
        if (sweeps)
            sweep(s, d);
        if (!b)
            continue;
        b->kept = true;
        if (b->due > now + d->heartbeat)
            b->due = now + d->heartbeat; /* a shorter interval is in force */
        if (d->heartbeat == 0 || now < b->due || !(d->egress.classes & (1u << SY_EGRESS_HEARTBEAT)))
            continue;
        make(h, s, d, b->last);
        b->last = now;
        b->due = now + d->heartbeat;
    }
    for (size_t i = 0; i < h->n;) {
        if (h->beats[i].kept) {
            i++;
            continue;
        }
        free(h->beats[i].name);
        h->beats[i] = h->beats[--h->n];
    }
}
