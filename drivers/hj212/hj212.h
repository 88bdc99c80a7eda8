/*
 * HJ 212 over TCP (HJ 212-2017, HJ/T 212-2005): a listener for monitors and data loggers.
 *
 * Each frame of a known device is one message of the journal: from "##" to its CRC, without the end
 * of line. Who sends is its MN; the device's `from` must hold the peer's address, and its PW must
 * be the device's `password` where there is one (else the message is SY_MSG_UNAUTHENTICATED). A
 * connection belongs to the first device that is let in on it: frames of another are refused
 * (SY_REJECT_NOT_ALLOWED), those of an unknown MN kept aside (sy_intake_strange). A peer from which
 * no device may send is cut off before it is read.
 *
 * A frame whose Flag asks for an answer (bit 0) gets it after the journal has the frame, and after
 * the sync where intake->strict: CN 9013 to the request to set the clock (1013), CN 9014 to all
 * else that a device uploads, with the frame's QN, MN and PW. What is itself an answer (9011 to
 * 9014) is kept and not answered. Nothing is asked of a device, its clock is not set.
 * A frame with QN is known again by (QN, CN, PNUM, PNO), one without by its DataTime: sent twice it
 * is kept once and acknowledged twice, also across a restart.
 * Tolerated: junk between frames, a wrong length, a CRC in lower case or wrong (the format makes
 * its values uncertain), frames cut into any segments or many in one.
 *
 * Bounds: 256 connections, 64 of one address, 16 KiB of input and 4 KiB of answers each. A round
 * takes at most 4 KiB of each connection that has something, so one that floods does not hold up
 * the others; one that sends more than 256 KiB in a second, or does not read its answers, is not
 * read for a while. 60 s without a frame of a known device, 2 h without any byte, 64 KiB of junk or
 * 32 refused frames in a row end a connection.
 * While nothing can be kept, submit blocks or fails: the frame stays, and its device is not
 * answered.
 *
 * All of it is on the thread "sy-hj212", which is also the one that calls the intake.
 */
#ifndef SY_DRIVERS_HJ212_H
#define SY_DRIVERS_HJ212_H

#include "base/intake.h"
#include "drivers/registry.h"

typedef struct sy_hj212 sy_hj212;

/* listen: "0.0.0.0:9212"; port 0: a free one. intake and devices outlive it. */
SY_MUST_USE sy_err sy_hj212_start(sy_hj212 **out, const char *const *listen, size_t n,
                                  const sy_intake *intake, sy_registry_slot *devices, sy_fail *f);
/* The port of listener i. */
uint16_t sy_hj212_port(const sy_hj212 *h, size_t i);
/* Open now. Any thread. */
unsigned sy_hj212_connections(const sy_hj212 *h);
/* The journal is shut before, so that no submit waits. What is not acknowledged comes again. NULL
 * is allowed. */
void sy_hj212_stop(sy_hj212 *h);

#endif
