/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to Sparkplug nodes to send their births again (Eclipse Sparkplug 3.0, 6.4.22): an NCMD
 * with "Node Control/Rebirth", QoS 0, not retained. Only the client's own thread calls Paho.
 */
#include <stdio.h>

#include "base/log.h"
#include "drivers/formats/sparkplug.h"
#include "drivers/mqtt/client_int.h"

enum { SENT_MS = 5000 };

void sy_mqtt_rebirth(sy_mqtt *m, const char *node)
{
    pthread_mutex_lock(&m->lock);
    bool there = false;
    for (size_t i = 0; i < m->n_asked && !there; i++)
        there = strcmp(m->asked[i], node) == 0;
    if (!there && m->connected && m->n_asked < SY_MQTT__ASKED && strlen(node) < SY_MQTT__NODE) {
        snprintf(m->asked[m->n_asked++], SY_MQTT__NODE, "%s", node);
        pthread_cond_broadcast(&m->changed);
    }
    pthread_mutex_unlock(&m->lock);
}

static bool next_asked(sy_mqtt *m, char node[SY_MQTT__NODE])
{
    pthread_mutex_lock(&m->lock);
    bool any = m->n_asked > 0;
    if (any)
        memcpy(node, m->asked[--m->n_asked], SY_MQTT__NODE);
    pthread_mutex_unlock(&m->lock);
    return any;
}

void sy_mqtt__ask(sy_mqtt *m)
{
    char node[SY_MQTT__NODE], topic[SY_SPB_TOPIC], text[SY_SPB_TOPIC + 8];
    sy_buf payload;
    sy_buf_init(&payload, sy_heap());
    while (next_asked(m, node)) {
        sy_buf_reset(&payload);
        sy_spb_rebirth(sy_wall_ms(), &payload);
        if (payload.failed || !sy_spb_command(node, false, topic))
            continue;
        MQTTAsync_responseOptions r = sy_mqtt__begin(m, 0);
        bool ok = sy_mqtt__await(
            m, MQTTAsync_send(m->handle, topic, (int)payload.n, payload.p, 0, 0, &r), SENT_MS);
        const char *shown = sy_logq(sy_span_of(topic), text, sizeof text);
        if (ok) {
            sy_log(SY_LOG_INFO, "sparkplug-asked", "topic=%s", shown);
        } else {
            sy_log(SY_LOG_WARN, "sparkplug-not-asked", "topic=%s", shown);
        }
    }
    sy_buf_fini(&payload);
}
