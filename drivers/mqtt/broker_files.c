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
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "drivers/mqtt/broker_int.h"

enum { MAX_FILE = 16 << 20, MAX_INFLIGHT = 100, PACKET_HEAD = 70000 };

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

static sy_err put_file(const char *dir, const char *name, sy_buf *b, sy_fail *f)
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
        if (s->ca[0]) {
            sy_buf_printf(b, "cafile %s\n", s->ca);
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
    sy_err e = put_file(s->dir, "mosquitto.conf", &b, f);
    sy_buf_fini(&b);
    return e;
}

/* What is a line must stay one line, and '@' is for the box itself. */
static bool name_fits(const char *id)
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

/* The line of a device in the kept passwords, "id:hash\n", or an empty span. */
static sy_span kept_line(sy_span file, const char *id)
{
    size_t n_id = strlen(id);
    const char *p = file.p, *end = file.p + file.n;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        const char *next = nl ? nl + 1 : end;
        if ((size_t)(next - p) > n_id && memcmp(p, id, n_id) == 0 && p[n_id] == ':') {
            return (sy_span){p, (size_t)(next - p)};
        }
        p = next;
    }
    return (sy_span){NULL, 0};
}

static sy_err read_kept(const char *dir, sy_buf *out, sy_fail *f)
{
    char path[SY_BROKER__PATH];
    sy_err e = sy_broker__path(dir, "passwords", path, f);
    if (e || access(path, F_OK) != 0) {
        return e;
    }
    return sy_file_read(path, MAX_FILE, out, f);
}

static sy_err put_user(sy_buf *b, const char *user, const char *password, sy_fail *f)
{
    char hash[SY_BROKER__HASH];
    sy_err e = sy_broker__hash(password, hash, f);
    if (!e) {
        sy_buf_printf(b, "%s:%s\n", user, hash);
    }
    return e;
}

static void put_box_user(sy_buf *b, const char *user, const char *hash, const char *may)
{
    sy_buf_printf(b, "u%s\nh%s\n%s\n", user, hash, may);
}

/* One device: who it is and what it may write. */
static sy_err put_device(sy_buf *b, const sy_device *d, sy_span kept, sy_fail *f)
{
    if (!name_fits(d->id) || !topic_fits(d->topic)) {
        return sy_fail_set(f, SY_E_USAGE,
                           "device %.60s, topic %.100s: an id has no ':' and does not begin with "
                           "'@' or '#'; a topic has no wildcard but \"/#\" at its end",
                           d->id, d->topic);
    }
    sy_span line = kept.n ? kept_line(kept, d->id) : (sy_span){NULL, 0};
    size_t head = strlen(d->id) + 1;
    if (d->credential == SY_CRED_PASSWORD && line.n > head && line.p[line.n - 1] == '\n') {
        sy_buf_printf(b, "u%s\nh%.*sw%s\n", d->id, (int)(line.n - head), line.p + head, d->topic);
        return SY_OK;
    }
    char id[80];
    sy_log(SY_LOG_WARN, "broker-no-credential", "device=%s msg=%s",
           sy_logq(sy_span_of(d->id), id, sizeof id),
           d->credential == SY_CRED_PASSWORD
               ? "\"cannot log in yet: run steelyard devices add\""
               : "\"the managed broker knows passwords only: device cannot log in\"");
    return SY_OK;
}

static sy_err put_access(const sy_broker__setup *s, const sy_registry *devices, sy_fail *f)
{
    sy_buf kept, b;
    sy_buf_init(&kept, sy_heap());
    sy_buf_init(&b, sy_heap());
    sy_err e = read_kept(s->dir, &kept, f);
    put_box_user(&b, SY_BROKER__GATEWAY_USER, s->gateway_hash, "r");
    if (s->replay_user) {
        put_box_user(&b, SY_MQTT_REPLAY_USER, s->replay_hash, "w#");
    }
    for (size_t i = 0; i < devices->n && !e; i++) {
        if (devices->devices[i].transport == SY_TRANSPORT_MQTT) {
            e = put_device(&b, &devices->devices[i], sy_buf_span(&kept), f);
        }
    }
    e = e ? e : put_file(s->dir, "access", &b, f);
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
        e = put_file(s->dir, "replay.password", &b, f);
        sy_buf_fini(&b);
    }
    return e;
}

/* The kept file without the device, then its new line. */
static sy_err replace_kept(const char *dir, const char *device, const char *password, sy_fail *f)
{
    sy_buf kept, b;
    sy_buf_init(&kept, sy_heap());
    sy_buf_init(&b, sy_heap());
    sy_err e = read_kept(dir, &kept, f);
    sy_span line = kept.n ? kept_line(sy_buf_span(&kept), device) : (sy_span){NULL, 0};
    if (!e && !password && !line.n) {
        e = sy_fail_set(f, SY_E_NOTFOUND, "device %.100s has no password", device);
    }
    if (!e) {
        size_t before = line.n ? (size_t)(line.p - kept.p) : kept.n;
        sy_buf_put(&b, kept.p, before);
        sy_buf_put(&b, kept.p + before + line.n, kept.n - before - line.n);
        if (b.n && b.p[b.n - 1] != '\n') {
            sy_buf_char(&b, '\n');
        }
        e = password ? put_user(&b, device, password, f) : SY_OK;
    }
    e = e ? e : put_file(dir, "passwords", &b, f);
    sy_buf_fini(&b);
    sy_buf_fini(&kept);
    return e;
}

sy_err sy_broker_credential(const char *dir, const char *device, const char *password, sy_fail *f)
{
    char path[SY_BROKER__PATH];
    if (!name_fits(device)) {
        return sy_fail_set(f, SY_E_USAGE, "\"%.100s\" cannot be a device's id", device);
    }
    sy_err e = sy_dir_make(dir, f);
    e = e ? e : sy_broker__path(dir, "passwords.lock", path, f);
    if (e) {
        return e;
    }
    /* Two commands at once must not lose each other's line. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        e = sy_fail_sys(f, "cannot lock %.200s", path);
    } else {
        e = replace_kept(dir, device, password, f);
    }
    if (fd >= 0) {
        close(fd);
    }
    return e;
}

bool sy_broker_has_credential(const char *dir, const char *device)
{
    sy_buf kept;
    sy_buf_init(&kept, sy_heap());
    bool has = read_kept(dir, &kept, NULL) == SY_OK && kept.n &&
               kept_line(sy_buf_span(&kept), device).n > 0;
    sy_buf_fini(&kept);
    return has;
}
