/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the managed broker: its configuration, who may log in, who may write what.
 *
 * What the configuration promises: nothing is dropped for want of a place in a queue
 * (max_queued_messages 0; mosquitto's default of 1000 tells the device that all is well and loses
 * the rest). What is in the spool waits in no queue: in mosquitto's memory there are QoS 2 messages
 * until they are released, and what goes by the gateway's subscription. A payload may be four times
 * the limit before the broker cuts the connection, so that the gateway sees, counts and names what
 * is too large.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "drivers/formats/sparkplug.h"
#include "drivers/mqtt/broker_int.h"

enum { MAX_INFLIGHT = 100, PACKET_HEAD = 70000 };

sy_err sy_broker__path(const char *dir, const char *name, char *out, sy_fail *f)
{
    int n = snprintf(out, SY_BROKER__PATH, "%s/%s", dir, name);
    if (n < 0 || n >= SY_BROKER__PATH) {
        return sy_fail_set(f, SY_E_RANGE, "path of the broker's folder is too long: %.200s", dir);
    }
    return SY_OK;
}

sy_err sy_broker__parse_listen(const char *text, sy_broker__listener *out, sy_fail *f)
{
    memset(out, 0, sizeof *out);
    const char *colon = strrchr(text, ':');
    const char *host = text;
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
        host++;
        n -= 2;
    }
    char *end = NULL;
    unsigned long port = colon && colon[1] ? strtoul(colon + 1, &end, 10) : 0;
    if (!end || *end || port > 65535 || n == 0 || n >= sizeof out->host) {
        return sy_fail_set(f, SY_E_USAGE, "mqtt listen \"%.100s\": write address:port", text);
    }
    memcpy(out->host, host, n);
    unsigned char addr[16];
    if (inet_pton(AF_INET, out->host, addr) != 1 && inet_pton(AF_INET6, out->host, addr) != 1) {
        return sy_fail_set(f, SY_E_USAGE, "mqtt listen \"%.100s\": not an IP address", text);
    }
    out->port = (uint16_t)port;
    out->chosen = port == 0;
    return SY_OK;
}

/* A port that nobody has now; somebody may take it before the broker does, then the next is tried.
 */
static sy_err free_port(sy_broker__listener *l, sy_fail *f)
{
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6};
    struct sockaddr_in a4 = {.sin_family = AF_INET};
    bool v6 = inet_pton(AF_INET6, l->host, &a6.sin6_addr) == 1;
    if (!v6 && inet_pton(AF_INET, l->host, &a4.sin_addr) != 1) {
        return sy_fail_set(f, SY_E_USAGE, "mqtt listen: not an IP address: %s", l->host);
    }
    struct sockaddr *a = v6 ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4;
    socklen_t n = v6 ? sizeof a6 : sizeof a4;
    int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, a, n) != 0 || getsockname(fd, a, &n) != 0) {
        sy_err e = sy_fail_sys(f, "cannot find a free port on %s", l->host);
        if (fd >= 0) {
            close(fd);
        }
        return e;
    }
    close(fd);
    l->port = ntohs(v6 ? a6.sin6_port : a4.sin_port);
    return SY_OK;
}

sy_err sy_broker__choose_ports(sy_broker__setup *s, sy_fail *f)
{
    for (size_t i = 0; i < s->n_listeners; i++) {
        sy_err e = s->listeners[i].chosen ? free_port(&s->listeners[i], f) : SY_OK;
        if (e) {
            return e;
        }
    }
    return SY_OK;
}

sy_err sy_broker__put_file(const char *dir, const char *name, sy_buf *b, sy_fail *f)
{
    char path[SY_BROKER__PATH];
    if (b->failed) {
        return sy_fail_set(f, SY_E_NOMEM, "no memory for the broker's %s", name);
    }
    sy_err e = sy_broker__path(dir, name, path, f);
    return e ? e : sy_file_write(path, sy_buf_span(b), 0600, f);
}

static void put_listener(sy_buf *b, const sy_broker__setup *s, const sy_broker__listener *l)
{
    sy_buf_printf(b, "listener %u %s\n", (unsigned)l->port, l->host);
    if (l->tls) {
        sy_buf_printf(b, "certfile %s\nkeyfile %s\n", s->cert, s->key);
        if (l->certificates) {
            sy_buf_printf(b, "cafile %s\nrequire_certificate true\n", s->cert_ca);
        } else if (s->ca[0]) {
            sy_buf_printf(b, "cafile %s\n", s->ca);
        }
    }
}

/* What earlier versions made for mosquitto itself: hashes and rights that nobody minds any more. */
static void remove_old(const char *dir)
{
    static const char *const names[] = {"acl", "mosquitto.passwd"};
    char path[SY_BROKER__PATH];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (sy_broker__path(dir, names[i], path, NULL) == SY_OK) {
            unlink(path);
        }
    }
}

sy_err sy_broker__write_conf(const sy_broker__setup *s, sy_fail *f)
{
    sy_buf b;
    sy_buf_init(&b, sy_heap());
    sy_buf_text(&b, "# Made by steelyard at each start of the broker; changes are lost.\n");
    /* Started by root it would become the user mosquitto, who cannot read this folder. */
    struct passwd pw, *found = NULL;
    char text[1024];
    if (getpwuid_r(geteuid(), &pw, text, sizeof text, &found) == 0 && found) {
        sy_buf_printf(&b, "user %s\n", pw.pw_name);
    }
    sy_buf_printf(&b,
                  "per_listener_settings false\n"
                  "allow_anonymous false\n"
                  "persistence true\n"
                  "persistence_location %s/\n"
                  "persistence_file sessions.db\n"
                  "autosave_interval 60\n",
                  s->dir);
    sy_buf_printf(&b,
                  "max_queued_messages 0\n"
                  "max_queued_bytes 0\n"
                  "max_inflight_messages %d\n"
                  "max_packet_size %zu\n"
                  "sys_interval 0\n"
                  "set_tcp_nodelay true\n"
                  "connection_messages true\n"
                  "log_dest stderr\n"
                  "log_timestamp false\n"
                  "log_type error\nlog_type warning\nlog_type notice\nlog_type information\n",
                  MAX_INFLIGHT, 4 * s->max_payload + PACKET_HEAD);
    sy_broker__put_plugin(s, &b);
    for (size_t i = 0; i < s->n_listeners; i++) {
        put_listener(&b, s, &s->listeners[i]);
    }
    sy_err e = sy_broker__put_file(s->dir, "mosquitto.conf", &b, f);
    sy_buf_fini(&b);
    if (!e) {
        remove_old(s->dir);
    }
    return e;
}

/* What is a line must stay one line, and '@' is for the box itself. */
bool sy_broker__name_fits(const char *id)
{
    return id[0] && id[0] != '@' && id[0] != '#' && !strpbrk(id, ":\r\n");
}

/* No wildcard but "/#" at the end: a device's topic is its own. */
static bool topic_fits(const char *topic)
{
    size_t n = strlen(topic);
    if (n == 0 || strpbrk(topic, "+\r\n") || topic[0] == '$' || topic[0] == ' ') {
        return false;
    }
    const char *hash = strchr(topic, '#');
    return !hash || (hash == topic + n - 1 && n > 2 && hash[-1] == '/');
}

static void put_box_user(sy_buf *b, const char *user, const char *hash, const char *may)
{
    sy_buf_printf(b, "u%s\nh%s\n%s\n", user, hash, may);
}

/* What the device writes. A Sparkplug node writes its own topics, and reads its commands; a panel
 * reads the alerts of its premises. */
static void put_rights(sy_buf *b, const sy_device *d)
{
    char topic[SY_SPB_TOPIC];
    if (!d->node) {
        sy_buf_printf(b, "w%s\n", d->topic);
        if (d->reads && !d->revoked) {
            sy_buf_printf(b, "r%s\n", d->reads);
        }
        return;
    }
    for (size_t i = 0; sy_spb_topic_at(d->node, i, topic); i++) {
        sy_buf_printf(b, "w%s\n", topic);
    }
    for (int i = 0; i < 2 && !d->revoked; i++) {
        if (sy_spb_command(d->node, i == 1, topic)) {
            sy_buf_printf(b, "r%s\n", topic);
        }
    }
}

/* One device: who it is and what it may write. */
static sy_err put_device(sy_buf *b, const sy_device *d, sy_span kept, sy_fail *f)
{
    bool fits = d->node ? sy_spb_node_valid(sy_span_of(d->node)) : topic_fits(d->topic);
    if (!sy_broker__name_fits(d->id) || !fits) {
        return sy_fail_set(f, SY_E_USAGE,
                           "device %.60s, topic %.100s: an id has no ':' and does not begin with "
                           "'@' or '#'; a topic has no wildcard but \"/#\" at its end",
                           d->id, d->node ? d->node : d->topic);
    }
    sy_broker__kept k = sy_broker__kept_of(kept, d->id);
    bool certified = d->credential == SY_CRED_CERTIFICATE;
    bool known = certified || (d->credential == SY_CRED_PASSWORD && k.hash.n > 0);
    if (d->revoked) { /* its topics stay its own */
        sy_buf_printf(b, "u%s\nx\n", d->id);
        put_rights(b, d);
        return SY_OK;
    }
    if (known) {
        sy_buf_printf(b, "u%s\n", d->id);
        if (certified) {
            sy_buf_text(b, "c\n");
        } else {
            sy_buf_printf(b, "h%.*s\n", (int)k.hash.n, k.hash.p);
        }
        if (!certified && k.old.n) {
            sy_buf_printf(b, "o%lld %.*s\n", (long long)k.old_until, (int)k.old.n, k.old.p);
        }
        put_rights(b, d);
        return SY_OK;
    }
    char id[80];
    sy_log(SY_LOG_WARN, "broker-no-credential", "device=%s msg=%s",
           sy_logq(sy_span_of(d->id), id, sizeof id),
           d->credential == SY_CRED_PASSWORD
               ? "\"cannot log in yet: run steelyard devices add\""
               : "\"the managed broker knows passwords and certificates only: device cannot log "
                 "in\"");
    sy_buf_printf(b, "u%s\n", d->id);
    put_rights(b, d);
    return SY_OK;
}

/* What the gateway itself writes: requests to Sparkplug nodes. */
static void put_commands(sy_buf *b, const sy_registry *devices)
{
    char topic[SY_SPB_TOPIC];
    for (size_t i = 0; i < devices->n; i++) {
        const char *node = devices->devices[i].node;
        if (node && sy_spb_command(node, false, topic)) {
            sy_buf_printf(b, "w%s\n", topic);
        }
    }
}

/* The user of devices that nobody knows yet, while the window is open. */
static void put_stranger(sy_buf *b, const char *dir)
{
    sy_buf text;
    sy_buf_init(&text, sy_heap());
    sy_broker__kept k = {.hash = {NULL, 0}};
    char path[SY_BROKER__PATH];
    if (!sy_broker__path(dir, SY_BROKER__ONBOARD, path, NULL) && access(path, F_OK) == 0 &&
        !sy_file_read(path, 1024, &text, NULL)) {
        k = sy_broker__kept_of(sy_buf_span(&text), SY_SPOOL_STRANGER);
    }
    if (k.old.n && k.old_until > sy_wall_ms()) {
        sy_buf_printf(b, "u%s\nh%.*s\ne%lld\ns\n", SY_SPOOL_STRANGER, (int)k.old.n, k.old.p,
                      (long long)k.old_until);
    }
    sy_buf_fini(&text);
}

static sy_err put_access(const sy_broker__setup *s, const sy_registry *devices, sy_fail *f)
{
    sy_buf kept, b;
    sy_buf_init(&kept, sy_heap());
    sy_buf_init(&b, sy_heap());
    sy_err e = sy_broker__read_kept(s->dir, &kept, f);
    put_box_user(&b, SY_BROKER__GATEWAY_USER, s->gateway_hash, "r");
    put_commands(&b, devices);
    if (s->writes[0]) {
        sy_buf_printf(&b, "w%s\n", s->writes);
    }
    if (s->replay_user) {
        put_box_user(&b, SY_MQTT_REPLAY_USER, s->replay_hash, "w#");
    }
    put_stranger(&b, s->dir);
    for (size_t i = 0; i < devices->n && !e; i++) {
        if (devices->devices[i].transport == SY_TRANSPORT_MQTT) {
            e = put_device(&b, &devices->devices[i], sy_buf_span(&kept), f);
        }
    }
    e = e ? e : sy_broker__put_file(s->dir, "access", &b, f);
    sy_buf_fini(&b);
    sy_buf_fini(&kept);
    return e;
}

sy_err sy_broker__write_access(const sy_broker__setup *s, const sy_registry *devices, sy_fail *f)
{
    sy_err e = put_access(s, devices, f);
    if (!e) {
        atomic_fetch_add(&s->page->access, 1);
    }
    if (!e && s->replay_user) {
        sy_buf b;
        sy_buf_init(&b, sy_heap());
        sy_buf_text(&b, s->replay_password);
        e = sy_broker__put_file(s->dir, "replay.password", &b, f);
        sy_buf_fini(&b);
    }
    return e;
}
