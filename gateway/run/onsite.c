/* SPDX-License-Identifier: Apache-2.0 */
/* What is active at the premises, on the local broker and by CoAP; what a panel there presses. */
#include <string.h>

#include "base/log.h"
#include "run/service_int.h"

static void on_topic(void *ctx, const char *topic, const char *text)
{
    sy_service *s = ctx;
    sy_fail why = {0};
    if (s->mqtt && sy_mqtt_keep(s->mqtt, topic, text, &why))
        sy_log_fail(SY_LOG_ERROR, "on-site-not-shown", &why);
}

static void on_panel(void *ctx, const char *premises, sy_span json, sy_span cbor)
{
    sy_service *s = ctx;
    sy_coap *coap = atomic_load(&s->coap);
    sy_fail why = {0};
    if (coap && sy_coap_show(coap, premises, json, cbor, &why))
        sy_log_fail(SY_LOG_ERROR, "on-site-not-shown", &why);
}

/* Who presses twice, or presses what another has acknowledged meanwhile, is right. */
static sy_err on_acknowledge(void *ctx, const char *alert, const char *who, const char *why,
                             sy_fail *f)
{
    sy_service *s = ctx;
    uint64_t seq = 0;
    const sy_act act = {.kind = SY_ACT_ACKNOWLEDGE,
                        .alert = sy_span_of(alert),
                        .who = sy_span_of(who),
                        .via = sy_span_of("premises"),
                        .why = sy_span_of(why)};
    sy_err err = sy_service__act(s, &act, false, &seq, f);
    if (!err)
        sy_pipeline_want(s->pipeline, seq);
    return err == SY_E_EXISTS ? SY_OK : err;
}

sy_err sy_service__press(void *ctx, const sy_press *p, sy_fail *f)
{
    sy_service *s = ctx;
    sy_onsite *o = atomic_load(&s->onsite);
    return o ? sy_onsite_press(o, p, f)
             : sy_fail_set(f, SY_E_AGAIN, "the gateway is starting; press again");
}

sy_err sy_service__onsite_open(sy_service *s, sy_fail *f)
{
    sy_onsite *out = NULL;
    const sy_onsite_options o = {.store = s->store,
                                 .topic = on_topic,
                                 .panel = on_panel,
                                 .acknowledge = on_acknowledge,
                                 .ctx = s};
    sy_err err = sy_onsite_start(&out, &o, s->config, f);
    if (!err)
        atomic_store(&s->onsite, out);
    return err;
}

void sy_service__look_at_mains(sy_service *s, const sy_seen_reading *r)
{
    enum { OFF = 1 }; /* "mains" of the vocabulary that ships: on, off */
    if (!r->point->is_state || strcmp(r->point->quantity, "mains") != 0)
        return;
    bool off = r->value > OFF - 0.5 && r->value < OFF + 0.5, lost = off && !s->mains_off;
    s->mains_off = off;
    sy_fail why = {0};
    if (lost && sy_journal_wait_synced(s->journal, sy_journal_seq(s->journal), &why))
        sy_log_fail(SY_LOG_WARN, "mains-not-synced", &why);
    else if (lost)
        sy_log(SY_LOG_WARN, "mains-lost", "series=%s", r->point->series);
}

void sy_service__onsite_wake(sy_service *s)
{
    sy_onsite *o = atomic_load(&s->onsite);
    if (o)
        sy_onsite_wake(o);
}

void sy_service__onsite_reload(sy_service *s, sy_config *next)
{
    sy_onsite *o = atomic_load(&s->onsite);
    if (o)
        sy_onsite_configure(o, next);
}

void sy_service__onsite_stop(sy_service *s)
{
    sy_onsite_stop(atomic_load(&s->onsite));
}
