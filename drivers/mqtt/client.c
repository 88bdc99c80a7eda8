/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MQTT client: connection, and a thread of ours that keeps it up.
 *
 * Paho's own automatic reconnect hides whether the broker still had our session, and subscribes
 * nothing again. So the thread "sy-mqtt" connects by itself, for ever, with back-off and jitter,
 * and subscribes what the session lacks. It is also the only one that calls Paho, which blocks
 * every caller while a message callback waits for the disk; stop and reload only leave it a note.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "drivers/mqtt/client_int.h"

enum {
    CONNECT_S = 10,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MANAGED_MS = 1000,
    BACKOFF_REMOTE_MS = 30000,
    KEEPALIVE_S = 300,             /* an external broker: longer than a short wait for the disk */
    SESSION_EXPIRY_S = 30 * 86400, /* how long the broker keeps our messages */
    STOP_STEP_MS = 3000,
    STOP_STEPS = 5
};

static struct timespec deadline(int timeout_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (timeout_ms % 1000) * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    return t;
}

/* ---- the end of a request, on a thread of Paho's ---- */

static void finish(sy_mqtt__request *r, sy_mqtt__outcome outcome, int code, const char *why,
                   int refused)
{
    sy_mqtt *m = r->m;
    pthread_mutex_lock(&m->lock);
    if (r->number == m->request && m->outcome == SY_MQTT__PENDING) {
        m->outcome = outcome;
        m->code = code;
        m->refused = refused;
        snprintf(m->why, sizeof m->why, "%.110s", why ? why : "");
        pthread_cond_broadcast(&m->changed);
    }
    pthread_mutex_unlock(&m->lock);
}

static int count_refused5(const MQTTAsync_successData5 *d)
{
    int n = d->alt.sub.reasonCodeCount, refused = 0;
    if (n <= 1 || !d->alt.sub.reasonCodes) {
        return (int)d->reasonCode >= 0x80;
    }
    for (int i = 0; i < n; i++) {
        refused += (int)d->alt.sub.reasonCodes[i] >= 0x80;
    }
    return refused;
}

static void answered5(void *ctx, MQTTAsync_successData5 *d)
{
    finish(ctx, SY_MQTT__OK, 0, NULL, d ? count_refused5(d) : 0);
}

static void failed5(void *ctx, MQTTAsync_failureData5 *d)
{
    int code = d ? (d->reasonCode ? (int)d->reasonCode : d->code) : 0;
    const char *text = d && d->message ? d->message : NULL;
    if (!text && d && d->reasonCode) {
        text = MQTTReasonCode_toString(d->reasonCode);
    }
    finish(ctx, SY_MQTT__FAILED, code, text, 0);
}

static void answered311(void *ctx, MQTTAsync_successData *d)
{
    const sy_mqtt__request *r = ctx;
    int refused = 0;
    for (int i = 0; d && i < r->asked; i++) {
        int qos = r->asked == 1 ? d->alt.qos : d->alt.qosList ? d->alt.qosList[i] : 0;
        refused += qos == 0x80;
    }
    finish(ctx, SY_MQTT__OK, 0, NULL, refused);
}

static void failed311(void *ctx, MQTTAsync_failureData *d)
{
    finish(ctx, SY_MQTT__FAILED, d ? d->code : 0, d ? d->message : NULL, 0);
}

static void note_session(sy_mqtt__request *r, bool present)
{
    pthread_mutex_lock(&r->m->lock);
    if (r->number == r->m->request) {
        r->m->session_present = present;
    }
    pthread_mutex_unlock(&r->m->lock);
}

static void connected5(void *ctx, MQTTAsync_successData5 *d)
{
    note_session(ctx, d && d->alt.connect.sessionPresent);
    finish(ctx, SY_MQTT__OK, 0, NULL, 0);
}

static void connected311(void *ctx, MQTTAsync_successData *d)
{
    note_session(ctx, d && d->alt.connect.sessionPresent);
    finish(ctx, SY_MQTT__OK, 0, NULL, 0);
}

static void lose(sy_mqtt *m)
{
    pthread_mutex_lock(&m->lock);
    m->lost = true;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static void connection_lost(void *ctx, char *cause)
{
    (void)cause;
    lose(ctx);
}

static void disconnected_by_broker(void *ctx, MQTTProperties *p, enum MQTTReasonCodes why)
{
    (void)p;
    const char *text = MQTTReasonCode_toString(why);
    sy_log(SY_LOG_WARN, "mqtt-sent-away", "reason=%d msg=\"%s\"", (int)why, text ? text : "");
    lose(ctx);
}

/* ---- requests, on sy-mqtt ---- */

static sy_mqtt__request *next_request(sy_mqtt *m, int asked)
{
    pthread_mutex_lock(&m->lock);
    m->request++;
    m->outcome = SY_MQTT__PENDING;
    m->code = m->refused = 0;
    m->why[0] = '\0';
    sy_mqtt__request *r = &m->requests[m->request % SY_MQTT__REQUESTS];
    *r = (sy_mqtt__request){m, m->request, asked};
    pthread_mutex_unlock(&m->lock);
    return r;
}

MQTTAsync_responseOptions sy_mqtt__begin(sy_mqtt *m, int asked)
{
    MQTTAsync_responseOptions r = MQTTAsync_responseOptions_initializer;
    r.context = next_request(m, asked);
    if (m->v311) {
        r.onSuccess = answered311;
        r.onFailure = failed311;
    } else {
        r.onSuccess5 = answered5;
        r.onFailure5 = failed5;
    }
    return r;
}

/* Waits for the answer; where `whatever` is false also ends when connection or gateway end. */
static bool await(sy_mqtt *m, int rc, int timeout_ms, bool whatever)
{
    struct timespec until = deadline(timeout_ms);
    pthread_mutex_lock(&m->lock);
    if (rc != MQTTASYNC_SUCCESS) {
        m->outcome = SY_MQTT__FAILED;
        m->code = rc;
        snprintf(m->why, sizeof m->why, "%s", MQTTAsync_strerror(rc) ? MQTTAsync_strerror(rc) : "");
    }
    int timed_out = 0;
    while (m->outcome == SY_MQTT__PENDING && timed_out == 0 &&
           (whatever || !(m->stopping || m->lost))) {
        timed_out = pthread_cond_timedwait(&m->changed, &m->lock, &until);
    }
    bool ok = m->outcome == SY_MQTT__OK;
    if (m->outcome == SY_MQTT__PENDING && !whatever) {
        m->outcome = SY_MQTT__FAILED;
        snprintf(m->why, sizeof m->why, "no answer");
    }
    pthread_mutex_unlock(&m->lock);
    return ok;
}

bool sy_mqtt__await(sy_mqtt *m, int rc, int timeout_ms)
{
    return await(m, rc, timeout_ms, false);
}

static bool connect_once(sy_mqtt *m)
{
    MQTTAsync_connectOptions c5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions c3 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions c = m->v311 ? c3 : c5;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    MQTTProperties props = MQTTProperties_initializer;
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
                           .value.integer4 = SESSION_EXPIRY_S};
    pthread_mutex_lock(&m->lock);
    m->lost = false; /* from here on a loss is one of this connection */
    pthread_mutex_unlock(&m->lock);
    c.keepAliveInterval = m->managed ? 0 : KEEPALIVE_S;
    c.connectTimeout = CONNECT_S;
    c.username = m->user;
    c.password = m->password;
    if (strncmp(m->uri, "ssl://", 6) == 0) {
        ssl.trustStore = m->ca;
        ssl.keyStore = m->cert;
        ssl.privateKey = m->key;
        ssl.enableServerCertAuth = 1;
        ssl.verify = 1;
        c.ssl = &ssl;
    }
    c.context = next_request(m, 0);
    if (m->v311) {
        c.MQTTVersion = MQTTVERSION_3_1_1;
        c.cleansession = 0;
        c.onSuccess = connected311;
        c.onFailure = failed311;
    } else {
        c.cleanstart = 0;
        (void)MQTTProperties_add(&props, &expiry);
        c.connectProperties = &props;
        c.onSuccess5 = connected5;
        c.onFailure5 = failed5;
    }
    bool ok = await(m, MQTTAsync_connect(m->handle, &c), CONNECT_S * 1000 + 5000, false);
    MQTTProperties_free(&props);
    return ok;
}

/* ---- the thread ---- */

/* Sleep until there is something to do, at most timeout_ms (-1: for ever). */
static void doze(sy_mqtt *m, int timeout_ms)
{
    struct timespec until = deadline(timeout_ms > 0 ? timeout_ms : 0);
    pthread_mutex_lock(&m->lock);
    int rc = 0;
    while (rc == 0 && !m->stopping &&
           !(m->connected && (m->lost || m->reload || m->n_asked || m->unsent))) {
        rc = timeout_ms < 0 ? pthread_cond_wait(&m->changed, &m->lock)
                            : pthread_cond_timedwait(&m->changed, &m->lock, &until);
    }
    pthread_mutex_unlock(&m->lock);
}

/* Likewise, but that something waits to be published is no reason to wake: it was refused just now.
 */
static void pause_for(sy_mqtt *m, int timeout_ms)
{
    struct timespec until = deadline(timeout_ms);
    int rc = 0;
    pthread_mutex_lock(&m->lock);
    while (rc == 0 && !m->stopping && !m->lost && !m->reload) {
        rc = pthread_cond_timedwait(&m->changed, &m->lock, &until);
    }
    pthread_mutex_unlock(&m->lock);
}

static int backoff_ms(const sy_mqtt *m, int failures)
{
    int most = m->managed ? BACKOFF_MANAGED_MS : BACKOFF_REMOTE_MS;
    int ms = failures < 10 ? BACKOFF_FIRST_MS << failures : most;
    ms = ms < most ? ms : most;
    uint16_t chance;
    sy_random(&chance, sizeof chance);
    return ms / 2 + (int)((unsigned)ms / 2 * chance / 65535);
}

static bool try_connect(sy_mqtt *m, int *failures)
{
    bool ok = connect_once(m);
    pthread_mutex_lock(&m->lock);
    m->connected = ok;
    bool stop = m->stopping, present = m->session_present;
    pthread_mutex_unlock(&m->lock);
    if (ok) {
        *failures = 0;
        sy_mqtt__keep_again(m);
        if (!present) {
            sy_mqtt__forget(m);
        }
        sy_log(SY_LOG_INFO, "mqtt-connected", "session=%s", present ? "kept" : "new");
    } else if (!stop) {
        sy_log(SY_LOG_WARN, "mqtt-connect-failed", "code=%d msg=\"%s\"", m->code, m->why);
        doze(m, backoff_ms(m, (*failures)++));
    }
    return ok;
}

/* The state as one turn of the loop sees it. */
static bool take_state(sy_mqtt *m, bool *connected, bool *subscribed)
{
    pthread_mutex_lock(&m->lock);
    if (m->connected && m->lost) {
        m->connected = m->subscribed = false;
        sy_log(SY_LOG_WARN, "mqtt-lost", "msg=\"connection to the broker lost\"");
    }
    if (m->reload) {
        m->reload = m->subscribed = false;
    }
    *connected = m->connected;
    *subscribed = m->subscribed;
    bool go_on = !m->stopping;
    pthread_mutex_unlock(&m->lock);
    return go_on;
}

static void disconnect(sy_mqtt *m)
{
    MQTTAsync_disconnectOptions d5 = MQTTAsync_disconnectOptions_initializer5;
    MQTTAsync_disconnectOptions d3 = MQTTAsync_disconnectOptions_initializer;
    MQTTAsync_disconnectOptions d = m->v311 ? d3 : d5;
    d.timeout = 2000;
    d.context = next_request(m, 0);
    if (m->v311) {
        d.onSuccess = answered311;
        d.onFailure = failed311;
    } else {
        d.onSuccess5 = answered5;
        d.onFailure5 = failed5;
    }
    int rc = MQTTAsync_disconnect(m->handle, &d);
    /* What was received goes through the callback first; a callback that makes no headway is left.
     */
    for (int step = 0; step < STOP_STEPS; step++) {
        uint64_t before = atomic_load(&m->handled);
        if (await(m, rc, STOP_STEP_MS, true) || rc != MQTTASYNC_SUCCESS ||
            atomic_load(&m->handled) == before) {
            break;
        }
    }
}

static void *run(void *arg)
{
    sy_mqtt *m = arg;
    sy_thread_name("sy-mqtt");
    bool connected, subscribed;
    int failures = 0;
    while (take_state(m, &connected, &subscribed)) {
        if (!connected) {
            (void)try_connect(m, &failures);
        } else if (!subscribed) {
            bool ok = sy_mqtt__subscribe(m);
            pthread_mutex_lock(&m->lock);
            m->subscribed = ok && !m->lost && !m->reload;
            pthread_cond_broadcast(&m->changed);
            pthread_mutex_unlock(&m->lock);
            if (!ok) {
                doze(m, BACKOFF_MANAGED_MS);
            }
        } else {
            bool sent = sy_mqtt__keep_send(m);
            sy_mqtt__ask(m);
            if (sent) {
                doze(m, -1);
            } else {
                pause_for(m, BACKOFF_REMOTE_MS);
            }
        }
    }
    if (connected) {
        disconnect(m);
    }
    pthread_mutex_lock(&m->lock);
    m->connected = m->subscribed = false;
    m->thread_done = true;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/* ---- public ---- */

static bool copy(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return !text || *out;
}

static void release(sy_mqtt *m)
{
    (void)sy_mqtt__take_stop(m, 0); /* ended before, or never begun */
    if (m->handle) {
        MQTTAsync_destroy(&m->handle);
    }
    sy_mqtt__forget(m);
    sy_mqtt__keep_fini(m);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    free(m->uri);
    free(m->client_id);
    free(m->user);
    free(m->password);
    free(m->ca);
    free(m->cert);
    free(m->key);
    free(m);
}

static sy_err create(sy_mqtt *m, sy_fail *f)
{
    MQTTAsync_createOptions c5 = MQTTAsync_createOptions_initializer5;
    MQTTAsync_createOptions c3 = MQTTAsync_createOptions_initializer;
    MQTTAsync_createOptions c = m->v311 ? c3 : c5;
    if (m->v311) {
        c.MQTTVersion = MQTTVERSION_3_1_1;
    }
    int rc = MQTTAsync_createWithOptions(&m->handle, m->uri, m->client_id,
                                         MQTTCLIENT_PERSISTENCE_NONE, NULL, &c);
    if (rc == MQTTASYNC_SUCCESS) {
        rc = MQTTAsync_setCallbacks(m->handle, m, connection_lost, sy_mqtt__arrived, NULL);
    }
    if (rc == MQTTASYNC_SUCCESS && !m->v311) {
        rc = MQTTAsync_setDisconnected(m->handle, m, disconnected_by_broker);
    }
    if (rc != MQTTASYNC_SUCCESS) {
        return sy_fail_make(f, SY_E_USAGE, rc, SY_AT, "MQTT client for %.120s: %s (%d)", m->uri,
                            MQTTAsync_strerror(rc) ? MQTTAsync_strerror(rc) : "refused", rc);
    }
    return SY_OK;
}

sy_err sy_mqtt_start(sy_mqtt **out, const sy_mqtt_options *o, const sy_intake *intake,
                     sy_registry_slot *devices, sy_fail *f)
{
    sy_mqtt *m = calloc(1, sizeof *m);
    if (!m) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the MQTT client");
    }
    pthread_condattr_t ca;
    pthread_condattr_init(&ca);
    pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
    pthread_cond_init(&m->changed, &ca);
    pthread_condattr_destroy(&ca);
    pthread_mutex_init(&m->lock, NULL);
    m->managed = o->managed;
    m->v311 = o->v311;
    m->replay = o->replay;
    m->max_payload = o->max_payload;
    m->intake = intake;
    m->broker = o->broker;
    m->devices = devices;
    m->taker_stop_fd = m->wake_fd = -1;
    bool ok = copy(&m->uri, o->uri) && copy(&m->client_id, o->client_id) &&
              copy(&m->user, o->user) && copy(&m->password, o->password) && copy(&m->ca, o->ca) &&
              copy(&m->cert, o->cert) && copy(&m->key, o->key);
    sy_err e = ok ? SY_OK : sy_fail_set(f, SY_E_NOMEM, "no memory for the MQTT client");
    e = e ? e : create(m, f);
    if (!e && m->broker) {
        e = sy_mqtt__take_start(m, f);
    }
    if (!e) { /* Paho's threads inherit this: signals are the main thread's */
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int rc = pthread_create(&m->thread, NULL, run, m);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        errno = rc;
        e = rc ? sy_fail_sys(f, "cannot start the MQTT thread") : SY_OK;
    }
    if (e) {
        release(m);
        return e;
    }
    *out = m;
    return SY_OK;
}

void sy_mqtt_reload(sy_mqtt *m)
{
    pthread_mutex_lock(&m->lock);
    m->reload = true;
    m->subscribed = false;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

bool sy_mqtt_connected(const sy_mqtt *m)
{
    sy_mqtt *w = (sy_mqtt *)m; /* the lock is not part of what const promises */
    pthread_mutex_lock(&w->lock);
    bool yes = w->connected && !w->lost;
    pthread_mutex_unlock(&w->lock);
    return yes;
}

bool sy_mqtt_wait_ready(sy_mqtt *m, int timeout_ms)
{
    struct timespec until = deadline(timeout_ms);
    int rc = 0;
    pthread_mutex_lock(&m->lock);
    while (!(m->connected && m->subscribed && !m->lost) && rc == 0) {
        rc = pthread_cond_timedwait(&m->changed, &m->lock, &until);
    }
    bool ready = m->connected && m->subscribed && !m->lost;
    pthread_mutex_unlock(&m->lock);
    return ready;
}

bool sy_mqtt_stop(sy_mqtt *m)
{
    if (!m) {
        return true;
    }
    int rc = 0;
    uint64_t before = atomic_load(&m->handled);
    struct timespec until = deadline(STOP_STEP_MS + 1000);
    bool took = sy_mqtt__take_stop(m, STOP_STEP_MS);
    pthread_mutex_lock(&m->lock);
    m->stopping = true;
    pthread_cond_broadcast(&m->changed);
    /* The thread may sit in a call to Paho behind a callback that cannot keep its message. */
    while (!m->thread_done && rc == 0) {
        rc = pthread_cond_timedwait(&m->changed, &m->lock, &until);
        if (rc != 0 && atomic_load(&m->handled) != before) {
            before = atomic_load(&m->handled);
            until = deadline(STOP_STEP_MS + 1000);
            rc = 0;
        }
    }
    bool done = m->thread_done;
    pthread_mutex_unlock(&m->lock);
    if (done) {
        pthread_join(m->thread, NULL);
    }
    if (!done || atomic_load(&m->in_callback)) {
        atomic_store(&m->abandoned, true);
        sy_log(SY_LOG_WARN, "mqtt-left-unacknowledged",
               "msg=\"a message could not be kept; the broker sends it again\"");
        if (!done) {
            pthread_detach(m->thread);
        }
        return false;
    }
    if (!took) {
        atomic_store(&m->abandoned, true);
        sy_log(SY_LOG_WARN, "mqtt-left-unacknowledged",
               "msg=\"a message could not be kept; it stays in the spool\"");
        return false;
    }
    release(m);
    return true;
}
