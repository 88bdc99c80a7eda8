/*
 * Shared by the files of `steelyard devices`: the arguments, credentials by transport, what unknown
 * devices sent, and the configuration that is proposed for them. Command line only; one thread.
 */
#ifndef SY_CLI_DEVICES_INT_H
#define SY_CLI_DEVICES_INT_H

#include <jansson.h>

#include "config/config.h"
#include "drivers/formats/format.h"

typedef struct sy_devices_args {
    const char *config, *data, *verb, *what; /* what: an id or a source; NULL */
    const char *id, *place, *transport;      /* adopt */
    sy_ms grace, window;
    bool json, dry_run, watch;
} sy_devices_args;

/* devices_keys.c: make, renew, or take away the credential of a device of the configuration. What a
 * person must know of it goes to stdout, once. */
SY_MUST_USE sy_err sy_devices_add(const sy_config *c, const char *id, sy_fail *f);
SY_MUST_USE sy_err sy_devices_rotate(const sy_config *c, const char *id, sy_ms grace, sy_fail *f);
SY_MUST_USE sy_err sy_devices_revoke(const sy_config *c, const char *id, sy_fail *f);
SY_MUST_USE sy_err sy_devices_remove(const sy_config *c, const char *id, sy_fail *f);
/* The time in which unknown devices may come to the managed broker; 0 ends it. */
SY_MUST_USE sy_err sy_devices_window(const sy_config *c, sy_ms window, sy_fail *f);
/* How it logs in, and whether it has what it needs; static. */
const char *sy_devices_credential(const sy_config *c, const sy_device *d);
const sy_device *sy_devices_find(const sy_config *c, const char *id);
/* A command to the gateway that runs on the folder; fine where none runs. */
SY_MUST_USE sy_err sy_devices_tell(const char *data, const char *line, sy_fail *f);

/* What a message says, and what is made of it. */
enum { SY_GUESS_NAMES = 64 };
typedef struct sy_guess_point {
    char name[160], value[80], unit[40]; /* as shown */
    const char *quantity;                /* NULL: none fits */
    const char *stored;                  /* unit of the stored values, NULL: none */
} sy_guess_point;
typedef struct sy_guess {
    char transport[16], source[256], client[65], peer[64];
    long long count;
    sy_ms first, last, every; /* every 0: not known */
    const sy_format *format;  /* NULL: of no known one */
    const char *model; /* that its newest message names, of those that the format has; NULL */
    char why[200];     /* why the last message cannot be read, "" */
    sy_guess_point points[SY_GUESS_NAMES];
    size_t n_points;
} sy_guess;

/* devices_pending.c: the sources, from the gateway that runs, else from the folder. json_decref. */
SY_MUST_USE sy_err sy_pending_load(const char *data, json_t **sources, sy_fail *f);
/* Read one of them by the vocabulary of the configuration, and by what others of them announce. */
void sy_guess_make(sy_guess *g, const sy_config *c, const json_t *source, const json_t *sources);
/* The bytes of a message; false where it has none. */
bool sy_pending_bytes(const json_t *message, sy_buf *out);

/* devices_announced.c: what is announced for Home Assistant of the values on a topic. */
enum { SY_ANNOUNCED = 32 };
typedef struct sy_announced_value {
    char name[160], unit[40], quantity[40]; /* quantity: its device class */
} sy_announced_value;
typedef struct sy_announced {
    sy_announced_value of[SY_ANNOUNCED];
    size_t n;
} sy_announced;
void sy_announced_gather(sy_announced *a, const json_t *sources, const char *topic);
const sy_announced_value *sy_announced_find(const sy_announced *a, const char *name);

/* devices_propose.c: the device and its points as flow maps of YAML. */
void sy_propose_id(const sy_guess *g, char out[65]);
void sy_propose_device(const sy_guess *g, const sy_config *c, const char *id, sy_buf *out);
void sy_propose_point(const sy_guess *g, const sy_guess_point *p, const char *id, sy_buf *out);
int sy_devices_pending(const sy_config *c, bool json);

int sy_devices_adopt(const sy_config *c, const sy_devices_args *a); /* devices_adopt.c */
int sy_devices_watch(const sy_config *c, const sy_devices_args *a); /* devices_watch.c */

#endif
