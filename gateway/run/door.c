/* SPDX-License-Identifier: Apache-2.0 */
/* Who stands before the door: those that were refused, those that nobody knows yet, those whose
 * credentials changed; and who watches what comes in. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "door/revoked.h"
#include "run/service_int.h"

/* A registry's devices, with what they are borrowed from. */
typedef struct marked {
    sy_device *devices;
    sy_config *config;
} marked;

static void free_marked(void *owner)
{
    marked *m = owner;
    sy_config_unref(m->config);
    free(m->devices);
    free(m);
}

sy_err sy_service__registry(const sy_service *s, sy_config *c, sy_registry **out, sy_fail *f)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_revoked_read(s->data, &text, f);
    if (e || text.n == 0) {
        sy_buf_fini(&text);
        return e ? e : sy_config_registry(c, out, f);
    }
    marked *m = calloc(1, sizeof *m);
    sy_device *devices = calloc(c->n_devices + 1, sizeof *devices);
    if (!m || !devices) {
        free(m);
        free(devices);
        sy_buf_fini(&text);
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the table of devices");
    }
    for (size_t i = 0; i < c->n_devices; i++) {
        devices[i] = c->devices[i];
        devices[i].revoked = sy_revoked_has(sy_buf_span(&text), devices[i].id);
    }
    sy_buf_fini(&text);
    *m = (marked){devices, sy_config_ref(c)};
    e = sy_registry_make(out, devices, c->n_devices, free_marked, m, f);
    if (e)
        free_marked(m);
    return e;
}

/* ---- on the threads of drivers and pipeline ---- */

static void on_refused(void *ctx, const sy_refusal *r)
{
    sy_service *s = ctx;
    char who[65], peer[64], detail[121];
    sy_refused_note(s->refusals, r, sy_wall_ms());
    if (!sy_watch_wanted(s->watchers))
        return;
    sy_door__plain(r->who, who, sizeof who);
    sy_door__plain(sy_span_of(r->peer), peer, sizeof peer);
    sy_door__plain(sy_span_of(r->detail), detail, sizeof detail);
    sy_buf line;
    sy_buf_init(&line, sy_heap());
    sy_buf_text(&line, "{\"device\":");
    sy_buf_json(&line, sy_span_of(who));
    sy_buf_printf(&line,
                  ",\"refused\":\"%s\",\"peer\":", r->reason ? r->reason : sy_reject_name(r->why));
    sy_buf_json(&line, sy_span_of(peer));
    sy_buf_text(&line, ",\"detail\":");
    sy_buf_json(&line, sy_span_of(detail));
    sy_buf_char(&line, '}');
    if (!line.failed)
        sy_watch_put(s->watchers, sy_span_of(who), sy_buf_span(&line));
    sy_buf_fini(&line);
}

static void on_strange(void *ctx, const sy_stranger *stranger)
{
    sy_pending_add(((sy_service *)ctx)->pending, stranger, sy_wall_ms());
}

static void put_value(const sy_site_point *p, double value, sy_buf *line)
{
    sy_buf_printf(line, ",\"%s\":", p->is_state ? "state" : "value");
    sy_buf_double(line, value);
    sy_buf_text(line, ",\"quantity\":");
    sy_buf_json(line, sy_span_of(p->quantity));
    sy_buf_text(line, ",\"unit\":");
    if (p->unit)
        sy_buf_json(line, sy_span_of(p->unit));
    else
        sy_buf_text(line, "null");
}

void sy_service__on_reading(void *ctx, const sy_seen_reading *r)
{
    sy_service *s = ctx;
    sy_heartbeat_heard(s->heartbeat, r->point->series);
    sy_service__look_at_mains(s, r);
    if (!sy_watch_wanted(s->watchers))
        return;
    char time[25];
    sy_buf line;
    sy_time_text(r->t, time);
    sy_buf_init(&line, sy_heap());
    sy_buf_printf(&line, "{\"time\":\"%s\",\"device\":", time);
    sy_buf_json(&line, sy_span_of(r->point->device));
    sy_buf_text(&line, ",\"name\":");
    sy_buf_json(&line, sy_span_of(r->point->name));
    sy_buf_text(&line, ",\"series\":");
    sy_buf_json(&line, sy_span_of(r->point->series));
    put_value(r->point, r->value, &line);
    sy_buf_text(&line, ",\"quality\":\"");
    sy_quality_text(r->quality, &line);
    sy_buf_printf(&line, "\",\"judged\":%s}", r->judged ? "true" : "false");
    if (!line.failed)
        sy_watch_put(s->watchers, sy_span_of(r->point->device), sy_buf_span(&line));
    sy_buf_fini(&line);
}

static void wake(void *ctx)
{
    (void)eventfd_write(((sy_service *)ctx)->wake_fd, 1);
}

/* ---- the control socket ---- */

/* The configuration in force stays; only who may come in is looked at again. */
static sy_err do_credentials(void *ctx, const char *what, const char *on, const char *who,
                             sy_fail *f)
{
    sy_service *s = ctx;
    sy_registry *devices = NULL;
    sy_err e = sy_service__registry(s, s->config, &devices, f);
    if (e)
        return e;
    sy_registry_slot_set(s->devices, devices);
    sy_service__transports_reload(s, s->config);
    if (!what)
        return SY_OK;
    const sy_action a = {.who = who, .what = what, .on = on, .why = ""};
    return sy_ledger_action(s->ledger, sy_service__now(s), &a, f);
}

static void do_pending(void *ctx, sy_buf *json)
{
    sy_pending_json(((sy_service *)ctx)->pending, json);
}

static bool do_forget(void *ctx, sy_span transport, sy_span source)
{
    return sy_pending_forget(((sy_service *)ctx)->pending, transport, source);
}

static int do_watch(void *ctx, sy_span device)
{
    return sy_watch_add(((sy_service *)ctx)->watchers, device);
}

static void do_unwatch(void *ctx, int watcher)
{
    sy_watch_remove(((sy_service *)ctx)->watchers, watcher);
}

static void do_watched(void *ctx, int watcher, sy_buf *lines)
{
    sy_watch_take(((sy_service *)ctx)->watchers, watcher, lines);
}

void sy_service__door_ops(sy_control_ops *ops)
{
    ops->credentials = do_credentials;
    ops->pending = do_pending;
    ops->forget = do_forget;
    ops->watch = do_watch;
    ops->unwatch = do_unwatch;
    ops->watched = do_watched;
}

sy_err sy_service__door_open(sy_service *s, sy_fail *f)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/pending.json", s->data);
    s->refusals = sy_refused_open();
    s->watchers = sy_watch_open(wake, s);
    if (!s->refusals || !s->watchers)
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the table of refusals");
    sy_gate_teller t = {
        .refused = on_refused, .strange = on_strange, .press = sy_service__press, .ctx = s};
    sy_gate_tell(s->gate, &t);
    return sy_pending_open(&s->pending, path, f);
}

void sy_service__door_close(sy_service *s)
{
    sy_refused_close(s->refusals);
    sy_watch_close(s->watchers);
    sy_pending_close(s->pending);
}

void sy_service__door_status(sy_service *s, sy_buf *json)
{
    sy_buf_printf(json,
                  ",\"pending\":%zu,\"watchers\":%d,\"refused\":", sy_pending_count(s->pending),
                  sy_watch_count(s->watchers));
    sy_refused_json(s->refusals, json);
}
