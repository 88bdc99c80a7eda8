/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gateway keeps published for those who listen: a text a topic, retained, QoS 1. Only the
 * client's own thread calls Paho; others leave the text here, and the newest wins.
 */
#include <stdlib.h>

#include "base/log.h"
#include "drivers/mqtt/client_int.h"

enum { ANSWER_MS = 10000 };

/* Under lock. */
static sy_mqtt__kept *find(sy_mqtt *m, const char *topic)
{
    for (size_t i = 0; i < m->n_kept; i++) {
        if (strcmp(m->kept[i].topic, topic) == 0) {
            return &m->kept[i];
        }
    }
    return NULL;
}

/* Under lock; takes both. */
static sy_err put(sy_mqtt *m, char *topic, char *text)
{
    sy_mqtt__kept *k = find(m, topic);
    sy_err e = SY_OK;
    if (!k) {
        e = sy_grow(sy_heap(), (void **)&m->kept, &m->cap_kept, m->n_kept + 1, sizeof *m->kept);
        if (!e) {
            m->kept[m->n_kept++] = (sy_mqtt__kept){.topic = topic, .text = text};
        }
    } else if (strcmp(k->text, text) == 0) {
        free(topic);
        free(text);
        return SY_OK;
    } else {
        free(topic);
        free(k->text);
        *k = (sy_mqtt__kept){.topic = k->topic, .text = text};
    }
    m->unsent = m->unsent || !e;
    pthread_cond_broadcast(&m->changed);
    return e;
}

sy_err sy_mqtt_keep(sy_mqtt *m, const char *topic, const char *text, sy_fail *f)
{
    char *t = strdup(topic), *x = strdup(text);
    sy_err e = SY_E_NOMEM;
    if (t && x) {
        pthread_mutex_lock(&m->lock);
        e = put(m, t, x);
        pthread_mutex_unlock(&m->lock);
    }
    if (e) {
        free(t);
        free(x);
        return sy_fail_set(f, e, "no memory for what is published at %.100s", topic);
    }
    return SY_OK;
}

void sy_mqtt__keep_again(sy_mqtt *m)
{
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->n_kept; i++) {
        m->kept[i].sent = false;
    }
    m->unsent = m->n_kept > 0;
    pthread_mutex_unlock(&m->lock);
}

/* The next that is to be sent, copied; marked as sent, so that a newer text says otherwise. */
static bool next(sy_mqtt *m, char **topic, char **text, size_t *at)
{
    bool found = false;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->n_kept && !found; i++) {
        if (!m->kept[i].sent) {
            *topic = strdup(m->kept[i].topic);
            *text = strdup(m->kept[i].text);
            m->kept[i].sent = true;
            *at = i;
            found = true;
        }
    }
    m->unsent = found;
    pthread_mutex_unlock(&m->lock);
    return found;
}

static void not_sent(sy_mqtt *m, size_t at)
{
    pthread_mutex_lock(&m->lock);
    m->kept[at].sent = false;
    m->unsent = true;
    pthread_mutex_unlock(&m->lock);
}

bool sy_mqtt__keep_send(sy_mqtt *m)
{
    char *topic, *text, shown[300];
    size_t at;
    bool ok = true;
    while (ok && next(m, &topic, &text, &at)) {
        ok = topic && text;
        if (ok) {
            MQTTAsync_responseOptions r = sy_mqtt__begin(m, 0);
            int n = (int)strlen(text);
            ok = sy_mqtt__await(m, MQTTAsync_send(m->handle, topic, n, text, 1, 1, &r), ANSWER_MS);
        }
        if (!ok) {
            not_sent(m, at);
            sy_log(SY_LOG_WARN, "mqtt-not-published", "topic=%s code=%d",
                   sy_logq(sy_span_of(topic ? topic : ""), shown, sizeof shown), m->code);
        }
        free(topic);
        free(text);
    }
    return ok;
}

void sy_mqtt__keep_fini(sy_mqtt *m)
{
    for (size_t i = 0; i < m->n_kept; i++) {
        free(m->kept[i].topic);
        free(m->kept[i].text);
    }
    free(m->kept);
}
