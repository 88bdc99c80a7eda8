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
 * acknowledgement a plain success, and nobody may read. QoS 0 and last wills, which nobody
 * was promised anything about, go on by the gateway's subscription.
 *
 * It also says who may log in and who may write what, from the file that the gateway makes: a
 * change holds at once and takes no signal, and who may no longer log in is cut off. A device that
 * writes to a topic that is not its own is cut off, too: mosquitto would acknowledge the message
 * and drop it.
 *
 * What the gateway itself publishes (what is active, for panels) goes on as in any broker.
 *
 * A user of "s" in that file is a device that nobody knows yet: what it publishes, at any quality
 * of service, is put into the spool under that user's name, STRANGER_A_SECOND messages a second at
 * most, and the gateway keeps it aside.
 *
 * On a listener that asks for certificates (certs.h) the common name is the user.
 *
 * Options: access, authority, revoked, dir, floor, bytes, reserve, sync, strict, page and wake
 * (descriptors that the gateway left open for us). Built against 2.0's plugin interface, version 5.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include "drivers/mqtt/broker_int.h"
#include "drivers/mqtt/plugin/access.h"
#include "drivers/mqtt/plugin/certs.h"
#include "drivers/mqtt/plugin/spool_write.h"

typedef struct plugin {
    mosquitto_plugin_id_t *id;
    sy_spool *spool;
    sy_spool_page *page;
    char *access_path;
    sy_access *access;
    uint64_t access_seen;  /* as the page counted when it was read */
    sy_ms access_failed;   /* when it last could not be read; 0: it could */
    sy_certs *certs;       /* NULL: no listener asks for certificates */
    sy_ms looked;          /* epoch ms: users whose time was over by then are cut off */
    sy_ms stranger_second; /* monotonic: when the count below began */
    unsigned stranger_count;
} plugin;

enum { ACCESS_MAX = 64 << 20, AGAIN_MS = 1000, STRANGER_A_SECOND = 16 };

/* The broker looks up by name what its header declares. */
#define EXPORT __attribute__((visibility("default")))

/* ---- what is published ---- */

static void say(void *ctx, sy_spool_state state, const char *why)
{
    (void)ctx;
    if (state == SY_SPOOL_FINE) {
        mosquitto_log_printf(MOSQ_LOG_NOTICE, SY_SPOOL_SAYS_ACCEPTS);
    } else {
        mosquitto_log_printf(MOSQ_LOG_ERR, SY_SPOOL_SAYS_REFUSES "%s", why);
    }
}

static void say_refused(const char *reason, const char *peer, const char *who)
{
    mosquitto_log_printf(MOSQ_LOG_NOTICE, SY_SPOOL_SAYS_REFUSED "%s %s %.160s", reason,
                         peer && peer[0] ? peer : "-", who && who[0] ? who : "-");
}

/* A stranger that floods is heard no more than this. */
static bool stranger_may(plugin *p)
{
    sy_ms now = sy_mono_ms();
    if (now - p->stranger_second >= 1000) {
        p->stranger_second = now;
        p->stranger_count = 0;
    }
    return p->stranger_count++ < STRANGER_A_SECOND;
}

static int on_message(int event, void *data, void *user)
{
    (void)event;
    struct mosquitto_evt_message *m = data;
    plugin *p = user;
    bool stranger = sy_access_is_stranger(p->access, mosquitto_client_username(m->client));
    const char *who = mosquitto_client_username(m->client);
    bool box = who && strcmp(who, SY_BROKER__GATEWAY_USER) == 0; /* for panels, not for us */
    if (box || (m->qos == 0 && !stranger)) {
        return MOSQ_ERR_SUCCESS;
    }
    sy_spool_rec rec = {.qos = m->qos ? m->qos : 1,
                        .retain = m->retain,
                        .topic = sy_span_of(m->topic),
                        .client = sy_span_of(mosquitto_client_id(m->client)),
                        .user = sy_span_of(mosquitto_client_username(m->client)),
                        .payload = {m->payload, m->payloadlen}};
    sy_err e = !stranger || stranger_may(p) ? sy_spool_append(p->spool, &rec, NULL) : SY_OK;
    if (e) {
        return MOSQ_ERR_CONN_LOST;
    }
    m->retain = false;
    memcpy(m->topic, SY_SPOOL_TOPIC, sizeof SY_SPOOL_TOPIC); /* in place: no topic is shorter */
    return MOSQ_ERR_SUCCESS;
}

/* ---- who may ---- */

static void cut_off(void *ctx, const char *user)
{
    (void)ctx;
    (void)mosquitto_kick_client_by_username(user, false);
}

/* Read the file of users, where it is new. On failure the old one stays. */
static sy_err refresh(plugin *p, sy_fail *f)
{
    uint64_t now = atomic_load(&p->page->access);
    if (p->access && now == p->access_seen) {
        return SY_OK;
    }
    sy_buf text;
    sy_access *next = NULL;
    sy_buf_init(&text, sy_heap());
    sy_err e = sy_file_read(p->access_path, ACCESS_MAX, &text, f);
    e = e ? e : sy_access_parse(&next, sy_buf_span(&text), f);
    sy_buf_fini(&text);
    p->access_failed = e ? sy_mono_ms() : 0;
    if (e) {
        return e;
    }
    p->access_seen = now;
    sy_access *old = p->access;
    p->access = next;
    sy_access_revoked(old, next, cut_off, p);
    sy_access_free(old);
    return SY_OK;
}

/* A new list of revoked certificates makes mosquitto ask again for all that are connected, as after
 * SIGHUP. */
static void look_at_revoked(plugin *p)
{
    sy_fail f = {0};
    bool changed = false;
    if (p->certs && !sy_certs_refresh(p->certs, &changed, &f)) {
        mosquitto_log_printf(MOSQ_LOG_ERR,
                             "Error: steelyard's plugin: revoked certificates stay as they were: "
                             "%s",
                             f.text);
    }
    if (changed) {
        raise(SIGHUP);
    }
}

/* Now and then: whose time is over is cut off. */
static void look_at_time(plugin *p)
{
    sy_ms now = sy_wall_ms();
    if (now >= p->looked && now - p->looked < AGAIN_MS) {
        return;
    }
    sy_access_ended(p->access, p->looked, now, cut_off, p);
    p->looked = now;
    look_at_revoked(p);
}

static void look(plugin *p)
{
    sy_fail f = {0};
    if (p->access_failed && sy_mono_ms() - p->access_failed < AGAIN_MS) {
        return;
    }
    if (refresh(p, &f)) {
        mosquitto_log_printf(MOSQ_LOG_ERR, "Error: steelyard's plugin: users stay as they were: %s",
                             f.text);
    }
}

static int on_tick(int event, void *data, void *user)
{
    (void)event;
    (void)data;
    look(user);
    look_at_time(user);
    return MOSQ_ERR_SUCCESS;
}

static const char *login_word(sy_access_verdict v)
{
    switch (v) {
    case SY_ACCESS_YES:
    case SY_ACCESS_YES_OLD:
        break;
    case SY_ACCESS_UNKNOWN:
        return "unknown-device";
    case SY_ACCESS_WRONG:
        return "wrong-password";
    case SY_ACCESS_OVER:
        return "too-late";
    case SY_ACCESS_REVOKED:
        return "revoked-device";
    }
    return NULL;
}

/* Who the certificate says it is; what else it calls itself must be the same. */
static const char *certificate_word(const plugin *p, const struct mosquitto_evt_basic_auth *a,
                                    void *cert, char name[SY_CERTS_NAME])
{
    const char *word = sy_certs_judge(p->certs, cert, name);
    sy_access_verdict v = sy_access_certificate(p->access, name);
    if (!word) {
        word = v == SY_ACCESS_WRONG ? "not-by-certificate" : login_word(v);
    }
    if (!word && a->username && strcmp(a->username, name) != 0) {
        word = "speaks-for-another";
    }
    if (!word && !a->username && mosquitto_set_username(a->client, name) != MOSQ_ERR_SUCCESS) {
        word = "no-memory";
    }
    return word;
}

static int on_login(int event, void *data, void *user)
{
    (void)event;
    const struct mosquitto_evt_basic_auth *a = data;
    plugin *p = user;
    look(p);
    char name[SY_CERTS_NAME];
    const char *who = a->username ? a->username : mosquitto_client_id(a->client), *word;
    void *cert = p->certs ? mosquitto_client_certificate(a->client) : NULL;
    if (cert) {
        look_at_revoked(p);
        word = certificate_word(p, a, cert, name);
        who = name;
    } else {
        sy_access_verdict v = sy_access_login(p->access, a->username, a->password, sy_wall_ms());
        word = login_word(v);
        if (v == SY_ACCESS_YES && sy_access_has_old(p->access, a->username)) {
            mosquitto_log_printf(MOSQ_LOG_NOTICE, SY_SPOOL_SAYS_RENEWED "%s", a->username);
        }
    }
    if (word) {
        say_refused(word, mosquitto_client_address(a->client), who);
    }
    return word ? MOSQ_ERR_AUTH : MOSQ_ERR_SUCCESS;
}

static int on_access(int event, void *data, void *user)
{
    (void)event;
    const struct mosquitto_evt_acl_check *a = data;
    plugin *p = user;
    const char *who = mosquitto_client_username(a->client);
    look(p);
    if (a->access == MOSQ_ACL_SUBSCRIBE || a->access == MOSQ_ACL_UNSUBSCRIBE) {
        return MOSQ_ERR_SUCCESS; /* what is not read does no harm */
    }
    if (a->access == MOSQ_ACL_READ) {
        bool may = sy_access_may_read(p->access, who, a->topic);
        return may ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
    }
    if (sy_access_may_write(p->access, who, a->topic)) {
        return MOSQ_ERR_SUCCESS;
    }
    /* Of what is in the spool mosquitto asks again at a device's return, by the topic of then. */
    if (strcmp(a->topic, SY_SPOOL_TOPIC) != 0) {
        say_refused("stolen-topic", mosquitto_client_address(a->client), who);
    }
    return MOSQ_ERR_CONN_LOST;
}

/* ---- options ---- */

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

static void release(plugin *p)
{
    if (p) {
        sy_spool_close(p->spool);
        sy_access_free(p->access);
        sy_certs_close(p->certs);
        free(p->access_path);
        if (p->page) {
            munmap(p->page, SY_SPOOL_PAGE);
        }
    }
    free(p);
}

static int fail(plugin *p, const char *why)
{
    mosquitto_log_printf(MOSQ_LOG_ERR, "Error: steelyard's plugin: %s", why);
    release(p);
    return MOSQ_ERR_UNKNOWN;
}

static void say_certificate(void *ctx, const char *reason, const char *name, const char *peer)
{
    (void)ctx;
    say_refused(reason, peer, name);
}

static sy_err open_parts(plugin *p, const struct mosquitto_opt *options, int n, sy_fail *f)
{
    int page_fd = (int)number(options, n, "page"), wake_fd = (int)number(options, n, "wake");
    void *page = page_fd > 2
                     ? mmap(NULL, SY_SPOOL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0)
                     : MAP_FAILED;
    if (page == MAP_FAILED) {
        return sy_fail_sys(f, "it runs in a mosquitto that a gateway starts, and nowhere else");
    }
    p->page = page;
    p->access_path = strdup(option(options, n, "access"));
    if (!p->access_path) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory");
    }
    sy_err e = refresh(p, f);
    p->looked = sy_wall_ms();
    if (!e && option(options, n, "authority")[0]) {
        e = sy_certs_open(&p->certs, option(options, n, "authority"), option(options, n, "revoked"),
                          say_certificate, p, f);
    }
    if (e) {
        return e;
    }
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

static const struct {
    int event;
    MOSQ_FUNC_generic_callback call;
} events[] = {{MOSQ_EVT_MESSAGE, on_message},
              {MOSQ_EVT_BASIC_AUTH, on_login},
              {MOSQ_EVT_ACL_CHECK, on_access},
              {MOSQ_EVT_TICK, on_tick}};

/* No longer be told of the first n. */
static void forget(const plugin *p, size_t n)
{
    while (n-- > 0) {
        mosquitto_callback_unregister(p->id, events[n].event, events[n].call, NULL);
    }
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
    if (open_parts(p, options, option_count, &f)) {
        return fail(p, f.text);
    }
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (mosquitto_callback_register(identifier, events[i].event, events[i].call, NULL, p) !=
            MOSQ_ERR_SUCCESS) {
            forget(p, i);
            return fail(p, "the broker does not tell it what it must know");
        }
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
        forget(p, sizeof events / sizeof events[0]);
        release(p);
    }
    return MOSQ_ERR_SUCCESS;
}
