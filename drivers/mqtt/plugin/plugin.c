/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steelyard's plugin of the managed mosquitto: what a device publishes at QoS 1 or 2 is in the
 * spool before the device is told that it came.
 *
 * mosquitto calls us for each PUBLISH, on its only thread, before it sends PUBACK or PUBREC. What
 * cannot be written is answered with an error that is not ACL_DENIED (that one is a PUBACK to a
 * 3.1.1 device): no acknowledgement, the connection is closed, the device sends again. CONN_LOST,
 * since mosquitto says then that the client closed its connection, which disturbs nobody.
 *
 * What is in the spool the gateway takes from there. So the message itself goes no further: its
 * topic becomes SY_SPOOL_TOPIC, where the gateway's subscription keeps the reason code of the
 * acknowledgement a plain success, and the ACL lets nobody read. QoS 0 and last wills, which nobody
 * was promised anything about, go on by the gateway's subscription.
 *
 * Options: dir, floor, bytes, reserve, sync, strict, page and wake (descriptors that the gateway
 * left open for us). Built against 2.0's plugin interface, version 5.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include "drivers/mqtt/plugin/spool_write.h"

typedef struct plugin {
    mosquitto_plugin_id_t *id;
    sy_spool *spool;
    sy_spool_page *page;
} plugin;

/* The broker looks up by name what its header declares. */
#define EXPORT __attribute__((visibility("default")))

static void say(void *ctx, sy_spool_state state, const char *why)
{
    (void)ctx;
    if (state == SY_SPOOL_FINE) {
        mosquitto_log_printf(MOSQ_LOG_NOTICE, SY_SPOOL_SAYS_ACCEPTS);
    } else {
        mosquitto_log_printf(MOSQ_LOG_ERR, SY_SPOOL_SAYS_REFUSES "%s", why);
    }
}

static int on_message(int event, void *data, void *user)
{
    (void)event;
    struct mosquitto_evt_message *m = data;
    plugin *p = user;
    if (m->qos == 0) {
        return MOSQ_ERR_SUCCESS;
    }
    sy_spool_rec rec = {.qos = m->qos,
                        .retain = m->retain,
                        .topic = sy_span_of(m->topic),
                        .client = sy_span_of(mosquitto_client_id(m->client)),
                        .user = sy_span_of(mosquitto_client_username(m->client)),
                        .payload = {m->payload, m->payloadlen}};
    sy_err e = sy_spool_append(p->spool, &rec, NULL);
    if (e) {
        return MOSQ_ERR_CONN_LOST;
    }
    m->retain = false;
    memcpy(m->topic, SY_SPOOL_TOPIC, sizeof SY_SPOOL_TOPIC); /* in place: no topic is shorter */
    return MOSQ_ERR_SUCCESS;
}

static const char *option(const struct mosquitto_opt *options, int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(options[i].key, name) == 0) {
            return options[i].value;
        }
    }
    return "";
}

static uint64_t number(const struct mosquitto_opt *options, int n, const char *name)
{
    return strtoull(option(options, n, name), NULL, 10);
}

static int fail(plugin *p, const char *why)
{
    mosquitto_log_printf(MOSQ_LOG_ERR, "Error: steelyard's plugin: %s", why);
    if (p) {
        sy_spool_close(p->spool);
        if (p->page) {
            munmap(p->page, SY_SPOOL_PAGE);
        }
    }
    free(p);
    return MOSQ_ERR_UNKNOWN;
}

static sy_err open_spool(plugin *p, const struct mosquitto_opt *options, int n, sy_fail *f)
{
    int page_fd = (int)number(options, n, "page"), wake_fd = (int)number(options, n, "wake");
    void *page = page_fd > 2
                     ? mmap(NULL, SY_SPOOL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0)
                     : MAP_FAILED;
    if (page == MAP_FAILED) {
        return sy_fail_sys(f, "it runs in a mosquitto that a gateway starts, and nowhere else");
    }
    p->page = page;
    sy_spool_options o = {.dir = option(options, n, "dir"),
                          .floor = number(options, n, "floor"),
                          .max_bytes = number(options, n, "bytes"),
                          .reserve_bytes = number(options, n, "reserve"),
                          .sync_ms = (int)number(options, n, "sync"),
                          .strict = number(options, n, "strict") != 0,
                          .page = p->page,
                          .wake_fd = wake_fd > 2 ? wake_fd : -1,
                          .say = say};
    sy_spool_io io = sy_spool_system();
    return sy_spool_open(&p->spool, &o, &io, f);
}

EXPORT int mosquitto_plugin_version(int supported_version_count, const int *supported_versions)
{
    for (int i = 0; i < supported_version_count; i++) {
        if (supported_versions[i] == 5) {
            return 5;
        }
    }
    return -1;
}

EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
                                 struct mosquitto_opt *options, int option_count)
{
    plugin *p = calloc(1, sizeof *p);
    if (!p) {
        return fail(p, "no memory");
    }
    p->id = identifier;
    sy_fail f = {0};
    if (open_spool(p, options, option_count, &f)) {
        return fail(p, f.text);
    }
    if (mosquitto_callback_register(identifier, MOSQ_EVT_MESSAGE, on_message, NULL, p) !=
        MOSQ_ERR_SUCCESS) {
        return fail(p, "the broker does not show it the messages");
    }
    atomic_store(&p->page->pid, (uint64_t)getpid());
    *userdata = p;
    return MOSQ_ERR_SUCCESS;
}

EXPORT int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int option_count)
{
    (void)options;
    (void)option_count;
    plugin *p = userdata;
    if (p) {
        mosquitto_callback_unregister(p->id, MOSQ_EVT_MESSAGE, on_message, NULL);
        sy_spool_close(p->spool);
        munmap(p->page, SY_SPOOL_PAGE);
        free(p);
    }
    return MOSQ_ERR_SUCCESS;
}
