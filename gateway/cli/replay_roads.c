/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two roads of a replay: MQTT on the caller's thread, CoAP on one of its own for the time of a
 * step, so that they race as devices do.
 *
 * A gateway that is killed and started again meanwhile costs a delay: what was not acknowledged is
 * sent again for up to PATIENCE_MS. What arrives twice is recognised by its content.
 */
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/replay_int.h"
#include "control/control.h"
#include "drivers/coap/send.h"
#include "drivers/formats/format.h"
#include "drivers/mqtt/mqtt.h"
#include "drivers/mqtt/publish.h"

enum {
    PATIENCE_MS = 120000,
    NAP_MS = 250,
    CONNECT_MS = 10000,
    ACK_MS = 60000,
    BARRIER_MS = 120000,
    SHOWN = 5
};

struct sy_replay_roads {
    const sy_config *c;
    sy_publisher *mqtt;
    sy_coap_sender *coap;
    uint64_t marker;
    sy_replay_counts counts;
    sy_coap_out *out; /* of the step */
    size_t n_out, cap_out;
    bool uses_mqtt;
};

/* ---- where the gateway listens ---- */

static void nap(void)
{
    struct timespec t = {.tv_nsec = NAP_MS * 1000000L};
    nanosleep(&t, NULL);
}

sy_err sy_replay_ask(const sy_config *c, const char *line, int timeout_ms, sy_buf *answer,
                     sy_fail *f)
{
    sy_ms until = sy_mono_ms() + PATIENCE_MS;
    for (;;) {
        sy_buf_reset(answer);
        sy_err e = sy_control_ask(c->data, line, timeout_ms, answer, f);
        bool away = e == SY_E_NOTFOUND || e == SY_E_CLOSED || e == SY_E_IO;
        if (!away || sy_mono_ms() > until) {
            return e;
        }
        nap();
    }
}

static json_t *gateway_status(sy_replay_roads *r, sy_fail *f)
{
    sy_buf answer;
    sy_buf_init(&answer, sy_heap());
    json_t *status = NULL;
    sy_err e = sy_control_ask(r->c->data, "status", CONNECT_MS, &answer, f);
    if (!e) {
        status = json_loadb(answer.p, answer.n, 0, NULL);
        if (!status) {
            sy_fail_set(f, SY_E_PARSE, "the gateway's status is not JSON");
        }
    }
    sy_buf_fini(&answer);
    return status;
}

/* Paho's spelling of the address that the gateway itself uses. */
static sy_err mqtt_uri(sy_replay_roads *r, char *out, size_t size, sy_fail *f)
{
    json_t *status = gateway_status(r, f);
    if (!status) {
        return f->code;
    }
    const char *uri = json_string_value(json_object_get(json_object_get(status, "mqtt"), "uri"));
    sy_err e = SY_OK;
    if (!uri) {
        e = sy_fail_set(f, SY_E_USAGE, "the running gateway has no MQTT");
    } else if (strncmp(uri, "mqtts://", 8) == 0) {
        snprintf(out, size, "ssl://%s", uri + 8);
    } else if (strncmp(uri, "mqtt://", 7) == 0) {
        snprintf(out, size, "tcp://%s", uri + 7);
    } else {
        snprintf(out, size, "%s", uri);
    }
    json_decref(status);
    return e;
}

static sy_err coap_address(sy_replay_roads *r, char *out, size_t size, sy_fail *f)
{
    json_t *status = gateway_status(r, f);
    if (!status) {
        return f->code;
    }
    json_t *ports = json_object_get(json_object_get(status, "coap"), "ports");
    long long port = json_integer_value(json_array_get(ports, 0));
    json_decref(status);
    if (r->c->n_coap_listen == 0 || port <= 0) {
        return sy_fail_set(f, SY_E_USAGE, "the running gateway has no CoAP without DTLS");
    }
    const char *listen = r->c->coap_listen[0], *colon = strrchr(listen, ':');
    sy_span host = {listen, colon ? (size_t)(colon - listen) : strlen(listen)};
    host = sy_span_is(host, "0.0.0.0") ? sy_span_of("127.0.0.1") : host;
    host = sy_span_is(host, "[::]") ? sy_span_of("[::1]") : host;
    snprintf(out, size, "%.*s:%lld", (int)host.n, host.p, port);
    return SY_OK;
}

/* ---- MQTT ---- */

static sy_err replay_password(const sy_config *c, sy_buf *out, sy_fail *f)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/mqtt/replay.password", c->data);
    sy_err e = sy_file_read(path, 200, out, f);
    return e ? sy_fail_wrap(f, "the gateway must run with --clock replay") : SY_OK;
}

static sy_err open_mqtt(sy_replay_roads *r, sy_fail *f)
{
    const sy_config *c = r->c;
    bool managed = strcmp(c->broker, "managed") == 0;
    char uri[512], id[40];
    sy_buf password;
    sy_buf_init(&password, sy_heap());
    sy_err e = mqtt_uri(r, uri, sizeof uri, f);
    if (!e && managed) {
        e = replay_password(c, &password, f);
    }
    snprintf(id, sizeof id, "replay-%lld", (long long)sy_wall_ms());
    sy_publisher_options o = {.uri = uri,
                              .client_id = id,
                              .user = managed ? SY_MQTT_REPLAY_USER : c->mqtt_user,
                              .password = managed ? password.p : c->mqtt_password,
                              .ca = managed ? NULL : c->mqtt_tls.ca,
                              .cert = managed ? NULL : c->mqtt_tls.cert,
                              .key = managed ? NULL : c->mqtt_tls.key,
                              .v311 = !managed && c->mqtt_v311};
    e = e ? e : sy_publisher_open(&r->mqtt, &o, CONNECT_MS, f);
    sy_buf_fini(&password);
    return e;
}

static void leave_mqtt(sy_replay_roads *r)
{
    sy_publisher_close(r->mqtt);
    r->mqtt = NULL;
}

/* "a/#" is also the topic "a". */
static void topic_of(const sy_device *d, char *out, size_t size)
{
    size_t n = strlen(d->topic);
    snprintf(out, size, "%s", d->topic);
    if (n >= 2 && n < size && strcmp(out + n - 2, "/#") == 0) {
        out[n - 2] = '\0';
    }
}

static sy_err mqtt_once(sy_replay_roads *r, const sy_replay_step *s, uint64_t *sent, sy_fail *f)
{
    sy_err e = r->mqtt ? SY_OK : open_mqtt(r, f);
    *sent = 0;
    for (size_t i = 0; i < s->n_messages && !e; i++) {
        const sy_replay_message *m = &s->messages[i];
        char topic[512];
        if (m->device->transport == SY_TRANSPORT_MQTT) {
            topic_of(m->device, topic, sizeof topic);
            e = sy_publisher_send(r->mqtt, topic, (sy_span){s->payload.p + m->at, m->n}, f);
            ++*sent;
        }
    }
    uint64_t refused = 0;
    if (r->mqtt && !e) {
        e = sy_publisher_flush(r->mqtt, ACK_MS, &refused, f);
    }
    return e;
}

static bool worth_another(sy_err e)
{
    return e == SY_E_CLOSED || e == SY_E_IO || e == SY_E_AGAIN || e == SY_E_NOTFOUND ||
           e == SY_E_PEER || e == SY_E_DENIED;
}

static sy_err deliver_mqtt(sy_replay_roads *r, const sy_replay_step *s, sy_fail *f)
{
    bool any = false;
    for (size_t i = 0; i < s->n_messages && !any; i++) {
        any = s->messages[i].device->transport == SY_TRANSPORT_MQTT;
    }
    r->uses_mqtt = r->uses_mqtt || any;
    sy_ms until = sy_mono_ms() + PATIENCE_MS;
    uint64_t sent = 0;
    sy_err e = SY_OK;
    while (any && (e = mqtt_once(r, s, &sent, f)) != SY_OK) {
        leave_mqtt(r);
        if (!worth_another(e) || sy_mono_ms() > until) {
            return e;
        }
        nap();
    }
    r->counts.mqtt += sent;
    return e;
}

sy_err sy_replay_barrier(sy_replay_roads *r, sy_fail *f)
{
    if (!r->uses_mqtt) {
        return SY_OK; /* CoAP answers after the journal has the message */
    }
    char line[64];
    sy_buf answer;
    sy_buf_init(&answer, sy_heap());
    sy_ms until = sy_mono_ms() + PATIENCE_MS;
    sy_err e;
    uint64_t refused;
    do {
        r->marker++;
        snprintf(line, sizeof line, "%llu", (unsigned long long)r->marker);
        e = r->mqtt ? SY_OK : open_mqtt(r, f);
        e = e ? e : sy_publisher_send(r->mqtt, SY_MQTT_MARKER, sy_span_of(line), f);
        e = e ? e : sy_publisher_flush(r->mqtt, ACK_MS, &refused, f);
        if (!e) {
            snprintf(line, sizeof line, "barrier %llu", (unsigned long long)r->marker);
            e = sy_control_ask(r->c->data, line, BARRIER_MS, &answer, f);
        }
        if (e) {
            leave_mqtt(r);
            nap();
        }
    } while (e && worth_another(e) && sy_mono_ms() < until);
    sy_buf_fini(&answer);
    r->uses_mqtt = false;
    return e;
}

/* ---- CoAP ---- */

static uint16_t content_format(const sy_device *d)
{
    const sy_format *f = sy_format_find(sy_span_of(d->format));
    return f ? f->content_format : 0;
}

static sy_err prepare_coap(sy_replay_roads *r, const sy_replay_step *s, sy_fail *f)
{
    void *data = r->out;
    sy_err e = sy_grow(sy_heap(), &data, &r->cap_out, s->n_messages + 1, sizeof *r->out);
    r->out = data;
    r->n_out = 0;
    if (e) {
        return sy_fail_set(f, e, "no memory for the messages");
    }
    for (size_t i = 0; i < s->n_messages; i++) {
        const sy_replay_message *m = &s->messages[i];
        if (m->device->transport == SY_TRANSPORT_COAP) {
            r->out[r->n_out++] = (sy_coap_out){.device = m->device->id,
                                               .content_format = content_format(m->device),
                                               .payload = {s->payload.p + m->at, m->n}};
        }
    }
    return SY_OK;
}

/* How many are neither acknowledged nor refused for good. */
static size_t unanswered(const sy_replay_roads *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_out; i++) {
        n += r->out[i].code == 0 || r->out[i].code >= 500;
    }
    return n;
}

static sy_err coap_once(sy_replay_roads *r, sy_fail *f)
{
    char address[128];
    sy_err e = SY_OK;
    if (!r->coap) {
        e = coap_address(r, address, sizeof address, f);
        e = e ? e : sy_coap_sender_open(&r->coap, address, f);
    }
    return e ? e : sy_coap_sender_send(r->coap, r->out, r->n_out, f);
}

static void count_coap(sy_replay_roads *r)
{
    for (size_t i = 0; i < r->n_out; i++) {
        const sy_coap_out *o = &r->out[i];
        if (o->code / 100 == 2) {
            r->counts.coap++;
        } else if (r->counts.refused++ < SHOWN) {
            fprintf(stderr, "steelyard: %s: refused with %d.%02d: %s\n", o->device, o->code / 100,
                    o->code % 100, o->reason);
        }
    }
}

static sy_err deliver_coap(sy_replay_roads *r, sy_fail *f)
{
    sy_ms until = sy_mono_ms() + PATIENCE_MS;
    for (;;) {
        sy_err e = coap_once(r, f);
        if (!e && unanswered(r) == 0) {
            count_coap(r);
            return SY_OK;
        }
        if (!e) {
            e = sy_fail_set(f, SY_E_AGAIN, "%zu CoAP messages are not acknowledged", unanswered(r));
        }
        sy_coap_sender_close(r->coap);
        r->coap = NULL;
        if (!worth_another(e) || sy_mono_ms() > until) {
            return e;
        }
        nap();
    }
}

typedef struct coap_job {
    sy_replay_roads *r;
    sy_err e;
    sy_fail f;
} coap_job;

static void *coap_thread(void *arg)
{
    coap_job *j = arg;
    sy_thread_name("sy-replay-coap");
    j->e = deliver_coap(j->r, &j->f);
    return NULL;
}

/* ---- both ---- */

sy_err sy_replay_deliver(sy_replay_roads *r, const sy_replay_step *s, sy_fail *f)
{
    sy_err e = prepare_coap(r, s, f);
    if (e) {
        return e;
    }
    coap_job job = {.r = r};
    pthread_t thread;
    bool threaded = r->n_out > 0 && r->n_out < s->n_messages &&
                    pthread_create(&thread, NULL, coap_thread, &job) == 0;
    if (!threaded && r->n_out > 0) {
        (void)coap_thread(&job);
    }
    e = deliver_mqtt(r, s, f);
    if (threaded) {
        pthread_join(thread, NULL);
    }
    if (!e && job.e) {
        e = job.e;
        *f = job.f;
    }
    return e;
}

/* Before anything is sent: is it there, and is its clock ours to move? */
static sy_err first_contact(sy_replay_roads *r, sy_fail *f)
{
    json_t *status = gateway_status(r, f);
    if (!status) {
        return sy_fail_wrap(f, "start it with steelyard run --clock replay");
    }
    const char *clock = json_string_value(json_object_get(status, "clock"));
    bool replay = clock && strcmp(clock, "replay") == 0;
    json_decref(status);
    return replay ? SY_OK
                  : sy_fail_set(f, SY_E_USAGE, "the gateway does not run with --clock replay");
}

sy_err sy_replay_roads_open(sy_replay_roads **out, const sy_config *c, sy_fail *f)
{
    for (size_t i = 0; i < c->n_devices; i++) {
        if (c->devices[i].observe) {
            return sy_fail_set(f, SY_E_UNSUPPORTED,
                               "device %s is a server that the gateway observes: a replay cannot "
                               "speak for it; give it 'from: 127.0.0.0/8' in place of 'observe'",
                               c->devices[i].id);
        }
        if (c->devices[i].transport == SY_TRANSPORT_COAP &&
            c->devices[i].credential != SY_CRED_NONE) {
            return sy_fail_set(f, SY_E_UNSUPPORTED,
                               "device %s: replay speaks CoAP without a key only: give the device "
                               "credential: none, from: 127.0.0.0/8 for the replay",
                               c->devices[i].id);
        }
    }
    sy_replay_roads *r = calloc(1, sizeof *r);
    if (!r) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory");
    }
    r->c = c;
    r->marker = (uint64_t)sy_wall_ms() * 1000; /* above those of any replay before */
    sy_err e = first_contact(r, f);
    if (e) {
        free(r);
        return e;
    }
    *out = r;
    return SY_OK;
}

sy_replay_counts sy_replay_counts_of(const sy_replay_roads *r)
{
    return r->counts;
}

void sy_replay_roads_close(sy_replay_roads *r)
{
    if (!r) {
        return;
    }
    leave_mqtt(r);
    sy_coap_sender_close(r->coap);
    free(r->out);
    free(r);
}
