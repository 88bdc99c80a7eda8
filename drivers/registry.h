/*
 * The devices that may speak, as the configuration lists them: an immutable, counted table that
 * drivers and the pipeline share. A reload makes a new one; who holds a reference keeps the old.
 *
 * Any thread may look up; ref and unref are atomic.
 */
#ifndef SY_REGISTRY_H
#define SY_REGISTRY_H

#include "base/intake.h"

typedef enum sy_credential {
    SY_CRED_NONE,
    SY_CRED_PASSWORD,
    SY_CRED_PSK,
    SY_CRED_CERTIFICATE /* X.509, whose common name is the device's id */
} sy_credential;

/* One row of a plain JSON mapping: the value at `path` ("$.a.b[0]") is the record `name`. */
typedef struct sy_map_row {
    const char *name; /* "time" names the time of the others */
    const char *path;
} sy_map_row;

/* A word of a state as the device writes it: JSON text of the value (true, "open", 1). */
typedef struct sy_state_word {
    const char *text;
    int state;
} sy_state_word;

typedef struct sy_channel { /* one point of the device */
    uint32_t point;         /* index into site->points */
    const char *name;
    const sy_state_word *states; /* further spellings; the vocabulary's words always count */
    size_t n_states;
} sy_channel;

typedef struct sy_device {
    const char *id;
    sy_transport transport;
    const char *topic;  /* MQTT: exact, or ending in "/#"; NULL where it is a node */
    const char *node;   /* MQTT: "GROUP/NODE" of Sparkplug, whose topics are its own; else NULL */
    const char *format; /* name of a format, "senml-json" … */
    const char *model;  /* for formats that have tables by model; NULL: not said */
    const sy_map_row *map;
    size_t n_map;
    sy_credential credential;
    bool revoked; /* by `devices revoke`: nothing that it sends is taken; refuse it as
                     "revoked-device". Of the live gateway only: the log knows nothing of it */
    struct {
        unsigned char addr[16];
        int bits;
        bool v6;
        bool set;
    } from;                            /* CoAP, HJ 212: allowed peers */
    const char *mn;                    /* HJ 212: by which the device is known; else NULL */
    const char *password;              /* HJ 212: its PW must be this; NULL: whatever it is */
    const struct sy_mb_device *modbus; /* MODBUS: whom to ask for what; format modbus: its
                                          registers (drivers/modbus/map.h) */
    sy_ms poll;                        /* BOX: how often it measures itself */
    const char *panel; /* premises whose alerts it shows and acknowledges (base/intake.h, press): it
                          sends no readings; NULL: no panel */
    const char *reads; /* MQTT: the topics that it may read, "a/b/#"; NULL: none */
    const char *observe; /* CoAP: the device is a server, its resource; NULL: it sends by itself */
    const sy_channel *channels;
    size_t n_channels;
} sy_device;

typedef struct sy_registry {
    const sy_device *devices;
    size_t n;
    void *index; /* private */
    void (*free)(void *owner);
    void *owner; /* what the strings live in */
    int refs;    /* atomic */
} sy_registry;

/* Take the devices (borrowed from owner, which free releases with the last reference). */
SY_MUST_USE sy_err sy_registry_make(sy_registry **out, const sy_device *devices, size_t n,
                                    void (*free_owner)(void *), void *owner, sy_fail *f);
sy_registry *sy_registry_ref(sy_registry *r);
void sy_registry_unref(sy_registry *r);
const sy_device *sy_registry_by_id(const sy_registry *r, sy_span id);
/* The device whose topic matches; exact topics win over "/#", longer over shorter. */
const sy_device *sy_registry_by_topic(const sy_registry *r, sy_span topic);
/* The device of this MN (HJ 212), which is never empty. */
const sy_device *sy_registry_by_mn(const sy_registry *r, sy_span mn);

/* May the device send from this address (IPv4 mapped into IPv6)? False without `from`. */
bool sy_device_from(const sy_device *d, const unsigned char addr[16]);

/* Where drivers find the registry in force; swapped by a reload. */
typedef struct sy_registry_slot sy_registry_slot;
SY_MUST_USE sy_err sy_registry_slot_open(sy_registry_slot **out, sy_registry *first, sy_fail *f);
void sy_registry_slot_set(sy_registry_slot *s,
                          sy_registry *next);           /* takes the caller's reference */
sy_registry *sy_registry_slot_get(sy_registry_slot *s); /* a new reference */
void sy_registry_slot_close(sy_registry_slot *s);

#endif
