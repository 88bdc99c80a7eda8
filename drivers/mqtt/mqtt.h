/*
 * MQTT intake: the managed mosquitto child, and the Paho client that takes what devices publish.
 *
 * Acknowledged means kept: the message callback submits by itself, on Paho's receive thread, and
 * returns 1 after the message is in the journal (library-facts: never 0). While submit blocks,
 * Paho stops reading; keep-alive is 0 towards the managed broker. If the gateway must end while a
 * message cannot be kept, the process ends without leaving the callback.
 */
#ifndef SY_MQTT_H
#define SY_MQTT_H

#include "base/intake.h"
#include "drivers/registry.h"

/* The broker child. Listens where told, on ports that the kernel chose for port 0. Files under
 * `dir`: passwords (hashes of the devices', kept); spool/ (drivers/mqtt/spool.h); made at each
 * start: mosquitto.conf, access (drivers/mqtt/plugin/access.h), replay.password; sessions.db (the
 * broker's persistence). The users of the box itself begin with '@', which no device id may. */
#define SY_MQTT_REPLAY_USER "@replay"
typedef struct sy_broker sy_broker;
typedef struct sy_broker_options {
    const char *dir;           /* made, 0700 */
    const char *const *listen; /* "127.0.0.1:1883"; port 0: a free one */
    size_t n_listen;
    const char *ca, *cert, *key;    /* optional TLS on all listeners; NULL */
    const char *const *cert_listen; /* with TLS: those that ask devices for certificates */
    size_t n_cert_listen;
    const char *cert_ca, *cert_crl; /* who signs those, what was revoked; crl may be NULL */
    size_t max_payload;             /* bytes */
    bool replay_user;        /* --clock replay: a user SY_MQTT_REPLAY_USER that may publish as
                                any device; its password is in dir/replay.password */
    const char *writes;      /* topics that the gateway itself writes, "a/b/#"; NULL: none */
    const sy_intake *intake; /* told of what the broker itself refuses; may be NULL */
    int sync_ms;             /* of the spool; 0: 250. `strict` is the intake's */
    uint64_t spool_bytes;    /* what it may hold; 0: 256 MiB */
    uint64_t reserve_bytes;  /* free space it leaves on the disk; 0: 64 MiB */
    sy_ms stable_ms;         /* so long it holds before it no longer fails; 0: 30 s */
} sy_broker_options;

/* Start mosquitto with our plugin, never without it, and wait until it accepts connections (10 s).
 * What a device publishes at QoS 1 or 2 is in the spool before its acknowledgement. Generates a
 * credential for the gateway each start; device passwords are those that sy_broker_password keeps.
 * The child dies with us (PR_SET_PDEATHSIG). A broker that dies is started again with back-off by a
 * watcher thread. */
SY_MUST_USE sy_err sy_broker_start(sy_broker **out, const sy_broker_options *o,
                                   const sy_registry *devices, sy_fail *f);
/* New devices, credentials or certificates: the plugin takes the first two at once, and cuts off
 * who may no longer log in; mosquitto reads certificates again (SIGHUP). */
SY_MUST_USE sy_err sy_broker_reload(sy_broker *b, const sy_registry *devices, sy_fail *f);
/* Save the sessions to disk now and not at the next autosave. */
void sy_broker_save(sy_broker *b);
void sy_broker_stop(sy_broker *b);
/* "tcp://127.0.0.1:PORT": the first listener, or with TLS a plain one on loopback for the box
 * itself; lives as long as b. */
const char *sy_broker_uri(const sy_broker *b);
/* The port of listener i, counted as in the options: listen, then cert_listen. */
uint16_t sy_broker_port(const sy_broker *b, size_t i);
const char *sy_broker_user(const sy_broker *b);
const char *sy_broker_password(const sy_broker *b);
uint64_t sy_broker_restarts(const sy_broker *b);
/* It ended three times in a row soon after its start, and has not held since. */
bool sy_broker_failing(const sy_broker *b);
/* It runs, and has for stable_ms. */
bool sy_broker_holds(const sy_broker *b);
/* The last error that it told, "" for none. */
void sy_broker_said(const sy_broker *b, char *out, size_t size);
/* Where its plugin puts what devices publish at QoS 1 and 2 (drivers/mqtt/spool.h). */
typedef struct sy_broker_spool {
    const char *dir;
    int page_fd; /* a sy_spool_page, to be mapped */
    int wake_fd; /* an eventfd */
} sy_broker_spool;
sy_broker_spool sy_broker_spool_of(const sy_broker *b);
typedef struct sy_spool_status {
    unsigned state;           /* sy_spool_state */
    uint64_t bytes;           /* in it */
    uint64_t appended, taken; /* the last number written, and that the journal has */
    uint64_t refused;         /* messages that were not acknowledged, since the start */
} sy_spool_status;
sy_spool_status sy_broker_spool_status(const sy_broker *b);
long sy_broker_pid(const sy_broker *b);
/* Keep (or with password NULL forget) a device's password, hashed, in dir/passwords. Works with or
 * without a running broker, also of another process, which learns of it by itself. */
SY_MUST_USE sy_err sy_broker_credential(const char *dir, const char *device, const char *password,
                                        sy_fail *f);
/* A new password; that in force stays good until then (epoch ms), or until the new one is used. */
SY_MUST_USE sy_err sy_broker_rotate(const char *dir, const char *device, const char *password,
                                    sy_ms until, sy_fail *f);
/* Until then (epoch ms) a device that nobody knows yet may log in as SY_MQTT_STRANGER with this
 * password and write what no device may; NULL: nobody may any more. */
#define SY_MQTT_STRANGER "@onboard"
SY_MUST_USE sy_err sy_broker_onboard(const char *dir, const char *password, sy_ms until,
                                     sy_fail *f);
/* True where a password of the device is kept in dir. */
bool sy_broker_has_credential(const char *dir, const char *device);

typedef struct sy_mqtt sy_mqtt;
typedef struct sy_mqtt_options {
    const char *uri;             /* tcp:// or ssl:// */
    const char *client_id;       /* the persistent session's name */
    const char *user, *password; /* NULL: none */
    const char *ca, *cert, *key; /* NULL: none */
    bool managed;                /* our own broker: keep-alive 0 */
    sy_broker *broker;           /* managed: told to save once a new session is subscribed, so that
                                    it is there after a kill -9 of the broker; may be NULL */
    bool v311;                   /* MQTT 3.1.1 instead of 5 */
    bool replay;                 /* take markers from SY_MQTT_MARKER */
    size_t max_payload;
} sy_mqtt_options;
#define SY_MQTT_MARKER "steelyard/replay/marker" /* payload: a decimal number */

/* Connects in the background, for ever, with back-off; subscribes to every device's topic. */
SY_MUST_USE sy_err sy_mqtt_start(sy_mqtt **out, const sy_mqtt_options *o, const sy_intake *intake,
                                 sy_registry_slot *devices, sy_fail *f);
/* The registry in the slot changed: subscribe to what is new, unsubscribe what is gone. */
void sy_mqtt_reload(sy_mqtt *m);
/* Publish a request to a Sparkplug node ("GROUP/NODE") to send its births again (NCMD, QoS 0). It
 * goes out by the client's own thread, once for a node that is asked for several times meanwhile;
 * with no connection, or more than 64 nodes at once, not at all: whoever asks does so again. Any
 * thread. */
void sy_mqtt_rebirth(sy_mqtt *m, const char *node);
/* Keep this text published at the topic, retained, QoS 1: now, and again whenever the connection is
 * made anew, since a broker may forget. Replaces what was; "" takes the topic away. Copies both.
 * What the broker has already is not sent again. Any thread; never blocks. */
SY_MUST_USE sy_err sy_mqtt_keep(sy_mqtt *m, const char *topic, const char *text, sy_fail *f);
bool sy_mqtt_connected(const sy_mqtt *m);
/* True once connected and subscribed; waits up to timeout_ms. */
bool sy_mqtt_wait_ready(sy_mqtt *m, int timeout_ms);
/* Disconnect cleanly; what Paho had received goes through the callback first, at most about 3 s.
 * False: a callback that still could not keep its message was left where it is, unacknowledged, and
 * stands in the intake and the registry, which must stay until the process ends. NULL is allowed.
 */
bool sy_mqtt_stop(sy_mqtt *m);

#endif
