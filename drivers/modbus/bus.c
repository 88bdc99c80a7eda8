/* SPDX-License-Identifier: Apache-2.0 */
/* A line's thread: the device whose turn has come longest ago, or a wait until the next. */
#include "drivers/modbus/bus.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

static struct timespec at_mono(sy_ms ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

bool sy_bus__wait(sy_bus *b, sy_ms ms)
{
    struct timespec until = at_mono(sy_mono_ms() + ms);
    pthread_mutex_lock(&b->mu);
    while (!b->stopping && pthread_cond_timedwait(&b->wake, &b->mu, &until) == 0)
        ;
    bool stopping = b->stopping;
    pthread_mutex_unlock(&b->mu);
    return !stopping;
}

static void free_units(sy_mb_unit *units, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(units[i].asks);
    free(units);
}

static bool on_line(const sy_bus *b, const sy_device *d)
{
    return sy_bus_asks(d) && strcmp(d->modbus->address, b->address) == 0;
}

/* What was known of the device before, where it is still asked as often. */
static void take_over(const sy_bus *b, sy_mb_unit *u)
{
    for (size_t i = 0; i < b->n; i++) {
        const sy_mb_unit *old = &b->units[i];
        if (strcmp(old->device->id, u->device->id) != 0)
            continue;
        u->counts = old->counts;
        u->last_answer_at = old->last_answer_at;
        u->last_error_at = old->last_error_at;
        memcpy(u->last_error, old->last_error, sizeof u->last_error);
        if (old->device->modbus->poll == u->device->modbus->poll) {
            u->due = old->due;
            u->silent = old->silent;
        }
    }
}

/* Under the lock. The devices of another registry; on failure all stays as it is. */
static void adopt(sy_bus *b)
{
    sy_registry *r = b->next;
    size_t n = 0, room = 1;
    b->next = NULL;
    for (size_t i = 0; i < r->n; i++)
        room += on_line(b, &r->devices[i]);
    sy_mb_unit *units = calloc(room, sizeof *units);
    bool failed = !units;
    for (size_t i = 0; i < r->n && !failed; i++) {
        if (!on_line(b, &r->devices[i]))
            continue;
        units[n] = (sy_mb_unit){.device = &r->devices[i],
                                .due = sy_mono_ms(),
                                .last_error_at = SY_MS_NONE,
                                .last_answer_at = SY_MS_NONE};
        failed = sy_mb_unit__plan(&units[n]) != SY_OK;
        take_over(b, &units[n++]);
    }
    if (failed) {
        sy_log(SY_LOG_ERROR, "modbus-reload-failed", "address=%s msg=\"out of memory\"",
               b->address);
        free_units(units, n);
        sy_registry_unref(r);
        return;
    }
    free_units(b->units, b->n);
    b->units = units;
    b->n = n;
    if (b->registry)
        sy_registry_unref(b->registry);
    b->registry = r;
}

/* Under the lock: the device whose turn it is, or NULL after a wait. */
static sy_mb_unit *whose_turn(sy_bus *b)
{
    sy_mb_unit *first = NULL;
    for (size_t i = 0; i < b->n; i++)
        if (!first || b->units[i].due < first->due)
            first = &b->units[i];
    if (first && first->due <= sy_mono_ms())
        return first;
    struct timespec until = at_mono(first ? first->due : sy_mono_ms() + 60000);
    pthread_cond_timedwait(&b->wake, &b->mu, &until);
    return NULL;
}

static void *run(void *arg)
{
    sy_bus *b = arg;
    char name[16];
    snprintf(name, sizeof name, "sy-bus-%u", b->number % 10000);
    sy_thread_name(name);
    bool going = true;
    while (going) {
        pthread_mutex_lock(&b->mu);
        if (b->next)
            adopt(b);
        sy_mb_unit *u = b->stopping ? NULL : whose_turn(b);
        if (u)
            u->counts.turns++;
        going = !b->stopping;
        pthread_mutex_unlock(&b->mu);
        if (!u || !going)
            continue;
        going = sy_bus__turn(b, u);
        pthread_mutex_lock(&b->mu);
        u->counts.skipped += sy_mb_unit__next(u, sy_mono_ms());
        pthread_mutex_unlock(&b->mu);
    }
    return NULL;
}

static void free_bus(sy_bus *b)
{
    if (b->next)
        sy_registry_unref(b->next);
    free_units(b->units, b->n);
    if (b->registry)
        sy_registry_unref(b->registry);
    sy_mb_link_close(b->link);
    sy_buf_fini(&b->poll);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->mu);
    free(b->address);
    free(b);
}

sy_err sy_bus_start(sy_bus **out, const char *address, unsigned number, const sy_intake *intake,
                    sy_registry *devices, sy_fail *f)
{
    sy_bus *b = calloc(1, sizeof *b);
    if (!b) {
        sy_registry_unref(devices);
        return sy_fail_set(f, SY_E_NOMEM, "no memory for a line of modbus");
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&b->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&b->mu, NULL);
    b->next = devices;
    b->intake = intake;
    b->number = number;
    sy_buf_init(&b->poll, sy_heap());
    b->address = strdup(address);
    sy_err err = b->address ? sy_mb_link_open(&b->link, address, f)
                            : sy_fail_set(f, SY_E_NOMEM, "no memory for a line of modbus");
    if (!err)
        adopt(b); /* at once: the status names the devices from the start on */
    if (!err && !b->units)
        err = sy_fail_set(f, SY_E_NOMEM, "no memory for a line of modbus");
    if (!err && pthread_create(&b->thread, NULL, run, b) != 0)
        err = sy_fail_set(f, SY_E_NOMEM, "cannot start the thread of the line %.100s", address);
    if (err) {
        free_bus(b);
        return err;
    }
    b->started = true;
    *out = b;
    return SY_OK;
}

void sy_bus_set(sy_bus *b, sy_registry *devices)
{
    pthread_mutex_lock(&b->mu);
    if (b->next)
        sy_registry_unref(b->next);
    b->next = devices;
    pthread_cond_broadcast(&b->wake);
    pthread_mutex_unlock(&b->mu);
}

void sy_bus_end(sy_bus *b)
{
    pthread_mutex_lock(&b->mu);
    b->stopping = true;
    pthread_cond_broadcast(&b->wake);
    pthread_mutex_unlock(&b->mu);
}

void sy_bus_stop(sy_bus *b)
{
    sy_bus_end(b);
    pthread_join(b->thread, NULL);
    free_bus(b);
}

static void put_time(sy_buf *json, const char *key, sy_ms t)
{
    char text[25] = "";
    sy_buf_printf(json, ",\"%s\":", key);
    if (t == SY_MS_NONE) {
        sy_buf_text(json, "null");
        return;
    }
    sy_time_text(t, text);
    sy_buf_json(json, sy_span_of(text));
}

static void put_unit(sy_buf *json, const sy_mb_unit *u)
{
    const struct {
        const char *key;
        uint64_t v;
    } counts[] = {{"turns", u->counts.turns},       {"answers", u->counts.answers},
                  {"timeouts", u->counts.timeouts}, {"exceptions", u->counts.exceptions},
                  {"garbled", u->counts.garbled},   {"broken", u->counts.broken},
                  {"skipped", u->counts.skipped}};
    sy_buf_text(json, "{\"id\":");
    sy_buf_json(json, sy_span_of(u->device->id));
    sy_buf_printf(json, ",\"unit\":%u", u->device->modbus->unit);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        sy_buf_printf(json, ",\"%s\":%llu", counts[i].key, (unsigned long long)counts[i].v);
    put_time(json, "last_answer", u->last_answer_at);
    sy_buf_text(json, ",\"last_error\":");
    if (u->last_error[0])
        sy_buf_json(json, sy_span_of(u->last_error));
    else
        sy_buf_text(json, "null");
    put_time(json, "last_error_time", u->last_error_at);
    sy_buf_char(json, '}');
}

void sy_bus_status(sy_bus *b, sy_buf *json)
{
    pthread_mutex_lock(&b->mu);
    sy_buf_text(json, "{\"address\":");
    sy_buf_json(json, sy_span_of(b->address));
    sy_buf_printf(json, ",\"connected\":%s,\"devices\":[", b->connected ? "true" : "false");
    for (size_t i = 0; i < b->n; i++) {
        if (i)
            sy_buf_char(json, ',');
        put_unit(json, &b->units[i]);
    }
    sy_buf_text(json, "]}");
    pthread_mutex_unlock(&b->mu);
}
