/*
 * Modbus intake: slaves over TCP or on serial lines are asked, by libmodbus (MODBUS Application
 * Protocol V1.1b3; only functions 1 to 4, nothing is ever written to a device).
 *
 * One thread "sy-bus-<n>" for each address, which the devices with that address share: one request
 * at a time, whose turn has come longest ago. A turn asks for all registers of the device's map in
 * as few requests as there may be; what was answered is handed to the intake as one message, source
 * the device's id, marked unauthenticated. Turns lie `poll` apart and do not drift; one that is
 * missed, because the line or the intake is busy, is left out and counted.
 *
 * A device that gives no answer is asked once more, and then less and less often, at most a minute
 * apart, so that a dead one takes no more than a sixth of its line. A line that cannot be opened is
 * tried for ever, at most half a minute apart. A request that a device refuses for its address is
 * asked in smaller parts from then on. A time-out, an exception or a garbled answer gives no
 * reading; they are counted by device.
 */
#ifndef SY_MODBUS_H
#define SY_MODBUS_H

#include "base/intake.h"
#include "drivers/registry.h"

typedef struct sy_modbus sy_modbus;

/* Threads for the addresses in the registry; none where there are none. */
SY_MUST_USE sy_err sy_modbus_start(sy_modbus **out, const sy_intake *intake,
                                   sy_registry_slot *devices, sy_fail *f);
/* The registry in the slot changed: lines begin and end (which takes as long as an answer may),
 * devices that stay keep their figures. The main thread, as all of these. */
void sy_modbus_reload(sy_modbus *m);
/* {"lines":[{"address":…,"connected":…,"devices":[{"id":…, …}]}]}, since the start. */
void sy_modbus_status(sy_modbus *m, sy_buf *json);
/* Waits until the answers that are awaited are there or too late. NULL is allowed. */
void sy_modbus_stop(sy_modbus *m);

#endif
