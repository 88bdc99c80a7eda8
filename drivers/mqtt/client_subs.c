/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscriptions: each device's own topic, at QoS 1, in packets of a bounded size.
 *
 * QoS 1 and not 2: with 2 Paho sends its PUBREC before the message reaches us. Retain handling 1: a
 * retained message comes with a new subscription, and not again at each reconnect.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "drivers/formats/sparkplug.h"
#include "drivers/mqtt/client_int.h"

enum { AT_ONCE = 50, ANSWER_MS = 20000, OF_NODE = 6 };

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void topics_fini(sy_mqtt__topics *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->v[i]);
    }
    free(t->v);
    *t = (sy_mqtt__topics){0};
}

void sy_mqtt__forget(sy_mqtt *m)
{
    topics_fini(&m->have);
}

static bool add(sy_mqtt__topics *t, const char *topic)
{
    t->v[t->n] = strdup(topic);
    return t->v[t->n] && ++t->n;
}

/* The topics that a Sparkplug node writes; not its commands, which are ours, too. */
static bool add_node(sy_mqtt__topics *t, const char *node)
{
    char topic[SY_SPB_TOPIC];
    bool ok = true;
    for (size_t i = 0; i < OF_NODE && ok && sy_spb_topic_at(node, i, topic); i++) {
        ok = add(t, topic);
    }
    return ok;
}

/* What the registry in force wants, sorted, each once. */
static bool wanted(sy_mqtt *m, sy_mqtt__topics *t)
{
    sy_registry *r = sy_registry_slot_get(m->devices);
    size_t nodes = 0;
    for (size_t i = 0; i < r->n; i++)
        nodes += r->devices[i].node != NULL;
    *t = (sy_mqtt__topics){.v = calloc(r->n + OF_NODE * nodes + 2, sizeof *t->v)};
    bool ok = t->v != NULL;
    for (size_t i = 0; i < r->n && ok; i++) {
        if (r->devices[i].transport == SY_TRANSPORT_MQTT && r->devices[i].topic) {
            ok = add(t, r->devices[i].topic);
        } else if (r->devices[i].node) {
            ok = add_node(t, r->devices[i].node);
        }
    }
    sy_registry_unref(r);
    ok = ok && (!m->replay || add(t, SY_MQTT_MARKER)) &&
         (!m->broker || add(t, SY_SPOOL_TOPIC)); /* a subscription is all that it needs */
    if (!ok) {
        topics_fini(t);
        return false;
    }
    qsort(t->v, t->n, sizeof *t->v, compare);
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (n > 0 && strcmp(t->v[n - 1], t->v[i]) == 0) {
            free(t->v[i]);
        } else {
            t->v[n++] = t->v[i];
        }
    }
    t->n = n;
    return true;
}

static bool has(const sy_mqtt__topics *t, const char *topic)
{
    return t->n && bsearch(&topic, t->v, t->n, sizeof *t->v, compare);
}

static bool ask(sy_mqtt *m, char **topics, size_t n, bool subscribe)
{
    MQTTSubscribe_options one = MQTTSubscribe_options_initializer;
    MQTTSubscribe_options each[AT_ONCE];
    int qos[AT_ONCE];
    one.retainHandling = 1;
    for (size_t i = 0; i < n; i++) {
        each[i] = one;
        qos[i] = 1;
    }
    MQTTAsync_responseOptions r = sy_mqtt__begin(m, subscribe ? (int)n : 0);
    if (subscribe && !m->v311) {
        r.subscribeOptions = one;
        r.subscribeOptionsCount = n > 1 ? (int)n : 0;
        r.subscribeOptionsList = n > 1 ? each : NULL;
    }
    int rc = subscribe ? MQTTAsync_subscribeMany(m->handle, (int)n, topics, qos, &r)
                       : MQTTAsync_unsubscribeMany(m->handle, (int)n, topics, &r);
    bool ok = sy_mqtt__await(m, rc, ANSWER_MS);
    if (ok && m->refused > 0) {
        sy_log(SY_LOG_ERROR, "mqtt-subscribe-refused",
               "topics=%d msg=\"the broker does not let us read these devices: check its ACL\"",
               m->refused);
    }
    return ok;
}

/* All topics of `a` that are not in `b`. */
static bool ask_difference(sy_mqtt *m, const sy_mqtt__topics *a, const sy_mqtt__topics *b,
                           bool subscribe)
{
    char *some[AT_ONCE];
    size_t n = 0;
    bool ok = true;
    for (size_t i = 0; i < a->n && ok; i++) {
        if (!has(b, a->v[i])) {
            some[n++] = a->v[i];
        }
        if (n == AT_ONCE || (n > 0 && i + 1 == a->n)) {
            ok = ask(m, some, n, subscribe);
            n = 0;
        }
    }
    return ok && (n == 0 || ask(m, some, n, subscribe));
}

bool sy_mqtt__subscribe(sy_mqtt *m)
{
    sy_mqtt__topics want;
    if (!wanted(m, &want)) {
        return false;
    }
    bool same = want.n == m->have.n;
    for (size_t i = 0; i < want.n && same; i++) {
        same = strcmp(want.v[i], m->have.v[i]) == 0;
    }
    bool ok = ask_difference(m, &want, &m->have, true) && ask_difference(m, &m->have, &want, false);
    if (ok && !same && m->broker) {
        sy_broker_save(m->broker);
    }
    if (ok) {
        topics_fini(&m->have);
        m->have = want;
    } else {
        topics_fini(&want);
    }
    return ok;
}
