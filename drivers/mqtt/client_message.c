/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens with one message: it is kept, then acknowledged.
 *
 * Paho sends the acknowledgement after the callback has returned, whatever it returns; on 0 it
 * keeps the message in memory only, and loses it with the process. So the callback returns 1, and
 * only once the message is in the journal, or was refused for good. While it cannot be kept the
 * callback stays: Paho reads no further, and the broker keeps the rest. Where the gateway ends
 * meanwhile, the callback never returns; the broker sends the message again to the next gateway.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "drivers/mqtt/client_int.h"

enum { RETRY_MS = 200 };

static _Noreturn void stay(void)
{
    for (;;) {
        pause();
    }
}

/* The disk may come back: the same call again, until it does. */
static void nap(const sy_mqtt *m, const char *what, const sy_fail *f)
{
    if (f->code == SY_E_CLOSED || atomic_load(&m->abandoned)) {
        stay();
    }
    sy_log_fail(SY_LOG_ERROR, what, f);
    struct timespec t = {.tv_nsec = RETRY_MS * 1000000L};
    nanosleep(&t, NULL);
}

static void keep(sy_mqtt *m, const sy_message *msg)
{
    const sy_intake *in = m->intake;
    sy_fail f = {0};
    uint64_t seq = 0;
    bool kept = false;
    sy_err e;
    while ((e = in->submit(in->ctx, msg, &seq, &kept, &f)) != SY_OK) {
        if (e == SY_E_RANGE || e == SY_E_PARSE) { /* will never fit: waiting would block the rest */
            in->rejected(in->ctx, SY_TRANSPORT_MQTT, SY_REJECT_MALFORMED, msg->source, f.text);
            return;
        }
        nap(m, "mqtt-not-kept", &f);
    }
    while (in->strict && in->wait_synced(in->ctx, seq, &f) != SY_OK) {
        nap(m, "mqtt-not-synced", &f);
    }
}

static bool is_marker(const sy_mqtt *m, const sy_message *msg)
{
    if (!m->replay || !sy_span_is(msg->source, SY_MQTT_MARKER)) {
        return false;
    }
    uint64_t n = 0;
    for (size_t i = 0; i < msg->payload.n && i < 18; i++) {
        char c = msg->payload.p[i];
        if (c < '0' || c > '9') {
            break;
        }
        n = n * 10 + (uint64_t)(c - '0');
    }
    if (m->intake->marker) {
        m->intake->marker(m->intake->ctx, n);
    }
    return true;
}

/* A panel's message is no reading; what it asks for is in the log before this returns. A stored
 * copy is nothing that somebody does now. */
static void press(const sy_mqtt *m, const sy_device *d, const sy_message *msg)
{
    sy_press p = {.transport = SY_TRANSPORT_MQTT,
                  .device = sy_span_of(d->id),
                  .premises = sy_span_of(d->panel),
                  .payload = msg->payload};
    sy_fail f = {0};
    if (!(msg->flags & SY_MSG_RETAINED) && sy_intake_press(m->intake, &p, &f)) {
        sy_log_fail(SY_LOG_DEBUG, "panel-refused", &f);
    }
}

/* True where the topic is that of a device that may send readings; else it is refused, or done. */
static bool known(const sy_mqtt *m, const sy_message *msg)
{
    sy_span topic = msg->source;
    sy_registry *r = sy_registry_slot_get(m->devices);
    const sy_device *d = sy_registry_by_topic(r, topic);
    bool yes = d && d->transport == SY_TRANSPORT_MQTT && !d->revoked;
    if (yes && d->panel) {
        press(m, d, msg);
        yes = false;
    } else if (!yes) {
        sy_refusal why = {.transport = SY_TRANSPORT_MQTT,
                          .why = SY_REJECT_UNKNOWN_DEVICE,
                          .who = topic,
                          .detail = "no device has this topic"};
        if (d && d->revoked) {
            why.why = SY_REJECT_NOT_ALLOWED;
            why.reason = "revoked-device";
            why.who = sy_span_of(d->id);
            why.detail = "this device was revoked";
        }
        sy_intake_refuse(m->intake, &why);
    }
    sy_registry_unref(r);
    return yes;
}

bool sy_mqtt__admits(sy_mqtt *m, const sy_message *msg)
{
    const sy_intake *in = m->intake;
    if (is_marker(m, msg)) {
        return false;
    }
    if (!known(m, msg)) {
        return false;
    }
    if (msg->payload.n > m->max_payload) {
        char detail[64];
        snprintf(detail, sizeof detail, "%zu bytes, the limit is %zu", msg->payload.n,
                 m->max_payload);
        in->rejected(in->ctx, SY_TRANSPORT_MQTT, SY_REJECT_TOO_LARGE, msg->source, detail);
        return false;
    }
    return true;
}

static void handle(sy_mqtt *m, sy_span topic, const MQTTAsync_message *message)
{
    unsigned char ident[2] = {(unsigned char)((unsigned)message->msgid >> 8),
                              (unsigned char)message->msgid};
    bool promise = message->qos > 0;
    sy_message msg = {
        .transport = SY_TRANSPORT_MQTT,
        .flags = (uint8_t)((message->retained ? SY_MSG_RETAINED : 0) |
                           (message->dup ? SY_MSG_DUP : 0) | (promise ? SY_MSG_PROMISE : 0)),
        .content_format = 0xffff,
        .source = topic,
        .ident = {(const char *)ident, promise ? sizeof ident : 0},
        .payload = {message->payload, message->payloadlen > 0 ? (size_t)message->payloadlen : 0},
    };
    if (sy_mqtt__admits(m, &msg)) {
        keep(m, &msg);
    }
}

int sy_mqtt__arrived(void *ctx, char *topic, int topic_n, MQTTAsync_message *message)
{
    sy_mqtt *m = ctx;
    atomic_store(&m->in_callback, true);
    if (atomic_load(&m->abandoned)) {
        stay();
    }
    /* Paho gives a length only where the topic holds a NUL. */
    handle(m, topic_n > 0 ? (sy_span){topic, (size_t)topic_n} : sy_span_of(topic), message);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    atomic_fetch_add(&m->handled, 1);
    atomic_store(&m->in_callback, false);
    return 1;
}
