/* SPDX-License-Identifier: Apache-2.0 */
/* What the box measures of itself, as a message. */
#include "run/self.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/box.h"
#include "base/log.h"
#include "run/senses.h"
#include "store/heads.h"

enum {
    LOOK_MS = 5000, /* where no box is configured: how often that is looked at */
    MAINS_MS = 250, /* how often the mains are looked at between two measurements */
};
#define HOUR_MS 3600000.0

struct sy_self {
    sy_self_options o;
    pthread_t thread;
    pthread_mutex_t mu;
    pthread_cond_t cond;
    bool stopping, changed; /* under mu */
    sy_config *config;      /* under mu; a reference */
    bool told;              /* a failure was logged */
    int mains;              /* as it was last told; -1: it is no point, or not known */
};

static const struct {
    const char *name, *unit;
} points[] = {
#define POINT(name, text, unit, what) {text, unit},
    SY_BOX_POINTS(POINT)
#undef POINT
};

/* ---- what is sent ---- */

typedef struct pack { /* a message in the making */
    sy_buf json;
    const sy_device *device;
    size_t n;
    int mains; /* as measured; -1: not asked for, or not known */
} pack;

static bool wanted(const pack *p, const char *name)
{
    for (size_t i = 0; i < p->device->n_channels; i++)
        if (strcmp(p->device->channels[i].name, name) == 0)
            return true;
    return false;
}

static void begin_record(pack *p, const char *name)
{
    sy_buf_text(&p->json, p->n++ ? ",{\"n\":" : "[{\"n\":");
    sy_buf_json(&p->json, sy_span_of(name));
}

static void put_number(pack *p, const char *name, const char *unit, double v)
{
    if (!isfinite(v))
        return;
    begin_record(p, name);
    sy_buf_printf(&p->json, ",\"u\":\"%s\",\"v\":%.4g}", unit, v);
}

static void put_word(pack *p, const char *name, const char *word)
{
    begin_record(p, name);
    sy_buf_printf(&p->json, ",\"vs\":\"%s\"}", word);
}

static double disk_free(const char *data)
{
    struct statvfs v;
    if (statvfs(data, &v) != 0 || v.f_blocks == 0)
        return (double)NAN;
    return 100.0 * (double)v.f_bavail / (double)v.f_blocks;
}

static void first_time(void *ctx, const sy_head_row *h)
{
    *(sy_ms *)ctx = h->time;
}

/* Hours that the oldest of what a destination has not confirmed waits; NaN: not known. */
static double delay_of(const sy_self *s, const sy_destination *d, sy_ms now)
{
    sy_ms since = SY_MS_NONE, head = SY_MS_NONE;
    uint64_t confirmed = 0;
    sy_fail why = {0};
    if (now == SY_MS_NONE || sy_store_outbox_since(s->o.store, d->name, &since, &why))
        return (double)NAN;
    /* One that never confirmed a head may be new, or know none. */
    if (d->kind == SY_DEST_HTTPS &&
        sy_store_confirmed(s->o.store, d->name, &confirmed, &why) == SY_OK && confirmed > 0 &&
        sy_store_heads(s->o.store, confirmed + 1, INT64_MAX, 1, false, first_time, &head, &why))
        head = SY_MS_NONE;
    if (head != SY_MS_NONE && (since == SY_MS_NONE || head < since))
        since = head;
    return since == SY_MS_NONE || since > now ? 0 : (double)(now - since) / HOUR_MS;
}

static void put_uplink(const sy_self *s, const sy_config *c, pack *p)
{
    char name[256];
    double most = (double)NAN;
    sy_ms now = sy_journal_now(s->o.journal);
    for (size_t i = 0; i < c->n_destinations; i++) {
        double delay = delay_of(s, &c->destinations[i], now);
        int n = snprintf(name, sizeof name, "uplink-delay/%s", c->destinations[i].name);
        if (n > 0 && (size_t)n < sizeof name && wanted(p, name))
            put_number(p, name, "h", delay);
        most = delay <= most ? most : delay;
    }
    if (wanted(p, points[SY_BOX_UPLINK_DELAY].name))
        put_number(p, points[SY_BOX_UPLINK_DELAY].name, "h", most);
}

static void put_state(pack *p, sy_box_point which, int on, const char *yes, const char *no)
{
    if (on >= 0)
        put_word(p, points[which].name, on ? yes : no);
}

static void measure(const sy_self *s, pack *p, sy_box_point which)
{
    const char *root = s->o.root;
    double v = (double)NAN;
    switch (which) {
    case SY_BOX_DISK_FREE:
        v = disk_free(s->o.data);
        break;
    case SY_BOX_DISK_WEAR:
        v = sy_keeper_wear(s->o.keeper);
        break;
    case SY_BOX_TEMPERATURE:
        v = sy_sense_temperature(root);
        break;
    case SY_BOX_SYSTEM_LOAD:
        v = sy_sense_load(root);
        break;
    case SY_BOX_MEMORY_FREE:
        v = sy_sense_memory(root);
        break;
    case SY_BOX_BATTERY:
        v = sy_sense_battery(root);
        break;
    case SY_BOX_RESTARTS:
        v = s->o.broker ? (double)sy_broker_restarts(s->o.broker) : (double)NAN;
        break;
    case SY_BOX_MAINS:
        p->mains = sy_sense_mains(root);
        put_state(p, which, p->mains, "on", "off");
        return;
    case SY_BOX_CLOCK:
        put_state(p, which, sy_clock_synced(), "synchronised", "free");
        return;
    case SY_BOX_UPLINK_DELAY: /* put_uplink */
    case SY_BOX_N:
        return;
    }
    put_number(p, points[which].name, points[which].unit, v);
}

static void send(sy_self *s, const sy_config *c, const sy_device *d)
{
    pack p = {.device = d, .mains = -1};
    sy_fail why = {0};
    sy_buf_init(&p.json, sy_heap());
    for (int i = 0; i < SY_BOX_N; i++)
        if (wanted(&p, points[i].name))
            measure(s, &p, (sy_box_point)i);
    s->mains = p.mains;
    put_uplink(s, c, &p);
    sy_buf_char(&p.json, ']');
    sy_message m = {.transport = SY_TRANSPORT_BOX,
                    .content_format = 0xffff,
                    .source = sy_span_of(d->id),
                    .payload = sy_buf_span(&p.json)};
    uint64_t seq;
    bool kept;
    sy_err err = p.json.failed ? sy_fail_set(&why, SY_E_NOMEM, "out of memory")
                 : p.n         ? s->o.intake->submit(s->o.intake->ctx, &m, &seq, &kept, &why)
                               : SY_OK;
    sy_buf_fini(&p.json);
    if (err && err != SY_E_CLOSED && !s->told)
        sy_log_fail(SY_LOG_WARN, "box-not-measured", &why);
    s->told = err != SY_OK;
}

/* ---- the thread ---- */

/* Measures once; how long until the next time. */
static sy_ms turn(sy_self *s)
{
    sy_ms poll = LOOK_MS;
    pthread_mutex_lock(&s->mu);
    sy_config *c = sy_config_ref(s->config);
    pthread_mutex_unlock(&s->mu);
    sy_registry *r = sy_registry_slot_get(s->o.devices);
    for (size_t i = 0; i < r->n; i++) {
        const sy_device *d = &r->devices[i];
        if (d->transport != SY_TRANSPORT_BOX || d->revoked)
            continue;
        send(s, c, d);
        poll = d->poll;
    }
    sy_registry_unref(r);
    sy_config_unref(c);
    return poll;
}

/* Wait until the next turn is due; the mains that come or go are told at once, since there may be
 * seconds left. Under mu, which is released meanwhile. */
static void wait_turn(sy_self *s, sy_ms poll)
{
    sy_ms now = sy_mono_ms(), end = now + poll;
    bool moved = false;
    while (now < end && !moved && !s->stopping && !s->changed) {
        sy_ms until = s->mains >= 0 && now + MAINS_MS < end ? now + MAINS_MS : end;
        const struct timespec t = {(time_t)(until / 1000), (long)(until % 1000) * 1000000};
        int rc = 0;
        while (rc == 0 && !s->stopping && !s->changed)
            rc = pthread_cond_timedwait(&s->cond, &s->mu, &t);
        if (s->mains >= 0 && rc) {
            pthread_mutex_unlock(&s->mu);
            moved = sy_sense_mains(s->o.root) != s->mains;
            pthread_mutex_lock(&s->mu);
        }
        now = sy_mono_ms();
    }
}

static void *main_of(void *arg)
{
    sy_self *s = arg;
    sy_thread_name("sy-self");
    pthread_mutex_lock(&s->mu);
    while (!s->stopping) {
        s->changed = false;
        pthread_mutex_unlock(&s->mu);
        sy_ms poll = turn(s);
        pthread_mutex_lock(&s->mu);
        wait_turn(s, poll);
    }
    pthread_mutex_unlock(&s->mu);
    return NULL;
}

sy_err sy_self_start(sy_self **out, const sy_self_options *o, sy_config *c, sy_fail *f)
{
    sy_self *s = calloc(1, sizeof *s);
    if (!s)
        return sy_fail_set(f, SY_E_NOMEM, "out of memory");
    s->o = *o;
    s->mains = -1;
    s->config = sy_config_ref(c);
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->mu, NULL);
    pthread_cond_init(&s->cond, &mono);
    pthread_condattr_destroy(&mono);
    int rc = pthread_create(&s->thread, NULL, main_of, s);
    if (rc) {
        pthread_cond_destroy(&s->cond);
        pthread_mutex_destroy(&s->mu);
        sy_config_unref(s->config);
        free(s);
        return sy_fail_make(f, SY_E_NOMEM, rc, SY_AT, "cannot start the thread of the box");
    }
    *out = s;
    return SY_OK;
}

void sy_self_configure(sy_self *s, sy_config *c)
{
    pthread_mutex_lock(&s->mu);
    sy_config *old = s->config;
    s->config = sy_config_ref(c);
    s->changed = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->mu);
    sy_config_unref(old);
}

void sy_self_stop(sy_self *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->mu);
    s->stopping = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->mu);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->cond);
    pthread_mutex_destroy(&s->mu);
    sy_config_unref(s->config);
    free(s);
}
