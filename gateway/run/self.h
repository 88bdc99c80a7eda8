/*
 * The box as a device: thread "sy-self" reads what the box says of itself every `poll` of the
 * device with `transport: box`, and puts it into the journal as a message like any other (SenML,
 * source: the device's id). Values that this box does not tell are left out, as are those that are
 * no point.
 *
 * Where `mains` is a point it is looked at each 250 ms, and told at once when it changes.
 *
 * It has no promise to keep: a submit that waits for room on the disk holds up this thread alone.
 * With --clock replay there is no such thread: what the box measures now is of another time.
 */
#ifndef SY_SELF_H
#define SY_SELF_H

#include "config/config.h"
#include "drivers/mqtt/mqtt.h"
#include "intake/journal.h"
#include "run/keeper.h"

typedef struct sy_self sy_self;
typedef struct sy_self_options {
    const sy_intake *intake;
    sy_registry_slot *devices;
    sy_journal *journal; /* for the log's clock */
    sy_store *store;
    sy_keeper *keeper;
    const sy_broker *broker; /* NULL: none is managed */
    const char *data;        /* the data folder */
    const char *root;        /* before /proc and /sys; "" in production */
} sy_self_options;

SY_MUST_USE sy_err sy_self_start(sy_self **out, const sy_self_options *o, sy_config *c, sy_fail *f);
/* Another configuration is in force, and its registry is in the slot. */
void sy_self_configure(sy_self *s, sy_config *c);
/* After the journal was shut. NULL is allowed. */
void sy_self_stop(sy_self *s);

#endif
