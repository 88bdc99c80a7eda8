/* SPDX-License-Identifier: Apache-2.0 */
/* The floor for MQTT: a Paho MQTTAsync client that subscribes at QoS 1 and only counts:
 * count_mqtt PORT MESSAGES. Prints "ready", then one line of JSON. */
#include <MQTTAsync.h>
#include <pthread.h>
#include <string.h>

#include "bench_util.h"

typedef struct counter {
    MQTTAsync client;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long want, seen;
    double first, last;
    int subscribed;
} counter;

static int arrived(void *ctx, char *topic, int n, MQTTAsync_message *m)
{
    (void)n;
    counter *c = ctx;
    pthread_mutex_lock(&c->lock);
    if (c->seen++ == 0)
        c->first = bench_now();
    if (c->seen == c->want) {
        c->last = bench_now();
        pthread_cond_signal(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    MQTTAsync_freeMessage(&m);
    MQTTAsync_free(topic);
    return 1;
}

static void subscribed(void *ctx, MQTTAsync_successData5 *r)
{
    (void)r;
    counter *c = ctx;
    pthread_mutex_lock(&c->lock);
    c->subscribed = 1;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void failed(void *ctx, MQTTAsync_failureData5 *r)
{
    (void)ctx;
    fprintf(stderr, "failed: %d %s\n", r->code, r->message ? r->message : "");
    exit(1);
}

static void connected(void *ctx, MQTTAsync_successData5 *r)
{
    (void)r;
    counter *c = ctx;
    MQTTAsync_callOptions o = MQTTAsync_callOptions_initializer;
    o.onSuccess5 = subscribed;
    o.onFailure5 = failed;
    o.context = c;
    MQTTAsync_subscribe(c->client, "bench/#", 1, &o);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: count_mqtt PORT MESSAGES\n", stderr);
        return 2;
    }
    counter c = {.lock = PTHREAD_MUTEX_INITIALIZER,
                 .changed = PTHREAD_COND_INITIALIZER,
                 .want = atol(argv[2])};
    char uri[64];
    snprintf(uri, sizeof uri, "tcp://127.0.0.1:%d", atoi(argv[1]));
    MQTTAsync_createOptions co = MQTTAsync_createOptions_initializer5;
    MQTTAsync_connectOptions o = MQTTAsync_connectOptions_initializer5;
    if (MQTTAsync_createWithOptions(&c.client, uri, "bench-count", MQTTCLIENT_PERSISTENCE_NONE,
                                    NULL, &co) != MQTTASYNC_SUCCESS)
        return 1;
    MQTTAsync_setCallbacks(c.client, &c, NULL, arrived, NULL);
    o.keepAliveInterval = 60;
    o.cleanstart = 1;
    o.onSuccess5 = connected;
    o.onFailure5 = failed;
    o.context = &c;
    if (MQTTAsync_connect(c.client, &o) != MQTTASYNC_SUCCESS)
        return 1;
    pthread_mutex_lock(&c.lock);
    while (!c.subscribed)
        pthread_cond_wait(&c.changed, &c.lock);
    puts("ready");
    fflush(stdout);
    while (c.seen < c.want)
        pthread_cond_wait(&c.changed, &c.lock);
    pthread_mutex_unlock(&c.lock);
    bench_report(c.last - c.first, c.seen);
    return 0;
}
