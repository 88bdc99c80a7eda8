/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the parts; the order is service.h's. Every close takes what is not open. */
#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "run/orders.h"
#include "run/service_int.h"
#include "store/queue.h"

static void wake(sy_service *s)
{
    uint64_t one = 1;
    (void)!write(s->wake_fd, &one, sizeof one);
}

/* The pipeline's thread. */
static void on_commit(void *ctx, bool with_events)
{
    sy_service *s = ctx;
    if (with_events)
        sy_service__onsite_wake(s); /* who is there hears it first */
    if (with_events && s->upstream)
        sy_upstream_wake(s->upstream);
    wake(s);
}

static void take_refused(void *ctx, uint64_t rejected[SY_REJECT_COUNT], uint64_t *duplicates)
{
    sy_gate_take(((sy_service *)ctx)->gate, rejected, duplicates);
}

/* The journal's sync thread. */
static void on_synced(void *ctx, uint64_t seq)
{
    sy_service *s = ctx;
    sy_coap *coap = atomic_load(&s->coap);
    if (coap)
        sy_coap_synced(coap, seq);
}

/* Paho's thread. */
static void on_marker(void *ctx, uint64_t number)
{
    sy_service *s = ctx;
    atomic_store(&s->marker, number);
    atomic_store(&s->has_marker, true);
    wake(s);
}

static sy_err record_clock(sy_service *s, sy_jtype type, sy_fail *f)
{
    char text[160];
    int n = 0;
    if (type == SY_J_START)
        n = snprintf(text, sizeof text, "{\"version\":\"%s\",\"clock\":\"%s\",\"synced\":%s}",
                     SY_VERSION, s->o.replay ? "replay" : "wall", s->synced ? "true" : "false");
    sy_jrec rec = {.type = (uint8_t)type,
                   .code = (uint32_t)((s->o.replay ? SY_CLOCK_REPLAY : 0) |
                                      (s->synced ? SY_CLOCK_SYNCED : SY_CLOCK_UNSYNCED)),
                   .payload = {text, (size_t)n}};
    return sy_journal_append(s->journal, &rec, f);
}

void sy_service__look_at_clock(sy_service *s)
{
    enum { EVERY_MS = 10000 };
    sy_ms now = sy_mono_ms();
    if (now - s->looked < EVERY_MS)
        return;
    s->looked = now;
    if (!s->o.replay) {
        sy_ms log_time = sy_journal_now(s->journal);
        if (log_time != SY_MS_NONE) {
            sy_upstream_log_time(s->upstream, log_time);
            sy_orders_log_time(s->orders, log_time);
        }
    }
    bool synced = sy_clock_synced();
    if (synced == s->synced)
        return;
    sy_fail why = {0};
    s->synced = synced;
    if (record_clock(s, SY_J_EPOCH, &why))
        sy_log_fail(SY_LOG_ERROR, "clock-record-failed", &why);
}

static sy_err open_log(sy_service *s, sy_fail *f)
{
    char dir[4200];
    uint64_t position = 0;
    sy_err err = sy_mend_open(&s->store, s->data, &s->mended, f);
    if (!err)
        err = sy_store_position(s->store, &position, f);
    uint64_t rebuilt = 0;
    if (!err)
        err = sy_store_rebuilt_to(s->store, &rebuilt, f);
    if (err)
        return err;
    snprintf(dir, sizeof dir, "%s/journal", s->data);
    sy_journal_options o = {.dir = dir,
                            .sync_ms = (int)s->config->sync,
                            .segment_bytes = s->config->segment,
                            .replay_clock = s->o.replay,
                            .after_seq = position > rebuilt ? position : rebuilt};
    err = sy_journal_open(&s->journal, &o, f);
    if (err)
        return err;
    sy_journal_on_synced(s->journal, on_synced, s);
    s->synced = sy_clock_synced();
    s->looked = sy_mono_ms();
    err = sy_service__mend_orders(s, f);
    err = err ? err : record_clock(s, SY_J_START, f);
    err = err ? err : sy_service__activate(s, s->config, f);
    return err ? err : sy_service__ledger_open(s, f);
}

/* On the pipeline's thread, beside a reload. */
static sy_config *loaded(void *ctx, const char *hash_hex)
{
    sy_service *s = ctx;
    pthread_mutex_lock(&s->config_lock);
    sy_config *c = s->config;
    if (strcmp(c->hash_hex, hash_hex) != 0)
        c = s->next_config;
    c = c && strcmp(c->hash_hex, hash_hex) == 0 ? sy_config_ref(c) : NULL;
    pthread_mutex_unlock(&s->config_lock);
    return c;
}

/* On the pipeline's thread. */
static void rebirth(void *ctx, const char *node)
{
    sy_service *s = ctx;
    pthread_mutex_lock(&s->asks_lock);
    if (s->asks)
        sy_mqtt_rebirth(s->asks, node);
    pthread_mutex_unlock(&s->asks_lock);
}

static sy_err open_pipeline(sy_service *s, sy_fail *f)
{
    sy_registry *devices = NULL;
    sy_err err = sy_service__registry(s, s->config, &devices, f);
    if (!err)
        err = sy_registry_slot_open(&s->devices, devices, f);
    if (!err)
        err = sy_gate_open(&s->gate, s->journal, s->config->strict, on_marker, s, f);
    if (!err)
        err = sy_service__door_open(s, f);
    if (err)
        return err;
    sy_pipeline_options o = {.journal = s->journal,
                             .store = s->store,
                             .ledger = s->ledger,
                             .data_dir = s->data,
                             .replay_clock = s->o.replay,
                             .on_commit = on_commit,
                             .take_refused = take_refused,
                             .loaded = loaded,
                             .on_reading = sy_service__on_reading,
                             .rebirth = rebirth,
                             .batch_ms = (int)s->config->commit,
                             .ctx = s};
    /* Upstream first: the first commit may have something for it. */
    err = sy_heartbeat_open(&s->heartbeat, f);
    err = err ? err : sy_upstream_start(&s->upstream, s->config, s->data, s->store, f);
    if (!err && s->fell_back)
        sy_service__announce_refusal(s);
    if (!err)
        sy_service__announce_mended(s);
    if (!err)
        err = sy_pipeline_start(&s->pipeline, &o, f);
    sy_keeper_options keep = {.journal = s->journal,
                              .store = s->store,
                              .ledger = s->ledger,
                              .data = s->data,
                              .config = s->config,
                              .replay_clock = s->o.replay};
    return err ? err : sy_keeper_start(&s->keeper, &keep, f);
}

static void do_status(void *ctx, sy_buf *json)
{
    sy_service__status(ctx, json);
}

static sy_err do_mark(void *ctx, sy_ms t, uint64_t *seq, sy_fail *f)
{
    sy_service *s = ctx;
    sy_jrec rec = {.type = SY_J_MARK, .recv = t};
    sy_err err = sy_journal_append(s->journal, &rec, f);
    if (!err)
        *seq = rec.seq;
    return err;
}

static bool do_marker(void *ctx, uint64_t number)
{
    sy_service *s = ctx;
    return atomic_load(&s->has_marker) && atomic_load(&s->marker) == number;
}

static bool do_committed(void *ctx, uint64_t seq)
{
    sy_service *s = ctx;
    if (sy_pipeline_seq(s->pipeline) >= seq)
        return true;
    sy_pipeline_want(s->pipeline, seq);
    return false;
}

static sy_err do_open(void *ctx, sy_buf *bytes, sy_fail *f)
{
    return sy_store_open_bytes(((sy_service *)ctx)->store, bytes, f);
}

static sy_err do_hold(void *ctx, bool hold, const char *alert, const char *who, const char *why,
                      sy_fail *f)
{
    return sy_keeper_hold(((sy_service *)ctx)->keeper, hold, alert, who, why, f);
}

static sy_err do_retry(void *ctx, const char *event, const char *who, const char *why, sy_fail *f)
{
    sy_service *s = ctx;
    uint64_t n = 0;
    const sy_action a = {.who = who, .what = "retry", .on = event, .why = why};
    sy_err e = sy_store_retry(s->store, event, &n, f);
    e = e ? e : sy_ledger_action(s->ledger, sy_service__now(s), &a, f);
    if (!e)
        sy_upstream_wake(s->upstream);
    return e;
}

static sy_err do_reload(void *ctx, sy_fail *f)
{
    return sy_service__reload(ctx, f);
}

static void do_stop(void *ctx)
{
    ((sy_service *)ctx)->stopping = true;
}

static sy_err do_rotate(void *ctx, const char *who, const char *why, sy_fail *f)
{
    return sy_service__rotate(ctx, who, why, f);
}

static sy_err do_maintain(void *ctx, const sy_control_maintain *m, uint64_t *seq, sy_fail *f)
{
    return sy_service__maintain(ctx, m, seq, f);
}

static void do_maintenance(void *ctx, sy_buf *json)
{
    sy_service__maintenance(ctx, json);
}

static sy_err do_act(void *ctx, const sy_control_act *a, uint64_t *seq, sy_fail *f)
{
    sy_act act = {.alert = sy_span_of(a->alert),
                  .until = a->until,
                  .who = sy_span_of(a->who),
                  .via = sy_span_of(a->via),
                  .why = sy_span_of(a->why)};
    if (!sy_act_kind_of(sy_span_of(a->kind), &act.kind))
        return sy_fail_set(f, SY_E_PARSE, "acts: acknowledge, shelve, unshelve, comment");
    return sy_service__act(ctx, &act, a->from_now, seq, f);
}

sy_err sy_service__open(sy_service *s, sy_fail *f)
{
    sy_control_ops ops = {.ctx = s,
                          .status = do_status,
                          .mark = do_mark,
                          .marker_passed = do_marker,
                          .committed = do_committed,
                          .open = do_open,
                          .reload = do_reload,
                          .stop = do_stop,
                          .hold = do_hold,
                          .retry = do_retry,
                          .rotate = do_rotate,
                          .maintain = do_maintain,
                          .maintenance = do_maintenance,
                          .act = do_act};
    sy_service__door_ops(&ops);
    sy_err err = sy_service__configure(s, f);
    if (!err)
        err = sy_service__lock(s, f);
    if (err)
        return err;
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0)
        return sy_fail_sys(f, "cannot make an eventfd");
    err = open_log(s, f);
    if (!err)
        err = open_pipeline(s, f);
    if (!err)
        err = sy_service__transports_open(s, f);
    if (!err)
        err = sy_control_open(&s->control, s->data, &ops, f);
    if (!err)
        err = sy_service__certificates_open(s, f);
    if (!err)
        err = sy_orders_open(&s->orders, s, f);
    if (!err)
        sy_service__console_open(s);
    return err;
}

/* MQTT ends first and in good order. Then the journal is shut, so that no other driver stays in a
 * wait for room, and what is in the log is judged and stored. */
void sy_service__close(sy_service *s)
{
    sy_renew_stop(s->renew);
    sy_orders_close(s->orders);
    sy_control_close(s->control);
    sy_service__console_close(s); /* what it waits for on the control socket has been cut off */
    pthread_mutex_lock(&s->asks_lock);
    s->asks = NULL;
    pthread_mutex_unlock(&s->asks_lock);
    sy_service__onsite_stop(s);
    bool ended = sy_mqtt_stop(s->mqtt);
    if (s->journal)
        sy_journal_shut(s->journal);
    sy_coap *coap = atomic_exchange(&s->coap, NULL);
    if (coap)
        sy_coap_stop(coap);
    sy_modbus_stop(s->modbus);
    sy_self_stop(s->self);
    sy_hj212_stop(s->hj212);
    if (s->broker)
        sy_broker_stop(s->broker);
    sy_keeper_stop(s->keeper);
    sy_pipeline_stop(s->pipeline);
    if (s->upstream)
        sy_upstream_stop(s->upstream);
    sy_heartbeat_close(s->heartbeat);
    if (ended) { /* else a callback still stands in them: they go with the process */
        sy_gate_close(s->gate);
        if (s->devices)
            sy_registry_slot_close(s->devices);
        sy_journal_close(s->journal);
    }
    if (ended)
        sy_service__door_close(s);
    if (ended)
        sy_onsite_close(atomic_load(&s->onsite));
    sy_ledger_close(s->ledger);
    if (s->store)
        sy_store_close(s->store);
    if (s->config)
        sy_config_unref(s->config);
    sy_buf_fini(&s->refused);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
}
