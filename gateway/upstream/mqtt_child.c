/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process for MQTT. Paho's callbacks run on its own thread and write their answers at once; the
 * main thread reads the input and publishes. Either may end the process, since nothing in it
 * counts.
 *
 * Paho 1.3.12 stalls where its own window fills, so that is never reached: the gateway sends no
 * more than the window that is told in UP, which is within the broker's receive maximum.
 */
#include "upstream/mqtt_child.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <MQTTAsync.h>

#include "base/os.h"
#include "upstream/mqtt_child_tls.h"
#include "upstream/mqtt_frame.h"

enum {
    INPUT = 0,
    KEEPALIVE_S = 30,
    WINDOW_MOST = 100,
    WINDOW_311 = 20, /* 3.1.1 cannot say; brokers commonly allow 20 */
    PAHO_MOST = 65535,
    READ_SIZE = 65536,
    NO_QOS1 = 0
};

typedef struct child {
    const char *texts[SY_MQTT_TEXTS];
    char at[300]; /* host:port, for messages */
    MQTTAsync handle;
    sy_mqtt_tls tls;
    bool v311;
    pthread_mutex_t lock; /* of the output */
    sy_buf out;
    char said[200]; /* by OpenSSL, last */
} child;

/* One event under way. */
typedef struct slot {
    child *c;
    uint32_t number;
} slot;

static void give(child *c, const sy_mqtt_frame *x, bool last)
{
    pthread_mutex_lock(&c->lock);
    sy_buf_reset(&c->out);
    sy_mqtt_put(&c->out, x);
    for (size_t sent = 0; sent < c->out.n && !c->out.failed;) {
        ssize_t n = send(INPUT, c->out.p + sent, c->out.n - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            _exit(0); /* nobody listens any longer */
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    if (last) {
        _exit(0);
    }
    pthread_mutex_unlock(&c->lock);
}

/* The last words. */
static void down(child *c, sy_err code, const char *what, const char *why)
{
    char text[480];
    int n = snprintf(text, sizeof text, "%.200s %s: %.200s", c->at, what, why);
    size_t size = n < (int)sizeof text ? (size_t)n : sizeof text - 1;
    for (size_t i = 0; i < size; i++) {
        text[i] = (unsigned char)text[i] < 0x20 ? ' ' : text[i];
    }
    const sy_mqtt_frame x = {.kind = SY_MQTT_DOWN, .code = (uint8_t)code, .body = {text, size}};
    give(c, &x, true);
}

static void up(child *c, unsigned window, unsigned most)
{
    if (!c->tls.verified) {
        down(c, SY_E_DENIED, "is not let in", "its certificate was not checked");
    }
    const sy_mqtt_frame x = {
        .kind = SY_MQTT_UP, .number = window < WINDOW_MOST ? window : WINDOW_MOST, .most = most};
    give(c, &x, false);
}

static unsigned property(MQTTProperties *p, enum MQTTPropertyCodes code, unsigned otherwise)
{
    return MQTTProperties_hasProperty(p, code) ? (unsigned)MQTTProperties_getNumericValue(p, code)
                                               : otherwise;
}

static void connected5(void *arg, MQTTAsync_successData5 *d)
{
    child *c = arg;
    if (property(&d->properties, MQTTPROPERTY_CODE_MAXIMUM_QOS, 2) == NO_QOS1) {
        down(c, SY_E_PEER, "cannot be used", "it takes no messages at QoS 1");
    }
    up(c, property(&d->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM, PAHO_MOST),
       property(&d->properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, 0));
}

static void connected311(void *arg, MQTTAsync_successData *d)
{
    (void)d;
    up(arg, WINDOW_311, 0);
}

static const char *refusal(int code)
{
    switch (code) {
    case 1:
    case 0x84:
        return "it does not speak this version of MQTT; see the key 'version'";
    case 2:
    case 0x85:
        return "it does not like our client id";
    case 3:
    case 0x88:
        return "it is not available now";
    case 4:
    case 0x86:
        return "it does not know this user or password";
    case 5:
    case 0x87:
        return "it does not let this certificate or user in";
    default:
        return NULL;
    }
}

static void refused(child *c, int code, const char *message)
{
    const char *why = refusal(code);
    if (c->tls.why[0]) {
        down(c, c->tls.sick ? SY_E_USAGE : SY_E_DENIED, "has a certificate that is refused",
             c->tls.why);
    }
    if (why) {
        down(c, code == 3 || code == 0x88 ? SY_E_IO : SY_E_PEER, "refused us", why);
    }
    why = c->said[0] ? c->said : message ? message : "no answer";
    down(c, SY_E_IO, "cannot be reached", why);
}

static void refused5(void *arg, MQTTAsync_failureData5 *d)
{
    refused(arg, d ? (d->reasonCode ? (int)d->reasonCode : d->code) : 0, d ? d->message : NULL);
}

static void refused311(void *arg, MQTTAsync_failureData *d)
{
    refused(arg, d ? d->code : 0, d ? d->message : NULL);
}

static void lost(void *arg, char *cause)
{
    child *c = arg;
    down(c, SY_E_IO, "closed the connection",
         c->said[0] ? c->said
         : cause    ? cause
                    : "events may be under way, and are sent again");
}

static int ignore(void *arg, char *topic, int n, MQTTAsync_message *m)
{
    (void)arg;
    (void)n;
    MQTTAsync_freeMessage(&m);
    MQTTAsync_free(topic);
    return 1;
}

static int on_tls_error(const char *text, size_t n, void *arg)
{
    child *c = arg;
    snprintf(c->said, sizeof c->said, "%.*s", (int)(n < 190 ? n : 190), text);
    return 1;
}

static void answer(slot *s, int code)
{
    const sy_mqtt_frame x = {.kind = SY_MQTT_ANSWER, .number = s->number, .code = (uint8_t)code};
    give(s->c, &x, false);
    free(s);
}

static void published5(void *arg, MQTTAsync_successData5 *d)
{
    answer(arg, d ? (int)d->reasonCode : 0);
}

/* A reason from 0x80 on is the broker's; anything else is the connection, of which `lost` tells. */
static void failed5(void *arg, MQTTAsync_failureData5 *d)
{
    if (d && d->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR) {
        answer(arg, (int)d->reasonCode);
    } else {
        free(arg);
    }
}

static void published311(void *arg, MQTTAsync_successData *d)
{
    (void)d;
    answer(arg, 0);
}

static void failed311(void *arg, MQTTAsync_failureData *d)
{
    (void)d;
    free(arg);
}

static const char *given(const child *c, sy_mqtt_text which)
{
    return c->texts[which][0] ? c->texts[which] : NULL;
}

static int connect_to(child *c)
{
    MQTTAsync_connectOptions c5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions c3 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions o = c->v311 ? c3 : c5;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    long timeout = strtol(c->texts[SY_MQTT_TIMEOUT], NULL, 10) / 1000;
    o.keepAliveInterval = KEEPALIVE_S;
    o.connectTimeout = timeout > 0 ? (int)timeout : 1;
    o.maxInflight = PAHO_MOST;
    o.username = given(c, SY_MQTT_USER);
    o.password = given(c, SY_MQTT_PASSWORD);
    o.context = c;
    ssl.trustStore = given(c, SY_MQTT_CA);
    ssl.keyStore = given(c, SY_MQTT_CERT);
    ssl.privateKey = given(c, SY_MQTT_KEY);
    ssl.enableServerCertAuth = 1;
    ssl.verify = 0; /* the name is checked with the chain */
    ssl.disableDefaultTrustStore = 1;
    ssl.ssl_error_cb = on_tls_error;
    ssl.ssl_error_context = c;
    o.ssl = &ssl;
    if (c->v311) {
        o.MQTTVersion = MQTTVERSION_3_1_1;
        o.cleansession = 1;
        o.onSuccess = connected311;
        o.onFailure = refused311;
    } else {
        o.cleanstart = 1;
        o.onSuccess5 = connected5;
        o.onFailure5 = refused5;
    }
    return MQTTAsync_connect(c->handle, &o);
}

static void begin(child *c, const sy_mqtt_frame *setup)
{
    char uri[320];
    memcpy(c->texts, setup->texts, sizeof c->texts);
    const char *host = c->texts[SY_MQTT_HOST], *port = c->texts[SY_MQTT_PORT];
    bool v6 = strchr(host, ':') != NULL;
    snprintf(c->at, sizeof c->at, v6 ? "[%.250s]:%.8s" : "%.250s:%.8s", host, port);
    snprintf(uri, sizeof uri, "ssl://%.299s", c->at);
    c->v311 = strcmp(c->texts[SY_MQTT_VERSION], "3.1.1") == 0;
    c->tls.host = host;
    c->tls.crl = c->texts[SY_MQTT_CRL];
    c->tls.now_s = strtoll(c->texts[SY_MQTT_NOW], NULL, 10) / 1000;
    MQTTAsync_createOptions c5 = MQTTAsync_createOptions_initializer5;
    MQTTAsync_createOptions c3 = MQTTAsync_createOptions_initializer;
    MQTTAsync_createOptions o = c->v311 ? c3 : c5;
    o.MQTTVersion = c->v311 ? MQTTVERSION_3_1_1 : MQTTVERSION_5;
    o.maxBufferedMessages = 2 * WINDOW_MOST;
    int rc = sy_mqtt_tls_arm(&c->tls) ? MQTTASYNC_SUCCESS : MQTTASYNC_FAILURE;
    if (rc == MQTTASYNC_SUCCESS) {
        rc = MQTTAsync_createWithOptions(&c->handle, uri, c->texts[SY_MQTT_CLIENT],
                                         MQTTCLIENT_PERSISTENCE_NONE, NULL, &o);
    }
    if (rc == MQTTASYNC_SUCCESS) {
        rc = MQTTAsync_setCallbacks(c->handle, c, lost, ignore, NULL);
    }
    if (rc == MQTTASYNC_SUCCESS) {
        rc = connect_to(c);
    }
    if (rc != MQTTASYNC_SUCCESS) {
        char why[64];
        snprintf(why, sizeof why, "Paho says %d", rc);
        down(c, SY_E_IO, "cannot be reached", why);
    }
}

static void publish(child *c, const sy_mqtt_frame *event)
{
    static char type[] = "application/cloudevents+json; charset=UTF-8";
    char topic[SY_MQTT_TOPIC_MAX + 1];
    MQTTAsync_responseOptions r = MQTTAsync_responseOptions_initializer;
    MQTTAsync_message m = MQTTAsync_message_initializer;
    MQTTProperty content = {.identifier = MQTTPROPERTY_CODE_CONTENT_TYPE};
    slot *s = malloc(sizeof *s);
    if (!s || event->topic.n >= sizeof topic) {
        down(c, SY_E_NOMEM, "is not told", "no memory for an event");
        return;
    }
    *s = (slot){c, event->number};
    memcpy(topic, event->topic.p, event->topic.n);
    topic[event->topic.n] = 0;
    m.payload = (void *)(uintptr_t)event->body.p;
    m.payloadlen = (int)event->body.n;
    m.qos = 1;
    r.context = s;
    if (c->v311) {
        r.onSuccess = published311;
        r.onFailure = failed311;
    } else {
        r.onSuccess5 = published5;
        r.onFailure5 = failed5;
        content.value.data = (MQTTLenString){(int)(sizeof type - 1), type};
        MQTTProperties_add(&m.properties, &content);
    }
    int rc = MQTTAsync_sendMessage(c->handle, topic, &m, &r);
    MQTTProperties_free(&m.properties);
    if (rc != MQTTASYNC_SUCCESS && rc != MQTTASYNC_DISCONNECTED) {
        char why[64];
        snprintf(why, sizeof why, "Paho says %d", rc);
        down(c, SY_E_IO, "cannot be told", why);
    }
}

static void disconnected5(void *arg, MQTTAsync_successData5 *d)
{
    (void)arg;
    (void)d;
    _exit(0);
}

static void disconnected311(void *arg, MQTTAsync_successData *d)
{
    (void)arg;
    (void)d;
    _exit(0);
}

/* In good order, so that the broker does not take it for a lost connection. The gateway kills a
 * process that takes long over it. */
static void leave(child *c)
{
    MQTTAsync_disconnectOptions d5 = MQTTAsync_disconnectOptions_initializer5;
    MQTTAsync_disconnectOptions d3 = MQTTAsync_disconnectOptions_initializer;
    MQTTAsync_disconnectOptions o = c->v311 ? d3 : d5;
    if (c->v311) {
        o.onSuccess = disconnected311;
    } else {
        o.onSuccess5 = disconnected5;
    }
    if (!c->handle || MQTTAsync_disconnect(c->handle, &o) != MQTTASYNC_SUCCESS) {
        _exit(0);
    }
    while (pause() != 0) {
    }
}

/* What came: frames up to `*taken`. */
static void each_frame(child *c, const sy_buf *in, size_t *taken)
{
    for (size_t used = 1; used > 0; *taken += used) {
        sy_mqtt_frame x;
        if (sy_mqtt_take((sy_span){in->p + *taken, in->n - *taken}, &x, &used) != SY_OK) {
            _exit(1);
        }
        if (used > 0 && x.kind == SY_MQTT_EVENT && c->handle) {
            publish(c, &x);
        }
    }
}

static void read_more(child *c, sy_buf *in)
{
    char part[READ_SIZE];
    ssize_t n = recv(INPUT, part, sizeof part, 0);
    if (n == 0 || (n < 0 && errno != EINTR)) {
        leave(c);
    }
    sy_buf_put(in, part, n > 0 ? (size_t)n : 0);
    if (in->failed) {
        _exit(1);
    }
}

int sy_mqtt_child(int argc, char **argv)
{
    (void)argv;
    struct sockaddr_storage unused;
    socklen_t size = sizeof unused;
    if (argc > 1 || getsockname(INPUT, (struct sockaddr *)&unused, &size) != 0) {
        fputs("steelyard mqtt-road: the gateway starts this for a destination of kind mqtt\n",
              stderr);
        return 2;
    }
    prctl(PR_SET_NAME, "sy-mqtt-road");
    child c = {.lock = PTHREAD_MUTEX_INITIALIZER};
    sy_buf setup, in;
    size_t used = 0;
    sy_mqtt_frame x;
    sy_buf_init(&c.out, sy_heap());
    sy_buf_init(&setup, sy_heap());
    sy_buf_init(&in, sy_heap());
    while (used == 0) {
        read_more(&c, &setup);
        if (sy_mqtt_take(sy_buf_span(&setup), &x, &used) != SY_OK ||
            (used > 0 && x.kind != SY_MQTT_SETUP)) {
            return 1;
        }
    }
    sy_buf_put(&in, setup.p + used, setup.n - used);
    begin(&c, &x); /* its texts stay in `setup` */
    for (;;) {
        size_t taken = 0;
        each_frame(&c, &in, &taken);
        memmove(in.p, in.p + taken, in.n - taken);
        in.n -= taken;
        read_more(&c, &in);
    }
}
