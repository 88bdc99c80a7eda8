/*
 * One line of Modbus and its thread: who is asked when, and what came of it. Internal to modbus/.
 */
#ifndef SY_MODBUS_BUS_H
#define SY_MODBUS_BUS_H

#include <pthread.h>

#include "base/intake.h"
#include "drivers/modbus/link.h"
#include "drivers/registry.h"

typedef struct sy_mb_ask { /* a request of the plan */
    sy_mb_read read;
    uint8_t level; /* 0 as the map allows, 1 without gaps, 2 each row by itself */
} sy_mb_ask;

typedef struct sy_mb_counts {
    uint64_t turns, answers, timeouts, exceptions, garbled, broken, skipped;
} sy_mb_counts;

typedef struct sy_mb_unit {
    const sy_device *device; /* of the bus's registry */
    sy_mb_ask *asks;         /* as many as the map has rows, at most */
    size_t n_asks;
    sy_ms due;       /* monotonic */
    unsigned silent; /* turns in a row without an answer */
    uint32_t told;   /* the exception that was logged: function, start, code; 0: none */
    /* Under the bus's lock: */
    sy_mb_counts counts;
    char last_error[128];
    sy_ms last_error_at, last_answer_at; /* wall clock; SY_MS_NONE */
} sy_mb_unit;

typedef struct sy_bus {
    char *address;
    const sy_intake *intake;
    pthread_t thread;
    bool started;
    pthread_mutex_t mu;
    pthread_cond_t wake; /* CLOCK_MONOTONIC */
    sy_registry *next;   /* to be taken by the thread */
    bool stopping;
    bool connected;
    unsigned number;
    sy_mb_unit *units;
    size_t n;
    /* The thread's own: */
    sy_registry *registry;
    sy_mb_link *link;
    unsigned connect_fails;
    sy_ms connect_after;
    sy_buf poll;
} sy_bus;

/* Is the device asked: one of modbus whose credential was not revoked? */
static inline bool sy_bus_asks(const sy_device *d)
{
    return d->transport == SY_TRANSPORT_MODBUS && d->modbus && !d->revoked;
}
/* Asks the devices of `devices` (a reference that it takes) that have this address. */
SY_MUST_USE sy_err sy_bus_start(sy_bus **out, const char *address, unsigned number,
                                const sy_intake *intake, sy_registry *devices, sy_fail *f);
/* Other devices; takes the reference. */
void sy_bus_set(sy_bus *b, sy_registry *devices);
void sy_bus_status(sy_bus *b, sy_buf *json);
void sy_bus_end(sy_bus *b); /* say that it is to end; sy_bus_stop waits */
void sy_bus_stop(sy_bus *b);

/* turn.c: ask a device for all it has, and keep what it says. False: the gateway ends. */
bool sy_bus__turn(sy_bus *b, sy_mb_unit *u);
/* plan.c: the requests of a device from its map; split one that was refused. */
SY_MUST_USE sy_err sy_mb_unit__plan(sy_mb_unit *u);
bool sy_mb_unit__split(sy_mb_unit *u, size_t k);
/* When it is next asked, after a turn: sets due, returns how many turns were left out. */
uint64_t sy_mb_unit__next(sy_mb_unit *u, sy_ms now);
/* Wait, unless it is to end; false where it is. */
bool sy_bus__wait(sy_bus *b, sy_ms ms);

#endif
