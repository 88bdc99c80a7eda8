/* SPDX-License-Identifier: Apache-2.0 */
/* Broker, MQTT, CoAP, HJ 212 and Modbus, as the configuration asks for them. */
#include <stdio.h>

#include "base/log.h"
#include "run/service_int.h"

enum { MANAGED_WAIT_MS = 10000, EXTERNAL_WAIT_MS = 3000 };

const char *sy_service__mqtt_uri(const sy_service *s)
{
    return s->broker ? sy_broker_uri(s->broker) : s->config->broker;
}

static sy_err open_broker(sy_service *s, sy_fail *f)
{
    const sy_config *c = s->config;
    char dir[4200], writes[300] = "";
    snprintf(dir, sizeof dir, "%s/mqtt", s->data);
    if (c->on_site.on)
        snprintf(writes, sizeof writes, "%.256s/#", c->on_site.topic);
    sy_broker_options o = {.dir = dir,
                           .listen = c->mqtt_listen,
                           .n_listen = c->n_mqtt_listen,
                           .ca = c->mqtt_tls.ca,
                           .cert = c->mqtt_tls.cert,
                           .key = c->mqtt_tls.key,
                           .cert_listen = c->cert_listen,
                           .n_cert_listen = c->n_cert_listen,
                           .cert_ca = c->cert_ca,
                           .cert_crl = c->cert_crl,
                           .writes = writes[0] ? writes : NULL,
                           .max_payload = c->max_payload,
                           .replay_user = s->o.replay,
                           .intake = sy_gate_intake(s->gate),
                           .sync_ms = (int)c->sync};
    sy_registry *devices = sy_registry_slot_get(s->devices);
    sy_err err = sy_broker_start(&s->broker, &o, devices, f);
    sy_registry_unref(devices);
    return err;
}

/* mqtt://host:1883 in Paho's spelling. */
static void paho_uri(const char *broker, char *out, size_t size)
{
    bool tls = strncmp(broker, "mqtts://", 8) == 0;
    const char *rest = strstr(broker, "://");
    snprintf(out, size, "%s%s", tls ? "ssl" : "tcp", rest ? rest : broker);
}

static sy_err open_mqtt(sy_service *s, sy_fail *f)
{
    const sy_config *c = s->config;
    bool managed = strcmp(c->broker, "managed") == 0;
    char uri[512], id[160];
    if (managed) {
        sy_err err = open_broker(s, f);
        if (err)
            return err;
        snprintf(uri, sizeof uri, "%s", sy_broker_uri(s->broker));
    } else {
        paho_uri(c->broker, uri, sizeof uri);
    }
    snprintf(id, sizeof id, "steelyard-%.120s", c->id);
    sy_mqtt_options o = {.uri = uri,
                         .client_id = id,
                         .user = managed ? sy_broker_user(s->broker) : c->mqtt_user,
                         .password = managed ? sy_broker_password(s->broker) : c->mqtt_password,
                         .ca = managed ? NULL : c->mqtt_tls.ca,
                         .cert = managed ? NULL : c->mqtt_tls.cert,
                         .key = managed ? NULL : c->mqtt_tls.key,
                         .managed = managed,
                         .broker = managed ? s->broker : NULL,
                         .v311 = !managed && c->mqtt_v311,
                         .replay = s->o.replay,
                         .max_payload = c->max_payload};
    sy_err err = sy_mqtt_start(&s->mqtt, &o, sy_gate_intake(s->gate), s->devices, f);
    if (err)
        return err;
    pthread_mutex_lock(&s->asks_lock);
    s->asks = s->mqtt;
    pthread_mutex_unlock(&s->asks_lock);
    if (!sy_mqtt_wait_ready(s->mqtt, managed ? MANAGED_WAIT_MS : EXTERNAL_WAIT_MS))
        sy_log(SY_LOG_WARN, "mqtt-not-connected", "uri=%s msg=\"going on; it is tried for ever\"",
               uri);
    return SY_OK;
}

static sy_coap_files coap_files(const sy_config *c)
{
    return (sy_coap_files){c->psk_file, c->dtls.ca, c->dtls.cert, c->dtls.key};
}

static sy_err open_coap(sy_service *s, sy_fail *f)
{
    const sy_config *c = s->config;
    sy_coap_options o = {.listen = c->coap_listen,
                         .n_listen = c->n_coap_listen,
                         .dtls_listen = c->dtls_listen,
                         .n_dtls_listen = c->n_dtls_listen,
                         .files = coap_files(c),
                         .max_payload = c->max_payload};
    sy_coap *coap = NULL;
    sy_err err = sy_coap_start(&coap, &o, sy_gate_intake(s->gate), s->devices, f);
    if (err)
        return err;
    atomic_store(&s->coap, coap);
    /* A message of before the start may be sent again: it is synced, and no sync need follow. */
    sy_coap_synced(coap, sy_journal_synced(s->journal));
    return SY_OK;
}

sy_err sy_service__transports_open(sy_service *s, sy_fail *f)
{
    sy_err err = s->config->broker ? open_mqtt(s, f) : SY_OK;
    if (!err && s->config->coap)
        err = open_coap(s, f);
    if (!err && s->config->n_hj212_listen)
        err = sy_hj212_start(&s->hj212, s->config->hj212_listen, s->config->n_hj212_listen,
                             sy_gate_intake(s->gate), s->devices, f);
    if (!err && !s->o.replay)
        err = sy_modbus_start(&s->modbus, sy_gate_intake(s->gate), s->devices, f);
    const sy_self_options self = {.intake = sy_gate_intake(s->gate),
                                  .devices = s->devices,
                                  .journal = s->journal,
                                  .store = s->store,
                                  .keeper = s->keeper,
                                  .broker = s->broker,
                                  .data = s->data,
                                  .root = ""};
    if (!err && !s->o.replay)
        err = sy_self_start(&s->self, &self, s->config, f);
    return err ? err : sy_service__onsite_open(s, f);
}

void sy_service__transports_reload(sy_service *s, sy_config *next)
{
    if (s->broker) {
        sy_fail why = {0};
        sy_registry *devices = sy_registry_slot_get(s->devices);
        if (sy_broker_reload(s->broker, devices, &why))
            sy_log_fail(SY_LOG_ERROR, "broker-reload-failed", &why);
        sy_registry_unref(devices);
    }
    if (s->mqtt)
        sy_mqtt_reload(s->mqtt);
    sy_coap *coap = atomic_load(&s->coap);
    sy_coap_files files = coap_files(next);
    if (coap)
        sy_coap_reload(coap, &files);
    if (s->modbus)
        sy_modbus_reload(s->modbus);
    if (s->self)
        sy_self_configure(s->self, next);
    sy_service__onsite_reload(s, next);
}
