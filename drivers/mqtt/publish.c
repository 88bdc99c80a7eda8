/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The publisher. Paho's callbacks only count; the caller's thread waits for the counts.
 */
#include "drivers/mqtt/publish.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <MQTTAsync.h>

enum { WINDOW = 100, KEEPALIVE_S = 60, SEND_MS = 60000, NO_SUBSCRIBER = 0x10 };

struct sy_publisher {
    MQTTAsync handle;
    bool v311;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under lock. */
    bool connecting, connected, lost;
    int code;
    char why[120];
    unsigned window, in_flight;
    uint64_t answered, refused;
};

static struct timespec deadline(int timeout_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (timeout_ms % 1000) * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}

static void connected_to(sy_publisher *p, bool ok, int code, const char *why, unsigned window)
{
    pthread_mutex_lock(&p->lock);
    p->connecting = false;
    p->connected = ok;
    p->code = code;
    p->window = window < WINDOW ? window : WINDOW;
    snprintf(p->why, sizeof p->why, "%.110s", why ? why : "no answer");
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static void connected5(void *ctx, MQTTAsync_successData5 *d)
{
    int most =
        MQTTProperties_hasProperty(&d->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM)
            ? (int)MQTTProperties_getNumericValue(&d->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM)
            : 65535;
    connected_to(ctx, true, 0, NULL, most > 0 ? (unsigned)most : 1);
}

static void refused5(void *ctx, MQTTAsync_failureData5 *d)
{
    const char *why = d->message;
    if (!why && d->reasonCode) {
        why = MQTTReasonCode_toString(d->reasonCode);
    }
    connected_to(ctx, false, d->reasonCode ? (int)d->reasonCode : d->code, why, 1);
}

static void connected311(void *ctx, MQTTAsync_successData *d)
{
    (void)d;
    connected_to(ctx, true, 0, NULL, 20); /* 3.1.1 cannot say; 20 is what brokers commonly allow */
}

static void refused311(void *ctx, MQTTAsync_failureData *d)
{
    connected_to(ctx, false, d ? d->code : 0, d ? d->message : NULL, 1);
}

static void lost(void *ctx, char *cause)
{
    (void)cause;
    sy_publisher *p = ctx;
    pthread_mutex_lock(&p->lock);
    p->lost = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static int ignore(void *ctx, char *topic, int n, MQTTAsync_message *m)
{
    (void)ctx;
    (void)n;
    MQTTAsync_freeMessage(&m);
    MQTTAsync_free(topic);
    return 1;
}

static void answered(sy_publisher *p, int reason)
{
    pthread_mutex_lock(&p->lock);
    p->in_flight -= p->in_flight > 0;
    p->answered++;
    p->refused += reason >= 0x80 || reason == NO_SUBSCRIBER || reason < 0;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static void published5(void *ctx, MQTTAsync_successData5 *d)
{
    answered(ctx, (int)d->reasonCode);
}

static void failed5(void *ctx, MQTTAsync_failureData5 *d)
{
    answered(ctx, d && d->reasonCode ? (int)d->reasonCode : -1);
}

static void published311(void *ctx, MQTTAsync_successData *d)
{
    (void)d;
    answered(ctx, 0);
}

static void failed311(void *ctx, MQTTAsync_failureData *d)
{
    (void)d;
    answered(ctx, -1);
}

static int begin(sy_publisher *p, const sy_publisher_options *o, int timeout_ms)
{
    MQTTAsync_connectOptions c5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions c3 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions c = o->v311 ? c3 : c5;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    c.keepAliveInterval = KEEPALIVE_S;
    c.connectTimeout = timeout_ms > 1000 ? timeout_ms / 1000 : 1;
    c.maxInflight = 65535;
    c.username = o->user;
    c.password = o->password;
    c.context = p;
    if (strncmp(o->uri, "ssl://", 6) == 0) {
        ssl.trustStore = o->ca;
        ssl.keyStore = o->cert;
        ssl.privateKey = o->key;
        ssl.enableServerCertAuth = 1;
        ssl.verify = 1;
        c.ssl = &ssl;
    }
    if (o->v311) {
        c.MQTTVersion = MQTTVERSION_3_1_1;
        c.cleansession = 1;
        c.onSuccess = connected311;
        c.onFailure = refused311;
    } else {
        c.cleanstart = 1;
        c.onSuccess5 = connected5;
        c.onFailure5 = refused5;
    }
    p->connecting = true;
    return MQTTAsync_connect(p->handle, &c);
}

static sy_err await_connection(sy_publisher *p, const char *uri, int timeout_ms, sy_fail *f)
{
    struct timespec until = deadline(timeout_ms);
    int rc = 0;
    pthread_mutex_lock(&p->lock);
    while (p->connecting && rc == 0) {
        rc = pthread_cond_timedwait(&p->changed, &p->lock, &until);
    }
    sy_err e = SY_OK;
    if (!p->connected) {
        bool denied = p->code == 0x86 || p->code == 0x87 || p->code == 4 || p->code == 5;
        e = sy_fail_make(f, denied ? SY_E_DENIED : SY_E_IO, p->code, SY_AT,
                         "cannot connect to the broker at %.100s: %s", uri,
                         p->connecting ? "no answer" : p->why);
    }
    pthread_mutex_unlock(&p->lock);
    return e;
}

sy_err sy_publisher_open(sy_publisher **out, const sy_publisher_options *o, int timeout_ms,
                         sy_fail *f)
{
    sy_publisher *p = calloc(1, sizeof *p);
    if (!p) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the MQTT publisher");
    }
    pthread_condattr_t ca;
    pthread_condattr_init(&ca);
    pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
    pthread_cond_init(&p->changed, &ca);
    pthread_condattr_destroy(&ca);
    pthread_mutex_init(&p->lock, NULL);
    p->v311 = o->v311;
    MQTTAsync_createOptions c5 = MQTTAsync_createOptions_initializer5;
    MQTTAsync_createOptions c3 = MQTTAsync_createOptions_initializer;
    MQTTAsync_createOptions c = o->v311 ? c3 : c5;
    c.MQTTVersion = o->v311 ? MQTTVERSION_3_1_1 : MQTTVERSION_5;
    int rc = MQTTAsync_createWithOptions(&p->handle, o->uri, o->client_id,
                                         MQTTCLIENT_PERSISTENCE_NONE, NULL, &c);
    if (rc == MQTTASYNC_SUCCESS) {
        rc = MQTTAsync_setCallbacks(p->handle, p, lost, ignore, NULL);
    }
    if (rc == MQTTASYNC_SUCCESS) {
        rc = begin(p, o, timeout_ms);
    }
    sy_err e = rc == MQTTASYNC_SUCCESS
                   ? await_connection(p, o->uri, timeout_ms, f)
                   : sy_fail_make(f, SY_E_IO, rc, SY_AT, "MQTT publisher for %.100s: Paho says %d",
                                  o->uri, rc);
    if (e) {
        sy_publisher_close(p);
        return e;
    }
    *out = p;
    return SY_OK;
}

/* Until at most `most` are unanswered; SY_E_AGAIN where nothing moves for timeout_ms. */
static sy_err wait_below(sy_publisher *p, unsigned most, int timeout_ms, sy_fail *f)
{
    struct timespec until = deadline(timeout_ms);
    pthread_mutex_lock(&p->lock);
    uint64_t seen = p->answered;
    int rc = 0;
    while (p->in_flight > most && !p->lost && rc == 0) {
        rc = pthread_cond_timedwait(&p->changed, &p->lock, &until);
        if (rc == ETIMEDOUT && p->answered != seen) {
            seen = p->answered;
            until = deadline(timeout_ms);
            rc = 0;
        }
    }
    sy_err e = SY_OK;
    if (p->lost) {
        e = sy_fail_set(f, SY_E_CLOSED, "connection to the broker lost");
    } else if (p->in_flight > most) {
        e = sy_fail_set(f, SY_E_AGAIN, "the broker has not acknowledged %u messages", p->in_flight);
    }
    pthread_mutex_unlock(&p->lock);
    return e;
}

sy_err sy_publisher_send(sy_publisher *p, const char *topic, sy_span payload, sy_fail *f)
{
    sy_err e = wait_below(p, p->window - 1, SEND_MS, f);
    if (e) {
        return e;
    }
    MQTTAsync_responseOptions r = MQTTAsync_responseOptions_initializer;
    r.context = p;
    if (p->v311) {
        r.onSuccess = published311;
        r.onFailure = failed311;
    } else {
        r.onSuccess5 = published5;
        r.onFailure5 = failed5;
    }
    pthread_mutex_lock(&p->lock);
    p->in_flight++;
    pthread_mutex_unlock(&p->lock);
    int rc = MQTTAsync_send(p->handle, topic, (int)payload.n, payload.p, 1, 0, &r);
    if (rc != MQTTASYNC_SUCCESS) {
        pthread_mutex_lock(&p->lock);
        p->in_flight--;
        pthread_mutex_unlock(&p->lock);
        return sy_fail_make(f, rc == MQTTASYNC_DISCONNECTED ? SY_E_CLOSED : SY_E_IO, rc, SY_AT,
                            "cannot publish to %.100s: Paho says %d", topic, rc);
    }
    return SY_OK;
}

sy_err sy_publisher_flush(sy_publisher *p, int timeout_ms, uint64_t *refused, sy_fail *f)
{
    sy_err e = wait_below(p, 0, timeout_ms, f);
    pthread_mutex_lock(&p->lock);
    *refused = p->refused;
    p->refused = 0;
    pthread_mutex_unlock(&p->lock);
    if (!e && *refused > 0) {
        e = sy_fail_set(f, SY_E_PEER,
                        "the broker refused %llu messages, or nobody subscribes to their topics",
                        (unsigned long long)*refused);
    }
    return e;
}

void sy_publisher_close(sy_publisher *p)
{
    if (!p) {
        return;
    }
    if (p->handle) {
        MQTTAsync_disconnectOptions d5 = MQTTAsync_disconnectOptions_initializer5;
        MQTTAsync_disconnectOptions d3 = MQTTAsync_disconnectOptions_initializer;
        MQTTAsync_disconnectOptions d = p->v311 ? d3 : d5;
        if (p->connected && !p->lost) {
            (void)MQTTAsync_disconnect(p->handle, &d);
        }
        MQTTAsync_destroy(&p->handle);
    }
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
