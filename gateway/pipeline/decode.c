/* SPDX-License-Identifier: Apache-2.0 */
/* Messages into readings. Which point a record is: by its resolved name, else by the part after the
 * base name, else as the only record of its message where the device has one point. The last needs
 * the count, which is known only after the message, so the first record that matched nothing is
 * kept in a small copy. */
#include "pipeline/births.h"

#include <math.h>
#include <stdio.h>

#define LAST_MS ((sy_ms)253402300799999) /* 9999-12-31T23:59:59.999Z: what RFC 3339 can write */

typedef struct pass {
    const sy_decode_env *env;
    const sy_jrec *rec;
    const sy_device *device;
    sy_decoded_fn sink;
    void *ctx;
    sy_decode_sum *sum;
    sy_births_sum *births; /* NULL: not a Sparkplug node */
    bool have_lone;
    sy_record lone; /* text and unit point into the arrays below */
    char unit[64], text[128];
} pass;

static void refused(pass *p, const sy_record *r, const char *why)
{
    if (p->sum->refused++ > 0)
        return;
    int n = r->name.n < 60 ? (int)r->name.n : 60;
    snprintf(p->sum->why, sizeof p->sum->why, "record '%.*s': %.90s", n, n ? r->name.p : "", why);
}

/* Event time by design 5. False where the record is no reading: a retained copy that does not say
 * when, or no time at all. */
static bool timed(pass *p, const sy_record *r, sy_decoded *out)
{
    const sy_decode_env *env = p->env;
    bool own = r->has_time && !r->time_relative;
    if (!own && (p->rec->flags & SY_MSG_RETAINED)) {
        p->sum->retained++;
        return false;
    }
    if (!own && env->now == SY_MS_NONE) {
        refused(p, r, "no time, and the replay clock has none yet");
        return false;
    }
    out->t = own ? r->time : env->now;
    if (r->has_time && r->time_relative && __builtin_add_overflow(env->now, r->time, &out->t))
        out->t = r->time < 0 ? 0 : SY_MS_MAX;
    if (out->t < 0 || (env->replay_clock && out->t > LAST_MS)) {
        refused(p, r, "its time is outside 1970 to 9999");
        return false;
    }
    if (env->now == SY_MS_NONE)
        return true;
    if (!env->replay_clock && out->t > env->now && out->t - env->now > env->config->future) {
        out->t = env->now;
        out->quality |= SY_Q_FUTURE;
        p->sum->future++;
    } else if (out->t < env->now - env->config->lateness) {
        out->quality = sy_quality_worsen(out->quality, SY_Q_UNCERTAIN, SY_Q_LATE);
        out->judged = false;
        p->sum->late++;
    }
    return true;
}

/* What the way of a message says of all that is in it. */
static sy_quality on_the_way(const pass *p, sy_quality quality)
{
    if (p->rec->flags & SY_MSG_UNAUTHENTICATED)
        quality |= SY_Q_UNAUTHENTICATED;
    if (p->env->unsynced && !p->env->replay_clock)
        quality |= SY_Q_CLOCK_UNSYNCHRONISED;
    return quality;
}

static sy_err take(pass *p, const sy_channel *channel, const sy_record *r)
{
    if (r->kind == SY_REC_NULL && (r->quality & SY_Q_DEVICE_FAULT)) {
        p->sum->faults++; /* a sensor that failed says so in place of a value */
        return SY_OK;
    }
    sy_decoded out = {.point = channel->point,
                      .raw = r->kind == SY_REC_NUMBER ? r->number : (double)NAN,
                      .quality = on_the_way(p, r->quality),
                      .judged = true};
    sy_fail why = {0};
    sy_err err = sy_decode_value(p->env->config, channel, r, &out.value, &out.quality, &why);
    if (err == SY_E_NOMEM)
        return err;
    if (err) {
        refused(p, r, why.text);
        return SY_OK;
    }
    if (!timed(p, r, &out))
        return SY_OK;
    if (p->births)
        err = sy_births_reading(p->env->births, p->device, &p->env->config->site->points[out.point],
                                r->device, p->births->refresh, p->env->now, &out);
    return err ? err : p->sink(p->ctx, &out);
}

static const sy_channel *match(const sy_device *d, sy_span name)
{
    for (size_t i = 0; name.n && i < d->n_channels; i++)
        if (sy_span_is(name, d->channels[i].name))
            return &d->channels[i];
    return NULL;
}

/* Keep what sy_decode_value may look at; longer texts are no unit and no state of anything. */
static void keep_lone(pass *p, const sy_record *r)
{
    p->lone = *r;
    p->have_lone = true;
    p->lone.name = p->lone.local = (sy_span){NULL, 0};
    p->lone.unit.n = r->unit.n < sizeof p->unit ? r->unit.n : sizeof p->unit;
    p->lone.text.n = r->text.n < sizeof p->text ? r->text.n : sizeof p->text;
    if (p->lone.unit.n)
        memcpy(p->unit, r->unit.p, p->lone.unit.n);
    if (p->lone.text.n)
        memcpy(p->text, r->text.p, p->lone.text.n);
    p->lone.unit.p = p->unit;
    p->lone.text.p = p->text;
}

/* Whether the base name is the id of another device: what a device says counts for itself only. */
static bool speaks_for_another(const pass *p, const sy_record *r)
{
    size_t n = r->name.n > r->local.n ? r->name.n - r->local.n : 0;
    bool part = n && memcmp(r->name.p + n, r->local.p, r->local.n) == 0;
    sy_span base = {r->name.p, part ? n : 0};
    while (base.n && (base.p[base.n - 1] == '/' || base.p[base.n - 1] == ':'))
        base.n--;
    const sy_device *named = base.n ? sy_registry_by_id(p->env->devices, base) : NULL;
    return named && named != p->device;
}

/* A gateway's reading of a device behind it is the point "device/name", and no other; a value taken
 * over an hour likewise "hour/name". */
static const sy_channel *behind(const pass *p, const sy_record *r)
{
    char name[512];
    sy_span head = r->device.n ? r->device : r->period;
    int n =
        snprintf(name, sizeof name, "%.*s/%.*s", (int)head.n, head.p, (int)r->name.n, r->name.p);
    return n > 0 && (size_t)n < sizeof name ? match(p->device, (sy_span){name, (size_t)n}) : NULL;
}

static sy_err on_record(void *ctx, const sy_record *r)
{
    pass *p = ctx;
    p->sum->records++;
    bool qualified = r->device.n || r->period.n;
    const sy_channel *c = qualified ? behind(p, r) : match(p->device, r->name);
    if (qualified) {
        p->sum->unmatched += c == NULL;
        return c ? take(p, c, r) : SY_OK;
    }
    if (!c && speaks_for_another(p, r)) {
        refused(p, r, "it speaks for another device; its base name is that device's id");
        return SY_OK;
    }
    if (!c)
        c = match(p->device, r->local);
    if (c)
        return take(p, c, r);
    p->sum->unmatched++;
    if (p->sum->records == 1 && p->device->n_channels == 1)
        keep_lone(p, r);
    return SY_OK;
}

static const sy_device *device_of(const sy_decode_env *env, const sy_jrec *rec)
{
    return (rec->code & 0xff) == SY_TRANSPORT_MQTT ? sy_registry_by_topic(env->devices, rec->source)
                                                   : sy_registry_by_id(env->devices, rec->source);
}

static const sy_format *format_of(const sy_device *d, const sy_jrec *rec)
{
    const char *name = d->format ? d->format : d->n_map ? "json" : NULL;
    const sy_format *f = name ? sy_format_find(sy_span_of(name)) : NULL;
    if (!f && (uint16_t)(rec->code >> 8) != 0xffff && (rec->code & 0xff) == SY_TRANSPORT_COAP)
        f = sy_format_by_content((uint16_t)(rec->code >> 8));
    return f ? f : sy_format_probe(rec->payload);
}

/* What a death leaves: the last values, which nobody measures any more. */
static sy_err give_stale(pass *p)
{
    const sy_device *d = p->device;
    sy_err e = SY_OK;
    for (size_t i = 0; i < d->n_channels && !e; i++) {
        sy_decoded out = {.point = d->channels[i].point,
                          .t = p->env->now,
                          .raw = (double)NAN,
                          .quality = on_the_way(p, SY_Q_UNCERTAIN | SY_Q_DEVICE_FAULT),
                          .judged = true};
        if (sy_births_stale(p->env->births, d, &p->env->config->site->points[out.point],
                            p->births->died, p->env->now, &out.value))
            e = p->sink(p->ctx, &out);
    }
    return e;
}

static sy_err node_message(pass *p, sy_fail *why)
{
    sy_births_sum births;
    p->births = &births;
    sy_err e = sy_births_message(p->env->births, p->device, p->rec, p->env->now, on_record, p,
                                 &births, why);
    if (!e && births.died)
        e = give_stale(p);
    p->sum->unmatched += births.unknown;
    p->sum->skipped = births.skipped;
    p->sum->gaps = births.gaps;
    p->sum->ask = births.ask ? p->device->node : NULL;
    return e;
}

sy_err sy_decode(const sy_decode_env *env, const sy_jrec *rec, sy_decoded_fn sink, void *ctx,
                 sy_decode_sum *sum)
{
    memset(sum, 0, sizeof *sum);
    pass p = {.env = env, .rec = rec, .sink = sink, .ctx = ctx, .sum = sum};
    p.device = device_of(env, rec);
    if (!p.device) {
        snprintf(sum->why, sizeof sum->why, "no such device in the configuration");
        return SY_E_NOTFOUND;
    }
    bool node = p.device->node && env->births;
    const sy_format *f = node ? NULL : format_of(p.device, rec);
    if (!f && !node) {
        snprintf(sum->why, sizeof sum->why, "not in a known format");
        return SY_E_UNSUPPORTED;
    }
    sy_fail why = {0};
    sy_err err =
        node ? node_message(&p, &why) : f->decode(rec->payload, p.device, on_record, &p, &why);
    if (err) {
        snprintf(sum->why, sizeof sum->why, "%.150s", why.text);
        return err;
    }
    if (sum->records == 1 && p.have_lone) {
        sum->unmatched = 0;
        return take(&p, &p.device->channels[0], &p.lone);
    }
    return SY_OK;
}
