/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What listens: the sockets of the gateway and of its broker, by /proc/PID/fd and /proc/PID/net
 * (proc(5)); which service each is, by the ports that the gateway tells. Where no gateway runs, or
 * its sockets cannot be seen, the listeners of the configuration.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "assess/assess_int.h"

enum { INODES = 512, TCP_LISTEN = 10, UDP_UNCONNECTED = 7 };

typedef struct inodes {
    unsigned long v[INODES];
    size_t n;
} inodes;

/* The sockets of a process; false: they cannot be seen. */
static bool sockets_of(long pid, inodes *out)
{
    char path[64], target[64];
    snprintf(path, sizeof path, "/proc/%ld/fd", pid);
    DIR *d = opendir(path);
    if (!d) {
        return false;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL && out->n < INODES;) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
        if (n > 8 && memcmp(target, "socket:[", 8) == 0) {
            target[n] = 0;
            out->v[out->n++] = strtoul(target + 8, NULL, 10);
        }
    }
    closedir(d);
    return true;
}

static bool has(const inodes *s, unsigned long inode)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i] == inode) {
            return true;
        }
    }
    return false;
}

/* An address of /proc/net: words of 32 bits, each as this machine stores it. */
static bool address_of(const char *hex, bool v6, char *out, size_t size, bool *local)
{
    unsigned char bytes[16];
    for (size_t i = 0; i < (v6 ? 4u : 1u); i++) {
        char word[9] = {0};
        memcpy(word, hex + i * 8, 8);
        uint32_t v = (uint32_t)strtoul(word, NULL, 16);
        memcpy(bytes + i * 4, &v, 4);
    }
    static const unsigned char loop6[16] = {[15] = 1}, mapped[12] = {[10] = 0xff, [11] = 0xff};
    *local =
        v6 ? memcmp(bytes, loop6, 16) == 0 || (memcmp(bytes, mapped, 12) == 0 && bytes[12] == 127)
           : bytes[0] == 127;
    return inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, out, (socklen_t)size) != NULL;
}

static void put(sy_listeners *l, const sy_listener *x)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->v[i].at, x->at) == 0 && l->v[i].service == x->service) {
            return;
        }
    }
    if (l->n < SY_LISTENERS) {
        l->v[l->n++] = *x;
    }
}

static void read_table(sy_listeners *out, long pid, const char *name, const inodes *mine)
{
    char path[64], line[512], hex[36], text[INET6_ADDRSTRLEN];
    bool v6 = name[3] == '6', udp = name[0] == 'u';
    snprintf(path, sizeof path, "/proc/%ld/net/%s", pid, name);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        unsigned port = 0, state = 0;
        unsigned long inode = 0;
        sy_listener x = {.udp = udp};
        bool local = false;
        if (sscanf(line, " %*u: %35[0-9A-F]:%X %*[0-9A-F]:%*X %X %*s %*s %*s %*u %*u %lu", hex,
                   &port, &state, &inode) != 4 ||
            strlen(hex) != (v6 ? 32 : 8) || state != (udp ? UDP_UNCONNECTED : TCP_LISTEN) ||
            !has(mine, inode) || !address_of(hex, v6, text, sizeof text, &local)) {
            continue;
        }
        snprintf(x.at, sizeof x.at, v6 ? "%s [%s]:%u" : "%s %s:%u", udp ? "udp" : "tcp", text,
                 port);
        x.port = port;
        x.reachable = !local;
        put(out, &x);
    }
    if (f) {
        fclose(f);
    }
}

/* Is the port in the array? `from`, NULL or a key that says from which place on it is secured. */
static bool find_port(const json_t *part, const char *from, unsigned port, bool *secured)
{
    size_t i;
    json_t *p;
    const json_t *start = json_object_get(part, from);
    json_array_foreach(json_object_get(part, "ports"), i, p)
    {
        if (json_integer_value(p) == (json_int_t)port) {
            *secured = json_is_integer(start) && (json_int_t)i >= json_integer_value(start);
            return true;
        }
    }
    return false;
}

static void name_it(const sy_look *l, sy_listener *x)
{
    const json_t *console = json_object_get(l->status, "console");
    const json_t *broker = json_object_get(json_object_get(l->status, "mqtt"), "broker");
    bool secured = false;
    if (x->udp) {
        if (find_port(json_object_get(l->status, "coap"), "dtls_from", x->port, &secured)) {
            x->service = "coap";
            x->tls = secured;
        }
    } else if (find_port(broker, "certificates_from", x->port, &secured)) {
        x->service = "mqtt";
        x->tls = l->c->mqtt_tls.cert != NULL;
    } else if (json_integer_value(json_object_get(console, "port")) == (json_int_t)x->port) {
        x->service = "console";
        x->tls = json_is_true(json_object_get(console, "tls"));
    } else if (find_port(json_object_get(l->status, "hj212"), "none", x->port, &secured)) {
        x->service = "hj212";
    }
}

/* ---- as configured ---- */

static void configured(sy_look *l, const char *service, const char *listen, bool udp, bool tls)
{
    sy_listener x = {.udp = udp, .service = service, .tls = tls};
    const char *colon = strrchr(listen, ':');
    x.port = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
    x.reachable = strncmp(listen, "127.", 4) != 0 && strncmp(listen, "[::1]", 5) != 0 &&
                  strncmp(listen, "localhost:", 10) != 0;
    snprintf(x.at, sizeof x.at, "%s %.70s", udp ? "udp" : "tcp", listen);
    put(&l->listeners, &x);
}

static void all_configured(sy_look *l)
{
    const sy_config *c = l->c;
    bool managed = c->broker && strcmp(c->broker, "managed") == 0;
    for (size_t i = 0; managed && i < c->n_mqtt_listen; i++) {
        configured(l, "mqtt", c->mqtt_listen[i], false, c->mqtt_tls.cert != NULL);
    }
    for (size_t i = 0; managed && i < c->n_cert_listen; i++) {
        configured(l, "mqtt", c->cert_listen[i], false, true);
    }
    for (size_t i = 0; i < c->n_coap_listen; i++) {
        configured(l, "coap", c->coap_listen[i], true, false);
    }
    for (size_t i = 0; i < c->n_dtls_listen; i++) {
        configured(l, "coap", c->dtls_listen[i], true, true);
    }
    for (size_t i = 0; i < c->n_hj212_listen; i++) {
        configured(l, "hj212", c->hj212_listen[i], false, false);
    }
    if (c->console_listen) {
        configured(l, "console", c->console_listen, false, c->console_tls.cert != NULL);
    }
}

bool sy_look_reachable(const sy_look *l, const char *service)
{
    for (size_t i = 0; i < l->listeners.n; i++) {
        const sy_listener *x = &l->listeners.v[i];
        if (x->reachable && x->service && strcmp(x->service, service) == 0) {
            return true;
        }
    }
    return false;
}

static void find_sockets(sy_look *l)
{
    static const char *const tables[] = {"tcp", "tcp6", "udp", "udp6"};
    const json_t *broker = json_object_get(json_object_get(l->status, "mqtt"), "broker");
    inodes mine = {.n = 0};
    long child = (long)json_integer_value(json_object_get(broker, "pid"));
    l->listeners.hidden =
        !l->pid || !sockets_of(l->pid, &mine) || (child > 0 && !sockets_of(child, &mine));
    for (size_t i = 0; !l->listeners.hidden && i < sizeof tables / sizeof tables[0]; i++) {
        read_table(&l->listeners, l->pid, tables[i], &mine);
    }
}

void sy_look_ports(sy_look *l)
{
    if (l->status) {
        find_sockets(l);
    }
    if (!l->status || l->listeners.hidden) {
        all_configured(l);
    }
    if (l->listeners.hidden) {
        sy_assess__add(l->a, SY_ASSESS_LISTEN_HIDDEN, "", "%s", "");
    }
    for (size_t i = 0; i < l->listeners.n; i++) {
        sy_listener *x = &l->listeners.v[i];
        if (l->status && !l->listeners.hidden) {
            name_it(l, x);
        }
        /* Sockets of UDP without a peer are also those of clients, which take answers alone. */
        if (!x->service && x->udp) {
            continue;
        }
        sy_assess__add(l->a,
                       !x->reachable ? SY_ASSESS_LISTEN_LOCAL
                       : !x->service ? SY_ASSESS_LISTEN_UNKNOWN
                       : x->tls      ? SY_ASSESS_LISTEN_TLS
                                     : SY_ASSESS_LISTEN_PLAIN,
                       x->at, "%s", x->service ? x->service : "");
    }
}
