/*
 * What the MQTT tests share: an intake that remembers, a registry of devices, commands to run, and
 * a wait for conditions.
 */
#ifndef SY_MQTT_RIG_H
#define SY_MQTT_RIG_H

#include <pthread.h>
#include <sys/types.h>

#include "drivers/mqtt/mqtt.h"

enum { RIG_MESSAGES = 64, RIG_WAIT_MS = 20000 };

typedef struct rig_message {
    uint8_t flags;
    char source[80], payload[80], ident[8];
    size_t n_payload, n_ident;
} rig_message;

typedef struct rig {
    sy_intake intake;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    rig_message got[RIG_MESSAGES];
    size_t n;
    uint64_t rejected[SY_REJECT_COUNT];
    uint64_t marker;
    bool block;   /* submit waits until this is false */
    bool closed;  /* submit fails: the gateway ends */
    int failures; /* so many submits fail first, as a broken disk does */
    size_t entered, synced;
    int entered_fd; /* a byte is written when submit is entered; -1: none */
    char dir[64];
    sy_registry_slot *slot;
} rig;

void rig_init(rig *r);
void rig_fini(rig *r);
/* A registry of MQTT devices "a", "b", … at topics "t/a", "t/b" …, each with a password. */
sy_registry *rig_devices(const char *ids);
/* True once the condition holds; false after RIG_WAIT_MS. */
#define RIG_WAIT(condition)                                                                        \
    for (sy_ms rig_end = sy_mono_ms() + RIG_WAIT_MS; !(condition); rig_nap()) {                    \
        assert_true(sy_mono_ms() < rig_end);                                                       \
    }
void rig_nap(void);
size_t rig_count(rig *r);
rig_message rig_get(rig *r, size_t i);
uint64_t rig_rejected(rig *r, sy_reject why);
size_t rig_entered(rig *r);
uint64_t rig_marker(rig *r);
void rig_set(rig *r, bool *flag, bool value);

/* A mosquitto as somebody else runs it: without our plugin, everybody may log in. It keeps its
 * sessions in r->dir. port 0: one that is free. */
typedef struct rig_broker {
    pid_t pid;
    uint16_t port;
    char uri[64];
} rig_broker;
void rig_broker_start(rig_broker *b, const rig *r, uint16_t port);
void rig_broker_stop(rig_broker *b);

/* Run a program to its end; its exit status. argv ends with NULL; no shell. */
int rig_run(const char *const *argv);
int rig_run_quietly(const char *const *argv); /* without its output */
/* mosquitto_pub with user = id, QoS 1; `more` ends with NULL and may be NULL. Exit status. */
int rig_publish(uint16_t port, const char *id, const char *password, const char *topic,
                const char *payload, const char *const *more);

#endif
