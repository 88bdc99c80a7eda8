/*
 * Shared by the files of assess/: how a finding is added, and who looks at what.
 */
#ifndef SY_ASSESS_INT_H
#define SY_ASSESS_INT_H

#include <jansson.h>
#include <sys/types.h>

#include "assess/assess.h"

/* Add a finding; `detail` as of printf. */
void sy_assess__add(sy_assess *a, sy_assess_what what, const char *subject, const char *detail, ...)
    __attribute__((format(printf, 4, 5)));

/* Where the gateway listens, or is configured to. */
typedef struct sy_listener {
    char at[80]; /* "tcp 0.0.0.0:8883" */
    unsigned port;
    bool udp, reachable; /* by other machines */
    const char *service; /* "mqtt", "coap", "hj212", "console"; NULL: not known */
    bool tls;
} sy_listener;
enum { SY_LISTENERS = 64 };
typedef struct sy_listeners {
    sy_listener v[SY_LISTENERS];
    size_t n;
    bool hidden; /* the sockets of the process cannot be seen: these are the configured ones */
} sy_listeners;

typedef struct sy_look {
    sy_assess *a;
    const sy_config *c;
    const json_t *status; /* of the running gateway; NULL */
    pid_t pid;            /* of it; 0 */
    sy_ms build;
    sy_listeners listeners;
} sy_look;

/* keys.c */
void sy_look_keys(sy_look *l);
/* A file that holds a secret: who may read it. */
void sy_look_secret(sy_look *l, const char *path);
/* who.c: devices, accounts, destinations. */
void sy_look_who(sy_look *l);
/* ports.c: what listens, and how it is secured. */
void sy_look_ports(sy_look *l);
/* True where a listener of that service can be reached from other machines. */
bool sy_look_reachable(const sy_look *l, const char *service);
/* speak.c: speak TLS to the listeners that have it. */
void sy_look_speak(sy_look *l);
/* box.c: files, the process, disk, clock, what the gateway says. */
void sy_look_box(sy_look *l);
/* parts.c: the parts and their versions. */
void sy_look_parts(sy_look *l);

#endif
